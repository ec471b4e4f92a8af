/** The key that a trace is about, from its group record: a set of shares of bytes, or a threshold key. */
import { sha256 } from '#crypto/hash';
import type { Environment } from '#custody/authority/record';
import { equal } from '#formats/bytes';
import { NegativeError, RefusedError, UsageError } from '#formats/errors';
import type { Level } from '#protocols/inhead/level';
import type { TraceRequest } from '#protocols/inhead/request';
import { isQuorum } from '#protocols/inhead/share-equation';
import { looksLikeShareSet, structureOf } from '#protocols/sharing/share-set';
import { describeStructure, type Structure } from '#protocols/sharing/structure';
import type { FileSpace } from '../context/context.js';
import { type ByteKey, quorumOfNumbers, readByteKey } from './byte-key.js';
import { checkByteTrace, type TraceQuestion } from './check-bytes.js';
import { checkScalarTrace } from './check-scalars.js';
import type { Watched } from './progress.js';
import { readScalarKey, type ScalarKey } from './scalar-key.js';
import type { TraceVerdict } from './verdict.js';

const MAX_GROUP_BYTES = 1024 * 1024;

/** A key of either kind. */
export type TraceKey = ByteKey | ScalarKey;

/** Reads a group record: the description of a set of shares, or the record of a threshold key. */
export async function readTraceKey(path: string, files: FileSpace): Promise<TraceKey> {
  const bytes = files.read(path, MAX_GROUP_BYTES);
  const name = path === '-' ? 'standard input' : path;
  return looksLikeShareSet(bytes)
    ? await readByteKey(bytes, name)
    : await readScalarKey(bytes, name);
}

/** Groups and thresholds for naming shares; undefined where shares have plain numbers. */
export function namingOf(key: TraceKey): Structure | undefined {
  return key.kind === 'bytes' ? structureOf(key.set) : undefined;
}

/** Mark of a key. */
export function environmentOf(key: TraceKey): Environment {
  return key.kind === 'bytes' ? key.set.environment : key.group.record.environment;
}

/** Id of a key. */
export function keyIdOf(key: TraceKey): string | null {
  return key.kind === 'bytes' ? key.set.keyId : key.group.record.key;
}

/** The verdict on a trace of a key of either kind. */
export async function checkTrace(
  question: TraceQuestion<TraceKey>,
  watched: Watched,
): Promise<TraceVerdict> {
  const { key } = question;
  return key.kind === 'bytes'
    ? await checkByteTrace({ ...question, key }, watched)
    : await checkScalarTrace({ ...question, key }, watched);
}

/**
 * Refuses numbers that are not exactly a quorum.
 * @throws {@link UsageError} `E_TRACE_QUORUM`
 */
export function assertQuorum(key: TraceKey, numbers: readonly number[], what: string): void {
  const fits =
    key.kind === 'bytes'
      ? quorumOfNumbers(key, numbers) !== undefined
      : isQuorum(key.group, numbers);
  if (fits) return;
  const takes =
    key.kind === 'bytes'
      ? describeStructure(structureOf(key.set))
      : `any ${key.group.record.threshold} of ${key.group.record.members.length}`;
  throw new UsageError({
    code: 'E_TRACE_QUORUM',
    message: `${what} is not exactly a quorum of ${key.name}: it takes ${takes}`,
    hint: 'name as many shares as sign, no more, ascending',
  });
}

/**
 * Refuses what a key has no traces of: levels beyond `quorum` for shares of bytes.
 * @throws {@link UsageError} `E_TRACE_LEVEL`
 */
export function assertLevel(key: TraceKey, level: Level, bind: boolean): void {
  if (key.kind === 'bytes' && level !== 'quorum') {
    throw new UsageError({
      code: 'E_TRACE_LEVEL',
      message: `${key.name} is of shares of bytes, and they have no level ${level}`,
      hint: 'its level is quorum; the others are of threshold keys',
    });
  }
  if (!bind || level === 'shares') return;
  throw new UsageError({
    code: 'E_TRACE_LEVEL',
    message: `--bind is of level shares, and level ${level} binds its proof to the request anyway`,
    hint: 'leave --bind out',
  });
}

/**
 * Refuses twins where FROST draws its nonces: two laptops would make two signatures.
 * @throws {@link RefusedError} `E_TRACE_TWIN`
 */
export function assertTwin({ kind }: TraceKey, { level }: TraceRequest, twin: boolean): void {
  if (!twin || kind === 'bytes' || level === 'nonces') return;
  throw new RefusedError({
    code: 'E_TRACE_TWIN',
    message: `there are no twins at level ${level}: FROST draws its nonces, and no two files are equal`,
    hint: 'make a request of level nonces, or leave --twin out',
  });
}

/**
 * Refuses a group record that is not the one of a request.
 * @throws {@link NegativeError} `E_TRACE_OTHER_GROUP`
 */
export function assertGroupOf(
  { group }: TraceRequest,
  { bytes, name }: TraceKey,
  what: string,
): void {
  if (equal(sha256(bytes), group)) return;
  throw new NegativeError({
    code: 'E_TRACE_OTHER_GROUP',
    message: `${what} is for another group record than ${name}`,
    hint: 'a record that was signed, changed or refreshed since is another one; take the copy that the request was made from',
  });
}
