/**
 * OpenSSH's private key file, unencrypted: `openssh-key-v1` inside PEM with lines of 70 characters.
 * @see OpenSSH PROTOCOL.key
 */
import {
  concat,
  equal,
  fromBase64,
  fromUtf8,
  lengthPrefixed,
  toBase64,
  utf8,
} from '#formats/bytes';
import { InputError } from '#formats/errors';
import type { Descriptor, RandomSource } from '../descriptor.js';
import { assertPrivate } from '../lengths.js';
import { assertBelongs } from './key-parts.js';
import { decodeRsaPrivate, encodeRsaPrivate } from './rsa-key.js';
import { bytesOf, numberOf, readRsaPrivate, writeRsaPrivate } from './rsa-numbers.js';
import { decodeSshBlob, encodeSshBlob } from './ssh.js';
import { SshReader, sshText, sshUnsigned } from './ssh-wire.js';

/** PEM label of OpenSSH's own private key form. */
export const OPENSSH_LABEL = 'OPENSSH PRIVATE KEY';

const MAX_BYTES = 16 * 1024;
const MAGIC = utf8('openssh-key-v1\0');
const RSA = 'ssh-rsa';
const LINE = 70;
/** Block length without a cipher; the private part is filled up to it. */
const BLOCK = 8;

/**
 * The file of a private key; the caller wipes it. The base64 on the way to it cannot be wiped.
 * @param secret - raw private form; borrowed
 * @param publicKey - raw public key
 * @param random - for the check number, which is no secret
 * @throws {@link UsageError} `E_ENCODING_UNSUPPORTED` for algorithms that SSH does not know
 */
export function encodeSshPrivate(
  descriptor: Descriptor,
  secret: Uint8Array,
  publicKey: Uint8Array,
  random: RandomSource,
): Uint8Array {
  assertPrivate(descriptor, secret);
  const blob = encodeSshBlob(descriptor, publicKey);
  const check = random(4);
  const numbers = privateNumbers(descriptor, secret, publicKey);
  const open = concat(check, check, sshText(descriptor.ssh?.type ?? ''), numbers, sshText(''));
  const padding = Uint8Array.from(
    { length: (BLOCK - (open.length % BLOCK)) % BLOCK },
    (_, i) => i + 1,
  );
  const padded = concat(open, padding);
  const none = sshText('none');
  const body = concat(
    ...[MAGIC, none, none, sshText(''), Uint8Array.of(0, 0, 0, 1)],
    lengthPrefixed(blob),
    lengthPrefixed(padded),
  );
  const lines = toBase64(body).match(new RegExp(`.{1,${LINE}}`, 'g')) ?? [];
  for (const part of [numbers, open, padded, body]) part.fill(0);
  return utf8(
    `-----BEGIN ${OPENSSH_LABEL}-----\n${lines.join('\n')}\n-----END ${OPENSSH_LABEL}-----\n`,
  );
}

function privateNumbers(
  descriptor: Descriptor,
  secret: Uint8Array,
  publicKey: Uint8Array,
): Uint8Array {
  const { ssh, name } = descriptor;
  if (ssh?.type === RSA) {
    const der = encodeRsaPrivate(secret, `${name} private key`);
    try {
      const { n, e, d, qi, p, q } = readRsaPrivate(der, `${name} private key`);
      return concat(...[n, e, d, qi, p, q].map(sshUnsigned));
    } finally {
      der.fill(0);
    }
  }
  if (ssh?.curve !== undefined) {
    return concat(sshText(ssh.curve), lengthPrefixed(publicKey), sshUnsigned(secret));
  }
  const both = concat(secret, publicKey);
  try {
    return concat(lengthPrefixed(publicKey), lengthPrefixed(both));
  } finally {
    both.fill(0);
  }
}

/**
 * The raw private form in an OpenSSH private key file; the caller owns and wipes it. The public key in front and the one
 * beside the private numbers must both belong to it.
 * @param bytes - the file; borrowed
 * @param what - how errors name the input
 * @throws {@link InputError} `E_SSH_MALFORMED`, `E_SSH_ENCRYPTED`, `E_KEY_INCONSISTENT`, `E_ALGORITHM_UNSUPPORTED`
 */
