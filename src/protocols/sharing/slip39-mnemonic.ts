/**
 * One SLIP-39 share as words and back: bit layout, padding, RS1024 checksum.
 * @see SLIP-0039, "Format of the share mnemonic"
 */
import { utf8 } from '#formats/bytes';
import { InputError, InternalError, NegativeError } from '#formats/errors';
import { SLIP39_WORDS } from './slip39-words.js';

/** What a mnemonic carries. Groups and members are counted from 0 here, as the standard does. */
export interface Slip39Share {
  /** 15 random bits, the same on all shares of a set. */
  readonly identifier: number;
  /** Whether the identifier is left out of the encryption, so that several sets of one secret agree. */
  readonly extendable: boolean;
  /** PBKDF2 runs 10,000 · 2^e times. */
  readonly iterationExponent: number;
  readonly groupIndex: number;
  readonly groupThreshold: number;
  readonly groupCount: number;
  readonly memberIndex: number;
  readonly memberThreshold: number;
  /** As long as the secret; owned by whoever holds this object. */
  readonly value: Uint8Array;
}

/** Shortest secret the standard allows, in bytes. */
export const SLIP39_MIN_BYTES = 16;
/** Longest secret that conclave shares so: the seed of the largest SLH-DSA. */
export const SLIP39_MAX_BYTES = 96;

// The standard's 15 would keep a laptop busy for minutes at a hostile share's word; 10 is some seconds.
const MAX_ITERATION_EXPONENT = 10;
const HEADER_WORDS = 4;
const CHECKSUM_WORDS = 3;
const MAX_TEXT = 2048;

const GENERATOR = [
  0xe0e040, 0x1c1c080, 0x3838100, 0x7070200, 0xe0e0009, 0x1c0c2412, 0x38086c24, 0x3090fc48,
  0x21b1f890, 0x3f3f120,
] as const;

/** The words of a share, separated by single spaces. The string cannot be wiped: make it last. */
export function encodeMnemonic(share: Slip39Share): string {
  const { value } = share;
  if (value.length % 2 !== 0 || value.length < SLIP39_MIN_BYTES || value.length > SLIP39_MAX_BYTES)
    throw new InternalError({
      code: 'E_SLIP39_VALUE',
      message: 'a SLIP-39 share value has an even length from 16 to 96 bytes',
    });
  const words = new BitWriter();
  words.put(share.identifier, 15);
  words.put(share.extendable ? 1 : 0, 1);
  words.put(share.iterationExponent, 4);
  words.put(share.groupIndex, 4);
  words.put(share.groupThreshold - 1, 4);
  words.put(share.groupCount - 1, 4);
  words.put(share.memberIndex, 4);
  words.put(share.memberThreshold - 1, 4);
  words.put(0, (10 - ((value.length * 8) % 10)) % 10);
  for (const byte of value) words.put(byte, 8);
  const data = words.words;
  const custom = customization(share.extendable);
  const sum = polymod([...custom, ...data, 0, 0, 0]) ^ 1;
  const all = [...data, sum >> 20, (sum >> 10) & 1023, sum & 1023];
  return all.map((word) => SLIP39_WORDS[word] as string).join(' ');
}

/**
 * The share that a mnemonic spells; any white space between words, either case. The words are never repeated in errors.
 * @param what - how errors name the input
 * @returns its `value` is owned by the caller
 * @throws {@link InputError} `E_SLIP39_MALFORMED`
 * @throws {@link NegativeError} `E_SHARE_DAMAGED` when the checksum does not match
 */
