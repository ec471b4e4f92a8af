/**
 * Threshold keys from nothing to a verified trace, by the actions behind the commands, for every suite and level: parties in homes
 * of their own, a request from outside, a proof in a cage with copies of the key files, and a verification elsewhere with own
 * copies. Beside ours a verifier in plain Python says what it thinks, and an Ed25519 and Ed448 that we did not write.
 */
import { spawn } from 'node:child_process';
import { createPublicKey, verify as nodeVerify } from 'node:crypto';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { thresholdKeygen } from '#actions/threshold-keygen';
import { traceProve } from '#actions/trace-prove';
import { traceRequest } from '#actions/trace-request';
import { traceVerify } from '#actions/trace-verify';
import { keyExport } from '#actions/key-export';
import { verify } from '#actions/verify';
import { suiteNames } from '#crypto/frost/suite';
import { type Workplace, workplace } from '../support/home.js';
import { hasProgram, needs, root, thorough } from '../support/require.js';
import { keyed, room, type Room, type TestParty } from '../threshold/party.js';

const python = needs('python3', hasProgram('python3'), 'the second verifier is written in it');
const LEVELS = ['shares', 'quorum', 'nonces'] as const;
type Level = (typeof LEVELS)[number];
const MESSAGE = 'release 1.2\n';
const PASSWORDS = ['a passphrase for tests'];

/** Where each of the three sits: who asks, who signs without a network, who verifies. */
let outside: Workplace;
let cage: Workplace;
let auditor: Workplace;
beforeAll(() => {
  [outside, cage, auditor] = [workplace(), workplace(), workplace()];
  writeFileSync(outside.at('message'), MESSAGE);
  writeFileSync(auditor.at('message'), MESSAGE);
});
afterAll(() => {
  for (const place of [outside, cage, auditor]) place.remove();
});

/** A key, and who can open which share of it. */
interface Key {
  readonly group: string;
  readonly shares: readonly string[];
  readonly passphrases: readonly string[];
  readonly environment: 'production' | 'dev';
}

/** What came out of the cage, with the verifier's own copies beside it. */
interface Traced {
  readonly signature: Buffer;
  /** Says whether a verifier in plain Python takes it. */
  readonly reader: () => Promise<number>;
  /** And whether it takes another one. */
  readonly changed: (change: (trace: Buffer) => Uint8Array, name: string) => Promise<number>;
  readonly verdict: Awaited<ReturnType<typeof judge>>;
}

async function judge(names: Names, key: Key) {
  return await auditor.run(
    traceVerify,
    {
      trace: auditor.at(names.trace),
      request: auditor.at(names.request),
      group: auditor.at(names.group),
      sig: auditor.at(names.sig),
    },
    { allowedEnvironments: [key.environment] },
  );
}

interface Names {
  readonly trace: string;
  readonly request: string;
  readonly group: string;
  readonly sig: string;
}

let count = 0;

/** From a request to the verdict on its trace. */
async function traced(key: Key, level: Level, quorum: readonly number[]): Promise<Traced> {
  const number = ++count;
  const names = {
    trace: `t${number}`,
    request: `r${number}`,
    group: `g${number}`,
    sig: `s${number}`,
  };
  copyFileSync(key.group, outside.at(names.group));
  const { digest } = await outside.run(traceRequest, {
    group: outside.at(names.group),
    in: outside.at('message'),
    level,
    quorum: quorum.join(),
    bind: level === 'shares',
    out: outside.at(names.request),
  });
  for (const place of [cage, auditor]) {
    copyFileSync(outside.at(names.group), place.at(names.group));
    copyFileSync(outside.at(names.request), place.at(names.request));
  }
  await cage.run(
    traceProve,
    {
      request: cage.at(names.request),
      group: cage.at(names.group),
      share: quorum.map((each) => key.shares[each - 1]),
      approve: digest,
      outSig: cage.at(names.sig),
      out: cage.at(names.trace),
    },
    { passphrases: key.passphrases, environment: key.environment },
  );
  for (const name of [names.sig, names.trace]) copyFileSync(cage.at(name), auditor.at(name));
  return {
    signature: readFileSync(auditor.at(names.sig)),
    reader: () => readerSays(names),
    changed: (change, name) => {
      const trace = `${names.trace}-${name}`;
      writeFileSync(auditor.at(trace), change(readFileSync(auditor.at(names.trace))));
      return readerSays({ ...names, trace });
    },
    verdict: await judge(names, key),
  };
}

/** What the second verifier ends with. */
function readerSays({ trace, request, group, sig }: Names): Promise<number> {
  const [g, r, s, t] = [group, request, sig, trace].map((name) => auditor.at(name)) as string[];
  const program = join(root, 'test/independent/verify_trace.py');
  const given = ['-B', program, '--group', g, '--request', r, '--sig', s, t] as string[];
  return new Promise((resolve) => {
    spawn('python3', given, { stdio: 'ignore' }).on('close', (code) => {
      resolve(code ?? -1);
    });
  });
}

