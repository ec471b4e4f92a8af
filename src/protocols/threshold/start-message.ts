/**
 * The start message: what one participant proposes and each of the others accepts with a certificate for session keys. Its
 * digest is the terms of the roster, so that every round message is bound to each of its words.
 * @see docs/spec/threshold.md, "Start message"
 */
import type { NonceCommitment } from '#crypto/frost/equation';
import { type Group, parseGroup } from '#crypto/frost/group';
import { type FrostSuite, loadSuite } from '#crypto/frost/suite';
import { sha256 } from '#crypto/hash';
import { fromHex, toBase64, utf8 } from '#formats/bytes';
import {
  canonicalJson,
  type Json,
  type JsonObject,
  parseCanonicalJson,
} from '#formats/canonical-json';
import { InputError } from '#formats/errors';
import type { Infer } from '#formats/schema';
import * as s from '#formats/schema';
import { MAX_BATCH } from './batch.js';

/** What a session does. */
export const operations = ['keygen', 'sign', 'refresh', 'reshare', 'repair', 'enrol'] as const;

/** One of {@link operations}. */
export type Operation = (typeof operations)[number];

/** Longest message that a session signs: the start message carries it. */
export const MAX_SIGNED_BYTES = 256 * 1024;

const MAX_BYTES = 2 * 1024 * 1024;
const MAX_PARTIES = 255;
const DOMAIN = utf8('conclave-threshold-terms-v1\0');

const numbers = s.array(s.integer({ min: 1, max: 0xffff }), { max: MAX_PARTIES });

const pointHex = s.string({ pattern: /^[0-9a-f]{64,114}$/, what: 'a compressed point in hex' });

/** Strict reader of the form. */
export const startSchema = s.object({
  type: s.oneOf('conclave/threshold-start'),
  /** 2 where commitments come with proofs, 3 where nonces were prepared. */
  version: s.oneOf(1, 2, 3),
  /** 32 random bytes; of a new key also its ceremony id. */
  session: s.hex(32),
  operation: s.oneOf(...operations),
  suite: s.string({ max: 32 }),
  created: s.time(),
  environment: s.oneOf('production', 'rehearsal', 'dev'),
  /** t after the session. */
  threshold: s.integer({ min: 2, max: MAX_PARTIES }),
  /** Ascending by number: everybody who takes part. */
  parties: s.array(
    s.object({
      number: s.integer({ min: 1, max: 0xffff }),
      identity: s.hex(32),
      name: s.string({ max: 128 }),
    }),
    { max: MAX_PARTIES },
  ),
  /** Those who contribute what they hold, or what they draw: ascending. */
  contributors: numbers,
  /** Those who hold a new share afterwards: ascending; nobody when signing. */
  receivers: numbers,
  policy: s.nullable(s.string({ pattern: /^sha256:[0-9a-f]{64}$/, what: 'a policy digest' })),
  /** The group that changes or signs; null when a key is made. */
  group: s.nullable(s.json()),
  /** The exact bytes to sign. */
  message: s.nullable(s.base64()),
  /** Each receiver proves that its commitment opens to its public share, and nobody acknowledges before it verified all. */
  openings: s.optional(s.oneOf('proven')),
  /** Signing with prepared nonces: which pair each signer takes, ascending by number. */
  prepared: s.optional(
    s.array(
      s.object({
        number: s.integer({ min: 1, max: 0xffff }),
        /** Id of the batch. */
        batch: s.hex(32),
        index: s.integer({ min: 0, max: MAX_BATCH - 1 }),
        /** D and E. */
        hiding: pointHex,
        binding: pointHex,
      }),
      { max: MAX_PARTIES },
    ),
  ),
});

/** A start message. */
export type StartMessage = Infer<typeof startSchema>;

/** Which prepared pair a signer takes. */
export type PreparedPair = NonNullable<StartMessage['prepared']>[number];

/** A start message, checked, with what it names loaded. */
export interface Start {
  readonly message: StartMessage;
  readonly suite: FrostSuite;
  /** Absent when a key is made. */
  readonly group: Group | undefined;
  /** Commitments of the pairs that version 3 names, ascending; absent in others. */
  readonly prepared: readonly NonceCommitment[] | undefined;
  /** Digest over all of it; 32 bytes. */
  readonly terms: Uint8Array;
  /** `frost-ed25519/keygen`. */
  readonly purpose: string;
}

