/**
 * A second prover, gate by gate and one repetition after another, that can be told to lie. That the verifier accepts it when it is
 * honest is one more check of the real one; what it can get through when it lies is what soundness means.
 */
import { mod, type GroupPoint } from '#crypto/math/prime-group';
import { sha256 } from '#crypto/hash';
import { u16be, utf8 } from '#formats/bytes';
import { FIRST_PUBLIC, inputBytes, inputPlace } from '#protocols/inhead/circuit';
import {
  challengeOf,
  type Participant,
  PARTICIPANTS,
  successor,
  tapeOf,
  tritsOf,
  viewCommitment,
} from '#protocols/inhead/hash-input';
import { fromLittleEndian, toTwosComplement } from '#protocols/inhead/integer';
import { openedFirst, opensThird, type Proof, viewBytes } from '#protocols/inhead/proof';
import { encodePoints, type Statement } from '#protocols/inhead/statement';

/** What it puts in, honest or not. */
export interface Witness {
  /** What the parts of each integer add up to, over the integers. */
  readonly integers: readonly bigint[];
  /** Byte strings that are shared by XOR, in the order of the inputs. */
  readonly shared: readonly Uint8Array[];
}

/** How it lies. */
export interface Lie {
  /** Which results of multiplications come out otherwise than an honest run's, by a wrong answer of participant 1. */
  readonly changed?: (and: number) => boolean;
  /** From this multiplication on everything is computed honestly, from what the lies before made of it. */
  readonly until?: number;
  /** Draws seeds anew until part 3 of every integer fits this many bits. */
  readonly fits?: number;
}

const bit = (bytes: Uint8Array, at: number): number => ((bytes[at >> 3] as number) >> (at & 7)) & 1;

export function plainProve(
  statement: Statement,
  witness: Witness,
  label: string,
  lie: Lie = {},
): Proof {
  const { h0, parameters, trace, group } = statement;
  const { circuit, integers } = trace;
  const salt = sha256(utf8(`salt ${label}`));
  const masks = viewBytes(circuit);
  const runs = Array.from({ length: parameters.repetitions }, (_, repetition) => {
    for (let attempt = 0; ; attempt++) {
      const seeds = PARTICIPANTS.map((k) => sha256(utf8(`${label} ${repetition} ${k} ${attempt}`)));
      const tapes = PARTICIPANTS.map((k) =>
        tapeOf(
          seeds[k - 1] as Uint8Array,
          salt,
          repetition,
          k,
          masks + (k === 3 ? 0 : inputBytes(circuit, k)),
        ),
      );
      const own = [tapes[0]?.subarray(masks), tapes[1]?.subarray(masks)] as Uint8Array[];
      const third = new Uint8Array(inputBytes(circuit, 3));
      own.push(third);
      const field = (k: Participant, at: number): Uint8Array => {
        const { from, to } = inputPlace(circuit, k, at);
        return (own[k - 1] as Uint8Array).subarray(from, to);
      };
      const rest = integers.map(
        ({ field: at }, i) =>
          (witness.integers[i] as bigint) -
          fromLittleEndian(field(1, at)) -
          fromLittleEndian(field(2, at + 1)),
      );
      if (
        lie.fits !== undefined &&
        rest.some((value) => BigInt.asIntN(lie.fits as number, value) !== value)
      ) {
        continue;
      }
      integers.forEach(({ field: at }, i) => {
        const place = field(3, at + 2);
        place.set(toTwosComplement(rest[i] as bigint, place.length));
      });
      let shared = 0;
      circuit.inputs.forEach(({ owner }, at) => {
        if (owner !== 0) return;
        const secret = witness.shared[shared++] as Uint8Array;
        field(3, at).set(
          secret.map((byte, i) => byte ^ (field(1, at)[i] as number) ^ (field(2, at)[i] as number)),
        );
      });
      const points = PARTICIPANTS.map((k) => {
        if (group === undefined) return new Uint8Array(0);
        const parts = integers.map(({ field: at }, i): GroupPoint => {
          const value = k === 3 ? (rest[i] as bigint) : fromLittleEndian(field(k, at + k - 1));
          return group.base.multiplyUnsafe(mod(value, group.order));
        });
        return encodePoints(parts) as Uint8Array;
      });
      const honest = evaluate(statement, tapes, own, () => undefined);
      const { changed, until = Infinity } = lie;
      const run =
        changed === undefined
          ? honest
          : evaluate(statement, tapes, own, (and) =>
              and < until ? (honest.results[and] as number) ^ (changed(and) ? 1 : 0) : undefined,
            );
      return { seeds, third, points, ...run };
    }
  });
  const coms = runs.map(({ seeds, third, points, views }, repetition) =>
    PARTICIPANTS.map((k) =>
      viewCommitment(salt, repetition, k, {
        seed: seeds[k - 1] as Uint8Array,
        auxiliary: k === 3 ? third : new Uint8Array(0),
        view: views[k - 1] as Uint8Array,
        points: points[k - 1] as Uint8Array,
      }),
    ),
  );
  const first = runs.flatMap(({ outputs, points }, i) =>
    PARTICIPANTS.flatMap((k) => [coms[i]?.[k - 1], outputs[k - 1], points[k - 1]] as Uint8Array[]),
  );
  const challenge = challengeOf(h0, salt, parameters, first);
  const pairs = Array.from(tritsOf(challenge, runs.length), (trit, i) => {
    const { seeds, views, third } = runs[i] as (typeof runs)[number];
    const p = openedFirst(trit);
    const q = successor(p);
    return {
      seedP: seeds[p - 1] as Uint8Array,
      seedQ: seeds[q - 1] as Uint8Array,
      viewQ: views[q - 1] as Uint8Array,
      auxiliary: opensThird(trit) ? third : new Uint8Array(0),
      commitment: coms[i]?.[successor(q) - 1] as Uint8Array,
    };
  });
  return { salt, challenge, pairs };
}

