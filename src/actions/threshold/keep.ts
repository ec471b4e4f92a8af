/** Where a share goes when a session ends: into the store of keys, as an ordinary key record with a sealed share. */
import type { KeyRecord } from '#custody/authority/record';
import { newRecord } from '#custody/authority/record';
import { fromHex } from '#formats/bytes';
import { equalConstantTime } from '#formats/bytes';
import { InternalError, OutputError } from '#formats/errors';
import { formatTime } from '#formats/time';
import { loadSuite } from '#crypto/frost/suite';
import type { GroupRecord } from '#crypto/frost/group';
import { resolve } from '#crypto/registry';
import type { SecretBytes } from '#formats/secret-bytes';
import type { Outcome } from '#protocols/threshold/conclusion';
import type { ActionContext } from '../context/context.js';
import { encodeGroupShare } from '../context/group-share.js';
import type { Session } from './session.js';

/** The key record of a group. */
export async function recordOfGroup(
  group: GroupRecord,
  name: string | undefined,
  now: Date,
  event: 'generated' | 'recovered',
): Promise<KeyRecord> {
  const suite = await loadSuite(group.suite);
  const point = suite.group.decode(fromHex(group.publicKey), 'group key');
  return newRecord({
    descriptor: await resolve(suite.algorithm),
    publicKey: suite.publicKey(point),
    name: name ?? null,
    environment: group.environment,
    now,
    custody: 'threshold',
    protocol: group.suite,
    policy: group.policy,
    event,
  });
}

/**
 * Keeps this party's new share: a new key, or the new share of the key that it has.
 * @returns where it rests; null when the party has no new share
 */
export async function keepShare(
  { hold, start }: Session,
  { record: group, opening }: Outcome,
  name: string | undefined,
  context: ActionContext,
): Promise<string | null> {
  if (opening === undefined) return null;
  const { self, key, share } = hold.state;
  using secret = encodeGroupShare(group, self, opening);
  if (key !== undefined && share !== undefined) {
    const time = formatTime(context.now());
    const found = await keysOf(context).replaceShare(
      key,
      (record) => ({
        ...record,
        history: [...record.history, { event: start.message.operation, time }],
      }),
      secret,
      share,
    );
    return found.location;
  }
  const event = start.message.operation === 'keygen' ? 'generated' : 'recovered';
  const record = await recordOfGroup(group, name, context.now(), event);
  try {
    return (await context.keys.add(record, secret, {})).location;
  } catch (error) {
    // A finish that was interrupted after this point is run again: then the very share is there.
    if (!(error instanceof OutputError) || error.code !== 'E_KEY_EXISTS') throw error;
    if (await isKept(record.id, self, opening, context)) {
      return (await context.keys.find(record.id)).location;
    }
    throw error;
  }
}

async function isKept(
  id: string,
  self: number,
  opening: SecretBytes,
  context: ActionContext,
): Promise<boolean> {
  using kept = await keysOf(context).openShare(id);
  return (
    kept.share.number === self &&
    kept.share.opening.use((there) => opening.use((here) => equalConstantTime(there, here)))
  );
}

/** The parts of a key space that deal in shares. */
export function keysOf(
  context: ActionContext,
): Required<Pick<ActionContext['keys'], 'openShare' | 'replaceShare'>> {
  const { openShare, replaceShare } = context.keys;
  if (openShare !== undefined && replaceShare !== undefined) return { openShare, replaceShare };
  throw new InternalError({
    code: 'E_SESSION_PLACE',
    message: 'the keys here are not held in shares of groups',
  });
}
