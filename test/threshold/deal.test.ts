/** A dealer: each recipient verifies its share, a wrong one names the dealer, and a key that exists keeps its public key. */
import { createHash, createPublicKey, randomBytes, verify as nodeVerify } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { keyGenerate } from '#actions/key-generate';
import { thresholdDeal } from '#actions/threshold-deal';
import { thresholdKeygen } from '#actions/threshold-keygen';
import { thresholdSign } from '#actions/threshold-sign';
import { keyScalar, suiteForKey } from '#crypto/frost/key-scalar';
import { loadSuite } from '#crypto/frost/suite';
import { openedShare } from '#crypto/frost/commitment';
import { lagrangeOf } from '#protocols/threshold/dealing';
import { mod } from '#crypto/math/prime-group';
import { resolve } from '#crypto/registry';
import { toHex, utf8 } from '#formats/bytes';
import { decodeCbor, encodeCbor } from '#formats/cbor';
import { SecretBytes } from '#formats/secret-bytes';
import { runDealing } from '#protocols/threshold/dealing-session';
import { type Disturbance, simulate } from '#protocols/threshold/simulate';
import { openStart, type Start } from '#protocols/threshold/start-message';
import { readTranscript } from '#actions/threshold/transcript';
import { phase, room, rounds, session, startFile } from './party.js';

const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length));

function dealing(parties: readonly number[], receivers: readonly number[], t = 2): Promise<Start> {
  return openStart(
    {
      type: 'conclave/threshold-start',
      version: 1,
      session: toHex(random(32)),
      operation: 'keygen',
      suite: 'frost-p256',
      created: '2026-11-26T21:00:00Z',
      environment: 'dev',
      threshold: t,
      parties: parties.map((number) => ({
        number,
        identity: number.toString(16).padStart(64, '0'),
        name: `party ${number}`,
      })),
      contributors: [3],
      receivers: [...receivers],
      policy: null,
      group: null,
      message: null,
    },
    'start message',
  );
}

describe('the scalar of a key', () => {
  it.each(['ed25519', 'ed448', 'bls12-381', 'schnorr-p256', 'schnorr-secp256k1'])(
    'of %s has the public key of the key',
    async (algorithm) => {
      const suite = await suiteForKey(algorithm);
      if (suite === undefined) throw new Error(algorithm);
      const is = await (await resolve(algorithm)).load();
      if (is.kind !== 'signature') throw new Error('no signatures');
      const raw = await is.generate(random);
      using secret = SecretBytes.adopt(raw.slice(), 'key');
      using scalar = await keyScalar(suite, secret);
      const point = scalar.use((bytes) => suite.group.base.multiply(openedShare(bytes, suite)));
      expect(toHex(suite.publicKey(point))).toBe(toHex(is.publicKey(raw)));
    },
  );

  it('is not dealt where the key would be another, or nothing signs like it', async () => {
    expect(await suiteForKey('bip340')).toBeUndefined();
    expect(await suiteForKey('p384')).toBeUndefined();
  });
});

