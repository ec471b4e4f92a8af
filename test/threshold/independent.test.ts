/** Transcripts of threshold sessions, read by a program in plain Python that was written from the specification. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readTranscript } from '#actions/threshold/transcript';
import { groupSuiteNames } from '#crypto/frost/suite';
import type { OpenIdentity } from '#custody/authority/identity';
import { fromBase64, toBase64 } from '#formats/bytes';
import { type Cbor, decodeCbor, encodeCbor } from '#formats/cbor';
import { canonicalJson, type Json, type JsonObject } from '#formats/canonical-json';
import { decodeMessage, writeMessage } from '#protocols/parties/message';
import { hasProgram, needs, root, thorough } from '../support/require.js';
import { people, random, record, type Recorded, type Voice } from './recorded.js';

const python = needs('python3', hasProgram('python3'), 'the independent reader is written in it');
const reader = join(root, 'test/independent/verify_threshold.py');
const folder = mkdtempSync(join(tmpdir(), 'conclave-transcripts-'));
const SUITE = 'frost-ed25519';

let identities: readonly OpenIdentity[];
let key: Recorded;

beforeAll(async () => {
  identities = await people(4);
  key = await made(SUITE);
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const made = (suite: string): Promise<Recorded> =>
  record(identities, {
    operation: 'keygen',
    suite,
    threshold: 2,
    contributors: [1, 2, 3],
    receivers: [1, 2, 3],
  });

/** Which of these the Python reader accepts. */
function acceptedThere(transcripts: ReadonlyMap<string, Uint8Array>): readonly string[] {
  const paths = [...transcripts].map(([, bytes], i) => {
    const path = join(folder, `${i}.json`);
    writeFileSync(path, bytes);
    return path;
  });
  const { stdout, stderr } = spawnSync('python3', ['-B', reader, ...paths], { encoding: 'utf8' });
  expect(stderr).toBe('');
  const lines = stdout.trim().split('\n');
  expect(lines).toHaveLength(paths.length);
  return [...transcripts.keys()].filter((_, i) => lines[i]?.startsWith('ok ') === true);
}

/** What ours says. */
async function ours(bytes: Uint8Array): Promise<string> {
  try {
    return (await readTranscript(bytes, 'transcript')).problems.join('; ');
  } catch (error) {
    return (error as Error).message;
  }
}

/** A transcript in which something was changed, in canonical form again. */
function changed(change: (of: Record<string, Json>) => void): Uint8Array {
  const value = JSON.parse(Buffer.from(key.transcript).toString()) as Record<string, Json>;
  change(value);
  return Buffer.from(`${canonicalJson(value)}\n`);
}

/** A message said otherwise, signed by whoever said it. */
async function saidOtherwise(bytes: Uint8Array, say: (body: Cbor) => Cbor): Promise<Uint8Array> {
  const { header, content } = decodeMessage(bytes, 'message');
  if (content.kind !== 'broadcast') throw new Error('no broadcast');
  return await writeMessage({
    roster: key.roster,
    round: header.round,
    sender: header.sender,
    recipient: null,
    type: header.type,
    body: encodeCbor(say(decodeCbor(content.body, 'body'))),
    seed: (key.voices.get(header.sender) as Voice).signing,
    random,
  });
}

const flipped = (bytes: Uint8Array): Uint8Array => {
  const copy = Uint8Array.from(bytes);
  copy[copy.length - 1] = (copy.at(-1) ?? 0) ^ 1;
  return copy;
};
const messagesOf = (of: Record<string, Json>): string[] => of['messages'] as string[];
const groupOf = (of: Record<string, Json>): Record<string, Json> =>
  of['group'] as Record<string, Json>;
const memberOf = (of: Record<string, Json>, i: number): Record<string, Json> =>
  (groupOf(of)['members'] as JsonObject[])[i] as Record<string, Json>;

