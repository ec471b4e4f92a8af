/** Signatures of one round, with nonces that each signer prepared: what is asked of whom, and every second use that is refused. */
import { spawnSync } from 'node:child_process';
import { createHash, createPublicKey, verify } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { thresholdPrepare } from '#actions/threshold-prepare';
import type { PrepareResult } from '#actions/threshold-prepare';
import { thresholdRefresh } from '#actions/threshold-refresh';
import { thresholdSign } from '#actions/threshold-sign';
import { show } from '#actions/show';
import { verify as verifyAction } from '#actions/verify';
import { BatchHold } from '#actions/threshold/batch-state';
import type { PhaseResult } from '#actions/threshold/phases';
import { openOwnIdentity } from '#actions/threshold/session';
import { canonicalJson, type Json } from '#formats/canonical-json';
import { filesBelow, formsIn } from '../support/canary.js';
import { hasProgram, needs, root } from '../support/require.js';
import { keyed, phase, room, type Room, session, startFile, type TestParty } from './party.js';

const MESSAGE = 'pay the miller';
const DIGEST = `sha256:${createHash('sha256').update(MESSAGE).digest('hex')}`;

const python = needs('python3', hasProgram('python3'), 'the independent reader is written in it');

let here: Room;
let people: readonly [TestParty, TestParty];
let memory: string;
let message: string;
/** Public batch files of everybody. */
let shelf: string;
const batches = new Map<TestParty, PrepareResult>();

const prepare = async (
  person: TestParty,
  input: Readonly<Record<string, unknown>> = {},
): Promise<PrepareResult> =>
  (await person.place.run(
    thresholdPrepare as never,
    {
      task: 'make',
      prepared: person.place.at('batch'),
      key: 'key-ed25519',
      count: 12,
      memory,
      outDir: shelf,
      ...input,
    },
    person.options,
  )) as PrepareResult;

const list = (person: TestParty, prepared = person.place.at('batch')): Promise<PrepareResult> =>
  prepare(person, { task: 'list', prepared });

let turns = 0;
/** Ann proposes to sign with Ben. */
async function propose(
  more: Readonly<Record<string, unknown>> = {},
): Promise<{ readonly net: string; readonly begun: PhaseResult }> {
  const [ann] = people;
  const net = join(here.net, `pay-${++turns}`);
  const begun = await phase(thresholdSign, 'start', ann, net, {
    key: 'key-ed25519',
    message,
    quorum: '1,2',
    batch: [shelf],
    prepared: ann.place.at('batch'),
    ...more,
  });
  return { net, begun };
}

const answer = (
  person: TestParty,
  net: string,
  more: Readonly<Record<string, unknown>> = {},
): Promise<PhaseResult> =>
  phase(thresholdSign, 'start', person, net, {
    in: [net],
    expect: DIGEST,
    prepared: person.place.at('batch'),
    ...more,
  });

const refusal = async (what: Promise<unknown>): Promise<unknown> =>
  await what.then(
    () => 'nothing was refused',
    (error: unknown) => error,
  );

/** The pair that a start message names for a party. */
function pairOf(net: string, number: number): { batch: string; index: number } {
  const { prepared } = JSON.parse(readFileSync(startFile(net), 'utf8')) as {
    prepared: { number: number; batch: string; index: number }[];
  };
  return prepared.find((each) => each.number === number) as never;
}

/** A start message in which something is written otherwise. */
function rewritten(net: string, change: (start: Record<string, Json>) => void): string {
  const start = JSON.parse(readFileSync(startFile(net), 'utf8')) as Record<string, Json>;
  change(start);
  const folder = mkdtempSync(join(tmpdir(), 'conclave-net-lie-'));
  for (const name of readdirSync(net)) {
    if (name.includes('-0-batch-')) cpSync(join(net, name), join(folder, name));
  }
  writeFileSync(join(folder, 'lie-start.json'), `${canonicalJson(start)}\n`);
  return folder;
}
const pairsIn = (start: Record<string, Json>): Record<string, Json>[] =>
  start['prepared'] as Record<string, Json>[];

