import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { HPKE_SUITE, keySchedule, openHpke, sealHpke } from '#carriage/wrapping/hpke';
import type { KemImplementation } from '#crypto/descriptor';
import { allDescriptors, resolve } from '#crypto/registry';
import { fromHex, toHex, utf8 } from '#formats/bytes';
import { seededSource } from '../formats/mutate.js';
import { needs, vectorsDir } from '../support/require.js';

const random = seededSource(21);
const info = utf8('conclave/test');
const aad = utf8('header');
const plaintext = utf8('a key');
const notAuthentic = { code: 'E_NOT_AUTHENTIC', exitCode: 1 };
const xWing = await resolve('x-wing');
const kem = (await xWing.load()) as KemImplementation;

/** An ArrayBuffer of exactly these bytes, as the peer wants it. */
const buffer = (bytes: Uint8Array): ArrayBuffer => new Uint8Array(bytes).buffer;

const kems = (await allDescriptors()).filter((each) => each.hpkeKem !== undefined);

describe('HPKE', () => {
  it.each(kems.map((each) => [each.name, each] as const))(
    'with %s opens what it sealed, and only that',
    async (_, descriptor) => {
      const is = (await descriptor.load()) as KemImplementation;
      const secret = random(descriptor.sizes.private);
      const publicKey = is.publicKey(secret);
      const box = await sealHpke({ descriptor, publicKey, info, aad, plaintext, random });
      const open = (change: object): Promise<Uint8Array> =>
        openHpke({ descriptor, secret, info, aad, ...box, what: 'box', ...change });
      expect(await open({})).toEqual(plaintext);
      const flipped = new Uint8Array(box.sealed);
      flipped[0] = (flipped[0] as number) ^ 1;
      const enc = new Uint8Array(box.enc);
      enc[0] = (enc[0] as number) ^ 1;
      for (const change of [
        { sealed: flipped },
        { sealed: box.sealed.subarray(1) },
        { enc },
        { info: utf8('other') },
        { aad: utf8('other') },
        { secret: random(descriptor.sizes.private) },
      ]) {
        await expect(open(change)).rejects.toMatchObject(notAuthentic);
      }
      await expect(open({ enc: enc.subarray(1) })).rejects.toMatchObject({
        code: 'E_LENGTH_WRONG',
      });
      await expect(open({ secret: secret.subarray(1) })).rejects.toMatchObject({
        code: 'E_LENGTH_WRONG',
      });
    },
  );

  it('is deterministic from its randomness, and never the same without', async () => {
    const publicKey = kem.publicKey(random(32));
    const seal = (source: typeof random): ReturnType<typeof sealHpke> =>
      sealHpke({ descriptor: xWing, publicKey, info, aad, plaintext, random: source });
    expect(await seal(seededSource(1))).toEqual(await seal(seededSource(1)));
    expect(toHex((await seal(random)).enc)).not.toBe(toHex((await seal(random)).enc));
  });

  it('wipes the shared secret that it is given', () => {
    const shared = new Uint8Array(32).fill(1);
    keySchedule(xWing, HPKE_SUITE, shared, info);
    expect(toHex(shared)).toBe('00'.repeat(32));
  });

  it('knows which algorithms are KEMs of HPKE', async () => {
    const descriptor = await resolve('ed25519');
    const publicKey = new Uint8Array(32);
    await expect(
      sealHpke({ descriptor, publicKey, info, aad, plaintext, random }),
    ).rejects.toMatchObject({
      code: 'E_HPKE_KEM',
    });
  });
});

/** What we ask of the peer. Its own declarations need the types of a browser, so they are not read. */
interface PeerSuite {
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

/** Names as plain strings: resolved when the test runs, not by the compiler. */
const [CORE, X_WING]: readonly string[] = ['@hpke/core', '@hpke/hybridkem-x-wing'];

type Constructor<T = object> = new (options?: object) => T;

async function peerSuite(): Promise<PeerSuite> {
  const core = (await import(CORE as string)) as {
    CipherSuite: Constructor<PeerSuite>;
    HkdfSha256: Constructor;
    Aes256Gcm: Constructor;
  };
  const { XWing } = (await import(X_WING as string)) as { XWing: Constructor };
  const { CipherSuite, HkdfSha256, Aes256Gcm } = core;
  return new CipherSuite({ kem: new XWing(), kdf: new HkdfSha256(), aead: new Aes256Gcm() });
}

describe('an independent HPKE over X-Wing', async () => {
  const suite = await peerSuite();

  it('opens what we sealed', async () => {
    const secret = random(32);
    const publicKey = kem.publicKey(secret);
    const { enc, sealed } = await sealHpke({
      descriptor: xWing,
      publicKey,
      info,
      aad,
      plaintext,
      random,
    });
    const recipientKey = await suite.kem.importKey('raw', buffer(secret), false);
    const opened = await suite.open(
      { recipientKey, enc: buffer(enc), info: buffer(info) },
      buffer(sealed),
      buffer(aad),
    );
    expect(new Uint8Array(opened)).toEqual(plaintext);
  });

  it('seals what we open', async () => {
    const secret = random(32);
    const recipientPublicKey = await suite.kem.importKey(
      'raw',
      buffer(kem.publicKey(secret)),
      true,
    );
    const { enc, ct } = await suite.seal(
      { recipientPublicKey, info: buffer(info) },
      buffer(plaintext),
      buffer(aad),
    );
    const box = { enc: new Uint8Array(enc), sealed: new Uint8Array(ct) };
    expect(await openHpke({ descriptor: xWing, secret, info, aad, ...box, what: 'box' })).toEqual(
      plaintext,
    );
  });
});

interface Vector {
  readonly kem_id: number;
  readonly kdf_id: number;
  readonly aead_id: number;
  readonly [member: string]: unknown;
}

const vectors = vectorsDir();

describe.skipIf(
  !needs('hpke vectors', vectors !== undefined, 'no test vectors (CONCLAVE_VECTORS)'),
)('the vectors of the draft', () => {
  it('give our key schedule for X-Wing with HKDF-SHA256', () => {
    const all = JSON.parse(
      readFileSync(join(vectors ?? '', 'hpke/hpke-pq.json'), 'utf8'),
    ) as Vector[];
    const vector = all.find((each) => each.kem_id === 0x647a && each.kdf_id === 1) as Vector;
    const hex = (member: string): Uint8Array => fromHex(vector[member] as string);
    const suite = { kdf: 1, aead: vector.aead_id as 3 } as const;
    const context = keySchedule(xWing, suite, hex('shared_secret'), hex('info'));
    expect(context).toEqual({
      key: hex('key'),
      baseNonce: hex('base_nonce'),
      exporterSecret: hex('exporter_secret'),
    });
  });
});
