/** The share actions over real files: what works, and every refusal. */
import { copyFileSync, statSync, unlinkSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { shareSetKind } from '#actions/artifacts/share-set';
import { shareKind } from '#actions/artifacts/share';
import { sha256 } from '#crypto/hash';
import { encodeCbor, decodeCbor, type CborMap } from '#formats/cbor';
import { equal, toHex, utf8 } from '#formats/bytes';
import { decodeShareSet, encodeShareSet } from '#protocols/sharing/share-set';
import { formsIn } from '../support/canary.js';
import { Desk, refusal } from './desk.js';

const PLAIN = { unsealed: true } as const;

describe('a file', () => {
  it('comes back from any two of three, and set.json is written last', async () => {
    using desk = new Desk();
    const secret = utf8('the quick brown fox jumps over the lazy dog');
    const path = desk.write('secret', secret);
    const result = await desk.split({ in: path, ...PLAIN });
    expect(desk.files('out')).toEqual(['set.json', 'share-1.cbor', 'share-2.cbor', 'share-3.cbor']);
    expect(result.proven).toBe('all 3 quorums');
    expect(result.signed).toBe(false);
    for (const [i, j] of [
      [0, 1],
      [0, 2],
      [2, 1],
    ] as const) {
      const shares = [result.shares[i], result.shares[j]] as string[];
      const back = await desk.combine(shares, `back-${i}${j}`);
      expect(back.kind).toBe('file');
      expect(back.notChecked).toEqual([`who made ${result.set}: it is unsigned`]);
      expect(desk.read(`back-${i}${j}`)).toEqual(secret);
      expect(statSync(desk.path(`back-${i}${j}`)).mode & 0o777).toBe(0o600);
    }
    expect(statSync(result.shares[0] as string).mode & 0o777).toBe(0o600);
    expect(desk.events.map(({ type }) => type)).toEqual([
      'share.split',
      'share.combine',
      'share.combine',
      'share.combine',
    ]);
  });

  it.each([1, 55, 64 * 1024])('of %d bytes', async (length) => {
    using desk = new Desk();
    const secret = desk.context().random(length);
    const result = await desk.split({ in: desk.write('secret', secret), ...PLAIN });
    await desk.combine(result.shares);
    expect(desk.read('back')).toEqual(secret);
    unlinkSync(result.set);
    // Without set.json a short package comes from the shares; a long one is missed.
    const again = desk.combine(result.shares.slice(1), 'again');
    if (length > 160) await expect(again).rejects.toThrow(refusal(66, 'E_PACKAGE_MISSING'));
    else expect((await again).notChecked).not.toEqual([]);
  });

  it('is refused when empty, too long, missing, or next to a key', async () => {
    using desk = new Desk();
    const empty = desk.write('empty', '');
    const long = desk.write('long', new Uint8Array(64 * 1024 + 1));
    await expect(desk.split({ in: empty, ...PLAIN })).rejects.toThrow(refusal(65, 'E_SHARE_EMPTY'));
    await expect(desk.split({ in: long, ...PLAIN })).rejects.toThrow(
      refusal(65, 'E_FILE_TOO_LARGE'),
    );
    await expect(desk.split({ in: desk.path('none'), ...PLAIN })).rejects.toThrow(
      refusal(66, 'E_FILE_MISSING'),
    );
    await expect(desk.split({ in: long, key: long, ...PLAIN })).rejects.toThrow(
      refusal(2, 'E_SHARE_SOURCE'),
    );
    await expect(desk.split(PLAIN)).rejects.toThrow(refusal(2, 'E_SHARE_SOURCE'));
  });
});

describe('a key', () => {
  it.each(['ed25519', 'ml-dsa-65', 'ed25519+ml-dsa-65', 'ml-kem-768', 'x-wing', 'aes-256'])(
    '%s comes back with its id',
    async (algorithm) => {
      using desk = new Desk();
      const key = await desk.key(algorithm);
      const result = await desk.split({ key: key.path, ...PLAIN });
      expect(result.keyId).toBe(key.id);
      const back = await desk.combine(result.shares.slice(1), 'back.pem');
      expect(back.keyId).toBe(key.id);
      using opened = await desk.context().keys.open(desk.path('back.pem'));
      expect(opened.record.shares).toEqual({ setId: result.setId, root: result.root });
      expect(opened.secret.use((bytes) => equal(bytes, key.secret))).toBe(true);
    },
  );

  it('carries its mark into shares, set and back', async () => {
    using desk = new Desk();
    const key = await desk.key('ed25519', 'dev');
    const result = await desk.split({ key: key.path, ...PLAIN });
    expect(result.environment).toBe('dev');
    const context = desk.context();
    const share = await shareKind.show(desk.read('out/share-1.cbor'), 'share-1.cbor', context);
    expect(share['environment']).toBe('dev');
    const back = await desk.combine(result.shares, 'back.pem');
    expect(back.environment).toBe('dev');
    using opened = await context.keys.open(desk.path('back.pem'));
    expect(opened.record.environment).toBe('dev');
  });

  it('of the store keeps in its record that it is shared', async () => {
    using desk = new Desk();
    const { path } = await desk.key();
    const context = desk.context();
    using opened = await context.keys.open(path);
    await context.keys.add({ ...opened.record, name: 'root' }, opened.secret, { plaintext: true });
    const result = await desk.split({ key: 'root', ...PLAIN });
    const found = await context.keys.find('root');
    expect(found.record.shares).toEqual({ setId: result.setId, root: result.root });
  });
});

describe('sealing', () => {
  it('by a passphrase for each share; a default hybrid share has at most 400 bytes', async () => {
    using desk = new Desk();
    const key = await desk.key('ed25519+ml-dsa-65');
    const passphrases = ['one', 'two', 'three', 'four', 'five'];
    const sealPassphraseFile = passphrases.map((text, i) => desk.write(`p${i}`, `${text}\n`));
    const result = await desk.split({
      key: key.path,
      threshold: 3,
      shares: 5,
      sealPassphraseFile,
    });
    expect(result.sealed).toBe('passphrase');
    expect(result.proven).toBe('all 10 quorums');
    for (const share of result.shares) expect(statSync(share).size).toBeLessThanOrEqual(400);
    const quorum = [result.shares[4], result.shares[0], result.shares[2]] as string[];
    const back = await desk.combine(quorum, 'back.pem', { passphrases });
    expect(back.keyId).toBe(key.id);
    await expect(
      desk.combine(quorum, 'no.pem', { passphrases: ['one', 'two', 'five'] }),
    ).rejects.toThrow(refusal(77, 'E_PASSPHRASE_WRONG', 'share-3.cbor'));
    await expect(desk.combine(quorum, 'no.pem')).rejects.toThrow(
      refusal(2, 'E_PASSPHRASE_MISSING'),
    );
    expect(desk.files()).not.toContain('no.pem');
  });

  it('with 16 groups, still at most 400 bytes', async () => {
    using desk = new Desk();
    const key = await desk.key('ed25519+ml-dsa-65');
    const result = await desk.split({
      key: key.path,
      threshold: 2,
      shares: undefined,
      group: Array.from({ length: 16 }, () => '2/3'),
      sealPassphraseFile: [desk.write('p', 'open')],
    });
    expect(result.shares.length).toBe(48);
    for (const share of result.shares) expect(statSync(share).size).toBeLessThanOrEqual(400);
  });

  it('to identities; another identity cannot open', async () => {
    using desk = new Desk();
    const names = ['ann', 'ben', 'cem'];
    for (const name of names) await desk.identity(name);
    await desk.identity('eve');
    const secret = desk.write('secret', 'for three');
    const result = await desk.split({ in: secret, sealTo: names });
    expect(result.sealed).toBe('identity');
    const size = statSync(result.shares[0] as string).size;
    expect(size).toBeGreaterThan(1120);
    expect(size).toBeLessThan(1600);
    await desk.combine(result.shares.slice(0, 2));
    expect(desk.read('back')).toEqual(utf8('for three'));
    // Eve's home does not know the others.
    using stranger = new Desk();
    await stranger.identity('eve');
    for (const file of desk.files('out')) stranger.write(file, desk.read(`out/${file}`));
    const shares = ['share-1.cbor', 'share-2.cbor'].map((name) => stranger.path(name));
    await expect(stranger.combine(shares)).rejects.toThrow(refusal(77, 'E_SHARE_SEALED'));
  });

  it('is said exactly once, for each share or for all', async () => {
    using desk = new Desk();
    const path = desk.write('secret', 'x');
    const files = ['a', 'b'].map((name) => desk.write(name, name));
    await expect(desk.split({ in: path })).rejects.toThrow(refusal(2, 'E_SEAL_MISSING'));
    await expect(
      desk.split({ in: path, unsealed: true, sealPassphraseFile: files }),
    ).rejects.toThrow(refusal(2, 'E_SEAL_TWICE'));
    await expect(desk.split({ in: path, sealPassphraseFile: files })).rejects.toThrow(
      refusal(2, 'E_SEAL_COUNT'),
    );
    await expect(
      desk.split({ in: path, sealPassphraseFile: [desk.write('void', '\n')] }),
    ).rejects.toThrow(refusal(2, 'E_PASSPHRASE_EMPTY'));
    await expect(
      desk.split({ in: path, format: 'slip39', sealPassphraseFile: [files[0] as string] }),
    ).rejects.toThrow(refusal(2, 'E_SEAL_WORDS'));
    expect(desk.files()).not.toContain('out');
  });

  it('in a ceremony goes to each custodian, by identity or passphrase, and is proven from the files', async () => {
    using desk = new Desk();
    const identity = await desk.identity('ann');
    const people = [
      { name: 'ann', role: 'custodian', identity },
      { name: 'ben', role: 'custodian' },
      { name: 'cem', role: 'custodian' },
    ];
    const key = await desk.key('ed25519+ml-dsa-65');
    const result = await desk.split({ key: key.path, custodians: 'custodian' }, { people });
    expect(result.sealed).toBe('both');
    const proof = await desk.prove(result.set, result.shares, { people });
    expect(proof).toMatchObject({ ok: true, proven: 'all 3 quorums', keyId: key.id });
    // Each custodian was asked once to seal and once to open.
    expect(desk.asked.filter((question) => question.includes('by ben')).length).toBe(1);
    const part = await desk.prove(result.set, result.shares.slice(0, 2), { people });
    expect(part).toMatchObject({ ok: false, reason: 'share 3 is not among the files' });
    await expect(
      desk.split({ key: key.path, custodians: 'custodian', outDir: desk.path('b') }),
    ).rejects.toThrow(refusal(2, 'E_SEAL_COUNT'));
  });
});

describe('quorums that are refused', () => {
  it('n of n and one of n, unless waived; a dev key is no excuse', async () => {
    using desk = new Desk();
    const { path } = await desk.key('ed25519', 'dev');
    const all = { key: path, threshold: 3, shares: 3, ...PLAIN };
    const one = { key: path, threshold: 1, shares: 3, ...PLAIN };
    await expect(desk.split(all)).rejects.toThrow(refusal(77, 'E_SHARE_N_OF_N'));
    await expect(desk.split(all, { environment: 'dev' })).rejects.toThrow(
      refusal(77, 'E_SHARE_N_OF_N'),
    );
    await expect(desk.split(one)).rejects.toThrow(refusal(77, 'E_SHARE_THRESHOLD_1'));
    await expect(desk.split(one, { waivers: ['n-of-n'] })).rejects.toThrow(
      refusal(77, 'E_SHARE_THRESHOLD_1'),
    );
    expect(desk.files()).not.toContain('out');
    const result = await desk.split(all, { waivers: ['n-of-n'] });
    expect(result.waived).toEqual(['n-of-n']);
    expect(desk.events[0]?.data['waived']).toEqual(['n-of-n']);
    await desk.split({ ...one, outDir: desk.path('b') }, { waivers: ['threshold-1'] });
  });

  it('of groups: what one lost or one stolen card undoes', async () => {
    using desk = new Desk();
    const path = desk.write('secret', 'x');
    const split = (threshold: number, group: string[]) =>
      desk.split({ in: path, threshold, shares: undefined, group, ...PLAIN });
    await expect(split(2, ['2/2', '2/3'])).rejects.toThrow(refusal(77, 'E_SHARE_N_OF_N'));
    await expect(split(1, ['1/2', '2/3'])).rejects.toThrow(refusal(77, 'E_SHARE_THRESHOLD_1'));
    await expect(split(3, ['2/3', '2/3'])).rejects.toThrow(refusal(2, 'E_SHARE_STRUCTURE'));
    await split(2, ['1/2', '2/3']);
  });

  it('nonsense', async () => {
    using desk = new Desk();
    const path = desk.write('secret', 'x');
    await expect(desk.split({ in: path, threshold: 4, ...PLAIN })).rejects.toThrow(
      refusal(2, 'E_SHARE_STRUCTURE'),
    );
    await expect(desk.split({ in: path, shares: undefined, ...PLAIN })).rejects.toThrow(
      refusal(2, 'E_SHARE_STRUCTURE'),
    );
    await expect(desk.split({ in: path, shares: 17, format: 'slip39', ...PLAIN })).rejects.toThrow(
      refusal(2, 'E_SHARE_STRUCTURE'),
    );
  });

  it('existing output', async () => {
    using desk = new Desk();
    const path = desk.write('secret', 'x');
    await desk.split({ in: path, ...PLAIN });
    await expect(desk.split({ in: path, ...PLAIN })).rejects.toThrow(refusal(73, 'E_FILE_EXISTS'));
    const { shares } = await desk.split({ in: path, ...PLAIN }, { force: true });
    await desk.combine(shares);
    await expect(desk.combine(shares)).rejects.toThrow(refusal(73, 'E_FILE_EXISTS'));
    // The name of the record has to be free too.
    desk.write('root.record.json', '{}');
    await expect(desk.combine(shares, 'root.key')).rejects.toThrow(
      refusal(73, 'E_FILE_EXISTS', 'root.record.json exists already'),
    );
  });
});

describe('groups', () => {
  it('2 of {3 of 5 officers, 2 of 3 directors, 2 of 3 auditors}', async () => {
    using desk = new Desk();
    const path = desk.write('secret', 'two groups of people');
    const result = await desk.split({
      in: path,
      threshold: 2,
      shares: undefined,
      group: ['3/5', '2/3', '2/3'],
      ...PLAIN,
    });
    expect(result.shares.length).toBe(11);
    // 10·3 + 10·3 + 3·3
    expect(result.proven).toBe('all 69 quorums');
    const share = (name: string) => desk.path(`out/share-${name}.cbor`);
    const chosen = ['1-1', '1-3', '1-5', '3-2', '3-3'].map(share);
    await desk.combine(chosen, 'a');
    expect(desk.read('a')).toEqual(utf8('two groups of people'));
    await expect(desk.combine(chosen.slice(1), 'b')).rejects.toThrow(
      refusal(75, 'E_QUORUM_INCOMPLETE', '1 of 2 groups are complete'),
    );
    unlinkSync(result.set);
    const more = await desk.combine([...chosen, share('2-1')], 'c');
    expect(more.notChecked).toContain(`${share('2-1')}: its group is incomplete`);
    // A third group that is complete must fit as well.
    const whole = await desk.combine([...chosen, share('2-1'), share('2-2')], 'd');
    expect(whole.notChecked.join()).not.toContain('share-2-1');
  });
});

describe('cards that do not belong', () => {
  async function twoSets(desk: Desk) {
    const path = desk.write('secret', 'a secret of two sets');
    const a = await desk.split({ in: path, outDir: desk.path('a'), ...PLAIN });
    const b = await desk.split({ in: path, outDir: desk.path('b'), ...PLAIN });
    return { a, b };
  }

  it('t−1 shares: 75, and nothing on disk', async () => {
    using desk = new Desk();
    const { a } = await twoSets(desk);
    const before = desk.files();
    const promise = desk.combine(a.shares.slice(0, 1));
    await expect(promise).rejects.toThrow(
      refusal(75, 'E_QUORUM_INCOMPLETE', '1 of 2 shares are here'),
    );
    expect(desk.files()).toEqual(before);
  });

  it('the same card twice is still one: 75, named', async () => {
    using desk = new Desk();
    const { a } = await twoSets(desk);
    const first = a.shares[0] as string;
    copyFileSync(first, desk.path('copy.cbor'));
    await expect(desk.combine([first, desk.path('copy.cbor')])).rejects.toThrow(
      refusal(75, 'E_QUORUM_INCOMPLETE', 'copy.cbor repeats a share'),
    );
    const back = await desk.combine([first, desk.path('copy.cbor'), a.shares[1] as string]);
    expect(back.duplicates).toEqual([desk.path('copy.cbor')]);
    const { ok, repeated } = await desk.check([first, desk.path('copy.cbor')], { set: a.set });
    expect({ ok, repeated }).toEqual({
      ok: true,
      repeated: [{ file: desk.path('copy.cbor'), repeats: first }],
    });
  });

  it('of another set: 1, the odd card named, with and without set.json', async () => {
    using desk = new Desk();
    const { a, b } = await twoSets(desk);
    const mixed = [a.shares[0], b.shares[1], a.shares[2]] as string[];
    const named = refusal(1, 'E_SHARE_ODD', `${b.shares[1]} is of set`);
    await expect(desk.combine(mixed)).rejects.toThrow(named);
    unlinkSync(a.set);
    unlinkSync(b.set);
    await expect(desk.combine(mixed)).rejects.toThrow(named);
    await expect(desk.combine(mixed.slice(0, 2))).rejects.toThrow(
      refusal(1, 'E_SHARE_ODD', 'different sets'),
    );
    expect(desk.files()).not.toContain('back');
  });

  it('a set.json of another set is named', async () => {
    using desk = new Desk();
    const { a, b } = await twoSets(desk);
    await expect(desk.combine(a.shares, 'back', { set: b.set })).rejects.toThrow(
      refusal(1, 'E_SHARE_ODD', `${b.set} does not describe`),
    );
  });

  /** A share whose content was exchanged and whose checksum was made right again. */
  function forged(bytes: Uint8Array, change: (map: Map<number, unknown>) => void): Uint8Array {
    const map = new Map(decodeCbor(bytes, 'share') as CborMap) as Map<number, never>;
    change(map);
    map.delete(11);
    map.set(11, sha256(encodeCbor(map)).slice(0, 4) as never);
    return encodeCbor(map);
  }

  it('a forged unsealed share is named by its commitment, and without set.json by the others', async () => {
    using desk = new Desk();
    const { a } = await twoSets(desk);
    const bad = forged(desk.read('a/share-1.cbor'), (map) => {
      const body = map.get(10) as Uint8Array;
      map.set(
        10,
        body.map((byte, i) => (i === 3 ? byte ^ 1 : byte)),
      );
    });
    const path = desk.write('a/share-1.cbor', bad);
    await expect(desk.combine(a.shares)).rejects.toThrow(
      refusal(1, 'E_SHARE_ODD', `${path} does not open its commitment`),
    );
    unlinkSync(a.set);
    await expect(desk.combine(a.shares)).rejects.toThrow(
      refusal(1, 'E_SHARE_ODD', `${path}: does not fit`),
    );
    await expect(desk.combine(a.shares.slice(0, 2))).rejects.toThrow(refusal(1, 'E_SHARES_WRONG'));
    expect(desk.files()).not.toContain('back');
  });

  it('two different shares under one number contradict each other', async () => {
    using desk = new Desk();
    const { a } = await twoSets(desk);
    const twin = forged(desk.read('a/share-2.cbor'), (map) => {
      map.set(10, (map.get(10) as Uint8Array).slice().reverse());
    });
    unlinkSync(a.set);
    const path = desk.write('twin.cbor', twin);
    await expect(desk.combine([...a.shares, path])).rejects.toThrow(
      refusal(1, 'E_SHARE_CONFLICT', 'twin.cbor'),
    );
  });

  it('t−1 shares and any garbage never yield a secret', async () => {
    using desk = new Desk();
    const { a } = await twoSets(desk);
    unlinkSync(a.set);
    const good = desk.read('a/share-2.cbor');
    for (let i = 0; i < 30; i++) {
      const garbage = forged(good, (map) => map.set(10, desk.context().random(55)));
      const path = desk.write('a/share-2.cbor', garbage);
      await expect(desk.combine([a.shares[0] as string, path])).rejects.toThrow(
        refusal(1, 'E_SHARES_WRONG'),
      );
    }
    expect(desk.files()).not.toContain('back');
  });

  it('a flipped bit anywhere in any share or set.json is refused', async () => {
    using desk = new Desk();
    const { a } = await twoSets(desk);
    for (const name of ['a/share-1.cbor', 'a/set.json']) {
      const good = desk.read(name);
      for (let at = 0; at < good.length; at += 11) {
        const bad = good.slice();
        bad[at] = (bad[at] as number) ^ (1 << (at % 8));
        desk.write(name, bad);
        const promise = desk.combine(a.shares, 'back', { set: a.set });
        await expect(promise, `${name} byte ${at}`).rejects.toThrow();
        const { exitCode } = (await promise.catch((error: unknown) => error)) as {
          exitCode: number;
        };
        expect([1, 65], `${name} byte ${at}`).toContain(exitCode);
      }
      desk.write(name, good);
    }
    await desk.combine(a.shares);
  });
});

describe('check', () => {
  it('tells what was checked and what was not', async () => {
    using desk = new Desk();
    const path = desk.write('secret', 'x');
    const p = desk.write('p', 'open');
    const { shares, set } = await desk.split({ in: path, sealPassphraseFile: [p] });
    const [share] = shares as [string];
    const whole = await desk.check([share], { passphrases: ['open'] });
    expect(whole.ok).toBe(true);
    expect(whole.shares[0]?.notChecked).toEqual([]);
    expect(whole.shares[0]?.claims.map(({ claim }) => claim)).toContain('the share that was dealt');
    const closed = await desk.check([share]);
    expect(closed.ok).toBe(true);
    expect(closed.shares[0]?.notChecked.join()).toContain('sealed');
    await expect(desk.check([share], { passphrases: ['wrong'] })).rejects.toThrow(
      refusal(77, 'E_PASSPHRASE_WRONG'),
    );
    unlinkSync(set);
    const alone = await desk.check([share], { passphrases: ['open'] });
    expect(alone.shares[0]?.notChecked).toEqual(['the commitment: there is no set.json']);
  });

  it('tells damage from a wrong passphrase', async () => {
    using desk = new Desk();
    const path = desk.write('secret', 'x');
    const { shares } = await desk.split({
      in: path,
      sealPassphraseFile: [desk.write('p', 'open')],
    });
    const bytes = desk.read('out/share-1.cbor');
    bytes[bytes.length - 30] = (bytes.at(-30) as number) ^ 4;
    desk.write('out/share-1.cbor', bytes);
    const verdict = await desk.check([shares[0] as string], { passphrases: ['wrong'] });
    expect(verdict.ok).toBe(false);
    expect(verdict.shares[0]?.claims[0]?.detail).toBe('the checksum does not match');
  });

  it('refuses what is no share: 65', async () => {
    using desk = new Desk();
    for (const content of ['', 'hello', '{"a":1}', new Uint8Array([0xa1, 0, 0]), '\xff\xff']) {
      await expect(desk.check([desk.write('x', content)])).rejects.toThrow(
        expect.objectContaining({ exitCode: 65 }) as Error,
      );
    }
  });
});

describe('SLIP-39', () => {
  it('splits a seed itself, and set.json says so', async () => {
    using desk = new Desk();
    const key = await desk.key('ed25519+ml-dsa-65');
    const result = await desk.split({ key: key.path, format: 'slip39', ...PLAIN });
    expect(desk.files('out')).toEqual(['set.json', 'share-1.txt', 'share-2.txt', 'share-3.txt']);
    const { set } = decodeShareSet(desk.read('out/set.json'), 'set.json');
    expect(set).toMatchObject({ scheme: 'slip39', splits: 'seed', kekCommitment: null });
    const words = new TextDecoder().decode(desk.read('out/share-1.txt')).trim().split(' ');
    expect(words.length).toBe(59);
    const back = await desk.combine(result.shares.slice(1), 'back.pem');
    expect(back.keyId).toBe(key.id);
    const verdict = await desk.check(result.shares);
    expect(verdict.ok).toBe(true);
  });

  it('splits the key-encryption key of what words cannot carry', async () => {
    using desk = new Desk();
    const secret = utf8('seventeen bytes..');
    const result = await desk.split({
      in: desk.write('secret', secret),
      format: 'slip39',
      ...PLAIN,
    });
    const { set } = decodeShareSet(desk.read('out/set.json'), 'set.json');
    expect(set.splits).toBe('kek');
    await desk.combine(result.shares.slice(1));
    expect(desk.read('back')).toEqual(secret);
  });

  it('without set.json gives bytes and says that nothing is known of them', async () => {
    using desk = new Desk();
    const secret = desk.context().random(32);
    const path = desk.write('secret', secret);
    const { shares, set } = await desk.split({ in: path, format: 'slip39', ...PLAIN });
    unlinkSync(set);
    const back = await desk.combine(shares.slice(0, 2));
    expect(back.notChecked.length).toBe(1);
    expect(desk.read('back')).toEqual(secret);
    await expect(desk.combine(shares.slice(0, 1), 'b')).rejects.toThrow(
      refusal(75, 'E_QUORUM_INCOMPLETE'),
    );
  });

  it('words of another set are named; words and envelopes do not mix', async () => {
    using desk = new Desk();
    const path = desk.write('secret', desk.context().random(32));
    const common = { in: path, ...PLAIN };
    const words = (outDir: string) =>
      desk.split({ ...common, format: 'slip39', outDir: desk.path(outDir) }, { force: true });
    const identifier = (outDir: string): number | undefined =>
      decodeShareSet(desk.read(`${outDir}/set.json`), 'set.json').set.slip39?.identifier;
    const a = await words('a');
    let b = await words('b');
    // Once in 32,768 times two sets of words have one header, and then nobody can name the odd card by it.
    while (identifier('b') === identifier('a')) b = await words('b');
    const c = await desk.split({ ...common, outDir: desk.path('c') });
    const mixed = [a.shares[0], a.shares[1], b.shares[2]] as string[];
    await expect(desk.combine(mixed)).rejects.toThrow(refusal(1, 'E_SHARE_ODD', b.shares[2]));
    unlinkSync(a.set);
    await expect(desk.combine(mixed)).rejects.toThrow(refusal(1, 'E_SHARE_ODD', b.shares[2]));
    await expect(desk.combine([a.shares[0], a.shares[1], c.shares[2]] as string[])).rejects.toThrow(
      refusal(1, 'E_SHARE_ODD', c.shares[2]),
    );
  });

  it('carries the mark of a rehearsal', async () => {
    using desk = new Desk();
    const path = desk.write('secret', desk.context().random(32));
    const { shares } = await desk.split(
      { in: path, format: 'slip39', ...PLAIN },
      { environment: 'rehearsal' },
    );
    expect(new TextDecoder().decode(desk.read('out/share-1.txt'))).toMatch(/^# REHEARSAL/);
    expect((await desk.combine(shares)).environment).toBe('rehearsal');
  });

  it('is proven from the words', async () => {
    using desk = new Desk();
    const key = await desk.key();
    const result = await desk.split({
      key: key.path,
      format: 'slip39',
      threshold: 3,
      shares: 5,
      ...PLAIN,
    });
    expect(await desk.prove(result.set, result.shares)).toMatchObject({
      ok: true,
      proven: 'all 10 quorums',
    });
  });
});

describe('set.json', () => {
  it('is signed by the dealer, and only the pinned dealer counts', async () => {
    using desk = new Desk();
    const dealer = await desk.identity('dealer');
    await desk.identity('other');
    const key = await desk.key();
    const result = await desk.split({ key: key.path, ...PLAIN }, { identity: 'dealer' });
    expect(result.signed).toBe(true);
    const bytes = desk.read('out/set.json');
    const context = desk.context();
    const verify = (data: Uint8Array, signers: string[], allowUnpinned = false) =>
      shareSetKind.verify(data, 'set.json', context, { signers, allowUnpinned });
    expect(await verify(bytes, ['dealer'])).toMatchObject({ ok: true });
    expect((await verify(bytes, ['other'])).ok).toBe(false);
    const unpinned = await verify(bytes, []);
    expect(unpinned.ok).toBe(false);
    expect(unpinned.summary).toContain('signers not pinned');
    expect((await verify(bytes, [], true)).ok).toBe(true);

    const file = decodeShareSet(bytes, 'set.json');
    expect(file.set.dealer).toBe(dealer.id);
    // Where the dealer is known, combine looks at the signature.
    const back = await desk.combine(result.shares, 'back.pem');
    expect(back.checked).toContain(`${result.set} is signed by dealer`);
    desk.write(
      'bad.json',
      encodeShareSet({ ...file.set, created: '2020-01-01T00:00:00Z' }, file.signatures),
    );
    await expect(
      desk.combine(result.shares, 'b.pem', { set: desk.path('bad.json') }),
    ).rejects.toThrow(refusal(1, 'E_SHARE_SET_SIGNATURE'));
    // Signed bytes changed, the root right: the signature does not hold.
    const created = { ...file.set, created: '2020-01-01T00:00:00Z' };
    expect((await verify(encodeShareSet(created, file.signatures), ['dealer'])).ok).toBe(false);
    // One signature of two is none.
    expect((await verify(encodeShareSet(file.set, file.signatures.slice(1)), ['dealer'])).ok).toBe(
      false,
    );
    // A set that names its dealer was signed once: signatures that are gone were taken.
    const stripped = await verify(encodeShareSet(file.set, []), [], true);
    expect(stripped.ok).toBe(false);
    expect(stripped.claims.find(({ ok }) => !ok)?.detail).toContain('were removed');
    // One that names none says first that it is unsigned.
    const bare = await verify(encodeShareSet({ ...file.set, dealer: null }, []), []);
    expect(bare).toMatchObject({ ok: true });
    expect(bare.summary).toContain('unsigned');
    expect((await verify(encodeShareSet(file.set, []), ['dealer'], true)).ok).toBe(false);
    // Any commitment changed: the root does not follow.
    const [first, ...rest] = file.set.commitments;
    const commitments = [{ index: first?.index ?? 0, commitment: '00'.repeat(32) }, ...rest];
    const other = encodeShareSet({ ...file.set, dealer: null, commitments }, []);
    expect((await verify(other, [], true)).ok).toBe(false);
  });

  it('with a root that does not follow is refused before anything is opened', async () => {
    using desk = new Desk();
    const result = await desk.split({ in: desk.write('secret', 'x'), ...PLAIN });
    const { set } = decodeShareSet(desk.read('out/set.json'), 'set.json');
    const k = toHex(sha256(utf8('another')));
    desk.write('out/set.json', encodeShareSet({ ...set, kekCommitment: k }, []));
    await expect(desk.combine(result.shares)).rejects.toThrow(refusal(1, 'E_SHARE_SET_ROOT'));
  });
});

describe('nothing secret in what people see', () => {
  it('neither in results, events nor errors', async () => {
    using desk = new Desk();
    const key = await desk.key();
    const result = await desk.split({ key: key.path, ...PLAIN });
    const seen: unknown[] = [result, desk.events, desk.asked];
    const bodies = [1, 2, 3].map((i) => {
      const map = decodeCbor(desk.read(`out/share-${i}.cbor`), 'share') as CborMap;
      return map.get(10) as Uint8Array;
    });
    const back = await desk.combine(result.shares, 'back.pem');
    seen.push(back, await desk.check(result.shares));
    const attempts = [
      desk.combine(result.shares.slice(0, 1), 'x'),
      desk.combine(result.shares, 'back.pem'),
      desk.split({ key: key.path, threshold: 3, ...PLAIN }),
      desk.check([desk.write('y', desk.read('out/share-1.cbor').subarray(0, 90))]),
    ];
    for (const attempt of await Promise.allSettled(attempts)) {
      if (attempt.status === 'rejected') {
        const error = attempt.reason as Error & { hint?: string; details?: unknown };
        seen.push([error.message, error.stack, error.hint, error.details]);
      }
    }
    const text = Buffer.from(JSON.stringify(seen));
    for (const secret of [key.secret, ...bodies.map((body) => body.subarray(0, 32))]) {
      expect(formsIn(text, secret)).toEqual([]);
    }
    // The public files hold no secret either.
    expect(formsIn(Buffer.from(desk.read('out/set.json')), key.secret)).toEqual([]);
  });
});
