import { beforeAll, describe, expect, it } from 'vitest';
import type { Descriptor } from '#crypto/descriptor';
import { allDescriptors, resolve } from '#crypto/registry';
import {
  decodeRecord,
  encodeRecord,
  type KeyRecord,
  keyRecordSchema,
  newRecord,
  recordJson,
} from '#custody/authority/record';
import {
  addHistory,
  assertUsable,
  changeState,
  type KeyOperation,
  nextStates,
} from '#custody/authority/states';
import { canonicalJson, type JsonObject } from '#formats/canonical-json';
import { toBase64, utf8 } from '#formats/bytes';
import type { ConclaveError } from '#formats/errors';
import { InputError, NegativeError, RefusedError, UsageError } from '#formats/errors';
import { fuzz } from '../support/mutations.js';
import { randomFrom } from './people.js';
import { mutationCount, thorough } from '../support/require.js';

const NOW = new Date('2026-11-23T09:30:00Z');
const TIME = '2026-11-23T10:00:00Z';
const random = randomFrom('record');

async function recordOf(descriptor: Descriptor): Promise<KeyRecord> {
  const implementation = await descriptor.load();
  const secret = await implementation.generate(random);
  const publicKey =
    implementation.kind === 'symmetric'
      ? implementation.checkValue(secret)
      : implementation.publicKey(secret);
  return newRecord({ descriptor, publicKey, name: 'k', environment: 'dev', now: NOW });
}

let record: KeyRecord;
beforeAll(async () => {
  record = await recordOf(await resolve('ed25519'));
});

const rewritten = (change: (json: Record<string, unknown>) => void): Uint8Array => {
  const json = JSON.parse(canonicalJson(recordJson(record))) as Record<string, unknown>;
  change(json);
  return utf8(canonicalJson(json as JsonObject));
};

describe('a record', () => {
  it('of every algorithm survives writing and reading', async () => {
    for (const descriptor of await allDescriptors()) {
      if (descriptor.slow === true && !thorough) continue;
      const made = await recordOf(descriptor);
      const read = await decodeRecord(encodeRecord(made), 'k.record.json');
      expect(read).toEqual(made);
      expect(encodeRecord(read)).toEqual(encodeRecord(made));
      expect(read.purposes).toEqual(descriptor.defaultPurposes ?? descriptor.purposes);
    }
  });

  it('starts with one event', () => {
    expect(record.history).toEqual([
      { event: 'generated', time: '2026-11-23T09:30:00Z', state: 'active' },
    ]);
  });

  it('serves only purposes that the algorithm can serve', async () => {
    const descriptor = await resolve('x-wing');
    const publicKey = new Uint8Array(descriptor.sizes.public);
    const key = { descriptor, publicKey, name: null, environment: 'dev', now: NOW } as const;
    expect(() => newRecord({ ...key, purposes: ['sign'] })).toThrow(UsageError);
    expect(() => newRecord({ ...key, purposes: [] })).toThrow(UsageError);
    expect(newRecord(key).purposes).toEqual(descriptor.defaultPurposes ?? descriptor.purposes);
  });

  it.each(['-k', 'a b', 'a/b', 'x'.repeat(65), ''])('cannot be called %j', async (name) => {
    const descriptor = await resolve('ed25519');
    const key = { descriptor, publicKey: record.publicKey, environment: 'dev', now: NOW } as const;
    expect(() => newRecord({ ...key, name })).toThrow(InputError);
  });

  it('with a public key, algorithm or profile of another key is not accepted', async () => {
    const other = await recordOf(await resolve('ed25519'));
    for (const change of [
      (json: Record<string, unknown>) => (json['publicKey'] = toBase64(other.publicKey)),
      (json: Record<string, unknown>) => (json['id'] = other.id),
    ]) {
      await expect(decodeRecord(rewritten(change), 'r')).rejects.toThrow(NegativeError);
    }
  });

  it.each<[string, (json: Record<string, unknown>) => void]>([
    ['an unknown algorithm', (json) => (json['algorithm'] = 'rot13')],
    ['an algorithm called constructor', (json) => (json['algorithm'] = 'constructor')],
    ['an unknown profile', (json) => (json['profile'] = 'composite')],
    ['a longer public key', (json) => (json['publicKey'] = toBase64(new Uint8Array(33)))],
    ['a foreign purpose', (json) => (json['purposes'] = ['encrypt'])],
    ['a purpose twice', (json) => (json['purposes'] = ['sign', 'sign'])],
    ['a state that its history does not end in', (json) => (json['state'] = 'suspended')],
    ['an unknown member', (json) => (json['owner'] = 'me')],
    ['a missing member', (json) => delete json['policy']],
    ['a policy that is no digest', (json) => (json['policy'] = 'sha256:00')],
  ])('with %s is malformed', async (_what, change) => {
    await expect(decodeRecord(rewritten(change), 'r')).rejects.toThrow(InputError);
  });

  it('is refused in the agreed way when mutated', async () => {
    const tally = await fuzz(encodeRecord(record), (bytes) => decodeRecord(bytes, 'r'));
    expect(tally['65']).toBeGreaterThan(0.5 * mutationCount);
  });
});

