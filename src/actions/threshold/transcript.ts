/**
 * The transcript of a session that made or changed the shares of a key: start message, acceptances, every broadcast, and the
 * group record that all acknowledged. Whoever has it recomputes the key from what was said.
 * @see docs/spec/threshold.md, "Transcript"
 */
import { type GroupRecord, groupDigest, parseGroup } from '#crypto/frost/group';
import { equal, toBase64, utf8 } from '#formats/bytes';
import { canonicalJson, parseCanonicalJson } from '#formats/canonical-json';
import { decodeCbor } from '#formats/cbor';
import * as s from '#formats/schema';
import { authenticateMessage, decodeMessage, type Message } from '#protocols/parties/message';
import { rosterDigest } from '#protocols/parties/roster';
import { judge, type Seen } from '#protocols/parties/inbox';
import type { Said } from '#protocols/threshold/exchange';
import { checkPublicly } from '#protocols/threshold/public-check';
import { parseStart, type Start, startJson } from '#protocols/threshold/start-message';
import { rosterFrom } from './certificate.js';
import type { SessionState } from './state.js';

const MAX_BYTES = 8 * 1024 * 1024;

const schema = s.object({
  type: s.oneOf('conclave/threshold-transcript'),
  version: s.oneOf(1),
  start: s.json(),
  acceptances: s.array(
    s.object({ number: s.integer({ min: 1, max: 0xffff }), acceptance: s.base64() }),
    { max: 255 },
  ),
  /** Every broadcast, by round, type and sender. */
  messages: s.array(s.base64(), { max: 4096 }),
  group: s.json(),
});

/** Canonical JSON and a line feed. */
export function encodeTranscript(
  start: Start,
  state: Pick<SessionState, 'certificates' | 'messages'>,
  said: readonly Said[],
  group: GroupRecord,
): Uint8Array {
  const all = [...state.messages, ...said.map(({ bytes }) => bytes)]
    .map((bytes) => ({ bytes, message: decodeMessage(bytes, 'message') }))
    .filter(({ message }) => message.header.recipient === null)
    .sort((a, b) => order(a.message, b.message));
  return utf8(
    `${canonicalJson({
      type: 'conclave/threshold-transcript',
      version: 1,
      start: startJson(start.message),
      acceptances: [...state.certificates]
        .sort(([a], [b]) => a - b)
        .map(([number, bytes]) => ({ number, acceptance: toBase64(bytes) })),
      messages: all.map(({ bytes }) => toBase64(bytes)),
      group: { ...group, members: group.members.map((member) => ({ ...member })) },
    })}\n`,
  );
}

/** What a transcript was found to say. */
export interface ReadTranscript {
  readonly start: Start;
  readonly group: GroupRecord;
  readonly parties: readonly { readonly number: number; readonly name: string }[];
  /** Numbers whose acknowledgement of this very record is there. */
  readonly acknowledged: readonly number[];
  /** What is wrong; empty when all holds. */
  readonly problems: string[];
}

/**
 * Reads and checks a transcript: acceptances, signatures of all messages, that the group record follows from what was said, and
 * that every party acknowledged it.
 * @throws InputError for what is no transcript
 */
export async function readTranscript(bytes: Uint8Array, what: string): Promise<ReadTranscript> {
  const read = schema.parse(parseCanonicalJson(bytes, what, { maxBytes: MAX_BYTES }), what);
  const start = await parseStart(read.start, `${what}: start`);
  const { record: group } = await parseGroup(read.group, `${what}: group`);
  const problems: string[] = [];
  const certificates = new Map(
    read.acceptances.map(({ number, acceptance }) => [number, acceptance]),
  );
  const roster = await rosterFrom(start, certificates);
  const numbers = start.message.parties.map(({ number }) => number);
  // One for each party, in the order of their numbers.
  if (read.acceptances.map(({ number }) => number).join() !== numbers.join())
    problems.push('not every party accepted');
  let seen: Seen = {};
  const bodies: {
    readonly round: number;
    readonly type: string;
    readonly sender: number;
    readonly body: Uint8Array;
    readonly digest: Uint8Array;
  }[] = [];
  for (const [i, raw] of read.messages.entries()) {
    const message = decodeMessage(raw, `${what}: message ${i + 1}`);
    const digest = await authenticateMessage(message, roster, `message ${i + 1}`);
    const judged = judge({ header: message.header, digest }, seen, message.header.round);
    if (judged.verdict !== 'new' || message.content.kind !== 'broadcast') {
      problems.push(`message ${i + 1} has no place of its own`);
      continue;
    }
    seen = judged.seen;
    const { round, type, sender } = message.header;
    bodies.push({ round, type, sender, body: message.content.body, digest });
  }
  const digest = groupDigest(group);
  const acknowledged = bodies
    .filter(({ type, round }) => type === 'acknowledge' && round === 4)
    .filter(({ body }) => {
      const value = decodeCbor(body, `${what}: acknowledgement`, { maxDepth: 1 });
      return value instanceof Uint8Array && equal(value, digest);
    })
    .map(({ sender }) => sender);
  const silent = numbers.filter((number) => !acknowledged.includes(number));
  if (silent.length > 0) problems.push(`party ${silent.join(', ')} did not acknowledge the record`);
  problems.push(...(await checkPublicly(start, group, bodies, rosterDigest(roster))));
  return {
    start,
    group,
    parties: start.message.parties.map(({ number, name }) => ({ number, name })),
    acknowledged,
    problems,
  };
}

function order(a: Message, b: Message): number {
  return (
    a.header.round - b.header.round ||
    (a.header.type < b.header.type ? -1 : a.header.type > b.header.type ? 1 : 0) ||
    a.header.sender - b.header.sender
  );
}
