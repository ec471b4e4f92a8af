/** A batch and what must not lie with it: said before anything is opened. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { told } from './lying.js';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'conclave-places-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

it.each([
  ['--memory', ['threshold', 'prepare', '--key', 'treasury']],
  ['--session', ['threshold', 'sign', 'start', '--in', 'start.json']],
])('has a folder of its own, and not that of %s', async (option, command) => {
  const batch = join(folder, 'batch');
  const words = ['--prepared', batch, option, `${batch}/`, '--home', join(folder, 'home')];
  const verdict = await told([...command, ...words, '--json', '--no-input']);
  expect(verdict).toMatchObject({ exit: 2, code: 'E_PREPARED_PLACE' });
  expect(verdict.message).toContain(option);
  expect(existsSync(batch)).toBe(false);
});
