/**
 * The canary for wrapping: content keys, data keys, what KEMs drew, identities of age, and what was wrapped occur in nothing that
 * is printed, recorded or written for others. Every secret that the program held is noted while it runs.
 */
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, expect, it, vi } from 'vitest';
import { SecretBytes } from '#formats/secret-bytes';
import { filesBelow, formsIn } from '../support/canary.js';
import { farKey } from '../wrapping/far-keys.js';
import { vaultWrappingKey } from '../wrapping/offers.js';
import { inProcess } from './runners.js';

/** The name as a plain string: resolved when the test runs, not by the compiler, which has no types of a browser. */
const AGE: string = 'age-encryption';
const { generateHybridIdentity, identityToRecipient } = (await import(AGE)) as {
  generateHybridIdentity(): Promise<string>;
  identityToRecipient(identity: string): Promise<string>;
};

const work = realpathSync(mkdtempSync(join(tmpdir(), 'conclave-canary-wrapping-')));
mkdirSync(join(work, 'seen'));
mkdirSync(join(work, 'hidden'));
afterAll(() => {
  rmSync(work, { recursive: true, force: true });
});

const secrets: { readonly name: string; readonly bytes: Uint8Array }[] = [];
const note = (name: string, bytes: Uint8Array): void => {
  // Shorter ones would be found by chance.
  if (bytes.length >= 16 && bytes.some((byte) => byte !== 0)) {
    secrets.push({ name, bytes: new Uint8Array(bytes) });
  }
};

beforeEach(() => {
  for (const maker of ['adopt', 'copyOf'] as const) {
    const make = SecretBytes[maker].bind(SecretBytes);
    vi.spyOn(SecretBytes, maker).mockImplementation((bytes, label) => {
      note(label, bytes);
      return make(bytes, label);
    });
  }
});
afterEach(() => {
  vi.restoreAllMocks();
});

/** While something is wrapped, what is drawn of 32 bytes and more is a key, or makes one. */
let isWrapping = false;
const runner = inProcess('canary-wrapping', (bytes) => {
  if (isWrapping && bytes.length >= 32) note('drawn', bytes);
});
const printed: Buffer[] = [];

async function conclave(...words: readonly string[]): Promise<number> {
  isWrapping = ['wrap', 'rewrap'].includes(words[0] ?? '');
  const ran = await runner(words, { cwd: join(work, 'seen'), stdin: new Uint8Array(0), env: {} });
  printed.push(ran.stdout, ran.stderr);
  return ran.code;
}

async function done(...words: readonly string[]): Promise<void> {
  expect(`${words.join(' ')}: ${await conclave(...words)}`).toBe(`${words.join(' ')}: 0`);
}

async function failed(...words: readonly string[]): Promise<void> {
  for (const more of [[], ['--json']]) {
    expect(await conclave(...words, ...more, '--debug', '--force')).not.toBe(0);
  }
}

/** A file outside the searched places. */
function hidden(name: string, text?: string): string {
  const path = join(work, 'hidden', name);
  if (text !== undefined) writeFileSync(path, text);
  return path;
}

