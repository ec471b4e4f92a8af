import { describe, expect, it } from 'vitest';
import { equal, toHex } from '#formats/bytes';
import { InputError } from '#formats/errors';
import { rootOf, saltOf, seedOf, tritsOf, PARTICIPANTS } from '#protocols/inhead/hash-input';
import { decodeProof, encodeProof, type OpenedPair, type Proof } from '#protocols/inhead/proof';
import { prove } from '#protocols/inhead/prover';
import { verifyProof } from '#protocols/inhead/verifier';
import { thorough } from '../support/require.js';
import { type Case, bytesCase, root, scalarCase, seeded } from './support.js';

const curves = ['edwards25519', 'sec-256k1', 'nist-p256', 'edwards448'];
const refused = { ok: false, reason: expect.any(String) as string };

function proven({ statement, openings }: Case, coins = 'coins'): Proof {
  return prove(statement, openings, root(coins));
}

describe('an honest proof', () => {
  it('of byte-wise shares convinces at 219 repetitions, in as many bytes as its format says', () => {
    const { statement, openings } = bytesCase(3, 219);
    const bytes = encodeProof(prove(statement, openings, root('coins')));
    const proof = decodeProof(bytes, statement.trace.circuit, 219, 'proof');
    expect(verifyProof(statement, proof)).toEqual({ ok: true });
    expect(equal(encodeProof(proof), bytes)).toBe(true);
    expect(bytes.length).toBeLessThan(2.7e6);
  });

  it.each(curves)('of scalar shares convinces, with nonces and without, over %s', async (curve) => {
    for (const nonces of [false, true]) {
      const made = await scalarCase(curve, 2, 5, { nonces });
      expect(verifyProof(made.statement, proven(made))).toEqual({ ok: true });
    }
  });

  it.runIf(thorough)('convinces at 219 repetitions with nonces', async () => {
    const made = await scalarCase('edwards25519', 3, 219, { nonces: true });
    const bytes = encodeProof(proven(made));
    const proof = decodeProof(bytes, made.statement.trace.circuit, 219, 'proof');
    expect(verifyProof(made.statement, proof)).toEqual({ ok: true });
    expect(bytes.length).toBeLessThan(6.2e6);
  });

  it('is the same byte for byte from the same root, and another from another', () => {
    const made = bytesCase(2, 3);
    expect(encodeProof(proven(made))).toEqual(encodeProof(proven(made)));
    expect(encodeProof(proven(made, 'other')).subarray(0, 64)).not.toEqual(
      encodeProof(proven(made)).subarray(0, 64),
    );
  });
});

