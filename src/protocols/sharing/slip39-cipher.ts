/**
 * SLIP-39's encryption of the secret under a passphrase: a wide-block Feistel cipher of four PBKDF2 rounds. It does not
 * authenticate: another passphrase gives another secret without an error, so conclave always uses the empty one.
 * @see SLIP-0039, "Encryption of the master secret"
 */
import { pbkdf2Sha256 } from '#crypto/hash';
import { concat, u16be, utf8 } from '#formats/bytes';

/** What the rounds depend on besides passphrase and text. */
export interface Slip39CipherParameters {
  readonly identifier: number;
  readonly extendable: boolean;
  readonly iterationExponent: number;
}

const ROUNDS = [0, 1, 2, 3] as const;
const ITERATIONS_PER_ROUND = 2500;

/** The encrypted secret, as long as the secret; the caller owns it and wipes both. */
export function encryptSecret(
  secret: Uint8Array,
  passphrase: Uint8Array,
  parameters: Slip39CipherParameters,
): Uint8Array {
  return feistel(secret, passphrase, parameters, ROUNDS);
}

/** The secret behind {@link encryptSecret}. */
export function decryptSecret(
  encrypted: Uint8Array,
  passphrase: Uint8Array,
  parameters: Slip39CipherParameters,
): Uint8Array {
  return feistel(encrypted, passphrase, parameters, ROUNDS.toReversed());
}

function feistel(
  input: Uint8Array,
  passphrase: Uint8Array,
  { identifier, extendable, iterationExponent }: Slip39CipherParameters,
  rounds: readonly number[],
): Uint8Array {
  const half = input.length / 2;
  const prefix = extendable ? new Uint8Array(0) : concat(utf8('shamir'), u16be(identifier));
  const iterations = ITERATIONS_PER_ROUND * 2 ** iterationExponent;
  let left = input.slice(0, half);
  let right = input.slice(half);
  for (const round of rounds) {
    const password = concat(Uint8Array.of(round), passphrase);
    const salt = concat(prefix, right);
    const key = pbkdf2Sha256(password, salt, iterations, half);
    for (let i = 0; i < half; i++) left[i] = (left[i] as number) ^ (key[i] as number);
    [left, right] = [right, left];
    for (const buffer of [password, salt, key]) buffer.fill(0);
  }
  const output = concat(right, left);
  left.fill(0);
  right.fill(0);
  return output;
}
