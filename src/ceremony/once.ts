/** What is written once in a session lies in its folder, so that it goes with the session to another machine. */
import type { OnceSpace } from '#actions/context/context';
import { createOnceSpace } from '#actions/context/once';
import { type Session, within } from './session.js';

/** Folder of it, relative to the session. */
const ONCE = 'once';

/** Kinds that belong to the machine and not to one session. */
const ABOVE = /^revoked(?:\/|$)/;

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
    read: (name, maxBytes) =>
      own.read(name, maxBytes) ?? (ABOVE.test(name) ? above?.read(name, maxBytes) : undefined),
    list: (kind) => [...own.list(kind), ...(ABOVE.test(kind) ? (above?.list(kind) ?? []) : [])],
  };
}
