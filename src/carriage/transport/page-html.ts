/** Pages as one HTML file to print from a browser: a sheet each, nothing executed, nothing fetched. */
import type { Page } from './page.js';
import { escaped, svgElement } from './page-svg.js';

/** All pages as one HTML file. */
export function htmlOf(pages: readonly Page[]): string {
  const [first] = pages;
  const width = (((first?.width ?? 0) * 25.4) / 72).toFixed(1);
  const height = (((first?.height ?? 0) * 25.4) / 72).toFixed(1);
  const sheets = pages.map((page) => `<section>\n${svgElement(page)}\n</section>`).join('\n');
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="referrer" content="no-referrer">
<title>${escaped(first?.title ?? '')}</title>
<style>
@page { size: ${width}mm ${height}mm; margin: 0 }
html, body { margin: 0; background: #ddd }
section { margin: 8mm auto; width: ${width}mm; height: ${height}mm; background: #fff; overflow: hidden; break-after: page; break-inside: avoid }
section:last-of-type { break-after: auto }
svg { display: block; width: 100%; height: 100% }
@media print { html, body { background: #fff } section { margin: 0 } }
</style>
</head>
<body>
${sheets}
</body>
</html>
`;
}
