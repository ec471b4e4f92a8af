/**
 * The desktop's keychain, by whichever module is there: keytar, or `@napi-rs/keyring`. On Linux both speak to the Secret Service
 * but file what they keep under different attributes, so that neither sees the other's: a location names its backend.
 */
import type { ConclaveError } from '#formats/errors';
import { OutputError, RefusedError, UnavailableError } from '#formats/errors';

/** Names of the backends, in the order in which they are tried. */
export const backendNames = ['keytar', 'keyring'] as const;

/** A module behind the keychain. */
export type BackendName = (typeof backendNames)[number];

/** One item of a keychain. */
export interface Item {
  readonly account: string;
  /** Text; a JavaScript string, which nothing can wipe. */
  readonly value: string;
}

/** What a keychain can do. Values are text without NUL: keytar cuts there. */
export interface Backend {
  readonly name: BackendName;
  /** @returns the value, or `undefined` when there is no such item. @throws RefusedError `E_KEYCHAIN_LOCKED` */
  get(service: string, account: string): Promise<string | undefined>;
  /** Replaces what is there. */
  set(service: string, account: string, value: string): Promise<void>;
  /** @returns whether there was such an item */
  remove(service: string, account: string): Promise<boolean>;
  /** All items of a service. */
  find(service: string): Promise<readonly Item[]>;
}

/** What a module gives, before errors are put into sentences. */
export type RawBackend = Backend;

const loaders: Readonly<Record<BackendName, () => Promise<RawBackend>>> = {
  keytar: async () => (await import('./keytar.js')).loadKeytar(),
  keyring: async () => (await import('./keyring.js')).loadKeyring(),
};

/**
 * The backends that can be loaded here, in order.
 * @param wanted - only this one
 * @throws UnavailableError `E_KEYCHAIN_MODULE` when there is none
 */
export async function loadBackends(wanted?: BackendName): Promise<readonly Backend[]> {
  const found: Backend[] = [];
  for (const name of wanted === undefined ? backendNames : [wanted]) {
    try {
      found.push(explained(await loaders[name]()));
    } catch {
      // Absent, not compiled, or its library is missing: the next one may be there.
    }
  }
  if (found.length > 0) return found;
  throw new UnavailableError({
    code: 'E_KEYCHAIN_MODULE',
    message:
      wanted === 'keytar'
        ? 'the keychain module keytar is not installed'
        : 'no keychain module is installed: neither keytar nor @napi-rs/keyring can be loaded',
    hint:
      wanted === 'keytar'
        ? 'run npm run native where a compiler and the libsecret headers are (Debian: build-essential libsecret-1-dev)'
        : 'run npm ci again for @napi-rs/keyring, or npm run native for keytar (Debian: build-essential libsecret-1-dev)',
  });
}

/** A backend whose failures are sentences. */
function explained(raw: RawBackend): Backend {
  const attempt = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw sentence(error, raw.name);
    }
  };
  return {
    name: raw.name,
    get: (service, account) => attempt(() => raw.get(service, account)),
    set: (service, account, value) => attempt(() => raw.set(service, account, value)),
    remove: (service, account) => attempt(() => raw.remove(service, account)),
    find: (service) => attempt(() => raw.find(service)),
  };
}

const IN_FILES = 'unlock it, or keep the key in files';

/** What a module's complaint means. Neither module has codes for it, only texts, and those of the services below them. */
export function sentence(error: unknown, backend: BackendName): ConclaveError {
  const text = error instanceof Error ? error.message : String(error);
  if (/dismissed/i.test(text)) {
    return new RefusedError({
      code: 'E_KEYCHAIN_LOCKED',
      message: 'the keychain is locked, and the question to unlock it was dismissed',
      hint: IN_FILES,
      cause: error,
    });
  }
  if (/locked/i.test(text)) {
    return new RefusedError({
      code: 'E_KEYCHAIN_LOCKED',
      message: 'the keychain is locked',
      hint: IN_FILES,
      cause: error,
    });
  }
  if (
    /autolaunch|DBUS_SESSION_BUS_ADDRESS|Failed to connect to (?:address|socket)|AccessDenied/i.test(
      text,
    )
  ) {
    return new UnavailableError({
      code: 'E_KEYCHAIN_NO_BUS',
      message: 'the keychain cannot be reached: no D-Bus session runs here',
      hint: 'log in to a desktop, or start one with dbus-run-session; or keep the key in files',
      cause: error,
    });
  }
  if (
    /does not exist|no result found|ServiceUnknown|not provided by any|not activatable/i.test(text)
  ) {
    return new UnavailableError({
      code: 'E_KEYCHAIN_ABSENT',
      message:
        'no keychain answers: the D-Bus session has no Secret Service, or it holds no collection',
      hint: 'start gnome-keyring-daemon or another Secret Service and make a default keyring; or keep the key in files',
      cause: error,
    });
  }
  return new UnavailableError({
    code: 'E_KEYCHAIN_FAILED',
    message: `the keychain failed (${backend}): ${printable(text)}`,
    hint: 'keep the key in files',
    cause: error,
  });
}

/** A foreign message, without what a terminal would act on. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]+/g, ' ').slice(0, 200);
}

/** A value that did not come back as it was set: the keychain keeps something else. */
export function notKept(backend: BackendName): OutputError {
  return new OutputError({
    code: 'E_KEYCHAIN_NOT_KEPT',
    message: `the keychain (${backend}) did not give back what was put into it; it was removed again`,
    hint: 'keep the key in files',
  });
}
