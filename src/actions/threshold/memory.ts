/**
 * A second place that remembers one-time state, so that an older copy of this home, brought back, is told from the true one: a
 * folder on another medium, the desktop's keychain, or a token. It lets go on only what it knows. Whoever keeps one-time state
 * is *introduced* when that state is made; each use is *claimed* before any output exists; and at the end all of it is taken
 * away, so that what ended is not known any more, and no copy of it goes on.
 * @see docs/spec/threshold.md, "Memory"
 */
import { CLAIM_NAME, type ClaimPlace } from '#carriage/stores/claims';
import { sha256 } from '#crypto/hash';
import { equal, equalConstantTime, toHex, utf8 } from '#formats/bytes';
import { InternalError, MissingInputError, RefusedError, UnavailableError } from '#formats/errors';
import type { ActionContext, HeldFolder } from '../context/context.js';
import { placeOf } from '../hsm/place.js';
import { placeNamed } from './memory-place.js';

const ENTRY = utf8('conclave-memory-v1\0');

/** One who keeps one-time state, as a place knows them. */
export interface Known {
  /** What tells this state from every other, and is public: its certificate. */
  readonly certificate: Uint8Array;
  /** What it is about; 32 bytes. */
  readonly terms: Uint8Array;
}

/**
 * The place that was named: a folder, `keychain:` or `keychain:keytar`, `pkcs11:LABEL` or a token's URI. In a ceremony `pkcs11:NAME`
 * is the token that the site file calls so. Nothing is made there.
 * @returns owned: the caller disposes it
 * @throws MissingInputError `E_MEMORY_MISSING` for a folder that is not there; the errors of keychains and tokens
 */
export async function openMemory(named: string, context: ActionContext): Promise<ClaimPlace> {
  const place = placeNamed(named);
  if (place.kind === 'token') return await onToken(place.token, context);
  if (place.kind === 'keychain') {
    if (context.keychainClaims === undefined) throw noSuchPlace('keychain');
    return await context.keychainClaims(place.backend);
  }
  return inFolder(named, context);
}

/**
 * Makes a place know somebody, before anything of theirs is told.
 * @returns how the place is named from now on
 */
export async function introduce(
  named: string,
  known: Known,
  context: ActionContext,
): Promise<string> {
  using place = await openMemory(named, context);
  const claims = await place.claim(entryOf(known), known.terms);
  if (!claims.every((each) => equal(each, known.terms))) throw unknown(named);
  return place.location;
}

/**
 * Claims a use of one-time state.
 * @param name - of what is used once; 32 bytes
 * @param use - what it is used for; 32 bytes
 * @throws RefusedError `E_NONCE_USED`; MissingInputError `E_MEMORY_MISSING` where the place does not know them
 */
export async function claimUse(
  place: ClaimPlace,
  known: Known,
  name: Uint8Array,
  use: Uint8Array,
): Promise<void> {
  // Before: nothing is written to a place that is not the one.
  await assertKnown(place, known);
  // Nor to one that remembers another use: where claims stand beside each other, the copy would spoil what the true one claimed.
  for (const each of await place.read(useOf(name))) assertSameUse(each, use);
  const claims = await place.claim(useOf(name), use);
  for (const each of claims) assertSameUse(each, use);
  // And after: the end takes away first who is known, and then the uses. Who still is known saw all uses.
  await assertKnown(place, known);
}

/** Takes away all that a place knows of somebody: from now on none of their state goes on, in no copy. */
export async function forget(
  place: ClaimPlace,
  known: Known,
  names: Iterable<Uint8Array>,
): Promise<void> {
  await place.remove(entryOf(known));
  for (const name of names) await place.remove(useOf(name));
}

/** Whether a place knows them. @throws MissingInputError `E_MEMORY_MISSING` */
export async function assertKnown(place: ClaimPlace, known: Known): Promise<void> {
  const claims = await place.read(entryOf(known));
  if (claims.length > 0 && claims.every((each) => equal(each, known.terms))) return;
  throw unknown(place.location);
}

