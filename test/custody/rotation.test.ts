import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { resolve } from '#crypto/registry';
import type { OpenIdentity } from '#custody/authority/identity';
import {
  decodeRatifyRotation,
  encodeRatifyRotation,
  type RatifyKey,
  ratifyReason,
  rotationSignBytes,
  signRatifyRotation,
  verifyRatifyRotation,
} from '#custody/authority/ratify-rotation';
import {
  type RotatingKey,
  signIdentityRotation,
  signKeyRotation,
  verifyIdentityRotation,
  verifyKeyRotation,
} from '#custody/authority/rotation';
import { concat, fromHex, toBase64, toHex, utf8 } from '#formats/bytes';
import { type DsseEnvelope, encodeDsse } from '#formats/dsse';
import { InputError, UsageError } from '#formats/errors';
import { SecretBytes } from '#formats/secret-bytes';
import { fuzz } from '../support/mutations.js';
import { needs, vectorsDir } from '../support/require.js';
import { person, randomFrom } from './people.js';

const NOW = new Date('2026-11-23T09:30:00Z');

async function key(algorithm: string, seed: string, profile?: string): Promise<RotatingKey> {
  const descriptor = await resolve(algorithm, profile);
  const implementation = await descriptor.load();
  const secret = await implementation.generate(randomFrom(seed));
  if (implementation.kind === 'symmetric') throw new Error('not for this test');
  const publicKey = implementation.publicKey(secret);
  return { descriptor, publicKey, secret: SecretBytes.adopt(secret, seed) };
}

const withPayload = (envelope: DsseEnvelope, from: string, to: string): DsseEnvelope => ({
  ...envelope,
  payload: utf8(new TextDecoder().decode(envelope.payload).replace(from, to)),
});

describe('a rotation of keys', () => {
  it('links keys of any signing algorithm, both of which signed', async () => {
    const old = await key('ed25519', 'old');
    const next = await key('ed25519+ml-dsa-65', 'new');
    const envelope = await signKeyRotation({
      old,
      new: next,
      reason: 'routine',
      note: 'yearly',
      now: NOW,
    });
    const { rotation, problems } = await verifyKeyRotation(envelope, 'r.json');
    expect(problems).toEqual([]);
    expect(rotation).toMatchObject({
      old: { algorithm: 'ed25519', profile: '' },
      new: { algorithm: 'ed25519+ml-dsa-65', profile: 'composite' },
      reason: 'routine',
      note: 'yearly',
      rotatedAt: '2026-11-23T09:30:00Z',
    });
  });

  it('is no rotation without both, or with one of them wrong', async () => {
    const old = await key('ed25519', 'old');
    const next = await key('ml-dsa-65', 'new');
    const envelope = await signKeyRotation({ old, new: next, reason: 'other', now: NOW });
    const [first, second] = envelope.signatures as [never, never];
    for (const signatures of [[], [first], [second], [first, first, second]]) {
      const { problems } = await verifyKeyRotation({ ...envelope, signatures }, 'r.json');
      expect(problems).not.toHaveLength(0);
    }
    for (const [from, to] of [
      ['"other"', '"routine"'],
      ['"name":"old"', '"name":"new"'],
      ['"note":""', '"note":"x"'],
    ] as const) {
      const { problems } = await verifyKeyRotation(withPayload(envelope, from, to), 'r.json');
      expect(problems).not.toHaveLength(0);
    }
    const swapped = await key('ed25519', 'third');
    const { problems } = await verifyKeyRotation(
      withPayload(envelope, toBase64(old.publicKey), toBase64(swapped.publicKey)),
      'r.json',
    );
    expect(problems[0]).toMatch(/old id is not that of the old key/);
  });

  it('of one key with itself, or of keys that cannot sign, is refused', async () => {
    const old = await key('ed25519', 'old');
    await expect(signKeyRotation({ old, new: old, reason: 'other', now: NOW })).rejects.toThrow(
      UsageError,
    );
    const kem = await key('x-wing', 'kem');
    await expect(signKeyRotation({ old, new: kem, reason: 'other', now: NOW })).rejects.toThrow(
      UsageError,
    );
  });

  it('of an unknown or unfit algorithm is malformed', async () => {
    const old = await key('ed25519', 'old');
    const next = await key('ml-dsa-65', 'new');
    const envelope = await signKeyRotation({ old, new: next, reason: 'other', now: NOW });
    for (const algorithm of ['"rot13"', '"x-wing"']) {
      await expect(
        verifyKeyRotation(withPayload(envelope, '"ed25519"', algorithm), 'r.json'),
      ).rejects.toThrow(InputError);
    }
  });

  it('is refused in the agreed way when mutated', async () => {
    const old = await key('ed25519', 'old');
    const next = await key('ed25519', 'new');
    const envelope = await signKeyRotation({ old, new: next, reason: 'other', now: NOW });
    const accepted: string[] = [];
    await fuzz(
      envelope.payload,
      async (payload) => {
        const { problems } = await verifyKeyRotation({ ...envelope, payload }, 'r.json');
        if (problems.length === 0) accepted.push(toHex(payload));
      },
      // Whatever still parses costs two verifications; the reader of statements has its own ten thousand.
      { count: 2000 },
    );
    expect(accepted.filter((hex) => hex !== toHex(envelope.payload))).toEqual([]);
  });
});

