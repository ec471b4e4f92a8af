/**
 * Opening inside a token: what `wrap --format pkcs11` sealed to an RSA key of it. The key stays in the token, so that somebody
 * has to say what it is.
 */
import { purposesInToken } from '#carriage/stores/pkcs11/family';
import { parseTokenUri } from '#carriage/stores/pkcs11/uri';
import type { Descriptor } from '#crypto/descriptor';
import { sha256 } from '#crypto/hash';
import { keyId } from '#crypto/key-id';
import { resolve } from '#crypto/registry';
import { assertUsable } from '#custody/authority/states';
import { toHex } from '#formats/bytes';
import { MissingInputError, NegativeError, UsageError } from '#formats/errors';
import type { ActionContext, FoundKey } from '../context/context.js';
import { resolvePublicKey } from '../context/public-keys.js';
import { parseReference } from '../context/references.js';
import type { Placed } from '../context/token-keys.js';
import type { Told } from '../handover/wrapped-statement.js';
import { tokenKeysOf } from '../hsm/place.js';

/** Two blocks of RSA-4096 and the longest PKCS#8 in between; more is something else. */
const MAX_BLOB_BYTES = 64 * 1024;

/** What was asked for, as typed. */
export interface IntoToken {
  readonly key?: string | undefined;
  readonly in: string;
  readonly out?: string | undefined;
  readonly name?: string | undefined;
  readonly public?: string | undefined;
  readonly algorithm?: string | undefined;
  readonly statement?: string | undefined;
}

/** The key that was named, if it is in a token. */
export async function keyInToken(
  reference: string | undefined,
  { keys }: ActionContext,
): Promise<FoundKey | undefined> {
  if (reference === undefined) return undefined;
  const parsed = parseReference(reference);
  if (parsed.kind === 'path' || (parsed.kind === 'name' && parsed.store.kind !== 'file')) {
    return undefined;
  }
  try {
    const found = await keys.find(reference);
    return found.device === undefined ? undefined : found;
  } catch (error) {
    // Whoever opens it says so, in its own words.
    if (error instanceof MissingInputError && parsed.kind === 'name') return undefined;
    throw error;
  }
}

/**
 * Opens a wrapped key inside the token of `under`.
 * @returns the key in the token, and `sha256:HEX` of what was opened
 * @throws UsageError `E_UNWRAP_IN_TOKEN`; NegativeError `E_NOT_AUTHENTIC`, `E_TOKEN_CHALLENGE`, `E_HANDOVER_STATEMENT`
 */
export async function unwrapIntoToken(
  asked: IntoToken,
  under: FoundKey,
  told: Told | undefined,
  context: ActionContext,
): Promise<Placed & { readonly digest: string }> {
  const { name = null } = asked;
  // RSA alone both signs and encrypts, and is the only kind that PKCS#11 unwraps with and pkcs11js has parameters for.
  if (!under.descriptor.purposes.includes('encrypt') || under.descriptor.kind !== 'signature') {
    throw inToken(
      `${asked.key ?? ''} is a ${under.descriptor.name} key in a token, and PKCS#11 lets it open no container`,
      'a token opens what conclave wrap --format pkcs11 wrapped to an RSA key of it',
    );
  }
  if (asked.out !== undefined) {
    throw inToken(
      'what a token opens stays in it, and is written nowhere',
      'leave --out out, or open it with a key in a file',
    );
  }
  assertUsable(under.record, 'decrypt');
  const { descriptor, publicKey } = await whatItIs(asked, context);
  if (told !== undefined) assertTold(told, descriptor, publicKey, asked.statement ?? '');
  const wrapped = context.files.read(asked.in, MAX_BLOB_BYTES);
  const keys = await tokenKeysOf(context);
  const where = await keys.find(parseTokenUri(under.location));
  context.progress('opening it inside the token');
  const placed = await keys.receive(where, {
    ...{ descriptor, publicKey, wrapped, name },
    environment: context.environment,
    what: asked.in === '-' ? 'standard input' : asked.in,
  });
  return { ...placed, digest: `sha256:${toHex(sha256(wrapped))}` };
}

/** Nothing in the file says it. */
async function whatItIs(
  asked: IntoToken,
  context: ActionContext,
): Promise<{ readonly descriptor: Descriptor; readonly publicKey: Uint8Array | undefined }> {
  if (asked.public !== undefined && asked.algorithm === undefined) {
    const { descriptor, bytes } = await resolvePublicKey(asked.public, 'signature', context);
    if (descriptor.kind === 'signature') return { descriptor, publicKey: bytes };
    throw descriptor.kind === 'symmetric'
      ? inToken(
          `${asked.public} is the record of a ${descriptor.name} key`,
          'say --algorithm for a symmetric key, without --public',
        )
      : inToken(
          `a ${descriptor.name} key does nothing in a token by which it could show that it is the one of ${asked.public}`,
          'open it with a key in a file',
        );
  }
  if (asked.algorithm !== undefined && asked.public === undefined) {
    const descriptor = await resolve(asked.algorithm);
    if (descriptor.kind === 'symmetric' && purposesInToken(descriptor).length > 0) {
      return { descriptor, publicKey: undefined };
    }
    throw inToken(
      `a ${descriptor.name} key has a public key, and the token must show that both belong together`,
      'give the public key by --public',
    );
  }
  throw inToken(
    `${asked.in} does not say which key it holds, and a token does not tell`,
    'give its public key by --public PUB, or for a symmetric key --algorithm',
  );
}

function assertTold(
  told: Told,
  descriptor: Descriptor,
  publicKey: Uint8Array | undefined,
  statement: string,
): void {
  if (publicKey === undefined) {
    throw inToken(
      `${statement} names a key by what only its bytes tell, and a token does not give them`,
      'leave --statement out for a symmetric key, and compare its check value with the sender',
    );
  }
  if (told.keyId === keyId(descriptor, publicKey)) return;
  throw new NegativeError({
    code: 'E_HANDOVER_STATEMENT',
    message: `${statement} speaks of another key than the public key that was given`,
    hint: 'nothing was opened; ask the sender',
  });
}

function inToken(message: string, hint: string): UsageError {
  return new UsageError({ code: 'E_UNWRAP_IN_TOKEN', message, hint });
}
