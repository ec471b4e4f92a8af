/**
 * The audit log of a home: one hash chain of what was done with the keys it holds. Where there is no home nothing is kept, so
 * that a build machine that only ever names files by path is left as it was found.
 */
import type { Home } from '#carriage/stores/home';
import type { DurableFiles } from '#carriage/stores/store';
import { encodeChainLine, headOf, nextEntry, parseChainLine } from '#custody/audit/chain';
import { formatTime } from '#formats/time';
import type { AuditEvent, AuditTrail } from './context.js';

const MAX_LOG_BYTES = 256 * 1024 * 1024;

/** Appends events to the log of `home`. @throws OutputError, TryAgainError `E_LOCKED` */
export function createHomeLog(
  disk: DurableFiles,
  home: Home,
  now: () => Date,
): (event: AuditEvent) => void {
  return ({ type, data }) => {
    if (!home.exists()) return;
    home.change(() => {
      const before = disk.exists(home.audit)
        ? disk.read(home.audit, MAX_LOG_BYTES)
        : new Uint8Array(0);
      // What follows the last line feed was never acknowledged: a machine died while writing it.
      const end = before.lastIndexOf(0x0a) + 1;
      if (end < before.length) disk.truncate(home.audit, end);
      const start = end === 0 ? 0 : before.lastIndexOf(0x0a, end - 2) + 1;
      const last = end === 0 ? undefined : parseChainLine(before.subarray(start, end), home.audit);
      const head = last === undefined ? undefined : headOf(last);
      const entry = nextEntry(head, { time: formatTime(now()), type, data });
      disk.append(home.audit, encodeChainLine(entry));
    });
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
