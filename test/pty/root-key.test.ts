/**
 * The root key ceremony as people do it: eight of them at one keyboard, a real terminal of 80 by 24, a slip of the finger,
 * and at the end a transcript that verifies against the list of people who should have been there.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasProgram, needs, root } from '../support/require.js';
import { type Screen, Tmux } from '../support/tmux.js';

const here = needs('tmux', hasProgram('tmux'), 'people need a terminal');
const program = [process.execPath, join(root, 'bin/conclave.js')];

/** A person of this test; the others of the list are custodians without an identity, who choose a passphrase. */
interface Actor {
  readonly name: string;
  readonly role: 'administrator' | 'custodian' | 'witness';
  readonly passphrase: string;
  readonly identity: boolean;
}

const actors: readonly Actor[] = [
  { name: 'Ada Lovelace', role: 'administrator', passphrase: 'engine of brass', identity: true },
  { name: 'Grace Hopper', role: 'custodian', passphrase: 'a moth in relay 70', identity: true },
  { name: 'Alan Turing', role: 'custodian', passphrase: 'tape without end', identity: true },
  {
    name: 'Emmy Noether',
    role: 'custodian',
    passphrase: 'marble orchid tundra velvet sparrow lantern',
    identity: false,
  },
  {
    name: 'Joan Clarke',
    role: 'custodian',
    passphrase: 'copper meadow violin harbor thistle comet',
    identity: false,
  },
  {
    name: 'Hedy Lamarr',
    role: 'custodian',
    passphrase: 'walnut glacier pepper satchel rhythm falcon',
    identity: false,
  },
  { name: 'Marie Curie', role: 'witness', passphrase: 'a glow in the shed', identity: true },
  { name: 'Lise Meitner', role: 'witness', passphrase: 'snow in december', identity: true },
];

/** Chooses a passphrase that is too weak, and a better one when told. */
const JOAN = 'Joan Clarke';

let work: string;
let env: Record<string, string>;

beforeAll(() => {
  work = mkdtempSync(join(tmpdir(), 'conclave-room-'));
  env = { HOME: work, CONCLAVE_HOME: join(work, 'home'), LANG: 'C.UTF-8' };
});
afterAll(() => {
  rmSync(work, { recursive: true, force: true });
});

