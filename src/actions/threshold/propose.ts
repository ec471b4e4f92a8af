/** What whoever begins a session proposes, for each operation. */
import { suiteOf } from '#crypto/frost/suite';
import { sha256 } from '#crypto/hash';
import type { Group, GroupRecord } from '#crypto/frost/group';
import type { Identity, OpenIdentity } from '#custody/authority/identity';
import type { Environment } from '#custody/authority/record';
import { decodePolicy, policyDigest } from '#custody/policy/allow-digest';
import { UsageError } from '#formats/errors';
import { groupJson, MAX_SIGNED_BYTES, type StartMessage } from '#protocols/threshold/start-message';
import type { ActionContext } from '../context/context.js';
import type { Proposal } from './begin.js';
import { keysOf } from './keep.js';

type Party = StartMessage['parties'][number];

const MAX_POLICY_BYTES = 64 * 1024;

/** A new key. The parties get their numbers in the order in which they are named. */
export async function proposeKeygen(
  input: {
    readonly suite: string;
    readonly threshold?: number | undefined;
    readonly party: readonly string[];
    readonly policy?: string | undefined;
    readonly dev?: boolean | undefined;
  },
  context: ActionContext,
): Promise<Proposal> {
  if (input.threshold === undefined || input.party.length < 2) {
    throw new UsageError({
      code: 'E_KEYGEN_PARTIES',
      message: 'a new key needs a threshold and at least two parties',
      hint: 'give --threshold, and --party with each public identity file in the order of their numbers',
    });
  }
  const identities = await publicSides(input.party, context);
  const parties = identities.map(({ id, name }, i) => ({ number: i + 1, identity: id, name }));
  assertNoRepeat(identities);
  if (input.threshold > parties.length) {
    throw new UsageError({
      code: 'E_KEYGEN_PARTIES',
      message: `${input.threshold} of ${parties.length} cannot be: the threshold is above the number of parties`,
    });
  }
  const numbers = parties.map(({ number }) => number);
  const environment: Environment = input.dev === true ? 'dev' : context.environment;
  return {
    suite: suiteOf(input.suite),
    environment,
    threshold: input.threshold,
    parties,
    contributors: numbers,
    receivers: numbers,
    policy: readPolicyDigest(input.policy, context),
    group: null,
    message: null,
  };
}

/** A key that one party deals to others, or to others and itself. */
export async function proposeDeal(
  input: {
    readonly suite: string;
    readonly threshold: number;
    readonly party: readonly string[];
    readonly policy?: string | undefined;
  },
  dealer: Identity,
  environment: Environment,
  context: ActionContext,
): Promise<Proposal> {
  const keygen = await proposeKeygen(input, context);
  const { parties, receivers } = keygen;
  const own = parties.find(({ identity }) => identity === dealer.id);
  const number = own?.number ?? parties.length + 1;
  return {
    ...keygen,
    environment,
    parties:
      own === undefined
        ? [...parties, { number, identity: dealer.id, name: dealer.name }]
        : parties,
    contributors: [number],
    receivers,
  };
}

/** A signature by a quorum. */
export async function proposeSign(
  input: {
    readonly key?: string | undefined;
    readonly message?: string | undefined;
    readonly quorum?: string | undefined;
    readonly batch: readonly string[];
    readonly prepared?: string | undefined;
  },
  context: ActionContext,
  identity: OpenIdentity,
): Promise<Proposal> {
  if (input.message === undefined) {
    throw new UsageError({
      code: 'E_SIGN_MESSAGE',
      message: 'a signing session needs something to sign',
      hint: 'give it with --message',
    });
  }
  const { group, self } = await ownGroup(input.key, context);
  const message = context.files.read(input.message, MAX_SIGNED_BYTES);
  const signers = quorumOf(input.quorum, group.record, group.record.threshold, self);
  const proposal = await changeOf(group, context, {
    contributors: signers,
    receivers: [],
    message,
  });
  if (input.batch.length === 0 && input.prepared === undefined) return proposal;
  const { withPrepared } = await import('./propose-prepared.js');
  return await withPrepared(proposal, input, identity, context);
}

