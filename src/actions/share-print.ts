/** `share print`: shares on paper, a card for each custodian. */
import { posix } from 'node:path';
import type { Card, Paper, UnlockStrip } from '#carriage/transport/card';
import type { Environment } from '#custody/authority/record';
import { fromUtf8 } from '#formats/bytes';
import { RefusedError, UsageError } from '#formats/errors';
import { defineAction } from './action.js';
import type { ActionContext, Person } from './context/context.js';
import { shareBelongs, wordsBelong } from './shares/belongs.js';
import { assertMayPrint, cardOf } from './shares/card.js';
import { oddShares } from './shares/gather.js';
import { CARD_FORMATS, cardFile, type CardFormat, renderCards } from './shares/render.js';
import { notOpened, openByPassphrase } from './shares/seal.js';
import {
  type NamedSet,
  type ReadShare,
  readShare,
  readSources,
  takeSet,
} from './shares/sources.js';

/** What was printed. */
export interface PrintResult {
  /** Paths of the cards, in the order of the shares; one for all of them with --out. */
  readonly cards: readonly string[];
  /** `2`, `1-2`: numbers of the shares. */
  readonly shares: readonly string[];
  readonly paper: Paper;
  readonly format: CardFormat;
  readonly unlock: UnlockStrip['kind'];
  readonly environment: Environment;
  /** What somebody has to know who prints these, one sentence each. */
  readonly notes: readonly string[];
}

export const sharePrint = defineAction({
  id: 'share.print',
  summary: 'print shares as cards on paper',
  description:
    'Makes a card for each share: a QR code, the share as numbered lines with check characters, what it belongs to, blanks for bag, ' +
    'seal and signatures, and what somebody needs to know who finds it in ten years. A strip for the unlock words is cut off into ' +
    'another bag: blank, to be written on by hand, or with --unlock strip printed. PDF, HTML and SVG look alike; text is for a line ' +
    'printer. The files are as private as the shares.',
  inputs: {
    shares: {
      type: 'shares',
      summary: 'share files; set.json may be among them',
      required: true,
      repeat: true,
      positional: 0,
      placeholder: 'FILE',
    },
    set: { type: 'share-set', summary: 'description of the set', placeholder: 'set.json' },
    outDir: { type: 'path', summary: 'folder for one file per card', placeholder: 'DIR' },
    out: { type: 'path', summary: 'one file for all cards', placeholder: 'F' },
    paper: {
      type: 'string',
      summary: 'size of the paper',
      choices: ['a4', 'letter', 'a6'],
      default: 'a4',
    },
    format: {
      type: 'string',
      summary: 'form of the file',
      choices: CARD_FORMATS,
      default: 'pdf',
    },
    unlock: {
      type: 'string',
      summary:
        'strip for the unlock words: blank to write on, strip with the words printed, or none',
      choices: ['blank', 'strip', 'none'],
      default: 'blank',
      only: 'cli',
    },
    custodian: {
      type: 'string',
      summary: 'name on the card: once per share, in order',
      repeat: true,
      only: 'cli',
      placeholder: 'NAME',
    },
    custodians: {
      type: 'role',
      summary: 'role whose holders the shares belong to, in order',
      only: 'ceremony',
    },
    ceremony: { type: 'string', summary: 'ceremony that is named on the card', placeholder: 'ID' },
    review: {
      type: 'string',
      summary: 'day by which the card is looked at again; a year from now without it',
      pattern: '[0-9]{4}-[01][0-9]-[0-3][0-9]',
      placeholder: 'DATE',
    },
    unsealed: { type: 'boolean', summary: 'print shares that are not sealed', only: 'cli' },
  },
  outputs: {
    cards: { type: 'shares', summary: 'the printed cards', repeat: true },
  },
  options: ['passphrase', 'force'],
  effect: 'repeatable',
  examples: [
    {
      command: 'conclave share print shares/share-1.cbor shares/share-2.cbor --out-dir cards',
      explains: 'a PDF for each card, on A4, with a blank strip for the unlock words',
    },
    {
      command:
        'conclave share print share-2.cbor --out card.pdf --paper a6 --unlock strip --passphrase-file words',
      explains: 'a small card whose cut-off strip has the unlock words on it',
    },
  ],
  run: async (input, context): Promise<PrintResult> => {
    if ((input.outDir === undefined) === (input.out === undefined)) {
      throw new UsageError({
        code: 'E_CARD_OUT',
        message:
          input.out === undefined ? 'nothing says where the cards go' : '--out and --out-dir',
        hint: 'give --out-dir DIR for a file per card, or --out FILE for one file',
      });
    }
    const { shares: sources, set } = takeSet(
      readSources(input.shares, context.files),
      input.set,
      context.files,
    );
    if (sources.length === 0) {
      throw new UsageError({
        code: 'E_SHARES_MISSING',
        message: 'no share was given',
        hint: 'name the share files',
      });
    }
    const people = input.custodians === undefined ? [] : context.ask.people(input.custodians);
    const names = people.length > 0 ? people.map(({ name }) => name) : input.custodian;
    if (names.length > sources.length) {
      throw new UsageError({
        code: 'E_CARD_CUSTODIANS',
        message: `${names.length} custodians for ${sources.length} shares`,
        hint: 'name one custodian per share, in the same order',
      });
    }
    const paper = input.paper as Paper;
    const format = input.format as CardFormat;
    const now = context.now();
    const cards: { card: Card; path: string }[] = [];
    const notes: string[] = [];
    let environment: Environment = 'production';
    const read = sources.map((source) => ({ source, share: readShare(source) }));
    for (const { source, share } of read) {
      assertOfSet(share, source.name, set);
      assertMayPrint(share, source.name, input.unsealed === true);
    }
    for (const [i, { source, share }] of read.entries()) {
      const unlock = await unlockOf(share, source.name, input.unlock, context, people[i]);
      const custodian = await printable(names[i], format, notes);
      const card = cardOf(share, source.bytes, set, {
        custodian,
        ceremony: input.ceremony,
        printed: day(now),
        review: input.review ?? day(nextYear(now)),
        version: context.version,
        unlock,
      });
      if (share.kind === 'envelope') environment = share.share.environment;
      else environment = set?.file.set.environment ?? environment;
      const name = cardFile(card.share, format);
      cards.push({ card, path: input.out ?? posix.join(input.outDir as string, name) });
    }
    const paths = [...new Set(cards.map(({ path }) => path))];
    if (input.out === undefined && paths.length < cards.length) {
      throw new UsageError({
        code: 'E_CARD_TWICE',
        message: 'two of these files are the same share',
        hint: 'give each share once',
      });
    }
    context.files.assertAbsent(paths);
    if (input.outDir !== undefined) context.files.makeDirectory?.(input.outDir);
    for (const path of paths) {
      const own = cards.filter((each) => each.path === path).map(({ card }) => card);
      const bytes = await renderCards(own, { paper, format, made: now });
      try {
        context.files.write(path, bytes, { secret: true });
      } finally {
        bytes.fill(0);
      }
    }
    wipe(read);
    const kinds = new Set(cards.map(({ card }) => card.unlock.kind));
    if (kinds.has('printed')) {
      notes.push(
        'the unlock words are in these files: print them, then remove them, here and from the printer',
      );
    }
    context.record({
      type: 'share.print',
      data: {
        setId: cards[0]?.card.setId ?? null,
        shares: cards.map(({ card }) => card.share),
        unlock: kinds.has('printed') ? 'printed' : kinds.has('blank') ? 'blank' : 'none',
        environment,
      },
    });
    return {
      cards: paths,
      shares: cards.map(({ card }) => card.share),
      paper,
      format,
      unlock: kinds.has('printed') ? 'printed' : kinds.has('blank') ? 'blank' : 'none',
      environment,
      notes,
    };
  },
  present: ({ cards, shares, paper, format, unlock, environment, notes }) =>
    [
      ...(environment === 'production' ? [] : [`${environment.toUpperCase()}: not for production`]),
      `card of share ${shares.join(', ')}: ${format === 'text' ? 'text' : `${format}, ${paper}`}`,
      ...cards,
      unlock === 'blank'
        ? 'write the unlock words on the strip by hand, cut it off, and keep it in another bag'
        : unlock === 'printed'
          ? 'cut the strip off and keep it in another bag'
          : 'no strip for unlock words',
      'read each card back before the original is gone: conclave share check',
      ...notes,
    ].join('\n'),
});

