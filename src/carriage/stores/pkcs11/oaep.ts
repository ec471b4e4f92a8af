/** RSA-OAEP as tokens know it: with which hash, and what they say to one that they do not know. */
import type { OaepHash, RsaPublicKey } from '#crypto/rsa-oaep';
import { readRsaPublicKey, spkiOfRsaJwk } from '#crypto/rsa-oaep';
import { toBase64Url } from '#formats/bytes';
import { CK_PARAMS, CKA, CKG, CKM, CKZ_DATA_SPECIFIED, type Handle } from './cryptoki.js';
import { rsaParts, stripped } from './object.js';
import type { Mechanism, MechanismParameter, Session } from './session.js';

/** One hash of OAEP, with the mask over the same. */
export interface Oaep {
  readonly name: OaepHash;
  readonly hash: number;
  readonly mgf: number;
}

/** In the order in which they are tried where the choice is ours. */
export const OAEP: readonly Oaep[] = [
  { name: 'sha256', hash: CKM.SHA256, mgf: CKG.MGF1_SHA256 },
  // SoftHSM 2.6 knows no other; for OAEP the weakness of SHA-1 does not matter.
  { name: 'sha1', hash: CKM.SHA_1, mgf: CKG.MGF1_SHA1 },
];

/** Those that others may have chosen, besides. */
export const OAEP_OF_OTHERS: readonly Oaep[] = [
  ...OAEP,
  { name: 'sha384', hash: CKM.SHA384, mgf: CKG.MGF1_SHA384 },
  { name: 'sha512', hash: CKM.SHA512, mgf: CKG.MGF1_SHA512 },
];

/** Answers to parameters of RSA-OAEP that a token does not know; the next hash is tried. */
export const OTHER_HASH: ReadonlySet<string> = new Set([
  'CKR_ARGUMENTS_BAD',
  'CKR_MECHANISM_INVALID',
  'CKR_MECHANISM_PARAM_INVALID',
]);

/** The mechanism; its label is empty, and has to be said to be there. */
export function oaepMechanism({ hash, mgf }: Oaep): Mechanism {
  const parameter = {
    type: CK_PARAMS.RSA_OAEP,
    hashAlg: hash,
    mgf,
    source: CKZ_DATA_SPECIFIED,
  } as MechanismParameter;
  return { mechanism: CKM.RSA_PKCS_OAEP, parameter };
}

/** The public side of a wrapping key, from the object that has its modulus. @throws as {@link readRsaPublicKey} */
export function rsaPublicKeyIn(session: Session, publicKey: Handle): RsaPublicKey {
  const modulus = session.attribute(publicKey, CKA.MODULUS) ?? Buffer.alloc(0);
  const exponent = session.attribute(publicKey, CKA.PUBLIC_EXPONENT) ?? Buffer.alloc(0);
  return rsaOf(stripped(modulus), stripped(exponent));
}

/** The same, from a raw public key. @throws as {@link readRsaPublicKey} */
export function rsaPublicKeyOf(publicKey: Uint8Array): RsaPublicKey {
  const { modulus, exponent } = rsaParts(publicKey);
  return rsaOf(modulus, exponent);
}

function rsaOf(modulus: Uint8Array, exponent: Uint8Array): RsaPublicKey {
  const what = "the token's wrapping key";
  return readRsaPublicKey(spkiOfRsaJwk(toBase64Url(modulus), toBase64Url(exponent), what), what);
}
