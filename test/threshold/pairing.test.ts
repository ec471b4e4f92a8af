/** Threshold keys over BLS12-381: what a quorum signs is an ordinary signature, also for a library that is not ours. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as blst from '@chainsafe/blst';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { thresholdKeygen } from '#actions/threshold-keygen';
import { thresholdSign } from '#actions/threshold-sign';
import { verify } from '#actions/verify';
import { type Group, groupDigest, parseGroup } from '#crypto/frost/group';
import { loadPairingShares } from '#crypto/frost/pairing';
import { groupSuiteNames, loadSuite, suiteNames } from '#crypto/frost/suite';
import { resolve } from '#crypto/registry';
import { fromHex, toHex, utf8 } from '#formats/bytes';
import { type Cbor, decodeCbor, encodeCbor } from '#formats/cbor';
import type { SecretBytes } from '#formats/secret-bytes';
import type { Outcome } from '#protocols/threshold/conclusion';
import { lagrangeOf } from '#protocols/threshold/dealing';
import { runDealing } from '#protocols/threshold/dealing-session';
import { type Disturbance, simulate } from '#protocols/threshold/simulate';
import { runSigning } from '#protocols/threshold/signing-session';
import { groupJson, openStart, type StartMessage } from '#protocols/threshold/start-message';
import { type Workplace, workplace } from '../support/home.js';

const SUITE = 'bls12-381';
const MESSAGE = utf8('pay the miller');
const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length));

const starting = (
  operation: StartMessage['operation'],
  numbers: readonly number[],
  more: Partial<StartMessage>,
) =>
  openStart(
    {
      type: 'conclave/threshold-start',
      version: 1,
      session: toHex(random(32)),
      operation,
      suite: SUITE,
      created: '2026-11-26T21:00:00Z',
      environment: 'dev',
      threshold: 2,
      parties: numbers.map((number) => ({
        number,
        identity: number.toString(16).padStart(64, '0'),
        name: `party ${number}`,
      })),
      contributors: [...numbers],
      receivers: [...numbers],
      policy: null,
      group: null,
      message: null,
      ...more,
    },
    'start message',
  );

let group: Group;
let shares: ReadonlyMap<number, SecretBytes>;

async function dealt(
  operation: 'keygen' | 'refresh',
  more: Partial<StartMessage>,
  old: (number: number) => SecretBytes | undefined,
): Promise<void> {
  const start = await starting(operation, [1, 2, 3], more);
  const made = await simulate(
    start,
    (number) => (exchange) => runDealing(start, exchange, old(number)),
    random,
  );
  const { record } = made.get(1) as Outcome;
  group = await parseGroup({ ...record, members: record.members.map((m) => ({ ...m })) }, 'group');
  shares = new Map([...made].map(([number, { opening }]) => [number, opening as SecretBytes]));
}

async function signed(
  quorum: readonly number[],
  of = shares,
  disturbance: Disturbance = {},
): Promise<Uint8Array> {
  const message = { receivers: [], group: groupJson(group), message: MESSAGE };
  const start = await starting('sign', quorum, message);
  const made = await simulate(
    start,
    (number) => (exchange) => runSigning(start, exchange, of.get(number)),
    random,
    disturbance,
  );
  const all = [...made.values()].map(toHex);
  expect(new Set(all).size).toBe(1);
  return fromHex(all[0] as string);
}

beforeAll(async () => {
  await dealt('keygen', {}, () => undefined);
});

describe('a key over BLS12-381 in shares', () => {
  it('is a suite of its own, that has no rounds of FROST', async () => {
    expect(groupSuiteNames).toContain(SUITE);
    expect(suiteNames).not.toContain(SUITE);
    const suite = await loadSuite(SUITE);
    expect(suite.scheme).toBe('pairing');
    expect(() => suite.rounds).toThrow(/has no rounds/);
    await expect(loadPairingShares(await loadSuite('frost-ed25519'))).rejects.toThrow(
      /do not add up/,
    );
  });

  it('signs by every quorum the same ordinary signature, which blst verifies', async () => {
    const key = fromHex(group.record.publicKey);
    const is = await (await resolve(SUITE)).load();
    if (is.kind !== 'signature') throw new Error('no signatures');
    const made = new Set<string>();
    for (const quorum of [
      [1, 2],
      [1, 3],
      [2, 3],
      [1, 2, 3],
    ]) {
      const signature = await signed(quorum);
      made.add(toHex(signature));
      expect(is.verify(signature, MESSAGE, key)).toBe(true);
    }
    // Signatures of BLS are unique: any quorum, and any number of signers, gives the same bytes.
    expect(made.size).toBe(1);
    // blst verifies the suite `possession` alone: the same shares, added up by the same code, under its tag.
    const scalar = (number: number): Uint8Array =>
      (shares.get(number) as SecretBytes).use((bytes) => bytes.slice(0, 32));
    const quorum = [1, 3].map((number): [number, Uint8Array] => [
      number,
      is.sign(MESSAGE, scalar(number), { suite: 'possession' }),
    ]);
    const { combine } = await loadPairingShares(group.suite);
    const whole = combine(new Map(quorum), lagrangeOf([1, 3], group.suite));
    const theirs = blst.PublicKey.fromBytes(key, true);
    expect(blst.verify(MESSAGE, theirs, blst.Signature.fromBytes(whole, true))).toBe(true);
    const [, share] = quorum[0] as [number, Uint8Array];
    expect(blst.verify(MESSAGE, theirs, blst.Signature.fromBytes(share, true))).toBe(false);
    const other = utf8('pay the baker');
    expect(blst.verify(other, theirs, blst.Signature.fromBytes(whole, true))).toBe(false);
  });

  it('names who sends a wrong share, and one alone signs nothing', async () => {
    const lie: Disturbance = {
      deliver: ({ from, received }) =>
        from === 3 && received.header.type === 'signature-share'
          ? { ...received, body: encodeCbor(wrong(decodeCbor(received.body, 'body'))) }
          : undefined,
    };
    const culprits = { details: { culprits: [3] } };
    await expect(signed([1, 3], shares, lie)).rejects.toMatchObject(culprits);
    // A signature by somebody else's share, well-formed, is none of theirs.
    const exchanged = new Map([
      [1, shares.get(1) as SecretBytes],
      [3, shares.get(2) as SecretBytes],
    ]);
    await expect(signed([1, 3], exchanged)).rejects.toMatchObject(culprits);
    await expect(
      starting('sign', [2], { receivers: [], group: groupJson(group), message: MESSAGE }),
    ).rejects.toThrow(/quorum is too small/);
  });

  it('has new shares after a refresh, and old ones do not sign with them', async () => {
    const [old, before, key] = [shares, groupDigest(group.record), group.record.publicKey];
    await dealt('refresh', { group: groupJson(group) }, (number) => old.get(number));
    expect(group.record.publicKey).toBe(key);
    expect(groupDigest(group.record)).not.toEqual(before);
    const signature = await signed([2, 3]);
    const is = await (await resolve(SUITE)).load();
    expect(is.kind === 'signature' && is.verify(signature, MESSAGE, fromHex(key))).toBe(true);
    const mixed = new Map([
      [2, old.get(2) as SecretBytes],
      [3, shares.get(3) as SecretBytes],
    ]);
    await expect(signed([2, 3], mixed)).rejects.toMatchObject({ details: { culprits: [2] } });
  });
});

function wrong(body: Cbor): Cbor {
  const bytes = (body as Uint8Array).slice();
  bytes[50] = (bytes[50] as number) ^ 1;
  return bytes;
}

describe('conclave threshold with it', () => {
  let place: Workplace;
  const folder = mkdtempSync(join(tmpdir(), 'conclave-pairing-'));
  beforeAll(() => {
    place = workplace();
  });
  afterAll(() => {
    place.remove();
    rmSync(folder, { recursive: true });
  });

  it('makes a key, signs, and verifies as any other', async () => {
    const options = { passphrases: ['for three'] };
    const made = { simulate: true, threshold: 2, shares: 3, suite: SUITE, outDir: folder };
    await place.run(thresholdKeygen as never, made, options);
    const at = (name: string): string => join(folder, name);
    writeFileSync(at('note.txt'), MESSAGE);
    await place.run(
      thresholdSign as never,
      {
        simulate: true,
        share: [at('dev-party-1.key'), at('dev-party-3.key')],
        message: at('note.txt'),
        out: at('note.sig'),
      },
      options,
    );
    const input = { key: at('dev-party-2.key'), in: at('note.txt'), signature: at('note.sig') };
    expect(await place.run(verify as never, input, options)).toMatchObject({ ok: true });
  });
});