function assertOfSet(read: ReadShare, name: string, set: NamedSet | undefined): void {
  if (set === undefined) return;
  const { set: description } = set.file;
  const belongs =
    read.kind === 'envelope'
      ? shareBelongs(read.share, description)
      : wordsBelong(read.share, description);
  if (!belongs) throw oddShares([name], `${name}: of another set than ${set.name}`);
}

function hasUnlockWords(read: Extract<ReadShare, { kind: 'envelope' }>): boolean {
  return read.share.seal.kind === 'passphrase' || read.share.seal.kind === 'argon2id';
}

/** The strip of one share. Printed words were tried on the share first: a strip that opens nothing is worse than none. */
async function unlockOf(
  read: ReadShare,
  name: string,
  wanted: string,
  context: ActionContext,
  person: Person | undefined,
): Promise<UnlockStrip> {
  if (read.kind === 'slip39' || !hasUnlockWords(read) || wanted === 'none') return { kind: 'none' };
  if (wanted === 'blank') return { kind: 'blank' };
  const { share } = read;
  let refusal: RefusedError | undefined;
  for (let attempt = 0; ; attempt++) {
    const opens = `the strip of ${name}`;
    const passphrase = await context.ask.passphrase({
      opens,
      attempt,
      ...(person === undefined ? {} : { person }),
    });
    if (passphrase === undefined) {
      throw (
        refusal ??
        notOpened(
          name,
          'its unlock words were not given',
          'give them by --passphrase-file, or say --unlock blank',
        )
      );
    }
    try {
      (await openByPassphrase(share, passphrase, name)).dispose();
      // A string cannot be wiped; the file that it goes into is as secret.
      const text = passphrase.use((bytes) => fromUtf8(bytes, 'passphrase'));
      return { kind: 'printed', words: text };
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      refusal = error;
    } finally {
      passphrase.dispose();
    }
  }
}

/** A name as the form can draw it; the standard fonts of a PDF know western letters only. */
async function printable(
  name: string | undefined,
  format: CardFormat,
  notes: string[],
): Promise<string | undefined> {
  if (name === undefined) return undefined;
  const clean = name
    .replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, '')
    .trim()
    .slice(0, 80);
  if (clean === '') return undefined;
  if (format !== 'pdf') return clean;
  const { drawsInPdf } = await import('#carriage/transport/page-pdf');
  if (drawsInPdf(clean)) return clean;
  notes.push(
    `the name ${clean} has letters that a PDF's standard fonts lack: its line is left blank, or use --format html`,
  );
  return undefined;
}

function day(time: Date): string {
  return time.toISOString().slice(0, 10);
}

function nextYear(time: Date): Date {
  const next = new Date(time);
  next.setUTCFullYear(time.getUTCFullYear() + 1);
  return next;
}

function wipe(
  read: readonly { readonly source: { readonly bytes: Uint8Array }; readonly share: ReadShare }[],
): void {
  for (const { source, share } of read) {
    source.bytes.fill(0);
    if (share.kind === 'slip39') share.share.value.fill(0);
  }
}
