/**
 * A key and a signature by people who share nothing but files: users of their own, in homes that are closed to each other, in
 * real processes. One of them is ended by signal 9 at its writes and goes on: it never says two things in one place.
 */
import { createHash, createPublicKey, randomBytes, verify as verifyByNode } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createFiles } from '#host/files';
import { nodeFs } from '#host/fs-port';
import { filesBelow, formsIn } from '../support/canary.js';
import { spread, thorough } from '../support/require.js';
import {
  carry,
  conclave,
  type Housed,
  publicFile,
  separable,
  street,
  type Street,
} from './homes.js';

// A hundred processes, each with a post-quantum KEM.
vi.setConfig({ testTimeout: 600_000, hookTimeout: 600_000 });

const COUNT = thorough ? 5 : 2;
const THRESHOLD = thorough ? 3 : 2;
const CONTENT = 'pay the miller\n';
const DIGEST = `sha256:${createHash('sha256').update(CONTENT).digest('hex')}`;

/** A phase of the one who is killed. */
interface Moment {
  readonly name: string;
  /** All that this person had before the phase. */
  readonly before: Housed;
  readonly args: (self: Housed) => readonly string[];
  /** Where the process can die with a different disk. */
  readonly places: readonly string[];
  /** What was there for the others afterwards, when nothing happened. */
  readonly said: ReadonlyMap<string, Buffer>;
}

const moments: Moment[] = [];
let here: Street;

/** Runs a phase of all of these at once; of Party 1 it keeps what is needed to try the phase again. */
async function everybody(
  name: string,
  people: readonly Housed[],
  args: (self: Housed) => readonly string[],
): Promise<void> {
  const victim = people.find(({ number }) => number === 1);
  const before = victim?.copy(`before-${name}`);
  const ends = await Promise.all(people.map((person) => person.run(args(person))));
  for (const { code, output } of ends) expect([name, code, output]).toEqual([name, 0, output]);
  if (victim === undefined || before === undefined) return;
  // The lock is the same story in every phase: it is told in the first.
  const changes = victim.changes();
  const places = changes.flatMap(({ operation, path, bytes }, n): string[] => {
    const file = basename(path);
    if (moments.length > 0 && /lock/.test(file)) return [];
    const tears = operation === 'write' && bytes > 1 && /^\.(state|.*-share-)/.test(file);
    return tears ? [`before:${n}`, `torn:${n}`] : [`before:${n}`];
  });
  moments.push({ name, before, args, places, said: victim.said() });
}

/** A command of a session, as each person gives it. */
function command(operation: string, phase: string, more: (self: Housed) => readonly string[]) {
  return (self: Housed): readonly string[] => [
    ...['threshold', operation, phase, '--session', self.at(`session-${operation}`)],
    ...['--out-dir', self.at('out'), ...self.own(), ...more(self)],
  ];
}

/** A session after all were invited: each round brings what was said in the one before. */
async function session(
  operation: string,
  people: readonly Housed[],
  rounds: number,
  end: (self: Housed) => readonly string[],
): Promise<void> {
  for (let round = 1; round <= rounds + 1; round++) {
    const folder = `${operation}-${round}`;
    carry(people, folder, new RegExp(`^${prefixOf(people, operation)}-${round - 1}-`));
    const phase = round > rounds ? 'finish' : 'round';
    const more = (self: Housed): readonly string[] => [
      ...['--in', self.at(folder)],
      ...(phase === 'finish' ? end(self) : []),
    ];
    await everybody(`${operation} ${phase} ${round}`, people, command(operation, phase, more));
  }
}

/** The first letters of a session's id; the second of two sessions is the one whose start message came last. */
const prefixes = new Map<string, string>();
function prefixOf(people: readonly Housed[], operation: string): string {
  const known = prefixes.get(operation);
  if (known !== undefined) return known;
  const others = new Set(prefixes.values());
  const names = people.flatMap((person) => [...person.said().keys()]);
  const found = names
    .filter((name) => name.endsWith('-start.json'))
    .map((name) => name.slice(0, 8))
    .find((prefix) => !others.has(prefix));
  prefixes.set(operation, found ?? '');
  return found ?? '';
}

/** Gives the start message of one to the others. */
function invite(from: Housed, others: readonly Housed[], operation: string): void {
  const name = `${prefixOf([from], operation)}-start.json`;
  for (const other of others)
    other.receive(`${operation}-start`, name, from.said().get(name) as Buffer);
}

