/** New passphrases that people chose, before a share is sealed by them. */
import { fromUtf8 } from '#formats/bytes';
import {
  estimatePassphrase,
  FLOOR_BITS,
  type PassphraseEstimate,
} from '#protocols/sharing/passphrase';

/** Longest passphrase that is read from a file. */
export const MAX_PASSPHRASE_BYTES = 4096;

/**
 * What a passphrase is worth; one final line end does not count.
 * @param bytes - UTF-8, borrowed
 * @param name - how errors name it
 */
export function assessPassphrase(bytes: Uint8Array, name: string): PassphraseEstimate {
  return estimatePassphrase(
    fromUtf8(bytes, name)
      .replace(/\r?\n$/, '')
      .normalize('NFKC'),
  );
}

/** One sentence for somebody who chose a weak passphrase; undefined when it is not weak. */
export function weaknessOf(bytes: Uint8Array): string | undefined {
  const { bits, weak, findings } = assessPassphrase(bytes, 'the passphrase');
  if (!weak) return undefined;
  const why = findings.length === 0 ? '' : ` (${findings.join('; ')})`;
  return `about ${bits} bits${why}, and ${FLOOR_BITS} are wanted`;
}
