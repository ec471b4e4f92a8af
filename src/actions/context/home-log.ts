/**
 * The audit log of a home: one hash chain of what was done with the keys it holds. Where there is no home nothing is kept, so
 * that a build machine that only ever names files by path is left as it was found.
 */
import type { Home } from '#carriage/stores/home';
import type { DurableFiles } from '#carriage/stores/store';
import {
  type ChainHead,
  encodeChainLine,
  headOf,
  nextEntry,
  parseChainLine,
} from '#custody/audit/chain';
import { formatTime } from '#formats/time';
import type { AuditEvent, AuditTrail } from './context.js';

const MAX_LOG_BYTES = 256 * 1024 * 1024;

/** Appends events to the log of `home`. @throws OutputError, TryAgainError `E_LOCKED` */
export function createHomeLog(
  disk: DurableFiles,
  home: Home,
  now: () => Date,
): (event: AuditEvent) => void {
  return (event) => {
    if (!home.exists()) return;
    home.change(() => {
      appendEvent(disk, home, now, event);
    });
  };
}

/** The head of the log of `home`; `undefined` while it is empty. */
export function homeHead(disk: DurableFiles, home: Home): ChainHead | undefined {
  return lastOf(disk, home).head;
}

/** Appends one event to the log. Only inside `home.change`, which keeps others away. */
export function appendEvent(
  disk: DurableFiles,
  home: Home,
  now: () => Date,
  { type, data }: AuditEvent,
): void {
  const { head, end, torn } = lastOf(disk, home);
  // What follows the last line feed was never acknowledged: a machine died while writing it.
  if (torn) disk.truncate(home.audit, end);
  disk.append(
    home.audit,
    encodeChainLine(nextEntry(head, { time: formatTime(now()), type, data })),
  );
}

function lastOf(
  disk: DurableFiles,
  home: Home,
): { readonly head: ChainHead | undefined; readonly end: number; readonly torn: boolean } {
  const bytes = disk.exists(home.audit) ? disk.read(home.audit, MAX_LOG_BYTES) : new Uint8Array(0);
  const end = bytes.lastIndexOf(0x0a) + 1;
  const start = end === 0 ? 0 : bytes.lastIndexOf(0x0a, end - 2) + 1;
  const last = end === 0 ? undefined : parseChainLine(bytes.subarray(start, end), home.audit);
  return {
    head: last === undefined ? undefined : headOf(last),
    end,
    torn: end < bytes.length,
  };
}

/** The log of `home`, for reading. */
export function homeTrail(disk: DurableFiles, home: Home): AuditTrail {
  return {
    location: home.audit,
    read: () =>
      home.exists() && disk.exists(home.audit) ? disk.read(home.audit, MAX_LOG_BYTES) : undefined,
  };
}
