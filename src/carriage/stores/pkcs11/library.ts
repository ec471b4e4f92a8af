/** Which shared library is meant: a path as it is, a name looked up where distributions put PKCS#11 modules. */
import { join } from 'node:path';
import { UnavailableError, UsageError } from '#formats/errors';

/** The name under which a home's own SoftHSM is asked for. */
export const SANDBOX = 'sandbox';

/** Folder of the sandbox in a home, its configuration in that, and the variable by which SoftHSM finds it. */
export const SANDBOX_FOLDER = 'sandbox';
export const SANDBOX_CONFIGURATION = 'softhsm2.conf';
const SOFTHSM_VARIABLE = 'SOFTHSM2_CONF';

const FOLDERS: readonly string[] = [
  '/usr/lib/pkcs11',
  '/usr/lib64/pkcs11',
  '/usr/lib/x86_64-linux-gnu/pkcs11',
  '/usr/lib/aarch64-linux-gnu/pkcs11',
  '/usr/lib/softhsm',
  '/usr/lib64/softhsm',
  '/usr/lib/x86_64-linux-gnu/softhsm',
  '/usr/lib/aarch64-linux-gnu/softhsm',
  '/usr/lib/x86_64-linux-gnu',
  '/usr/lib/aarch64-linux-gnu',
  '/usr/local/lib/softhsm',
  '/usr/local/lib/pkcs11',
  '/usr/local/lib',
  '/opt/homebrew/lib/softhsm',
  '/opt/homebrew/lib',
];

/** What a name like `softhsm2` may be spelled like as a file. */
const SPELLINGS = (name: string): readonly string[] => [
  `lib${name}.so`,
  `${name}.so`,
  `lib${name}.dylib`,
  `${name}.dylib`,
];

/** How to install it; what people ask for first. */
const INSTALL =
  'install it: apt-get install softhsm2, dnf install softhsm, or brew install softhsm';

/** A library to load. */
export interface Library {
  readonly path: string;
  /** Whether it is the home's own SoftHSM. */
  readonly sandbox: boolean;
}

/**
 * The library that is meant.
 * @param named - a path (it has a slash), a name such as `softhsm2`, or `sandbox`
 * @param exists - whether a file is there
 * @throws UnavailableError `E_PKCS11_MODULE`, UsageError `E_PKCS11_MODULE_NAME`
 */
export function findLibrary(named: string, exists: (path: string) => boolean): Library {
  if (/[/\\]/.test(named)) {
    if (exists(named)) return { path: named, sandbox: false };
    throw new UnavailableError({
      code: 'E_PKCS11_MODULE',
      message: `there is no PKCS#11 module ${named}`,
      hint: 'name the library of your token by --module',
    });
  }
  if (!/^[A-Za-z0-9][A-Za-z0-9._+-]*$/.test(named)) {
    throw new UsageError({
      code: 'E_PKCS11_MODULE_NAME',
      message: `${JSON.stringify(named)} is no name of a PKCS#11 module`,
      hint: 'give its path, or a name such as softhsm2',
    });
  }
  const sandbox = named === SANDBOX;
  const name = sandbox ? 'softhsm2' : named;
  const path = FOLDERS.flatMap((folder) => SPELLINGS(name).map((file) => join(folder, file))).find(
    exists,
  );
  if (path !== undefined) return { path, sandbox };
  throw new UnavailableError({
    code: 'E_PKCS11_MODULE',
    message: `there is no PKCS#11 module ${name} where such modules usually are`,
    hint: name === 'softhsm2' ? INSTALL : 'give its path by --module',
  });
}

/** What SoftHSM is told about a sandbox: tokens in files below `folder`, nothing in the system's log but errors. */
export function sandboxConfiguration(folder: string): string {
  return [
    `directories.tokendir = ${join(folder, 'tokens')}`,
    'objectstore.backend = file',
    'objectstore.umask = 0077',
    'log.level = ERROR',
    'slots.removable = false',
    '',
  ].join('\n');
}

/** SoftHSM looks into the environment of the process for its configuration, and nowhere else that could be told apart. */
export function useSandbox(home: string): void {
  process.env[SOFTHSM_VARIABLE] = join(home, SANDBOX_FOLDER, SANDBOX_CONFIGURATION);
}
