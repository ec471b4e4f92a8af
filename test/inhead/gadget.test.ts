import { describe, expect, it } from 'vitest';
import { sha256 } from '#crypto/hash';
import { interpolate, lagrangeFactors } from '#crypto/math/gf256';
import { concat, toHex, utf8 } from '#formats/bytes';
import { type Circuit, CircuitBuilder, FIRST_PUBLIC } from '#protocols/inhead/circuit';
import { add } from '#protocols/inhead/gadget/adder';
import { combineBytes } from '#protocols/inhead/gadget/interpolation';
import {
  bytesOfWords,
  COMPRESSION_ANDS,
  compressClear,
  compressWires,
  INITIAL_STATE,
  constantWord,
  wordsOfBytes,
} from '#protocols/inhead/gadget/sha256';
import { fromTwosComplement, integerWidth, toTwosComplement } from '#protocols/inhead/integer';
import { fromRows, lanesWords, toRows } from '#protocols/inhead/lane';
import { buildTraceCircuit, nonceHashes, type ScalarSize } from '#protocols/inhead/shape';
import { seeded } from './support.js';

/** One plain evaluation: the gates as they stand, with one bit a value. */
function evaluate(circuit: Circuit, input: Uint8Array): Uint8Array {
  const values = new Uint8Array(circuit.slots);
  values[1] = 1;
  const first = FIRST_PUBLIC + circuit.publicBits;
  for (let i = 0; i < 8 * input.length; i++) {
    values[first + i] = ((input[i >> 3] as number) >> (i & 7)) & 1;
  }
  for (let i = 0; i < circuit.code.length; i += 3) {
    const out = circuit.code[i] as number;
    const a = values[circuit.code[i + 1] as number] as number;
    const b = values[circuit.code[i + 2] as number] as number;
    values[out < 0 ? ~out : out] = out < 0 ? a & b : a ^ b;
  }
  const output = new Uint8Array((circuit.outputs.length + 7) >> 3);
  circuit.outputs.forEach((slot, i) => {
    output[i >> 3] = (output[i >> 3] as number) | ((values[slot] as number) << (i & 7));
  });
  return output;
}

/** SHA-256 of a message of any length by the circuit, block by block, as one circuit with the padding inside. */
function hashByCircuit(message: Uint8Array): Uint8Array {
  const padded = new Uint8Array(64 * Math.ceil((message.length + 9) / 64));
  padded.set(message);
  padded[message.length] = 0x80;
  new DataView(padded.buffer).setUint32(padded.length - 4, 8 * message.length);
  const builder = new CircuitBuilder(0, [{ owner: 0, bytes: padded.length }]);
  const wires = builder.inputWires(0);
  let state = INITIAL_STATE.map(constantWord);
  for (let at = 0; at < wires.length; at += 512) {
    state = compressWires(builder, state, wordsOfBytes(wires.slice(at, at + 512)));
  }
  builder.output(bytesOfWords(state));
  const circuit = builder.finish();
  expect(circuit.ands).toBe((padded.length / 64) * COMPRESSION_ANDS);
  return evaluate(circuit, padded);
}

