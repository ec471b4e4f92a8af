/** A whole quorum in one process: the same protocols, the same signed and sealed messages, handed over in memory. */
import type { RandomSource } from '#crypto/descriptor';
import { fromHex } from '#formats/bytes';
import { InternalError } from '#formats/errors';
import { SecretBytes } from '#formats/secret-bytes';
import { decodeMessage, readMessage, type ReceivedMessage } from '#protocols/parties/message';
import { makeRoster, type Roster } from '#protocols/parties/roster';
import { newSessionKeys, type OpenSessionKeys } from '#protocols/parties/session-keys';
import { type Exchange, type OpeningProofs, type Progress, run, type Said } from './exchange.js';
import type { Start } from './start-message.js';

/** Most rounds of any protocol, and then some. */
const MAX_TURNS = 16;

/** How a simulation can be disturbed; for rehearsals of faults and for tests. */
export interface Disturbance {
  /** Changes what is delivered to a party; undefined leaves it as it is. */
  readonly deliver?: (message: {
    readonly from: number;
    readonly to: number;
    readonly received: ReceivedMessage;
  }) => ReceivedMessage | undefined;
  /** Told the keys of every party before anything is said; borrowed. */
  readonly introduce?: (number: number, keys: OpenSessionKeys) => void;
  /** Changes what a party encloses in round 3; undefined leaves it as it is. */
  readonly enclose?: (from: number, enclosure: Uint8Array) => Uint8Array | undefined;
  /** Told the bytes of every message. */
  readonly overhear?: (bytes: Uint8Array) => void;
}

/**
 * Runs a session of all its parties.
 * @param protocol - for each party; shares it needs are its own matter
 * @param proofs - where the session agreed on them
 * @returns every party's outcome, by number; the receiver disposes what they hold
 * @throws what the first party that refuses throws
 */
export async function simulate<T>(
  start: Start,
  protocol: (number: number) => (exchange: Exchange) => Promise<T>,
  random: RandomSource,
  disturbance: Disturbance = {},
  proofs?: OpeningProofs,
): Promise<ReadonlyMap<number, T>> {
  const numbers = start.message.parties.map(({ number }) => number);
  const keys = new Map<number, OpenSessionKeys>();
  const seeds = new Map<number, SecretBytes>();
  try {
    for (const number of numbers) {
      keys.set(number, await newSessionKeys(random));
      seeds.set(number, SecretBytes.adopt(random(32), 'session coins'));
    }
    for (const [number, each] of keys) disturbance.introduce?.(number, each);
    const roster = rosterOf(start, keys);
    const uses = new Map<string, string>();
    const inboxes = new Map<number, ReceivedMessage[]>(numbers.map((number) => [number, []]));
    const written = new Map(numbers.map((number) => [number, new Map<string, Said>()]));
    const known = new Map(numbers.map((number) => [number, new Map<string, unknown>()]));
    const delivered = new Set<string>();
    const enclosed = new Map<number, Uint8Array>();
    const outcomes = new Map<number, T>();
    for (let turn = 0; turn < MAX_TURNS && outcomes.size < numbers.length; turn++) {
      for (const self of numbers) {
        if (outcomes.has(self)) continue;
        const progress: Progress<T> = await run(
          {
            roster,
            self,
            signing: (keys.get(self) as OpenSessionKeys).signing,
            seed: seeds.get(self) as SecretBytes,
            written: written.get(self) as Map<string, Said>,
            known: known.get(self) as Map<string, unknown>,
            enclosures: proofs && {
              proofs,
              of: (sender) => enclosed.get(sender),
              keep: (bytes) => {
                enclosed.set(self, disturbance.enclose?.(self, bytes) ?? bytes);
              },
              work: atOnce,
            },
            // Bodies are wiped once they are read, and a run reads them again.
            received: (inboxes.get(self) ?? []).map((each) => ({
              ...each,
              body: each.body.slice(),
            })),
            once: (name, use) => {
              const [slot, now] = [`${self}/${name.join()}`, use.join()];
              if ((uses.get(slot) ?? now) !== now) throw used();
              uses.set(slot, now);
            },
          },
          protocol(self),
        );
        if (progress.done) outcomes.set(self, progress.outcome);
        for (const { bytes } of progress.said) {
          const { header } = decodeMessage(bytes, 'message');
          const slot = `${header.round}/${header.type}/${self}/${header.recipient ?? 0}`;
          if (delivered.has(slot)) continue;
          delivered.add(slot);
          disturbance.overhear?.(bytes);
          let heard: ReceivedMessage | undefined;
          for (const to of numbers) {
            if (to === self || (header.recipient ?? to) !== to) continue;
            // One signature under one roster: a broadcast is as authentic for the next listener as for the first.
            heard ??= await readMessage(bytes, `message of party ${self}`, {
              roster,
              self: to,
              seed: (keys.get(to) as OpenSessionKeys).opening,
            });
            const received = { ...heard, body: heard.body.slice() };
            const given = disturbance.deliver?.({ from: self, to, received }) ?? received;
            inboxes.get(to)?.push(given);
          }
        }
      }
    }
    if (outcomes.size === numbers.length) return outcomes;
    throw new InternalError({
      code: 'E_SIMULATION_STUCK',
      message: 'the simulated session does not come to an end',
    });
  } finally {
    for (const each of keys.values()) each[Symbol.dispose]();
    for (const each of seeds.values()) each.dispose();
  }
}

/** Runs steps to their end; nobody is told. */
function atOnce<T>(steps: Generator<number, T>): Promise<T> {
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return Promise.resolve(value);
  }
}

function rosterOf(start: Start, keys: ReadonlyMap<number, OpenSessionKeys>): Roster {
  return makeRoster({
    session: fromHex(start.message.session),
    purpose: start.purpose,
    terms: start.terms,
    parties: start.message.parties.map(({ number, identity }) => ({
      number,
      identity: fromHex(identity),
      ed25519: (keys.get(number) as OpenSessionKeys).ed25519,
      xWing: (keys.get(number) as OpenSessionKeys).xWing,
    })),
  });
}

function used(): InternalError {
  return new InternalError({
    code: 'E_NONCE_USED',
    message: 'a simulated party would use its nonces twice',
  });
}
