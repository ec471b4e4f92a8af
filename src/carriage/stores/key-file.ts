/**
 * The key file: PEM over deterministic CBOR, in which the public record stands in clear and the private key is sealed under a
 * passphrase with everything that stands in clear as associated data. Identities rest in the same form under their own label.
 * @see docs/spec/key-file.md
 */
import type { RandomSource } from '#crypto/descriptor';
import { sha256 } from '#crypto/hash';
import { openWithPassphrase, type PassphraseBox, sealWithPassphrase } from '#crypto/passphrase-box';
import { equal, utf8 } from '#formats/bytes';
import { type Cbor, type CborMap, decodeCbor, encodeCbor } from '#formats/cbor';
import { InputError, NegativeError } from '#formats/errors';
import { decodePem, encodePem } from '#formats/pem';
import { SecretBytes } from '#formats/secret-bytes';

/** PEM label of a sealed private key; the record is a key record. */
export const KEY_LABEL = 'CONCLAVE PRIVATE KEY';
/** PEM label of a sealed identity; the record is its public file. */
export const IDENTITY_LABEL = 'CONCLAVE IDENTITY';

/** Longest accepted file. The record's history is the only part that grows, and it is capped. */
export const MAX_KEY_FILE_BYTES = 4 * 1024 * 1024;

const VERSION = 1;
const CHECKSUM_LENGTH = 8;
/** A GCM tag and at least one byte; the longest private form of any algorithm stays far below the upper end. */
const SEALED_LENGTHS = { min: 17, max: 64 * 1024 } as const;

/** A parsed key file; nothing in it is secret. */
export interface KeyFile {
  readonly label: typeof KEY_LABEL | typeof IDENTITY_LABEL;
  /** The record's bytes exactly as they were sealed over. */
  readonly record: Uint8Array;
  readonly box: PassphraseBox;
  /** Text before BEGIN: for people, not authenticated. */
  readonly explanation: string;
}

/**
 * Seals a private key (borrowed) under a passphrase (borrowed).
 * @param key - `record`: canonical bytes of the public record; `mark`: text before BEGIN, empty for production;
 * `logN`: scrypt cost, 17 outside tests
 * @returns the whole file, PEM
 */
export function sealKeyFile(key: {
  readonly label: KeyFile['label'];
  readonly record: Uint8Array;
  readonly secret: SecretBytes;
  readonly passphrase: SecretBytes;
  readonly mark: string;
  readonly logN: number;
  readonly random: RandomSource;
}): Uint8Array {
  const { record } = key;
  const box = key.secret.use((plaintext) =>
    sealWithPassphrase({
      passphrase: key.passphrase,
      plaintext,
      aad: (head) => encodeCbor(clearPart(record, head)),
      logN: key.logN,
      random: key.random,
    }),
  );
  return encodeKeyFile({ label: key.label, record, box, explanation: key.mark });
}

/** The bytes of a key file, its checksum computed. */
export function encodeKeyFile(file: KeyFile): Uint8Array {
  const body = new Map<number, Cbor>([...clearPart(file.record, file.box), [6, file.box.sealed]]);
  body.set(7, checksum(body));
  return utf8(encodePem(file.label, encodeCbor(body), file.explanation));
}

/**
 * Parses a key file without opening it.
 * @param what - how errors name the file
 * @throws {@link InputError} `E_KEY_FILE_MALFORMED`, `E_KEY_FILE_VERSION`, and those of PEM and CBOR
 * @throws {@link NegativeError} `E_KEY_FILE_DAMAGED` when the checksum does not match
 */
