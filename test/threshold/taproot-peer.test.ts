/**
 * A Taproot key in shares before libsecp256k1 (as WebAssembly, in `tiny-secp256k1`) and `bitcoinjs-lib`: the tweak that made the key
 * of the record, the address, and the signature of a quorum. Neither uses the library that ours has for the curve.
 */
import { createHash } from 'node:crypto';
import * as bitcoin from 'bitcoinjs-lib';
import * as ecc from 'tiny-secp256k1';
import { describe, expect, it } from 'vitest';
import { bitcoinOutputKey } from '#custody/chains/bitcoin';
import { fromBase64, fromHex, toHex } from '#formats/bytes';
import { decodeCbor } from '#formats/cbor';
import { decodeMessage } from '#protocols/parties/message';
import { people, record, type Recorded, signed } from './recorded.js';

const sha256 = (...parts: readonly Uint8Array[]): Buffer =>
  createHash('sha256').update(Buffer.concat(parts)).digest();
const DIGEST = sha256(Buffer.from('a transaction'));

/** The key before the tweak: the sum of the constants that were committed to, added up by libsecp256k1. */
function internalKey({ transcript }: Recorded): Uint8Array {
  const { messages } = JSON.parse(Buffer.from(transcript).toString()) as { messages: string[] };
  const constants = messages.flatMap((text) => {
    const { header, content } = decodeMessage(fromBase64(text), 'message');
    if (header.type !== 'commitments' || content.kind !== 'broadcast') return [];
    const [[constant]] = decodeCbor(content.body, 'commitments') as [[Uint8Array]];
    return [constant];
  });
  expect(constants).toHaveLength(3);
  return constants.reduce((sum, each) => ecc.pointAdd(sum, each, true) as Uint8Array).slice(1);
}

describe('a Taproot key in shares, before libraries of others', () => {
  it('has their tweak and their address, and signs for both', async () => {
    const made = await record(await people(3), {
      operation: 'keygen',
      suite: 'frost-taproot',
      threshold: 2,
      contributors: [1, 2, 3],
      receivers: [1, 2, 3],
    });
    const output = fromHex(made.group.record.publicKey).slice(1);
    const internal = internalKey(made);
    const tag = sha256(Buffer.from('TapTweak'));
    const tweaked = ecc.xOnlyPointAddTweak(internal, sha256(tag, tag, internal));
    expect(toHex(tweaked?.xOnlyPubkey ?? new Uint8Array(0))).toBe(toHex(output));

    bitcoin.initEccLib(ecc);
    const payment = bitcoin.payments.p2tr({ internalPubkey: internal });
    expect(toHex(payment.pubkey ?? new Uint8Array(0))).toBe(toHex(output));
    expect(payment.address).toBe(await bitcoinOutputKey(output));

    for (const quorum of [
      [1, 2],
      [2, 3],
    ]) {
      const signature = await signed(made, quorum, DIGEST);
      expect(ecc.verifySchnorr(DIGEST, output, signature)).toBe(true);
      // Not under the key before the tweak, and not for anything else.
      expect(ecc.verifySchnorr(DIGEST, internal, signature)).toBe(false);
      expect(ecc.verifySchnorr(sha256(DIGEST), output, signature)).toBe(false);
    }
  });
});
