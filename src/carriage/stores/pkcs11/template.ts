/** Attributes of keys as conclave makes them, and the searches that come before making any. */
import type { Purpose } from '#crypto/descriptor';
import { OutputError } from '#formats/errors';
import { type Attribute, CKA, CKO } from './cryptoki.js';
import type { Family } from './family.js';
import { keysIn, publicTemplate } from './object.js';
import type { Session } from './session.js';

/** What every key is called in its token. */
export interface Naming {
  readonly label: string;
  readonly id: Uint8Array;
  /** What the key is for; keys that could sign do only that when not given. */
  readonly purposes?: readonly Purpose[] | undefined;
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
export function keyTemplate(family: Family, { label, id, purposes }: Naming): readonly Attribute[] {
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
    ...useTemplate(family, purposes),
  ];
}

/** A key does what it is for, and nothing else: a key that signs unwraps nothing. */
function useTemplate(
  family: Family,
  purposes: readonly Purpose[] = ['sign'],
): readonly Attribute[] {
  const one = (purpose: Purpose, ...types: readonly number[]): readonly Attribute[] =>
    purposes.includes(purpose) ? types.map((type) => ({ type, value: true })) : [];
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
      return [...one('sign', CKA.SIGN), ...one('encrypt', CKA.DECRYPT, CKA.UNWRAP)];
    case 'ec':
      return [...one('sign', CKA.SIGN), ...one('agree', CKA.DERIVE)];
  }
}

/** Attributes of a public key to be generated or stored. */
export function publicNaming(
  family: Family,
  { label, id, purposes = ['sign'] }: Naming,
): readonly Attribute[] {
  const encapsulates = family.kind === 'lattice' && !family.signs;
  const wraps = family.kind === 'rsa' && purposes.includes('encrypt');
  const verifies = !encapsulates && purposes.includes('sign');
  const uses = [
    ...(encapsulates ? [CKA.ENCAPSULATE] : []),
    ...(wraps ? [CKA.ENCRYPT, CKA.WRAP] : []),
    ...(verifies ? [CKA.VERIFY] : []),
  ];
  return [
    { type: CKA.CLASS, value: CKO.PUBLIC_KEY },
    { type: CKA.KEY_TYPE, value: family.keyType },
    { type: CKA.TOKEN, value: true },
    { type: CKA.PRIVATE, value: false },
    { type: CKA.LABEL, value: Buffer.from(label, 'utf8') },
    { type: CKA.ID, value: Buffer.from(id) },
    ...uses.map((type) => ({ type, value: true })),
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
