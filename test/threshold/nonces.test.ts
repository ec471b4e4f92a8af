/** One pair of nonces never makes two signature shares: copies, older states, two processes, kills. */
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createHash, randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseGroup } from '#crypto/frost/group';
import { loadSuite } from '#crypto/frost/suite';
import { thresholdSign } from '#actions/threshold-sign';
import { toHex, utf8 } from '#formats/bytes';
import { type Cbor, decodeCbor, encodeCbor } from '#formats/cbor';
import { RefusedError } from '#formats/errors';
import { SecretBytes } from '#formats/secret-bytes';
import { decodeMessage } from '#protocols/parties/message';
import { makeRoster } from '#protocols/parties/roster';
import { newSessionKeys } from '#protocols/parties/session-keys';
import { commit } from '#protocols/threshold/frost-rounds';
import { deal, partFor } from '#protocols/threshold/dealing';
import { run } from '#protocols/threshold/exchange';
import { runDealing } from '#protocols/threshold/dealing-session';
import { runSigning } from '#protocols/threshold/signing-session';
import { simulate } from '#protocols/threshold/simulate';
import { groupJson, openStart } from '#protocols/threshold/start-message';
import { seeded } from '../support/mutations.js';
import { thorough } from '../support/require.js';
import { keyed, phase, room, type Room, rounds, startFile } from './party.js';

const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length));
const MESSAGE = 'pay the miller';
const DIGEST = `sha256:${createHash('sha256').update(MESSAGE).digest('hex')}`;

describe('in files', () => {
  let here: Room;
  beforeAll(async () => {
    here = await room(['Ann', 'Ben']);
    await keyed(here, 2, 2);
  });
  afterAll(() => {
    here.remove();
  });

  it('a copy of a session cannot sign over other commitments, and says the same again', async () => {
    const [ann, ben] = here.people as [Room['people'][number], Room['people'][number]];
    const net = join(here.net, 'pay');
    const message = join(here.net, 'message');
    writeFileSync(message, MESSAGE);
    const memory = mkdtempSync(join(tmpdir(), 'conclave-memory-'));
    await phase(thresholdSign, 'start', ann, net, {
      key: 'key-ed25519',
      message,
      quorum: '1,2',
      memory,
    });
    await phase(thresholdSign, 'start', ben, net, { in: [startFile(net)], expect: DIGEST });
    await phase(thresholdSign, 'round', ann, net);
    const folder = ann.place.at('session-pay');
    cpSync(folder, `${folder}-old`, { recursive: true });
    await rounds(thresholdSign, [ann, ben], net);
    // The older state, brought back with the same messages: the very same share, no second one.
    const share = readdirSync(net).find((name) => name.includes('signature-share-from-1')) ?? '';
    const told = readFileSync(join(net, share));
    const again = join(here.net, 'again');
    await phase(thresholdSign, 'round', ann, net, {
      session: `${folder}-old`,
      outDir: again,
      in: [net],
    });
    expect(readFileSync(join(again, share)).equals(told)).toBe(true);
    // What the mark says is for good: another use under the same name is refused.
    const marks = readdirSync(memory).filter((name) => name.startsWith('nonce-'));
    expect(marks).toHaveLength(1);
    cpSync(`${folder}-old`, `${folder}-older`, { recursive: true });
    writeFileSync(join(memory, marks[0] ?? ''), random(32));
    await expect(
      phase(thresholdSign, 'round', ann, net, {
        session: `${folder}-older`,
        outDir: join(here.net, 'no'),
        in: [net],
      }),
    ).rejects.toMatchObject({ code: 'E_NONCE_USED', exitCode: 77 });
    rmSync(memory, { recursive: true });
    // Neither without the medium, nor with an empty folder where it was.
    for (const empty of [false, true]) {
      if (empty) mkdirSync(memory);
      await expect(
        phase(thresholdSign, 'round', ann, net, {
          session: `${folder}-older`,
          outDir: join(here.net, 'no'),
          in: [net],
        }),
      ).rejects.toMatchObject({ code: 'E_MEMORY_MISSING', exitCode: 66 });
    }
    rmSync(memory, { recursive: true });
    const late = { key: 'key-ed25519', message, memory };
    await expect(
      phase(thresholdSign, 'start', ann, join(here.net, 'late'), late),
    ).rejects.toMatchObject({ code: 'E_MEMORY_MISSING' });
  });
});

