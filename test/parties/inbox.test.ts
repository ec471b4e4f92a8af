import { beforeAll, describe, expect, it } from 'vitest';
import { encodeCbor } from '#formats/cbor';
import { toHex, utf8 } from '#formats/bytes';
import { InputError, NegativeError } from '#formats/errors';
import {
  compareEchoes,
  decodeEcho,
  type Echo,
  echoDigest,
  encodeEcho,
  judge,
  missingFrom,
  proveEquivocation,
  type Seen,
  slotOf,
} from '#protocols/parties/inbox';
import { authenticateMessage, decodeMessage, writeMessage } from '#protocols/parties/message';
import type { OpenSessionKeys } from '#protocols/parties/session-keys';
import { fuzz } from '../support/mutations.js';
import { randomFrom, type Session, session } from './session.js';

let ours: Session;
beforeAll(async () => {
  ours = await session('inbox');
});

async function write(
  sender: number,
  body: string,
  round = 1,
  recipient: number | null = null,
): Promise<Uint8Array> {
  return writeMessage({
    roster: ours.roster,
    round,
    sender,
    recipient,
    type: 'commitments',
    body: utf8(body),
    seed: (ours.keys.get(sender) as OpenSessionKeys).signing,
    random: randomFrom(`${sender}${body}`),
  });
}

async function received(bytes: Uint8Array) {
  const message = decodeMessage(bytes, 'm');
  return { header: message.header, digest: await authenticateMessage(message, ours.roster, 'm') };
}

describe('judging', () => {
  it('takes each message once', async () => {
    const message = await received(await write(1, 'a'));
    const first = judge(message, {}, 1);
    expect(first).toEqual({
      verdict: 'new',
      seen: { [slotOf(message.header)]: toHex(message.digest) },
    });
    if (first.verdict !== 'new') throw new Error('not new');
    expect(judge(message, first.seen, 1)).toEqual({ verdict: 'replay' });
    expect(judge(message, first.seen, 2)).toEqual({ verdict: 'replay' });
  });

  it('names who says two things, also about a round that is over', async () => {
    const one = await received(await write(7, 'a'));
    const two = await received(await write(7, 'b'));
    const seen: Seen = { [slotOf(one.header)]: toHex(one.digest) };
    expect(judge(two, seen, 1)).toEqual({ verdict: 'equivocation', culprit: 7 });
    expect(judge(two, seen, 3)).toEqual({ verdict: 'equivocation', culprit: 7 });
  });

  it('keeps senders, rounds and recipients apart', async () => {
    const messages = await Promise.all([
      write(1, 'a'),
      write(2, 'a'),
      write(1, 'a', 2),
      write(1, 'a', 1, 2),
      write(1, 'a', 1, 7),
    ]);
    const slots = (await Promise.all(messages.map(received))).map(({ header }) => slotOf(header));
    expect(new Set(slots).size).toBe(messages.length);
  });

  it('takes neither messages of a round that is over nor of one that has not begun', async () => {
    const message = await received(await write(1, 'a', 2));
    expect(judge(message, {}, 1)).toEqual({ verdict: 'early' });
    expect(judge(message, {}, 3)).toEqual({ verdict: 'stale' });
  });

  it('changes nothing that it was given', async () => {
    const message = await received(await write(1, 'a'));
    const seen = Object.freeze({});
    expect(judge(message, seen, 1).verdict).toBe('new');
    expect(Object.keys(seen)).toEqual([]);
  });
});

it('says who is missing', async () => {
  const all = { round: 1, type: 'commitments', to: 'all' } as const;
  expect(missingFrom(ours.roster, 2, all, {})).toEqual([1, 7]);
  const message = await received(await write(7, 'a'));
  const seen: Seen = { [slotOf(message.header)]: toHex(message.digest) };
  expect(missingFrom(ours.roster, 2, all, seen)).toEqual([1]);
  expect(missingFrom(ours.roster, 2, { ...all, to: 'self' }, seen)).toEqual([1, 7]);
  const sealed = await received(await write(1, 'a', 1, 2));
  expect(
    missingFrom(ours.roster, 2, { ...all, to: 'self' }, { [slotOf(sealed.header)]: '00' }),
  ).toEqual([7]);
});

