/**
 * Ctrl-C during a step, or a no to what cannot be undone. Somebody wants something that the script does not ask for: the room
 * says what, and nothing of the session is lost whatever it is.
 */
import { InterruptedError, TryAgainError } from '#formats/errors';
import { type Instance, instanceKey } from '#script/plan';
import { askInitials, recordDeviation } from './deviation.js';
import { graded } from './people.js';
import { type Session, whereOf } from './session.js';

/** What the room decided. */
export type AfterInterruption =
  /** The step is done from its beginning. */
  | { readonly do: 'again' }
  /** The ceremony is over. */
  | { readonly do: 'abort'; readonly reason: string };

const CHOICES = [
  { value: 'again', label: 'Go on with this step' },
  { value: 'deviation', label: 'Record that something did not go to script' },
  { value: 'objection', label: 'Put in writing that somebody disagrees' },
  { value: 'postpone', label: 'Stop here, and go on another time' },
  { value: 'abort', label: 'End the ceremony for good' },
  { value: 'leave', label: 'Leave the program at once; --resume goes on here' },
] as const;

/**
 * Asks what an interruption was for, until the room goes on or stops.
 * @param stopped - `message`: what stopped the step
 * @throws {@link InterruptedError} when it was to leave, {@link TryAgainError} `E_POSTPONED` when it was to stop for now
 */
export async function askWhatNow(
  session: Session,
  instance: Instance,
  stopped: Pick<InterruptedError, 'message'>,
): Promise<AfterInterruption> {
  const { terminal, recorder } = session;
  const key = instanceKey(instance);
  const at = { key };
  const by = recorder.administrator;
  for (;;) {
    const { value } = await terminal.choose(
      `This step stopped: ${stopped.message}. What now?`,
      CHOICES,
      at,
    );
    switch (value) {
      case 'again':
        return { do: 'again' };
      case 'deviation':
        await deviation(session, instance);
        break;
      case 'objection':
        await objection(session, instance);
        break;
      case 'postpone': {
        const reason = await terminal.text(`${by}: why is it postponed?`, at, needed);
        recorder.write('session.postponed', { by, reason: reason.value, graded: graded(reason) });
        throw new TryAgainError({
          code: 'E_POSTPONED',
          message: `the ceremony is postponed at ${key}`,
          hint: 'go on with --resume, on this or another machine; what was done stays done',
        });
      }
      case 'abort': {
        const reason = await terminal.text(`${by}: why does the ceremony end?`, at, needed);
        const sure = await terminal.confirm(
          `${by}: it ends for good, and cannot be resumed. Is that meant?`,
          at,
        );
        if (sure.value) return { do: 'abort', reason: reason.value };
        break;
      }
      default:
        throw new InterruptedError({
          code: 'E_INTERRUPTED',
          message: `left at ${key}`,
        });
    }
  }
}

async function deviation(session: Session, instance: Instance): Promise<void> {
  const at = { key: instanceKey(instance) };
  const happened = await session.terminal.text('What happened?', at, needed);
  await recordDeviation(session, {
    key: at.key,
    where: whereOf(instance),
    about: 'other',
    expected: instance.step.title,
    happened: happened.value,
  });
}

/** Nobody is asked whether somebody may disagree, and nobody else's word is needed for it. */
async function objection({ terminal, recorder }: Session, instance: Instance): Promise<void> {
  const at = { key: instanceKey(instance) };
  const { participants } = recorder.state;
  const who = await terminal.choose(
    'Who disagrees?',
    participants.map(({ name, role }, i) => ({ value: String(i), label: `${name} (${role})` })),
    at,
  );
  const person = participants[Number(who.value)];
  if (person === undefined) return;
  const { name, role } = person;
  const reason = await terminal.text(`${name}: with what do you disagree, and why?`, at, needed);
  const initials = await askInitials(terminal, [person], 'is that what you mean to say', at.key);
  if (initials.length === 0) return;
  recorder.write('objection', {
    person: name,
    role,
    ...whereOf(instance),
    reason: reason.value,
    graded: graded(reason),
  });
  terminal.say('It is recorded, and the first line of every verdict will say so.');
}

function needed(text: string): string | undefined {
  return text.trim() === '' ? 'A few words are needed.' : undefined;
}
