/**
 * What a pair of nonces is used for, written down for good before a signature share exists: in the home, and on a second medium
 * where the session has one.
 * @see docs/spec/threshold.md, "Signing"
 */
import { equal, equalConstantTime, toHex } from '#formats/bytes';
import { MissingInputError, RefusedError } from '#formats/errors';
import type { Start } from '#protocols/threshold/start-message';
import type { ActionContext, HeldFolder } from '../context/context.js';
import type { Session } from './session.js';

/**
 * Leaves a session's name on its second medium, so that later an empty folder in the medium's place, such as a mount point with
 * nothing mounted, is not taken for it.
 * @throws MissingInputError `E_MEMORY_MISSING`
 */
export function introduce(memory: string, start: Start, context: ActionContext): void {
  using folder = memoryFolder(memory, context);
  folder.replace(nameOf(start), start.terms);
}

/**
 * Writes down what a pair of nonces is used for. The same use again is fine, since it gives the same bytes; any other is refused
 * for ever.
 * @throws RefusedError `E_NONCE_USED`, `E_ONCE_PLACE`; MissingInputError `E_MEMORY_MISSING`
 */
export function markUsed(
  name: Uint8Array,
  use: Uint8Array,
  { hold, start }: Session,
  context: ActionContext,
): void {
  const { memory } = hold.state;
  if (memory !== undefined) {
    using folder = memoryFolder(memory, context);
    const known = folder.read(nameOf(start));
    if (known === undefined || !equal(known, start.terms)) throw missing(memory);
    const file = `nonce-${toHex(name)}`;
    const before = folder.read(file);
    if (before === undefined) folder.replace(file, use);
    else assertSameUse(before, use);
  }
  const once = context.once;
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

function memoryFolder(memory: string, { folders }: ActionContext): HeldFolder {
  if (folders?.exists(memory) !== true) throw missing(memory);
  return folders.hold(memory);
}

function nameOf({ message }: Start): string {
  return `session-${message.session}`;
}

function missing(memory: string): MissingInputError {
  return new MissingInputError({
    code: 'E_MEMORY_MISSING',
    message: `the second medium ${memory} is not there, and this session does not sign without it`,
    hint: 'bring it back under the same name, with what the session left on it',
  });
}

function assertSameUse(before: Uint8Array, use: Uint8Array): void {
  if (before.length === use.length && equalConstantTime(before, use)) return;
  throw new RefusedError({
    code: 'E_NONCE_USED',
    message: 'the nonces of this session were used already, for something else',
    hint: 'this is a copy, or an older state, of a session that went on; signing again would give the share away. Begin a new session',
  });
}
