/**
 * Places that remember claims, so that what was claimed once is not claimed again for something else. No keychain and no token
 * compares and sets in one step; therefore nobody overwrites: each claim stands beside the others, whoever claims looks at all
 * of them afterwards, and of two that differ neither counts. Whoever comes second always sees the first.
 */

/** Where claims stand. Disposing logs out of what was logged in to. */
export interface ClaimPlace extends Disposable {
  /** Names the place, so that it is found again. */
  readonly location: string;
  /** All that is claimed under a name. */
  read(name: string): Promise<readonly Uint8Array[]>;
  /**
   * Puts a claim beside those that are there. It is durable when it returns.
   * @param name - a word, a hyphen, and 64 hexadecimal digits
   * @param bytes - 32 of them
   * @returns all claims under the name, seen after this one was written
   */
  claim(name: string, bytes: Uint8Array): Promise<readonly Uint8Array[]>;
  /** Takes away all claims under a name. */
  remove(name: string): Promise<void>;
}

/** Names of claims. */
export const CLAIM_NAME = /^[a-z]+-[0-9a-f]{64}$/;

/** Bytes of a claim. */
export const CLAIM_BYTES = 32;
