/**
 * Private keys in and out of files: every form that is written, and the strict reading of every form that is accepted.
 * @see docs/spec/key-file.md
 */
import { decodeKeyFile, KEY_LABEL, type KeyFile } from '#carriage/stores/key-file';
import type { Descriptor, RandomSource, ReadySigner } from '#crypto/descriptor';
import { encodePrivateKeyInfo, holdsPublicKey } from '#crypto/encodings/private-key-info';
import { resolve } from '#crypto/registry';
import { decodeRecord, type Environment, type KeyRecord } from '#custody/authority/record';
import { equal, utf8 } from '#formats/bytes';
import { InputError, NegativeError, UsageError } from '#formats/errors';
import { decodePem, encodePem, looksLikePem } from '#formats/pem';
import { SecretBytes } from '#formats/secret-bytes';
import type { PrivateFormat } from './context.js';
import { looksLikeForeignPrivate, readForeign } from './foreign-forms.js';
import { environmentOfMark, markText } from './marks.js';

/** PEM label of a key that has no PKCS#8 form: its raw bytes; the record beside it names the algorithm. */
export const RAW_LABEL = 'CONCLAVE RAW PRIVATE KEY';

/** Longer private key files are none. */
export const MAX_PRIVATE_BYTES = 4 * 1024 * 1024;

/** What a private key file turned out to be. */
export type PrivateFile =
  | { readonly sealed: true; readonly file: KeyFile; readonly record: KeyRecord }
  | {
      readonly sealed: false;
      readonly descriptor: Descriptor;
      /** Owned by the receiver. */
      readonly secret: SecretBytes;
      readonly format: Exclude<PrivateFormat, 'conclave'>;
      /** What text before BEGIN claims; a record beside says it with more weight. */
      readonly environment: Environment;
    };

/**
 * Reads a private key file of any form but the encrypted ones of others (see `encrypted-forms.ts`): CONCLAVE PRIVATE KEY,
 * PKCS#8 as PEM or DER, JWK, COSE_Key, OpenSSH, raw bytes with a record, Ratify JSON. Expanded post-quantum keys without their
 * seed are refused with what to do.
 * @param bytes - borrowed
 * @param what - how errors name the file
 * @param record - the record beside it: tells the algorithm of raw bytes
 * @throws {@link InputError} `E_KEY_UNREADABLE` and those of the form's own reader
 */
export async function readPrivateFile(
  bytes: Uint8Array,
  what: string,
  record: KeyRecord | undefined,
): Promise<PrivateFile> {
  if (looksLikePem(bytes, KEY_LABEL)) {
    const file = decodeKeyFile(bytes, what);
    return { sealed: true, file, record: await decodeRecord(file.record, `${what}: record`) };
  }
  const foreign = looksLikeForeignPrivate(bytes)
    ? await readForeignPrivate(bytes, what)
    : undefined;
  return { sealed: false, ...(foreign ?? (await readPlain(bytes, what, record))) };
}

async function readForeignPrivate(
  bytes: Uint8Array,
  what: string,
): Promise<Omit<PrivateFile & { sealed: false }, 'sealed'> | undefined> {
  const key = await readForeign(bytes, what);
  if (key?.side !== 'private') return undefined;
  const { descriptor, format } = key;
  const secret = SecretBytes.adopt(key.secret, labelOf(what));
  return { descriptor, secret, format, environment: 'production' };
}

async function readPlain(
  bytes: Uint8Array,
  what: string,
  record: KeyRecord | undefined,
): Promise<Omit<PrivateFile & { sealed: false }, 'sealed'>> {
  if (looksLikePem(bytes)) {
    const { label, bytes: inner, explanation } = decodePem(bytes, what);
    const environment = environmentOfMark(explanation);
    try {
      if (label === 'PRIVATE KEY') {
        return { ...(await readPkcs8(inner, what)), format: 'pkcs8-pem', environment };
      }
      if (label === RAW_LABEL) {
        return { ...(await readRaw(inner, what, record)), format: 'raw', environment };
      }
    } finally {
      inner.fill(0);
    }
    throw unreadable(what, `it is a PEM file of ${label}`, hintFor(label));
  }
  const environment = 'production';
  if (bytes[0] === 0x7b) {
    const { decodeRatifyPrivate } = await import('#crypto/encodings/ratify-json');
    const descriptor = await resolve('ed25519+ml-dsa-65', 'ratify-v1');
    const secret = SecretBytes.adopt(decodeRatifyPrivate(bytes, what), labelOf(what));
    return { descriptor, secret, format: 'ratify-json', environment };
  }
  if (record !== undefined) {
    const { sizes } = await descriptorOf(record);
    if (bytes.length === sizes.private) {
      return { ...(await readRaw(bytes, what, record)), format: 'raw', environment };
    }
  }
  if (bytes[0] === 0x30) {
    return { ...(await readPkcs8(bytes, what)), format: 'pkcs8-der', environment };
  }
  throw unreadable(what, 'its form is not known', 'see conclave help key import');
}

