/**
 * What a home knows of a key that lives in a token: its record, where it is, and what the token's library says of it. The
 * token holds the key; this file is how it is found by name, and how its state is kept.
 * @see docs/spec/token-key.md
 */
import { type DeviceClaims, deviceSchema } from '#custody/audit/attestation';
import { canonicalJson, isObject, type Json, parseCanonicalJson } from '#formats/canonical-json';
import { InputError } from '#formats/errors';
import { utf8 } from '#formats/bytes';
import * as s from '#formats/schema';
import { type KeyRecord, parseRecordJson, recordJson } from './record.js';

/** Longest accepted file: a record and a few lines more. */
const MAX_BYTES = 2 * 1024 * 1024 + 64 * 1024;

const frameSchema = s.object({
  type: s.oneOf('conclave/token-key'),
  version: s.oneOf(1),
  /** PKCS#11 URI without a PIN. */
  uri: s.string({ pattern: /^pkcs11:/, max: 2048, what: 'a PKCS#11 URI' }),
  origin: s.oneOf('generated', 'imported', 'found'),
  /** How an imported key crossed the interface; empty for others. */
  crossing: s.string({ max: 256 }),
  device: deviceSchema,
  record: s.json(),
});

/** A key in a token. */
export interface TokenKey {
  readonly record: KeyRecord;
  readonly uri: string;
  readonly origin: 'generated' | 'imported' | 'found';
  readonly crossing: string;
  readonly device: DeviceClaims;
}

/** Canonical JSON and a line feed. */
export function encodeTokenKey(key: TokenKey): Uint8Array {
  const { record, uri, origin, crossing, device } = key;
  const value: Json = {
    type: 'conclave/token-key',
    version: 1,
    uri,
    origin,
    crossing,
    device: device as unknown as Json,
    record: recordJson(record),
  };
  return utf8(`${canonicalJson(value)}\n`);
}

/**
 * A key in a token, from its file.
 * @throws InputError `E_SCHEMA_MISMATCH`, `E_RECORD_MALFORMED`, `E_TOKEN_KEY_MALFORMED`, and those of the JSON reader
 */
export async function decodeTokenKey(bytes: Uint8Array, what: string): Promise<TokenKey> {
  const value = parseCanonicalJson(bytes, what, { maxBytes: MAX_BYTES });
  const frame = frameSchema.parse(value, what);
  const record = await parseRecordJson(frame.record, `${what}: record`);
  if (record.custody !== 'external' || record.protocol !== 'pkcs11') {
    throw new InputError({
      code: 'E_TOKEN_KEY_MALFORMED',
      message: `${what}: its record is not that of a key in a token`,
    });
  }
  const { uri, origin, crossing, device } = frame;
  return { record, uri, origin, crossing, device };
}

/** Whether parsed JSON says that it is such a file. */
export function isTokenKey(value: Json): boolean {
  return isObject(value) && value['type'] === 'conclave/token-key';
}
