/** Sessions whose commitments come with proofs: what all must see before they acknowledge, and who is named. */
import { copyFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { show } from '#actions/show';
import { takeProofs } from '#actions/threshold/proof-files';
import { verify } from '#actions/verify';
import { thresholdKeygen } from '#actions/threshold-keygen';
import { thresholdRefresh } from '#actions/threshold-refresh';
import { shareCommitment } from '#crypto/frost/commitment';
import {
  decodeGroup,
  encodeGroup,
  type Group,
  type GroupRecord,
  parseGroup,
} from '#crypto/frost/group';
import { sha256 } from '#crypto/hash';
import { toHex } from '#formats/bytes';
import { encodeCbor } from '#formats/cbor';
import type { ReceivedMessage } from '#protocols/parties/message';
import type { Outcome } from '#protocols/threshold/conclusion';
import { openingProofs } from '#protocols/inhead/opening-proof';
import { runDealing } from '#protocols/threshold/dealing-session';
import { runRepair } from '#protocols/threshold/repair-session';
import { type Disturbance, simulate } from '#protocols/threshold/simulate';
import {
  groupJson,
  openStart,
  type Start,
  type StartMessage,
} from '#protocols/threshold/start-message';
import { phase, type Room, room, rounds, startFile, type TestParty } from './party.js';

// What is tried here is who waits for what, and who is named; proofs of full length are tried where they are made.
vi.mock('#protocols/inhead/hash-input', async (original) => ({
  ...(await original<object>()),
  REPETITIONS: 8,
}));

const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length));

function starting(
  operation: StartMessage['operation'],
  contributors: number[],
  receivers: number[],
  rest: Partial<StartMessage> = {},
): Promise<Start> {
  const numbers = [...new Set([...contributors, ...receivers])].sort((a, b) => a - b);
  return openStart(
    {
      type: 'conclave/threshold-start',
      version: 2,
      openings: 'proven',
      session: toHex(random(32)),
      operation,
      suite: 'frost-ed25519',
      threshold: 2,
      created: '2026-11-26T21:00:00Z',
      environment: 'dev',
      parties: numbers.map((number) => ({
        number,
        identity: number.toString(16).padStart(64, '0'),
        name: `party ${number}`,
      })),
      contributors,
      receivers,
      policy: null,
      group: null,
      message: null,
      ...rest,
    },
    'start message',
  );
}

const keygen = (
  start: Start,
  disturbance: Disturbance = {},
): Promise<ReadonlyMap<number, Outcome>> =>
  simulate(
    start,
    () => (exchange) => runDealing(start, exchange, undefined),
    random,
    disturbance,
    openingProofs,
  );

async function groupOf(outcomes: ReadonlyMap<number, Outcome>): Promise<Group> {
  const [first] = outcomes.values();
  return await decodeGroup(encodeGroup((first as Outcome).record), 'group record');
}

describe('a session whose commitments are proven', () => {
  let record: GroupRecord;

  it('names every proof in its record, keeps those of members that stay, and may prove one alone', async () => {
    const start = await starting('keygen', [1, 2], [1, 2]);
    const made = await keygen(start);
    const group = await groupOf(made);
    ({ record } = group);
    expect(record.version).toBe(2);
    for (const { proofs } of made.values()) {
      expect([...proofs.keys()].sort()).toEqual([1, 2]);
      for (const { number, proof } of group.record.members)
        expect(toHex(sha256(proofs.get(number) as Uint8Array))).toBe(proof);
    }
    const share = (number: number) => made.get(number)?.opening;
    // A third member joins without proofs: all commitments are new, so the record is of version 1 again.
    const { openings: _, ...message } = (
      await starting('enrol', [1, 2], [1, 2, 3], { group: groupJson(group) })
    ).message;
    const enrol = await openStart({ ...message, version: 1 }, 'start');
    const joined = await simulate(
      enrol,
      (number) => (exchange) => runRepair(enrol, exchange, share(number)),
      random,
    );
    const wider = await groupOf(joined);
    expect([wider.record.version, wider.record.members.length]).toEqual([1, 3]);
    // One share is repaired, with a proof: of this one, and of no other.
    const repair = await starting('repair', [1, 3], [2], { group: groupJson(wider) });
    const repaired = await simulate(
      repair,
      (number) => (exchange) =>
        runRepair(repair, exchange, number === 2 ? undefined : joined.get(number)?.opening),
      random,
      {},
      openingProofs,
    );
    const after = (await groupOf(repaired)).record;
    expect(after.members.map(({ proof }) => typeof proof)).toEqual(['object', 'string', 'object']);
    expect(after.version).toBe(2);
  });

  it('is asked of whoever receives from a dealer, and of all members after a resharing', async () => {
    const dealing = await starting('keygen', [3], [1, 2]);
    const made = await keygen(dealing);
    const dealt = await groupOf(made);
    // The dealer, who commits to nothing, has verified them too.
    expect([...(made.get(3)?.proofs.keys() ?? [])].sort()).toEqual([1, 2]);
    const reshare = await starting('reshare', [1, 2], [2, 4, 5], { group: groupJson(dealt) });
    const after = await simulate(
      reshare,
      (number) => (exchange) => runDealing(reshare, exchange, made.get(number)?.opening),
      random,
      {},
      openingProofs,
    );
    const proofs = [dealt, await groupOf(after)].flatMap(({ record: of }) =>
      of.members.map(({ proof }) => proof),
    );
    expect(proofs.map((proof) => typeof proof)).toEqual(Array(5).fill('string'));
    expect(new Set(proofs).size).toBe(5);
    expect([...(after.get(1)?.proofs.keys() ?? [])].sort()).toEqual([2, 4, 5]);
  });

  it('is refused where there is nothing to prove, and where nothing can be', async () => {
    await expect(starting('keygen', [1, 2], [1, 2], { version: 1 })).rejects.toThrow(/openings/);
    await expect(starting('keygen', [1, 2], [1, 2], { suite: 'bls12-381' })).rejects.toThrow(
      /no proof of openings/,
    );
  });

  it('has records in one spelling', async () => {
    const spelled = (change: (record: Record<string, unknown>) => void): Promise<Group> => {
      const copy = JSON.parse(JSON.stringify(record)) as Record<string, unknown>;
      change(copy);
      return parseGroup(copy as never, 'record');
    };
    const member = (copy: Record<string, unknown>) =>
      (copy['members'] as Record<string, unknown>[])[0] as Record<string, unknown>;
    await expect(spelled((copy) => (copy['version'] = 1))).rejects.toThrow(
      /version and its proofs/,
    );
    await expect(spelled((copy) => delete member(copy)['proof'])).rejects.toThrow(/proofs/);
    await expect(
      spelled((copy) => {
        for (const each of copy['members'] as Record<string, unknown>[]) each['proof'] = null;
      }),
    ).rejects.toThrow(/proofs/);
  });
});

