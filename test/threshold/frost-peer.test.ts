/**
 * FROST by another author (`@cmdcode/frost`, secp256k1 alone): its shares are ours and ours are its, and a quorum with a signer of
 * each makes one signature. Its signer works for BIP 340, and takes the challenge from outside: with that of RFC 9591, which it
 * knows too, and a nonce whose y is even, both mean the same equation.
 */
import { H } from '@cmdcode/frost/ecc';
import {
  create_commit_pkg,
  create_dealer_set,
  derive_shares_secret,
  gen_recovery_shares,
  get_group_commit_context,
  get_group_key_context,
  get_pubkey,
  recover_share,
  sign_msg,
  verify_partial_sig,
  verify_share,
} from '@cmdcode/frost/lib';
import { beforeAll, describe, expect, it } from 'vitest';
import { type FrostSuite, loadSuite } from '#crypto/frost/suite';
import type { GroupPoint } from '#crypto/math/prime-group';
import { resolve } from '#crypto/registry';
import { concat, fromHex, toHex, utf8 } from '#formats/bytes';
import { deal, type Dealing, isPart, partFor, publicShareAt } from '#protocols/threshold/dealing';
import {
  aggregate,
  commit,
  readNonceCommitments,
  type SigningKey,
  signShare,
} from '#protocols/threshold/frost-rounds';
import { random } from './recorded.js';

const MESSAGE = utf8('pay the miller');
const NUMBERS = [1, 2, 3];

let suite: FrostSuite;
let dealing: Dealing;
let key: SigningKey;

const share = (number: number): bigint => partFor(dealing, number, suite);
/** Our share as the peer writes it. */
const theirShare = (idx: number) => ({ idx, seckey: share(idx).toString(16).padStart(64, '0') });
const hexOf = (point: GroupPoint): string => toHex(point.toBytes());

beforeAll(async () => {
  suite = await loadSuite('frost-secp256k1');
  dealing = deal(undefined, 2, suite, random);
  key = {
    suite,
    threshold: 2,
    key: dealing.commitments[0] as GroupPoint,
    publicShares: new Map(
      NUMBERS.map((number) => [number, publicShareAt(dealing.commitments, number, suite)]),
    ),
  };
});

/** Both commit, until the nonce of the group has an even y: the peer would turn an odd one round, as BIP 340 wants it. */
function committed() {
  for (;;) {
    const ours = commit(suite, 1, share(1), random);
    const theirs = create_commit_pkg(theirShare(3));
    const nonces = [
      { idx: 1, hidden_pn: toHex(ours.hiding), binder_pn: toHex(ours.binding) },
      { idx: 3, hidden_pn: theirs.hidden_pn, binder_pn: theirs.binder_pn },
    ];
    const group = get_group_key_context(hexOf(key.key));
    const context = get_group_commit_context(group, nonces, toHex(MESSAGE));
    if (!context.group_pn.startsWith('02')) continue;
    const challenge = BigInt(
      `0x${toHex(H.H2(concat(fromHex(context.group_pn), key.key.toBytes(), MESSAGE)))}`,
    );
    const commitments = readNonceCommitments(
      nonces.map(({ idx, hidden_pn, binder_pn }) => ({
        number: idx,
        hiding: fromHex(hidden_pn),
        binding: fromHex(binder_pn),
      })),
      suite,
    );
    const plain = { ...group.group_pt, parity: 1n, state: 1n, tweak: 0n };
    return {
      ours,
      theirs,
      commitments,
      signing: { ...group, ...context, group_pt: plain, challenge },
      first: nonces[0] as (typeof nonces)[number],
    };
  }
}

describe('FROST of another author', () => {
  it('makes one signature with a signer of ours', async () => {
    const { ours, theirs, commitments, signing, first } = committed();
    const z1 = signShare(key, 1, share(1), ours.secret, commitments, MESSAGE);
    expect(
      verify_partial_sig(signing, first, hexOf(key.publicShares.get(1) as GroupPoint), toHex(z1)),
    ).toBe(true);
    const { psig } = sign_msg(signing, theirShare(3), theirs);
    const shares = new Map([
      [1, z1],
      [3, fromHex(psig)],
    ]);
    // Each share is checked by itself, and the whole by the algorithm that knows nothing of shares.
    const signature = aggregate(key, commitments, MESSAGE, shares);
    const plain = await (await resolve(suite.algorithm)).load();
    if (plain.kind !== 'signature') throw new Error('no signatures');
    expect(plain.verify(signature, MESSAGE, key.key.toBytes())).toBe(true);

    // One bit of the peer's share is the peer's fault, here and there.
    const wrong = fromHex(psig);
    wrong[31] = (wrong[31] as number) ^ 1;
    const culprits = expect.objectContaining({ details: { culprits: [3] } }) as Error;
    expect(() => aggregate(key, commitments, MESSAGE, new Map([...shares, [3, wrong]]))).toThrow(
      culprits,
    );
    z1[31] = (z1[31] as number) ^ 1;
    expect(
      verify_partial_sig(signing, first, hexOf(key.publicShares.get(1) as GroupPoint), toHex(z1)),
    ).toBe(false);
  });

  it('finds our shares on our commitments, and our key in them', () => {
    const commitments = dealing.commitments.map(hexOf);
    for (const number of NUMBERS) {
      expect(verify_share(commitments, theirShare(number), 2)).toBe(true);
      expect(get_pubkey(theirShare(number).seckey)).toBe(
        hexOf(key.publicShares.get(number) as GroupPoint),
      );
    }
    expect(verify_share(commitments, { ...theirShare(1), idx: 2 }, 2)).toBe(false);
    expect(get_pubkey(derive_shares_secret([theirShare(2), theirShare(3)]))).toBe(hexOf(key.key));
    // What its helpers rebuild is the share that we dealt.
    const parts = [1, 3].map((number) => gen_recovery_shares([1, 3], theirShare(number), 2, 2));
    const sums = [0, 1].map((i) =>
      recover_share(
        parts.map(({ shares }) => shares[i] as { idx: number; seckey: string }),
        i + 1,
      ),
    );
    expect(recover_share(sums, 2).seckey.padStart(64, '0')).toBe(theirShare(2).seckey);
  });

  it('deals shares that we find on its commitments', () => {
    const made = create_dealer_set(2, 3);
    const points = made.vss_commits.map((text) => suite.group.decode(fromHex(text), 'commitment'));
    for (const { idx, seckey } of made.shares) {
      expect(isPart(BigInt(`0x${seckey}`), points, idx, suite)).toBe(true);
      expect(isPart(BigInt(`0x${seckey}`) + 1n, points, idx, suite)).toBe(false);
    }
  });
});
