/**
 * A key that was wrapped elsewhere for this token, under the public side of an RSA key in it: two unwrappings inside the token,
 * and the key is never outside. Nothing in such a file says what the key is; whoever brings it does, and the token is asked to
 * prove it.
 * @see PKCS#11 v3.1 §6.1.21 for the layout
 */
import type { Descriptor, Implementation, Purpose, RandomSource } from '#crypto/descriptor';
import { ConclaveError, InputError, NegativeError, UnavailableError } from '#formats/errors';
import { challenge } from './challenge.js';
import type { Handle } from './cryptoki.js';
import type { Family } from './family.js';
import {
  kwpOf,
  lasting,
  MOMENTARY_AES,
  removeQuietly,
  supportedFamily,
  type WrappingPair,
} from './import.js';
import {
  attributesOf,
  type KeyAttributes,
  type KeyObject,
  type KeySearch,
  keysIn,
} from './object.js';
import { OAEP_OF_OTHERS, oaepMechanism, rsaPublicKeyIn } from './oaep.js';
import { asBuffer, type Session } from './session.js';
import { assertFree, keyTemplate, type Naming, publicObject } from './template.js';
import type { Token } from './token.js';
import { aesCheckValue, hmacCheckValue } from './use.js';

/** What is to be received. */
export interface ReceiveRequest extends Naming {
  readonly descriptor: Descriptor;
  readonly implementation: Implementation;
  /** Raw public key of a pair; `undefined` for a symmetric key. */
  readonly publicKey: Uint8Array | undefined;
  readonly purposes?: readonly Purpose[] | undefined;
  /** RSA-OAEP of an AES key, then AES-KWP of the key. */
  readonly wrapped: Uint8Array;
  /** The RSA key of the token that opens it. */
  readonly under: KeySearch;
  /** How errors name the file. */
  readonly what: string;
  readonly random: RandomSource;
}

/** What was received. */
export interface Received {
  readonly key: KeyObject;
  /** Raw public key; for symmetric keys the check value. */
  readonly publicKey: Uint8Array;
  readonly crossing: string;
  readonly check: string | undefined;
  readonly attributes: KeyAttributes;
}

/** Answers that mean "this does not open with that hash"; tokens do not agree on one. */
const DOES_NOT_OPEN: ReadonlySet<string> = new Set([
  'CKR_ARGUMENTS_BAD',
  'CKR_DATA_INVALID',
  'CKR_ENCRYPTED_DATA_INVALID',
  'CKR_ENCRYPTED_DATA_LEN_RANGE',
  'CKR_FUNCTION_FAILED',
  'CKR_GENERAL_ERROR',
  'CKR_MECHANISM_INVALID',
  'CKR_MECHANISM_PARAM_INVALID',
  'CKR_WRAPPED_KEY_INVALID',
  'CKR_WRAPPED_KEY_LEN_RANGE',
]);

/** The shortest content that AES-KWP gives. */
const SHORTEST_KWP = 16;

/**
 * Unwraps a key inside the token and challenges it. Whatever goes wrong after something was created removes it again.
 * @throws NegativeError `E_NOT_AUTHENTIC` when it does not open, `E_TOKEN_CHALLENGE` when another key is in it; InputError
 * `E_WRAPPED_MALFORMED`; UnavailableError `E_TOKEN_CANNOT_UNWRAP`, `E_TOKEN_ALGORITHM`; OutputError `E_KEY_EXISTS`,
 * `E_KEY_NAME_TAKEN`; and what the token answers
 */
