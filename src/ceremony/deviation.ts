/** What did not go to script: recorded with a reason by whoever drives, and initialled by the witnesses. */
import type { EntryData, Participant } from '#script/entries';
import { isWitnessRole } from '#script/people';
import type { Terminal } from '#terminal/terminal';
import { graded } from './people.js';
import type { Session } from './session.js';

/** A deviation before people have said why. */
export interface Deviating {
  /** Key of its questions: `act/step` or `act/step/person`. */
  readonly key: string;
  readonly where?: { readonly act: string; readonly step: string; readonly for?: string };
  readonly about: string;
  readonly expected: string;
  readonly happened: string;
}

/** Asks for the reason and the initials, and journals the deviation. */
export async function recordDeviation(session: Session, deviating: Deviating): Promise<void> {
  const { terminal, recorder } = session;
  const { where, about, expected, happened } = deviating;
  terminal.heading(
    'Deviation from the script',
    `Expected: ${expected}\nHappened: ${happened}\nIt is recorded with a reason, and the witnesses initial it.`,
  );
  const given = await askReason(session, deviating.key);
  const data: EntryData['deviation'] = {
    ...where,
    about,
    expected: expected.slice(0, 4096),
    happened: happened.slice(0, 4096),
    ...given,
  };
  recorder.write('deviation', data);
}

/** Who decided to go on, why, and who initialled it. */
export async function askReason(
  { terminal, recorder }: Session,
  key: string,
): Promise<Pick<EntryData['deviation'], 'reason' | 'by' | 'initials' | 'graded'>> {
  const by = recorder.administrator;
  const reason = await terminal.text(`${by}: why does the ceremony go on?`, { key }, (text) =>
    text.trim() === '' ? 'A reason is needed.' : undefined,
  );
  const witnesses = recorder.state.participants.filter(({ role }) => isWitnessRole(role));
  const initials = await askInitials(terminal, witnesses, 'do you initial this deviation', key);
  return { reason: reason.value, by, initials, graded: graded(reason) };
}

/** Who of some people puts initials to what was just written down, each asked alone. */
export async function askInitials(
  terminal: Terminal,
  people: readonly Pick<Participant, 'name'>[],
  question: string,
  key: string,
): Promise<string[]> {
  const initials: string[] = [];
  // A file's word would be no initials: where nobody is present, there are none.
  if (!terminal.interactive) return initials;
  for (const { name } of people) {
    const answer = await terminal.confirm(`${name}: ${question}?`, {
      key: `${key}/${name}`,
    });
    if (answer.value) initials.push(name);
  }
  return initials;
}
