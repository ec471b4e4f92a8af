/** Verifiable shares of EC keys: every curve, both schemes, a dealer who lies, and a reader in plain Python. */
import { randomBytes } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { shareSetKind } from '#actions/artifacts/share-set';
import { sha256 } from '#crypto/hash';
import { encodeScalar, loadGroup, randomScalar } from '#crypto/math/prime-group';
import { fromHex, toHex } from '#formats/bytes';
import { type CborMap, decodeCbor, encodeCbor } from '#formats/cbor';
import { SecretBytes } from '#formats/secret-bytes';
import { shareCommitment } from '#protocols/sharing/commitment';
import { decodeShare, encodeShare } from '#protocols/sharing/envelope';
import {
  computeRoot,
  contextOf,
  decodeShareSet,
  encodeShareSet,
  type ShareSet,
  suiteOf,
} from '#protocols/sharing/share-set';
import {
  combineVerifiable,
  dealVerifiable,
  decodeCommitments,
  opensVerifiably,
  VERIFIABLE_SCHEMES,
} from '#protocols/sharing/verifiable';
import { fuzz } from '../support/mutations.js';
import { hasProgram, needs, root, thorough } from '../support/require.js';
import { Desk, refusal } from './desk.js';

const python = needs('python3', hasProgram('python3'), 'no Python 3');
const recover = (...args: string[]) => {
  const reader = join(root, 'test/independent/recover.py');
  const run = spawnSync('python3', ['-B', reader, ...args, '--out', '-'], { timeout: 200_000 });
  return { code: run.status, out: new Uint8Array(run.stdout), said: run.stderr.toString() };
};
const random = (length: number) => new Uint8Array(randomBytes(length));

/** Curves by the algorithm of their keys; the longest scalars are tried in CI. */
const algorithms = thorough ? ['p256', 'p384', 'p521', 'secp256k1'] : ['p256', 'secp256k1'];
const cases = VERIFIABLE_SCHEMES.flatMap((verifiable) =>
  algorithms.map((algorithm) => ({ verifiable, algorithm })),
);

/** A set.json whose author changed it and made digest and root fit again. */
function forged(path: string, change: (set: ShareSet) => ShareSet): void {
  const { set } = decodeShareSet(new Uint8Array(readFileSync(path)), path);
  const changed = change(set);
  writeFileSync(path, encodeShareSet({ ...changed, root: toHex(computeRoot(changed)) }, []));
}

describe('a scalar', () => {
  it.each(VERIFIABLE_SCHEMES)('dealt by %s comes back from every quorum only', async (scheme) => {
    const group = await loadGroup('nist-p256');
    const secret = encodeScalar(randomScalar(group, random), group);
    const { shares, commitments } = dealVerifiable(
      scheme,
      secret,
      { threshold: 3, shares: 5 },
      group,
      random,
    );
    const points = decodeCommitments(commitments, group, 'the set');
    for (const share of shares) expect(opensVerifiably(scheme, share, points, group)).toBe(true);
    const at = (...numbers: number[]) => numbers.map((n) => shares[n - 1] as (typeof shares)[0]);
    for (const quorum of [at(1, 2, 3), at(5, 1, 4), at(2, 3, 5)])
      expect(combineVerifiable(scheme, quorum, group)).toEqual(secret);
    expect(combineVerifiable(scheme, at(1, 2), group)).not.toEqual(secret);
    // A share under another number, one of another dealing, and what is no scalar at all.
    const [one, two] = shares as [(typeof shares)[0], (typeof shares)[0]];
    expect(opensVerifiably(scheme, { ...one, index: two.index }, points, group)).toBe(false);
    const again = dealVerifiable(scheme, secret, { threshold: 3, shares: 5 }, group, random);
    expect(opensVerifiably(scheme, again.shares[0] as typeof one, points, group)).toBe(false);
    using large = SecretBytes.adopt(new Uint8Array(one.opening.length).fill(255), 'test');
    expect(opensVerifiably(scheme, { index: one.index, opening: large }, points, group)).toBe(
      false,
    );
    expect(combineVerifiable(scheme, [{ index: one.index, opening: large }], group)).toBe(
      undefined,
    );
  });
});

