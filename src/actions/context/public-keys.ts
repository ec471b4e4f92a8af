/**
 * PUB: a public key in any form, its kind detected. A path is an SPKI file (PEM or DER), a JWK, a COSE_Key, an SSH key, a key
 * record, a key file, an identity's public file or a Ratify public key; `ALG:PATH` is a file of raw bytes or hexadecimal; else
 * a name or id of the store.
 */
import { decodeKeyFile, IDENTITY_LABEL, KEY_LABEL } from '#carriage/stores/key-file';
import { decodeSpki } from '#crypto/encodings/spki';
import { algorithmNames, resolve } from '#crypto/registry';
import { decodeIdentity, type Identity } from '#custody/authority/identity';
import { decodeRecord, type KeyRecord } from '#custody/authority/record';
import { InputError, MissingInputError, RefusedError, UsageError } from '#formats/errors';
import { isObject, parseJson } from '#formats/canonical-json';
import { decodePem, looksLikePem } from '#formats/pem';
import type { ActionContext, PublicKey } from './context.js';
import { foreignFormOf, readForeign } from './foreign-forms.js';
import { descriptorOf } from './private-forms.js';
import { pathOf } from './references.js';

/** Longer public key files are none; a key file with its record may be one. */
const MAX_BYTES = 4 * 1024 * 1024;

/** What the key is wanted for: an identity has one for each. */
export type WantedKind = 'signature' | 'kem';

/**
 * The public key that PUB names.
 * @throws {@link MissingInputError} `E_KEY_NOT_FOUND` or `E_FILE_MISSING`, {@link InputError} for a file of no known form
 */
export async function resolvePublicKey(
  reference: string,
  wanted: WantedKind,
  context: Pick<ActionContext, 'files' | 'keys' | 'identities'>,
): Promise<PublicKey> {
  const raw = rawReference(reference);
  if (raw !== undefined) return await readRaw(raw.algorithm, raw.path, context);
  const path = pathOf(reference);
  if (path !== undefined) {
    return await readPublicKey(context.files.read(path, MAX_BYTES), path, wanted);
  }
  try {
    const { record, descriptor, publicKey } = await context.keys.find(reference);
    return { descriptor, bytes: publicKey, record };
  } catch (missing) {
    if (!(missing instanceof MissingInputError)) throw missing;
    try {
      return await ofIdentity(await context.identities.find(reference), wanted);
    } catch (error) {
      throw error instanceof MissingInputError ? missing : error;
    }
  }
}

/**
 * The public key that PUB or KEY names: a private key file has a public side too.
 * @throws as {@link resolvePublicKey}
 */
export async function resolvePublicSide(
  reference: string,
  wanted: WantedKind,
  context: Pick<ActionContext, 'files' | 'keys' | 'identities'>,
): Promise<PublicKey> {
  try {
    return await resolvePublicKey(reference, wanted, context);
  } catch (error) {
    const isOther = error instanceof InputError && OF_ANOTHER_FORM.has(error.code);
    if (!isOther || reference === '-') throw error;
    try {
      const { descriptor, publicKey, record } = await context.keys.find(reference);
      return { descriptor, bytes: publicKey, record };
    } catch {
      // It is neither: what it is not as a public key is the better story.
      throw error;
    }
  }
}

/** What reading a private key file as a public one ends in: PEM and JSON say so, DER breaks. */
const OF_ANOTHER_FORM: ReadonlySet<string> = new Set([
  'E_PUBLIC_KEY_UNREADABLE',
  'E_DER_MALFORMED',
]);

/**
 * The public key in a file's bytes.
 * @param what - how errors name the file
 * @throws {@link InputError} `E_PUBLIC_KEY_UNREADABLE` and those of the form's own reader
 */
export async function readPublicKey(
  bytes: Uint8Array,
  what: string,
  wanted: WantedKind,
): Promise<PublicKey> {
  return await checked(await decodePublicKey(bytes, what, wanted), what);
}

/**
 * Refuses bytes of the right length that are no key of their algorithm: a point off its curve would make every answer wrong.
 * @throws {@link InputError} `E_KEY_INVALID`
 */
async function checked(key: PublicKey, what: string): Promise<PublicKey> {
  const implementation = await key.descriptor.load();
  if (implementation.kind === 'symmetric') return key;
  try {
    implementation.assertPublicKey?.(key.bytes);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    const { code, hint } = error;
    throw new InputError({
      code,
      message: `${what}: ${error.message}`,
      hint: hint ?? 'it was damaged, or made to deceive: ask where it comes from',
      cause: error,
    });
  }
  return key;
}

async function decodePublicKey(
  bytes: Uint8Array,
  what: string,
  wanted: WantedKind,
): Promise<PublicKey> {
  if (looksLikePem(bytes, KEY_LABEL)) {
    return await ofRecord(await decodeRecord(decodeKeyFile(bytes, what).record, what));
  }
  if (looksLikePem(bytes, IDENTITY_LABEL)) {
    return await ofIdentity(decodeIdentity(decodeKeyFile(bytes, what).record, what), wanted);
  }
  if (looksLikePem(bytes) && foreignFormOf(bytes) === undefined) {
    const { label, bytes: der } = decodePem(bytes, what);
    if (label === 'PUBLIC KEY') return await ofSpki(der, what);
    der.fill(0);
    throw unreadable(what, `it is a PEM file of ${label}`);
  }
  if (foreignFormOf(bytes) !== undefined) return await readForeignPublic(bytes, what);
  if (bytes[0] === 0x7b) return await readJson(bytes, what, wanted);
  if (bytes[0] === 0x30) return await ofSpki(bytes, what);
  throw unreadable(what, 'its form is not known');
}

