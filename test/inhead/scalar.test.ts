/** Traces of threshold keys: share equations, fixed nonces, openings in the head, on every suite. */
import { describe, expect, it } from 'vitest';
import { checkScalarTrace } from '#actions/trace/check-scalars';
import { proveScalars } from '#actions/trace/prove-scalars';
import { readScalarKey, scalarContext } from '#actions/trace/scalar-key';
import { WORDS } from '#actions/trace/verdict';
import { suiteNames } from '#crypto/frost/suite';
import { fromHex, toHex } from '#formats/bytes';
import type { TraceRequest } from '#protocols/inhead/request';
import type { Level } from '#protocols/inhead/level';
import { signWithFixedNonces } from '#protocols/inhead/nonce-signer';
import { prove } from '#protocols/inhead/prover';
import { nonceContext, scalarStatement } from '#protocols/inhead/scalar-statement';
import { checkEquations } from '#protocols/inhead/share-equation';
import { decodeTrace, encodeTrace, type TraceFile } from '#protocols/inhead/trace-file';
import { verifyProof } from '#protocols/inhead/verifier';
import { type Dealt, dealtKey, requestFor } from './group.js';
import { root, seeded } from './support.js';

const machine = { random: seeded('coins'), progress: () => undefined };

async function traced(
  dealt: Dealt,
  level: Level,
  change: Partial<TraceRequest> = {},
  quorum: readonly number[] = [1, 3],
  twin = false,
) {
  const asked = requestFor(dealt.key, level, change);
  const proving = { key: dealt.key, ...asked, signers: dealt.signers(quorum), twin };
  const trace = decodeTrace(encodeTrace(await proveScalars(proving, machine)), 'trace');
  const check = async (other: Partial<TraceFile> = {}) =>
    await checkScalarTrace({
      key: dealt.key,
      ...asked,
      trace: { ...trace, ...other },
      what: 'trace',
    });
  return { trace, asked, check };
}

describe('level shares', () => {
  it.each(suiteNames)(
    'holds on %s, in less than 1 KB, bound to its request or not',
    async (suite) => {
      const dealt = await dealtKey(suite, 2, 3);
      for (const bind of [false, true]) {
        const { trace, check } = await traced(dealt, 'shares', { bind });
        const verdict = await check();
        expect(verdict.claims.filter(({ ok }) => !ok)).toEqual([]);
        expect(encodeTrace(trace).length).toBeLessThan(1024);
        expect(verdict.notProven.includes('fresh: not proven at this level')).toBe(!bind);
        expect(verdict.notProven).toContain('membership: not proven at this level');
        if (bind)
          expect((await check({ proof: trace.proof.map((byte) => byte ^ 1) })).ok).toBe(false);
        else expect((await check({ proof: new Uint8Array(64) })).ok).toBe(false);
      }
    },
  );

  it('is refused with any field changed', async () => {
    const { trace, check } = await traced(await dealtKey('frost-ed25519', 2, 3), 'shares');
    const [first, second] = trace.shares as [TraceFile['shares'][0], TraceFile['shares'][0]];
    const flip = (bytes: Uint8Array): Uint8Array =>
      bytes.map((byte, i) => (i === 3 ? byte ^ 1 : byte));
    const identity = new Uint8Array(32);
    identity[0] = 1;
    const torsion = fromHex('ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f');
    const beyond = fromHex('1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed');
    for (const [name, change] of Object.entries({
      signature: { signature: flip(trace.signature) },
      z: { shares: [{ ...first, z: flip(first.z) }, second] },
      'z beyond the order': { shares: [{ ...first, z: beyond }, second] },
      D: { shares: [{ ...first, hiding: second.hiding }, second] },
      E: { shares: [{ ...first, binding: second.binding }, second] },
      'identity in D': { shares: [{ ...first, hiding: identity }, second] },
      'identity in E': { shares: [{ ...first, binding: identity }, second] },
      'torsion in D': { shares: [{ ...first, hiding: torsion }, second] },
      swapped: { shares: [second, first] },
      quorum: { quorum: [1, 2] },
      't + 1': { quorum: [1, 2, 3] },
      't − 1': { quorum: [1] },
      suite: { suite: new TextEncoder().encode('ristr255') },
    } satisfies Record<string, Partial<TraceFile>>)) {
      expect((await check(change)).ok, name).toBe(false);
    }
    expect((await check()).ok).toBe(true);
  });
});

