/**
 * Whole containers, both ways, with an HPKE of another author: what `wrap` wrote is taken apart and opened by it, and what it
 * sealed, put into a container by hand as docs/spec/container.md says, is opened by `unwrap`. The rest is node:crypto.
 */
import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { keyExport } from '#actions/key-export';
import { keyGenerate } from '#actions/key-generate';
import { keyPublic } from '#actions/key-public';
import { unwrap } from '#actions/unwrap';
import { wrap } from '#actions/wrap';
import { encodeRecord } from '#custody/authority/record';
import { type RunOptions, type Workplace, workplace } from '../support/home.js';

const PLAIN: RunOptions = { noPassphrase: true };
const MAGIC = Buffer.from('conclave container 1\n');

/** What we ask of the peer. Its own declarations need the types of a browser, so they are not read. */
interface Suite {
  DeserializePrivateKey(raw: Uint8Array): Promise<object>;
  DeserializePublicKey(raw: Uint8Array): Promise<object>;
  Seal(key: object, plaintext: Uint8Array, bound: Bound): Promise<Sealed>;
  Open(key: object, enc: Uint8Array, sealed: Uint8Array, bound: Bound): Promise<Uint8Array>;
}
interface Bound {
  readonly info: Uint8Array;
  readonly aad: Uint8Array;
}
interface Sealed {
  readonly encapsulatedSecret: Uint8Array;
  readonly ciphertext: Uint8Array;
}

const KEMS = [
  ['x-wing', 0x647a, 'KEM_MLKEM768_X25519', 1120],
  ['ml-kem-1024+p384', 0x51, 'KEM_MLKEM1024_P384', 1665],
  ['ml-kem-1024', 0x42, 'KEM_ML_KEM_1024', 1568],
  ['ml-kem-768', 0x41, 'KEM_ML_KEM_768', 1088],
] as const;

/** Names as plain strings: resolved when the test runs, not by the compiler. */
const [CORE, ALGORITHMS]: readonly string[] = ['hpke', '@panva/hpke-noble'];

async function suiteOf(kem: string): Promise<Suite> {
  const core = (await import(CORE as string)) as Record<string, new (...args: object[]) => Suite>;
  const all = (await import(ALGORITHMS as string)) as Record<string, object>;
  const [theKem, kdf, aead] = [all[kem], all['KDF_HKDF_SHA256'], all['AEAD_AES_256_GCM']];
  if (core['CipherSuite'] === undefined || !theKem || !kdf || !aead) throw new Error('no suite');
  return new core['CipherSuite'](theKem, kdf, aead);
}

const info = (what: string): Uint8Array => Buffer.from(`conclave/container/v1/${what}`);
const sha256 = (...parts: Uint8Array[]): Buffer =>
  createHash('sha256').update(Buffer.concat(parts)).digest();

/** Canonical JSON for what a header holds. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, each]) => `${JSON.stringify(name)}:${canonical(each)}`).join(',')}}`;
}

/** Payload key and commitment of section 3. */
function derived(contentKey: Uint8Array, prefix: Buffer, sealedKeys: Buffer): Buffer {
  return Buffer.from(
    hkdfSync('sha256', contentKey, sha256(prefix, sealedKeys), info('payload'), 64),
  );
}

const nonceOf = (index: number, last: boolean): Buffer => {
  const nonce = Buffer.alloc(12);
  nonce.writeUInt32BE(index, 7);
  nonce[11] = last ? 1 : 0;
  return nonce;
};

let place: Workplace;
beforeEach(() => {
  place = workplace();
});
afterEach(() => {
  place.remove();
});

/** The recipient's key, on our side in the store and on theirs raw. */
async function recipient(
  algorithm: string,
  suite: Suite,
): Promise<{ readonly id: string; readonly secret: object; readonly publicKey: object }> {
  await place.run(keyGenerate, { algorithm, name: 'to' }, PLAIN);
  const secretOut = place.at('to.raw');
  await place.run(keyExport, { key: 'to', format: 'raw', out: secretOut }, PLAIN);
  const publicOut = place.at('to.pub.raw');
  await place.run(keyPublic, { key: 'to', format: 'raw', out: publicOut }, PLAIN);
  const { record } = await place.context().keys.find('to');
  return {
    id: record.id,
    secret: await suite.DeserializePrivateKey(new Uint8Array(readFileSync(secretOut))),
    publicKey: await suite.DeserializePublicKey(new Uint8Array(readFileSync(publicOut))),
  };
}

