/**
 * One part of a message that travels in parts: what is said about the message, and some of its fragments, XORed.
 * @see BCR-2024-001 §4, "Part Serialization"
 */
import { decodeCbor, encodeCbor } from '#formats/cbor';
import { InputError } from '#formats/errors';

/** Longest message that is put together from parts: a 64 KiB file with its description. */
export const MAX_MESSAGE_BYTES = 66 * 1024;

/** Into how many fragments a message may be cut at most. */
export const MAX_FRAGMENTS = 4096;

/** A part as it is sent. */
export interface FountainPart {
  /** From 1; unsigned 32-bit. */
  readonly number: number;
  /** How many fragments the message was cut into. */
  readonly fragments: number;
  /** Length of the message in bytes. */
  readonly messageLength: number;
  /** CRC-32 of the message. */
  readonly checksum: number;
  /** As long as one fragment. */
  readonly data: Uint8Array;
}

/** A part as CBOR `[number, fragments, message length, checksum, data]`. */
export function encodePart(part: FountainPart): Uint8Array {
  const { number, fragments, messageLength, checksum, data } = part;
  return encodeCbor([number, fragments, messageLength, checksum, data]);
}

/**
 * Reads a part that anybody may have sent: what it says of the message has to fit together and to be within what is put
 * together here, before anything is kept for it.
 * @throws {@link InputError} `E_CBOR_MALFORMED`, `E_QR_PART_MALFORMED`, `E_QR_TOO_LARGE`
 */
export function decodePart(bytes: Uint8Array, what: string): FountainPart {
  const items = decodeCbor(bytes, what, { maxBytes: 4096, maxDepth: 1 });
  const malformed = (why: string): InputError =>
    new InputError({
      code: 'E_QR_PART_MALFORMED',
      message: `${what} is not a part of a UR: ${why}`,
    });
  if (!Array.isArray(items) || items.length !== 5) throw malformed('it has not five members');
  const [number, fragments, messageLength, checksum, data] = items as readonly unknown[];
  if (!isU32(number) || !isU32(fragments) || !isU32(messageLength) || !isU32(checksum)) {
    throw malformed('its numbers are not unsigned 32-bit integers');
  }
  if (!(data instanceof Uint8Array) || data.length === 0) throw malformed('it carries nothing');
  if (number === 0) throw malformed('parts count from 1');
  if (messageLength > MAX_MESSAGE_BYTES || fragments > MAX_FRAGMENTS) {
    throw new InputError({
      code: 'E_QR_TOO_LARGE',
      message: `${what} announces ${messageLength} bytes in ${fragments} fragments, more than is taken by QR code`,
      hint: `at most ${MAX_MESSAGE_BYTES} bytes in ${MAX_FRAGMENTS} fragments; carry it as a file`,
    });
  }
  if (fragments === 0 || fragments !== Math.ceil(messageLength / data.length)) {
    throw malformed('its length, its fragments and its data do not fit together');
  }
  return { number, fragments, messageLength, checksum, data };
}

function isU32(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= 0xffff_ffff;
}
