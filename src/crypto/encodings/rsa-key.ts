/**
 * RSA keys in conclave's raw forms and in PKCS#1. The raw private form is the two primes side by side, each half as long as the
 * modulus; all else follows from them, the public exponent being 65537. The raw public key is the DER of RSAPublicKey.
 * @see RFC 8017 appendix A.1
 */
import { concat, equal } from '#formats/bytes';
import { InputError } from '#formats/errors';
import { fromNumber, gcd, inverseModulo, toNumber } from '../big-numbers.js';
import { DerReader, derSequence, derSmallInteger, derUnsigned } from '../der.js';

const EXPONENT = 65537n;
const EXPONENT_BYTES = Uint8Array.of(1, 0, 1);

/** What follows from the primes. */
interface RsaNumbers {
  readonly n: bigint;
  readonly d: bigint;
  readonly dp: bigint;
  readonly dq: bigint;
  readonly qInverse: bigint;
}

/**
 * DER of RSAPrivateKey from the two primes (borrowed); the caller owns and wipes it.
 * @throws {@link InputError} `E_KEY_INVALID`
 */
export function encodeRsaPrivate(secret: Uint8Array, what: string): Uint8Array {
  const half = secret.length / 2;
  const [p, q] = [secret.subarray(0, half), secret.subarray(half)];
  const { n, d, dp, dq, qInverse } = numbers(p, q, what);
  const parts = [
    fromNumber(n, 2 * half),
    EXPONENT_BYTES,
    fromNumber(d, 2 * half),
    p,
    q,
    fromNumber(dp, half),
    fromNumber(dq, half),
    fromNumber(qInverse, half),
  ].map(derUnsigned);
  const der = derSequence(derSmallInteger(0), ...parts);
  for (const part of parts) part.fill(0);
  return der;
}

/**
 * The two primes in the DER of an RSAPrivateKey, every other number checked against them; the caller owns and wipes them.
 * @param der - borrowed
 * @throws {@link InputError} `E_DER_MALFORMED`, `E_KEY_INCONSISTENT`, `E_KEY_INVALID`
 */
export function decodeRsaPrivate(der: Uint8Array, what: string): Uint8Array {
  const outer = new DerReader(der, what);
  const key = outer.sequence();
  outer.end();
  if (key.smallInteger() !== 0) throw invalid(what, 'it has more than two primes');
  const [n, e, d, p, q, dp, dq, qInverse] = Array.from({ length: 8 }, () => key.unsigned()) as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
    Uint8Array,
    Uint8Array,
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ];
  key.end();
  if (!equal(e, EXPONENT_BYTES)) throw invalid(what, 'its exponent is not 65537');
  const half = n.length / 2;
  if (p.length !== half || q.length !== half) {
    throw invalid(what, 'its primes are not half as long as the modulus');
  }
  const computed = numbers(p, q, what);
  const order = carmichael(toNumber(p), toNumber(q));
  const agree =
    computed.n === toNumber(n) &&
    // Whether d is reduced by the order of the group or by a multiple of it, it is the same key.
    computed.d === toNumber(d) % order &&
    computed.dp === toNumber(dp) &&
    computed.dq === toNumber(dq) &&
    computed.qInverse === toNumber(qInverse);
  if (agree) return concat(p, q);
  throw new InputError({
    code: 'E_KEY_INCONSISTENT',
    message: `${what}: the numbers of the RSA key do not belong together`,
  });
}

/** DER of RSAPublicKey from the two primes (borrowed). @throws {@link InputError} `E_KEY_INVALID` */
export function rsaPublicKey(secret: Uint8Array, what: string): Uint8Array {
  const half = secret.length / 2;
  const { n } = numbers(secret.subarray(0, half), secret.subarray(half), what);
  return encodeRsaPublic(fromNumber(n, 2 * half));
}

/** DER of RSAPublicKey from the big-endian modulus. */
export function encodeRsaPublic(modulus: Uint8Array): Uint8Array {
  return derSequence(derUnsigned(modulus), derUnsigned(EXPONENT_BYTES));
}

/**
 * The big-endian modulus in the DER of an RSAPublicKey, whose exponent must be 65537.
 * @throws {@link InputError} `E_DER_MALFORMED`, `E_KEY_FORM`
 */
export function rsaModulus(der: Uint8Array, what: string): Uint8Array {
  const outer = new DerReader(der, what);
  const key = outer.sequence();
  outer.end();
  const modulus = key.unsigned();
  const exponent = key.unsigned();
  key.end();
  if (equal(exponent, EXPONENT_BYTES) && ((modulus.at(-1) ?? 0) & 1) === 1) return modulus;
  throw new InputError({
    code: 'E_KEY_FORM',
    message: `${what} is not an RSA public key with the exponent 65537`,
    hint: 'other exponents are not used here',
  });
}

function numbers(pBytes: Uint8Array, qBytes: Uint8Array, what: string): RsaNumbers {
  const [p, q] = [toNumber(pBytes), toNumber(qBytes)];
  const n = p * q;
  const fits = n >> BigInt(8 * 2 * pBytes.length - 1) === 1n;
  if (!fits || p === q || (p & q & 1n) === 0n) throw invalid(what, 'its primes do not fit');
  const order = carmichael(p, q);
  if (gcd(EXPONENT, order) !== 1n || gcd(p, q) !== 1n) throw invalid(what, 'its primes do not fit');
  const d = inverseModulo(EXPONENT, order);
  return { n, d, dp: d % (p - 1n), dq: d % (q - 1n), qInverse: inverseModulo(q, p) };
}

/** lcm(p - 1, q - 1) (FIPS 186-5 A.1.1). */
function carmichael(p: bigint, q: bigint): bigint {
  return ((p - 1n) * (q - 1n)) / gcd(p - 1n, q - 1n);
}

function invalid(what: string, problem: string): InputError {
  return new InputError({
    code: 'E_KEY_INVALID',
    message: `${what} is not an RSA key that conclave uses: ${problem}`,
  });
}
