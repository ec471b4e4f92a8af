/**
 * Answers from a file stand in for people: in rehearsals, in CI, and where a definition is unattended. What they answer is
 * graded `unattended` and never passes for a person's word. Secrets are references to passphrase files only.
 * @see docs/spec/definition.md
 */
import { fromUtf8, utf8 } from '#formats/bytes';
import { UsageError } from '#formats/errors';
import { SecretBytes } from '#formats/secret-bytes';
import { speech } from './plain.js';
import type { Answer, QuestionAt, Terminal } from './terminal.js';

/** One answer. A secret is named by the file that holds it. */
export type GivenAnswer =
  | { readonly confirm: boolean }
  | { readonly text: string }
  | { readonly choice: string }
  | { readonly passphraseFile: string };

/** Answers by `act/step` or `act/step/person`. A single one answers every time, a list question by question. */
export type GivenAnswers = Readonly<Record<string, GivenAnswer | readonly GivenAnswer[]>>;

/** What stands behind a terminal over an answers file. */
export interface AnswersOptions {
  readonly answers: GivenAnswers;
  /** How errors name the file, as typed. */
  readonly name: string;
  /** Reads a passphrase file; its bytes are wiped here after use. */
  readonly readFile: (path: string) => Uint8Array;
  /** Writes one line of conversation. */
  readonly line: (text: string) => void;
}

/** A terminal over answers that also knows which of them nobody asked for. */
export interface AnswersTerminal extends Terminal {
  /** Keys that no question asked for so far: probably misspelt. */
  unused(): readonly string[];
}

/**
 * A terminal whose people are a file.
 * @returns one whose answers are graded `unattended`; questions throw {@link UsageError} `E_ANSWER_MISSING` (no answer for
 * the key, named as written in the file) or `E_ANSWER_UNFIT` (refused by the question's own check)
 */
export function answersTerminal({
  answers,
  name,
  readFile,
  line,
}: AnswersOptions): AnswersTerminal {
  const asked = new Map<string, number>();

  /** The next answer under a key; undefined when there is none, or none left. */
  const next = (key: string): GivenAnswer | undefined => {
    const times = asked.get(key) ?? 0;
    asked.set(key, times + 1);
    const given = Object.hasOwn(answers, key) ? answers[key] : undefined;
    return isList(given) ? given[times] : given;
  };
  const demand = (kind: Kind, question: string, at: QuestionAt): GivenAnswer => {
    const given = next(at.key);
    if (given === undefined) throw missing(name, kind, question, at);
    return given;
  };

  return {
    interactive: false,
    ...speech(line),
    confirm: (question, at) =>
      promise(() => {
        const given = demand('confirm', question, at);
        if (!('confirm' in given)) throw unfit(name, at, '"confirm" was expected');
        return unattended(given.confirm);
      }),
    text: (question, at, check) =>
      promise(() => {
        const given = demand('text', question, at);
        if (!('text' in given)) throw unfit(name, at, '"text" was expected');
        const problem = check?.(given.text);
        if (problem !== undefined) throw unfit(name, at, problem);
        return unattended(given.text);
      }),
    choose: (question, choices, at) =>
      promise(() => {
        const given = demand('choice', question, at);
        if (!('choice' in given)) throw unfit(name, at, '"choice" was expected');
        if (!choices.some(({ value }) => value === given.choice)) {
          const allowed = choices.map(({ value }) => value).join(', ');
          throw unfit(name, at, `one of these was expected: ${allowed}`);
        }
        return unattended(given.choice);
      }),
    secret: (question, at) =>
      promise(() => {
        const again = (at.attempt ?? 1) > 1;
        // The same single secret would be as wrong the second time.
        if (again && !isList(answers[at.key])) return undefined;
        const given = again ? next(at.key) : demand('passphrase-file', question, at);
        if (given === undefined) return undefined;
        if (!('passphraseFile' in given)) throw unfit(name, at, '"passphrase-file" was expected');
        const file = given.passphraseFile;
        return unattended(readPassphrase(readFile(file), file));
      }),
    progress: (_message, work) => work(),
    unused: () => Object.keys(answers).filter((key) => !asked.has(key)),
  };
}

/**
 * The passphrase in a file's bytes: one final LF or CRLF removed, text in Unicode form NFKC. Wipes `bytes`.
 * @returns owned: the caller disposes it
 * @throws InputError `E_UTF8_MALFORMED`
 */
export function readPassphrase(bytes: Uint8Array, what: string): SecretBytes {
  try {
    const text = fromUtf8(bytes, what).replace(/\r?\n$/, '');
    return SecretBytes.adopt(utf8(text.normalize('NFKC')), 'passphrase');
  } finally {
    bytes.fill(0);
  }
}

/** How an answers file spells the kinds. */
type Kind = 'confirm' | 'text' | 'choice' | 'passphrase-file';

function isList(
  given: GivenAnswer | readonly GivenAnswer[] | undefined,
): given is readonly GivenAnswer[] {
  return Array.isArray(given);
}

function unattended<T>(value: T): Answer<T> {
  return { value, source: 'unattended' };
}

/** Questions answer or fail by promise, never by a synchronous throw. */
function promise<T>(work: () => T): Promise<T> {
  return new Promise((resolve) => {
    resolve(work());
  });
}

function missing(name: string, kind: Kind, question: string, at: QuestionAt): UsageError {
  return new UsageError({
    code: 'E_ANSWER_MISSING',
    message: `${name} does not answer ${JSON.stringify(at.key)}: ${JSON.stringify(question)}`,
    hint: `add ${JSON.stringify(at.key)} with ${JSON.stringify(`${kind}:`)} to the answers file`,
    details: { key: at.key, kind },
  });
}

function unfit(name: string, at: QuestionAt, problem: string): UsageError {
  return new UsageError({
    code: 'E_ANSWER_UNFIT',
    message: `${name}: the answer for ${JSON.stringify(at.key)} does not fit: ${problem}`,
    hint: 'correct it in the answers file',
    details: { key: at.key },
  });
}