export function decodeKeyFile(bytes: Uint8Array, what: string): KeyFile {
  if (bytes.length > MAX_KEY_FILE_BYTES) {
    throw malformed(what, `it is longer than ${MAX_KEY_FILE_BYTES} bytes`);
  }
  const pem = decodePem(bytes, what);
  if (pem.label !== KEY_LABEL && pem.label !== IDENTITY_LABEL) {
    throw malformed(what, `its label is ${pem.label}`);
  }
  const body = decodeCbor(pem.bytes, what, { maxBytes: MAX_KEY_FILE_BYTES, maxDepth: 2 });
  if (!(body instanceof Map)) throw malformed(what, 'it is not a map');
  const map = body as CborMap;
  if (map.get(1) !== VERSION) {
    throw new InputError({
      code: 'E_KEY_FILE_VERSION',
      message: `${what} is not a key file of version ${VERSION}`,
      hint: 'it may have been written by a newer conclave',
    });
  }
  if (map.size !== 7) throw malformed(what, 'it does not have exactly the members 1 to 7');
  const box = {
    kdf: readKdf(map.get(3), what),
    nonce: readBytes(map.get(4), 12, 12, what, 'nonce'),
    check: readBytes(map.get(5), 8, 8, what, 'key check'),
    sealed: readBytes(map.get(6), SEALED_LENGTHS.min, SEALED_LENGTHS.max, what, 'sealed part'),
  };
  const record = readBytes(map.get(2), 2, MAX_KEY_FILE_BYTES, what, 'record');
  const sum = readBytes(map.get(7), CHECKSUM_LENGTH, CHECKSUM_LENGTH, what, 'checksum');
  if (!equal(sum, checksum(map))) {
    throw new NegativeError({
      code: 'E_KEY_FILE_DAMAGED',
      message: `${what} is damaged: its checksum does not match`,
      hint: 'use another copy of the file',
    });
  }
  return { label: pem.label, record, box, explanation: pem.explanation };
}

/**
 * The private key of a parsed key file, owned by the caller.
 * @throws {@link RefusedError} `E_PASSPHRASE_WRONG`, {@link NegativeError} `E_NOT_AUTHENTIC`, {@link InputError} `E_KDF_REFUSED`
 */
export function openKeyFile(file: KeyFile, passphrase: SecretBytes, what: string): SecretBytes {
  const plaintext = openWithPassphrase(
    file.box,
    passphrase,
    (head) => encodeCbor(clearPart(file.record, head)),
    what,
  );
  return SecretBytes.adopt(plaintext, `private key of ${what}`);
}

/** Members 1 to 5: the associated data. */
function clearPart(record: Uint8Array, head: Omit<PassphraseBox, 'sealed'>): Map<number, Cbor> {
  const { logN, r, p, salt } = head.kdf;
  return new Map<number, Cbor>([
    [1, VERSION],
    [2, record],
    [3, [logN, r, p, salt]],
    [4, head.nonce],
    [5, head.check],
  ]);
}

/** First 8 bytes of SHA-256 over the map without member 7: finds accidents, not attackers. */
function checksum(map: CborMap): Uint8Array {
  const rest = new Map([...map].filter(([key]) => key !== 7));
  return sha256(encodeCbor(rest)).slice(0, CHECKSUM_LENGTH);
}

function readKdf(value: Cbor | undefined, what: string): PassphraseBox['kdf'] {
  if (!Array.isArray(value) || value.length !== 4) throw malformed(what, 'its cost is malformed');
  const [logN, r, p, salt] = value as readonly Cbor[];
  if (typeof logN !== 'number' || typeof r !== 'number' || typeof p !== 'number') {
    throw malformed(what, 'its cost is malformed');
  }
  return { logN, r, p, salt: readBytes(salt, 16, 16, what, 'salt') };
}

function readBytes(
  value: Cbor | undefined,
  min: number,
  max: number,
  what: string,
  member: string,
): Uint8Array {
  if (!(value instanceof Uint8Array) || value.length < min || value.length > max) {
    throw malformed(what, `its ${member} is malformed`);
  }
  return value;
}

function malformed(what: string, problem: string): InputError {
  return new InputError({
    code: 'E_KEY_FILE_MALFORMED',
    message: `${what} is not a key file: ${problem}`,
  });
}
