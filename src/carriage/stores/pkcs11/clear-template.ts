/** A key as attributes of its own object: how it crosses in clear, and how its traces are wiped afterwards. */
import { DerReader, TAG } from '#crypto/der';
import type { Descriptor, Implementation } from '#crypto/descriptor';
import { encodePrivateKeyInfo } from '#crypto/encodings/private-key-info';
import type { SecretBytes } from '#formats/secret-bytes';
import { type Attribute, CKA } from './cryptoki.js';
import type { Family } from './family.js';
import { stripped } from './object.js';
import { asBuffer } from './session.js';
import { keyTemplate, type Naming } from './template.js';

/** What is passed in clear. */
export interface ClearKey extends Naming {
  readonly descriptor: Descriptor;
  readonly implementation: Implementation;
  /** Raw private form; borrowed. */
  readonly secret: SecretBytes;
  readonly publicKey: Uint8Array;
}

/** The key itself as attributes; values of it are wiped afterwards. CKA_VALUE_LEN beside CKA_VALUE is refused by tokens. */
export function clearTemplate(
  family: Family,
  request: ClearKey,
  parameters: Buffer,
): readonly Attribute[] {
  const { secret, implementation } = request;
  const raw = secret.use((bytes) => Buffer.from(bytes));
  const common = keyTemplate(family, request);
  switch (family.kind) {
    case 'aes':
    case 'hmac':
      return [...common, { type: CKA.VALUE, value: raw }];
    case 'ec':
      return [
        ...common,
        { type: CKA.EC_PARAMS, value: parameters },
        { type: CKA.VALUE, value: raw },
      ];
    case 'lattice': {
      const expanded = 'expanded' in implementation ? implementation.expanded : undefined;
      return [
        ...common,
        { type: CKA.PARAMETER_SET, value: family.parameterSet },
        { type: CKA.SEED, value: raw },
        // Some tokens take the seed alone, some the expanded key alone; both together are taken most widely.
        ...(expanded === undefined
          ? []
          : [{ type: CKA.VALUE, value: asBuffer(expanded.from(raw)) }]),
      ];
    }
    case 'rsa': {
      raw.fill(0);
      return [...common, ...rsaAttributes(request)];
    }
  }
}

/** RSAPrivateKey (RFC 8017 §A.1.2) inside PKCS#8, as CRT attributes. */
function rsaAttributes({ descriptor, secret, publicKey }: ClearKey): readonly Attribute[] {
  const der = secret.use((bytes) => encodePrivateKeyInfo(descriptor, bytes, publicKey));
  try {
    const info = new DerReader(der, 'RSA private key').sequence();
    info.smallInteger();
    info.sequence();
    const key = new DerReader(info.octetString(), 'RSA private key').sequence();
    key.smallInteger();
    return [
      CKA.MODULUS,
      CKA.PUBLIC_EXPONENT,
      CKA.PRIVATE_EXPONENT,
      CKA.PRIME_1,
      CKA.PRIME_2,
      CKA.EXPONENT_1,
      CKA.EXPONENT_2,
      CKA.COEFFICIENT,
    ].map((type) => ({ type, value: stripped(key.content(TAG.integer)) }));
  } finally {
    der.fill(0);
  }
}

/** Wipes what belongs to this import alone: public parameters are shared and short. */
export function wipeValues(template: readonly Attribute[]): void {
  for (const { type, value } of template) {
    const secretType =
      type === CKA.VALUE ||
      type === CKA.SEED ||
      (type >= CKA.PRIVATE_EXPONENT && type <= CKA.COEFFICIENT);
    if (secretType && Buffer.isBuffer(value)) value.fill(0);
  }
}