function conclave(...args: readonly string[]): {
  readonly status: number | null;
  readonly text: string;
} {
  const [node = '', ...rest] = program;
  const done = spawnSync(node, [...rest, ...args], {
    cwd: work,
    env: { PATH: process.env['PATH'], ...env },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return { status: done.status, text: done.stdout + done.stderr };
}

function succeeded(...args: readonly string[]): string {
  const { status, text } = conclave(...args);
  expect(status, `conclave ${args.join(' ')}\n${text}`).toBe(0);
  return text;
}

const fileOf = (name: string): string => `${name.split(' ')[0]?.toLowerCase() ?? ''}.key`;

/** Identities, the ceremony's folder, and who takes part: what is done at the desk the day before. */
function prepare(): void {
  mkdirSync(join(work, 'people'));
  for (const { name, passphrase, identity } of actors) {
    if (!identity) continue;
    const slip = join(work, 'slip');
    writeFileSync(slip, `${passphrase}\n`, { mode: 0o600 });
    succeeded(
      ...['identity', 'new', '--name', name, '--out', `people/${fileOf(name)}`],
      ...['--passphrase-file', slip],
    );
    rmSync(slip);
  }
  succeeded('ceremony', 'new', 'root-key', 'acme');
  const listed = actors.map(({ name, role, identity }) =>
    [
      `  - name: ${name}`,
      `    role: ${role}`,
      `    identity: ${identity ? `../people/${fileOf(name)}.pub` : 'none'}`,
      ...(identity ? ['    level: verified'] : []),
    ].join('\n'),
  );
  writeFileSync(join(work, 'acme/participants.yaml'), `participants:\n${listed.join('\n')}\n`);
}

/** What this test knows about the person who is being asked. */
function asked(question: string): Actor {
  const actor = actors.find(({ name }) => question.includes(name));
  if (actor === undefined) throw new Error(`nobody is named in: ${question}`);
  return actor;
}

/** The groups that a read-back shows, by their numbers. */
function groupsOn(screen: Screen): ReadonlyMap<number, string> {
  return new Map(
    [...screen.text.matchAll(/(?<=^|\s)(\d{1,2}) ([0-9a-f]{4})(?=\s|$)/gm)].map(
      ([, number, group]) => [Number(number), group ?? ''] as const,
    ),
  );
}

/** Too short, and never what a share is sealed by in the end. */
const WEAK = 'sunshine';

/**
 * People at the keyboard: what they press when the screen asks. One of them mistypes once, one chooses a weak passphrase first,
 * one types the lines of the own card.
 */
class Room {
  readonly questions: string[] = [];
  #slips = 0;
  #pending: string | undefined;
  #weakTyped = 0;

  /** Lines of a card as they were typed. */
  readonly card: string[] = [];
  /** What stood on the screen when it was another person's turn. */
  readonly leaks: string[] = [];

  /** What is chosen after Ctrl-C, one menu after the other: how often Down is pressed. */
  readonly #wanted = [1, 2, 0];
  #pressed = false;

  /** Whether the slip was noticed and asked again. */
  askedAgain = false;

  async answer(terminal: Tmux, screen: Screen, question: string): Promise<void> {
    this.questions.push(question);
    const history = terminal.history();
    if (history.includes('That passphrase is weak') && !question.includes(JOAN)) {
      this.leaks.push(`what was said to ${JOAN}, at: ${question}`);
    }
    for (const line of this.card) {
      if (history.includes(line)) this.leaks.push(`${line}, at: ${question}`);
    }
    if (/Lise Meitner: is it so|Ada Lovelace: is it so/.test(question) && !this.#pressed) {
      this.#pressed = true;
      terminal.press('C-c');
    } else if (/This step stopped: .*What now/.test(question)) {
      for (let i = this.#wanted.shift() ?? 0; i > 0; i--) terminal.press('Down');
      terminal.press('Enter');
    } else if (/What happened\?/.test(question)) {
      terminal.answer('somebody knocked at the door');
    } else if (/Who disagrees\?/.test(question)) {
      // The last of the list: from the first choice one does not go up.
      for (let i = 1; i < actors.length; i++) terminal.press('Down');
      terminal.press('Enter');
    } else if (/with what do you disagree/.test(question)) {
      terminal.answer('the door was open');
    } else if (/Press Enter/.test(question)) {
      terminal.press('Enter');
    } else if (
      question.includes(JOAN) &&
      this.#weakTyped < 2 &&
      /passphrase|again/.test(question)
    ) {
      this.#weakTyped++;
      terminal.answer(WEAK);
    } else if (/the same again:/.test(question)) {
      const { passphrase } = asked(question);
      const wrong = this.#slips++ === 0;
      if (wrong) this.#pending = asked(question).name;
      terminal.answer(wrong ? `${passphrase}x` : passphrase);
    } else if (/new passphrase for/.test(question)) {
      const { name, passphrase } = asked(question);
      if (this.#pending === name) {
        this.askedAgain = /differ/.test(screen.text);
        this.#pending = undefined;
      }
      terminal.answer(passphrase);
    } else if (/passphrase for/.test(question)) {
      terminal.answer(asked(question).passphrase);
    } else if (/type groups/.test(question)) {
      const groups = groupsOn(screen);
      const wanted = /groups ([\d, ]+) of/.exec(question)?.[1] ?? '';
      terminal.answer(
        wanted
          .split(',')
          .map((number) => groups.get(Number(number)) ?? '?')
          .join(' '),
      );
    } else if (/serial number/.test(question)) {
      terminal.answer(`BAG-${1000 + actors.indexOf(asked(question))}`);
    } else if (/How does the card come in/.test(question) && this.card.length === 0) {
      terminal.press('Enter');
      await terminal.until(({ text }) => text.includes('scan, or line 01'), 'the first line');
      const [session = ''] = readdirSync(join(work, 'acme/sessions'));
      const text = join(work, 'acme/sessions', session, 'artifacts/cards-text/card-1.txt');
      for (const line of readFileSync(text, 'utf8').split('\n')) {
        if (!/^\d\d {2}/.test(line)) continue;
        this.card.push(line);
        terminal.answer(line);
      }
    } else if (/How does the card come in/.test(question)) {
      terminal.press('Down');
      terminal.press('Enter');
    } else if (/Path of the file/.test(question)) {
      const custodians = actors.filter(({ role }) => role === 'custodian');
      terminal.answer(`cards-text/card-${custodians.indexOf(asked(question)) + 1}.txt`);
    } else if (/where is your private identity file/.test(question)) {
      terminal.answer(`people/${fileOf(asked(question).name)}`);
    } else if (/why does the ceremony go on/.test(question)) {
      terminal.answer('this is a test on a machine that is no laptop');
    } else if (/what now\?/.test(question)) {
      // This machine is no laptop in a cage, and says so: the people go on and record why.
      terminal.press('Down');
      terminal.press('Enter');
    } else if (/what do you say of this record/.test(question)) {
      terminal.press('Enter');
    } else if (/\(y\/N\)/.test(question)) {
      terminal.answer('y');
    } else {
      throw new Error(`nobody knows what to answer to: ${question}\n${screen.text}`);
    }
  }
}

/** The question that waits for an answer, if there is one: the last `?` line and what it goes on with. */
function waiting(screen: Screen): string | undefined {
  const at = screen.rows.findLastIndex((row) => /^[?✔✓√] /.test(row));
  if (at < 0 || !screen.rows[at]?.startsWith('?')) return undefined;
  return screen.rows.slice(at).join(' ').replaceAll(/\s+/g, ' ');
}

/** How many questions have been answered so far: the prompt then bears a tick. */
function answers(terminal: Tmux): number {
  return terminal
    .history()
    .split('\n')
    .filter((line) => /^[✔✓√]/.test(line)).length;
}

/** Why a screen could not be read by the people in the room. */
function unreadable(screen: Screen): readonly string[] {
  const problems: string[] = [];
  for (const line of screen.lines) {
    if ([...line].length > 80) problems.push(`longer than the screen: ${line}`);
  }
  return problems;
}

describe.skipIf(!here)('root-key at a terminal of 80 by 24', () => {
  it('is led from start to end by people', async () => {
    prepare();
    const room = new Room();
    using terminal = new Tmux([...program, 'run', 'acme'], { cwd: work, env });
    const headless: string[] = [];
    for (;;) {
      const screen = await terminal.until(
        (now) => now.ended !== undefined || waiting(now) !== undefined,
        'a question or the end',
      );
      if (screen.ended !== undefined) break;
      const question = waiting(screen) ?? '';
      // Whoever answers sees what the question is about: the heading above it has not scrolled away.
      if (!screen.rows.some((row) => /^-{20,}/.test(row)) && !/Press Enter/.test(question)) {
        headless.push(screen.text);
      }
      const before = answers(terminal);
      await room.answer(terminal, screen, question);
      // Where the next person sits down the screen was wiped, and the count begins anew.
      await terminal.until(
        (now) =>
          now.ended !== undefined ||
          answers(terminal) !== before ||
          // What was interrupted bears no tick.
          (waiting(now) ?? question) !== question,
        `that this answer was taken: ${question}`,
      );
      expect(room.questions.length, 'the ceremony asks without end').toBeLessThan(200);
    }

    const last = terminal.read();
    expect(last.ended, last.text).toBe(0);
    expect(terminal.screens.flatMap(unreadable)).toEqual([]);
    expect(headless).toEqual([]);
    expect(room.askedAgain, 'a passphrase typed differently the second time is asked again').toBe(
      true,
    );

    expect(room.leaks, 'what one person saw or typed is gone when the next sits down').toEqual([]);
    expect(room.card.length).toBeGreaterThan(15);
    const everything = [terminal.history(), ...terminal.screens.map(({ text }) => text)].join('\n');
    expect(everything).toContain('That passphrase is weak');
    for (const secret of [WEAK, ...actors.map(({ passphrase }) => passphrase)])
      expect(everything).not.toContain(secret);

    const [session = ''] = readdirSync(join(work, 'acme/sessions'));
    const folder = join(work, 'acme/sessions', session);
    const verdict = JSON.parse(
      succeeded('verify', folder, '--participants', 'acme/participants.yaml', '--json'),
    ) as { readonly ok: boolean };
    expect(verdict.ok).toBe(true);
    const said = succeeded('verify', 'acme');
    expect(said).not.toContain('not pinned');
    expect(said).toContain('1 OBJECTION on the way');
    expect(said).toContain('the door was open');
    expect(said).toContain('somebody knocked at the door');
    const minutes = readFileSync(join(folder, 'minutes.md'), 'utf8');
    for (const { name } of actors) expect(minutes).toContain(name);
  }, 240_000);
});