/** New shares for all who stay. */
export async function proposeRefresh(
  input: { readonly key?: string | undefined; readonly quorum?: string | undefined },
  context: ActionContext,
): Promise<Proposal> {
  const { group, self } = await ownGroup(input.key, context);
  const all = group.record.members.map(({ number }) => number);
  const staying = input.quorum === undefined ? all : quorumOf(input.quorum, group.record, 0, self);
  return await changeOf(group, context, { contributors: staying, receivers: staying });
}

/** The key for other members or another threshold. */
export async function proposeReshare(
  input: {
    readonly key?: string | undefined;
    readonly threshold?: number | undefined;
    readonly party: readonly string[];
    readonly quorum?: string | undefined;
  },
  context: ActionContext,
): Promise<Proposal> {
  const { group, self } = await ownGroup(input.key, context);
  if (input.party.length < 2) {
    throw new UsageError({
      code: 'E_RESHARE_PARTIES',
      message: 'a resharing needs to know who holds the key afterwards',
      hint: 'give --party with each public identity file; members keep their numbers',
    });
  }
  const identities = await publicSides(input.party, context);
  assertNoRepeat(identities);
  const after = numbered(identities, group.record);
  return await changeOf(
    group,
    context,
    {
      threshold: input.threshold ?? group.record.threshold,
      contributors: quorumOf(input.quorum, group.record, group.record.threshold, self),
      receivers: after.map(({ number }) => number).sort((a, b) => a - b),
    },
    after,
  );
}

/** One lost share again. */
export async function proposeRepair(
  input: {
    readonly key?: string | undefined;
    readonly lost?: number | undefined;
    readonly quorum?: string | undefined;
  },
  context: ActionContext,
): Promise<Proposal> {
  const { group, self } = await ownGroup(input.key, context);
  const { lost } = input;
  if (lost === undefined || !group.record.members.some(({ number }) => number === lost)) {
    throw new UsageError({
      code: 'E_REPAIR_LOST',
      message:
        lost === undefined
          ? 'a repair needs to know whose share is lost'
          : `there is no member ${lost}`,
      hint: 'give the number with --lost',
    });
  }
  return await changeOf(group, context, {
    contributors: quorumOf(input.quorum, group.record, group.record.threshold, self, lost),
    receivers: [lost],
  });
}

/** One more member. */
export async function proposeEnrol(
  input: {
    readonly key?: string | undefined;
    readonly party: readonly string[];
    readonly quorum?: string | undefined;
  },
  context: ActionContext,
): Promise<Proposal> {
  const { group, self } = await ownGroup(input.key, context);
  const identities = await publicSides(input.party, context);
  const joining = numbered(identities, group.record);
  const [one, ...more] = joining;
  const members = group.record.members.map(({ number }) => number);
  if (one === undefined || more.length > 0 || members.includes(one.number)) {
    throw new UsageError({
      code: 'E_ENROL_PARTY',
      message: 'one new member joins at a time',
      hint: 'give the public identity file of somebody who is no member yet with --party',
    });
  }
  return await changeOf(
    group,
    context,
    {
      contributors: quorumOf(input.quorum, group.record, group.record.threshold, self),
      receivers: [...members, one.number].sort((a, b) => a - b),
    },
    joining,
  );
}