describe('a proof that was changed', () => {
  const made = bytesCase(2, 9);
  const good = proven(made);
  const verdictOf = (pairs: readonly OpenedPair[], rest: Partial<Proof> = {}): unknown =>
    verifyProof(made.statement, { ...good, ...rest, pairs });
  const flipped = (bytes: Uint8Array): Uint8Array =>
    bytes.map((byte, i) => (i === 7 ? byte ^ 1 : byte));

  it('is refused in every region: seeds, views, auxiliary inputs, commitments', () => {
    for (const region of ['seedP', 'seedQ', 'viewQ', 'auxiliary', 'commitment'] as const) {
      const at = good.pairs.findIndex((pair) => pair[region].length > 0);
      const pairs = good.pairs.map((pair, i) =>
        i === at ? { ...pair, [region]: flipped(pair[region]) } : pair,
      );
      expect(verdictOf(pairs), region).toEqual(refused);
    }
  });

  it('is refused with another salt, or another challenge', () => {
    expect(verdictOf(good.pairs, { salt: flipped(good.salt) })).toEqual(refused);
    // Another challenge that happens to open the same pairs is still not the hash.
    const circuit = made.statement.trace.circuit;
    const bytes = encodeProof(good);
    bytes[40] = (bytes[40] as number) ^ 1;
    const read = (): Proof => decodeProof(bytes, circuit, 9, 'proof');
    let verdict: unknown;
    try {
      verdict = verifyProof(made.statement, read());
    } catch (error) {
      verdict = error;
    }
    expect(verdict instanceof InputError || (verdict as { ok: boolean }).ok === false).toBe(true);
  });

  it('is refused for another statement: h0, an output, a public bit, other parameters', () => {
    const { statement } = made;
    for (const other of [
      { ...statement, h0: flipped(statement.h0) },
      { ...statement, output: flipped(statement.output) },
      { ...statement, publicBits: flipped(statement.publicBits) },
      { ...statement, parameters: { ...statement.parameters, circuitId: 2 } },
    ]) {
      expect(verifyProof(other, good)).toEqual(refused);
    }
  });

  it('is refused when spliced from two good ones', () => {
    const second = proven(made, 'second');
    const pairs = good.pairs.map((pair, i) => (i < 4 ? pair : (second.pairs[i] as OpenedPair)));
    expect(verdictOf(pairs)).toEqual(refused);
    expect(verdictOf(pairs, { salt: second.salt, challenge: second.challenge })).toEqual(refused);
    expect(verdictOf([...good.pairs].reverse())).toEqual(refused);
    expect(verdictOf(good.pairs.slice(1))).toEqual(refused);
  });

  it('does not parse with a length off by one, trailing bytes or padding that is not zero', () => {
    const { circuit } = made.statement.trace;
    const bytes = encodeProof(good);
    for (const wrong of [
      bytes.subarray(0, -1),
      bytes.subarray(1),
      new Uint8Array([...bytes, 0]),
      new Uint8Array(10),
    ]) {
      expect(() => decodeProof(wrong, circuit, 9, 'proof')).toThrow(InputError);
    }
    const padded = { ...circuit, ands: circuit.ands - 1 };
    const view = (good.pairs[0] as OpenedPair).viewQ.slice();
    view[view.length - 1] = 0xff;
    const spoiled = good.pairs.map((pair) => ({ ...pair, viewQ: view }));
    expect(() => decodeProof(encodeProof({ ...good, pairs: spoiled }), padded, 9, 'proof')).toThrow(
      /padded/u,
    );
  });
});

describe('points and scalars that do not belong together', () => {
  it('are refused: right x in the circuit and another in the group, and the other way round', async () => {
    const made = await scalarCase('edwards25519', 1, 6);
    const other = await scalarCase('edwards25519', 1, 6, { label: 'other' });
    expect(verifyProof(other.statement, proven(made))).toEqual(refused);
    const mixed = { ...made.statement, points: other.statement.points };
    expect(verifyProof(mixed, proven({ ...made, statement: mixed }))).toEqual(refused);
    const turned = { ...made.statement, output: other.statement.output };
    expect(verifyProof(turned, proven({ ...made, statement: turned }))).toEqual(refused);
  });
});

describe('what a proof must not tell', () => {
  it('never holds the hidden seed, a share or its randomness', () => {
    const made = bytesCase(2, 40);
    const bytes = toHex(encodeProof(proven(made)));
    const salt = saltOf(root('coins'));
    const trits = tritsOf(proven(made).challenge, 40);
    trits.forEach((trit, repetition) => {
      for (const k of PARTICIPANTS) {
        const seed = toHex(seedOf(root('coins'), salt, repetition, k));
        const hidden = k === ((trit + 2) % 3) + 1;
        expect(bytes.includes(seed)).toBe(!hidden);
      }
    });
    for (const { x, r } of made.openings) {
      expect(bytes).not.toContain(toHex(x));
      expect(bytes).not.toContain(toHex(r));
    }
  });

  it('shares no salt and no seed with another statement, even where the generator is stuck', () => {
    const random = new Uint8Array(64).fill(7);
    const secrets = [seeded('x')(32)];
    const salts = ['a', 'b', 'c'].map((name) => saltOf(rootOf(random, root(name), secrets)));
    expect(new Set(salts.map(toHex)).size).toBe(3);
    const [a, b] = [
      rootOf(random, root('a'), secrets),
      rootOf(random, root('a'), [seeded('y')(32)]),
    ];
    expect(equal(a as Uint8Array, b as Uint8Array)).toBe(false);
  });

  it('draws each of the three challenges as often as the others', () => {
    const counts = [0, 0, 0];
    for (let i = 0; i < 300; i++) {
      for (const trit of tritsOf(root(`challenge ${i}`).subarray(0, 32), 219)) {
        counts[trit] = (counts[trit] as number) + 1;
      }
    }
    // Chi squared with two degrees of freedom: 13.8 is exceeded once in a thousand.
    const expected = (300 * 219) / 3;
    const chi = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    expect(chi).toBeLessThan(13.8);
  });
});
