/**
 * Proof that a token holds the key that it should: something random is signed, authenticated or encrypted inside, and checked
 * outside. Tokens accept a key of the wrong length, or a point of the wrong form, without a word.
 */
import { aesGcmOpen } from '#crypto/aead';
import type { Implementation, RandomSource } from '#crypto/descriptor';
import { equalConstantTime, utf8 } from '#formats/bytes';
import { NegativeError } from '#formats/errors';
import type { SecretBytes } from '#formats/secret-bytes';
import type { Session } from './session.js';
import { aesGcmInToken, macInToken, signInToken, type UsableKey } from './use.js';

/** What the key is compared with. */
export interface Expected {
  readonly implementation: Implementation;
  /** Raw public key; for symmetric keys the check value. */
  readonly publicKey: Uint8Array;
  /** The key itself, where it is known outside (imports). Borrowed. */
  readonly secret?: SecretBytes | undefined;
  readonly random: RandomSource;
}

const AAD = utf8('conclave token challenge v1');

/**
 * Challenges a key.
 * @returns what was checked, for people and records; `undefined` where nothing can be asked of such a key through PKCS#11 here
 * @throws NegativeError `E_TOKEN_CHALLENGE` when the answer is not that of the key
 */
export function challenge(
  session: Session,
  key: UsableKey,
  expected: Expected,
): string | undefined {
  const { implementation, publicKey, secret, random } = expected;
  const message = random(32);
  switch (implementation.kind) {
    case 'signature': {
      const signature = signInToken(session, key, message);
      if (!implementation.verify(signature, message, publicKey)) throw failed(key, 'signature');
      return 'a random message signed in the token, verified outside';
    }
    case 'symmetric': {
      if (secret === undefined) return undefined;
      if (key.family.kind === 'hmac') {
        const code = macInToken(session, key, message);
        const own = secret.use((raw) => implementation.mac?.(message, raw));
        if (own === undefined || !equalConstantTime(code, own)) throw failed(key, 'code');
        return 'a random message authenticated in the token, compared outside';
      }
      const nonce = random(12);
      const sealed = aesGcmInToken(session, key.handle, 'seal', { nonce, aad: AAD, data: message });
      let opened: Uint8Array;
      try {
        opened = secret.use((raw) => aesGcmOpen(raw, nonce, sealed, AAD, 'challenge'));
      } catch {
        throw failed(key, 'ciphertext');
      }
      if (!equalConstantTime(opened, message)) throw failed(key, 'ciphertext');
      return 'a random message encrypted in the token, decrypted outside';
    }
    case 'kem':
    case 'agreement':
      return undefined;
  }
}

function failed({ descriptor }: UsableKey, what: string): NegativeError {
  return new NegativeError({
    code: 'E_TOKEN_CHALLENGE',
    message: `the token's ${what} is not that of the ${descriptor.name} key it was given`,
    hint: 'do not use this token for it; conclave hsm info --keys shows what is in there now',
  });
}
