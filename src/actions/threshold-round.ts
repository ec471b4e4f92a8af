/** `threshold.round`: in a ceremony a party says what is its to say in one round, having heard all rounds before. */
import { dirname } from 'node:path';
import { InternalError } from '#formats/errors';
import { ROUNDS, slotsOf } from '#protocols/threshold/expected';
import { defineAction } from './action.js';
import { takeArriving } from './threshold/arriving.js';
import { readStartFile } from './threshold/heard.js';
import { openSeat, ownParty, sitsHere } from './threshold/seat.js';
import { advance, filesOf } from './threshold/session.js';

/** What was said. */
export interface RoundResult {
  readonly party: number;
  readonly messages: readonly string[];
}

export const thresholdRound = defineAction({
  id: 'threshold.round',
  summary: 'say what a party has to say in a round',
  description:
    'A party that sits at this machine hears all that was said in the rounds before, and says its part; saying it again after an ' +
    'interruption gives the same bytes. What a party at another machine says is taken from the folder or the camera, and its ' +
    'signature is checked. Whoever said something wrong before is named, and the ceremony ends.',
  inputs: {
    start: { type: 'file', summary: 'the start message', required: true },
    round: { type: 'integer', summary: 'which round', min: 1, max: ROUNDS.change, required: true },
    inbox: {
      type: 'path',
      summary: 'folder through which files of others come in',
      required: true,
    },
  },
  outputs: {
    party: { type: 'integer', summary: 'number of the party' },
    messages: { type: 'file', summary: 'what it said', repeat: true },
  },
  effect: 'repeatable',
  only: 'ceremony',
  examples: [],
  run: async ({ start: path, round, inbox }, context): Promise<RoundResult> => {
    const start = await readStartFile(path, context);
    const party = await ownParty(start, context);
    const folder = dirname(path);
    const { number } = party;
    if (!sitsHere(start, party, context)) {
      const messages = await takeArriving({ start, party, round, inbox, folder }, context);
      return { party: number, messages };
    }
    using session = await openSeat(start, { party, folder, before: round }, context);
    const { progress } = await advance(session, context);
    if (progress.done && progress.outcome.kind === 'group')
      progress.outcome.outcome.opening?.dispose();
    const said = progress.said.filter((each) => each.round === round);
    if (said.length !== slotsOf(start, round, number).length) {
      throw new InternalError({
        code: 'E_SEAT_ROUND',
        message: `party ${number} says ${said.length} messages in round ${round}, and not what it owes`,
      });
    }
    const written = filesOf(said, session, folder);
    for (const { path: name, bytes } of written) context.files.write(name, bytes);
    return { party: number, messages: written.map(({ path: name }) => name) };
  },
  present: ({ party, messages }) =>
    messages.length === 0
      ? `party ${party} has nothing to say in this round`
      : `party ${party} said ${messages.length} messages`,
});
