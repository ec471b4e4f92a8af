/** Steps that people do. What they say is recorded with who said it and how it was heard. */
import type { Json } from '#formats/canonical-json';
import { NegativeError, TryAgainError } from '#formats/errors';
import type { HumanStep } from '#script/definition';
import type { EntryData, Said } from '#script/entries';
import { evaluate, type Resolve } from '#script/expression';
import { type Instance, instanceKey } from '#script/plan';
import { amongDecoys, bare, groupsOf, isGroups, numberedGroups } from '#script/spoken';
import type { Terminal } from '#terminal/terminal';
import { affirm } from '../affirm.js';
import { graded } from '../people.js';

/** What a human step needs. */
export interface HumanContext {
  readonly terminal: Terminal;
  readonly resolve: Resolve;
  /** Role of a participant by name. */
  readonly roleOf: (name: string) => string;
  /** Random bytes, for choosing what is asked back. */
  readonly random: (length: number) => Uint8Array;
  /** Whether this person has signed off in this instance already, before an interruption. */
  readonly signedOff: (name: string) => boolean;
  readonly signoff: (data: EntryData['signoff']) => void;
}

/** What a step leaves behind. */
export interface StepResult {
  readonly outputs: Readonly<Record<string, Json>>;
  readonly people: readonly Said[];
}

/**
 * Does a human step.
 * @throws {@link NegativeError} `E_STEP_DENIED` when somebody says no; {@link TryAgainError} `E_POSTPONED` at a pause
 */
export async function doHumanStep(
  instance: Instance,
  step: HumanStep,
  context: HumanContext,
): Promise<StepResult> {
  const { terminal } = context;
  const at = { key: instanceKey(instance) };
  const who = instance.for ?? instance.by;
  const result = (said: string, answer: Parameters<typeof graded>[0], name = who): StepResult => ({
    outputs: {},
    people: [{ name, said, graded: graded(answer) }],
  });

  switch (step.human) {
    case 'confirm': {
      const answer = await affirm(terminal, `${who}: is it so?`, at);
      if (!answer.value) throw denied(instance, `${who} does not confirm it`);
      return result('yes', answer);
    }
    case 'ask': {
      // Whoever acts answers; of several holders it must be heard which one is meant.
      const asked = who === instance.by ? who : `${instance.by}, about ${who}`;
      const answer =
        step.choices === undefined
          ? await terminal.text(`${asked}: ${step.title}`, at, required)
          : await terminal.choose(
              `${asked}: ${step.title}`,
              step.choices.map((value) => ({ value, label: value })),
              at,
            );
      return { ...result(answer.value, answer), outputs: { answer: answer.value } };
    }
    case 'read-back':
      return await readBack(instance, step, context);
    case 'handover': {
      const what = listed(step, context.resolve);
      terminal.say(`Hand over to ${who}:\n${what.map((line) => `  ${line}`).join('\n')}`);
      const answer = await affirm(terminal, `${who}: do you have it in your hands?`, at);
      if (!answer.value) throw denied(instance, `${who} did not receive it`);
      return result('received it', answer);
    }
    case 'seal': {
      const [kind = 'bag'] = listed(step, context.resolve);
      const answer = await terminal.text(`${who}: serial number of the ${kind}:`, at, required);
      if (terminal.interactive) {
        // One digit off, and nobody ever finds out that the bag was exchanged.
        await terminal.text(`${who}: the serial number of the ${kind} once more:`, at, (typed) =>
          bare(typed) === bare(answer.value)
            ? undefined
            : 'That differs from what was typed before. Look at the bag again; Ctrl-C leaves, and this step is done again.',
        );
      }
      return { ...result(`sealed ${answer.value}`, answer), outputs: { serial: answer.value } };
    }
    case 'pause': {
      const answer = await terminal.confirm(`${who}: go on now?`, at);
      if (!answer.value) {
        throw new TryAgainError({
          code: 'E_POSTPONED',
          message: `the ceremony is postponed at ${instanceKey(instance)}`,
          hint: 'go on with --resume',
        });
      }
      return result('went on', answer);
    }
    case 'sign-off':
      return await signOff(instance, context);
  }
}

