/**
 * Cards from the people who hold them: scanned, typed or from pictures, one after another, the odd one named at once. Nothing is
 * written; what was collected goes to the same code as share files do.
 */
import { equal, toHex } from '#formats/bytes';
import { ConclaveError, InterruptedError, NegativeError, UsageError } from '#formats/errors';
import type { BoundPackage } from '#protocols/sharing/bound-package';
import type { SharePrefix } from '#protocols/sharing/share-prefix';
import {
  describePresent,
  indexName,
  indexNumber,
  quorumsAmong,
  type ShareIndex,
  type Structure,
} from '#protocols/sharing/structure';
import type { ActionContext, Conversation } from '../context/context.js';
import { shareBelongs } from './belongs.js';
import { shareOfCard } from './card-source.js';
import { CardEntry, type Entered } from './entry.js';
import { type NamedSet, readShare, type ShareSource } from './sources.js';

/** Codes in pictures; what scans fits. */
export interface PictureReader {
  picture(bytes: Uint8Array, name: string): Promise<readonly { readonly text: string }[]>;
  camera(device: string | undefined): AsyncIterable<{ readonly text: string }>;
}

/** What collecting reaches. */
export type CollectContext = Pick<ActionContext, 'ask' | 'files' | 'inCeremony'> & {
  readonly scan?: (() => Promise<PictureReader>) | undefined;
};

/** How many cards are wanted. */
export type Wanted = 'one' | 'quorum';

const MAX_PICTURE_BYTES = 64 * 1024 * 1024;

/**
 * Collects cards from whoever is there.
 * @param set - the description they must belong to, when there is one
 * @returns sources whose bytes the caller wipes
 * @throws {@link UsageError} `E_SHARES_MISSING` where nobody can be asked
 */
export async function collectShares(
  context: CollectContext,
  wanted: Wanted,
  set: NamedSet | undefined,
): Promise<ShareSource[]> {
  const conversation = await context.ask.converse?.();
  if (conversation === undefined) {
    throw new UsageError({
      code: 'E_SHARES_MISSING',
      message: 'no share was given, and nobody can be asked for one',
      hint: 'name the share files, or run it in a terminal to scan or type cards',
    });
  }
  const table = new Table(wanted, set);
  try {
    do {
      const way = await chooseWay(conversation, context);
      if (way === 'keyboard') await fromKeyboard(conversation, table);
      else if (way === 'camera') await fromCamera(conversation, context, table);
      else await fromFile(conversation, context, table);
    } while (!table.complete);
    return table.sources();
  } catch (error) {
    table.forget();
    throw error;
  }
}

type Way = 'keyboard' | 'file' | 'camera' | 'unreadable' | 'stop';

async function chooseWay(
  conversation: Conversation,
  { scan, inCeremony }: CollectContext,
): Promise<Exclude<Way, 'unreadable' | 'stop'>> {
  const way = (await conversation.choose('How does the card come in?', [
    { value: 'keyboard', label: 'scan it with a scanner, type its lines, or paste them' },
    { value: 'file', label: 'from a file: a picture of the card, its text, or a share file' },
    ...(scan === undefined ? [] : [{ value: 'camera', label: 'hold it before the camera' }]),
    // Only a script can say what happens then; who is at the command line stops.
    ...(inCeremony === true
      ? [{ value: 'unreadable', label: 'not at all: it cannot be read, and the record says so' }]
      : []),
    { value: 'stop', label: 'stop here' },
  ])) as Way;
  if (way === 'unreadable') {
    throw new NegativeError({
      code: 'E_CARD_UNREADABLE',
      message: 'the card could not be read',
      hint: 'keep it nevertheless: its other code or lines may be read another day',
    });
  }
  if (way === 'stop') {
    throw new InterruptedError({
      code: 'E_INTERRUPTED',
      message: 'stopped before all cards were there',
      hint: 'nothing was written',
    });
  }
  return way;
}

async function fromKeyboard(conversation: Conversation, table: Table): Promise<void> {
  conversation.say(
    'Scan the code, or type the lines with their numbers, in any order; what you type is shown. ' +
      '"skip" begins a card again, "other" comes back here, Ctrl-C leaves.',
  );
  const entry = new CardEntry((prefix) => table.oddByPrefix(prefix));
  // What one custodian typed, whole or half, is not for the next one to read.
  let shown = false;
  const wipe = (): void => {
    if (shown) conversation.clear?.();
    shown = false;
  };
  try {
    for await (const line of linesOf(conversation, () => entry.prompt)) {
      const word = line.trim().toLowerCase();
      if (word === 'other') return;
      if (word === 'skip') {
        entry.forget();
        wipe();
        conversation.say('Begin this card again.');
        continue;
      }
      // Lines of the sealed package are for everybody.
      shown ||= !/^\s*p\d/i.test(line);
      const entered = entry.take(line);
      if (entered.kind === 'share' || entered.kind === 'odd') wipe();
      table.hear(entered, conversation);
      if (table.complete) return;
    }
  } finally {
    entry.forget();
    wipe();
  }
}

