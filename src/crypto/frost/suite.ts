/**
 * The ciphersuites of FROST: a group, its hash functions under the standard's names, and how scalars and points are written.
 * The secret rounds are noble's (`rounds`); everything that a stranger checks can be recomputed from what stands here.
 * @see RFC 9591 §6; BIP 340 and BIP 341 for Taproot
 */
import type { FROST } from '@noble/curves/abstract/frost.js';
import { concat, utf8 } from '#formats/bytes';
import { InputError, InternalError, UsageError } from '#formats/errors';
import { sha256, sha512, shake256 } from '../hash.js';
import { type GroupPoint, loadGroup, type PrimeGroup } from '../math/prime-group.js';

/** What a hash to a scalar is for: RFC 9591's H1, H2 and H3; `dkg` and `id` are those of the key generation. */
export type ScalarPurpose = 'rho' | 'chal' | 'nonce' | 'dkg' | 'id';

/** A ciphersuite, loaded. */
export interface FrostSuite {
  /** As a key record's `protocol` names it, e.g. `frost-ed25519`. */
  readonly name: string;
  /** Registry name of the algorithm that verifies its signatures. */
  readonly algorithm: string;
  /** How shares sign: by FROST, or by signatures that add up. */
  readonly scheme: 'frost' | 'pairing';
  /** Eight bytes that stand for the suite in share commitments. */
  readonly code: Uint8Array;
  readonly group: PrimeGroup;
  /** Length of a scalar on the wire: 32, for Ed448 57. */
  readonly scalarBytes: number;
  /** Length of a Schnorr signature of the group; of a proof of a constant too. */
  readonly signatureBytes: number;
  /** BIP 340: keys and nonces stand for their point with even y, and R is written without its sign. */
  readonly evenY: boolean;
  /** H1, H2, H3 and those of the key generation: a scalar from bytes. */
  hashToScalar(purpose: ScalarPurpose, ...parts: readonly Uint8Array[]): bigint;
  /** H4 (`msg`) and H5 (`com`). */
  hash(purpose: 'msg' | 'com', ...parts: readonly Uint8Array[]): Uint8Array;
  /** The challenge c of R, Y and the message; for Taproot both are taken with even y. */
  challenge(nonce: GroupPoint, key: GroupPoint, message: Uint8Array): bigint;
  /** The suite's order of bytes, fixed length; the caller wipes secrets. */
  encodeScalar(scalar: bigint): Uint8Array;
  /** @throws {@link InputError} `E_SCALAR_INVALID` */
  decodeScalar(bytes: Uint8Array, what: string): bigint;
  /** The raw public key of the registry's algorithm for a group key: x alone for Taproot, the compressed point elsewhere. */
  publicKey(key: GroupPoint): Uint8Array;
  /** noble's rounds. @throws {@link InternalError} `E_SUITE_ROUNDS` for a suite that does not sign by FROST */
  readonly rounds: FROST;
}

interface Facts {
  readonly algorithm: string;
  readonly code: string;
  readonly group: string;
  readonly context: string;
  readonly scalarBytes: number;
  readonly littleEndian: boolean;
  readonly evenY?: true;
  readonly hash: (...parts: readonly Uint8Array[]) => Uint8Array;
  /** What H2 is prefixed with, where that is not the context: the challenge of RFC 8032. */
  readonly challengePrefix?: Uint8Array;
  readonly load: () => Promise<Code>;
}

interface Code {
  /** Absent where signatures of shares add up. */
  readonly rounds?: FROST;
  /** Hash to a scalar of RFC 9380 with a domain; without it the hash is reduced. */
  readonly expand?: (message: Uint8Array, domain: Uint8Array) => bigint;
}

const shake114 = (...parts: readonly Uint8Array[]): Uint8Array => shake256(114, ...parts);