async function signOff(instance: Instance, context: HumanContext): Promise<StepResult> {
  const { terminal } = context;
  const at = { key: instanceKey(instance) };
  const person = instance.for ?? instance.by;
  if (context.signedOff(person)) return { outputs: {}, people: [] };
  const answer = await terminal.choose(
    `${person}: what do you say of this record?`,
    [
      { value: 'agree', label: 'I was present, and it happened as recorded' },
      { value: 'disagree', label: 'I do not agree, and say why' },
    ],
    at,
  );
  const agrees = answer.value === 'agree';
  const reason = agrees
    ? null
    : (await terminal.text(`${person}: what is not as recorded?`, at, required)).value;
  context.signoff({
    person,
    role: context.roleOf(person),
    agrees,
    reason,
    graded: graded(answer),
  });
  return { outputs: {}, people: [] };
}

/** How many groups somebody types back. */
const ASKED = 3;

/**
 * The value stands on the screen in numbered groups; three of them, chosen now, are typed back. A file cannot know what is
 * asked, so from an answers file it is a plain confirmation, graded as such.
 */
async function readBack(
  instance: Instance,
  step: HumanStep,
  { terminal, resolve, random }: HumanContext,
): Promise<StepResult> {
  const at = { key: instanceKey(instance) };
  const who = instance.for ?? instance.by;
  const [value = ''] = listed(step, resolve);
  const groups = groupsOf(value);
  const form = step.form ?? 'hex';
  const heard = (answer: Parameters<typeof graded>[0]): StepResult => ({
    outputs: {},
    people: [{ name: who, said: value, graded: graded(answer) }],
  });
  if (terminal.interactive && form === 'choice') {
    const choices = amongDecoys(value, (count, below) => pick(count, below, random));
    const answer = await terminal.choose(
      `${who}: which of these stands on your own copy?`,
      [
        ...choices.map((label) => ({ value: label, label })),
        { value: 'none', label: 'None of them' },
      ],
      at,
    );
    if (answer.value !== groups.join(' ')) throw denied(instance, `${who} reads something else`);
    return heard(answer);
  }
  terminal.say(`Read aloud, and compare with your own copy:\n${numberedGroups(groups, form)}`);
  if (!terminal.interactive) {
    const answer = await terminal.confirm(`${who}: does it agree with your own copy?`, at);
    if (!answer.value) throw denied(instance, `${who} reads something else`);
    return heard(answer);
  }
  const asked = pick(Math.min(ASKED, groups.length), groups.length, random);
  const expected = asked.map((i) => groups[i] as string);
  const which =
    groups.length === 1
      ? 'it'
      : `groups ${asked.map((i) => String(i + 1)).join(', ')} of your copy`;
  const answer = await terminal.text(`${who}: type ${which} ("no" if it differs):`, at, (typed) =>
    isGroups(typed, expected, form) || bare(typed) === 'no'
      ? undefined
      : 'That is not what stands there. Spaces do not matter; "no" if it differs.',
  );
  if (bare(answer.value) === 'no' && bare(expected.join('')) !== 'no') {
    throw denied(instance, `${who} reads something else`);
  }
  return heard(answer);
}

/** `count` different numbers below `below`, ascending. */
function pick(
  count: number,
  below: number,
  random: (length: number) => Uint8Array,
): readonly number[] {
  const chosen = new Set<number>();
  while (chosen.size < count) {
    const [byte = 0] = random(1);
    // Bytes past the last whole multiple would favour small numbers.
    if (byte < 256 - (256 % below)) chosen.add(byte % below);
  }
  return [...chosen].sort((a, b) => a - b);
}

function listed(step: HumanStep, resolve: Resolve): readonly string[] {
  if (step.value === undefined) return [];
  const value = evaluate(step.value, resolve);
  return (Array.isArray(value) ? (value as readonly Json[]) : [value]).map((item) =>
    typeof item === 'string' ? item : JSON.stringify(item),
  );
}

function required(text: string): string | undefined {
  return text.trim() === '' ? 'An answer is needed.' : undefined;
}

function denied(instance: Instance, problem: string): NegativeError {
  return new NegativeError({
    code: 'E_STEP_DENIED',
    message: `${instanceKey(instance)}: ${problem}`,
    hint: 'find out why before anything else is done',
  });
}
