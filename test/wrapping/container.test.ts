import { execFileSync } from 'node:child_process';
import { createDecipheriv, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fc } from '../support/property.js';
import { describe, expect, it } from 'vitest';
import { encodePrefix, MAGIC, readFrame } from '#carriage/wrapping/container';
import type { Content, OpeningKey, WrapRequest } from '#carriage/wrapping/format';
import { format } from '#carriage/wrapping/hpke-container';
import { openHpke } from '#carriage/wrapping/hpke';
import { decodeKeyPackage } from '#carriage/wrapping/key-package';
import { AES_STREAM, openStream, sealStream } from '#carriage/wrapping/stream';
import type { Descriptor, KemImplementation } from '#crypto/descriptor';
import { keyId } from '#crypto/key-id';
import { allDescriptors, resolve } from '#crypto/registry';
import { type ByteSource, sourceOf, takeAll } from '#formats/byte-stream';
import { concat, toHex, utf8 } from '#formats/bytes';
import { canonicalJson, parseJson, type JsonObject } from '#formats/canonical-json';
import { ConclaveError, NegativeError } from '#formats/errors';
import { SecretBytes } from '#formats/secret-bytes';
import { fuzz } from '../support/mutations.js';
import { hasProgram, mutationCount, needs } from '../support/require.js';

const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length));
const hasPython = needs('python3', hasProgram('python3'), 'the program python3 is not there');

interface Pair extends OpeningKey {
  readonly descriptor: Descriptor;
}

async function pair(name: string): Promise<Pair> {
  const descriptor = await resolve(name);
  const kem = (await descriptor.load()) as KemImplementation;
  const seed = random(descriptor.sizes.private);
  const publicKey = kem.publicKey(seed);
  const secret = SecretBytes.adopt(seed, 'test key');
  return { descriptor, publicKey, secret, id: keyId(descriptor, publicKey) };
}

const keyContent = (descriptor: Descriptor, secret: Uint8Array): Content => ({
  kind: 'key',
  descriptor,
  secret: SecretBytes.copyOf(secret, 'wrapped'),
  facts: {
    id: 'ab'.repeat(32),
    algorithm: descriptor.name,
    profile: descriptor.profile,
    purposes: [...descriptor.purposes],
    policy: null,
  },
  record: utf8('{"a":"record"}\n'),
});
const fileContent = (bytes: Uint8Array): Content => ({ kind: 'file', source: sourceOf(bytes) });

async function sealed(
  content: Content,
  recipients: readonly Pair[],
  more: Partial<WrapRequest> = {},
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  await format.wrap({
    content,
    targets: recipients.map(({ descriptor, publicKey }, i) => ({
      kind: 'public-key',
      name: `recipient ${i + 1}`,
      descriptor,
      publicKey,
    })),
    environment: 'production',
    mark: '',
    epoch: 0,
    created: '2026-11-23T09:30:00Z',
    version: '0.0.0',
    random,
    sink: { write: (bytes) => void parts.push(bytes.slice()) },
    ...more,
  });
  return concat(...parts);
}

type Opening = Awaited<ReturnType<NonNullable<typeof format.unwrap>>>;
function open(bytes: Uint8Array | ByteSource, key: Pair): Promise<Opening> {
  const source = bytes instanceof Uint8Array ? sourceOf(bytes) : bytes;
  const openers = { keys: async () => [key], passphrase: async () => undefined };
  return (format.unwrap as NonNullable<typeof format.unwrap>)({ source, name: 'it', openers });
}

/** All that a container gives out before it ends or fails. */
async function released(
  bytes: Uint8Array,
  key: Pair,
): Promise<{ readonly plain: Uint8Array; readonly error: unknown }> {
  const parts: Uint8Array[] = [];
  try {
    using opened = await open(bytes, key);
    if (opened.kind !== 'file') throw new Error('not a file');
    const piece = new Uint8Array(5000);
    for (let count = 1; count > 0;) {
      count = opened.source.read(piece, 0);
      parts.push(piece.slice(0, count));
    }
    return { plain: concat(...parts), error: undefined };
  } catch (error) {
    return { plain: concat(...parts), error };
  }
}

const headerOf = (bytes: Uint8Array): { header: JsonObject; rest: Uint8Array } => {
  const end = bytes.indexOf(0x0a, MAGIC.length) + 1;
  const header = parseJson(bytes.subarray(MAGIC.length, end), 'header') as JsonObject;
  return { header, rest: bytes.slice(end) };
};
const withHeader = (header: JsonObject, rest: Uint8Array): Uint8Array =>
  concat(MAGIC, utf8(`${canonicalJson(header)}\n`), rest);

