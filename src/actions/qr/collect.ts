/** From codes as they are seen to whole things: progress for whoever watches, everything odd named, nothing half taken. */
import { type Arrival, Receiver } from '#carriage/transport/receiver';
import { sha256 } from '#crypto/hash';
import { InputError, NegativeError, TryAgainError } from '#formats/errors';
import type { ScanSpace, SeenCode } from '../context/scan.js';

/** How codes are to be collected. */
export interface Collecting {
  readonly scan: Pick<ScanSpace, 'progress' | 'remark'>;
  /**
   * Somebody holds things up: what is damaged or belongs elsewhere is remarked, and the next try waited for. Otherwise, in
   * files, it is an error.
   */
  readonly live: boolean;
  /** Stop after so many; all there are when not given. */
  readonly count?: number | undefined;
  /** How errors name all of it together. */
  readonly from: string;
}

/** Codes that are damaged are forgiven in moving pictures, where the next frame shows them again. */
const TRANSIENT = new Set(['E_BYTEWORDS_CHECKSUM', 'E_BYTEWORDS_MALFORMED', 'E_UR_MALFORMED']);

/**
 * What whole things the codes carry.
 * @throws {@link InputError} `E_QR_NONE` when there was no code, and what is damaged; {@link NegativeError} `E_QR_MIXED` naming a
 * part of another message; {@link TryAgainError} `E_QR_INCOMPLETE` when parts are missing
 */
export async function collectArrivals(
  codes: AsyncIterable<SeenCode>,
  { scan, live, count, from }: Collecting,
): Promise<readonly Arrival[]> {
  const receiver = new Receiver(sha256);
  const arrivals: Arrival[] = [];
  let seen = 0;
  try {
    for await (const code of codes) {
      seen++;
      const step = take(receiver, code, live ? scan : undefined);
      if (step === undefined) continue;
      if (step.status === 'foreign') {
        if (!live) throw mixed(step.why);
        scan.remark(`${step.why}; it was left out`);
      }
      if (step.status === 'part') scan.progress(step);
      if (step.status === 'arrived') {
        arrivals.push(step.arrival);
        if (arrivals.length === count) break;
      }
    }
  } finally {
    scan.progress(undefined);
  }
  assertEnough(receiver, arrivals, seen, count, from);
  return arrivals;
}

/** Codes of several pictures, one picture after another. */
export async function* codesOfPictures(
  pictures: readonly { readonly name: string; readonly read: () => Uint8Array }[],
  scan: Pick<ScanSpace, 'picture'>,
): AsyncGenerator<SeenCode> {
  for (const { name, read } of pictures) {
    const codes = await scan.picture(read(), name);
    if (codes.length === 0) {
      throw new InputError({
        code: 'E_QR_NONE',
        message: `there is no QR code in ${name} that can be read`,
        hint: 'photograph it straight, sharp and filling the picture; light without glare',
      });
    }
    yield* codes;
  }
}

/** Lines of text as codes. */
export function codesOfText(text: string, name: string): AsyncIterable<SeenCode> {
  const lines = text.split(/\r\n|\n|\r/).map((line, i) => ({
    text: line.trim(),
    from: `line ${i + 1} of ${name}`,
  }));
  return asIterable(lines.filter((line) => line.text !== ''));
}

async function* asIterable<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

function take(receiver: Receiver, code: SeenCode, scan: Pick<ScanSpace, 'remark'> | undefined) {
  try {
    return receiver.take(code.text, code.from);
  } catch (error) {
    // A forged or damaged whole is an answer, also to somebody who holds it up; a damaged part is not.
    if (scan === undefined || !(error instanceof InputError)) throw error;
    if (TRANSIENT.has(error.code)) scan.remark(`${error.message}; again, please`);
    else scan.remark(error.message);
    return undefined;
  }
}

function mixed(why: string): NegativeError {
  return new NegativeError({
    code: 'E_QR_MIXED',
    message: why,
    hint: 'give the parts of one message at a time',
  });
}

function assertEnough(
  receiver: Receiver,
  arrivals: readonly Arrival[],
  seen: number,
  count: number | undefined,
  from: string,
): void {
  const { underWay } = receiver;
  if (underWay !== undefined && arrivals.length < (count ?? Infinity)) {
    throw new TryAgainError({
      code: 'E_QR_INCOMPLETE',
      message: `${from}: ${underWay.received} of ${underWay.needed} parts were read`,
      hint: 'nothing was written; show the code again and read on for longer',
    });
  }
  if (seen === 0) {
    throw new InputError({
      code: 'E_QR_NONE',
      message: `${from}: no QR code was read`,
      hint: 'hold it straight, sharp and filling the picture; light without glare',
    });
  }
  if (arrivals.length < (count ?? 1)) {
    throw new TryAgainError({
      code: 'E_QR_INCOMPLETE',
      message: `${from}: ${arrivals.length} of ${count ?? 1} codes were read whole`,
      hint: 'nothing was written; show them again',
    });
  }
}
