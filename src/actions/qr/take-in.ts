/**
 * A file that comes into a ceremony by code: a scanner that types, a camera, or what lies on a medium, itself or a picture of its
 * codes. Nothing is taken that is not whole, and people are told what is odd while it is held up.
 */
import { MAX_PICTURE_BYTES } from '#carriage/transport/picture';
import { payloadName } from '#carriage/transport/payload';
import type { Arrival } from '#carriage/transport/receiver';
import { looksLikeUr } from '#carriage/transport/ur';
import { ConclaveError, InterruptedError, NegativeError, UsageError } from '#formats/errors';
import type { ActionContext, Conversation } from '../context/context.js';
import type { SeenCode } from '../context/scan.js';
import { understandTyped } from '../context/typed-codes.js';
import { codesOfPictures, codesOfText, collectArrivals } from './collect.js';

/** So often may somebody try; a file that answers for people says the same each time. */
const MAX_TRIES = 20;

/** Something that came, and how. */
export interface TakenIn {
  readonly way: 'keyboard' | 'camera' | 'medium';
  readonly arrival: Arrival;
}

/** Where it may come from. */
export interface Incoming {
  /** What lies on a medium, as the definition names it. */
  readonly file?: string | undefined;
  readonly device?: string | undefined;
}

/**
 * One file from whoever brings it.
 * @param judge - throws for what is not to be taken; people hear why, and try again
 * @throws {@link NegativeError} `E_QR_UNREADABLE` when people say that it cannot be read; {@link UsageError} where nobody can be
 * asked
 */
export async function takeIn<T>(
  incoming: Incoming,
  context: ActionContext,
  judge: (taken: TakenIn) => Promise<T>,
): Promise<T> {
  const talk = await context.ask.converse?.();
  if (talk === undefined) {
    throw new UsageError({
      code: 'E_ANSWER_MISSING',
      message: 'nobody can be asked to bring a code',
    });
  }
  for (let left = MAX_TRIES; ; left--) {
    const way = await chooseWay(talk, incoming, context);
    try {
      const arrival = await comeIn(way, talk, incoming, context);
      if (arrival !== undefined) return await judge({ way, arrival });
    } catch (error) {
      if (!(error instanceof ConclaveError) || left <= 1 || !isOfWhatWasBrought(error)) throw error;
      talk.say(`${error.message}.${error.hint === undefined ? '' : ` ${error.hint}.`}`);
    }
  }
}

/**
 * Whether the next try may go better. A full disk, a power cut, nobody who answers, a bug: those are for the session, not for whoever
 * holds up a code.
 */
function isOfWhatWasBrought({ code, exitCode }: ConclaveError): boolean {
  if (code === 'E_QR_INCOMPLETE') return true;
  return [1, 2, 65, 66, 69, 77].includes(exitCode) && !code.startsWith('E_ANSWER_');
}

async function chooseWay(
  talk: Conversation,
  { file }: Incoming,
  { scan }: ActionContext,
): Promise<TakenIn['way']> {
  const way = await talk.choose('How does it come in?', [
    { value: 'keyboard', label: 'by a scanner that types, or pasted' },
    ...(scan === undefined ? [] : [{ value: 'camera', label: 'held before the camera' }]),
    ...(file === undefined
      ? []
      : [{ value: 'medium', label: `on a medium: ${file}, or a picture of its codes there` }]),
    { value: 'unreadable', label: 'not at all: it cannot be read, and the record says so' },
    { value: 'stop', label: 'stop here' },
  ]);
  if (way === 'unreadable') {
    throw new NegativeError({
      code: 'E_QR_UNREADABLE',
      message: 'what was brought could not be read',
      hint: 'let the sender show it again, larger or in more light',
    });
  }
  if (way === 'stop') {
    throw new InterruptedError({
      code: 'E_INTERRUPTED',
      message: 'stopped before anything came in',
      hint: 'nothing was written',
    });
  }
  return way as TakenIn['way'];
}

async function comeIn(
  way: TakenIn['way'],
  talk: Conversation,
  incoming: Incoming,
  context: ActionContext,
): Promise<Arrival | undefined> {
  if (way === 'medium') return await fromMedium(incoming.file as string, context);
  const watched = watcher(talk);
  if (way === 'camera') {
    const scan = await context.scan?.();
    if (scan === undefined) return undefined;
    talk.say('Hold the codes before the camera. Ctrl-C leaves.');
    const codes = scan.camera(incoming.device);
    return await one(codes, { scan, live: true, from: 'the camera' });
  }
  talk.say('Scan or paste now, code by code. "other" comes back here, Ctrl-C leaves.');
  const state = { left: false };
  const codes = understandTyped(
    typedLines(talk, () => watched.prompt(), state),
    (text) => {
      watched.remark(text);
    },
  );
  try {
    return await one(codes, { scan: watched, live: true, from: 'what was typed' });
  } catch (error) {
    // Whoever goes back to the choice knows that nothing came.
    if (state.left && error instanceof ConclaveError) return undefined;
    throw error;
  }
}

/** What lies on the medium: codes in a picture or as text, or the file itself, which came without any code. */
async function fromMedium(file: string, context: ActionContext): Promise<Arrival | undefined> {
  const bytes = context.files.read(file, MAX_PICTURE_BYTES);
  if (isPicture(bytes)) {
    const scan = await context.scan?.();
    if (scan === undefined) return undefined;
    const codes = codesOfPictures([{ name: file, read: () => bytes }], scan);
    return await one(codes, { scan, live: false, from: file });
  }
  const text = Buffer.from(bytes).toString('latin1');
  if (looksLikeUr(text.trimStart()))
    return await one(codesOfText(text, file), { scan: SILENT, live: false, from: file });
  return { form: 'file', kind: 'file', name: payloadName(file), bytes };
}

async function one(
  codes: AsyncIterable<SeenCode>,
  how: Omit<Parameters<typeof collectArrivals>[1], 'count'>,
): Promise<Arrival | undefined> {
  const [arrival] = await collectArrivals(codes, { ...how, count: 1 });
  return arrival;
}

const SILENT = { progress: () => undefined, remark: () => undefined };

/** Says how far it is in the prompt of the next line, and what is odd at once. */
function watcher(talk: Conversation) {
  let prompt = 'code';
  return {
    prompt: () => prompt,
    progress: (state: { readonly received: number; readonly needed: number } | undefined): void => {
      prompt = state === undefined ? 'code' : `${state.received} of ${state.needed} parts; code`;
    },
    remark: (text: string): void => {
      talk.say(text);
    },
  };
}

/** Lines of a terminal that has them, or question by question, until somebody says "other". */
async function* typedLines(
  talk: Conversation,
  prompt: () => string,
  state: { left: boolean },
): AsyncGenerator<string> {
  const lines = talk.lines?.(prompt) ?? questions(talk, prompt);
  for await (const line of lines) {
    if (line.trim().toLowerCase() === 'other') break;
    yield line;
  }
  state.left = true;
}

async function* questions(talk: Conversation, prompt: () => string): AsyncGenerator<string> {
  for (;;) yield await talk.text(`${prompt()}:`);
}

function isPicture(bytes: Uint8Array): boolean {
  return (bytes[0] === 0x89 && bytes[1] === 0x50) || (bytes[0] === 0xff && bytes[1] === 0xd8);
}
