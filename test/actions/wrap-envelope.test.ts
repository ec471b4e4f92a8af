import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createDecipheriv } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { keyGenerate } from '#actions/key-generate';
import { keyRotate } from '#actions/key-rotate';
import { keyShow } from '#actions/key-show';
import { rewrap } from '#actions/rewrap';
import { show } from '#actions/show';
import { unwrap } from '#actions/unwrap';
import { verify } from '#actions/verify';
import { wrap } from '#actions/wrap';
import { decodeEnvelope, encodeEnvelope, MAX_ENVELOPE_BYTES } from '#carriage/wrapping/envelope';
import { format } from '#carriage/wrapping/hpke-envelope';
import { openHpke } from '#carriage/wrapping/hpke';
import { decodeRatifyRotation, verifyRatifyRotation } from '#custody/authority/ratify-rotation';
import { resolve } from '#crypto/registry';
import { sourceOf } from '#formats/byte-stream';
import { utf8 } from '#formats/bytes';
import { canonicalJson, type JsonObject, parseJson } from '#formats/canonical-json';
import { ConclaveError } from '#formats/errors';
import { fuzz } from '../formats/mutate.js';
import { type RunOptions, type Workplace, workplace } from '../support/home.js';
import { mutationCount } from '../support/require.js';

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

async function generate(name: string, algorithm: string, more: object = {}): Promise<string> {
  const publicOut = place.at(`${name}.pub`);
  await place.run(keyGenerate, { algorithm, name, publicOut, ...more }, PLAIN);
  return publicOut;
}

/** Alice's key in an envelope under `kek`, both in this home. */
async function custodial(algorithm = 'x-wing', more: object = {}): Promise<string> {
  const kek = await generate('kek', algorithm);
  await generate('alice', 'ed25519');
  const out = place.at('alice.envelope');
  await place.run(wrap, { key: 'alice', to: [kek], format: 'envelope', out, ...more });
  return out;
}

const read = (path: string): JsonObject => parseJson(readFileSync(path), path) as JsonObject;
const write = (path: string, value: JsonObject): void => {
  writeFileSync(path, `${canonicalJson(value)}\n`);
};