describe('the identity', () => {
  it('is refused as R, where the nonces of two signers cancel', async () => {
    const { key } = await dealtKey('frost-ed25519', 2, 3);
    const { request, requestBytes } = requestFor(key, 'nonces');
    const about = scalarContext(key, request, requestBytes, [1, 3]);
    const { base } = key.group.suite.group;
    const shares = [base, base.negate()].map((point) => ({
      hiding: point.toBytes(),
      binding: undefined,
      z: new Uint8Array(32),
    }));
    expect(checkEquations(about, { signature: new Uint8Array(64), shares })).toEqual({
      ok: false,
      reason: 'the nonces add up to the identity',
    });
  });

  it('is refused as Y, and as Y_i', async () => {
    const { key } = await dealtKey('frost-ed25519', 2, 3);
    const text = new TextDecoder().decode(key.bytes);
    const identity = `01${'0'.repeat(62)}`;
    const { publicKey, members } = key.group.record;
    for (const point of [publicKey, members[0]?.publicShare ?? '']) {
      const changed = new TextEncoder().encode(text.replace(point, identity));
      await expect(readScalarKey(changed, 'group')).rejects.toMatchObject({ exitCode: 65 });
    }
    expect((await readScalarKey(key.bytes, 'group')).group.record).toEqual(key.group.record);
  });
});

describe('level nonces', () => {
  it.each(suiteNames)(
    'holds on %s with a small proof, and signs what everybody verifies',
    async (suite) => {
      const dealt = await dealtKey(suite, 2, 3);
      const { request, requestBytes } = requestFor(dealt.key, 'nonces');
      const about = scalarContext(dealt.key, request, requestBytes, [1, 3]);
      const openings = dealt.signers([1, 3]).map(({ opening }) =>
        opening.use((bytes) => ({
          x: bytes.slice(0, about.group.suite.scalarBytes),
          r: bytes.slice(about.group.suite.scalarBytes),
        })),
      );
      const signed = signWithFixedNonces(about, openings);
      const again = signWithFixedNonces(about, openings);
      expect(toHex(again.signature)).toBe(toHex(signed.signature));
      const implementation = await dealt.key.descriptor.load();
      if (implementation.kind !== 'signature') throw new Error('no signature algorithm');
      expect(implementation.verify(signed.signature, request.message, dealt.key.publicKey)).toBe(
        true,
      );
      const equations = checkEquations(about, signed);
      expect(equations.ok).toBe(true);
      const statement = scalarStatement(about, signed, equations.ok ? equations.nonces : [], 2);
      const witness = openings.map((each, i) => ({
        ...each,
        nonce: signed.secrets[i] as Uint8Array,
      }));
      expect(verifyProof(statement, prove(statement, witness, root('coins')))).toEqual({
        ok: true,
      });
      // A nonce that is not the fixed one satisfies the equations, and no proof.
      const free = witness.map((each) => ({ ...each, nonce: each.nonce.map((byte) => byte ^ 1) }));
      expect(verifyProof(statement, prove(statement, free, root('coins'))).ok).toBe(false);
    },
  );

  it('never shares a nonce between quorums, levels, messages or requests', async () => {
    const { key } = await dealtKey('frost-ed25519', 2, 3);
    const contexts = [
      [requestFor(key, 'nonces'), [1, 3]],
      [requestFor(key, 'nonces'), [1, 2]],
      [requestFor(key, 'quorum'), [1, 3]],
      [requestFor(key, 'nonces', { nonce: new Uint8Array(32) }), [1, 3]],
      [requestFor(key, 'nonces', { message: new Uint8Array(1) }), [1, 3]],
    ] as const;
    const seen = contexts.map(([{ request, requestBytes }, quorum]) =>
      toHex(nonceContext(scalarContext(key, request, requestBytes, quorum))),
    );
    const other = await dealtKey('frost-ed25519', 2, 3, 'another');
    const { request, requestBytes } = requestFor(other.key, 'nonces');
    seen.push(toHex(nonceContext(scalarContext(other.key, request, requestBytes, [1, 3]))));
    expect(new Set(seen).size).toBe(6);
  });

  it('refuses what public data alone can forge: equations of one nonce, and E of nothing', async () => {
    const dealt = await dealtKey('frost-ed25519', 2, 3);
    const { key } = dealt;
    const { request, requestBytes } = requestFor(key, 'nonces');
    const about = scalarContext(key, request, requestBytes, [1, 3]);
    // A signature made elsewhere, and z_1 chosen at will: D_1 and D_3 follow from the equations.
    const real = await traced(dealt, 'quorum');
    const { suite } = key.group;
    const { base, order } = suite.group;
    const nonce = suite.group.decode(real.trace.signature.slice(0, 32), 'R');
    const z = suite.decodeScalar(real.trace.signature.slice(32), 'z');
    const challenge = suite.challenge(nonce, key.group.key, request.message);
    const lagrange = new Map([
      [1, 3n * modInverse(2n, order)],
      [3, (order - 1n) * modInverse(2n, order)],
    ]);
    const scalars = [12345n, (z - 12345n + order) % order];
    const forged = [1, 3].map((number, i) => {
      const share = key.group.publicShares.get(number) as typeof nonce;
      const factor = ((lagrange.get(number) as bigint) * challenge) % order;
      const point = base
        .multiplyUnsafe(scalars[i] as bigint)
        .add(share.multiplyUnsafe(factor).negate());
      const bytes = suite.encodeScalar(scalars[i] as bigint).reverse();
      return { hiding: point.toBytes(), binding: undefined, z: bytes };
    });
    const signed = { signature: real.trace.signature, shares: forged };
    expect(checkEquations(about, signed).ok).toBe(true);
    const trace = { ...real.trace, ...signed, level: 'nonces' as const, circuitId: 3 };
    const question = { key, request, requestBytes, trace, what: 'trace' };
    expect((await checkScalarTrace(question)).ok).toBe(false);
    const identity = new Uint8Array(32);
    identity[0] = 1;
    const paired = forged.map((each) => ({ ...each, binding: identity }));
    const atQuorum = requestFor(key, 'quorum');
    const relaxed = { ...real.trace, shares: paired };
    expect((await checkScalarTrace({ key, ...atQuorum, trace: relaxed, what: 'trace' })).ok).toBe(
      false,
    );
  });
});

