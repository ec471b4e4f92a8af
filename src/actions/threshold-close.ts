/** `threshold.close`: in a ceremony a party ends its session: what was sealed to its keys stays closed from then on. */
import { dirname } from 'node:path';
import { groupDigest } from '#crypto/frost/group';
import { equal, equalConstantTime } from '#formats/bytes';
import { ConclaveError, MissingInputError, NegativeError } from '#formats/errors';
import { ROUNDS } from '#protocols/threshold/expected';
import { defineAction } from './action.js';
import type { ActionContext } from './context/context.js';
import { readStartFile } from './threshold/heard.js';
import { keysOf } from './threshold/keep.js';
import { openSeat, ownParty, type Party, sharePath, sitsHere } from './threshold/seat.js';
import { advance, type Session } from './threshold/session.js';

/** What is left. */
export interface CloseResult {
  readonly party: number;
  /** `destroyed`, or `elsewhere` when they were never here. */
  readonly keys: string;
}

export const thresholdClose = defineAction({
  id: 'threshold.close',
  summary: 'destroy the keys that a party had for a session',
  description:
    'Where a new share was kept, it is first opened once more from the file that was written, and compared with what the session ' +
    'made, so that no passphrase was mistyped twice. Then the keys of the session are overwritten and removed: whoever takes the ' +
    'machine, or recorded the traffic, opens nothing of it.',
  inputs: {
    start: { type: 'file', summary: 'the start message', required: true },
    outDir: { type: 'path', summary: 'folder of the sealed shares', default: 'shares' },
  },
  outputs: {
    party: { type: 'integer', summary: 'number of the party' },
    keys: { type: 'string', summary: 'destroyed, or elsewhere' },
  },
  effect: 'irreversible',
  secrecy: 'destroys',
  only: 'ceremony',
  examples: [],
  run: async ({ start: path, outDir }, context): Promise<CloseResult> => {
    const start = await readStartFile(path, context);
    const party = await ownParty(start, context);
    const { number } = party;
    if (!sitsHere(start, party, context)) return { party: number, keys: 'elsewhere' };
    const folder = dirname(path);
    try {
      const before = ROUNDS.change + 1;
      using session = await openSeat(start, { party, folder, before }, context);
      if (start.message.receivers.includes(number)) {
        await assertKept(party, session, outDir, context);
      }
      if (session.hold.state.memory !== undefined) await goThroughUses(session, context);
      session.hold.end();
      await session.marks.end(session, context);
    } catch (error) {
      // The attempt before this one came as far as that.
      const gone = error instanceof MissingInputError && error.code === 'E_SESSION_NOT_FOUND';
      if (!gone) throw error;
    }
    return { party: number, keys: 'destroyed' };
  },
  present: ({ party, keys }) => `keys of party ${party} for this session: ${keys}`,
});

/**
 * What its nonces were used for goes out of the second place with the session; to know it, they are gone through once more.
 * Where the place is gone meanwhile, keys are destroyed all the same: they sign nothing without it, and the end of the marks says
 * so.
 */
async function goThroughUses(session: Session, context: ActionContext): Promise<void> {
  try {
    await advance(session, context);
  } catch (error) {
    if (!(error instanceof ConclaveError)) throw error;
  }
}

/** Opens the share from its file and compares it. @throws NegativeError `E_SEAT_UNKEPT` */
async function assertKept(
  { number, name }: Party,
  session: Session,
  folder: string,
  context: ActionContext,
): Promise<void> {
  const path = sharePath(folder, number, context);
  const { progress } = await advance(session, context);
  const made =
    progress.done && progress.outcome.kind === 'group' ? progress.outcome.outcome : undefined;
  const opening = made?.opening;
  try {
    using kept = await keysOf(context).openShare(`./${path}`);
    const { share } = kept;
    const same =
      share.number === number &&
      made !== undefined &&
      equal(groupDigest(share.group.record), groupDigest(made.record)) &&
      opening?.use((here) => share.opening.use((there) => equalConstantTime(there, here))) === true;
    if (same) return;
    throw new NegativeError({
      code: 'E_SEAT_UNKEPT',
      message: `${path} is not the share that ${name} was given`,
      hint: 'the session stays open; keep the share again',
    });
  } finally {
    opening?.dispose();
  }
}
