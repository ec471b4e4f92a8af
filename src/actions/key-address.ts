import { keyId } from '#crypto/key-id';
import type { AddressType, Chain } from '#custody/chains/chain';
import { UsageError } from '#formats/errors';
import { defineAction } from './action.js';
import { resolvePublicSide } from './context/public-keys.js';

/** Chains by name; each file is loaded when its chain is asked for. */
const chains: Readonly<Record<string, () => Promise<Chain>>> = {
  ethereum: async () => (await import('#custody/chains/ethereum')).ethereum,
  bitcoin: async () => (await import('#custody/chains/bitcoin')).bitcoin,
  tezos: async () => (await import('#custody/chains/tezos')).tezos,
  solana: async () => (await import('#custody/chains/solana')).solana,
};

/** `conclave key address`. */
export const keyAddress = defineAction({
  id: 'key.address',
  summary: 'show the address of a key on a block chain',
  description:
    'Computes the address that belongs to a public key: an Ethereum account, a Bitcoin address of the main network for one key, a ' +
    'Tezos account, a Solana account. The kind of key must be the one that the chain uses. A P2TR address is made of the tweaked ' +
    'key (BIP 86, no scripts), so a signature that spends from it must be made with the tweaked key too.',
  inputs: {
    key: {
      type: 'key',
      summary: 'the key, or a public key',
      required: true,
      positional: 0,
      placeholder: 'KEY|PUB',
    },
    chain: {
      type: 'string',
      summary: 'the block chain',
      required: true,
      choices: ['ethereum', 'bitcoin', 'tezos', 'solana'],
    },
    type: {
      type: 'string',
      summary: 'kind of address; for bitcoin p2wpkh when not given, for the others the key decides',
      choices: ['account', 'p2pkh', 'p2wpkh', 'p2tr', 'tz1', 'tz2', 'tz3', 'tz4'],
    },
  },
  outputs: { address: { type: 'report', summary: 'the address' } },
  options: ['passphrase'],
  effect: 'none',
  examples: [
    {
      command: 'conclave key address treasury --chain ethereum',
      explains: 'the account of a secp256k1 key, with its checksum',
    },
    {
      command: 'conclave key address treasury.pub --chain bitcoin --type p2tr',
      explains: 'a Taproot address, from the public key alone',
    },
  ],
  async run({ key, chain: name, type }, context) {
    const chain = await (chains[name] as () => Promise<Chain>)();
    const { descriptor, bytes, record } = await resolvePublicSide(key, 'signature', context);
    const found = typeFor(chain, type, descriptor.name, key);
    return {
      address: await found.address(bytes),
      chain: chain.name,
      type: found.type,
      spec: found.spec,
      algorithm: descriptor.name,
      id: keyId(descriptor, bytes),
      environment: record?.environment ?? null,
    };
  },
  present: ({ address, environment }) =>
    environment === null || environment === 'production'
      ? address
      : `${environment.toUpperCase()} KEY - SEND NOTHING OF VALUE: ${address}`,
});

/** The type asked for, or the first that the key's algorithm allows. */
function typeFor(
  chain: Chain,
  type: string | undefined,
  algorithm: string,
  key: string,
): AddressType {
  const wanted =
    type === undefined ? chain.types : chain.types.filter((each) => each.type === type);
  if (wanted.length === 0) {
    throw new UsageError({
      code: 'E_ADDRESS_TYPE',
      message: `${chain.name} has no addresses of type ${type ?? ''}`,
      hint: `its types are ${chain.types.map((each) => each.type).join(', ')}`,
    });
  }
  const found = wanted.find((each) => each.algorithm === algorithm);
  if (found !== undefined) return found;
  const needed = [...new Set(wanted.map((each) => each.algorithm))].join(', or ');
  const what = type === undefined ? `${chain.name} address` : `${chain.name} ${type} address`;
  throw new UsageError({
    code: 'E_ADDRESS_ALGORITHM',
    message: `${key} is a key of ${algorithm}; the ${what} needs a key of ${needed}`,
    hint: 'name another key, or make one with conclave key generate --algorithm',
  });
}
