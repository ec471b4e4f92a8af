/** Opening what is sealed under a passphrase, with as many tries as whoever is asked offers. */
import { type KeyFile, openKeyFile } from '#carriage/stores/key-file';
import { RefusedError } from '#formats/errors';
import type { SecretBytes } from '#formats/secret-bytes';
import type { Asker, Person } from './context.js';

/** What opened, and what opened it; both owned by the receiver. */
export interface Unsealed {
  readonly secret: SecretBytes;
  readonly passphrase: SecretBytes;
}

/**
 * Tries one passphrase after another.
 * @param what - how people and errors name the file
 * @param person - who brought it to a ceremony, and is asked
 * @throws {@link RefusedError} `E_PASSPHRASE_WRONG` when none of them is right, and the errors of {@link openKeyFile}
 */
export async function unseal(
  file: KeyFile,
  what: string,
  ask: Asker,
  person?: Person,
): Promise<Unsealed> {
  let refusal: RefusedError | undefined;
  for (let attempt = 0; ; attempt++) {
    const passphrase = await ask.passphrase({
      opens: what,
      attempt,
      ...(person === undefined ? {} : { person, brought: true as const }),
    });
    if (passphrase === undefined) {
      throw (
        refusal ??
        new RefusedError({
          code: 'E_PASSPHRASE_WRONG',
          message: `no passphrase was given for ${what}`,
          hint: 'give it by --passphrase-file',
        })
      );
    }
    try {
      return { secret: openKeyFile(file, passphrase, what), passphrase };
    } catch (error) {
      passphrase.dispose();
      if (!(error instanceof RefusedError)) throw error;
      refusal = error;
    }
  }
}