async function readJson(bytes: Uint8Array, what: string, wanted: WantedKind): Promise<PublicKey> {
  const value = parseJson(bytes, what, { maxBytes: MAX_BYTES });
  const type = isObject(value) ? value['type'] : undefined;
  if (type === 'conclave/identity') return await ofIdentity(decodeIdentity(bytes, what), wanted);
  if (type === 'conclave/key-record') return await ofRecord(await decodeRecord(bytes, what));
  if (isObject(value) && 'ed25519' in value && 'ml_dsa_65' in value) {
    const { decodeRatifyPublic } = await import('#crypto/encodings/ratify-json');
    const descriptor = await resolve('ed25519+ml-dsa-65', 'ratify-v1');
    return { descriptor, bytes: decodeRatifyPublic(bytes, what) };
  }
  throw unreadable(what, 'it is JSON of another type');
}

/** JWK, COSE_Key or SSH; a private key in one of these forms has a public side, which is found as a private key's is. */
async function readForeignPublic(bytes: Uint8Array, what: string): Promise<PublicKey> {
  const key = await readForeign(bytes, what);
  if (key?.side === 'public') return { descriptor: key.descriptor, bytes: key.publicKey };
  key?.secret.fill(0);
  throw unreadable(what, 'it is a private key');
}

async function ofSpki(der: Uint8Array, what: string): Promise<PublicKey> {
  const { descriptor, publicKey } = await decodeSpki(der, what);
  return { descriptor, bytes: publicKey };
}

async function ofRecord(record: KeyRecord): Promise<PublicKey> {
  return { descriptor: await descriptorOf(record), bytes: record.publicKey, record };
}

async function ofIdentity(identity: Identity, wanted: WantedKind): Promise<PublicKey> {
  if (wanted === 'kem') {
    return { descriptor: await resolve('x-wing'), bytes: identity.xWing, identity };
  }
  throw new RefusedError({
    code: 'E_IDENTITY_SIGNS_STATEMENTS',
    message: `${identity.name} is an identity, which signs statements and nothing else`,
    hint: 'verify the statement itself: conclave verify FILE --signer PUB',
  });
}

function rawReference(reference: string): { algorithm: string; path: string } | undefined {
  const colon = reference.indexOf(':');
  const algorithm = reference.slice(0, Math.max(colon, 0));
  if (!algorithmNames().includes(algorithm)) return undefined;
  return { algorithm, path: reference.slice(colon + 1) };
}

async function readRaw(
  algorithm: string,
  path: string,
  { files }: Pick<ActionContext, 'files'>,
): Promise<PublicKey> {
  const descriptor = await resolve(algorithm);
  if (descriptor.kind === 'symmetric') {
    throw new UsageError({
      code: 'E_KEY_SYMMETRIC',
      message: `${algorithm} keys have no public side`,
      hint: 'name a key of a signature or KEM algorithm',
    });
  }
  const bytes = rawOrHex(files.read(path, MAX_BYTES), descriptor.sizes.public);
  if (bytes !== undefined) return await checked({ descriptor, bytes }, path);
  throw unreadable(path, `a public key of ${algorithm} has ${descriptor.sizes.public} bytes`);
}

function unreadable(what: string, problem: string): InputError {
  return new InputError({
    code: 'E_PUBLIC_KEY_UNREADABLE',
    message: `${what} is no public key that conclave reads: ${problem}`,
    hint: 'give SPKI, JWK, COSE_Key, SSH, a key record, a public identity file, or ALG:FILE for raw bytes or hexadecimal',
  });
}

/**
 * Bytes of a file that holds `length` raw bytes, or their hexadecimal digits with at most one line feed behind them.
 * @returns a copy of its own, or `undefined` when it holds neither
 */
export function rawOrHex(file: Uint8Array, length: number): Uint8Array | undefined {
  if (file.length === length) return new Uint8Array(file);
  const end = file.at(-1) === 0x0a ? file.length - 1 : file.length;
  if (end !== 2 * length) return undefined;
  const digit = (byte: number): boolean =>
    (byte >= 0x30 && byte <= 0x39) ||
    (byte >= 0x41 && byte <= 0x46) ||
    (byte >= 0x61 && byte <= 0x66);
  if (!file.subarray(0, end).every(digit)) return undefined;
  // Nibble by nibble: a string of a private key's digits could not be wiped.
  const nibble = (byte: number): number => (byte & 0x0f) + (byte > 0x39 ? 9 : 0);
  return Uint8Array.from(
    { length },
    (_, i) => (nibble(file[2 * i] as number) << 4) | nibble(file[2 * i + 1] as number),
  );
}
