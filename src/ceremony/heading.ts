/** What everybody in the room sees before a step: where we are, who acts, what happens, and whether it can be undone. */
import type { Effect } from '#formats/action';
import { InputError } from '#formats/errors';
import { evaluate } from '#script/expression';
import { holderLetter, type Instance } from '#script/plan';
import { resolverOf, type Session } from './session.js';

const EFFECTS: Readonly<Record<Effect, string>> = {
  none: 'It changes nothing.',
  repeatable: 'It can be repeated.',
  irreversible: 'It cannot be undone.',
};

/** Announces one instance on the terminal. */
export function announce(
  session: Session,
  instances: readonly Instance[],
  instance: Instance,
): void {
  const { definition, environment, recorder, terminal } = session;
  const act = definition.acts.findIndex(({ id }) => id === instance.act.id) + 1;
  const siblings = instances.filter(({ act: { id } }) => id === instance.act.id);
  const step = siblings.indexOf(instance) + 1;
  const mark = environment === 'production' ? '' : `${environment.toUpperCase()}   `;
  const by = recorder.state.participants.find(({ name }) => name === instance.by);
  const actor = by === undefined || by.role === by.name ? instance.by : `${by.name} (${by.role})`;
  const person =
    instance.for === undefined || instance.for === instance.by ? '' : `, with ${instance.for}`;
  const { say } = instance.step;
  // What people say and do has no effect to repeat or undo; what the program does has.
  const effect = instance.step.kind === 'action' ? `  ${EFFECTS[instance.step.effect]}` : '';
  terminal.heading(
    [
      `${mark}Act ${act} of ${definition.acts.length}: ${instance.act.title}`,
      `Step ${step} of ${siblings.length}, ${act}.${onPaper(siblings, instance)} on paper: ${instance.step.title}`,
    ].join('\n'),
    [
      `Acts: ${actor}${person}.${effect}`,
      ...(say === undefined ? [] : ['', spoken(session, instance, say)]),
    ].join('\n'),
  );
}

/** The number of a step within its act in the printed script, where the holders of one step are lettered. */
function onPaper(siblings: readonly Instance[], instance: Instance): string {
  const number = instance.act.steps.indexOf(instance.step) + 1;
  const holders = siblings.filter(({ step }) => step === instance.step);
  return `${number}${holders.length === 1 ? '' : holderLetter(holders.indexOf(instance))}`;
}

/** The text of `say:` with its references spelled out. One that has no value yet is shown as written. */
function spoken(session: Session, instance: Instance, say: string): string {
  try {
    const value = evaluate(say, resolverOf(session, instance));
    return typeof value === 'string' ? value : JSON.stringify(value);
  } catch (error) {
    if (error instanceof InputError) return say;
    throw error;
  }
}
