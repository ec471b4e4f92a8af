import { verify as nodeVerify, createPublicKey } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { certifySessionKeys, verifySessionKeys } from '#custody/authority/session-keys';
import type { OpenIdentity } from '#custody/authority/identity';
import { concat, equal, fromHex, toHex, utf8 } from '#formats/bytes';
import { type Cbor, type CborMap, decodeCbor, encodeCbor } from '#formats/cbor';
import { ConclaveError, InputError, InternalError, NegativeError } from '#formats/errors';
import {
  authenticateMessage,
  decodeMessage,
  messageDigest,
  readMessage,
  type ReceivedMessage,
  writeMessage,
} from '#protocols/parties/message';
import { makeRoster } from '#protocols/parties/roster';
import type { OpenSessionKeys } from '#protocols/parties/session-keys';
import { person } from '../custody/people.js';
import { fuzz, mutations } from '../support/mutations.js';
import { randomFrom, type Session, session } from './session.js';

let ours: Session;
let theirs: Session;
beforeAll(async () => {
  ours = await session('ours');
  theirs = await session('theirs');
});

const keysOf = (of: Session, number: number): OpenSessionKeys =>
  of.keys.get(number) as OpenSessionKeys;

async function write(
  change: Partial<Parameters<typeof writeMessage>[0]> = {},
  from: Session = ours,
): Promise<Uint8Array> {
  const sender = change.sender ?? 1;
  return writeMessage({
    roster: from.roster,
    round: 1,
    sender,
    recipient: null,
    type: 'commitments',
    body: utf8('a body'),
    seed: (from.keys.get(sender) ?? keysOf(from, 1)).signing,
    random: randomFrom('seal'),
    ...change,
  });
}

async function read(bytes: Uint8Array, self = 2, of: Session = ours): Promise<ReceivedMessage> {
  return readMessage(bytes, 'm.msg', { roster: of.roster, self, seed: keysOf(of, self).opening });
}

const membersOf = (bytes: Uint8Array): Map<number, Cbor> =>
  new Map(decodeCbor(bytes, 'm') as CborMap) as Map<number, Cbor>;

/** The message with members changed, signed again by a party, so that only the change can be what is refused. */
function resigned(
  bytes: Uint8Array,
  by: number,
  change: (members: Map<number, Cbor>) => void,
  of = ours,
): Promise<Uint8Array> {
  const members = membersOf(bytes);
  change(members);
  members.delete(10);
  return sign(members, by, of);
}

async function sign(members: Map<number, Cbor>, by: number, of: Session): Promise<Uint8Array> {
  const { resolve } = await import('#crypto/registry');
  const implementation = await (await resolve('ed25519')).load();
  if (implementation.kind !== 'signature') throw new Error('not a signature algorithm');
  const message = concat(utf8('conclave-message-v1\0'), encodeCbor(members));
  const signature = keysOf(of, by).signing.use((seed) => implementation.sign(message, seed));
  return encodeCbor(new Map([...members, [10, signature]]));
}

const refusal = async (work: Promise<unknown>): Promise<string> => {
  try {
    await work;
    return 'accepted';
  } catch (error) {
    return error instanceof ConclaveError ? error.code : String(error);
  }
};

describe('a broadcast', () => {
  it('is read by everybody else', async () => {
    const bytes = await write();
    for (const self of [2, 7]) {
      const { header, body } = await read(bytes, self);
      expect(body).toEqual(utf8('a body'));
      expect(header).toMatchObject({ round: 1, sender: 1, recipient: null, type: 'commitments' });
    }
  });

  it('has the bytes that the specification gives', async () => {
    const bytes = await write();
    const members = membersOf(bytes);
    expect([...members.keys()]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 10]);
    const signature = members.get(10) as Uint8Array;
    members.delete(10);
    const spki = concat(fromHex('302a300506032b6570032100'), keysOf(ours, 1).ed25519);
    const key = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
    const signed = concat(utf8('conclave-message-v1\0'), encodeCbor(members));
    expect(nodeVerify(null, signed, key, signature)).toBe(true);
    expect(bytes.length - 'a body'.length).toBe(161);
  });

  it('is the same bytes when written again', async () => {
    expect(await write()).toEqual(await write({ random: randomFrom('other') }));
    const message = decodeMessage(await write(), 'm');
    expect(messageDigest(message)).toEqual(await authenticateMessage(message, ours.roster, 'm'));
  });
});

