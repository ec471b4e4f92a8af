/** The protocols as functions: quorums of many sizes, liars in every round, sizes of messages. */
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { openedShare, opensCommitment } from '#crypto/frost/commitment';
import { type Group, parseGroup } from '#crypto/frost/group';
import { suiteNames } from '#crypto/frost/suite';
import { resolve } from '#crypto/registry';
import { fromHex, toHex, utf8 } from '#formats/bytes';
import { decodeCbor, encodeCbor, type Cbor } from '#formats/cbor';
import type { SecretBytes } from '#formats/secret-bytes';
import { runDealing } from '#protocols/threshold/dealing-session';
import type { Outcome } from '#protocols/threshold/conclusion';
import { runRepair } from '#protocols/threshold/repair-session';
import { type Disturbance, simulate } from '#protocols/threshold/simulate';
import { runSigning } from '#protocols/threshold/signing-session';
import {
  groupJson,
  openStart,
  type Start,
  type StartMessage,
} from '#protocols/threshold/start-message';
import { thorough } from '../support/require.js';

const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length));
const MESSAGE = utf8('pay the miller');

const identityOf = (number: number): string => number.toString(16).padStart(64, '0');
const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1);

interface Held {
  readonly group: Group;
  readonly shares: ReadonlyMap<number, SecretBytes>;
}

function starting(
  operation: StartMessage['operation'],
  wanted: Partial<StartMessage> &
    Pick<StartMessage, 'suite' | 'threshold' | 'contributors' | 'receivers'>,
): Promise<Start> {
  const numbers = [...new Set([...wanted.contributors, ...wanted.receivers])].sort((a, b) => a - b);
  return openStart(
    {
      type: 'conclave/threshold-start',
      version: 1,
      session: toHex(random(32)),
      operation,
      created: '2026-11-26T21:00:00Z',
      environment: 'dev',
      parties: numbers.map((number) => ({
        number,
        identity: identityOf(number),
        name: `party ${number}`,
      })),
      policy: null,
      group: null,
      message: null,
      ...wanted,
    },
    'start message',
  );
}

async function heldAfter(outcomes: ReadonlyMap<number, Outcome>, before?: Held): Promise<Held> {
  const records = [...outcomes.values()].map(({ record }) => JSON.stringify(record));
  expect(new Set(records).size).toBe(1);
  const group = await parseGroup(JSON.parse(records[0] as string), 'group record');
  const shares = new Map(before?.shares);
  for (const [number, { opening }] of outcomes)
    if (opening !== undefined) shares.set(number, opening);
  const members = group.record.members.map(({ number }) => number);
  for (const number of [...shares.keys()]) if (!members.includes(number)) shares.delete(number);
  for (const { number, commitment } of group.record.members) {
    const opens = shares
      .get(number)
      ?.use((bytes) =>
        opensCommitment(group.suite, group.context, number, bytes, fromHex(commitment)),
      );
    expect(opens).toBe(true);
  }
  return { group, shares };
}

async function keygen(
  suite: string,
  t: number,
  n: number,
  disturbance: Disturbance = {},
): Promise<Held> {
  const start = await starting('keygen', {
    suite,
    threshold: t,
    contributors: range(n),
    receivers: range(n),
  });
  return heldAfter(
    await simulate(
      start,
      () => (exchange) => runDealing(start, exchange, undefined),
      random,
      disturbance,
    ),
  );
}

async function change(
  operation: 'refresh' | 'reshare' | 'repair' | 'enrol',
  before: Held,
  wanted: Partial<StartMessage> & Pick<StartMessage, 'contributors' | 'receivers'>,
  disturbance: Disturbance = {},
): Promise<Held> {
  const { record } = before.group;
  const start = await starting(operation, {
    suite: record.suite,
    threshold: record.threshold,
    group: groupJson(before.group),
    ...wanted,
  });
  const run = operation === 'repair' || operation === 'enrol' ? runRepair : runDealing;
  const lost = operation === 'repair' ? wanted.receivers[0] : undefined;
  const share = (number: number): SecretBytes | undefined =>
    number === lost ? undefined : before.shares.get(number);
  return heldAfter(
    await simulate(
      start,
      (number) => (exchange) => run(start, exchange, share(number)),
      random,
      disturbance,
    ),
    before,
  );
}

