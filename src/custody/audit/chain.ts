/**
 * The one hash chain of the house. A session's journal, a home's audit log and a key's history are projections of it: every
 * entry names the hash of its predecessor, so that an edit, a removal or another order shows and can be pointed at.
 * @see docs/spec/audit-chain.md
 */
import { sha256OfText } from '#crypto/hash';
import { utf8 } from '#formats/bytes';
import {
  canonicalJson,
  type Json,
  type JsonObject,
  parseCanonicalJson,
} from '#formats/canonical-json';
import { InputError } from '#formats/errors';
import type { Infer, Schema } from '#formats/schema';
import * as s from '#formats/schema';

/** `prev` of the first entry: 64 zeros. */
export const GENESIS = '0'.repeat(64);

/** Longest accepted line, in bytes. An entry that names every participant's keys stays far below. */
export const MAX_ENTRY_BYTES = 4 * 1024 * 1024;

const DOMAIN = 'conclave-chain-v1\0';

const dataSchema: Schema<JsonObject> = {
  parse: (value, at) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw s.mismatch(at, 'an object');
    return value as JsonObject;
  },
};

/** Strict reader of one entry. */
export const chainEntrySchema = s.object({
  /** Place in the chain, from 0. */
  seq: s.integer({ min: 0 }),
  time: s.time(),
  /** E.g. `step.finished`. */
  type: s.string({ pattern: /^[a-z][a-z0-9-]*(?:\.[a-z][a-z0-9-]*)*$/, max: 64 }),
  /** Public data only. */
  data: dataSchema,
  /** Hash of the entry before, or {@link GENESIS}. */
  prev: s.hex(32),
});

/** One entry of the chain. */
export type ChainEntry = Infer<typeof chainEntrySchema>;

/** The last entry of a chain, by place and hash: whoever knows it can tell whether the chain was cut short. */
export interface ChainHead {
  readonly seq: number;
  readonly hash: string;
}

/** What the caller knows of the chain from elsewhere. */
export interface ChainExpectation {
  /** A head seen earlier: in a transcript's subject, on paper, in another log. */
  readonly head: ChainHead;
  /** Whether entries after that head are fine: a log that went on, as opposed to a closed transcript. */
  readonly mayHaveGrown?: boolean;
}

/** The answer of {@link verifyChain}; `head` is undefined for an empty chain. */
export type ChainVerdict =
  | { readonly ok: true; readonly head: ChainHead | undefined }
  | {
      readonly ok: false;
      /** The entry that is not what it was, or the place where one is missing. */
      readonly seq: number;
      /** One clause, for people. */
      readonly reason: string;
    };

/** A journal read from bytes. */
export interface ParsedChain {
  readonly entries: readonly ChainEntry[];
  /** Bytes after the last line feed: a write that the machine did not finish. 0 when there is none. */
  readonly torn: number;
}

/** Lower-case hex SHA-256 over `conclave-chain-v1`, a zero byte and the canonical JSON of the entry. */
export function entryHash(entry: ChainEntry): string {
  return hashOf(canonicalJson(entryJson(entry)));
}

/** @param canonical - the canonical JSON of an entry, which has no lone surrogates */
function hashOf(canonical: string): string {
  return sha256OfText(DOMAIN + canonical);
}

/** The head that a chain has once `entry` is its last. */
export function headOf(entry: ChainEntry): ChainHead {
  return { seq: entry.seq, hash: entryHash(entry) };
}

/**
 * The entry that follows `head`; without a head the first one.
 * @throws {@link InputError} `E_SCHEMA_MISMATCH` when type or time are not of the chain's form
 */
export function nextEntry(
  head: ChainHead | undefined,
  content: { readonly time: string; readonly type: string; readonly data: JsonObject },
): ChainEntry {
  const entry = {
    seq: head === undefined ? 0 : head.seq + 1,
    time: content.time,
    type: content.type,
    data: content.data,
    prev: head === undefined ? GENESIS : head.hash,
  };
  return chainEntrySchema.parse(entry, 'chain entry');
}

/** One line of a journal: canonical JSON and a line feed. */
export function encodeChainLine(entry: ChainEntry): Uint8Array {
  return utf8(`${canonicalJson(entryJson(entry))}\n`);
}

/** {@link encodeChainLine} and {@link headOf}, spelling the entry once for both. */
export function sealEntry(entry: ChainEntry): {
  readonly line: Uint8Array;
  readonly head: ChainHead;
} {
  const canonical = canonicalJson(entryJson(entry));
  return { line: utf8(`${canonical}\n`), head: { seq: entry.seq, hash: hashOf(canonical) } };
}

