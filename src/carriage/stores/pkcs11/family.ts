/**
 * What PKCS#11 calls a key of an algorithm: key type, mechanisms, fixed attributes. All of it follows from what the descriptor
 * says of the algorithm elsewhere, so that a new curve in the registry is a new curve here.
 */
import { derOid } from '#crypto/der';
import type { Descriptor, Purpose } from '#crypto/descriptor';
import { utf8 } from '#formats/bytes';
import { CKK, CKM } from './cryptoki.js';

/** A family of keys that are templated alike. */
export type Family =
  | { readonly kind: 'aes'; readonly keyType: number; readonly generate: number }
  | {
      readonly kind: 'hmac';
      readonly keyType: number;
      readonly generate: number;
      readonly mac: number;
    }
  | {
      readonly kind: 'rsa';
      readonly keyType: number;
      readonly generate: number;
      readonly modulusBits: number;
    }
  | {
      readonly kind: 'ec';
      readonly keyType: number;
      readonly generate: number;
      readonly sign: number;
      /** CKA_EC_PARAMS in the order in which they are tried. */
      readonly parameters: readonly [Buffer, ...Buffer[]];
      /** ECDSA signs a digest, EdDSA the message. */
      readonly digests: boolean;
    }
  | {
      readonly kind: 'lattice';
      readonly keyType: number;
      readonly generate: number;
      readonly use: number;
      /** CKA_PARAMETER_SET. */
      readonly parameterSet: number;
      readonly signs: boolean;
    };

const HMAC: Readonly<Record<number, number>> = {
  32: CKM.SHA256_HMAC,
  48: CKM.SHA384_HMAC,
  64: CKM.SHA512_HMAC,
};

/** NIST's arcs for ML-DSA (.3.17 to .19) and ML-KEM (.4.1 to .3). */
const LATTICE = /^2\.16\.840\.1\.101\.3\.4\.(?:3\.(?<signature>1[789])|4\.(?<kem>[123]))$/;

/** The family of an algorithm, or `undefined` where PKCS#11 has no name for it. */
export function familyOf(descriptor: Descriptor): Family | undefined {
  const { kind, oid, parameters, sizes, purposes, jose } = descriptor;
  if (kind === 'symmetric') {
    if (purposes.includes('encrypt')) {
      return { kind: 'aes', keyType: CKK.AES, generate: CKM.AES_KEY_GEN };
    }
    const mac = HMAC[sizes.signature ?? sizes.private];
    return mac === undefined
      ? undefined
      : { kind: 'hmac', keyType: CKK.GENERIC_SECRET, generate: CKM.GENERIC_SECRET_KEY_GEN, mac };
  }
  if (kind === 'signature' && typeof parameters === 'object' && jose?.kty === 'EC') {
    return {
      kind: 'ec',
      keyType: CKK.EC,
      generate: CKM.EC_KEY_PAIR_GEN,
      sign: CKM.ECDSA,
      parameters: [Buffer.from(derOid(parameters.curve))],
      digests: true,
    };
  }
  if (kind === 'signature' && jose?.kty === 'OKP' && jose.crv === 'Ed25519' && oid !== undefined) {
    return {
      kind: 'ec',
      keyType: CKK.EC_EDWARDS,
      generate: CKM.EC_EDWARDS_KEY_PAIR_GEN,
      sign: CKM.EDDSA,
      // The name of the curve is how tokens of versions 2.40 and 3.0 know it (PrintableString).
      parameters: [
        Buffer.from(derOid(oid)),
        Buffer.concat([Buffer.of(0x13, 12), utf8('edwards25519')]),
      ],
      digests: false,
    };
  }
  if (jose?.kty === 'RSA' && kind === 'signature') {
    return {
      kind: 'rsa',
      keyType: CKK.RSA,
      generate: CKM.RSA_PKCS_KEY_PAIR_GEN,
      modulusBits: (sizes.signature ?? 0) * 8,
    };
  }
  const lattice = LATTICE.exec(oid ?? '')?.groups;
  if (lattice?.['signature'] !== undefined) {
    return {
      kind: 'lattice',
      keyType: CKK.ML_DSA,
      generate: CKM.ML_DSA_KEY_PAIR_GEN,
      use: CKM.ML_DSA,
      parameterSet: Number(lattice['signature']) - 16,
      signs: true,
    };
  }
  if (lattice?.['kem'] !== undefined) {
    return {
      kind: 'lattice',
      keyType: CKK.ML_KEM,
      generate: CKM.ML_KEM_KEY_PAIR_GEN,
      use: CKM.ML_KEM,
      parameterSet: Number(lattice['kem']),
      signs: false,
    };
  }
  return undefined;
}

/** What keys of an algorithm are for in a token: what PKCS#11 and pkcs11js have calls for. */
export function purposesInToken(descriptor: Descriptor): readonly Purpose[] {
  const family = familyOf(descriptor);
  const agrees = family?.kind === 'ec' && family.digests;
  return descriptor.purposes.filter((purpose) => purpose !== 'agree' || agrees);
}

/**
 * The mechanisms without which a token cannot hold a key of this family to any purpose.
 * @param purposes - those that the key is made for; its first one when not given
 */
export function mechanismsFor(
  family: Family,
  purposes: readonly Purpose[] = ['sign'],
): readonly number[] {
  const one = (purpose: Purpose, mechanism: number): readonly number[] =>
    purposes.includes(purpose) ? [mechanism] : [];
  switch (family.kind) {
    case 'aes':
      return [CKM.AES_GCM];
    case 'hmac':
      return [family.mac];
    case 'rsa':
      return [...one('sign', CKM.RSA_PKCS_PSS), ...one('encrypt', CKM.RSA_PKCS_OAEP)];
    case 'ec':
      return [...one('sign', family.sign), ...one('agree', CKM.ECDH1_DERIVE)];
    case 'lattice':
      return [family.use];
  }
}
