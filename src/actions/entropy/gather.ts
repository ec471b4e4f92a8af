/** Entropy from the people in the room, asked for until there is enough; the record has counts and commitments, never values. */
import { concat, toHex, utf8 } from '#formats/bytes';
import { UsageError } from '#formats/errors';
import { sha256 } from '#crypto/hash';
import type { ActionContext } from '../context/context.js';
import { biasOf, type EntropySource, readThrows, type Throws, UnfitThrows } from './throws.js';

const TAG = utf8('conclave/entropy-commitment/v1\0');
const SALT_BYTES = 16;

const SOURCES: readonly { readonly value: EntropySource; readonly label: string }[] = [
  { value: 'dice', label: 'dice: the numbers, such as 3 5 1 6' },
  { value: 'coins', label: 'coins: H and T, such as HTTHT' },
  { value: 'cards', label: 'a shuffled deck: the cards as they come, such as AS 10H QD' },
  { value: 'hex', label: 'a second device: hexadecimal digits' },
];

/**
 * Asks until people brought at least `bits` bits.
 * @returns contributions; the caller wipes them
 * @throws UsageError `E_ENTROPY_NOBODY` where nobody can be asked
 */
export async function gatherEntropy(
  bits: number,
  context: Pick<ActionContext, 'ask' | 'random' | 'record'>,
): Promise<Uint8Array[]> {
  const talk = await context.ask.converse?.();
  if (talk === undefined) {
    throw new UsageError({
      code: 'E_ENTROPY_NOBODY',
      message: `${bits} bits of people's entropy are asked for, and nobody can be asked`,
      hint: 'run it in a terminal, or answer in a file given by --answers',
    });
  }
  const contributions: Uint8Array[] = [];
  const salts: string[] = [];
  let gathered = 0;
  try {
    while (gathered < bits) {
      const missing = Math.ceil(bits - gathered);
      talk.say(`${missing} of ${bits} bits are still missing.`);
      const source = (await talk.choose('What was thrown?', SOURCES)) as EntropySource;
      const typed = await talk.text('Type it as it came, all of it or a part:', (text) =>
        problemWith(source, text),
      );
      const throws = readThrows(source, typed);
      gathered += throws.bits;
      contributions.push(utf8(`${source} ${throws.values.join(' ')}`));
      const salt = commit(source, throws, contributions.at(-1) as Uint8Array, context);
      talk.say(`Taken: ${throws.values.length}, worth ${Math.floor(throws.bits)} bits at most.`);
      salts.push(`${source}: ${toHex(salt)}`);
    }
    talk.clear?.();
    // Only now: what was said before is wiped from the screen with the throws.
    talk.say('Salts of the commitments, for whoever wants to show the throws later:');
    for (const salt of salts) talk.say(salt);
    return contributions;
  } catch (error) {
    for (const bytes of contributions) bytes.fill(0);
    talk.clear?.();
    throw error;
  }
}

function problemWith(source: EntropySource, text: string): string | undefined {
  try {
    const throws = readThrows(source, text);
    if (throws.values.length === 0) return 'Nothing was typed.';
    const bias = biasOf(throws);
    return bias === undefined ? undefined : `That does not look thrown: ${bias}. Throw again.`;
  } catch (error) {
    if (error instanceof UnfitThrows) return `${error.message}.`;
    throw error;
  }
}

/** Whoever keeps the salt can show later that these throws, and no others, went in. */
function commit(
  source: EntropySource,
  { values, bits }: Throws,
  contribution: Uint8Array,
  { random, record }: Pick<ActionContext, 'random' | 'record'>,
): Uint8Array {
  const salt = random(SALT_BYTES);
  const committed = concat(TAG, salt, contribution);
  const commitment = toHex(sha256(committed));
  committed.fill(0);
  record({
    type: 'entropy.gathered',
    data: { source, count: values.length, bits: Math.floor(bits), commitment },
  });
  return salt;
}