const joining = (operation: string, more: readonly string[] = []) =>
  command(operation, 'start', (self) => [
    ...['--in', self.at(`${operation}-start`, `${prefixOf([], operation)}-start.json`), ...more],
  ]);

/** Everything that is wrong with one phase that was killed at one place, and gone on with. */
async function problemsAt(
  { name, before, args, said }: Moment,
  place: string,
): Promise<readonly string[]> {
  const at = `${name} ${place}`;
  const self = before.copy(`${name}-${place}`.replaceAll(/\W/g, '-'));
  const problems: string[] = [];
  const killed = await self.run(args(self), place);
  if (killed.signal !== 'SIGKILL')
    return [`${at}: was not killed: ${killed.code}\n${killed.output}`];
  const early = self.said();
  problems.push(...leaks(self).map((leak) => `${at}: ${leak}`));

  const again = await self.goOn(args(self));
  const starts = name.endsWith('start');
  // A start that had got as far as the session is made good by the next round.
  const resumed =
    starts && again.code === 73
      ? await self.goOn(command(name.split(' ')[0] ?? '', 'round', () => [])(self))
      : again;
  const allowed = starts ? [0, 75] : name.includes('finish') ? [0, 66] : [0, 75];
  if (!allowed.includes(resumed.code ?? -1)) {
    problems.push(`${at}: ended with ${resumed.code}\n${resumed.output}`);
  }
  const after = self.said();
  for (const [file, bytes] of early) {
    if (after.get(file)?.equals(bytes) !== true)
      problems.push(`${at}: ${file} was said in two ways`);
  }
  if (starts) {
    const own = [...after.keys()].filter((file) => !before.said().has(file)).sort();
    const kinds = own.map((file) => file.slice(8));
    // Who joined may hand on the start message too; it is the one that was given.
    const joined = args(self).indexOf('--in');
    const handedOn = joined >= 0 && kinds.includes('-start.json');
    if (
      handedOn &&
      after.get(own[1] ?? '')?.equals(readFileSync(args(self)[joined + 1] ?? '')) !== true
    ) {
      problems.push(`${at}: ${own.join(', ')} is another start message`);
    }
    const wanted = [
      '-0-acceptance-from-1.json',
      ...(joined < 0 || handedOn ? ['-start.json'] : []),
    ];
    if (kinds.join() !== wanted.join() || new Set(own.map((file) => file.slice(0, 8))).size !== 1) {
      problems.push(`${at}: there is ${own.join(', ')}`);
    }
  } else {
    for (const [file, bytes] of said) {
      if (after.get(file)?.equals(bytes) !== true) problems.push(`${at}: ${file} is not the same`);
    }
    if (after.size !== said.size) problems.push(`${at}: there is ${[...after.keys()].join(', ')}`);
  }
  if (name.startsWith('keygen finish')) {
    const listed = await self.goOn(['key', 'list', '--json', '--home', self.at('home')]);
    const { keys } = JSON.parse(listed.output) as { keys: readonly { name: string | null }[] };
    if (keys.length !== 1 || keys[0]?.name !== 'treasury') problems.push(`${at}: ${listed.output}`);
  }
  rmSync(self.folder, { recursive: true });
  return problems;
}

/** Secrets of the session that lie in clear where they should not. */
function leaks(self: Housed): readonly string[] {
  const known = readFileSync(self.at('side', 'secrets'), 'utf8').trimEnd().split('\n');
  const disk = filesBelow(self.folder).filter((path) => !path.startsWith('side/'));
  const everything = Buffer.concat(disk.map((path) => readFileSync(self.at(path))));
  return [...new Set(known)].flatMap((line) => {
    const [label = '', hex = ''] = line.split('\t');
    const bytes = Buffer.from(hex, 'hex');
    if (bytes.length < 16) return [];
    return formsIn(everything, bytes).map((form) => `${label} is on the disk as ${form}`);
  });
}

