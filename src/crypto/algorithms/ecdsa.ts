/**
 * ECDSA on the NIST curves and on secp256k1, with deterministic nonces. Raw public keys are uncompressed points, as in SPKI.
 * The same keys agree (ECDH) when they were made for that.
 */
import type { ECDSA, ecdsa } from '@noble/curves/abstract/weierstrass.js';
import { InputError } from '#formats/errors';
import type {
  Descriptor,
  Implementation,
  SignatureHash,
  SignatureImplementation,
} from '../descriptor.js';
import { digestOf } from '../hash.js';
import { assertPrivate, assertPublic } from '../lengths.js';
import { loadNobleHashes, type NobleHashes } from '../noble-hashes.js';
import { nodeOpinion } from '../second-opinion.js';
import { choose, chooseVerifying } from '../signing-choices.js';

/** id-ecPublicKey (RFC 5480 §2.1.1). */
const EC_PUBLIC_KEY = '1.2.840.10045.2.1';

interface Curve {
  readonly name: string;
  /** Bytes of a scalar and of a coordinate. */
  readonly bytes: number;
  readonly bits: number;
  readonly oid: string;
  /** Names of the curve elsewhere. */
  readonly jose: string;
  readonly joseAlg: string;
  readonly cose: number;
  readonly coseAlg: number;
  /** The algorithm together with its curve (RFC 9864), which some keys name instead. */
  readonly coseFull?: number;
  readonly ssh?: string;
  readonly aws: string;
  readonly hash: SignatureHash;
  readonly spec: string;
  /** Name in `crypto/math/prime-group`. */
  readonly group: string;
  /** Sign with the smaller of s and -s, as the chains of this curve demand. */
  readonly lowS: boolean;
  load(): Promise<ECDSA>;
}

/** Besides the curve's own; those that RFC 6979 can derive nonces with. */
const HASHES: readonly SignatureHash[] = [
  'sha256',
  'sha384',
  'sha512',
  'sha224',
  'sha512-224',
  'sha512-256',
  'sha3-224',
  'sha3-256',
  'sha3-384',
  'sha3-512',
];

function describe(curve: Curve): Descriptor {
  const { name, bytes, hash } = curve;
  const descriptor: Descriptor = {
    name,
    profile: '',
    kind: 'signature',
    sizes: {
      private: bytes,
      public: 1 + 2 * bytes,
      signature: 2 * bytes,
      sharedSecret: bytes,
    },
    category: 0,
    bits: curve.bits,
    status: 'standard',
    purposes: ['sign', 'agree'],
    defaultPurposes: ['sign'],
    spec: curve.spec,
    signing: {
      hashes: [hash, ...HASHES.filter((each) => each !== hash)],
      encodings: ['raw', 'der'],
      randomness: 'optional',
    },
    oid: EC_PUBLIC_KEY,
    parameters: { curve: curve.oid },
    pkcs8: 'ec',
    scalarGroup: curve.group,
    assertPublicForm: assertUncompressed,
    jose: { kty: 'EC', crv: curve.jose, alg: curve.joseAlg },
    cose: {
      kty: 2,
      crv: curve.cose,
      alg: curve.coseAlg,
      ...(curve.coseFull === undefined ? {} : { accepts: [curve.coseFull] }),
    },
    ...(curve.ssh === undefined
      ? {}
      : { ssh: { type: `ecdsa-sha2-${curve.ssh}`, curve: curve.ssh } }),
    awsKeySpec: curve.aws,
    load: async () => implement(descriptor, curve, await curve.load(), await loadTools()),
  };
  return descriptor;
}

/** One spelling per point: the uncompressed one, which every program writes unless told otherwise. */
function assertUncompressed(point: Uint8Array, what: string): void {
  if (point[0] === 4) return;
  throw new InputError({
    code: 'E_KEY_FORM',
    message: `${what} holds a point that is not written in full`,
    hint: 'write it again uncompressed, for example with openssl ec -conv_form uncompressed',
  });
}

interface Tools {
  readonly ecdsa: typeof ecdsa;
  readonly hashes: NobleHashes;
}

async function loadTools(): Promise<Tools> {
  const [weierstrass, hashes] = await Promise.all([
    import('@noble/curves/abstract/weierstrass.js'),
    loadNobleHashes(),
  ]);
  return { ecdsa: weierstrass.ecdsa, hashes };
}

