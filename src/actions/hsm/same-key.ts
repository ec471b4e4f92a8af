/** Whether the key in a token is a key of this ceremony or home: compared by what each of them does, not by its name. */
import { aesGcmOpen } from '#crypto/aead';
import { equal, equalConstantTime, utf8 } from '#formats/bytes';
import { NegativeError } from '#formats/errors';
import type { ActionContext, OpenKey, TokenOperations } from '../context/context.js';

/**
 * Compares a key in a token with another one. Keys that sign are compared by their public key, which the token proved to match
 * by signing; others by what both make of the same random message.
 * @param reference - the other key, as typed
 * @throws NegativeError `E_TOKEN_KEY_OTHER` when it is another one
 */
export async function assertSameKey(
  key: OpenKey,
  reference: string,
  context: ActionContext,
): Promise<void> {
  const found = await context.keys.find(reference);
  const { name, profile, kind } = found.descriptor;
  const isKind = key.descriptor.name === name && key.descriptor.profile === profile;
  const same =
    isKind &&
    (kind === 'symmetric'
      ? await doesTheSame(key, reference, context)
      : equal(key.publicKey, found.publicKey));
  if (same) return;
  throw new NegativeError({
    code: 'E_TOKEN_KEY_OTHER',
    message: `the key in the token is not ${reference}`,
    hint: 'another key was put in its place, or this is another token; nothing may be wiped',
  });
}

async function doesTheSame(
  { inToken, descriptor }: OpenKey,
  reference: string,
  context: ActionContext,
): Promise<boolean> {
  if (inToken === undefined) return false;
  using own = await context.keys.open(reference);
  const implementation = await descriptor.load();
  const message = context.random(32);
  if (implementation.kind !== 'symmetric') return false;
  const { mac } = implementation;
  if (mac !== undefined) {
    const expected = own.secret.use((raw) => mac(message, raw));
    return equalConstantTime(expected, inToken.mac(message));
  }
  return opensHere(inToken, own, message, context.random(12));
}

/** What the token encrypts must open here. */
function opensHere(
  inToken: TokenOperations,
  own: OpenKey,
  message: Uint8Array,
  nonce: Uint8Array,
): boolean {
  const aad = utf8('conclave same key');
  const sealed = inToken.seal(nonce, message, aad);
  try {
    const opened = own.secret.use((raw) =>
      aesGcmOpen(raw, nonce, sealed, aad, 'what the token encrypted'),
    );
    return equalConstantTime(opened, message);
  } catch {
    return false;
  }
}
