/** Addresses of Bitcoin's main network, for one key. */
import { loadChainHashes } from '#crypto/chain-hashes';
import { sha256 } from '#crypto/hash';
import { loadPoints, taprootOutputKey } from '#crypto/points';
import { concat } from '#formats/bytes';
import type { Chain } from './chain.js';

const PAY_TO_PUBLIC_KEY_HASH = 0x00;
const HUMAN_READABLE_PART = 'bc';

/** RIPEMD-160 of SHA-256 of the compressed key; 20 bytes. */
async function keyHash(publicKey: Uint8Array): Promise<Uint8Array> {
  const [points, hashes] = await Promise.all([loadPoints('secp256k1'), loadChainHashes()]);
  return hashes.ripemd160(sha256(points.compressed(publicKey)));
}

/** Pay to public key hash. @throws InputError `E_KEY_INVALID` */
export async function bitcoinP2pkh(publicKey: Uint8Array): Promise<string> {
  const { createBase58check } = await import('@scure/base');
  return createBase58check((bytes: Uint8Array) => sha256(bytes)).encode(
    concat(Uint8Array.of(PAY_TO_PUBLIC_KEY_HASH), await keyHash(publicKey)),
  );
}

/** Pay to witness public key hash. @throws InputError `E_KEY_INVALID` */
export async function bitcoinP2wpkh(publicKey: Uint8Array): Promise<string> {
  const { bech32 } = await import('@scure/base');
  const words = bech32.toWords(await keyHash(publicKey));
  return bech32.encode(HUMAN_READABLE_PART, [0, ...words]);
}

/**
 * Pay to Taproot, spent by the key alone. The output key is the tweaked one, so what spends it has to sign with the key
 * tweaked alike.
 * @param publicKey - compressed, uncompressed, or already x-only (32 bytes)
 * @throws InputError `E_KEY_INVALID`
 */
export async function bitcoinP2tr(publicKey: Uint8Array): Promise<string> {
  const internal =
    publicKey.length === 32
      ? publicKey
      : (await loadPoints('secp256k1')).compressed(publicKey).subarray(1);
  const { bech32m } = await import('@scure/base');
  const words = bech32m.toWords(await taprootOutputKey(internal));
  return bech32m.encode(HUMAN_READABLE_PART, [1, ...words]);
}

/**
 * Pay to Taproot for an output key, as it stands: whoever made it tweaked it, as a group's key generation does.
 * @param publicKey - x-only, 32 bytes
 * @throws InputError `E_KEY_INVALID`
 */
export async function bitcoinOutputKey(publicKey: Uint8Array): Promise<string> {
  // Decoding it as the point with even y shows that it is one.
  (await loadPoints('secp256k1')).compressed(concat(Uint8Array.of(2), publicKey));
  const { bech32m } = await import('@scure/base');
  return bech32m.encode(HUMAN_READABLE_PART, [1, ...bech32m.toWords(publicKey)]);
}

/** Bitcoin. */
export const bitcoin: Chain = {
  name: 'bitcoin',
  types: [
    { type: 'p2wpkh', algorithm: 'secp256k1', spec: 'BIP 141, BIP 173', address: bitcoinP2wpkh },
    { type: 'p2pkh', algorithm: 'secp256k1', spec: 'base58check', address: bitcoinP2pkh },
    {
      type: 'p2tr',
      algorithm: 'secp256k1',
      spec: 'BIP 86, BIP 341, BIP 350',
      address: bitcoinP2tr,
    },
    { type: 'p2tr', algorithm: 'bip340', spec: 'BIP 341, BIP 350', address: bitcoinOutputKey },
  ],
};
