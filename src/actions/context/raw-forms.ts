/** Raw private bytes, or their hexadecimal digits, whose algorithm somebody names. */
import { resolve } from '#crypto/registry';
import { newRecord } from '#custody/authority/record';
import { InputError } from '#formats/errors';
import { SecretBytes } from '#formats/secret-bytes';
import type { ActionContext, OpenKey } from './context.js';
import { MAX_PRIVATE_BYTES, publicKeyOf } from './private-forms.js';
import { rawOrHex } from './public-keys.js';

/**
 * The key in a file of raw bytes or hexadecimal digits. Its record is new: nothing else is known of it.
 * @param named - algorithm and, for hybrids, the encoding profile; its default when not given
 * @throws InputError `E_KEY_UNREADABLE`, UsageError `E_ALGORITHM_UNKNOWN`, `E_PROFILE_UNKNOWN`
 */
export async function openRaw(
  path: string,
  named: { readonly algorithm: string; readonly profile: string | undefined },
  context: ActionContext,
): Promise<OpenKey> {
  const descriptor = await resolve(named.algorithm, named.profile);
  const file = context.files.read(path, MAX_PRIVATE_BYTES);
  const raw = rawOrHex(file, descriptor.sizes.private);
  file.fill(0);
  const shown = path === '-' ? 'standard input' : path;
  if (raw === undefined) {
    throw new InputError({
      code: 'E_KEY_UNREADABLE',
      message: `${shown} is no raw private key of ${descriptor.name}`,
      hint: `that has ${descriptor.sizes.private} bytes, or twice as many hexadecimal digits`,
    });
  }
  const secret = SecretBytes.adopt(raw, `private key of ${shown}`);
  try {
    const publicKey = await publicKeyOf(descriptor, secret);
    const record = newRecord({
      descriptor,
      publicKey,
      name: null,
      environment: context.environment,
      now: context.now(),
      event: 'imported',
    });
    return {
      record,
      descriptor,
      publicKey,
      location: `file:${path}`,
      secret,
      [Symbol.dispose]: () => {
        secret.dispose();
      },
    };
  } catch (error) {
    secret.dispose();
    throw error;
  }
}