describe('a private message', () => {
  it('is read by its recipient alone', async () => {
    const bytes = await write({ recipient: 2, body: utf8('a secret share') });
    expect((await read(bytes)).body).toEqual(utf8('a secret share'));
    expect(await refusal(read(bytes, 7))).toBe('E_MESSAGE_NOT_OURS');
    expect(Buffer.from(bytes).includes('a secret share')).toBe(false);
    // One QR code of version 40 at level L holds 2953 bytes.
    expect(bytes.length - 'a secret share'.length).toBe(1302);
  });

  it('does not open with the key of another, whatever the number', async () => {
    const bytes = await write({ recipient: 2 });
    const seed = keysOf(ours, 7).opening;
    const code = await refusal(readMessage(bytes, 'm', { roster: ours.roster, self: 2, seed }));
    expect(code).toBe('E_MESSAGE_UNSEALED');
  });

  it('that does not open although it is signed names its sender as the culprit', async () => {
    const bytes = await resigned(await write({ recipient: 2 }), 1, (members) => {
      const sealed = (members.get(9) as Uint8Array).slice();
      sealed[0] = (sealed[0] as number) ^ 1;
      members.set(9, sealed);
    });
    const error = await read(bytes).catch((caught: unknown) => caught as NegativeError);
    expect(error).toBeInstanceOf(NegativeError);
    expect(error).toMatchObject({ code: 'E_MESSAGE_UNSEALED', details: { culprits: [1] } });
  });

  it.each([
    ['round', 2, 2],
    ['type', 6, 'shares'],
    ['sender', 3, 7],
  ] as const)('sealed for one %s does not open under another', async (what, key, value) => {
    const by = what === 'sender' ? 7 : 1;
    const bytes = await resigned(await write({ recipient: 2 }), by, (members) =>
      members.set(key, value),
    );
    expect(await refusal(read(bytes))).toBe('E_MESSAGE_UNSEALED');
  });
});

describe('refused is', () => {
  it('a message of another session, also by the same keys', async () => {
    expect(await refusal(read(await write({}, theirs)))).toBe('E_MESSAGE_FOREIGN');
    const later = {
      ...ours,
      roster: makeRoster({ ...ours.roster, session: new Uint8Array(32).fill(9) }),
    };
    expect(await refusal(read(await write({}, later)))).toBe('E_MESSAGE_FOREIGN');
  });

  it('a message for another roster or other terms of the same session', async () => {
    const others = { ...ours, roster: makeRoster({ ...ours.roster, terms: new Uint8Array(32) }) };
    expect(await refusal(read(await write({}, others)))).toBe('E_MESSAGE_FOREIGN');
  });

  it('a message by or to somebody who takes no part', async () => {
    const from = await resigned(await write(), 1, (members) => members.set(3, 5));
    expect(await refusal(read(from))).toBe('E_MESSAGE_STRANGER');
    const to = await resigned(await write({ recipient: 2 }), 1, (members) => members.set(4, 5));
    expect(await refusal(read(to))).toBe('E_MESSAGE_STRANGER');
  });

  it('a message signed by another party, or by nobody', async () => {
    const bytes = await write();
    expect(await refusal(read(await resigned(bytes, 7, () => undefined)))).toBe('E_MESSAGE_FORGED');
    const members = membersOf(bytes);
    members.set(10, new Uint8Array(64));
    expect(await refusal(read(encodeCbor(members)))).toBe('E_MESSAGE_FORGED');
  });

  it.each([
    ['round', 2, 2],
    ['recipient', 4, null],
    ['type', 6, 'other'],
    ['body', 7, utf8('another')],
  ] as const)('a message whose %s was changed after signing', async (what, key, value) => {
    const bytes = await write(what === 'recipient' ? { recipient: 2 } : {});
    const members = membersOf(bytes);
    if (what === 'recipient') {
      members.delete(8);
      members.set(7, members.get(9) as Uint8Array).delete(9);
    }
    expect(await refusal(read(encodeCbor(members.set(key, value))))).toBe('E_MESSAGE_FORGED');
  });

  it("one's own message, offered back", async () => {
    expect(await refusal(read(await write({ sender: 2 }), 2))).toBe('E_MESSAGE_NOT_OURS');
  });

  it.each<[string, (m: Map<number, Cbor>) => unknown]>([
    ['another version', (m) => m.set(0, 2)],
    ['no version', (m) => m.delete(0)],
    ['a short session id', (m) => m.set(1, new Uint8Array(31))],
    ['round 0', (m) => m.set(2, 0)],
    ['round 256', (m) => m.set(2, 256)],
    ['sender 0', (m) => m.set(3, 0)],
    ['a sender beyond 65535', (m) => m.set(3, 65_536)],
    ['recipient 0', (m) => m.set(4, 0)],
    ['no recipient member', (m) => m.delete(4)],
    ['sender as recipient', (m) => m.set(4, 1)],
    ['a broadcast addressed to one', (m) => m.set(4, 2)],
    ['a short roster digest', (m) => m.set(5, new Uint8Array(16))],
    ['an empty type', (m) => m.set(6, '')],
    ['a long type', (m) => m.set(6, 'x'.repeat(33))],
    ['a type in capitals', (m) => m.set(6, 'Commitments')],
    ['a body that is text', (m) => m.set(7, 'text')],
    ['no body', (m) => m.delete(7)],
    ['a sealed part besides the body', (m) => m.set(9, new Uint8Array(16))],
    ['an unknown member', (m) => m.set(11, 1)],
    ['a short signature', (m) => m.set(10, new Uint8Array(63))],
    ['no signature', (m) => m.delete(10)],
  ])('a message with %s', async (_what, change) => {
    const members = membersOf(await write());
    change(members);
    expect(() => decodeMessage(encodeCbor(members), 'm')).toThrow(InputError);
  });

  it.each<[string, (m: Map<number, Cbor>) => unknown]>([
    ['a short encapsulation', (m) => m.set(8, new Uint8Array(1119))],
    ['a sealed part shorter than its tag', (m) => m.set(9, new Uint8Array(15))],
    ['a clear body besides', (m) => m.set(7, new Uint8Array(1))],
    ['no recipient', (m) => m.set(4, null)],
  ])('a private message with %s', async (_what, change) => {
    const members = membersOf(await write({ recipient: 2 }));
    change(members);
    expect(() => decodeMessage(encodeCbor(members), 'm')).toThrow(InputError);
  });

  it.each([
    ['by a stranger', { sender: 5 }],
    ['to a stranger', { recipient: 5 }],
    ['to oneself', { recipient: 1 }],
    ['in round 0', { round: 0 }],
    ['in round 256', { round: 256 }],
    ['of no type', { type: '' }],
  ])('writing a message %s', async (_what, change) => {
    await expect(write(change)).rejects.toThrow(InternalError);
  });

  it('every mutation, in the agreed way', async () => {
    for (const bytes of [await write(), await write({ recipient: 2 })]) {
      await fuzz(bytes, (mutated) => decodeMessage(mutated, 'm'));
      let accepted = 0;
      for (const mutated of mutations(bytes, 400, 7)) {
        if (equal(mutated, bytes)) continue;
        if ((await refusal(read(mutated))) === 'accepted') accepted++;
      }
      expect(accepted).toBe(0);
    }
  });
});