beforeAll(async () => {
  here = await room(['Ann', 'Ben']);
  people = here.people as never;
  await keyed(here, 2, 2);
  memory = mkdtempSync(join(tmpdir(), 'conclave-memory-'));
  shelf = join(here.net, 'shelf');
  message = join(here.net, 'message');
  writeFileSync(message, MESSAGE);
  for (const person of people) batches.set(person, await prepare(person));
});
afterAll(() => {
  here.remove();
  rmSync(memory, { recursive: true });
});

describe('with prepared nonces', () => {
  it('a quorum signs in one round, and the signature is an ordinary one', async () => {
    const [ann, ben] = people;
    const { net, begun } = await propose();
    expect(begun.done).toBe(false);
    expect(begun.facts.at(-1)).toMatch(/^prepared nonces: 1 pair \d+ of [0-9a-f]{16}, 2 pair/);
    // The start message, both batches, and Ann's share: all that Ben needs.
    expect(readdirSync(net)).toHaveLength(4);
    const answered = await answer(ben, net);
    expect(answered).toMatchObject({ done: true, waiting: [] });
    expect(answered.wrote).toHaveLength(1);
    const { key } = batches.get(ann) as PrepareResult;
    for (const person of [ann, ben]) {
      const end = await phase(thresholdSign, 'finish', person, net, { out: person.place.at('s') });
      expect(end.done).toBe(true);
    }
    const signature = readFileSync(ann.place.at('s'));
    expect(signature.equals(readFileSync(ben.place.at('s')))).toBe(true);
    const group = JSON.parse(
      readFileSync(join(ann.place.at('out-keygen-ed25519'), 'group.json'), 'utf8'),
    ) as { publicKey: string; key: string };
    expect(group.key).toBe(key);
    const spki = Buffer.concat([
      Buffer.from('302a300506032b6570032100', 'hex'),
      Buffer.from(group.publicKey, 'hex'),
    ]);
    const opened = createPublicKey({ key: spki, format: 'der', type: 'spki' });
    expect(verify(null, Buffer.from(MESSAGE), opened, signature)).toBe(true);
    expect((await list(ben)).left).toHaveLength(11);
    expect((await list(ann)).left).not.toContain(pairOf(net, 1).index);
  });

  it.runIf(python)('a reader that is not ours puts the same signature together', async () => {
    const [ann, ben] = people;
    const { net } = await propose();
    await answer(ben, net);
    await phase(thresholdSign, 'finish', ann, net, { out: ann.place.at('again') });
    const read = (): string =>
      spawnSync('python3', ['-B', join(root, 'test/independent/verify_prepared.py'), net], {
        encoding: 'utf8',
      }).stdout;
    const signature = readFileSync(ann.place.at('again')).toString('hex');
    expect(read()).toBe(`ok  ${net}: ${signature}\n`);
    // And refuses what does not hold: a share with another bit, another index.
    const share = readdirSync(net).find((name) => name.includes('share-from-2')) ?? '';
    const told = readFileSync(join(net, share));
    const bent = Buffer.from(told);
    bent[bent.length - 1] = (bent.at(-1) ?? 0) ^ 1;
    writeFileSync(join(net, share), bent);
    expect(read()).toContain('is not signed by party 2');
    writeFileSync(join(net, share), told);
    const lie = rewritten(net, (start) => {
      for (const pair of pairsIn(start)) pair['index'] = ((pair['index'] as number) + 1) % 12;
    });
    cpSync(join(lie, 'lie-start.json'), startFile(net));
    rmSync(lie, { recursive: true });
    expect(read()).toContain('a pair is not that of its batch');
  });

  it('its seeds and keys stay sealed', async () => {
    const [ann, ben] = people;
    const context = ann.place.context(ann.options);
    const secrets: Uint8Array[] = [];
    using identity = await openOwnIdentity(context);
    {
      using hold = await BatchHold.open(ann.place.at('batch'), identity, context);
      const { signing, opening, seeds } = hold.state;
      for (const each of [signing, opening, ...seeds]) {
        each?.use((bytes) => secrets.push(bytes.slice()));
      }
    }
    expect(secrets.length).toBeGreaterThan(10);
    for (const folder of [here.net, ann.place.folder, ben.place.folder, memory]) {
      for (const path of filesBelow(folder)) {
        const content = readFileSync(join(folder, path));
        for (const bytes of secrets) expect([path, formsIn(content, bytes)]).toEqual([path, []]);
      }
    }
  });

  it('a batch is shown and verified, and not when a bit of it was changed', async () => {
    const [ann] = people;
    const made = batches.get(ann) as PrepareResult;
    const shown = await ann.place.run(show, { targets: [made.file ?? ''] });
    expect(JSON.stringify(shown)).toContain(`"batch":"${made.batch}"`);
    expect((await ann.place.run(verifyAction, { targets: [made.file ?? ''] })).ok).toBe(true);
    const bytes = readFileSync(made.file ?? '');
    // The last byte of the last pair: no other member of the file comes between it and the identity's opening brace.
    const at = bytes.indexOf('{"created"') - 4;
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    const bent = join(here.net, 'bent.cbor');
    writeFileSync(bent, bytes);
    const verdict = await ann.place.run(verifyAction, { targets: [bent] });
    expect(verdict.ok).toBe(false);
  });

  it('without a word about a second place none is made', async () => {
    const [ann] = people;
    const made = prepare(ann, { prepared: ann.place.at('other'), memory: undefined });
    expect(await refusal(made)).toMatchObject({ code: 'E_MEMORY_NEEDED', exitCode: 2 });
    expect(existsSync(ann.place.at('other'))).toBe(false);
    const none = { prepared: ann.place.at('other'), memory: 'none', count: 1 };
    expect(await prepare(ann, none)).toMatchObject({ memory: null, left: [0] });
    expect(await refusal(prepare(ann, none))).toMatchObject({ code: 'E_SESSION_EXISTS' });
    const [, ben] = people;
    const other = prepare(ben, { task: 'list', prepared: ann.place.at('other') });
    expect(await refusal(other)).toMatchObject({ code: 'E_SESSION_NOT_OURS', exitCode: 77 });
  });
});

