/**
 * A key from outside into a token. It crosses the interface wrapped: under an AES key that itself crosses under an RSA key of
 * the token. In clear it goes only into a token that cannot unwrap its kind, and whoever asked is told.
 * @see PKCS#11 v3.1 §6.1.21 for the layout
 */
import { aesKwpWrap } from '#crypto/aes-kwp';
import type { Descriptor, Implementation, Purpose, RandomSource } from '#crypto/descriptor';
import { encodePrivateKeyInfo } from '#crypto/encodings/private-key-info';
import { assertPrivate } from '#crypto/lengths';
import { type OaepHash, rsaOaepSeal } from '#crypto/rsa-oaep';
import { ConclaveError, RefusedError, UnavailableError } from '#formats/errors';
import type { SecretBytes } from '#formats/secret-bytes';
import { challenge } from './challenge.js';
import { clearTemplate, wipeValues } from './clear-template.js';
import { type Attribute, CKA, CKK, CKM, CKO, type Handle } from './cryptoki.js';
import { type Family, familyOf, mechanismsFor } from './family.js';
import {
  attributesOf,
  findKey,
  type KeyAttributes,
  type KeyObject,
  type KeySearch,
  keysIn,
} from './object.js';
import { OAEP, oaepMechanism, OTHER_HASH, rsaPublicKeyIn } from './oaep.js';
import { asBuffer, type Session } from './session.js';
import type { Token } from './token.js';
import { assertFree, keyTemplate, OTHER_SPELLING, publicObject } from './template.js';

/** How the key may cross: `auto` wraps, and goes in clear only where the token cannot unwrap. */
export type ImportWay = 'auto' | 'wrapped' | 'clear';

/** A key to be imported. */
export interface ImportRequest {
  readonly descriptor: Descriptor;
  readonly implementation: Implementation;
  /** Raw private form; borrowed. */
  readonly secret: SecretBytes;
  readonly publicKey: Uint8Array;
  readonly label: string;
  /** CKA_ID. */
  readonly id: Uint8Array;
  readonly purposes?: readonly Purpose[] | undefined;
  readonly way: ImportWay;
  /** An RSA key of the token to wrap under; one for this import alone when not given. */
  readonly under?: KeySearch | undefined;
  readonly random: RandomSource;
}

/** What was done. */
export interface Imported {
  readonly key: KeyObject;
  /** For people and records. */
  readonly crossing: string;
  /** Whether the key crossed the interface in clear. */
  readonly clear: boolean;
  readonly check: string | undefined;
  readonly attributes: KeyAttributes;
}

/** Bits of the RSA key that lives for one import. */
const WRAPPING_BITS = 3072;

/**
 * Answers to the unwrapping itself that mean "not such keys". Everything else is trouble, and no reason to go in clear: above all
 * CKR_GENERAL_ERROR, which tokens give for whatever went wrong.
 */
const CANNOT: ReadonlySet<string> = new Set([
  'CKR_ATTRIBUTE_VALUE_INVALID',
  'CKR_CURVE_NOT_SUPPORTED',
  'CKR_FUNCTION_NOT_SUPPORTED',
  'CKR_KEY_TYPE_INCONSISTENT',
  'CKR_MECHANISM_INVALID',
  'CKR_TEMPLATE_INCONSISTENT',
]);

/** What SoftHSM 2.6 and openCryptoki 3.27 say to a key on an Edwards curve, and to no other kind. */
const CANNOT_EDWARDS = 'CKR_FUNCTION_FAILED';

/**
 * Imports and challenges a key. Whatever goes wrong after something was created removes it again.
 * @throws UnavailableError `E_TOKEN_ALGORITHM` where the token does not know such keys; OutputError `E_KEY_EXISTS`,
 * `E_KEY_NAME_TAKEN`; NegativeError `E_TOKEN_CHALLENGE`; and what the token answers
 */
