import { createPublicKey, verify as nodeVerify } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signingKeyIds } from '#custody/audit/component-keys';
import {
  addSignatures,
  buildStatement,
  encodeStatement,
  parseStatement,
  signDetached,
  signStatement,
  STATEMENT_PAYLOAD_TYPE,
  verifyDetached,
  verifyEnvelope,
} from '#custody/audit/statement';
import type { OpenIdentity } from '#custody/authority/identity';
import { concat, utf8 } from '#formats/bytes';
import { decodeDsse, type DsseEnvelope, type DsseSignature, encodeDsse } from '#formats/dsse';
import { InputError } from '#formats/errors';
import { fuzz } from '../support/mutations.js';
import { person } from './people.js';

const statement = buildStatement({
  subjects: [{ name: 'artifact', digest: { sha256: '00'.repeat(32) } }],
  predicateType: 'urn:conclave:test:v1',
  predicate: { what: 'a test' },
});

let ada: OpenIdentity;
let bob: OpenIdentity;
let envelope: DsseEnvelope;

beforeAll(async () => {
  ada = await person('Ada');
  bob = await person('Bob');
  envelope = await signStatement(statement, [ada, bob]);
});
afterAll(() => {
  ada[Symbol.dispose]();
  bob[Symbol.dispose]();
});

const flipped = (signature: DsseSignature): DsseSignature => {
  const sig = signature.sig.slice();
  sig[5] = (sig[5] as number) ^ 1;
  return { ...signature, sig };
};

describe('the statement', () => {
  it('is canonical JSON of in-toto Statement v1', () => {
    expect(new TextDecoder().decode(encodeStatement(statement))).toBe(
      `{"_type":"https://in-toto.io/Statement/v1","predicate":{"what":"a test"},"predicateType":"urn:conclave:test:v1","subject":[{"digest":{"sha256":"${'00'.repeat(32)}"},"name":"artifact"}]}`,
    );
  });

  it('comes out of its envelope as it went in', () => {
    const read = decodeDsse(utf8(encodeDsse(envelope)), 's.json');
    expect(encodeStatement(parseStatement(read, 's.json'))).toEqual(encodeStatement(statement));
  });

  it.each([
    ['another payload type', (e: DsseEnvelope) => ({ ...e, payloadType: 'text/plain' })],
    [
      'a line feed at the end',
      (e: DsseEnvelope) => ({ ...e, payload: concat(e.payload, utf8('\n')) }),
    ],
    ['a space', (e: DsseEnvelope) => ({ ...e, payload: concat(utf8(' '), e.payload) })],
    [
      'no subject',
      (e: DsseEnvelope) => ({
        ...e,
        payload: utf8(new TextDecoder().decode(e.payload).replace(/\[.*\]/, '[]')),
      }),
    ],
    [
      'an unknown member',
      (e: DsseEnvelope) => ({
        ...e,
        payload: utf8(new TextDecoder().decode(e.payload).replace('{"_type"', '{"A":1,"_type"')),
      }),
    ],
  ])('with %s is malformed', (_what, change) => {
    expect(() => parseStatement(change(envelope), 's.json')).toThrow(InputError);
  });

  it('in an envelope is refused in the agreed way when mutated', async () => {
    await fuzz(utf8(encodeDsse(envelope)), (bytes) =>
      parseStatement(decodeDsse(bytes, 's.json'), 's.json'),
    );
    await fuzz(envelope.payload, (payload) => parseStatement({ ...envelope, payload }, 's.json'));
  });
});

