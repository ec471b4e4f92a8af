/**
 * A real terminal for tests: tmux with nobody in front of it. Screens are read as a person would see them, keys are sent as
 * a person would press them. Every screen that was ever read is kept, so that a test can judge them all.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** How the terminal is set up. */
export interface TerminalOptions {
  readonly columns?: number;
  readonly rows?: number;
  readonly cwd?: string;
  /** The whole environment of the program, besides TERM and PATH. */
  readonly env?: Readonly<Record<string, string>>;
}

/** One reading of the screen. */
export interface Screen {
  /** Rows as shown, without trailing blanks. */
  readonly rows: readonly string[];
  /** The same with wrapped rows joined: a line longer than the screen was too long for it. */
  readonly lines: readonly string[];
  readonly text: string;
  /** How many questions bear a tick, since the screen was last wiped. */
  readonly answered: number;
  /** Exit status once the program has ended. */
  readonly ended: number | undefined;
}

let count = 0;

/** A program running in a terminal of its own. */
export class Tmux implements Disposable {
  /** Every distinct screen so far, in order. */
  readonly screens: Screen[] = [];
  readonly #server: string;
  readonly #folder: string;
  readonly #ended: string;

  constructor(command: readonly string[], options: TerminalOptions = {}) {
    const { columns = 80, rows = 24, cwd = tmpdir(), env = {} } = options;
    this.#server = `conclave-test-${process.pid}-${count++}`;
    this.#folder = mkdtempSync(join(tmpdir(), 'conclave-tmux-'));
    this.#ended = join(this.#folder, 'ended');
    const settings = join(this.#folder, 'tmux.conf');
    writeFileSync(settings, 'set -g status off\nset -g history-limit 5000\nset -g escape-time 0\n');
    const environment = { PATH: process.env['PATH'] ?? '', ...env };
    const assignments = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
    const program = [...assignments, ...command].map(quoted).join(' ');
    // The shell stays when the program ends: tmux's own word about that would scroll the last screen away.
    const start = [
      'trap : INT',
      `env -i TERM="$TERM" ${program}`,
      `echo $? >${quoted(this.#ended)}`,
      'sleep 600',
    ].join('; ');
    this.#tmux(
      ['-f', settings, 'new-session', '-d', '-s', 'main', '-c', cwd],
      ['-x', String(columns), '-y', String(rows), 'sh', '-c', start],
    );
  }

  /** Types text, literally. */
  type(text: string): void {
    this.#tmux(['send-keys', '-t', 'main', '-l', '--', text]);
  }

  /** Presses a key by tmux's name for it: `Enter`, `Down`, `C-c`. */
  press(key: string): void {
    this.#tmux(['send-keys', '-t', 'main', key]);
  }

  /** Types a line and ends it, in one go: nobody sees it typed and not yet ended. */
  answer(text: string): void {
    if (text === '') this.press('Enter');
    else {
      this.#tmux(
        ['send-keys', '-t', 'main', '-l', '--', text, ';'],
        ['send-keys', '-t', 'main', 'Enter'],
      );
    }
  }

  /** The screen as it is now. */
  read(): Screen {
    // First the end, then the screen: what the program said last is then surely on it.
    const status = existsSync(this.#ended) ? readFileSync(this.#ended, 'utf8').trim() : '';
    const [rows = [], lines = [], all = []] = this.#capture([], ['-J'], ['-J', '-S', '-']);
    const screen = {
      rows,
      lines,
      text: rows.join('\n'),
      answered: all.filter((line) => /^[✔✓√]/.test(line)).length,
      ended: status === '' ? undefined : Number(status),
    };
    if (this.screens.at(-1)?.text !== screen.text) this.screens.push(screen);
    return screen;
  }

  /** Everything that was ever shown, what scrolled away included. */
  history(): string {
    return (this.#capture(['-S', '-', '-J'])[0] ?? []).join('\n');
  }

  /**
   * Waits until the screen satisfies a condition and has stopped changing.
   * @throws Error with the screen when it does not in time
   */
  async until(
    condition: (screen: Screen) => boolean,
    what: string,
    timeoutMs = 60_000,
  ): Promise<Screen> {
    const end = Date.now() + timeoutMs;
    let before: string | undefined;
    for (;;) {
      const screen = this.read();
      const steady = screen.text === before;
      if (condition(screen) && (steady || screen.ended !== undefined)) return screen;
      if (Date.now() > end) {
        throw new Error(`the screen never showed ${what}; it shows:\n${screen.text}`);
      }
      before = screen.text;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }

  [Symbol.dispose](): void {
    spawnSync('tmux', ['-L', this.#server, 'kill-server']);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** The pane as each set of flags shows it, of one moment: starting tmux costs more than what it does. */
  #capture(...views: readonly (readonly string[])[]): readonly (readonly string[])[] {
    const mark = `~~~ ${this.#server} ~~~`;
    const text = this.#tmux(
      ...views.flatMap((flags) => [
        ['capture-pane', '-p', '-t', 'main', ...flags, ';'],
        ['display-message', '-p', '-t', 'main', mark, ';'],
      ]),
    );
    return text
      .split(`${mark}\n`)
      .slice(0, views.length)
      .map((view) =>
        view
          .replace(/\n+$/, '')
          .split('\n')
          .map((line) => line.trimEnd()),
      );
  }

  #tmux(...args: readonly (readonly string[])[]): string {
    const done = spawnSync('tmux', ['-L', this.#server, ...args.flat()], { encoding: 'utf8' });
    if (done.status !== 0) throw new Error(`tmux ${args.flat().join(' ')}: ${done.stderr}`);
    return done.stdout;
  }
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
