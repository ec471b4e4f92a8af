/** Addresses of Solana: the public key itself, in base58. */
import { loadPoints } from '#crypto/points';
import type { Chain } from './chain.js';

/** The account of an Ed25519 key. @throws InputError `E_KEY_INVALID` */
export async function solanaAddress(publicKey: Uint8Array): Promise<string> {
  const { base58 } = await import('@scure/base');
  return base58.encode((await loadPoints('ed25519')).compressed(publicKey));
}

/** Solana. */
export const solana: Chain = {
  name: 'solana',
  types: [{ type: 'account', algorithm: 'ed25519', spec: 'base58', address: solanaAddress }],
};