describe('a container', () => {
  it('opens with every KEM of HPKE, for keys and for files', async () => {
    const kems = (await allDescriptors()).filter(({ hpkeKem }) => hpkeKem !== undefined);
    expect(kems.length).toBeGreaterThanOrEqual(4);
    const ed25519 = await resolve('ed25519');
    const seed = random(32);
    for (const { name } of kems) {
      const to = await pair(name);
      using key = await open(await sealed(keyContent(ed25519, seed), [to]), to);
      if (key.kind !== 'key') throw new Error('not a key');
      expect(key.secret.use((bytes) => bytes.slice())).toEqual(seed);
      expect(key.carried?.record).toEqual(utf8('{"a":"record"}\n'));
      const file = await released(await sealed(fileContent(utf8('hello')), [to]), to);
      expect(file.plain).toEqual(utf8('hello'));
    }
  });

  it('refuses every altered header member, for a key and for a file', async () => {
    const to = await pair('x-wing');
    const other = await pair('ml-kem-1024');
    const ed25519 = await resolve('ed25519');
    const single = await sealed(keyContent(ed25519, random(32)), [to]);
    const stream = await sealed(fileContent(utf8('hello')), [to, other]);
    const changes: Record<string, readonly unknown[]> = {
      type: ['conclave/other'],
      version: [2],
      body: ['single', 'stream'],
      chunk: [null, 4096, 262_144],
      content: ['key', 'file'],
      created: ['2026-11-23T09:30:01Z'],
      environment: ['dev', 'rehearsal'],
      epoch: [1],
      key: [
        null,
        {
          id: 'cd'.repeat(32),
          algorithm: 'ed25519',
          profile: '',
          purposes: ['sign'],
          policy: null,
        },
        {
          id: 'ab'.repeat(32),
          algorithm: 'ml-dsa-65',
          profile: '',
          purposes: ['sign'],
          policy: null,
        },
        {
          id: 'ab'.repeat(32),
          algorithm: 'ed25519',
          profile: 'x',
          purposes: ['sign'],
          policy: null,
        },
        { id: 'ab'.repeat(32), algorithm: 'ed25519', profile: '', purposes: [], policy: null },
        {
          id: 'ab'.repeat(32),
          algorithm: 'ed25519',
          profile: '',
          purposes: ['sign'],
          policy: `sha256:${'0'.repeat(64)}`,
        },
      ],
      suite: [
        { kdf: 1, aead: 3 },
        { kdf: 2, aead: 2 },
      ],
      extra: [1],
    };
    for (const whole of [single, stream]) {
      const { header, rest } = headerOf(whole);
      const recipients = header['recipients'] as readonly JsonObject[];
      const first = recipients[0] as JsonObject;
      const all = {
        ...changes,
        recipients: [
          [],
          [...recipients].reverse(),
          [{ ...first, id: 'ef'.repeat(32) }],
          [{ ...first, kem: 0x0042 }],
          [{ ...first, bytes: (first['bytes'] as number) + 1 }],
          [...recipients, { ...first, id: 'ef'.repeat(32) }],
          recipients.slice(0, 1),
        ],
      };
      for (const [member, values] of Object.entries(all)) {
        for (const value of values) {
          if (canonicalJson({ v: header[member] ?? null }) === canonicalJson({ v: value as never }))
            continue;
          const changed = withHeader({ ...header, [member]: value as never }, rest);
          const { error, plain } = await released(changed, to);
          expect(error, `${member} ${JSON.stringify(value)}`).toBeInstanceOf(ConclaveError);
          expect([1, 65]).toContain((error as ConclaveError).exitCode);
          expect(plain).toHaveLength(0);
        }
      }
      for (const member of Object.keys(header)) {
        const { [member]: _, ...less } = header;
        expect((await released(withHeader(less, rest), to)).error).toMatchObject({ exitCode: 65 });
      }
    }
  });

  it('refuses a change in any part of any recipient, also another one’s', async () => {
    const [one, two] = [await pair('x-wing'), await pair('ml-kem-768')];
    const whole = await sealed(fileContent(utf8('hello')), [one, two]);
    const start = whole.indexOf(0x0a, MAGIC.length) + 1;
    for (let at = start; at < whole.length; at += 61) {
      const bytes = whole.slice();
      bytes[at] = (bytes[at] as number) ^ 0x80;
      for (const key of [one, two]) {
        const { error, plain } = await released(bytes, key);
        expect(error).toMatchObject({ code: 'E_NOT_AUTHENTIC', exitCode: 1 });
        expect(plain).toHaveLength(0);
      }
    }
  });

  it('refuses choices that it does not have', async () => {
    const to = await pair('x-wing');
    for (const choice of [{ armor: true }, { algorithm: 'RSA_AES_KEY_WRAP_SHA_256' }]) {
      await expect(sealed(fileContent(utf8('hello')), [to], choice)).rejects.toMatchObject({
        code: 'E_WRAP_CHOICE',
        exitCode: 2,
      });
    }
  });

  it('has one answer for whatever is wrong', async () => {
    const [one, two] = [await pair('x-wing'), await pair('x-wing')];
    const whole = await sealed(fileContent(random(100)), [one]);
    const bytes = whole.slice();
    bytes[bytes.length - 1] = (bytes.at(-1) as number) ^ 1;
    const wrong = [
      await released(whole, two),
      await released(bytes, one),
      await released(whole.subarray(0, -1), one),
      await released(whole.subarray(0, 200), one),
      await released(concat(whole, Uint8Array.of(0)), one),
    ].map(({ error }) => (error as Error).message);
    expect(new Set(wrong).size).toBe(1);
  });

  it('gives clear errors for mutations', async () => {
    const to = await pair('x-wing');
    const whole = await sealed(fileContent(utf8('hello')), [to]);
    const tally = await fuzz(whole.subarray(0, 600), (bytes) => readFrame(sourceOf(bytes), 'it'));
    expect(Object.values(tally).reduce((sum, count) => sum + count)).toBe(mutationCount);
    expect(tally['65']).toBeGreaterThan(0.3 * mutationCount);
    const keyPackage = Uint8Array.of(0x83, 1, 0x42, 0x7b, 0x7d, 0x43, 1, 2, 3);
    expect(decodeKeyPackage(keyPackage, 'it').record).toEqual(utf8('{}'));
    await fuzz(keyPackage, (bytes) => decodeKeyPackage(bytes, 'it'));
  });
});

