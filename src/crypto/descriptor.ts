/**
 * What the Crypto Interface Layer knows of an algorithm before any of its code is loaded, and what it can do once it is.
 * A name is resolved to a descriptor once, at the edge; below, only descriptors travel and nothing compares names.
 */

/** Random bytes, handed in so that tests and ceremonies decide where they come from. */
export type RandomSource = (length: number) => Uint8Array;

/** What a key of this algorithm is for. */
export type AlgorithmKind = 'signature' | 'kem' | 'agreement' | 'symmetric';

/** How much an algorithm may be relied on. */
export type AlgorithmStatus = 'standard' | 'draft' | 'legacy';

/** Purposes a key record can allow. */
export type Purpose = 'sign' | 'encrypt' | 'encapsulate' | 'agree' | 'mac';

/** Hash functions that a signature can be asked to use, in `node:crypto`'s spelling. */
export type SignatureHash =
  | 'sha224'
  | 'sha256'
  | 'sha384'
  | 'sha512'
  | 'sha512-224'
  | 'sha512-256'
  | 'sha3-224'
  | 'sha3-256'
  | 'sha3-384'
  | 'sha3-512'
  | 'shake128'
  | 'shake256'
  | 'sm3';

/** How RSA fills the modulus (RFC 8017 §8). */
export type Padding = 'pss' | 'pkcs1';

/** How a pair of integers is written: side by side at fixed length, or as a DER SEQUENCE. */
export type SignatureEncoding = 'raw' | 'der';

/**
 * Ciphersuite of BLS: `basic` needs nothing more, `augmented` signs the public key along with the message, `possession` relies
 * on keys being proven once, as Ethereum does (draft-irtf-cfrg-bls-signature §3).
 */
export type BlsSuite = 'basic' | 'augmented' | 'possession';

/**
 * What can be chosen for one signature. The first of each list is what happens when nothing is asked for; an absent list
 * means that there is nothing to choose, and asking is refused.
 */
export interface SigningChoices {
  readonly hashes?: readonly SignatureHash[];
  readonly paddings?: readonly Padding[];
  readonly encodings?: readonly SignatureEncoding[];
  readonly suites?: readonly BlsSuite[];
  /**
   * Without a hash asked for, the message itself is signed; with one, its digest under another domain (HashML-DSA,
   * HashSLH-DSA). Two different signatures, so signer and verifier must agree.
   */
  readonly prehash?: true;
  /** Context strings, at most 255 bytes. */
  readonly context?: true;
  /** A user id that is hashed before the message (SM2). */
  readonly userId?: true;
  /**
   * What randomness does to a signature: `none` cannot take any, `optional` hedges when it is given, `always` draws its own.
   */
  readonly randomness: 'none' | 'optional' | 'always';
}

/** Lengths in bytes. */
export interface Sizes {
  /** Raw private form: seed, scalar or key. */
  readonly private: number;
  /** Raw public key; 0 for symmetric algorithms. */
  readonly public: number;
  readonly signature?: number;
  readonly ciphertext?: number;
  readonly sharedSecret?: number;
}

