/** The ways in which a transcript can be tampered with, each with the forgeries that try it; some that forgeries.ts has no room for. */
import {
  edit,
  find,
  type Forgery,
  forgeries,
  predicateEntries,
  resigned,
  restated,
  sessions,
} from './forgeries.js';
import { keyEvent, SHARE_SET } from './session.js';

const more: readonly Forgery[] = [
  [
    'the beginning cut off',
    /entry 0/,
    restated((statement) => {
      predicateEntries(statement).splice(0, 2);
    }),
  ],
  [
    'the time of one entry changed',
    /entry 12 was changed/,
    restated((statement) => {
      const entry = predicateEntries(statement)[12] as { time: string };
      entry.time = entry.time.replace('09:00', '09:01');
    }),
  ],
  [
    'all entries a day later, under the old signatures',
    /first subject is not the hash|was changed/,
    restated((statement) => {
      for (const entry of predicateEntries(statement) as { time: string }[])
        entry.time = entry.time.replace('-23T', '-24T');
    }),
  ],
  [
    'another key in the place of the one that was shared',
    /is not the key abab/,
    resigned((copy) => {
      const where = { act: 'generate', step: 'generate' };
      const other = keyEvent(where, 'key.added', 'production', null, 'ba'.repeat(32));
      edit(copy, find(copy, 'event', 'generate'), other);
    }),
  ],
  [
    'the wipe of another key',
    /no step of this session made that key/,
    resigned((copy) => {
      edit(copy, find(copy, 'wipe'), { key: 'ba'.repeat(32) });
    }),
  ],
  [
    'what a rehearsal did in the place of what was done',
    /its record says rehearsal/,
    resigned((copy) => {
      const from = sessions.rehearsed.drafts;
      for (const step of ['generate', 'split'])
        copy[find(copy, 'event', step)] = structuredClone(from[find(from, 'event', step)] as never);
    }),
  ],
  [
    'a fault of a rehearsal in a session in earnest',
    /only a rehearsal is disturbed/,
    resigned((copy) => {
      const data = { fault: 'full-disk', act: 'use', step: 'sign' };
      copy.splice(find(copy, 'step.started', 'sign') + 1, 0, { type: 'fault.injected', data });
    }),
  ],
  [
    'a key that came back from shares without having been lost',
    /nothing was lost that could be restored/,
    resigned((copy) => {
      const data = {
        setId: SHARE_SET.setId,
        shares: [1, 2, 3],
        key: 'ab'.repeat(32),
        reference: 'ceremony:generate',
      };
      copy.splice(find(copy, 'step.started', 'sign') + 1, 0, { type: 'restore', data });
    }),
  ],
];

/** All forgeries of the session of root-key. */
export const tamperings: readonly Forgery[] = [...forgeries, ...more];

/** By what is done to a transcript: names of those that do it and can be told by one entry. */
export const KINDS: Readonly<Record<string, readonly string[]>> = {
  'an entry is edited': [
    'an entry edited and not linked anew',
    'somebody else acting',
    'a witness who was not heard',
    'another fingerprint read back',
    'a wrong count of attempts',
    'a sign-off in the name of another',
  ],
  'entries are reordered': ['two entries exchanged', 'two steps in another order'],
  'it is cut short': ['the end cut off, with a head that fits', 'the beginning cut off'],
  'something is left out': [
    'an entry taken out',
    'a step left out',
    'a holder left out',
    'an act not entered',
    'a sign-off left out',
  ],
  'something is put in': [
    'a step done twice',
    'a step that the definition does not know',
    'a step skipped that had no condition',
    'something after the end',
    'a key that came back from shares without having been lost',
  ],
  'two runs are spliced': [
    'entries of two sessions spliced',
    'the end of another run of the same ceremony by the same people',
  ],
  'the definition is swapped': [
    'the definition exchanged',
    'a definition of another ceremony with its digest',
    'parameters changed after they were read back',
  ],
  'a key is swapped': [
    'another key in the place of the one that was shared',
    'the wipe of another key',
  ],
  'a rehearsal is replayed': ['a fault of a rehearsal in a session in earnest'],
  'the clock is shifted': ['the clock set back without a word', 'the time of one entry changed'],
};