/** Lines one by one, from a terminal that has them, or question by question. */
async function* linesOf(conversation: Conversation, prompt: () => string): AsyncGenerator<string> {
  if (conversation.lines !== undefined) {
    yield* conversation.lines(prompt);
    return;
  }
  for (;;) yield await conversation.text(`${prompt()}:`);
}

async function fromFile(
  conversation: Conversation,
  { files, scan, inCeremony }: CollectContext,
  table: Table,
): Promise<void> {
  const named = files.named ?? files;
  const path = await conversation.text('Path of the file:', (typed) =>
    isThere(named, typed)
      ? undefined
      : `There is no such file.${inCeremony === true ? ' A path begins at what was made here, or with a /.' : ''}`,
  );
  try {
    const bytes = named.read(path, MAX_PICTURE_BYTES);
    const card = shareOfCard(bytes, path);
    if (card !== undefined) {
      table.hear({ kind: 'share', bytes: card.bytes }, conversation);
      if (card.carried !== undefined)
        table.hear({ kind: 'package', carried: card.carried }, conversation);
      return;
    }
    if (isPicture(bytes) && scan !== undefined) {
      const entry = new CardEntry((prefix) => table.oddByPrefix(prefix));
      const codes = await (await scan()).picture(bytes, path);
      if (codes.length === 0) conversation.say(`There is no QR code in ${path}.`);
      for (const { text } of codes) table.hear(entry.take(text), conversation);
      return;
    }
    table.hear({ kind: 'share', bytes }, conversation);
  } catch (error) {
    if (!(error instanceof ConclaveError) || error.exitCode === 130) throw error;
    conversation.say(`${error.message}.${error.hint === undefined ? '' : ` ${error.hint}.`}`);
  }
}

/** What leads out of where files may be is not there either. */
function isThere(files: Pick<ActionContext['files'], 'exists'>, path: string): boolean {
  try {
    return files.exists(path);
  } catch (error) {
    if (error instanceof ConclaveError) return false;
    throw error;
  }
}

async function fromCamera(
  conversation: Conversation,
  { scan }: CollectContext,
  table: Table,
): Promise<void> {
  if (scan === undefined) return;
  conversation.say('Hold the code before the camera. Ctrl-C leaves.');
  const entry = new CardEntry((prefix) => table.oddByPrefix(prefix));
  const seen = new Set<string>();
  try {
    for await (const { text } of (await scan()).camera(undefined)) {
      if (seen.has(text)) continue;
      seen.add(text);
      table.hear(entry.take(text), conversation);
      if (table.complete) return;
    }
  } catch (error) {
    if (!(error instanceof ConclaveError) || error.exitCode === 130) throw error;
    conversation.say(`${error.message}.`);
  }
}

function isPicture(bytes: Uint8Array): boolean {
  return (bytes[0] === 0x89 && bytes[1] === 0x50) || (bytes[0] === 0xff && bytes[1] === 0xd8);
}