export async function decodeSshPrivate(
  bytes: Uint8Array,
  what: string,
): Promise<{ readonly descriptor: Descriptor; readonly secret: Uint8Array }> {
  const body = unwrap(bytes, what);
  try {
    const reader = new SshReader(body, what);
    if (!equal(reader.take(MAGIC.length), MAGIC)) throw reader.fail('it begins otherwise');
    const cipher = fromUtf8(reader.string(), what);
    const kdf = fromUtf8(reader.string(), what);
    if (cipher !== 'none' || kdf !== 'none') throw encrypted(what);
    reader.expect(new Uint8Array(0), 'options of a key derivation that is none');
    if (reader.u32() !== 1) throw reader.fail('it holds several keys');
    const { descriptor, publicKey } = await decodeSshBlob(reader.string(), what);
    const inner = new SshReader(reader.string(), what);
    reader.end();
    if (inner.u32() !== inner.u32()) throw inner.fail('its two check numbers differ');
    inner.expect(utf8(descriptor.ssh?.type ?? ''), 'its two key types differ');
    const secret = readSecret(inner, descriptor, publicKey, what);
    try {
      inner.string();
      const padding = inner.rest();
      if (padding.length >= BLOCK || padding.some((byte, i) => byte !== i + 1)) {
        throw inner.fail('it is not filled up as it should be');
      }
      await assertBelongs(descriptor, secret, publicKey, what);
      return { descriptor, secret };
    } catch (error) {
      secret.fill(0);
      throw error;
    }
  } finally {
    body.fill(0);
  }
}

function readSecret(
  reader: SshReader,
  descriptor: Descriptor,
  publicKey: Uint8Array,
  what: string,
): Uint8Array {
  const { ssh, sizes } = descriptor;
  if (ssh?.type === RSA) return readRsa(reader, what);
  if (ssh?.curve !== undefined) {
    reader.expect(utf8(ssh.curve), 'its two curves differ');
    reader.expect(publicKey, 'its two public keys differ');
    const number = reader.unsigned();
    if (number.length > sizes.private) throw reader.fail('a private number that is too long');
    const secret = new Uint8Array(sizes.private);
    secret.set(number, sizes.private - number.length);
    return secret;
  }
  reader.expect(publicKey, 'its two public keys differ');
  const both = reader.string();
  if (
    both.length !== sizes.private + publicKey.length ||
    !equal(both.subarray(sizes.private), publicKey)
  ) {
    throw new InputError({
      code: 'E_KEY_INCONSISTENT',
      message: `${what}: the public key inside does not belong to the private key`,
    });
  }
  return new Uint8Array(both.subarray(0, sizes.private));
}

/** SSH leaves out the two exponents of the Chinese remainder theorem. */
function readRsa(reader: SshReader, what: string): Uint8Array {
  const next = (): Uint8Array => reader.unsigned();
  const { n, e, d, qi, p, q } = {
    n: next(),
    e: next(),
    d: next(),
    qi: next(),
    p: next(),
    q: next(),
  };
  const exponent = (prime: Uint8Array): Uint8Array => {
    const order = numberOf(prime) - 1n;
    if (order <= 0n) throw reader.fail('a prime that is none');
    return bytesOf(numberOf(d) % order);
  };
  const [dp, dq] = [exponent(p), exponent(q)];
  try {
    const der = writeRsaPrivate({ n, e, d, p, q, dp, dq, qi });
    try {
      return decodeRsaPrivate(der, what);
    } finally {
      der.fill(0);
    }
  } finally {
    dp.fill(0);
    dq.fill(0);
  }
}

/** The bytes in the PEM, whose lines are not those of RFC 7468. */
function unwrap(bytes: Uint8Array, what: string): Uint8Array {
  const fail = (problem: string): InputError => new SshReader(bytes, what).fail(problem);
  if (bytes.length > MAX_BYTES) throw fail(`it is longer than ${MAX_BYTES} bytes`);
  const text = fromUtf8(bytes, what).replaceAll('\r\n', '\n');
  const body = new RegExp(
    `^-----BEGIN ${OPENSSH_LABEL}-----\n(?<body>(?:[A-Za-z0-9+/=]{1,${LINE}}\n)+)-----END ${OPENSSH_LABEL}-----\n?$`,
  ).exec(text)?.groups?.['body'];
  if (body === undefined) throw fail('no single complete PEM block');
  const lines = body.trimEnd().split('\n');
  if (lines.some((line, i) => i < lines.length - 1 && line.length !== LINE)) {
    throw fail(`lines that are not ${LINE} characters long`);
  }
  return fromBase64(lines.join(''), what);
}

function encrypted(what: string): InputError {
  return new InputError({
    code: 'E_SSH_ENCRYPTED',
    message: `${what} is an encrypted OpenSSH key, whose key derivation conclave does not have`,
    hint: 'take a copy of the file and remove its passphrase: ssh-keygen -p -N "" -f COPY',
  });
}
