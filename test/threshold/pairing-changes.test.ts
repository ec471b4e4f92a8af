/** Keys over BLS12-381 whose shares change: the key stays, every quorum of the new shares signs for it, and old shares do not. */
import { beforeAll, describe, expect, it } from 'vitest';
import { resolve } from '#crypto/registry';
import type { OpenIdentity } from '#custody/authority/identity';
import { fromHex, toHex, utf8 } from '#formats/bytes';
import type { SecretBytes } from '#formats/secret-bytes';
import { people, record, type Recorded, signed } from './recorded.js';

const suite = 'bls12-381';
const MESSAGE = utf8('pay the miller');

let identities: readonly OpenIdentity[];
let first: Recorded;
/** The one signature that the key has for the message. */
let unique: string;

beforeAll(async () => {
  identities = await people(4);
  first = await record(identities, {
    operation: 'keygen',
    suite,
    threshold: 2,
    contributors: [1, 2, 3],
    receivers: [1, 2, 3],
  });
  unique = toHex(await signed(first, [1, 2], MESSAGE));
});

/** Signs with what a session left. */
const after = (of: Recorded, quorum: readonly number[], shares = of.shares): Promise<Uint8Array> =>
  signed({ ...of, shares }, quorum, MESSAGE);

/** Key and signature are those of before, and the signature is an ordinary one. */
async function isSame(of: Recorded, ...quorums: readonly (readonly number[])[]): Promise<void> {
  const key = fromHex(of.group.record.publicKey);
  expect(toHex(key)).toBe(first.group.record.publicKey);
  const plain = await (await resolve(suite)).load();
  if (plain.kind !== 'signature') throw new Error('no signatures');
  for (const quorum of quorums) {
    const signature = await after(of, quorum);
    expect(toHex(signature)).toBe(unique);
    expect(plain.verify(signature, MESSAGE, key)).toBe(true);
  }
}

describe('a key over BLS12-381 whose shares change', () => {
  it('is refreshed without a member, whose share and any old one are useless', async () => {
    const fresh = await record(identities, {
      operation: 'refresh',
      suite,
      threshold: 2,
      contributors: [1, 3],
      receivers: [1, 3],
      before: first,
    });
    await isSame(fresh, [1, 3]);
    const old = new Map([...fresh.shares, [3, first.shares.get(3) as SecretBytes]]);
    await expect(after(fresh, [1, 3], old)).rejects.toMatchObject({ details: { culprits: [3] } });
  });

  it('has a lost share again, the very same', async () => {
    const repaired = await record(identities, {
      operation: 'repair',
      suite,
      threshold: 2,
      contributors: [1, 3],
      receivers: [2],
      before: first,
    });
    await isSame(repaired, [2, 3]);
    const scalar = (of: Recorded): string =>
      (of.shares.get(2) as SecretBytes).use((bytes) => toHex(bytes.slice(0, 32)));
    expect(scalar(repaired)).toBe(scalar(first));
  });

  it('gets a member, and then another threshold, for which two are too few', async () => {
    const enrolled = await record(identities, {
      operation: 'enrol',
      suite,
      threshold: 2,
      contributors: [1, 2],
      receivers: [1, 2, 3, 4],
      before: first,
    });
    await isSame(enrolled, [3, 4]);
    const reshared = await record(identities, {
      operation: 'reshare',
      suite,
      threshold: 3,
      contributors: [2, 4],
      receivers: [1, 3, 4],
      before: enrolled,
    });
    await isSame(reshared, [1, 3, 4]);
    await expect(after(reshared, [3, 4])).rejects.toThrow(/quorum is too small/);
    // The share of before does not fit the new ones.
    const old = new Map([...reshared.shares, [1, first.shares.get(1) as SecretBytes]]);
    await expect(after(reshared, [1, 3, 4], old)).rejects.toMatchObject({
      details: { culprits: [1] },
    });
  });
});
