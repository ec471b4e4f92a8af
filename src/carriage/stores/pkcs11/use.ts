/**
 * What a key does inside its token, with results in conclave's forms: digests made here where the token signs digests, pairs of
 * integers re-encoded, s brought into its lower half where a curve demands it.
 */
import { derSequence, derUnsigned } from '#crypto/der';
import type { Descriptor, SignatureHash, SignOptions } from '#crypto/descriptor';
import { digestOf, sha256 } from '#crypto/hash';
import { choose } from '#crypto/signing-choices';
import { concat, utf8 } from '#formats/bytes';
import { UnavailableError, UsageError } from '#formats/errors';
import { CK_PARAMS, CKA, CKD_NULL, CKG, CKK, CKM, CKO, type Handle } from './cryptoki.js';
import type { Family } from './family.js';
import { asBuffer, type Mechanism, type MechanismParameter, type Session } from './session.js';

/** Room for any signature: an ML-DSA-87 one has 4627 bytes. */
const LONGEST_SIGNATURE = 8192;

/** Half the order of secp256k1, whose chains take no larger s (SEC 2 §2.4.1). */
const HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0n;
const ORDER = 2n * HALF_ORDER + 1n;
const KOBLITZ = '1.3.132.0.10';

/** Hashes by which RSA-PSS and its mask are parametrised here. */
const PSS: Readonly<Partial<Record<SignatureHash, { hash: number; mgf: number; bytes: number }>>> =
  {
    sha256: { hash: CKM.SHA256, mgf: CKG.MGF1_SHA256, bytes: 32 },
    sha384: { hash: CKM.SHA384, mgf: CKG.MGF1_SHA384, bytes: 48 },
    sha512: { hash: CKM.SHA512, mgf: CKG.MGF1_SHA512, bytes: 64 },
  };

/** DigestInfo of PKCS#1 v1.5 up to the digest (RFC 8017 §9.2 note 1). */
const DIGEST_INFO: Readonly<Partial<Record<SignatureHash, string>>> = {
  sha256: '3031300d060960864801650304020105000420',
  sha384: '3041300d060960864801650304020205000430',
  sha512: '3051300d060960864801650304020305000440',
};

/** A key of a token with what is known of its algorithm. */
export interface UsableKey {
  readonly handle: Handle;
  readonly descriptor: Descriptor;
  readonly family: Family;
}

/**
 * Signs in the token.
 * @returns the signature in the form that the algorithm's own code would give
 * @throws UsageError `E_SIGNATURE_OPTION` for a choice that algorithm or token does not offer
 */
export function signInToken(
  session: Session,
  { handle, descriptor, family }: UsableKey,
  message: Uint8Array,
  options: SignOptions = {},
): Uint8Array {
  const { hash, padding, encoding, context } = choose(descriptor, options);
  switch (family.kind) {
    case 'ec': {
      if (!family.digests) {
        if (context.length > 0 || hash !== undefined) throw onlyPlain(descriptor);
        return session.sign({ mechanism: family.sign }, handle, message, LONGEST_SIGNATURE);
      }
      // A digest longer than the order counts by its first bytes; not every token cuts it itself.
      const digest = digestOf(hash ?? 'sha256', message).subarray(0, descriptor.sizes.private);
      const pair = session.sign({ mechanism: family.sign }, handle, digest, LONGEST_SIGNATURE);
      const low = withLowS(descriptor, pair);
      return encoding === 'der' ? pairAsDer(low) : low;
    }
    case 'rsa':
      return padding === 'pkcs1'
        ? signPkcs1(session, handle, descriptor, hash ?? 'sha256', message)
        : signPss(session, handle, descriptor, hash ?? 'sha256', message);
    case 'lattice':
      if (!family.signs) break;
      if (context.length > 0 || hash !== undefined) throw onlyPlain(descriptor);
      return session.sign({ mechanism: family.use }, handle, message, LONGEST_SIGNATURE);
    case 'aes':
    case 'hmac':
      break;
  }
  throw new UsageError({
    code: 'E_KEY_CANNOT_SIGN',
    message: `a ${descriptor.name} key signs nothing`,
    hint: 'name a signature key',
  });
}

