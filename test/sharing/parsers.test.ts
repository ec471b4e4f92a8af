/** The readers of share files, set.json and packages against mutations of each, and their strictness. */
import { randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { checkShare } from '#actions/shares/check';
import { sha256 } from '#crypto/hash';
import { concat, u16be, u32be, utf8 } from '#formats/bytes';
import { type Cbor, type CborMap, decodeCbor, encodeCbor } from '#formats/cbor';
import { ConclaveError } from '#formats/errors';
import { SecretBytes } from '#formats/secret-bytes';
import {
  commitmentRoot,
  contextDigest,
  secretCommitment,
  shareCommitment,
} from '#protocols/sharing/commitment';
import { deal, opensShare, recombine } from '#protocols/sharing/deal';
import { decodeShare, encodeShare, looksLikeShare } from '#protocols/sharing/envelope';
import { openPackage, sealPackage } from '#protocols/sharing/package';
import { describeProof, proveQuorums, SAMPLE } from '#protocols/sharing/prove';
import { decodeShareSet, encodeShareSet } from '#protocols/sharing/share-set';
import {
  allIndices,
  countQuorums,
  everyQuorum,
  plainStructure,
  randomQuorum,
} from '#protocols/sharing/structure';
import { fuzz, mutations } from '../support/mutations.js';
import { Desk, refusal } from './desk.js';
import { mutationCount } from '../support/require.js';

const random = (length: number) => new Uint8Array(randomBytes(length));

let sealed: Uint8Array;
let toIdentity: Uint8Array;
let refreshed: Uint8Array;
let changedSet: Uint8Array;
let set: Uint8Array;

beforeAll(async () => {
  using desk = new Desk();
  const key = await desk.key('ed25519+ml-dsa-65');
  await desk.identity('ann');
  const sealPassphraseFile = [desk.write('p', 'open')];
  await desk.split({ key: key.path, sealPassphraseFile }, { identity: 'ann' });
  sealed = desk.read('out/share-1.cbor');
  set = desk.read('out/set.json');
  await desk.split({ key: key.path, sealTo: ['ann'], outDir: desk.path('b') });
  toIdentity = desk.read('b/share-1.cbor');
  await desk.split({ key: key.path, unsealed: true, outDir: desk.path('c') });
  await desk.refresh(
    [1, 2, 3].map((i) => desk.path(`c/share-${i}.cbor`)),
    { sealPassphraseFile, sealKdf: 'argon2id' },
  );
  refreshed = desk.read('new/share-1.cbor');
  changedSet = desk.read('new/set.json');
});

/** The share's map with changes and a right checksum. */
function resealed(bytes: Uint8Array, changes: readonly (readonly [number, Cbor | undefined])[]) {
  const map = new Map(decodeCbor(bytes, 'share') as CborMap);
  for (const [key, value] of changes) {
    if (value === undefined) map.delete(key);
    else map.set(key, value);
  }
  map.delete(11);
  map.set(11, sha256(encodeCbor(map)).slice(0, 4));
  return encodeCbor(map);
}

describe('share files', () => {
  it('encode as they were decoded', () => {
    for (const bytes of [sealed, toIdentity, refreshed]) {
      expect(looksLikeShare(bytes)).toBe(true);
      expect(encodeShare(decodeShare(bytes, 'share'))).toEqual(bytes);
    }
  });

  it('survive mutations', async () => {
    const tally = await fuzz(sealed, (bytes) => decodeShare(bytes, 'share'));
    expect(tally['1']).toBeGreaterThan(0.01 * mutationCount);
    expect(tally['65']).toBeGreaterThan(0.01 * mutationCount);
  });

  it('sealed to an identity too', async () => {
    await fuzz(toIdentity, (bytes) => decodeShare(bytes, 'share'), { seed: 2 });
  });

  it('of a later epoch too, under Argon2id', async () => {
    const tally = await fuzz(refreshed, (bytes) => decodeShare(bytes, 'share'), { seed: 5 });
    expect(tally['1']).toBeGreaterThan(0.01 * mutationCount);
  });

  it('have one encoding: version 2 only for what version 1 cannot say', () => {
    const map = decodeCbor(sealed, 'share') as CborMap;
    const [nonce, body] = map.get(8) as Cbor[];
    const root = map.get(3) as Cbor;
    const later: [number, Cbor][] = [
      [1, 2],
      [4, [1, 1, 0]],
      [8, [nonce as Cbor, body as Cbor, root]],
    ];
    expect(() => decodeShare(resealed(sealed, later), 'share')).toThrow(
      refusal(65, 'E_SHARE_MALFORMED', 'not the lowest'),
    );
    // The first dealing's package is bound to its own root, a later one's is not.
    const own = resealed(refreshed, [
      [
        8,
        [nonce as Cbor, body as Cbor, (decodeCbor(refreshed, 'share') as CborMap).get(3) as Cbor],
      ],
    ]);
    expect(() => decodeShare(own, 'share')).toThrow(
      refusal(65, 'E_SHARE_MALFORMED', 'first dealing'),
    );
    for (const epoch of [-1, 65_536, 'x']) {
      expect(() => decodeShare(resealed(refreshed, [[4, [1, 1, epoch]]]), 'share')).toThrow(
        refusal(65, 'E_SHARE_MALFORMED', 'epoch'),
      );
    }
  });

  it('no mutation with a right checksum opens, and none is another kind of failure', async () => {
    // The checksum is no protection against changes made on purpose: the seal is.
    const passphrase = () => SecretBytes.adopt(utf8('open'), 'passphrase');
    const { openByPassphrase } = await import('#actions/shares/seal');
    let tried = 0;
    for (const mutated of mutations(sealed, 3000, 3)) {
      let bytes: Uint8Array;
      try {
        bytes = resealed(mutated, []);
        if (Buffer.compare(bytes, sealed) === 0) continue;
      } catch {
        continue;
      }
      tried++;
      try {
        using secret = passphrase();
        const share = decodeShare(bytes, 'share');
        if (share.seal.kind !== 'passphrase') continue;
        (await openByPassphrase(share, secret, 'share')).dispose();
        expect.unreachable();
      } catch (error) {
        if (!(error instanceof ConclaveError) || ![1, 65, 77].includes(error.exitCode)) throw error;
      }
    }
    expect(tried).toBeGreaterThan(300);
  });

  it.each<[string, [number, Cbor | undefined][]]>([
    ['an unknown key', [[12, 1]]],
    ['a text key', [['x' as unknown as number, 1]]],
    ['another version', [[1, 2]]],
    ['a missing set id', [[2, undefined]]],
    ['a short set id', [[2, new Uint8Array(31)]]],
    ['a short root', [[3, new Uint8Array(33)]]],
    ['member 0', [[4, [1, 0]]]],
    ['member 4 of 3', [[4, [1, 4]]]],
    ['group 2 of 1', [[4, [2, 1]]]],
    ['a negative member', [[4, [1, -1]]]],
    ['t above n', [[5, [1, Uint8Array.of(4, 3)]]]],
    ['t of 0', [[5, [1, Uint8Array.of(0, 3)]]]],
    ['GT above g', [[5, [2, Uint8Array.of(2, 3)]]]],
    ['no group', [[5, [1, new Uint8Array(0)]]]],
    ['17 groups', [[5, [1, new Uint8Array(34).fill(2)]]]],
    ['half a group', [[5, [1, Uint8Array.of(2, 3, 2)]]]],
    ['an unknown environment', [[6, 3]]],
    ['an unknown seal', [[7, [3]]]],
    ['unsealed with a sealed body', [[7, [0]]]],
    ['an identity seal without its key', [[7, [2, new Uint8Array(32)]]]],
    ['an encapsulated key without its seal', [[9, new Uint8Array(1120)]]],
    ['a long package', [[8, [new Uint8Array(12), new Uint8Array(193)]]]],
    ['a package without nonce', [[8, [new Uint8Array(11), new Uint8Array(100)]]]],
    ['a body one byte short', [[10, new Uint8Array(70)]]],
    ['a body one byte long', [[10, new Uint8Array(72)]]],
  ])('refuse %s: 65', (_name, changes) => {
    expect(() => decodeShare(resealed(sealed, changes), 'share')).toThrow(
      refusal(65, 'E_SHARE_MALFORMED'),
    );
  });

  it('refuse trailing bytes and oversize', () => {
    expect(() => decodeShare(concat(sealed, Uint8Array.of(0)), 's')).toThrow(
      refusal(65, 'E_CBOR_MALFORMED'),
    );
    expect(() => decodeShare(new Uint8Array(5000), 's')).toThrow(refusal(65, 'E_CBOR_TOO_LARGE'));
  });

  it('scrypt parameters beyond the limits are refused before memory is taken', async () => {
    for (const logN of [9, 19, 40, 2 ** 31]) {
      const map = decodeCbor(sealed, 'share') as CborMap;
      const [kind, , ...rest] = map.get(7) as Cbor[];
      const bytes = resealed(sealed, [[7, [kind as Cbor, logN, ...rest]]]);
      const open = checkShare(
        { name: 'share', bytes },
        async (share, name) => {
          const { openByPassphrase } = await import('#actions/shares/seal');
          using passphrase = SecretBytes.adopt(utf8('open'), 'passphrase');
          return await openByPassphrase(share, passphrase, name);
        },
        undefined,
      );
      await expect(open).rejects.toThrow(refusal(65, 'E_KDF_REFUSED'));
    }
  });
});

describe('a changed set.json', () => {
  it('encodes as it was decoded, and survives mutations', async () => {
    const file = decodeShareSet(changedSet, 'set.json');
    expect(encodeShareSet(file.set, file.signatures)).toEqual(changedSet);
    const tally = await fuzz(changedSet, (bytes) => decodeShareSet(bytes, 'set.json'), { seed: 6 });
    expect(tally['65']).toBeGreaterThan(0.01 * mutationCount);
  });
});

describe('set.json', () => {
  it('encodes as it was decoded', () => {
    const file = decodeShareSet(set, 'set.json');
    expect(encodeShareSet(file.set, file.signatures)).toEqual(set);
    expect(file.signatures.length).toBe(2);
  });

  it('survives mutations', async () => {
    const tally = await fuzz(set, (bytes) => decodeShareSet(bytes, 'set.json'), { seed: 4 });
    expect(tally['65']).toBeGreaterThan(0.01 * mutationCount);
  });

  it('refuses what does not fit together: 65', () => {
    const { set: good } = decodeShareSet(set, 'set.json');
    const [first, ...rest] = good.commitments;
    const changes: Partial<typeof good>[] = [
      { keyId: null },
      { kind: 'file' },
      { groupThreshold: 2 },
      { groups: [{ threshold: 4, shares: 3 }] },
      { groups: [{ threshold: 2, shares: 4 }] },
      { commitments: rest },
      { commitments: [...rest, first as (typeof rest)[0]] },
      { kekCommitment: null },
      { package: null },
      { splits: 'seed' },
      { scheme: 'slip39' },
      { slip39: { identifier: 1, extendable: true, iterationExponent: 1 } },
    ];
    for (const change of changes) {
      const bytes = encodeShareSet({ ...good, ...change }, []);
      expect(() => decodeShareSet(bytes, 'set.json'), JSON.stringify(change)).toThrow(
        refusal(65, 'E_SHARE_SET_MALFORMED'),
      );
    }
  });
});

describe('the sealed package', () => {
  const binding = { setId: random(32), root: random(32) };
  const open = (sealedPackage: { nonce: Uint8Array; sealed: Uint8Array }, kek: Uint8Array) =>
    openPackage(sealedPackage, kek, binding, 'package');

  it('opens under its key, set and root only', () => {
    const kek = random(32);
    using secret = SecretBytes.adopt(utf8('content'), 'content');
    using key = SecretBytes.copyOf(kek, 'kek');
    const made = sealPackage({ kind: 'file', secret }, key, binding, random);
    using opened = open(made, kek).secret;
    expect(opened.use((bytes) => bytes.slice())).toEqual(utf8('content'));
    const wrong = refusal(1, 'E_NOT_AUTHENTIC');
    expect(() => open(made, random(32))).toThrow(wrong);
    expect(() => openPackage(made, kek, { ...binding, root: random(32) }, 'p')).toThrow(wrong);
    expect(() => openPackage(made, kek, { ...binding, setId: random(32) }, 'p')).toThrow(wrong);
  });

  it('refuses authentic nonsense: 65', async () => {
    const { aesGcmSeal } = await import('#crypto/aead');
    const kek = random(32);
    const nonce = random(12);
    const contents: Cbor[] = [1, [], [3, utf8('x')], [2, 'text'], [1, 'a', 'b'], [2, utf8('x'), 1]];
    for (const content of contents) {
      const aad = concat(binding.setId, binding.root);
      const made = { nonce, sealed: aesGcmSeal(kek, nonce, encodeCbor(content), aad) };
      expect(() => open(made, kek)).toThrow(refusal(65, 'E_PACKAGE_MALFORMED'));
    }
  });
});

describe('commitments', () => {
  const structure = {
    groupThreshold: 2,
    groups: [3, 2].map((threshold) => ({ threshold, shares: 5 })),
  };
  const setId = random(32);
  const publicKey = random(7);
  const context = contextDigest({ suite: 'gf256-v1', setId, structure, publicKey });

  it('are the bytes of the specification', () => {
    const suite = utf8('gf256-v1');
    const head = concat(utf8('conclave/share-a'), suite, setId, Uint8Array.of(2, 2, 3, 5, 2, 5));
    expect(context).toEqual(sha256(head, u32be(7), publicKey));
    const opening = random(55);
    const c = shareCommitment('gf256-v1', context, { group: 2, member: 4 }, opening);
    const block = concat(utf8('conclave/share-c'), context, u16be(516), suite, new Uint8Array(6));
    expect(block.length).toBe(64);
    expect(c).toEqual(sha256(block, opening));
    // Opening and SHA-256's own padding (one byte and eight of length) fill the second block exactly.
    expect(opening.length + 9).toBe(64);
    const k = secretCommitment('gf256-v1', context, opening.subarray(0, 32));
    const blockK = concat(utf8('conclave/share-k'), context, u16be(0), suite, new Uint8Array(6));
    expect(k).toEqual(sha256(blockK, opening.subarray(0, 32), new Uint8Array(23)));
    expect(commitmentRoot(context, k, [c, k])).toEqual(
      sha256(utf8('conclave/share-r'), context, k, c, k),
    );
  });

  it('open for their own share only', () => {
    using dealing = deal(structure, publicKey, random);
    expect(dealing.shares.length).toBe(10);
    dealing.shares.forEach((share, i) => {
      dealing.commitments.forEach((commitment, j) => {
        expect(opensShare(dealing.context, share, commitment)).toBe(i === j);
      });
    });
    const wiped = dealing.shares[0]?.opening;
    dealing[Symbol.dispose]();
    expect(wiped?.wiped && dealing.kek.wiped).toBe(true);
  });

  it('a dealing asks for fresh randomness everywhere: no r and no share repeats', () => {
    using a = deal(structure, publicKey, random);
    using b = deal(structure, publicKey, random);
    const all = [...a.shares, ...b.shares].map(({ opening }) =>
      opening.use((bytes) => Buffer.from(bytes.subarray(32)).toString('hex')),
    );
    expect(new Set(all).size).toBe(20);
  });

  it('recombine to the committed key by every quorum', () => {
    using dealing = deal(structure, publicKey, random);
    const find = (index: { group: number; member: number }) =>
      dealing.shares.find((s) => s.index.group === index.group && s.index.member === index.member);
    let count = 0;
    for (const quorum of everyQuorum(structure)) {
      count++;
      const s = recombine(
        quorum.map((index) => find(index) as NonNullable<ReturnType<typeof find>>),
      );
      expect(secretCommitment('gf256-v1', dealing.context, s)).toEqual(dealing.kekCommitment);
    }
    expect(count).toBe(100);
  });
});

describe('quorums', () => {
  it('are counted as they are walked', () => {
    for (const structure of [
      plainStructure({ threshold: 1, shares: 1 }),
      plainStructure({ threshold: 3, shares: 7 }),
      {
        groupThreshold: 2,
        groups: [
          { threshold: 2, shares: 3 },
          { threshold: 1, shares: 2 },
          { threshold: 3, shares: 3 },
        ],
      },
    ]) {
      const walked = [...everyQuorum(structure)].map((quorum) => JSON.stringify(quorum));
      expect(BigInt(walked.length)).toBe(countQuorums(structure));
      expect(new Set(walked).size).toBe(walked.length);
      for (let i = 0; i < 50; i++) {
        expect(walked).toContain(JSON.stringify(randomQuorum(structure, random)));
      }
    }
    expect(countQuorums(plainStructure({ threshold: 10, shares: 20 }))).toBe(184_756n);
  });

  it('beyond 100,000 are sampled, and it is said', () => {
    using dealing = deal(plainStructure({ threshold: 10, shares: 20 }), new Uint8Array(0), random);
    expect(dealing.proof).toMatchObject({ tried: SAMPLE, sampled: true, failed: undefined });
    expect(describeProof(dealing.proof)).toBe('10000 of 184756 quorums, chosen at random');
  });

  it('a failing one is named', () => {
    const structure = plainStructure({ threshold: 2, shares: 4 });
    const bad = proveQuorums(structure, (quorum) => !quorum.some((i) => i.member === 3), random);
    expect(bad.failed).toEqual([
      { group: 1, member: 1 },
      { group: 1, member: 3 },
    ]);
    expect(allIndices(structure).length).toBe(4);
  });
});
