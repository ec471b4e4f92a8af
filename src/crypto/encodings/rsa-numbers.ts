/**
 * The numbers in an RSA key: PKCS#1's DER apart and together again.
 * @see RFC 8017 appendix A.1
 */
import { DerReader, derSequence, derSmallInteger } from '../der.js';
import { derUnsigned, readUnsigned } from './der-integer.js';

/** Big-endian without leading zeroes. */
export interface RsaPublicNumbers {
  readonly n: Uint8Array;
  readonly e: Uint8Array;
}

/** Private numbers are secret: whoever holds them wipes them. */
export interface RsaPrivateNumbers extends RsaPublicNumbers {
  readonly d: Uint8Array;
  readonly p: Uint8Array;
  readonly q: Uint8Array;
  readonly dp: Uint8Array;
  readonly dq: Uint8Array;
  readonly qi: Uint8Array;
}

const PRIVATE = ['n', 'e', 'd', 'p', 'q', 'dp', 'dq', 'qi'] as const;

/** Numbers of an RSAPublicKey; views into it. @throws InputError `E_DER_MALFORMED` */
export function readRsaPublic(der: Uint8Array, what: string): RsaPublicNumbers {
  const outer = new DerReader(der, what);
  const key = outer.sequence();
  outer.end();
  const numbers = { n: readUnsigned(key), e: readUnsigned(key) };
  key.end();
  return numbers;
}

/** DER of RSAPublicKey. */
export function writeRsaPublic({ n, e }: RsaPublicNumbers): Uint8Array {
  return derSequence(derUnsigned(n), derUnsigned(e));
}

/** Numbers of a two-prime RSAPrivateKey; views into it. @throws InputError `E_DER_MALFORMED` */
export function readRsaPrivate(der: Uint8Array, what: string): RsaPrivateNumbers {
  const outer = new DerReader(der, what);
  const key = outer.sequence();
  outer.end();
  if (key.smallInteger() !== 0) throw key.fail('an RSA key of more than two primes');
  const next = (): Uint8Array => readUnsigned(key);
  // In the order of the standard, which is the order of evaluation.
  const numbers = {
    n: next(),
    e: next(),
    d: next(),
    p: next(),
    q: next(),
    dp: next(),
    dq: next(),
    qi: next(),
  };
  key.end();
  return numbers;
}

/** DER of RSAPrivateKey; the caller wipes it. */
export function writeRsaPrivate(numbers: RsaPrivateNumbers): Uint8Array {
  const parts = PRIVATE.map((name) => derUnsigned(numbers[name]));
  try {
    return derSequence(derSmallInteger(0), ...parts);
  } finally {
    for (const part of parts) part.fill(0);
  }
}

/** Big-endian bytes of a number without leading zeroes, as the number they spell. */
export function numberOf(bytes: Uint8Array): bigint {
  return bytes.length === 0 ? 0n : BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
}

/** Big-endian bytes of a number, without leading zeroes. */
export function bytesOf(number: bigint): Uint8Array {
  const hex = number.toString(16);
  return new Uint8Array(Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex'));
}