async function readPkcs8(
  der: Uint8Array,
  what: string,
): Promise<{ descriptor: Descriptor; secret: SecretBytes }> {
  const { decodePkcs8 } = await import('#crypto/encodings/pkcs8');
  const { descriptor, secret } = await decodePkcs8(der, what);
  return { descriptor, secret: SecretBytes.adopt(secret, labelOf(what)) };
}

async function readRaw(
  bytes: Uint8Array,
  what: string,
  record: KeyRecord | undefined,
): Promise<{ descriptor: Descriptor; secret: SecretBytes }> {
  if (record === undefined) {
    throw unreadable(
      what,
      'raw bytes do not tell their algorithm',
      'keep the record (.record.json) beside the file',
    );
  }
  const descriptor = await descriptorOf(record);
  if (bytes.length !== descriptor.sizes.private) {
    throw unreadable(what, `a private key of ${descriptor.name} has another length`);
  }
  return { descriptor, secret: SecretBytes.copyOf(bytes, labelOf(what)) };
}

/**
 * The bytes of an unencrypted private key file; secret, the caller wipes them.
 * @param secret - raw private form, borrowed
 * @param format - `conclave`: PKCS#8 PEM, or what stands in for it where the algorithm has none
 * @param random - for forms that carry a number of no meaning (SSH)
 * @throws {@link UsageError} `E_ENCODING_UNSUPPORTED`
 */
export async function encodePlain(
  descriptor: Descriptor,
  secret: SecretBytes,
  format: PrivateFormat,
  environment: Environment,
  random: RandomSource,
): Promise<Uint8Array> {
  switch (format) {
    case 'conclave':
      return await encodePlain(descriptor, secret, nativeForm(descriptor), environment, random);
    case 'pkcs8-pem': {
      const der = await encodePkcs8(descriptor, secret);
      try {
        return utf8(encodePem('PRIVATE KEY', der, markText(environment)));
      } finally {
        der.fill(0);
      }
    }
    case 'pkcs8-der':
      return await encodePkcs8(descriptor, secret);
    case 'raw':
      return secret.use((raw) => raw.slice());
    case 'hex':
      return secret.use(hexLine);
    case 'jwk':
    case 'cose':
    case 'ssh': {
      const { encodeForeignPrivate } = await import('./foreign-forms.js');
      const publicKey = await publicKeyOf(descriptor, secret);
      return await encodeForeignPrivate(descriptor, secret, publicKey, format, random);
    }
    case 'ratify-json': {
      assertRatify(descriptor);
      const { encodeRatifyPrivate } = await import('#crypto/encodings/ratify-json');
      return secret.use(encodeRatifyPrivate);
    }
  }
}

/** PKCS#8 DER, with the public key where the algorithm's form wants it; the caller wipes it. */
async function encodePkcs8(descriptor: Descriptor, secret: SecretBytes): Promise<Uint8Array> {
  const publicKey = holdsPublicKey(descriptor) ? await publicKeyOf(descriptor, secret) : undefined;
  return secret.use((raw) => encodePrivateKeyInfo(descriptor, raw, publicKey));
}

/** The unencrypted form in which a store keeps a key. */
export async function encodeAtRest(
  descriptor: Descriptor,
  secret: SecretBytes,
  environment: Environment,
): Promise<Uint8Array> {
  if (nativeForm(descriptor) !== 'raw') {
    return await encodePlain(descriptor, secret, nativeForm(descriptor), environment, noRandom);
  }
  return secret.use((raw) => utf8(encodePem(RAW_LABEL, raw, markText(environment))));
}

