/**
 * The DSSE envelope: its pre-authentication encoding and its strict JSON form. Who signed, and whether that counts, is
 * decided in `custody/audit`.
 * @see https://github.com/secure-systems-lab/dsse, protocol.md and envelope.md, version 1.0.2
 */
import {
  canonicalJson,
  isObject,
  type Json,
  type JsonLimits,
  parseJson,
} from './canonical-json.js';
import { concat, fromBase64, toBase64, utf8 } from './bytes.js';
import { InputError } from './errors.js';

/** One signature of an envelope; `keyid` is the id of the component key that made it. */
export interface DsseSignature {
  readonly keyid: string;
  readonly sig: Uint8Array;
}

/** A DSSE envelope. */
export interface DsseEnvelope {
  readonly payloadType: string;
  readonly payload: Uint8Array;
  readonly signatures: readonly DsseSignature[];
}

/** The bytes that are signed: `DSSEv1 SP LEN(type) SP type SP LEN(body) SP body`. */
export function preAuthenticationEncoding(payloadType: string, payload: Uint8Array): Uint8Array {
  const type = utf8(payloadType);
  return concat(utf8(`DSSEv1 ${type.length} `), type, utf8(` ${payload.length} `), payload);
}

/** Canonical JSON text of an envelope, ended by a newline. */
export function encodeDsse(envelope: DsseEnvelope): string {
  const json = canonicalJson({
    payload: toBase64(envelope.payload),
    payloadType: envelope.payloadType,
    signatures: envelope.signatures.map(({ keyid, sig }) => ({ keyid, sig: toBase64(sig) })),
  });
  return `${json}\n`;
}

/** Whether a JSON value has the shape of a DSSE envelope. */
export function looksLikeDsse(value: Json): boolean {
  return isObject(value) && 'payload' in value && 'payloadType' in value && 'signatures' in value;
}

/**
 * A strictly parsed envelope: exactly the three members, canonical base64, at most 64 signatures.
 * @throws {@link InputError} `E_DSSE_MALFORMED`, and the errors of the JSON reader
 */
export function decodeDsse(input: Uint8Array, what: string, limits: JsonLimits = {}): DsseEnvelope {
  const value = parseJson(input, what, limits);
  if (!isObject(value)) throw malformed(what, 'it is not an object');
  onlyMembers(value, ['payload', 'payloadType', 'signatures'], what);
  const { payload, payloadType, signatures } = value;
  if (
    typeof payload !== 'string' ||
    typeof payloadType !== 'string' ||
    !Array.isArray(signatures)
  ) {
    throw malformed(what, 'a member has the wrong type');
  }
  if (signatures.length > 64) throw malformed(what, 'more than 64 signatures');
  return {
    payloadType,
    payload: fromBase64(payload, `${what}: payload`),
    signatures: (signatures as readonly Json[]).map((signature) => {
      if (!isObject(signature)) throw malformed(what, 'a signature is not an object');
      onlyMembers(signature, ['keyid', 'sig'], what);
      const { keyid, sig } = signature;
      if (typeof keyid !== 'string' || typeof sig !== 'string')
        throw malformed(what, 'a signature has the wrong form');
      return { keyid, sig: fromBase64(sig, `${what}: signature`) };
    }),
  };
}

function onlyMembers(
  value: Readonly<Record<string, Json>>,
  allowed: readonly string[],
  what: string,
): void {
  const unknown = Object.keys(value).find((key) => !allowed.includes(key));
  if (unknown !== undefined) throw malformed(what, `unknown member ${JSON.stringify(unknown)}`);
}

function malformed(what: string, problem: string): InputError {
  return new InputError({
    code: 'E_DSSE_MALFORMED',
    message: `${what} is not a DSSE envelope: ${problem}`,
  });
}
