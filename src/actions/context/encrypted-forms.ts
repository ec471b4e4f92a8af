/** Private keys encrypted under a passphrase by other programs (PKCS#8 EncryptedPrivateKeyInfo), in and out. */
import type { Descriptor, RandomSource } from '#crypto/descriptor';
import type { Environment } from '#custody/authority/record';
import { utf8 } from '#formats/bytes';
import { RefusedError } from '#formats/errors';
import { decodePem, encodePem, looksLikePem } from '#formats/pem';
import { SecretBytes } from '#formats/secret-bytes';
import type { Asker } from './context.js';
import { environmentOfMark, markText } from './marks.js';

/** PEM label of an encrypted private key (RFC 7468 §11). */
export const ENCRYPTED_LABEL = 'ENCRYPTED PRIVATE KEY';

/** PBES2's object identifier as DER, which an encrypted key in DER holds near its beginning. */
const PBES2 = '06092a864886f70d01050d';

/** Whether the bytes look like an encrypted private key of others, PEM or DER. Cheap, never throws. */
export function looksEncryptedPkcs8(bytes: Uint8Array): boolean {
  if (looksLikePem(bytes, ENCRYPTED_LABEL)) return true;
  if (bytes[0] !== 0x30) return false;
  return Buffer.from(bytes.subarray(0, 24)).toString('hex').includes(PBES2);
}

/** What was inside; the secret is owned by the receiver. */
export interface DecryptedKey {
  readonly descriptor: Descriptor;
  readonly secret: SecretBytes;
  readonly format: 'pkcs8-pem' | 'pkcs8-der';
  readonly environment: Environment;
}

/**
 * Opens an encrypted private key, trying one passphrase after another.
 * @param bytes - the file; borrowed
 * @param what - how people and errors name it
 * @throws RefusedError `E_PASSPHRASE_WRONG`, and InputErrors of the readers
 */
export async function openEncryptedPkcs8(
  bytes: Uint8Array,
  what: string,
  ask: Asker,
): Promise<DecryptedKey> {
  const { parseEncryptedPkcs8, decryptPkcs8 } = await import('#crypto/encodings/encrypted-pkcs8');
  const isPem = bytes[0] !== 0x30;
  const pem = isPem ? decodePem(bytes, what) : undefined;
  const file = parseEncryptedPkcs8(pem?.bytes ?? bytes, what);
  let refusal: RefusedError | undefined;
  for (let attempt = 0; ; attempt++) {
    const passphrase = await ask.passphrase({ opens: what, attempt });
    if (passphrase === undefined) throw refusal ?? noPassphrase(what);
    try {
      const der = decryptPkcs8(file, passphrase, what);
      try {
        const { decodePkcs8 } = await import('#crypto/encodings/pkcs8');
        const { descriptor, secret } = await decodePkcs8(der, what);
        return {
          descriptor,
          secret: SecretBytes.adopt(secret, `private key of ${what}`),
          format: isPem ? 'pkcs8-pem' : 'pkcs8-der',
          environment: environmentOfMark(pem?.explanation ?? ''),
        };
      } finally {
        der.fill(0);
      }
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      refusal = error;
    } finally {
      passphrase.dispose();
    }
  }
}

/**
 * An encrypted private key as openssl reads it.
 * @param pkcs8 - DER of the private key; borrowed
 * @param passphrase - borrowed
 * @param form - `pem` with the marking text before BEGIN, or `der`
 */
export async function encodeEncryptedPkcs8(
  pkcs8: Uint8Array,
  passphrase: SecretBytes,
  options: {
    readonly form: 'pem' | 'der';
    readonly environment: Environment;
    readonly random: RandomSource;
  },
): Promise<Uint8Array> {
  const { encryptPkcs8 } = await import('#crypto/encodings/encrypted-pkcs8');
  const der = encryptPkcs8(pkcs8, passphrase, options.random);
  return options.form === 'der'
    ? der
    : utf8(encodePem(ENCRYPTED_LABEL, der, markText(options.environment)));
}

function noPassphrase(what: string): RefusedError {
  return new RefusedError({
    code: 'E_PASSPHRASE_WRONG',
    message: `no passphrase was given for ${what}`,
    hint: 'give it by --passphrase-file',
  });
}
