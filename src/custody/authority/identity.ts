/**
 * Identities: three keys of one person, used for nothing but signing statements and opening what is sealed to that person.
 * @see docs/spec/identity.md
 */
import type { RandomSource } from '#crypto/descriptor';
import { sha256 } from '#crypto/hash';
import { keyId } from '#crypto/key-id';
import { resolve } from '#crypto/registry';
import { selfCheck } from '#crypto/self-check';
import { equal, toBase64, toHex, utf8 } from '#formats/bytes';
import {
  canonicalJson,
  type Json,
  type JsonObject,
  parseCanonicalJson,
} from '#formats/canonical-json';
import { NegativeError } from '#formats/errors';
import type { Infer } from '#formats/schema';
import * as s from '#formats/schema';
import { SecretBytes } from '#formats/secret-bytes';
import { formatTime } from '#formats/time';
import { components, SEED_BYTES, signingKeyIds } from '#custody/audit/component-keys';
import type { Environment } from './record.js';

/** A public file has about 4.5 KB; anything much longer is not one. */
const MAX_FILE_BYTES = 16 * 1024;

const COMPONENTS = 3;

/** No control or format characters: a name is printed on terminals and read aloud. */
const nameSchema = s.string({
  max: 128,
  pattern: /^[^\s\p{C}](?:[^\p{C}\p{Zl}\p{Zp}]*[^\s\p{C}])?$/u,
  what: 'a name of 1 to 128 printable characters, without space at either end',
});

/** Strict reader of an identity's public file. */
export const identitySchema = s.object({
  type: s.oneOf('conclave/identity'),
  version: s.oneOf(1),
  /** SHA-256 over the three component key ids; see `identityId`. */
  id: s.hex(32),
  name: nameSchema,
  created: s.time(),
  environment: s.oneOf('production', 'rehearsal', 'dev'),
  /** Raw public keys. */
  ed25519: s.base64(32),
  mlDsa65: s.base64(1952),
  xWing: s.base64(1216),
});

/** An identity's public side. */
export type Identity = Infer<typeof identitySchema>;

/** An identity with its private side in memory: three 32-byte seeds in one secret, ed25519 ‖ ml-dsa-65 ‖ x-wing. */
export interface OpenIdentity extends Disposable {
  readonly identity: Identity;
  readonly seeds: SecretBytes;
}

/** Key ids of the three components, lower-case hex. */
export interface ComponentKeyIds {
  readonly ed25519: string;
  readonly mlDsa65: string;
  readonly xWing: string;
}

type PublicKeys = Pick<Identity, 'ed25519' | 'mlDsa65' | 'xWing'>;

const DOMAIN = utf8('conclave-identity-v1\0');
const ZERO = Uint8Array.of(0);

/** Key ids of the three components, by the one formula for key ids. */
export function componentKeyIds(keys: PublicKeys): ComponentKeyIds {
  return { ...signingKeyIds(keys), xWing: keyId(components.xWing, keys.xWing) };
}

/**
 * Lower-case hex SHA-256 over `conclave-identity-v1`, a zero byte, and the three component key ids in hex, each followed by a
 * zero byte, in the order ed25519, ml-dsa-65, x-wing. Name and date are not part of it: the keys are the identity.
 */
export function identityId(keys: PublicKeys): string {
  const ids = componentKeyIds(keys);
  const parts = [ids.ed25519, ids.mlDsa65, ids.xWing].flatMap((id) => [utf8(id), ZERO]);
  return toHex(sha256(DOMAIN, ...parts));
}

/** The id in sixteen groups of four, for comparing over a second channel; 79 characters. */
export function fingerprint(identity: Pick<Identity, 'id'>): string {
  return (identity.id.match(/.{4}/g) ?? []).join(' ');
}

/**
 * A new identity. Each of its keys is checked before it is returned: pairwise consistency, and a second implementation where
 * the running Node has one.
 * @returns owned: the caller disposes it
 * @throws {@link InternalError} `E_SELF_CHECK_FAILED`; {@link InputError} `E_SCHEMA_MISMATCH` for a name it cannot carry
 */
