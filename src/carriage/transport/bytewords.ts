/**
 * Bytewords: a byte as a word of four letters, of which the first and the last already tell it, and a checksum behind.
 * In URs only those two letters stand, which a keyboard scanner and the alphanumeric mode of QR codes carry well.
 * @see BCR-2020-012
 */
import { concat, u32be } from '#formats/bytes';
import { InputError } from '#formats/errors';
import { crc32 } from './crc32.js';

/** The words of all 256 bytes, in order. */
export const BYTEWORDS: readonly string[] = (
  'able acid also apex aqua arch atom aunt ' +
  'away axis back bald barn belt beta bias ' +
  'blue body brag brew bulb buzz calm cash ' +
  'cats chef city claw code cola cook cost ' +
  'crux curl cusp cyan dark data days deli ' +
  'dice diet door down draw drop drum dull ' +
  'duty each easy echo edge epic even exam ' +
  'exit eyes fact fair fern figs film fish ' +
  'fizz flap flew flux foxy free frog fuel ' +
  'fund gala game gear gems gift girl glow ' +
  'good gray grim guru gush gyro half hang ' +
  'hard hawk heat help high hill holy hope ' +
  'horn huts iced idea idle inch inky into ' +
  'iris iron item jade jazz join jolt jowl ' +
  'judo jugs jump junk jury keep keno kept ' +
  'keys kick kiln king kite kiwi knob lamb ' +
  'lava lazy leaf legs liar limp lion list ' +
  'logo loud love luau luck lung main many ' +
  'math maze memo menu meow mild mint miss ' +
  'monk nail navy need news next noon note ' +
  'numb obey oboe omit onyx open oval owls ' +
  'paid part peck play plus poem pool pose ' +
  'puff puma purr quad quiz race ramp real ' +
  'redo rich road rock roof ruby ruin runs ' +
  'rust safe saga scar sets silk skew slot ' +
  'soap solo song stub surf swan taco task ' +
  'taxi tent tied time tiny toil tomb toys ' +
  'trip tuna twin ugly undo unit urge user ' +
  'vast very veto vial vibe view visa void ' +
  'vows wall wand warm wasp wave waxy webs ' +
  'what when whiz wolf work yank yawn yell ' +
  'yoga yurt zaps zero zest zinc zone zoom'
).split(' ');

const CHECKSUM_BYTES = 4;

const PAIRS: readonly string[] = BYTEWORDS.map((word) => `${word[0]}${word[3]}`);
const FROM_PAIR: ReadonlyMap<string, number> = new Map(PAIRS.map((pair, byte) => [pair, byte]));
const FROM_WORD: ReadonlyMap<string, number> = new Map(BYTEWORDS.map((word, byte) => [word, byte]));

/** Bytes and their CRC-32 as two lower-case letters each: `2 * (length + 4)` letters. */
export function encodeMinimal(bytes: Uint8Array): string {
  let text = '';
  for (const byte of withChecksum(bytes)) text += PAIRS[byte] as string;
  return text;
}

/**
 * Bytes that minimal bytewords spell, in either case, after their checksum was compared.
 * @param what - how errors name the text
 * @throws {@link InputError} `E_BYTEWORDS_MALFORMED`, `E_BYTEWORDS_CHECKSUM`
 */
export function decodeMinimal(text: string, what: string): Uint8Array {
  const letters = text.toLowerCase();
  if (letters.length % 2 !== 0) throw malformed(`${what} has an odd number of letters`);
  const bytes = new Uint8Array(letters.length / 2);
  for (let i = 0; i < bytes.length; i++) {
    const byte = FROM_PAIR.get(letters.slice(2 * i, 2 * i + 2));
    if (byte === undefined)
      throw malformed(`letters ${2 * i + 1} and ${2 * i + 2} of ${what} are no byte`);
    bytes[i] = byte;
  }
  return checked(bytes, what);
}

/** Bytes and their CRC-32 as words, one for each byte. */
export function encodeWords(bytes: Uint8Array): string[] {
  return Array.from(withChecksum(bytes), (byte) => BYTEWORDS[byte] as string);
}

/**
 * Bytes that words spell, after their checksum was compared.
 * @throws {@link InputError} `E_BYTEWORDS_MALFORMED` naming the place of the word, `E_BYTEWORDS_CHECKSUM`
 */
export function decodeWords(words: readonly string[], what: string): Uint8Array {
  const bytes = Uint8Array.from(words, (word, i) => {
    const byte = byteOfWord(word);
    if (byte === undefined) throw malformed(`word ${i + 1} of ${what} is in no list`);
    return byte;
  });
  return checked(bytes, what);
}

/** The byte that a word stands for, in either case; `undefined` when it stands for none. */
export function byteOfWord(word: string): number | undefined {
  return FROM_WORD.get(word.toLowerCase());
}

function withChecksum(bytes: Uint8Array): Uint8Array {
  return concat(bytes, u32be(crc32(bytes)));
}

function checked(bytes: Uint8Array, what: string): Uint8Array {
  if (bytes.length <= CHECKSUM_BYTES) throw malformed(`${what} is too short`);
  const body = bytes.slice(0, -CHECKSUM_BYTES);
  const sum = new DataView(bytes.buffer, bytes.byteOffset).getUint32(body.length);
  if (crc32(body) !== sum) {
    throw new InputError({
      code: 'E_BYTEWORDS_CHECKSUM',
      message: `the checksum of ${what} does not match: it was misread or cut`,
    });
  }
  return body;
}

function malformed(message: string): InputError {
  return new InputError({ code: 'E_BYTEWORDS_MALFORMED', message });
}
