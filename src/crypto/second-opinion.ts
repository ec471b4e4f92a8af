/**
 * The second implementation that the running Node brings: OpenSSL through `node:crypto`, reached by the same PKCS#8 and SPKI
 * that conclave writes. The classical algorithms are in every Node; ML-DSA, ML-KEM and SLH-DSA from Node 24.7 with OpenSSL 3.5 on.
 */
import * as nodeCrypto from 'node:crypto';
import type { Descriptor, SecondOpinion, SignatureHash } from './descriptor.js';
import { encodePrivateKeyInfo } from './encodings/private-key-info.js';
import { encodeSpki } from './encodings/spki.js';

/** A second opinion that can also do what the algorithm's kind demands. */
export type FullOpinion = Required<Pick<SecondOpinion, 'by' | 'publicKey' | 'verify' | 'agree'>> &
  Pick<SecondOpinion, 'decapsulate'>;

/** What Node has to be told about signatures that name a hash or are pairs of integers. */
export interface NodeScheme {
  readonly hash?: SignatureHash;
  readonly dsaEncoding?: 'der' | 'ieee-p1363';
}

/** Newer than the type declarations of the oldest Node that conclave supports. */
const decapsulate = (
  nodeCrypto as unknown as {
    decapsulate?: (key: nodeCrypto.KeyObject, ciphertext: Uint8Array) => Buffer;
  }
).decapsulate;

/** Node's opinion on keys of this algorithm, or `undefined` when the running Node does not know it. */
export function nodeOpinion(
  descriptor: Descriptor,
  scheme: NodeScheme = {},
): FullOpinion | undefined {
  const opinion = opinionOf(descriptor, scheme);
  try {
    // Any bytes will do for a seed; as a scalar these are neither zero nor beyond any order.
    opinion.publicKey(new Uint8Array(descriptor.sizes.private).fill(1));
    return opinion;
  } catch {
    return undefined;
  }
}

function opinionOf(descriptor: Descriptor, scheme: NodeScheme): FullOpinion {
  const { dsaEncoding } = scheme;
  const publicKeyObject = (publicKey: Uint8Array): nodeCrypto.KeyObject =>
    nodeCrypto.createPublicKey({
      key: Buffer.from(encodeSpki(descriptor, publicKey)),
      format: 'der',
      type: 'spki',
    });
  return {
    by: 'node:crypto',
    publicKey(secret) {
      const spki = nodeCrypto
        .createPublicKey(privateKey(descriptor, secret))
        .export({ format: 'der', type: 'spki' });
      return new Uint8Array(spki.subarray(spki.length - descriptor.sizes.public));
    },
    verify(signature, message, publicKey, context = new Uint8Array(0)) {
      const key = publicKeyObject(publicKey);
      // Older Nodes, which know no algorithm with a context, ignore that member.
      const options = {
        key,
        ...(context.length === 0 ? {} : { context }),
        ...(dsaEncoding === undefined ? {} : { dsaEncoding }),
      };
      return nodeCrypto.verify(scheme.hash ?? null, message, options, signature);
    },
    agree(secret, peer) {
      const shared = nodeCrypto.diffieHellman({
        privateKey: privateKey(descriptor, secret),
        publicKey: publicKeyObject(peer),
      });
      const copy = new Uint8Array(shared);
      shared.fill(0);
      return copy;
    },
    ...(descriptor.kind === 'kem' && decapsulate !== undefined
      ? {
          decapsulate: (ciphertext: Uint8Array, secret: Uint8Array) =>
            new Uint8Array(decapsulate(privateKey(descriptor, secret), ciphertext)),
        }
      : {}),
  };
}

function privateKey(descriptor: Descriptor, secret: Uint8Array): nodeCrypto.KeyObject {
  const der = encodePrivateKeyInfo(descriptor, secret);
  try {
    // A view, not a copy: what is wiped below is the only encoding there is.
    const key = Buffer.from(der.buffer, der.byteOffset, der.byteLength);
    return nodeCrypto.createPrivateKey({ key, format: 'der', type: 'pkcs8' });
  } finally {
    der.fill(0);
  }
}

/**
 * Node's opinion on signatures alone, for algorithms whose PKCS#8 holds the public key, or `undefined` when the running Node
 * does not know them.
 */
export function nodeVerifier(
  descriptor: Descriptor,
): Required<Pick<SecondOpinion, 'by' | 'verify'>> | undefined {
  const { by, verify } = opinionOf(descriptor, {});
  try {
    // Any bytes are a public key to OpenSSL; what has to be found out is whether it knows the algorithm.
    const der = Buffer.from(encodeSpki(descriptor, new Uint8Array(descriptor.sizes.public)));
    nodeCrypto.createPublicKey({ key: der, format: 'der', type: 'spki' });
    return { by, verify };
  } catch {
    return undefined;
  }
}
