/** What a card says of its share besides the share: names, days and fingerprints. */
import type { Card } from './card.js';

/** One line of what a card says of its share. */
export interface Fact {
  readonly label: string;
  readonly value: string | undefined;
  readonly kind: 'text' | 'hex' | 'name';
  /** Fits a narrow column. */
  readonly short: boolean;
}

/** What a card says of its share. */
export function factsOf(card: Card): readonly Fact[] {
  const fact = (
    label: string,
    value: string | undefined,
    kind: Fact['kind'],
    short: boolean,
  ): Fact => ({ label, value, kind, short });
  const hex = (label: string, value: string | undefined): Fact[] =>
    value === undefined ? [] : [fact(label, grouped(value), 'hex', false)];
  return [
    fact('Custodian', card.custodian, 'name', true),
    fact('Sealed', card.sealed, 'text', true),
    fact('Made', card.date, 'text', true),
    fact('Review by', card.review, 'text', true),
    ...hex('Key', card.keyId),
    ...(card.keyWords === undefined ? [] : [fact('Key, in words', card.keyWords, 'hex', false)]),
    ...hex('Set', card.setId),
    ...hex('Root', card.root),
    ...(card.ceremony === undefined ? [] : [fact('Ceremony', card.ceremony, 'text', false)]),
  ];
}

/** Hexadecimal in groups of four. */
export function grouped(hex: string): string {
  return hex.match(/.{1,4}/g)?.join(' ') ?? '';
}
