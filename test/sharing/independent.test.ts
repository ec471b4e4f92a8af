/** A reader that shares no line with ours, written from docs/spec/share.md, opens what we make. */
import { spawnSync } from 'node:child_process';
import { readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { utf8 } from '#formats/bytes';
import { hasProgram, needs, root } from '../support/require.js';
import { Desk } from './desk.js';

const READER = join(root, 'test/independent/recover.py');

function recover(...args: string[]): { code: number | null; out: Uint8Array; said: string } {
  const run = spawnSync('python3', [READER, ...args, '--out', '-'], { timeout: 200_000 });
  return { code: run.status, out: new Uint8Array(run.stdout), said: run.stderr.toString() };
}

describe.skipIf(!needs('python3', hasProgram('python3'), 'no Python 3'))('recover.py', () => {
  it('rebuilds a file from unsealed shares, with and without set.json', async () => {
    using desk = new Desk();
    const secret = utf8('a secret that outlives its program');
    const { shares, set } = await desk.split({
      in: desk.write('secret', secret),
      threshold: 3,
      shares: 5,
      unsealed: true,
    });
    const chosen = [shares[4], shares[0], shares[2]] as string[];
    expect(recover(...chosen)).toMatchObject({ code: 0, out: secret });
    expect(recover('--set', set, ...chosen)).toMatchObject({ code: 0, out: secret });
    expect(recover('--set', set, ...chosen.slice(1)).code).toBe(75);
  });

  it('rebuilds the default hybrid key from shares sealed by passphrases', async () => {
    using desk = new Desk();
    const key = await desk.key('ed25519+ml-dsa-65', 'dev');
    // NFKC matters: the file has the decomposed form of what is typed.
    const files = ['käse', 'ﬁsh', 'tee\r'].map((text, i) => desk.write(`p${i}`, `${text}\n`));
    const { shares, set } = await desk.split({ key: key.path, sealPassphraseFile: files });
    const passphrases = files.flatMap((file) => ['--passphrase-file', file]);
    const result = recover('--set', set, ...passphrases, ...shares.slice(1));
    expect(result).toMatchObject({ code: 0, out: key.secret });
    expect(result.said).toContain('ed25519+ml-dsa-65 composite');
    unlinkSync(set);
    expect(recover(...passphrases, ...shares)).toMatchObject({ code: 0, out: key.secret });
    expect(recover('--passphrase-file', files[0] as string, ...shares).code).toBe(77);
  });

  it('rebuilds a long package, which is in set.json only', async () => {
    using desk = new Desk();
    const secret = desk.context().random(3000);
    const { shares, set } = await desk.split({ in: desk.write('secret', secret), unsealed: true });
    expect(recover('--set', set, ...shares.slice(1))).toMatchObject({ code: 0, out: secret });
    expect(recover(...shares).code).toBe(65);
  });

  it('rebuilds from groups', async () => {
    using desk = new Desk();
    const secret = utf8('two groups');
    const { set } = await desk.split({
      in: desk.write('secret', secret),
      threshold: 2,
      shares: undefined,
      group: ['3/5', '2/3', '2/3'],
      unsealed: true,
    });
    const names = ['1-2', '1-3', '1-5', '3-1', '3-3'];
    const shares = names.map((name) => desk.path(`out/share-${name}.cbor`));
    expect(recover('--set', set, ...shares)).toMatchObject({ code: 0, out: secret });
    expect(recover('--set', set, ...shares.slice(0, 4)).code).toBe(75);
  });

  it('rebuilds SLIP-39: seeds, and what words cannot carry', async () => {
    using desk = new Desk();
    const seed = desk.context().random(48);
    const odd = utf8('an odd number of bytes');
    const words = { format: 'slip39', unsealed: true };
    const a = await desk.split({ in: desk.write('a.bin', seed), ...words, outDir: desk.path('a') });
    const long = desk.write('b.bin', new Uint8Array([...odd, 1]));
    const b = await desk.split({ in: long, ...words, outDir: desk.path('b') });
    const key = await desk.key('ed25519');
    const c = await desk.split({
      key: key.path,
      ...words,
      threshold: 2,
      shares: undefined,
      group: ['2/3', '2/3', '3/5'],
      outDir: desk.path('c'),
    });
    expect(recover(...a.shares.slice(1))).toMatchObject({ code: 0, out: seed });
    expect(recover('--set', a.set, ...a.shares)).toMatchObject({ code: 0, out: seed });
    expect(recover('--set', b.set, ...b.shares)).toMatchObject({
      code: 0,
      out: new Uint8Array([...odd, 1]),
    });
    expect(recover('--set', c.set, ...c.shares)).toMatchObject({ code: 0, out: key.secret });
    expect(recover(...a.shares.slice(0, 1)).code).toBe(75);
    expect(recover(a.shares[0] as string, a.shares[1] as string, b.shares[2] as string).code).toBe(
      1,
    );
  });

  it('names damage, odd cards, forged commitments', async () => {
    using desk = new Desk();
    const path = desk.write('secret', 'x');
    const a = await desk.split({ in: path, unsealed: true, outDir: desk.path('a') });
    const b = await desk.split({ in: path, unsealed: true, outDir: desk.path('b') });
    const odd = recover(a.shares[0] as string, b.shares[1] as string, a.shares[2] as string);
    expect(odd).toMatchObject({ code: 1 });
    expect(odd.said).toContain(b.shares[1]);
    expect(recover('--set', b.set, ...a.shares).code).toBe(1);
    const damaged = readFileSync(a.shares[0] as string);
    damaged[60] = (damaged[60] as number) ^ 1;
    writeFileSync(desk.path('damaged.cbor'), damaged);
    const said = recover(desk.path('damaged.cbor'), a.shares[1] as string);
    expect(said).toMatchObject({ code: 1 });
    expect(said.said).toContain('checksum');
    const set = readFileSync(a.set, 'utf8').replace(/"created":"\d/, '"created":"9');
    writeFileSync(a.set, set);
    expect(recover('--set', a.set, ...a.shares).code).toBe(1);
  });

  it('rebuilds sets that were changed, names old cards, and says what it cannot open', async () => {
    using desk = new Desk();
    const secret = utf8('the same secret in new hands');
    const split = await desk.split({ in: desk.write('secret', secret), unsealed: true });
    const plain = { unsealed: true };
    const fresh = await desk.refresh(split.shares, { ...plain, outDir: desk.path('a') });
    const five = await desk.reshare(fresh.shares.slice(1), {
      ...plain,
      threshold: 2,
      group: ['2/3', '1/2'],
      outDir: desk.path('b'),
    });
    const mended = await desk.repair(fresh.shares.slice(0, 2), '3', {
      ...plain,
      outDir: desk.path('c'),
    });
    const third = mended.shares[0] as string;
    for (const [set, shares] of [
      [fresh.set, fresh.shares.slice(1)],
      [five.set, [five.shares[0], five.shares[2], five.shares[4]] as string[]],
      [mended.set, [fresh.shares[0] as string, third]],
    ] as const) {
      expect(recover('--set', set, ...shares)).toMatchObject({ code: 0, out: secret });
      expect(recover(...shares)).toMatchObject({ code: 0, out: secret });
    }
    const stale = recover('--set', fresh.set, split.shares[0] as string, ...fresh.shares.slice(1));
    expect(stale).toMatchObject({ code: 1 });
    expect(stale.said).toContain('share-1.cbor: of another dealing of this set, epoch 0 and not 1');
    const lost = recover('--set', mended.set, ...fresh.shares.slice(1));
    expect(lost).toMatchObject({ code: 1 });
    expect(lost.said).toContain('share-3.cbor does not open its commitment');
    const p = desk.write('p', 'open');
    const argon = { sealPassphraseFile: [p], sealKdf: 'argon2id', outDir: desk.path('d') };
    const sealed = await desk.refresh(fresh.shares, argon);
    const said = recover('--passphrase-file', p, ...sealed.shares);
    expect(said.code).toBe(77);
    expect(said.said).toContain('Argon2id');
  });
});