describe('echoes', () => {
  const heard = async (bodies: Readonly<Record<number, string>>): Promise<Echo> => ({
    round: 1,
    type: 'commitments',
    heard: await Promise.all(
      Object.entries(bodies).map(async ([sender, body]) => ({
        sender: Number(sender),
        digest: (await received(await write(Number(sender), body))).digest,
      })),
    ),
  });

  it('agree exactly if all heard the same', async () => {
    const one = await heard({ 1: 'a', 2: 'b', 7: 'c' });
    const two = await heard({ 1: 'a', 2: 'b', 7: 'c' });
    expect(compareEchoes(one, two)).toEqual([]);
    expect(echoDigest(ours.roster, one)).toEqual(echoDigest(ours.roster, two));
    const three = await heard({ 1: 'a', 2: 'b', 7: 'x' });
    expect(compareEchoes(one, three)).toEqual([7]);
    expect(echoDigest(ours.roster, one)).not.toEqual(echoDigest(ours.roster, three));
    const fewer = await heard({ 1: 'a', 7: 'c' });
    expect(compareEchoes(one, fewer)).toEqual([2]);
    expect(compareEchoes(one, { ...two, round: 2 })).toEqual([1, 2, 7]);
  });

  it('have digests of their session', async () => {
    const echo = await heard({ 1: 'a' });
    const { roster } = await session('another');
    expect(echoDigest(roster, echo)).not.toEqual(echoDigest(ours.roster, echo));
    expect(echoDigest(ours.roster, { ...echo, round: 2 })).not.toEqual(
      echoDigest(ours.roster, echo),
    );
    expect(echoDigest(ours.roster, { ...echo, type: 'x' })).not.toEqual(
      echoDigest(ours.roster, echo),
    );
  });

  it('survive writing and reading, and are refused in the agreed way when mutated', async () => {
    const echo = await heard({ 1: 'a', 2: 'b', 7: 'c' });
    const bytes = encodeEcho(echo);
    expect(decodeEcho(bytes, 'e')).toEqual(echo);
    await fuzz(bytes, (mutated) => decodeEcho(mutated, 'e'));
  });

  it.each([
    [
      'senders out of order',
      [
        1,
        'a',
        [
          [2, new Uint8Array(32)],
          [1, new Uint8Array(32)],
        ],
      ],
    ],
    [
      'a sender twice',
      [
        1,
        'a',
        [
          [2, new Uint8Array(32)],
          [2, new Uint8Array(32)],
        ],
      ],
    ],
    ['a short digest', [1, 'a', [[2, new Uint8Array(31)]]]],
    ['round 0', [0, 'a', []]],
    ['a type with a zero byte', [1, 'a\0', []]],
    ['a long type', [1, 'a'.repeat(33), []]],
    ['another form', { a: 1 }],
    ['more members', [1, 'a', [], 1]],
  ])('with %s are malformed', (_what, value) => {
    const bytes = Array.isArray(value) ? encodeCbor(value) : encodeCbor(new Map([['a', 1]]));
    expect(() => decodeEcho(bytes, 'e')).toThrow(InputError);
  });
});

describe('proof of equivocation', () => {
  it('is two signed messages for one slot, and nothing less', async () => {
    const one = { bytes: await write(7, 'a'), what: 'one' };
    const two = { bytes: await write(7, 'b'), what: 'two' };
    expect(await proveEquivocation(ours.roster, one, two)).toBe(7);
    expect(await proveEquivocation(ours.roster, one, one)).toBeUndefined();
    const other = { bytes: await write(7, 'b', 2), what: 'other' };
    expect(await proveEquivocation(ours.roster, one, other)).toBeUndefined();
    const forged = { bytes: two.bytes.with(-1, (two.bytes.at(-1) as number) ^ 1), what: 'forged' };
    await expect(proveEquivocation(ours.roster, one, forged)).rejects.toThrow(NegativeError);
  });
});