function evaluate(
  { trace: { circuit }, publicBits, output }: Statement,
  tapes: readonly Uint8Array[],
  inputs: readonly Uint8Array[],
  wanted: (and: number) => number | undefined,
): { views: Uint8Array[]; outputs: Uint8Array[]; results: number[] } {
  const sums: number[] = [];
  const values = [0, 1, 2].map(() => new Uint8Array(circuit.slots)) as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ];
  values[0][1] = 1;
  values[0].set(publicBits, FIRST_PUBLIC);
  for (const k of PARTICIPANTS) {
    let slot = FIRST_PUBLIC + circuit.publicBits;
    let from = 0;
    for (const { owner, bytes } of circuit.inputs) {
      if (owner === 0 || owner === k) {
        for (let i = 0; i < 8 * bytes; i++) {
          (values[k - 1] as Uint8Array)[slot + i] = bit(inputs[k - 1] as Uint8Array, 8 * from + i);
        }
        from += bytes;
      }
      slot += 8 * bytes;
    }
  }
  const views = [0, 1, 2].map(() => new Uint8Array(viewBytes(circuit)));
  let and = 0;
  for (let i = 0; i < circuit.code.length; i += 3) {
    const [out, a, b] = circuit.code.subarray(i, i + 3) as unknown as [number, number, number];
    if (out >= 0) {
      for (const own of values) own[out] = (own[a] as number) ^ (own[b] as number);
      continue;
    }
    const results = [0, 1, 2].map((k) => {
      const [own, next] = [values[k] as Uint8Array, values[(k + 1) % 3] as Uint8Array];
      const masks = bit(tapes[k] as Uint8Array, and) ^ bit(tapes[(k + 1) % 3] as Uint8Array, and);
      const [x, y, xn, yn] = [own[a], own[b], next[a], next[b]] as [number, number, number, number];
      return (x & y) ^ (xn & y) ^ (x & yn) ^ masks;
    });
    const sum = results.reduce((all, z) => all ^ z, 0);
    sums.push(sum);
    const lies = (wanted(and) ?? sum) !== sum;
    results.forEach((z, k) => {
      const said = lies && k === 0 ? z ^ 1 : z;
      (values[k] as Uint8Array)[~out] = said;
      const view = views[k] as Uint8Array;
      view[and >> 3] = (view[and >> 3] as number) | (said << (and & 7));
    });
    and++;
  }
  const outputs = values.map((own) => {
    const bytes = new Uint8Array(output.length);
    circuit.outputs.forEach((slot, i) => {
      bytes[i >> 3] = (bytes[i >> 3] as number) | ((own[slot] as number) << (i & 7));
    });
    return bytes;
  });
  return { views, outputs, results: sums };
}

/** The number as a label's part. */
export const numbered = (label: string, i: number): string =>
  `${label}/${Buffer.from(u16be(i)).toString('hex')}`;
