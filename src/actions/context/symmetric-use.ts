/** What symmetric keys are asked to do, and what to say when another kind of key is named. */
import type { Descriptor } from '#crypto/descriptor';
import { UsageError } from '#formats/errors';

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
