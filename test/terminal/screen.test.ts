import { fc } from '../support/property.js';
import { describe, expect, it } from 'vitest';
import { plainStyle, styleFor, wantsColour, wantsMovement } from '#terminal/colour';
import { COLUMNS, columnsOf, LINES, pages, printable, wrap } from '#terminal/screen';
import { table } from '#terminal/table';

const words = fc
  .array(fc.oneof(fc.string({ maxLength: 12 }), fc.string({ minLength: 90, maxLength: 200 })), {
    maxLength: 60,
  })
  .map((parts) => parts.join(' '));

describe('wrapping', () => {
  it('keeps every line within 80 columns and loses no word', () => {
    fc.assert(
      fc.property(words, (text) => {
        const lines = wrap(text);
        for (const line of lines) expect(columnsOf(line)).toBeLessThanOrEqual(COLUMNS);
        const bare = (each: string): string => each.replaceAll(/\s/gu, '');
        expect(bare(lines.join(''))).toBe(bare(printable(text)));
      }),
      { numRuns: 500 },
    );
  });

  it('indents what continues an indented line', () => {
    const lines = wrap(`    ${'word '.repeat(40)}`);
    expect(lines.length).toBeGreaterThan(1);
    for (const line of lines) expect(line).toMatch(/^ {4}word/);
  });

  it('counts wide characters twice and marks not at all', () => {
    expect(columnsOf('日本')).toBe(4);
    expect(columnsOf('e\u0301')).toBe(1);
    for (const line of wrap('語'.repeat(100))) expect(columnsOf(line)).toBeLessThanOrEqual(80);
  });

  it('lets nothing through that moves a cursor or hides text', () => {
    const hostile = 'a\u001b[2Jb\u202ec\u200bd\u0007e\rf\ng';
    expect(printable(hostile)).toBe('a\ufffd[2Jb\ufffdc\ufffdd\ufffde\ufffdf\ng');
    expect(wrap(hostile).join('\n')).not.toMatch(/[\u001b\u202e\r]/);
  });
});

describe('screens', () => {
  it('fit 80 by 24 with room for a question', () => {
    fc.assert(
      fc.property(words, words, (heading, detail) => {
        for (const page of pages(heading.slice(0, 300), detail)) {
          expect(page.length).toBeLessThanOrEqual(LINES - 4);
          for (const line of page) expect(columnsOf(line)).toBeLessThanOrEqual(COLUMNS);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('hold all of the detail, page after page', () => {
    const detail = Array.from({ length: 60 }, (_, i) => `line ${i}`).join('\n');
    const shown = pages('Heading', detail);
    expect(shown.length).toBe(4);
    expect(shown.flat().slice(2)).toEqual(detail.split('\n'));
  });
});

describe('tables', () => {
  it('are aligned and within their width', () => {
    const rows = [
      ['a', 'short'],
      ['longer', 'x'.repeat(100)],
    ];
    const lines = table(rows, ['name', 'what it is']);
    expect(lines[0]).toBe('NAME    WHAT IT IS');
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
    expect(lines.join('').split('x').length - 1).toBe(100);
    expect(table([])).toEqual([]);
  });

  it('fit whatever is in them', () => {
    fc.assert(
      fc.property(fc.array(fc.array(fc.string({ maxLength: 120 }), { maxLength: 5 })), (rows) => {
        for (const line of table(rows)) expect(columnsOf(line)).toBeLessThanOrEqual(COLUMNS);
      }),
      { numRuns: 300 },
    );
  });
});

describe('colour', () => {
  it.each([
    [{ isTTY: true, env: {} }, true, true],
    [{ isTTY: false, env: {} }, false, false],
    [{ isTTY: true, env: { NO_COLOR: '1' } }, false, true],
    [{ isTTY: true, env: { NO_COLOR: '' } }, true, true],
    [{ isTTY: true, env: { CI: 'true' } }, false, false],
    [{ isTTY: true, env: { TERM: 'dumb' } }, false, false],
  ])('%j', (surroundings, colour, movement) => {
    expect(wantsColour(surroundings)).toBe(colour);
    expect(wantsMovement(surroundings)).toBe(movement);
    expect(styleFor(surroundings).colour).toBe(colour);
  });

  it('repeats what the words say', () => {
    const painted = styleFor({ isTTY: true, env: {} });

    const bare = (text: string): string => text.replaceAll(/\u001b\[\d+m/g, '');
    for (const paint of ['bold', 'dim', 'good', 'bad', 'notice'] as const) {
      expect(bare(painted[paint]('yes'))).toBe(plainStyle[paint]('yes'));
      expect(painted[paint]('')).toBe('');
    }
  });
});
