/** Refresh, reshare, enrol and repair over real files: what works, what the old cards can still do, and every refusal. */
import { statSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { shareSetKind } from '#actions/artifacts/share-set';
import { equal, utf8 } from '#formats/bytes';
import { decodeShare, encodeShare } from '#protocols/sharing/envelope';
import { decodeShareSet, encodeShareSet, rootHolds } from '#protocols/sharing/share-set';
import { formsIn } from '../support/canary.js';
import { Desk, refusal } from './desk.js';

const PLAIN = { unsealed: true } as const;

async function splitFile(desk: Desk, input: Parameters<Desk['split']>[0] = {}) {
  const path = desk.write('secret', 'what only a quorum may know');
  return await desk.split({ in: path, ...PLAIN, ...input });
}

function setOf(desk: Desk, folder: string) {
  return decodeShareSet(desk.read(`${folder}/set.json`), 'set.json').set;
}

describe('refresh', () => {
  it('changes every share; key, K and package stay; the new set opens, the old cards still do', async () => {
    using desk = new Desk();
    const key = await desk.key('ed25519+ml-dsa-65');
    const passphrases = ['one', 'two', 'three', 'four', 'five'];
    const sealPassphraseFile = passphrases.map((text, i) => desk.write(`p${i}`, text));
    const split = await desk.split({
      key: key.path,
      threshold: 3,
      shares: 5,
      sealPassphraseFile,
    });
    const result = await desk.refresh(split.shares, { sealPassphraseFile }, { passphrases });
    expect(result).toMatchObject({
      epoch: 1,
      keyId: key.id,
      setId: split.setId,
      previousRoot: split.root,
      quorum: 'any 3 of 5',
      proven: 'all 10 quorums proven from the changes',
      sealed: 'passphrase',
    });
    const [before, after] = [setOf(desk, 'out'), setOf(desk, 'new')];
    expect(after.kekCommitment).toBe(before.kekCommitment);
    expect(after.package).toEqual(before.package);
    expect(after.root).not.toBe(before.root);
    expect(rootHolds(after)).toBe(true);
    expect(after.lineage).toMatchObject({
      epoch: 1,
      operation: 'refresh',
      previous: { root: before.root },
      dealing: after.root,
      origin: { root: before.root },
    });
    for (const share of result.shares) expect(statSync(share).size).toBeLessThanOrEqual(400);
    // With set.json, and from the cards alone.
    const some = [4, 0, 2].map((i) => result.shares[i] as string);
    expect((await desk.combine(some, 'a.pem', { passphrases })).keyId).toBe(key.id);
    for (const share of some)
      desk.write(`lone-${share.slice(-6)}`, desk.read(share.slice(desk.folder.length + 1)));
    const lone = some.map((share) => desk.path(`lone-${share.slice(-6)}`));
    const back = await desk.combine(lone, 'b.pem', { passphrases });
    expect(back).toMatchObject({ keyId: key.id, setId: split.setId });
    // Said in docs and on screen: until they are destroyed, old cards and their old set.json open the secret.
    expect((await desk.combine(split.shares.slice(0, 3), 'c.pem', { passphrases })).keyId).toBe(
      key.id,
    );
    const proof = await desk.prove(result.set, result.shares, { passphrases });
    expect(proof).toMatchObject({ ok: true, proven: 'all 10 quorums', keyId: key.id });
  });

  it('goes on: epoch after epoch, with 16 groups still at most 400 bytes', async () => {
    using desk = new Desk();
    const key = await desk.key('ed25519+ml-dsa-65');
    const p = desk.write('p', 'open');
    const group = Array.from({ length: 16 }, () => '2/3');
    const split = await desk.split({
      key: key.path,
      threshold: 2,
      shares: undefined,
      group,
      sealPassphraseFile: [p],
    });
    const passphrases = ['open'];
    const seal = { sealPassphraseFile: [p] };
    const one = await desk.refresh(
      split.shares,
      { ...seal, outDir: desk.path('e1') },
      { passphrases },
    );
    const two = await desk.refresh(
      one.shares,
      { ...seal, outDir: desk.path('e2') },
      { passphrases },
    );
    expect(two.epoch).toBe(2);
    expect(setOf(desk, 'e2').lineage?.origin.root).toBe(split.root);
    for (const share of two.shares) expect(statSync(share).size).toBeLessThanOrEqual(400);
    // There is no room left for the package on these: it is in set.json.
    const chosen = ['3-1', '3-3', '16-1', '16-2'].map((name) => desk.path(`e2/share-${name}.cbor`));
    expect((await desk.combine(chosen, 'k.pem', { passphrases })).keyId).toBe(key.id);
  });

  it('names old cards among new ones, and an old set.json: 1', async () => {
    using desk = new Desk();
    const split = await splitFile(desk);
    const result = await desk.refresh(split.shares, PLAIN);
    const [old] = split.shares as [string];
    const [, second, third] = result.shares as [string, string, string];
    await expect(desk.combine([old, second, third], 'a', { set: result.set })).rejects.toThrow(
      refusal(1, 'E_SHARE_ODD', `${old}: it is of epoch 0 of this set`),
    );
    await expect(desk.combine([second, third], 'a', { set: split.set })).rejects.toThrow(
      refusal(1, 'E_SHARE_ODD', 'is out of date'),
    );
    // Without any set.json the majority decides, and a tie is told as such.
    for (const [i, path] of [old, second, third].entries())
      desk.write(`lone-${i}`, desk.read(path.slice(desk.folder.length + 1)));
    const lone = [0, 1, 2].map((i) => desk.path(`lone-${i}`));
    await expect(desk.combine(lone, 'a')).rejects.toThrow(
      refusal(1, 'E_SHARE_ODD', 'old and new shares do not fit together'),
    );
    await expect(desk.combine(lone.slice(0, 2), 'a')).rejects.toThrow(
      refusal(1, 'E_SHARE_ODD', 'different epochs of one set'),
    );
    const checked = await desk.check([old], { set: result.set });
    expect(checked.ok).toBe(false);
    expect(JSON.stringify(checked)).toContain('it is of epoch 0 of this set');
    expect(desk.files()).not.toContain('a');
  });

  it('takes every card: 75 names the missing one', async () => {
    using desk = new Desk();
    const split = await splitFile(desk);
    await expect(desk.refresh(split.shares.slice(0, 2), PLAIN)).rejects.toThrow(
      refusal(75, 'E_SHARES_INCOMPLETE', 'share 3 is not here'),
    );
    expect(desk.files()).not.toContain('new');
  });

  it('refuses a card that does not open its commitment, and foreign ones, before anything is written', async () => {
    using desk = new Desk();
    const split = await splitFile(desk);
    const [first, second, third] = split.shares as [string, string, string];
    const share = decodeShare(desk.read('out/share-2.cbor'), 'share-2.cbor');
    const body = share.body.slice();
    body[0] = (body[0] as number) ^ 1;
    const forged = desk.write('out/forged.cbor', encodeShare({ ...share, body }));
    await expect(desk.refresh([first, forged, third], PLAIN)).rejects.toThrow(
      refusal(1, 'E_SHARE_ODD', 'forged.cbor does not open its commitment'),
    );
    const other = await splitFile(desk, { outDir: desk.path('other') });
    const foreign = other.shares[0] as string;
    await expect(
      desk.refresh([foreign, second, third], { ...PLAIN, set: split.set }),
    ).rejects.toThrow(refusal(1, 'E_SHARE_ODD', foreign));
    expect(desk.files()).not.toContain('new');
  });

  it('needs set.json, a real quorum, and words are refused clearly', async () => {
    using desk = new Desk();
    const split = await splitFile(desk);
    for (const i of [1, 2, 3]) desk.write(`l${i}`, desk.read(`out/share-${i}.cbor`));
    const lone = [1, 2, 3].map((i) => desk.path(`l${i}`));
    await expect(desk.refresh(lone, PLAIN)).rejects.toThrow(refusal(66, 'E_SHARE_SET_MISSING'));
    const one = await desk.split(
      { in: desk.path('secret'), threshold: 1, ...PLAIN, outDir: desk.path('one') },
      { waivers: ['threshold-1'] },
    );
    await expect(desk.refresh(one.shares, PLAIN)).rejects.toThrow(
      refusal(77, 'E_SHARE_THRESHOLD_1'),
    );
    const words = await desk.split({
      in: desk.write('seed', new Uint8Array(32).fill(9)),
      format: 'slip39',
      ...PLAIN,
      outDir: desk.path('words'),
    });
    for (const change of [
      desk.refresh(words.shares, PLAIN),
      desk.reshare(words.shares, { shares: 3, ...PLAIN }),
      desk.enrol(words.shares, PLAIN),
      desk.repair(words.shares.slice(1), '1', PLAIN),
    ]) {
      await expect(change).rejects.toThrow(refusal(77, 'E_SHARE_SCHEME', 'SLIP-39'));
    }
    await expect(desk.refresh(split.shares)).rejects.toThrow(refusal(2, 'E_SEAL_MISSING'));
    await expect(desk.refresh(split.shares, PLAIN, { environment: 'rehearsal' })).rejects.toThrow(
      refusal(77, 'E_SHARE_ENVIRONMENT'),
    );
    expect(desk.files()).not.toContain('new');
    await desk.refresh(split.shares, PLAIN);
    await expect(desk.refresh(split.shares, PLAIN)).rejects.toThrow(refusal(73, 'E_FILE_EXISTS'));
  });

  it('is signed by whoever ran it, and only a pinned signer counts', async () => {
    using desk = new Desk();
    await desk.identity('ann');
    const split = await splitFile(desk);
    const result = await desk.refresh(split.shares, PLAIN, { identity: 'ann' });
    expect(result.signed).toBe(true);
    const context = desk.context();
    const verdict = await shareSetKind.verify(desk.read('new/set.json'), 'set.json', context, {
      signers: [],
      allowUnpinned: true,
    });
    expect(verdict.ok).toBe(true);
    const shown = await shareSetKind.show(desk.read('new/set.json'), 'set.json', context);
    expect(shown).toMatchObject({ epoch: 1, lineage: { operation: 'refresh' } });
  });

  it('in a ceremony opens with each custodian and seals to each again', async () => {
    using desk = new Desk();
    const identity = await desk.identity('ann');
    const people = [
      { name: 'ann', role: 'custodian', identity },
      { name: 'ben', role: 'custodian' },
      { name: 'cem', role: 'custodian' },
    ];
    const key = await desk.key('ed25519');
    const split = await desk.split({ key: key.path, custodians: 'custodian' }, { people });
    desk.asked.length = 0;
    const result = await desk.refresh(split.shares, { custodians: 'custodian' }, { people });
    expect(result.sealed).toBe('both');
    // Asked once each for the new seal, and once each to open the old one.
    expect(desk.asked.length).toBe(4);
    expect(await desk.prove(result.set, result.shares, { people })).toMatchObject({ ok: true });
  });

  it('leaves no secret in results, events or errors', async () => {
    using desk = new Desk();
    const split = await splitFile(desk);
    const result = await desk.refresh(split.shares, PLAIN);
    const share = decodeShare(desk.read('new/share-1.cbor'), 'share').body.slice(0, 32);
    const seen = Buffer.from(JSON.stringify([result, desk.events]));
    for (const secret of [share, utf8('what only a quorum may know')])
      expect(formsIn(seen, secret)).toEqual([]);
  });
});

describe('reshare', () => {
  it.each<[string, Parameters<Desk['reshare']>[1], string[], string[]]>([
    ['2 of 3 to 3 of 5', { threshold: 3, shares: 5 }, ['1', '3'], ['2', '4', '5']],
    [
      '2 of 3 to 2 of 2 groups',
      { threshold: 2, group: ['2/3', '1/2'] },
      ['2', '3'],
      ['1-1', '1-3', '2-2'],
    ],
  ])('%s', async (_name, input, from, to) => {
    using desk = new Desk();
    await splitFile(desk);
    const old = from.map((name) => desk.path(`out/share-${name}.cbor`));
    const result = await desk.reshare(old, { ...input, ...PLAIN });
    expect(result.epoch).toBe(1);
    expect(setOf(desk, 'new').kekCommitment).toBe(setOf(desk, 'out').kekCommitment);
    const chosen = to.map((name) => desk.path(`new/share-${name}.cbor`));
    await desk.combine(chosen);
    expect(desk.read('back')).toEqual(utf8('what only a quorum may know'));
    await expect(desk.combine(chosen.slice(1), 'few')).rejects.toThrow(
      refusal(75, 'E_QUORUM_INCOMPLETE'),
    );
    const lone = chosen.map((path, i) =>
      desk.write(`l${i}`, desk.read(path.slice(desk.folder.length + 1))),
    );
    await desk.combine(lone, 'again');
    expect((await desk.prove(result.set, result.shares)).ok).toBe(true);
  });

  it('from groups to a plain quorum, then refreshed, then enlarged', async () => {
    using desk = new Desk();
    await splitFile(desk, { threshold: 2, shares: undefined, group: ['3/5', '2/3'] });
    const old = ['1-1', '1-3', '1-5', '2-1', '2-3'].map((name) =>
      desk.path(`out/share-${name}.cbor`),
    );
    const a = await desk.reshare(old, {
      threshold: 2,
      shares: 4,
      ...PLAIN,
      outDir: desk.path('a'),
    });
    const b = await desk.refresh(a.shares, { ...PLAIN, outDir: desk.path('b') });
    const c = await desk.enrol(b.shares.slice(1, 3), { ...PLAIN, outDir: desk.path('c') });
    expect([a.epoch, b.epoch, c.epoch]).toEqual([1, 2, 3]);
    expect(c.quorum).toBe('any 2 of 5');
    await desk.combine([c.shares[4] as string, c.shares[0] as string]);
    expect(desk.read('back')).toEqual(utf8('what only a quorum may know'));
  });

  it('needs a quorum, and the waivers of a split', async () => {
    using desk = new Desk();
    const { shares } = await splitFile(desk);
    await expect(desk.reshare(shares.slice(0, 1), { shares: 3, ...PLAIN })).rejects.toThrow(
      refusal(75, 'E_QUORUM_INCOMPLETE'),
    );
    await expect(desk.reshare(shares, { threshold: 3, shares: 3, ...PLAIN })).rejects.toThrow(
      refusal(77, 'E_SHARE_N_OF_N'),
    );
    await expect(desk.reshare(shares, { threshold: 1, shares: 3, ...PLAIN })).rejects.toThrow(
      refusal(77, 'E_SHARE_THRESHOLD_1'),
    );
    expect(desk.files()).not.toContain('new');
  });
});

describe('enrol', () => {
  it('a fourth member, in the group that is named', async () => {
    using desk = new Desk();
    await splitFile(desk, { threshold: 2, shares: undefined, group: ['2/3', '2/3'] });
    const old = ['1-1', '1-2', '2-2', '2-3'].map((name) => desk.path(`out/share-${name}.cbor`));
    await expect(desk.enrol(old, PLAIN)).rejects.toThrow(refusal(2, 'E_SHARE_GROUP', '2 groups'));
    await expect(desk.enrol(old, { ...PLAIN, group: 3 })).rejects.toThrow(
      refusal(2, 'E_SHARE_GROUP'),
    );
    const result = await desk.enrol(old, { ...PLAIN, group: 2 });
    expect(result.quorum).toBe('2 of {2 of 3, 2 of 4}');
    await desk.combine(
      ['1-3', '1-1', '2-4', '2-1'].map((name) => desk.path(`new/share-${name}.cbor`)),
    );
    expect(desk.read('back')).toEqual(utf8('what only a quorum may know'));
  });
});

describe('repair', () => {
  it('one card; the others stay, the lost one is refused by the new set.json', async () => {
    using desk = new Desk();
    const split = await splitFile(desk, { threshold: 2, shares: 4 });
    const [first, second, third, fourth] = split.shares as [string, string, string, string];
    const result = await desk.repair([first, fourth], '2', PLAIN);
    expect(result).toMatchObject({ epoch: 0, proven: 'share 2 from 2 others' });
    expect(result.shares.map((path) => path.slice(desk.folder.length))).toEqual([
      '/new/share-2.cbor',
    ]);
    const [mended] = result.shares as [string];
    const value = (path: string) =>
      decodeShare(desk.read(path.slice(desk.folder.length + 1)), path).body;
    expect(equal(value(mended).subarray(0, 32), value(second).subarray(0, 32))).toBe(true);
    expect(equal(value(mended), value(second))).toBe(false);
    await desk.combine([mended, third], 'a', { set: result.set });
    expect(desk.read('a')).toEqual(utf8('what only a quorum may know'));
    // The card that was lost turns up again.
    await expect(desk.combine([second, third], 'b', { set: result.set })).rejects.toThrow(
      refusal(1, 'E_SHARE_ODD', `${second} does not open its commitment`),
    );
    await expect(desk.combine([mended, third], 'b', { set: split.set })).rejects.toThrow(
      refusal(1, 'E_SHARE_ODD', mended),
    );
    // Without any set.json the mended card works with the others, because the dealing is the same.
    desk.write('m', desk.read('new/share-2.cbor'));
    desk.write('t', desk.read('out/share-3.cbor'));
    await desk.combine([desk.path('m'), desk.path('t')], 'c');
    // A repaired set is refreshed like any other.
    const fresh = await desk.refresh([first, mended, third, fourth], {
      ...PLAIN,
      set: result.set,
      outDir: desk.path('fresh'),
    });
    await desk.combine(fresh.shares.slice(1, 3), 'd');
    expect(setOf(desk, 'fresh').lineage?.previous.root).toBe(result.root);
  });

  it('within its own group, and of a refreshed set', async () => {
    using desk = new Desk();
    const split = await splitFile(desk, { threshold: 2, shares: undefined, group: ['2/3', '2/3'] });
    const fresh = await desk.refresh(split.shares, { ...PLAIN, outDir: desk.path('e1') });
    const at = (name: string) => desk.path(`e1/share-${name}.cbor`);
    await expect(desk.repair([at('1-1'), at('1-2'), at('2-1')], '2-3', PLAIN)).rejects.toThrow(
      refusal(75, 'E_QUORUM_INCOMPLETE', '1 of 2'),
    );
    const result = await desk.repair([at('2-1'), at('2-2')], '2-3', PLAIN);
    expect(result.epoch).toBe(1);
    await desk.combine([at('1-1'), at('1-3'), at('2-1'), result.shares[0] as string], 'a', {
      set: result.set,
    });
    expect(desk.read('a')).toEqual(utf8('what only a quorum may know'));
    expect(fresh.epoch).toBe(1);
  });

  it('refuses a number that is not there, or not lost: 2', async () => {
    using desk = new Desk();
    const { shares } = await splitFile(desk);
    await expect(desk.repair(shares, '4', PLAIN)).rejects.toThrow(refusal(2, 'E_SHARE_NUMBER'));
    await expect(desk.repair(shares, '1', PLAIN)).rejects.toThrow(refusal(2, 'E_SHARE_NOT_LOST'));
  });
});

describe('a changed set.json', () => {
  it('is refused when its lineage does not fit: 65', async () => {
    using desk = new Desk();
    const split = await splitFile(desk);
    await desk.refresh(split.shares, PLAIN);
    const set = setOf(desk, 'new');
    const lineage = set.lineage as NonNullable<typeof set.lineage>;
    const wrong = [
      { ...lineage, epoch: 0 },
      { ...lineage, operation: 'repair' as const },
      { ...lineage, dealing: lineage.origin.root },
      { ...lineage, previous: { ...lineage.previous, root: set.root } },
      { ...lineage, origin: { ...lineage.origin, groupThreshold: 2 } },
      { ...lineage, origin: { ...lineage.origin, root: set.root } },
    ];
    for (const each of wrong) {
      expect(() =>
        decodeShareSet(encodeShareSet({ ...set, lineage: each }, []), 'set.json'),
      ).toThrow(refusal(65, 'E_SHARE_SET_MALFORMED'));
    }
    // Another first threshold gives another context for K, and the recombined key is then not the committed one.
    const forged = {
      ...set,
      lineage: { ...lineage, origin: { ...lineage.origin, groups: [{ threshold: 3, shares: 3 }] } },
    };
    desk.write('new/set.json', encodeShareSet(forged, []));
    await expect(
      desk.combine([desk.path('new/share-1.cbor'), desk.path('new/share-2.cbor')]),
    ).rejects.toThrow(refusal(1, 'E_SHARES_WRONG'));
  });
});

describe('Argon2id', () => {
  it('seals the shares of a split and of a change, within 400 bytes', async () => {
    using desk = new Desk();
    const key = await desk.key('ed25519+ml-dsa-65');
    const seal = { sealPassphraseFile: [desk.write('p', 'open')], sealKdf: 'argon2id' };
    const passphrases = ['wrong', 'open'];
    const split = await desk.split({ key: key.path, ...seal });
    const shown = decodeShare(desk.read('out/share-1.cbor'), 'share');
    expect(shown.seal).toMatchObject({ kind: 'argon2id', box: { kdf: { passes: 3, lanes: 4 } } });
    for (const share of split.shares) expect(statSync(share).size).toBeLessThanOrEqual(400);
    expect((await desk.combine(split.shares.slice(1), 'a.pem', { passphrases })).keyId).toBe(
      key.id,
    );
    await expect(
      desk.combine(split.shares.slice(1), 'b.pem', { passphrases: ['wrong'] }),
    ).rejects.toThrow(refusal(77, 'E_PASSPHRASE_WRONG'));
    const fresh = await desk.refresh(split.shares, seal, { passphrases });
    for (const share of fresh.shares) expect(statSync(share).size).toBeLessThanOrEqual(400);
    // A card repaired under scrypt goes together with those under Argon2id.
    const { sealPassphraseFile } = seal;
    const mended = await desk.repair(
      fresh.shares.slice(1),
      '1',
      { sealPassphraseFile, outDir: desk.path('m') },
      { passphrases },
    );
    const pair = [mended.shares[0] as string, fresh.shares[2] as string];
    expect((await desk.combine(pair, 'c.pem', { passphrases, set: mended.set })).keyId).toBe(
      key.id,
    );
  });
});