describe('in a thousand runs', () => {
  it('whatever is copied, restored or killed, one pair of nonces has one output', async () => {
    const suite = await loadSuite('frost-ristretto255');
    const identity = (number: number): string => number.toString(16).padStart(64, '0');
    const base = {
      type: 'conclave/threshold-start',
      version: 1,
      created: '2026-11-26T21:00:00Z',
      suite: suite.name,
      environment: 'dev',
      threshold: 2,
      parties: [1, 2].map((number) => ({
        number,
        identity: identity(number),
        name: `party ${number}`,
      })),
      contributors: [1, 2],
      policy: null,
    } as const;
    const made = await openStart(
      {
        ...base,
        session: toHex(random(32)),
        operation: 'keygen',
        receivers: [1, 2],
        group: null,
        message: null,
      },
      'start',
    );
    const outcomes = await simulate(
      made,
      () => (exchange) => runDealing(made, exchange, undefined),
      random,
    );
    const [first] = [...outcomes.values()];
    const group = await parseGroup(JSON.parse(JSON.stringify(first?.record)), 'group');
    const share = outcomes.get(1)?.opening as SecretBytes;
    const other = partFor(deal(undefined, 2, suite, random), 2, suite);
    const start = await openStart(
      {
        ...base,
        session: toHex(random(32)),
        operation: 'sign',
        receivers: [],
        group: groupJson(group),
        message: utf8(MESSAGE),
      },
      'start',
    );
    using one = await newSessionKeys(random);
    using two = await newSessionKeys(random);
    const roster = makeRoster({
      session: random(32),
      purpose: start.purpose,
      terms: start.terms,
      parties: [
        { number: 1, identity: random(32), ed25519: one.ed25519, xWing: one.xWing },
        { number: 2, identity: random(32), ed25519: two.ed25519, xWing: two.xWing },
      ],
    });

    /** What is durable: the marks; what a kill loses: everything else. */
    const marks = new Map<string, string>();
    const outputs = new Map<string, Set<string>>();
    let refused = 0;
    const seeds = Array.from({ length: 8 }, () => SecretBytes.adopt(random(32), 'coins'));
    const theirs = Array.from({ length: 4 }, () => commit(suite, 2, other, random));
    // What happens is the same in every run: once in some hundred, chance would kill nearly all that could have spoken.
    const draw = seeded(1);
    for (let i = 0; i < (thorough ? 1000 : 200); i++) {
      // Some state of some session, restored or copied, answered by one of several versions of the other party.
      const seed = seeds[draw(seeds.length)] as SecretBytes;
      const { hiding, binding } = theirs[draw(theirs.length)] as (typeof theirs)[number];
      const digest = random(32);
      const header = {
        session: roster.session,
        round: 1,
        sender: 2,
        recipient: null,
        rosterDigest: random(32),
        type: 'nonces',
      };
      const killed = draw(4);
      const body: Cbor = [hiding, binding];
      try {
        const progress = await run(
          {
            roster,
            self: 1,
            signing: one.signing,
            seed,
            received: [{ header, body: encodeCbor(body), digest }],
            once: (name, use) => {
              if (killed === 0) throw new Error('killed before the mark');
              const before = marks.get(toHex(name));
              if (before !== undefined && before !== toHex(use)) {
                throw new RefusedError({ code: 'E_NONCE_USED', message: 'used' });
              }
              marks.set(toHex(name), toHex(use));
              if (killed === 1) throw new Error('killed after the mark');
            },
          },
          (exchange) => runSigning(start, exchange, share),
        );
        if (killed === 2) continue;
        const said = progress.said.find(({ type }) => type === 'signature-share');
        const nonces = progress.said.find(({ type }) => type === 'nonces');
        if (said === undefined || nonces === undefined) throw new Error('nothing was said');
        const key = toHex(nonces.digest);
        const z = toHex(scalarIn(said.bytes));
        outputs.set(key, (outputs.get(key) ?? new Set()).add(z));
      } catch (error) {
        if (error instanceof RefusedError) refused++;
        else if (!(error as Error).message.startsWith('killed')) throw error;
      }
    }
    expect(refused).toBeGreaterThan(20);
    expect(outputs.size).toBeGreaterThan(3);
    for (const shares of outputs.values()) expect(shares.size).toBe(1);
  });
});

/** The scalar in a signature share's message: the body is [z, echo]. */
function scalarIn(bytes: Uint8Array): Uint8Array {
  const { content } = decodeMessage(bytes, 'share');
  const body = content.kind === 'broadcast' ? decodeCbor(content.body, 'share') : undefined;
  const z = Array.isArray(body) ? (body[0] as Cbor) : undefined;
  if (!(z instanceof Uint8Array)) throw new Error('no share in it');
  return z;
}
