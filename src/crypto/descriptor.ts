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
  readonly purposes: readonly Purpose[];
  /** Standard and section. */
  readonly spec: string;
  /** Dotted object identifier in SPKI and PKCS#8; absent when there is none. */
  readonly oid?: string;
  /** How PKCS#8 wraps the raw private form. */
  readonly pkcs8?: 'octet-string' | 'seed-choice' | 'bare';
  /** Where the standard orders the private parts otherwise than conclave: the way there and back. */
  readonly rearrange?: {
    toPkcs8(secret: Uint8Array): Uint8Array;
    fromPkcs8(encoded: Uint8Array): Uint8Array;
  };
  /** KEM identifier in HPKE. */
  readonly hpkeKem?: number;
  readonly jose?: { readonly kty: string; readonly alg?: string; readonly crv?: string };
  readonly cose?: { readonly kty: number; readonly alg?: number; readonly crv?: number };
  /** Imports the code; noble is loaded inside. */
  load(): Promise<Implementation>;
}

/** Options of signing. */
export interface SignOptions {
  /** Context string, at most 255 bytes. */
  readonly context?: Uint8Array;
  /** Hedging randomness (FIPS 204 §3.4); deterministic when absent. */
  readonly random?: RandomSource;
}

/** A private key expanded once: to be compared with its record, and for the signatures after that. Disposing wipes it. */
export interface ReadySigner extends Disposable {
  readonly publicKey: Uint8Array;
  sign(message: Uint8Array, options?: SignOptions): Uint8Array;
}

/** A loaded signature algorithm. Private bytes are borrowed: the caller wipes them. */
export interface SignatureImplementation {
  readonly kind: 'signature';
  publicKey(secret: Uint8Array): Uint8Array;
  sign(message: Uint8Array, secret: Uint8Array, options?: SignOptions): Uint8Array;
  /** Expands a private key (borrowed) once, where expanding costs something. The receiver disposes it. */
  ready?(secret: Uint8Array): ReadySigner;
  /** Never throws for a wrong signature or key: the answer is `false`. */
  verify(
    signature: Uint8Array,
    message: Uint8Array,
    publicKey: Uint8Array,
    options?: { readonly context?: Uint8Array },
  ): boolean;
  /** A second, independent implementation where the running Node has one. */
  readonly second?: SecondOpinion | undefined;
  /** The standard's expanded private key, where PKCS#8 knows one besides the seed. */
  readonly expanded?: ExpandedKey & {
    sign(message: Uint8Array, expanded: Uint8Array, options?: SignOptions): Uint8Array;
  };
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
  publicKey(secret: Uint8Array): Uint8Array;
  verify?(
    signature: Uint8Array,
    message: Uint8Array,
    publicKey: Uint8Array,
    context?: Uint8Array,
  ): boolean;
  /** For KEMs: the shared secret, owned by the caller. */
  decapsulate?(ciphertext: Uint8Array, secret: Uint8Array): Uint8Array;
}

/** A loaded KEM. Shared secrets are returned owned: the caller wipes them. */
export interface KemImplementation {
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
}

/** A loaded key agreement. */
export interface AgreementImplementation {
  readonly kind: 'agreement';
  publicKey(secret: Uint8Array): Uint8Array;
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
