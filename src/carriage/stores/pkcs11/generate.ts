/** Keys that are born in a token and never were anywhere else. */
import type { Descriptor, Implementation, RandomSource } from '#crypto/descriptor';
import { ConclaveError, InternalError } from '#formats/errors';
import { challenge } from './challenge.js';
import { type Attribute, CKA } from './cryptoki.js';
import type { Family } from './family.js';
import { supportedFamily } from './import.js';
import { attributesOf, type KeyAttributes, type KeyObject, keysIn, publicKeyIn } from './object.js';
import type { Session } from './session.js';
import { assertFree, keyTemplate, type Naming, OTHER_SPELLING, publicNaming } from './template.js';
import type { Token } from './token.js';
import { aesCheckValue, hmacCheckValue } from './use.js';

/** A key to be made. */
export interface GenerateRequest extends Naming {
  readonly descriptor: Descriptor;
  readonly implementation: Implementation;
  readonly random: RandomSource;
}

/** A key that was made. */
export interface Generated {
  readonly key: KeyObject;
  /** Raw public key; for symmetric keys the check value. */
  readonly publicKey: Uint8Array;
  readonly check: string | undefined;
  readonly attributes: KeyAttributes;
}

/**
 * Makes and challenges a key.
 * @throws UnavailableError `E_TOKEN_ALGORITHM`, OutputError `E_KEY_NAME_TAKEN`, NegativeError `E_TOKEN_CHALLENGE`, and what the
 * token answers
 */
export function generateKey(token: Token, request: GenerateRequest): Generated {
  const { descriptor, implementation, random } = request;
  const family = supportedFamily(descriptor, token.mechanisms(), token.name, request.purposes);
  return token.session({ write: true }, (session) => {
    assertFree(session, request, token.name);
    make(session, family, request);
    const [key] = keysIn(session, { object: request.label, id: request.id });
    if (key === undefined) {
      throw new InternalError({
        code: 'E_TOKEN_KEY_VANISHED',
        message: `the ${token.name} made ${request.label} and does not find it again`,
      });
    }
    try {
      const publicKey = publicOf(session, key, descriptor, family);
      const usable = { handle: key.handle, descriptor, family };
      const { purposes } = request;
      const check = challenge(session, usable, { implementation, publicKey, random, purposes });
      return { key, publicKey, check, attributes: attributesOf(session, key) };
    } catch (error) {
      remove(session, key);
      throw error;
    }
  });
}

function publicOf(
  session: Session,
  key: KeyObject,
  descriptor: Descriptor,
  family: Family,
): Uint8Array {
  switch (family.kind) {
    case 'aes':
      return aesCheckValue(session, key.handle);
    case 'hmac':
      return hmacCheckValue(session, key.handle);
    default:
      return publicKeyIn(session, key, descriptor, family);
  }
}

function make(session: Session, family: Family, request: GenerateRequest): void {
  const mechanism = { mechanism: family.generate };
  const template = keyTemplate(family, request);
  if (family.kind === 'aes' || family.kind === 'hmac') {
    session.generateKey(mechanism, [
      ...template,
      { type: CKA.VALUE_LEN, value: request.descriptor.sizes.private },
    ]);
    return;
  }
  const spellings = family.kind === 'ec' ? family.parameters : [undefined];
  let refusal: unknown;
  for (const parameters of spellings) {
    const publicTemplate = [...publicNaming(family, request), ...domain(family, parameters)];
    try {
      session.generateKeyPair(mechanism, publicTemplate, template);
      return;
    } catch (error) {
      const ckr = error instanceof ConclaveError ? error.details?.['ckr'] : undefined;
      if (!OTHER_SPELLING.has(String(ckr))) throw error;
      refusal ??= error;
    }
  }
  throw refusal;
}

function domain(family: Family, parameters: Buffer | undefined): readonly Attribute[] {
  switch (family.kind) {
    case 'ec':
      return [{ type: CKA.EC_PARAMS, value: parameters ?? family.parameters[0] }];
    case 'rsa':
      return [
        { type: CKA.MODULUS_BITS, value: family.modulusBits },
        { type: CKA.PUBLIC_EXPONENT, value: Buffer.of(1, 0, 1) },
      ];
    case 'lattice':
      return [{ type: CKA.PARAMETER_SET, value: family.parameterSet }];
    case 'aes':
    case 'hmac':
      return [];
  }
}

/** Removes a key and the public key beside it, the key first: what is left over may be public. @throws what the token answers */
export function destroyKey(session: Session, key: KeyObject): void {
  session.destroy(key.handle);
  if (key.publicHandle !== undefined) session.destroy(key.publicHandle);
}

function remove(session: Session, key: KeyObject): void {
  try {
    destroyKey(session, key);
  } catch {
    // The first error is the one to tell.
  }
}
