/** What a proof, its coins and its nonces are bound to, and which points none of them may be built on. */
import { describe, expect, it } from 'vitest';
import { proveScalars } from '#actions/trace/prove-scalars';
import { type ScalarKey, scalarContext } from '#actions/trace/scalar-key';
import { shareCommitment } from '#crypto/frost/commitment';
import { contextOf, decodeGroup, encodeGroup } from '#crypto/frost/group';
import { suiteNames } from '#crypto/frost/suite';
import { concat, toHex } from '#formats/bytes';
import { PARTICIPANTS, saltOf, seedOf, twinRootOf } from '#protocols/inhead/hash-input';
import { signWithFixedNonces } from '#protocols/inhead/nonce-signer';
import { prove, type SecretOpening } from '#protocols/inhead/prover';
import {
  nonceContext,
  scalarStatement,
  scalarStatementHash,
} from '#protocols/inhead/scalar-statement';
import { checkEquations } from '#protocols/inhead/share-equation';
import { verifyProof } from '#protocols/inhead/verifier';
import { type Dealt, dealtKey, requestFor } from './group.js';
import { bytesCase, root, seeded } from './support.js';

const machine = { random: seeded('coins'), progress: () => undefined };

function openingsOf(dealt: Dealt, numbers: readonly number[]): SecretOpening[] {
  const { scalarBytes } = dealt.key.group.suite;
  return dealt
    .signers(numbers)
    .map(({ opening }) =>
      opening.use((bytes) => ({ x: bytes.slice(0, scalarBytes), r: bytes.slice(scalarBytes) })),
    );
}

describe('a proof is refused', () => {
  it('of a commitment that another ceremony published for the same share', async () => {
    const dealt = await dealtKey('frost-ed25519', 2, 3);
    const { record, suite } = dealt.key.group;
    const elsewhere = contextOf({ ...record, ceremony: '00'.repeat(32) }, suite);
    const openings = openingsOf(dealt, [1, 3]);
    const [first] = openings as [SecretOpening];
    const foreign = toHex(shareCommitment(suite, elsewhere, 1, concat(first.x, first.r)));
    const bytes = encodeGroup({
      ...record,
      members: record.members.map((member) =>
        member.number === 1 ? { ...member, commitment: foreign } : member,
      ),
    });
    const key: ScalarKey = { ...dealt.key, bytes, group: await decodeGroup(bytes, 'group') };
    const asked = requestFor(key, 'quorum');
    const signers = dealt.signers([1, 3]);
    await expect(proveScalars({ key, ...asked, signers, twin: false }, machine)).rejects.toThrow(
      /share 1 does not open the commitment/u,
    );
    // Whoever proves without looking has nothing that convinces.
    const about = scalarContext(key, asked.request, asked.requestBytes, [1, 3]);
    const signed = { signature: new Uint8Array(64), shares: [] };
    const statement = scalarStatement(about, signed, [], 2);
    expect(verifyProof(statement, prove(statement, openings, root('liar'))).ok).toBe(false);
    const own = scalarContext(dealt.key, asked.request, asked.requestBytes, [1, 3]);
    const honest = scalarStatement(own, signed, [], 2);
    expect(verifyProof(honest, prove(honest, openings, root('liar')))).toEqual({ ok: true });
  });

  it.each(suiteNames)(
    'of points over %s that are not canonical, outside the group, or the identity',
    async (name) => {
      const dealt = await dealtKey(name, 2, 3);
      const { request, requestBytes } = requestFor(dealt.key, 'nonces');
      const about = scalarContext(dealt.key, request, requestBytes, [1, 3]);
      const good = signWithFixedNonces(about, openingsOf(dealt, [1, 3]));
      expect(checkEquations(about, good).ok).toBe(true);
      const [first, second] = good.shares as [(typeof good.shares)[0], (typeof good.shares)[0]];
      const bad = unfit(name, first.hiding);
      expect(Object.keys(bad).length).toBeGreaterThan(2);
      for (const [what, hiding] of Object.entries(bad)) {
        const { ok } = checkEquations(about, { ...good, shares: [{ ...first, hiding }, second] });
        expect(ok, `D: ${what}`).toBe(false);
        expect(
          () => dealt.key.group.suite.group.decode(hiding, what),
          `as any point: ${what}`,
        ).toThrow(what);
      }
    },
  );
});

