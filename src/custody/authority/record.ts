/**
 * The key record: everything public that conclave knows of a key, as canonical JSON. It is the associated data of the sealed
 * private key, so that neither can be exchanged for another.
 * @see docs/spec/key-record.md
 */
import type { Descriptor, Purpose } from '#crypto/descriptor';
import { keyId } from '#crypto/key-id';
import { resolve } from '#crypto/registry';
import { toBase64, utf8 } from '#formats/bytes';
import {
  canonicalJson,
  type Json,
  type JsonObject,
  parseCanonicalJson,
} from '#formats/canonical-json';
import { InputError, NegativeError, UsageError } from '#formats/errors';
import type { Infer } from '#formats/schema';
import * as s from '#formats/schema';
import { formatTime } from '#formats/time';

/** Mark carried by everything that must not pass for the real thing. */
export type Environment = 'production' | 'rehearsal' | 'dev';

/** Key states of NIST SP 800-57 part 1 rev. 5 §7. */
export type KeyState =
  'pre-activation' | 'active' | 'suspended' | 'deactivated' | 'compromised' | 'destroyed';

/** How the private key is held. */
export type Custody = 'single' | 'shared' | 'threshold' | 'external';

/** Longest accepted record: the history is the only part that grows. */
const MAX_RECORD_BYTES = 2 * 1024 * 1024;

/** Length of a symmetric key's check value. */
const CHECK_VALUE_BYTES = 32;

const purposes = [
  'sign',
  'encrypt',
  'encapsulate',
  'agree',
  'mac',
] as const satisfies readonly Purpose[];

const states = [
  'pre-activation',
  'active',
  'suspended',
  'deactivated',
  'compromised',
  'destroyed',
] as const satisfies readonly KeyState[];

/** One event of a key's life: the projection of the audit chain onto this key. */
const historyEntry = s.object({
  event: s.string({ max: 64 }),
  time: s.time(),
  state: s.optional(s.oneOf(...states)),
  reason: s.optional(s.string({ max: 1024 })),
});

/**
 * Strict reader of a record's form. {@link decodeRecord} also checks what the members say of each other.
 */
export const keyRecordSchema = s.object({
  type: s.oneOf('conclave/key-record'),
  version: s.oneOf(1),
  id: s.hex(32),
  name: s.nullable(s.string({ pattern: /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, what: 'a key name' })),
  algorithm: s.string({ max: 64 }),
  profile: s.string({ max: 32 }),
  /** Base64 of the raw public key; for symmetric keys of the check value. */
  publicKey: s.base64(),
  created: s.time(),
  purposes: s.array(s.oneOf(...purposes), { max: 8 }),
  /** `sha256:HEX` of the policy, or null. */
  policy: s.nullable(s.string({ pattern: /^sha256:[0-9a-f]{64}$/, what: 'a policy digest' })),
  custody: s.oneOf('single', 'shared', 'threshold', 'external'),
  environment: s.oneOf('production', 'rehearsal', 'dev'),
  /** Account path `org/team/app`, or empty. */
  account: s.string({ pattern: /^(?:[A-Za-z0-9._-]+(?:\/[A-Za-z0-9._-]+)*)?$/, max: 256 }),
  state: s.oneOf(...states),
  /** `local`, `frost-ed25519`, … */
  protocol: s.string({ max: 64 }),
  /** Draft revision that a draft algorithm or encoding followed, or null. */
  draft: s.nullable(s.string({ max: 64 })),
  tags: s.record(s.string({ max: 256 }), { max: 64 }),
  /** Set once the key is shared: the set and its commitments' root. */
  shares: s.nullable(s.object({ setId: s.hex(32), root: s.hex(32) })),
  destroyAfter: s.nullable(s.time()),
  history: s.array(historyEntry, { max: 4096 }),
});

/** A key record. `publicKey` is bytes here and base64 in JSON. */
export type KeyRecord = Infer<typeof keyRecordSchema>;

/** What {@link newRecord} needs; the rest has defaults. */
export interface NewKey {
  readonly descriptor: Descriptor;
  /** Raw public key; for symmetric keys the check value. */
  readonly publicKey: Uint8Array;
  readonly name: string | null;
  readonly environment: Environment;
  /** Default: what the algorithm is for when nobody says. */
  readonly purposes?: readonly Purpose[] | undefined;
  readonly now: Date;
  readonly custody?: Custody;
  /** Default `local`. */
  readonly protocol?: string;
  readonly account?: string;
  /** `sha256:HEX` of the policy. */
  readonly policy?: string | null;
  /** Draft revision that a draft algorithm follows. */
  readonly draft?: string | null;
  readonly tags?: Readonly<Record<string, string>>;
  readonly state?: 'pre-activation' | 'active';
  /** First event of the history; default `generated`. */
  readonly event?: 'generated' | 'imported' | 'recovered';
}