describe.runIf(python)('a reader that is not ours', () => {
  it.each(thorough ? groupSuiteNames : [SUITE, 'frost-taproot', 'frost-p256'])(
    'follows a key generation of %s',
    async (suite) => {
      const { transcript } = suite === SUITE ? key : await made(suite);
      expect(await ours(transcript)).toBe('');
      expect(acceptedThere(new Map([[suite, transcript]]))).toEqual([suite]);
    },
  );

  it('follows every change of the shares', async () => {
    const suite = thorough ? 'frost-taproot' : SUITE;
    const first = suite === SUITE ? key : await made(suite);
    const of = { suite, threshold: 2 };
    const refreshed = await record(identities, {
      ...of,
      operation: 'refresh',
      contributors: [1, 2, 3],
      receivers: [1, 2, 3],
      before: first,
    });
    const repaired = await record(identities, {
      ...of,
      operation: 'repair',
      contributors: [1, 3],
      receivers: [2],
      before: refreshed,
    });
    const enrolled = await record(identities, {
      ...of,
      operation: 'enrol',
      contributors: [1, 2],
      receivers: [1, 2, 3, 4],
      before: repaired,
    });
    const reshared = await record(identities, {
      suite,
      threshold: 3,
      operation: 'reshare',
      contributors: [2, 4],
      receivers: [1, 3, 4],
      before: enrolled,
    });
    const all = new Map<string, Uint8Array>();
    for (const { start, transcript, group } of [refreshed, repaired, enrolled, reshared]) {
      expect(group.record.publicKey).toBe(first.group.record.publicKey);
      expect(await ours(transcript)).toBe('');
      all.set(start.message.operation, transcript);
    }
    expect(acceptedThere(all)).toEqual(['refresh', 'repair', 'enrol', 'reshare']);
  });

  it.runIf(thorough)('follows a session with proofs, and verifies them', async () => {
    const made = { suite: SUITE, threshold: 2, openings: 'proven' } as const;
    const first = await record(identities, {
      ...made,
      operation: 'keygen',
      contributors: [3],
      receivers: [1, 2],
    });
    const path = join(folder, 'opening-of-2.proof');
    const says = (): string => {
      writeFileSync(join(folder, 'proven.json'), first.transcript);
      const given = ['-B', reader, join(folder, 'proven.json')];
      return spawnSync('python3', given, { encoding: 'utf8' }).stdout;
    };
    try {
      expect(await ours(first.transcript)).toBe('');
      writeFileSync(path, first.proofs.get(2) as Uint8Array);
      expect(says()).toMatch(/^ok .* 1 of 2 commitments proven/);
      writeFileSync(path, flipped(first.proofs.get(2) as Uint8Array));
      expect(says()).toMatch(/^WRONG .*opening-of-2/);
    } finally {
      rmSync(path, { force: true });
    }
  });

  it('refuses what ours refuses', async () => {
    const of = (type: string): number => {
      const all = messagesOf(JSON.parse(Buffer.from(key.transcript).toString()) as never);
      return all.findIndex((text) => decodeMessage(fromBase64(text), '').header.type === type);
    };
    const resaid = async (type: string, say: (body: Cbor) => Cbor): Promise<Uint8Array> => {
      const at = of(type);
      const all = messagesOf(JSON.parse(Buffer.from(key.transcript).toString()) as never);
      const bytes = await saidOtherwise(fromBase64(all[at] as string), say);
      return changed((value) => {
        messagesOf(value)[at] = toBase64(bytes);
      });
    };
    const parts = (body: Cbor): readonly [Cbor, Uint8Array] => body as never;
    const spoilt: Readonly<Record<string, Uint8Array>> = {
      'another key': changed(
        (value) => (groupOf(value)['publicKey'] = memberOf(value, 0)['publicShare'] as string),
      ),
      'another key id': changed(
        (value) => (groupOf(value)['key'] = groupOf(value)['head'] as string),
      ),
      'public shares exchanged': changed((value) => {
        const [a, b] = [memberOf(value, 0), memberOf(value, 1)];
        [a['publicShare'], b['publicShare']] = [
          b['publicShare'] as string,
          a['publicShare'] as string,
        ];
      }),
      'commitments exchanged': changed((value) => {
        const [a, b] = [memberOf(value, 0), memberOf(value, 1)];
        [a['commitment'], b['commitment']] = [b['commitment'] as string, a['commitment'] as string];
      }),
      'another head': changed(
        (value) => (groupOf(value)['head'] = groupOf(value)['key'] as string),
      ),
      'a later epoch': changed((value) => (groupOf(value)['epoch'] = 2)),
      'other terms': changed(
        (value) => ((value['start'] as Record<string, Json>)['created'] = '2026-11-26T21:00:01Z'),
      ),
      'acceptances exchanged': changed((value) => {
        const [a, b] = value['acceptances'] as Record<string, Json>[];
        if (a === undefined || b === undefined) return;
        [a['acceptance'], b['acceptance']] = [b['acceptance'] as string, a['acceptance'] as string];
      }),
      'an acceptance less': changed((value) => void (value['acceptances'] as Json[]).pop()),
      'a message twice': changed(
        (value) => void messagesOf(value).push(messagesOf(value)[0] as string),
      ),
      'another member in it': changed((value) => (value['more'] = 1)),
      'another layout': Buffer.concat([key.transcript, Buffer.from(' ')]),
      'a wrong proof, signed': await resaid('commitments', (body) => [
        parts(body)[0],
        flipped(parts(body)[1]),
      ]),
      'another commitment, signed': await resaid('confirm', (body) => [
        parts(body)[0],
        flipped(parts(body)[1]),
      ]),
      'another A, signed': await resaid('confirm', (body) => [
        flipped(parts(body)[0] as Uint8Array),
        parts(body)[1],
      ]),
      'another record acknowledged': await resaid('acknowledge', (body) =>
        flipped(body as Uint8Array),
      ),
    };
    // Messages: lost, and with one bit changed.
    const all = new Map(Object.entries(spoilt));
    const texts = messagesOf(JSON.parse(Buffer.from(key.transcript).toString()) as never);
    const types = texts.map((text) => decodeMessage(fromBase64(text), '').header.type);
    for (const [i, text] of texts.entries()) {
      const type = types[i] as string;
      if (!thorough && types.indexOf(type) !== i) continue;
      const bent = toBase64(flipped(fromBase64(text)));
      all.set(
        `${type} ${i} bent`,
        changed((value) => (messagesOf(value)[i] = bent)),
      );
      // What was heard follows from the messages themselves.
      if (type === 'echo') continue;
      all.set(
        `without ${type} ${i}`,
        changed((value) => void messagesOf(value).splice(i, 1)),
      );
    }
    const accepted: string[] = [];
    for (const [name, bytes] of all) if ((await ours(bytes)) === '') accepted.push(name);
    expect(accepted).toEqual([]);
    expect(acceptedThere(all)).toEqual([]);
  });
});