/**
 * One entry, from a line with or without its line feed. Its place and predecessor are {@link verifyChain}'s business.
 * @throws {@link InputError} `E_JSON_MALFORMED`, `E_JSON_NOT_CANONICAL`, `E_JSON_TOO_LARGE`, `E_SCHEMA_MISMATCH`
 */
export function parseChainLine(bytes: Uint8Array, what = 'chain entry'): ChainEntry {
  const value = parseCanonicalJson(bytes, what, { maxBytes: MAX_ENTRY_BYTES });
  return chainEntrySchema.parse(value, what);
}

/**
 * All entries of a journal file, one per line. What follows the last line feed is counted, never parsed: only a writer that
 * died in the middle leaves it, and whoever owns the journal decides what that means.
 * @throws {@link InputError} as {@link parseChainLine}, naming the line; `E_CHAIN_EMPTY_LINE`
 */
export function parseChain(bytes: Uint8Array, what: string): ParsedChain {
  const entries: ChainEntry[] = [];
  let start = 0;
  for (;;) {
    const end = bytes.indexOf(0x0a, start);
    if (end < 0) break;
    const at = `${what}: line ${entries.length + 1}`;
    if (end === start) {
      throw new InputError({ code: 'E_CHAIN_EMPTY_LINE', message: `${at} is empty` });
    }
    entries.push(parseChainLine(bytes.subarray(start, end), at));
    start = end + 1;
  }
  return { entries, torn: bytes.length - start };
}

/**
 * Whether every entry stands in its place and names its predecessor, and, when the caller knows a head from elsewhere,
 * whether the chain still leads to it. Without such a head, entries cut off at the end and a change of the last entry
 * cannot show: nothing follows that would contradict them.
 */
export function verifyChain(
  entries: readonly ChainEntry[],
  expected?: ChainExpectation,
): ChainVerdict {
  const hashes = entries.map(entryHash);
  for (const [i, entry] of entries.entries()) {
    if (entry.seq !== i) return misplaced(entries, i);
    const prev = i === 0 ? GENESIS : hashes[i - 1];
    if (entry.prev !== prev) return brokenLink(entries, hashes, i, expected);
  }
  if (expected !== undefined) {
    const { head } = expected;
    if (head.seq >= entries.length) {
      const missing = head.seq + 1 - entries.length;
      return no(
        entries.length,
        `the chain was cut: ${missing} ${missing === 1 ? 'entry is' : 'entries are'} missing at the end`,
      );
    }
    if (hashes[head.seq] !== head.hash) {
      return no(head.seq, `entry ${head.seq} was changed: it is not the head that was expected`);
    }
    if (expected.mayHaveGrown !== true && head.seq !== entries.length - 1) {
      return no(head.seq + 1, `entry ${head.seq + 1} was added after the head that was expected`);
    }
  }
  const last = entries.at(-1);
  return {
    ok: true,
    head: last && { seq: last.seq, hash: hashes[last.seq] as string },
  };
}

/** The chain as plain data, for a transcript's `predicate.entries`. */
export function entryJson(entry: ChainEntry): JsonObject {
  const { data, prev, seq, time, type } = entry;
  // In the order of canonical JSON, which then has nothing to sort.
  return { data, prev, seq, time, type };
}

/** Reads entries that were embedded as plain data. @throws {@link InputError} `E_SCHEMA_MISMATCH` */
export function parseEntryJson(value: Json | undefined, at: string): ChainEntry {
  return chainEntrySchema.parse(value, at);
}

function misplaced(entries: readonly ChainEntry[], i: number): ChainVerdict {
  const found = (entries[i] as ChainEntry).seq;
  if (entries.some((entry) => entry.seq === i)) {
    return no(i, `entry ${found} stands in the place of entry ${i}: the order was changed`);
  }
  return no(i, `entry ${i} is missing: entry ${found} stands in its place`);
}

/**
 * Entry `i` does not name its predecessor. Either the predecessor was changed, or `i` itself: in the latter case whatever
 * follows `i` does not recognise it either.
 */
function brokenLink(
  entries: readonly ChainEntry[],
  hashes: readonly string[],
  i: number,
  expected: ChainExpectation | undefined,
): ChainVerdict {
  const next = entries[i + 1];
  const disowned =
    next !== undefined
      ? next.seq === i + 1 && next.prev !== hashes[i]
      : expected?.head.seq === i && expected.head.hash !== hashes[i];
  if (i === 0 || disowned) {
    return no(i, `entry ${i} was changed: it does not name its predecessor`);
  }
  return no(i - 1, `entry ${i - 1} was changed: entry ${i} names another predecessor`);
}

function no(seq: number, reason: string): ChainVerdict {
  return { ok: false, seq, reason };
}
