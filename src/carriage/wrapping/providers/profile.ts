/**
 * The algorithms of import formats by their providers' names, and choosing one. A profile fixes the hash: it is never an option
 * beside the name.
 */
import { RefusedError, UsageError } from '#formats/errors';
import type { RsaProfile } from '../rsa-aes.js';

/** What the label on everything says that no provider was asked about. */
export const FORMAT_CHECKED = 'format-checked, not vendor-accepted';

/** One algorithm of a provider. */
export interface ImportProfile extends RsaProfile {
  /** The provider's own name, e.g. `RSA_AES_KEY_WRAP_SHA_256`. */
  readonly name: string;
  /** Modulus lengths in bits that it is for; any when absent. */
  readonly bits?: number;
  /** SHA-1, where a better hash exists: only when named. */
  readonly onlyByName?: true;
}

/**
 * The profile of this name.
 * @throws {@link UsageError} `E_WRAP_ALGORITHM`
 */
export function profileNamed<P extends { readonly name: string }>(
  profiles: readonly P[],
  name: string,
  provider: string,
): P {
  const found = profiles.find((each) => each.name.toLowerCase() === name.toLowerCase());
  if (found !== undefined) return found;
  throw new UsageError({
    code: 'E_WRAP_ALGORITHM',
    message: `${provider} has no algorithm ${JSON.stringify(name)}`,
    hint: `it has ${profiles.map((each) => each.name).join(', ')}`,
  });
}

/**
 * Refuses a wrapping key of another size than the algorithm's.
 * @throws {@link UsageError} `E_WRAP_TARGET`
 */
export function assertSize(profile: ImportProfile, bits: number, target: string): void {
  if (profile.bits === undefined || profile.bits === bits) return;
  throw new UsageError({
    code: 'E_WRAP_TARGET',
    message: `${target}: ${profile.name} is for a key of ${profile.bits} bits, and this one has ${bits}`,
    hint: 'take the key and the name of the algorithm from the same answer of the provider',
  });
}

/**
 * Refuses what is past its time.
 * @throws {@link RefusedError} `E_WRAP_EXPIRED`
 */
export function assertCurrent(
  until: Date | undefined,
  now: Date,
  target: string,
  how: string,
): void {
  if (until === undefined || until.getTime() > now.getTime()) return;
  throw new RefusedError({
    code: 'E_WRAP_EXPIRED',
    message: `${target} expired on ${until.toISOString()}`,
    hint: how,
  });
}
