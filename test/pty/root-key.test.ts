/**
 * The root key ceremony as people do it: eight of them at one keyboard, a real terminal of 80 by 24, a slip of the finger,
 * and at the end a transcript that verifies against the list of people who should have been there.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hasProgram, needs } from '../support/require.js';
import type { Screen, Tmux } from '../support/tmux.js';
import { actors, answerRightly, asked, choose, custodians, lead, Premises } from './people.js';

const here = needs('tmux', hasProgram('tmux'), 'people need a terminal');

/** Chooses a passphrase that is too weak, and a better one when told. */
const JOAN = 'Joan Clarke';

/** Too short, and never what a share is sealed by in the end. */
const WEAK = 'sunshine';

/** People at the keyboard: one mistypes once, one chooses a weak passphrase first, one types the lines of their card. */
class Room {
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

  readonly #premises: Premises;

  constructor(premises: Premises) {
    this.#premises = premises;
  }

  async answer(terminal: Tmux, screen: Screen, question: string): Promise<void> {
    this.#look(terminal, question);
    if (/Lise Meitner: is it so|Ada Lovelace: is it so/.test(question) && !this.#pressed) {
      this.#pressed = true;
      terminal.press('C-c');
    } else if (/This step stopped: .*What now/.test(question)) {
      choose(terminal, this.#wanted.shift() ?? 0);
    } else if (/What happened\?/.test(question)) {
      terminal.answer('somebody knocked at the door');
    } else if (/Who disagrees\?/.test(question)) {
      // The last of the list: from the first choice one does not go up.
      choose(terminal, actors.length - 1);
    } else if (/with what do you disagree/.test(question)) {
      terminal.answer('the door was open');
    } else if (
      question.includes(JOAN) &&
      this.#weakTyped < 2 &&
      /passphrase|again/.test(question)
    ) {
      this.#weakTyped++;
      terminal.answer(WEAK);
    } else if (/the same again:/.test(question)) {
      const { name, passphrase } = asked(question);
      const wrong = this.#slips++ === 0;
      if (wrong) this.#pending = name;
      terminal.answer(wrong ? `${passphrase}x` : passphrase);
    } else if (/How does the card come in/.test(question) && this.card.length === 0) {
      terminal.press('Enter');
      await terminal.until(({ text }) => text.includes('scan, or line 01'), 'the first line');
      const text = join(this.#premises.session, 'artifacts/cards-text/card-1.txt');
      for (const line of readFileSync(text, 'utf8').split('\n')) {
        if (!/^\d\d {2}/.test(line)) continue;
        this.card.push(line);
        terminal.answer(line);
      }
    } else if (/How does the card come in/.test(question)) {
      choose(terminal, 1);
    } else if (/Path of the file/.test(question)) {
      terminal.answer(`cards-text/card-${custodians.indexOf(asked(question)) + 1}.txt`);
    } else {
      if (/new passphrase for/.test(question) && asked(question).name === this.#pending) {
        this.askedAgain = /differ/.test(screen.text);
        this.#pending = undefined;
      }
      answerRightly(terminal, screen, question);
    }
  }

  /** Looks for what another person typed or was told. */
  #look(terminal: Tmux, question: string): void {
    if (this.#weakTyped === 0 && this.card.length === 0) return;
    const history = terminal.history();
    if (history.includes('That passphrase is weak') && !question.includes(JOAN)) {
      this.leaks.push(`what was said to ${JOAN}, at: ${question}`);
    }
    for (const line of this.card) {
      if (history.includes(line)) this.leaks.push(`${line}, at: ${question}`);
    }
  }
}

describe.skipIf(!here)('root-key at a terminal of 80 by 24', () => {
  it('is led from start to end by people', async () => {
    using premises = new Premises();
    await premises.prepare('root-key');
    const room = new Room(premises);
    using terminal = premises.terminal('run', 'acme');
    const everything = await lead(terminal, (screen, question) =>
      room.answer(terminal, screen, question),
    );
    expect(room.askedAgain, 'a passphrase typed differently the second time is asked again').toBe(
      true,
    );
    expect(room.leaks, 'what one person saw or typed is gone when the next sits down').toEqual([]);
    expect(room.card.length).toBeGreaterThan(15);
    expect(everything).toContain('That passphrase is weak');
    for (const secret of [WEAK, ...actors.map(({ passphrase }) => passphrase)])
      expect(everything).not.toContain(secret);

    const folder = premises.session;
    const pinned = ['--participants', 'acme/participants.yaml'];
    const verdict = JSON.parse(premises.succeeded('verify', folder, ...pinned, '--json')) as {
      readonly ok: boolean;
    };
    expect(verdict.ok).toBe(true);
    const said = premises.succeeded('verify', 'acme');
    expect(said).not.toContain('not pinned');
    expect(said).toContain('1 OBJECTION on the way');
    const shown = premises.succeeded('show', join(folder, 'transcript.json'));
    for (const text of [said, shown]) {
      expect(text).toContain('the door was open');
      expect(text).toContain('somebody knocked at the door');
    }
    const minutes = readFileSync(join(folder, 'minutes.md'), 'utf8');
    for (const { name } of actors) expect(minutes).toContain(name);
  });
});
