/**
 * What parties say who sit at machines of their own: it comes in through one folder, as files or as pictures of codes, or before
 * the camera. Taken is only what is authentic and belongs to the very round.
 */
import { join } from 'node:path';
import { collectArrivals, codesOfPictures } from '../qr/collect.js';
import type { SeenCode } from '../context/scan.js';
import { sha256 } from '#crypto/hash';
import { equal, toHex } from '#formats/bytes';
import { NegativeError, TryAgainError } from '#formats/errors';
import { looksLikeOpening, MAX_OPENING_BYTES } from '#protocols/inhead/opening-proof';
import { authenticateMessage, decodeMessage, type Message } from '#protocols/parties/message';
import { slotsOf } from '#protocols/threshold/expected';
import { CONFIRM } from '#protocols/threshold/proven-opening';
import type { Start } from '#protocols/threshold/start-message';
import type { ActionContext } from '../context/context.js';
import { partyOf, rosterFrom } from './certificate.js';
import { acceptancesIn } from './heard.js';
import type { Party } from './seat.js';
import { proofName, proofNamedIn } from './proof-files.js';
import { acceptanceName, messageName } from './session.js';

const MAX_FILE_BYTES = MAX_OPENING_BYTES;
const MAX_PICTURE_BYTES = 64 * 1024 * 1024;

/** What is waited for, and where. */
export interface Arriving {
  readonly start: Start;
  readonly party: Party;
  /** 0 for the acceptance. */
  readonly round: number;
  /** Folder through which files come in. */
  readonly inbox: string;
  /** Folder of what was said so far. */
  readonly folder: string;
}

/** Something that came in. */
interface Arrived {
  readonly bytes: Uint8Array;
  readonly from: string;
}

/**
 * Takes a party's part of a round, asking for it until it is there.
 * Messages of other sessions, and such as are damaged or forged, are told of and left alone: anybody can put a file there.
 * @returns names of the files that it was written to
 * @throws TryAgainError `E_SESSION_INCOMPLETE` when somebody says to wait; NegativeError `E_THRESHOLD_EQUIVOCATION`
 */
export async function takeArriving(
  wanted: Arriving,
  context: ActionContext,
): Promise<readonly string[]> {
  const { party, round, inbox, folder } = wanted;
  const takes = round === 0 ? await acceptanceTaker(wanted) : await messageTaker(wanted, context);
  for (const arrived of await lookInto(inbox, context)) await takes.take(arrived);
  while (takes.missing().length > 0) {
    const conversation = await context.ask.converse?.();
    const lacks = `${party.name} (party ${party.number}): ${takes.missing().join(', ')} missing`;
    const aside = takes.aside();
    const what = [lacks, ...aside].join('; ');
    for (const each of aside) conversation?.say(`${each}. It is left alone.`);
    conversation?.say(`${lacks}. It goes into ${inbox}.`);
    const way = await conversation?.choose('How does it come in?', [
      { value: 'files', label: 'it is in the folder now: look again' },
      ...(context.scan === undefined
        ? []
        : [{ value: 'camera', label: 'by codes, before the camera' }]),
      { value: 'wait', label: 'not now: stop here, and go on another time' },
    ]);
    if (way === undefined || way === 'wait') throw notHere(what);
    const arrived = way === 'camera' ? await fromCamera(context) : await lookInto(inbox, context);
    for (const each of arrived) await takes.take(each);
    // Who answers from a file cannot bring anything meanwhile.
    if (takes.missing().length > 0 && conversation?.lines === undefined) {
      throw notHere(what);
    }
  }
  const written = takes.files();
  context.files.makeDirectory?.(folder);
  for (const { name, bytes } of written) {
    const path = join(folder, name);
    const before = context.files.exists(path)
      ? context.files.read(path, MAX_FILE_BYTES)
      : undefined;
    // Nobody signs a proof: another file in its place says nothing about anybody.
    const signed = round > 0 && !looksLikeOpening(bytes);
    if (signed && before !== undefined && !equal(before, bytes)) throw saidTwice(wanted, path);
    context.files.write(path, bytes);
  }
  return written.map(({ name }) => join(folder, name));
}

/** Chooses from what comes in. */
interface Taker {
  take(arrived: Arrived): Promise<void>;
  missing(): readonly string[];
  /** What is wrong with messages that were left alone, one sentence each without its full stop. */
  aside(): readonly string[];
  files(): readonly { readonly name: string; readonly bytes: Uint8Array }[];
}

function acceptanceTaker({ start, party }: Arriving): Promise<Taker> {
  let taken: Uint8Array | undefined;
  return Promise.resolve({
    take: async ({ bytes, from }) => {
      // The folder may hold acceptances of others, and of other sessions.
      if (bytes[0] !== 0x7b) return;
      const found = await partyOf(bytes, start, from).catch(() => undefined);
      if (found?.number === party.number) taken = bytes;
    },
    missing: () => (taken === undefined ? ['the acceptance'] : []),
    aside: () => [],
    files: () =>
      taken === undefined
        ? []
        : [{ name: acceptanceName(start.message.session, party.number), bytes: taken }],
  });
}

