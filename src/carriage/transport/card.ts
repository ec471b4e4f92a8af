/**
 * What is printed for one custodian, as plain data. Everything on a card comes from here; layouts only place it. Texts are
 * already safe to print: whoever fills this in has removed control characters.
 * @see docs/spec/share-card.md
 */
import type { PrintedLine } from './line-code.js';

/** Modules of a QR code without its quiet zone; `true` is dark. */
export type CodeMatrix = readonly (readonly boolean[])[];

/** A code on a card. */
export interface CardCode {
  /** What it holds, one short line. */
  readonly caption: string;
  readonly matrix: CodeMatrix;
}

/** How the words that open the share appear on the card's strip. */
export type UnlockStrip =
  | { readonly kind: 'none' }
  /** Lines to write on by hand. */
  | { readonly kind: 'blank' }
  /** Printed: whoever has the sheet has the opened share. */
  | { readonly kind: 'printed'; readonly words: string };

/** One card. */
export interface Card {
  /** `REHEARSAL: not a real key`; undefined for production. */
  readonly mark: string | undefined;
  /** `2` or `1-2`. */
  readonly share: string;
  /** `any 3 of 5`. */
  readonly quorum: string;
  /** `group 1 of 2, 3 of its 5`; undefined with one group. */
  readonly group: string | undefined;
  /** Name, or undefined for a line to write on. */
  readonly custodian: string | undefined;
  /** What the shares bring back: `the ed25519+ml-dsa-65 key`, `a file`. */
  readonly secret: string;
  /** How this share is sealed: `by passphrase`. */
  readonly sealed: string;
  /** How it is opened, without a strip: `it opens with ...`. */
  readonly opensWith: string;
  /** Hexadecimal; undefined where no set description was at hand. */
  readonly setId: string | undefined;
  readonly keyId: string | undefined;
  /** The first 16 bytes of the key id in words. */
  readonly keyWords: string | undefined;
  readonly root: string | undefined;
  readonly ceremony: string | undefined;
  /** Day on which the shares were made, or the card printed; `2026-11-26`. */
  readonly date: string;
  readonly review: string;
  /** Version of conclave. */
  readonly version: string;
  readonly codes: readonly CardCode[];
  readonly lines: readonly PrintedLine[];
  /** Lines of the sealed package, when it does not lie in the share and fits. */
  readonly packageLines: readonly PrintedLine[];
  /** Where the sealed package is, one sentence. */
  readonly packageAt: string;
  /** Command that brings the secret back. */
  readonly command: string;
  readonly unlock: UnlockStrip;
}

/** Paper sizes, in millimetres. */
export const papers = {
  a4: { width: 210, height: 297 },
  letter: { width: 215.9, height: 279.4 },
  a6: { width: 105, height: 148 },
} as const;

/** Name of a paper size. */
export type Paper = keyof typeof papers;

/** How a share is sealed that an identity key opens. */
export const SEALED_TO_IDENTITY = 'to an identity';

/** One piece of advice: a sentence or two, and a line to type. */
export interface Advice {
  readonly text: string;
  readonly command?: string;
}

/** What somebody needs to know who finds this card in ten years. */
export function adviceOf(card: Card): readonly Advice[] {
  const opens =
    card.unlock.kind === 'none'
      ? card.opensWith
      : 'it opens with the unlock words, which are kept in another bag.';
  return [
    {
      text:
        `This card is one share of ${card.secret}: ${card.quorum} bring it back, fewer tell nothing. ` +
        `The share is sealed ${card.sealed}: ${opens}`,
    },
    { text: card.packageAt },
    {
      text:
        `Gather enough cards. On a computer without a network, with conclave ${card.version} or a later one, type the line ` +
        'below; it asks for each card, which is scanned, or typed from its numbered lines.',
      command: card.command,
    },
    {
      text: 'To check this card alone, once a year, without the others:',
      command: 'conclave share check',
    },
    {
      text:
        'Without conclave: its docs/spec/share.md and docs/spec/share-card.md describe every byte, and ' +
        'test/independent/recover.py is a reader in plain Python that needs nothing else' +
        (card.sealed === SEALED_TO_IDENTITY
          ? '; it reads this card, and opens only shares that are sealed under unlock words.'
          : '.'),
    },
  ];
}
