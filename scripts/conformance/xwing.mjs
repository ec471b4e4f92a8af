/** X-Wing: the draft's vectors and its PKCS#8 and SPKI example. */
export const area = 'xwing';

async function vectors(path, tools) {
  const tally = tools.tally();
  const { implementation: kem } = await tools.algorithm('x-wing');
  const { equal, hex } = tools;
  for (const [i, { seed, eseed, sk, pk, ct, ss }] of tools.json(path).entries()) {
    const id = (part) => `case ${i + 1}: ${part}`;
    await tally.check(id('sk is the seed'), () => sk === seed);
    await tally.check(id('pk'), () => equal(kem.publicKey(hex(seed)), hex(pk)));
    const made = kem.encapsulate(hex(pk), () => hex(eseed));
    await tally.check(id('ct'), () => equal(made.ciphertext, hex(ct)));
    await tally.check(id('ss'), () => equal(made.sharedSecret, hex(ss)));
    await tally.check(id('ss from ct'), () => equal(kem.decapsulate(hex(ct), hex(sk)), hex(ss)));
  }
  return tally.result();
}

/** The example's seed counts 0, 1, 2, … */
const seed = Uint8Array.from({ length: 32 }, (_, i) => i);

async function privateKey(path, tools) {
  const tally = tools.tally();
  const { descriptor } = await tools.algorithm('x-wing');
  const { decodePem } = await tools.load('formats/pem');
  const { decodePkcs8, encodePkcs8 } = await tools.load('crypto/encodings/pkcs8');
  const der = decodePem(tools.bytes(path), 'xwing.priv').bytes;
  await tally.check('read', async () => tools.equal((await decodePkcs8(der, 'key')).secret, seed));
  await tally.check('written', () => tools.equal(encodePkcs8(descriptor, seed), der));
  return tally.result();
}

async function publicKey(path, tools) {
  const tally = tools.tally();
  const { descriptor, implementation } = await tools.algorithm('x-wing');
  const { decodePem } = await tools.load('formats/pem');
  const { decodeSpki, encodeSpki } = await tools.load('crypto/encodings/spki');
  const der = decodePem(tools.bytes(path), 'xwing.pub').bytes;
  const key = implementation.publicKey(seed);
  await tally.check('read', async () => tools.equal((await decodeSpki(der, 'key')).publicKey, key));
  await tally.check('written', () => tools.equal(encodeSpki(descriptor, key), der));
  return tally.result();
}

export const files = [
  { pattern: /^test-vectors\.json$/, run: vectors },
  { pattern: /^xwing\.priv$/, run: privateKey },
  { pattern: /^xwing\.pub$/, run: publicKey },
];