/** What was used for something else is not used. @throws RefusedError `E_NONCE_USED` */
export function assertSameUse(before: Uint8Array, use: Uint8Array): void {
  if (before.length === use.length && equalConstantTime(before, use)) return;
  throw new RefusedError({
    code: 'E_NONCE_USED',
    message: 'the nonces of this session were used already, for something else',
    hint: 'this is a copy, or an older state, of a session that went on; signing again would give the share away. Begin a new session',
  });
}

function entryOf({ certificate }: Known): string {
  return `session-${toHex(sha256(ENTRY, certificate))}`;
}

function useOf(name: Uint8Array): string {
  return `nonce-${toHex(name)}`;
}

/** @throws the errors of tokens */
async function onToken(typed: string, context: ActionContext): Promise<ClaimPlace> {
  if (context.tokens === undefined) throw noSuchPlace('token');
  const [{ createTokenClaims }, { isStarted, readsFiles }, space] = await Promise.all([
    import('#carriage/stores/pkcs11/claims'),
    import('#carriage/stores/pkcs11/module'),
    context.tokens(),
  ]);
  const wanted = placeOf({ token: typed }, context);
  const open = await space.open(wanted);
  const { label, serial } = open.description;
  const { named, module } = open;
  const place = {
    token: label,
    serial,
    ...(/[/\\]/.test(named) ? { modulePath: named } : { moduleName: named }),
    ...(wanted.uri.pinSource === undefined ? {} : { pinSource: wanted.uri.pinSource }),
  };
  const claims = readsFiles(module)
    ? createTokenClaims(open, place, async () => {
        if (isStarted(module.path)) throw stale(place.token);
        return await space.open({ ...wanted, uri: place });
      })
    : createTokenClaims(open, place);
  // A session that goes on at another machine finds the token by the name that the site file gives it there.
  return context.boundToken === undefined ? claims : { ...claims, location: `pkcs11:${typed}` };
}

/** Another use of the module in this process keeps its copy of the token. */
function stale(token: string): UnavailableError {
  return new UnavailableError({
    code: 'E_MEMORY_STALE',
    message: `the token ${JSON.stringify(token)} is in use here for something else, and cannot be read afresh`,
    hint: 'nothing was signed; use a folder on a second medium, or another token',
  });
}

function inFolder(path: string, { folders }: ActionContext): ClaimPlace {
  const held = <T>(name: string, work: (folder: HeldFolder) => T): T => {
    if (!CLAIM_NAME.test(name)) {
      throw new InternalError({ code: 'E_CLAIM_NAME', message: `${name} cannot be claimed` });
    }
    if (folders?.exists(path) !== true) throw missing(path);
    using folder = folders.hold(path);
    return work(folder);
  };
  const read = (folder: HeldFolder, name: string): readonly Uint8Array[] => {
    const claim = folder.read(name);
    return claim === undefined ? [] : [claim];
  };
  if (folders?.exists(path) !== true) throw missing(path);
  return {
    location: path,
    read: async (name) => held(name, (folder) => read(folder, name)),
    claim: async (name, bytes) =>
      held(name, (folder) => {
        // One process at a time holds the folder: the first claim is the only one.
        if (folder.read(name) === undefined) folder.replace(name, bytes);
        return read(folder, name);
      }),
    remove: async (name) => {
      held(name, (folder) => {
        folder.shred(name);
      });
    },
    [Symbol.dispose]: () => undefined,
  };
}

function missing(place: string): MissingInputError {
  return new MissingInputError({
    code: 'E_MEMORY_MISSING',
    message: `the second medium ${place} is not there, and this session does not sign without it`,
    hint: 'bring it back under the same name, with what the session left on it',
  });
}

function unknown(place: string): MissingInputError {
  return new MissingInputError({
    code: 'E_MEMORY_MISSING',
    message: `${place} does not know this state: it is another place, or this is a copy of what has ended`,
    hint: 'bring back the very medium that was named at the start; where it is the right one, begin a new session',
  });
}

function noSuchPlace(what: string): UnavailableError {
  return new UnavailableError({
    code: 'E_STORE_UNAVAILABLE',
    message: `there is no ${what} here that could remember which nonces were used`,
    hint: 'name a folder on another medium with --memory',
  });
}
