/** How KEY, PUB and STORE arguments are read: what is a path, what is a name, what is an id, and where it rests. */
import type { BackendName } from '#carriage/stores/keychain/backend';
import { parseTokenUri, type TokenUri } from '#carriage/stores/pkcs11/uri';
import type { StorePlace } from '#carriage/stores/store';
import { UsageError } from '#formats/errors';

/** A parsed KEY. */
export type Reference =
  | { readonly kind: 'path'; readonly path: string }
  /** A name or the beginning of an id, in this store. */
  | { readonly kind: 'name'; readonly store: StorePlace; readonly name: string }
  /** An object of a token. */
  | { readonly kind: 'token'; readonly uri: TokenUri };

const PREFIX = /^(?<store>file|keychain|pkcs11):(?<rest>[^]*)$/;

/**
 * Reads a KEY: a store prefix, else a path when it has `/` or `.` or is `-`, else a name or id prefix.
 * @throws {@link UsageError} `E_KEY_REFERENCE_EMPTY`, and the errors of {@link parseTokenUri}
 */
export function parseReference(reference: string): Reference {
  const groups = PREFIX.exec(reference)?.groups;
  const store = groups?.['store'];
  const rest = groups?.['rest'] ?? reference;
  if (rest === '') {
    throw new UsageError({
      code: 'E_KEY_REFERENCE_EMPTY',
      message: 'a key was not named',
      hint: 'give a path, a name, or the first digits of an id',
    });
  }
  if (store === 'pkcs11') return { kind: 'token', uri: parseTokenUri(reference) };
  if (store === 'keychain') return inKeychain(rest);
  if (isPath(rest)) return { kind: 'path', path: rest };
  return { kind: 'name', store: { kind: 'file' }, name: rest };
}

/** `NAME`, or as locations have it `BACKEND/ID`, with the mark of keys that are not for production before the id. */
function inKeychain(rest: string): Reference {
  const groups =
    /^(?:(?<backend>keytar|keyring)\/)?(?:(?:dev|rehearsal)-(?=[0-9a-f]{16}$))?(?<name>[^]+)$/.exec(
      rest,
    )?.groups;
  const backend = groups?.['backend'] as BackendName | undefined;
  return {
    kind: 'name',
    store: { kind: 'keychain', ...(backend === undefined ? {} : { backend }) },
    name: groups?.['name'] ?? rest,
  };
}

/** The path that a KEY or PUB is, or `undefined` when it names something in a store. */
export function pathOf(reference: string): string | undefined {
  const parsed = parseReference(reference);
  return parsed.kind === 'path' ? parsed.path : undefined;
}

/**
 * Reads a STORE: `file`, `keychain`, or `pkcs11:` and the label of a token (or the attributes of its URI).
 * @throws {@link UsageError} `E_STORE_UNKNOWN`, and the errors of {@link parseTokenUri}
 */
export function parseStore(store: string): StorePlace {
  if (store === 'file' || store === 'keychain') return { kind: store };
  const backend = /^keychain:(keytar|keyring)$/.exec(store)?.[1];
  if (backend !== undefined) return { kind: 'keychain', backend: backend as BackendName };
  const token = /^pkcs11:([^]+)$/.exec(store)?.[1];
  if (token !== undefined) {
    tokenOf(token);
    return { kind: 'pkcs11', token };
  }
  throw new UsageError({
    code: 'E_STORE_UNKNOWN',
    message: `there is no store ${JSON.stringify(store)}`,
    hint: 'say file, keychain, or pkcs11: and the label of a token',
  });
}

/**
 * The token that is meant by what stands behind `pkcs11:` or after `--token`: a label, or attributes of a URI.
 * @throws the errors of {@link parseTokenUri}
 */
export function tokenOf(typed: string): TokenUri {
  return /^[a-z-]+=/.test(typed) ? parseTokenUri(`pkcs11:${typed}`) : { token: typed };
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
