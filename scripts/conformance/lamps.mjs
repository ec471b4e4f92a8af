/** IETF LAMPS: PKCS#8 and SPKI of ML-DSA (RFC 9881) and ML-KEM (RFC 9935), and composite signatures. */
import { basename, dirname, join } from 'node:path';

export const area = 'lamps';

/** The bytes 0, 1, 2, … : the seed of every example. */
const counting = (length) => Uint8Array.from({ length }, (_, i) => i);

async function parse(path, tools) {
  const { decodePem } = await tools.load('formats/pem');
  const { parsePkcs8 } = await tools.load('crypto/encodings/pkcs8');
  const { bytes } = decodePem(tools.bytes(path), basename(path));
  return { der: bytes, key: await parsePkcs8(bytes, basename(path)) };
}

/** A good private key: read in its form, seed as documented, written again byte for byte where it is seed-only. */
async function privateKey(path, tools) {
  const tally = tools.tally();
  const [, name, form] = /^(ML-\w+-\d+)-(\w+)\.priv$/.exec(basename(path));
  const { descriptor, implementation } = await tools.algorithm(name.toLowerCase());
  const { encodePkcs8 } = await tools.load('crypto/encodings/pkcs8');
  const { decodeSpki } = await tools.load('crypto/encodings/spki');
  const { decodePem } = await tools.load('formats/pem');
  const publicPath = join(dirname(path), `${name}.pub`);
  const spki = decodePem(tools.bytes(publicPath), 'public key').bytes;
  const seed = counting(descriptor.sizes.private);
  await tally.check('form', async () => (await parse(path, tools)).key.form === form);
  await tally.check('belongs to the public key', async () => {
    const { key } = await parse(path, tools);
    const { publicKey } = await decodeSpki(spki, 'public key');
    const own =
      form === 'expanded'
        ? implementation.expanded.publicKey(key.expanded)
        : implementation.publicKey(key.secret);
    return tools.equal(own, publicKey);
  });
  await tally.check('seed or expanded key', async () => {
    const { der, key } = await parse(path, tools);
    if (form === 'expanded') return tools.equal(key.expanded, implementation.expanded.from(seed));
    const same = tools.equal(key.secret, seed);
    return same && (form !== 'seed' || tools.equal(encodePkcs8(descriptor, seed), der));
  });
  return tally.result();
}

async function badPrivateKey(path, tools) {
  const tally = tools.tally();
  await tally.refused(basename(path), () => parse(path, tools));
  return tally.result();
}

async function publicKey(path, tools) {
  const tally = tools.tally();
  const { descriptor, implementation } = await tools.algorithm(
    basename(path, '.pub').toLowerCase(),
  );
  const { decodePem } = await tools.load('formats/pem');
  const { encodeSpki } = await tools.load('crypto/encodings/spki');
  const spki = decodePem(tools.bytes(path), basename(path)).bytes;
  await tally.check('SPKI of the counting seed', () => {
    const key = implementation.publicKey(counting(descriptor.sizes.private));
    return tools.equal(encodeSpki(descriptor, key), spki);
  });
  return tally.result();
}

const COMPOSITES = {
  'id-MLDSA65-Ed25519-SHA512': 'ed25519+ml-dsa-65',
  'id-MLDSA87-Ed448-SHAKE256': 'ed448+ml-dsa-87',
};

async function composite(path, tools) {
  const tally = tools.tally();
  const { m, ctx, tests } = tools.json(path);
  const [message, context] = [m, ctx].map(tools.base64);
  for (const test of tests) {
    const name = COMPOSITES[test.tcId];
    if (name === undefined) {
      const { decodePkcs8 } = await tools.load('crypto/encodings/pkcs8');
      await tally.unoffered(test.tcId, 'another composite', () =>
        decodePkcs8(tools.base64(test.sk_pkcs8), test.tcId),
      );
      continue;
    }
    const { descriptor, implementation } = await tools.algorithm(name, 'composite');
    const { decodePkcs8, encodePkcs8 } = await tools.load('crypto/encodings/pkcs8');
    const [pk, sk, pkcs8] = [test.pk, test.sk, test.sk_pkcs8].map(tools.base64);
    const { secret } = await decodePkcs8(pkcs8, 'sk_pkcs8');
    await tally.check(`${name}: public key from sk`, () =>
      tools.equal(implementation.publicKey(secret), pk),
    );
    await tally.check(`${name}: PKCS#8 from sk`, () =>
      tools.equal(encodePkcs8(descriptor, secret), pkcs8),
    );
    await tally.check(`${name}: sk inside PKCS#8`, () =>
      tools.equal(descriptor.rearrange.toPkcs8(secret), sk),
    );
    await tally.check(`${name}: s`, () => implementation.verify(tools.base64(test.s), message, pk));
    await tally.check(`${name}: s under the context`, () => {
      const signature = tools.base64(test.s);
      return !implementation.verify(signature, message, pk, { context });
    });
    await tally.check(`${name}: sWithContext`, () => {
      const signature = tools.base64(test.sWithContext);
      return implementation.verify(signature, message, pk, { context });
    });
    // Its EdDSA half is deterministic: made again, it must be the same.
    await tally.check(`${name}: EdDSA half of sWithContext`, () => {
      const made = implementation.sign(message, secret, { context });
      const at = name.endsWith('87') ? 4627 : 3309;
      return tools.equal(made.subarray(at), tools.base64(test.sWithContext).subarray(at));
    });
  }
  return tally.result();
}

export const files = [
  { pattern: /^rfc\d+-ml-\w+\/ML-\w+-\d+-(?:seed|expanded|both)\.priv$/, run: privateKey },
  { pattern: /^rfc\d+-ml-\w+\/bad-ML-\w+-\d+-\d+\.priv$/, run: badPrivateKey },
  { pattern: /^rfc\d+-ml-\w+\/ML-\w+-\d+\.pub$/, run: publicKey },
  { pattern: /^rfc\d+-ml-\w+\/\S+\.(?:priv|pub|crt)\.txt$/, companion: true },
  { pattern: /^rfc\d+-ml-\w+\/ML-\w+-\d+\.crt$/ },
  { pattern: /^composite\/testvectors\.json$/, run: composite },
  { pattern: /^composite\/(?:labelsTable|messageFormatSample_\w+)\.md$/, companion: true },
];
