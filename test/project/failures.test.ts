/** The list of what went wrong elsewhere is whole, and leads to tests that exist. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from '../support/require.js';

/** Of what conclave does not do yet, and so cannot do wrongly. */
const NOT_OURS = ['7'];

const rows = readFileSync(join(root, 'docs/failures.md'), 'utf8')
  .split('\n')
  .filter((line) => /^\| \d+ \|/.test(line))
  .map((line) => line.split(' | ').map((cell) => cell.replace(/^\| | *\|$/g, '').trim()));

/** All text of a folder of tests, helpers included: the names of some tests stand in a table beside them. */
function textOf(folder: string): string {
  return readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(join(root, folder, name), 'utf8'))
    .join('\n');
}

describe('failures of real ceremonies', () => {
  it('are twenty, each with what happened and what answers it', () => {
    expect(rows.map(([number]) => number)).toEqual(
      Array.from({ length: 20 }, (_, i) => `${i + 1}`),
    );
    for (const [number, happened = '', answers = ''] of rows)
      expect([number, happened.length > 20, answers.length > 20]).toEqual([number, true, true]);
  });

  it.each(rows)('%s leads to tests that exist', (number, _happened, _answers, shown = '') => {
    const named = [...shown.matchAll(/`(test\/[^`]+)`(?:: (?:\*([^*]+)\*|`([^`]+)`))?/g)];
    expect(named.length > 0).toBe(!NOT_OURS.includes(number ?? ''));
    for (const [, path = '', title, rule] of named) {
      expect([path, existsSync(join(root, path))]).toEqual([path, true]);
      const text = (title ?? rule)?.split(':')[0];
      const folder = statSync(join(root, path)).isDirectory() ? path : dirname(path);
      if (text !== undefined) expect([text, textOf(folder).includes(text)]).toEqual([text, true]);
    }
  });
});