/** What we ask of the peers. Their own declarations need the types of a browser, so they are not read. */
interface CoreSuite {
  readonly kem: { importKey(format: 'raw', key: ArrayBuffer, isPublic: boolean): Promise<object> };
  open(
    context: { recipientKey: object; enc: ArrayBuffer; info: ArrayBuffer },
    sealed: ArrayBuffer,
    aad: ArrayBuffer,
  ): Promise<ArrayBuffer>;
  seal(
    context: { recipientPublicKey: object; info: ArrayBuffer },
    plaintext: ArrayBuffer,
    aad: ArrayBuffer,
  ): Promise<{ enc: ArrayBuffer; ct: ArrayBuffer }>;
}
interface PanvaSuite {
  DeserializePrivateKey(key: Uint8Array): Promise<object>;
  DeserializePublicKey(key: Uint8Array): Promise<object>;
  Open(
    key: object,
    enc: Uint8Array,
    sealed: Uint8Array,
    options: { info: Uint8Array; aad: Uint8Array },
  ): Promise<Uint8Array>;
  Seal(
    key: object,
    plaintext: Uint8Array,
    options: { info: Uint8Array; aad: Uint8Array },
  ): Promise<{ encapsulatedSecret: Uint8Array; ciphertext: Uint8Array }>;
}
type Constructor<T = object> = new (...options: readonly unknown[]) => T;

/** Names as plain strings: resolved when the test runs, not by the compiler. */
const [CORE, X_WING, PANVA, NOBLE]: readonly string[] = [
  '@hpke/core',
  '@hpke/hybridkem-x-wing',
  'hpke',
  '@panva/hpke-noble',
];

async function coreSuite(): Promise<CoreSuite> {
  const core = (await import(CORE as string)) as {
    CipherSuite: Constructor<CoreSuite>;
    HkdfSha256: Constructor;
    Aes256Gcm: Constructor;
  };
  const { XWing } = (await import(X_WING as string)) as { XWing: Constructor };
  const { CipherSuite, HkdfSha256, Aes256Gcm } = core;
  return new CipherSuite({ kem: new XWing(), kdf: new HkdfSha256(), aead: new Aes256Gcm() });
}

async function panvaSuite(): Promise<PanvaSuite> {
  const panva = (await import(PANVA as string)) as {
    CipherSuite: Constructor<PanvaSuite>;
    KDF_HKDF_SHA256: unknown;
    AEAD_AES_256_GCM: unknown;
  };
  const { KEM_MLKEM768_X25519 } = (await import(NOBLE as string)) as Record<string, unknown>;
  const { CipherSuite, KDF_HKDF_SHA256, AEAD_AES_256_GCM } = panva;
  return new CipherSuite(KEM_MLKEM768_X25519, KDF_HKDF_SHA256, AEAD_AES_256_GCM);
}

