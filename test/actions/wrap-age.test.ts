import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { identityNew } from '#actions/identity-new';
import { keyGenerate } from '#actions/key-generate';
import { rewrap } from '#actions/rewrap';
import { unwrap } from '#actions/unwrap';
import { wrap } from '#actions/wrap';
import { unarmored } from '#carriage/wrapping/age-armor';
import { readAgeHeader } from '#carriage/wrapping/age-header';
import { decodeRecipient, encodeRecipient, readIdentities } from '#carriage/wrapping/age-keys';
import { format } from '#carriage/wrapping/age';
import { sourceOf, takeAll } from '#formats/byte-stream';
import { utf8 } from '#formats/bytes';
import { ConclaveError } from '#formats/errors';
import { type RunOptions, type Workplace, workplace } from '../support/home.js';
import { hasProgram, needs } from '../support/require.js';
import { fuzz } from '../support/mutations.js';

const PLAIN: RunOptions = { noPassphrase: true };
const hasAge = needs(
  'age',
  hasProgram('age') && hasProgram('age-keygen'),
  'the program age is not there',
);

/** What we ask of the peer. Its own declarations need the types of a browser, so they are not read. */
interface Peer {
  readonly armor: { encode(file: Uint8Array): string; decode(text: string): Uint8Array };
  readonly Encrypter: new () => {
    addRecipient(recipient: string): void;
    setPassphrase(passphrase: string): void;
    setScryptWorkFactor(logN: number): void;
    encrypt(content: Uint8Array | string): Promise<Uint8Array>;
  };
  readonly Decrypter: new () => {
    addIdentity(identity: string): void;
    decrypt(file: Uint8Array): Promise<Uint8Array>;
  };
  generateHybridIdentity(): Promise<string>;
  identityToRecipient(identity: string): Promise<string>;
}

/** The name as a plain string: resolved when the test runs, not by the compiler. */
const AGE: string = 'age-encryption';
const { armor, Decrypter, Encrypter, generateHybridIdentity, identityToRecipient } = (await import(
  AGE
)) as Peer;

let place: Workplace;
beforeEach(() => {
  place = workplace();
});
afterEach(() => {
  place.remove();
});

async function refusal(work: Promise<unknown>): Promise<[string, number]> {
  try {
    await work;
  } catch (error) {
    if (error instanceof ConclaveError) return [error.code, error.exitCode];
    throw error;
  }
  return ['nothing', 0];
}

