/**
 * BIP-340, through the Schnorr functions of the library under the program: its own Taproot addresses rest on them, and its
 * signatures do not. The other documents have no code here.
 */
import { schnorr } from '@noble/curves/secp256k1.js';

export const area = 'bip-slip';

async function bip340(path, tools) {
  const tally = tools.tally();
  const lines = tools.text(path).trim().split(/\r?\n/).slice(1);
  for (const line of lines) {
    const [index, secretHex, publicHex, auxHex, messageHex, signatureHex, result] = line.split(',');
    const [publicKey, message, signature] = [publicHex, messageHex, signatureHex].map(tools.hex);
    const holds = result === 'TRUE';
    await tally.check(
      `${index}: verify`,
      () => schnorr.verify(signature, message, publicKey) === holds,
    );
    if (secretHex === '') continue;
    const secret = tools.hex(secretHex);
    await tally.check(`${index}: public key`, () =>
      tools.equal(schnorr.getPublicKey(secret), publicKey),
    );
    await tally.check(`${index}: sign`, () =>
      tools.equal(schnorr.sign(message, secret, tools.hex(auxHex)), signature),
    );
  }
  return tally.result();
}

export const files = [
  { pattern: /^bip-0340-\S+\.csv$/, run: bip340 },
  { pattern: /^(?:bip-(?:0032|0039|0093)|slip-0010)-\S+$/ },
];