describe('an envelope', () => {
  it.each(['x-wing', 'ml-kem-768', 'ml-kem-1024', 'ml-kem-1024+p384'])(
    'holds a key under a data key of its own, wrapped to a %s key',
    async (algorithm) => {
      const path = await custodial(algorithm);
      const out = place.at('alice.key');
      const opened = await place.run(unwrap, { in: path, out }, PLAIN);
      expect(opened).toMatchObject({ content: 'key', format: 'envelope', algorithm: 'ed25519' });
      const record = JSON.parse(readFileSync(place.at('alice.record.json'), 'utf8')) as {
        id: string;
        tags: object;
        history: { event: string }[];
      };
      expect(record).toMatchObject({ id: opened.keyId, tags: { custody: 'custodial' } });
      expect(record.history.map(({ event }) => event)).toContain('custody.custodial');
    },
  );

  it('does not open alone, and neither does the key-encryption key or either half', async () => {
    const path = await custodial();
    const elsewhere = workplace();
    try {
      const open = async (more: object): Promise<[string, number]> =>
        await refusal(elsewhere.run(unwrap, { out: elsewhere.at('k'), ...more }, PLAIN));
      // The envelope alone, and with another key-encryption key.
      expect(await open({ in: path })).toEqual(['E_WRAPPED_SEALED', 77]);
      await elsewhere.run(keyGenerate, { algorithm: 'x-wing', name: 'other' }, PLAIN);
      expect(await open({ in: path, key: 'other' })).toEqual(['E_NOT_AUTHENTIC', 1]);
      expect(existsSync(elsewhere.at('k'))).toBe(false);
    } finally {
      elsewhere.remove();
    }
    // The key-encryption key with one half only, or with halves of two envelopes.
    const second = place.at('second.envelope');
    const again = { key: 'alice', to: ['kek'], format: 'envelope', out: second };
    await place.run(wrap, again);
    const [one, two] = [read(path), read(second)];
    const swapped = place.at('swapped');
    const open = async (): Promise<[string, number]> =>
      await refusal(place.run(unwrap, { in: swapped, key: 'kek', out: place.at('k') }, PLAIN));
    for (const half of ['wrappedDek', 'wrappedKey'] as const) {
      write(swapped, { ...one, [half]: two[half] as string });
      expect(await open()).toEqual(['E_NOT_AUTHENTIC', 1]);
      write(swapped, { ...one, [half]: '' });
      expect(await open()).toEqual(['E_NOT_AUTHENTIC', 1]);
    }
    expect(existsSync(place.at('k'))).toBe(false);
  });

  it('is what its page says: HPKE for the data key, AES-256-GCM of node:crypto for the key', async () => {
    const path = await custodial('x-wing');
    const { wrappedDek, wrappedKey } = decodeEnvelope(readFileSync(path), 'it');
    const { wrappedDek: _d, wrappedKey: _k, ...header } = read(path);
    const aad = Buffer.from(canonicalJson(header));
    const { createHash } = await import('node:crypto');
    using kek = await place.context().keys.open('kek');
    const descriptor = await resolve('x-wing');
    const dek = await openHpke({
      descriptor,
      secret: kek.secret.use((bytes) => bytes.slice()),
      enc: wrappedDek.subarray(0, 1120),
      info: Buffer.from('conclave/envelope/v1/dek'),
      aad: Buffer.concat([aad, createHash('sha256').update(wrappedKey).digest()]),
      sealed: wrappedDek.subarray(1120),
      what: 'it',
    });
    expect(dek).toHaveLength(32);
    const cipher = createDecipheriv('aes-256-gcm', dek, Buffer.alloc(12));
    cipher.setAAD(aad);
    cipher.setAuthTag(wrappedKey.subarray(-16));
    const plain = Buffer.concat([cipher.update(wrappedKey.subarray(0, -16)), cipher.final()]);
    using alice = await place.context().keys.open('alice');
    expect(plain.includes(Buffer.from(alice.secret.use((bytes) => bytes.slice())))).toBe(true);
  });

  it('refuses every altered member', async () => {
    const path = await custodial();
    const whole = read(path);
    const facts = whole['key'] as JsonObject;
    const altered: JsonObject[] = [
      { created: '2026-11-23T09:30:01Z' },
      { custody: 'self' },
      { environment: 'dev' },
      { epoch: 1 },
      { kek: { ...(whole['kek'] as JsonObject), kem: 0x42 } },
      { key: { ...facts, policy: `sha256:${'0'.repeat(64)}` } },
      { key: { ...facts, purposes: [] } },
      { key: { ...facts, id: '0'.repeat(64) } },
    ];
    for (const change of altered) {
      write(place.at('x'), { ...whole, ...change });
      const run = place.run(unwrap, { in: place.at('x'), key: 'kek', out: place.at('k') }, PLAIN);
      expect([await refusal(run), change]).toEqual([['E_NOT_AUTHENTIC', 1], change]);
    }
    for (const change of [{ version: 2 }, { more: 1 }, { custody: 'nobody' }, { type: 'x' }]) {
      write(place.at('x'), { ...whole, ...change } as JsonObject);
      const run = place.run(unwrap, { in: place.at('x'), key: 'kek', out: place.at('k') }, PLAIN);
      expect((await refusal(run))[1]).toBe(65);
    }
  });

  it('is shown and verified without any key', async () => {
    const path = await custodial();
    const shown = await place.run(show, { targets: [path] });
    expect(JSON.stringify(shown)).toContain('"algorithm":"x-wing"');
    expect(shown).toMatchObject({
      artifacts: [{ kind: 'envelope', content: { custody: 'custodial' } }],
    });
    const verdict = await place.run(verify, { targets: [path] });
    expect(JSON.stringify(verdict)).toContain('custodial custody');
  });

  it('moves to another key-encryption key, and to its owner', async () => {
    const path = await custodial();
    const next = await generate('kek-2027', 'ml-kem-1024');
    const moved = place.at('moved.envelope');
    const common = { in: path, key: 'kek', format: 'envelope' };
    await place.run(rewrap, { ...common, to: [next], out: moved });
    expect(read(moved)).toMatchObject({ custody: 'custodial', epoch: 1 });
    const own = place.at('own.envelope');
    await place.run(rewrap, { ...common, to: [next], custody: 'self', out: own });
    expect(read(own)).toMatchObject({ custody: 'self', epoch: 1 });
    const opened = await place.run(unwrap, { in: own, out: place.at('alice.key') }, PLAIN);
    expect(opened.epoch).toBe(1);
  });

  it('holds one key, under one key-encryption key, and says so', async () => {
    const kek = await generate('kek', 'x-wing');
    const other = await generate('other', 'x-wing');
    await generate('alice', 'ed25519');
    writeFileSync(place.at('in'), 'hello');
    const run = (more: object): Promise<[string, number]> =>
      refusal(place.run(wrap, { to: [kek], format: 'envelope', out: place.at('e'), ...more }));
    expect(await run({ in: place.at('in') })).toEqual(['E_WRAP_CONTENT', 2]);
    expect(await run({ key: 'alice', to: [kek, other] })).toEqual(['E_WRAP_TARGET', 2]);
    expect(await run({ key: 'alice', to: ['alice'] })).toEqual(['E_WRAP_TARGET', 2]);
    expect(await run({ key: 'alice', armor: true })).toEqual(['E_WRAP_CHOICE', 2]);
    expect(await run({ key: 'alice', format: 'hpke', custody: 'self' })).toEqual([
      'E_WRAP_CHOICE',
      2,
    ]);
    expect(existsSync(place.at('e'))).toBe(false);
  });

  it('survives mutations: read in its one spelling, or refused', async () => {
    const path = await custodial('ml-kem-768');
    const whole = new Uint8Array(readFileSync(path));
    using kek = await place.context().keys.open('kek');
    const { descriptor, secret, publicKey, record } = kek;
    const keys = [{ descriptor, secret, publicKey, id: record.id }];
    const seen = await fuzz([whole], (bytes) => {
      // As everywhere in canonical JSON, a reader also takes it without its last line feed.
      const whole = bytes.at(-1) === 0x0a ? bytes : Buffer.concat([bytes, utf8('\n')]);
      // Compared as bytes: thousands of arrays, member by member, would take longer than everything else here.
      expect(Buffer.compare(encodeEnvelope(decodeEnvelope(bytes, 'it')), whole)).toBe(0);
    });
    expect(seen.refused).toBeGreaterThan(0.5 * mutationCount);
    // What still parses opens only if nothing was changed.
    await fuzz(
      [whole],
      async (bytes) => {
        const openers = { keys: async () => keys, passphrase: async () => undefined };
        const opening = format.unwrap?.({ source: sourceOf(bytes), name: 'it', openers });
        (await opening)?.[Symbol.dispose]();
        expect(whole.subarray(0, bytes.length)).toEqual(bytes);
        expect(bytes.length).toBeGreaterThanOrEqual(whole.length - 1);
      },
      { count: 1000, seed: 2 },
    );
    const long = new Uint8Array(MAX_ENVELOPE_BYTES + 1).fill(0x20);
    long.set(whole);
    const openers = { keys: async () => keys, passphrase: async () => undefined };
    await expect(
      format.unwrap?.({ source: sourceOf(long), name: 'it', openers }),
    ).rejects.toMatchObject({ code: 'E_NOT_AUTHENTIC' });
  });
});

