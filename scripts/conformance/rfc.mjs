/** Vectors of RFC texts. */
import { ed25519_hasher } from '@noble/curves/ed25519.js';
import { ed448_hasher } from '@noble/curves/ed448.js';
import { expand_message_xmd, expand_message_xof } from '@noble/curves/abstract/hash-to-curve.js';
import { p256_hasher, p384_hasher, p521_hasher } from '@noble/curves/nist.js';
import { secp256k1_hasher } from '@noble/curves/secp256k1.js';
import { sha256, sha384, sha512 } from '@noble/hashes/sha2.js';
import { shake128, shake256 } from '@noble/hashes/sha3.js';

export const area = 'rfc';

/** EdDSA, with the context where a case has one, and with the hash of the prehash forms. */
const eddsa = (algorithm, hash) => async (path, tools) => {
  const tally = tools.tally();
  const { implementation } = await tools.algorithm(algorithm);
  for (const { name, secretKey, publicKey, message, signature, context } of tools.json(path)) {
    await tally.check(name, () => {
      const [secret, key, text] = [secretKey, publicKey, message].map(tools.hex);
      const options = { context: tools.hex(context), ...(hash === undefined ? {} : { hash }) };
      const made = implementation.sign(text, secret, options);
      return (
        tools.equal(implementation.publicKey(secret), key) &&
        tools.equal(made, tools.hex(signature)) &&
        implementation.verify(made, text, key, options)
      );
    });
  }
  return tally.result();
};

const CURVES = { 'NIST P-256': 'p256', 'NIST P-384': 'p384', 'NIST P-521': 'p521' };

/** Deterministic ECDSA: the signature must come out as printed. */
async function ecdsa(path, tools) {
  const tally = tools.tally();
  for (const { curve, private: d, Ux, Uy, cases } of tools.json(path)) {
    const name = CURVES[curve];
    if (name === undefined) {
      // Numbers alone, without any encoding that a reader could refuse.
      const what = curve === undefined ? 'DSA' : `the curve ${curve}`;
      tally.outside(what, cases.length);
      continue;
    }
    const { descriptor, implementation } = await tools.algorithm(name);
    const fixed = (text) => text.padStart(2 * descriptor.sizes.private, '0').toLowerCase();
    const secret = tools.hex(fixed(d));
    await tally.check(`${curve}: public key`, () =>
      tools.equal(implementation.publicKey(secret), tools.hex(`04${fixed(Ux)}${fixed(Uy)}`)),
    );
    for (const { hash, message, r, s } of cases) {
      const option = hash.replace('SHA-', 'sha');
      if (!descriptor.signing.hashes.includes(option)) {
        const sign = () =>
          implementation.sign(tools.utf8(message), secret, { hash: option.toLowerCase() });
        await tally.unoffered(`${curve}, ${hash}, ${message}`, `ECDSA with ${hash}`, sign);
        continue;
      }
      await tally.check(`${curve}, ${hash}, ${message}`, () => {
        const made = implementation.sign(tools.utf8(message), secret, { hash: option });
        return tools.toHex(made) === fixed(r) + fixed(s);
      });
    }
  }
  return tally.result();
}

/** The curves of RFC 9380 that the library under the program hashes to; the program itself hashes to BLS12-381 only. */
const HASHERS = {
  'NIST P-256': p256_hasher,
  'NIST P-384': p384_hasher,
  'NIST P-521': p521_hasher,
  secp256k1: secp256k1_hasher,
  edwards25519: ed25519_hasher,
  edwards448: ed448_hasher,
};

const LIBRARY = 'by the library under the program';

async function hashToCurve(path, tools) {
  const tally = tools.tally();
  const { curve, dst, randomOracle, vectors } = tools.json(path);
  const hasher = HASHERS[curve];
  if (hasher === undefined) {
    tally.outside(`hashing to ${curve}`, vectors.length);
    return tally.result();
  }
  tally.note(LIBRARY);
  const toCurve = randomOracle ? hasher.hashToCurve : hasher.encodeToCurve;
  for (const { msg, P } of vectors) {
    await tally.check(JSON.stringify(msg.slice(0, 10)), () => {
      const { x, y } = toCurve(tools.utf8(msg), { DST: dst }).toAffine();
      return x === BigInt(P.x) && y === BigInt(P.y);
    });
  }
  return tally.result();
}

const EXPANDERS = {
  SHA256: sha256,
  SHA384: sha384,
  SHA512: sha512,
  SHAKE128: shake128,
  SHAKE256: shake256,
};

async function expandMessage(path, tools) {
  const tally = tools.tally();
  const { DST, hash, k, name, tests } = tools.json(path);
  const dst = tools.utf8(DST);
  tally.note(LIBRARY);
  for (const { msg, len_in_bytes: length, uniform_bytes: expected } of tests) {
    await tally.check(`${length} bytes of ${JSON.stringify(msg.slice(0, 10))}`, () => {
      const [message, size] = [tools.utf8(msg), Number(length)];
      const made =
        name === 'expand_message_xof'
          ? expand_message_xof(message, dst, size, k, EXPANDERS[hash])
          : expand_message_xmd(message, dst, size, EXPANDERS[hash]);
      return tools.toHex(made) === expected;
    });
  }
  return tally.result();
}

export const files = [
  { pattern: /^8032-eddsa\/ed25519\.json$/, run: eddsa('ed25519') },
  { pattern: /^8032-eddsa\/ed448\.json$/, run: eddsa('ed448') },
  { pattern: /^8032-eddsa\/ed25519ctx\.json$/, run: eddsa('ed25519') },
  { pattern: /^8032-eddsa\/ed25519ph\.json$/, run: eddsa('ed25519', 'sha512') },
  { pattern: /^8032-eddsa\/ed448ph\.json$/, run: eddsa('ed448', 'shake256') },
  { pattern: /^6979-deterministic-ecdsa\/vectors\.json$/, run: ecdsa },
  { pattern: /^9380-hash-to-curve\/expand_message_\S+\.json$/, run: expandMessage },
  { pattern: /^9380-hash-to-curve\/\S+\.json$/, run: hashToCurve },
];
