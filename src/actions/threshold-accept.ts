/** `threshold.accept`: in a ceremony a party accepts the start message, at this machine or at one of its own. */
import { dirname, join } from 'node:path';
import { equal } from '#formats/bytes';
import { MissingInputError, RefusedError, UsageError } from '#formats/errors';
import type { SecretBytes } from '#formats/secret-bytes';
import { encodeStart, type Start } from '#protocols/threshold/start-message';
import { defineAction } from './action.js';
import type { ActionContext } from './context/context.js';
import { openOwnIdentity, acceptanceName, openSession } from './threshold/session.js';
import { takeArriving } from './threshold/arriving.js';
import { accept, assertPolicy, bringsShare, ownShare } from './threshold/begin.js';
import { readStartFile } from './threshold/heard.js';
import { keysOf } from './threshold/keep.js';
import { BOUND_PLACE } from './threshold/memory-place.js';
import {
  assertAlone,
  contextOf,
  ownParty,
  type Party,
  seatOf,
  sitsHere,
  takeSeat,
} from './threshold/seat.js';

/** Where a party sits. */
export type Seat = 'here' | 'elsewhere';

/** What a party did. */
export interface AcceptResult {
  readonly party: number;
  readonly seat: Seat;
  readonly acceptance: string;
}

export const thresholdAccept = defineAction({
  id: 'threshold.accept',
  summary: 'accept a threshold session as a party of it',
  description:
    'The identity of the party certifies keys for this session alone. A party that sits at this machine keeps them in a folder of its ' +
    'own, sealed to its identity; one at another machine runs conclave threshold there and brings the acceptance. In production one ' +
    'party at most sits here: shares of one key never meet.',
  inputs: {
    start: { type: 'file', summary: 'the start message', required: true },
    inbox: {
      type: 'path',
      summary: 'folder through which files of others come in',
      required: true,
    },
    keys: { type: 'path', summary: 'folder in which the share of a party at this machine lies' },
    policy: { type: 'file', summary: 'policy that the key is bound to, for signers' },
    bound: { type: 'boolean', summary: 'whether the key is bound to the policy', default: false },
    memory: {
      type: 'path',
      summary:
        'what remembers the nonces of a party at this machine: a folder on another medium, keychain:, or pkcs11:NAME of a token in the site file',
      pattern: BOUND_PLACE,
    },
    remembered: {
      type: 'boolean',
      summary: 'whether that place must agree to each use of nonces',
      default: false,
    },
  },
  outputs: {
    party: { type: 'integer', summary: 'number of the party' },
    seat: { type: 'string', summary: 'here or elsewhere' },
    acceptance: { type: 'file', summary: 'the acceptance' },
  },
  effect: 'repeatable',
  only: 'ceremony',
  examples: [],
  run: async (input, context): Promise<AcceptResult> => {
    const start = await readStartFile(input.start, context);
    const party = await ownParty(start, context);
    const folder = dirname(input.start);
    const acceptance = join(folder, acceptanceName(start.message.session, party.number));
    const before = await acceptedBefore(start, party, context);
    const seat = before === undefined ? await askWhere(party, context) : 'here';
    if (seat === 'here') assertAlone(start, party, context);
    takeSeat(start, party, seat, context);
    if (seat === 'elsewhere') {
      const wanted = { start, party, round: 0, inbox: input.inbox, folder };
      await takeArriving(wanted, context);
      return { party: party.number, seat, acceptance };
    }
    assertPolicy(start, { policy: input.bound ? input.policy : undefined }, context);
    const memory = input.remembered ? input.memory : undefined;
    const bytes = before ?? (await acceptNow(start, party, { keys: input.keys, memory }, context));
    context.files.write(acceptance, bytes);
    return { party: party.number, seat, acceptance };
  },
  present: ({ party, seat }) => `party ${party} takes part, ${seat}`,
});

async function askWhere({ name }: Party, context: ActionContext): Promise<Seat> {
  const conversation = await context.ask.converse?.();
  if (conversation === undefined) {
    throw new UsageError({
      code: 'E_SEAT_UNKNOWN',
      message: `nobody says at which machine ${name} takes part`,
    });
  }
  return (await conversation.choose('Where do you keep your share?', [
    { value: 'elsewhere', label: 'at a machine of my own; I bring files or codes' },
    { value: 'here', label: 'at this machine' },
  ])) as Seat;
}

/** The acceptance of an attempt that was cut short: the keys that it certifies are kept already. */
async function acceptedBefore(
  start: Start,
  party: Party,
  context: ActionContext,
): Promise<Uint8Array | undefined> {
  const path = seatOf(start, party.number);
  if (!sitsHere(start, party, context)) return undefined;
  try {
    using session = await openSession(path, contextOf(party, context));
    const { start: kept, certificates } = session.hold.state;
    return equal(kept, encodeStart(start.message)) ? certificates.get(party.number) : undefined;
  } catch (error) {
    if (error instanceof MissingInputError && error.code === 'E_SESSION_NOT_FOUND')
      return undefined;
    throw error;
  }
}

async function acceptNow(
  start: Start,
  party: Party,
  { keys, memory }: { readonly keys: string | undefined; readonly memory: string | undefined },
  context: ActionContext,
): Promise<Uint8Array> {
  const share = await shareOf(start, party, keys, context);
  try {
    using identity = await openOwnIdentity(contextOf(party, context));
    const place = { session: seatOf(start, party.number), in: [], outDir: '', memory };
    const { acceptance, hold } = await accept(start, party.number, identity, share, place, context);
    hold[Symbol.dispose]();
    return acceptance;
  } finally {
    share?.opening.dispose();
  }
}

/** The share of a member: from the folder that was bound, or from the store of this machine. */
async function shareOf(
  start: Start,
  { number }: Party,
  keys: string | undefined,
  context: ActionContext,
): Promise<{ readonly key: string | undefined; readonly opening: SecretBytes } | undefined> {
  const { message, group } = start;
  if (group === undefined) return undefined;
  const { files } = context;
  const name =
    keys === undefined || !files.isDirectory(keys)
      ? undefined
      : files.list(keys).find((each) => each.endsWith(`share-${number}.key`));
  const reference = name === undefined || keys === undefined ? undefined : join(keys, name);
  if (context.environment === 'production') {
    return await ownShare(start, number, reference, context);
  }
  if (!bringsShare(start, number)) return undefined;
  // Made-up people sit in the seats of a group that others made: the share must fit, not the names in its record.
  using kept = await keysOf(context).openShare(reference ?? group.record.key);
  const { share } = kept;
  if (share.number === number && equal(share.group.context, group.context)) {
    return { key: kept.record.id, opening: share.opening.clone() };
  }
  throw new RefusedError({
    code: 'E_GROUP_DIFFERS',
    message: `${reference ?? 'the key'} is not share ${number} of the group that ${message.operation === 'sign' ? 'signs' : 'changes'}`,
  });
}
