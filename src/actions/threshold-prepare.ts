/** `threshold prepare`: nonces made ahead, so that later signatures take one round. */
import { join } from 'node:path';
import { openedShare } from '#crypto/frost/commitment';
import { toHex } from '#formats/bytes';
import { InterruptedError, UsageError } from '#formats/errors';
import { SecretBytes } from '#formats/secret-bytes';
import { newSessionKeys } from '#protocols/parties/session-keys';
import { type Batch, batchId, MAX_BATCH, noncesOf, pairOf } from '#protocols/threshold/batch';
import { nonceName } from '#protocols/threshold/nonce-use';
import { defineAction } from './action.js';
import type { ActionContext } from './context/context.js';
import type { GroupKeyShare } from './context/group-share.js';
import { type BatchFile, decodeBatch, signBatch } from './threshold/batch-file.js';
import { BatchHold } from './threshold/batch-state.js';
import { preparedField } from './threshold/fields.js';
import { keysOf } from './threshold/keep.js';
import { hasEnded } from './threshold/nonce-marks.js';
import { forget, introduce, openMemory } from './threshold/memory.js';
import { assertOwnFolder } from './threshold/own-folder.js';
import { assertFrost } from './threshold/propose-prepared.js';
import { openOwnIdentity, writeOut } from './threshold/session.js';

const TASKS = ['make', 'list', 'public', 'end'] as const;

/** What is remembered nowhere else. */
const NO_MEMORY = 'none';

/** What was made, or is there. */
export interface PrepareResult {
  readonly task: string;
  /** Id of the batch, hex. */
  readonly batch: string;
  /** Id of the key, hex. */
  readonly key: string;
  /** Number of the member. */
  readonly party: number;
  readonly count: number;
  /** Indices that were not used. */
  readonly left: readonly number[];
  /** Second place, or null where there is none. */
  readonly memory: string | null;
  /** The public file, where it was written. */
  readonly file: string | null;
}

interface Input {
  readonly task: string;
  readonly prepared: string;
  readonly key?: string | undefined;
  readonly count: number;
  readonly memory?: string | undefined;
  readonly outDir: string;
  readonly yes?: boolean | undefined;
}

