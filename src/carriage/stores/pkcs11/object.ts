/**
 * Keys as a token holds them: found by label and id, read, and told apart. Labels and ids are not unique in PKCS#11, so that a
 * search which finds two says so and picks neither.
 */
import { DerReader, derOctetString, derSequence, derUnsigned, TAG } from '#crypto/der';
import type { Descriptor } from '#crypto/descriptor';
import { allDescriptors } from '#crypto/registry';
import { equal, fromUtf8, toHex } from '#formats/bytes';
import { ConclaveError, InputError, MissingInputError, UsageError } from '#formats/errors';
import { type Attribute, CKA, CKK, CKO, type Handle, isUnavailable } from './cryptoki.js';
import { type Family, familyOf } from './family.js';
import type { Session } from './session.js';
import type { TokenUri } from './uri.js';

/** A private or secret key in a token. */
export interface KeyObject {
  readonly handle: Handle;
  readonly secret: boolean;
  readonly keyType: number;
  readonly label: string;
  readonly id: Uint8Array;
  /** The public key object with the same id. */
  readonly publicHandle: Handle | undefined;
}

/** What the token says of a key's origin; `null` where it does not say. A claim of its library, no evidence. */
export interface KeyAttributes {
  readonly local: boolean | null;
  readonly sensitive: boolean | null;
  readonly alwaysSensitive: boolean | null;
  readonly extractable: boolean | null;
  readonly neverExtractable: boolean | null;
  /** `null` for keys that were brought in from outside. */
  readonly keyGenMechanism: number | null;
}

/** What narrows a search. */
export type KeySearch = Pick<TokenUri, 'object' | 'id' | 'type'>;

/** All keys with this label and id, or all keys. */
export function keysIn(session: Session, search: KeySearch = {}): readonly KeyObject[] {
  const named: Attribute[] = [
    ...(search.object === undefined
      ? []
      : [{ type: CKA.LABEL, value: Buffer.from(search.object, 'utf8') }]),
    ...(search.id === undefined ? [] : [{ type: CKA.ID, value: Buffer.from(search.id) }]),
  ];
  const classes = [
    ...(search.type === 'secret-key' ? [] : [CKO.PRIVATE_KEY]),
    ...(search.type === 'private' ? [] : [CKO.SECRET_KEY]),
  ];
  return classes.flatMap((value) =>
    session
      .find([{ type: CKA.CLASS, value }, { type: CKA.TOKEN, value: true }, ...named])
      .map((handle) => readKey(session, handle, value === CKO.SECRET_KEY)),
  );
}

function readKey(session: Session, handle: Handle, secret: boolean): KeyObject {
  const id = new Uint8Array(session.attribute(handle, CKA.ID) ?? []);
  return {
    handle,
    secret,
    keyType: Number(session.number(handle, CKA.KEY_TYPE) ?? -1n),
    label: labelText(session.attribute(handle, CKA.LABEL)),
    id,
    publicHandle:
      secret || id.length === 0
        ? undefined
        : session.find([
            { type: CKA.CLASS, value: CKO.PUBLIC_KEY },
            { type: CKA.TOKEN, value: true },
            { type: CKA.ID, value: Buffer.from(id) },
          ])[0],
  };
}

/** Labels are UTF-8 by the standard; one that is not is shown by its bytes. */
function labelText(bytes: Buffer | undefined): string {
  if (bytes === undefined) return '';
  try {
    return fromUtf8(bytes, 'label').replace(/[\p{Cc}\0]/gu, '\ufffd');
  } catch {
    return toHex(bytes);
  }
}

/**
 * The one key that is meant.
 * @throws MissingInputError `E_KEY_NOT_FOUND`, UsageError `E_KEY_AMBIGUOUS`
 */
export function findKey(session: Session, search: KeySearch, where: string): KeyObject {
  const what =
    search.object ?? (search.id === undefined ? 'like that' : `with the id ${toHex(search.id)}`);
  const [only, ...others] = keysIn(session, search);
  if (only === undefined) {
    throw new MissingInputError({
      code: 'E_KEY_NOT_FOUND',
      message: `there is no key ${what} in the ${where}`,
      hint: 'see conclave hsm info',
    });
  }
  if (others.length > 0) {
    throw new UsageError({
      code: 'E_KEY_AMBIGUOUS',
      message: `${what} names ${1 + others.length} keys in the ${where}: ${[only, ...others].map(({ id }) => toHex(id)).join(', ')}`,
      hint: 'name the id: pkcs11:token=LABEL;id=%01%02...',
    });
  }
  return only;
}

/** What the token says of where the key comes from. */
export function attributesOf(session: Session, { handle }: KeyObject): KeyAttributes {
  const flag = (type: number): boolean | null => session.flag(handle, type) ?? null;
  const mechanism = session.number(handle, CKA.KEY_GEN_MECHANISM);
  return {
    local: flag(CKA.LOCAL),
    sensitive: flag(CKA.SENSITIVE),
    alwaysSensitive: flag(CKA.ALWAYS_SENSITIVE),
    extractable: flag(CKA.EXTRACTABLE),
    neverExtractable: flag(CKA.NEVER_EXTRACTABLE),
    keyGenMechanism: mechanism === undefined || isUnavailable(mechanism) ? null : Number(mechanism),
  };
}

/** What tells the algorithm of a key. */
export interface KeyShape {
  readonly keyType: number;
  readonly parameters?: Uint8Array | undefined;
  readonly modulusBits?: number | undefined;
  readonly length?: number | undefined;
  readonly parameterSet?: number | undefined;
}