describe('a pair signs once', () => {
  it('two who propose the same: the second is refused, and nothing else is lost', async () => {
    const [, ben] = people;
    const one = await propose();
    const named = pairOf(one.net, 2);
    const spare = (await list(ben)).left.filter((index) => index !== named.index);
    // Somebody who does not know what Ann proposed.
    const net = rewritten(one.net, (start) => (start['session'] = 'ef'.repeat(32)));
    await answer(ben, one.net);
    const second = await refusal(answer(ben, net, { session: ben.place.at('second') }));
    expect(second).toMatchObject({ code: 'E_BATCH_USED', exitCode: 77, details: { left: spare } });
    expect(existsSync(join(ben.place.at('second'), 'state'))).toBe(false);
    expect(readdirSync(net).filter((name) => name.includes('share-from-2'))).toEqual([]);
    expect((await list(ben)).left).toEqual(spare);
    // Nor is a pair lost by answering into a folder that is taken.
    const next = await propose();
    const taken = { session: ben.place.at(`session-${one.net.split('/').at(-1) ?? ''}`) };
    expect(await refusal(answer(ben, next.net, taken))).toMatchObject({ code: 'E_SESSION_EXISTS' });
    expect((await list(ben)).left).toEqual(spare);
  });

  it('a copy of the batch is refused by the second place, and by the home', async () => {
    const [, ben] = people;
    cpSync(ben.place.at('batch'), ben.place.at('batch-old'), { recursive: true });
    const { net } = await propose();
    const { index } = pairOf(net, 2);
    await answer(ben, net);
    // Another session that names the same pair.
    const lie = rewritten(net, (start) => (start['session'] = 'ab'.repeat(32)));
    const copied = { prepared: ben.place.at('batch-old'), outDir: join(here.net, 'none') };
    const again = await refusal(answer(ben, lie, { ...copied, session: ben.place.at('copy') }));
    expect(again).toMatchObject({ code: 'E_NONCE_USED', exitCode: 77 });
    expect(existsSync(join(here.net, 'none'))).toBe(false);
    // The copy lost the pair all the same.
    expect((await list(ben, ben.place.at('batch-old'))).left).not.toContain(index);
    // The second place is gone: nothing is taken out of the batch.
    const { net: next } = await propose();
    const before = (await list(ben)).left;
    cpSync(memory, `${memory}-away`, { recursive: true });
    rmSync(memory, { recursive: true });
    for (const empty of [false, true]) {
      if (empty) mkdirSync(memory);
      const gone = await refusal(answer(ben, next, { session: ben.place.at('gone') }));
      expect(gone).toMatchObject({ code: 'E_MEMORY_MISSING', exitCode: 66 });
    }
    rmSync(memory, { recursive: true });
    cpSync(`${memory}-away`, memory, { recursive: true });
    rmSync(`${memory}-away`, { recursive: true });
    expect((await list(ben)).left).toEqual(before);
    expect(await answer(ben, next, { session: ben.place.at('gone') })).toMatchObject({
      done: true,
    });
  });

  it('a home and a batch from a backup, and the second place is not', async () => {
    const [, ben] = people;
    const { net } = await propose();
    const backup = mkdtempSync(join(tmpdir(), 'conclave-backup-'));
    cpSync(ben.place.folder, backup, { recursive: true });
    await answer(ben, net);
    const signed = readdirSync(net).filter((name) => name.includes('share-from-2'));
    rmSync(ben.place.folder, { recursive: true });
    cpSync(backup, ben.place.folder, { recursive: true });
    rmSync(backup, { recursive: true });
    const lie = rewritten(net, (start) => (start['session'] = 'cd'.repeat(32)));
    const none = { outDir: join(here.net, 'none'), session: ben.place.at('restored') };
    expect(await refusal(answer(ben, lie, none))).toMatchObject({ code: 'E_NONCE_USED' });
    expect(signed).toHaveLength(1);
    expect(existsSync(join(here.net, 'none'))).toBe(false);
  });
});

