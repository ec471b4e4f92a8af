/**
 * A new secret from a person at a terminal: typed the same way twice, and thought over when it is weak. Sessions and plain
 * commands ask in the same words.
 */
import { weaknessOf } from '#actions/shares/passphrase';
import { equalConstantTime } from '#formats/bytes';
import { UsageError } from '#formats/errors';
import type { SecretBytes } from '#formats/secret-bytes';
import type { Answer, Terminal } from '#terminal/terminal';

/** What is asked for. */
export interface NewSecretQuestion {
  /** What it will protect, as the question names it. */
  readonly seals: string;
  /** Who types it, where there are several people. */
  readonly name?: string | undefined;
  /** Where a script has the question; empty outside ceremonies. */
  readonly key: string;
  /** A passphrase is weighed, a PIN is not: its token counts the attempts. */
  readonly kind?: 'passphrase' | 'PIN';
}

/**
 * Asks until the same was typed twice; an answers file says it once. A weak passphrase is asked for once more, and who insists
 * on it keeps it: an estimate that knows no dictionary may warn, but not forbid. Where several
 * people sit down in turn, what was said about the passphrase of one is wiped from the screen before this returns.
 * @returns owned by the caller
 * @throws UsageError `E_PASSPHRASE_EMPTY` where an empty one comes from a file
 */
export async function newSecret(
  terminal: Terminal,
  { seals, name, key, kind = 'passphrase' }: NewSecretQuestion,
): Promise<Answer<SecretBytes>> {
  const ask = name === undefined ? capital : (text: string): string => `${name}: ${text}`;
  let warned: SecretBytes | undefined;
  try {
    for (let attempt = 1; ; attempt++) {
      const at = { key, attempt };
      const first = await terminal.secret(ask(`new ${kind} for ${seals}:`), at);
      if (first === undefined || first.value.length === 0) {
        first?.value.dispose();
        if (!terminal.interactive) {
          throw new UsageError({
            code: 'E_PASSPHRASE_EMPTY',
            message: `the new ${kind} for ${seals} is empty`,
            hint: 'write one into the file that the answers name',
          });
        }
        terminal.say(`An empty ${kind} protects nothing.`);
        continue;
      }
      if (!terminal.interactive) return first;
      if (!(await isRepeated(first.value, () => terminal.secret(ask('the same again:'), at)))) {
        first.value.dispose();
        terminal.say('These two differ. Once more from the beginning.');
        continue;
      }
      const weakness = kind === 'PIN' ? undefined : first.value.use((bytes) => weaknessOf(bytes));
      const insists = warned !== undefined && areEqual(first.value, warned);
      if (weakness === undefined || insists) return first;
      warned?.dispose();
      warned = first.value;
      terminal.say(
        `That passphrase is weak: ${weakness}. Whoever gets hold of what it seals can guess it at leisure. ` +
          'Choose another one, such as six words by chance; or type the same once more to insist.',
      );
    }
  } finally {
    if (warned !== undefined && name !== undefined) terminal.clear?.();
    warned?.dispose();
  }
}

/** Whether the same is typed again. Who interrupts that question leaves nothing behind: `first` is wiped then. */
async function isRepeated(
  first: SecretBytes,
  again: () => Promise<Answer<SecretBytes> | undefined>,
): Promise<boolean> {
  try {
    const second = await again();
    const same = second !== undefined && areEqual(first, second.value);
    second?.value.dispose();
    return same;
  } catch (error) {
    first.dispose();
    throw error;
  }
}

function areEqual(a: SecretBytes, b: SecretBytes): boolean {
  return a.use((one) => b.use((other) => equalConstantTime(one, other)));
}

function capital(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}
