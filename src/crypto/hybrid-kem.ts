/**
 * A KEM of two halves, ML-KEM and a curve, from one 32-byte seed: X-Wing and its relatives, whose combiner is the C2PRI of
 * draft-irtf-cfrg-hybrid-kems.
 */
import { createHash } from 'node:crypto';
import type { KEM } from '@noble/post-quantum/utils.js';
import { concat, utf8 } from '#formats/bytes';
import { InputError } from '#formats/errors';
import type { Descriptor, Implementation, KemImplementation, SecondOpinion } from './descriptor.js';
import { shake256 } from './hash.js';
import { deriveSeed } from './hpke-seed.js';
import { assertLength, assertPrivate, assertPublic } from './lengths.js';
import { nodeOpinion, type NodeScheme } from './second-opinion.js';

/** What the halves are, for the second implementation, which is put together from Node's. */
export interface HybridHalves {
  readonly pq: Descriptor;
  readonly curve: Descriptor;
  /** Label of the combiner. */
  readonly label: string;
  readonly scheme?: NodeScheme;
}

/**
 * @param kem - noble's
 * @param randomLength - bytes of randomness that one encapsulation takes
 */
export function implementHybridKem(
  descriptor: Descriptor,
  kem: KEM,
  randomLength: number,
  halves: HybridHalves,
): Implementation {
  const { name, sizes, hpkeKem = 0 } = descriptor;

  const encapsulate: KemImplementation['encapsulate'] = (publicKey, random) => {
    assertPublic(descriptor, publicKey);
    const message = random(randomLength);
    try {
      const { cipherText, sharedSecret } = kem.encapsulate(publicKey, message);
      return { ciphertext: cipherText, sharedSecret };
    } catch (cause) {
      throw new InputError({
        code: 'E_KEY_INVALID',
        message: `this is not a valid ${name} public key`,
        cause,
      });
    } finally {
      message.fill(0);
    }
  };

  return {
    kind: 'kem',
    generate: (random) => random(sizes.private),
    // Encapsulating to it looks at both halves.
    assertPublicKey(publicKey) {
      encapsulate(publicKey, (length) => new Uint8Array(length).fill(1)).sharedSecret.fill(0);
    },
    publicKey(secret) {
      assertPrivate(descriptor, secret);
      return kem.getPublicKey(secret);
    },
    encapsulate,
    decapsulate(ciphertext, secret) {
      assertLength(ciphertext, sizes.ciphertext ?? 0, `${name} ciphertext`);
      assertPrivate(descriptor, secret);
      try {
        return kem.decapsulate(ciphertext, secret);
      } catch (cause) {
        throw new InputError({
          code: 'E_CIPHERTEXT_INVALID',
          message: `this is not a valid ${name} ciphertext`,
          cause,
        });
      }
    },
    deriveKeyPair: (ikm) => deriveSeed(hpkeKem, ikm, sizes.private),
    get second() {
      return opinion(halves);
    },
  };
}

/** The hybrid put together from Node's ML-KEM, curve and SHA-3, where Node has the first. */
function opinion({ pq, curve, label, scheme }: HybridHalves): SecondOpinion | undefined {
  const node = nodeOpinion(pq);
  const second = nodeOpinion(curve, scheme);
  const { decapsulate } = node ?? {};
  if (node === undefined || second === undefined || decapsulate === undefined) return undefined;
  const seedLength = pq.sizes.private;
  const expand = (
    secret: Uint8Array,
  ): { parts: Uint8Array; seed: Uint8Array; scalar: Uint8Array } => {
    const parts = shake256(seedLength + curve.sizes.private, secret);
    return { parts, seed: parts.subarray(0, seedLength), scalar: parts.subarray(seedLength) };
  };
  return {
    by: node.by,
    publicKey(secret) {
      const { parts, seed, scalar } = expand(secret);
      try {
        return concat(node.publicKey(seed), second.publicKey(scalar));
      } finally {
        parts.fill(0);
      }
    },
    decapsulate(ciphertext, secret) {
      const { parts, seed, scalar } = expand(secret);
      const at = ciphertext.length - curve.sizes.public;
      const theirs = ciphertext.subarray(at);
      const kemSecret = decapsulate(ciphertext.subarray(0, at), seed);
      const shared = second.agree(scalar, theirs);
      const combined = createHash('sha3-256');
      for (const part of [kemSecret, shared, theirs, second.publicKey(scalar), utf8(label)]) {
        combined.update(part);
      }
      for (const secretPart of [parts, kemSecret, shared]) secretPart.fill(0);
      return new Uint8Array(combined.digest());
    },
  };
}