describe('whoever proposes and lies', () => {
  it('names other commitments, another index, a batch of somebody else, or leaves one out', async () => {
    const [ann, ben] = people;
    const { net } = await propose();
    const before = (await list(ben)).left;
    const spare = before.find((index) => index !== pairOf(net, 2).index) ?? 0;
    const pair = (start: Record<string, Json>, number: number): Record<string, Json> =>
      pairsIn(start).find((each) => each['number'] === number) as never;
    const cases: readonly (readonly [string, string])[] = [
      [
        'E_BATCH_DIFFERS',
        rewritten(net, (start) => (pair(start, 2)['hiding'] = pair(start, 1)['hiding'] as Json)),
      ],
      ['E_BATCH_DIFFERS', rewritten(net, (start) => (pair(start, 2)['index'] = spare))],
      [
        'E_BATCH_DIFFERS',
        rewritten(net, (start) => (pair(start, 1)['binding'] = pair(start, 2)['binding'] as Json)),
      ],
      ['E_BATCH_FOREIGN', rewritten(net, (start) => (pair(start, 2)['batch'] = '77'.repeat(32)))],
      [
        'E_BATCH_FOREIGN',
        rewritten(net, (start) => (pair(start, 2)['batch'] = pair(start, 1)['batch'] as Json)),
      ],
      [
        'E_SESSION_INCOMPLETE',
        rewritten(net, (start) => (pair(start, 1)['batch'] = '7f'.repeat(32))),
      ],
      ['E_START_MALFORMED', rewritten(net, (start) => void pairsIn(start).pop())],
      ['E_SCHEMA_MISMATCH', rewritten(net, (start) => (pair(start, 2)['index'] = 100))],
      ['E_START_MALFORMED', rewritten(net, (start) => (start['version'] = 1))],
      ['E_START_MALFORMED', rewritten(net, (start) => (start['version'] = 2))],
      [
        'E_START_MALFORMED',
        rewritten(net, (start) => (pair(start, 2)['hiding'] = `01${'00'.repeat(31)}`)),
      ],
    ];
    for (const [code, lie] of cases) {
      const at = { session: ben.place.at('lied-to'), outDir: join(here.net, 'none') };
      expect([code, await refusal(answer(ben, lie, at))]).toMatchObject([code, { code }]);
      rmSync(lie, { recursive: true });
    }
    // Somebody else's folder for one's own, and a digest that was not expected.
    const wrong = { session: ben.place.at('lied-to'), expect: `sha256:${'00'.repeat(32)}` };
    expect(await refusal(answer(ben, net, wrong))).toMatchObject({ code: 'E_MESSAGE_OTHER' });
    const bare = { session: ben.place.at('lied-to'), prepared: undefined };
    expect(await refusal(answer(ben, net, bare))).toMatchObject({ code: 'E_PREPARED_MISSING' });
    expect((await list(ben)).left).toEqual(before);
    expect(existsSync(join(here.net, 'none'))).toBe(false);
    // And who has said too little to begin.
    const half = refusal(propose({ prepared: undefined }));
    expect(await half).toMatchObject({ code: 'E_PREPARED_MISSING' });
    expect(await refusal(propose({ batch: [message] }))).toMatchObject({
      code: 'E_BATCH_MISSING',
      exitCode: 66,
    });
    expect(await refusal(propose({ memory }))).toMatchObject({ code: 'E_MEMORY_PREPARED' });
    expect((await list(ann)).left.length).toBeGreaterThan(0);
  });

  it('puts something else beside the messages: no pair is lost by it', async () => {
    const [, ben] = people;
    const { net } = await propose();
    const before = (await list(ben)).left;
    const share = readdirSync(net).find((name) => name.includes('share-from-1')) ?? '';
    const bent = readFileSync(join(net, share));
    bent[bent.length - 1] = (bent.at(-1) ?? 0) ^ 1;
    const notes = { E_CBOR_MALFORMED: Buffer.from('a note'), E_MESSAGE_FORGED: bent };
    for (const [code, bytes] of Object.entries(notes)) {
      writeFileSync(join(net, 'note'), bytes);
      expect(await refusal(answer(ben, net))).toMatchObject({ code });
    }
    expect((await list(ben)).left).toEqual(before);
    rmSync(join(net, 'note'));
    expect(await answer(ben, net)).toMatchObject({ done: true });
  });

  it('a session without prepared nonces takes none', async () => {
    const [ann, ben] = people;
    const net = join(here.net, 'plain');
    await phase(thresholdSign, 'start', ann, net, { key: 'key-ed25519', message, quorum: '1,2' });
    const mine = { in: [startFile(net)], expect: DIGEST, prepared: ben.place.at('batch') };
    expect(await refusal(phase(thresholdSign, 'start', ben, net, mine))).toMatchObject({
      code: 'E_START_NOT_PREPARED',
    });
  });
});