/** The version of a start message: the lowest that says all of it. */
export function startVersion({
  openings,
  prepared,
}: Pick<StartMessage, 'openings' | 'prepared'>): StartMessage['version'] {
  if (prepared !== undefined) return 3;
  return openings === undefined ? 1 : 2;
}

/** Canonical JSON and a line feed. */
export function encodeStart(message: StartMessage): Uint8Array {
  return utf8(`${canonicalJson(startJson(message))}\n`);
}

/**
 * A start message from its file.
 * @param what - how errors name the input
 * @throws {@link InputError} `E_START_MALFORMED`, `E_SCHEMA_MISMATCH`, and those of the JSON reader
 */
export async function decodeStart(bytes: Uint8Array, what: string): Promise<Start> {
  return await parseStart(parseCanonicalJson(bytes, what, { maxBytes: MAX_BYTES }), what);
}

/** A start message from plain data that another artifact embeds. */
export async function parseStart(value: Json | undefined, what: string): Promise<Start> {
  return await openStart(startSchema.parse(value, what), what);
}

/** Checks a start message and loads what it names. @throws {@link InputError} `E_START_MALFORMED` */
export async function openStart(message: StartMessage, what: string): Promise<Start> {
  const suite = await loadSuite(message.suite).catch((cause: unknown) => {
    throw malformed(what, 'its suite is not known', cause);
  });
  const group =
    message.group === null ? undefined : await parseGroup(message.group, `${what}: group`);
  const problem = problemOf(message, suite, group);
  if (problem !== undefined) throw malformed(what, problem);
  const prepared = preparedIn(message, suite, what);
  return {
    message,
    suite,
    group,
    prepared,
    terms: sha256(DOMAIN, encodeStart(message)),
    purpose: `${message.suite}/${message.operation}`,
  };
}

/** As plain data. */
export function startJson({ prepared, ...message }: StartMessage): JsonObject {
  return {
    ...message,
    parties: message.parties.map((party) => ({ ...party })),
    message: message.message === null ? null : toBase64(message.message),
    ...(prepared === undefined ? {} : { prepared: prepared.map((pair) => ({ ...pair })) }),
  };
}

/** The member of {@link startSchema} for a group. */
export function groupJson({ record }: Group): Json {
  return { ...record, members: record.members.map((member) => ({ ...member })) };
}

/** The commitments of version 3. @throws {@link InputError} `E_START_MALFORMED` */
function preparedIn(
  { version, operation, contributors, prepared }: StartMessage,
  suite: FrostSuite,
  what: string,
): readonly NonceCommitment[] | undefined {
  if ((version === 3) !== (prepared !== undefined)) {
    throw malformed(what, 'prepared nonces are named in version 3, and in no other');
  }
  if (prepared === undefined) return undefined;
  if (operation !== 'sign' || suite.scheme !== 'frost') {
    throw malformed(what, 'only a FROST signature takes prepared nonces');
  }
  if (
    !same(
      prepared.map(({ number }) => number),
      contributors,
    )
  ) {
    throw malformed(what, 'it does not name one prepared pair for each signer, in their order');
  }
  return prepared.map(({ number, hiding, binding }) => {
    try {
      return {
        number,
        hiding: suite.group.decode(fromHex(hiding), 'hiding nonce commitment'),
        binding: suite.group.decode(fromHex(binding), 'binding nonce commitment'),
      };
    } catch (cause) {
      throw malformed(what, `a commitment of party ${number} is no point of the group`, cause);
    }
  });
}

