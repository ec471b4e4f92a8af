/** What symmetric keys are asked to do, and what to say when another kind of key is named. */
import type { FileCipher } from '#carriage/wrapping/encrypted-file';
import type { Descriptor } from '#crypto/descriptor';
import { UsageError } from '#formats/errors';
import type { OpenKey } from './context.js';

/** What `encrypt` and `decrypt` are asked alike. */
export const cipherFields = {
  key: { type: 'key', summary: 'the key', required: true },
  context: {
    type: 'string',
    summary:
      'text that is bound to the content but not stored: encrypt and decrypt must be given the same',
    placeholder: 'STR',
  },
} as const;

/**
 * Refuses a key that cannot encrypt files.
 * @param verb - `encrypts` or `decrypts`
 * @throws {@link UsageError} `E_KEY_CANNOT_ENCRYPT`
 */
export function assertEncrypts(descriptor: Descriptor, reference: string, verb: string): void {
  const { kind, name, purposes } = descriptor;
  if (kind === 'symmetric' && purposes.includes('encrypt')) return;
  throw new UsageError({
    code: 'E_KEY_CANNOT_ENCRYPT',
    message: `${reference} is a ${name} key, which ${verb} no files`,
    hint:
      kind === 'kem'
        ? 'to encrypt to a public key use conclave wrap'
        : 'name an AES key: conclave key generate --algorithm with an aes name',
  });
}

/**
 * Lends what encrypts and decrypts files with a key: its bytes, or the token that it is in, which the key does not leave.
 * @throws what the token answers
 */
export function withCipher<T>(key: OpenKey, work: (cipher: FileCipher) => T): T {
  const { inToken, descriptor } = key;
  if (inToken === undefined) return key.secret.use(work);
  return work({
    length: descriptor.sizes.private,
    seal: (nonce, plaintext, aad) => inToken.seal(nonce, plaintext, aad),
    open: (nonce, sealed, aad) => inToken.open(nonce, sealed, aad),
  });
}