/** The cards that lie on the table. */
class Table {
  readonly #wanted: Wanted;
  readonly #set: NamedSet | undefined;
  readonly #cards: {
    readonly index: ShareIndex;
    readonly name: string;
    readonly bytes: Uint8Array;
  }[] = [];
  #reference: { readonly setId: string; readonly root: string } | undefined;
  #structure: Structure | undefined;
  #carried: BoundPackage | undefined;
  #needsPackage = false;

  constructor(wanted: Wanted, set: NamedSet | undefined) {
    this.#wanted = wanted;
    this.#set = set;
  }

  get complete(): boolean {
    if (this.#cards.length === 0) return false;
    if (this.#wanted === 'one') return true;
    return this.#enough && !this.#lacksPackage;
  }

  get #enough(): boolean {
    const structure = this.#structure;
    const indices = this.#cards.map(({ index }) => index);
    return structure !== undefined && quorumsAmong(structure, indices).next().done !== true;
  }

  get #lacksPackage(): boolean {
    return this.#needsPackage && this.#set === undefined && this.#carried === undefined;
  }

  sources(): ShareSource[] {
    return this.#cards.map(({ name, bytes }, i) => ({
      name,
      bytes,
      ...(i === 0 && this.#carried !== undefined ? { carried: this.#carried } : {}),
    }));
  }

  forget(): void {
    for (const { bytes } of this.#cards) bytes.fill(0);
  }

  /** What is wrong with a card by what stands at its beginning. */
  oddByPrefix({ setId, root, index }: SharePrefix): string | undefined {
    const expected =
      this.#set === undefined
        ? this.#reference
        : { setId: this.#set.file.set.setId, root: undefined };
    const others = this.#set === undefined ? 'the other cards are' : `${this.#set.name} is`;
    if (expected !== undefined && setId !== undefined && toHex(setId) !== expected.setId) {
      return (
        `This card does not belong: it is of set ${toHex(setId).slice(0, 16)}, ${others} of set ` +
        `${expected.setId.slice(0, 16)}. It was not taken.`
      );
    }
    if (expected?.root !== undefined && root !== undefined && toHex(root) !== expected.root) {
      return 'This card is of the same set, but of another dealing of it, old or new. It was not taken.';
    }
    if (setId !== undefined && root !== undefined && index !== undefined) {
      const twin = this.#twin(index);
      if (twin !== undefined)
        return `This is ${twin.name}, which is here already. It was not taken again.`;
    }
    return undefined;
  }

  /** Takes in what a card gave, and says where things stand. */
  hear(entered: Entered, conversation: Conversation): void {
    switch (entered.kind) {
      case 'more':
      case 'odd':
        if (entered.say !== undefined) conversation.say(entered.say);
        return;
      case 'package':
        this.#carried = entered.carried;
        conversation.say('The sealed package is here.');
        return;
      case 'share': {
        const problem = this.#take(entered.bytes);
        if (problem !== undefined) {
          entered.bytes.fill(0);
          conversation.say(problem);
          return;
        }
        conversation.say(this.#standing());
      }
    }
  }

  #twin(index: ShareIndex): { readonly name: string } | undefined {
    return this.#cards.find((card) => indexNumber(card.index) === indexNumber(index));
  }

  #take(bytes: Uint8Array): string | undefined {
    let read;
    try {
      read = readShare({ name: 'this card', bytes });
    } catch (error) {
      if (!(error instanceof ConclaveError)) throw error;
      return `${error.message}. It was not taken.`;
    }
    if (read.kind === 'slip39') {
      const { share } = read;
      share.value.fill(0);
      const id = `${share.identifier}/${share.iterationExponent}/${share.groupThreshold}/${share.groupCount}`;
      if (this.#reference !== undefined && this.#reference.setId !== id) {
        return 'These words are of another set than the other cards. They were not taken.';
      }
      const index = { group: share.groupIndex + 1, member: share.memberIndex + 1 };
      if (this.#twin(index) !== undefined) return 'These words are here already.';
      this.#reference = { setId: id, root: id };
      this.#structure = withGroup(this.#structure, share);
      const name =
        share.groupCount === 1 ? `card ${index.member}` : `card ${index.group}-${index.member}`;
      this.#cards.push({ index, name, bytes });
      return undefined;
    }
    const { share } = read;
    const odd = this.oddByPrefix(share);
    if (odd !== undefined) return odd;
    if (this.#set !== undefined && !shareBelongs(share, this.#set.file.set)) {
      return `This card is of the set of ${this.#set.name}, but of another dealing of it, old or new. It was not taken.`;
    }
    this.#reference = { setId: toHex(share.setId), root: toHex(share.root) };
    this.#structure = share.structure;
    this.#needsPackage = share.package === undefined && share.verifiable === undefined;
    if (this.#carried !== undefined && !equal(this.#carried.binding.setId, share.setId))
      this.#carried = undefined;
    this.#cards.push({
      index: share.index,
      name: `card ${indexName(share.index, share.structure)}`,
      bytes,
    });
    return undefined;
  }

  #standing(): string {
    const last = this.#cards.at(-1);
    const here = `${last?.name ?? ''} is whole.`;
    const sentence = `${here.charAt(0).toUpperCase()}${here.slice(1)}`;
    if (this.#wanted === 'one' || this.#structure === undefined) return sentence;
    const present = describePresent(
      this.#structure,
      this.#cards.map(({ index }) => index),
    );
    if (!this.#enough) return `${sentence} Now ${present}.`;
    return this.#lacksPackage
      ? `${sentence} Enough shares are here; what they open is not: scan the second code of a card, type its lines that ` +
          'begin with P, or stop and give --set set.json.'
      : `${sentence} That is enough.`;
  }
}

/** The structure as far as SLIP-39 words tell it: of groups that nobody saw yet nothing is known but that they are there. */
function withGroup(
  known: Structure | undefined,
  share: {
    readonly groupIndex: number;
    readonly groupThreshold: number;
    readonly groupCount: number;
    readonly memberThreshold: number;
  },
): Structure {
  const groups =
    known?.groups ??
    Array.from({ length: share.groupCount }, () => ({ threshold: 16, shares: 16 }));
  return {
    groupThreshold: share.groupThreshold,
    groups: groups.map((group, g) =>
      g === share.groupIndex ? { threshold: share.memberThreshold, shares: 16 } : group,
    ),
  };
}
