/**
 * What a provider answers once a key is in: its public key, and a signature, a message authentication code or a ciphertext over
 * the challenge. All theirs: read tolerantly, see `theirs.ts`. Files that are none of these documents are bytes as they stand.
 */
import { spkiOfJwk } from '#crypto/jwk-spki';
import type { Padding, SignatureHash } from '#crypto/descriptor';
import { fromBase64, fromUtf8 } from '#formats/bytes';
import { InputError } from '#formats/errors';
import { jwkNumber, lookAt, type Theirs } from './theirs.js';

/** A provider's answer to "which key is it?". */
export interface PublicKeyAnswer {
  /** SPKI DER, or the raw key where the provider shows that. */
  readonly form: 'spki' | 'raw';
  readonly bytes: Uint8Array;
}

/** A provider's answer to the challenge. */
export interface ProofAnswer {
  readonly bytes: Uint8Array;
  /** What the document says the bytes are; `undefined` for a bare file. */
  readonly kind?: 'signature' | 'mac' | 'ciphertext' | undefined;
  readonly hash?: SignatureHash | undefined;
  readonly padding?: Padding | undefined;
}

/**
 * The public key in an answer, or `undefined` when the file is no document of a provider (then it is a key file).
 * @throws {@link InputError} `E_PROVIDER_DOCUMENT`, `E_JWK_MALFORMED`
 */
export function readPublicKeyAnswer(bytes: Uint8Array, what: string): PublicKeyAnswer | undefined {
  const document = lookAt(bytes, what);
  if (document === undefined) return undefined;
  if (document.has('PublicKey')) return { form: 'spki', bytes: document.base64('PublicKey') };
  if (document.has('pem')) return { form: 'spki', bytes: document.publicKeyPem('pem') };
  const holder = document.has('key') ? document.optionalObject('key') : document;
  if (holder?.has('kty') === true) return { form: 'spki', bytes: ofJwk(holder, what) };
  const keys = document.optionalObject('data')?.optionalObject('keys');
  return keys === undefined ? undefined : ofTransit(document.object('data'), keys);
}

/**
 * The proof in an answer; a file that is no document is the proof itself.
 * @throws {@link InputError} `E_PROVIDER_DOCUMENT`
 */
export function readProofAnswer(bytes: Uint8Array, what: string): ProofAnswer {
  const document = lookAt(bytes, what);
  if (document === undefined) return ofTransitText(bytes) ?? { bytes };
  if (document.has('Signature')) {
    return {
      kind: 'signature',
      bytes: document.base64('Signature'),
      ...choices(document.optionalText('SigningAlgorithm')),
    };
  }
  if (document.has('Mac')) return { kind: 'mac', bytes: document.base64('Mac') };
  if (document.has('mac')) return { kind: 'mac', bytes: document.base64('mac') };
  if (document.has('signature')) {
    return {
      kind: 'signature',
      bytes: document.eitherBase64('signature'),
      ...choices(document.optionalText('algorithm')),
    };
  }
  if (document.has('kid') && document.has('value')) {
    return { kind: 'signature', bytes: document.eitherBase64('value') };
  }
  const data = document.optionalObject('data');
  for (const [member, kind] of [
    ['signature', 'signature'],
    ['hmac', 'mac'],
    ['ciphertext', 'ciphertext'],
  ] as const) {
    if (data?.has(member) === true) return { kind, bytes: transitBytes(data, member) };
  }
  throw new InputError({
    code: 'E_PROVIDER_DOCUMENT',
    message: `${what} holds no signature, MAC or ciphertext that conclave knows`,
    hint: "bring what the provider's command line printed when it signed the challenge, or the signature's bytes alone",
  });
}

/** `vault:v1:BASE64`, as transit writes each of its results. */
const TRANSIT = /^vault:v\d{1,6}:(?<base64>[A-Za-z0-9+/=]+)$/;

function transitBytes(data: Theirs, member: string): Uint8Array {
  const match = TRANSIT.exec(data.text(member))?.groups;
  if (match === undefined) throw data.fault(member, '"vault:v1:" and base64 were expected');
  return fromBase64(match['base64'] ?? '', member);
}

function ofTransitText(bytes: Uint8Array): ProofAnswer | undefined {
  if (bytes.length > 64 * 1024 || bytes[0] !== 0x76) return undefined;
  try {
    const match = TRANSIT.exec(fromUtf8(bytes).trim())?.groups;
    return match === undefined ? undefined : { bytes: fromBase64(match['base64'] ?? '') };
  } catch {
    return undefined;
  }
}

function ofTransit(data: Theirs, keys: Theirs): PublicKeyAnswer | undefined {
  const version = data.optionalNumber('latest_version') ?? 1;
  const key = keys.object(String(version));
  if (key.optionalText('public_key')?.startsWith('-----BEGIN') === true) {
    return { form: 'spki', bytes: key.publicKeyPem('public_key') };
  }
  return { form: 'raw', bytes: key.base64('public_key') };
}

/** A JWK with the provider's suffix and spellings taken off: `EC-HSM`, `P-256K`, numbers in either base64. */
function ofJwk(jwk: Theirs, what: string): Uint8Array {
  const kty = jwk.text('kty').replace(/-HSM$/, '');
  const crv = jwk.optionalText('crv');
  const number = (name: 'n' | 'e' | 'x' | 'y'): Partial<Record<string, string>> =>
    jwk.has(name) ? { [name]: jwkNumber(jwk.eitherBase64(name)) } : {};
  return spkiOfJwk(
    {
      kty,
      ...(crv === undefined ? {} : { crv: crv === 'P-256K' ? 'secp256k1' : crv }),
      ...number('n'),
      ...number('e'),
      ...number('x'),
      ...number('y'),
    },
    what,
  );
}

/** Hash and padding from the names that providers give to signature algorithms. */
function choices(name: string | undefined): Pick<ProofAnswer, 'hash' | 'padding'> {
  const groups =
    /^(?:(?<family>ECDSA|RSASSA_PSS|RSASSA_PKCS1_V1_5)_SHA_|(?<jose>ES|PS|RS))(?<bits>256|384|512)K?$/.exec(
      name ?? '',
    )?.groups;
  if (groups === undefined) return {};
  const family = groups['family'] ?? groups['jose'] ?? '';
  const hash = `sha${groups['bits'] as '256' | '384' | '512'}` as const;
  if (family === 'RSASSA_PSS' || family === 'PS') return { hash, padding: 'pss' };
  if (family === 'RSASSA_PKCS1_V1_5' || family === 'RS') return { hash, padding: 'pkcs1' };
  return { hash };
}
