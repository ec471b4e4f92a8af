/** What the command line itself can tell a doctor: process, optional modules, home, terminal. */
import type { Diagnosis } from '#actions/context/context';
import type { Streams } from './output.js';

/** The oldest Node that conclave runs on. */
const NODE_FLOOR = [20, 19] as const;

/** What is looked at. */
export interface Patient {
  readonly streams: Streams;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  /** The host's. */
  readonly files: {
    exists(path: string): boolean;
    isDirectory(path: string): boolean;
    list(path: string): readonly string[];
  };
  readonly modules: readonly {
    readonly name: string;
    readonly purpose: string;
    readonly present: boolean;
  }[];
  readonly version: string;
}

/** Everything, one line each. */
export function diagnose(patient: Patient): readonly Diagnosis[] {
  return [
    { subject: 'conclave', result: 'ok', detail: patient.version },
    node(),
    { subject: 'openssl', result: 'ok', detail: `${process.versions.openssl} (inside Node)` },
    ...patient.modules.map(optional),
    home(patient),
    locale(patient),
    terminal(patient),
  ];
}

function node(): Diagnosis {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const fine = major > NODE_FLOOR[0] || (major === NODE_FLOOR[0] && minor >= NODE_FLOOR[1]);
  return {
    subject: 'node',
    result: fine ? 'ok' : 'finding',
    detail: `${process.versions.node} on ${process.platform} ${process.arch}`,
    ...(fine ? {} : { advice: `conclave needs Node ${NODE_FLOOR.join('.')} or newer` }),
  };
}

function optional({ name, purpose, present }: Patient['modules'][number]): Diagnosis {
  return {
    subject: name,
    result: present ? 'ok' : 'absent',
    detail: present ? `loads; ${purpose}` : `not built; only for ${purpose}`,
    ...(present ? {} : { advice: 'npm run native builds it (needs a compiler)' }),
  };
}

function home({ files, home: path }: Patient): Diagnosis {
  const subject = 'home';
  if (!files.exists(path)) return { subject, result: 'ok', detail: `${path} (not made yet)` };
  if (!files.isDirectory(path)) {
    return {
      subject,
      result: 'finding',
      detail: `${path} is not a folder`,
      advice: 'choose another with --home',
    };
  }
  const keys = files.isDirectory(`${path}/keys`)
    ? files.list(`${path}/keys`).filter((name) => name.endsWith('.key')).length
    : 0;
  return { subject, result: 'ok', detail: `${path}, ${keys} ${keys === 1 ? 'key' : 'keys'}` };
}

function locale({ env }: Patient): Diagnosis {
  const name = env['LC_ALL'] || env['LC_CTYPE'] || env['LANG'] || 'none set';
  return { subject: 'locale', result: 'ok', detail: name };
}

function terminal({ streams: { stdin, stderr }, env }: Patient): Diagnosis {
  const interactive = stdin.isTTY === true && stderr.isTTY === true;
  const detail = interactive
    ? `questions can be asked (TERM=${env['TERM'] ?? ''})`
    : 'none: nothing will be asked';
  return { subject: 'terminal', result: 'ok', detail };
}