export function importKey(token: Token, request: ImportRequest): Imported {
  const { descriptor, secret } = request;
  const mechanisms = token.mechanisms();
  const family = supportedFamily(descriptor, mechanisms, token.name, request.purposes);
  // Tokens take keys of a wrong length without a word.
  secret.use((raw) => {
    assertPrivate(descriptor, raw);
  });
  return token.session({ write: true }, (session) => {
    const again = alreadyThere(session, family, request);
    if (again !== undefined) return again;
    assertFree(session, request, token.name);
    const crossed = cross(session, mechanisms, family, request, token.name);
    const made: Handle[] = [crossed.handle];
    try {
      if (descriptor.kind !== 'symmetric') {
        made.push(session.create(publicObject(family, request), 'storing the public key'));
      }
      const [key] = keysIn(session, { object: request.label, id: request.id });
      if (key === undefined) throw vanished(request.label, token.name);
      const { implementation, publicKey, random, purposes } = request;
      const check = challenge(
        session,
        { handle: key.handle, descriptor, family },
        { implementation, publicKey, secret, random, purposes },
      );
      const { crossing, clear } = crossed;
      return { key, crossing, clear, check, attributes: attributesOf(session, key) };
    } catch (error) {
      removeQuietly(session, made);
      throw error;
    }
  });
}

/** The same key from an import before, cut short or not: completed and challenged, so that doing it again is harmless. */
function alreadyThere(
  session: Session,
  family: Family,
  request: ImportRequest,
): Imported | undefined {
  const { descriptor, implementation, publicKey, secret, random, purposes } = request;
  const [key, ...others] = keysIn(session, { id: request.id });
  if (key === undefined || others.length > 0) return undefined;
  if (descriptor.kind !== 'symmetric' && key.publicHandle === undefined) {
    const named = { ...request, label: key.label };
    session.create(publicObject(family, named), 'storing the public key');
  }
  const usable = { handle: key.handle, descriptor, family };
  const expected = { implementation, publicKey, secret, random, purposes };
  const check = challenge(session, usable, expected);
  const attributes = attributesOf(session, key);
  return { key, crossing: 'it was in the token already', clear: false, check, attributes };
}

/**
 * The family of an algorithm in a token that has its mechanisms.
 * @throws UnavailableError `E_TOKEN_ALGORITHM`
 */
export function supportedFamily(
  descriptor: Descriptor,
  mechanisms: ReadonlySet<number>,
  where: string,
  purposes?: readonly Purpose[],
): Family {
  const family = familyOf(descriptor);
  const needed = family === undefined ? [] : mechanismsFor(family, purposes);
  if (family !== undefined && needed.every((each) => mechanisms.has(each))) {
    return family;
  }
  const name = descriptor.profile === '' ? descriptor.name : `${descriptor.name} (hybrid)`;
  throw new UnavailableError({
    code: 'E_TOKEN_ALGORITHM',
    message:
      family === undefined
        ? `PKCS#11 has no ${name} keys, so that no token can hold one`
        : `the ${where} cannot use ${name} keys`,
    hint: 'key import or key generate with --store pkcs11:LABEL keeps such a key sealed on a token: stored, not protected by it',
  });
}

interface Crossed {
  readonly handle: Handle;
  readonly crossing: string;
  readonly clear: boolean;
}

function cross(
  session: Session,
  mechanisms: ReadonlySet<number>,
  family: Family,
  request: ImportRequest,
  where: string,
): Crossed {
  const { way, descriptor } = request;
  let because = 'it was asked for';
  if (way !== 'clear') {
    try {
      return crossWrapped(session, mechanisms, family, request, where);
    } catch (error) {
      if (!(error instanceof ConclaveError) || error.code !== 'E_TOKEN_CANNOT_UNWRAP') throw error;
      const ckr = error.details?.['ckr'];
      const said = typeof ckr === 'string' ? ` (${ckr})` : '';
      if (way === 'wrapped' || request.under !== undefined) {
        throw new RefusedError({
          code: 'E_TOKEN_CANNOT_UNWRAP',
          message: `the ${where} does not unwrap ${descriptor.name} keys${said}`,
          hint: 'say --way clear to pass it in clear, if nothing listens between this program and the token',
          cause: error,
        });
      }
      because =
        said === '' ? 'the token unwraps no keys' : `the token does not unwrap such keys${said}`;
    }
  }
  const handle = createClear(session, family, request);
  return { handle, crossing: `in clear: ${because}`, clear: true };
}