describe('a container and two other HPKE packages', () => {
  const INFO_KEY = utf8('conclave/container/v1/content-key');
  const INFO_SINGLE = utf8('conclave/container/v1/single');
  const buffer = (bytes: Uint8Array): ArrayBuffer => new Uint8Array(bytes).buffer;

  it('open what each other sealed: @hpke/core', async () => {
    const to = await pair('x-wing');
    const ed25519 = await resolve('ed25519');
    const seed = random(32);
    const whole = await sealed(keyContent(ed25519, seed), [to]);
    const end = whole.indexOf(0x0a, MAGIC.length) + 1;
    const suite = await coreSuite();
    const raw = to.secret.use((bytes) => bytes.slice());
    const recipientKey = await suite.kem.importKey('raw', buffer(raw), false);
    const plain = await suite.open(
      { recipientKey, enc: buffer(whole.subarray(end, end + 1120)), info: buffer(INFO_SINGLE) },
      buffer(whole.subarray(end + 1120)),
      buffer(whole.subarray(0, end)),
    );
    expect(decodeKeyPackage(new Uint8Array(plain), 'it').secret.use((b) => b.slice())).toEqual(
      seed,
    );

    // And a container of theirs, whose bytes follow the page.
    const { header } = headerOf(whole);
    const prefix = concat(MAGIC, utf8(`${canonicalJson({ ...header, epoch: 7 })}\n`));
    const publicKey = await suite.kem.importKey('raw', buffer(to.publicKey), true);
    const theirs = await suite.seal(
      { recipientPublicKey: publicKey, info: buffer(INFO_SINGLE) },
      plain,
      buffer(prefix),
    );
    using opened = await open(
      concat(prefix, new Uint8Array(theirs.enc), new Uint8Array(theirs.ct)),
      to,
    );
    expect(opened.epoch).toBe(7);
    if (opened.kind !== 'key') throw new Error('not a key');
    expect(opened.secret.use((bytes) => bytes.slice())).toEqual(seed);
  });

  it('open what each other sealed: hpke and @panva/hpke-noble', async () => {
    const to = await pair('x-wing');
    const whole = await sealed(fileContent(utf8('hello')), [to]);
    const end = whole.indexOf(0x0a, MAGIC.length) + 1;
    const suite = await panvaSuite();
    const raw = to.secret.use((bytes) => bytes.slice());
    const privateKey = await suite.DeserializePrivateKey(raw);
    const contentKey = await suite.Open(
      privateKey,
      whole.slice(end, end + 1120),
      whole.slice(end + 1120, end + 1168),
      { info: INFO_KEY, aad: whole.slice(0, end) },
    );
    expect(contentKey).toHaveLength(32);
    const publicKey = await suite.DeserializePublicKey(to.publicKey);
    const made = await suite.Seal(publicKey, utf8('from there'), {
      info: INFO_KEY,
      aad: utf8('a'),
    });
    const opened = await openHpke({
      descriptor: to.descriptor,
      secret: raw,
      enc: made.encapsulatedSecret,
      info: INFO_KEY,
      aad: utf8('a'),
      sealed: made.ciphertext,
      what: 'it',
    });
    expect(opened).toEqual(utf8('from there'));
  });

  it.runIf(hasPython)(
    'are read by plain Python from the page alone, chunks by node:crypto',
    async () => {
      const folder = mkdtempSync(join(tmpdir(), 'conclave-container-'));
      try {
        const to = await pair('ml-kem-1024');
        const plain = random(300_000);
        const whole = await sealed(fileContent(plain), [to, await pair('x-wing')]);
        const path = join(folder, 'w');
        writeFileSync(path, whole);
        const end = whole.indexOf(0x0a, MAGIC.length) + 1;
        const raw = to.secret.use((bytes) => bytes.slice());
        const contentKey = await openHpke({
          descriptor: to.descriptor,
          secret: raw,
          enc: whole.slice(end, end + 1568),
          info: INFO_KEY,
          aad: whole.slice(0, end),
          sealed: whole.slice(end + 1568, end + 1616),
          what: 'it',
        });
        const reader = fileURLToPath(new URL('../independent/open_container.py', import.meta.url));
        const read = JSON.parse(
          execFileSync('python3', [reader, path, toHex(contentKey)], { encoding: 'utf8' }),
        ) as { payloadKey: string; recipientBytes: number } & JsonObject;
        expect(read).toMatchObject({ chunks: 2, contentBytes: 300_000, committed: true });
        const key = Buffer.from(read.payloadKey, 'hex');
        const body = whole.subarray(end + read.recipientBytes + 32);
        const size = 2 ** 18 + 16;
        const chunks = [body.subarray(0, size), body.subarray(size)].map((chunk, i) => {
          const nonce = Buffer.from(`${'00'.repeat(10)}0${i}0${i}`, 'hex');
          const cipher = createDecipheriv('aes-256-gcm', key, nonce);
          cipher.setAuthTag(chunk.subarray(-16));
          return Buffer.concat([cipher.update(chunk.subarray(0, -16)), cipher.final()]);
        });
        expect(Buffer.concat(chunks).equals(Buffer.from(plain))).toBe(true);
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
  );
});

describe('a stream', () => {
  const key = random(32);
  const CHUNK = 64;
  const seal = async (plain: Uint8Array): Promise<Uint8Array> => {
    const parts: Uint8Array[] = [];
    await sealStream(AES_STREAM, key, CHUNK, sourceOf(plain), {
      write: (bytes) => void parts.push(bytes.slice()),
    });
    return concat(...parts);
  };
  const failed = (): Error => new NegativeError({ code: 'E_NOT_AUTHENTIC', message: 'no' });
  const unseal = (sealedBytes: Uint8Array): { plain: Uint8Array; ok: boolean } => {
    const source = openStream(AES_STREAM, key.slice(), CHUNK, sourceOf(sealedBytes), failed);
    const parts: Uint8Array[] = [];
    const piece = new Uint8Array(23);
    try {
      for (let count = 1; count > 0;) {
        count = source.read(piece, 0);
        parts.push(piece.slice(0, count));
      }
      return { plain: concat(...parts), ok: true };
    } catch {
      // What failed once gives nothing more.
      expect(() => source.read(piece, 0)).toThrow('no');
      return { plain: concat(...parts), ok: false };
    }
  };

  it('gives back what went in, at every length around a chunk', async () => {
    for (const length of [0, 1, 63, 64, 65, 127, 128, 129, 640]) {
      const plain = random(length);
      const whole = await seal(plain);
      expect(whole).toHaveLength(length + 16 * Math.max(1, Math.ceil(length / CHUNK)));
      expect(unseal(whole)).toEqual({ plain, ok: true });
    }
  });

  it('shows cuts, repetitions, swaps, losses and additions, and releases only what was there', async () => {
    const size = CHUNK + 16;
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 400 }),
        fc.constantFrom('cut', 'repeat', 'swap', 'drop', 'add', 'flip'),
        fc.nat(),
        fc.nat(),
        async (length, how, a, b) => {
          const plain = random(length);
          const whole = await seal(plain);
          const pieces: Uint8Array[] = [];
          for (let at = 0; at < whole.length; at += size) pieces.push(whole.slice(at, at + size));
          const [i, j] = [a % pieces.length, b % pieces.length];
          const [first, second] = [pieces[i] as Uint8Array, pieces[j] as Uint8Array];
          let changed: Uint8Array;
          if (how === 'cut') changed = whole.slice(0, a % whole.length);
          else if (how === 'repeat')
            changed = concat(...pieces.slice(0, i + 1), first, ...pieces.slice(i + 1));
          else if (how === 'drop') changed = concat(...pieces.filter((_, k) => k !== i));
          else if (how === 'add') changed = concat(whole, random(1 + (b % 200)));
          else if (how === 'swap') {
            if (i === j) return;
            changed = concat(
              ...pieces.map((each, k) => (k === i ? second : k === j ? first : each)),
            );
          } else {
            changed = whole.slice();
            changed[a % whole.length] = (changed[a % whole.length] as number) ^ (1 << (b % 8));
          }
          const result = unseal(changed);
          expect(result.ok).toBe(false);
          expect(Buffer.from(plain.subarray(0, result.plain.length)).equals(result.plain)).toBe(
            true,
          );
        },
      ),
      { numRuns: 400 },
    );
  });
});

describe('a container header', () => {
  it('is two lines of text that people can read', async () => {
    const to = await pair('x-wing');
    const whole = await sealed(fileContent(utf8('hello')), [to]);
    const { header } = readFrame(sourceOf(whole), 'it');
    expect(whole.subarray(0, encodePrefix(header).length)).toEqual(encodePrefix(header));
    expect(takeAll(sourceOf(whole), 21)).toBeUndefined();
    expect(Buffer.from(whole.subarray(0, 21)).toString()).toBe('conclave container 1\n');
  });
});
