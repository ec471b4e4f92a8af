/** A batch is kept in a folder of its own. */
import { relative } from 'node:path';
import { UsageError } from '#formats/errors';

/**
 * Refuses one folder for two things: a session in it would wait for itself, and a second place in it would be copied and brought
 * back with it.
 * @param option - how the other folder was named
 * @throws UsageError `E_PREPARED_PLACE`
 */
export function assertOwnFolder(
  prepared: string | undefined,
  other: string | undefined,
  option: '--session' | '--memory',
): void {
  if (prepared === undefined || other === undefined || relative(prepared, other) !== '') return;
  throw new UsageError({
    code: 'E_PREPARED_PLACE',
    message: `--prepared and ${option} are both ${other}`,
    hint: 'a batch is kept in a folder of its own: give each another',
  });
}