/** Asking further would need parameters that tokens do not agree on; leaving them out would sign something else. */
function onlyPlain({ name }: Descriptor): UsageError {
  return new UsageError({
    code: 'E_SIGNATURE_OPTION',
    message: `a token is asked for plain ${name} only, without context string or prehash`,
    hint: 'leave them out, or sign with a key in a file',
  });
}

/** The code over a message by an HMAC key in the token. */
export function macInToken(
  session: Session,
  { handle, descriptor, family }: UsableKey,
  message: Uint8Array,
): Uint8Array {
  if (family.kind !== 'hmac') {
    throw new UsageError({
      code: 'E_KEY_CANNOT_MAC',
      message: `a ${descriptor.name} key authenticates no messages`,
      hint: 'name an HMAC key',
    });
  }
  return session.sign({ mechanism: family.mac }, handle, message, LONGEST_SIGNATURE);
}

/**
 * The shared secret (x-coordinate) of a key in the token and a peer's public key. It comes out of the token, the private key does
 * not: what is derived of it is derived here.
 * @param peer - uncompressed point, checked to be on the curve by whoever calls
 * @returns owned by the caller, who wipes it
 */
export function agreeInToken(
  session: Session,
  { handle, descriptor, family }: UsableKey,
  peer: Uint8Array,
): Uint8Array {
  if (family.kind !== 'ec' || !family.digests) {
    throw new UsageError({
      code: 'E_KEY_CANNOT_DERIVE',
      message: `a ${descriptor.name} key in a token agrees on nothing here`,
      hint: 'name a key of an ECDSA curve that was made with --purpose agree',
    });
  }
  const length = descriptor.sizes.private;
  const parameter = {
    type: CK_PARAMS.EC_DH,
    kdf: CKD_NULL,
    publicData: asBuffer(peer),
  } as MechanismParameter;
  const shared = session.derive({ mechanism: CKM.ECDH1_DERIVE, parameter }, handle, [
    { type: CKA.CLASS, value: CKO.SECRET_KEY },
    { type: CKA.KEY_TYPE, value: CKK.GENERIC_SECRET },
    { type: CKA.TOKEN, value: false },
    { type: CKA.PRIVATE, value: true },
    { type: CKA.SENSITIVE, value: false },
    { type: CKA.EXTRACTABLE, value: true },
    { type: CKA.VALUE_LEN, value: length },
  ]);
  try {
    const value = session.attribute(shared, CKA.VALUE);
    const copy = value?.length === length ? new Uint8Array(value) : undefined;
    value?.fill(0);
    if (copy !== undefined) return copy;
    throw new UnavailableError({
      code: 'E_TOKEN_SECRET_KEPT',
      message: 'the token agreed on a secret and does not give it',
      hint: 'some tokens keep such secrets by their configuration; use a key in a file',
    });
  } finally {
    session.destroy(shared);
  }
}

/** AES-GCM in the token: ciphertext ‖ 16-byte tag, as `aead` has it. */
export function aesGcmInToken(
  session: Session,
  handle: Handle,
  direction: 'seal' | 'open',
  parts: { readonly nonce: Uint8Array; readonly aad: Uint8Array; readonly data: Uint8Array },
): Uint8Array {
  const { nonce, aad, data } = parts;
  const mechanism: Mechanism = {
    mechanism: CKM.AES_GCM,
    parameter: {
      type: CK_PARAMS.AES_GCM,
      iv: asBuffer(nonce),
      ivBits: nonce.length * 8,
      aad: asBuffer(aad),
      tagBits: 128,
    } as MechanismParameter,
  };
  // SoftHSM asks for a block more than it fills; a buffer that is too short would leave the operation open.
  const capacity = data.length + 48;
  return direction === 'seal'
    ? session.encrypt(mechanism, handle, data, capacity)
    : session.decrypt(mechanism, handle, data, capacity);
}

