/** All formats, in the order in which they are recognised. A format's file is loaded when it is asked for. */
import { InputError, InternalError } from '#formats/errors';
import type { Target, WrappingFormat } from './format.js';

/** One row: the format's name and the file that exports it as `format`. */
interface Row {
  readonly name: string;
  readonly load: () => Promise<{ readonly format: WrappingFormat }>;
}

const rows: readonly Row[] = [
  // Before the container: the same key means age when it is written as age writes it.
  { name: 'age', load: () => import('./age.js') },
  { name: 'hpke', load: () => import('./hpke-container.js') },
  { name: 'envelope', load: () => import('./hpke-envelope.js') },
  { name: 'cms', load: () => import('./cms.js') },
  { name: 'aws-kms', load: () => import('./aws-kms.js') },
  { name: 'gcp-kms', load: () => import('./gcp-kms.js') },
  { name: 'azure-byok', load: () => import('./azure-byok.js') },
  { name: 'vault', load: () => import('./vault-transit.js') },
  { name: 'openbao', load: () => import('./openbao.js') },
  { name: 'pkcs11', load: () => import('./pkcs11.js') },
];

/** Names of all formats, as `--format` takes them. */
export const formatNames: readonly string[] = rows.map(({ name }) => name);

/**
 * The format of a name.
 * @throws InternalError `E_FORMAT_NO_ROW`: names are checked at the edge
 */
export async function loadFormat(name: string): Promise<WrappingFormat> {
  const row = rows.find((each) => each.name === name);
  if (row === undefined) {
    throw new InternalError({ code: 'E_FORMAT_NO_ROW', message: `no format ${name}` });
  }
  return (await row.load()).format;
}

/** Names of the formats that are read here, or of those that only a provider reads. */
export async function namesOf(which: 'read' | 'provider'): Promise<readonly string[]> {
  const names: string[] = [];
  for (const row of rows) {
    const { format } = await row.load();
    if ((format.unwrap === undefined) === (which === 'provider')) names.push(format.name);
  }
  return names;
}

/** The format that a `--to` alone tells, or `undefined`. */
export async function claimingFormat(target: Target): Promise<WrappingFormat | undefined> {
  for (const row of rows) {
    const { format } = await row.load();
    if (format.claims(target)) return format;
  }
  return undefined;
}

/** The format of an input that begins with these bytes, or `undefined`. */
export async function detectFormat(head: Uint8Array): Promise<WrappingFormat | undefined> {
  for (const row of rows) {
    const { format } = await row.load();
    if (format.detect(head)) return format;
  }
  return undefined;
}

/**
 * As {@link detectFormat}.
 * @throws InputError `E_WRAPPED_UNKNOWN`
 */
export async function recogniseFormat(head: Uint8Array, name: string): Promise<WrappingFormat> {
  const format = await detectFormat(head);
  if (format !== undefined) return format;
  throw new InputError({
    code: 'E_WRAPPED_UNKNOWN',
    message: `${name} is nothing that conclave can unwrap`,
    hint: `it reads ${(await namesOf('read')).join(', ')}; what is wrapped for a provider, only the provider opens`,
  });
}
