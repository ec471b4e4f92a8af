/** `key.wipe`: the end of a ceremony's secret in memory. */
import { addHistory, changeState } from '#custody/authority/states';
import type { KeyRecord } from '#custody/authority/record';
import { formatTime } from '#formats/time';
import { defineAction } from './action.js';
import { assertImported } from './handover/after-import.js';

/** What was wiped. */
export interface Wiped {
  /** Id of the key. */
  readonly key: string;
  readonly algorithm: string;
  /** State of its record from now on. */
  readonly state: string;
}

export const keyWipe = defineAction({
  id: 'key.wipe',
  summary: "wipe a ceremony's key from memory",
  description:
    'Overwrites the only unsealed copy of a key that this ceremony made. A key that was shared lives on in its shares and stays ' +
    'active; one that was not is destroyed. After a power cut there is nothing left to wipe, and the transcript says so.',
  inputs: {
    key: {
      type: 'key',
      summary: 'the key of this ceremony to wipe',
      required: true,
      only: 'ceremony',
      placeholder: 'KEY',
    },
    afterImport: {
      type: 'file',
      summary: 'only if this receipt of handover verify shows that the key works elsewhere',
      only: 'ceremony',
    },
  },
  outputs: {
    key: { type: 'string', summary: 'id of the wiped key' },
    state: { type: 'string', summary: "state of the key's record from now on" },
  },
  effect: 'irreversible',
  secrecy: 'destroys',
  only: 'ceremony',
  examples: [],
  run: async ({ key, afterImport }, context): Promise<Wiped> => {
    if (afterImport !== undefined) {
      const { record: before } = await context.keys.find(key);
      await assertImported(afterImport, before, [], context);
    }
    const time = formatTime(context.now());
    const { record } = await context.keys.destroy(key, (before) => ended(before, time));
    return { key: record.id, algorithm: record.algorithm, state: record.state };
  },
});

/** Without shares the copy in memory was the key itself. A step that is done again finds its own work, and leaves it. */
function ended(record: KeyRecord, time: string): KeyRecord {
  if (record.state === 'destroyed' || record.history.at(-1)?.event === 'wiped') return record;
  const reason = 'wiped from the memory of the ceremony';
  return record.shares === null
    ? changeState(record, 'destroyed', { time, reason })
    : addHistory(record, 'wiped', { time, reason });
}
