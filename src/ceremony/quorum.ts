/** People who must agree before something happens: `needs:` of a step. */
import { TryAgainError } from '#formats/errors';
import type { Said } from '#script/entries';
import { type Instance, holders } from '#script/plan';
import { graded } from './people.js';
import type { Session } from './session.js';

/**
 * Asks the holders of a quorum's role, until as many agree as are needed.
 * @returns what they said; nothing when the step needs nobody
 * @throws {@link TryAgainError} `E_QUORUM_INCOMPLETE` when too few agree: nothing has happened, and it can be asked again
 */
export async function agreeByQuorum(
  session: Session,
  instance: Instance,
): Promise<readonly Said[]> {
  const { definition, recorder, terminal } = session;
  const { needs, title } = instance.step;
  const quorum = needs === undefined ? undefined : definition.quorums[needs];
  if (quorum === undefined) return [];
  if (askedBefore(session, instance)) {
    terminal.say(
      `The quorum ${String(needs)} is asked for this step alone: what it agreed to before does not count here.`,
    );
  }
  const said: Said[] = [];
  let agreed = 0;
  for (const { name } of holders(recorder.state.participants, quorum.of)) {
    if (agreed >= quorum.threshold) break;
    const answer = await terminal.confirm(`${name}: do you agree to this step: ${title}?`, {
      key: `${instance.act.id}/${instance.step.id}/${name}`,
    });
    said.push({ name, said: answer.value ? 'agreed' : 'did not agree', graded: graded(answer) });
    if (answer.value) agreed++;
  }
  if (agreed < quorum.threshold) {
    throw new TryAgainError({
      code: 'E_QUORUM_INCOMPLETE',
      message: `${agreed} of the ${quorum.threshold} who must agree did so: ${title}`,
      hint: 'gather the quorum and go on with --resume',
    });
  }
  return said;
}

/** Whether a step before this one needs the same quorum: people must hear that they are asked for another thing. */
function askedBefore({ definition }: Session, { step }: Instance): boolean {
  const needing = definition.acts
    .flatMap(({ steps }) => steps)
    .filter(({ needs }) => needs === step.needs);
  return needing.findIndex(({ id }) => id === step.id) > 0;
}