export function receiveKey(token: Token, request: ReceiveRequest): Received {
  const { descriptor, implementation, what, random, purposes } = request;
  const mechanisms = token.mechanisms();
  const family = supportedFamily(descriptor, mechanisms, token.name, purposes);
  const kwp = kwpOf(mechanisms);
  if (kwp === undefined) {
    throw new UnavailableError({
      code: 'E_TOKEN_CANNOT_UNWRAP',
      message: `the ${token.name} unwraps no keys`,
      hint: 'open it on a machine where the key may be in memory, and bring it in by hsm import',
    });
  }
  return token.session({ write: true }, (session) => {
    assertFree(session, request, token.name);
    const pair = lasting(session, request.under, token.name);
    const made: Handle[] = [];
    try {
      const { handle, hash } = unwrapBoth(session, pair, kwp, family, request);
      made.push(handle);
      if (request.publicKey !== undefined) {
        const object = publicObject(family, { ...request, publicKey: request.publicKey });
        made.push(session.create(object, 'storing the public key'));
      }
      const [key] = keysIn(session, { object: request.label, id: request.id });
      if (key === undefined) throw notOpened(what);
      const publicKey = request.publicKey ?? checkValueOf(session, family, handle);
      const usable = { handle: key.handle, descriptor, family };
      const check = challenge(session, usable, { implementation, publicKey, random, purposes });
      const crossing = `wrapped elsewhere (AES-KWP, OAEP ${hash}), opened in the token`;
      return { key, publicKey, crossing, check, attributes: attributesOf(session, key) };
    } catch (error) {
      removeQuietly(session, made);
      throw error;
    }
  });
}

function checkValueOf(session: Session, family: Family, handle: Handle): Uint8Array {
  return family.kind === 'aes' ? aesCheckValue(session, handle) : hmacCheckValue(session, handle);
}

/** Tokens take secret keys of any length, and SoftHSM does not even tell it afterwards; the wrapping tells it up to the last 8. */
function assertLength({ descriptor, publicKey, what }: ReceiveRequest, length: number): void {
  const { name, sizes } = descriptor;
  if (publicKey !== undefined || length === sizes.private + 8) return;
  throw new NegativeError({
    code: 'E_NOT_AUTHENTIC',
    message: `${what} holds a key of ${length - 8} bytes, and ${name} has ${sizes.private}`,
    hint: 'ask the sender which algorithm it is; nothing was opened',
  });
}

/** Unwraps the AES key with each hash until one opens it, then the key with that. */
function unwrapBoth(
  session: Session,
  pair: WrappingPair,
  kwp: number,
  family: Family,
  request: ReceiveRequest,
): { readonly handle: Handle; readonly hash: string } {
  const { wrapped, what } = request;
  const { bytes } = rsaPublicKeyIn(session, pair.publicKey);
  if (wrapped.length < bytes + SHORTEST_KWP || (wrapped.length - bytes) % 8 !== 0) {
    throw new InputError({
      code: 'E_WRAPPED_MALFORMED',
      message: `${what} is no key that was wrapped for this key of the token`,
      hint: 'conclave wrap --format pkcs11 makes such files',
    });
  }
  assertLength(request, wrapped.length - bytes);
  for (const oaep of OAEP_OF_OTHERS) {
    const aes = attempt(() =>
      session.unwrap(
        oaepMechanism(oaep),
        pair.privateKey,
        asBuffer(wrapped.subarray(0, bytes)),
        MOMENTARY_AES,
      ),
    );
    if (aes === undefined) continue;
    try {
      const handle = attempt(() =>
        session.unwrap(
          { mechanism: kwp },
          aes,
          asBuffer(wrapped.subarray(bytes)),
          keyTemplate(family, request),
        ),
      );
      if (handle === undefined) break;
      return { handle, hash: oaep.name };
    } finally {
      removeQuietly(session, [aes]);
    }
  }
  throw notOpened(what);
}

/** `undefined` where the token says that it does not open; everything else is trouble and told. */
function attempt(work: () => Handle): Handle | undefined {
  try {
    return work();
  } catch (error) {
    const ckr = error instanceof ConclaveError ? error.details?.['ckr'] : undefined;
    if (!DOES_NOT_OPEN.has(String(ckr))) throw error;
    return undefined;
  }
}

function notOpened(what: string): NegativeError {
  return new NegativeError({
    code: 'E_NOT_AUTHENTIC',
    message: `${what} does not open in the token: it was wrapped for another key, holds a kind of key that this token does not unwrap, or was altered`,
    hint: 'compare the digest of the wrapping key with the sender',
  });
}
