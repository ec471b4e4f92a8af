/** BIP-340. The other documents have no code here. */
export const area = 'bip-slip';

async function bip340(path, tools) {
  const tally = tools.tally();
  const { implementation } = await tools.algorithm('bip340');
  const lines = tools.text(path).trim().split(/\r?\n/).slice(1);
  for (const line of lines) {
    const [index, secretHex, publicHex, auxHex, messageHex, signatureHex, result, comment] =
      line.split(',');
    const [publicKey, message, signature] = [publicHex, messageHex, signatureHex].map(tools.hex);
    const holds = result === 'TRUE';
    const accept = () => implementation.assertPublicKey(publicKey);
    // Two of the public keys are no x-coordinate of a point.
    await (/public key (?:not on|is not a valid)/.test(comment)
      ? tally.refused(`${index}: public key`, accept)
      : tally.check(`${index}: public key`, () => accept() === undefined));
    await tally.check(
      `${index}: verify`,
      () => implementation.verify(signature, message, publicKey) === holds,
    );
    if (secretHex === '') continue;
    const secret = tools.hex(secretHex);
    await tally.check(`${index}: public key`, () =>
      tools.equal(implementation.publicKey(secret), publicKey),
    );
    await tally.check(`${index}: sign`, () => {
      const random = () => tools.hex(auxHex);
      return tools.equal(implementation.sign(message, secret, { random }), signature);
    });
  }
  return tally.result();
}

export const files = [
  { pattern: /^bip-0340-\S+\.csv$/, run: bip340 },
  { pattern: /^(?:bip-(?:0032|0039|0093)|slip-0010)-\S+$/ },
];
