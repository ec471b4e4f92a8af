/**
 * The sealed package by itself, for a card whose share has no room for it: which set it belongs to, and its bytes.
 * @see docs/spec/share-card.md, "The sealed package"
 */
import { type Cbor, decodeCbor, encodeCbor } from '#formats/cbor';
import { InputError } from '#formats/errors';
import type { PackageBinding, SealedPackage } from './package.js';

/** First text in every such block. */
export const BOUND_PACKAGE_TYPE = 'conclave/share-package';

/** Longest block that is read: what fits the lines of a card. */
const MAX_BYTES = 4096;

/** A package and its set. */
export interface BoundPackage {
  readonly binding: PackageBinding;
  readonly sealed: SealedPackage;
}

/** The block as CBOR `{0: type, 1: 1, 2: set id, 3: root, 4: [nonce, sealed package]}`. */
export function encodeBoundPackage({ binding, sealed }: BoundPackage): Uint8Array {
  return encodeCbor(
    new Map<number, Cbor>([
      [0, BOUND_PACKAGE_TYPE],
      [1, 1],
      [2, binding.setId],
      [3, binding.root],
      [4, [sealed.nonce, sealed.sealed]],
    ]),
  );
}

/**
 * A strictly parsed block.
 * @param what - how errors name the input
 * @throws {@link InputError} `E_CBOR_MALFORMED`, `E_PACKAGE_MALFORMED`
 */
export function decodeBoundPackage(bytes: Uint8Array, what: string): BoundPackage {
  const map = decodeCbor(bytes, what, { maxBytes: MAX_BYTES, maxDepth: 2 });
  if (!(map instanceof Map) || map.size !== 5) throw malformed(what);
  const members = map as ReadonlyMap<number | string, Cbor>;
  const [type, version, setId, root, pair] = [0, 1, 2, 3, 4].map((key) => members.get(key));
  const [nonce, sealed, ...rest] = Array.isArray(pair) ? (pair as readonly Cbor[]) : [];
  if (
    type !== BOUND_PACKAGE_TYPE ||
    version !== 1 ||
    !(setId instanceof Uint8Array && setId.length === 32) ||
    !(root instanceof Uint8Array && root.length === 32) ||
    !(nonce instanceof Uint8Array && nonce.length === 12) ||
    !(sealed instanceof Uint8Array && sealed.length > 16) ||
    rest.length > 0
  ) {
    throw malformed(what);
  }
  return { binding: { setId, root }, sealed: { nonce, sealed } };
}

function malformed(what: string): InputError {
  return new InputError({
    code: 'E_PACKAGE_MALFORMED',
    message: `${what} carries no sealed package of conclave`,
  });
}