async function signed(
  { group, shares }: Held,
  quorum: readonly number[],
  disturbance: Disturbance = {},
): Promise<boolean> {
  const { record, suite } = group;
  const start = await starting('sign', {
    suite: record.suite,
    threshold: record.threshold,
    contributors: quorum,
    receivers: [],
    group: groupJson(group),
    message: MESSAGE,
  });
  const made = await simulate(
    start,
    (number) => (exchange) => runSigning(start, exchange, shares.get(number)),
    random,
    disturbance,
  );
  const signatures = [...made.values()];
  for (const each of signatures) expect(toHex(each)).toBe(toHex(signatures[0] as Uint8Array));
  const is = await (await resolve(suite.algorithm)).load();
  if (is.kind !== 'signature') throw new Error('no signatures');
  return is.verify(signatures[0] as Uint8Array, MESSAGE, suite.publicKey(group.key));
}

async function blamed(work: Promise<unknown>): Promise<unknown> {
  try {
    await work;
  } catch (error) {
    return (
      (error as { details?: { culprits?: unknown } }).details?.culprits ??
      (error as { code?: unknown }).code ??
      error
    );
  }
  return 'nobody';
}

/** Changes the body of one message on its way from its liar. */
function lie(from: number, type: string, change_: (body: Cbor) => Cbor, to?: number): Disturbance {
  return {
    deliver: ({ from: sender, to: receiver, received }) =>
      sender === from && received.header.type === type && (to ?? receiver) === receiver
        ? {
            ...received,
            body: encodeCbor(change_(decodeCbor(received.body, 'body'))),
            digest: random(32),
          }
        : undefined,
  };
}

const flip = (value: Cbor | undefined): Uint8Array => {
  if (!(value instanceof Uint8Array)) throw new Error('not bytes');
  const bytes = value.slice();
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] as number) ^ 1;
  return bytes;
};
const flipAt =
  (index: number) =>
  (body: Cbor): Cbor =>
    (body as readonly Cbor[]).map((each, i) => (i === index ? flip(each) : each));

const suites = thorough ? suiteNames : ['frost-ristretto255'];

describe.each(suites)('%s', (suite) => {
  it('a life: made, used, refreshed, repaired, enrolled, reduced, reshared', async () => {
    const made = await keygen(suite, 2, 3);
    expect(await signed(made, [1, 3])).toBe(true);
    const refreshed = await change('refresh', made, {
      contributors: [1, 2, 3],
      receivers: [1, 2, 3],
    });
    expect(refreshed.group.record.publicKey).toBe(made.group.record.publicKey);
    expect(refreshed.group.record.epoch).toBe(2);
    expect(await signed(refreshed, [1, 2])).toBe(true);
    // An old share among new ones signs nothing, and whoever brings it is named.
    const mixed = {
      group: refreshed.group,
      shares: new Map(refreshed.shares).set(1, made.shares.get(1) as SecretBytes),
    };
    expect(await blamed(signed(mixed, [1, 2]))).toEqual([1]);
    const repaired = await change('repair', refreshed, { contributors: [1, 3], receivers: [2] });
    const x = (held: Held): bigint | undefined =>
      held.shares.get(2)?.use((bytes) => openedShare(bytes, held.group.suite));
    expect(x(repaired)).toBe(x(refreshed));
    expect(repaired.group.record.members[1]?.commitment).not.toBe(
      refreshed.group.record.members[1]?.commitment,
    );
    expect(repaired.group.record.members[0]).toEqual(refreshed.group.record.members[0]);
    const enrolled = await change('enrol', repaired, {
      contributors: [2, 3],
      receivers: [1, 2, 3, 9],
    });
    expect(await signed(enrolled, [1, 9])).toBe(true);
    const reduced = await change('refresh', enrolled, {
      contributors: [1, 2, 9],
      receivers: [1, 2, 9],
    });
    expect(reduced.group.record.members.map(({ number }) => number)).toEqual([1, 2, 9]);
    const removed = {
      group: reduced.group,
      shares: new Map(reduced.shares).set(2, enrolled.shares.get(3) as SecretBytes),
    };
    expect(await blamed(signed(removed, [1, 2]))).toEqual([2]);
    const given = await change('reshare', reduced, {
      threshold: 3,
      contributors: [2, 9],
      receivers: [1, 9, 10, 11],
    });
    expect(given.group.record.publicKey).toBe(made.group.record.publicKey);
    expect(await signed(given, [1, 10, 11])).toBe(true);
    expect(await signed(given, [1, 9, 10, 11])).toBe(true);
    await expect(signed(given, [1, 10])).rejects.toThrow('the quorum is too small');
  });
});