describe.each(KEMS)('a container for %s', (algorithm, kem, name, encBytes) => {
  it('that we wrote is opened by the peer: a key, and a stream', async () => {
    const suite = await suiteOf(name);
    const to = await recipient(algorithm, suite);
    await place.run(keyGenerate, { algorithm: 'ed25519', name: 'k' }, PLAIN);
    await place.run(wrap, { key: 'k', to: ['to'], out: place.at('one') });
    const one = readFileSync(place.at('one'));
    const end = one.indexOf(0x0a, MAGIC.length) + 1;
    const plain = await suite.Open(
      to.secret,
      one.subarray(end, end + encBytes),
      one.subarray(end + encBytes),
      { info: info('single'), aad: one.subarray(0, end) },
    );
    using key = await place.context(PLAIN).keys.open('k');
    const seed = key.secret.use((bytes) => Buffer.from(bytes));
    // [1, record, private]: the seed is the last of three, 32 bytes.
    expect(Buffer.from(plain.subarray(-34))).toEqual(
      Buffer.concat([Buffer.from('5820', 'hex'), seed]),
    );

    const content = randomBytes(300_000);
    writeFileSync(place.at('in'), content);
    await place.run(wrap, { in: place.at('in'), to: ['to'], out: place.at('two') });
    const two = readFileSync(place.at('two'));
    const start = two.indexOf(0x0a, MAGIC.length) + 1;
    const prefix = two.subarray(0, start);
    const part = two.subarray(start, start + encBytes + 48);
    const contentKey = await suite.Open(
      to.secret,
      part.subarray(0, encBytes),
      part.subarray(encBytes),
      { info: info('content-key'), aad: prefix },
    );
    const both = derived(contentKey, prefix, part);
    const body = two.subarray(start + part.length);
    expect(body.subarray(0, 32)).toEqual(both.subarray(32));
    const size = 2 ** 18 + 16;
    const chunks = [body.subarray(32, 32 + size), body.subarray(32 + size)];
    const opened = chunks.map((chunk, i) => {
      const cipher = createDecipheriv('aes-256-gcm', both.subarray(0, 32), nonceOf(i, i === 1));
      cipher.setAuthTag(chunk.subarray(-16));
      return Buffer.concat([cipher.update(chunk.subarray(0, -16)), cipher.final()]);
    });
    expect(Buffer.concat(opened).equals(content)).toBe(true);
  });

  it('that the peer sealed is opened by us: a key, and a stream', async () => {
    const suite = await suiteOf(name);
    const to = await recipient(algorithm, suite);
    const header = {
      type: 'conclave/container',
      version: 1,
      content: 'file',
      created: '2026-11-23T09:30:00Z',
      environment: 'production',
      epoch: 3,
      key: null as object | null,
      suite: { aead: 2, kdf: 1 },
    };
    const prefixOf = (more: object): Buffer =>
      Buffer.concat([MAGIC, Buffer.from(`${canonical({ ...header, ...more })}\n`)]);

    await place.run(keyGenerate, { algorithm: 'ed25519', name: 'k' }, PLAIN);
    using key = await place.context(PLAIN).keys.open('k');
    const { id, algorithm: of, profile, purposes, policy } = key.record;
    const single = prefixOf({
      body: 'single',
      chunk: null,
      content: 'key',
      key: { id, algorithm: of, profile, purposes, policy },
      recipients: [{ id: to.id, kem, bytes: encBytes }],
    });
    const record = Buffer.from(encodeRecord(key.record));
    const length = Buffer.alloc(2);
    length.writeUInt16BE(record.length);
    const seed = key.secret.use((bytes) => Buffer.from(bytes));
    const cbor = [Buffer.from('830159', 'hex'), length, record, Buffer.from('5820', 'hex'), seed];
    expect(record.length).toBeGreaterThan(255);
    const box = await suite.Seal(to.publicKey, Buffer.concat(cbor), {
      info: info('single'),
      aad: single,
    });
    writeFileSync(place.at('one'), Buffer.concat([single, box.encapsulatedSecret, box.ciphertext]));
    const opened = await place.run(
      unwrap,
      { key: 'to', in: place.at('one'), out: place.at('k.key') },
      PLAIN,
    );
    expect(opened).toMatchObject({ content: 'key', keyId: id, epoch: 3 });

    const stream = prefixOf({
      body: 'stream',
      chunk: 4096,
      recipients: [{ id: to.id, kem, bytes: encBytes + 48 }],
    });
    const contentKey = randomBytes(32);
    const sealed = await suite.Seal(to.publicKey, contentKey, {
      info: info('content-key'),
      aad: stream,
    });
    const part = Buffer.concat([sealed.encapsulatedSecret, sealed.ciphertext]);
    const both = derived(contentKey, stream, part);
    const content = randomBytes(10_000);
    const chunks = [0, 1, 2].map((i) => {
      const cipher = createCipheriv('aes-256-gcm', both.subarray(0, 32), nonceOf(i, i === 2));
      const piece = content.subarray(i * 4096, (i + 1) * 4096);
      return Buffer.concat([cipher.update(piece), cipher.final(), cipher.getAuthTag()]);
    });
    writeFileSync(place.at('two'), Buffer.concat([stream, part, both.subarray(32), ...chunks]));
    await place.run(unwrap, { key: 'to', in: place.at('two'), out: place.at('back') });
    expect(readFileSync(place.at('back')).equals(content)).toBe(true);
  });
});