/** Passes the key itself, under each name that its curve may have in this token. */
function createClear(session: Session, family: Family, request: ImportRequest): Handle {
  const spellings = family.kind === 'ec' ? family.parameters : [Buffer.alloc(0)];
  let refusal: unknown;
  for (const parameters of spellings) {
    const template = clearTemplate(family, request, parameters);
    try {
      return session.create(template, 'taking in the key');
    } catch (error) {
      const ckr = error instanceof ConclaveError ? error.details?.['ckr'] : undefined;
      if (!OTHER_SPELLING.has(String(ckr))) throw error;
      refusal ??= error;
    } finally {
      wipeValues(template);
    }
  }
  throw refusal;
}

/** RFC 5649 by the number that this token knows. */
export function kwpOf(mechanisms: ReadonlySet<number>): number | undefined {
  return [CKM.AES_KEY_WRAP_KWP, CKM.AES_KEY_WRAP_PAD].find((each) => mechanisms.has(each));
}

function crossWrapped(
  session: Session,
  mechanisms: ReadonlySet<number>,
  family: Family,
  request: ImportRequest,
  where: string,
): Crossed {
  const { under } = request;
  const kwp = kwpOf(mechanisms);
  const makesPair = under !== undefined || mechanisms.has(CKM.RSA_PKCS_KEY_PAIR_GEN);
  if (kwp === undefined || !makesPair || !mechanisms.has(CKM.RSA_PKCS_OAEP)) {
    throw new UnavailableError({
      code: 'E_TOKEN_CANNOT_UNWRAP',
      message: `the ${where} unwraps no keys`,
    });
  }
  const pair = under === undefined ? momentary(session) : lasting(session, under, where);
  const kek = request.random(32);
  let aes: { readonly handle: Handle; readonly hash: OaepHash } | undefined;
  try {
    aes = unwrapKek(session, pair, kek);
    const payload = payloadOf(request);
    let wrapped: Buffer;
    try {
      wrapped = asBuffer(aesKwpWrap(kek, payload));
    } finally {
      payload.fill(0);
    }
    const handle = unwrapKey(session, kwp, aes.handle, wrapped, family, request);
    const key = under === undefined ? 'an RSA key made for it' : 'an RSA key of the token';
    return { handle, crossing: `wrapped (AES-KWP, OAEP ${aes.hash}) under ${key}`, clear: false };
  } finally {
    kek.fill(0);
    removeQuietly(session, [
      ...(aes === undefined ? [] : [aes.handle]),
      ...(under === undefined ? [pair.privateKey, pair.publicKey] : []),
    ]);
  }
}

/** Has the key unwrapped. @throws UnavailableError `E_TOKEN_CANNOT_UNWRAP` where the token says that it cannot, and what it says else */
function unwrapKey(
  session: Session,
  mechanism: number,
  under: Handle,
  wrapped: Buffer,
  family: Family,
  request: ImportRequest,
): Handle {
  try {
    return session.unwrap({ mechanism }, under, wrapped, keyTemplate(family, request));
  } catch (error) {
    const ckr = error instanceof ConclaveError ? String(error.details?.['ckr']) : '';
    const isEdwards = family.kind === 'ec' && !family.digests;
    if (!CANNOT.has(ckr) && !(isEdwards && ckr === CANNOT_EDWARDS)) throw error;
    throw new UnavailableError({
      code: 'E_TOKEN_CANNOT_UNWRAP',
      message: `the token unwraps no ${request.descriptor.name} keys (${ckr})`,
      details: { ckr },
      cause: error,
    });
  }
}