const states = [
  'pre-activation',
  'active',
  'suspended',
  'deactivated',
  'compromised',
  'destroyed',
] as const;

describe('states', () => {
  // SP 800-57 part 1 rev. 5, figure 3 and §7.2 to §7.6, written down a second time.
  const allowed = new Set([
    'pre-activation>active',
    'pre-activation>destroyed',
    'pre-activation>compromised',
    'active>suspended',
    'active>deactivated',
    'active>compromised',
    'active>destroyed',
    'suspended>active',
    'suspended>deactivated',
    'suspended>compromised',
    'suspended>destroyed',
    'deactivated>compromised',
    'deactivated>destroyed',
    'compromised>destroyed',
  ]);

  it('follow each other as SP 800-57 says and in no other way', () => {
    for (const from of states) {
      for (const to of states) {
        const before = addHistory({ ...record, state: from }, from, { time: TIME, state: from });
        const change = (): KeyRecord => changeState(before, to, { time: TIME, reason: 'a test' });
        if (!allowed.has(`${from}>${to}`)) {
          expect(change).toThrow(RefusedError);
          continue;
        }
        const after = change();
        expect(after.state).toBe(to);
        expect(after.history.at(-1)).toEqual({
          event: to,
          time: TIME,
          state: to,
          reason: 'a test',
        });
        expect(before.history.length + 1).toBe(after.history.length);
        expect(keyRecordSchema.parse(recordJson(after), 'r')).toEqual(after);
      }
    }
  });

  it('that are changed survive writing and reading', async () => {
    const suspended = changeState(record, 'suspended', { time: TIME });
    expect(await decodeRecord(encodeRecord(suspended), 'r')).toEqual(suspended);
  });

  it('end: nothing leaves destroyed, nothing returns from compromised', () => {
    expect(nextStates('destroyed')).toEqual([]);
    expect(nextStates('compromised')).toEqual(['destroyed']);
  });

  const table: readonly (readonly [KeyRecord['state'], KeyOperation, 'yes' | 'told' | 'no'])[] = [
    ['pre-activation', 'sign', 'no'],
    ['pre-activation', 'verify', 'no'],
    ['active', 'sign', 'yes'],
    ['active', 'verify', 'yes'],
    ['suspended', 'sign', 'no'],
    ['suspended', 'verify', 'told'],
    ['deactivated', 'sign', 'no'],
    ['deactivated', 'verify', 'told'],
    ['compromised', 'sign', 'no'],
    ['compromised', 'verify', 'no'],
    ['destroyed', 'sign', 'no'],
    ['destroyed', 'verify', 'told'],
    ['pre-activation', 'decrypt', 'no'],
    ['active', 'encrypt', 'yes'],
    ['active', 'decrypt', 'yes'],
    ['suspended', 'decrypt', 'no'],
    ['deactivated', 'encrypt', 'no'],
    ['deactivated', 'decrypt', 'told'],
    ['compromised', 'decrypt', 'no'],
    ['destroyed', 'decrypt', 'no'],
  ];
  it.each(table)('%s: %s: %s', (state, operation, answer) => {
    const key: KeyRecord = { ...record, state, purposes: ['sign', 'encrypt'] };
    const ask = (): readonly string[] => assertUsable(key, operation);
    if (answer === 'no') expect(ask).toThrow(RefusedError);
    else expect(ask()).toHaveLength(answer === 'told' ? 1 : 0);
  });

  it('do not matter when the purpose is another', () => {
    for (const operation of ['encrypt', 'decrypt', 'agree', 'mac', 'decapsulate'] as const) {
      expect(() => assertUsable(record, operation)).toThrow(RefusedError);
    }
  });

  it('leave a key alone whose destruction is scheduled', () => {
    const doomed = { ...record, destroyAfter: TIME };
    expect(() => assertUsable(doomed, 'sign')).toThrow(/scheduled/);
    expect(assertUsable(doomed, 'verify')).toEqual([]);
    expect(changeState(doomed, 'suspended', { time: TIME }).destroyAfter).toBeNull();
  });

  it('mark environments that must be allowed by name', () => {
    const code = (allow: ReadonlySet<'dev' | 'rehearsal'>): string => {
      try {
        assertUsable(record, 'sign', allow);
        return 'yes';
      } catch (error) {
        return (error as ConclaveError).code;
      }
    };
    expect(code(new Set())).toBe('E_KEY_ENVIRONMENT');
    expect(code(new Set(['rehearsal']))).toBe('E_KEY_ENVIRONMENT');
    expect(code(new Set(['dev']))).toBe('yes');
    expect(assertUsable({ ...record, environment: 'production' }, 'sign', new Set())).toEqual([]);
    expect(assertUsable(record, 'sign')).toEqual([]);
  });
});