const FACTS: Readonly<Record<string, Facts>> = Object.assign(Object.create(null) as object, {
  'frost-ed25519': {
    algorithm: 'ed25519',
    code: 'ed25519\0',
    group: 'edwards25519',
    context: 'FROST-ED25519-SHA512-v1',
    scalarBytes: 32,
    littleEndian: true,
    hash: sha512,
    challengePrefix: new Uint8Array(0),
    load: async () => ({ rounds: (await import('@noble/curves/ed25519.js')).ed25519_FROST }),
  },
  'frost-ed448': {
    algorithm: 'ed448',
    code: 'ed448\0\0\0',
    group: 'edwards448',
    context: 'FROST-ED448-SHAKE256-v1',
    scalarBytes: 57,
    littleEndian: true,
    hash: shake114,
    challengePrefix: utf8('SigEd448\0\0'),
    load: async () => ({ rounds: (await import('@noble/curves/ed448.js')).ed448_FROST }),
  },
  'frost-p256': {
    algorithm: 'schnorr-p256',
    code: 'p256\0\0\0\0',
    group: 'nist-p256',
    context: 'FROST-P256-SHA256-v1',
    scalarBytes: 32,
    littleEndian: false,
    hash: sha256,
    load: async () => {
      const { p256_FROST, p256_hasher } = await import('@noble/curves/nist.js');
      return { rounds: p256_FROST, expand: expanding(p256_hasher) };
    },
  },
  'frost-secp256k1': {
    algorithm: 'schnorr-secp256k1',
    code: 'secp256k',
    group: 'sec-256k1',
    context: 'FROST-secp256k1-SHA256-v1',
    scalarBytes: 32,
    littleEndian: false,
    hash: sha256,
    load: async () => {
      const { secp256k1_FROST, secp256k1_hasher } = await import('@noble/curves/secp256k1.js');
      return { rounds: secp256k1_FROST, expand: expanding(secp256k1_hasher) };
    },
  },
  'frost-taproot': {
    algorithm: 'bip340',
    code: 'taproot\0',
    group: 'sec-256k1',
    context: 'FROST-secp256k1-SHA256-TR-v1',
    scalarBytes: 32,
    littleEndian: false,
    evenY: true,
    hash: sha256,
    load: async () => {
      const { schnorr_FROST, secp256k1_hasher } = await import('@noble/curves/secp256k1.js');
      return { rounds: schnorr_FROST, expand: expanding(secp256k1_hasher) };
    },
  },
  'frost-ristretto255': {
    algorithm: 'schnorr-ristretto255',
    code: 'ristr255',
    group: 'ristretto255',
    context: 'FROST-RISTRETTO255-SHA512-v1',
    scalarBytes: 32,
    littleEndian: true,
    hash: sha512,
    load: async () => ({ rounds: (await import('@noble/curves/ed25519.js')).ristretto255_FROST }),
  },
  // RFC 9591 has no suite for it, and needs none: signatures of shares add up. The hash is for proofs of the key generation.
  'bls12-381': {
    algorithm: 'bls12-381',
    code: 'bls12381',
    group: 'bls-g1',
    context: 'conclave-BLS12381G1-SHA512-v1',
    scalarBytes: 32,
    littleEndian: false,
    hash: sha512,
    load: () => Promise.resolve({}),
  },
} satisfies Record<string, Facts>);

/** Names of all suites, in the order in which help shows them. */
export const groupSuiteNames: readonly string[] = Object.keys(FACTS);

/** Those that sign by FROST. */
export const suiteNames: readonly string[] = groupSuiteNames.filter((name) =>
  name.startsWith('frost-'),
);

/** The suite that `--suite` means: its name, or what stands after `frost-` in it. */
export function suiteOf(choice: string): string {
  return groupSuiteNames.find((name) => name === `frost-${choice}`) ?? choice;
}

const suites = new Map<string, Promise<FrostSuite>>();

/**
 * A suite by its name.
 * @throws {@link UsageError} `E_SUITE_UNKNOWN`
 */
export async function loadSuite(name: string): Promise<FrostSuite> {
  const facts = FACTS[name];
  if (facts === undefined) {
    throw new UsageError({
      code: 'E_SUITE_UNKNOWN',
      message: `there is no suite ${JSON.stringify(name)}`,
      hint: `known are ${groupSuiteNames.join(', ')}`,
    });
  }
  const known = suites.get(name) ?? build(name, facts);
  suites.set(name, known);
  return await known;
}

/** Registry name of the algorithm that verifies what a suite signs, without loading the suite; undefined for other names. */
export function suiteAlgorithm(name: string): string | undefined {
  return FACTS[name]?.algorithm;
}