describe('sizes', () => {
  it.each(
    thorough
      ? [
          [2, 2],
          [3, 5],
          [5, 9],
        ]
      : [[3, 5]],
  )('%i of %i through a life', async (t, n) => {
    const held = await keygen('frost-ristretto255', t, n);
    const all = range(n);
    const after = await change('refresh', held, { contributors: all, receivers: all });
    expect(await signed(after, all.slice(n - t))).toBe(true);
    const helpers = all.slice(0, t);
    const larger = await change('enrol', after, {
      contributors: helpers,
      receivers: [...all, n + 1],
    });
    expect(await signed(larger, [...all.slice(0, t - 1), n + 1])).toBe(true);
  });

  it('every message of a round fits one QR code', async () => {
    const [t, n] = thorough ? [10, 15] : [3, 4];
    let longest = 0;
    const measure: Disturbance = {
      overhear: (bytes) => {
        longest = Math.max(longest, bytes.length);
      },
    };
    const held = await keygen('frost-ristretto255', t, n, measure);
    expect(await signed(held, range(n).slice(n - t), measure)).toBe(true);
    const repair = { contributors: range(t), receivers: [n] };
    await change('repair', held, repair, measure);
    // Version 40 with the lowest error correction holds 2953 bytes.
    expect(longest).toBeLessThanOrEqual(2953);
  });
});

describe('whoever lies is named', () => {
  const suite = 'frost-ristretto255';

  it('when a key is made', async () => {
    const proof = (body: Cbor): Cbor => flipAt(1)(body);
    expect(await blamed(keygen(suite, 2, 3, lie(2, 'commitments', proof)))).toEqual([2]);
    const points = (body: Cbor): Cbor => {
      const [list, last] = body as readonly [readonly Cbor[], Cbor];
      return [list.slice(1), last];
    };
    expect(await blamed(keygen(suite, 2, 3, lie(3, 'commitments', points)))).toEqual([3]);
    expect(await blamed(keygen(suite, 2, 3, lie(1, 'part', flip, 3)))).toEqual([1]);
    expect(
      await blamed(
        keygen(
          suite,
          2,
          3,
          lie(2, 'commitments', () => 7),
        ),
      ),
    ).toEqual([2]);
    expect(await blamed(keygen(suite, 2, 3, lie(2, 'confirm', flipAt(0), 1)))).toBe(
      'E_THRESHOLD_DISAGREEMENT',
    );
    expect(await blamed(keygen(suite, 2, 3, lie(2, 'acknowledge', flip, 1)))).toBe(
      'E_THRESHOLD_DISAGREEMENT',
    );
    expect(
      await blamed(
        keygen(
          suite,
          2,
          3,
          lie(2, 'echo', () => 1),
        ),
      ),
    ).toEqual([2]);
  });

  it('when it says different things to different people, the dispute is', async () => {
    const same = (body: Cbor): Cbor => body;
    expect(await blamed(keygen(suite, 2, 3, lie(2, 'commitments', same, 3)))).toBe(
      'E_THRESHOLD_ECHO',
    );
    const held = await keygen(suite, 2, 3);
    expect(await blamed(signed(held, [1, 2, 3], lie(2, 'nonces', same, 3)))).toBe(
      'E_THRESHOLD_ECHO',
    );
  });

  it('when shares change, and when a quorum signs', async () => {
    const held = await keygen(suite, 2, 3);
    const all = { contributors: [1, 2, 3], receivers: [1, 2, 3] };
    expect(await blamed(change('refresh', held, all, lie(1, 'part', flip, 2)))).toEqual([1]);
    const reshare = { contributors: [1, 2], receivers: [1, 2, 4] };
    const other = (body: Cbor): Cbor => {
      const [list, proof] = body as readonly [readonly Cbor[], Cbor];
      return [[list[1] as Cbor, list[0] as Cbor], proof];
    };
    expect(await blamed(change('reshare', held, reshare, lie(2, 'commitments', other)))).toEqual([
      2,
    ]);
    const repair = { contributors: [1, 2], receivers: [3] };
    const turned = (body: Cbor): Cbor => [(body as Cbor[])[0] as Cbor, (body as Cbor[])[0] as Cbor];
    expect(await blamed(change('repair', held, repair, lie(1, 'summands', turned)))).toEqual([1]);
    expect(await blamed(change('repair', held, repair, lie(1, 'summand', flip, 2)))).toEqual([1]);
    expect(await blamed(change('repair', held, repair, lie(2, 'sum', flip, 3)))).toEqual([2]);
    expect(await blamed(signed(held, [1, 2], lie(2, 'signature-share', flipAt(0))))).toEqual([2]);
    // A changed point may be one: then it is the echoes that differ.
    expect([JSON.stringify([1]), JSON.stringify('E_THRESHOLD_ECHO')]).toContain(
      JSON.stringify(await blamed(signed(held, [1, 2], lie(1, 'nonces', flipAt(0))))),
    );
  });
});
