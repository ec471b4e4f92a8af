/**
 * What comes in by codes, code by code, whatever they are: whole files, parts in any order, parts of something else in
 * between. One message in parts is put together at a time; the first part decides which, and parts of others are named and
 * left alone.
 */
import { toHex } from '#formats/bytes';
import { InputError, NegativeError } from '#formats/errors';
import { BbqrDecoder, decodeBbqrPart, looksLikeBbqr } from './bbqr.js';
import { FountainDecoder } from './fountain-decoder.js';
import {
  decodeDigestPayload,
  decodeFilePayload,
  DIGEST_UR_TYPE,
  type DigestPayload,
  FILE_UR_TYPE,
  type FilePayload,
  MAX_FILE_BYTES,
} from './payload.js';
import { decodeUr, looksLikeUr, type Ur } from './ur.js';
import type { Sha256 } from './xoshiro.js';

/** Something whole that arrived. */
export type Arrival =
  /** A file whose digest agrees. */
  | ({ readonly form: 'file' } & FilePayload)
  /** The digest of a file that travels otherwise. */
  | ({ readonly form: 'digest' } & DigestPayload)
  /** Bytes without a digest: a BBQr file, a UR of another type, or plain text. `label` says which. */
  | { readonly form: 'unverified'; readonly label: string; readonly bytes: Uint8Array };

/** What one code meant. */
export type Step =
  | { readonly status: 'arrived'; readonly arrival: Arrival }
  /** A part; `fresh` when it told something new. */
  | {
      readonly status: 'part';
      readonly fresh: boolean;
      readonly received: number;
      readonly needed: number;
    }
  /** A whole code that was here before. */
  | { readonly status: 'repeated' }
  /** A part of another message than the one under way; `why` says so in words. */
  | { readonly status: 'foreign'; readonly why: string };

interface Under {
  readonly type: string;
  readonly decoder: FountainDecoder;
}

/** Different whole codes that are told apart from repetitions; more than a sheet or a room of cards holds. */
const MAX_ARRIVALS = 4096;

/** Puts together what codes carry. */
export class Receiver {
  readonly #sha256: Sha256;
  readonly #arrived = new Set<string>();
  #ur: Under | undefined;
  #bbqr: BbqrDecoder | undefined;

  constructor(sha256: Sha256) {
    this.#sha256 = sha256;
  }

  /** Independent parts of the message under way, and how many it takes; `undefined` when there is none. */
  get underWay(): { readonly received: number; readonly needed: number } | undefined {
    if (this.#ur !== undefined) {
      const { received, fragments } = this.#ur.decoder;
      return { received, needed: fragments };
    }
    if (this.#bbqr === undefined) return undefined;
    return { received: this.#bbqr.received, needed: this.#bbqr.total };
  }

  /**
   * Takes the content of one code in.
   * @param text - each byte a character
   * @param what - how errors name the code
   * @throws {@link InputError} for what is damaged or nothing that anybody can read; {@link NegativeError} `E_QR_DIGEST`,
   * `E_QR_CHECKSUM` when all parts are there and what they make is not what was sent
   */
  take(text: string, what: string): Step {
    if (looksLikeUr(text)) return this.#takeUr(decodeUr(text, what), what);
    if (looksLikeBbqr(text)) return this.#takeBbqr(text, what);
    const bytes = Buffer.from(text, 'latin1');
    if (bytes.length > MAX_FILE_BYTES) {
      throw new InputError({
        code: 'E_QR_TOO_LARGE',
        message: `${what} is longer than a file by code`,
      });
    }
    return this.#arrive(`text ${text}`, () => ({
      form: 'unverified',
      label: 'plain text',
      bytes: new Uint8Array(bytes),
    }));
  }

  #takeUr(ur: Ur, what: string): Step {
    if (ur.part === undefined) return this.#whole(ur.type, ur.message, what);
    const { type, part } = ur;
    if (this.#arrived.has(sessionOf(type, part.checksum, part.messageLength))) {
      return { status: 'repeated' };
    }
    this.#ur ??= { type, decoder: new FountainDecoder(part, this.#sha256) };
    const { decoder } = this.#ur;
    const taken = this.#ur.type === type ? decoder.take(part) : 'foreign';
    if (taken === 'foreign') {
      return {
        status: 'foreign',
        why:
          `${what} is a part of another message (${type}, ${part.messageLength} bytes) ` +
          `than the one under way (${this.#ur.type}, ${decoder.messageLength} bytes)`,
      };
    }
    if (!decoder.complete) {
      const { received, fragments: needed } = decoder;
      return { status: 'part', fresh: taken === 'new', received, needed };
    }
    this.#ur = undefined;
    const message = decoder.message();
    if (message === undefined) {
      throw new NegativeError({
        code: 'E_QR_CHECKSUM',
        message:
          'all parts are there, but together they are not what was sent: one of them is forged or damaged',
        hint: 'begin again, with nothing else in the picture',
      });
    }
    this.#note(sessionOf(type, decoder.checksum, decoder.messageLength));
    return this.#whole(type, message, `the message of ${decoder.fragments} parts`);
  }

  #whole(type: string, message: Uint8Array, what: string): Step {
    return this.#arrive(`${type} ${toHex(this.#sha256(message))}`, () => {
      if (type === FILE_UR_TYPE) {
        return { form: 'file', ...decodeFilePayload(message, what, this.#sha256) };
      }
      if (type === DIGEST_UR_TYPE) return { form: 'digest', ...decodeDigestPayload(message, what) };
      return { form: 'unverified', label: `the CBOR of ur:${type}`, bytes: message };
    });
  }

  #takeBbqr(text: string, what: string): Step {
    const part = decodeBbqrPart(text, what);
    this.#bbqr ??= new BbqrDecoder(part);
    const decoder = this.#bbqr;
    const taken = decoder.take(part, what);
    if (taken === 'foreign') {
      return {
        status: 'foreign',
        why: `${what} is a part of another BBQr file than the one under way`,
      };
    }
    if (decoder.received < decoder.total) {
      const { received, total: needed } = decoder;
      return { status: 'part', fresh: taken === 'new', received, needed };
    }
    const bytes = decoder.file(what);
    this.#bbqr = undefined;
    return this.#arrive(`bbqr ${part.type} ${toHex(this.#sha256(bytes))}`, () => ({
      form: 'unverified',
      label: `a BBQr file of type ${part.type}`,
      bytes,
    }));
  }

  /** Says once that something is there; a camera reads the same code again and again. */
  #arrive(id: string, arrival: () => Arrival): Step {
    if (this.#arrived.has(id)) return { status: 'repeated' };
    const step = { status: 'arrived', arrival: arrival() } as const;
    this.#note(id);
    return step;
  }

  #note(id: string): void {
    if (this.#arrived.size < MAX_ARRIVALS) this.#arrived.add(id);
  }
}

function sessionOf(type: string, checksum: number, length: number): string {
  return `parts ${type} ${checksum} ${length}`;
}
