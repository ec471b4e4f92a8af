/**
 * SSH public keys: one line of type, base64 and comment, as in `authorized_keys`, and the blob inside.
 * @see RFC 4253 §6.6, RFC 5656 §3.1, RFC 8709 §4
 */
import { concat, fromBase64, fromUtf8, lengthPrefixed, toBase64, utf8 } from '#formats/bytes';
import { InputError } from '#formats/errors';
import type { Descriptor } from '../descriptor.js';
import { sha256 } from '../hash.js';
import { assertPublic } from '../lengths.js';
import { findDescriptor, hasNoForm } from './key-parts.js';
import { readRsaPublic, writeRsaPublic } from './rsa-numbers.js';
import { SshReader, sshText, sshUnsigned } from './ssh-wire.js';

/** Longest line that is read; an RSA key of 4096 bits takes about 750 characters. */
const MAX_BYTES = 16 * 1024;

/** The one key type whose numbers are RSA's. */
const RSA = 'ssh-rsa';

/** A public key from an SSH line. */
export interface SshPublicKey {
  readonly descriptor: Descriptor;
  readonly publicKey: Uint8Array;
  /** What stood behind the key; empty when nothing did. */
  readonly comment: string;
}

/**
 * The blob of a public key: what SSH hashes, signs over and puts into base64.
 * @throws {@link UsageError} `E_ENCODING_UNSUPPORTED` for algorithms that SSH does not know
 * @throws {@link InputError} `E_LENGTH_WRONG`
 */
export function encodeSshBlob(descriptor: Descriptor, publicKey: Uint8Array): Uint8Array {
  const { ssh } = descriptor;
  if (ssh === undefined) throw hasNoForm(descriptor, 'SSH');
  assertPublic(descriptor, publicKey);
  if (ssh.type === RSA) {
    const { n, e } = readRsaPublic(publicKey, `${descriptor.name} public key`);
    return concat(sshText(ssh.type), sshUnsigned(e), sshUnsigned(n));
  }
  const curve = ssh.curve === undefined ? new Uint8Array(0) : sshText(ssh.curve);
  return concat(sshText(ssh.type), curve, lengthPrefixed(publicKey));
}

/**
 * The line of a public key, with a line feed.
 * @param comment - printable, without line breaks; left out when empty
 * @throws as {@link encodeSshBlob}
 */
export function encodeSshPublic(
  descriptor: Descriptor,
  publicKey: Uint8Array,
  comment = '',
): Uint8Array {
  const blob = toBase64(encodeSshBlob(descriptor, publicKey));
  const tail = comment === '' ? '' : ` ${comment.replace(/[\u0000-\u001f\u007f]/g, ' ')}`;
  return utf8(`${descriptor.ssh?.type ?? ''} ${blob}${tail}\n`);
}

/** `SHA256:` and the base64 of the blob's hash without padding, as `ssh-keygen -l` shows it; `undefined` where SSH has no form. */
export function sshFingerprint(descriptor: Descriptor, publicKey: Uint8Array): string | undefined {
  if (descriptor.ssh === undefined) return undefined;
  const digest = toBase64(sha256(encodeSshBlob(descriptor, publicKey)));
  return `SHA256:${digest.replace(/=+$/, '')}`;
}

/**
 * The key in an SSH public key line. Options before the type, as `authorized_keys` allows, are refused: they are no part of a key.
 * @param what - how errors name the input
 * @throws {@link InputError} `E_SSH_MALFORMED`, `E_BASE64_MALFORMED`, `E_LENGTH_WRONG`, `E_ALGORITHM_UNSUPPORTED`,
 * `E_KEY_TOO_LARGE`
 */
export async function decodeSshPublic(bytes: Uint8Array, what: string): Promise<SshPublicKey> {
  if (bytes.length > MAX_BYTES) {
    throw new InputError({
      code: 'E_KEY_TOO_LARGE',
      message: `${what} is longer than ${MAX_BYTES} bytes: no SSH key is that long`,
    });
  }
  const text = fromUtf8(bytes, what).replace(/\r?\n$/, '');
  const groups = /^(?<type>[a-z0-9@.-]+) (?<blob>[A-Za-z0-9+/=]+)(?: (?<comment>[^\r\n]*))?$/.exec(
    text,
  )?.groups;
  if (groups === undefined) {
    throw new SshReader(bytes, what).fail('one line of type, base64 and comment was expected');
  }
  const blob = fromBase64(groups['blob'] as string, what);
  const key = await decodeSshBlob(blob, what);
  if (key.descriptor.ssh?.type !== groups['type']) {
    throw new SshReader(bytes, what).fail('the type in front is not that of the key');
  }
  return { ...key, comment: groups['comment'] ?? '' };
}

/**
 * The key in a blob.
 * @throws as {@link decodeSshPublic}
 */
export async function decodeSshBlob(
  blob: Uint8Array,
  what: string,
): Promise<Omit<SshPublicKey, 'comment'>> {
  const reader = new SshReader(blob, what);
  const type = fromUtf8(reader.string(), what);
  if (type === RSA) {
    const [e, n] = [reader.unsigned(), reader.unsigned()];
    reader.end();
    const publicKey = writeRsaPublic({ n, e });
    const descriptor = await findDescriptor(
      ({ ssh, sizes }) => ssh?.type === RSA && sizes.public === publicKey.length,
    );
    if (descriptor === undefined) throw unsupported(what, `an RSA key of ${n.length * 8} bits`);
    return { descriptor, publicKey };
  }
  const descriptor = await findDescriptor(({ ssh }) => ssh?.type === type);
  if (descriptor === undefined) throw unsupported(what, `the key type ${JSON.stringify(type)}`);
  const curve = descriptor.ssh?.curve;
  if (curve !== undefined) reader.expect(utf8(curve), 'the curve is not that of the key type');
  const publicKey = new Uint8Array(reader.string());
  reader.end();
  assertPublic(descriptor, publicKey, `${what} (${descriptor.name})`);
  return { descriptor, publicKey };
}

function unsupported(what: string, problem: string): InputError {
  return new InputError({
    code: 'E_ALGORITHM_UNSUPPORTED',
    message: `${what} is an SSH key that conclave does not know: ${problem}`,
  });
}