export const thresholdPrepare = defineAction({
  id: 'threshold.prepare',
  summary: 'make nonces ahead, so that later signatures of a group key take one round',
  description:
    'Keeps one seed for each pair of nonces in a folder sealed to your identity, and writes a public batch file for the others, signed by ' +
    'your identity: whoever has it may name one of its pairs in a start message, and threshold sign start then answers at once. Each ' +
    'pair signs once: its seed is taken out of the folder, durably, before a signature share exists. A state of the folder and the home ' +
    'that is brought back from before would give the share away; therefore a second place that remembers must be named (--memory), or ' +
    'none said to be there. Once the shares of the key change, nothing of a batch can be used. list shows what is left, public writes the ' +
    'public file again, end destroys the batch.',
  inputs: {
    task: {
      type: 'string',
      summary: 'make a batch, list what is left of it, write its public file again, or end it',
      choices: TASKS,
      default: 'make',
      positional: 0,
      placeholder: 'TASK',
    },
    prepared: { ...preparedField, required: true },
    key: { type: 'key', summary: 'the group key whose share is here, to make a batch' },
    count: {
      type: 'integer',
      summary: 'how many pairs of nonces',
      min: 1,
      max: MAX_BATCH,
      default: 20,
      placeholder: 'N',
    },
    memory: {
      type: 'path',
      summary:
        'second place that remembers which nonces were used: a folder on another medium, keychain:, pkcs11:TOKEN, or none',
      placeholder: 'PLACE',
    },
    outDir: {
      type: 'path',
      summary: 'where the public batch file is written',
      default: '.',
      placeholder: 'DIR',
    },
    yes: {
      type: 'boolean',
      summary: 'end it without asking, although sessions that took from it have not ended',
    },
  },
  outputs: {
    batch: { type: 'string', summary: 'id of the batch' },
    file: { type: 'file', summary: 'the public batch file, for the others' },
  },
  options: ['passphrase', 'identity', 'force'],
  only: 'cli',
  effect: 'repeatable',
  examples: [
    {
      command:
        'conclave threshold prepare --key treasury --count 20 --prepared ann-batch --memory /media/stick/nonces --identity ann --out-dir out',
      explains: 'twenty signatures to come; the batch file goes to the other members',
    },
    {
      command: 'conclave threshold prepare list --prepared ann-batch --identity ann',
      explains: 'how many are left',
    },
    {
      command:
        'conclave threshold prepare public --prepared ann-batch --identity ann --out-dir out',
      explains: 'the same public file once more, for whoever lost it',
    },
    {
      command: 'conclave threshold prepare end --prepared ann-batch --identity ann',
      explains: 'nothing of it signs any more, nor does a copy of it',
    },
  ],
  run: async (input, context): Promise<PrepareResult> => {
    if (input.task === 'make') return await make(input, context);
    using identity = await openOwnIdentity(context);
    using hold = await BatchHold.open(input.prepared, identity, context);
    const file = await decodeBatch(hold.state.file, input.prepared);
    if (input.task === 'public') {
      const path = publicPath(file, input.outDir);
      writeOut([{ path, bytes: hold.state.file }], context);
      return describe(input.task, file, hold, path);
    }
    const result = describe(input.task, file, hold, null);
    if (input.task === 'end') {
      const used = await usedPairs(file, hold);
      if (input.yes !== true) await assertMeant(hold, used, context);
      await forgotten(file, hold, used, context);
      hold.end();
      return { ...result, left: [] };
    }
    return result;
  },
  present: ({ task, batch, party, count, left, memory, file }) => {
    const what = `batch ${batch.slice(0, 16)} of member ${party}`;
    if (task === 'end') {
      const name = `${batch.slice(0, 8)}-batch-of-${party}.cbor`;
      return `${what} is destroyed; tell the others to remove ${name}, so that nobody proposes with it`;
    }
    return [
      task === 'make'
        ? `${what}: ${count} pairs of nonces`
        : `${what}: ${left.length} of ${count} left`,
      ...(file === null ? [] : [`written for the others: ${file}`]),
      memory === null
        ? 'no second place remembers what was used: never bring back an older copy of this home or of the folder, or the share can be computed'
        : `remembered in ${memory}`,
    ].join('\n');
  },
});

async function make(input: Input, context: ActionContext): Promise<PrepareResult> {
  if (input.key === undefined) {
    throw new UsageError({
      code: 'E_SESSION_KEY',
      message: 'a batch is made for a key, and none was named',
      hint: 'give --key',
    });
  }
  if (input.memory === undefined) {
    throw new UsageError({
      code: 'E_MEMORY_NEEDED',
      message: 'prepared nonces outlast this day, and a backup brought back would use them twice',
      hint: 'name a second place with --memory, which is not restored with this home; or say --memory none, and never restore it',
    });
  }
  assertOwnFolder(input.prepared, input.memory, '--memory');
  using identity = await openOwnIdentity(context);
  using kept: GroupKeyShare = await keysOf(context).openShare(input.key);
  const { group, number, opening } = kept.share;
  assertFrost(group.suite);
  assertOwn(group.record.members, number, identity.identity.id);
  using keys = await newSessionKeys(context.random);
  const seeds: SecretBytes[] = [];
  let adopted = false;
  try {
    const share = opening.use((bytes) => openedShare(bytes, group.suite));
    const commitments: Uint8Array[] = [];
    for (let i = 0; i < input.count; i++) {
      const seed = SecretBytes.adopt(context.random(32), 'seed of prepared nonces');
      seeds.push(seed);
      const nonces = noncesOf(group.suite, number, share, seed);
      nonces.secret.dispose();
      commitments.push(pairOf(nonces));
    }
    const batch: Batch = {
      suite: group.suite.name,
      key: group.record.key,
      context: group.context,
      epoch: group.record.epoch,
      number,
      identity: identity.identity.id,
      ed25519: keys.ed25519,
      xWing: keys.xWing,
      commitments,
    };
    const bytes = await signBatch(batch, identity);
    const known = { certificate: bytes, terms: batchId(batch) };
    const memory =
      input.memory === NO_MEMORY ? undefined : await introduce(input.memory, known, context);
    adopted = true;
    using hold = await BatchHold.create(
      input.prepared,
      identity,
      {
        file: bytes,
        signing: keys.signing.clone(),
        opening: keys.opening.clone(),
        seeds,
        memory,
      },
      context,
    );
    const file = await decodeBatch(bytes, input.prepared);
    const path = publicPath(file, input.outDir);
    writeOut([{ path, bytes }], context);
    context.record({
      type: 'threshold.prepared',
      data: {
        id: batch.key,
        batch: toHex(file.id),
        count: commitments.length,
        memory: memory ?? NO_MEMORY,
      },
    });
    return describe('make', file, hold, path);
  } finally {
    if (!adopted) for (const seed of seeds) seed.dispose();
  }
}