describe('from custodial to self custody', () => {
  it('the owner takes the key, makes another, and both sign that it follows', async () => {
    const path = await custodial();
    const owner = workplace();
    try {
      const publicOut = owner.at('alice-kem.pub');
      await owner.run(keyGenerate, { algorithm: 'x-wing', name: 'kem', publicOut }, PLAIN);
      const carried = place.at('alice.wrapped');
      await place.run(rewrap, { in: path, key: 'kek', to: [publicOut], out: carried });
      await owner.run(unwrap, { in: carried, name: 'hosted' }, PLAIN);
      expect(await owner.run(keyShow, { key: 'hosted' })).toMatchObject({
        record: { tags: { custody: 'custodial' } },
      });
      await owner.run(keyGenerate, { algorithm: 'ml-dsa-65', name: 'mine' }, PLAIN);
      const out = owner.at('upgrade.dsse.json');
      const rotated = await owner.run(keyRotate, {
        old: 'hosted',
        new: 'mine',
        reason: 'self_custody_upgrade',
        note: 'leaving',
        out,
      });
      expect(rotated).toMatchObject({
        reason: 'routine',
        note: 'self_custody_upgrade: leaving',
        state: 'deactivated',
      });
      const { record } = (await owner.run(keyShow, { key: 'mine' })) as unknown as {
        record: { tags: object; history: { event: string; reason?: string }[] };
      };
      expect(record.tags).toEqual({ custody: 'self' });
      expect(record.history.map(({ event }) => event)).toEqual([
        'generated',
        'follows',
        'custody.self',
      ]);
      expect(record.history[1]?.reason).toBe(rotated.old);
      const verdict = await owner.run(verify, { targets: [out], allowUnpinned: true });
      expect(JSON.stringify(verdict)).toContain('replaced by');
      // The old key signs nothing more, so it cannot be rotated a second time.
      const again = { old: 'hosted', new: 'kem', out: owner.at('x') };
      expect(await refusal(owner.run(keyRotate, again))).toEqual(['E_KEY_STATE', 77]);
      expect(existsSync(owner.at('x'))).toBe(false);
    } finally {
      owner.remove();
    }
  });

  it('writes the statement of Ratify as well, for keys of its profile', async () => {
    const pair = { profile: 'ratify-v1' };
    await generate('one', 'ed25519+ml-dsa-65', pair);
    await generate('two', 'ed25519+ml-dsa-65', pair);
    await generate('plain', 'ed25519');
    const out = place.at('rotation.json');
    const ratify = place.at('ratify.json');
    const run = (more: object): Promise<unknown> =>
      place.run(keyRotate, { old: 'one', new: 'two', out, ratify, ...more });
    expect(await refusal(run({ new: 'plain' }))).toEqual(['E_ROTATION_RATIFY', 2]);
    expect(await refusal(run({ new: 'one' }))).toEqual(['E_ROTATION_SAME', 2]);
    expect(existsSync(out) || existsSync(ratify)).toBe(false);
    await run({ reason: 'self_custody_upgrade' });
    const statement = decodeRatifyRotation(readFileSync(ratify), 'it');
    expect(statement.reason).toBe('routine');
    expect(await verifyRatifyRotation(statement)).toEqual([]);
  });

  it('a key that may be in foreign hands is compromised from then on', async () => {
    await generate('one', 'ed25519');
    await generate('two', 'ed25519');
    const out = place.at('rotation.json');
    const rotated = await place.run(keyRotate, {
      old: 'one',
      new: 'two',
      reason: 'compromise_suspected',
      out,
    });
    expect(rotated.state).toBe('compromised');
  });
});
