/** Whoever lies in a protocol is named: by number, for a program as much as for a person. */
import { NegativeError } from '#formats/errors';

/**
 * A lie that can be pinned on somebody.
 * @param culprits - party numbers, at least one
 */
export function blame(culprits: readonly number[], did: string): NegativeError {
  const who = culprits.length === 1 ? 'party' : 'parties';
  return new NegativeError({
    code: 'E_THRESHOLD_CULPRIT',
    message: `${who} ${culprits.join(', ')} ${did}`,
    hint: 'nothing was kept of what they sent; begin again without them, or when they have an explanation',
    details: { culprits },
  });
}

/** Runs a check of what one party sent; whatever refuses it there is that party's doing. */
export function blaming<T>(culprit: number, sent: string, check: () => T): T {
  try {
    return check();
  } catch {
    throw blame([culprit], `sent ${sent}`);
  }
}