export function decodeMnemonic(text: string, what: string): Slip39Share {
  if (text.length > MAX_TEXT) throw malformed(what, 'it is too long');
  const spelled = text.trim().toLowerCase().split(/\s+/);
  const words = spelled.map((word, i) => {
    const index = wordNumber(word);
    if (index === undefined) throw malformed(what, `word ${i + 1} is not in the word list`);
    return index;
  });
  const valueWords = words.length - HEADER_WORDS - CHECKSUM_WORDS;
  const valueBytes = Math.floor((valueWords * 10) / 16) * 2;
  const paddingBits = valueWords * 10 - valueBytes * 8;
  if (valueBytes < SLIP39_MIN_BYTES || valueBytes > SLIP39_MAX_BYTES || paddingBits > 8) {
    throw malformed(what, `no share has ${words.length} words`);
  }
  // Both customizations differ in the extendable flag's own bit, so the flag is read first and then covered.
  const extendable = ((words[1] as number) >> 4) & 1;
  if (polymod([...customization(extendable === 1), ...words]) !== 1) {
    throw new NegativeError({
      code: 'E_SHARE_DAMAGED',
      message: `${what}: the checksum does not match`,
      hint: 'compare the words with the card one by one, their order too',
    });
  }
  const bits = new BitReader(words.slice(0, -CHECKSUM_WORDS));
  const header = {
    identifier: bits.take(15),
    extendable: bits.take(1) === 1,
    iterationExponent: bits.take(4),
    groupIndex: bits.take(4),
    groupThreshold: bits.take(4) + 1,
    groupCount: bits.take(4) + 1,
    memberIndex: bits.take(4),
    memberThreshold: bits.take(4) + 1,
  };
  if (header.groupThreshold > header.groupCount)
    throw malformed(what, 'its group threshold is above its number of groups');
  if (header.groupIndex >= header.groupCount)
    throw malformed(what, 'its group number is above its number of groups');
  if (header.iterationExponent > MAX_ITERATION_EXPONENT)
    throw malformed(what, `its iteration exponent is above ${MAX_ITERATION_EXPONENT}`);
  if (bits.take(paddingBits) !== 0) throw malformed(what, 'its padding is not zero');
  const value = Uint8Array.from({ length: valueBytes }, () => bits.take(8));
  return { ...header, value };
}

/** Whether a text could be a SLIP-39 mnemonic: twenty words or more and all of them in the list. */
export function looksLikeMnemonic(text: string): boolean {
  if (text.length > MAX_TEXT) return false;
  const words = text.trim().toLowerCase().split(/\s+/);
  return words.length >= 20 && words.every((word) => wordNumber(word) !== undefined);
}

let numbers: ReadonlyMap<string, number> | undefined;

function wordNumber(word: string): number | undefined {
  numbers ??= new Map(SLIP39_WORDS.map((each, i) => [each, i]));
  return numbers.get(word);
}

function customization(extendable: boolean): Uint8Array {
  return utf8(extendable ? 'shamir_extendable' : 'shamir');
}

/** RS1024: a code over GF(1024) that finds any three wrong words. */
function polymod(values: readonly number[]): number {
  let checksum = 1;
  for (const value of values) {
    const top = checksum >> 20;
    checksum = ((checksum & 0xfffff) << 10) ^ value;
    for (let i = 0; i < 10; i++) if (((top >> i) & 1) === 1) checksum ^= GENERATOR[i] as number;
  }
  return checksum;
}

class BitWriter {
  readonly words: number[] = [];
  #pending = 0;
  #count = 0;

  put(value: number, bits: number): void {
    for (let bit = bits - 1; bit >= 0; bit--) {
      this.#pending = (this.#pending << 1) | ((value >> bit) & 1);
      if (++this.#count === 10) {
        this.words.push(this.#pending);
        this.#pending = 0;
        this.#count = 0;
      }
    }
  }
}

class BitReader {
  readonly #words: readonly number[];
  #at = 0;

  constructor(words: readonly number[]) {
    this.#words = words;
  }

  take(bits: number): number {
    let value = 0;
    for (let i = 0; i < bits; i++, this.#at++) {
      const word = this.#words[Math.floor(this.#at / 10)] as number;
      value = (value << 1) | ((word >> (9 - (this.#at % 10))) & 1);
    }
    return value;
  }
}

function malformed(what: string, problem: string): InputError {
  return new InputError({
    code: 'E_SLIP39_MALFORMED',
    message: `${what} is not a SLIP-39 share: ${problem}`,
  });
}
