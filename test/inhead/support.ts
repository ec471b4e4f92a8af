/** Statements over small made-up keys, seeded, for the tests of proofs. */
import { sha256, shake256 } from '#crypto/hash';
import { interpolate, lagrangeFactors } from '#crypto/math/gf256';
import { encodeScalar, loadGroup, mod, type PrimeGroup } from '#crypto/math/prime-group';
import { concat, utf8 } from '#formats/bytes';
import { nonceHashes, type ScalarSize } from '#protocols/inhead/shape';
import { makeStatement, type Statement } from '#protocols/inhead/statement';
import type { SecretOpening } from '#protocols/inhead/prover';
import { fromBigEndian } from '#protocols/inhead/integer';

/** Bytes that a test can name again. */
export function seeded(label: string): (length: number) => Uint8Array {
  let count = 0;
  return (length) => shake256(length, utf8(`${label}/${count++}`));
}

export const root = (label: string): Uint8Array => shake256(64, utf8(label));

/** A statement and what proves it. */
export interface Case {
  readonly statement: Statement;
  readonly openings: readonly SecretOpening[];
  readonly group?: PrimeGroup;
}

/** Byte-wise shares 1 … n of a secret, all of them a quorum. */
export function bytesCase(count: number, repetitions: number, label = 'bytes'): Case {
  const random = seeded(label);
  const factors = [...lagrangeFactors(Array.from({ length: count }, (_, i) => i + 1))];
  const openings = factors.map(() => ({ x: random(32), r: random(23) }));
  const secret = interpolate(openings.map(({ x }, i) => ({ x: i + 1, y: x })));
  const block = random(64);
  const firstBlocks = openings.map(() => random(64));
  const statement = makeStatement({
    h0: sha256(utf8(label)),
    parameters: { repetitions, circuitId: 1 },
    shape: { kind: 'bytes', factors },
    openings: openings.map(({ x, r }, i) => ({
      firstBlocks: [firstBlocks[i] as Uint8Array],
      commitment: sha256(firstBlocks[i] as Uint8Array, x, r),
      points: [],
    })),
    secret: { firstBlock: block, commitment: sha256(block, secret, new Uint8Array(23)) },
  });
  return { statement, openings };
}

/** How many bits the order of a group has, and the lengths that follow. */
export function sizeOf(group: PrimeGroup): ScalarSize {
  return {
    scalarBytes: group.scalarBytes,
    randomnessBytes: group.scalarBytes === 32 ? 23 : 32,
    orderBits: group.order.toString(2).length,
  };
}

/** Scalar shares over a curve, with nonces where asked. */
export async function scalarCase(
  curve: string,
  count: number,
  repetitions: number,
  options: { readonly nonces?: boolean; readonly spare?: number; readonly label?: string } = {},
): Promise<Case> {
  const group = await loadGroup(curve);
  const size = sizeOf(group);
  const random = seeded(`${options.label ?? 'scalar'}/${curve}`);
  const all = Array.from({ length: count }, () => {
    const value = mod(fromBigEndian(random(80)), group.order);
    const x = encodeScalar(value, group);
    const r = random(size.randomnessBytes);
    const blocks = [
      random(64),
      ...(options.nonces === true
        ? Array.from({ length: nonceHashes(size) }, () => random(64))
        : []),
    ];
    const digests = blocks.slice(1).map((block) => sha256(block, x, r));
    const nonce = concat(...digests);
    const points = [value, ...(options.nonces === true ? [fromBigEndian(nonce)] : [])].map(
      (scalar) => group.base.multiply(mod(scalar, group.order)),
    );
    const secret = options.nonces === true ? { x, r, nonce } : { x, r };
    return {
      secret,
      opening: { firstBlocks: blocks, commitment: sha256(blocks[0] as Uint8Array, x, r), points },
    };
  });
  const statement = makeStatement({
    h0: sha256(utf8(options.label ?? curve)),
    parameters: { repetitions, circuitId: 1 },
    shape: {
      kind: 'scalar',
      size,
      openings: count,
      nonces: options.nonces === true,
      ...(options.spare === undefined ? {} : { spare: options.spare }),
    },
    openings: all.map(({ opening }) => opening),
    group,
  });
  return { statement, openings: all.map(({ secret }) => secret), group };
}