describe('age files', () => {
  it('go both ways between us and the npm package, post-quantum and armored', async () => {
    const identity = await generateHybridIdentity();
    const recipient = await identityToRecipient(identity);
    writeFileSync(place.at('id.txt'), `# made elsewhere\n${identity}\n`);
    // Two chunks and a bit; exactly one chunk; nothing.
    for (const size of [140_000, 65_536, 0]) {
      const bytes = randomBytes(size);
      writeFileSync(place.at('in'), bytes);
      const ours = place.at(`ours-${size}`);
      const wrapped = await place.run(wrap, {
        in: place.at('in'),
        to: [recipient],
        out: ours,
        armor: size === 140_000,
      });
      expect(wrapped).toMatchObject({ format: 'age', notes: [] });
      const decrypter = new Decrypter();
      decrypter.addIdentity(identity);
      const read = readFileSync(ours);
      const raw = size === 140_000 ? armor.decode(read.toString('latin1')) : read;
      expect(Buffer.from(await decrypter.decrypt(new Uint8Array(raw))).equals(bytes)).toBe(true);

      const encrypter = new Encrypter();
      encrypter.addRecipient(recipient);
      const theirs = await encrypter.encrypt(new Uint8Array(bytes));
      writeFileSync(place.at('theirs'), theirs);
      writeFileSync(place.at('theirs.txt'), armor.encode(theirs).replaceAll('\n', '\r\n'));
      for (const name of ['theirs', 'theirs.txt']) {
        const out = place.at(`out-${size}-${name}`);
        await place.run(unwrap, { in: place.at(name), key: place.at('id.txt'), out });
        expect(readFileSync(out).equals(bytes)).toBe(true);
      }
    }
  });

  it('are what an x-wing key of ours has another name for', async () => {
    await place.run(
      keyGenerate,
      { algorithm: 'x-wing', name: 'mine', out: place.at('mine.key') },
      PLAIN,
    );
    writeFileSync(place.at('in'), 'hello');
    const input = { in: place.at('in'), to: [place.at('mine.record.json')], format: 'age' };
    const { details } = await place.run(wrap, { ...input, out: place.at('a') });
    const [recipient] = details['recipients'] as [string];
    expect(recipient).toMatch(/^age1pq1/);
    expect(recipient).toHaveLength(1959);
    await place.run(unwrap, { in: place.at('a'), key: place.at('mine.key'), out: place.at('b') });
    expect(readFileSync(place.at('b'), 'utf8')).toBe('hello');
    // And from somebody who has nothing of ours.
    const encrypter = new Encrypter();
    encrypter.addRecipient(recipient);
    writeFileSync(place.at('c'), await encrypter.encrypt('from afar'));
    await place.run(unwrap, { in: place.at('c'), key: place.at('mine.key'), out: place.at('d') });
    expect(readFileSync(place.at('d'), 'utf8')).toBe('from afar');
  });

  it.runIf(hasAge)('go both ways between us and the program age', async () => {
    execFileSync('age-keygen', ['-o', place.at('id.txt')], { stdio: 'ignore' });
    const recipient = execFileSync('age-keygen', ['-y', place.at('id.txt')], {
      encoding: 'utf8',
    }).trim();
    writeFileSync(place.at('to.txt'), `# colleagues\n${recipient}\n`);
    const bytes = randomBytes(200_000);
    writeFileSync(place.at('in'), bytes);
    for (const armored of [false, true]) {
      const ours = place.at(`ours-${armored}`);
      const wrapped = await place.run(wrap, {
        in: place.at('in'),
        to: [place.at('to.txt')],
        out: ours,
        armor: armored,
      });
      expect(wrapped.notes.join()).toContain('quantum');
      const opened = execFileSync('age', ['-d', '-i', place.at('id.txt'), ours]);
      expect(opened.equals(bytes)).toBe(true);
      const theirs = place.at(`theirs-${armored}`);
      const flags = armored ? ['-a'] : [];
      execFileSync('age', [...flags, '-r', recipient, '-o', theirs, place.at('in')]);
      const out = place.at(`out-${armored}`);
      await place.run(unwrap, { in: theirs, key: place.at('id.txt'), out });
      expect(readFileSync(out).equals(bytes)).toBe(true);
    }
  });

  it('carry a key as PKCS#8 with its mark, and give it back as a key when asked', async () => {
    const identity = await generateHybridIdentity();
    const recipient = await identityToRecipient(identity);
    writeFileSync(place.at('id.txt'), identity);
    await place.run(keyGenerate, { algorithm: 'ml-dsa-65', name: 'toy', dev: true }, PLAIN);
    await place.run(
      wrap,
      { key: 'toy', to: [recipient], out: place.at('w') },
      { allowedEnvironments: ['dev'] },
    );
    const input = { in: place.at('w'), key: place.at('id.txt') };
    await place.run(unwrap, { ...input, out: place.at('plain') });
    expect(readFileSync(place.at('plain'), 'latin1')).toMatch(
      /^DEV KEY - NOT FOR PRODUCTION\n-----BEGIN PRIVATE KEY-----\n/,
    );
    const opened = await place.run(unwrap, { ...input, as: 'key', out: place.at('k') }, PLAIN);
    expect(opened).toMatchObject({ content: 'key', environment: 'dev', algorithm: 'ml-dsa-65' });
    await place.run(keyGenerate, { algorithm: 'aes-256', name: 'secret' }, PLAIN);
    const secret = { key: 'secret', to: [recipient], out: place.at('w2') };
    expect(await refusal(place.run(wrap, secret))).toEqual(['E_WRAP_CONTENT', 2]);
    expect(existsSync(place.at('w2'))).toBe(false);
  });

  it('never mix recipients with and without post-quantum protection', async () => {
    const pq = await identityToRecipient(await generateHybridIdentity());
    const classic = encodeRecipient(
      decodeRecipient('age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj').descriptor,
      randomBytes(32),
    ) as string;
    writeFileSync(place.at('in'), 'hello');
    const input = { in: place.at('in'), to: [pq, classic], out: place.at('w') };
    expect(await refusal(place.run(wrap, input))).toEqual(['E_WRAP_MIXED', 2]);
    expect(existsSync(place.at('w'))).toBe(false);
    const typo = `${pq.slice(0, -1)}${pq.endsWith('q') ? 'p' : 'q'}`;
    expect(await refusal(place.run(wrap, { ...input, to: [typo] }))).toEqual([
      'E_AGE_RECIPIENT',
      65,
    ]);
  });

  it('open under a passphrase, and say so when it is another', async () => {
    const encrypter = new Encrypter();
    encrypter.setPassphrase('correct horse');
    encrypter.setScryptWorkFactor(10);
    writeFileSync(place.at('w'), await encrypter.encrypt('hello'));
    const input = { in: place.at('w'), out: place.at('out') };
    expect(await refusal(place.run(unwrap, input, { passphrases: ['battery staple'] }))).toEqual([
      'E_PASSPHRASE_WRONG',
      77,
    ]);
    await place.run(unwrap, input, { passphrases: ['battery staple', 'correct horse'] });
    expect(readFileSync(place.at('out'), 'utf8')).toBe('hello');
  });

  it('move into a container and out again', async () => {
    const identity = await generateHybridIdentity();
    writeFileSync(place.at('id.txt'), identity);
    const pq = await identityToRecipient(identity);
    await place.run(keyGenerate, { algorithm: 'ml-kem-1024', name: 'next' }, PLAIN);
    writeFileSync(place.at('in'), 'hello');
    await place.run(wrap, { in: place.at('in'), to: [pq], out: place.at('a') });
    const again = { in: place.at('a'), key: place.at('id.txt'), to: ['next'], out: place.at('b') };
    expect(await place.run(rewrap, again)).toMatchObject({ format: 'hpke', epoch: 1 });
    await place.run(unwrap, { in: place.at('b'), out: place.at('out') });
    expect(readFileSync(place.at('out'), 'utf8')).toBe('hello');
  });

  it('give clear errors for mutations, and never the wrong bytes', async () => {
    const identity = await generateHybridIdentity();
    const encrypter = new Encrypter();
    encrypter.addRecipient(await identityToRecipient(identity));
    const whole = await encrypter.encrypt('hello');
    const text = utf8(armor.encode(whole));
    await fuzz(whole, (bytes) => readAgeHeader(sourceOf(bytes), 'case'), { seed: 41 });
    await fuzz(text, (bytes) => readAgeHeader(unarmored(sourceOf(bytes), 'case'), 'case'), {
      seed: 42,
    });
    const [key] = readIdentities(utf8(identity), 'id');
    if (key === undefined) throw new Error('no identity');
    let opened = 0;
    const openers = {
      keys: async () => [{ ...key, publicKey: new Uint8Array(0), id: '' }],
      passphrase: async () => undefined,
    };
    for (let i = 0; i < 400; i++) {
      const bytes = (i % 2 === 0 ? whole : text).slice();
      const at = Math.floor((i / 400) * bytes.length);
      bytes[at] = (bytes[at] as number) ^ (1 + (i % 255));
      try {
        const it = await format.unwrap?.({ source: sourceOf(bytes), name: 'case', openers });
        if (it?.kind !== 'file') throw new Error('not a file');
        expect(Buffer.from(takeAll(it.source, 100) ?? []).toString()).toBe('hello');
        opened++;
      } catch (error) {
        expect(error).toBeInstanceOf(ConclaveError);
      }
    }
    // Only a line end that became a space at the very end could be let pass.
    expect(opened).toBeLessThan(3);
  });
});

describe('an identity', () => {
  it('opens what was sealed to its x-wing key by age', async () => {
    await place.run(identityNew, { name: 'ben' }, PLAIN);
    writeFileSync(place.at('in'), 'hello');
    await place.run(wrap, { in: place.at('in'), to: ['ben'], format: 'age', out: place.at('w') });
    await place.run(unwrap, { in: place.at('w'), out: place.at('out') }, { identity: 'ben' });
    expect(readFileSync(place.at('out'), 'utf8')).toBe('hello');
  });
});
