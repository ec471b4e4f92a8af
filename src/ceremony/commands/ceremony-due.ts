/** `ceremony due`: what is to be done after ceremonies, and what is overdue. */
import { join } from 'node:path';
import {
  type ChainHead,
  encodeChainLine,
  entryHash,
  nextEntry,
  parseChainLine,
  verifyChain,
} from '#custody/audit/chain';
import { InputError, NegativeError, UsageError } from '#formats/errors';
import { formatTime } from '#formats/time';
import type { HostFiles } from '#host/host';
import { dutiesOf } from '#script/duties';
import { defineCommand } from '../command.js';
import { boundsOf, readSession, sessionsIn } from '../past-session.js';
import { FILES } from '../session.js';

/** File of a ceremony directory that says which duties were done: one hash chain, appended to. */
const DONE = 'duties.jsonl';
/** Held from reading that file to adding to it: two lines that follow the same one would break the chain for good. */
const LOCK = 'duties.lock';
const MAX_BYTES = 16 * 1024 * 1024;

/** One duty of one session. */
export interface DutyState {
  /** By which `--done` names it. */
  readonly number: number;
  readonly ceremony: string;
  readonly session: string;
  readonly duty: string;
  readonly due: string;
  readonly state: 'done' | 'due' | 'overdue';
  /** When it was recorded as done, and what was said then. */
  readonly done: { readonly time: string; readonly note: string } | null;
  /** Whether the record that owes it is signed: the duty counts from the close, signed or not. */
  readonly signed: boolean;
}

/** Every duty of the sessions that were looked at. */
export interface Due {
  /** Whether nothing is overdue, and no record waits for its signatures. */
  readonly ok: boolean;
  readonly overdue: number;
  /** Folders of sessions that are closed, and have no transcript yet. */
  readonly unsigned: readonly string[];
  readonly duties: readonly DutyState[];
}

export const ceremonyDue = defineCommand({
  id: 'ceremony.due',
  summary: 'tell what is due after the sessions of a ceremony, and what is overdue',
  description:
    'Reads every real session of a ceremony directory that was completed and counts its duties from the day on which it closed; ' +
    'where the session came to a branch, those of the way that it went. ' +
    '--done records one as done, with a note; the record is a hash chain of its own beside the sessions. A session that is closed and ' +
    'was interrupted before it was signed owes the same, and is named. Exit 1 when something is overdue, or a record is not signed. ' +
    'Rehearsals owe nothing.',
  inputs: {
    ceremony: {
      type: 'path',
      summary: 'a ceremony directory',
      required: true,
      positional: 0,
      placeholder: 'DIR',
    },
    done: {
      type: 'integer',
      summary: 'number of a duty that was done',
      min: 1,
      placeholder: 'NUMBER',
    },
    note: { type: 'string', summary: 'who did it, and how', placeholder: 'TEXT' },
  },
  outputs: {},
  effect: 'repeatable',
  only: 'cli',
  exits: [1],
  examples: [
    {
      command: 'conclave ceremony due acme',
      explains: 'exit 1 when something is overdue or not signed',
    },
    {
      command: 'conclave ceremony due acme --done 2 --note "drill of 20 May, transcript 3f0a"',
      explains: 'put it on the record',
    },
  ],
  run: async ({ ceremony, done, note }, { host, now }): Promise<Due> => {
    const { files } = host;
    if (done !== undefined && (note ?? '').trim() === '') {
      throw new UsageError({
        code: 'E_DUTY_NOTE',
        message: `--done ${done}: nothing says who did it, and how`,
        hint: 'add --note TEXT',
      });
    }
    const time = formatTime(now());
    const unsigned = new Set<string>();
    const list = async ({ done: kept }: DutyRecord): Promise<readonly DutyState[]> => {
      const duties: DutyState[] = [];
      for (const folder of sessionsIn(files, ceremony)) {
        const { definition, entries } = await readSession(files, folder);
        const { opened, closed } = boundsOf(entries);
        if (opened?.mode !== 'run' || closed === undefined) continue;
        // What was named may be a transcript itself.
        const signed = !files.isDirectory(folder) || files.exists(join(folder, FILES.transcript));
        if (!signed) unsigned.add(folder);
        for (const { duty, due } of dutiesOf(definition, entries)) {
          const did = kept.find((it) => it.session === opened.session && it.duty === duty);
          const state = did !== undefined ? 'done' : due < time ? 'overdue' : 'due';
          duties.push({
            number: duties.length + 1,
            ceremony: definition.id,
            session: opened.session,
            duty,
            due,
            state,
            done: did === undefined ? null : { time: did.time, note: did.note },
            signed,
          });
        }
      }
      return duties;
    };
    const lock =
      done !== undefined && files.isDirectory(ceremony)
        ? files.lock(join(ceremony, LOCK))
        : undefined;
    let duties: readonly DutyState[];
    try {
      const record = readDone(files, join(ceremony, DONE));
      if (done !== undefined) {
        const chosen = (await list(record)).find(({ number }) => number === done);
        if (chosen === undefined || chosen.state === 'done') {
          throw new UsageError({
            code: 'E_DUTY_UNKNOWN',
            message: `--done ${done}: ${chosen === undefined ? 'there is no such duty' : 'it is done already'}`,
            hint: 'leave --done out to see them all',
          });
        }
        record.add({ session: chosen.session, duty: chosen.duty, note: note ?? '', time });
      }
      duties = await list(record);
    } finally {
      lock?.release();
    }
    const overdue = duties.filter(({ state }) => state === 'overdue').length;
    const ok = overdue === 0 && unsigned.size === 0;
    return { ok, overdue, unsigned: [...unsigned], duties };
  },
  present: ({ duties, overdue, unsigned }) =>
    [
      ...unsigned.map(
        (folder) =>
          `NOT SIGNED: ${folder} is closed, and nobody has signed its record: conclave run ${folder} --resume`,
      ),
      ...duties.map(
        ({ number, state, due, duty, session, done, signed }) =>
          `${String(number).padStart(3)}  ${(state === 'overdue' ? 'OVERDUE' : state).padEnd(7)}  ${due.slice(0, 10)}  ${duty}` +
          `\n     ${session}${signed ? '' : ', not signed'}` +
          (done === null ? '' : `; done ${done.time.slice(0, 10)}: ${done.note}`),
      ),
      duties.length === 0
        ? 'nothing is due: no real session that has duties was completed here'
        : `${overdue} overdue`,
    ].join('\n'),
});

