/**
 * The people of a ceremony at a real terminal: who they are, what each of them answers who makes no mistake, and how a whole
 * ceremony is led from question to question. What one test wants done differently it answers before them.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { main } from '#cli/main';
import { createHost } from '#host/node-host';
import { sink } from '../cli/runners.js';
import { root } from '../support/require.js';
import { type Screen, Tmux } from '../support/tmux.js';

const program = [process.execPath, join(root, 'bin/conclave.js')];

/** A person; custodians without an identity choose a passphrase. */
export interface Actor {
  readonly name: string;
  readonly role: 'administrator' | 'custodian' | 'witness';
  readonly passphrase: string;
  readonly identity: boolean;
}

const actor = (
  name: string,
  role: Actor['role'],
  identity: boolean,
  passphrase: string,
): Actor => ({ name, role, passphrase, identity });

/** In the order of the list. */
export const actors: readonly Actor[] = [
  actor('Ada Lovelace', 'administrator', true, 'engine of brass'),
  actor('Grace Hopper', 'custodian', true, 'a moth in relay 70'),
  actor('Alan Turing', 'custodian', true, 'tape without end'),
  actor('Emmy Noether', 'custodian', false, 'marble orchid tundra velvet sparrow lantern'),
  actor('Joan Clarke', 'custodian', false, 'copper meadow violin harbor thistle comet'),
  actor('Hedy Lamarr', 'custodian', false, 'walnut glacier pepper satchel rhythm falcon'),
  actor('Marie Curie', 'witness', true, 'a glow in the shed'),
  actor('Lise Meitner', 'witness', true, 'snow in december'),
];

/** Who holds a share, in order. */
export const custodians = actors.filter(({ role }) => role === 'custodian');

/** Who is named in a question. */
export function asked(question: string): Actor {
  const found = actors.find(({ name }) => question.includes(name));
  if (found === undefined) throw new Error(`nobody is named in: ${question}`);
  return found;
}

