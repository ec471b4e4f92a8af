/** Who was heard at a finished step of a transcript: the person it is about, and the quorum that it needs. */
import type { Definition } from './definition.js';
import type { EntryData, Participant } from './entries.js';
import { evaluate, type Resolve } from './expression.js';
import { Misstep } from './misstep.js';
import { holders, type Instance } from './plan.js';

/** At a human step the person it is about was heard; what was read back is what there was to read. */
export function assertHeard(
  current: Instance,
  data: EntryData['step.finished'],
  signedOff: ReadonlySet<string>,
  resolver: () => Resolve,
): void {
  const { step } = current;
  if (step.kind !== 'human') return;
  const who = current.for ?? current.by;
  if (step.human === 'sign-off') {
    if (!signedOff.has(who)) throw new Misstep(`${who} did not sign off`);
    return;
  }
  const answers = data.people.filter(({ name }) => name === who);
  if (answers.length === 0) throw new Misstep(`${who} was not heard`);
  if (step.human !== 'read-back' || step.value === undefined) return;
  const value = evaluate(step.value, resolver());
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  if (!answers.some(({ said }) => said === text))
    throw new Misstep(`${who} read back something else than ${text}`);
}

/** A step that needs a quorum of people has one among those heard. */
export function assertQuorum(
  definition: Definition,
  participants: readonly Participant[],
  { step }: Instance,
  data: EntryData['step.finished'],
): void {
  const quorum = step.needs === undefined ? undefined : definition.quorums[step.needs];
  if (quorum === undefined) return;
  const entitled = new Set(holders(participants, quorum.of).map(({ name }) => name));
  const agreed = data.people.filter(({ name, said }) => entitled.has(name) && said === 'agreed');
  const heard = new Set(agreed.map(({ name }) => name));
  if (heard.size < quorum.threshold)
    throw new Misstep(`${quorum.threshold} of ${quorum.of} had to agree, and ${heard.size} did`);
}
