/**
 * The one-time state of challenges: issued, answered, each written once. What was answered keeps the receipt, so that whoever was
 * interrupted gets the same one again for the same answer, and nobody a second one for another.
 */
import { sha256 } from '#crypto/hash';
import {
  type Challenge,
  challengeId,
  decodeChallenge,
} from '#custody/authority/handover-challenge';
import { equal, toHex } from '#formats/bytes';
import { canonicalJsonBytes, parseCanonicalJson } from '#formats/canonical-json';
import { InternalError, RefusedError } from '#formats/errors';
import * as s from '#formats/schema';
import { toBase64 } from '#formats/bytes';
import type { ActionContext, OnceSpace } from '../context/context.js';

const issuedSchema = s.object({
  challenge: s.base64(),
  /** For `possession`: what the holder has to answer. */
  proof: s.nullable(s.hex(32)),
  /** How many had been issued before. Clocks are to the second, and may be set back. */
  serial: s.integer({ min: 0 }),
});

const answeredSchema = s.object({
  /** SHA-256 over the digests of all files of the answer. */
  answer: s.hex(32),
  /** The signed statement. */
  receipt: s.base64(),
});

/** A challenge of this home or session. */
export interface Issued {
  readonly id: string;
  readonly challenge: Challenge;
  readonly bytes: Uint8Array;
  readonly proof: string | null;
  /** Later ones have higher numbers; two that were issued at the same moment may share one. */
  readonly serial: number;
}

/** The space for one-time state. @throws {@link InternalError} `E_ONCE_MISSING` where a run has none */
export function onceOf(context: ActionContext): OnceSpace {
  if (context.once !== undefined) return context.once;
  throw new InternalError({ code: 'E_ONCE_MISSING', message: 'this run keeps no one-time state' });
}

/** Keeps a new challenge, before its file is handed out. */
export function issue(context: ActionContext, bytes: Uint8Array, proof: string | null): string {
  const id = challengeId(bytes);
  const once = onceOf(context);
  const serial = once.list('issued').length;
  once.write(`issued/${id}`, canonicalJsonBytes({ challenge: toBase64(bytes), proof, serial }));
  return id;
}

/**
 * The challenge in a file, which must be one that was issued here and has time left.
 * @throws {@link RefusedError} `E_CHALLENGE_FOREIGN`, `E_CHALLENGE_EXPIRED`; InputError of the reader
 */
export function issuedChallenge(bytes: Uint8Array, what: string, context: ActionContext): Issued {
  const challenge = decodeChallenge(bytes, what);
  const id = challengeId(bytes);
  const found = readIssued(id, context);
  if (found === undefined || !equal(found.bytes, bytes)) {
    throw new RefusedError({
      code: 'E_CHALLENGE_FOREIGN',
      message: `${what} was not issued here`,
      hint: 'verify where the challenge was made, with the same home or in the same session',
    });
  }
  if (Date.parse(challenge.expires) <= context.now().getTime()) {
    throw new RefusedError({
      code: 'E_CHALLENGE_EXPIRED',
      message: `${what} expired on ${challenge.expires}`,
      hint: 'make a new one: conclave handover challenge',
    });
  }
  return found;
}

/** A challenge that was issued here, by its id. */
export function readIssued(id: string, context: ActionContext): Issued | undefined {
  const once = onceOf(context);
  const kept = once.read(`issued/${id}`);
  if (kept === undefined) return undefined;
  const what = `${once.location}/issued/${id}`;
  const {
    challenge: bytes,
    proof,
    serial,
  } = issuedSchema.parse(parseCanonicalJson(kept, what), what);
  return { id, bytes, proof, serial, challenge: decodeChallenge(bytes, what) };
}

/** Every challenge that was issued here for a key. */
export function challengesFor(keyId: string, context: ActionContext): readonly Issued[] {
  return onceOf(context)
    .list('issued')
    .map((name) => readIssued(name.slice('issued/'.length), context))
    .filter((it): it is Issued => it?.challenge.key?.id === keyId);
}

/** What identifies an answer: all its files. */
export function answerDigest(files: readonly Uint8Array[]): string {
  return toHex(sha256(...files.map((file) => sha256(file))));
}

/**
 * The receipt for an answer. The first answer that holds is the only one: it is kept, with its receipt, before anybody sees the
 * receipt; the same answer gets the same receipt again, another is refused.
 * @param make - signs the receipt; called only when there is none yet
 * @throws {@link RefusedError} `E_CHALLENGE_USED`
 */
export async function answered(
  id: string,
  answer: string,
  make: () => Promise<Uint8Array>,
  context: ActionContext,
): Promise<{ readonly receipt: Uint8Array; readonly again: boolean }> {
  const before = readAnswered(id, context);
  if (before !== undefined) {
    if (before.answer === answer) return { receipt: before.receipt, again: true };
    throw used(id);
  }
  const receipt = await make();
  try {
    onceOf(context).write(
      `answered/${id}`,
      canonicalJsonBytes({ answer, receipt: toBase64(receipt) }),
    );
  } catch (error) {
    // Another process was faster.
    if (error instanceof RefusedError) throw used(id);
    throw error;
  }
  return { receipt, again: false };
}

/** Whether a challenge was answered, and how. */
export function readAnswered(
  id: string,
  context: ActionContext,
): { readonly answer: string; readonly receipt: Uint8Array } | undefined {
  const once = onceOf(context);
  const kept = once.read(`answered/${id}`);
  if (kept === undefined) return undefined;
  const what = `${once.location}/answered/${id}`;
  return answeredSchema.parse(parseCanonicalJson(kept, what), what);
}

function used(id: string): RefusedError {
  return new RefusedError({
    code: 'E_CHALLENGE_USED',
    message: `challenge ${id.slice(0, 16)} was answered before, otherwise`,
    hint: 'a challenge is good for one answer: make a new one, conclave handover challenge',
  });
}
