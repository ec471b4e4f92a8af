/**
 * C2SP det-keygen: PKCS#8 keys that were made from seeds. The derivation is not offered; the keys themselves must be read, found
 * consistent, and written again byte for byte.
 */
export const area = 'det-keygen';

const UNOFFERED = ['secp224r1'];

async function keys(path, tools) {
  const tally = tools.tally();
  const { parsePkcs8, encodePkcs8 } = await tools.load('crypto/encodings/pkcs8');
  for (const [i, test] of tools.json(path).entries()) {
    const { curve, bits, private_key_pkcs8: text } = test;
    if (UNOFFERED.includes(curve)) {
      const read = () => parsePkcs8(tools.base64(text), 'key');
      await tally.unoffered(`case ${i + 1}: ${curve}`, `the curve ${curve}`, read);
      continue;
    }
    await tally.check(`case ${i + 1}: ${curve ?? bits}`, async () => {
      const der = tools.base64(text);
      const { descriptor, secret } = await parsePkcs8(der, 'key');
      const { publicKey } = await descriptor.load();
      return tools.equal(encodePkcs8(descriptor, secret, publicKey(secret)), der);
    });
  }
  return tally.result();
}

export const files = [{ pattern: /^(?:ecdsa|rsa)\.json$/, run: keys }];
