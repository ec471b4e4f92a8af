/** `--simulate` of what changes shares: every party in this process, by the same protocols and messages. For rehearsals and development. */
import { join } from 'node:path';
import { encodeGroup, type Group, type GroupRecord } from '#crypto/frost/group';
import { UsageError } from '#formats/errors';
import { formatTime } from '#formats/time';
import type { KeyRecord } from '#custody/authority/record';
import type { Outcome } from '#protocols/threshold/conclusion';
import { openingProofs } from '#protocols/inhead/opening-proof';
import { runDealing } from '#protocols/threshold/dealing-session';
import { runRepair } from '#protocols/threshold/repair-session';
import { simulate } from '#protocols/threshold/simulate';
import { groupJson, type Start } from '#protocols/threshold/start-message';
import type { ActionContext } from '../context/context.js';
import { encodeGroupShare, type GroupKeyShare } from '../context/group-share.js';
import type { Change } from './changing.js';
import { keysOf, recordOfGroup } from './keep.js';
import type { PhaseResult } from './phases.js';
import { openingName } from './proof-files.js';
import { openingsOf } from './propose.js';
import { heldShares, opened, passphrasesFor, report, simulatedIdentity } from './simulate.js';

/** What is asked for. */
export interface SimulatedChange {
  readonly share: readonly string[];
  readonly outDir: string;
  readonly threshold?: number | undefined;
  readonly shares?: number | undefined;
  readonly lost?: number | undefined;
  readonly proveOpenings?: boolean | undefined;
}

/**
 * New shares of a development key from old ones that are all here, as files in a folder; the old files stay as they are.
 * @throws UsageError `E_SIMULATE_QUORUM` when the shares named are not those that the change needs; what {@link heldShares} throws
 */
export async function simulateChange(
  operation: Change,
  input: SimulatedChange,
  context: ActionContext,
): Promise<PhaseResult> {
  const held = await heldShares(input.share, keysOf(context));
  try {
    const [{ share }] = [...held.values()] as [GroupKeyShare];
    const start = await begun(operation, share.group, [...held.keys()], input, context);
    const { environment } = start.message;
    const { outDir } = input;
    const path = (number: number): string => join(outDir, `${environment}-party-${number}.key`);
    const group = join(outDir, 'group.json');
    const files = start.message.receivers.map(path);
    const proofs =
      start.message.openings === undefined
        ? []
        : start.message.receivers.map((number) => join(outDir, openingName(number)));
    context.files.assertAbsent([...files, group, ...proofs]);
    using passphrases = await passphrasesFor(start.message.receivers, context);
    const old = (number: number) => held.get(number)?.share.opening;
    const outcomes = await simulate(
      start,
      (number) => (exchange) =>
        operation === 'repair' || operation === 'enrol'
          ? runRepair(start, exchange, old(number))
          : runDealing(start, exchange, old(number)),
      context.random,
      {},
      openingProofs,
    );
    try {
      context.files.makeDirectory?.(outDir);
      const [{ record, proofs: made }] = [...outcomes.values()] as [Outcome, ...Outcome[]];
      for (const [number, { opening }] of outcomes) {
        if (opening === undefined) continue;
        const key = await recordAfter(held.get(number), record, operation, context.now());
        using secret = encodeGroupShare(record, number, opening);
        const passphrase = passphrases.of.get(number);
        await context.keys.add(key, secret, { out: path(number), passphrase });
      }
      for (const [number, bytes] of made) {
        context.files.write(join(outDir, openingName(number)), bytes);
      }
      context.files.write(group, encodeGroup(record));
      const wrote = [...files, group, ...proofs];
      return { ...report(start), wrote, group, key: record.key };
    } finally {
      for (const { opening } of outcomes.values()) opening?.dispose();
    }
  } finally {
    for (const kept of held.values()) kept[Symbol.dispose]();
  }
}

async function begun(
  operation: Change,
  group: Group,
  held: readonly number[],
  { threshold, shares, lost, proveOpenings }: SimulatedChange,
  context: ActionContext,
): Promise<Start> {
  const { record } = group;
  const here = [...held].sort((a, b) => a - b);
  const members = record.members.map(({ number }) => number);
  const needed = needs(operation, here.length, record, { shares, lost });
  if (needed !== undefined) {
    throw new UsageError({
      code: 'E_SIMULATE_QUORUM',
      message: `a simulated ${operation} needs ${needed}`,
      hint: `name shares with --share; ${here.length} are named, of a key that any ${record.threshold} of ${members.length} sign with`,
    });
  }
  const receivers = {
    refresh: here,
    reshare: Array.from({ length: shares ?? 0 }, (_, i) => i + 1),
    repair: [lost ?? 0],
    enrol: [...members, Math.max(...members) + 1],
  }[operation];
  const contributors = operation === 'enrol' ? here.slice(0, record.threshold) : here;
  const numbers = [...new Set([...contributors, ...receivers])].sort((a, b) => a - b);
  return await opened(context, {
    operation,
    suite: record.suite,
    environment: record.environment,
    threshold: (operation === 'reshare' ? threshold : undefined) ?? record.threshold,
    parties: numbers.map((number) => {
      const member = record.members.find((each) => each.number === number);
      const identity = member?.identity ?? simulatedIdentity(number);
      return { number, identity, name: `simulated party ${number}` };
    }),
    contributors,
    receivers,
    policy: record.policy,
    group: groupJson(group),
    message: null,
    ...openingsOf(record, proveOpenings),
  });
}

/** What is not there for a change, in words. */
function needs(
  operation: Change,
  here: number,
  { threshold, members }: GroupRecord,
  { shares, lost }: Pick<SimulatedChange, 'shares' | 'lost'>,
): string | undefined {
  switch (operation) {
    case 'refresh':
      return here < threshold ? `the shares of all who stay, at least ${threshold}` : undefined;
    case 'enrol':
      return here === members.length ? undefined : `the shares of all ${members.length} members`;
    case 'reshare':
      if (shares === undefined) return '--shares, how many hold the key afterwards';
      return here === threshold ? undefined : `exactly ${threshold} shares`;
    case 'repair':
      if (lost === undefined) return '--lost, the number of the member whose share is lost';
      return here === threshold ? undefined : `exactly ${threshold} shares of others`;
  }
}

/** The record of a key in the file of a new share: that of before, or a new one for whoever had none. */
async function recordAfter(
  kept: GroupKeyShare | undefined,
  group: GroupRecord,
  operation: Change,
  now: Date,
): Promise<KeyRecord> {
  const record = kept?.record ?? (await recordOfGroup(group, undefined, now, 'recovered'));
  const event = { event: operation, time: formatTime(now) };
  return { ...record, history: [...record.history, event] };
}
