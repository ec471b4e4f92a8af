import { createHash } from 'node:crypto';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  componentKeyIds,
  decodeIdentity,
  encodeIdentity,
  fingerprint,
  identityId,
  newIdentity,
  openIdentity,
  type OpenIdentity,
} from '#custody/authority/identity';
import { toHex, utf8 } from '#formats/bytes';
import { InputError, NegativeError } from '#formats/errors';
import { SecretBytes } from '#formats/secret-bytes';
import { fuzz } from '../support/mutations.js';
import { person, randomFrom } from './people.js';
import { mutationCount } from '../support/require.js';

let ada: OpenIdentity;
beforeAll(async () => {
  ada = await person('Ada Lovelace');
});
afterAll(() => {
  ada[Symbol.dispose]();
});

const hash = (...parts: (string | Uint8Array)[]): string => {
  const state = createHash('sha256');
  for (const part of parts) state.update(part);
  return state.digest('hex');
};

describe('an identity', () => {
  it('has the ids that the specification gives', () => {
    const { ed25519, mlDsa65, xWing, id } = ada.identity;
    const ids = componentKeyIds(ada.identity);
    expect(ids.ed25519).toBe(hash('conclave-key-v1\0ed25519\0\0', ed25519));
    expect(ids.mlDsa65).toBe(hash('conclave-key-v1\0ml-dsa-65\0\0', mlDsa65));
    expect(ids.xWing).toBe(hash('conclave-key-v1\0x-wing\0\0', xWing));
    expect(id).toBe(hash(`conclave-identity-v1\0${ids.ed25519}\0${ids.mlDsa65}\0${ids.xWing}\0`));
    expect(identityId(ada.identity)).toBe(id);
  });

  it('is read aloud in sixteen groups of four', () => {
    const text = fingerprint(ada.identity);
    expect(text).toMatch(/^(?:[0-9a-f]{4} ){15}[0-9a-f]{4}$/);
    expect(text.replaceAll(' ', '')).toBe(ada.identity.id);
  });

  it('survives writing and reading', () => {
    const bytes = encodeIdentity(ada.identity);
    expect(decodeIdentity(bytes, 'ada.pub')).toEqual(ada.identity);
    expect(bytes.at(-1)).toBe(0x0a);
    expect(ada.identity.created).toBe('2026-11-23T09:30:00Z');
  });

  it('depends on all of its randomness, and on nothing else but it', async () => {
    using again = await person('Ada Lovelace');
    using other = await person('Bob');
    expect(again.identity).toEqual(ada.identity);
    expect(other.identity.id).not.toBe(ada.identity.id);
  });

  it('keeps its seeds out of every printed form', () => {
    const seeds = ada.seeds.use((bytes) => toHex(bytes));
    expect(inspect(ada, { depth: 10 })).not.toContain(seeds.slice(0, 16));
    expect(() => JSON.stringify(ada)).toThrow();
  });

  it.each(['', ' Ada', 'Ada\n', 'A\u001b[2Jda', 'A\u202eda', 'x'.repeat(129)])(
    'cannot be called %j',
    async (name) => {
      const wanted = {
        name,
        environment: 'dev',
        now: new Date(),
        random: randomFrom('x'),
      } as const;
      await expect(newIdentity(wanted)).rejects.toThrow(InputError);
    },
  );
});

describe('the public file', () => {
  const changed = (change: (json: Record<string, unknown>) => void): Uint8Array => {
    const json = JSON.parse(new TextDecoder().decode(encodeIdentity(ada.identity))) as Record<
      string,
      unknown
    >;
    change(json);
    const sorted = Object.fromEntries(Object.entries(json).sort(([a], [b]) => (a < b ? -1 : 1)));
    return utf8(`${JSON.stringify(sorted)}\n`);
  };

  it('with another id, or a key of somebody else, is not accepted', async () => {
    using bob = await person('Bob');
    for (const change of [
      (json: Record<string, unknown>) => (json['id'] = '00'.repeat(32)),
      (json: Record<string, unknown>) =>
        (json['xWing'] = Buffer.from(bob.identity.xWing).toString('base64')),
      (json: Record<string, unknown>) =>
        (json['ed25519'] = Buffer.from(bob.identity.ed25519).toString('base64')),
    ]) {
      expect(() => decodeIdentity(changed(change), 'ada.pub')).toThrow(NegativeError);
    }
  });

  it.each([
    ['another type', (json: Record<string, unknown>) => (json['type'] = 'conclave/key-record')],
    ['another version', (json: Record<string, unknown>) => (json['version'] = 2)],
    ['an unknown member', (json: Record<string, unknown>) => (json['comment'] = 'hi')],
    ['a short key', (json: Record<string, unknown>) => (json['ed25519'] = 'AAAA')],
    ['no name', (json: Record<string, unknown>) => delete json['name']],
    ['a local time', (json: Record<string, unknown>) => (json['created'] = '2026-11-23 09:30')],
  ])('with %s is malformed', (_what, change) => {
    expect(() => decodeIdentity(changed(change), 'ada.pub')).toThrow(InputError);
  });

  it('is refused in the agreed way when mutated, and never read as another key', async () => {
    const tally = await fuzz(encodeIdentity(ada.identity), (bytes) => {
      const read = decodeIdentity(bytes, 'ada.pub');
      expect(identityId(read)).toBe(read.id);
    });
    expect(tally['65']).toBeGreaterThan(0.5 * mutationCount);
  });
});

describe('opening', () => {
  it('takes the seeds of the identity and no others', async () => {
    const seeds = ada.seeds.clone();
    using opened = await openIdentity(ada.identity, seeds);
    expect(opened.identity).toEqual(ada.identity);
    for (const at of [0, 32, 64, 95]) {
      const wrong = SecretBytes.adopt(
        ada.seeds.use((bytes) => bytes.with(at, (bytes[at] as number) ^ 1)),
        'wrong seeds',
      );
      await expect(openIdentity(ada.identity, wrong)).rejects.toThrow(NegativeError);
      expect(wrong.wiped).toBe(true);
    }
  });

  it('refuses seeds of another length', async () => {
    for (const length of [0, 64, 97]) {
      const wrong = SecretBytes.adopt(new Uint8Array(length), 'wrong seeds');
      await expect(openIdentity(ada.identity, wrong)).rejects.toThrow(NegativeError);
    }
  });

  it('wipes what it adopted when disposed', async () => {
    const seeds = ada.seeds.clone();
    const opened = await openIdentity(ada.identity, seeds);
    opened[Symbol.dispose]();
    expect(seeds.wiped).toBe(true);
  });
});