/** A key whose parties are played in one process. */
async function simulated(suite: string): Promise<Key> {
  const folder = outside.at(`key-${suite}`);
  await outside.run(
    thresholdKeygen,
    { simulate: true, suite, threshold: 2, shares: 3, outDir: folder },
    { passphrases: PASSWORDS, environment: 'dev' },
  );
  const shares = [1, 2, 3].map((number) => join(folder, `dev-party-${number}.key`));
  return {
    group: join(folder, 'group.json'),
    shares,
    passphrases: PASSWORDS,
    environment: 'dev',
  };
}

/** Whether a signature is good for somebody who never heard of us; undefined where nobody has the algorithm. */
function byNode(group: string, signature: Buffer): boolean | undefined {
  const { suite, publicKey } = JSON.parse(readFileSync(group, 'utf8')) as Record<string, string>;
  const prefix = {
    'frost-ed25519': '302a300506032b6570032100',
    'frost-ed448': '3043300506032b6571033a00',
  }[suite ?? ''];
  if (prefix === undefined) return undefined;
  const der = Buffer.from(`${prefix}${publicKey ?? ''}`, 'hex');
  const key = createPublicKey({ key: der, format: 'der', type: 'spki' });
  return nodeVerify(null, Buffer.from(MESSAGE), key, signature);
}

const WORDS: Readonly<Record<Level, RegExp>> = {
  shares: /^shares \d, \d(?:, \d)? made the partial signatures/,
  quorum: /the prover knew \(x, r\) opening the commitment published at generation/,
  nonces: /^the signature carries no freely chosen bit beyond whether to sign/,
};

function holds({ verdict, signature }: Traced, level: Level, key: Key): void {
  const claims = verdict.claims.map(({ claim }) => claim);
  expect(verdict.ok, JSON.stringify(verdict)).toBe(true);
  for (const each of LEVELS.slice(0, LEVELS.indexOf(level) + 1))
    expect(
      claims.some((claim) => WORDS[each].test(claim)),
      each,
    ).toBe(true);
  for (const each of LEVELS.slice(LEVELS.indexOf(level) + 1))
    expect(
      claims.some((claim) => WORDS[each].test(claim)),
      each,
    ).toBe(false);
  expect(byNode(key.group, signature) ?? true).toBe(true);
}

describe.each(suiteNames.filter((name) => thorough || name === 'frost-ed25519'))('%s', (name) => {
  const suite = name.replace('frost-', '');
  let key: Key;
  beforeAll(async () => {
    key = await simulated(suite);
  });

  it('is traced at every level, and the second verifier agrees', async () => {
    const levels = thorough ? LEVELS : (['quorum'] as const);
    const all: (readonly [Level, Traced])[] = [];
    const reading: Promise<number>[] = [];
    for (const level of levels) {
      const each = await traced(key, level, [1, 3]);
      all.push([level, each]);
      // A reader in plain Python takes its time: it reads while the next is proven.
      if (python && thorough) reading.push(each.reader());
    }
    for (const [level, each] of all) {
      holds(each, level, key);
      const file = auditor.at('signature');
      writeFileSync(file, each.signature);
      const { ok } = await auditor.run(
        verify,
        { key: key.shares[1], in: auditor.at('message'), signature: file },
        { allowedEnvironments: ['dev'] },
      );
      expect(ok).toBe(true);
    }
    if (!python || !thorough) return;
    expect(await Promise.all(reading)).toEqual(all.map(() => 0));
    if (name !== suiteNames[0]) return;
    // What is refused is refused at any level; the shorter proof is read sooner.
    const [, quorum] = all.map(([, each]) => each);
    const [bad, long] = await Promise.all([
      quorum?.changed((bytes) => bytes.map((byte, i) => (i === 4000 ? byte ^ 1 : byte)), 'bad'),
      quorum?.changed((bytes) => Buffer.concat([bytes, Buffer.alloc(1)]), 'long'),
    ]);
    expect([bad, long]).toEqual([1, 1]);
  });
});

// Three members, who asks, and who verifies; the cage has none that lasts.
describe.runIf(thorough)('five homes', () => {
  let here: Room;
  let key: Key;
  beforeAll(async () => {
    here = await room(['Ann', 'Ben', 'Cem']);
    await keyed(here, 3, 2);
    const [ann] = here.people as readonly [TestParty];
    // Each takes a copy of the own share along, as it rests, still sealed.
    const shares: string[] = [];
    mkdirSync(cage.at('media'));
    for (const [i, { place }] of here.people.entries()) {
      const out = cage.at(`media/share-${i + 1}.key`);
      await place.run(keyExport, { key: 'key-ed25519', format: 'conclave', out });
      shares.push(out);
    }
    key = {
      group: join(ann.place.at('out-keygen-ed25519'), 'group.json'),
      shares,
      passphrases: here.people.map(({ options }) => options.passphrases?.[0] ?? ''),
      environment: 'production',
    };
  });
  afterAll(() => {
    here.remove();
  });

  it('make a key, of which two shares sign in a cage what a fourth asked for', async () => {
    // At level quorum the same is opened as at level nonces, and less of it.
    for (const level of ['shares', 'nonces'] as const) {
      const each = await traced(key, level, [1, 3]);
      holds(each, level, key);
      if (python && level === 'shares') expect(await each.reader()).toBe(0);
    }
    expect(readdirSync(cage.folder).some((name) => name.startsWith('home'))).toBe(false);
  });
});
