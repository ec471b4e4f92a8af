/** The text of a card as a share source: its lines checked, joined and turned into the share file that they spell. */
import { looksLikeCard, readCard } from '#carriage/transport/card-text';
import { fromUtf8, utf8 } from '#formats/bytes';
import { type BoundPackage, decodeBoundPackage } from '#protocols/sharing/bound-package';
import { SLIP39_WORDS } from '#protocols/sharing/slip39-words';

/** What a card's text gave. */
export interface CardSource {
  /** A share file, or the words of one. */
  readonly bytes: Uint8Array;
  /** Present when the card had it on lines of its own. */
  readonly carried: BoundPackage | undefined;
}

/**
 * The share behind the text of a card; undefined when these bytes are no such text.
 * @throws what reading a card throws: the lines that do not fit are named
 */
export function shareOfCard(bytes: Uint8Array, name: string): CardSource | undefined {
  if (!looksLikeCard(bytes)) return undefined;
  const { share, sealedPackage } = readCard(fromUtf8(bytes, name), name, SLIP39_WORDS);
  return {
    bytes:
      share.kind === 'share'
        ? share.bytes
        : utf8(share.words.map((word) => SLIP39_WORDS[word] as string).join(' ')),
    carried: sealedPackage === undefined ? undefined : decodeBoundPackage(sealedPackage, name),
  };
}
