/** Addresses of Ethereum and the chains that share its accounts. */
import { loadChainHashes } from '#crypto/chain-hashes';
import { loadPoints } from '#crypto/points';
import { toHex, utf8 } from '#formats/bytes';
import type { Chain } from './chain.js';

/**
 * The account of a secp256k1 key: the last 20 bytes of Keccak-256 over x ‖ y, with the checksum of EIP-55 in its capitals.
 * @throws InputError `E_KEY_INVALID`
 */
export async function ethereumAddress(publicKey: Uint8Array): Promise<string> {
  const [points, hashes] = await Promise.all([loadPoints('secp256k1'), loadChainHashes()]);
  const account = toHex(hashes.keccak256(points.coordinates(publicKey)).subarray(-20));
  const checksum = toHex(hashes.keccak256(utf8(account)));
  const digits = [...account].map((digit, i) =>
    Number.parseInt(checksum[i] as string, 16) >= 8 ? digit.toUpperCase() : digit,
  );
  return `0x${digits.join('')}`;
}

/** Ethereum. */
export const ethereum: Chain = {
  name: 'ethereum',
  types: [{ type: 'account', algorithm: 'secp256k1', spec: 'EIP-55', address: ethereumAddress }],
};
