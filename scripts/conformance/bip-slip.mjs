/**
 * BIP-340. Keys go through the program, which makes Taproot addresses of them; signatures, which it does not make, through the
 * library below. The other documents have no code here.
 */
import { schnorr } from '@noble/curves/secp256k1.js';

export const area = 'bip-slip';

async function bip340(path, tools) {
  const tally = tools.tally();
  const { implementation } = await tools.algorithm('secp256k1');
  const { taprootOutputKey } = await tools.load('crypto/points');
  const lines = tools.text(path).trim().split(/\r?\n/).slice(1);
  for (const line of lines) {
    const [index, secretHex, publicHex, auxHex, messageHex, signatureHex, result, comment] =
      line.split(',');
    const [publicKey, message, signature] = [publicHex, messageHex, signatureHex].map(tools.hex);
    const holds = result === 'TRUE';
    const output = () => taprootOutputKey(publicKey);
    // Two of the public keys are no x-coordinate of a point.
    await (/public key (?:not on|is not a valid)/.test(comment)
      ? tally.refused(`${index}: output key`, output)
      : tally.check(`${index}: output key`, async () => (await output()).length === 32));
    await tally.check(
      `${index}: verify`,
      () => schnorr.verify(signature, message, publicKey) === holds,
    );
    if (secretHex === '') continue;
    const secret = tools.hex(secretHex);
    await tally.check(`${index}: public key`, () =>
      tools.equal(implementation.publicKey(secret).subarray(1, 33), publicKey),
    );
    await tally.check(`${index}: sign`, () =>
      tools.equal(schnorr.sign(message, secret, tools.hex(auxHex)), signature),
    );
  }
  tally.note('signatures: by the library under the program');
  return tally.result();
}

export const files = [
  { pattern: /^bip-0340-\S+\.csv$/, run: bip340 },
  { pattern: /^(?:bip-(?:0032|0039|0093)|slip-0010)-\S+$/ },
];
