/**
 * The allow-list of imports, as data: the one place in the tests that knows which room may see which. It follows the
 * table of rooms in docs/design.md row by row.
 */

/** What one room may import, besides itself and `formats`. */
export interface RoomRule {
  /** Rooms. */
  readonly rooms: readonly string[];
  /** Rooms of which only types may be imported ("by interface"). */
  readonly interfaces?: readonly string[];
  /** npm packages; a final `/` stands for a whole scope. */
  readonly packages?: readonly string[];
  /** Modules of Node besides the harmless ones, without `node:`. */
  readonly node?: readonly string[];
}

const custody = ['custody/authority', 'custody/policy', 'custody/chains', 'custody/audit'];
const carriage = ['carriage/wrapping', 'carriage/stores', 'carriage/transport'];
const protocols = [
  'protocols/sharing',
  'protocols/threshold',
  'protocols/inhead',
  'protocols/parties',
];
const protocol: RoomRule = { rooms: ['crypto', 'protocols/parties'] };

/** Modules of Node that touch nothing outside the process. */
export const harmlessNode: readonly string[] = ['buffer', 'path', 'url', 'util'];

/** Every room. A folder of `src/` that is not listed here is not a room, and a finding. */
export const rooms: Readonly<Record<string, RoomRule>> = {
  bin: { rooms: ['cli', 'cli/main'], node: ['fs'] },
  cli: {
    rooms: ['ceremony', 'actions', 'terminal'],
    packages: ['commander'],
    node: ['fs', 'os'],
  },
  // The composition root: it alone also reaches host and stores, and hands them down.
  'cli/main': {
    rooms: ['cli', 'ceremony', 'actions', 'terminal', 'host', 'carriage/stores'],
    packages: ['commander'],
    node: ['fs', 'os'],
  },
  terminal: {
    rooms: ['carriage/transport'],
    packages: ['@inquirer/', 'ora', 'qrcode-terminal'],
    node: ['fs', 'readline', 'tty', 'stream', 'worker_threads'],
  },
  ceremony: {
    rooms: ['script', 'actions', ...custody],
    interfaces: ['host', 'terminal'],
  },
  script: {
    rooms: ['custody/audit', 'custody/policy', 'carriage/transport'],
    packages: ['yaml', 'zod'],
  },
  actions: { rooms: ['script', ...custody, ...protocols, ...carriage, 'crypto'] },
  'custody/authority': { rooms: ['custody/policy', 'custody/audit', 'crypto'] },
  'custody/policy': { rooms: [] },
  'custody/chains': { rooms: ['crypto'], packages: ['@scure/base'] },
  'custody/audit': { rooms: ['crypto'] },
  'protocols/sharing': protocol,
  'protocols/threshold': protocol,
  'protocols/inhead': protocol,
  'protocols/parties': { rooms: ['crypto', 'carriage/wrapping'] },
  'carriage/wrapping': { rooms: ['crypto'], packages: ['@scure/base'] },
  'carriage/stores': { rooms: ['crypto'], packages: ['keytar', '@napi-rs/keyring', 'pkcs11js'] },
  'carriage/transport': {
    rooms: [],
    packages: ['qr', 'zxing-wasm', 'pdfkit', 'pngjs', 'jpeg-js'],
    node: ['zlib'],
  },
  host: { rooms: [], node: ['fs', 'os', 'child_process', 'crypto'] },
  crypto: { rooms: [], packages: ['@noble/'], node: ['crypto'] },
  formats: { rooms: [] },
};

/** The room of a file named from the root of the checkout; `undefined` when it stands in none. */
export function roomOf(path: string): string | undefined {
  if (path.startsWith('bin/')) return 'bin';
  if (path === 'src/cli/main.ts') return 'cli/main';
  const [top, first = '', second = '', ...rest] = path.split('/');
  if (top !== 'src' || second === '') return undefined;
  const nested = `${first}/${second}`;
  if (rest.length > 0 && nested in rooms) return nested;
  return first in rooms ? first : undefined;
}