function changedAt(bytes: Uint8Array, at: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[at] = (copy[at] as number) ^ 1;
  return copy;
}

describe('parties with files', () => {
  let here: Room;
  let [ann, ben] = [] as unknown as [TestParty, TestParty];
  const net = (name: string): string => join(here.net, name);

  beforeAll(async () => {
    here = await room(['Ann', 'Ben']);
    [ann, ben] = here.people as unknown as [TestParty, TestParty];
  });
  afterAll(() => {
    here.remove();
  });

  it('wait for the proof, take no other for it, and end with all of them beside the record', async () => {
    const folder = net('keygen');
    const begin = {
      suite: 'ed25519',
      threshold: 2,
      party: [ann.pub, ben.pub],
      proveOpenings: true,
    };
    const { facts } = await phase(thresholdKeygen, 'start', ann, folder, begin);
    expect(facts.join()).toMatch(/comes with a proof/);
    await phase(thresholdKeygen, 'start', ben, folder, { in: [startFile(folder)] });
    const proofOf = (number: number): string | undefined =>
      readdirSync(folder).find((name) => name.endsWith(`from-${number}.proof`));
    for (let turn = 0; proofOf(2) === undefined && turn < 8; turn++) {
      for (const person of [ann, ben]) {
        await phase(thresholdKeygen, 'round', person, folder).catch(() => undefined);
      }
    }
    const proof = join(folder, proofOf(2) ?? '');
    // Somebody carries another file under the name of Ben's proof.
    const good = readFileSync(proof);
    writeFileSync(proof, changedAt(good, 5000));
    const refusal = await phase(thresholdKeygen, 'round', ann, folder).catch((e: unknown) => e);
    expect(refusal).toMatchObject({
      code: 'E_SESSION_INCOMPLETE',
      exitCode: 75,
      message: expect.stringMatching(/Ben.*proof/) as unknown,
    });
    rmSync(proof);
    await expect(phase(thresholdKeygen, 'round', ann, folder)).rejects.toMatchObject({
      exitCode: 75,
    });
    writeFileSync(proof, good);
    await rounds(thresholdKeygen, [ann, ben], folder);
    for (const person of [ann, ben]) {
      await phase(thresholdKeygen, 'finish', person, folder, { name: 'treasury' });
      expect(readdirSync(person.place.at('session-keygen'))).toEqual([]);
    }
    const out = ann.place.at('out-keygen');
    expect(readdirSync(out).sort()).toEqual([
      'group.json',
      'opening-of-1.proof',
      'opening-of-2.proof',
      'transcript.json',
    ]);
    const graded = async (name: string) => {
      const verdict = await ann.place.run(verify, { targets: [join(out, name)] });
      const [file] = verdict.verdicts;
      const claim = file?.claims.find(({ claim }) => claim.includes('commitment opens'));
      return [verdict.ok, claim?.grade, claim?.ok];
    };
    for (const name of ['group.json', 'transcript.json']) {
      expect(await graded(name)).toEqual([true, 'proven', true]);
    }
    const one = await ann.place.run(verify, { targets: [join(out, 'opening-of-1.proof')] });
    expect(one).toMatchObject({ ok: true, verdicts: [{ kind: 'opening-proof' }] });
    const shown = JSON.stringify(await ann.place.run(show, { targets: [join(out, 'group.json')] }));
    expect(shown).toContain('"commitments":"with proofs"');
    // A proof that is not there leaves the word of those who acknowledged; another one is no proof at all.
    const kept = readFileSync(join(out, 'opening-of-2.proof'));
    copyFileSync(join(out, 'opening-of-1.proof'), join(out, 'opening-of-2.proof'));
    for (const name of ['group.json', 'transcript.json']) {
      expect(await graded(name)).toEqual([false, 'proven', false]);
    }
    // Nor is one that the record names, and that nobody can read.
    const text = readFileSync(join(out, 'group.json'), 'utf8');
    const junk = good.subarray(0, 100);
    writeFileSync(join(out, 'opening-of-2.proof'), junk);
    const named = text.replace(toHex(sha256(good)), toHex(sha256(junk)));
    expect(named).not.toBe(text);
    writeFileSync(join(out, 'group.json'), named);
    expect(await graded('group.json')).toEqual([false, 'proven', false]);
    writeFileSync(join(out, 'group.json'), text);
    rmSync(join(out, 'opening-of-2.proof'));
    expect(await graded('group.json')).toEqual([true, 'recorded', true]);
    writeFileSync(join(out, 'opening-of-2.proof'), kept);
  });

  it('prove again at the next change without being asked', async () => {
    const folder = net('refresh');
    const { facts } = await phase(thresholdRefresh, 'start', ann, folder, { key: 'treasury' });
    expect(facts.join()).toMatch(/comes with a proof/);
  });

  it.each([
    ['with one bit changed', (proof: Uint8Array) => changedAt(proof, 5000)],
    ['cut short', (proof: Uint8Array) => proof.slice(0, -1)],
    ['that is none', () => new Uint8Array(10)],
  ])('name whoever sends a proof %s, under a digest that fits', async (_, spoil) => {
    const start = await starting('keygen', [1, 2], [1, 2]);
    let digest: Uint8Array = new Uint8Array(32);
    const outcome = await keygen(start, {
      enclose: (from, proof) => {
        if (from !== 2) return undefined;
        const spoilt = spoil(proof);
        digest = sha256(spoilt);
        return spoilt;
      },
      deliver: ({ from, received }) =>
        from === 2 && received.header.type === 'confirm'
          ? { ...received, body: replaced(received.body, 2, digest) }
          : undefined,
    }).catch((error: unknown) => error);
    expect(outcome).toMatchObject({ code: 'E_THRESHOLD_CULPRIT', details: { culprits: [2] } });
  });

  it('name whoever confirms the proof of another, which the other does not lose by it', async () => {
    const start = await starting('keygen', [1, 2, 3], [1, 2, 3]);
    let copied: Uint8Array = new Uint8Array(0);
    const liar = {
      enclose: (from: number, proof: Uint8Array): Uint8Array | undefined => {
        if (from === 1) copied = proof;
        return from === 3 ? copied : undefined;
      },
      deliver: ({ from, received }: { from: number; received: ReceivedMessage }) =>
        from === 3 && received.header.type === 'confirm'
          ? { ...received, body: replaced(received.body, 2, sha256(copied)) }
          : undefined,
    };
    const outcome = await keygen(start, liar).catch((error: unknown) => error);
    expect(outcome).toMatchObject({ code: 'E_THRESHOLD_CULPRIT', details: { culprits: [3] } });
    // And as files: one comes in, and both named it.
    const kept = new Map<number, Uint8Array>();
    const hold = {
      state: { self: 2 },
      proof: (number: number) => kept.get(number),
      keepProof: (number: number, bytes: Uint8Array) => kept.set(number, bytes),
    };
    const confirmation = (sender: number) => ({
      header: { round: 3, type: 'confirm', sender, recipient: null },
      body: encodeCbor([random(32), random(32), sha256(copied)]),
    });
    const take = () =>
      takeProofs(
        { hold, start } as never,
        [{ file: 'one.proof', bytes: copied }],
        [1, 3].map(confirmation) as never,
      );
    expect(take()).toEqual([]);
    expect([...kept]).toEqual([1, 3].map((number) => [number, copied]));
    expect(take()).toEqual([{ file: 'one.proof', why: 'known already' }]);
  });

  it('name whoever commits to something else than its share', async () => {
    // A protocol's liar has a right signature and a right digest: only the proof tells.
    const start = await starting('keygen', [1, 2], [1, 2]);
    const wrong = shareCommitment(start.suite, random(32), 2, random(55));
    const outcome = await keygen(start, {
      deliver: ({ from, received }) =>
        from === 2 && received.header.type === 'confirm'
          ? { ...received, body: replaced(received.body, 1, wrong) }
          : undefined,
    }).catch((error: unknown) => error);
    expect(outcome).toMatchObject({ code: 'E_THRESHOLD_CULPRIT', details: { culprits: [2] } });
  });
});

/** A CBOR array of byte strings of 32 bytes with one of them exchanged. */
function replaced(body: Uint8Array, index: number, bytes: Uint8Array): Uint8Array {
  const copy = body.slice();
  copy.set(bytes, 1 + index * 34 + 2);
  return copy;
}
