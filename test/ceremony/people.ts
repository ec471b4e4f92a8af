/** People at the keyboard, as a test plays them: they answer as told, and otherwise do what the script wants of them. */
import { utf8 } from '#formats/bytes';
import { InterruptedError } from '#formats/errors';
import { SecretBytes } from '#formats/secret-bytes';
import type { Answer, QuestionAt, Terminal } from '#terminal/terminal';

/** One question as it was asked. */
export interface Asked {
  readonly kind: 'confirm' | 'text' | 'choose' | 'secret';
  readonly question: string;
  readonly key: string;
  readonly attempt: number;
  /** Values of the choices. */
  readonly choices: readonly string[];
}

/** Answers one question; undefined leaves it to the willing default. */
export type Player = (asked: Asked) => boolean | string | undefined;

/** Somebody answers one question otherwise; all else is as `player` says. */
export function butFor(player: Player, key: string, answer: boolean | string): Player {
  return (asked) => (asked.key === key ? answer : player(asked));
}

/** Stops the play as Ctrl-C would. */
export const CTRL_C = '\u0003';

/** A terminal with people at it, and what it showed and asked. */
export interface PlayedTerminal extends Terminal {
  readonly shown: string[];
  readonly asked: Asked[];
}

/** People who answer as `player` says. Passphrases are `passphrase of <key>` unless told otherwise. */
export function playedTerminal(player: Player = () => undefined): PlayedTerminal {
  const shown: string[] = [];
  const asked: Asked[] = [];
  const ask = (
    kind: Asked['kind'],
    question: string,
    at: QuestionAt,
    choices: readonly string[] = [],
  ): boolean | string | undefined => {
    const each = { kind, question, key: at.key, attempt: at.attempt ?? 1, choices };
    asked.push(each);
    const answer = player(each);
    if (answer === CTRL_C)
      throw new InterruptedError({ code: 'E_INTERRUPTED', message: 'interrupted' });
    return answer;
  };
  const person = <T>(value: T): Answer<T> => ({ value, source: 'person' });
  return {
    interactive: true,
    shown,
    asked,
    say: (text) => void shown.push(text),
    heading: (text, detail) => void shown.push(text, detail ?? ''),
    confirm: async (question, at) => person((ask('confirm', question, at) ?? true) === true),
    text: async (question, at, check) => {
      const given =
        ask('text', question, at) ?? readBack(question, shown) ?? card(question) ?? 'because';
      const problem = check?.(String(given));
      if (problem !== undefined) throw new Error(`${at.key}: ${problem}`);
      return person(String(given));
    },
    choose: async (question, choices, at) => {
      const values = choices.map(({ value }) => value);
      // Who pressed Ctrl-C wanted to leave, unless the test says otherwise.
      const willing = ['file', 'leave'].find((it) => values.includes(it)) ?? values[0];
      return person(String(ask('choose', question, at, values) ?? willing));
    },
    secret: async (question, at) => {
      const person_ = at.key.split('/').slice(2).join('/');
      const given = ask('secret', question, at) ?? `passphrase of ${person_}`;
      if (given === '' || typeof given !== 'string') return undefined;
      return person(SecretBytes.adopt(utf8(given), 'passphrase'));
    },
    progress: (_message, work) => work(),
  };
}

/** The card of a custodian of the shipped ceremony, by the place of the name in its list. */
const CUSTODIANS = ['Cara', 'Cem', 'Chris', 'Cleo', 'Cyd'];

/** Where the text of somebody's card lies. */
function card(question: string): string | undefined {
  if (!question.endsWith('Path of the file:')) return undefined;
  const name = question.split(':')[0] ?? '';
  const number = /^custodian-(\d)$/.exec(name)?.[1] ?? CUSTODIANS.indexOf(name) + 1;
  return `cards-text/card-${number}.txt`;
}

/** The groups that a read-back asks for, from the screen. */
function readBack(question: string, shown: readonly string[]): string | undefined {
  const asked = /type groups ([\d, ]+) of your copy/.exec(question)?.[1];
  if (asked === undefined) return undefined;
  const screen = shown.findLast((text) => text.startsWith('Read aloud')) ?? '';
  const groups = new Map(
    [...screen.matchAll(/(\d+) ([0-9a-f]{4})/g)].map((match) => [match[1], match[2]]),
  );
  return asked
    .split(', ')
    .map((number) => groups.get(number))
    .join(' ');
}
