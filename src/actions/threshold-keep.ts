/** `threshold.keep`: in a ceremony a party keeps its new share, sealed, before the session is ended. */
import { dirname } from 'node:path';
import { type GroupRecord, groupDigest } from '#crypto/frost/group';
import type { KeyRecord } from '#custody/authority/record';
import { toHex } from '#formats/bytes';
import { NegativeError, UsageError } from '#formats/errors';
import { formatTime } from '#formats/time';
import { ROUNDS } from '#protocols/threshold/expected';
import type { Start } from '#protocols/threshold/start-message';
import { defineAction } from './action.js';
import type { ActionContext } from './context/context.js';
import { encodeGroupShare } from './context/group-share.js';
import { readStartFile } from './threshold/heard.js';
import { recordOfGroup } from './threshold/keep.js';
import { openSeat, ownParty, type Party, sharePath, sitsHere } from './threshold/seat.js';
import { advance } from './threshold/session.js';

/** Where the share rests. */
export interface KeepResult {
  readonly party: number;
  readonly seat: 'here' | 'elsewhere';
  /** Empty when it rests elsewhere, or is the one that the party had. */
  readonly share: string;
}

export const thresholdKeep = defineAction({
  id: 'threshold.keep',
  summary: 'keep the new share of a party, sealed',
  description:
    'A party that sits at this machine seals its share under a passphrase of its own, as a key file to take away; the record in it must ' +
    'be the one that all acknowledged. Whoever only helped to repair a share keeps the one it has. A party at another machine says ' +
    'that it did so there. The keys of the session stay until threshold.close, so that nothing is lost when the power goes in between.',
  inputs: {
    start: { type: 'file', summary: 'the start message', required: true },
    record: { type: 'digest', summary: 'digest of the group record', required: true },
    outDir: { type: 'path', summary: 'folder of the sealed shares', default: 'shares' },
  },
  outputs: {
    party: { type: 'integer', summary: 'number of the party' },
    seat: { type: 'string', summary: 'here or elsewhere' },
    share: {
      type: 'path',
      summary: 'the sealed share; empty when it rests elsewhere or did not change',
    },
  },
  effect: 'repeatable',
  secrecy: 'protects',
  only: 'ceremony',
  examples: [],
  run: async (input, context): Promise<KeepResult> => {
    const start = await readStartFile(input.start, context);
    const party = await ownParty(start, context);
    const { number } = party;
    if (!sitsHere(start, party, context)) {
      await affirmElsewhere(start, party, input.record, context);
      return { party: number, seat: 'elsewhere', share: '' };
    }
    const folder = dirname(input.start);
    using session = await openSeat(start, { party, folder, before: ROUNDS.change + 1 }, context);
    const { progress } = await advance(session, context);
    if (!progress.done || progress.outcome.kind !== 'group') {
      throw new UsageError({
        code: 'E_SEAT_UNFINISHED',
        message: `party ${number} has not heard all rounds`,
        hint: 'the step comes after the last round',
      });
    }
    const { record, opening } = progress.outcome.outcome;
    try {
      const digest = `sha256:${toHex(groupDigest(record))}`;
      if (digest !== input.record || (opening === undefined) === receives(start, number)) {
        throw new NegativeError({
          code: 'E_THRESHOLD_DISAGREEMENT',
          message: `party ${number} computed the record ${digest}, and not ${input.record}`,
          hint: 'nobody may use this record; begin again',
        });
      }
      if (opening === undefined) return { party: number, seat: 'here', share: '' };
      const key = await recordOfShare(start, record, context.now());
      const share = sharePath(input.outDir, number, context);
      using secret = encodeGroupShare(record, number, opening);
      context.files.makeDirectory?.(input.outDir);
      await context.keys.add(key, secret, { out: share });
      return { party: number, seat: 'here', share };
    } finally {
      opening?.dispose();
    }
  },
  present: ({ party, seat, share }) =>
    seat === 'elsewhere'
      ? `share ${party} rests elsewhere`
      : share === ''
        ? `share ${party} is the one of before`
        : `share ${party} rests in ${share}`,
});

/** Whether a party holds a new share when the session is over. */
function receives({ message }: Start, number: number): boolean {
  return message.receivers.includes(number);
}

/** The record of a key as the file of a new share carries it. */
async function recordOfShare(start: Start, group: GroupRecord, now: Date): Promise<KeyRecord> {
  const { operation } = start.message;
  if (operation === 'keygen') return await recordOfGroup(group, undefined, now, 'generated');
  const record = await recordOfGroup(group, undefined, now, 'recovered');
  return {
    ...record,
    history: [...record.history, { event: operation, time: formatTime(now) }],
  };
}

async function affirmElsewhere(
  { message }: Start,
  { name, number }: Party,
  record: string,
  context: ActionContext,
): Promise<void> {
  const question = `${name}: did "conclave threshold ${message.operation} finish" end on your machine with the record ${record}?`;
  if ((await context.ask.confirm?.(question)) === true) return;
  throw new NegativeError({
    code: 'E_SEAT_UNKEPT',
    message: `${name} does not say that share ${number} is kept`,
    hint: 'without all shares kept the key is not what was agreed on',
  });
}
