/**
 * A key and a signature by people who share nothing but what they see: users of their own, in homes that are closed to each other,
 * in real processes. Each shows codes as pictures, and the others read the pictures; no file of one ever gets to another.
 */
import { createHash, createPublicKey, verify as verifyByNode } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Ended } from '../faults/session.js';
import { thorough } from '../support/require.js';
import { conclave, type Housed, publicFile, separable, street, type Street } from './homes.js';

// A hundred processes, and as many pictures.
vi.setConfig({ testTimeout: 600_000, hookTimeout: 600_000 });

const COUNT = 5;
const THRESHOLD = 3;
const CONTENT = 'pay the miller\n';
const DIGEST = `sha256:${createHash('sha256').update(CONTENT).digest('hex')}`;

type Args = (self: Housed) => readonly string[];

/** What a session is given at its begin, by those who join, and at its end. */
interface Asked {
  readonly operation: string;
  readonly people: readonly Housed[];
  readonly rounds: number;
  readonly begin: Args;
  readonly join: Args;
  readonly finish: Args;
}

/** Pictures of one message, and whom it is for. */
interface Shown {
  readonly from: Housed;
  readonly name: string;
  readonly pictures: readonly string[];
}

function assertGood({ code, output }: Ended): void {
  expect([code, output]).toEqual([0, output]);
}

/** Shows a message that one has written: a start message or an acceptance in a series, any other in one code. */
async function show(from: Housed, folder: string, name: string): Promise<Shown> {
  const series = /-start\.json$|-0-acceptance-/.test(name);
  const shown = from.makeFolder(`shown-${name}`);
  const form = series
    ? ['--animate', '--code-version', '32', '--png', join(shown, 'frame')]
    : ['--png', join(shown, 'code.png')];
  const home = ['--home', from.at('home'), '--no-input'];
  assertGood(await from.goOn(['qr', 'show', from.at(folder, name), ...form, ...home]));
  const pictures = readdirSync(shown).sort();
  if (!series) expect([name, pictures.length]).toEqual([name, 1]);
  // A series begins with its parts, one after the other; what makes up for missed ones comes behind them.
  const parts = pictures.slice(0, Math.ceil(pictures.length / 2));
  return { from, name, pictures: parts.map((each) => join(shown, each)) };
}

/** One person looks at all pictures that are for them, and gets a folder with what they read. */
async function look(to: Housed, all: readonly Shown[], folder: string): Promise<string> {
  const out = to.makeFolder(folder);
  const meant = all.filter(({ from, name }) => {
    const addressee = /-to-([0-9]+)\.msg$/.exec(name)?.[1];
    return from !== to && (addressee === undefined || Number(addressee) === to.number);
  });
  const images = meant.flatMap(({ name, pictures }) =>
    pictures.flatMap((picture, i) => [
      '--image',
      to.receive(`seen-${folder}`, `${name}-${i}.png`, readFileSync(picture)),
    ]),
  );
  const home = ['--home', to.at('home'), '--no-input'];
  const args = ['qr', 'scan', ...images, '--out-dir', out, ...home];
  assertGood(await to.start(conclave(), args));
  expect(readdirSync(out).sort()).toEqual(meant.map(({ name }) => name).sort());
  return out;
}

/** Leads a session from its start message to everybody's result. */
async function throughCodes(asked: Asked): Promise<readonly Shown[]> {
  const { operation, people, rounds } = asked;
  const [first, ...others] = people as [Housed, ...Housed[]];
  const phase = async (self: Housed, name: string, more: readonly string[]): Promise<void> => {
    const session = ['--session', self.at(`session-${operation}`), '--out-dir', self.at(operation)];
    const args = ['threshold', operation, name, ...session, ...self.own(), ...more];
    assertGood(await self.start(conclave(), args));
  };
  const every: Shown[] = [];
  /** Everything that was said since the last time. */
  const said = async (): Promise<readonly Shown[]> => {
    const known = new Set(every.map(({ from, name }) => `${from.number} ${name}`));
    const fresh = people.flatMap((from) =>
      readdirSync(from.at(operation))
        .filter(
          (name) => /\.msg$|-0-acceptance-/.test(name) && !known.has(`${from.number} ${name}`),
        )
        .map((name) => ({ from, name })),
    );
    const shown: Shown[] = [];
    for (const { from, name } of fresh) shown.push(await show(from, operation, name));
    every.push(...shown);
    return shown;
  };

  await phase(first, 'start', asked.begin(first));
  const start = readdirSync(first.at(operation)).find((name) => name.endsWith('-start.json')) ?? '';
  const invitation = await show(first, operation, start);
  await Promise.all(
    others.map(async (self) => {
      const inbox = await look(self, [invitation], `${operation}-start`);
      await phase(self, 'start', ['--in', join(inbox, start), ...asked.join(self)]);
    }),
  );
  for (let round = 1; round <= rounds + 1; round++) {
    const shown = await said();
    await Promise.all(
      people.map(async (self) => {
        const inbox = await look(self, shown, `${operation}-${round}`);
        const ends = round > rounds;
        const more = ends ? asked.finish(self) : [];
        await phase(self, ends ? 'finish' : 'round', ['--in', inbox, ...more]);
      }),
    );
  }
  return every;
}

describe.runIf(separable() && thorough)('people who only show each other codes', () => {
  let here: Street;

  beforeAll(async () => {
    here = await street(COUNT);
  });
  afterAll(() => {
    here.remove();
  });

  it('make a key and a signature that OpenSSL verifies', async () => {
    const { people, square } = here;
    const passphrase: Args = (self) => ['--passphrase-file', self.at('passphrase')];
    const made = await throughCodes({
      ...{ operation: 'keygen', people, rounds: 4 },
      begin: () => [
        ...['--threshold', `${THRESHOLD}`],
        ...people.flatMap((person) => ['--party', publicFile(square, person)]),
      ],
      join: () => [],
      finish: (self) => ['--name', 'treasury', ...passphrase(self)],
    });
    // An acceptance, commitments, a part for each of the others, echo, confirmation and acknowledgement.
    expect(made).toHaveLength(COUNT * (5 + COUNT - 1));

    // Neither the first nor neighbours.
    const signers = [people[1], people[2], people[4]] as Housed[];
    const signed = await throughCodes({
      ...{ operation: 'sign', people: signers, rounds: 2 },
      begin: (self) => [
        ...['--key', 'treasury', '--message', self.receive('in', 'message', Buffer.from(CONTENT))],
        ...['--quorum', signers.map(({ number }) => number).join(), ...passphrase(self)],
      ],
      join: (self) => ['--expect', DIGEST, ...passphrase(self)],
      finish: () => [],
    });
    expect(signed).toHaveLength(THRESHOLD * 3);

    const results = signers.map((self) => readFileSync(self.at('sign', 'signature')));
    expect(new Set(results.map((each) => each.toString('hex'))).size).toBe(1);
    const group = JSON.parse(
      readFileSync((people[0] as Housed).at('keygen', 'group.json'), 'utf8'),
    );
    const x = Buffer.from((group as { publicKey: string }).publicKey, 'hex').toString('base64url');
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
    expect(verifyByNode(null, Buffer.from(CONTENT), key, results[0] as Buffer)).toBe(true);
  });
});