function modInverse(a: bigint, q: bigint): bigint {
  let [result, base, exponent] = [1n, a % q, q - 2n];
  for (; exponent > 0n; exponent >>= 1n) {
    if (exponent & 1n) result = (result * base) % q;
    base = (base * base) % q;
  }
  return result;
}

describe('level quorum', () => {
  it('holds at 219 repetitions, and not for another request, quorum, group, or with a region flipped', async () => {
    const dealt = await dealtKey('frost-ed25519', 2, 3);
    const { trace, asked, check } = await traced(dealt, 'quorum', { quorum: [1, 3] });
    const verdict = await check();
    expect(verdict.claims.filter(({ ok }) => !ok)).toEqual([]);
    const { request, policy, valid, shares, membership, freshProof } = WORDS;
    expect(verdict.claims.map(({ claim }) => claim)).toEqual([
      request,
      policy,
      valid,
      shares('1, 3'),
      membership('1, 3'),
      freshProof,
    ]);
    const flip = (at: number): Uint8Array =>
      trace.proof.map((byte, i) => (i === at ? byte ^ 1 : byte));
    for (const change of [{ proof: flip(5) }, { proof: flip(40) }, { proof: flip(5000) }]) {
      expect((await check(change)).ok).toBe(false);
    }
    const other = await dealtKey('frost-ed25519', 2, 3, 'another');
    for (const question of [
      { key: dealt.key, ...requestFor(dealt.key, 'quorum', { nonce: new Uint8Array(32) }) },
      { key: dealt.key, ...requestFor(dealt.key, 'quorum', { quorum: [1, 2] }) },
      { key: other.key, ...asked },
    ]) {
      expect((await checkScalarTrace({ ...question, trace, what: 'trace' })).ok).toBe(false);
    }
  });

  it('takes no share of another key, or of another number', async () => {
    const [dealt, other] = [
      await dealtKey('frost-p256', 2, 3),
      await dealtKey('frost-p256', 2, 3, 'x'),
    ];
    const asked = requestFor(dealt.key, 'quorum');
    const [one] = dealt.signers([1]);
    const [stranger] = other.signers([3]);
    const wrong = [one, stranger] as NonNullable<typeof one>[];
    const proving = { key: dealt.key, ...asked, signers: wrong, twin: false };
    await expect(proveScalars(proving, machine)).rejects.toThrow(/share 3/u);
  });

  it('has no twins, and neither has level shares: FROST draws its nonces', async () => {
    const dealt = await dealtKey('frost-ed25519', 2, 3);
    for (const level of ['shares', 'quorum'] as const) {
      await expect(traced(dealt, level, {}, [1, 3], true)).rejects.toThrow(/twin/u);
    }
  });
});
