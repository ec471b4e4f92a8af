/** What requests ask for, as people write and read it: quorums, expiry. */
import { sha256 } from '#crypto/hash';
import { toHex } from '#formats/bytes';
import { UsageError } from '#formats/errors';
import { formatTime } from '#formats/time';
import type { TraceRequest } from '#protocols/inhead/request';
import { indexName, indexNumber, type Structure } from '#protocols/sharing/structure';

const UNITS: Readonly<Record<string, number>> = { m: 60, h: 3600, d: 86_400 };

/**
 * Seconds of `90m`, `24h` or `7d`.
 * @throws {@link UsageError} `E_TRACE_EXPIRES`
 */
export function durationSeconds(text: string): number {
  const [, count, unit] = /^([1-9][0-9]{0,4})([mhd])$/.exec(text) ?? [];
  const seconds = UNITS[unit ?? ''];
  if (seconds !== undefined) return Number(count) * seconds;
  throw new UsageError({
    code: 'E_TRACE_EXPIRES',
    message: `--expires ${text} is no duration`,
    hint: 'say for example 90m, 24h or 7d',
  });
}

/**
 * Share numbers of `1,3` or, where a set has groups, `1-2,1-3,2-1`.
 * @throws {@link UsageError} `E_TRACE_QUORUM`
 */
export function parseQuorum(text: string, structure: Structure | undefined): number[] {
  const numbers = text.split(',').map((part) => {
    const [, first, second] = /^([1-9][0-9]{0,4})(?:-([1-9][0-9]{0,2}))?$/.exec(part) ?? [];
    const [a, b] = [Number(first), second === undefined ? undefined : Number(second)];
    if (first === undefined) return NaN;
    if (structure === undefined) return b === undefined ? a : NaN;
    if (b !== undefined) return indexNumber({ group: a, member: b });
    return structure.groups.length === 1 && a < 256 ? indexNumber({ group: 1, member: a }) : NaN;
  });
  if (numbers.every((each) => Number.isInteger(each) && each <= 0xffff)) return numbers;
  throw new UsageError({
    code: 'E_TRACE_QUORUM',
    message: `--quorum ${text} does not name shares`,
    hint: 'name them by number, ascending: 1,3, or with groups 1-2,2-1',
  });
}

/** Share numbers for people. */
export function quorumText(numbers: readonly number[], structure: Structure | undefined): string {
  const name = (number: number): string =>
    structure === undefined
      ? String(number)
      : indexName({ group: number >> 8, member: number & 0xff }, structure);
  return numbers.map(name).join(', ');
}

/** Lines by which a person sees what a request asks for. */
export function requestLines(
  request: TraceRequest,
  digest: string,
  structure: Structure | undefined,
): string[] {
  const { message, level, quorum, expires, bind } = request;
  return [
    `request ${digest}`,
    `to sign: ${messageText(message)}`,
    `  ${message.length} bytes, whose SHA-256 is`,
    `  ${toHex(sha256(message))}`,
    `level: ${level}${bind ? ', bound to the request' : ''}`,
    `by: ${quorum === undefined ? 'any quorum' : `shares ${quorumText(quorum, structure)}`}`,
    `expires: ${expires === undefined ? 'never' : formatTime(new Date(1000 * expires))}`,
  ];
}

/** A message as text where it is text of one line, otherwise the beginning of its bytes. */
export function messageText(message: Uint8Array): string {
  const text = Buffer.from(message).toString('utf8');
  if (message.length <= 200 && /^[\x20-\x7e]*\n?$/.test(text)) return JSON.stringify(text);
  const shown = toHex(message.subarray(0, 32));
  return message.length <= 32 ? `bytes ${shown}` : `bytes ${shown}…`;
}
