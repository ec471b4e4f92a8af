/**
 * A file that leaves a ceremony by code: shown as often as people want, taken over by a device whose word they hear, or carried on
 * a medium where no device is; which of these it was is in the record.
 */
import { FountainEncoder } from '#carriage/transport/fountain-encoder';
import { frameSizeFor, frameSizeOf, LAST_PART } from '#carriage/transport/frame-size';
import { encodeUr, encodeUrPart } from '#carriage/transport/ur';
import { sha256 } from '#crypto/hash';
import { NegativeError, UsageError } from '#formats/errors';
import type { CodeScreen } from '../context/code-screen.js';
import type { ActionContext } from '../context/context.js';

/** What leaves. */
export interface Outgoing {
  /** UR type, and the message under it. */
  readonly type: string;
  readonly cbor: Uint8Array;
  readonly kind: string;
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
  /** The file, as the definition names it. */
  readonly file: string;
}

/** How it is shown. */
export interface OutgoingOptions {
  readonly codeVersion?: number | undefined;
  readonly fps: number;
  readonly invert?: boolean | undefined;
}

/** How it left. */
export interface HandedOut {
  readonly way: 'code' | 'medium';
  /** Frames that were shown, in all showings. */
  readonly codes: number;
  readonly fragments: number;
  readonly version: number;
}

/** So often is it shown; a file that answers for people says the same each time. */
const MAX_SHOWINGS = 20;

/** Size of frames where no screen says how large they may be. */
const UNSEEN_VERSION = 14;

/**
 * Shows a file and asks whether it has arrived.
 * @param screen - `undefined` where nobody watches: the codes are made and not shown
 * @throws {@link NegativeError} `E_QR_NOT_TAKEN` when people say that it has not; {@link UsageError} where nobody can be asked, or
 * the terminal is too small
 */
export async function handOut(
  outgoing: Outgoing,
  options: OutgoingOptions,
  screen: CodeScreen | undefined,
  context: ActionContext,
): Promise<HandedOut> {
  const talk = await context.ask.converse?.();
  if (talk === undefined) {
    throw new UsageError({
      code: 'E_ANSWER_MISSING',
      message: 'nobody can be asked whether the code was read',
    });
  }
  const { name, kind, bytes, sha256: digest } = outgoing;
  const series = seriesOf(outgoing, options, screen);
  let codes = 0;
  talk.say(`${name}: ${kind}, ${bytes} bytes\n${digest}`);
  let way = await talk.choose('How does it go out?', [
    { value: 'code', label: 'as a series of codes on this screen, for a camera' },
    {
      value: 'medium',
      label: `as a file, copied from artifacts/${outgoing.file} onto an empty medium`,
    },
    { value: 'none', label: 'not at all: nobody can take it' },
  ]);
  for (let left = MAX_SHOWINGS; ; left--) {
    if (way === 'none' || left === 0) {
      throw new NegativeError({
        code: 'E_QR_NOT_TAKEN',
        message: `${name} was not taken over`,
        hint: 'look at the camera, the light and the size of the terminal, and try again',
      });
    }
    if (way === 'code') codes += await showSeries(series, options, screen, name, bytes);
    const answer = await talk.choose('Does the other side have it, and say the digest above?', [
      { value: 'arrived', label: 'yes, this digest' },
      { value: 'code', label: 'not yet: show the codes (again)' },
      { value: 'medium', label: 'not yet: copy the file onto an empty medium' },
      { value: 'none', label: 'no: nobody can take it' },
    ]);
    if (answer === 'arrived') break;
    way = answer;
  }
  const left = way === 'medium' ? 'medium' : 'code';
  context.record({ type: 'qr.shown', data: { kind, name, bytes, sha256: digest, way: left } });
  return { way: left, codes, fragments: series.fragments, version: series.version };
}

interface Series {
  readonly text: (number: number) => string;
  readonly fragments: number;
  readonly version: number;
}

function seriesOf(
  { type, cbor }: Outgoing,
  { codeVersion }: OutgoingOptions,
  screen: CodeScreen | undefined,
): Series {
  const size = screen?.size();
  const frame =
    codeVersion !== undefined || size === undefined
      ? frameSizeOf(codeVersion ?? UNSEEN_VERSION, type)
      : frameSizeFor(size.columns, size.rows, type);
  if (frame === undefined) {
    throw new UsageError({
      code: 'E_QR_SCREEN',
      message: 'this terminal is too small for a series of codes',
      hint: 'at least 40 columns and 20 rows',
    });
  }
  const encoder = new FountainEncoder(cbor, frame.fragmentBytes, sha256);
  const { fragments } = encoder;
  // A message of one part is a whole UR; the specification knows no series of one.
  const text = (number: number): string =>
    (fragments === 1
      ? encodeUr(type, cbor)
      : encodeUrPart(type, encoder.part(number))
    ).toUpperCase();
  return { text, fragments, version: frame.version };
}

async function showSeries(
  { text, fragments, version }: Series,
  { fps, invert }: OutgoingOptions,
  screen: CodeScreen | undefined,
  name: string,
  bytes: number,
): Promise<number> {
  if (screen?.size() === undefined) return 0;
  return await screen.animate({
    text,
    last: fragments === 1 ? 1 : LAST_PART,
    fragments,
    version,
    framesPerSecond: fps,
    caption: `${name} · ${bytes} bytes`,
    invert: invert === true,
  });
}
