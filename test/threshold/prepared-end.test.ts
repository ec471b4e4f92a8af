/** A batch in its later life: its public file is written again, and its end does not cut off a session unasked. */
import { createHash } from 'node:crypto';
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
import { thresholdSign } from '#actions/threshold-sign';
import type { RunOptions } from '../support/home.js';
import { keyed, phase, room, type Room, type TestParty } from './party.js';

const MESSAGE = 'pay the miller';
const DIGEST = `sha256:${createHash('sha256').update(MESSAGE).digest('hex')}`;
const KEY = 'key-ristretto255';

let here: Room;
let ann: TestParty;
let ben: TestParty;
let memory: string;
let shelf: string;

const prepare = async (
  { place, options }: TestParty,
  task: string,
  input: Readonly<Record<string, unknown>> = {},
  more: RunOptions = {},
) =>
  await place.run(
    thresholdPrepare,
    { task, prepared: place.at('batch'), count: 3, outDir: shelf, ...input },
    { ...options, ...more },
  );

beforeAll(async () => {
  here = await room(['Ann', 'Ben']);
  [ann, ben] = here.people as [TestParty, TestParty];
  await keyed(here, 2, 2, 'ristretto255');
  memory = mkdtempSync(join(tmpdir(), 'conclave-memory-'));
  shelf = join(here.net, 'shelf');
  for (const person of [ann, ben]) await prepare(person, 'make', { key: KEY, memory });
});
afterAll(() => {
  here.remove();
  rmSync(memory, { recursive: true });
});

describe('the public file of a batch', () => {
  it('is written again from the folder, byte for byte, and over nothing else', async () => {
    const name = readdirSync(shelf).find((each) => each.endsWith('-of-1.cbor')) ?? '';
    const first = readFileSync(join(shelf, name));
    rmSync(join(shelf, name));
    const again = await prepare(ann, 'public');
    expect(again).toMatchObject({ task: 'public', file: join(shelf, name), left: [0, 1, 2] });
    expect(readFileSync(join(shelf, name)).equals(first)).toBe(true);
    expect(await prepare(ann, 'public')).toEqual(again);
    // Listing writes none.
    const empty = join(here.net, 'empty');
    mkdirSync(empty);
    expect(await prepare(ann, 'list', { outDir: empty })).toMatchObject({ file: null });
    expect(readdirSync(empty)).toEqual([]);
    writeFileSync(join(empty, name), 'something else');
    const over = prepare(ann, 'public', { outDir: empty });
    await expect(over).rejects.toMatchObject({ code: 'E_FILE_EXISTS', exitCode: 73 });
  });

  it('is what a batch that was made already offers', async () => {
    const twice = prepare(ann, 'make', { key: KEY, memory });
    await expect(twice).rejects.toMatchObject({
      code: 'E_SESSION_EXISTS',
      hint: expect.stringContaining('threshold prepare public'),
    });
  });
});

describe('the end of a batch', () => {
  const net = (name: string): string => join(here.net, name);
  /** Ann proposes, and Ben answers; both have spent a pair. */
  const signed = async (name: string): Promise<void> => {
    writeFileSync(net('message'), MESSAGE);
    const begins = { key: KEY, message: net('message'), batch: [shelf] };
    const mine = { prepared: ann.place.at('batch') };
    await phase(thresholdSign, 'start', ann, net(name), { ...begins, ...mine });
    const answers = { in: [net(name)], expect: DIGEST, prepared: ben.place.at('batch') };
    await phase(thresholdSign, 'start', ben, net(name), answers);
  };

  it('is asked for while a session that took from it goes on, and the session can end first', async () => {
    await signed('pay');
    const left = (await prepare(ann, 'list')).left;
    const [taken] = [0, 1, 2].filter((index) => !left.includes(index));
    const unasked = prepare(ann, 'end');
    await expect(unasked).rejects.toMatchObject({
      code: 'E_BATCH_OPEN',
      exitCode: 2,
      message: `the session that took pair ${taken ?? ''} has not been finished here, and could not go on without the batch`,
      details: { open: [taken] },
    });
    const declined = prepare(ann, 'end', {}, { confirms: false });
    await expect(declined).rejects.toMatchObject({ code: 'E_BATCH_END_DECLINED', exitCode: 130 });
    expect((await prepare(ann, 'list')).left).toEqual(left);
    const end = await phase(thresholdSign, 'finish', ann, net('pay'), { out: net('pay.sig') });
    expect(end.done).toBe(true);
    expect(await prepare(ann, 'end')).toMatchObject({ task: 'end', left: [] });
    expect(existsSync(join(ann.place.at('batch'), 'state'))).toBe(false);
  });

  it('that is meant cuts the session off, as was said', async () => {
    const copy = `${ben.place.folder}-before`;
    cpSync(ben.place.folder, copy, { recursive: true });
    const finish = () => phase(thresholdSign, 'finish', ben, net('pay'), { out: net('again.sig') });
    expect(await prepare(ben, 'end', {}, { confirms: true })).toMatchObject({ left: [] });
    await expect(finish()).rejects.toMatchObject({ code: 'E_MEMORY_MISSING', exitCode: 66 });
    rmSync(ben.place.folder, { recursive: true });
    cpSync(copy, ben.place.folder, { recursive: true });
    rmSync(copy, { recursive: true });
    // The place has forgotten the batch; whoever says so in words is not asked.
    expect(await prepare(ben, 'end', { yes: true })).toMatchObject({ task: 'end' });
  });

  it('where nothing else remembers its pairs, takes nothing from a session and asks nothing', async () => {
    // Public files of batches that have ended are taken away, as their end says.
    for (const name of readdirSync(shelf)) rmSync(join(shelf, name));
    await prepare(ann, 'make', { key: KEY, memory: 'none', count: 1 });
    await prepare(ben, 'make', { key: KEY, memory: 'none', count: 1 });
    await signed('late');
    expect(await prepare(ann, 'end')).toMatchObject({ left: [] });
    const end = await phase(thresholdSign, 'finish', ann, net('late'), { out: net('late.sig') });
    expect(end.done).toBe(true);
  });
});