/** Static facts about an algorithm (or one profile of it) and the way to its code. */
export interface Descriptor {
  /** Registry name, e.g. `ml-dsa-65`. */
  readonly name: string;
  /** For hybrids, the encoding profile fixed at generation; empty otherwise. */
  readonly profile: string;
  readonly kind: AlgorithmKind;
  readonly sizes: Sizes;
  /** NIST security category; 0 for algorithms that a quantum computer breaks. */
  readonly category: 0 | 1 | 2 | 3 | 4 | 5;
  /** Strength in bits against classical attack. */
  readonly bits: number;
  readonly status: AlgorithmStatus;
  /** All that a key can be for. */
  readonly purposes: readonly Purpose[];
  /** What a key is for when nobody says; all of `purposes` when absent. */
  readonly defaultPurposes?: readonly Purpose[];
  /** Standard and section. */
  readonly spec: string;
  /** What can be chosen for a signature; absent for algorithms that sign nothing. */
  readonly signing?: SigningChoices;
  /** The code draws randomness for new keys where nothing can be mixed in, so contributed entropy has to be refused. */
  readonly ownEntropy?: true;
  /** Making a key or a signature takes long enough that a person should be told. */
  readonly slow?: true;
  /** Dotted object identifier in SPKI and PKCS#8; absent when there is none. */
  readonly oid?: string;
  /** Parameters beside it: NULL, or the dotted object identifier of a named curve. Absent when the standard wants none. */
  readonly parameters?: 'null' | { readonly curve: string };
  /**
   * How PKCS#8 wraps the raw private form: `ec` is SEC 1's ECPrivateKey, `with-public` the private form followed by the second
   * half of the public key.
   */
  readonly pkcs8?: 'octet-string' | 'seed-choice' | 'bare' | 'ec' | 'with-public';
  /** Where the standard writes the private parts otherwise than conclave: the way there and back, for `bare` keys. */
  readonly rearrange?: {
    /** The caller owns and wipes the result. */
    toPkcs8(secret: Uint8Array): Uint8Array;
    /** @throws InputError for what cannot be brought into the raw form; its length is checked by the caller */
    fromPkcs8(encoded: Uint8Array, what: string): Uint8Array;
  };
  /**
   * What a raw public key must satisfy besides its length, as far as can be told without loading any code.
   * @throws InputError `E_KEY_FORM`
   */
  readonly assertPublicForm?: (publicKey: Uint8Array, what: string) => void;
  /** Group (`crypto/math/prime-group`) of which the raw private form is a scalar, big-endian; absent for seeds and all else. */
  readonly scalarGroup?: string;
  /** KEM identifier in HPKE. */
  readonly hpkeKem?: number;
  /** Names in JOSE and COSE; `accepts`: further `alg` values that keys of this kind are seen with. */
  readonly jose?: {
    readonly kty: string;
    readonly alg?: string;
    readonly crv?: string;
    readonly accepts?: readonly string[];
  };
  readonly cose?: {
    readonly kty: number;
    readonly alg?: number;
    readonly crv?: number;
    readonly accepts?: readonly number[];
  };
  /** SSH key type; `curve` is what ECDSA keys name beside it (RFC 5656 §3.1, RFC 8709, RFC 4253 §6.6). */
  readonly ssh?: { readonly type: string; readonly curve?: string };
  /** AWS KMS key specification. */
  readonly awsKeySpec?: string;
  /** Imports the code; noble is loaded inside. */
  load(): Promise<Implementation>;
}

/** What signer and verifier have to agree on besides message and key. What the algorithm does not offer is refused. */
export interface SignatureOptions {
  /** Context string, at most 255 bytes. */
  readonly context?: Uint8Array;
  readonly hash?: SignatureHash;
  readonly padding?: Padding;
  readonly encoding?: SignatureEncoding;
  readonly suite?: BlsSuite;
  /** User id of SM2; `1234567812345678` when absent. */
  readonly userId?: Uint8Array;
}

/** Options of signing. */
export interface SignOptions extends SignatureOptions {
  /** Hedging randomness (FIPS 204 §3.4); deterministic when absent. */
  readonly random?: RandomSource;
  /** Of the two spellings of an ECDSA signature the one with the smaller s, also where the curve's default allows both. */
  readonly lowS?: true;
}

/** Options of verifying. */
export interface VerifyOptions extends SignatureOptions {
  /** Refuse signatures whose s is in the upper half: chains that forbid a second spelling do. */
  readonly lowS?: boolean;
  /** Bytes of salt that a PSS signature must have; the length of the hash when absent. */
  readonly saltLength?: number;
}

/** A private key expanded once: to be compared with its record, and for the signatures after that. Disposing wipes it. */
export interface ReadySigner extends Disposable {
  readonly publicKey: Uint8Array;
  sign(message: Uint8Array, options?: SignOptions): Uint8Array;
}

/** What every kind with public keys can say of them. */
export interface PublicKeyCheck {
  /**
   * Refuses what has the length of a public key and is none: a point that is off its curve, at infinity, of small order or
   * outside the right subgroup, a coefficient beyond the modulus. Absent where every string of that length is a key.
   * @throws InputError `E_KEY_INVALID`
   */
  assertPublicKey?(publicKey: Uint8Array): void;
}

/** A loaded signature algorithm. Private bytes are borrowed: the caller wipes them. */
export interface SignatureImplementation extends PublicKeyCheck {
  readonly kind: 'signature';
  publicKey(secret: Uint8Array): Uint8Array;
  /** @throws UsageError `E_SIGNATURE_OPTION` for a choice that the algorithm does not offer, and `E_CONTEXT_…` */
  sign(message: Uint8Array, secret: Uint8Array, options?: SignOptions): Uint8Array;
  /** Expands a private key (borrowed) once, where expanding costs something. The receiver disposes it. */
  ready?(secret: Uint8Array): ReadySigner;
  /**
   * Never throws for a wrong signature or key: the answer is `false`.
   * @throws UsageError `E_SIGNATURE_OPTION` for a choice that the algorithm does not offer
   */
  verify(
    signature: Uint8Array,
    message: Uint8Array,
    publicKey: Uint8Array,
    options?: VerifyOptions,
  ): boolean;
  /** For keys that may also agree: the shared secret (x-coordinate) with a peer's public key; the caller wipes it. */
  agree?(secret: Uint8Array, peer: Uint8Array): Uint8Array;
  /** A second, independent implementation where the running Node has one. */
  readonly second?: SecondOpinion | undefined;
  /** The standard's interface below contexts and hashes, for those who bring their own message representative. */
  readonly internal?: InternalSignature;
  /** The standard's expanded private key, where PKCS#8 knows one besides the seed. */
  readonly expanded?: ExpandedKey & {
    sign(message: Uint8Array, expanded: Uint8Array, options?: SignOptions): Uint8Array;
  };
}

