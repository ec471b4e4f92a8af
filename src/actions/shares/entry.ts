/**
 * One card as it comes in line by line, from fingers, a scanner or a paste: lines in any order, each checked at once; the text
 * of a code, whole or in parts; SLIP-39 words. Nothing is written anywhere; what was typed is never repeated.
 */
import { cardPlaceOf } from '#carriage/transport/card-text';
import { FountainDecoder } from '#carriage/transport/fountain-decoder';
import {
  joinLines,
  type LineKind,
  lineNumber,
  looksLikeLine,
  missingLines,
  readLine,
} from '#carriage/transport/line-code';
import { decodeFilePayload, FILE_UR_TYPE, MAX_FILE_BYTES } from '#carriage/transport/payload';
import { decodeUr, looksLikeUr } from '#carriage/transport/ur';
import { sha256 } from '#crypto/hash';
import { utf8 } from '#formats/bytes';
import { ConclaveError, InputError } from '#formats/errors';
import { type BoundPackage, decodeBoundPackage } from '#protocols/sharing/bound-package';
import { decodeShare } from '#protocols/sharing/envelope';
import { readSharePrefix, type SharePrefix } from '#protocols/sharing/share-prefix';
import { decodeMnemonic, looksLikeMnemonic } from '#protocols/sharing/slip39-mnemonic';
import { SLIP39_WORDS } from '#protocols/sharing/slip39-words';

/** What became of a line. */
export type Entered =
  | { readonly kind: 'more'; readonly say: string | undefined }
  /** A whole share: a share file, or the words of one. The receiver owns the bytes. */
  | { readonly kind: 'share'; readonly bytes: Uint8Array }
  | { readonly kind: 'package'; readonly carried: BoundPackage }
  /** The card does not belong; what was typed of it is forgotten. */
  | { readonly kind: 'odd'; readonly say: string };

/** Says what is wrong with a card by its beginning; undefined when nothing is. */
export type PrefixCheck = (prefix: SharePrefix) => string | undefined;

/** What somebody means as a line of a card, even if it is mistyped: its number, and at least three groups. */
const LINE_SHAPE = /^P?\d{1,3}\s+(?:[0-9A-Za-z]{4}\s+){2}[0-9A-Za-z]{4}\b/;

/** Cards as they are entered, one after another. */
export class CardEntry {
  readonly #check: PrefixCheck;
  readonly #lines = new Map<LineKind, Map<number, Uint8Array | readonly number[]>>();
  #parts: FountainDecoder | undefined;
  /** Whether the card under way was found odd: what still comes of it is passed over until another begins. */
  #passing = false;
  /** Whether what comes is the text around the lines of a card that was pasted whole: people read it, and nothing is taken from it. */
  #around = false;

  /** @param check - sees the beginning of each card as soon as it is there */
  constructor(check: PrefixCheck) {
    this.#check = check;
  }

  /** Whether a card was begun. */
  get begun(): boolean {
    return this.#lines.size > 0 || this.#parts !== undefined;
  }

  /** What is asked for next. */
  get prompt(): string {
    const words = this.#lines.get('words');
    const lines = words ?? this.#lines.get('share');
    if (lines === undefined) return 'scan, or line 01';
    const [missing] = missingLines(lines);
    return `line ${String(missing ?? lines.size + 1).padStart(2, '0')}`;
  }

  /** Forgets what was entered of the card under way. */
  forget(): void {
    for (const lines of this.#lines.values()) {
      for (const data of lines.values()) if (data instanceof Uint8Array) data.fill(0);
    }
    this.#lines.clear();
    this.#parts = undefined;
    this.#passing = false;
  }