describe('certificates of session keys', () => {
  it('name who speaks under which keys, and are worth nothing changed', async () => {
    using ada: OpenIdentity = await person('Ada');
    using bob: OpenIdentity = await person('Bob');
    const { ed25519, xWing } = keysOf(ours, 1);
    const wanted = {
      session: toHex(ours.roster.session),
      purpose: ours.roster.purpose,
      number: 1,
      ed25519,
      xWing,
    };
    const envelope = await certifySessionKeys(ada, wanted);
    const { keys, identity } = await verifySessionKeys(envelope, [bob.identity, ada.identity], 'c');
    expect(identity.name).toBe('Ada');
    expect(keys).toMatchObject({ ...wanted, identity: ada.identity.id });

    expect(await refusal(verifySessionKeys(envelope, [bob.identity], 'c'))).toBe(
      'E_SESSION_KEYS_UNCERTIFIED',
    );
    const text = new TextDecoder().decode(envelope.payload);
    for (const [from, to] of [
      ['"number":1', '"number":2'],
      [wanted.session, '00'.repeat(32)],
      [ada.identity.id, bob.identity.id],
      ['keygen', 'sign'],
    ] as const) {
      expect(text).toContain(from);
      const changed = { ...envelope, payload: utf8(text.replaceAll(from, to)) };
      expect(await refusal(verifySessionKeys(changed, [ada.identity, bob.identity], 'c'))).toBe(
        'E_SESSION_KEYS_UNCERTIFIED',
      );
    }
    const half = { ...envelope, signatures: envelope.signatures.slice(0, 1) };
    expect(await refusal(verifySessionKeys(half, [ada.identity], 'c'))).toBe(
      'E_SESSION_KEYS_UNCERTIFIED',
    );
    expect(
      await refusal(
        verifySessionKeys(
          { ...envelope, payload: utf8(text.replace('session-keys/v1', 'session-keys/v2')) },
          [ada.identity],
          'c',
        ),
      ),
    ).toBe('E_SCHEMA_MISMATCH');
  });
});
