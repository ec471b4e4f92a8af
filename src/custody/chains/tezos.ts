/** Addresses of Tezos: one prefix for each kind of key. */
import { loadChainHashes } from '#crypto/chain-hashes';
import { sha256 } from '#crypto/hash';
import { loadPoints, type PointCurve } from '#crypto/points';
import { concat, fromHex } from '#formats/bytes';
import type { AddressType, Chain } from './chain.js';

const HASH_LENGTH = 20;

function implicitAccount(type: string, curve: PointCurve, prefix: string): AddressType {
  return {
    type,
    algorithm: curve,
    spec: 'Tezos implicit accounts: base58check of a prefix and BLAKE2b-160 of the compressed key',
    address: async (publicKey) => {
      const [points, hashes] = await Promise.all([loadPoints(curve), loadChainHashes()]);
      const hash = hashes.blake2b(HASH_LENGTH, points.compressed(publicKey));
      const { createBase58check } = await import('@scure/base');
      const base58check = createBase58check((bytes: Uint8Array) => sha256(bytes));
      return base58check.encode(concat(fromHex(prefix), hash));
    },
  };
}

/** Tezos; the kind of key decides between tz1 and tz4. */
export const tezos: Chain = {
  name: 'tezos',
  types: [
    implicitAccount('tz1', 'ed25519', '06a19f'),
    implicitAccount('tz2', 'secp256k1', '06a1a1'),
    implicitAccount('tz3', 'p256', '06a1a4'),
    implicitAccount('tz4', 'bls12-381', '06a1a6'),
  ],
};