/** Encodings that are no points of a group: beside a good one, whose place they take. */
function unfit(suite: string, good: Uint8Array): Record<string, Uint8Array> {
  const { length } = good;
  const little = (value: bigint): Uint8Array => {
    const hex = value.toString(16).padStart(2 * length, '0');
    return new Uint8Array(Buffer.from(hex, 'hex').reverse());
  };
  const number = BigInt(`0x${toHex(good.slice().reverse())}`);
  const edwards = (p: bigint): Record<string, Uint8Array> => {
    const sign = 1n << BigInt(8 * length - 1);
    const y = number % sign;
    return {
      identity: little(1n),
      'identity, not canonical': little(p + 1n),
      'identity with a sign': little(1n + sign),
      'of order 2': little(p - 1n),
      // (x, y) + (0, −1) = (−x, −y)
      'of twice the order': little(p - y + (number < sign ? sign : 0n)),
    };
  };
  const ones = new Uint8Array(length).fill(0xff);
  if (suite === 'frost-ed25519') return edwards(2n ** 255n - 19n);
  if (suite === 'frost-ed448') return edwards(2n ** 448n - 2n ** 224n - 1n);
  if (suite === 'frost-ristretto255') {
    return {
      identity: new Uint8Array(length),
      'identity, not canonical': little(2n ** 255n - 19n),
      negative: little(2n ** 255n - 19n - number),
      'too large': ones,
    };
  }
  const head = (first: number, rest: Uint8Array): Uint8Array => concat(Uint8Array.of(first), rest);
  return {
    identity: new Uint8Array(length),
    'of another form': head(4, good.subarray(1)),
    'hybrid form': head((good[0] as number) + 4, good.subarray(1)),
    'beyond the field': head(2, ones.subarray(1)),
  };
}

describe('twins', () => {
  it('are other files, down to every seed, for another request, quorum or share', async () => {
    const dealt = await dealtKey('frost-ed25519', 2, 3);
    const { key } = dealt;
    const signed = { signature: new Uint8Array(64), shares: [] };
    const secrets = (numbers: readonly number[]): Uint8Array[] =>
      openingsOf(dealt, numbers).flatMap(({ x, r }) => [x, r]);
    const h0 = (numbers: readonly number[], nonce?: Uint8Array): Uint8Array => {
      const { request, requestBytes } = requestFor(key, 'nonces', nonce && { nonce });
      return scalarStatementHash(scalarContext(key, request, requestBytes, numbers), signed);
    };
    const own = secrets([1, 3]);
    const other = own.map((each, i) => (i === 1 ? each.map((byte) => byte ^ 1) : each));
    const roots = [
      twinRootOf(h0([1, 3]), own),
      twinRootOf(h0([1, 3], new Uint8Array(32)), own),
      twinRootOf(h0([1, 2]), secrets([1, 2])),
      twinRootOf(h0([1, 2]), own),
      twinRootOf(h0([1, 3]), other),
    ];
    const drawn = roots.flatMap((each) => {
      const salt = saltOf(each);
      const seeds = [0, 1, 218].flatMap((repetition) =>
        PARTICIPANTS.map((k) => seedOf(each, salt, repetition, k)),
      );
      return [each, salt, ...seeds].map(toHex);
    });
    expect(new Set(drawn).size).toBe(5 * (2 + 9));
    expect(toHex(twinRootOf(h0([1, 3]), own))).toBe(toHex(roots[0] as Uint8Array));
  });
});

describe('nonces', () => {
  it.each(['frost-taproot', 'frost-secp256k1'])(
    'are others under another tweak, of the same shares: %s',
    async (name) => {
      const { key } = await dealtKey(name, 2, 3);
      const { request, requestBytes } = requestFor(key, 'nonces');
      const about = scalarContext(key, request, requestBytes, [1, 3]);
      const { group } = about;
      const keys = [0n, 1n, 2n].map((tweak) =>
        group.key.add(group.suite.group.base.multiplyUnsafe(tweak)),
      );
      const seen = keys.map((tweaked) =>
        toHex(nonceContext({ ...about, group: { ...group, key: tweaked } })),
      );
      expect(new Set(seen).size).toBe(keys.length);
      expect(seen[0]).toBe(toHex(nonceContext(about)));
    },
  );
});

describe('evaluation', () => {
  it('ends a circuit exactly where its arrays end, prover and verifier', () => {
    const { statement, openings } = bytesCase(2, 2);
    const proof = prove(statement, openings, root('coins'));
    const { circuit } = statement.trace;
    for (const more of [-8, 8]) {
      const trace = { ...statement.trace, circuit: { ...circuit, ands: circuit.ands + more } };
      const wrong = { ...statement, trace };
      const misshapen = expect.objectContaining({ code: 'E_CIRCUIT_SHAPE' }) as Error;
      expect(() => prove(wrong, openings, root('coins'))).toThrow(misshapen);
      expect(() => verifyProof(wrong, proof)).toThrow(misshapen);
    }
  });
});