/** @throws UsageError `E_IDENTITY_OTHER` */
function assertOwn(
  members: readonly { readonly number: number; readonly identity: string }[],
  number: number,
  identity: string,
): void {
  if (members.find((member) => member.number === number)?.identity === identity) return;
  throw new UsageError({
    code: 'E_IDENTITY_OTHER',
    message: `the share is that of member ${number}, who has another identity`,
    hint: 'name the identity of that member with --identity',
  });
}

/** What the public file is called; the same every time. */
function publicPath({ id, batch }: BatchFile, folder: string): string {
  return join(folder, `${toHex(id).slice(0, 8)}-batch-of-${batch.number}.cbor`);
}

/** Names of the pairs that were taken out, by their indices. */
async function usedPairs(
  { batch }: BatchFile,
  { left }: BatchHold,
): Promise<ReadonlyMap<number, Uint8Array>> {
  const { loadSuite } = await import('#crypto/frost/suite');
  const suite = await loadSuite(batch.suite);
  const { pointBytes } = suite.group;
  const used = [...batch.commitments.entries()].filter(([index]) => !left.includes(index));
  return new Map(
    used.map(([index, pair]) => [
      index,
      nonceName(suite, pair.slice(0, pointBytes), pair.slice(pointBytes)),
    ]),
  );
}

/** A session that took a pair asks the batch's second place until it ends: without its entry there it does not go on. */
async function assertMeant(
  { state }: BatchHold,
  used: ReadonlyMap<number, Uint8Array>,
  context: ActionContext,
): Promise<void> {
  if (state.memory === undefined) return;
  const open = [...used].flatMap(([index, name]) => (hasEnded(name, context) ? [] : [index]));
  if (open.length === 0) return;
  const whose =
    open.length === 1
      ? `the session that took pair ${open.join('')} has`
      : `the sessions that took pairs ${open.join(', ')} have`;
  const answer = await context.ask.confirm?.(
    `End the batch, although ${whose} not been finished here, and could not go on?`,
  );
  if (answer === true) return;
  if (answer === false) {
    throw new InterruptedError({ code: 'E_BATCH_END_DECLINED', message: 'the batch goes on' });
  }
  throw new UsageError({
    code: 'E_BATCH_OPEN',
    message: `${whose} not been finished here, and could not go on without the batch`,
    hint: 'finish first, with conclave threshold sign finish; or say --yes where nobody waits for the signature',
    details: { open },
  });
}

/** Has the second place forget a batch, first of all: no copy of it goes on then. */
async function forgotten(
  file: BatchFile,
  { state }: BatchHold,
  used: ReadonlyMap<number, Uint8Array>,
  context: ActionContext,
): Promise<void> {
  if (state.memory === undefined) return;
  using place = await openMemory(state.memory, context);
  await forget(place, { certificate: state.file, terms: file.id }, used.values());
}

function describe(
  task: string,
  { batch, id }: BatchFile,
  hold: BatchHold,
  file: string | null,
): PrepareResult {
  return {
    task,
    batch: toHex(id),
    key: batch.key,
    party: batch.number,
    count: batch.commitments.length,
    left: hold.left,
    memory: hold.state.memory ?? null,
    file,
  };
}
