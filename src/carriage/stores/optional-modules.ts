/** The native modules that conclave can do without: which of them can be loaded on this machine. */

/** One optional module. */
export interface OptionalModule {
  readonly name: string;
  /** What it is for, a few words. */
  readonly purpose: string;
  readonly present: boolean;
}

const modules = [
  {
    name: 'keytar',
    purpose: "keys in the operating system's keychain",
    load: () => import('keytar'),
  },
  {
    name: '@napi-rs/keyring',
    purpose: "keys in the operating system's keychain, where keytar is absent",
    load: () => import('@napi-rs/keyring'),
  },
  {
    name: 'pkcs11js',
    purpose: 'keys in hardware tokens',
    load: () => import('pkcs11js'),
  },
] as const;

/** Tries to load each; a module that is installed but not built counts as absent. */
export async function optionalModules(): Promise<readonly OptionalModule[]> {
  const found: OptionalModule[] = [];
  for (const { name, purpose, load } of modules) {
    found.push({ name, purpose, present: await loads(load) });
  }
  return found;
}

async function loads(load: () => Promise<unknown>): Promise<boolean> {
  try {
    await load();
    return true;
  } catch {
    return false;
  }
}