export async function newIdentity(wanted: {
  readonly name: string;
  readonly environment: Environment;
  readonly now: Date;
  readonly random: RandomSource;
}): Promise<OpenIdentity> {
  const { environment, now, random } = wanted;
  const name = nameSchema.parse(wanted.name.normalize('NFC'), 'name of the identity');
  const seeds = new Uint8Array(COMPONENTS * SEED_BYTES);
  try {
    const publicKeys: Uint8Array[] = [];
    for (const [i, component] of Object.values(components).entries()) {
      const descriptor = await resolve(component.name);
      const seed = await (await descriptor.load()).generate(random);
      try {
        publicKeys.push((await selfCheck(descriptor, seed, random)).publicKey);
        seeds.set(seed, i * SEED_BYTES);
      } finally {
        seed.fill(0);
      }
    }
    const [ed25519, mlDsa65, xWing] = publicKeys as [Uint8Array, Uint8Array, Uint8Array];
    const identity = identitySchema.parse(
      identityJson({
        type: 'conclave/identity',
        version: 1,
        id: identityId({ ed25519, mlDsa65, xWing }),
        name,
        created: formatTime(now),
        environment,
        ed25519,
        mlDsa65,
        xWing,
      }),
      'identity',
    );
    return opened(identity, SecretBytes.copyOf(seeds, `private keys of ${name}`));
  } finally {
    seeds.fill(0);
  }
}

/**
 * An identity with its private side, after recomputing all three public keys from the seeds.
 * @param seeds - 96 bytes, ed25519 ‖ ml-dsa-65 ‖ x-wing; adopted: disposed with the result, or at once when they do not fit
 * @throws {@link NegativeError} `E_IDENTITY_MISMATCH` when the seeds are not those of this identity
 */
export async function openIdentity(identity: Identity, seeds: SecretBytes): Promise<OpenIdentity> {
  try {
    if (seeds.length !== COMPONENTS * SEED_BYTES) throw foreignSeeds(identity);
    const expected = [identity.ed25519, identity.mlDsa65, identity.xWing];
    for (const [i, component] of Object.values(components).entries()) {
      const implementation = await (await resolve(component.name)).load();
      if (implementation.kind === 'symmetric') throw foreignSeeds(identity);
      const publicKey = seeds.use((bytes) =>
        implementation.publicKey(bytes.subarray(i * SEED_BYTES, (i + 1) * SEED_BYTES)),
      );
      if (!equal(publicKey, expected[i] as Uint8Array)) throw foreignSeeds(identity);
    }
    return opened(identity, seeds);
  } catch (error) {
    seeds.dispose();
    throw error;
  }
}

/** An identity's public side as plain data, for artifacts that embed it; keys are base64. */
export function identityJson(identity: Identity): JsonObject {
  return {
    ...identity,
    ed25519: toBase64(identity.ed25519),
    mlDsa65: toBase64(identity.mlDsa65),
    xWing: toBase64(identity.xWing),
  };
}

/** The public file: canonical JSON and a line feed. */
export function encodeIdentity(identity: Identity): Uint8Array {
  return utf8(`${canonicalJson(identityJson(identity))}\n`);
}

/**
 * An identity from its public file. The id is recomputed from the keys.
 * @param what - how errors name the input
 * @throws {@link InputError} `E_SCHEMA_MISMATCH` and the errors of the JSON reader; {@link NegativeError} `E_IDENTITY_ID`
 * when the id is not that of the keys
 */
export function decodeIdentity(bytes: Uint8Array, what: string): Identity {
  return parseIdentityJson(parseCanonicalJson(bytes, what, { maxBytes: MAX_FILE_BYTES }), what);
}

/** An identity from plain data that another artifact embeds; checked like {@link decodeIdentity}. */
export function parseIdentityJson(value: Json | undefined, what: string): Identity {
  const identity = identitySchema.parse(value, what);
  if (identityId(identity) !== identity.id) {
    throw new NegativeError({
      code: 'E_IDENTITY_ID',
      message: `${what}: the id is not that of the keys`,
      hint: 'the file was altered after it was written; ask its owner for the original',
    });
  }
  return identity;
}

function opened(identity: Identity, seeds: SecretBytes): OpenIdentity {
  return {
    identity,
    seeds,
    [Symbol.dispose]: () => {
      seeds.dispose();
    },
  };
}

function foreignSeeds(identity: Identity): NegativeError {
  return new NegativeError({
    code: 'E_IDENTITY_MISMATCH',
    message: `the private keys are not those of the identity ${identity.name}`,
    hint: 'the public file and the private file do not belong together',
  });
}