interface DoneDuty {
  readonly session: string;
  readonly duty: string;
  readonly note: string;
  readonly time: string;
}

interface DutyRecord {
  readonly done: readonly DoneDuty[];
  add(duty: DoneDuty): void;
}

/** What was recorded as done, and how more of it is recorded. @throws NegativeError `E_DUTIES_BROKEN` */
function readDone(files: HostFiles, path: string): DutyRecord {
  const text = files.exists(path) ? Buffer.from(files.read(path, MAX_BYTES)).toString() : '';
  const entries = text
    .split('\n')
    .filter((line) => line !== '')
    .map((line, i) => parseChainLine(Buffer.from(line), `${path}: line ${i + 1}`));
  const verdict = verifyChain(entries);
  if (!verdict.ok) {
    throw new NegativeError({
      code: 'E_DUTIES_BROKEN',
      message: `${path} was altered: ${verdict.reason}`,
      hint: 'keep the file as evidence; bring it back from a copy',
    });
  }
  let head: ChainHead | undefined = verdict.head;
  const done = entries.map(({ type, time, data }, i): DoneDuty => {
    const { session, duty, note } = data;
    if (
      type !== 'duty.done' ||
      typeof session !== 'string' ||
      typeof duty !== 'string' ||
      typeof note !== 'string' ||
      Object.keys(data).length !== 3
    ) {
      throw new InputError({
        code: 'E_DUTIES_MALFORMED',
        message: `${path}: line ${i + 1} is not about a duty that was done`,
      });
    }
    return { session, duty, note, time };
  });
  return {
    done,
    add: ({ session, duty, note, time }) => {
      const entry = nextEntry(head, { time, type: 'duty.done', data: { session, duty, note } });
      files.append(path, encodeChainLine(entry));
      head = { seq: entry.seq, hash: entryHash(entry) };
      done.push({ session, duty, note, time });
    },
  };
}