/** The forms in which stores keep keys need no randomness. */
const noRandom: RandomSource = () => {
  throw new TypeError('a form at rest asked for randomness');
};

/** Hexadecimal digits and a line feed, digit by digit: a string of them could not be wiped. */
function hexLine(bytes: Uint8Array): Uint8Array {
  const digit = (value: number): number => value + (value < 10 ? 0x30 : 0x57);
  const line = new Uint8Array(2 * bytes.length + 1);
  for (const [i, byte] of bytes.entries()) {
    line[2 * i] = digit(byte >> 4);
    line[2 * i + 1] = digit(byte & 0x0f);
  }
  line[line.length - 1] = 0x0a;
  return line;
}

/** PKCS#8 where the algorithm has it; the profile's own JSON for Ratify; raw bytes for the rest. */
function nativeForm(descriptor: Descriptor): Exclude<PrivateFormat, 'conclave'> {
  if (descriptor.oid !== undefined && descriptor.pkcs8 !== undefined) return 'pkcs8-pem';
  return descriptor.profile === 'ratify-v1' ? 'ratify-json' : 'raw';
}

/** @throws {@link UsageError} `E_ENCODING_UNSUPPORTED` unless the key is of Ratify's profile */
export function assertRatify(descriptor: Descriptor): void {
  if (descriptor.profile === 'ratify-v1') return;
  throw new UsageError({
    code: 'E_ENCODING_UNSUPPORTED',
    message: `${descriptor.name} keys have no Ratify form`,
    hint: 'only keys generated with --profile ratify-v1 have it',
  });
}

/** The algorithm of a record. */
export async function descriptorOf(
  record: Pick<KeyRecord, 'algorithm' | 'profile'>,
): Promise<Descriptor> {
  return await resolve(record.algorithm, record.profile === '' ? undefined : record.profile);
}

/** The public key of a private one (borrowed); the check value of a symmetric key. */
export async function publicKeyOf(
  descriptor: Descriptor,
  secret: SecretBytes,
): Promise<Uint8Array> {
  const implementation = await descriptor.load();
  return secret.use((raw) =>
    implementation.kind === 'symmetric'
      ? implementation.checkValue(raw)
      : implementation.publicKey(raw),
  );
}

/**
 * Recomputes the public key and compares it with the record, on every load.
 * @returns the key expanded, where comparing had to expand it; the receiver disposes it
 * @throws {@link NegativeError} `E_KEY_FILE_MISMATCH`
 */
export async function assertMatches(
  descriptor: Descriptor,
  secret: SecretBytes,
  record: KeyRecord,
  what: string,
): Promise<ReadySigner | undefined> {
  const sameKind = descriptor.name === record.algorithm && descriptor.profile === record.profile;
  const fits = secret.length === descriptor.sizes.private;
  if (sameKind && fits) {
    const implementation = await descriptor.load();
    const signer =
      implementation.kind === 'signature'
        ? secret.use((raw) => implementation.ready?.(raw))
        : undefined;
    const publicKey = signer?.publicKey ?? (await publicKeyOf(descriptor, secret));
    if (equal(publicKey, record.publicKey)) return signer;
    signer?.[Symbol.dispose]();
  }
  throw new NegativeError({
    code: 'E_KEY_FILE_MISMATCH',
    message: `${what}: the private key is not the one that its record describes`,
    hint: 'key and record do not belong together; restore both from the same backup',
  });
}

function labelOf(what: string): string {
  return `private key of ${what}`;
}

function hintFor(label: string): string {
  switch (label) {
    case 'ENCRYPTED PRIVATE KEY':
      return 'decrypt it first, for example with openssl pkcs8, and import the result';
    case 'EC PRIVATE KEY':
    case 'RSA PRIVATE KEY':
      return 'convert it to PKCS#8 first, for example with openssl pkcs8 -topk8 -nocrypt';
    case 'PUBLIC KEY':
      return 'this is a public key; the private one is needed here';
    case 'CONCLAVE IDENTITY':
      return 'this is an identity; name it with --identity';
    default:
      return 'a private key file is needed here';
  }
}

function unreadable(what: string, problem: string, hint?: string): InputError {
  return new InputError({
    code: 'E_KEY_UNREADABLE',
    message: `${what} is no private key that conclave reads: ${problem}`,
    ...(hint === undefined ? {} : { hint }),
  });
}
