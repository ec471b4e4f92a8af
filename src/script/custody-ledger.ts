/**
 * Who holds what, over all ceremonies: every serial that was sealed, everything that was handed over, read from transcripts that
 * name each other by their heads. It tells what was recorded; what a transcript is worth, `verify` says.
 */
import { entryHash } from '#custody/audit/chain';
import type { Definition } from './definition.js';
import { dutiesOf } from './duties.js';
import type { Entry } from './entries.js';
import { ADMINISTRATOR } from './people.js';

/** One session, as its transcript has it. */
export interface LedgerSession {
  /** Where it was read, as typed. */
  readonly file: string;
  readonly definition: Definition;
  readonly entries: readonly Entry[];
}

/** One line of the ledger. */
export interface LedgerLine {
  readonly time: string;
  readonly ceremony: string;
  readonly session: string;
  readonly entry: number;
  readonly person: string;
  readonly role: string;
  readonly event: 'sealed' | 'received' | 'confirmed' | 'answered' | 'owed';
  /** Serial, artifact, what was said, or what is owed. */
  readonly what: string;
  /** Step, by its title; of what is owed, the branch that led to it, by what it decides. */
  readonly step: string;
}

/** A bag or other thing that somebody is recorded to hold now. */
export interface Held {
  readonly person: string;
  readonly role: string;
  readonly kind: string;
  readonly serial: string;
  readonly since: string;
  readonly ceremony: string;
}

/** The ledger. */
export interface Ledger {
  readonly lines: readonly LedgerLine[];
  readonly held: readonly Held[];
  /** What is wrong with the order of ceremonies, one clause each. */
  readonly problems: readonly string[];
}

/** Puts sessions in the order of their predecessors and reads what each says of custody. */
export function custodyLedger(sessions: readonly LedgerSession[]): Ledger {
  const ordered = [...sessions].sort((a, b) => openedAt(a).localeCompare(openedAt(b)));
  const lines = ordered.flatMap((session) => [...linesOf(session), ...owedBy(session)]);
  const held = new Map<string, Held>();
  for (const session of ordered)
    for (const it of sealedIn(session)) held.set(`${it.kind}/${it.role}/${it.person}`, it);
  return { lines, held: [...held.values()], problems: orderProblems(ordered) };
}

function openedAt({ entries }: LedgerSession): string {
  return entries[0]?.time ?? '';
}

function orderProblems(ordered: readonly LedgerSession[]): readonly string[] {
  const heads = new Map<string, LedgerSession>();
  const problems: string[] = [];
  ordered.forEach((session, i) => {
    const [first] = session.entries;
    const previous = first?.type === 'session.opened' ? first.data.previous : null;
    if (previous === null) {
      if (i > 0) problems.push(`${session.file} names no ceremony before it`);
    } else if (!heads.has(previous.head)) {
      problems.push(
        `${session.file} continues ${previous.ceremony} with the head ${previous.head.slice(0, 16)}, which is not here`,
      );
    }
    const last = session.entries.at(-1);
    if (last !== undefined) {
      const head = entryHash(last);
      if (heads.has(head)) problems.push(`${session.file} is here twice`);
      heads.set(head, session);
    }
  });
  return problems;
}

function titled({ definition }: LedgerSession, act: string, step: string) {
  return definition.acts.find(({ id }) => id === act)?.steps.find(({ id }) => id === step);
}

const EVENTS: Readonly<Record<string, LedgerLine['event']>> = {
  seal: 'sealed',
  handover: 'received',
  confirm: 'confirmed',
  ask: 'answered',
};

/** What each holder of a role with `each:` sealed, received, confirmed or answered; of the others nothing is custody. */
function linesOf(session: LedgerSession): readonly LedgerLine[] {
  const { definition, entries } = session;
  const [first] = entries;
  if (first?.type !== 'session.opened') return [];
  return entries.flatMap((entry): readonly LedgerLine[] => {
    if (entry.type !== 'step.finished' || entry.data.for === undefined) return [];
    const { act, step: id, for: person, outputs, people } = entry.data;
    const step = titled(session, act, id);
    const event = step?.kind === 'human' ? EVENTS[step.human] : undefined;
    if (step === undefined || event === undefined) return [];
    const { serial } = outputs;
    const said = people.find(({ name }) => name === person)?.said ?? '';
    return [
      {
        time: entry.time,
        ceremony: definition.id,
        session: first.data.session,
        entry: entry.seq,
        person,
        role: step.each ?? step.by,
        event,
        what: typeof serial === 'string' ? serial : said,
        step: step.title,
      },
    ];
  });
}

/** What a session found to be owed: the duties of the way that it went at a branch. The administrator answers for them. */
function owedBy({ definition, entries }: LedgerSession): readonly LedgerLine[] {
  const [first] = entries;
  const last = entries.at(-1);
  if (first?.type !== 'session.opened' || last === undefined) return [];
  const { session, participants } = first.data;
  const person = participants.find(({ role }) => role === ADMINISTRATOR)?.name ?? ADMINISTRATOR;
  return dutiesOf(definition, entries).flatMap(({ duty, due, side }): LedgerLine[] =>
    side === null
      ? []
      : [
          {
            time: last.time,
            ceremony: definition.id,
            session,
            entry: last.seq,
            person,
            role: ADMINISTRATOR,
            event: 'owed',
            what: `${duty} (by ${due.slice(0, 10)})`,
            step: definition.branches[side.branch]?.summary ?? side.branch,
          },
        ],
  );
}

function sealedIn(session: LedgerSession): readonly Held[] {
  return linesOf(session).flatMap((line) => {
    if (line.event !== 'sealed') return [];
    const entry = session.entries[line.entry];
    if (entry?.type !== 'step.finished') return [];
    const step = titled(session, entry.data.act, entry.data.step);
    const name =
      step?.kind === 'human' && typeof step.value === 'string'
        ? /materials\.([a-z0-9-]+)/.exec(step.value)?.[1]
        : undefined;
    const kind = name === undefined ? 'thing' : (session.definition.materials[name]?.kind ?? name);
    const { person, role, time, ceremony, what } = line;
    return [{ person, role, kind, serial: what, since: time, ceremony }];
  });
}