describe('the gadget of SHA-256', () => {
  // FIPS 180-2 appendix B.1, B.2 and the empty message.
  it.each([
    ['', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
    ['abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
    [
      'abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq',
      '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
    ],
  ])('gives the published digest of %j', (message, digest) => {
    expect(toHex(hashByCircuit(utf8(message)))).toBe(digest);
  });

  it('agrees with another implementation on 119 bytes, the length of a commitment', () => {
    const message = seeded('sha')(119);
    expect(hashByCircuit(message)).toEqual(sha256(message));
  });

  it('is the same in clear', () => {
    const block = seeded('clear')(64);
    const padding = new Uint8Array(64);
    padding[0] = 0x80;
    padding[62] = 2;
    const state = compressClear(compressClear(INITIAL_STATE, block), padding);
    const digest = new Uint8Array(32);
    state.forEach((word, i) => {
      new DataView(digest.buffer).setUint32(4 * i, word);
    });
    expect(digest).toEqual(sha256(block));
  });
});

describe('the other gadgets', () => {
  it('adds modulo a power of two, one AND a bit but the last', () => {
    const builder = new CircuitBuilder(0, [
      { owner: 0, bytes: 5 },
      { owner: 0, bytes: 5 },
    ]);
    builder.output(add(builder, builder.inputWires(0), builder.inputWires(1)));
    const circuit = builder.finish();
    expect(circuit.ands).toBe(39);
    const random = seeded('add');
    const number = (bytes: Uint8Array): bigint => BigInt.asUintN(40, fromTwosComplement(bytes, 41));
    for (let i = 0; i < 200; i++) {
      const [a, b] = [random(5), random(5)];
      if (i < 8) a.fill(i & 1 ? 255 : 0);
      if (i < 4) b.fill(i & 2 ? 255 : 1);
      const sum = evaluate(circuit, concat(a, b));
      expect(number(sum)).toBe(BigInt.asUintN(40, number(a) + number(b)));
    }
  });

  it('interpolates as the arithmetic does, and costs no AND', () => {
    const random = seeded('gf');
    for (const xs of [[1], [1, 2], [2, 5, 255], [3, 4, 7, 9, 11]]) {
      const factors = lagrangeFactors(xs);
      const builder = new CircuitBuilder(
        0,
        xs.map(() => ({ owner: 0, bytes: 32 })),
      );
      builder.output(
        combineBytes(
          builder,
          [...factors].map((factor, i) => ({ factor, bits: builder.inputWires(i) })),
        ),
      );
      const circuit = builder.finish();
      expect(circuit.ands).toBe(0);
      const shares = xs.map(() => random(32));
      const expected = interpolate(xs.map((x, i) => ({ x, y: shares[i] as Uint8Array })));
      expect(evaluate(circuit, concat(...shares))).toEqual(expected);
    }
  });
});

describe('encodings', () => {
  it('has the widths of the specification', () => {
    expect([253, 256, 446, 512, 768].map(integerWidth)).toEqual([
      { part: 400, sum: 408 },
      { part: 400, sum: 408 },
      { part: 592, sum: 600 },
      { part: 656, sum: 664 },
      { part: 912, sum: 920 },
    ]);
  });

  it('writes two’s complement and reads it back', () => {
    for (const value of [0n, 1n, -1n, 255n, -256n, 2n ** 407n - 1n, -(2n ** 407n)]) {
      expect(fromTwosComplement(toTwosComplement(value, 51), 408)).toBe(value);
    }
  });

  it('turns strings into lanes and back, at every remainder, and never writes beyond its rows', () => {
    const random = seeded('lanes');
    for (const [lanes, bits] of [
      [1, 1],
      [31, 33],
      [32, 64],
      [33, 95],
      [219, 411],
    ] as const) {
      const words = lanesWords(lanes);
      const strings = Array.from({ length: lanes }, () => {
        const string = random((bits + 7) >> 3);
        const used = bits & 7;
        if (used !== 0) string[string.length - 1] = (string.at(-1) as number) & ((1 << used) - 1);
        return string;
      });
      const rows = new Int32Array((bits + 40) * words);
      toRows(strings, bits, { words: rows, stride: words, offset: 0 });
      expect(fromRows({ words: rows, stride: words, offset: 0 }, bits, lanes)).toEqual(strings);
      expect(rows.subarray(bits * words).every((word) => word === 0)).toBe(true);
    }
  });
});

describe('the circuits', () => {
  const short: ScalarSize = { scalarBytes: 32, randomnessBytes: 23, orderBits: 253 };
  const long: ScalarSize = { scalarBytes: 57, randomnessBytes: 32, orderBits: 446 };

  it('has as many ANDs as the gadgets say, and every slot that it uses', () => {
    const hash = COMPRESSION_ANDS;
    const counts = [
      [buildTraceCircuit({ kind: 'bytes', factors: [3, 2] }), 3 * hash],
      [
        buildTraceCircuit({ kind: 'scalar', size: short, openings: 2, nonces: false }),
        2 * (2 * 407 + hash),
      ],
      [
        buildTraceCircuit({ kind: 'scalar', size: short, openings: 1, nonces: true }),
        2 * 407 + 2 * 663 + 3 * hash,
      ],
      [
        buildTraceCircuit({ kind: 'scalar', size: long, openings: 1, nonces: true }),
        2 * 599 + 2 * 919 + 8 * hash,
      ],
    ] as const;
    for (const [{ circuit }, ands] of counts) {
      expect(circuit.ands).toBe(ands);
      const { code, slots, outputs } = circuit;
      expect(code.every((each) => (each < 0 ? ~each : each) < slots)).toBe(true);
      expect(outputs.every((slot) => slot < slots)).toBe(true);
    }
    expect([short, long].map(nonceHashes)).toEqual([2, 3]);
  });

  it('depends on the factors in its wires only, never in its length', () => {
    const [a, b] = [
      [1, 1],
      [2, 3],
    ].map((factors) => buildTraceCircuit({ kind: 'bytes', factors }));
    expect(a?.circuit.ands).toBe(b?.circuit.ands);
    expect(a?.circuit.outputs.length).toBe(b?.circuit.outputs.length);
  });
});
