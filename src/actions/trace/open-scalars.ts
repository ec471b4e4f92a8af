/** Shares of a threshold key from the key files of their holders, each named and checked. */
import { UsageError } from '#formats/errors';
import type { ActionContext } from '../context/context.js';
import type { OpenedScalar } from './prove-scalars.js';
import type { ScalarKey } from './scalar-key.js';

/**
 * Opens exactly the shares that sign, ascending by number.
 * @param references - key files of shares
 * @param wanted - numbers that the request names; undefined for any quorum
 * @returns the caller disposes the openings
 * @throws {@link UsageError} `E_TRACE_SHARES` for other shares than those that sign
 */
export async function openScalars(
  references: readonly string[],
  { group, name }: ScalarKey,
  wanted: readonly number[] | undefined,
  { keys }: Pick<ActionContext, 'keys'>,
): Promise<OpenedScalar[]> {
  const opened: OpenedScalar[] = [];
  const signing =
    wanted === undefined
      ? `any ${group.record.threshold} different ones sign`
      : `shares ${wanted.join(', ')} sign`;
  if (references.length === 0) {
    throw new UsageError({
      code: 'E_TRACE_SHARES',
      message: `no share of ${name} was given, and ${signing}`,
      hint: 'give --share KEY for each of them; in a ceremony the input keys is their folder',
    });
  }
  try {
    for (const reference of references) {
      const held = await keys.openShare?.(reference);
      if (held === undefined) {
        throw new UsageError({
          code: 'E_TRACE_SHARES',
          message: `shares of ${name} cannot be opened here`,
          hint: 'run it outside of a ceremony, with the key files of the shares',
        });
      }
      using owned = held;
      const { number, opening } = owned.share;
      opened.push({ name: reference, number, opening: opening.clone() });
    }
    opened.sort((a, b) => a.number - b.number);
    const numbers = opened.map(({ number }) => number);
    const right =
      wanted === undefined
        ? numbers.length === group.record.threshold &&
          numbers.every((number, i) => number > (numbers[i - 1] ?? 0))
        : numbers.join() === wanted.join();
    if (right) return opened;
    throw new UsageError({
      code: 'E_TRACE_SHARES',
      message: `shares ${numbers.join(', ')} were given, and ${signing}`,
      hint: 'give exactly the shares that sign',
    });
  } catch (error) {
    for (const { opening } of opened) opening.dispose();
    throw error;
  }
}