describe.runIf(separable())('people with homes that are closed to each other', () => {
  let people: readonly Housed[];
  let signers: readonly Housed[];

  beforeAll(async () => {
    here = await street(COUNT);
    ({ people } = here);
    const [first, ...others] = people as [Housed, ...Housed[]];
    const parties = people.flatMap((person) => ['--party', publicFile(here.square, person)]);
    const begin = command('keygen', 'start', () => ['--threshold', `${THRESHOLD}`, ...parties]);
    await everybody('keygen start', [first], begin);
    invite(first, others, 'keygen');
    await everybody('keygen join', others, joining('keygen'));
    await session('keygen', people, 4, (self) => [
      ...['--name', 'treasury', '--passphrase-file', self.at('passphrase')],
    ]);

    // Party 1 is called by another.
    signers = people.slice(0, THRESHOLD);
    const caller = signers.at(-1) as Housed;
    const message = caller.receive('in', 'message', Buffer.from(CONTENT));
    const share = (self: Housed): readonly string[] => ['--passphrase-file', self.at('passphrase')];
    const quorum = signers.map(({ number }) => number).join(',');
    const call = command('sign', 'start', (self) => [
      ...['--key', 'treasury', '--message', message, '--quorum', quorum, ...share(self)],
    ]);
    await everybody('sign call', [caller], call);
    const called = signers.filter((person) => person !== caller);
    invite(caller, called, 'sign');
    const join_ = joining('sign', ['--expect', DIGEST]);
    await everybody('sign start', called, (self) => [...join_(self), ...share(self)]);
    await session('sign', signers, 2, () => []);
  });

  afterAll(() => {
    here.remove();
  });

  it('each read what is theirs, and nothing of another', () => {
    for (const person of people) {
      for (const other of people) {
        const { status, stderr } = person.reads(other.at('home'));
        if (other === person) expect(status).toBe(0);
        else expect([status === 0, stderr]).toEqual([false, expect.stringMatching(/denied/)]);
      }
    }
  });

  it('hold one key and make one signature, which OpenSSL verifies', async () => {
    const files = (name: string, whose: readonly Housed[]): Set<string> =>
      new Set(whose.map((person) => person.said().get(name)?.toString('hex') ?? 'none'));
    expect(files('group.json', people).size).toBe(1);
    expect(files('signature', signers).size).toBe(1);
    const [signer] = signers as [Housed];
    const group = JSON.parse(String(signer.said().get('group.json'))) as { publicKey: string };
    const key = createPublicKey({
      key: {
        kty: 'OKP',
        crv: 'Ed25519',
        x: Buffer.from(group.publicKey, 'hex').toString('base64url'),
      },
      format: 'jwk',
    });
    const signature = signer.said().get('signature') as Buffer;
    expect(verifyByNode(null, Buffer.from(CONTENT), key, signature)).toBe(true);
    // The program as people start it.
    const transcript = signer.at('out', 'transcript.json');
    const verified = await signer.start(conclave(), ['verify', transcript]);
    expect(verified.code, verified.output).toBe(0);
  });

  it('leave no session behind, and no secret of it in clear', () => {
    for (const person of people) expect(leaks(person)).toEqual([]);
    for (const person of signers) {
      const kept = ['keygen', 'sign'].flatMap((each) => filesBelow(person.at(`session-${each}`)));
      expect(kept).toEqual([]);
    }
  });

  it('go on after signal 9, and say the same again', async () => {
    const all = moments.flatMap((moment) => moment.places.map((place) => ({ moment, place })));
    expect(moments).toHaveLength(10);
    expect(all.length).toBeGreaterThan(120);
    const chosen = spread(all, thorough ? 28 : 4);
    const problems: string[] = [];
    const next = chosen[Symbol.iterator]();
    const worker = async (): Promise<void> => {
      for (const { moment, place } of next) problems.push(...(await problemsAt(moment, place)));
    };
    await Promise.all([worker(), worker()]);
    expect(problems).toEqual([]);
  });

  it('work on a session one at a time', async () => {
    const { before, args, said } = moments.find(({ name }) => name === 'sign round 2') as Moment;
    const self = before.copy('at-once');
    const session_ = self.at('session-sign');
    const files = createFiles(nodeFs, (length) => new Uint8Array(randomBytes(length)));
    const lock = files.lock(join(session_, 'lock'));
    const refused = await self.goOn(args(self));
    expect([refused.code, refused.output]).toEqual([75, expect.stringContaining(session_)]);
    lock.release();
    expect(self.said()).toEqual(before.said());
    // Processes that really meet: whoever comes second is told to come again, or finds it all done.
    const ends = await Promise.all([1, 2].map(() => self.run(args(self))));
    for (const { code, output } of ends) expect([0, 75], output).toContain(code);
    expect(ends.some(({ code }) => code === 0)).toBe(true);
    expect(self.said()).toEqual(said);
  });
});
