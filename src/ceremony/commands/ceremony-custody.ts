/** `ceremony custody`: who holds what, over all ceremonies. */
import type { Ledger } from '#script/custody-ledger';
import { defineCommand } from '../command.js';
import { boundsOf, readSession, sessionsIn } from '../past-session.js';

/** The ledger of some sessions. */
export interface CustodyResult extends Ledger {
  /** Whether each session continues one that is here, but for the first. */
  readonly ok: boolean;
  readonly sessions: number;
}

export const ceremonyCustody = defineCommand({
  id: 'ceremony.custody',
  summary: 'tell who holds what after all ceremonies, and whether one is missing',
  description:
    'Reads the sessions of ceremony directories, session folders or transcripts in the order of time: what was sealed into which ' +
    'bag, handed over, confirmed and answered by whom, and what a session found to be owed. Each session must continue an earlier one by its head. What a transcript is ' +
    'worth says conclave verify. Rehearsals are left out.',
  inputs: {
    sessions: {
      type: 'path',
      summary: 'ceremony directories, session folders or transcripts',
      required: true,
      repeat: true,
      positional: 0,
      placeholder: 'SESSION',
    },
  },
  outputs: {},
  effect: 'none',
  only: 'cli',
  exits: [1],
  examples: [
    {
      command: 'conclave ceremony custody acme acme-drill',
      explains: 'the ledger over two ceremony directories',
    },
  ],
  run: async ({ sessions }, { host }): Promise<CustodyResult> => {
    const { custodyLedger } = await import('#script/custody-ledger');
    const real = [];
    for (const file of sessions.flatMap((path) => sessionsIn(host.files, path))) {
      const session = await readSession(host.files, file);
      const { opened, closed } = boundsOf(session.entries);
      if (opened?.mode === 'run' && closed !== undefined) real.push({ file, ...session });
    }
    const ledger = custodyLedger(real);
    return { ok: ledger.problems.length === 0, sessions: real.length, ...ledger };
  },
  present: ({ lines, held, problems, sessions }) =>
    [
      ...lines.map(
        ({ time, ceremony, person, event, what }) =>
          `${time}  ${ceremony}  ${person}  ${event}  ${what}`,
      ),
      '',
      ...held.map(
        ({ kind, serial, person, since, ceremony }) =>
          `${person} holds the ${kind} ${serial} since ${since.slice(0, 10)} (${ceremony})`,
      ),
      ...problems.map((problem) => `NOT IN ORDER: ${problem}`),
      `${sessions} ${sessions === 1 ? 'session' : 'sessions'}`,
    ].join('\n'),
});