function problemOf(
  message: StartMessage,
  suite: FrostSuite,
  group: Group | undefined,
): string | undefined {
  const { operation, parties, contributors, receivers, threshold, openings } = message;
  if ((message.version === 2) !== (openings !== undefined)) {
    return 'its version and its openings do not fit';
  }
  if (openings !== undefined && operation === 'sign') return 'nobody commits to anything to sign';
  if (openings !== undefined && suite.scheme !== 'frost') {
    return `there is no proof of openings for ${suite.name}`;
  }
  const present = parties.map(({ number }) => number);
  if (!ascending(present) || !ascending(contributors) || !ascending(receivers)) {
    return 'its numbers are not ascending';
  }
  if (new Set(parties.map(({ identity }) => identity)).size !== parties.length) {
    return 'an identity takes part twice';
  }
  const acting = new Set([...contributors, ...receivers]);
  if (acting.size !== parties.length || present.some((number) => !acting.has(number))) {
    return 'its parties are not those who contribute or receive';
  }
  if ((message.message === null) !== (operation !== 'sign')) {
    return 'only a signing session carries bytes to sign';
  }
  if ((message.message?.length ?? 0) > MAX_SIGNED_BYTES) return 'the bytes to sign are too many';
  if (operation === 'keygen') {
    if (group !== undefined) return 'a new key has no group yet';
    const [dealer, second] = contributors;
    const isDealt = dealer !== undefined && second === undefined;
    const rest = present.filter((number) => number !== dealer);
    if (isDealt ? receivers.length < 2 : !same(contributors, present)) {
      return 'a party has no part in it';
    }
    if (!same(receivers, present) && !(isDealt && same(receivers, rest))) {
      return 'a party has no part in it';
    }
    return threshold > receivers.length
      ? 'the threshold is above the number of parties'
      : undefined;
  }
  return group === undefined ? 'it names no group' : problemOfChange(message, group);
}

/** What a session over an existing group must satisfy. */
function problemOfChange(message: StartMessage, { record }: Group): string | undefined {
  const { operation, contributors, receivers, threshold, parties } = message;
  const members = record.members.map(({ number }) => number);
  if (message.suite !== record.suite) return 'its suite is not that of the group';
  if (message.environment !== record.environment) return 'its mark is not that of the group';
  if (message.policy !== record.policy) return 'its policy is not that of the group';
  if (contributors.some((number) => !members.includes(number))) {
    return 'somebody contributes who is no member';
  }
  const identityOf = new Map(record.members.map(({ number, identity }) => [number, identity]));
  if (
    parties.some(({ number, identity }) => (identityOf.get(number) ?? identity) !== identity) ||
    parties.some(
      ({ number, identity }) =>
        !identityOf.has(number) && record.members.some((each) => each.identity === identity),
    )
  ) {
    return 'a member appears under another number or identity';
  }
  if (operation !== 'reshare' && threshold !== record.threshold) return 'the threshold differs';
  const news = receivers.filter((number) => !members.includes(number));
  switch (operation) {
    case 'sign':
      if (receivers.length > 0) return 'nobody receives a share when signing';
      return contributors.length < threshold ? 'the quorum is too small' : undefined;
    case 'refresh':
      if (!same(contributors, receivers)) return 'everybody who refreshes contributes';
      return receivers.length < threshold ? 'fewer remain than the threshold' : undefined;
    case 'reshare':
      if (contributors.length !== record.threshold)
        return 'exactly a threshold of members reshares';
      return receivers.length < threshold
        ? 'the threshold is above the number of members'
        : undefined;
    case 'repair':
      if (contributors.length !== threshold) return 'exactly a threshold of members repairs';
      return receivers.length === 1 &&
        news.length === 0 &&
        !contributors.includes(receivers[0] ?? 0)
        ? undefined
        : 'one member’s share is repaired, by others';
    case 'enrol':
      if (contributors.length !== threshold) return 'exactly a threshold of members enrols';
      return news.length === 1 && receivers.length === members.length + 1
        ? undefined
        : 'one new member joins all that there are';
    default:
      return 'its operation is not known';
  }
}

function ascending(list: readonly number[]): boolean {
  return list.every((number, i) => i === 0 || (list[i - 1] as number) < number);
}

function same(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((number, i) => number === b[i]);
}

function malformed(what: string, problem: string, cause?: unknown): InputError {
  return new InputError({
    code: 'E_START_MALFORMED',
    message: `${what} is not a start message: ${problem}`,
    cause,
  });
}
