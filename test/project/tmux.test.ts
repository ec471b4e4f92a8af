/** The terminal of the tests, tested: it must see long lines, passwords that are echoed, and how a program ends. */
import { describe, expect, it } from 'vitest';
import { hasProgram, needs } from '../support/require.js';
import { Tmux } from '../support/tmux.js';

const here = needs('tmux', hasProgram('tmux'), 'terminal tests need a terminal');

describe.skipIf(!here)('the terminal of the tests', () => {
  it('has 80 columns and 24 rows, and tells how the program ended', async () => {
    using terminal = new Tmux(['sh', '-c', 'stty size; exit 7']);
    const screen = await terminal.until(({ ended }) => ended !== undefined, 'its end');
    expect(screen.rows[0]).toBe('24 80');
    expect(screen.ended).toBe(7);
  });

  it('sees a line that is longer than the screen', async () => {
    using terminal = new Tmux(['sh', '-c', 'printf "%090d\\n" 1']);
    const screen = await terminal.until(({ ended }) => ended !== undefined, 'its end');
    expect(screen.lines.some((line) => line.length === 90)).toBe(true);
    expect(screen.rows.every((row) => row.length <= 80)).toBe(true);
  });

  it('types answers, quotes and dollars included', async () => {
    using terminal = new Tmux(['sh', '-c', 'printf "name? "; read -r name; echo "is <$name>"'], {
      env: { SOME: "it's $HOME" },
    });
    await terminal.until(({ text }) => text.includes('name?'), 'the question');
    terminal.answer(`O'Neil "$x"; -l`);
    await terminal.until(({ text }) => text.includes(`is <O'Neil "$x"; -l>`), 'the answer');
  });
});