/** A folder with a home, where a ceremony is prepared at the desk and then held. */
export class Premises implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'conclave-room-'));
  readonly #env = {
    HOME: this.folder,
    CONCLAVE_HOME: join(this.folder, 'home'),
    LANG: 'C.UTF-8',
  };

  /** A path in the folder. */
  at(name: string): string {
    return join(this.folder, name);
  }

  /** Writes a file that only its owner reads. */
  write(name: string, text: string): string {
    writeFileSync(this.at(name), text, { mode: 0o600 });
    return name;
  }

  /** What is done at the desk the day before: in this process, and with the cheapest seals. Paths are absolute. */
  async desk(...args: readonly string[]): Promise<void> {
    const [stdout, stderr] = [sink(), sink()];
    const code = await main(args, {
      host: createHost(),
      stdout: stdout.stream,
      stderr: stderr.stream,
      readStdin: () => new Uint8Array(0),
      env: this.#env,
      scryptLogN: 10,
    });
    const said = `${stdout.bytes().toString()}${stderr.bytes().toString()}`;
    expect(code, `conclave ${args.join(' ')}\n${said}`).toBe(0);
  }

  /** Runs the program to its good end, and gives what it said. */
  succeeded(...args: readonly string[]): string {
    const [node = '', ...rest] = program;
    const done = spawnSync(node, [...rest, ...args], {
      cwd: this.folder,
      env: { PATH: process.env['PATH'], ...this.#env },
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    expect(done.status, `conclave ${args.join(' ')}\n${done.stdout}${done.stderr}`).toBe(0);
    return done.stdout + done.stderr;
  }

  /** Identities, the folder of the ceremony, and who takes part. */
  async prepare(ceremony: string): Promise<void> {
    mkdirSync(this.at('people'));
    for (const { name, passphrase, identity } of actors) {
      if (!identity) continue;
      const slip = this.write('slip', `${passphrase}\n`);
      const out = ['--out', this.at(`people/${fileOf(name)}`)];
      await this.desk(
        ...['identity', 'new', '--name', name, ...out],
        ...['--passphrase-file', this.at(slip)],
      );
      rmSync(this.at(slip));
    }
    await this.desk('ceremony', 'new', ceremony, this.at('acme'));
    const listed = actors.map(({ name, role, identity }) =>
      [
        `  - name: ${name}`,
        `    role: ${role}`,
        `    identity: ${identity ? `../people/${fileOf(name)}.pub` : 'none'}`,
        ...(identity ? ['    level: verified'] : []),
      ].join('\n'),
    );
    writeFileSync(this.at('acme/participants.yaml'), `participants:\n${listed.join('\n')}\n`);
  }

  /** Where the one session lies. */
  get session(): string {
    const [session = ''] = readdirSync(this.at('acme/sessions'));
    return this.at(`acme/sessions/${session}`);
  }

  /** The program in a terminal of 80 by 24. */
  terminal(...args: readonly string[]): Tmux {
    return new Tmux([...program, ...args], { cwd: this.folder, env: this.#env });
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function fileOf(name: string): string {
  return `${name.split(' ')[0]?.toLowerCase() ?? ''}.key`;
}

/** The groups that a read-back shows, by their numbers. */
function groupsOn(screen: Screen): ReadonlyMap<number, string> {
  return new Map(
    [...screen.text.matchAll(/(?<=^|\s)(\d{1,2}) ([0-9a-f]{4})(?=\s|$)/gm)].map(
      ([, number, group]) => [Number(number), group ?? ''] as const,
    ),
  );
}

/** Chooses the entry of a menu that stands so many below the first. */
export function choose(terminal: Tmux, below: number): void {
  for (let i = 0; i < below; i++) terminal.press('Down');
  terminal.press('Enter');
}

/** What is to be typed where groups of a digest are asked for. */
export function groupsAsked(screen: Screen, question: string): string {
  const groups = groupsOn(screen);
  const wanted = /groups ([\d, ]+) of/.exec(question)?.[1] ?? '';
  return wanted
    .split(',')
    .map((number) => groups.get(Number(number)) ?? '?')
    .join(' ');
}

/**
 * What the one who is asked answers who makes no mistake.
 * @throws Error for a question that a ceremony does not usually ask
 */
export function answerRightly(terminal: Tmux, screen: Screen, question: string): void {
  if (/Press Enter/.test(question)) terminal.press('Enter');
  else if (/the same again:|passphrase for/.test(question))
    terminal.answer(asked(question).passphrase);
  else if (/type groups/.test(question)) terminal.answer(groupsAsked(screen, question));
  else if (/serial number/.test(question))
    terminal.answer(`BAG-${1000 + actors.indexOf(asked(question))}`);
  else if (/where is your private identity file/.test(question))
    terminal.answer(`people/${fileOf(asked(question).name)}`);
  else if (/why does the ceremony go on/.test(question))
    terminal.answer('this is a test on a machine that is no laptop');
  // This machine is no laptop in a cage, and says so: the people go on and record why.
  else if (/what now\?/.test(question)) choose(terminal, 1);
  else if (/what do you say of this record/.test(question)) terminal.press('Enter');
  else if (/\(y\/N\)/.test(question)) terminal.answer('y');
  else throw new Error(`nobody knows what to answer to: ${question}\n${screen.text}`);
}

/** The question that waits for an answer, if there is one: the last `?` line and what it goes on with. */
function waiting(screen: Screen): string | undefined {
  const at = screen.rows.findLastIndex((row) => /^[?✔✓√] /.test(row));
  if (at < 0 || !screen.rows[at]?.startsWith('?')) return undefined;
  return screen.rows.slice(at).join(' ').replaceAll(/\s+/g, ' ');
}

/**
 * Leads a ceremony from question to question, and holds every screen to what people can read.
 * @param answer - presses what somebody presses at this question
 * @param talk - questions of a step that asks so many one after another that its heading scrolls away
 * @returns everything that ever stood on the screen
 */
export async function lead(
  terminal: Tmux,
  answer: (screen: Screen, question: string) => Promise<void> | void,
  talk?: RegExp,
): Promise<string> {
  const headless: string[] = [];
  let screen = await terminal.until(
    (now) => now.ended !== undefined || waiting(now) !== undefined,
    'a question or the end',
  );
  for (let count = 0; screen.ended === undefined; count++) {
    expect(count, 'the ceremony asks without end').toBeLessThan(250);
    const question = waiting(screen) ?? '';
    // Whoever answers sees what the question is about: the heading above it has not scrolled away.
    const headed = screen.rows.some((row) => /^-{20,}/.test(row));
    if (!headed && !/Press Enter/.test(question) && talk?.test(question) !== true)
      headless.push(screen.text);
    const { answered } = screen;
    await answer(screen, question);
    screen = await terminal.until((now) => {
      const next = waiting(now);
      return (
        now.ended !== undefined ||
        (next !== undefined &&
          // What was interrupted bears no tick, and what is refused stays where it is, with a word below it.
          (now.answered !== answered || !next.startsWith(question) || / > /.test(next)))
      );
    }, `what follows the answer to: ${question}`);
  }
  expect(screen.ended, screen.text).toBe(0);
  expect(terminal.screens.flatMap(tooWide)).toEqual([]);
  expect(headless).toEqual([]);
  return [terminal.history(), ...terminal.screens.map(({ text }) => text)].join('\n');
}

/** Lines that the screen had to break. */
function tooWide(screen: Screen): readonly string[] {
  return screen.lines.filter((line) => [...line].length > 80);
}