function implement(
  descriptor: Descriptor,
  { name, bytes, lowS, hash: ownHash }: Curve,
  curve: ECDSA,
  tools: Tools,
): Implementation {
  const signers = new Map([[ownHash, curve]]);

  /** RFC 6979 derives the nonce with the hash of the message, so each hash has its own signer. */
  function signerFor(hash: SignatureHash): ECDSA {
    const known = signers.get(hash);
    if (known !== undefined) return known;
    const made = tools.ecdsa(curve.Point, tools.hashes[hash as keyof NobleHashes], { lowS });
    signers.set(hash, made);
    return made;
  }

  function publicKey(secret: Uint8Array): Uint8Array {
    assertPrivate(descriptor, secret);
    try {
      return curve.getPublicKey(secret, false);
    } catch (cause) {
      throw invalid(`this is not a valid ${name} private key: zero, or beyond the order`, cause);
    }
  }

  const implementation: SignatureImplementation & Pick<Implementation, 'generate'> = {
    kind: 'signature',
    // The cofactor is one: whatever is on the curve, and not at infinity, is a key (SEC 1 §3.2.2).
    assertPublicKey(publicKey) {
      assertPublic(descriptor, publicKey);
      assertUncompressed(publicKey, `${name} public key`);
      try {
        curve.Point.fromBytes(publicKey).assertValidity();
      } catch (cause) {
        throw invalid(`this is not a valid ${name} public key: it is not on the curve`, cause);
      }
    },
    // FIPS 186-5 A.2.1: more random bits than the order has, reduced.
    generate(random) {
      const seed = random(curve.lengths.seed ?? 0);
      try {
        return curve.utils.randomSecretKey(seed);
      } finally {
        seed.fill(0);
      }
    },
    publicKey,
    sign(message, secret, options = {}) {
      assertPrivate(descriptor, secret);
      const { hash = ownHash, encoding } = choose(descriptor, options);
      const extra = options.random?.(32);
      try {
        return signerFor(hash).sign(message, secret, {
          lowS: options.lowS ?? lowS,
          format: encoding === 'der' ? 'der' : 'compact',
          ...(extra === undefined ? {} : { extraEntropy: extra }),
        });
      } finally {
        extra?.fill(0);
      }
    },
    verify(signature, message, publicKey, options = {}) {
      const chosen = chooseVerifying(descriptor, options);
      if (chosen === undefined || publicKey.length !== descriptor.sizes.public) return false;
      const { hash = ownHash, encoding } = chosen;
      if (encoding === 'raw' && signature.length !== 2 * bytes) return false;
      if (publicKey[0] !== 4) return false;
      try {
        return curve.verify(signature, digestOf(hash, message), publicKey, {
          prehash: false,
          lowS: options.lowS === true,
          format: encoding === 'der' ? 'der' : 'compact',
        });
      } catch {
        return false;
      }
    },
    agree(secret, peer) {
      assertPrivate(descriptor, secret);
      assertPublic(descriptor, peer);
      assertUncompressed(peer, `${name} public key`);
      try {
        const point = curve.getSharedSecret(secret, peer, true);
        const x = point.slice(1);
        point.fill(0);
        return x;
      } catch (cause) {
        throw invalid(`this is not a valid ${name} public key: it is not on the curve`, cause);
      }
    },
    get second() {
      return nodeOpinion(descriptor, { hash: ownHash, dsaEncoding: 'ieee-p1363' });
    },
  };
  return implementation;
}

function invalid(message: string, cause: unknown): InputError {
  return new InputError({ code: 'E_KEY_INVALID', message, cause });
}

const koblitz = async (): Promise<ECDSA> => (await import('@noble/curves/secp256k1.js')).secp256k1;
const nist = async (): Promise<typeof import('@noble/curves/nist.js')> =>
  await import('@noble/curves/nist.js');

/** P-256, P-384, P-521 (FIPS 186-5, SP 800-186) and secp256k1 (SEC 2). */
export const descriptors = [
  describe({
    name: 'p256',
    group: 'nist-p256',
    bytes: 32,
    bits: 128,
    oid: '1.2.840.10045.3.1.7',
    jose: 'P-256',
    joseAlg: 'ES256',
    cose: 1,
    coseAlg: -7,
    coseFull: -9,
    ssh: 'nistp256',
    aws: 'ECC_NIST_P256',
    hash: 'sha256',
    spec: 'FIPS 186-5 §6, SP 800-186 §3.2.1.3',
    lowS: false,
    load: async () => (await nist()).p256,
  }),
  describe({
    name: 'p384',
    group: 'nist-p384',
    bytes: 48,
    bits: 192,
    oid: '1.3.132.0.34',
    jose: 'P-384',
    joseAlg: 'ES384',
    cose: 2,
    coseAlg: -35,
    coseFull: -51,
    ssh: 'nistp384',
    aws: 'ECC_NIST_P384',
    hash: 'sha384',
    spec: 'FIPS 186-5 §6, SP 800-186 §3.2.1.4',
    lowS: false,
    load: async () => (await nist()).p384,
  }),
  describe({
    name: 'p521',
    group: 'nist-p521',
    bytes: 66,
    bits: 256,
    oid: '1.3.132.0.35',
    jose: 'P-521',
    joseAlg: 'ES512',
    cose: 3,
    coseAlg: -36,
    coseFull: -52,
    ssh: 'nistp521',
    aws: 'ECC_NIST_P521',
    hash: 'sha512',
    spec: 'FIPS 186-5 §6, SP 800-186 §3.2.1.5',
    lowS: false,
    load: async () => (await nist()).p521,
  }),
  describe({
    name: 'secp256k1',
    group: 'sec-256k1',
    bytes: 32,
    bits: 128,
    oid: '1.3.132.0.10',
    jose: 'secp256k1',
    joseAlg: 'ES256K',
    cose: 8,
    coseAlg: -47,
    aws: 'ECC_SECG_P256K1',
    hash: 'sha256',
    spec: 'SEC 1 §4.1, SEC 2 §2.4.1, RFC 6979',
    lowS: true,
    load: koblitz,
  }),
] as const;
