/** The session's memory: every entry goes through here to the journal first and into the state second. */
import type { ChainHead } from '#custody/audit/chain';
import { formatTime } from '#formats/time';
import type { Entry, EntryData, EntryType } from '#script/entries';
import { ADMINISTRATOR } from '#script/people';
import type { Journal } from './journal.js';
import { reduce, replay, type SessionState } from './state.js';

/** Journal and state, always in step. */
export class Recorder {
  readonly #journal: Journal;
  readonly #now: () => Date;
  readonly #entries: Entry[];
  #state: SessionState;

  constructor(journal: Journal, entries: readonly Entry[], now: () => Date) {
    this.#journal = journal;
    this.#now = now;
    this.#entries = [...entries];
    this.#state = replay(entries);
  }

  get state(): SessionState {
    return this.#state;
  }

  get entries(): readonly Entry[] {
    return this.#entries;
  }

  get head(): ChainHead | undefined {
    return this.#journal.head;
  }

  /** Journals one entry; it is durable when this returns. A clock that went back is recorded before it. */
  write<T extends EntryType>(type: T, data: EntryData[T]): void {
    this.#append(type, data, this.#tick());
  }

  /** Journals that the program was gone since the last entry; `lost` are the references that went with it. */
  resume(lost: readonly string[], tool: EntryData['session.resumed']['tool']): void {
    const now = this.#tick();
    this.#append('session.resumed', { lastTime: this.#state.lastTime ?? now, lost, tool }, now);
  }

  /** The time of the next entry. When it lies before that of the last one, that is recorded first. */
  #tick(): string {
    const now = formatTime(this.#now());
    const { lastTime } = this.#state;
    if (lastTime === undefined || lastTime === now) return now;
    if (Date.parse(now) < Date.parse(lastTime)) {
      this.#append('deviation', clockWentBack(this.administrator, lastTime, now), now);
    }
    return now;
  }

  /** Who drives the session. */
  get administrator(): string {
    const { participants } = this.#state;
    return (
      participants.find(({ role }) => role === ADMINISTRATOR)?.name ??
      participants[0]?.name ??
      ADMINISTRATOR
    );
  }

  #append<T extends EntryType>(type: T, data: EntryData[T], time: string): void {
    const entry = this.#journal.append(type, data, time) as unknown as Entry;
    this.#state = reduce(this.#state, entry);
    this.#entries.push(entry);
  }
}

function clockWentBack(by: string, before: string, now: string): EntryData['deviation'] {
  return {
    about: 'clock',
    expected: `a time not before ${before}`,
    happened: `the clock of the machine says ${now}`,
    reason:
      'the clock was set back, or this is another machine; the order of entries is that of the chain',
    by,
    initials: [],
    graded: 'recorded',
  };
}