async function messageTaker(wanted: Arriving, context: ActionContext): Promise<Taker> {
  const { start, party, round, folder } = wanted;
  const roster = await rosterFrom(start, await acceptancesIn(start, folder, context));
  const { session } = start.message;
  const slots = slotsOf(start, round, party.number).map((slot) => ({
    ...slot,
    name: messageName(session, party.number, { ...slot, round }),
  }));
  const taken = new Map<string, Uint8Array>();
  const aside = new Map<string, string>();
  // A proof is nobody's until the confirmation names it; one party's is a file or two.
  const proofs = new Map<string, Uint8Array>();
  let named: string | undefined;
  const lacksProof = (): boolean => named !== undefined && !proofs.has(named);
  return {
    take: async ({ bytes, from }) => {
      if (looksLikeOpening(bytes)) {
        proofs.set(toHex(sha256(bytes)), bytes);
        return;
      }
      const message = readable(bytes, from);
      if (message === undefined) return;
      const { header } = message;
      if (header.sender !== party.number || header.round !== round) return;
      const slot = slots.find(
        ({ type, recipient }) => type === header.type && recipient === header.recipient,
      );
      if (slot === undefined) return;
      try {
        await authenticateMessage(message, roster, from);
      } catch (error) {
        if (!(error instanceof NegativeError)) throw error;
        aside.set(from, error.message);
        return;
      }
      const before = taken.get(slot.name);
      if (before !== undefined && !equal(before, bytes)) throw saidTwice(wanted, from);
      taken.set(slot.name, bytes);
      if (header.type === CONFIRM && message.content.kind === 'broadcast') {
        const proof = proofNamedIn(start, header.sender, message.content.body);
        named = proof === undefined ? undefined : toHex(proof);
      }
    },
    missing: () => [
      ...slots
        .filter(({ name }) => !taken.has(name))
        .map(
          ({ type, recipient }) => `${type}${recipient === null ? '' : ` for party ${recipient}`}`,
        ),
      ...(lacksProof() ? ['the proof that it confirmed'] : []),
    ],
    aside: () => [...aside.values()],
    files: () => [
      ...[...taken].map(([name, bytes]) => ({ name, bytes })),
      ...[...proofs]
        .filter(([digest]) => digest === named)
        .map(([, bytes]) => ({ name: proofName(session, party.number), bytes })),
    ],
  };
}

function saidTwice({ party, round }: Arriving, where: string): NegativeError {
  return new NegativeError({
    code: 'E_THRESHOLD_EQUIVOCATION',
    message: `${where}: party ${party.number} signed two different messages for round ${round}`,
    hint: `keep both files as evidence; begin a new session without ${party.name}`,
    details: { culprits: [party.number] },
  });
}

function readable(bytes: Uint8Array, from: string): Message | undefined {
  try {
    return decodeMessage(bytes, from);
  } catch {
    return undefined;
  }
}

/** All files of the folder; pictures by the codes in them. */
async function lookInto(inbox: string, context: ActionContext): Promise<readonly Arrived[]> {
  const { files, scan } = context;
  if (!files.isDirectory(inbox)) return [];
  const found: Arrived[] = [];
  const pictures: { readonly name: string; readonly read: () => Uint8Array }[] = [];
  for (const name of [...files.list(inbox)].sort()) {
    const path = join(inbox, name);
    if (files.isDirectory(path)) continue;
    const bytes = files.read(path, MAX_PICTURE_BYTES);
    if (isPicture(bytes)) pictures.push({ name: path, read: () => bytes });
    else if (bytes.length <= MAX_FILE_BYTES) found.push({ bytes, from: path });
  }
  if (pictures.length === 0 || scan === undefined) return found;
  const space = await scan();
  const arrivals = await collectArrivals(codesOfPictures(pictures, space), {
    scan: space,
    live: false,
    from: inbox,
  });
  return [...found, ...arrivals.flatMap((each) => contentOf(each, inbox))];
}

async function fromCamera({ scan }: ActionContext): Promise<readonly Arrived[]> {
  if (scan === undefined) return [];
  const space = await scan();
  const codes: AsyncIterable<SeenCode> = space.camera(undefined);
  const arrivals = await collectArrivals(codes, {
    scan: space,
    live: true,
    count: 1,
    from: 'the camera',
  });
  return arrivals.flatMap((each) => contentOf(each, 'the camera'));
}

function contentOf(
  arrival: Awaited<ReturnType<typeof collectArrivals>>[number],
  from: string,
): readonly Arrived[] {
  return arrival.form === 'file' ? [{ bytes: arrival.bytes, from }] : [];
}

function isPicture(bytes: Uint8Array): boolean {
  return (bytes[0] === 0x89 && bytes[1] === 0x50) || (bytes[0] === 0xff && bytes[1] === 0xd8);
}

function notHere(what: string): TryAgainError {
  return new TryAgainError({
    code: 'E_SESSION_INCOMPLETE',
    message: what,
    hint: 'nothing is lost: put it into the folder, and go on with --resume',
  });
}