/**
 * The record of a new key, its id computed and its first event in the history.
 * @throws {@link UsageError} `E_KEY_PURPOSE_UNFIT` for a purpose that the algorithm cannot serve; {@link InputError}
 * `E_SCHEMA_MISMATCH` for a name, account or tag that records cannot carry
 */
export function newRecord(key: NewKey): KeyRecord {
  const { descriptor } = key;
  const wanted = key.purposes ?? descriptor.defaultPurposes ?? descriptor.purposes;
  const unfit = wanted.find((purpose) => !descriptor.purposes.includes(purpose));
  if (unfit !== undefined || wanted.length === 0) {
    throw new UsageError({
      code: 'E_KEY_PURPOSE_UNFIT',
      message: `a key of ${descriptor.name} is not for ${unfit ?? 'nothing'}`,
      hint: `its purposes are ${descriptor.purposes.join(', ')}`,
    });
  }
  const state = key.state ?? 'active';
  const time = formatTime(key.now);
  const record: KeyRecord = {
    type: 'conclave/key-record',
    version: 1,
    id: keyId(descriptor, key.publicKey),
    name: key.name,
    algorithm: descriptor.name,
    profile: descriptor.profile,
    publicKey: key.publicKey.slice(),
    created: time,
    // In the algorithm's order and once each, so that equal purposes have one spelling.
    purposes: descriptor.purposes.filter((purpose) => wanted.includes(purpose)),
    policy: key.policy ?? null,
    custody: key.custody ?? 'single',
    environment: key.environment,
    account: key.account ?? '',
    state,
    protocol: key.protocol ?? 'local',
    draft: key.draft ?? null,
    tags: { ...key.tags },
    shares: null,
    destroyAfter: null,
    history: [{ event: key.event ?? 'generated', time, state }],
  };
  return keyRecordSchema.parse(recordJson(record), 'key record');
}

/** A record as plain data, for artifacts that embed it; `publicKey` is base64. */
export function recordJson(record: KeyRecord): JsonObject {
  return { ...record, publicKey: toBase64(record.publicKey) };
}

/** Canonical JSON and a line feed: the file beside a PKCS#8 key, and the associated data of a sealed one. */
export function encodeRecord(record: KeyRecord): Uint8Array {
  return utf8(`${canonicalJson(recordJson(record))}\n`);
}

/**
 * A record from its canonical bytes. The id is recomputed from algorithm, profile and public key.
 * @param what - how errors name the input
 * @throws {@link InputError} `E_SCHEMA_MISMATCH`, `E_RECORD_MALFORMED`, and the errors of the JSON reader;
 * {@link NegativeError} `E_RECORD_ID` when the id is not that of the public key
 */
export async function decodeRecord(bytes: Uint8Array, what: string): Promise<KeyRecord> {
  const value = parseCanonicalJson(bytes, what, { maxBytes: MAX_RECORD_BYTES });
  return parseRecordJson(value, what);
}

/** A record from plain data that another artifact embeds; checked like {@link decodeRecord}. */
export async function parseRecordJson(value: Json | undefined, what: string): Promise<KeyRecord> {
  const record = keyRecordSchema.parse(value, what);
  const descriptor = await knownDescriptor(record, what);
  const length = descriptor.kind === 'symmetric' ? CHECK_VALUE_BYTES : descriptor.sizes.public;
  if (record.publicKey.length !== length) {
    throw malformed(what, `a public key of ${descriptor.name} has ${length} bytes`);
  }
  const { purposes } = record;
  if (
    purposes.some((purpose, i) => purposes.indexOf(purpose) !== i) ||
    purposes.some((purpose) => !descriptor.purposes.includes(purpose))
  ) {
    throw malformed(what, `its purposes do not fit ${descriptor.name}`);
  }
  const last = record.history.findLast((event) => event.state !== undefined);
  if (last !== undefined && last.state !== record.state) {
    throw malformed(what, `its history ends in ${last.state ?? ''}, its state is ${record.state}`);
  }
  if (keyId(descriptor, record.publicKey) !== record.id) {
    throw new NegativeError({
      code: 'E_RECORD_ID',
      message: `${what}: the id is not that of the public key`,
      hint: 'the record was altered after it was written; use the original file',
    });
  }
  return record;
}

/** A file may name any algorithm; that conclave does not know it is the file's fault here, not the command line's. */
async function knownDescriptor(record: KeyRecord, what: string): Promise<Descriptor> {
  const { algorithm, profile } = record;
  try {
    return await resolve(algorithm, profile);
  } catch (cause) {
    if (!(cause instanceof UsageError)) throw cause;
    const named = profile === '' ? algorithm : `${algorithm} ${profile}`;
    throw malformed(what, `the algorithm ${JSON.stringify(named)} is not known`, cause);
  }
}

function malformed(what: string, problem: string, cause?: unknown): InputError {
  return new InputError({
    code: 'E_RECORD_MALFORMED',
    message: `${what} is not a key record: ${problem}`,
    cause,
  });
}