describe('a dealing', () => {
  it('gives shares of the very key, also to the dealer, and says so in the record', async () => {
    const start = await dealing([1, 2, 3], [1, 2, 3]);
    const suite = await loadSuite('frost-p256');
    const raw = random(32).fill(7);
    using key = SecretBytes.adopt(raw.slice(), 'key');
    const made = await simulate(
      start,
      (number) => (exchange) => runDealing(start, exchange, number === 3 ? key : undefined),
      random,
    );
    const factors = lagrangeOf([1, 2], suite);
    const sum = [1, 2].reduce((total, number) => {
      const share = made.get(number)?.opening?.use((bytes) => openedShare(bytes, suite)) ?? 0n;
      return mod(total + share * (factors.get(number) ?? 0n), suite.group.order);
    }, 0n);
    expect(sum).toBe(openedShare(raw, suite));
    expect(made.get(3)?.record.publicKey).toBe(toHex(suite.group.base.multiply(sum).toBytes()));
  });

  it.each([
    [
      [1, 2, 3],
      [1, 2, 3],
    ],
    [
      [1, 2, 3],
      [1, 2],
    ],
  ] as const)('among %s to %s names the dealer of a wrong share', async (parties, receivers) => {
    const start = await dealing(parties, receivers);
    const lie: Disturbance = {
      deliver: ({ to, received }) => {
        if (received.header.type !== 'part' || to !== 2) return undefined;
        const part = (decodeCbor(received.body, 'part') as Uint8Array).slice();
        part[9] = (part[9] ?? 0) ^ 1;
        return { ...received, body: encodeCbor(part) };
      },
    };
    await expect(
      simulate(start, () => (exchange) => runDealing(start, exchange, undefined), random, lie),
    ).rejects.toMatchObject({ code: 'E_THRESHOLD_CULPRIT', details: { culprits: [3] } });
  });

  it('has as many recipients as sign, and at least two', async () => {
    await expect(dealing([1, 2, 3], [1, 2], 3)).rejects.toThrow(/above the number/);
    await expect(dealing([1, 3], [1])).rejects.toThrow(/no part/);
  });
});

describe('conclave threshold deal', () => {
  it('deals a key that exists to others; two of them sign as it did', async () => {
    const { net, people, remove } = await room(['Ann', 'Ben', 'Dora']);
    try {
      const [ann, ben, dora] = people as [never, never, (typeof people)[number]];
      const recipients = [ann, ben] as (typeof people)[number][];
      const old = join(net, 'old.key');
      const pub = join(net, 'old.pub');
      const made = { algorithm: 'ed25519', out: old, publicOut: pub };
      await dora.place.run(keyGenerate, made, { passphrases: ['of the old key'] });
      const folder = join(net, 'deal');
      const opens = [...(dora.options.passphrases ?? []), 'of the old key'];
      const deal = {
        threshold: 2,
        key: old,
        session: dora.place.at('session-deal'),
        outDir: folder,
      };
      const party = recipients.map((each) => each.pub);
      const options = { ...dora.options, passphrases: opens };
      // Whoever deals takes no share of a key that was whole.
      await expect(
        dora.place.run(thresholdDeal as never, { ...deal, party: [...party, dora.pub] }, options),
      ).rejects.toMatchObject({ code: 'E_DEAL_DEALER' });
      const begun = await dora.place.run(thresholdDeal as never, { ...deal, party }, options);
      expect(JSON.stringify(begun)).toContain('Dora deals, who knows all of it');
      for (const each of recipients) {
        await phase(thresholdKeygen, 'start', each, folder, { in: [startFile(folder)] });
      }
      await rounds(thresholdKeygen, people, folder);
      const ends = [];
      for (const each of people) {
        const name = each === dora ? {} : { name: 'dealt' };
        ends.push(await phase(thresholdKeygen, 'finish', each, folder, name));
      }
      expect(ends.map(({ key }) => key !== null)).toEqual([true, true, false]);
      const transcript = join(ends[0]?.group ?? '', '..', 'transcript.json');
      const read = await readTranscript(readFileSync(transcript), 'transcript');
      expect(read).toMatchObject({ problems: [], acknowledged: [1, 2, 3] });
      expect(read.group.members).toHaveLength(2);

      const note = join(net, 'note.txt');
      writeFileSync(note, utf8('pay the miller'));
      const out = join(net, 'note.sig');
      const begin = { key: 'dealt', message: note };
      const digest = createHash('sha256').update('pay the miller').digest('hex');
      const joining = { expect: `sha256:${digest}` };
      await session(thresholdSign, recipients, join(net, 'sign'), begin, joining, { out });
      const key = createPublicKey(readFileSync(pub));
      expect(nodeVerify(null, readFileSync(note), key, readFileSync(out))).toBe(true);
    } finally {
      remove();
    }
  });
});
