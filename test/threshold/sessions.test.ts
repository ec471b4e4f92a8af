/** Sessions of several homes through files: keys, signatures, and every change of shares. */
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keyList } from '#actions/key-list';
import { sign } from '#actions/sign';
import { thresholdEnrol } from '#actions/threshold-enrol';
import { thresholdRefresh } from '#actions/threshold-refresh';
import { thresholdRepair } from '#actions/threshold-repair';
import { thresholdReshare } from '#actions/threshold-reshare';
import { thresholdKeygen } from '#actions/threshold-keygen';
import { thresholdSign } from '#actions/threshold-sign';
import { verify } from '#actions/verify';
import { fullAfter } from '../support/disks.js';
import { workplace } from '../support/home.js';
import { thorough } from '../support/require.js';
import {
  phase,
  keyed,
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

let here: Room;
let [ann, ben, cem, dan, eve] = [] as unknown as [
  TestParty,
  TestParty,
  TestParty,
  TestParty,
  TestParty,
];
let count = 0;

const folder = (): string => join(here.net, `s${++count}`);

/** Signs with some of the members; the first one starts. */
async function signed(
  signers: readonly TestParty[],
  quorum: string,
  key = 'key-ed25519',
): Promise<string> {
  const net = folder();
  const message = join(here.net, 'message');
  writeFileSync(message, MESSAGE);
  const results = await session(
    thresholdSign,
    signers,
    net,
    { key, message, quorum },
    { expect: DIGEST },
  );
  const files = results.map(({ signature }) => readFileSync(signature ?? ''));
  // Any party puts it together, and all get the same bytes.
  for (const each of files) expect(each.equals(files[0] as Buffer)).toBe(true);
  return results[0]?.signature ?? '';
}

async function verifies(signature: string, by: TestParty, key = 'key-ed25519'): Promise<boolean> {
  const message = join(here.net, 'message');
  const { ok } = await by.place.run(verify, { key, in: message, signature });
  return ok;
}

async function refusal(
  work: Promise<unknown>,
): Promise<{ code: string; exitCode: number; details?: unknown }> {
  try {
    await work;
  } catch (error) {
    return error as { code: string; exitCode: number };
  }
  throw new Error('nothing was refused');
}

beforeAll(async () => {
  here = await room(['Ann', 'Ben', 'Cem', 'Dan', 'Eve']);
  [ann, ben, cem, dan, eve] = here.people as unknown as typeof here.people &
    [TestParty, TestParty, TestParty, TestParty, TestParty];
  await keyed(here, 3, 2);
});

afterAll(() => {
  ben.place.remove();
  here.remove();
});

describe('one key, its members and its changes', () => {
  it('is an ordinary record, whose transcript and group verify', async () => {
    const { keys } = await ann.place.run(keyList, {});
    expect(keys).toHaveLength(1);
    const out = ann.place.at('out-keygen-ed25519');
    expect(readdirSync(out).sort()).toEqual(['group.json', 'transcript.json']);
    expect(text(join(out, 'group.json'))).toBe(
      text(join(cem.place.at('out-keygen-ed25519'), 'group.json')),
    );
    expect(readdirSync(ann.place.at('session-keygen-ed25519'))).toEqual([]);
    for (const name of ['group.json', 'transcript.json']) {
      const verdict = await dan.place.run(verify, { targets: [join(out, name)] });
      expect(verdict.ok).toBe(true);
    }
  });

  it('is opened by nobody, and says how to sign', async () => {
    const error = await refusal(
      ann.place.run(sign, { key: 'key-ed25519', in: ann.pub }, ann.options),
    );
    expect(error).toMatchObject({ code: 'E_KEY_THRESHOLD', exitCode: 77 });
  });

  it('signs by every quorum, verified as any Ed25519 signature', async () => {
    expect(await verifies(await signed([ann, ben], '1,2'), cem)).toBe(true);
    if (!thorough) return;
    expect(await verifies(await signed([cem, ann], '1,3'), ben)).toBe(true);
    expect(await verifies(await signed([ben, cem], '2,3'), ann)).toBe(true);
  });

  it('tells who is missing, and loses nothing by asking', async () => {
    const net = folder();
    const message = join(here.net, 'message');
    await phase(thresholdSign, 'start', ann, net, { key: 'key-ed25519', message, quorum: '1,2' });
    const early = await refusal(phase(thresholdSign, 'round', ann, net));
    expect(early).toMatchObject({
      code: 'E_SESSION_INCOMPLETE',
      exitCode: 75,
      details: { missing: [2] },
    });
    const unsure = await refusal(phase(thresholdSign, 'start', ben, net, { in: [startFile(net)] }));
    expect(unsure).toMatchObject({ code: 'E_EXPECT_MISSING', exitCode: 2 });
    const wrong = { in: [startFile(net)], expect: `sha256:${'0'.repeat(64)}` };
    expect(await refusal(phase(thresholdSign, 'start', ben, net, wrong))).toMatchObject({
      exitCode: 77,
    });
    const stranger = { in: [startFile(net)], expect: DIGEST };
    expect(await refusal(phase(thresholdSign, 'start', dan, net, stranger))).toMatchObject({
      code: 'E_NOT_INVITED',
    });
    await phase(thresholdSign, 'start', ben, net, { in: [startFile(net)], expect: DIGEST });
    expect(await phase(thresholdSign, 'round', ann, net)).toMatchObject({ done: false });
    expect(await refusal(phase(thresholdSign, 'finish', ann, net))).toMatchObject({ exitCode: 75 });
    await rounds(thresholdSign, [ann, ben], net);
    expect((await phase(thresholdSign, 'finish', ben, net)).signature).not.toBeNull();
    expect(await refusal(phase(thresholdSign, 'round', ben, net))).toMatchObject({ exitCode: 66 });
  });

  it('repairs a lost share for its holder, who begins with an empty home', async () => {
    const empty = workplace();
    const again: TestParty = { ...ben, place: empty };
    await session(
      thresholdRepair,
      [ann, cem, again],
      folder(),
      { key: 'key-ed25519', lost: 2, quorum: '1,3' },
      {},
      { name: 'key-ed25519' },
    );
    expect(await verifies(await signed([ann, again], '1,2'), cem)).toBe(true);
    ben = again;
  });

  it('refreshes: new shares sign, old ones and mixed ones do not', async () => {
    const before = [ann, cem].map((person) => {
      const keys = join(person.place.at('home'), 'keys');
      const name = readdirSync(keys).find((each) => each.endsWith('.key')) ?? '';
      const kept = person.place.at('old-share.key');
      copyFileSync(join(keys, name), kept);
      return kept;
    });
    await session(thresholdRefresh, [ann, ben, cem], folder(), { key: 'key-ed25519' });
    expect(await verifies(await signed([ann, cem], '1,3'), ben)).toBe(true);
    const net = folder();
    const message = join(here.net, 'message');
    await phase(thresholdSign, 'start', ben, net, { key: 'key-ed25519', message, quorum: '1,2' });
    const mixed = { in: [startFile(net)], expect: DIGEST, key: before[0] };
    expect(await refusal(phase(thresholdSign, 'start', ann, net, mixed))).toMatchObject({
      code: 'E_GROUP_DIFFERS',
      exitCode: 77,
    });
  });

  it.runIf(thorough)('enrols Dan, and then signs with him', async () => {
    const begin = { key: 'key-ed25519', party: [dan.pub] };
    const all = [ann, ben, cem, dan];
    await session(thresholdEnrol, all, folder(), begin, {}, { name: 'key-ed25519' });
    expect(await verifies(await signed([dan, ben], '2,4'), ann)).toBe(true);
  });

  it.runIf(thorough)('is given to others at another threshold', async () => {
    const change = {
      key: 'key-ed25519',
      threshold: 3,
      quorum: '1,2',
      party: [ann.pub, cem.pub, dan.pub, eve.pub],
    };
    const all = [ann, ben, cem, dan, eve];
    await session(thresholdReshare, all, folder(), change, {}, { name: 'key-ed25519' });
    expect(await verifies(await signed([eve, dan, cem], '3,4,5'), ben)).toBe(true);
  });
});

describe('people who lie', () => {
  it('a message that is changed, foreign or said twice is refused, its signer named where it signed', async () => {
    const net = folder();
    const begin = { suite: 'ed25519', threshold: 2, party: [ann.pub, ben.pub] };
    await phase(thresholdKeygen, 'start', ann, net, begin);
    await phase(thresholdKeygen, 'start', ben, net, { in: [startFile(net)] });
    await phase(thresholdKeygen, 'round', ann, net);
    await phase(thresholdKeygen, 'round', ben, net);
    const said = readdirSync(net).find((name) => name.includes('commitments-from-2')) ?? '';
    const bytes = readFileSync(join(net, said));
    for (const at of [40, bytes.length - 30]) {
      const bad = Buffer.from(bytes);
      bad[at] = (bad[at] as number) ^ 1;
      const file = join(here.net, 'bad.msg');
      writeFileSync(file, bad);
      const error = await refusal(phase(thresholdKeygen, 'round', ann, net, { in: [file] }));
      expect([1, 65]).toContain(error.exitCode);
    }
    await rounds(thresholdKeygen, [ann, ben], net);
  });
});

describe.runIf(thorough)('a party that dies at every write', () => {
  it('goes on where it was, and says nothing twice in two ways', async () => {
    const net = folder();
    const people = [ann, ben];
    const begin = { suite: 'ristretto255', threshold: 2, party: [ann.pub, ben.pub] };
    await phase(thresholdKeygen, 'start', ann, net, begin);
    await phase(thresholdKeygen, 'start', ben, net, { in: [startFile(net)] });
    let kills = 0;
    const dying = async (name: 'round' | 'finish', input = {}): Promise<boolean> => {
      for (let room_ = 0; room_ < 60; room_++) {
        try {
          const fs = fullAfter(room_, { changes: 0 });
          return (await phase(thresholdKeygen, name, ann, net, input, { fs })).done;
        } catch (error) {
          const { exitCode } = error as { exitCode?: number };
          if (exitCode === 75) return false;
          // Killed while the session's keys were being destroyed: all else was done before.
          if (name === 'finish' && exitCode === 66) return true;
          expect(exitCode).toBe(73);
          kills++;
        }
      }
      throw new Error('never done');
    };
    for (let turn = 0; turn < 8; turn++) {
      const done = await dying('round');
      await phase(thresholdKeygen, 'round', ben, net).catch((error: unknown) => {
        expect(error).toMatchObject({ exitCode: 75 });
      });
      if (done) break;
    }
    await dying('finish', { name: 'survivor' });
    expect(kills).toBeGreaterThan(10);
    await rounds(thresholdKeygen, [ben], net);
    await phase(thresholdKeygen, 'finish', ben, net, { name: 'survivor' });
    const end = people.map(({ place }) =>
      text(join(place.at(`out-${net.split('/').at(-1) ?? ''}`), 'group.json')),
    );
    expect(end[0]).toBe(end[1]);
    expect(await verifies(await signed(people, '1,2', 'survivor'), ben, 'survivor')).toBe(true);
  });
});
