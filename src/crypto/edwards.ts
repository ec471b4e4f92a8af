/** What the Edwards curves have in common: public keys, and how base points are multiplied. */
import type { EdDSA } from '@noble/curves/abstract/edwards.js';
import { InputError } from '#formats/errors';
import type { Descriptor } from './descriptor.js';
import { assertPublic } from './lengths.js';

const prepared = new WeakSet<object>();

/**
 * Has a small table made of base point multiples, once for a curve: a program that signs once pays more for noble's large one
 * than it gains by it, and each time that its size is said noble throws away the one that it has.
 * @param curve - noble's
 */
export function prepareBase({ Point }: Pick<EdDSA, 'Point'>): void {
  if (prepared.has(Point)) return;
  Point.BASE.precompute(3);
  prepared.add(Point);
}

/**
 * Refuses a public key that is no point in its one spelling, or one of small order, under which signatures mean nothing.
 * @param curve - noble's
 * @throws {@link InputError} `E_LENGTH_WRONG`, `E_KEY_INVALID`
 * @see RFC 8032 §5.1.3, §5.2.3
 */
export function assertEdwardsKey(
  descriptor: Descriptor,
  { Point }: Pick<EdDSA, 'Point'>,
  publicKey: Uint8Array,
): void {
  assertPublic(descriptor, publicKey);
  let isSmall: boolean;
  try {
    isSmall = Point.fromBytes(publicKey, false).isSmallOrder();
  } catch (cause) {
    throw invalid(descriptor, 'it is not on the curve', cause);
  }
  if (isSmall) throw invalid(descriptor, 'its order is small, so that anybody can sign for it');
}

function invalid({ name }: Descriptor, problem: string, cause?: unknown): InputError {
  return new InputError({
    code: 'E_KEY_INVALID',
    message: `this is not a valid ${name} public key: ${problem}`,
    cause,
  });
}