describe('a rotation of identities', () => {
  let ada: OpenIdentity;
  let next: OpenIdentity;
  beforeAll(async () => {
    ada = await person('Ada');
    next = await person('Ada again');
  });
  afterAll(() => {
    ada[Symbol.dispose]();
    next[Symbol.dispose]();
  });

  it('links both, each of which signed with both keys', async () => {
    const envelope = await signIdentityRotation({
      old: ada,
      new: next,
      reason: 'device_lost',
      now: NOW,
    });
    expect(envelope.signatures).toHaveLength(4);
    const verdict = await verifyIdentityRotation(envelope, 'r.json');
    expect(verdict.problems).toEqual([]);
    expect(verdict.old).toEqual(ada.identity);
    expect(verdict.new).toEqual(next.identity);
    for (let i = 0; i < 4; i++) {
      const signatures = envelope.signatures.toSpliced(i, 1);
      const { problems } = await verifyIdentityRotation({ ...envelope, signatures }, 'r.json');
      expect(problems).not.toHaveLength(0);
    }
    const changed = withPayload(envelope, 'device_lost', 'recovery');
    expect((await verifyIdentityRotation(changed, 'r.json')).problems).not.toHaveLength(0);
    await expect(verifyKeyRotation(envelope, 'r.json')).rejects.toThrow(InputError);
  });

  it('of one identity with itself is refused', async () => {
    await expect(
      signIdentityRotation({ old: ada, new: ada, reason: 'other', now: NOW }),
    ).rejects.toThrow(UsageError);
  });
});

interface Entity {
  readonly ed25519_seed_hex: string;
  readonly ml_dsa_65_seed_hex: string;
  readonly id: string;
}

async function ratifyKey(ed: string, ml: string): Promise<RatifyKey> {
  const implementation = await (await resolve('ed25519+ml-dsa-65', 'ratify-v1')).load();
  if (implementation.kind !== 'signature') throw new Error('not a signature algorithm');
  const secret = SecretBytes.adopt(concat(fromHex(ed), fromHex(ml)), 'ratify seeds');
  return { publicKey: secret.use((bytes) => implementation.publicKey(bytes)), secret };
}

