/** What a liar can get through, and how often. */
import { describe, expect, it } from 'vitest';
import { loadGroup, type PrimeGroup } from '#crypto/math/prime-group';
import { CircuitBuilder, ZERO } from '#protocols/inhead/circuit';
import { add } from '#protocols/inhead/gadget/adder';
import { fromBigEndian } from '#protocols/inhead/integer';
import { type Proof, viewBytes } from '#protocols/inhead/proof';
import type { Statement } from '#protocols/inhead/statement';
import { verifyProof } from '#protocols/inhead/verifier';
import { numbered, plainProve } from './plain-prover.js';
import { type Case, root, scalarCase } from './support.js';

const refused = { ok: false, reason: expect.any(String) as string };

/** The bridge alone: an integer whose bits are public, and its point. Small, so that many proofs can be made. */
function bridge(value: bigint, group: PrimeGroup, point: bigint, repetitions: number): Statement {
  const fields = [
    { owner: 1 as const, bytes: 50 },
    { owner: 2 as const, bytes: 50 },
    { owner: 3 as const, bytes: 51 },
  ];
  const builder = new CircuitBuilder(0, fields);
  const [a, b, c] = [0, 1, 2].map((i) =>
    Array.from({ length: 408 }, (_, j) => builder.inputWires(i)[j] ?? ZERO),
  ) as [number[], number[], number[]];
  builder.output(add(builder, add(builder, a, b), c));
  const output = new Uint8Array(51);
  for (let i = 0; i < 51; i++) output[i] = Number((value >> BigInt(8 * i)) & 0xffn);
  return {
    h0: root('bridge').subarray(0, 32),
    parameters: { repetitions, circuitId: 1 },
    trace: {
      shape: { kind: 'bytes', factors: [] },
      circuit: builder.finish(),
      integers: [{ part: 400, sum: 408, opening: 0, what: 'share', field: 0 }],
    },
    publicBits: new Uint8Array(0),
    output,
    group,
    points: [group.base.multiply(point)],
  };
}

/**
 * Results of the second adder's multiplications that have to come out otherwise for its sum to be another number: with
 * a ⊕ b ⊕ c = sum, a change of the sum is one of the carries, and a carry is the one before plus a result.
 */
function changes(circuitValue: bigint, groupValue: bigint): (and: number) => boolean {
  const difference = circuitValue ^ groupValue;
  const bitOf = (i: number): bigint => (difference >> BigInt(i)) & 1n;
  return (and) => and >= 407 && bitOf(and - 407) !== bitOf(and - 406);
}

describe('a cheating prover', () => {
  it('with another x in the group than in the circuit succeeds (2/3)^k of the time, and no more', async () => {
    const group = await loadGroup('edwards25519');
    const circuitValue = 12345n;
    const groupValue = 12347n;
    const witness = { integers: [groupValue], shared: [] };
    const TRIALS = 45;
    for (let k = 1; k <= 6; k++) {
      const statement = bridge(circuitValue, group, groupValue, k);
      let won = 0;
      for (let trial = 0; trial < TRIALS; trial++) {
        const changed = changes(circuitValue, groupValue);
        const proof = plainProve(statement, witness, numbered(`${k}`, trial), { changed });
        if (verifyProof(statement, proof).ok) won++;
      }
      const chance = (2 / 3) ** k;
      const deviation = Math.sqrt(TRIALS * chance * (1 - chance));
      expect(Math.abs(won - TRIALS * chance), `${won} of ${TRIALS} at ${k}`).toBeLessThan(
        3.5 * deviation,
      );
    }
  });

  it('is honest again when circuit and group have the same x', async () => {
    const group = await loadGroup('edwards25519');
    const statement = bridge(77n, group, 77n, 12);
    const proof = plainProve(statement, { integers: [77n], shared: [] }, 'honest');
    expect(verifyProof(statement, proof)).toEqual({ ok: true });
  });
});

describe('the bridge', () => {
  const plain = (made: Case, integers: readonly bigint[], label: string, fits?: number): Proof =>
    plainProve(
      made.statement,
      { integers, shared: made.openings.map(({ r }) => r) },
      label,
      fits === undefined ? {} : { fits },
    );

  it('accepts a second prover, written gate by gate', async () => {
    const made = await scalarCase('sec-256k1', 1, 2);
    const [x] = made.openings.map((each) => fromBigEndian(each.x)) as [bigint];
    expect(verifyProof(made.statement, plain(made, [x], 'second'))).toEqual({ ok: true });
    expect(viewBytes(made.statement.trace.circuit)).toBe(Math.ceil((2 * 407 + 22_696) / 8));
  });

  it('refuses x + m·q, whose high bits are not zero', async () => {
    const made = await scalarCase('edwards25519', 1, 3);
    const [x] = made.openings.map((each) => fromBigEndian(each.x)) as [bigint];
    const q = made.group?.order as bigint;
    for (const m of [1n, 8n, 2n ** 140n]) {
      expect(verifyProof(made.statement, plain(made, [x + m * q], `m ${m}`))).toEqual(refused);
    }
  });

  it('refuses a wrap by ±2^W', async () => {
    const made = await scalarCase('edwards25519', 1, 2);
    const group = made.group as PrimeGroup;
    const [x] = made.openings.map((each) => fromBigEndian(each.x)) as [bigint];
    for (const wrap of [2n ** 408n, -(2n ** 408n)]) {
      const moved = wrapped(made, group, x + wrap);
      expect(verifyProof(moved.statement, plain(moved, [x + wrap], 'wrap'))).toEqual(refused);
    }
  });

  it('would let +2^W through at W = B + 1, which is why it is wider; −2^W passes nowhere', async () => {
    const made = await scalarCase('edwards25519', 1, 2, { spare: 1 });
    const group = made.group as PrimeGroup;
    const [x] = made.openings.map((each) => fromBigEndian(each.x)) as [bigint];
    const up = wrapped(made, group, x + 2n ** 401n);
    expect(verifyProof(up.statement, plain(up, [x + 2n ** 401n], 'up', 401))).toEqual({ ok: true });
    const down = wrapped(made, group, x - 2n ** 401n);
    expect(verifyProof(down.statement, plain(down, [x - 2n ** 401n], 'down'))).toEqual(refused);
  });
});

/** The same commitment with the point of another integer. */
function wrapped(made: Case, group: PrimeGroup, integer: bigint): Case {
  const scalar = ((integer % group.order) + group.order) % group.order;
  return { ...made, statement: { ...made.statement, points: [group.base.multiply(scalar)] } };
}