describe('signatures', () => {
  it('of all signers are found, two each', async () => {
    expect(envelope.signatures).toHaveLength(4);
    const verdict = await verifyEnvelope(envelope, [ada.identity, bob.identity]);
    expect(verdict).toEqual({ signedBy: [ada.identity, bob.identity], problems: [], unknown: [] });
  });

  it('of Ed25519 are plain DSSE, which any other implementation verifies', () => {
    const keyid = signingKeyIds(ada.identity).ed25519;
    const signature = envelope.signatures.find((each) => each.keyid === keyid) as DsseSignature;
    const spki = concat(Buffer.from('302a300506032b6570032100', 'hex'), ada.identity.ed25519);
    const key = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
    const body = new TextDecoder().decode(envelope.payload);
    const pae = `DSSEv1 ${STATEMENT_PAYLOAD_TYPE.length} ${STATEMENT_PAYLOAD_TYPE} ${envelope.payload.length} ${body}`;
    expect(nodeVerify(null, Buffer.from(pae), key, signature.sig)).toBe(true);
  });

  it('are deterministic without randomness and verify with it', async () => {
    expect((await signStatement(statement, [ada])).signatures).toEqual(
      envelope.signatures.slice(0, 2),
    );
    const hedged = await signStatement(statement, [ada], {
      random: (n) => new Uint8Array(n).fill(7),
    });
    expect(hedged.signatures[1]).not.toEqual(envelope.signatures[1]);
    expect((await verifyEnvelope(hedged, [ada.identity])).signedBy).toHaveLength(1);
  });

  it('by others are told and ignored', async () => {
    const verdict = await verifyEnvelope(envelope, [ada.identity]);
    expect(verdict.signedBy).toEqual([ada.identity]);
    expect(verdict.problems).toEqual([]);
    expect(verdict.unknown).toHaveLength(2);
  });

  it('can be added later', async () => {
    const first = await signStatement(statement, [ada]);
    expect(await addSignatures(first, [bob])).toEqual(envelope);
  });

  it('of somebody who did not sign are no problem, and no signature', async () => {
    const first = await signStatement(statement, [ada]);
    const verdict = await verifyEnvelope(first, [ada.identity, bob.identity]);
    expect(verdict).toMatchObject({ signedBy: [ada.identity], problems: [] });
  });

  it('of an identity given twice count once', async () => {
    const verdict = await verifyEnvelope(envelope, [ada.identity, ada.identity]);
    expect(verdict.signedBy).toHaveLength(1);
  });

  it.each([0, 1])('of one key only are a problem (missing: %i)', async (missing) => {
    const half = { ...envelope, signatures: envelope.signatures.toSpliced(missing, 1) };
    const verdict = await verifyEnvelope(half, [ada.identity, bob.identity]);
    expect(verdict.signedBy).toEqual([bob.identity]);
    expect(verdict.problems).toHaveLength(1);
    expect(verdict.problems[0]).toMatch(/Ada signed with one key only/);
  });

  it.each([0, 1, 2, 3])('that are wrong void the whole envelope (%i)', async (i) => {
    const signatures = envelope.signatures.with(
      i,
      flipped(envelope.signatures[i] as DsseSignature),
    );
    const verdict = await verifyEnvelope({ ...envelope, signatures }, [ada.identity, bob.identity]);
    expect(verdict.signedBy).toEqual([]);
    expect(verdict.problems[0]).toMatch(i < 2 ? /signature of Ada/ : /signature of Bob/);
  });

  it('of another length do not verify', async () => {
    const [first] = envelope.signatures as [DsseSignature];
    for (const sig of [new Uint8Array(0), new Uint8Array(63), concat(first.sig, first.sig)]) {
      const signatures = envelope.signatures.with(0, { ...first, sig });
      const verdict = await verifyEnvelope({ ...envelope, signatures }, [ada.identity]);
      expect(verdict.signedBy).toEqual([]);
    }
  });

  it('under one key id twice are refused, also when both are good', async () => {
    const [first] = envelope.signatures as [DsseSignature];
    for (const second of [first, flipped(first)]) {
      const twice = { ...envelope, signatures: [...envelope.signatures, second] };
      const verdict = await verifyEnvelope(twice, [ada.identity, bob.identity]);
      expect(verdict.signedBy).toEqual([]);
      expect(verdict.problems[0]).toMatch(/two signatures name the key/);
    }
  });

  it('do not carry over to another payload, payload type or signer', async () => {
    const payload = encodeStatement({ ...statement, predicate: { what: 'another' } });
    for (const changed of [
      { ...envelope, payload },
      { ...envelope, payloadType: 'text/plain' },
    ]) {
      expect((await verifyEnvelope(changed, [ada.identity])).signedBy).toEqual([]);
    }
    const ids = signingKeyIds(bob.identity);
    const stolen = envelope.signatures.slice(0, 2).map(({ sig }, i) => ({
      keyid: i === 0 ? ids.ed25519 : ids.mlDsa65,
      sig,
    }));
    expect(
      (await verifyEnvelope({ ...envelope, signatures: stolen }, [bob.identity])).signedBy,
    ).toEqual([]);
  });

  it('of an identity that borrows a key of another void the envelope', async () => {
    const chimera = { ...bob.identity, name: 'Mallory', ed25519: ada.identity.ed25519 };
    const verdict = await verifyEnvelope(envelope, [ada.identity, bob.identity, chimera]);
    expect(verdict.signedBy).toEqual([]);
  });
});

describe('detached signatures', () => {
  const bytes = utf8('{"a":1}');

  it('verify over the very bytes and type', async () => {
    const signatures = await signDetached('application/x', bytes, ada);
    expect(await verifyDetached('application/x', bytes, signatures, [ada.identity])).toEqual({
      signedBy: [ada.identity],
      problems: [],
      unknown: [],
    });
    for (const [type, what] of [
      ['application/y', bytes],
      ['application/x', utf8('{"a":2}')],
    ] as const) {
      expect((await verifyDetached(type, what, signatures, [ada.identity])).signedBy).toEqual([]);
    }
  });

  it('that are missing sign nothing', async () => {
    expect(await verifyDetached('application/x', bytes, [], [ada.identity])).toEqual({
      signedBy: [],
      problems: [],
      unknown: [],
    });
  });
});
