/** A secret that went with a process comes back from its shares: a quorum gathers, the key is recombined in memory. */
import { contextOpener } from '#actions/shares/open';
import { recoverKey } from '#actions/shares/recover';
import { readShare, type ShareSource } from '#actions/shares/sources';
import { InternalError, NegativeError, TryAgainError } from '#formats/errors';
import { type Instance, instanceKey, holders } from '#script/plan';
import { isRestorable } from '#script/restorable';
import { ARTIFACTS, folderFiles } from './files.js';
import { sessionIdentities } from './identities.js';
import { personOf, sessionAsker } from './people.js';
import { readSet } from './sealed-set.js';
import { actionOf, instancesOf, resolverOf, type Session, within } from './session.js';
import { valuesOfType } from './steps/input.js';

/** Where a key's shares are, and who holds them. */
interface Sealing {
  readonly set: string;
  readonly shares: readonly string[];
  readonly role: string | undefined;
}

/**
 * Brings a lost key back into the vault and journals it.
 * @param before - the instance that needs it
 * @throws {@link TryAgainError} `E_QUORUM_INCOMPLETE` when too few custodians are there
 */
export async function restoreKey(
  session: Session,
  reference: string,
  before: Instance,
): Promise<void> {
  const { context, recorder, terminal, vault } = session;
  const known = recorder.state.keys.get(reference);
  const sealing = sealingOf(session, reference);
  if (known === undefined || sealing === undefined) {
    throw new InternalError({
      code: 'E_RESTORE_UNKNOWN',
      message: `${reference} has no shares in this session`,
    });
  }
  const files = folderFiles(context.host.files, within(session, ARTIFACTS));
  const all = readSet(sealing.set, sealing.shares, files);
  const { description } = all;
  const threshold = description?.file.set.groups[0]?.threshold ?? sealing.shares.length;
  terminal.heading(
    'Restore the key from its shares',
    `The program ended after the key was shared, and its copy in memory is gone. "${before.step.title}" needs it: ` +
      `${threshold} of ${sealing.shares.length} custodians open their shares now.`,
  );
  const custodians =
    sealing.role === undefined ? [] : holders(recorder.state.participants, sealing.role);
  const key = `${before.act.id}/${before.step.id}`;
  const present = await quorumPresent(
    session,
    custodians.map(({ name }) => name),
    threshold,
    key,
  );
  const sources = all.sources.filter((_, i) => present === undefined || present.includes(i));
  const people = custodians.map(personOf);
  const ask = sessionAsker({
    terminal,
    participants: recorder.state.participants,
    step: key,
    holder: undefined,
    slips: session.slips,
    handsOut: false,
    heard: () => undefined,
  });
  const identities = sessionIdentities(session, context.within({ ask }).identities, {
    ask,
    step: key,
    signer: undefined,
  });
  using recovered = await terminal.progress('recombining the key', () =>
    recoverKey({
      sources,
      opener: contextOpener({ ask, identities }, people),
      set: description,
      random: context.random,
    }),
  );
  if (recovered.key.id !== known.keyId) {
    throw new NegativeError({
      code: 'E_RESTORE_MISMATCH',
      message: `the shares of ${sealing.set} are of another key than ${reference}`,
      hint: 'the session folder was altered; keep it as evidence',
    });
  }
  const used = sources.filter(({ name }) => recovered.used.includes(name));
  recorder.write('restore', {
    setId: recovered.setId ?? description?.file.set.setId ?? '',
    shares: used.map(shareNumber),
    key: recovered.key.id,
    reference,
  });
  // After the entry: a key that is live again without the journal knowing could be used unrecorded.
  vault.readmit(reference, recovered.secret.clone(`private key ${reference}`));
}

/** Indices of the custodians who open their shares: at a terminal whoever says so, otherwise the first ones. */
async function quorumPresent(
  session: Session,
  names: readonly string[],
  threshold: number,
  key: string,
): Promise<readonly number[] | undefined> {
  if (names.length === 0) return undefined;
  if (!session.terminal.interactive) return names.map((_, i) => i).slice(0, threshold);
  const present: number[] = [];
  for (const [i, name] of names.entries()) {
    if (present.length >= threshold) break;
    const answer = await session.terminal.confirm(`${name}: are you here to open your share?`, {
      key: `${key}/${name}`,
    });
    if (answer.value) present.push(i);
  }
  if (present.length >= threshold) return present;
  throw new TryAgainError({
    code: 'E_QUORUM_INCOMPLETE',
    message: `${present.length} of ${threshold} custodians are here to open their shares`,
    hint: 'gather the quorum and go on with --resume; nothing is lost',
  });
}

/** The set that a finished step sealed this key into. */
function sealingOf(session: Session, reference: string): Sealing | undefined {
  for (const instance of instancesOf(session)) {
    const action = actionOf(session, instance);
    const { step } = instance;
    if (action === undefined || !isRestorable(action) || step.kind !== 'action') continue;
    const done = session.recorder.state.instances.get(instanceKey(instance));
    const resolve = resolverOf(session, instance);
    if (done?.status !== 'finished') continue;
    if (!valuesOfType(step, action.inputs, 'key', resolve).includes(reference)) continue;
    const output = (type: string): unknown => {
      const name = Object.entries(action.outputs).find(([, field]) => field.type === type)?.[0];
      return name === undefined ? undefined : done.outputs[name];
    };
    const set = output('share-set');
    const shares = output('shares');
    if (typeof set !== 'string' || !Array.isArray(shares)) continue;
    const [role] = valuesOfType(step, action.inputs, 'role', resolve);
    return { set, shares: shares.map(String), role };
  }
  return undefined;
}

function shareNumber(source: ShareSource): number {
  const read = readShare(source);
  if (read.kind === 'slip39') {
    read.share.value.fill(0);
    return read.share.memberIndex + 1;
  }
  const { index, structure } = read.share;
  return structure.groups.length === 1 ? index.member : index.group * 256 + index.member;
}
