/**
 * What a pair of nonces is used for, written down for good before a signature share exists: in the second place where the session
 * has one, and in the home.
 * @see docs/spec/threshold.md, "Signing"
 */
import type { ClaimPlace } from '#carriage/stores/claims';
import { fromHex, toHex } from '#formats/bytes';
import { ConclaveError, RefusedError } from '#formats/errors';
import type { ActionContext } from '../context/context.js';
import { assertSameUse, claimUse, forget, type Known, openMemory } from './memory.js';
import type { Session } from './session.js';

/** The marks that a session leaves. Disposing lets go of the second place, which was opened once for all of them. */
export class NonceMarks implements Disposable {
  #place: ClaimPlace | undefined;
  readonly #used: Uint8Array[] = [];

  /**
   * Writes down what a pair of nonces is used for. The same use again is fine, since it gives the same bytes; any other is
   * refused for ever.
   * @throws RefusedError `E_NONCE_USED`, `E_ONCE_PLACE`; MissingInputError `E_MEMORY_MISSING`; the errors of keychains and tokens
   */
  async use(
    name: Uint8Array,
    use: Uint8Array,
    session: Session,
    context: ActionContext,
  ): Promise<void> {
    const { memory } = session.hold.state;
    if (memory !== undefined) {
      this.#place ??= await openMemory(memory, context);
      await claimUse(this.#place, knownAs(session), name, use);
    }
    this.#used.push(name);
    markInHome(name, use, context);
  }

  /**
   * Takes a session that has ended out of its second place, so that no copy of it goes on. Where the place is gone by now, what
   * it remembers stays in it, and is in nobody's way. A batch outlasts the sessions that take nonces from it: what the place
   * knows of it stays, and the home notes that this session does not need it any more.
   */
  async end(session: Session, context: ActionContext): Promise<void> {
    const { memory } = session.hold.state;
    if (session.start.prepared !== undefined) {
      for (const name of this.#used) markEnded(name, context);
      return;
    }
    if (memory === undefined) return;
    try {
      this.#place ??= await openMemory(memory, context);
      await forget(this.#place, knownAs(session), this.#used);
    } catch (error) {
      if (!(error instanceof ConclaveError)) throw error;
      context.progress(`${memory} still knows the session, which does no harm: ${error.message}`);
    }
  }

  [Symbol.dispose](): void {
    this.#place?.[Symbol.dispose]();
    this.#place = undefined;
  }
}

function markInHome(name: Uint8Array, use: Uint8Array, { once }: ActionContext): void {
  if (once === undefined) {
    throw new RefusedError({
      code: 'E_ONCE_PLACE',
      message: 'there is no place here that remembers which nonces were used',
    });
  }
  const mark = `nonce/${toHex(name)}`;
  const before = once.read(mark);
  if (before !== undefined) {
    assertSameUse(before, use);
    return;
  }
  try {
    once.write(mark, use);
  } catch (error) {
    // Another process was faster: then what it wrote decides.
    const theirs = once.read(mark);
    if (theirs === undefined) throw error;
    assertSameUse(theirs, use);
  }
}

/** Whether the session that used a prepared pair was finished in this home. */
export function hasEnded(name: Uint8Array, { once }: Pick<ActionContext, 'once'>): boolean {
  return once?.read(endedMark(name)) !== undefined;
}

/** Keeps in mind that nobody needs a pair's batch for it any more. Where that fails, its owner is asked once too often. */
function markEnded(name: Uint8Array, { once }: ActionContext): void {
  try {
    if (once?.read(endedMark(name)) === undefined) once?.write(endedMark(name), name);
  } catch (error) {
    if (!(error instanceof ConclaveError)) throw error;
  }
}

function endedMark(name: Uint8Array): string {
  return `ended/${toHex(name)}`;
}

function knownAs({ hold, start }: Session): Known {
  const { certificates, self } = hold.state;
  const certificate = certificates.get(self) ?? new Uint8Array(0);
  // Prepared nonces are known by their batch, which was introduced when it was made.
  const pair = start.message.prepared?.find(({ number }) => number === self);
  return { certificate, terms: pair === undefined ? start.terms : fromHex(pair.batch) };
}
