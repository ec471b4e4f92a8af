/**
 * A key in a token, opened: found, compared with its record, and made to look like any other key, except that its private side
 * is not to be had. Every signature is verified outside before it is handed on: a token can be faulty, or another one.
 */
import { challenge } from '#carriage/stores/pkcs11/challenge';
import { type Family, familyOf } from '#carriage/stores/pkcs11/family';
import {
  attributesOf,
  findKey,
  type KeyAttributes,
  type KeyObject,
  type KeySearch,
  publicKeyIn,
} from '#carriage/stores/pkcs11/object';
import type { Session } from '#carriage/stores/pkcs11/session';
import {
  aesCheckValue,
  aesGcmInToken,
  agreeInToken,
  hmacCheckValue,
  macInToken,
  shownCheckValue,
  signInToken,
  type UsableKey,
} from '#carriage/stores/pkcs11/use';
import type { TokenDescription } from '#carriage/stores/pkcs11/token';
import { parseTokenUri, type TokenUri } from '#carriage/stores/pkcs11/uri';
import type { Descriptor, Implementation, RandomSource } from '#crypto/descriptor';
import type { DeviceClaims } from '#custody/audit/attestation';
import type { TokenKey } from '#custody/authority/token-key';
import { equal } from '#formats/bytes';
import { ConclaveError, NegativeError, RefusedError, UsageError } from '#formats/errors';
import type { SecretBytes } from '#formats/secret-bytes';
import type { OpenKey } from './context.js';
import { descriptorOf } from './private-forms.js';
import type { OpenToken } from './token-space.js';

/** What of a URI narrows the search inside a token. */
export function searchOf({ object, id, type }: TokenUri): KeySearch {
  return {
    ...(object === undefined ? {} : { object }),
    ...(id === undefined ? {} : { id }),
    ...(type === undefined ? {} : { type }),
  };
}

/** A key in a token, with what is known of its algorithm. */
export interface InToken {
  readonly object: KeyObject;
  readonly descriptor: Descriptor;
  readonly family: Family;
}

/** The public key, or for symmetric keys the check value that can be had from a token. */
export function publicSideOf(
  session: Session,
  { object, descriptor, family }: InToken,
): Uint8Array {
  switch (family.kind) {
    case 'aes':
      return aesCheckValue(session, object.handle);
    case 'hmac':
      return hmacCheckValue(session, object.handle);
    default:
      return publicKeyIn(session, object, descriptor, family);
  }
}
/** What a token says now of itself and of a key. */
export function claimsOf(description: TokenDescription, attributes: KeyAttributes): DeviceClaims {
  const { manufacturer, model, serial, label, firmware, hardware } = description;
  return { kind: 'pkcs11', manufacturer, model, serial, label, firmware, hardware, attributes };
}

