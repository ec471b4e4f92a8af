/** The manual pages are what the descriptions say, and every command has a page, an example and clean text. */
import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { pagesFromCode, rows } from '#cli/catalogue';
import { helpText, pageText } from '#cli/help';
import { manualPages } from '#cli/man';
import { hasProgram, needs, root } from '../support/require.js';

const pages = await pagesFromCode();
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  version: string;
};
const manual = manualPages(pages, version);

describe('manual pages', () => {
  it('are up to date (else run node scripts/man.mjs)', () => {
    const folder = join(root, 'man');
    const written = readdirSync(folder).filter((name) => name.endsWith('.1'));
    expect(written.sort()).toEqual(manual.map(({ file }) => file).sort());
    for (const { file, text } of manual)
      expect(readFileSync(join(folder, file), 'utf8')).toBe(text);
  });

  it.skipIf(!needs('groff', hasProgram('groff'), 'manual pages are formatted with it'))(
    'are formatted without a warning',
    () => {
      for (const { file, text } of manual) {
        const ran = spawnSync('groff', ['-man', '-Tutf8', '-ww'], {
          input: text,
          encoding: 'utf8',
        });
        expect(`${file}: ${ran.stderr}`).toBe(`${file}: `);
      }
    },
  );
});

describe('descriptions', () => {
  it.each(pages.map((page) => [page.words.join(' '), page] as const))('%s', (name, page) => {
    expect(page.summary).toMatch(/^[a-z'].*[^.]$/);
    expect(page.summary.length).toBeLessThanOrEqual(80);
    expect(page.description).toMatch(/\.$/);
    expect(page.examples.length).toBeGreaterThan(0);
    for (const { command, explains } of page.examples) {
      expect(command.startsWith(`conclave ${name}`)).toBe(true);
      expect(explains).not.toMatch(/\.$/);
    }
    for (const { summary } of [...page.options, ...page.positionals]) {
      expect(summary).toMatch(/^[^A-Z].*[^.]$/);
    }
    const repeated = page.positionals.slice(0, -1).filter(({ repeat }) => repeat);
    expect(repeated, 'only the last argument can be repeated').toEqual([]);
  });

  it('are of commands that exist under their own name', () => {
    for (const page of pages) {
      expect(page.words.join('.')).toBe(page.id);
      expect(rows.some(({ id }) => id === page.id)).toBe(true);
    }
  });
});

describe('help', () => {
  it('keeps within 80 columns', () => {
    const texts = [helpText([], pages), helpText(['exit-codes'], pages), ...pages.map(pageText)];
    const long = texts.flatMap((text) => text.split('\n')).filter((line) => line.length > 80);
    expect(long).toEqual([]);
  });
});
