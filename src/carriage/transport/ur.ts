/**
 * Uniform Resources: typed CBOR as text of letters, digits and a few signs, whole (`ur:type/…`) or in parts
 * (`ur:type/7-20/…`). In QR codes it stands in upper case, where two characters take eleven bits.
 * @see BCR-2020-005
 */
import { InputError } from '#formats/errors';
import { decodeMinimal, encodeMinimal } from './bytewords.js';
import { decodePart, encodePart, type FountainPart, MAX_MESSAGE_BYTES } from './fountain-part.js';

/** A UR, taken apart: whole, or one of several parts. */
export type Ur =
  | { readonly type: string; readonly part?: undefined; readonly message: Uint8Array }
  | { readonly type: string; readonly part: FountainPart };

/** Longest text that is looked at: the largest message as one UR. */
const MAX_TEXT = 2 * (MAX_MESSAGE_BYTES + 4) + 64;

const SHAPE = /^ur:([a-z0-9-]{1,64})\/(?:([1-9][0-9]{0,9})-([1-9][0-9]{0,9})\/)?([a-z]+)$/;

/** A whole message, lower case. */
export function encodeUr(type: string, message: Uint8Array): string {
  return `ur:${type}/${encodeMinimal(message)}`;
}

/** One part of a message, lower case. */
export function encodeUrPart(type: string, part: FountainPart): string {
  return `ur:${type}/${part.number}-${part.fragments}/${encodeMinimal(encodePart(part))}`;
}

/** Whether text begins like a UR. */
export function looksLikeUr(text: string): boolean {
  return /^ur:/i.test(text);
}

/**
 * Takes a UR apart, in either case; what its message means is the business of its type.
 * @param what - how errors name the text
 * @throws {@link InputError} `E_UR_MALFORMED`, `E_BYTEWORDS_MALFORMED`, `E_BYTEWORDS_CHECKSUM`, `E_QR_PART_MALFORMED`,
 * `E_QR_TOO_LARGE`
 */
export function decodeUr(text: string, what: string): Ur {
  if (text.length > MAX_TEXT) {
    throw new InputError({
      code: 'E_QR_TOO_LARGE',
      message: `${what} is longer than ${MAX_TEXT} characters`,
    });
  }
  const lower = text.toLowerCase();
  // One case throughout: a mixture is a keyboard that lost its shift key, or somebody's second spelling of the same text.
  const match = text === lower || text === text.toUpperCase() ? SHAPE.exec(lower) : null;
  const [, type, number, fragments, body] = match ?? [];
  if (type === undefined || body === undefined) {
    throw new InputError({ code: 'E_UR_MALFORMED', message: `${what} is not a UR` });
  }
  const message = decodeMinimal(body, what);
  if (number === undefined) return { type, message };
  const part = decodePart(message, what);
  if (part.number !== Number(number) || part.fragments !== Number(fragments)) {
    throw new InputError({
      code: 'E_UR_MALFORMED',
      message: `${what} names another part than it carries`,
    });
  }
  return { type, part };
}