  /** Takes one line in. Never throws for what somebody typed. */
  take(text: string): Entered {
    const line = text.trim();
    if (this.#isAround(line)) return more(undefined);
    try {
      if (line === '' || /^[-=#]/.test(line)) return more(undefined);
      if (looksLikeUr(line)) return this.#code(line);
      if (looksLikeMnemonic(line)) return this.#mnemonic(line);
      if (!looksLikeLine(line)) return more('That is no line of a card, and no code of one.');
      return this.#line(line);
    } catch (error) {
      if (!(error instanceof ConclaveError)) throw error;
      return more(
        `${sentence(error.message)}${error.hint === undefined ? '' : ` ${sentence(error.hint)}`}`,
      );
    }
  }

  /** From its heading to its first line, and from its last to its foot, a card is prose; a line or a code ends that too. */
  #isAround(line: string): boolean {
    const place = cardPlaceOf(line);
    if (place !== undefined) this.#around = place === 'heading' || place === 'end';
    else if (looksLikeUr(line) || LINE_SHAPE.test(line)) this.#around = false;
    return this.#around || place !== undefined;
  }

  #line(line: string): Entered {
    const typed = readLine(line, SLIP39_WORDS);
    if (!typed.ok) return more(sentence(typed.problem));
    const { kind, number, data } = typed;
    if (this.#passing && number !== 1) return more(undefined);
    this.#passing = false;
    const other = kind === 'share' ? 'words' : kind === 'words' ? 'share' : undefined;
    if (other !== undefined && this.#lines.has(other))
      return more('That line is of a card of another kind. Type "skip" to begin this card again.');
    const same = this.#lines.get(kind) ?? new Map<number, Uint8Array | readonly number[]>();
    const before = same.get(number);
    if (before !== undefined && Buffer.compare(Buffer.from(before), Buffer.from(data)) !== 0) {
      return more(
        `Line ${lineNumber({ kind, number })} was entered already, and said something else: two cards are mixed. ` +
          'Type "skip" to begin this card again.',
      );
    }
    same.set(number, data);
    this.#lines.set(kind, same);
    switch (kind) {
      case 'share':
        return this.#bytesSoFar(same as Map<number, Uint8Array>);
      case 'words':
        return this.#wordsSoFar(same as Map<number, readonly number[]>);
      case 'package':
        return this.#packageSoFar(same as Map<number, Uint8Array>);
    }
  }

  #bytesSoFar(lines: ReadonlyMap<number, Uint8Array>): Entered {
    const start = joinStart(lines);
    const prefix = readSharePrefix(start);
    const problem =
      prefix === undefined ? 'These lines are not those of a share.' : this.#check(prefix);
    if (problem !== undefined) {
      this.forget();
      this.#passing = true;
      return { kind: 'odd', say: `${problem} Begin the next card with its code, or its line 01.` };
    }
    if (missingLines(lines).length > 0) return more(undefined);
    const bytes = joinLines(lines, 'the card');
    try {
      decodeShare(bytes, 'the card').body.fill(0);
    } catch (error) {
      // Too early to say more: the share does not end here.
      if (error instanceof InputError) return more(undefined);
      if (!(error instanceof ConclaveError)) throw error;
      this.forget();
      return {
        kind: 'odd',
        say: 'Each line fits, but together they are no share: a line of another card is among them. Begin this card again.',
      };
    }
    this.forget();
    return { kind: 'share', bytes };
  }

  #wordsSoFar(lines: ReadonlyMap<number, readonly number[]>): Entered {
    if (missingLines(lines).length > 0) return more(undefined);
    const words = [...lines.keys()]
      .sort((a, b) => a - b)
      .flatMap((number) => lines.get(number) ?? [])
      .map((word) => SLIP39_WORDS[word] as string)
      .join(' ');
    try {
      return this.#mnemonic(words);
    } catch (error) {
      // A share of fewer words would have ended here, and its checksum would fit.
      if (error instanceof ConclaveError) return more(undefined);
      throw error;
    }
  }

  #mnemonic(words: string): Entered {
    decodeMnemonic(words, 'the words').value.fill(0);
    this.forget();
    return { kind: 'share', bytes: utf8(words.toLowerCase()) };
  }

  #packageSoFar(lines: ReadonlyMap<number, Uint8Array>): Entered {
    if (missingLines(lines).length > 0) return more(undefined);
    try {
      const carried = decodeBoundPackage(joinLines(lines, 'the package'), 'the package');
      this.#lines.delete('package');
      return { kind: 'package', carried };
    } catch (error) {
      if (error instanceof InputError) return more(undefined);
      throw error;
    }
  }

  #code(text: string): Entered {
    const ur = decodeUr(text, 'the code');
    if (ur.type !== FILE_UR_TYPE) return more('That code is none of a card.');
    if (ur.part === undefined) return this.#file(ur.message);
    if (ur.part.messageLength > MAX_FILE_BYTES) return more('That code is none of a card.');
    this.#parts ??= new FountainDecoder(ur.part, sha256);
    if (this.#parts.take(ur.part) === 'foreign') {
      return more('That code is of another card than the one before. Type "skip" to begin again.');
    }
    const message = this.#parts.complete ? this.#parts.message() : undefined;
    if (message !== undefined) return this.#file(message);
    return more(`${this.#parts.received} of ${this.#parts.fragments} codes of this card are here.`);
  }

  #file(message: Uint8Array): Entered {
    this.#parts = undefined;
    const { kind, bytes } = decodeFilePayload(message, 'the code', sha256);
    if (kind === 'share-package') {
      return { kind: 'package', carried: decodeBoundPackage(bytes, 'the code') };
    }
    const prefix = kind === 'share' ? readSharePrefix(bytes) : undefined;
    if (prefix === undefined) return more('That code is none of a card.');
    const problem = this.#check(prefix);
    this.forget();
    return problem === undefined ? { kind: 'share', bytes } : { kind: 'odd', say: problem };
  }
}

/** Bytes of the lines from the first without a gap. */
function joinStart(lines: ReadonlyMap<number, Uint8Array>): Uint8Array {
  const start = new Map<number, Uint8Array>();
  for (let number = 1; lines.has(number); number++)
    start.set(number, lines.get(number) as Uint8Array);
  return joinLines(start, 'the card');
}

function more(say: string | undefined): Entered {
  return { kind: 'more', say };
}

/** An error's message as a sentence to a person. */
function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
