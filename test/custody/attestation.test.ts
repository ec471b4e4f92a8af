import { beforeAll, describe, expect, it } from 'vitest';
import {
  ATTESTATION_TYPE,
  attestationSentence,
  type Deed,
  parseAttestation,
  signAttestation,
} from '#custody/audit/attestation';
import {
  buildStatement,
  encodeStatement,
  parseStatement,
  STATEMENT_PAYLOAD_TYPE,
  verifyEnvelope,
} from '#custody/audit/statement';
import type { OpenIdentity } from '#custody/authority/identity';
import { utf8 } from '#formats/bytes';
import { decodeDsse, type DsseEnvelope, encodeDsse } from '#formats/dsse';
import { ConclaveError } from '#formats/errors';
import { fuzz } from '../support/mutations.js';
import { person, randomFrom } from './people.js';
import { mutationCount } from '../support/require.js';

const KEY: Deed['key'] = {
  id: 'ab'.repeat(32),
  name: 'root',
  algorithm: 'ed25519',
  profile: '',
  environment: 'production',
  policy: null,
};
const DEVICE: NonNullable<Deed['device']> = {
  kind: 'pkcs11',
  manufacturer: 'SoftHSM project',
  model: 'SoftHSM v2',
  serial: '8d1f',
  label: 'lab',
  firmware: '2.6',
  hardware: '2.6',
  attributes: {
    local: false,
    sensitive: true,
    alwaysSensitive: false,
    extractable: false,
    neverExtractable: null,
    keyGenMechanism: null,
  },
};
const FULL: Deed = {
  operation: 'import',
  key: KEY,
  inputs: [{ name: 'root.wrapped', sha256: '01'.repeat(32) }],
  outputs: [{ name: 'root.pub', sha256: '02'.repeat(32) }],
  device: DEVICE,
  evidence: [{ name: 'device.pem', sha256: '03'.repeat(32) }],
  note: 'from the air gap',
};
const WHEN = { time: '2026-11-23T09:30:00Z', version: '0.1.0' };
const PREVIOUS = { seq: 6, hash: 'cd'.repeat(32) };

describe('an attestation', () => {
  let ada: OpenIdentity;
  let envelope: DsseEnvelope;

  beforeAll(async () => {
    ada = await person('Ada');
    envelope = await signAttestation(
      FULL,
      ada,
      { ...WHEN, previous: PREVIOUS },
      { random: randomFrom('coins') },
    );
  });

  it('says what was done, to the key, by whom, after what', () => {
    const statement = parseStatement(envelope, 'a.json');
    expect(statement.predicateType).toBe(ATTESTATION_TYPE);
    const attestation = parseAttestation(statement, 'a.json');
    expect(attestation).toEqual({
      ...FULL,
      operator: { id: ada.identity.id, name: 'Ada' },
      time: WHEN.time,
      previous: PREVIOUS,
      tool: { name: 'conclave', version: '0.1.0' },
    });
    expect(statement.subject.map(({ name }) => name)).toEqual([
      'root',
      'root.wrapped',
      'root.pub',
      'device.pem',
    ]);
    expect(attestationSentence(attestation)).toBe(
      'Ada imported key root in the token lab (SoftHSM v2, 8d1f) at 2026-11-23T09:30:00Z',
    );
  });

  it('is signed with both keys of its operator', async () => {
    const { signedBy, problems } = await verifyEnvelope(envelope, [ada.identity]);
    expect(problems).toEqual([]);
    expect(signedBy).toEqual([ada.identity]);
  });

  it('follows nothing where no log is kept', async () => {
    const alone = await signAttestation({ operation: 'sign', key: KEY }, ada, {
      ...WHEN,
      previous: undefined,
    });
    expect(parseAttestation(parseStatement(alone, 'a'), 'a')).toMatchObject({
      previous: null,
      device: null,
      inputs: [],
      note: '',
    });
  });

  const changed: readonly (readonly [string, (predicate: Record<string, unknown>) => unknown])[] = [
    ['an unknown member', (it) => ({ ...it, extra: 1 })],
    ['a missing member', ({ note: _, ...it }) => it],
    ['an unknown operation', (it) => ({ ...it, operation: 'borrow' })],
    ['a device that claims more', (it) => ({ ...it, device: { ...DEVICE, certified: true } })],
    [
      'an attribute that is no truth value',
      (it) => ({
        ...it,
        device: { ...DEVICE, attributes: { ...DEVICE.attributes, local: 'yes' } },
      }),
    ],
    ['a file that is no subject', (it) => ({ ...it, inputs: [] })],
    ['a key that is not the subject', (it) => ({ ...it, key: { ...KEY, id: 'ff'.repeat(32) } })],
  ];
  it.each(changed)('with %s is refused', (_, change) => {
    const statement = parseStatement(envelope, 'a.json');
    const forged = buildStatement({
      subjects: statement.subject,
      predicateType: ATTESTATION_TYPE,
      predicate: change({ ...statement.predicate }) as never,
    });
    expect(() => parseAttestation(forged, 'a.json')).toThrow(ConclaveError);
  });

  it('with its subjects in another order is refused', () => {
    const statement = parseStatement(envelope, 'a.json');
    const subject = [...statement.subject].reverse();
    expect(() => parseAttestation({ ...statement, subject }, 'a.json')).toThrow(
      'the key and each file',
    );
  });

  it('survives mutations, of the envelope and of what is in it', async () => {
    const read = (bytes: Uint8Array): unknown =>
      parseAttestation(parseStatement(decodeDsse(bytes, 'a'), 'a'), 'a');
    await fuzz(utf8(encodeDsse(envelope)), read, { count: mutationCount / 2 });
    const inner = (payload: Uint8Array): unknown =>
      parseAttestation(
        parseStatement({ payloadType: STATEMENT_PAYLOAD_TYPE, payload, signatures: [] }, 'a'),
        'a',
      );
    const tally = await fuzz(encodeStatement(parseStatement(envelope, 'a')), inner, {
      count: mutationCount / 2,
    });
    expect(tally['65']).toBeGreaterThan(0.4 * mutationCount);
  });
});
