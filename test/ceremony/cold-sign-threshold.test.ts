/**
 * The cage with a threshold key: two custodians of three with their key files, the wrong file and the wrong words first, and the
 * power gone at sampled writes. What is left is read by ours and by node's own Ed25519; `.ci/independent` has it read by the second
 * verifiers in plain Python.
 */
import { createPublicKey, verify as nodeVerify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { sha256 } from '#crypto/hash';
import { toHex } from '#formats/bytes';
import { SecretBytes } from '#formats/secret-bytes';
import { decodeRequest, encodeRequest } from '#protocols/inhead/request';
import { decodeTrace } from '#protocols/inhead/trace-file';
import { formsIn } from '../support/canary.js';
import { root, spread, thorough } from '../support/require.js';
import { type Checked, checkSession, problemsOf } from './evidence.js';
import { type Change, Disk, place, lastEntry } from './memory-host.js';
import { butFor, type Player, type PlayedTerminal, playedTerminal } from './people.js';
import { furnish, roomContext, runIn } from './room.js';

const OUT = '/out';
const answersFolder = join(root, 'ceremonies/answers');
const AUDITORS = 'sha256:ca96eca78cb34428617b4c7a51a520222b7e9ec3e0a421fbe91e2dde3f986887';
const input = {
  ceremony: 'cold-sign-threshold',
  outDir: OUT,
  rehearse: true,
  param: [
    'request=/people/release.request',
    'group=/people/group.json',
    'keys=/people/shares',
    'auditors=/people/auditors.pub',
  ],
} as const;

const HERE = ['custodian-1', 'custodian-2'];
/** Names that say nothing: whose file it is only its inside tells. */
const FILES: Readonly<Record<string, string>> = { 'ann.key': '1', 'ben.key': '2' };
let room: Disk;
/** The disk when the shares were about to be opened. */
let ready: Disk | undefined;
/** The disk after each write from then on, until the trace was verified. */
const moments: { readonly at: string; readonly disk: Disk }[] = [];
const secrets: Uint8Array[] = [];
let done: Disk;
let checked: Checked;
let terminal: PlayedTerminal;

const passphrase = (who: string): string =>
  readFileSync(join(answersFolder, `root-key/${who}.txt`), 'utf8').trim();

/** Everybody does what the script wants; which file is picked, one after another, is the caller's. */
function people(files: readonly string[], slips = 0): Player {
  let picked = 0;
  return ({ kind, key, attempt, choices }) => {
    const who = key.split('/')[2] ?? '';
    if (key.startsWith('request/attendance/')) return HERE.includes(who) ? 'here' : 'absent';
    if (key.startsWith('request/approve/')) return HERE.includes(who);
    if (key === 'request/arrive') return 'medium';
    if (/^seal\/[a-z]+-digest$/.test(key)) return AUDITORS;
    if (!key.startsWith('sign/prove')) return undefined;
    if (kind === 'choose') return choices.includes('medium') ? 'medium' : files[picked++];
    if (kind !== 'secret') return undefined;
    if (attempt <= slips) return 'not my words';
    // The words that go with the file that lies there now.
    const file = FILES[files[picked - 1] ?? ''] ?? '';
    return passphrase(`custodian-${file}`);
  };
}

beforeAll(async () => {
  room = new Disk();
  furnish(room);
  for (const folder of ['/people', '/people/shares']) room.folders.add(folder);
  const bring = (name: string, from: string): void => {
    place(room, `/people/${name}`, readFileSync(join(answersFolder, from)));
  };
  bring('release.request', 'cold-sign-threshold/release.request');
  bring('group.json', 'threshold-sign/group.json');
  bring('auditors.pub', 'byok-wrap/recipient.pub');
  for (const [name, number] of Object.entries(FILES)) {
    bring(`shares/${name}`, `threshold-sign/shares/rehearsal-share-${number}.key`);
    secrets.push(...(await opened(`/people/shares/${name}`, number)));
  }
  done = room.copy();
  // The other's file first, and a slip of the finger with each passphrase.
  terminal = playedTerminal(people(['ben.key', 'ann.key', 'ben.key'], 1));
  let proving = false;
  const after = (change: Change, now: Disk): void => {
    const last = lastEntry(change, now);
    if (last.includes('"step":"opened-bag"')) ready = now.copy();
    if (last.includes('"type":"step.started"')) proving = /"step":"(?:prove|verify)"/.test(last);
    if (proving) moments.push({ at: `${change.call} ${change.path}`, disk: now.copy() });
  };
  const context = await roomContext(done, { terminal, host: { faults: { after } } });
  const result = await runIn(context, input);
  expect(result, terminal.shown.slice(-5).join('\n')).toMatchObject({
    ok: true,
    mode: 'rehearsal',
  });
  checked = await checkSession(done, OUT, await context.catalogue());
});

/** x_i and r_i of a key file. */
async function opened(path: string, number: string): Promise<readonly Uint8Array[]> {
  const context = await roomContext(room);
  const { keys } = context.within({
    ask: {
      people: () => [],
      passphrase: () =>
        Promise.resolve(SecretBytes.adopt(Buffer.from(passphrase(`custodian-${number}`)), 'test')),
      newPassphrase: () => Promise.resolve(undefined),
    },
  });
  if (keys.openShare === undefined) throw new Error('no shares here');
  using held = await keys.openShare(path);
  return held.share.opening.use((bytes) => [bytes.slice(0, 32), bytes.slice(32)]);
}

/** Goes on from a disk. */
async function goOn(disk: Disk, player: Player, inject: readonly string[] = []) {
  const context = await roomContext(disk, { terminal: playedTerminal(player) });
  const result = await runIn(context, { ceremony: OUT, outDir: OUT, resume: true, inject });
  return { result, checked: await checkSession(disk, OUT, await context.catalogue()) };
}

/** A witness reads another digest on the other laptop: it ends there, and neither signature nor trace goes anywhere. */
async function differs(disk: Disk, key: string): Promise<void> {
  const { result, checked: found } = await goOn(
    disk,
    butFor(people(['ann.key', 'ben.key']), key, 'no'),
  );
  expect(result).toMatchObject({ ok: false, outcome: 'aborted' });
  // What was recorded holds, that it was aborted with it.
  expect(problemsOf(found.verdict)).toEqual([]);
  const [, step = '', witness = ''] = key.split('/');
  expect(found.of('step.failed').map(({ data }) => data)).toMatchObject([{ step, then: 'abort' }]);
  expect(JSON.stringify(found.of('session.closed')[0]?.data)).toContain(
    `${witness} reads something else`,
  );
  expect(found.of('event').filter(({ data }) => data.event === 'qr.shown')).toEqual([]);
  expect(disk.files.has(`${OUT}/artifacts/trace.wrapped`)).toBe(false);
}

/** All of it in another room, and the disk when the shares were about to be opened there, and when the trace was verified. */
async function held(disk: Disk, param: readonly string[] = []) {
  let start: Disk | undefined;
  let verified: Disk | undefined;
  const after = (change: Change, now: Disk): void => {
    const last = lastEntry(change, now);
    if (last.includes('"step":"opened-bag"')) start = now.copy();
    if (last.includes('"step":"signed-digest"')) verified ??= now.copy();
  };
  const played = playedTerminal(people(['ann.key', 'ben.key']));
  const context = await roomContext(disk, { terminal: played, host: { faults: { after } } });
  const result = await runIn(context, { ...input, param: [...input.param, ...param] });
  expect(result, played.shown.slice(-5).join('\n')).toMatchObject({ ok: true });
  return {
    start,
    verified,
    played,
    found: await checkSession(disk, OUT, await context.catalogue()),
  };
}

const before = (): Disk => {
  if (ready === undefined) throw new Error('the moment was missed');
  return ready.copy();
};

const artifact = (disk: Disk, name: string): Uint8Array =>
  disk.files.get(`${OUT}/artifacts/${name}`) ?? new Uint8Array(0);

/** Where a secret lies on a disk besides the key files. */
function leaks(disk: Disk): readonly string[] {
  return [...disk.files].flatMap(([path, bytes]) =>
    secrets.flatMap((secret) =>
      formsIn(Buffer.from(bytes), secret).map((form) => `${path}: ${form}`),
    ),
  );
}

describe('cold-sign-threshold', () => {
  it('signs at level nonces, with a record that holds', () => {
    expect(problemsOf(checked.verdict)).toEqual([]);
    const signature = artifact(done, 'signature');
    const digest = `sha256:${toHex(sha256(signature))}`;
    const [proven] = checked.of('event').filter(({ data }) => data.event === 'trace.proven');
    expect(proven?.data.data).toMatchObject({
      level: 'nonces',
      quorum: '1, 2',
      signature: digest,
    });
    expect(artifact(done, 'trace.wrapped').length).toBeGreaterThan(1e6);
    // Somebody else's Ed25519.
    const { publicKey } = JSON.parse(
      Buffer.from(done.files.get('/people/group.json') ?? []).toString(),
    ) as { publicKey: string };
    const spki = Buffer.from(`302a300506032b6570032100${publicKey}`, 'hex');
    const key = createPublicKey({ key: spki, format: 'der', type: 'spki' });
    expect(nodeVerify(null, Buffer.from('release 1.2\n'), key, signature)).toBe(true);
  });

  it.runIf(thorough)('signs at level quorum where the request is of it', async () => {
    const disk = room.copy();
    const path = '/people/release.request';
    const request = decodeRequest(disk.files.get(path) ?? new Uint8Array(0), path);
    place(disk, path, encodeRequest({ ...request, level: 'quorum' }));
    const { found } = await held(disk);
    expect(problemsOf(found.verdict)).toEqual([]);
    const [proven] = found.of('event').filter(({ data }) => data.event === 'trace.proven');
    expect(proven?.data.data).toMatchObject({ level: 'quorum', quorum: '1, 2' });
    expect(decodeTrace(artifact(disk, 'signature.trace'), 'trace').level).toBe('quorum');
    expect(found.of('event').some(({ data }) => data.event === 'qr.shown')).toBe(true);
  });

  it.runIf(thorough)(
    'makes equal files on two laptops where it is run twin, and ends where a witness finds another digest',
    async () => {
      const disk = room.copy();
      const { start: other, verified, played, found } = await held(disk, ['twin=true']);
      expect(problemsOf(found.verdict)).toEqual([]);
      if (other === undefined || verified === undefined) throw new Error('the moment was missed');
      const { result } = await goOn(other, people(['ann.key', 'ben.key']));
      expect(result).toMatchObject({ ok: true });
      for (const name of ['signature', 'signature.trace']) {
        const [one, two, alone] = [disk, other, done].map((each) =>
          toHex(sha256(artifact(each, name))),
        );
        expect(two, name).toBe(one);
        // Without twins the coins are others, and the nonces are a fixed function all the same.
        expect(alone === one, name).toBe(name === 'signature');
      }
      const heard = played.asked.filter(({ key }) => key.startsWith('sign/twin/'));
      expect(heard.map(({ key }) => key)).toEqual(['sign/twin/witness-1', 'sign/twin/witness-2']);

      await differs(verified, 'sign/twin/witness-2');
    },
  );

  it('names the wrong file and does not take it, and asks again for wrong words', () => {
    const said = terminal.shown.join('\n');
    expect(said).toContain('ben.key is share 2, and custodian-1 has share 1. It was not taken.');
    const asked = terminal.asked.filter(({ key }) => key === 'sign/prove/custodian-2');
    expect(asked.map(({ question }) => question.startsWith('That was not it.'))).toEqual([
      false,
      true,
    ]);
  });

  it('keeps no share and no randomness of one', () => {
    expect(secrets).toHaveLength(4);
    expect(leaks(done)).toEqual([]);
    const said = [...terminal.shown, ...terminal.asked.map(({ question }) => question)].join('\n');
    for (const secret of secrets) expect(formsIn(Buffer.from(said), secret)).toEqual([]);
  });

  it('stops where the right file is damaged, however often it is tried, and signs nothing', async () => {
    const disk = before();
    const other = Buffer.from(disk.files.get('/people/shares/ann.key') ?? []);
    other.write('A', other.length - 60, 'latin1');
    place(disk, '/people/shares/ann.key', other);
    const tries = people(Array.from({ length: 5 }, () => 'ann.key'));
    const { result, checked: found } = await goOn(disk, tries);
    expect(result.ok).toBe(false);
    expect(found.of('step.failed')[0]?.data).toMatchObject({ step: 'prove', then: 'abort' });
    expect(disk.files.has(`${OUT}/artifacts/signature`)).toBe(false);
    expect(leaks(disk)).toEqual([]);
  });

  it(
    'goes on to the same end after the power went while it proved, wrote and verified',
    { timeout: 300_000 },
    async () => {
      // From the step's beginning to the end of its verification: entries, the trace, the signature.
      expect(moments.length).toBeGreaterThan(5);
      const wrong: string[] = [];
      for (const { at, disk } of spread(moments, 2)) {
        expect(leaks(disk)).toEqual([]);
        const { result, checked: found } = await goOn(disk, people(['ann.key', 'ben.key']));
        if (!result.ok || !found.verdict.ok)
          wrong.push(`${at}: ${problemsOf(found.verdict).join('; ')}`);
        const { length } = artifact(disk, 'signature');
        if (length !== 64) wrong.push(`${at}: the signature has ${length} bytes`);
      }
      expect(wrong).toEqual([]);
    },
  );

  it.runIf(thorough)('bears wrong words and a full disk on purpose', async () => {
    const disk = before();
    const player = people(['ann.key', 'ben.key']);
    await expect(goOn(disk, player, ['full-disk@prove'])).rejects.toMatchObject({ exitCode: 73 });
    expect(disk.files.has(`${OUT}/artifacts/signature`)).toBe(false);
    const { result, checked: found } = await goOn(disk, people(['ann.key', 'ben.key']), [
      'wrong-pin@prove',
    ]);
    expect(result).toMatchObject({ ok: true });
    expect(problemsOf(found.verdict)).toEqual([]);
  });
});
