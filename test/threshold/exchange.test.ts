/** What an exchange keeps of earlier rounds: a result for the very messages that it rests on, and for no others. */
import { describe, expect, it } from 'vitest';
import { encodeCbor } from '#formats/cbor';
import { SecretBytes } from '#formats/secret-bytes';
import type { ReceivedMessage } from '#protocols/parties/message';
import { makeRoster, type Roster } from '#protocols/parties/roster';
import { type Exchange, run } from '#protocols/threshold/exchange';

const bytes = (fill: number, length = 32): Uint8Array => new Uint8Array(length).fill(fill);

function rosterOf(session: number): Roster {
  const parties = [1, 2, 3].map((number) => ({
    number,
    identity: bytes(number),
    ed25519: bytes(10 + number),
    xWing: bytes(20 + number, 1216),
  }));
  return makeRoster({ session: bytes(session), purpose: 'a/b', terms: bytes(9), parties });
}

/** A message to all in round 1, as it stands after it was authenticated. */
function message(sender: number, digest: number, type = 'word'): ReceivedMessage {
  const header = {
    session: bytes(1),
    round: 1,
    sender,
    recipient: null,
    rosterDigest: bytes(0),
    type,
  };
  return { header, body: encodeCbor(bytes(digest)), digest: bytes(digest) };
}

/** Runs a protocol of party 1 that does nothing but ask what is known. */
async function asked(
  received: readonly ReceivedMessage[],
  known: Map<string, unknown> | undefined,
  protocol: (exchange: Exchange) => unknown,
  roster = rosterOf(1),
): Promise<unknown> {
  using signing = SecretBytes.adopt(bytes(1), 'session signing key');
  using seed = SecretBytes.adopt(bytes(2), 'session coins');
  const seat = { roster, self: 1, signing, seed, received, once: () => undefined };
  const progress = await run(known === undefined ? seat : { ...seat, known }, (exchange) =>
    Promise.resolve(protocol(exchange)),
  );
  if (!progress.done) throw new Error('it waits');
  return progress.outcome;
}

/** A computation that counts how often it is done. */
function counter(): { readonly times: () => number; readonly compute: () => string } {
  let times = 0;
  return {
    times: () => times,
    compute: () => `result ${++times}`,
  };
}

const both = [message(2, 50), message(3, 60)];
const of =
  (compute: () => unknown, what = 'sum', from: readonly number[] = [2, 3], type = 'word') =>
  (exchange: Exchange): unknown =>
    exchange.known(what, 1, type, from, compute);

describe('what an exchange knows', () => {
  it('is computed once for the same messages, in one run and in the next', async () => {
    const known = new Map<string, unknown>();
    const { times, compute } = counter();
    const twice = (exchange: Exchange): unknown => [of(compute)(exchange), of(compute)(exchange)];
    expect(await asked(both, known, twice)).toEqual(['result 1', 'result 1']);
    // The order in which messages arrived is no part of what they are.
    expect(await asked([...both].reverse(), known, of(compute))).toBe('result 1');
    expect(times()).toBe(1);
  });

  it.each([
    { what: 'another message in one place', received: [message(2, 50), message(3, 61)] },
    { what: 'two messages exchanged', received: [message(2, 60), message(3, 50)] },
    { what: 'fewer messages', from: [2] },
    { what: 'another question about them', question: 'product' },
    { what: 'another session', roster: rosterOf(2) },
  ])('is computed anew for $what', async ({ received, from, question, roster }) => {
    const known = new Map<string, unknown>();
    const { times, compute } = counter();
    await asked(both, known, of(compute));
    await asked(received ?? both, known, of(compute, question, from), roster);
    expect(times()).toBe(2);
    // And the first is still there.
    expect(await asked(both, known, of(compute))).toBe('result 1');
  });

  it('keeps no refusal: what was refused is refused again, and looked at again', async () => {
    const known = new Map<string, unknown>();
    let looks = 0;
    const refusing = of(() => {
      looks++;
      throw new Error('a lie');
    });
    await expect(asked(both, known, refusing)).rejects.toThrow('a lie');
    await expect(asked(both, known, refusing)).rejects.toThrow('a lie');
    expect(looks).toBe(2);
    expect(known.size).toBe(0);
  });

  it('rests on one’s own message too', async () => {
    const known = new Map<string, unknown>();
    const { times, compute } = counter();
    const saying = (word: number) => async (exchange: Exchange) => {
      await exchange.broadcast(1, 'word', bytes(word));
      return of(compute, 'sum', [1, 2, 3])(exchange);
    };
    for (const word of [1, 2, 1]) await asked(both, known, saying(word));
    expect(times()).toBe(2);
  });

  it('is nothing where nothing is kept, and nothing of what was not heard', async () => {
    const { times, compute } = counter();
    await asked(both, undefined, of(compute));
    await asked(both, undefined, of(compute));
    expect(times()).toBe(2);
    const deaf = asked([message(2, 50)], new Map(), of(compute));
    await expect(deaf).rejects.toMatchObject({ code: 'E_EXCHANGE_ORDER' });
    expect(times()).toBe(2);
  });
});
