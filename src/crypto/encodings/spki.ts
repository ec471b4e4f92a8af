/**
 * SubjectPublicKeyInfo: the public key as every other program reads it.
 * @see RFC 5280 §4.1.2.7, RFC 5480 §2, RFC 8410 §4, RFC 9881 §4, RFC 9935 §4
 */
import { InputError, UsageError } from '#formats/errors';
import { derBitString, derNull, derOid, DerReader, derSequence, TAG } from '../der.js';
import type { Descriptor } from '../descriptor.js';
import { assertPublic } from '../lengths.js';
import { resolveOid } from '../registry.js';

/** Longest SPKI that is read; the largest key here is ML-DSA-87 with 2592 bytes. */
const MAX_BYTES = 64 * 1024;

/**
 * DER of SubjectPublicKeyInfo.
 * @param publicKey - raw public key
 * @throws {@link UsageError} `E_ENCODING_UNSUPPORTED` for algorithms without an object identifier
 * @throws {@link InputError} `E_LENGTH_WRONG`
 */
export function encodeSpki(descriptor: Descriptor, publicKey: Uint8Array): Uint8Array {
  const { oid, name, profile, kind } = descriptor;
  if (oid === undefined) {
    throw new UsageError({
      code: 'E_ENCODING_UNSUPPORTED',
      message: `${profile === '' ? name : `${name} (${profile})`} keys have no SPKI form`,
      hint:
        kind === 'symmetric'
          ? 'a secret key has no public side'
          : profile === 'ratify-v1'
            ? 'use the Ratify JSON form'
            : 'no standard gives it one: use --format raw',
    });
  }
  assertPublic(descriptor, publicKey);
  return derSequence(algorithmIdentifier(descriptor), derBitString(publicKey));
}

/**
 * AlgorithmIdentifier: the object identifier, and the parameters that its standard wants.
 * @see RFC 5280 §4.1.1.2, RFC 5480 §2.1.1, RFC 8017 appendix A.1
 */
export function algorithmIdentifier({ oid = '', parameters }: Descriptor): Uint8Array {
  if (parameters === undefined) return derSequence(derOid(oid));
  const beside = parameters === 'null' ? derNull() : derOid(parameters.curve);
  return derSequence(derOid(oid), beside);
}

/**
 * The public key in a SubjectPublicKeyInfo: canonical DER, a known algorithm with exactly its
 * parameters, the right length.
 * @param what - how errors name the input
 * @throws {@link InputError} `E_DER_MALFORMED`, `E_LENGTH_WRONG`, `E_ALGORITHM_UNSUPPORTED`, `E_KEY_TOO_LARGE`
 */
export async function decodeSpki(
  der: Uint8Array,
  what: string,
): Promise<{ readonly descriptor: Descriptor; readonly publicKey: Uint8Array }> {
  assertKeySize(der, MAX_BYTES, what);
  const outer = new DerReader(der, what);
  const info = outer.sequence();
  outer.end();
  const candidates = await readAlgorithm(info.sequence(), what);
  const publicKey = new Uint8Array(info.bitString());
  info.end();
  const descriptor = fitting(candidates, ({ sizes }) => sizes.public === publicKey.length, what);
  const label = `${what} (${descriptor.name})`;
  assertPublic(descriptor, publicKey, label);
  descriptor.assertPublicForm?.(publicKey, label);
  return { descriptor, publicKey };
}

/**
 * The descriptors that an AlgorithmIdentifier (its content) can mean: one, or several that differ in size.
 * @throws {@link InputError} `E_ALGORITHM_UNSUPPORTED`, `E_DER_MALFORMED`
 */
export async function readAlgorithm(
  algorithm: DerReader,
  what: string,
): Promise<readonly [Descriptor, ...Descriptor[]]> {
  const oid = algorithm.oid();
  const named = await resolveOid(oid);
  if (named.length === 0) throw unsupported(oid, what);
  const next = algorithm.peek();
  let curve: string | undefined;
  if (next === TAG.oid && named.some(hasCurve)) curve = algorithm.oid();
  if (next === TAG.null && named.some(({ parameters }) => parameters === 'null')) algorithm.null();
  algorithm.end();
  const [first, ...rest] = named.filter(
    (descriptor) =>
      (hasCurve(descriptor) ? descriptor.parameters.curve : undefined) === curve &&
      (descriptor.parameters === 'null') === (next === TAG.null),
  );
  if (first === undefined) throw unsupported(curve === undefined ? oid : `${oid}, ${curve}`, what);
  return [first, ...rest];
}

function hasCurve(
  descriptor: Descriptor,
): descriptor is Descriptor & { parameters: { curve: string } } {
  return typeof descriptor.parameters === 'object';
}

/**
 * The one among several descriptors that fits; of a single one, that one, so that its own length check can speak.
 * @throws {@link InputError} `E_ALGORITHM_UNSUPPORTED`
 */
export function fitting(
  candidates: readonly [Descriptor, ...Descriptor[]],
  fits: (descriptor: Descriptor) => boolean,
  what: string,
): Descriptor {
  const found = candidates.find(fits);
  if (found !== undefined) return found;
  if (candidates.length === 1) return candidates[0];
  throw new InputError({
    code: 'E_ALGORITHM_UNSUPPORTED',
    message: `${what} holds a key of a size or exponent that conclave does not use`,
    hint: `it knows ${candidates.map(({ name }) => name).join(', ')}`,
  });
}

function unsupported(identifier: string, what: string): InputError {
  return new InputError({
    code: 'E_ALGORITHM_UNSUPPORTED',
    message: `${what} holds a key of an algorithm that conclave does not know (${identifier})`,
  });
}

/**
 * Refuses encoded keys that are longer than any key can be.
 * @throws {@link InputError} `E_KEY_TOO_LARGE`
 */
export function assertKeySize(der: Uint8Array, maxBytes: number, what: string): void {
  if (der.length > maxBytes) {
    throw new InputError({
      code: 'E_KEY_TOO_LARGE',
      message: `${what} is longer than ${maxBytes} bytes: no key is that long`,
    });
  }
}