/**
 * The check value of an AES key that was made in a token, where the usual one (an HMAC) cannot be had: SHA-256 over the
 * encryption of two fixed blocks, which tells keys apart and nothing about them.
 * @returns 32 bytes
 */
export function aesCheckValue(session: Session, handle: Handle): Uint8Array {
  const blocks = session.encrypt({ mechanism: CKM.AES_ECB }, handle, CHECK_BLOCKS, 64);
  return sha256(CHECK_LABEL, blocks.subarray(0, CHECK_BLOCKS.length));
}

/**
 * The check value by which people compare a symmetric key: CKA_CHECK_VALUE, or for an AES key whose token keeps none (SoftHSM
 * does not for keys that were unwrapped) the same computed in the token.
 * @returns 3 bytes; `undefined` where there is none
 * @see PKCS#11 v3.1 §4.10.2
 */
export function shownCheckValue(
  session: Session,
  { handle, family }: UsableKey,
): Uint8Array | undefined {
  const shown = session.attribute(handle, CKA.CHECK_VALUE);
  if (shown !== undefined && shown.length > 0) return new Uint8Array(shown);
  if (family.kind !== 'aes') return undefined;
  const block = new Uint8Array(16);
  return session.encrypt({ mechanism: CKM.AES_ECB }, handle, block, 64).slice(0, 3);
}

/** The check value that `keyCheckValue` of an HMAC key gives, computed where the key is. */
export function hmacCheckValue(session: Session, handle: Handle): Uint8Array {
  return session.sign({ mechanism: CKM.SHA256_HMAC }, handle, utf8('conclave-kcv-v1'), 64);
}

const CHECK_LABEL = utf8('conclave-token-kcv-v1');
const CHECK_BLOCKS = sha256(CHECK_LABEL);

function signPss(
  session: Session,
  handle: Handle,
  descriptor: Descriptor,
  hash: SignatureHash,
  message: Uint8Array,
): Uint8Array {
  const known = PSS[hash];
  if (known === undefined) throw hashUnknown(descriptor, hash);
  const parameter = {
    type: CK_PARAMS.RSA_PSS,
    hashAlg: known.hash,
    mgf: known.mgf,
    saltLen: known.bytes,
  } as MechanismParameter;
  const mechanism: Mechanism = { mechanism: CKM.RSA_PKCS_PSS, parameter };
  return session.sign(mechanism, handle, digestOf(hash, message), LONGEST_SIGNATURE);
}

function signPkcs1(
  session: Session,
  handle: Handle,
  descriptor: Descriptor,
  hash: SignatureHash,
  message: Uint8Array,
): Uint8Array {
  const head = DIGEST_INFO[hash];
  if (head === undefined) throw hashUnknown(descriptor, hash);
  const info = concat(Buffer.from(head, 'hex'), digestOf(hash, message));
  return session.sign({ mechanism: CKM.RSA_PKCS }, handle, info, LONGEST_SIGNATURE);
}

function hashUnknown({ name }: Descriptor, hash: string): UnavailableError {
  return new UnavailableError({
    code: 'E_TOKEN_HASH',
    message: `${name} keys in tokens do not sign with ${hash}`,
    hint: `choose one of ${Object.keys(PSS).join(', ')}`,
  });
}

/** Both s and −s verify; chains of this curve take the smaller one only. */
function withLowS({ parameters, sizes }: Descriptor, pair: Uint8Array): Uint8Array {
  if (typeof parameters !== 'object' || parameters.curve !== KOBLITZ) return pair;
  const half = sizes.private;
  const s = BigInt(`0x${Buffer.from(pair.subarray(half)).toString('hex')}`);
  if (s <= HALF_ORDER) return pair;
  const low = Buffer.from((ORDER - s).toString(16).padStart(2 * half, '0'), 'hex');
  return concat(pair.subarray(0, half), low);
}

function pairAsDer(pair: Uint8Array): Uint8Array {
  const half = pair.length / 2;
  return derSequence(derUnsigned(pair.subarray(0, half)), derUnsigned(pair.subarray(half)));
}
