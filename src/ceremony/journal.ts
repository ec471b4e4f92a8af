/**
 * The journal of a session: its hash chain, one entry per line, appended and fsynced through the host. What was appended
 * stays; the only repair ever made is to drop a last line that the machine did not finish writing.
 */
import {
  type ChainEntry,
  type ChainHead,
  nextEntry,
  parseChainLine,
  sealEntry,
  verifyChain,
} from '#custody/audit/chain';
import type { JsonObject } from '#formats/canonical-json';
import { InputError, NegativeError } from '#formats/errors';
import type { HostFiles } from '#host/host';
import {
  type Entry,
  type EntryData,
  type EntryOf,
  type EntryType,
  parseEntry,
  parseEntryData,
} from '#script/entries';

/** A session of the largest kind has some megabytes; anything beyond this is not a journal. */
const MAX_BYTES = 256 * 1024 * 1024;

/** How messages name the file. */
const NAME = 'journal.jsonl';

/** A last line that was not written whole. */
export interface Torn {
  readonly bytes: number;
}

/** What stands in a journal when a session takes it up. */
export interface OpenedJournal {
  readonly journal: Journal;
  readonly entries: readonly Entry[];
  readonly torn: Torn | undefined;
}

/** The one writer of a session's chain. */
export class Journal {
  readonly #files: HostFiles;
  readonly #path: string;
  #head: ChainHead | undefined;
  /** Set once an append failed: what lies on the disk is then unknown, and only a new start may read it again. */
  #failed: Error | undefined;

  private constructor(files: HostFiles, path: string, head: ChainHead | undefined) {
    this.#files = files;
    this.#path = path;
    this.#head = head;
  }

  /**
   * Takes up a journal, or begins one where there is none. A torn last line is cut off on the disk.
   * @throws {@link NegativeError} `E_JOURNAL_BROKEN` when the chain does not hold; {@link InputError} when a line other than
   * the last is malformed
   */
  static open(files: HostFiles, path: string): OpenedJournal {
    if (!files.exists(path)) {
      return { journal: new Journal(files, path, undefined), entries: [], torn: undefined };
    }
    const { entries, head, whole, size } = readEntries(files, path);
    const torn = whole < size ? { bytes: size - whole } : undefined;
    if (torn !== undefined) files.truncate(path, whole);
    return { journal: new Journal(files, path, head), entries, torn };
  }

  /** The whole entries of a journal that is left as it is. @throws as {@link Journal.open} */
  static read(files: HostFiles, path: string): readonly Entry[] {
    return readEntries(files, path).entries;
  }

  /** The last entry by place and hash; undefined before the first. */
  get head(): ChainHead | undefined {
    return this.#head;
  }

  /**
   * Appends one entry; when this returns, it is on the disk.
   * @throws whatever the disk says, and the same again for every later call
   */
  append<T extends EntryType>(type: T, data: EntryData[T], time: string): EntryOf<T> {
    if (this.#failed !== undefined) throw this.#failed;
    const plain = data as unknown as JsonObject;
    const typed = parseEntryData(type, plain, NAME);
    const entry = nextEntry(this.#head, { time, type, data: plain });
    const { line, head } = sealEntry(entry);
    try {
      this.#files.append(this.#path, line);
    } catch (error) {
      this.#failed = error instanceof Error ? error : new Error('the append failed');
      throw error;
    }
    this.#head = head;
    return { ...entry, type, data: typed };
  }
}

function readEntries(
  files: HostFiles,
  path: string,
): {
  readonly entries: readonly Entry[];
  readonly head: ChainHead | undefined;
  readonly whole: number;
  readonly size: number;
} {
  const bytes = files.read(path, MAX_BYTES);
  const { lines, whole } = readLines(bytes);
  const verdict = verifyChain(lines);
  if (!verdict.ok) {
    throw new NegativeError({
      code: 'E_JOURNAL_BROKEN',
      message: `${path} was altered: ${verdict.reason}`,
      hint: 'this session cannot go on; keep the folder as evidence and begin a new session',
      details: { entry: verdict.seq },
    });
  }
  const entries = lines.map((line) => parseEntry(line, `${NAME}: entry ${line.seq}`));
  return { entries, head: verdict.head, whole, size: bytes.length };
}

/**
 * The whole entries, and how many bytes they take. A last line without its line feed is torn; so is a last line with one
 * that is no JSON at all, since a disk may write the end of a block before its middle.
 */
function readLines(bytes: Uint8Array): { lines: ChainEntry[]; whole: number } {
  const lines: ChainEntry[] = [];
  let start = 0;
  for (;;) {
    const end = bytes.indexOf(0x0a, start);
    if (end < 0) return { lines, whole: start };
    try {
      lines.push(parseChainLine(bytes.subarray(start, end), `${NAME}: line ${lines.length + 1}`));
    } catch (error) {
      const last = end === bytes.length - 1;
      if (last && error instanceof InputError && UNFINISHED.has(error.code)) {
        return { lines, whole: start };
      }
      throw error;
    }
    start = end + 1;
  }
}

const UNFINISHED: ReadonlySet<string> = new Set(['E_JSON_MALFORMED', 'E_UTF8_MALFORMED']);
