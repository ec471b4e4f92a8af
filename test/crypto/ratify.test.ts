import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { SignatureImplementation } from '#crypto/descriptor';
import * as ratify from '#crypto/encodings/ratify-json';
import { resolve } from '#crypto/registry';
import { concat, fromBase64, fromHex, fromUtf8, toHex, utf8 } from '#formats/bytes';
import { canonicalJsonBytes, type JsonObject } from '#formats/canonical-json';
import { fuzz, seededSource } from '../formats/mutate.js';
import { needs, vectorsDir } from '../support/require.js';

const random = seededSource(31);
const descriptor = await resolve('ed25519+ml-dsa-65', 'ratify-v1');
const is = (await descriptor.load()) as SignatureImplementation;

describe('Ratify JSON', () => {
  const secret = random(64);
  const publicKey = is.publicKey(secret);

  it('comes back as it was', () => {
    const signature = is.sign(utf8('x'), secret);
    expect(ratify.decodeRatifyPublic(ratify.encodeRatifyPublic(publicKey), 'x')).toEqual(publicKey);
    expect(ratify.decodeRatifyPrivate(ratify.encodeRatifyPrivate(secret), 'x')).toEqual(secret);
    const text = canonicalJsonBytes(ratify.ratifySignature(signature));
    expect(ratify.decodeRatifySignature(text, 'x')).toEqual(signature);
  });

  it('refuses other lengths, members and keys of the other kind', () => {
    expect(() => ratify.ratifyPublicKey(publicKey.subarray(1))).toThrow(/1984 bytes/);
    expect(() => ratify.ratifyId(publicKey.subarray(1))).toThrow(/1984 bytes/);
    expect(() => ratify.encodeRatifyPrivate(secret.subarray(1))).toThrow(/64 bytes/);
    for (const text of ['{}', '[]', '{"ed25519":"AA==","ml_dsa_65":"AA=="}'])
      expect(() => ratify.decodeRatifyPublic(utf8(text), 'x')).toThrow(/x/);
    const priv = ratify.encodeRatifyPrivate(secret);
    expect(() => ratify.decodeRatifyPublic(priv, 'x')).toThrow(/unknown member/);
    const extra = utf8(fromUtf8(priv).replace('{', '{"a":1,'));
    expect(() => ratify.decodeRatifyPrivate(extra, 'x')).toThrow(/unknown member/);
  });

  it('survives mutations', async () => {
    const valid = ratify.encodeRatifyPrivate(secret);
    await fuzz([valid], (input) => ratify.decodeRatifyPrivate(input, 'fuzzed'));
  });
});

interface PublicJson {
  readonly ed25519: string;
  readonly ml_dsa_65: string;
}

interface Entity {
  readonly id: string;
  readonly ed25519_seed_hex: string;
  readonly ml_dsa_65_seed_hex: string;
  readonly public_key: PublicJson;
}

interface Fixture {
  readonly entities: readonly [Entity, Entity];
  readonly key_rotation: JsonObject & {
    readonly signature_old: PublicJson;
    readonly signature_new: PublicJson;
  };
  readonly expected: {
    readonly key_rotation_sign_bytes_hex: string;
    readonly key_rotation_verify_ok: boolean;
  };
}

const folder = join(vectorsDir() ?? '', 'ratify/v1');
const present = vectorsDir() !== undefined;
const joined = (value: PublicJson): Uint8Array =>
  concat(fromBase64(value.ed25519), fromBase64(value.ml_dsa_65));
const seeds = (entity: Entity): Uint8Array =>
  fromHex(entity.ed25519_seed_hex + entity.ml_dsa_65_seed_hex);
const read = (name: string): Fixture =>
  JSON.parse(readFileSync(join(folder, name), 'utf8')) as Fixture;

describe.skipIf(!needs('ratify fixtures', present, 'no test vectors (CONCLAVE_VECTORS)'))(
  'a rotation between the keys of the published fixture',
  () => {
    // The public half of the fixtures holds the tampered statement: device_lost was written over routine after signing.
    let fixture: Fixture;
    let oldRoot: Entity;
    let newRoot: Entity;
    beforeAll(() => {
      fixture = read('reject_key_rotation_tampered.json');
      [oldRoot, newRoot] = fixture.entities;
    });
    const statement = (reason: string): Uint8Array =>
      canonicalJsonBytes(
        {
          version: 1,
          old_id: ratify.ratifyId(is.publicKey(seeds(oldRoot))),
          old_pub_key: ratify.ratifyPublicKey(is.publicKey(seeds(oldRoot))),
          new_id: ratify.ratifyId(is.publicKey(seeds(newRoot))),
          new_pub_key: ratify.ratifyPublicKey(is.publicKey(seeds(newRoot))),
          rotated_at: 1_800_000_000,
          reason,
        },
        { escapeLineSeparators: true },
      );

    it('has the fixture’s keys and ids', () => {
      for (const entity of fixture.entities) {
        const publicKey = is.publicKey(seeds(entity));
        expect(publicKey).toEqual(joined(entity.public_key));
        expect(ratify.ratifyId(publicKey)).toBe(entity.id);
      }
    });

    it('has the fixture’s canonical bytes under its changed reason', () => {
      expect(toHex(statement('device_lost'))).toBe(fixture.expected.key_rotation_sign_bytes_hex);
      expect(statement('routine').length).toBe(5528);
    });

    it('gives both published signatures byte for byte with the reason routine', () => {
      const bytes = statement('routine');
      const sides = [
        [oldRoot, fixture.key_rotation.signature_old],
        [newRoot, fixture.key_rotation.signature_new],
      ] as const;
      for (const [entity, published] of sides) {
        const signature = is.sign(bytes, seeds(entity));
        expect(signature).toEqual(joined(published));
        expect(is.verify(signature, bytes, joined(entity.public_key))).toBe(true);
        expect(is.verify(signature, statement('device_lost'), joined(entity.public_key))).toBe(
          false,
        );
      }
    });
  },
);