/**
 * ML-DSA's and SLH-DSA's internal functions, which sign their input as it stands: no context, no domain.
 * @see FIPS 204 §6, FIPS 205 §9
 */
export interface InternalSignature {
  /** With `mu`, the input is ML-DSA's 64-byte message representative, as a token or a cloud hands it out. */
  sign(
    input: Uint8Array,
    expanded: Uint8Array,
    options?: { readonly random?: RandomSource; readonly mu?: boolean },
  ): Uint8Array;
  verify(
    signature: Uint8Array,
    input: Uint8Array,
    publicKey: Uint8Array,
    options?: { readonly mu?: boolean },
  ): boolean;
}

/**
 * The expanded private key that a standard defines besides the seed. Conclave keeps seeds; this reads what others wrote.
 */
export interface ExpandedKey {
  /** Length in bytes. */
  readonly length: number;
  /** Expands a seed; the caller owns and wipes the result. */
  from(secret: Uint8Array): Uint8Array;
  /**
   * Public key of an expanded key, after checking that its parts belong together.
   * @throws InputError `E_KEY_INCONSISTENT`
   */
  publicKey(expanded: Uint8Array): Uint8Array;
}

/** What a second implementation must agree on: it recomputes the public key and checks a signature made by the first. */
export interface SecondOpinion {
  readonly by: string;
  /** Absent where a key that others read holds the public key, so that nothing would be recomputed. */
  publicKey?(secret: Uint8Array): Uint8Array;
  verify?(
    signature: Uint8Array,
    message: Uint8Array,
    publicKey: Uint8Array,
    context?: Uint8Array,
  ): boolean;
  /** For agreements: the shared secret, owned by the caller. */
  agree?(secret: Uint8Array, peer: Uint8Array): Uint8Array;
  /** For KEMs: the shared secret, owned by the caller. */
  decapsulate?(ciphertext: Uint8Array, secret: Uint8Array): Uint8Array;
}

/** A loaded KEM. Shared secrets are returned owned: the caller wipes them. */
export interface KemImplementation extends PublicKeyCheck {
  readonly kind: 'kem';
  publicKey(secret: Uint8Array): Uint8Array;
  encapsulate(
    publicKey: Uint8Array,
    random: RandomSource,
  ): { readonly ciphertext: Uint8Array; readonly sharedSecret: Uint8Array };
  decapsulate(ciphertext: Uint8Array, secret: Uint8Array): Uint8Array;
  /** HPKE's DeriveKeyPair for this KEM: a private form from input keying material. */
  deriveKeyPair?(ikm: Uint8Array): Uint8Array;
  readonly second?: SecondOpinion | undefined;
  readonly expanded?: ExpandedKey & {
    decapsulate(ciphertext: Uint8Array, expanded: Uint8Array): Uint8Array;
  };
}

/** A loaded symmetric algorithm. */
export interface SymmetricImplementation {
  readonly kind: 'symmetric';
  /** Public key check value: 32 bytes, tells nothing usable about the key. */
  checkValue(secret: Uint8Array): Uint8Array;
  /** The 3 bytes by which hardware security modules tell keys of this kind apart, and how they come about. */
  readonly hsm: {
    readonly method: string;
    checkValue(secret: Uint8Array): Uint8Array;
  };
  /** For `mac` keys: the message authentication code at full length; compare it in constant time. */
  mac?(message: Uint8Array, secret: Uint8Array): Uint8Array;
  /** A second, independent implementation of `mac`. */
  readonly second?: {
    readonly by: string;
    mac(message: Uint8Array, secret: Uint8Array): Uint8Array;
  };
}

/** A loaded key agreement. */
export interface AgreementImplementation extends PublicKeyCheck {
  readonly kind: 'agreement';
  publicKey(secret: Uint8Array): Uint8Array;
  /**
   * The shared secret; the caller wipes it.
   * @throws InputError `E_KEY_INVALID` for a peer key that is no key, or would make the secret a constant
   */
  agree(secret: Uint8Array, peer: Uint8Array): Uint8Array;
  readonly second?: SecondOpinion | undefined;
}

/** What `load()` gives; every kind can also make a private form from random bytes. */
export type Implementation = (
  SignatureImplementation | KemImplementation | SymmetricImplementation | AgreementImplementation
) & {
  /** A new raw private form; the caller owns and wipes it. Rejection sampling may call `random` more than once. */
  generate(random: RandomSource): Uint8Array | Promise<Uint8Array>;
};
