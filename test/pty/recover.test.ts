/**
 * The recovery as people do it at a real terminal of 80 by 24, in earnest: a wrong answer, a card that cannot be right, wrong unlock
 * words, Ctrl-C with a deviation and an objection, a witness who does not agree in the end; and then what verify and show say of it.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hasProgram, needs, thorough } from '../support/require.js';
import type { Screen, Tmux } from '../support/tmux.js';
import {
  actors,
  answerRightly,
  asked,
  choose,
  custodians,
  groupsAsked,
  lead,
  Premises,
} from './people.js';

const here = needs('tmux', hasProgram('tmux'), 'people need a terminal');

/** The key, its shares and cards: the ceremony of years ago, whose administrator lost what opened the key. */
async function dealt(premises: Premises): Promise<void> {
  const slips = custodians.map(({ passphrase }, i) =>
    premises.at(premises.write(`words-${i + 1}`, `${passphrase}\n`)),
  );
  const [first = ''] = slips;
  await premises.desk(
    ...['key', 'generate', '--name', 'root', '--passphrase-file', first],
    ...['--public-out', premises.at('root.pub')],
  );
  const set = premises.at('old/set.json');
  await premises.desk(
    ...['share', 'split', '--key', 'root', '--passphrase-file', first],
    ...['--threshold', '3', '--shares', '5', '--out-dir', premises.at('old')],
    ...['--seal-passphrase-file', ...slips],
  );
  await premises.desk(
    ...['share', 'print', ...[1, 3, 5].map((i) => premises.at(`old/share-${i}.cbor`))],
    ...['--set', set, '--format', 'text', '--out-dir', premises.at('cards')],
  );
  const card = readFileSync(premises.at('cards/card-1.txt'), 'utf8');
  premises.write(
    'cards/garbled.txt',
    card.replace(
      /^(07 +)(.)/m,
      (_, number: string, letter) => number + (letter === 'Q' ? 'W' : 'Q'),
    ),
  );
}

/** People at the keyboard, some of whom are mistaken once. */
class Room {
  /** Every mistake that was made, with what the screen said of it. */
  readonly mistakes = new Map<string, string>();
  /** What is chosen after Ctrl-C, one menu after the other. */
  readonly #wanted = [1, 2, 0];
  readonly #cards = ['garbled.txt', 'card-1.txt', 'card-3.txt', 'card-5.txt'];

  readonly #premises: Premises;

  constructor(premises: Premises) {
    this.#premises = premises;
  }

  answer(terminal: Tmux, screen: Screen, question: string): void {
    if (/type groups/.test(question) && this.#first('group')) {
      const right = groupsAsked(screen, question);
      terminal.answer(right.replace(/^./, (it) => (it === '0' ? '1' : '0')));
    } else if (question.includes('That is not what stands there')) {
      this.#heard('group', screen);
      terminal.press('C-u');
      terminal.answer(groupsAsked(screen, question));
    } else if (
      /is it so/.test(question) &&
      /Bring the key back/.test(screen.text) &&
      this.#first('interrupted')
    ) {
      terminal.press('C-c');
    } else if (/This step stopped: .*What now/.test(question)) {
      choose(terminal, this.#wanted.shift() ?? 0);
    } else if (/What happened\?/.test(question)) {
      terminal.answer('the lights went out');
    } else if (/Who disagrees\?/.test(question)) {
      choose(
        terminal,
        actors.findIndex(({ name }) => name === 'Hedy Lamarr'),
      );
    } else if (/with what do you disagree/.test(question)) {
      terminal.answer('nobody showed me the order');
    } else if (/What serial/.test(question)) {
      terminal.answer(`BAG-${2000 + actors.indexOf(asked(question))}, whole`);
    } else if (/How does the card come in/.test(question)) {
      if (this.#cards.length === 3) this.#heard('card', screen);
      choose(terminal, 1);
    } else if (/Path of the file/.test(question) && this.#first('path')) {
      terminal.answer('../../../../cards/card-1.txt');
    } else if (question.includes('There is no such file')) {
      this.#heard('path', screen);
      terminal.press('C-u');
      terminal.answer(this.#premises.at(`cards/${this.#cards.shift() ?? ''}`));
    } else if (/Path of the file/.test(question)) {
      const old = this.#cards.shift();
      const i = custodians.findIndex(({ name }) => question.includes(name));
      terminal.answer(
        old === undefined ? `cards/card-${i + 1}.txt` : this.#premises.at(`cards/${old}`),
      );
    } else if (/passphrase for share/.test(question) && this.#first('words')) {
      terminal.answer('nothing of the kind');
    } else if (/what do you say of this record/.test(question) && question.includes('Lise')) {
      choose(terminal, 1);
    } else if (/what is not as recorded/.test(question)) {
      terminal.answer('I could not see the shredder');
    } else {
      if (question.includes('That was not it')) this.#heard('words', screen);
      answerRightly(terminal, screen, question);
    }
  }

  #first(mistake: string): boolean {
    if (this.mistakes.has(mistake)) return false;
    this.mistakes.set(mistake, '');
    return true;
  }

  #heard(mistake: string, { text }: Screen): void {
    if ((this.mistakes.get(mistake) ?? '') === '') this.mistakes.set(mistake, text);
  }
}

describe.skipIf(!here || !thorough)('recover at a terminal of 80 by 24', () => {
  it('is led to its end by people who make mistakes', async () => {
    using premises = new Premises();
    await premises.prepare('recover');
    await dealt(premises);
    writeFileSync(premises.at('order.txt'), 'Sign the release of November.\n');
    const site = ['site: 1', 'bindings:', '  set: ../old/set.json', '  payload: ../order.txt'];
    writeFileSync(premises.at('acme/site.yaml'), `${site.join('\n')}\n`);

    const room = new Room(premises);
    using terminal = premises.terminal('run', 'acme');
    const everything = await lead(
      terminal,
      (screen, question) => {
        room.answer(terminal, screen, question);
      },
      /How does the card come in|Path of the file|passphrase for share/,
    );
    expect(room.mistakes.get('group')).toContain('"no" if it differs');
    expect(room.mistakes.get('path')).toContain('or with a /');
    expect(room.mistakes.get('card')).toContain('line 07');
    expect(room.mistakes.get('words')).toContain('That was not it');
    for (const { passphrase } of actors) expect(everything).not.toContain(passphrase);

    const folder = premises.session;
    const transcript = join(folder, 'transcript.json');
    const pinned = ['--participants', 'acme/participants.yaml'];
    const verdict = premises.succeeded('verify', transcript, ...pinned);
    const [first = ''] = verdict.split('\n');
    expect(first).not.toContain('REHEARSAL');
    expect(first).not.toContain('not pinned');
    expect(first).toContain('1 OBJECTION on the way');
    expect(first).toContain('1 of the participants DISAGREE');
    const shown = premises.succeeded('show', transcript);
    for (const text of [verdict, shown]) {
      expect(text).toContain('the lights went out');
      expect(text).toContain('nobody showed me the order');
      expect(text).toContain('I could not see the shredder');
    }
    // Whoever made the key knows it again by what it signed.
    premises.succeeded(
      ...['verify', '--key', 'root.pub', '--in', 'order.txt'],
      ...['--signature', join(folder, 'artifacts/payload.sig')],
    );
  });
});