describe('a Ratify rotation', () => {
  const sample = async () =>
    signRatifyRotation({
      old: await ratifyKey('01'.repeat(32), 'fe'.repeat(32)),
      new: await ratifyKey('06'.repeat(32), 'f9'.repeat(32)),
      reason: 'routine',
      rotatedAt: new Date(1_800_000_000_000),
    });

  it('survives writing and reading, and verifies', async () => {
    const statement = await sample();
    const bytes = encodeRatifyRotation(statement);
    expect(decodeRatifyRotation(bytes, 'r.json')).toEqual(statement);
    expect(await verifyRatifyRotation(statement)).toEqual([]);
    expect(Object.keys(JSON.parse(new TextDecoder().decode(bytes)) as object)).toEqual([
      'new_id',
      'new_pub_key',
      'old_id',
      'old_pub_key',
      'reason',
      'rotated_at',
      'signature_new',
      'signature_old',
      'version',
    ]);
  });

  it('does not verify when anything in it is changed', async () => {
    const statement = await sample();
    const flip = (bytes: Uint8Array, at: number): Uint8Array =>
      bytes.with(at, (bytes[at] as number) ^ 1);
    for (const [changed, problem] of [
      [{ ...statement, reason: 'other' as const }, /Ed25519 signature of the old key/],
      [{ ...statement, rotatedAt: 1 }, /Ed25519 signature of the old key/],
      [{ ...statement, oldId: statement.newId }, /old id is not that of the old key/],
      [{ ...statement, newId: '00'.repeat(16) }, /new id is not that of the new key/],
      [
        { ...statement, newPublicKey: statement.oldPublicKey, newId: statement.oldId },
        /are the same/,
      ],
      [
        { ...statement, signatureOld: flip(statement.signatureOld, 0) },
        /Ed25519 signature of the old key/,
      ],
      [
        { ...statement, signatureOld: flip(statement.signatureOld, 64) },
        /ML-DSA-65 signature of the old key/,
      ],
      [
        { ...statement, signatureNew: flip(statement.signatureNew, 63) },
        /Ed25519 signature of the new key/,
      ],
      [
        { ...statement, signatureNew: flip(statement.signatureNew, 3372) },
        /ML-DSA-65 signature of the new key/,
      ],
      [
        {
          ...statement,
          signatureOld: statement.signatureNew,
          signatureNew: statement.signatureOld,
        },
        /old key/,
      ],
    ] as const) {
      expect((await verifyRatifyRotation(changed)).join('\n')).toMatch(problem);
    }
  });

  it('knows the closed list of reasons, and the one alias, which is told', () => {
    expect(ratifyReason('routine')).toEqual({ reason: 'routine' });
    const alias = ratifyReason('self_custody_upgrade');
    expect(alias.reason).toBe('routine');
    expect(alias.said).toMatch(/self_custody_upgrade/);
    expect(() => ratifyReason('boredom')).toThrow(UsageError);
    expect(() => ratifyReason('constructor')).toThrow(UsageError);
  });

  it.each<[string, (text: string) => string]>([
    ['the reason that Ratify refuses', (t) => t.replace('"routine"', '"self_custody_upgrade"')],
    ['another version', (t) => t.replace('"version":1', '"version":2')],
    ['a fraction', (t) => t.replace('1800000000', '1800000000.5')],
    ['an exponent', (t) => t.replace('1800000000', '18e8')],
    ['an unknown member', (t) => t.replace('"version":1', '"version":1,"x":1')],
    ['a duplicate member', (t) => t.replace('"version":1', '"version":1,"version":1')],
    ['text behind it', (t) => `${t}{}`],
    ['a byte order mark', (t) => `\ufeff${t}`],
    ['unpadded base64', (t) => t.replace('="', '"')],
    ['a short id', (t) => t.replace(/"old_id":"../, '"old_id":"')],
  ])('with %s is malformed', async (_what, change) => {
    const text = new TextDecoder().decode(encodeRatifyRotation(await sample()));
    expect(change(text)).not.toBe(text);
    expect(() => decodeRatifyRotation(utf8(change(text)), 'r.json')).toThrow(InputError);
  });

  it('is refused in the agreed way when mutated', async () => {
    const bytes = encodeRatifyRotation(await sample());
    await fuzz(bytes, (mutated) => decodeRatifyRotation(mutated, 'r.json'));
  });

  const vectors = vectorsDir();
  const folder = vectors === undefined ? undefined : join(vectors, 'ratify/v1');
  describe.skipIf(!needs('test vectors', folder !== undefined, 'CONCLAVE_VECTORS is not there'))(
    'against the published fixture',
    () => {
      const read = () =>
        JSON.parse(
          readFileSync(join(folder as string, 'reject_key_rotation_tampered.json'), 'utf8'),
        ) as {
          readonly entities: readonly [Entity, Entity];
          readonly key_rotation: Record<string, unknown>;
          readonly expected: { readonly key_rotation_sign_bytes_hex: string };
        };

      it('reproduces ids, canonical bytes and, with reason routine, both signatures', async () => {
        const fixture = read();
        const published = decodeRatifyRotation(
          utf8(JSON.stringify(fixture.key_rotation)),
          'fixture',
        );
        const [old, next] = (await Promise.all(
          fixture.entities.map((e) => ratifyKey(e.ed25519_seed_hex, e.ml_dsa_65_seed_hex)),
        )) as [RatifyKey, RatifyKey];
        expect(toHex(rotationSignBytes(published))).toBe(
          fixture.expected.key_rotation_sign_bytes_hex,
        );
        const ours = await signRatifyRotation({
          old,
          new: next,
          reason: 'routine',
          rotatedAt: new Date(published.rotatedAt * 1000),
        });
        expect([ours.oldId, ours.newId]).toEqual(fixture.entities.map((e) => e.id));
        // The fixture's reason was changed after signing; its signatures are those of the original.
        expect(toHex(ours.signatureOld)).toBe(toHex(published.signatureOld));
        expect(toHex(ours.signatureNew)).toBe(toHex(published.signatureNew));
        expect(await verifyRatifyRotation(ours)).toEqual([]);
      });

      it('rejects it for the reason that the fixture gives', async () => {
        const published = decodeRatifyRotation(
          utf8(JSON.stringify(read().key_rotation)),
          'fixture',
        );
        const problems = await verifyRatifyRotation(published);
        expect(problems[0]).toBe('the Ed25519 signature of the old key does not verify');
      });
    },
  );
});

it('a rotation in its envelope is a file like any other', async () => {
  const old = await key('ed25519', 'old');
  const next = await key('ed25519', 'new');
  const envelope = await signKeyRotation({ old, new: next, reason: 'other', now: NOW });
  expect(encodeDsse(envelope).endsWith('}\n')).toBe(true);
});
