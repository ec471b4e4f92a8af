/** Changes of a development key with every party in one process, through the commands. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { keyShow } from '#actions/key-show';
import { thresholdEnrol } from '#actions/threshold-enrol';
import { thresholdKeygen } from '#actions/threshold-keygen';
import { thresholdRefresh } from '#actions/threshold-refresh';
import { thresholdRepair } from '#actions/threshold-repair';
import { thresholdReshare } from '#actions/threshold-reshare';
import { thresholdSign } from '#actions/threshold-sign';
import { verify } from '#actions/verify';
import { type Workplace, workplace } from '../support/home.js';

const folder = mkdtempSync(join(tmpdir(), 'conclave-simulated-'));
const at = (name: string): string => join(folder, name);
const options = { passphrases: ['for all of them'] };
let place: Workplace;

const shares = (of: string, ...numbers: readonly number[]): string[] =>
  numbers.map((number) => at(`${of}/dev-party-${number}.key`));

async function run(command: object, input: object): Promise<{ readonly wrote: readonly string[] }> {
  return (await place.run(
    command as never,
    { simulate: true, ...input } as never,
    options,
  )) as never;
}

/** Whether these shares sign for the key as it was made. */
async function signs(named: readonly string[]): Promise<boolean> {
  const out = at('note.sig');
  rmSync(out, { force: true });
  await run(thresholdSign, { share: named, message: at('note.txt'), out });
  const input = { key: at('first/dev-party-1.key'), in: at('note.txt'), signature: out };
  return ((await place.run(verify as never, input as never, options)) as { ok: boolean }).ok;
}

const groupIn = (of: string): { publicKey: string; epoch: number; threshold: number } =>
  JSON.parse(readFileSync(at(`${of}/group.json`), 'utf8')) as never;

beforeAll(async () => {
  place = workplace();
  writeFileSync(at('note.txt'), 'pay the miller');
  await run(thresholdKeygen, { threshold: 2, shares: 3, suite: 'p256', outDir: at('first') });
});
afterAll(() => {
  place.remove();
  rmSync(folder, { recursive: true });
});

describe('a key in one process', () => {
  it.each([
    [{}, 'E_PASSPHRASE_MISSING'],
    [{ noPassphrase: true }, 'E_GROUP_SHARE_UNSEALED'],
  ])(
    'is refused before anything is drawn or written where %o is all there is',
    async (given, code) => {
      const drawn = vi.fn(() => new Uint8Array(0));
      const context = { ...place.context(given), random: drawn };
      const outDir = at('refused');
      const input = { simulate: true, threshold: 2, shares: 3, suite: 'p256', outDir };
      await expect(thresholdKeygen.run(input as never, context)).rejects.toMatchObject({ code });
      expect(drawn).not.toHaveBeenCalled();
      expect(existsSync(outDir)).toBe(false);
    },
  );
});

describe('changes in one process', () => {
  it('refresh: new shares sign, and one of them with an old one does not', async () => {
    const { wrote } = await run(thresholdRefresh, {
      share: shares('first', 1, 2, 3),
      outDir: at('fresh'),
    });
    expect(wrote).toEqual([...shares('fresh', 1, 2, 3), at('fresh/group.json')]);
    expect(groupIn('fresh')).toMatchObject({ publicKey: groupIn('first').publicKey, epoch: 2 });
    expect(await signs(shares('fresh', 1, 3))).toBe(true);
    await expect(signs([...shares('fresh', 1), ...shares('first', 3)])).rejects.toMatchObject({
      code: 'E_SIMULATE_SHARES',
    });
    const shown = await place.run(
      keyShow as never,
      { key: shares('fresh', 1)[0] } as never,
      options,
    );
    expect(JSON.stringify(shown)).toContain('"event":"refresh"');
    // What is there already stays.
    await expect(
      run(thresholdRefresh, { share: shares('first', 1, 2), outDir: at('fresh') }),
    ).rejects.toMatchObject({ exitCode: 73 });
  });

  it('repair, enrol and reshare: whoever gets a share signs with it', async () => {
    await run(thresholdRepair, { share: shares('first', 1, 3), lost: 2, outDir: at('again') });
    expect(existsSync(at('again/dev-party-1.key'))).toBe(false);
    expect(await signs([...shares('first', 3), ...shares('again', 2)])).toBe(true);

    await run(thresholdEnrol, { share: shares('first', 1, 2, 3), outDir: at('four') });
    expect(await signs(shares('four', 2, 4))).toBe(true);

    await run(thresholdReshare, {
      share: shares('four', 3, 4),
      threshold: 3,
      shares: 3,
      outDir: at('other'),
    });
    expect(groupIn('other')).toMatchObject({ threshold: 3, epoch: 3 });
    expect(await signs(shares('other', 1, 2, 3))).toBe(true);
  });

  it.each([
    [thresholdRefresh, { share: [1] }, /needs the shares of its parties/],
    [thresholdEnrol, { share: [1, 2] }, /enrol needs the shares of all 3 members/],
    [thresholdRepair, { share: [1, 3] }, /repair needs --lost/],
    [thresholdRepair, { share: [1, 2, 3], lost: 2 }, /exactly 2 shares of others/],
    [thresholdReshare, { share: [1, 2] }, /needs --shares/],
    [thresholdReshare, { share: [1, 2, 3], shares: 4 }, /exactly 2 shares/],
    [thresholdReshare, { share: [1, 2], shares: 2, threshold: 3 }, /threshold is above the number/],
  ])('%# says what is missing', async (command, input, says) => {
    const share = shares('first', ...input.share);
    await expect(run(command, { ...input, share, outDir: at('none') })).rejects.toThrow(says);
    expect(existsSync(at('none'))).toBe(false);
  });
});
