/**
 * PKCS#8: writing as the seed, reading every form that the standards know.
 * @see RFC 5958 §2, RFC 8410 §7, RFC 9881 §6, RFC 9935 §6
 */
import { equal, equalConstantTime } from '#formats/bytes';
import { InputError } from '#formats/errors';
import { DerReader, TAG } from '../der.js';
import type { Descriptor, ExpandedKey, Implementation } from '../descriptor.js';
import { assertLength } from '../lengths.js';
import { assertKeySize, known } from './spki.js';
export { encodePrivateKeyInfo as encodePkcs8 } from './private-key-info.js';

/** Longest PKCS#8 that is read; the largest here is ML-DSA-87 in both forms with its public key. */
const MAX_BYTES = 64 * 1024;

/** What a PKCS#8 file held. Private bytes are owned by the caller, who wipes them. */
export type Pkcs8Key =
  | {
      /** `raw` has one form only; `both` held seed and expanded key, which were found to agree. */
      readonly form: 'raw' | 'seed' | 'both';
      readonly descriptor: Descriptor;
      /** Raw private form. */
      readonly secret: Uint8Array;
    }
  | {
      /** Only the expanded key, whose seed cannot be found again. */
      readonly form: 'expanded';
      readonly descriptor: Descriptor;
      readonly expanded: Uint8Array;
    };

/**
 * The private key in a PKCS#8 `OneAsymmetricKey`, in whichever form.
 *
 * A seed beside an expanded key must produce it, an expanded key alone must be consistent in itself, and a public key beside
 * the private one (version 2) must belong to it.
 * @param der - borrowed
 * @param what - how errors name the input
 * @throws {@link InputError} `E_DER_MALFORMED`, `E_LENGTH_WRONG`, `E_ALGORITHM_UNSUPPORTED`, `E_KEY_TOO_LARGE`,
 * `E_KEY_INCONSISTENT`, `E_KEY_FORM`
 */
export async function parsePkcs8(der: Uint8Array, what: string): Promise<Pkcs8Key> {
  assertKeySize(der, MAX_BYTES, what);
  const outer = new DerReader(der, what);
  const info = outer.sequence();
  outer.end();
  const version = info.smallInteger();
  const algorithm = info.sequence();
  const oid = algorithm.oid();
  const wrapped = info.octetString();
  const publicKey = version === 1 ? optionalPublicKey(info) : undefined;
  if (version > 1) throw info.fail(`version ${version + 1}`);
  info.end();
  const descriptor = await known(oid, what);
  algorithm.end();
  const implementation = await descriptor.load();
  const key = readKey(descriptor, implementation, wrapped, what);
  if (publicKey !== undefined) assertPair(implementation, key, publicKey, what);
  return key;
}

/**
 * The raw private form in a PKCS#8 `OneAsymmetricKey`; the caller owns and wipes it.
 * @param der - borrowed
 * @param what - how errors name the input
 * @throws {@link InputError} those of {@link parsePkcs8}, and `E_KEY_WITHOUT_SEED` for a key without its seed
 */
export async function decodePkcs8(
  der: Uint8Array,
  what: string,
): Promise<{ readonly descriptor: Descriptor; readonly secret: Uint8Array }> {
  const key = await parsePkcs8(der, what);
  if (key.form !== 'expanded') return { descriptor: key.descriptor, secret: key.secret };
  key.expanded.fill(0);
  throw new InputError({
    code: 'E_KEY_WITHOUT_SEED',
    message: `${what} holds an expanded ${key.descriptor.name} key without its seed`,
    hint: 'export it again with the seed; the seed cannot be computed from the expanded key',
  });
}

function optionalPublicKey(info: DerReader): Uint8Array | undefined {
  return info.peek() === TAG.context(1)
    ? info.bitStringContent(info.content(TAG.context(1)))
    : undefined;
}

function readKey(
  descriptor: Descriptor,
  implementation: Implementation,
  wrapped: Uint8Array,
  what: string,
): Pkcs8Key {
  const { pkcs8, sizes, rearrange, name } = descriptor;
  const label = `${what} (${name})`;
  if (pkcs8 === 'seed-choice') return readChoice(descriptor, implementation, wrapped, what);
  let bytes = wrapped;
  if (pkcs8 === 'octet-string') {
    const inner = new DerReader(wrapped, what);
    bytes = inner.octetString();
    inner.end();
  }
  assertLength(bytes, sizes.private, label);
  const secret = rearrange === undefined ? new Uint8Array(bytes) : rearrange.fromPkcs8(bytes);
  return { form: 'raw', descriptor, secret };
}

function readChoice(
  descriptor: Descriptor,
  implementation: Implementation,
  wrapped: Uint8Array,
  what: string,
): Pkcs8Key {
  const label = `${what} (${descriptor.name})`;
  const form = expandedForm(implementation);
  const choice = new DerReader(wrapped, what);
  const tag = choice.peek();
  if (tag === TAG.context(0)) {
    const seed = choice.content(tag);
    choice.end();
    assertLength(seed, descriptor.sizes.private, `${label}: seed`);
    return { form: 'seed', descriptor, secret: new Uint8Array(seed) };
  }
  if (tag === TAG.octetString) {
    const expanded = choice.octetString();
    choice.end();
    if (expanded.length === descriptor.sizes.private) {
      throw new InputError({
        code: 'E_KEY_FORM',
        message: `${label} holds its seed as an octet string, which no standard allows`,
        hint: 'write it again with a current tool: the seed is tagged [0] (RFC 9881, RFC 9935)',
      });
    }
    form.publicKey(expanded);
    return { form: 'expanded', descriptor, expanded: new Uint8Array(expanded) };
  }
  const both = choice.sequence();
  choice.end();
  const seed = both.octetString();
  const expanded = both.octetString();
  both.end();
  assertLength(seed, descriptor.sizes.private, `${label}: seed`);
  assertLength(expanded, form.length, `${label}: expanded key`);
  const computed = form.from(seed);
  const agree = equalConstantTime(computed, expanded);
  computed.fill(0);
  if (!agree) throw inconsistent(`${label}: the seed does not produce the expanded key`);
  return { form: 'both', descriptor, secret: new Uint8Array(seed) };
}

function expandedForm(implementation: Implementation): ExpandedKey {
  const form = 'expanded' in implementation ? implementation.expanded : undefined;
  if (form === undefined) throw new TypeError('a seed choice without an expanded form');
  return form;
}

function assertPair(
  implementation: Implementation,
  key: Pkcs8Key,
  publicKey: Uint8Array,
  what: string,
): void {
  if (implementation.kind === 'symmetric') return;
  const own =
    key.form === 'expanded'
      ? expandedForm(implementation).publicKey(key.expanded)
      : implementation.publicKey(key.secret);
  if (equal(own, publicKey)) return;
  (key.form === 'expanded' ? key.expanded : key.secret).fill(0);
  throw inconsistent(`${what}: the public key inside does not belong to the private key`);
}

function inconsistent(message: string): InputError {
  return new InputError({ code: 'E_KEY_INCONSISTENT', message });
}
