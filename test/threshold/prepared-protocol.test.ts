/** Prepared nonces as functions: every FROST suite, any choice of pairs, liars, wrong seeds, and pairs that are used twice. */
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { openedShare } from '#crypto/frost/commitment';
import { type Group, parseGroup } from '#crypto/frost/group';
import { suiteNames } from '#crypto/frost/suite';
import { resolve } from '#crypto/registry';
import { toHex, utf8 } from '#formats/bytes';
import { encodeCbor } from '#formats/cbor';
import { SecretBytes } from '#formats/secret-bytes';
import { batchId, type Batch, noncesOf, pairOf } from '#protocols/threshold/batch';
import { runDealing } from '#protocols/threshold/dealing-session';
import { coinsOf } from '#protocols/threshold/exchange';
import { type Disturbance, simulate } from '#protocols/threshold/simulate';
import { runSigning } from '#protocols/threshold/signing-session';
import {
  decodeStart,
  encodeStart,
  groupJson,
  openStart,
  type PreparedPair,
  type Start,
  type StartMessage,
} from '#protocols/threshold/start-message';
import { fc } from '../support/property.js';
import { thorough } from '../support/require.js';

const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length));
const MESSAGE = utf8('pay the miller');
const COUNT = 4;

const base = {
  type: 'conclave/threshold-start',
  version: 1,
  created: '2026-11-27T09:00:00Z',
  environment: 'dev',
  threshold: 2,
  policy: null,
} as const;
const parties = (numbers: readonly number[]): StartMessage['parties'] =>
  numbers.map((number) => ({
    number,
    identity: number.toString(16).padStart(64, '0'),
    name: `party ${number}`,
  }));

interface Member {
  readonly share: SecretBytes;
  readonly seeds: readonly SecretBytes[];
  readonly pairs: readonly Uint8Array[];
}
interface World {
  readonly group: Group;
  readonly members: ReadonlyMap<number, Member>;
}

async function world(suite: string): Promise<World> {
  const all = [1, 2, 3];
  const making = await openStart(
    {
      ...base,
      suite,
      session: toHex(random(32)),
      operation: 'keygen',
      parties: parties(all),
      contributors: all,
      receivers: all,
      group: null,
      message: null,
    },
    'start',
  );
  const outcomes = await simulate(
    making,
    () => (exchange) => runDealing(making, exchange, undefined),
    random,
  );
  const group = await parseGroup(JSON.parse(JSON.stringify(outcomes.get(1)?.record)), 'group');
  const members = new Map(
    all.map((number): [number, Member] => {
      const share = outcomes.get(number)?.opening as SecretBytes;
      const seeds = Array.from({ length: COUNT }, () => SecretBytes.adopt(random(32), 'seed'));
      const x = share.use((bytes) => openedShare(bytes, group.suite));
      const pairs = seeds.map((seed) => {
        const nonces = noncesOf(group.suite, number, x, seed);
        nonces.secret.dispose();
        return pairOf(nonces);
      });
      return [number, { share, seeds, pairs }];
    }),
  );
  return { group, members };
}

function pair({ group, members }: World, number: number, index: number): PreparedPair {
  const bytes = members.get(number)?.pairs[index] as Uint8Array;
  const { pointBytes } = group.suite.group;
  return {
    number,
    batch: number.toString(16).padStart(64, 'b'),
    index,
    hiding: toHex(bytes.slice(0, pointBytes)),
    binding: toHex(bytes.slice(pointBytes)),
  };
}

async function starting(
  made: World,
  prepared: readonly PreparedPair[],
  more: Partial<StartMessage> = {},
): Promise<Start> {
  const numbers = prepared.map(({ number }) => number);
  const start = await openStart(
    {
      ...base,
      version: 3,
      suite: made.group.suite.name,
      session: toHex(random(32)),
      operation: 'sign',
      parties: parties(numbers),
      contributors: numbers,
      receivers: [],
      group: groupJson(made.group),
      message: MESSAGE,
      prepared,
      ...more,
    },
    'start',
  );
  // As it travels.
  return await decodeStart(encodeStart(start.message), 'start');
}

/** Everybody answers. @param seedOf - which seed a signer takes */
async function signed(
  { members }: World,
  start: Start,
  seedOf: (number: number, index: number) => SecretBytes = (number, index) =>
    members.get(number)?.seeds[index] as SecretBytes,
  disturbance: Disturbance = {},
): Promise<readonly Uint8Array[]> {
  const outcomes = await simulate(
    start,
    (number) => (exchange) => {
      const index = start.message.prepared?.find((each) => each.number === number)?.index ?? 0;
      const coins = (label: string): ReturnType<typeof coinsOf> =>
        coinsOf(seedOf(number, index), label);
      return runSigning(start, { ...exchange, coins }, members.get(number)?.share);
    },
    random,
    disturbance,
  );
  return [...outcomes.values()];
}

