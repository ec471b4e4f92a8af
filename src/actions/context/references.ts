/** How KEY and PUB arguments are read: what is a path, what is a name, what is an id. */
import { UnavailableError, UsageError } from '#formats/errors';

/** A parsed KEY. */
export type Reference =
  | { readonly kind: 'path'; readonly path: string }
  /** A name or the beginning of an id. */
  | { readonly kind: 'name'; readonly name: string };

const PREFIX = /^(?<store>file|keychain|pkcs11):(?<rest>[^]*)$/;

/**
 * Reads a KEY: a store prefix, else a path when it has `/` or `.` or is `-`, else a name or id prefix.
 * @throws {@link UnavailableError} `E_STORE_UNAVAILABLE` for stores that this version does not have
 * @throws {@link UsageError} `E_KEY_REFERENCE_EMPTY`
 */
export function parseReference(reference: string): Reference {
  const groups = PREFIX.exec(reference)?.groups;
  if (groups !== undefined && groups['store'] !== 'file') {
    throw storeUnavailable(groups['store'] as string);
  }
  const rest = groups?.['rest'] ?? reference;
  if (rest === '') {
    throw new UsageError({
      code: 'E_KEY_REFERENCE_EMPTY',
      message: 'a key was not named',
      hint: 'give a path, a name, or the first digits of an id',
    });
  }
  return isPath(rest) ? { kind: 'path', path: rest } : { kind: 'name', name: rest };
}

/** Whether an argument is a path and not a name. */
export function isPath(argument: string): boolean {
  return argument === '-' || /[/.\\]/.test(argument);
}

/** Shortest beginning of an id that is taken for one. */
const SHORTEST_PREFIX = 6;

/**
 * The one entry with this name, else the one whose id begins so; `undefined` when there is none.
 * @param kind - `key` or `identity`, for the message
 * @throws {@link UsageError} `E_KEY_AMBIGUOUS`, `E_IDENTITY_AMBIGUOUS`
 */
export function pick<T extends { readonly id: string; readonly name: string | null }>(
  entries: readonly T[],
  name: string,
  kind: 'key' | 'identity',
): T | undefined {
  const named = entries.filter((entry) => entry.name === name);
  const prefix = name.toLowerCase();
  const isPrefix = prefix.length >= SHORTEST_PREFIX && /^[0-9a-f]+$/.test(prefix);
  const found =
    named.length > 0 || !isPrefix ? named : entries.filter(({ id }) => id.startsWith(prefix));
  if (found.length <= 1) return found[0];
  throw new UsageError({
    code: kind === 'key' ? 'E_KEY_AMBIGUOUS' : 'E_IDENTITY_AMBIGUOUS',
    message: `${name} names ${found.length} ${kind === 'key' ? 'keys' : 'identities'}: ${found
      .map(({ id }) => id.slice(0, 16))
      .join(', ')}`,
    hint: 'give more digits of the id',
  });
}

/** What to throw for stores that are named but not there. */
export function storeUnavailable(store: string): UnavailableError {
  return new UnavailableError({
    code: 'E_STORE_UNAVAILABLE',
    message: `this version of conclave has no ${store} store`,
    hint: 'it comes with keychain and HSM support; keep the key in files',
  });
}
