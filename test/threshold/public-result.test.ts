/** What whoever collects the broadcasts makes of them: the same record and signature, or the name of a liar. */
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { groupDigest, parseGroup } from '#crypto/frost/group';
import { assertAlone, seatOf } from '#actions/threshold/seat';
import { seatMembers } from '#actions/threshold/opening';
import type { ActionContext } from '#actions/context/context';
import { toHex, utf8 } from '#formats/bytes';
import { decodeCbor, encodeCbor } from '#formats/cbor';
import type { SecretBytes } from '#formats/secret-bytes';
import { decodeMessage, messageDigest } from '#protocols/parties/message';
import type { Outcome } from '#protocols/threshold/conclusion';
import { runDealing } from '#protocols/threshold/dealing-session';
import { ROUNDS, slotsOf } from '#protocols/threshold/expected';
import type { Broadcast } from '#protocols/threshold/public-check';
import { publicRecord, publicSignature } from '#protocols/threshold/public-result';
import { simulate } from '#protocols/threshold/simulate';
import { runSigning } from '#protocols/threshold/signing-session';
import { groupJson, openStart, type Start } from '#protocols/threshold/start-message';

const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length));
const parties = [1, 2, 3].map((number) => ({
  number,
  identity: number.toString(16).padStart(64, '0'),
  name: `party ${number}`,
}));
const common = {
  type: 'conclave/threshold-start',
  version: 1,
  created: '2026-11-26T21:00:00Z',
  environment: 'dev',
  suite: 'frost-p256',
  threshold: 2,
  policy: null,
} as const;

/** Everything said, by place. */
function collector() {
  const broadcasts: Broadcast[] = [];
  const slots = new Set<string>();
  let roster = new Uint8Array(0);
  return {
    broadcasts,
    slots,
    roster: () => roster,
    overhear: (bytes: Uint8Array): void => {
      const message = decodeMessage(bytes, 'message');
      const { round, type, sender, recipient, rosterDigest } = message.header;
      roster = rosterDigest.slice();
      slots.add(`${round} ${type} ${sender} ${recipient ?? 0}`);
      if (message.content.kind === 'broadcast') {
        const { body } = message.content;
        broadcasts.push({ round, type, sender, body, digest: messageDigest(message) });
      }
    },
  };
}

function expected(start: Start, rounds: number): ReadonlySet<string> {
  const all = new Set<string>();
  for (const { number } of start.message.parties)
    for (let round = 1; round <= rounds; round++)
      for (const { type, recipient } of slotsOf(start, round, number))
        all.add(`${round} ${type} ${number} ${recipient ?? 0}`);
  return all;
}

/** Another body in one place. */
function lied(
  broadcasts: readonly Broadcast[],
  type: string,
  sender: number,
  change: (body: unknown) => unknown,
): readonly Broadcast[] {
  return broadcasts.map((each) =>
    each.type === type && each.sender === sender
      ? { ...each, body: encodeCbor(change(decodeCbor(each.body, 'body')) as never) }
      : each,
  );
}

const flipped = (bytes: Uint8Array): Uint8Array => {
  const copy = bytes.slice();
  copy[copy.length - 1] = (copy.at(-1) ?? 0) ^ 1;
  return copy;
};

describe('whoever only listens', () => {
  it('computes the key and the signature of those who take part, and names who lies', async () => {
    const numbers = [1, 2, 3];
    const making = await openStart(
      {
        ...common,
        session: toHex(random(32)),
        operation: 'keygen',
        parties,
        contributors: numbers,
        receivers: numbers,
        group: null,
        message: null,
      },
      'start',
    );
    const heard = collector();
    const made = await simulate(
      making,
      () => (exchange) => runDealing(making, exchange, undefined),
      random,
      heard,
    );
    const record = await publicRecord(making, heard.broadcasts, heard.roster());
    expect(groupDigest(record)).toEqual(groupDigest((made.get(1) as Outcome).record));
    expect(heard.slots).toEqual(expected(making, ROUNDS.change));
    const proofless = lied(heard.broadcasts, 'commitments', 2, (body) => {
      const [points, proof] = body as [unknown, Uint8Array];
      return [points, flipped(proof)];
    });
    await expect(publicRecord(making, proofless, heard.roster())).rejects.toMatchObject({
      details: { culprits: [2] },
    });

    const group = await parseGroup(
      { ...record, members: record.members.map((m) => ({ ...m })) },
      'group',
    );
    const signing = await openStart(
      {
        ...common,
        session: toHex(random(32)),
        operation: 'sign',
        parties: [1, 3].map((number) => parties[number - 1] as (typeof parties)[number]),
        contributors: [1, 3],
        receivers: [],
        group: groupJson(group),
        message: utf8('pay the miller'),
      },
      'start',
    );
    const said = collector();
    const share = (number: number): SecretBytes | undefined => made.get(number)?.opening;
    const signed = await simulate(
      signing,
      (number) => (exchange) => runSigning(signing, exchange, share(number)),
      random,
      said,
    );
    expect(await publicSignature(signing, said.broadcasts)).toEqual(signed.get(1));
    expect(said.slots).toEqual(expected(signing, ROUNDS.sign));
    const wrong = lied(said.broadcasts, 'signature-share', 3, (body) => {
      const [z, echo] = body as [Uint8Array, Uint8Array];
      return [flipped(z), echo];
    });
    await expect(publicSignature(signing, wrong)).rejects.toMatchObject({
      details: { culprits: [3] },
    });
    const silent = said.broadcasts.filter(({ sender, round }) => sender !== 3 || round !== 2);
    await expect(publicSignature(signing, silent)).rejects.toThrow(
      /party 3 said in round 2 is not there/,
    );

    // Seats: real people must be members, and shares never meet.
    const context = (environment: string, here: readonly number[]) =>
      ({
        environment,
        folders: {
          exists: (path: string) => here.some((number) => path === seatOf(making, number)),
          hold: () => ({ read: () => new Uint8Array(0), [Symbol.dispose]: () => undefined }),
        },
      }) as unknown as ActionContext;
    const [first, second] = parties as [never, never];
    expect(() => {
      assertAlone(making, second, context('production', [1]));
    }).toThrow(expect.objectContaining({ code: 'E_PARTIES_TOGETHER', exitCode: 77 }) as Error);
    assertAlone(making, second, context('rehearsal', [1]));
    assertAlone(making, first, context('production', [1]));
    const real = { ...record, environment: 'production' as const };
    const stranger = { number: 1, identity: 'f'.repeat(64), name: 'Mallory' };
    const seat = (people: typeof parties, mark: string, of = real): unknown =>
      seatMembers(of, people, context(mark, []));
    expect(() => seat([parties[0] as never, stranger], 'production')).toThrow(
      /Mallory is no member/,
    );
    expect(() => seat([...parties], 'production', record as never)).toThrow(/a dev key/);
    expect(seat([parties[2] as never, parties[0] as never], 'production')).toMatchObject({
      parties: [{ number: 1 }, { number: 3 }],
    });
  });
});
