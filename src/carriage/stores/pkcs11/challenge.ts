/**
 * Proof that a token holds the key that it should: something random is signed, authenticated or encrypted inside, and checked
 * outside. Tokens accept a key of the wrong length, or a point of the wrong form, without a word.
 */
import { aesGcmOpen } from '#crypto/aead';
import type { Implementation, Purpose, RandomSource } from '#crypto/descriptor';
import { rsaOaepSeal } from '#crypto/rsa-oaep';
import { equalConstantTime, utf8 } from '#formats/bytes';
import { ConclaveError, NegativeError } from '#formats/errors';
import type { SecretBytes } from '#formats/secret-bytes';
import { OAEP, oaepMechanism, OTHER_HASH, rsaPublicKeyOf } from './oaep.js';
import type { Session } from './session.js';
import { aesGcmInToken, agreeInToken, macInToken, signInToken, type UsableKey } from './use.js';

/** What the key is compared with. */
export interface Expected {
  readonly implementation: Implementation;
  /** Raw public key; for symmetric keys the check value. */
  readonly publicKey: Uint8Array;
  /** The key itself, where it is known outside (imports). Borrowed. */
  readonly secret?: SecretBytes | undefined;
  readonly random: RandomSource;
  /** What the key is for; a key that could sign does that when not given. */
  readonly purposes?: readonly Purpose[] | undefined;
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
      const { purposes = ['sign'] } = expected;
      const done: string[] = [];
      if (purposes.includes('sign')) {
        const signature = signInToken(session, key, message);
        if (!implementation.verify(signature, message, publicKey)) throw failed(key, 'signature');
        done.push('a random message signed in the token, verified outside');
      }
      if (purposes.includes('agree')) done.push(agrees(session, key, implementation, expected));
      if (purposes.includes('encrypt')) done.push(decrypts(session, key, publicKey, message));
      return done.join('; ');
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

/** Both sides of a Diffie-Hellman agreement: the token's with a new key of ours, ours with the token's public key. */
function agrees(
  session: Session,
  key: UsableKey,
  implementation: Implementation & { readonly kind: 'signature' },
  { publicKey, random }: Expected,
): string {
  const own = implementation.generate(random);
  // Curves make their keys at once; only RSA takes its time, and agrees on nothing.
  if (!(own instanceof Uint8Array) || implementation.agree === undefined) {
    throw failed(key, 'agreement');
  }
  const theirs = agreeInToken(session, key, implementation.publicKey(own));
  const ours = implementation.agree(own, publicKey);
  own.fill(0);
  const same = equalConstantTime(theirs, ours);
  theirs.fill(0);
  ours.fill(0);
  if (!same) throw failed(key, 'agreement');
  return 'a secret agreed on in the token, compared outside';
}

/** Something that was encrypted here. */
function decrypts(
  session: Session,
  key: UsableKey,
  publicKey: Uint8Array,
  message: Uint8Array,
): string {
  const rsa = rsaPublicKeyOf(publicKey);
  let refusal: unknown;
  for (const oaep of OAEP) {
    try {
      const sealed = rsaOaepSeal(rsa, oaep.name, message);
      const opened = session.decrypt(oaepMechanism(oaep), key.handle, sealed, rsa.bytes);
      if (!equalConstantTime(opened, message)) throw failed(key, 'plaintext');
      return 'a random message encrypted outside, decrypted in the token';
    } catch (error) {
      const ckr = error instanceof ConclaveError ? error.details?.['ckr'] : undefined;
      if (!OTHER_HASH.has(String(ckr))) throw error;
      refusal = error;
    }
  }
  throw refusal;
}

function failed({ descriptor }: UsableKey, what: string): NegativeError {
  return new NegativeError({
    code: 'E_TOKEN_CHALLENGE',
    message: `the token's ${what} is not that of the ${descriptor.name} key it was given`,
    hint: 'do not use this token for it; conclave hsm info --keys shows what is in there now',
  });
}