it('what is wrapped, and what wraps it, stays where it belongs', async () => {
  const phrase = 'the secret phrase of wrapping 7b1d';
  const sealed = ['--passphrase-file', hidden('phrase.txt', `${phrase}\n`)];
  const text = 'what was wrapped is secret too: 52 6f 6f 74';
  const content = hidden('content', text);
  note('passphrase', Buffer.from(phrase));
  note('content', Buffer.from(text));
  const identity = await generateHybridIdentity();
  note('age identity', Buffer.from(identity));
  const identities = hidden('age.txt', `# mine\n${identity}\n`);
  const other = hidden('other.txt', `${await generateHybridIdentity()}\n`);

  const keys = { release: 'ed25519', transport: 'x-wing', kem: 'ml-kem-768' };
  for (const [name, algorithm] of Object.entries(keys)) {
    await done(
      ...['key', 'generate', '--algorithm', algorithm, '--name', name],
      ...['--public-out', `${name}.pub`, ...sealed],
    );
  }
  writeFileSync(join(work, 'seen/vault.json'), vaultWrappingKey(farKey(3072)));
  const recipient = await identityToRecipient(identity);
  const wraps = {
    'release.wrapped': ['--key', 'release', '--to', 'transport.pub'],
    'content.wrapped': ['--in', content, '--to', 'transport.pub', '--to', 'kem.pub'],
    'content.age': ['--in', content, '--to', recipient, '--armor'],
    'release.cms': ['--key', 'release', '--to', 'kem.pub', '--format', 'cms'],
    'release.envelope': ['--key', 'release', '--to', 'transport.pub', '--format', 'envelope'],
    'release.json': ['--key', 'release', '--to', 'vault.json'],
  };
  const before = secrets.length;
  for (const [out, words] of Object.entries(wraps)) {
    await done('wrap', ...words, '--out', out, ...sealed, '--json');
  }
  // A content key or what makes one for each, or this test would search for nothing.
  expect(secrets.slice(before).filter(({ name }) => name === 'drawn').length).toBeGreaterThan(6);
  const rewrap = ['--in', 'content.wrapped', '--key', 'transport', '--to', 'kem.pub'];
  await done('rewrap', ...rewrap, '--out', 'again.wrapped', ...sealed);
  const unwrap = (from: string, key: string, out: string): readonly string[] => [
    ...['unwrap', '--in', from, '--key', key, '--out', hidden(out), ...sealed],
  ];
  await done(...unwrap('content.wrapped', 'transport', 'back-1'));
  await done(...unwrap('again.wrapped', 'kem', 'back-2'), '--json');
  await done(...unwrap('content.age', identities, 'back-3'));
  await done(...unwrap('release.wrapped', 'transport', 'back.key'), '--json');
  await done(...unwrap('release.cms', 'kem', 'back-2.key'));
  await done(...unwrap('release.envelope', 'transport', 'back-3.key'));
  for (const name of ['back-1', 'back-2', 'back-3']) {
    expect(readFileSync(hidden(name), 'utf8')).toBe(text);
  }
  for (const name of Object.keys(wraps)) {
    const whole = readFileSync(join(work, 'seen', name));
    const at = whole.length - 20;
    whole[at] = (whole[at] ?? 0) ^ 1;
    writeFileSync(join(work, 'seen', `damaged-${name}`), whole);
  }
  await failed(...unwrap('damaged-content.wrapped', 'transport', 'no'));
  await failed(...unwrap('damaged-release.wrapped', 'transport', 'no'));
  await failed(...unwrap('damaged-content.age', identities, 'no'));
  await failed(...unwrap('damaged-release.cms', 'kem', 'no'));
  await failed(...unwrap('content.age', other, 'no'));
  await failed(...unwrap('content.wrapped', identities, 'no'));
  await failed('wrap', '--in', content, '--to', identities, '--out', 'no', ...sealed);
  await failed('show', identities);
  for (const name of [...Object.keys(wraps), 'again.wrapped']) {
    await done('show', name, '--json');
    await done('verify', name, '--json');
  }
  await done('handover', 'store', 'release.wrapped', '--json');
  await done('audit', 'show', '--json');

  for (const name of Object.keys(keys)) {
    const raw = hidden(`${name}.raw`);
    const how = ['--format', 'raw', '--no-passphrase', '--out', raw];
    await done('key', 'export', name, ...how, ...sealed, '--json');
    note(name, readFileSync(raw));
  }
  const places = new Map([['what was printed', Buffer.concat(printed)]]);
  for (const path of filesBelow(join(work, 'seen'))) {
    places.set(path, readFileSync(join(work, 'seen', path)));
  }
  const found = new Set<string>();
  const all = Buffer.concat([...places.values()]);
  for (const { name, bytes } of secrets) {
    if (formsIn(all, bytes).length === 0) continue;
    for (const [place, haystack] of places) {
      for (const form of formsIn(haystack, bytes)) found.add(`${name} in ${place} as ${form}`);
    }
  }
  expect([...found]).toEqual([]);
});