describe('share split --verifiable', () => {
  it.each(cases)('$verifiable of a key of $algorithm', async ({ verifiable, algorithm }) => {
    using desk = new Desk();
    const key = await desk.key(algorithm);
    const pass = desk.write('p', 'open\n');
    const { shares, set, ...split } = await desk.split({
      ...{ key: key.path, verifiable, threshold: 3, shares: 5 },
      sealPassphraseFile: [pass],
    });
    expect(split).toMatchObject({ verifiable, proven: 'all 10 quorums' });
    for (const path of shares) {
      const bytes = new Uint8Array(readFileSync(path));
      expect(bytes.length).toBeLessThanOrEqual(400);
      expect(encodeShare(decodeShare(bytes, path))).toEqual(bytes);
    }
    const options = { passphrases: ['open'] };
    const checked = await desk.check(shares, { ...options, set });
    expect(checked.ok).toBe(true);
    for (const { claims } of checked.shares) {
      expect(claims.map(({ claim }) => claim)).toEqual(
        expect.arrayContaining([
          'the share that was dealt',
          'on the polynomial of all shares',
          ...(verifiable === 'feldman' ? ['of the key itself'] : []),
        ]),
      );
    }
    const context = desk.context();
    const verify = { allowUnpinned: true, signers: [] } as never;
    const verdict = await shareSetKind.verify?.(desk.read('out/set.json'), set, context, verify);
    expect(verdict?.ok).toBe(true);
    const prove = await desk.prove(set, shares, options);
    expect(prove).toMatchObject({ ok: true, keyId: key.id, proven: 'all 10 quorums' });
    const chosen = [4, 0, 2].map((i) => shares[i] as string);
    const back = await desk.combine(chosen, 'with.pem', { ...options, set });
    expect(back).toMatchObject({ keyId: key.id, kind: 'key', algorithm });
    if (python) {
      const read = recover('--set', set, '--passphrase-file', pass, ...chosen);
      expect(read, read.said).toMatchObject({ code: 0, out: key.secret });
    }
    // The shares name their key, so that they are enough.
    rmSync(set);
    const alone = await desk.combine(chosen, 'without.pem', options);
    expect(alone).toMatchObject({ keyId: key.id });
    expect(alone.notChecked).toContain('commitments: there is no set.json');
    await expect(desk.combine(chosen.slice(1), 'few.pem', options)).rejects.toThrow(
      refusal(75, 'E_QUORUM_INCOMPLETE'),
    );
  });

  it('shows to one custodian alone that the dealer lied, which no other commitment can', async () => {
    for (const verifiable of VERIFIABLE_SCHEMES) {
      using desk = new Desk();
      const key = await desk.key('p256');
      const { shares, set } = await desk.split({ key: key.path, verifiable, unsealed: true });
      // The dealer gives Ben a share that fits nothing, and commits to it as if all were well.
      const path = shares[1] as string;
      const dealt = decodeShare(new Uint8Array(readFileSync(path)), path);
      const body = dealt.body.slice();
      body[31] = (body[31] ?? 0) ^ 1;
      forged(set, (before) => ({
        ...before,
        commitments: before.commitments.map((each) =>
          each.index === 258
            ? {
                ...each,
                commitment: toHex(
                  shareCommitment(suiteOf(before), contextOf(before), dealt.index, body),
                ),
              }
            : each,
        ),
      }));
      const newRoot = fromHex(decodeShareSet(desk.read('out/set.json'), set).set.root);
      for (const [i, each] of shares.entries()) {
        const share = decodeShare(new Uint8Array(readFileSync(each)), each);
        writeFileSync(each, encodeShare({ ...share, root: newRoot, ...(i === 1 ? { body } : {}) }));
      }
      const { ok, shares: found } = await desk.check(shares, { set });
      expect(ok).toBe(false);
      expect(found.map((each) => each.ok)).toEqual([true, false, true]);
      expect(found[1]?.claims.filter((claim) => !claim.ok).map(({ claim }) => claim)).toEqual([
        'on the polynomial of all shares',
      ]);
      await expect(desk.combine(shares.slice(0, 2), 'x', { set })).rejects.toThrow(
        refusal(1, 'E_SHARE_ODD', 'share-2.cbor: not on the polynomial'),
      );
      expect(await desk.prove(set, shares)).toMatchObject({ ok: false });
      // Without the description nobody can say which one; that it is not the key is noticed.
      rmSync(set);
      await expect(desk.combine(shares.slice(0, 2), 'x')).rejects.toThrow(
        refusal(1, 'E_SHARES_WRONG'),
      );
      if (python) expect(recover(...shares.slice(0, 2)).code).toBe(1);
    }
  });

  it('shows that the dealer named another key on the share, which no quorum would bring back', async () => {
    using desk = new Desk();
    const key = await desk.key('p256');
    const { shares, set } = await desk.split({
      ...{ key: key.path, verifiable: 'feldman', unsealed: true },
    });
    const path = shares[0] as string;
    const share = decodeShare(new Uint8Array(readFileSync(path)), path);
    const mark = share.verifiable as NonNullable<typeof share.verifiable>;
    for (const change of [{ keyId: mark.keyId.map((byte) => byte ^ 1) }, { algorithm: 'p384' }]) {
      writeFileSync(path, encodeShare({ ...share, verifiable: { ...mark, ...change } }));
      const { ok, shares: found } = await desk.check([path], { set });
      expect(ok).toBe(false);
      expect(found[0]?.claims.filter((each) => !each.ok).map(({ claim }) => claim)).toEqual([
        'of this set',
      ]);
      await expect(desk.combine(shares, 'x', { set })).rejects.toThrow(
        refusal(1, 'E_SHARE_ODD', 'share-1.cbor was changed: it does not agree with its set'),
      );
    }
    // Both say so: then it is not the id of the public key.
    const none = new Uint8Array(32);
    writeFileSync(path, encodeShare({ ...share, verifiable: { ...mark, keyId: none } }));
    forged(set, (before) => ({ ...before, keyId: toHex(none) }));
    expect((await desk.check([path], { set })).ok).toBe(false);
  });

  it('is of this key: a polynomial that ends in another is refused', async () => {
    using desk = new Desk();
    const [mine, other] = [await desk.key('p256'), await desk.key('p256', 'production', 'b.pem')];
    const one = await desk.split({ key: mine.path, verifiable: 'feldman', unsealed: true });
    const two = await desk.split({
      ...{ key: other.path, verifiable: 'feldman', unsealed: true, outDir: desk.path('b') },
    });
    const { set } = decodeShareSet(desk.read('b/set.json'), two.set);
    forged(one.set, (before) => ({ ...before, verifiable: set.verifiable as never }));
    const path = one.shares[0] as string;
    const share = decodeShare(new Uint8Array(readFileSync(path)), path);
    const fitting = fromHex(decodeShareSet(desk.read('out/set.json'), one.set).set.root);
    writeFileSync(path, encodeShare({ ...share, root: fitting }));
    const { shares } = await desk.check([path], { set: one.set });
    expect(shares[0]?.claims.filter(({ ok }) => !ok).map(({ claim }) => claim)).toContain(
      'of the key itself',
    );
    const verify = { allowUnpinned: true, signers: [] } as never;
    const verdict = await shareSetKind.verify?.(
      desk.read('out/set.json'),
      one.set,
      desk.context(),
      verify,
    );
    expect(verdict?.ok).toBe(false);
  });

  it('is refused for what is no scalar, with the reason', async () => {
    using desk = new Desk();
    const seed = await desk.key('ed25519');
    const key = await desk.key('p256', 'production', 'p.pem');
    const of = (input: Parameters<Desk['split']>[0]) =>
      desk.split({ verifiable: 'feldman', unsealed: true, ...input });
    await expect(of({ key: seed.path })).rejects.toThrow(
      refusal(2, 'E_VERIFIABLE', 'a key of ed25519 is no scalar'),
    );
    await expect(of({ in: desk.write('f', 'x') })).rejects.toThrow(
      refusal(2, 'E_VERIFIABLE', 'a file is no scalar'),
    );
    await expect(of({ key: key.path, format: 'slip39' })).rejects.toThrow(
      refusal(2, 'E_VERIFIABLE', 'SLIP-39'),
    );
    const groups = { threshold: 2, shares: undefined, group: ['2/3', '2/3'] };
    await expect(of({ key: key.path, ...groups })).rejects.toThrow(
      refusal(2, 'E_VERIFIABLE', 'one group'),
    );
    const { shares } = await of({ key: key.path });
    await expect(desk.refresh(shares, { unsealed: true })).rejects.toThrow(
      refusal(77, 'E_SHARE_SCHEME', 'verifiably'),
    );
  });

  it('is read strictly: ten thousand mutations of a share, and of its description', async () => {
    using desk = new Desk();
    const key = await desk.key('p256');
    const { shares, set } = await desk.split({
      ...{ key: key.path, verifiable: 'pedersen', threshold: 2, shares: 3 },
      sealPassphraseFile: [desk.write('p', 'open')],
    });
    const share = new Uint8Array(readFileSync(shares[0] as string));
    const count = thorough ? 10_000 : 2_000;
    await fuzz(share, (bytes) => decodeShare(bytes, 'share'), { count });
    const described = new Uint8Array(readFileSync(set));
    expect(encodeShareSet(decodeShareSet(described, set).set, [])).toEqual(described);
    await fuzz(described, (bytes) => decodeShareSet(bytes, 'set'), { count });
    // The checksum made to fit: what is left is the strictness of the form.
    const resealed = (changes: readonly (readonly [number, unknown])[]) => {
      const map = new Map(decodeCbor(share, 'share') as CborMap);
      for (const [at, value] of changes) map.set(at, value as never);
      map.delete(11);
      return encodeCbor(map.set(11, sha256(encodeCbor(map)).slice(0, 4)));
    };
    const mark = (decodeCbor(share, 'share') as CborMap).get(8) as unknown[];
    for (const changes of [
      [[1, 2]],
      [[4, [1, 1]]],
      [[4, [1, 1, 1]]],
      [[8, [3, mark[1], mark[2]]]],
      [[8, [0, mark[1], mark[2]]]],
      [[8, [2, 'P-256', mark[2]]]],
      [[8, [2, mark[1], new Uint8Array(31)]]],
      [[10, new Uint8Array(104)]],
      [[5, [1, Uint8Array.of(2, 3, 2, 3)]]],
    ] as const) {
      expect(() => decodeShare(resealed(changes), 'share'), String(changes)).toThrow(
        refusal(65, 'E_SHARE_MALFORMED'),
      );
    }
  });
});
