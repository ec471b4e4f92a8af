/** Attributes of keys as conclave makes them, and the searches that come before making any. */
import { OutputError } from '#formats/errors';
import { type Attribute, CKA, CKO } from './cryptoki.js';
import type { Family } from './family.js';
import { keysIn, publicTemplate } from './object.js';
import type { Session } from './session.js';

/** What every key is called in its token. */
export interface Naming {
  readonly label: string;
  readonly id: Uint8Array;
}

/** Answers to a curve name that a token does not know in this spelling. */
export const OTHER_SPELLING: ReadonlySet<string> = new Set([
  'CKR_ATTRIBUTE_VALUE_INVALID',
  'CKR_CURVE_NOT_SUPPORTED',
  'CKR_DOMAIN_PARAMS_INVALID',
  'CKR_FUNCTION_FAILED',
  'CKR_TEMPLATE_INCONSISTENT',
]);

/** Attributes of a private or secret key, without its value: it stays in the token and is private. */
export function keyTemplate(family: Family, { label, id }: Naming): readonly Attribute[] {
  const isSecret = family.kind === 'aes' || family.kind === 'hmac';
  return [
    { type: CKA.CLASS, value: isSecret ? CKO.SECRET_KEY : CKO.PRIVATE_KEY },
    { type: CKA.KEY_TYPE, value: family.keyType },
    { type: CKA.TOKEN, value: true },
    // Some tokens let anybody make and use keys that are not private.
    { type: CKA.PRIVATE, value: true },
    { type: CKA.SENSITIVE, value: true },
    { type: CKA.EXTRACTABLE, value: false },
    { type: CKA.LABEL, value: Buffer.from(label, 'utf8') },
    { type: CKA.ID, value: Buffer.from(id) },
    ...useTemplate(family),
  ];
}

function useTemplate(family: Family): readonly Attribute[] {
  switch (family.kind) {
    case 'aes':
      return [
        { type: CKA.ENCRYPT, value: true },
        { type: CKA.DECRYPT, value: true },
      ];
    case 'hmac':
      return [
        { type: CKA.SIGN, value: true },
        { type: CKA.VERIFY, value: true },
      ];
    case 'lattice':
      if (!family.signs) return [{ type: CKA.DECAPSULATE, value: true }];
      return [{ type: CKA.SIGN, value: true }];
    case 'rsa':
    case 'ec':
      return [{ type: CKA.SIGN, value: true }];
  }
}

/** Attributes of a public key to be generated or stored. */
export function publicNaming(family: Family, { label, id }: Naming): readonly Attribute[] {
  const encapsulates = family.kind === 'lattice' && !family.signs;
  return [
    { type: CKA.CLASS, value: CKO.PUBLIC_KEY },
    { type: CKA.KEY_TYPE, value: family.keyType },
    { type: CKA.TOKEN, value: true },
    { type: CKA.PRIVATE, value: false },
    { type: CKA.LABEL, value: Buffer.from(label, 'utf8') },
    { type: CKA.ID, value: Buffer.from(id) },
    { type: encapsulates ? CKA.ENCAPSULATE : CKA.VERIFY, value: true },
  ];
}

/** The public key object that stands beside an imported key. */
export function publicObject(
  family: Family,
  key: Naming & { readonly publicKey: Uint8Array },
): readonly Attribute[] {
  return [...publicNaming(family, key), ...publicTemplate(family, key.publicKey, undefined)];
}

/**
 * PKCS#11 lets two keys have one name; conclave does not.
 * @throws OutputError `E_KEY_EXISTS`, `E_KEY_NAME_TAKEN`
 */
export function assertFree(session: Session, { label, id }: Naming, where: string): void {
  if (keysIn(session, { id }).length > 0) {
    throw new OutputError({
      code: 'E_KEY_EXISTS',
      message: `this key is in the ${where} already`,
      hint: 'see conclave hsm info',
    });
  }
  if (keysIn(session, { object: label }).length > 0) {
    throw new OutputError({
      code: 'E_KEY_NAME_TAKEN',
      message: `a key in the ${where} is named ${label} already`,
      hint: 'choose another --name',
    });
  }
}
