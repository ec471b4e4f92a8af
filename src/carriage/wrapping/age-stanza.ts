/**
 * The ways of age to wrap a file key: to X-Wing, to X25519, and, read only, under a passphrase.
 * @see https://c2sp.org/age, "Native recipient types"
 */
import { chaChaPolyOpen, chaChaPolySeal } from '#crypto/aead';
import type { AgreementImplementation, Descriptor, RandomSource } from '#crypto/descriptor';
import { hkdfSha256, scrypt } from '#crypto/hash';
import { concat, utf8 } from '#formats/bytes';
import { NegativeError } from '#formats/errors';
import type { SecretBytes } from '#formats/secret-bytes';
import { base64, malformed, type Stanza, unpadded } from './age-header.js';
import { ageAlgorithms } from './age-keys.js';
import type { OpeningKey } from './format.js';
import { type HpkeSuite, openHpke, sealHpke } from './hpke.js';

/** Length of a file key. */
export const FILE_KEY_BYTES = 16;
const BODY_BYTES = FILE_KEY_BYTES + 16;
const SALT_BYTES = 16;
/** 1 GiB of memory; age itself writes 18. */
const MAX_LOG_N = 20;

const HYBRID = 'mlkem768x25519';
const CLASSIC = 'X25519';
const SCRYPT = 'scrypt';
const HYBRID_INFO = utf8('age-encryption.org/mlkem768x25519');
const CLASSIC_INFO = utf8('age-encryption.org/v1/X25519');
const SCRYPT_LABEL = utf8('age-encryption.org/v1/scrypt');
/** HKDF-SHA256, ChaCha20-Poly1305. */
const SUITE: HpkeSuite = { kdf: 1, aead: 3 };

const EMPTY = new Uint8Array(0);
/** The wrapping keys are used once, so their nonce is zero. */
const NONCE = new Uint8Array(12);

/** A stanza whose form was checked, with what its arguments say. */
export type KnownStanza =
  | { readonly kind: 'hybrid' | 'classic'; readonly share: Uint8Array; readonly body: Uint8Array }
  | {
      readonly kind: 'scrypt';
      readonly salt: Uint8Array;
      readonly logN: number;
      readonly body: Uint8Array;
    }
  | { readonly kind: 'unknown'; readonly type: string };

/**
 * Checks the form of all stanzas.
 * @throws InputError `E_AGE_MALFORMED`
 */
export function knownStanzas(stanzas: readonly Stanza[], what: string): readonly KnownStanza[] {
  const known = stanzas.map((stanza) => knownStanza(stanza, what));
  if (known.length > 1 && known.some(({ kind }) => kind === 'scrypt')) {
    throw malformed(what, 'a passphrase stands beside other recipients');
  }
  return known;
}

function knownStanza({ args, body }: Stanza, what: string): KnownStanza {
  const [type, first, second] = args;
  if (type === HYBRID || type === CLASSIC) {
    const [kind, length] =
      type === HYBRID ? (['hybrid', 1120] as const) : (['classic', 32] as const);
    if (args.length !== 2) throw malformed(what, `a ${type} recipient of another form`);
    const share = base64(first as string, what);
    if (share.length !== length || body.length !== BODY_BYTES) {
      throw malformed(what, `a ${type} recipient of another length`);
    }
    return { kind, share, body };
  }
  if (type !== SCRYPT) return { kind: 'unknown', type };
  if (args.length !== 3) throw malformed(what, 'a passphrase recipient of another form');
  const salt = base64(first as string, what);
  const logN = /^[1-9][0-9]{0,2}$/.test(second as string) ? Number(second) : Infinity;
  if (salt.length !== SALT_BYTES || body.length !== BODY_BYTES) {
    throw malformed(what, 'a passphrase recipient of another length');
  }
  if (logN > MAX_LOG_N) throw malformed(what, `a work factor beyond ${MAX_LOG_N}`);
  return { kind: 'scrypt', salt, logN, body };
}

/** Wraps a file key (borrowed) to a public key of one of age's algorithms. */
export async function wrapFileKey(
  descriptor: Descriptor,
  publicKey: Uint8Array,
  fileKey: Uint8Array,
  random: RandomSource,
): Promise<Stanza> {
  if (descriptor === ageAlgorithms.xWing) {
    const { enc, sealed } = await sealHpke({
      descriptor,
      publicKey,
      info: HYBRID_INFO,
      aad: EMPTY,
      plaintext: fileKey,
      random,
      suite: SUITE,
    });
    return { args: [HYBRID, unpadded(enc)], body: sealed };
  }
  const curve = (await descriptor.load()) as AgreementImplementation;
  const ephemeral = random(32);
  try {
    const share = curve.publicKey(ephemeral);
    const shared = curve.agree(ephemeral, publicKey);
    const key = hkdfSha256(shared, concat(share, publicKey), CLASSIC_INFO, 32);
    shared.fill(0);
    const body = chaChaPolySeal(key, NONCE, fileKey, EMPTY);
    key.fill(0);
    return { args: [CLASSIC, unpadded(share)], body };
  } finally {
    ephemeral.fill(0);
  }
}

/**
 * The file key in a stanza, owned by the caller; `undefined` when the key is not the one.
 * @throws InputError `E_AGE_MALFORMED` for a share that no honest sender makes
 */
export async function unwrapFileKey(
  stanza: KnownStanza,
  key: OpeningKey,
  what: string,
): Promise<Uint8Array | undefined> {
  const { descriptor } = key;
  if (stanza.kind === 'hybrid' && descriptor === ageAlgorithms.xWing) {
    const secret = key.secret.use((bytes) => bytes.slice());
    try {
      return await openHpke({
        descriptor,
        secret,
        enc: stanza.share,
        info: HYBRID_INFO,
        aad: EMPTY,
        sealed: stanza.body,
        what,
        suite: SUITE,
      });
    } catch (error) {
      return orThrow(error, what);
    } finally {
      secret.fill(0);
    }
  }
  if (stanza.kind !== 'classic' || descriptor !== ageAlgorithms.x25519) return undefined;
  const curve = (await descriptor.load()) as AgreementImplementation;
  try {
    const shared = key.secret.use((secret) => curve.agree(secret, stanza.share));
    const salt = concat(stanza.share, key.publicKey);
    const wrapping = hkdfSha256(shared, salt, CLASSIC_INFO, 32);
    shared.fill(0);
    try {
      return chaChaPolyOpen(wrapping, NONCE, stanza.body, EMPTY, what);
    } finally {
      wrapping.fill(0);
    }
  } catch (error) {
    return orThrow(error, what);
  }
}

/** The file key under a passphrase (borrowed), owned by the caller; `undefined` when it is another. */
export function unwrapByPassphrase(
  { salt, logN, body }: KnownStanza & { readonly kind: 'scrypt' },
  passphrase: SecretBytes,
  what: string,
): Uint8Array | undefined {
  const cost = { logN, r: 8, p: 1 };
  const key = passphrase.use((bytes) => scrypt(bytes, concat(SCRYPT_LABEL, salt), cost, 32));
  try {
    return chaChaPolyOpen(key, NONCE, body, EMPTY, what);
  } catch (error) {
    return orThrow(error, what);
  } finally {
    key.fill(0);
  }
}

/** A tag that does not hold is another key's stanza; anything else is a share that is none. */
function orThrow(error: unknown, what: string): Uint8Array | undefined {
  if (error instanceof NegativeError) return undefined;
  throw malformed(what, 'a recipient that no sender makes');
}