async function verifies({ group }: World, signature: Uint8Array): Promise<boolean> {
  const implementation = await (await resolve(group.suite.algorithm)).load();
  return (
    implementation.kind === 'signature' &&
    implementation.verify(signature, MESSAGE, group.suite.publicKey(group.key))
  );
}

describe('a signature of one round', () => {
  it.each(suiteNames)('verifies: %s', async (suite) => {
    const made = await world(suite);
    const start = await starting(made, [pair(made, 1, 3), pair(made, 3, 0)]);
    const all = await signed(made, start);
    expect(new Set(all.map(toHex)).size).toBe(1);
    expect(await verifies(made, all[0] as Uint8Array)).toBe(true);
  });

  it('whatever pairs are named', async () => {
    const made = await world('frost-ristretto255');
    const index = fc.integer({ min: 0, max: COUNT - 1 });
    const quorum = fc.subarray([1, 2, 3], { minLength: 2 });
    await fc.assert(
      fc.asyncProperty(quorum, fc.tuple(index, index, index), async (numbers, indices) => {
        const pairs = numbers.map((number) => pair(made, number, indices[number - 1] as number));
        const start = await starting(made, pairs);
        const [signature] = await signed(made, start);
        expect(await verifies(made, signature as Uint8Array)).toBe(true);
      }),
      { numRuns: thorough ? 5 : 3 },
    );
  });

  it('names who sends a wrong share, and signs nothing with a seed that makes other commitments', async () => {
    const made = await world('frost-ristretto255');
    const start = await starting(made, [pair(made, 1, 0), pair(made, 2, 0)]);
    const lie: Disturbance = {
      deliver: ({ from, received }) =>
        from === 2 ? { ...received, body: encodeCbor(new Uint8Array(32).fill(1)) } : received,
    };
    await expect(signed(made, start, undefined, lie)).rejects.toMatchObject({
      code: 'E_THRESHOLD_CULPRIT',
      details: { culprits: [2] },
    });
    const other = made.members.get(1)?.seeds[1] as SecretBytes;
    await expect(signed(made, start, () => other)).rejects.toMatchObject({ code: 'E_BATCH_SEED' });
  });
});

describe('what a start message of version 3 may say', () => {
  it('one pair for each signer, of FROST, in a signature', async () => {
    const made = await world('frost-ristretto255');
    const [one, two, three] = [1, 2, 3].map((number) => pair(made, number, 0)) as [
      PreparedPair,
      PreparedPair,
      PreparedPair,
    ];
    const good = await starting(made, [one, two]);
    expect(good.prepared?.map(({ number }) => number)).toEqual([1, 2]);
    const { message } = good;
    const wrong: readonly Partial<StartMessage>[] = [
      { prepared: [one] },
      { prepared: [two, one] },
      { prepared: [one, two, three] },
      { prepared: [one, one] },
      { version: 1 },
      { version: 2 },
      { openings: 'proven' },
      { prepared: [one, { ...two, hiding: '00'.repeat(32) }] },
      { prepared: [one, { ...two, binding: two.binding.slice(2) }] },
      { operation: 'refresh', receivers: [1, 2], message: null },
    ];
    const { prepared: _, ...bare } = message;
    await expect(openStart(bare, 'start')).rejects.toMatchObject({ code: 'E_START_MALFORMED' });
    for (const each of wrong) {
      await expect(openStart({ ...message, ...each }, 'start')).rejects.toMatchObject({
        code: 'E_START_MALFORMED',
      });
    }
  });
});

describe('the id of a batch', () => {
  it('covers every member', () => {
    const batch: Batch = {
      suite: 'frost-ed25519',
      key: '11'.repeat(32),
      context: random(32),
      epoch: 1,
      number: 2,
      identity: '22'.repeat(32),
      ed25519: random(32),
      xWing: random(1216),
      commitments: [random(64), random(64)],
    };
    const others: readonly Partial<Batch>[] = [
      { suite: 'frost-ristretto255' },
      { key: '12'.repeat(32) },
      { context: random(32) },
      { epoch: 2 },
      { number: 3 },
      { identity: '23'.repeat(32) },
      { ed25519: random(32) },
      { xWing: random(1216) },
      { commitments: [...batch.commitments].reverse() },
      { commitments: batch.commitments.slice(1) },
    ];
    const ids = [batch, ...others.map((other) => ({ ...batch, ...other }))].map((each) =>
      toHex(batchId(each)),
    );
    expect(new Set(ids).size).toBe(others.length + 1);
  });
});
