/** The public files of a group key. */
import { join } from 'node:path';
import type { GroupRecord } from '#crypto/frost/group';
import { resolve } from '#crypto/registry';
import { InternalError } from '#formats/errors';
import { publicForm } from '../context/public-form.js';
import type { ActionContext } from '../context/context.js';
import { recordOfGroup } from './keep.js';

/** Writes the public key, as SPKI where the algorithm has it and else as its record. @returns where it lies */
export async function writePublicKey(
  group: GroupRecord,
  folder: string,
  context: ActionContext,
): Promise<string> {
  const record = await recordOfGroup(group, undefined, context.now(), 'generated');
  const form = publicForm(await resolve(record.algorithm), record);
  if (form === undefined) {
    throw new InternalError({ code: 'E_GROUP_PUBLIC', message: 'a group key has no public form' });
  }
  const path = join(folder, 'group.pub');
  context.files.write(path, await form());
  return path;
}
