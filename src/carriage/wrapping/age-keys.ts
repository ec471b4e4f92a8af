/**
 * Keys as age writes them: recipients for everybody, identities for their owner.
 * @see https://c2sp.org/age; BIP 173 for the encoding, without its limit of 90 characters
 */
import { bech32 } from '@scure/base';
import { descriptors as xdh } from '#crypto/algorithms/xdh';
import { descriptors as xWings } from '#crypto/algorithms/x-wing';
import type { Descriptor } from '#crypto/descriptor';
import { fromUtf8 } from '#formats/bytes';
import { InputError } from '#formats/errors';
import { SecretBytes } from '#formats/secret-bytes';

const [xWing] = xWings;
const [x25519] = xdh;

/** Longest file of identities or recipients. */
export const MAX_KEYS_BYTES = 1024 * 1024;
/** Most keys in one file. */
const MAX_KEYS = 1024;

interface Form {
  readonly descriptor: Descriptor;
  readonly recipient: string;
  readonly identity: string;
}

const FORMS: readonly Form[] = [
  { descriptor: xWing, recipient: 'age1pq', identity: 'AGE-SECRET-KEY-PQ-' },
  { descriptor: x25519, recipient: 'age', identity: 'AGE-SECRET-KEY-' },
];

/** The two algorithms of age. */
export const ageAlgorithms = { xWing, x25519 } as const;

/** Whether a word is a recipient of age, sound or not. */
export function looksLikeRecipient(word: string): boolean {
  return /^age1[a-z0-9]+$/.test(word);
}

/** Whether a file lists recipients of age. */
export function looksLikeRecipients(bytes: Uint8Array): boolean {
  const [first] = lines(latin1(bytes.subarray(0, 65_536)));
  return first !== undefined && looksLikeRecipient(first);
}

/** Whether a file lists identities of age. */
export function looksLikeIdentities(bytes: Uint8Array): boolean {
  const [first] = lines(latin1(bytes.subarray(0, 65_536)));
  return first?.startsWith('AGE-SECRET-KEY-') === true;
}

/**
 * The public key of a recipient.
 * @throws {@link InputError} `E_AGE_RECIPIENT`
 */
export function decodeRecipient(text: string): {
  readonly descriptor: Descriptor;
  readonly publicKey: Uint8Array;
} {
  const decoded = text === text.toLowerCase() ? decode(text) : undefined;
  const form = FORMS.find(({ recipient }) => recipient === decoded?.prefix);
  if (decoded === undefined || form?.descriptor.sizes.public !== decoded.bytes.length) {
    throw new InputError({
      code: 'E_AGE_RECIPIENT',
      message: `${text.length > 40 ? `${text.slice(0, 40)}…` : text} is no age recipient that conclave knows`,
      hint: 'a mistyped letter shows in its checksum; recipients of plugins are not known here',
    });
  }
  return { descriptor: form.descriptor, publicKey: decoded.bytes };
}

/** The recipient of a public key; `undefined` when age has none for its algorithm. */
export function encodeRecipient(descriptor: Descriptor, publicKey: Uint8Array): string | undefined {
  const form = FORMS.find((each) => each.descriptor === descriptor);
  return form && bech32.encode(form.recipient, bech32.toWords(publicKey), false);
}

/**
 * The recipients in a file, one a line; `#` begins a comment line.
 * @throws {@link InputError} `E_AGE_RECIPIENT`
 */
export function readRecipients(bytes: Uint8Array, what: string): readonly string[] {
  const found = lines(fromUtf8(bytes, what));
  if (found.length > MAX_KEYS) {
    throw new InputError({
      code: 'E_AGE_RECIPIENT',
      message: `${what} lists more than ${MAX_KEYS} recipients`,
    });
  }
  return found;
}

/**
 * The identities in a file; the receiver disposes each secret.
 * @param bytes - borrowed
 * @throws {@link InputError} `E_AGE_IDENTITY`
 */
export function readIdentities(
  bytes: Uint8Array,
  what: string,
): readonly { readonly descriptor: Descriptor; readonly secret: SecretBytes }[] {
  const found: { descriptor: Descriptor; secret: SecretBytes }[] = [];
  try {
    for (const [i, line] of lines(fromUtf8(bytes, what)).entries()) {
      const decoded = line === line.toUpperCase() ? decode(line) : undefined;
      const form = FORMS.find(({ identity }) => identity === decoded?.prefix.toUpperCase());
      if (decoded === undefined || form?.descriptor.sizes.private !== decoded.bytes.length) {
        decoded?.bytes.fill(0);
        throw new InputError({
          code: 'E_AGE_IDENTITY',
          message: `${what}: identity ${i + 1} is none that conclave knows`,
          hint: 'it reads AGE-SECRET-KEY-PQ-1… and AGE-SECRET-KEY-1…',
        });
      }
      const secret = SecretBytes.adopt(decoded.bytes, `age identity of ${what}`);
      found.push({ descriptor: form.descriptor, secret });
      if (found.length > MAX_KEYS) throw new RangeError('too many identities');
    }
    return found;
  } catch (error) {
    for (const { secret } of found) secret.dispose();
    throw error;
  }
}

function decode(text: string): { readonly prefix: string; readonly bytes: Uint8Array } | undefined {
  try {
    const { prefix, words } = bech32.decode(text as `${string}1${string}`, false);
    const bytes = bech32.fromWords(words);
    words.fill(0);
    return { prefix, bytes };
  } catch {
    return undefined;
  }
}

function lines(text: string): readonly string[] {
  return text
    .split('\n')
    .map((line) => line.replace(/\r$/, ''))
    .filter((line) => line !== '' && !line.startsWith('#'));
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}
