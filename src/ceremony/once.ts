/** What is written once in a session lies in its folder, so that it goes with the session to another machine. */
import { join } from 'node:path';
import type { HeldFolders, OnceSpace } from '#actions/context/context';
import { createOnceSpace } from '#actions/context/once';
import { type Session, within } from './session.js';

/** Folder of it, relative to the session. */
const ONCE = 'once';

/** Folder of what the parties of threshold sessions keep, each under its own identity. */
const PARTIES = 'parties';

/** Kinds that belong to the machine and not to one session. */
const ABOVE = /^revoked(?:\/|$)/;

/** Marks that go with the session, and that the machine remembers as well: a copy of the folder must not forget them. */
const BOTH = /^nonce\//;

/**
 * A session's own space; what was revoked is asked of the home as well.
 * @param above - that of the home
 */
export function sessionOnce(session: Session, above: OnceSpace | undefined): OnceSpace {
  const { files } = session.context.host;
  const own = createOnceSpace({
    files,
    folder: within(session, ONCE),
    there: () => true,
    // A session is locked as long as it runs.
    change: (change) => change(),
  });
  return {
    ...own,
    read: (name, maxBytes) => {
      if (BOTH.test(name)) return above?.read(name, maxBytes) ?? own.read(name, maxBytes);
      return (
        own.read(name, maxBytes) ?? (ABOVE.test(name) ? above?.read(name, maxBytes) : undefined)
      );
    },
    write: (name, bytes) => {
      if (BOTH.test(name)) above?.write(name, bytes);
      own.write(name, bytes);
    },
    list: (kind) => [...own.list(kind), ...(ABOVE.test(kind) ? (above?.list(kind) ?? []) : [])],
  };
}

/**
 * Private folders below the session's: they go with it to another machine, sealed as they are. A folder from outside that is bound
 * by name, such as a medium that remembers nonces, is where it is bound just now.
 */
export function sessionFolders(
  session: Session,
  above: HeldFolders | undefined,
): HeldFolders | undefined {
  if (above === undefined) return undefined;
  const at = (path: string): string =>
    session.outside.get(path) ?? join(within(session, PARTIES), path);
  return {
    exists: (path) => above.exists(at(path)),
    hold: (path) => above.hold(at(path)),
  };
}
