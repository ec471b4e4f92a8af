/** The same card shown twice counts once: two custodians who bring one card between them are one share, not two. */
import { sha256 } from '#crypto/hash';
import { fromUtf8, toHex, utf8 } from '#formats/bytes';
import type { JsonObject } from '#formats/canonical-json';
import { NegativeError } from '#formats/errors';
import type { ActionContext } from '../context/context.js';
import type { ShareCheck } from './check.js';

/** A file that is the same share as one before it. */
export interface Repetition {
  readonly file: string;
  /** Name of the first one. */
  readonly repeats: string;
}

/** Which of these are a share that stands before them already. */
export function repetitions(shares: readonly ShareCheck[]): readonly Repetition[] {
  const first = new Map<string, string>();
  return shares.flatMap(({ file, share }) => {
    if (share === undefined) return [];
    const id = idOf(share);
    const repeats = first.get(id);
    if (repeats !== undefined) return [{ file, repeats }];
    first.set(id, file);
    return [];
  });
}

/**
 * In a ceremony: notes that the holder of this step showed a card, and refuses it from anybody else. Again by the same person is
 * no harm: the power may have gone between the two.
 * @throws {@link NegativeError} `E_CARD_SHOWN`
 */
export function assertNotShownBefore(
  { file, share }: ShareCheck,
  { ask: { holder }, once }: Pick<ActionContext, 'ask' | 'once'>,
): void {
  if (holder === undefined || once === undefined || share === undefined) return;
  const name = `card/${toHex(sha256(utf8('conclave/card-shown/v1 '), utf8(idOf(share))))}`;
  const before = once.read(name);
  if (before === undefined) {
    once.write(name, utf8(holder));
    return;
  }
  const other = fromUtf8(before, name);
  if (other === holder) return;
  throw new NegativeError({
    code: 'E_CARD_SHOWN',
    message: `${file} was shown by ${other} before`,
    hint: 'each custodian brings another card; look whether two were exchanged',
  });
}

/** Dealing and number; words have an identifier in the place of a set. A new dealing of the same set has new cards. */
function idOf({ type, setId, root, identifier, share }: JsonObject): string {
  return JSON.stringify([type, setId, root, identifier, share].map((each) => each ?? null));
}
