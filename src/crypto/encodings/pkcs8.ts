/**
 * PKCS#8: writing as the seed, reading every form that the standards know.
 * @see RFC 5958 §2, RFC 5915 §3, RFC 8410 §7, RFC 9881 §6, RFC 9935 §6
 */
import { equal, equalConstantTime } from '#formats/bytes';
import { InputError } from '#formats/errors';
import { DerReader, TAG } from '../der.js';
import type { Descriptor, ExpandedKey, Implementation } from '../descriptor.js';
import { assertLength } from '../lengths.js';
import { assertKeySize, fitting, readAlgorithm } from './spki.js';
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
  const candidates = await readAlgorithm(info.sequence(), what);
  const wrapped = info.octetString();
  const publicKey = version === 1 ? optionalPublicKey(info) : undefined;
  if (version > 1) throw info.fail(`version ${version + 1}`);
  info.end();
  const { key, publicKey: held } = await readKey(candidates, wrapped, what);
  const implementation = await key.descriptor.load();
  try {
    for (const belonging of [publicKey, held]) {
      if (belonging !== undefined) assertPair(implementation, key, belonging, what);
    }
    return key;
  } catch (error) {
    (key.form === 'expanded' ? key.expanded : key.secret).fill(0);
    throw error;
  }
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

/** A key as read, with the public key that the algorithm's own form holds, if any. */
interface Read {
  readonly key: Pkcs8Key;
  readonly publicKey?: Uint8Array;
}

async function readKey(
  candidates: readonly [Descriptor, ...Descriptor[]],
  wrapped: Uint8Array,
  what: string,
): Promise<Read> {
  const [first] = candidates;
  const { pkcs8, sizes, rearrange, name } = first;
  const label = `${what} (${name})`;
  switch (pkcs8) {
    case 'seed-choice':
      return { key: readChoice(first, await first.load(), wrapped, what) };
    case 'ec':
      return readEcKey(first, wrapped, what);
    case 'with-public': {
      const root = sizes.public / 2;
      assertLength(wrapped, sizes.private + root, label);
      const secret = new Uint8Array(wrapped.subarray(0, sizes.private));
      const publicKey = new Uint8Array(wrapped.subarray(sizes.private - root));
      return { key: { form: 'raw', descriptor: first, secret }, publicKey };
    }
    case 'octet-string': {
      const inner = new DerReader(wrapped, what);
      const bytes = inner.octetString();
      inner.end();
      assertLength(bytes, sizes.private, label);
      return { key: { form: 'raw', descriptor: first, secret: new Uint8Array(bytes) } };
    }
    default: {
      const secret = rearrange?.fromPkcs8(wrapped, label) ?? new Uint8Array(wrapped);
      try {
        const fits = (each: Descriptor): boolean => each.sizes.private === secret.length;
        const descriptor = fitting(candidates, fits, what);
        assertLength(secret, descriptor.sizes.private, label);
        return { key: { form: 'raw', descriptor, secret } };
      } catch (error) {
        secret.fill(0);
        throw error;
      }
    }
  }
}

/** ECPrivateKey: the curve, if it is named again, must be that of the AlgorithmIdentifier. */
function readEcKey(descriptor: Descriptor, wrapped: Uint8Array, what: string): Read {
  const { parameters, sizes, name } = descriptor;
  const outer = new DerReader(wrapped, what);
  const key = outer.sequence();
  outer.end();
  if (key.smallInteger() !== 1) throw key.fail('an ECPrivateKey of another version');
  const secret = key.octetString();
  if (key.peek() === TAG.explicit(0)) {
    const named = key.explicit(0);
    const curve = named.oid();
    named.end();
    if (typeof parameters !== 'object' || curve !== parameters.curve) {
      throw inconsistent(`${what}: its two names of a curve differ`);
    }
  }
  let publicKey: Uint8Array | undefined;
  if (key.peek() === TAG.explicit(1)) {
    const held = key.explicit(1);
    publicKey = new Uint8Array(held.bitString());
    held.end();
    descriptor.assertPublicForm?.(publicKey, `${what} (${name})`);
  }
  key.end();
  assertLength(secret, sizes.private, `${what} (${name})`);
  return {
    key: { form: 'raw', descriptor, secret: new Uint8Array(secret) },
    ...(publicKey === undefined ? {} : { publicKey }),
  };
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
  throw inconsistent(`${what}: the public key inside does not belong to the private key`);
}

function inconsistent(message: string): InputError {
  return new InputError({ code: 'E_KEY_INCONSISTENT', message });
}
