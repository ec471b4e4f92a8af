/** Cards as files: the one place that knows which painter makes which form. */
import type { Card, Paper } from '#carriage/transport/card';
import { utf8 } from '#formats/bytes';

/** Forms of a printed card. */
export const CARD_FORMATS = ['pdf', 'html', 'svg', 'text'] as const;

/** One of them. */
export type CardFormat = (typeof CARD_FORMATS)[number];

/** Name of a card's file without folder: nothing but the number of the share. */
export function cardFile(share: string, format: CardFormat): string {
  return `card-${share}.${format === 'text' ? 'txt' : format}`;
}

/**
 * Cards as one file; each begins on a page of its own.
 * @param made - the only date in a PDF
 * @returns bytes that may carry unlock words: the caller wipes them
 */
export async function renderCards(
  cards: readonly Card[],
  {
    paper,
    format,
    made,
  }: { readonly paper: Paper; readonly format: CardFormat; readonly made: Date },
): Promise<Uint8Array> {
  if (format === 'text') {
    const { cardTextOf } = await import('#carriage/transport/card-text');
    return utf8(cardTextOf(cards));
  }
  const { layoutCard } = await import('#carriage/transport/card-layout');
  const pages = cards.flatMap((card) => layoutCard(card, paper));
  switch (format) {
    case 'svg':
      return utf8((await import('#carriage/transport/page-svg')).svgOf(pages));
    case 'html':
      return utf8((await import('#carriage/transport/page-html')).htmlOf(pages));
    case 'pdf':
      return await (await import('#carriage/transport/page-pdf')).pdfOf(pages, made);
  }
}