/** Reads the shape of a key. */
export function shapeOf(session: Session, key: KeyObject): KeyShape {
  const { keyType, handle, publicHandle } = key;
  const either = (type: number): Buffer | undefined =>
    session.attribute(handle, type) ??
    (publicHandle === undefined ? undefined : session.attribute(publicHandle, type));
  switch (keyType) {
    case CKK.RSA: {
      const modulus = either(CKA.MODULUS);
      return { keyType, modulusBits: modulus === undefined ? undefined : bitLength(modulus) };
    }
    case CKK.EC:
    case CKK.EC_EDWARDS:
      return { keyType, parameters: either(CKA.EC_PARAMS) };
    case CKK.ML_DSA:
    case CKK.ML_KEM:
      return { keyType, parameterSet: Number(session.number(handle, CKA.PARAMETER_SET) ?? 0n) };
    default:
      return { keyType, length: Number(session.number(handle, CKA.VALUE_LEN) ?? 0n) };
  }
}

/** The algorithm of a key, or `undefined` where conclave knows none like it. */
export async function descriptorFor(shape: KeyShape): Promise<Descriptor | undefined> {
  for (const descriptor of await allDescriptors()) {
    const family = familyOf(descriptor);
    if (family !== undefined && fits(descriptor, family, shape)) return descriptor;
  }
  return undefined;
}

function fits(descriptor: Descriptor, family: Family, shape: KeyShape): boolean {
  if (family.keyType !== shape.keyType) return false;
  switch (family.kind) {
    case 'aes':
    case 'hmac':
      return descriptor.sizes.private === shape.length;
    case 'rsa':
      return family.modulusBits === shape.modulusBits;
    case 'ec': {
      const { parameters } = shape;
      return parameters !== undefined && family.parameters.some((each) => equal(each, parameters));
    }
    case 'lattice':
      return family.parameterSet === shape.parameterSet;
  }
}

/**
 * The raw public key of a key pair in a token, in conclave's form.
 * @throws InputError `E_TOKEN_PUBLIC_KEY` where the token holds none, or one of another form
 */
export function publicKeyIn(
  session: Session,
  key: KeyObject,
  descriptor: Descriptor,
  family: Family,
): Uint8Array {
  const read = (type: number): Buffer | undefined =>
    (key.publicHandle === undefined ? undefined : session.attribute(key.publicHandle, type)) ??
    session.attribute(key.handle, type);
  const what = `the public key ${key.label}`;
  try {
    switch (family.kind) {
      case 'ec': {
        const point = read(CKA.EC_POINT);
        if (point === undefined) break;
        // The standard wants an OCTET STRING; older tokens return the point itself, which has exactly its length.
        if (point.length === descriptor.sizes.public) return new Uint8Array(point);
        const reader = new DerReader(point, what);
        const inner = new Uint8Array(reader.octetString());
        reader.end();
        if (inner.length === descriptor.sizes.public) return inner;
        break;
      }
      case 'rsa': {
        const modulus = read(CKA.MODULUS);
        const exponent = read(CKA.PUBLIC_EXPONENT);
        if (modulus === undefined || exponent === undefined) break;
        return derSequence(derUnsigned(modulus), derUnsigned(exponent));
      }
      case 'lattice': {
        const value = key.publicHandle && session.attribute(key.publicHandle, CKA.VALUE);
        if (value?.length === descriptor.sizes.public) return new Uint8Array(value);
        break;
      }
      case 'aes':
      case 'hmac':
        break;
    }
  } catch (error) {
    if (!(error instanceof ConclaveError) || error.code !== 'E_DER_MALFORMED') throw error;
  }
  throw new InputError({
    code: 'E_TOKEN_PUBLIC_KEY',
    message: `${what} is not in the token, or not in a form that PKCS#11 defines`,
    hint: 'put the public key beside the private one, under the same id',
  });
}

/** Attributes that describe a public key to a token. */
export function publicTemplate(
  family: Family,
  publicKey: Uint8Array,
  parameters: Buffer | undefined,
): readonly Attribute[] {
  switch (family.kind) {
    case 'ec':
      return [
        { type: CKA.EC_PARAMS, value: parameters ?? family.parameters[0] },
        { type: CKA.EC_POINT, value: Buffer.from(derOctetString(publicKey)) },
      ];
    case 'rsa': {
      const { modulus, exponent } = rsaParts(publicKey);
      return [
        { type: CKA.MODULUS, value: modulus },
        { type: CKA.PUBLIC_EXPONENT, value: exponent },
      ];
    }
    case 'lattice':
      return [
        { type: CKA.PARAMETER_SET, value: family.parameterSet },
        { type: CKA.VALUE, value: Buffer.from(publicKey) },
      ];
    case 'aes':
    case 'hmac':
      return [];
  }
}

/** Modulus and exponent of an RSAPublicKey (RFC 8017 §A.1.1), without leading zeroes. */
export function rsaParts(publicKey: Uint8Array): { modulus: Buffer; exponent: Buffer } {
  const outer = new DerReader(publicKey, 'RSA public key');
  const key = outer.sequence();
  outer.end();
  const modulus = stripped(key.content(TAG.integer));
  const exponent = stripped(key.content(TAG.integer));
  key.end();
  return { modulus, exponent };
}

/** Big-endian bytes without leading zeroes; PKCS#11 calls it a big integer. */
export function stripped(bytes: Uint8Array): Buffer {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start++;
  return Buffer.from(bytes.subarray(start));
}

function bitLength(bytes: Uint8Array): number {
  const value = stripped(bytes);
  return value.length * 8 - Math.clz32(value[0] ?? 0) + 24;
}
