/** Whole sessions in one process, kept as their transcripts: real identities certify the keys, and every word is there. */
import { randomBytes } from 'node:crypto';
import { encodeAcceptance, rosterFrom } from '#actions/threshold/certificate';
import { encodeTranscript } from '#actions/threshold/transcript';
import { type Group, parseGroup } from '#crypto/frost/group';
import { newIdentity, type OpenIdentity } from '#custody/authority/identity';
import { certifySessionKeys } from '#custody/authority/session-keys';
import { toHex } from '#formats/bytes';
import type { SecretBytes } from '#formats/secret-bytes';
import type { Roster } from '#protocols/parties/roster';
import type { OpenSessionKeys } from '#protocols/parties/session-keys';
import type { Outcome } from '#protocols/threshold/conclusion';
import { openingProofs } from '#protocols/inhead/opening-proof';
import { runDealing } from '#protocols/threshold/dealing-session';
import { runRepair } from '#protocols/threshold/repair-session';
import { runSigning } from '#protocols/threshold/signing-session';
import { simulate } from '#protocols/threshold/simulate';
import {
  groupJson,
  openStart,
  type Start,
  type StartMessage,
} from '#protocols/threshold/start-message';

/** Random bytes. */
export const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length));

/** Keys of everybody in a session: Ed25519 and X-Wing, public; the seed that signs. */
export interface Voice {
  readonly ed25519: Uint8Array;
  readonly xWing: Uint8Array;
  readonly signing: SecretBytes;
}

/** A session and what it left. */
export interface Recorded {
  readonly start: Start;
  readonly group: Group;
  /** x_i ‖ r_i; those that a session did not change are carried over. */
  readonly shares: ReadonlyMap<number, SecretBytes>;
  readonly transcript: Uint8Array;
  /** Of the new commitments, by number. */
  readonly proofs: ReadonlyMap<number, Uint8Array>;
  readonly roster: Roster;
  readonly voices: ReadonlyMap<number, Voice>;
}

/** People with identities, numbered from 1. */
export async function people(count: number): Promise<readonly OpenIdentity[]> {
  const now = new Date('2026-11-26T21:00:00Z');
  return await Promise.all(
    Array.from({ length: count }, (_, i) =>
      newIdentity({ name: `party ${i + 1}`, environment: 'dev', now, random }),
    ),
  );
}

/** What a session is about. */
export interface Wanted {
  readonly operation: StartMessage['operation'];
  readonly suite: string;
  readonly threshold: number;
  readonly contributors: readonly number[];
  readonly receivers: readonly number[];
  readonly openings?: 'proven';
  /** What an earlier session left. */
  readonly before?: Recorded;
}

/** Runs a session that makes or changes shares. */
export async function record(
  identities: readonly OpenIdentity[],
  { before, ...wanted }: Wanted,
): Promise<Recorded> {
  const numbers = [...new Set([...wanted.contributors, ...wanted.receivers])].sort((a, b) => a - b);
  const identityOf = (number: number): OpenIdentity => identities[number - 1] as OpenIdentity;
  const start = await openStart(
    {
      type: 'conclave/threshold-start',
      version: wanted.openings === undefined ? 1 : 2,
      session: toHex(random(32)),
      created: '2026-11-26T21:00:00Z',
      environment: 'dev',
      policy: null,
      message: null,
      ...wanted,
      contributors: [...wanted.contributors],
      receivers: [...wanted.receivers],
      group: before === undefined ? null : groupJson(before.group),
      parties: numbers.map((number) => {
        const { id, name } = identityOf(number).identity;
        return { number, identity: id, name };
      }),
    },
    'start message',
  );
  const voices = new Map<number, Voice>();
  const messages: Uint8Array[] = [];
  const helped = wanted.operation === 'repair' || wanted.operation === 'enrol';
  const made = await simulate<Outcome>(
    start,
    (number) => (exchange) => {
      const isLost = wanted.operation === 'repair' && wanted.receivers.includes(number);
      const old = isLost ? undefined : before?.shares.get(number);
      return helped ? runRepair(start, exchange, old) : runDealing(start, exchange, old);
    },
    random,
    {
      introduce: (number, { ed25519, xWing, signing }: OpenSessionKeys) => {
        voices.set(number, { ed25519, xWing, signing: signing.clone() });
      },
      overhear: (bytes) => void messages.push(bytes),
    },
    openingProofs,
  );
  const certificates = new Map<number, Uint8Array>();
  for (const number of numbers) {
    const { ed25519, xWing } = voices.get(number) as Voice;
    const identity = identityOf(number);
    const { session } = start.message;
    const wordFor = { session, purpose: start.purpose, number, ed25519, xWing };
    const certificate = await certifySessionKeys(identity, wordFor);
    certificates.set(number, encodeAcceptance(start.terms, identity.identity, certificate));
  }
  const [{ record: group, proofs }] = [...made.values()] as [Outcome];
  const shares = new Map(before?.shares);
  for (const number of shares.keys()) {
    if (!group.members.some((member) => member.number === number)) shares.delete(number);
  }
  for (const [number, { opening }] of made) if (opening !== undefined) shares.set(number, opening);
  return {
    start,
    group: await parseGroup({ ...group, members: group.members.map((m) => ({ ...m })) }, 'group'),
    shares,
    proofs,
    transcript: encodeTranscript(start, { certificates, messages }, [], group),
    roster: await rosterFrom(start, certificates),
    voices,
  };
}

/** A signature by a quorum of what a session left; the shares may be others, as a liar's or old ones. */
export async function signed(
  { group, shares }: Pick<Recorded, 'group' | 'shares'>,
  quorum: readonly number[],
  message: Uint8Array,
): Promise<Uint8Array> {
  const { record: of } = group;
  const start = await openStart(
    {
      type: 'conclave/threshold-start',
      version: 1,
      session: toHex(random(32)),
      operation: 'sign',
      suite: of.suite,
      created: '2026-11-26T21:00:00Z',
      environment: of.environment,
      threshold: of.threshold,
      parties: of.members
        .filter(({ number }) => quorum.includes(number))
        .map(({ number, identity }) => ({ number, identity, name: `party ${number}` })),
      contributors: [...quorum],
      receivers: [],
      policy: null,
      group: groupJson(group),
      message,
    },
    'start message',
  );
  const made = await simulate(
    start,
    (number) => (exchange) => runSigning(start, exchange, shares.get(number)),
    random,
  );
  return made.get(quorum[0] as number) as Uint8Array;
}
