/** Somebody proposes or carries something else than was agreed on: it is refused, and nobody is blamed for another's doing. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { thresholdKeygen } from '#actions/threshold-keygen';
import { thresholdRefresh } from '#actions/threshold-refresh';
import { thresholdSign } from '#actions/threshold-sign';
import { allowDigest, encodePolicy, policyDigest } from '#custody/policy/allow-digest';
import { canonicalJson, type Json } from '#formats/canonical-json';
import { SecretBytes } from '#formats/secret-bytes';
import { makeRoster } from '#protocols/parties/roster';
import { newSessionKeys } from '#protocols/parties/session-keys';
import { run } from '#protocols/threshold/exchange';
import { sha256 } from '#crypto/hash';
import {
  phase,
  room,
  type Room,
  rounds,
  session,
  startFile,
  type TestParty,
  text,
} from './party.js';

const MESSAGE = 'pay the miller';
const DIGEST = `sha256:${createHash('sha256').update(MESSAGE).digest('hex')}`;
const KEY = 'treasury';
const POLICY = allowDigest(DIGEST);

let here: Room;
let [ann, ben] = [] as unknown as [TestParty, TestParty];
let policy: string;
let message: string;

beforeAll(async () => {
  here = await room(['Ann', 'Ben']);
  [ann, ben] = here.people as unknown as [TestParty, TestParty];
  message = join(here.net, 'message');
  writeFileSync(message, MESSAGE);
  policy = join(here.net, 'policy.json');
  writeFileSync(policy, encodePolicy(POLICY));
  const party = [ann.pub, ben.pub];
  await session(
    thresholdKeygen,
    [ann, ben],
    join(here.net, 'keygen'),
    { suite: 'ristretto255', threshold: 2, party, policy },
    {},
    { name: KEY },
  );
});

afterAll(() => {
  here.remove();
});

/** A start message of Ann's, changed before Ben gets it. */
function changed(folder: string, change: (start: Record<string, unknown>) => void): string {
  const start = JSON.parse(text(startFile(folder))) as Record<string, unknown>;
  change(start);
  const file = join(here.net, 'changed.json');
  writeFileSync(file, `${canonicalJson(start as Json)}\n`);
  return file;
}

describe('a proposal that is not what the members agreed on', () => {
  const net = (): string => join(here.net, 'proposal');
  const joining = (file: string): Promise<unknown> =>
    phase(thresholdSign, 'start', ben, net(), { in: [file], expect: DIGEST });

  beforeAll(async () => {
    await phase(thresholdSign, 'start', ann, net(), { key: KEY, message, policy });
  });

  it('cannot leave out the policy that the key is bound to', async () => {
    await expect(joining(startFile(net()))).rejects.toMatchObject({ code: 'E_POLICY_MISSING' });
    const file = changed(net(), (start) => {
      start['policy'] = null;
      (start['group'] as Record<string, unknown>)['policy'] = null;
    });
    await expect(joining(file)).rejects.toMatchObject({ code: 'E_GROUP_DIFFERS', exitCode: 77 });
  });

  it('cannot put a stranger in the place of a member', async () => {
    const file = changed(net(), (start) => {
      const identity = 'ab'.repeat(32);
      const { members } = start['group'] as { members: Record<string, unknown>[] };
      for (const list of [members, start['parties'] as Record<string, unknown>[]]) {
        (list[0] as Record<string, unknown>)['identity'] = identity;
      }
    });
    await expect(
      phase(thresholdSign, 'start', ben, net(), { in: [file], expect: DIGEST, policy }),
    ).rejects.toMatchObject({ code: 'E_GROUP_DIFFERS', exitCode: 77 });
  });

  it('binds simulated keys to their policy too', async () => {
    const outDir = ann.place.at('dev');
    const dev = { simulate: true, suite: 'ristretto255', threshold: 2, shares: 2, outDir, policy };
    await ann.place.run(thresholdKeygen, dev, ann.options);
    const group = JSON.parse(text(join(outDir, 'group.json'))) as { policy: unknown };
    expect(group.policy).toBe(policyDigest(POLICY, (bytes) => sha256(bytes)));
    const share = [1, 2].map((number) => join(outDir, `dev-party-${number}.key`));
    const signing = { simulate: true, share, message, out: join(outDir, 'signature') };
    await expect(ann.place.run(thresholdSign, signing, ann.options)).rejects.toMatchObject({
      code: 'E_POLICY_MISSING',
    });
    const result = await ann.place.run(thresholdSign, { ...signing, policy }, ann.options);
    expect(readFileSync(result.signature ?? '')).toHaveLength(64);
  });
});

describe('an acceptance that was written otherwise on the way', () => {
  it('blames nobody while it certifies the same keys', async () => {
    const net = join(here.net, 'carried');
    await phase(thresholdSign, 'start', ann, net, { key: KEY, message, policy });
    await phase(thresholdSign, 'start', ben, net, { in: [startFile(net)], expect: DIGEST, policy });
    const name = readdirSync(net).find((each) => each.includes('acceptance-from-2')) ?? '';
    const acceptance = JSON.parse(text(join(net, name))) as { certificate: string };
    const spaced = `${Buffer.from(acceptance.certificate, 'base64').toString()}\n`;
    acceptance.certificate = Buffer.from(spaced).toString('base64');
    const other = join(here.net, 'other-acceptance.json');
    writeFileSync(other, `${canonicalJson(acceptance)}\n`);
    const { skipped } = await phase(thresholdSign, 'round', ann, net, { in: [net, other] });
    expect(skipped).toContainEqual({ file: other, why: 'known already' });
    await rounds(thresholdSign, [ann, ben], net);
  });
});

describe('two sessions that change the same share', () => {
  it('cannot undo each other', async () => {
    const nets = ['first', 'second'].map((name) => join(here.net, name));
    for (const net of nets) {
      await phase(thresholdRefresh, 'start', ann, net, { key: KEY });
      await phase(thresholdRefresh, 'start', ben, net, { in: [startFile(net)] });
      await rounds(thresholdRefresh, [ann, ben], net);
    }
    const [first, second] = nets as [string, string];
    await phase(thresholdRefresh, 'finish', ann, second);
    const keys = join(ann.place.at('home'), 'keys');
    const kept = (): Buffer[] => readdirSync(keys).map((name) => readFileSync(join(keys, name)));
    const before = kept();
    await expect(phase(thresholdRefresh, 'finish', ann, first)).rejects.toMatchObject({
      code: 'E_SHARE_CHANGED',
      exitCode: 77,
    });
    expect(before.length).toBeGreaterThan(0);
    expect(kept()).toEqual(before);
  });
});

describe('what is told to one party alone', () => {
  it('is wiped once it is sealed', async () => {
    const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length));
    using one = await newSessionKeys(random);
    using two = await newSessionKeys(random);
    using seed = SecretBytes.adopt(random(32), 'coins');
    const parties = [one, two].map(({ ed25519, xWing }, i) => {
      return { number: i + 1, identity: random(32), ed25519, xWing };
    });
    const roster = makeRoster({ session: random(32), purpose: 'a/b', terms: random(32), parties });
    const body = Uint8Array.of(1, 2, 3);
    const seat = {
      roster,
      self: 1,
      signing: one.signing,
      seed,
      received: [],
      once: () => undefined,
    };
    const { said } = await run(seat, (exchange) => exchange.tell(1, 'part', 2, body));
    expect(said).toHaveLength(1);
    expect(body).toEqual(new Uint8Array(3));
  });
});
