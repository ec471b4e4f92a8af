/** Through the command line, the system's generator being the same each time: whether the dice alone decide the key. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allDescriptors } from '#crypto/registry';
import { thorough } from '../support/require.js';
import { inProcess } from './runners.js';

const DICE = '62534162534152623416';
const others = (await allDescriptors()).filter(
  ({ ownEntropy, slow, sizes }) =>
    ownEntropy !== true && slow !== true && (thorough || (sizes.signature ?? 0) < 10_000),
);

let work: string;
beforeAll(() => {
  work = mkdtempSync(join(tmpdir(), 'conclave-dice-'));
  writeFileSync(join(work, 'dice.txt'), DICE);
  writeFileSync(join(work, 'same.txt'), DICE);
  writeFileSync(join(work, 'changed.txt'), `${DICE.slice(0, -1)}5`);
});
afterAll(() => {
  rmSync(work, { recursive: true });
});

async function keyFrom(argv: readonly string[], out: string): Promise<Buffer> {
  // A generator of its own for each run, which gives the same bytes each time.
  const { code, stderr } = await inProcess('dice')(
    [
      ...['key', 'generate', '--dev', '--format', 'raw', '--no-passphrase'],
      ...['--force', '--out', out, ...argv],
    ],
    { cwd: work, stdin: new Uint8Array(0), env: {} },
  );
  expect(code, stderr.toString()).toBe(0);
  return readFileSync(join(work, out));
}

describe('dice', () => {
  it.each(others.map((each) => [`${each.name} ${each.profile}`.trim(), each] as const))(
    'decide a key of %s',
    async (_, { name, profile }) => {
      const what = ['--algorithm', name, ...(profile === '' ? [] : ['--profile', profile])];
      const without = await keyFrom(what, 'without.key');
      const [once, again, changed] = [
        await keyFrom([...what, '--entropy', 'dice.txt'], 'once.key'),
        await keyFrom([...what, '--entropy', 'same.txt'], 'again.key'),
        await keyFrom([...what, '--entropy', 'changed.txt'], 'changed.key'),
      ];
      expect(again.equals(once)).toBe(true);
      expect(changed.equals(once)).toBe(false);
      expect(without.equals(once)).toBe(false);
    },
  );
});