/** The AES key that lives for one unwrapping. */
export const MOMENTARY_AES: readonly Attribute[] = [
  { type: CKA.CLASS, value: CKO.SECRET_KEY },
  { type: CKA.KEY_TYPE, value: CKK.AES },
  { type: CKA.TOKEN, value: false },
  { type: CKA.PRIVATE, value: true },
  { type: CKA.SENSITIVE, value: true },
  { type: CKA.EXTRACTABLE, value: false },
  { type: CKA.UNWRAP, value: true },
];

/** A wrapping key, both sides of it in the token. */
export interface WrappingPair {
  readonly publicKey: Handle;
  readonly privateKey: Handle;
}

/** An RSA key pair that ends with the session. */
function momentary(session: Session): WrappingPair {
  const common: readonly Attribute[] = [{ type: CKA.TOKEN, value: false }];
  return session.generateKeyPair(
    { mechanism: CKM.RSA_PKCS_KEY_PAIR_GEN },
    [
      ...common,
      { type: CKA.MODULUS_BITS, value: WRAPPING_BITS },
      { type: CKA.PUBLIC_EXPONENT, value: Buffer.of(1, 0, 1) },
      { type: CKA.WRAP, value: true },
      { type: CKA.ENCRYPT, value: true },
    ],
    [
      ...common,
      { type: CKA.PRIVATE, value: true },
      { type: CKA.SENSITIVE, value: true },
      { type: CKA.EXTRACTABLE, value: false },
      { type: CKA.UNWRAP, value: true },
      { type: CKA.DECRYPT, value: true },
    ],
  );
}

/** A wrapping key of the token. @throws RefusedError `E_TOKEN_WRAPPING_KEY` for a key that is none */
export function lasting(session: Session, under: KeySearch, where: string): WrappingPair {
  const key = findKey(session, { ...under, type: 'private' }, where);
  if (key.keyType === CKK.RSA && key.publicHandle !== undefined) {
    return { publicKey: key.publicHandle, privateKey: key.handle };
  }
  throw new RefusedError({
    code: 'E_TOKEN_WRAPPING_KEY',
    message: `${key.label} cannot wrap: it is no RSA key with its public key beside it`,
    hint: 'conclave hsm generate --algorithm rsa-3072 --purpose encrypt makes one; hsm import needs none',
  });
}

/** Carries an AES key over under RSA-OAEP, with the best hash that the token takes. */
function unwrapKek(
  session: Session,
  pair: WrappingPair,
  kek: Uint8Array,
): { readonly handle: Handle; readonly hash: OaepHash } {
  const rsa = rsaPublicKeyIn(session, pair.publicKey);
  let refusal: unknown;
  for (const oaep of OAEP) {
    const { name } = oaep;
    try {
      const handle = session.unwrap(
        oaepMechanism(oaep),
        pair.privateKey,
        asBuffer(rsaOaepSeal(rsa, name, kek)),
        MOMENTARY_AES,
      );
      return { handle, hash: name };
    } catch (error) {
      const ckr = error instanceof ConclaveError ? error.details?.['ckr'] : undefined;
      if (!OTHER_HASH.has(String(ckr))) throw error;
      refusal = error;
    }
  }
  throw refusal;
}

/** What is wrapped: the raw bytes of a secret key, PKCS#8 of a private one. The caller wipes it. */
function payloadOf({ descriptor, secret, publicKey }: ImportRequest): Uint8Array {
  return secret.use((raw) =>
    descriptor.kind === 'symmetric'
      ? raw.slice()
      : encodePrivateKeyInfo(descriptor, raw, publicKey),
  );
}

/** Removes what an unfinished import made. */
export function removeQuietly(session: Session, handles: readonly Handle[]): void {
  for (const handle of handles) {
    try {
      session.destroy(handle);
    } catch {
      // The first error is the one to tell; a token that was pulled destroys nothing now.
    }
  }
}

function vanished(label: string, where: string): UnavailableError {
  return new UnavailableError({
    code: 'E_TOKEN_KEY_VANISHED',
    message: `the ${where} took ${label} and does not find it again`,
    hint: 'look with conclave hsm info before anything else is done',
  });
}
