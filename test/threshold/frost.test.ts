/** FROST in one process: every suite, quorums, liars, repair, and others' verifiers. */
import { spawnSync } from 'node:child_process';
import { createPublicKey, randomBytes, verify as nodeVerify } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { schnorr } from '@noble/curves/secp256k1.js';
import { describe, expect, it } from 'vitest';
import {
  contextDigest,
  newOpening,
  openedShare,
  openingBytes,
  opensCommitment,
  shareCommitment,
} from '#crypto/frost/commitment';
import { loadSuite, type FrostSuite, suiteNames } from '#crypto/frost/suite';
import { encodeSpki } from '#crypto/encodings/spki';
import type { GroupPoint } from '#crypto/math/prime-group';
import { mod } from '#crypto/math/prime-group';
import { resolve } from '#crypto/registry';
import { loadPoints } from '#crypto/points';
import { concat, toHex, utf8 } from '#formats/bytes';
import {
  changePoint,
  changeShare,
  deal,
  isConstantProven,
  isPart,
  lagrangeOf,
  partFor,
  proveConstant,
  publicShareAt,
  readCommitments,
  taprootChange,
} from '#protocols/threshold/dealing';
import {
  aggregate,
  commit,
  readNonceCommitments,
  signShare,
  type SigningKey,
} from '#protocols/threshold/frost-rounds';
import {
  checkSummands,
  interpolatePublic,
  isCommitted,
  splitForRepair,
  sumCommitment,
  sumScalars,
} from '#protocols/threshold/repair-rounds';
import { hasProgram } from '../support/require.js';

const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length));
const MESSAGE = utf8('pay the miller');

interface Group {
  readonly key: SigningKey;
  readonly shares: ReadonlyMap<number, bigint>;
}

/** A dealer's group, changed for Taproot as a key generation changes it. */
function dealt(suite: FrostSuite, threshold: number, numbers: readonly number[]): Group {
  const dealing = deal(undefined, threshold, suite, random);
  const plain = dealing.commitments[0] as GroupPoint;
  const change = suite.evenY ? taprootChange(plain, suite) : undefined;
  const point = (p: GroupPoint): GroupPoint =>
    change === undefined ? p : changePoint(p, change, suite);
  const publicShares = new Map(
    numbers.map((i) => [i, point(publicShareAt(dealing.commitments, i, suite))]),
  );
  const shares = new Map(
    numbers.map((i) => {
      const share = partFor(dealing, i, suite);
      return [i, change === undefined ? share : changeShare(share, change, suite)];
    }),
  );
  return { key: { suite, threshold, key: point(plain), publicShares }, shares };
}

function signed(
  { key, shares }: Group,
  quorum: readonly number[],
  tamper: (i: number, share: Uint8Array) => Uint8Array = (_, share) => share,
): Uint8Array {
  const { suite } = key;
  const nonces = new Map(quorum.map((i) => [i, commit(suite, i, shares.get(i) as bigint, random)]));
  const commitments = readNonceCommitments(
    [...nonces].map(([number, { hiding, binding }]) => ({ number, hiding, binding })),
    suite,
  );
  const sent = new Map(
    quorum.map((i) => {
      const secret = nonces.get(i)?.secret;
      if (secret === undefined) throw new Error('no nonces');
      const share = signShare(key, i, shares.get(i) as bigint, secret, commitments, MESSAGE);
      expect(secret.wiped).toBe(true);
      return [i, tamper(i, share)];
    }),
  );
  return aggregate(key, commitments, MESSAGE, sent);
}

function quorums(numbers: readonly number[], size: number): number[][] {
  if (size === 0) return [[]];
  return numbers.flatMap((first, i) =>
    quorums(numbers.slice(i + 1), size - 1).map((rest) => [first, ...rest]),
  );
}

async function verifies(group: Group, signature: Uint8Array): Promise<boolean> {
  const is = await (await resolve(group.key.suite.algorithm)).load();
  if (is.kind !== 'signature') throw new Error('no signature algorithm');
  return is.verify(signature, MESSAGE, group.key.suite.publicKey(group.key.key));
}