/** The parts of a proposal over an existing group that are the same for all. */
async function changeOf(
  group: Group,
  context: ActionContext,
  wanted: {
    readonly contributors: readonly number[];
    readonly receivers: readonly number[];
    readonly threshold?: number;
    readonly message?: Uint8Array;
  },
  joining: readonly Party[] = [],
): Promise<Proposal> {
  const { record } = group;
  const numbers = [...new Set([...wanted.contributors, ...wanted.receivers])].sort((a, b) => a - b);
  const known = await context.identities.list();
  const parties = numbers.map((number): Party => {
    const fresh = joining.find((party) => party.number === number);
    if (fresh !== undefined) return fresh;
    const identity = record.members.find((member) => member.number === number)?.identity ?? '';
    const name = known.find(({ id }) => id === identity)?.name ?? `member ${number}`;
    return { number, identity, name };
  });
  return {
    suite: record.suite,
    environment: record.environment,
    threshold: wanted.threshold ?? record.threshold,
    parties,
    contributors: [...wanted.contributors],
    receivers: [...wanted.receivers],
    policy: record.policy,
    group: groupJson(group),
    message: wanted.message ?? null,
    ...(wanted.message === undefined ? openingsOf(record) : {}),
  };
}

/**
 * Whether the commitments of a change come with proofs. What was proven once stays so: whoever wants it otherwise makes another
 * key.
 * @param asked - by whoever proposes
 */
export function openingsOf(
  { version }: Pick<GroupRecord, 'version'>,
  asked = false,
): Pick<Proposal, 'openings'> {
  return asked || version === 2 ? { openings: 'proven' } : {};
}

async function ownGroup(
  key: string | undefined,
  context: ActionContext,
): Promise<{ readonly group: Group; readonly self: number }> {
  if (key === undefined) {
    throw new UsageError({
      code: 'E_SESSION_KEY',
      message: 'the session needs to know which key it is about',
      hint: 'give --key, or --in with the start message of another to join theirs',
    });
  }
  using kept = await keysOf(context).openShare(key);
  return { group: kept.share.group, self: kept.share.number };
}

/** The members named, or this party and the first others. */
function quorumOf(
  text: string | undefined,
  { members }: GroupRecord,
  size: number,
  self: number,
  without = 0,
): readonly number[] {
  const all = members.map(({ number }) => number).filter((number) => number !== without);
  if (text === undefined) {
    const others = all.filter((number) => number !== self).slice(0, size - 1);
    return [self, ...others].sort((a, b) => a - b);
  }
  const numbers = text.split(',').map(Number);
  const stranger = numbers.find((number) => !all.includes(number));
  if (
    stranger === undefined &&
    new Set(numbers).size === numbers.length &&
    numbers.includes(self)
  ) {
    return numbers.sort((a, b) => a - b);
  }
  throw new UsageError({
    code: 'E_QUORUM',
    message:
      stranger === undefined
        ? `the quorum ${text} names somebody twice, or leaves out member ${self}, who starts it`
        : `the quorum ${text} names ${stranger}, who cannot take part`,
    hint: `the members are ${all.join(', ')}`,
  });
}

/** Members keep their numbers, others get the next free ones. */
function numbered(identities: readonly Identity[], { members }: GroupRecord): readonly Party[] {
  let next = Math.max(...members.map(({ number }) => number));
  return identities.map(({ id, name }) => {
    const known = members.find(({ identity }) => identity === id);
    return { number: known?.number ?? ++next, identity: id, name };
  });
}

async function publicSides(
  references: readonly string[],
  context: ActionContext,
): Promise<readonly Identity[]> {
  return await Promise.all(references.map((reference) => context.identities.find(reference)));
}

function assertNoRepeat(identities: readonly Identity[]): void {
  const twice = identities.find(
    ({ id }, i) => identities.findIndex((each) => each.id === id) !== i,
  );
  if (twice === undefined) return;
  throw new UsageError({
    code: 'E_PARTY_TWICE',
    message: `${twice.name} is named twice`,
    hint: 'one person holds one share',
  });
}

/** Digest of the policy in a file; null where none is named. */
export function readPolicyDigest(file: string | undefined, context: ActionContext): string | null {
  if (file === undefined) return null;
  const policy = decodePolicy(context.files.read(file, MAX_POLICY_BYTES), file);
  return policyDigest(policy, (bytes) => sha256(bytes));
}
