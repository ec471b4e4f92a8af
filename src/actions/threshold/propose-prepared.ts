/** Choosing a prepared pair for each signer: whoever proposes needs the batch files of the others, and keeps nothing secret. */
import { type Group, parseGroup } from '#crypto/frost/group';
import type { OpenIdentity } from '#custody/authority/identity';
import { equal, toHex } from '#formats/bytes';
import { MissingInputError, UsageError } from '#formats/errors';
import type { PreparedPair } from '#protocols/threshold/start-message';
import type { ActionContext } from '../context/context.js';
import type { Proposal } from './begin.js';
import { assertCertified, type BatchFile, decodeBatch } from './batch-file.js';
import { BatchHold } from './batch-state.js';
import { batchesAmong, namedMark } from './prepared.js';

/** A batch and the indices that may be named. */
interface Choice {
  readonly file: BatchFile;
  readonly free: readonly number[];
}

/**
 * A proposal to sign, with a pair named for each signer.
 * @throws UsageError `E_PREPARED_MISSING`, `E_BATCH_SUITE`; MissingInputError `E_BATCH_MISSING` where somebody has no pair left
 */
export async function withPrepared(
  proposal: Proposal,
  input: { readonly batch: readonly string[]; readonly prepared?: string | undefined },
  identity: OpenIdentity,
  context: ActionContext,
): Promise<Proposal> {
  const { batch, prepared } = input;
  if (batch.length === 0 && prepared === undefined) return proposal;
  if (batch.length === 0 || prepared === undefined) {
    throw new UsageError({
      code: 'E_PREPARED_MISSING',
      message: 'a signature with prepared nonces takes them from every signer, you among them',
      hint: 'give the batch files of the others with --batch, and the folder of your own with --prepared',
    });
  }
  const group = await parseGroup(proposal.group ?? undefined, 'group');
  assertFrost(group.suite);
  const choices = [
    await ownChoice(prepared, identity, context),
    ...(await choicesAmong(batch, group, context)),
  ];
  const pairs: PreparedPair[] = [];
  for (const number of proposal.contributors) {
    const party = proposal.parties.find((each) => each.number === number);
    const mine = party?.identity === identity.identity.id;
    const choice = choices
      .filter((_, i) => (i === 0) === mine)
      .find(({ file, free }) => free.length > 0 && fits(file, group, number, party?.identity));
    if (choice === undefined) throw noneLeft(number, party?.name ?? '', mine);
    pairs.push(chosen(choice, number, group, context));
  }
  return { ...proposal, prepared: pairs };
}

/** @throws UsageError `E_BATCH_SUITE` */
export function assertFrost({ scheme, name }: Group['suite']): void {
  if (scheme === 'frost') return;
  throw new UsageError({
    code: 'E_BATCH_SUITE',
    message: `${name} has no nonces that could be prepared`,
    hint: 'its signatures take one round anyway: conclave threshold sign start',
  });
}

/** Whether a batch is this member's, and for the shares of now. */
function fits(
  { batch }: BatchFile,
  group: Group,
  number: number,
  identity: string | undefined,
): boolean {
  return (
    batch.number === number &&
    batch.identity === identity &&
    batch.suite === group.suite.name &&
    batch.key === group.record.key &&
    equal(batch.context, group.context)
  );
}

async function ownChoice(
  path: string,
  identity: OpenIdentity,
  context: ActionContext,
): Promise<Choice> {
  using hold = await BatchHold.open(path, identity, context);
  return { file: await decodeBatch(hold.state.file, path), free: hold.left };
}

async function choicesAmong(
  inputs: readonly string[],
  group: Group,
  context: ActionContext,
): Promise<readonly Choice[]> {
  const choices: Choice[] = [];
  for (const { file: name, bytes } of batchesAmong(inputs, context)) {
    const file = await decodeBatch(bytes, name);
    const { commitments, suite } = file.batch;
    if (suite !== group.suite.name) continue;
    await assertCertified(file, name);
    const free = [...commitments.keys()].filter(
      (index) =>
        context.once?.read(namedMark(group, commitments[index] as Uint8Array)) === undefined,
    );
    choices.push({ file, free });
  }
  return choices;
}

/** One of those that may be named, by chance: two who propose at once then seldom name the same. */
function chosen(
  { file, free }: Choice,
  number: number,
  { suite }: Group,
  context: ActionContext,
): PreparedPair {
  const drawn = context.random(4).reduce((sum, byte) => sum * 256 + byte, 0);
  const index = free[drawn % free.length] as number;
  const pair = file.batch.commitments[index] as Uint8Array;
  const { pointBytes } = suite.group;
  return {
    number,
    batch: toHex(file.id),
    index,
    hiding: toHex(pair.slice(0, pointBytes)),
    binding: toHex(pair.slice(pointBytes)),
  };
}

function noneLeft(number: number, name: string, mine: boolean): MissingInputError {
  return new MissingInputError({
    code: 'E_BATCH_MISSING',
    message: mine
      ? 'your batch has no prepared nonces left for this key as it is now'
      : `there are no prepared nonces left of member ${number} (${name}) for this key as it is now`,
    hint: mine
      ? 'make a new one with conclave threshold prepare'
      : 'ask for a new batch file and give it with --batch, or sign without prepared nonces',
  });
}
