/**
 * A module in this process: loaded once, initialised once, finalised when nobody uses it any more. Two parts of one process
 * share it; a module that somebody else initialised is left for them to finalise.
 */
import { UnavailableError } from '#formats/errors';
import { type Cryptoki, nativeCryptoki, type NewCryptoki } from './cryptoki.js';
import { answered, tokenError } from './errors.js';

/** A module ready for calls. Disposing it gives it back. */
export interface TokenModule extends Disposable {
  readonly path: string;
  readonly api: Cryptoki;
  readonly library: string;
  readonly manufacturer: string;
  /** Version of the interface, e.g. `2.40`. */
  readonly interfaceVersion: string;
}

/** A library whose tokens are files, of which each process keeps a copy in memory. */
const READS_FILES = 'SoftHSM';

/** Whether a module may show too late what another process wrote: only one that is started afresh surely reads it. */
export function readsFiles({ manufacturer }: Pick<TokenModule, 'manufacturer'>): boolean {
  return manufacturer === READS_FILES;
}

/** Whether somebody in this process uses the module. */
export function isStarted(path: string): boolean {
  return loaded.has(path);
}

interface Loaded {
  readonly api: Cryptoki;
  readonly ours: boolean;
  users: number;
}

const loaded = new Map<string, Loaded>();

/**
 * Loads and initialises a module.
 * @param path - of the shared library
 * @param newCryptoki - what stands behind the calls; pkcs11js when not given
 * @throws UnavailableError `E_PKCS11_ABSENT`, `E_PKCS11_MODULE`, and what the module answers
 */
export async function openModule(
  path: string,
  newCryptoki: NewCryptoki = nativeCryptoki,
): Promise<TokenModule> {
  // Looked up again behind the wait: two callers at once must not both start it.
  const fresh = loaded.has(path) ? undefined : await newCryptoki();
  const known = loaded.get(path) ?? start(path, fresh ?? (await newCryptoki()));
  loaded.set(path, known);
  known.users++;
  const { api } = known;
  let held = true;
  const module = {
    path,
    api,
    [Symbol.dispose]: () => {
      if (!held) return;
      held = false;
      known.users--;
      if (known.users === 0) stop(path, known);
    },
  };
  try {
    const info = api.C_GetInfo();
    const { major, minor } = info.cryptokiVersion;
    return {
      ...module,
      library: `${trimmed(info.libraryDescription)} ${info.libraryVersion.major}.${info.libraryVersion.minor}`,
      manufacturer: trimmed(info.manufacturerID),
      interfaceVersion: `${major}.${minor}`,
    };
  } catch (error) {
    module[Symbol.dispose]();
    throw tokenError(error, path);
  }
}

function start(path: string, api: Cryptoki): Loaded {
  try {
    api.load(path);
  } catch (cause) {
    throw new UnavailableError({
      code: 'E_PKCS11_MODULE',
      message: `${path} cannot be loaded as a PKCS#11 module: ${loaderSays(cause, path)}`,
      hint: 'name the library of your token by --module',
      cause,
    });
  }
  try {
    api.C_Initialize();
    return { api, ours: true, users: 0 };
  } catch (error) {
    if (answered(error, 'CKR_CRYPTOKI_ALREADY_INITIALIZED')) return { api, ours: false, users: 0 };
    closeQuietly(api);
    throw tokenError(error, path, 'starting the module');
  }
}

function stop(path: string, { api, ours }: Loaded): void {
  loaded.delete(path);
  try {
    if (ours) api.C_Finalize();
  } catch {
    // The module is left either way, and what was asked of it has been answered.
  }
  closeQuietly(api);
}

function closeQuietly(api: Cryptoki): void {
  try {
    api.close();
  } catch {
    // As above.
  }
}

/** The loader's own words, without the path that it repeats. */
function loaderSays(cause: unknown, path: string): string {
  const text = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : '';
  return text.replace(`${path}: `, '').trim() || 'the system does not say why';
}

/** PKCS#11 pads its texts with spaces; some modules with zero bytes. */
export function trimmed(text: string): string {
  return text.replace(/[\0 ]+$/, '');
}
