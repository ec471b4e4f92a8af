/**
 * Pages as PDF with the standard fonts, which every reader and printer has. The same pages give the same bytes on every
 * machine: the only date in the file is the one handed in.
 */
import type { Face } from './font-metrics.js';
import { darkRuns, type Mark, type Page } from './page.js';

const FONTS: Readonly<Record<Face, string>> = {
  sans: 'Helvetica',
  'sans-bold': 'Helvetica-Bold',
  mono: 'Courier',
  'mono-bold': 'Courier-Bold',
};

/**
 * All pages as one PDF file.
 * @param created - written into the file as its date
 */
export async function pdfOf(pages: readonly Page[], created: Date): Promise<Uint8Array> {
  const { default: Document } = await import('pdfkit');
  const document = new Document({
    autoFirstPage: false,
    margin: 0,
    info: {
      Title: printableInPdf(pages[0]?.title ?? ''),
      Producer: 'conclave',
      Creator: 'conclave',
      CreationDate: created,
      ModDate: created,
    },
  });
  const chunks: Buffer[] = [];
  const done = new Promise<void>((resolve, reject) => {
    document.on('data', (chunk: Buffer) => void chunks.push(chunk));
    document.on('end', resolve);
    document.on('error', reject);
  });
  for (const page of pages) {
    document.addPage({ size: [page.width, page.height], margin: 0 });
    for (const mark of page.marks) draw(document, mark);
  }
  document.end();
  await done;
  const bytes = new Uint8Array(Buffer.concat(chunks));
  // The pages may carry unlock words.
  for (const chunk of chunks) chunk.fill(0);
  return bytes;
}

type Document = InstanceType<typeof import('pdfkit')>;

function draw(document: Document, mark: Mark): void {
  switch (mark.kind) {
    case 'text':
    case 'reversed':
      document
        .font(FONTS[mark.face], mark.size)
        .fillColor(mark.kind === 'text' ? 'black' : 'white')
        .text(printableInPdf(mark.text), mark.x, mark.y, {
          baseline: 'alphabetic',
          lineBreak: false,
        });
      return;
    case 'outline':
      document.save().rotate(-mark.degrees, { origin: [mark.x, mark.y] });
      document.font(FONTS['sans-bold'], mark.size).lineWidth(0.4).strokeColor('black');
      document.dash(0.8, { space: 1.6 });
      document.text(
        printableInPdf(mark.text),
        mark.x - document.widthOfString(printableInPdf(mark.text)) / 2,
        mark.y,
        { baseline: 'alphabetic', lineBreak: false, fill: false, stroke: true },
      );
      document.restore();
      return;
    case 'line': {
      document.save().lineWidth(mark.width).strokeColor('black');
      if (mark.dashed === true) document.dash(4, { space: 3 });
      document
        .moveTo(...mark.from)
        .lineTo(...mark.to)
        .stroke()
        .restore();
      return;
    }
    case 'box':
      document
        .rect(mark.x, mark.y, mark.width, mark.height)
        .fill(mark.clears === true ? 'white' : 'black');
      return;
    case 'code': {
      const scale = mark.size / mark.matrix.length;
      for (const [column, row, length] of darkRuns(mark.matrix)) {
        document.rect(mark.x + column * scale, mark.y + row * scale, length * scale, scale);
      }
      document.fill('black');
    }
  }
}

/** Latin-1: what the standard fonts have. */
const STANDARD = /^[\u0020-\u007e\u00a0-\u00ff]*$/;

/** Whether a text can be drawn in the standard fonts. */
export function drawsInPdf(text: string): boolean {
  return STANDARD.test(text);
}

function printableInPdf(text: string): string {
  return [...text].map((character) => (drawsInPdf(character) ? character : '?')).join('');
}