/** Finds and compares the key. @throws NegativeError `E_TOKEN_KEY_OTHER` */
export async function openIn(open: OpenToken, key: TokenKey): Promise<OpenKey> {
  const { token } = open;
  const { record } = key;
  const descriptor = await descriptorOf(record);
  const family = familyOf(descriptor);
  if (family === undefined) throw otherKey(key);
  const implementation = await descriptor.load();
  const { object, attributes } = token.session({ write: false }, (session) => {
    const found = findKey(session, searchOf(parseTokenUri(key.uri)), token.name);
    // The check value of an AES key that was brought in is not one that a token can compute.
    const comparable = family.kind !== 'aes' || key.origin !== 'imported';
    const own = comparable
      ? publicSideOf(session, { object: found, descriptor, family })
      : undefined;
    if (own !== undefined && !equal(own, record.publicKey)) throw otherKey(key);
    return { object: found, attributes: attributesOf(session, found) };
  });
  const usable: UsableKey = { handle: object.handle, descriptor, family };
  return {
    record,
    descriptor,
    publicKey: record.publicKey,
    location: key.uri,
    // What the token says now: the record tells what it said when the key came.
    device: claimsOf(open.description, attributes),
    get secret(): SecretBytes {
      throw staysInside(key);
    },
    signer: {
      publicKey: record.publicKey,
      sign: (message, how = {}) => {
        const { random: _, ...options } = how;
        const signature = token.session({ write: false }, (session) =>
          signInToken(session, usable, message, options),
        );
        assertOwn(implementation, key, signature, message, options);
        return signature;
      },
      [Symbol.dispose]: () => undefined,
    },
    inToken: {
      mac: (message) =>
        token.session({ write: false }, (session) => macInToken(session, usable, message)),
      seal: (nonce, plaintext, aad) => cipher('seal', nonce, plaintext, aad),
      open: (nonce, sealed, aad) => cipher('open', nonce, sealed, aad),
      agree: (peer) =>
        token.session({ write: false }, (session) => agreeInToken(session, usable, peer)),
      challenge: (random: RandomSource) => {
        const { publicKey, purposes } = record;
        const expected = { implementation, publicKey, purposes, random };
        return token.session({ write: false }, (session) => challenge(session, usable, expected));
      },
      checkValue: () =>
        token.session({ write: false }, (session) => shownCheckValue(session, usable)),
    },
    [Symbol.dispose]: () => {
      open[Symbol.dispose]();
    },
  };

  function cipher(
    direction: 'seal' | 'open',
    nonce: Uint8Array,
    data: Uint8Array,
    aad: Uint8Array,
  ): Uint8Array {
    if (family?.kind !== 'aes') {
      throw new UsageError({
        code: 'E_KEY_CANNOT_ENCRYPT',
        message: `a ${descriptor.name} key encrypts nothing`,
        hint: 'name an AES key',
      });
    }
    try {
      return token.session({ write: false }, (session) =>
        aesGcmInToken(session, usable.handle, direction, { nonce, aad, data }),
      );
    } catch (error) {
      // Which of these a token answers to a wrong tag is its own affair.
      const ckr = error instanceof ConclaveError ? error.details?.['ckr'] : undefined;
      if (direction !== 'open' || !WRONG_TAG.has(String(ckr))) throw error;
      throw new NegativeError({
        code: 'E_NOT_AUTHENTIC',
        message: 'it does not authenticate: another key, another context, or altered',
        cause: error,
      });
    }
  }
}

const WRONG_TAG: ReadonlySet<string> = new Set([
  'CKR_ENCRYPTED_DATA_INVALID',
  'CKR_ENCRYPTED_DATA_LEN_RANGE',
  'CKR_AEAD_DECRYPT_FAILED',
  'CKR_GENERAL_ERROR',
  'CKR_FUNCTION_FAILED',
]);

function assertOwn(
  implementation: Implementation,
  key: TokenKey,
  signature: Uint8Array,
  message: Uint8Array,
  options: object,
): void {
  if (
    implementation.kind === 'signature' &&
    implementation.verify(signature, message, key.record.publicKey, options)
  ) {
    return;
  }
  throw new NegativeError({
    code: 'E_TOKEN_SIGNATURE',
    message: `the token made a signature that ${nameOf(key)} does not verify`,
    hint: 'nothing was written; do not use this token until the cause is known',
  });
}

function otherKey(key: TokenKey): NegativeError {
  return new NegativeError({
    code: 'E_TOKEN_KEY_OTHER',
    message: `the key in the token is not the one that the record of ${nameOf(key)} describes`,
    hint: 'another key was put in its place, or this is another token',
  });
}

function staysInside(key: TokenKey): RefusedError {
  return new RefusedError({
    code: 'E_KEY_IN_TOKEN',
    message: `the private key ${nameOf(key)} is in the token ${JSON.stringify(key.device.label)} and does not leave it`,
    hint: 'it can sign there; what must be exported, split or unwrapped with has to be made outside of a token',
  });
}

function nameOf({ record }: TokenKey): string {
  return record.name ?? record.id.slice(0, 16);
}
