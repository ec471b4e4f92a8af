/**
 * The keys that a party uses in one session and wipes at its end, so that what was sealed to it stays closed afterwards.
 * An identity certifies their public halves; see `custody/authority`.
 */
import type { RandomSource } from '#crypto/descriptor';
import { resolve } from '#crypto/registry';
import { selfCheck } from '#crypto/self-check';
import { SecretBytes } from '#formats/secret-bytes';

/** Session keys with their private halves in memory. */
export interface OpenSessionKeys extends Disposable {
  /** Raw public key, 32 bytes. */
  readonly ed25519: Uint8Array;
  /** Raw public key, 1216 bytes. */
  readonly xWing: Uint8Array;
  /** 32-byte seed that signs. */
  readonly signing: SecretBytes;
  /** 32-byte seed that opens. */
  readonly opening: SecretBytes;
}

/**
 * New session keys, each checked before it is returned.
 * @returns owned: the caller disposes them
 * @throws {@link InternalError} `E_SELF_CHECK_FAILED`
 */
export async function newSessionKeys(random: RandomSource): Promise<OpenSessionKeys> {
  const signing = await newKey('ed25519', random);
  try {
    const opening = await newKey('x-wing', random);
    return {
      ed25519: signing.publicKey,
      xWing: opening.publicKey,
      signing: signing.seed,
      opening: opening.seed,
      [Symbol.dispose]: () => {
        signing.seed.dispose();
        opening.seed.dispose();
      },
    };
  } catch (error) {
    signing.seed.dispose();
    throw error;
  }
}

async function newKey(
  name: string,
  random: RandomSource,
): Promise<{ readonly publicKey: Uint8Array; readonly seed: SecretBytes }> {
  const descriptor = await resolve(name);
  const seed = await (await descriptor.load()).generate(random);
  try {
    const { publicKey } = await selfCheck(descriptor, seed, random);
    return { publicKey, seed: SecretBytes.copyOf(seed, `${name} session key`) };
  } finally {
    seed.fill(0);
  }
}
