/** Addresses against published values, and against two libraries that we did not write. */
import { p2pkh, p2tr, p2wpkh } from '@scure/btc-signer';
import { addr } from 'micro-eth-signer';
import { base58, createBase58check } from '@scure/base';
import { describe, expect, it } from 'vitest';
import { keyAddress } from '#actions/key-address';
import type { SignatureImplementation } from '#crypto/descriptor';
import { sha256 } from '#crypto/hash';
import { resolve } from '#crypto/registry';
import { bitcoinP2pkh, bitcoinP2tr, bitcoinP2wpkh } from '#custody/chains/bitcoin';
import { ethereumAddress } from '#custody/chains/ethereum';
import { solanaAddress } from '#custody/chains/solana';
import { tezos } from '#custody/chains/tezos';
import { fromHex } from '#formats/bytes';
import { InputError } from '#formats/errors';
import { seededSource } from '../formats/mutate.js';

const secp = (await (await resolve('secp256k1')).load()) as SignatureImplementation;
const random = seededSource(31);
const one = new Uint8Array(32);
one[31] = 1;

function compressed(uncompressed: Uint8Array): Uint8Array {
  return Uint8Array.of(2 | ((uncompressed[64] as number) & 1), ...uncompressed.subarray(1, 33));
}

/** The key inside `edpk…`, `sppk…`, `p2pk…` or `BLpk…`: what follows a prefix of four bytes. */
function tezosKey(text: string): Uint8Array {
  return createBase58check((bytes: Uint8Array) => sha256(bytes))
    .decode(text)
    .subarray(4);
}

describe('addresses', () => {
  it('of the private key 1 are the published ones', async () => {
    const key = secp.publicKey(one);
    for (const form of [key, compressed(key)]) {
      expect(await ethereumAddress(form)).toBe('0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf');
      expect(await bitcoinP2pkh(form)).toBe('1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH');
      // BIP 173, "Examples"
      expect(await bitcoinP2wpkh(form)).toBe('bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4');
    }
  });

  it('of Taproot is that of BIP 86', async () => {
    // BIP 86, "Test vectors", first receiving address
    const internal = fromHex('cc8a4bc64d897bddc5fbc2f670f7a8ba0b386779106cf1223c6fc5d7cd6fc115');
    const address = 'bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr';
    expect(await bitcoinP2tr(internal)).toBe(address);
    expect(await bitcoinP2tr(Uint8Array.of(2, ...internal))).toBe(address);
    expect(await bitcoinP2tr(Uint8Array.of(3, ...internal))).toBe(address);
  });

  it.each([
    [
      'tz1',
      'edpkvGfYw3LyB1UcCahKQk4rF2tvbMUk8GFiTuMjL75uGXrpvKXhjn',
      'tz1VSUr8wwNhLAzempoch5d6hLRiTh8Cjcjb',
    ],
    [
      'tz2',
      'sppk7aqSksZan1AGXuKtCz9UBLZZ77e3ZWGpFxR7ig1Z17GneEhSSbH',
      'tz2Ch1abG7FNiibmV26Uzgdsnfni9XGrk5wD',
    ],
    [
      'tz3',
      'p2pk66iTZwLmRPshQgUr2HE3RUzSFwAN5MNaBQ5rfduT1dGKXd25pNN',
      'tz3NExpXn9aPNZPorRE4SdjJ2RGrfbJgMAaV',
    ],
    [
      'tz4',
      'BLpk1yoPpFtFF3jGUSn2GrGzgHVcj1cm5o6HTMwiqSjiTNFSJskXFady9nrdhoZzrG6ybXiTSK5G',
      'tz4J46gb6DxDFYxkex8k9sKiYZwjuiaoNSqN',
    ],
  ])('%s is that of a published key', async (type, key, address) => {
    const found = tezos.types.find((each) => each.type === type);
    expect(await found?.address(tezosKey(key))).toBe(address);
  });

  it('of Solana is the key of RFC 8032 test 1 in base58', async () => {
    const key = fromHex('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a');
    const address = await solanaAddress(key);
    expect(address).toBe('FVen3X669xLzsi6N2V91DoiyzHzg1uAgqiT8jZ9nS96Z');
    expect(base58.decode(address)).toEqual(key);
  });

  it('are what @scure/btc-signer and micro-eth-signer make of 50 keys', async () => {
    for (let i = 0; i < 50; i++) {
      const key = secp.publicKey(random(32));
      const short = compressed(key);
      expect(await bitcoinP2pkh(key)).toBe(p2pkh(short).address);
      expect(await bitcoinP2wpkh(key)).toBe(p2wpkh(short).address);
      expect(await bitcoinP2tr(key)).toBe(p2tr(short.subarray(1)).address);
      expect(await ethereumAddress(key)).toBe(addr.fromPublicKey(short));
    }
  });

  it('of what is no key are refused', async () => {
    const off = secp.publicKey(one);
    off[64] = (off[64] as number) ^ 1;
    for (const work of [
      ethereumAddress(off),
      bitcoinP2pkh(off),
      bitcoinP2tr(new Uint8Array(32).fill(0xff)),
      bitcoinP2tr(off),
      solanaAddress(new Uint8Array(32)),
      solanaAddress(new Uint8Array(31)),
      tezos.types[3]?.address(new Uint8Array(48)) as Promise<string>,
    ]) {
      await expect(work).rejects.toThrow(InputError);
    }
  });
});

describe('key address', () => {
  it('describes every type that a chain has', async () => {
    const known = keyAddress.inputs.type.choices as readonly string[];
    const chains = await Promise.all([
      import('#custody/chains/bitcoin').then((it) => it.bitcoin),
      import('#custody/chains/ethereum').then((it) => it.ethereum),
      import('#custody/chains/solana').then((it) => it.solana),
      import('#custody/chains/tezos').then((it) => it.tezos),
    ]);
    expect(chains.map(({ name }) => name).sort()).toEqual(
      [...keyAddress.inputs.chain.choices].sort(),
    );
    const types = new Set(chains.flatMap((chain) => chain.types.map(({ type }) => type)));
    expect([...types].sort()).toEqual([...known].sort());
  });
});
