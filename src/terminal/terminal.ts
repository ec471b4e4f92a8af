/**
 * People at the keyboard, as an interface: the prompts of a real terminal, an answers file, or a test stand behind it.
 * Rules of the house's terminal: conversation on stderr, nothing secret echoed, no meaning in colour alone, every screen
 * within 80 by 24, Ctrl-C always leaves the terminal as it was (InterruptedError, exit 130).
 */
import type { SecretBytes } from '#formats/secret-bytes';

/** How an answer came about; the transcript grades it. */
export type AnswerSource = 'person' | 'unattended';

/** An answer and where it came from. */
export interface Answer<T> {
  readonly value: T;
  readonly source: AnswerSource;
}

/** Where in a script a question stands; an answers file is keyed by it. */
export interface QuestionAt {
  /** `act/step` or `act/step/person`; empty outside ceremonies. */
  readonly key: string;
  /** Counts how often the same secret was asked for, from 1; a file's single secret is not offered twice. */
  readonly attempt?: number;
}

/** Conversation with people. */
export interface Terminal {
  /** Whether questions can be asked at all. */
  readonly interactive: boolean;
  /** Lines of conversation. */
  say(text: string): void;
  /** A headed screen: where we are, who acts, what is about to happen. */
  heading(text: string, detail?: string): void;
  confirm(question: string, at: QuestionAt): Promise<Answer<boolean>>;
  text(
    question: string,
    at: QuestionAt,
    check?: (value: string) => string | undefined,
  ): Promise<Answer<string>>;
  choose(
    question: string,
    choices: readonly { readonly value: string; readonly label: string }[],
    at: QuestionAt,
  ): Promise<Answer<string>>;
  /** Not echoed. `undefined` when there is nothing (more) to offer. */
  secret(question: string, at: QuestionAt): Promise<Answer<SecretBytes> | undefined>;
  /**
   * Lines as they are typed, pasted or scanned, shown while they are typed, until nobody asks for more or Ctrl-D; absent where
   * lines come one question at a time.
   */
  lines?(prompt: () => string): AsyncIterable<string>;
  /** Wipes screen and scrollback, before and after one person sits alone before it; absent where nothing is on a screen. */
  clear?(): void;
  /**
   * Begins to show how far work is, on one line that is drawn anew in its place until it is disposed; absent where nothing may
   * move.
   * @param title - what is done, in a word
   * @param about - to what
   */
  gauge?(title: string, about: string): Disposable & { show(part: number): void };
  /** Shows work in progress, on a terminal only. */
  progress<T>(message: string, work: () => Promise<T>): Promise<T>;
}
