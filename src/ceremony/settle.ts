/**
 * An irreversible step was under way when the program ended. Whether it happened is found out from what it left behind, and
 * where that cannot tell, from the people who were there; it is never simply done again.
 */
import { hexDigest } from '#actions/session/public-side';
import { addHistory } from '#custody/authority/states';
import { parseRecordJson, recordJson } from '#custody/authority/record';
import type { Json } from '#formats/canonical-json';
import { TryAgainError } from '#formats/errors';
import { formatTime } from '#formats/time';
import type { RecordedArtifact, Said } from '#script/entries';
import { type Instance, instanceKey } from '#script/plan';
import { ARTIFACTS, folderFiles } from './files.js';
import { leftovers } from './leftovers.js';
import { graded } from './people.js';
import { findCompleteSet, type SealedSet } from './sealed-set.js';
import { actionOf, resolverOf, type Session, whereOf, within } from './session.js';
import { KEY_CHANGED } from './state.js';
import { valuesOfType } from './steps/input.js';
import { VAULT } from './vault.js';

/**
 * Settles an instance that another process left open.
 * @returns `done` when it happened and is journalled as finished, `undone` when it may be run again
 * @throws TryAgainError `E_STEP_UNSETTLED` when nobody can tell
 */
export async function settle(session: Session, instance: Instance): Promise<'done' | 'undone'> {
  // The journal has the word of the quorum before anything begins: without it, nothing did.
  if (instance.step.needs !== undefined && agreedBefore(session, instance).length === 0)
    return 'undone';
  switch (actionOf(session, instance)?.secrecy) {
    case 'creates':
    case 'destroys':
      // What was made in memory is gone, and wiping what is gone is harmless; the journal tells both.
      return 'undone';
    case 'protects':
      return await settleSealing(session, instance);
    case undefined:
      return await askWhether(session, instance);
  }
}

/** What the quorum said that agreed to the attempt which another process left open. */
function agreedBefore(session: Session, instance: Instance): readonly Said[] {
  return session.recorder.state.instances.get(instanceKey(instance))?.agreed ?? [];
}

/** Sealing happened when a complete set lies there: its description is written last. */
async function settleSealing(session: Session, instance: Instance): Promise<'done' | 'undone'> {
  const { context, recorder, folder } = session;
  const files = folderFiles(context.host.files, within(session, ARTIFACTS));
  const left = leftovers(context.host.files, folder, recorder.state);
  const found = await findCompleteSet(
    left.map((path) => path.slice(ARTIFACTS.length + 1)),
    files,
  );
  if (found === undefined) return 'undone';
  await completeRecord(session, instance, found);
  const artifacts = [found.set, ...found.shares].sort().map((path): RecordedArtifact => {
    const bytes = files.read(path);
    return { path: `${ARTIFACTS}/${path}`, sha256: hexDigest(bytes), size: bytes.length };
  });
  recorder.write('step.finished', {
    ...whereOf(instance),
    by: instance.by,
    outputs: outputsOf(session, instance, found),
    artifacts,
    people: [...agreedBefore(session, instance)],
  });
  return 'done';
}

function outputsOf(
  session: Session,
  instance: Instance,
  found: SealedSet,
): Readonly<Record<string, Json>> {
  const { set } = found.description.file;
  const known: Readonly<Record<string, Json>> = { setId: set.setId, root: set.root };
  const outputs: Record<string, Json> = {};
  for (const [name, { type }] of Object.entries(actionOf(session, instance)?.outputs ?? {})) {
    if (type === 'share-set') outputs[name] = found.set;
    else if (type === 'shares') outputs[name] = found.shares;
    else if (known[name] !== undefined) outputs[name] = known[name];
  }
  return outputs;
}

/** The key's record may not have heard yet that the key is shared now. */
async function completeRecord(
  session: Session,
  instance: Instance,
  found: SealedSet,
): Promise<void> {
  const { recorder, context } = session;
  const action = actionOf(session, instance);
  if (action === undefined || instance.step.kind !== 'action') return;
  const { set } = found.description.file;
  const shares = { setId: set.setId, root: set.root };
  const references = valuesOfType(
    instance.step,
    action.inputs,
    'key',
    resolverOf(session, instance),
  );
  for (const reference of references) {
    const known = reference.startsWith(VAULT) ? recorder.state.keys.get(reference) : undefined;
    if (known === undefined) continue;
    const record = await parseRecordJson(known.record, reference);
    if (record.id !== set.keyId || record.shares?.setId === shares.setId) continue;
    const time = formatTime(context.now());
    const shared = addHistory({ ...record, custody: 'shared', shares }, 'shared', { time });
    recorder.write('event', {
      ...whereOf(instance),
      event: KEY_CHANGED,
      data: { reference, record: recordJson(shared) },
    });
  }
}

async function askWhether(session: Session, instance: Instance): Promise<'done' | 'undone'> {
  const { terminal, recorder } = session;
  terminal.heading(
    `Was it done? ${instance.step.title}`,
    'The program ended while this step was under way, and it cannot be undone. Look at what is there before you answer.',
  );
  const answer = await terminal.choose(
    `${instance.by}: was it done?`,
    [
      { value: 'done', label: 'It was done' },
      { value: 'again', label: 'It was not done: do it again' },
      { value: 'later', label: 'That must be found out first: stop here' },
    ],
    { key: instanceKey(instance) },
  );
  if (answer.value === 'again') return 'undone';
  if (answer.value === 'later') {
    throw new TryAgainError({
      code: 'E_STEP_UNSETTLED',
      message: `it is not known whether ${instanceKey(instance)} was done`,
      hint: 'find out, then go on with --resume',
    });
  }
  const people: readonly Said[] = [
    ...agreedBefore(session, instance),
    { name: instance.by, said: 'it was done before the program ended', graded: graded(answer) },
  ];
  recorder.write('step.finished', {
    ...whereOf(instance),
    by: instance.by,
    outputs: {},
    artifacts: [],
    people: [...people],
  });
  return 'done';
}