describe('once it is over', () => {
  it('a batch that was ended signs no more, nor does a copy of it', async () => {
    const [ann, ben] = people;
    const short = { prepared: ann.place.at('short') };
    const { file } = await prepare(ann, { ...short, count: 1 });
    const begins = { key: 'key-ed25519', message, batch: [file] };
    const net = join(here.net, 'late');
    await phase(thresholdSign, 'start', ben, net, { ...begins, prepared: ben.place.at('batch') });
    const copied = { prepared: ann.place.at('short-old') };
    cpSync(short.prepared, copied.prepared, { recursive: true });
    const end = { ...short, task: 'end' };
    expect(await prepare(ann, end)).toMatchObject({ task: 'end', left: [] });
    expect(await refusal(answer(ann, net, short))).toMatchObject({ code: 'E_SESSION_NOT_FOUND' });
    expect(await refusal(answer(ann, net, copied))).toMatchObject({ code: 'E_MEMORY_MISSING' });
  });

  it('nothing of a batch is used after the shares have changed', async () => {
    const [ann, ben] = people;
    const { net } = await propose();
    await session(thresholdRefresh, people, join(here.net, 'refresh'), { key: 'key-ed25519' });
    // The old start is about shares that nobody has any more.
    const old = { session: ben.place.at('stale') };
    expect(await refusal(answer(ben, net, old))).toMatchObject({ code: 'E_GROUP_DIFFERS' });
    // And for the new ones no pair is found.
    expect(await refusal(propose())).toMatchObject({ code: 'E_BATCH_MISSING' });
    const fresh = await prepare(ann, { prepared: ann.place.at('fresh'), count: 1 });
    const more = await prepare(ben, { prepared: ben.place.at('fresh'), count: 1 });
    const last = await propose({
      prepared: ann.place.at('fresh'),
      batch: [fresh.file, more.file],
    });
    // The start is about the new shares, and names a pair of Ben's old batch.
    const { batch } = batches.get(ben) as PrepareResult;
    const lie = rewritten(last.net, (start) => {
      for (const pair of pairsIn(start)) if (pair['number'] === 2) pair['batch'] = batch;
    });
    const stale = { session: ben.place.at('stale') };
    expect(await refusal(answer(ben, lie, stale))).toMatchObject({ code: 'E_BATCH_STALE' });
    const fine = { prepared: ben.place.at('fresh') };
    expect(await answer(ben, last.net, fine)).toMatchObject({ done: true });
  });
});
