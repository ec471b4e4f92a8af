/** Vectors of RFC texts. */
export const area = 'rfc';

async function ed25519(path, tools) {
  const tally = tools.tally();
  const { implementation } = await tools.algorithm('ed25519');
  for (const { name, secretKey, publicKey, message, signature } of tools.json(path)) {
    await tally.check(name, () => {
      const [secret, key, text] = [secretKey, publicKey, message].map(tools.hex);
      const made = implementation.sign(text, secret);
      return (
        tools.equal(implementation.publicKey(secret), key) &&
        tools.equal(made, tools.hex(signature)) &&
        implementation.verify(made, text, key)
      );
    });
  }
  return tally.result();
}

export const files = [
  { pattern: /^8032-eddsa\/ed25519\.json$/, run: ed25519 },
  { pattern: /^8032-eddsa\/(?:ed25519ctx|ed25519ph|ed448|ed448ph)\.json$/ },
  { pattern: /^6979-deterministic-ecdsa\/vectors\.json$/ },
  { pattern: /^9380-hash-to-curve\/\S+\.json$/ },
];
