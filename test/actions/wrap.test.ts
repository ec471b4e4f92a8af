import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createHash, randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { identityNew } from '#actions/identity-new';
import { keyGenerate } from '#actions/key-generate';
import { keyShow } from '#actions/key-show';
import { rewrap } from '#actions/rewrap';
import { unwrap } from '#actions/unwrap';
import { wrap } from '#actions/wrap';
import { ConclaveError } from '#formats/errors';
import { type RunOptions, type Workplace, workplace } from '../support/home.js';

const PLAIN: RunOptions = { noPassphrase: true };

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

async function kem(name: string, algorithm = 'x-wing', more: object = {}): Promise<string> {
  const publicOut = place.at(`${name}.pub`);
  await place.run(keyGenerate, { algorithm, name, publicOut, ...more }, PLAIN);
  return publicOut;
}

const spkiDigest = (path: string): string => {
  const body = readFileSync(path, 'latin1').replace(/-----[^-]+-----|\s/g, '');
  return `sha256:${createHash('sha256').update(Buffer.from(body, 'base64')).digest('hex')}`;
};

describe('wrap and unwrap', () => {
  it('carry a key with its record into another home', async () => {
    const other = workplace();
    try {
      const publicOut = other.at('transport.pub');
      await other.run(keyGenerate, { algorithm: 'x-wing', name: 'transport', publicOut }, PLAIN);
      const { id } = (await place.run(
        keyGenerate,
        { algorithm: 'ed25519', name: 'release', purpose: ['sign'], tag: ['team=core'] },
        { passphrases: ['correct horse'] },
      )) as { id: string };
      const out = place.at('release.wrapped');
      const wrapped = await place.run(
        wrap,
        { key: 'release', to: [publicOut], out },
        { passphrases: ['correct horse'] },
      );
      expect(wrapped).toMatchObject({ format: 'hpke', content: 'key', environment: 'production' });
      expect(wrapped.to).toEqual([{ name: publicOut, sha256: spkiDigest(publicOut) }]);
      expect(wrapped.digest).toBe(
        `sha256:${createHash('sha256').update(readFileSync(out)).digest('hex')}`,
      );
      const opened = await other.run(unwrap, { in: out }, PLAIN);
      expect(opened).toMatchObject({
        content: 'key',
        keyId: wrapped.keyId,
        digest: wrapped.digest,
      });
      expect(id).toContain(wrapped.keyId);
      const shown = (await other.run(keyShow, { key: 'release' })) as object;
      expect(shown).toMatchObject({ record: { name: 'release', tags: { team: 'core' } } });
    } finally {
      other.remove();
    }
  });

  it('carry a file to several people, each of whom opens it alone', async () => {
    const bytes = randomBytes(700_000);
    writeFileSync(place.at('in'), bytes);
    const one = await kem('one');
    const two = await kem('two', 'ml-kem-1024');
    await kem('three', 'ml-kem-768');
    const out = place.at('in.wrapped');
    const wrapped = await place.run(wrap, { in: place.at('in'), to: [one, two, 'three'], out });
    expect(wrapped.to).toHaveLength(3);
    for (const key of ['one', 'two', 'three']) {
      const to = place.at(`out-${key}`);
      await place.run(unwrap, { key, in: out, out: to });
      expect(readFileSync(to).equals(bytes)).toBe(true);
    }
    await kem('four');
    expect(await refusal(place.run(unwrap, { key: 'four', in: out, out: place.at('no') }))).toEqual(
      ['E_NOT_AUTHENTIC', 1],
    );
    expect(existsSync(place.at('no'))).toBe(false);
  });

  it('find the identity that something is sealed to', async () => {
    await place.run(identityNew, { name: 'ben' }, PLAIN);
    const pub = readdirSync(place.at('home/identities')).find((name) => name.endsWith('.pub'));
    writeFileSync(place.at('in'), 'hello');
    const to = pub === undefined ? 'ben' : place.at(`home/identities/${pub}`);
    await place.run(wrap, { in: place.at('in'), to: [to], out: place.at('w') });
    await place.run(unwrap, { in: place.at('w'), out: place.at('out') });
    expect(readFileSync(place.at('out'), 'utf8')).toBe('hello');
  });

  it('refuse a wrapping key that is not the expected one', async () => {
    const one = await kem('one');
    const two = await kem('two');
    writeFileSync(place.at('in'), 'hello');
    const input = { in: place.at('in'), out: place.at('w') };
    const run = (more: object): Promise<unknown> => place.run(wrap, { ...input, ...more });
    const unexpected = ['E_TARGET_UNEXPECTED', 77];
    expect(await refusal(run({ to: [one], expectTo: [spkiDigest(two)] }))).toEqual(unexpected);
    expect(await refusal(run({ to: [one, two], expectTo: [spkiDigest(two)] }))).toEqual(unexpected);
    expect(await refusal(run({ to: [one], expectTo: [spkiDigest(one), spkiDigest(two)] }))).toEqual(
      unexpected,
    );
    expect(existsSync(place.at('w'))).toBe(false);
    await run({ to: [one], expectTo: [spkiDigest(one)] });
    expect(existsSync(place.at('w'))).toBe(true);
  });

  it('refuse marked keys until they are allowed by name, and keep the mark', async () => {
    const one = await kem('one');
    await place.run(keyGenerate, { algorithm: 'ed25519', name: 'toy', dev: true }, PLAIN);
    const input = { key: 'toy', to: [one], out: place.at('w') };
    expect(await refusal(place.run(wrap, input))).toEqual(['E_KEY_ENVIRONMENT', 77]);
    const wrapped = await place.run(wrap, input, { allowedEnvironments: ['dev'] });
    expect(wrapped.environment).toBe('dev');
    const opened = await place.run(unwrap, { in: place.at('w'), out: place.at('toy.key') }, PLAIN);
    expect(opened.environment).toBe('dev');
    expect(readFileSync(place.at('toy.key'), 'utf8')).toMatch(/^DEV KEY - NOT FOR PRODUCTION/);
    const again = { in: place.at('w'), to: [one], out: place.at('w2') };
    expect(await refusal(place.run(rewrap, again))).toEqual(['E_KEY_ENVIRONMENT', 77]);
    const toy = await kem('toy-kem', 'x-wing', { dev: true });
    await place.run(keyGenerate, { algorithm: 'ed25519', name: 'real' }, PLAIN);
    const toToy = { key: 'real', to: ['toy-kem'], out: place.at('w3') };
    expect(await refusal(place.run(wrap, toToy))).toEqual(['E_KEY_ENVIRONMENT', 77]);
    expect(existsSync(toy)).toBe(true);
  });

  it('move a container to other keys without its content on disk', async () => {
    const one = await kem('one');
    const two = await kem('two', 'ml-kem-1024');
    await place.run(keyGenerate, { algorithm: 'ed25519', name: 'release' }, PLAIN);
    await place.run(wrap, { key: 'release', to: [one], out: place.at('w') });
    const again = await place.run(rewrap, {
      in: place.at('w'),
      key: 'one',
      to: [one, two],
      out: place.at('w2'),
    });
    expect(again).toMatchObject({ content: 'key', epoch: 1 });
    const opened = await place.run(
      unwrap,
      { in: place.at('w2'), key: 'two', out: place.at('release.key') },
      PLAIN,
    );
    expect(opened).toMatchObject({ epoch: 1, keyId: again.keyId, digest: again.digest });
  });

  it('open nothing that was changed anywhere, and say always the same', async () => {
    const one = await kem('one');
    writeFileSync(place.at('in'), 'hello');
    await place.run(wrap, { in: place.at('in'), to: [one], out: place.at('w') });
    const whole = readFileSync(place.at('w'));
    const header = whole.indexOf(0x0a, 21) + 1;
    const out = place.at('out');
    const messages = new Set<string>();
    const answer = async (bytes: Buffer): Promise<void> => {
      writeFileSync(place.at('x'), bytes);
      try {
        await place.run(unwrap, { in: place.at('x'), key: 'one', out });
      } catch (error) {
        messages.add(`${(error as ConclaveError).exitCode} ${(error as Error).message}`);
      }
      expect(existsSync(out)).toBe(false);
    };
    for (const at of [header, header + 1100, header + 1140, header + 1190, whole.length - 1]) {
      const flipped = Buffer.from(whole);
      flipped[at] = (flipped[at] as number) ^ 1;
      await answer(flipped);
    }
    for (const length of [header - 1, header, header + 500, whole.length - 1]) {
      await answer(whole.subarray(0, length));
    }
    await answer(Buffer.concat([whole, Buffer.from([0])]));
    expect([...messages]).toEqual([
      `1 ${place.at('x')} does not open: it was changed or cut short, or it is sealed to another key`,
    ]);
  });

  it('need something to wrap', async () => {
    const one = await kem('one');
    const run = (more: object): Promise<unknown> =>
      place.run(wrap, { to: [one], out: place.at('w'), ...more });
    expect(await refusal(run({}))).toEqual(['E_WRAP_SOURCE', 2]);
    expect(await refusal(run({ key: 'one', in: 'x' }))).toEqual(['E_WRAP_SOURCE', 2]);
  });
});
