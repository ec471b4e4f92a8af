/** Vectors of RFC texts. */
export const area = 'rfc';

/** Pure EdDSA, with the context where a case has one. */
const eddsa = (algorithm) => async (path, tools) => {
  const tally = tools.tally();
  const { implementation } = await tools.algorithm(algorithm);
  for (const { name, secretKey, publicKey, message, signature, context } of tools.json(path)) {
    await tally.check(name, () => {
      const [secret, key, text] = [secretKey, publicKey, message].map(tools.hex);
      const options = context === undefined ? {} : { context: tools.hex(context) };
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

/** A variant that nothing here offers. */
const without = (reason) => (path, tools) => {
  const tally = tools.tally();
  tally.skip(reason, tools.json(path).length);
  return tally.result();
};

const CURVES = { 'NIST P-256': 'p256', 'NIST P-384': 'p384', 'NIST P-521': 'p521' };

/** Deterministic ECDSA: the signature must come out as printed. */
async function ecdsa(path, tools) {
  const tally = tools.tally();
  for (const { curve, private: d, Ux, Uy, cases } of tools.json(path)) {
    const name = CURVES[curve];
    if (name === undefined) {
      tally.skip(`${curve ?? 'DSA'} is not offered`, cases.length);
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
        tally.skip(`ECDSA with ${hash} is not offered`);
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

export const files = [
  { pattern: /^8032-eddsa\/ed25519\.json$/, run: eddsa('ed25519') },
  { pattern: /^8032-eddsa\/ed448\.json$/, run: eddsa('ed448') },
  { pattern: /^8032-eddsa\/ed25519ctx\.json$/, run: without('Ed25519ctx is not offered') },
  { pattern: /^8032-eddsa\/ed25519ph\.json$/, run: without('Ed25519ph is not offered') },
  { pattern: /^8032-eddsa\/ed448ph\.json$/, run: without('Ed448ph is not offered') },
  { pattern: /^6979-deterministic-ecdsa\/vectors\.json$/, run: ecdsa },
  { pattern: /^9380-hash-to-curve\/\S+\.json$/ },
];