describe.each(suiteNames)('%s', (name) => {
  it('signs with every quorum, one more, and big numbers; the registry verifies', async () => {
    const suite = await loadSuite(name);
    const group = dealt(suite, 2, [1, 300, 65_535]);
    for (const quorum of [...quorums([1, 300, 65_535], 2), [1, 300, 65_535]]) {
      const signature = signed(group, quorum);
      expect(signature.length).toBe(suite.signatureBytes);
      expect(await verifies(group, signature)).toBe(true);
    }
    const two = dealt(suite, 2, [1, 2]);
    expect(await verifies(two, signed(two, [1, 2]))).toBe(true);
  });

  it('names each signer whose share is wrong, also when two would cancel out', async () => {
    const suite = await loadSuite(name);
    const group = dealt(suite, 2, [1, 2, 3]);
    const shift = (by: bigint) => (share: Uint8Array) =>
      suite.encodeScalar(mod(suite.decodeScalar(share, 'share') + by, suite.group.order));
    const blamed = (lies: Readonly<Record<number, (share: Uint8Array) => Uint8Array>>): unknown => {
      try {
        return signed(group, [1, 2, 3], (i, share) => lies[i]?.(share) ?? share);
      } catch (error) {
        return (error as { details?: { culprits?: unknown } }).details?.culprits;
      }
    };
    expect(blamed({ 2: shift(1n) })).toEqual([2]);
    expect(blamed({ 1: shift(1n), 3: shift(-1n) })).toEqual([1, 3]);
    expect(blamed({ 3: () => new Uint8Array(suite.scalarBytes).fill(0xff) })).toEqual([3]);
    expect(blamed({ 1: (share) => share.slice(1) })).toEqual([1]);
  });

  it('proves constants to one context only, and sees wrong parts', async () => {
    const suite = await loadSuite(name);
    const dealing = deal(undefined, 3, suite, random);
    const key = dealing.commitments[0] as GroupPoint;
    const proof = proveConstant(suite, 7, dealing, utf8('here'), random);
    expect(proof.length).toBe(suite.signatureBytes);
    expect(isConstantProven(suite, 7, key, proof, utf8('here'))).toBe(true);
    expect(isConstantProven(suite, 7, key, proof, utf8('there'))).toBe(false);
    expect(isConstantProven(suite, 8, key, proof, utf8('here'))).toBe(false);
    for (const bit of [0, 3, proof.length * 4, proof.length * 8 - 1]) {
      const bad = proof.slice();
      bad[bit >> 3] = (bad[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(isConstantProven(suite, 7, key, bad, utf8('here'))).toBe(false);
    }
    const part = partFor(dealing, 5, suite);
    expect(isPart(part, dealing.commitments, 5, suite)).toBe(true);
    expect(isPart(part + 1n, dealing.commitments, 5, suite)).toBe(false);
    const sent = dealing.commitments.map((point) => point.toBytes());
    const culprits = { details: { culprits: [9] } };
    expect(() => readCommitments(sent.slice(1), 9, 3, suite)).toThrow(
      expect.objectContaining(culprits) as Error,
    );
    const zeros = [
      sent[0] as Uint8Array,
      sent[1] as Uint8Array,
      new Uint8Array(sent[2]?.length ?? 0),
    ];
    expect(() => readCommitments(zeros, 9, 3, suite)).toThrow(
      expect.objectContaining(culprits) as Error,
    );
  });

  it('repairs a share and enrols a member; a helper who lies is named', async () => {
    const suite = await loadSuite(name);
    const { group } = suite;
    const { key, shares } = dealt(suite, 3, [1, 2, 3, 4]);
    const helpers = [1, 2, 4];
    for (const lost of [3, 9]) {
      const split = new Map(
        helpers.map((i) => [
          i,
          splitForRepair(suite, helpers, i, lost, shares.get(i) as bigint, random),
        ]),
      );
      for (const [i, { commitments }] of split) {
        const own = key.publicShares.get(i) as GroupPoint;
        checkSummands(suite, helpers, i, lost, own, commitments);
        const lie = new Map(commitments).set(2, group.base);
        expect(() => checkSummands(suite, helpers, i, lost, own, lie)).toThrow(
          expect.objectContaining({ details: { culprits: [i] } }) as Error,
        );
      }
      const sums = helpers.map((to) => {
        const received = helpers.map((from) => split.get(from)?.scalars.get(to) as bigint);
        const committed = helpers.map((from) => split.get(from)?.commitments.get(to) as GroupPoint);
        received.forEach((scalar, k) => {
          expect(isCommitted(scalar, committed[k] as GroupPoint, suite)).toBe(true);
          expect(isCommitted(scalar + 1n, committed[k] as GroupPoint, suite)).toBe(false);
        });
        const sum = sumScalars(received, suite);
        expect(isCommitted(sum, sumCommitment(committed, suite), suite)).toBe(true);
        return sum;
      });
      const share = sumScalars(sums, suite);
      const quorum = new Map(helpers.map((i) => [i, key.publicShares.get(i) as GroupPoint]));
      expect(group.base.multiply(share).equals(interpolatePublic(suite, quorum, lost))).toBe(true);
      if (lost === 3) expect(share).toBe(shares.get(3));
      const larger: Group = {
        key: {
          ...key,
          publicShares: new Map(key.publicShares).set(lost, group.base.multiply(share)),
        },
        shares: new Map(shares).set(lost, share),
      };
      expect(await verifies(larger, signed(larger, [1, 4, lost]))).toBe(true);
    }
  });

  it('commits to shares in one form, whose opening is exact', async () => {
    const suite = await loadSuite(name);
    const { key, shares } = dealt(suite, 2, [1, 2, 3]);
    const members = [...key.publicShares].map(([number, point]) => ({
      number,
      publicShare: point.toBytes(),
    }));
    const context = { suite, threshold: 2, ceremony: random(32), key: key.key.toBytes(), members };
    const a = contextDigest(context);
    const opening = newOpening(shares.get(2) as bigint, suite, random);
    expect(opening.length).toBe(openingBytes(suite));
    expect(openedShare(opening, suite)).toBe(shares.get(2));
    const c = shareCommitment(suite, a, 2, opening);
    expect(opensCommitment(suite, a, 2, opening, c)).toBe(true);
    expect(opensCommitment(suite, a, 3, opening, c)).toBe(false);
    expect(opensCommitment(suite, contextDigest({ ...context, threshold: 3 }), 2, opening, c)).toBe(
      false,
    );
    expect(opensCommitment(suite, a, 2, opening.slice(1), c)).toBe(false);
  });

  it('a share less than the threshold is no signature', async () => {
    const suite = await loadSuite(name);
    const { key, shares } = dealt(suite, 3, [1, 2, 3]);
    const fewer: Group = { key: { ...key, threshold: 2 }, shares };
    expect(await verifies(fewer, signed(fewer, [1, 3]))).toBe(false);
    const factors = lagrangeOf([1, 3], suite);
    const wrong = [1, 3].reduce(
      (sum, i) =>
        mod(sum + (factors.get(i) as bigint) * (shares.get(i) as bigint), suite.group.order),
      0n,
    );
    expect(suite.group.base.multiply(wrong).equals(key.key)).toBe(false);
  });
});

describe('others agree', () => {
  it.each(['frost-ed25519', 'frost-ed448'])('node:crypto verifies %s', async (name) => {
    const suite = await loadSuite(name);
    const group = dealt(suite, 2, [1, 2, 3]);
    const signature = signed(group, [1, 3]);
    const spki = encodeSpki(await resolve(suite.algorithm), suite.publicKey(group.key.key));
    const key = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
    expect(nodeVerify(null, MESSAGE, key, signature)).toBe(true);
    expect(nodeVerify(null, utf8('pay the baker'), key, signature)).toBe(false);
  });

  /**
   * OpenSSL knows no Schnorr signatures over P-256, but its ECDSA computes the same sum: for a hash z·s and a signature (r, s)
   * with r = x(R) and s = −r/c, ECDSA compares x(R) with the x of z·G − c·Y.
   */
  it.skipIf(!hasProgram('openssl'))('openssl computes the sum of frost-p256', async () => {
    const suite = await loadSuite('frost-p256');
    const group = dealt(suite, 2, [1, 2, 3]);
    const signature = signed(group, [2, 3]);
    const q = suite.group.order;
    const nonce = suite.group.decode(signature.slice(0, 33), 'R');
    const z = suite.decodeScalar(signature.slice(33), 'z');
    const c = suite.challenge(nonce, group.key.key, MESSAGE);
    const r = mod(BigInt(`0x${toHex(signature.slice(1, 33))}`), q);
    const inverse = (a: bigint): bigint => {
      let [result, base, exponent] = [1n, mod(a, q), q - 2n];
      for (; exponent > 0n; exponent >>= 1n, base = mod(base * base, q))
        if (exponent & 1n) result = mod(result * base, q);
      return result;
    };
    const s = mod(-r * inverse(c), q);
    const folder = mkdtempSync(join(tmpdir(), 'frost-'));
    try {
      const integer = (n: bigint): Buffer => {
        const bytes = Buffer.from(n.toString(16).padStart(64, '0'), 'hex');
        let at = 0;
        while (at < 31 && bytes[at] === 0) at++;
        const body = Buffer.concat([Buffer.alloc((bytes[at] ?? 0) >> 7), bytes.subarray(at)]);
        return Buffer.concat([Buffer.from([2, body.length]), body]);
      };
      const body = Buffer.concat([integer(r), integer(s)]);
      writeFileSync(join(folder, 'sig'), Buffer.concat([Buffer.from([0x30, body.length]), body]));
      const digest = (n: bigint): Uint8Array => suite.encodeScalar(mod(n, q));
      const p256 = await resolve('p256');
      const points = await loadPoints('p256');
      const xy = points.coordinates(suite.publicKey(group.key.key));
      const spki = encodeSpki(p256, concat(Uint8Array.of(4), xy));
      writeFileSync(join(folder, 'key'), spki);
      const openssl = (hash: Uint8Array): number | null => {
        writeFileSync(join(folder, 'hash'), hash);
        const inputs = ['-inkey', 'key', '-keyform', 'DER', '-sigfile', 'sig', '-in', 'hash'];
        return spawnSync('openssl', ['pkeyutl', '-verify', '-pubin', ...inputs], { cwd: folder })
          .status;
      };
      expect(openssl(digest(z * s))).toBe(0);
      expect(openssl(digest(z * s + 1n))).not.toBe(0);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('BIP 340 verifies Taproot, for odd and even keys and nonces', async () => {
    const suite = await loadSuite('frost-taproot');
    for (let i = 0; i < 8; i++) {
      const group = dealt(suite, 2, [1, 2, 3]);
      const signature = signed(group, [1, 2]);
      expect(schnorr.verify(signature, MESSAGE, suite.publicKey(group.key.key))).toBe(true);
    }
  });
});
