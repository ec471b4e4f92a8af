/** Modules of PKCS#11 written for these tests, built where a C compiler is. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { hasProgram, needs, root } from '../support/require.js';
import { withSoftHsm } from './softhsm.js';

/** Whether a module can be built and loaded. */
export const withShim = withSoftHsm && needs('cc', hasProgram('cc'), 'apt-get install gcc');

/**
 * Builds a module.
 * @param folder - where the library goes; the caller removes it
 * @returns its path
 */
export function buildShim(name: 'forward' | 'record', folder: string): string {
  const library = join(folder, `${name}.so`);
  const headers = join(root, 'node_modules/pkcs11js/includes/pkcs11');
  const source = join(root, `test/tokens/shim/${name}.c`);
  const flags = ['-shared', '-fPIC', '-O1', '-Wall', '-Wextra', '-Werror', `-I${headers}`];
  execFileSync('cc', [...flags, '-o', library, source, '-ldl'], { stdio: 'pipe' });
  return library;
}

/** What the forwarding module is told; see its source. */
export type Orders = Partial<
  Record<
    'FAIL_AT' | 'FAIL_NAME' | 'FAIL_CKR' | 'FAIL_ON' | 'FLAGS' | 'PIN_LEFT' | 'PAD_PIN' | 'MODULE',
    string
  >
>;

/** The environment that says it. */
export function told(orders: Orders): Record<string, string> {
  return Object.fromEntries(Object.entries(orders).map(([name, value]) => [`SHIM_${name}`, value]));
}

/** Runs with these orders in the environment of this process, and none afterwards. */
export async function under<T>(orders: Orders, work: () => Promise<T>): Promise<T> {
  const names = told(orders);
  Object.assign(process.env, names);
  try {
    return await work();
  } finally {
    for (const name of Object.keys(names)) Reflect.deleteProperty(process.env, name);
  }
}