async function build(name: string, facts: Facts): Promise<FrostSuite> {
  const [group, { rounds, expand }] = await Promise.all([loadGroup(facts.group), facts.load()]);
  const { order, pointBytes } = group;
  const { scalarBytes, littleEndian } = facts;
  const evenY = facts.evenY === true;
  const code = utf8(facts.code);
  if (code.length !== 8)
    throw new InternalError({ code: 'E_SUITE_CODE', message: `${name} has no code of 8 bytes` });
  const domain = (purpose: string): Uint8Array => utf8(`${facts.context}${purpose}`);

  const hashToScalar = (purpose: ScalarPurpose, ...parts: readonly Uint8Array[]): bigint => {
    if (expand !== undefined) return expand(concat(...parts), domain(purpose));
    const prefix =
      purpose === 'chal' ? (facts.challengePrefix ?? domain(purpose)) : domain(purpose);
    return toInteger(facts.hash(prefix, ...parts), littleEndian) % order;
  };

  return {
    name,
    algorithm: facts.algorithm,
    code,
    group,
    scalarBytes,
    signatureBytes: (evenY ? pointBytes - 1 : pointBytes) + scalarBytes,
    evenY,
    scheme: rounds === undefined ? 'pairing' : 'frost',
    get rounds(): FROST {
      if (rounds !== undefined) return rounds;
      throw new InternalError({
        code: 'E_SUITE_ROUNDS',
        message: `${name} has no rounds of FROST`,
      });
    },
    hashToScalar,
    hash: (purpose, ...parts) => facts.hash(domain(purpose), ...parts),
    challenge: (nonce, key, message) =>
      evenY
        ? toInteger(taggedHash('BIP0340/challenge', xOf(nonce), xOf(key), message), false) % order
        : hashToScalar('chal', nonce.toBytes(), key.toBytes(), message),
    encodeScalar: (scalar) => fromInteger(scalar, scalarBytes, littleEndian),
    decodeScalar: (bytes, what) => {
      const scalar = toInteger(bytes, littleEndian);
      if (bytes.length === scalarBytes && scalar < order) return scalar;
      throw new InputError({
        code: 'E_SCALAR_INVALID',
        message: `${what} is no scalar of ${name}`,
      });
    },
    publicKey: (key) => (evenY ? xOf(key) : key.toBytes()),
  };
}

/**
 * What BIP 341 adds to an internal key that is spent by the key alone: the hash of its x, as a scalar.
 * @throws {@link InternalError} `E_TAPROOT_TWEAK`, with a probability of 2^-128
 */
export function taprootTweak(key: GroupPoint, { group }: FrostSuite): bigint {
  const tweak = toInteger(taggedHash('TapTweak', xOf(key)), false);
  if (tweak < group.order) return tweak;
  throw new InternalError({ code: 'E_TAPROOT_TWEAK', message: 'the Taproot tweak is no scalar' });
}

/** Whether the y of a point of secp256k1 is even. */
export function hasEvenY(point: GroupPoint): boolean {
  return point.toBytes()[0] === 2;
}

function xOf(point: GroupPoint): Uint8Array {
  return point.toBytes().slice(1);
}

function taggedHash(tag: string, ...parts: readonly Uint8Array[]): Uint8Array {
  const hashed = sha256(utf8(tag));
  return sha256(hashed, hashed, ...parts);
}

function expanding(hasher: {
  hashToScalar(message: Uint8Array, options: { readonly DST: Uint8Array }): bigint;
}): (message: Uint8Array, domain: Uint8Array) => bigint {
  return (message, domain) => hasher.hashToScalar(message, { DST: domain });
}

function toInteger(bytes: Uint8Array, littleEndian: boolean): bigint {
  const ordered = littleEndian ? bytes.slice().reverse() : bytes;
  return ordered.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}

function fromInteger(value: bigint, length: number, littleEndian: boolean): Uint8Array {
  const out = new Uint8Array(length);
  for (let i = length - 1, rest = value; i >= 0; i--, rest >>= 8n) out[i] = Number(rest & 0xffn);
  return littleEndian ? out.reverse() : out;
}
