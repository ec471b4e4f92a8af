/** A key and a signature through pictures alone: the start message in a series of codes, every message of a round in one code. */
import { spawnSync } from 'node:child_process';
import { createPublicKey, createHash, verify as verifyByNode } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeBatch } from '#actions/threshold/batch-file';
import { thresholdKeygen } from '#actions/threshold-keygen';
import { thresholdSign } from '#actions/threshold-sign';
import { encodeFilePayload, FILE_UR_TYPE } from '#carriage/transport/payload';
import { encodeQr } from '#carriage/transport/qr-code';
import { encodeUr } from '#carriage/transport/ur';
import { loadSuite, suiteNames } from '#crypto/frost/suite';
import { sha256 } from '#crypto/hash';
import { encodeCbor, type Cbor } from '#formats/cbor';
import { encodeEcho } from '#protocols/parties/inbox';
import { writeMessage } from '#protocols/parties/message';
import { makeRoster } from '#protocols/parties/roster';
import { newSessionKeys } from '#protocols/parties/session-keys';
import { hasProgram, needs, thorough } from '../support/require.js';
import { told } from './lying.js';
import { phase, room, type Room, startFile, type TestParty } from './party.js';

const CONTENT = 'pay the miller';
const DIGEST = `sha256:${createHash('sha256').update(CONTENT).digest('hex')}`;
const zbar = needs('zbarimg', hasProgram('zbarimg'), 'codes are read by another program too');

describe('a session through pictures alone', () => {
  let here: Room;
  let people: readonly TestParty[];
  /** Codes that carried a message of a round, by its type. */
  const pictures = new Map<string, { readonly picture: string; readonly file: string }>();
  /** How many codes each file took. */
  const codes = new Map<string, number>();
  let count = 0;

  beforeAll(async () => {
    here = await room(thorough ? ['Ann', 'Ben', 'Cem'] : ['Ann', 'Ben']);
    ({ people } = here);
  });
  afterAll(() => {
    here.remove();
  });

  /** Shows a file as one code or as a series, and reads the pictures into a folder, where nothing else comes in. */
  async function hold(file: string, into: string, series: boolean): Promise<string> {
    const folder = join(here.net, `pictures-${++count}`);
    mkdirSync(folder);
    const name = file.split('/').at(-1) ?? '';
    const form = series
      ? ['--animate', '--code-version', '32', '--png', join(folder, 'frame')]
      : ['--png', join(folder, 'code.png')];
    const shown = await told(['qr', 'show', file, ...form, '--json']);
    expect([name, shown.code]).toEqual([name, 'done']);
    const all = readdirSync(folder).sort();
    codes.set(name, all.length);
    // Of a series a camera misses some: a third of these are never seen.
    const seen = all.filter((_, i) => !series || all.length < 3 || i % 3 !== 1);
    const out = join(into, name);
    const look = async (pictures: readonly string[]) => {
      const images = pictures.flatMap((each) => ['--image', join(folder, each)]);
      return await told(['qr', 'scan', ...images, '--out', out, '--json']);
    };
    let scanned = await look(seen);
    // What is left of a series is enough as a rule, not always: then the camera looks on until it has seen all.
    if (series && scanned.code === 'E_QR_INCOMPLETE') scanned = await look(all);
    expect([name, scanned.code]).toEqual([name, 'done']);
    expect(readFileSync(out)).toEqual(readFileSync(file));
    const type = /-\d-([a-z-]+)-from/.exec(name)?.[1];
    if (type !== undefined && !series)
      pictures.set(type, { picture: join(folder, 'code.png'), file });
    return out;
  }

  /** Leads a session in which everybody writes into a folder of their own, and pictures are all that leaves it. */
  async function throughPictures(
    command: object,
    name: string,
    signers: readonly TestParty[],
    begin: Readonly<Record<string, unknown>>,
    join_: Readonly<Record<string, unknown>>,
    end: Readonly<Record<string, unknown>>,
  ): Promise<readonly string[]> {
    const [first, ...others] = signers as [TestParty, ...TestParty[]];
    const inboxes = new Map(signers.map((each) => [each, each.place.at(`in-${name}`)]));
    const out = (person: TestParty): string => person.place.at(`written-${name}`);
    for (const inbox of inboxes.values()) mkdirSync(inbox);
    const carried = new Set<string>();
    const carry = async (): Promise<void> => {
      for (const from of signers) {
        for (const file of readdirSync(out(from))) {
          if (carried.has(file) || file.endsWith('-start.json')) continue;
          carried.add(file);
          // Acceptances are long. One in a series is as good as all of them, where time matters.
          const acceptance = file.includes('-0-acceptance-');
          if (acceptance && !thorough && !(name === 'keygen' && from === first)) {
            for (const inbox of inboxes.values()) {
              writeFileSync(join(inbox, file), readFileSync(join(out(from), file)));
            }
            continue;
          }
          const readers = [...inboxes].filter(([person]) => person !== from);
          const [one, ...rest] = readers.map(([, inbox]) => inbox) as [string, ...string[]];
          const copy = await hold(join(out(from), file), one, acceptance);
          // The others looked at the same picture.
          for (const inbox of rest) writeFileSync(join(inbox, file), readFileSync(copy));
        }
      }
    };
    await phase(command, 'start', first, name, { ...begin, outDir: out(first) });
    for (const other of others) {
      const start = await hold(startFile(out(first)), other.place.at(''), true);
      await phase(command, 'start', other, name, { in: [start], outDir: out(other), ...join_ });
    }
    await carry();
    const open = new Set(signers);
    for (let turn = 0; open.size > 0 && turn < 8; turn++) {
      for (const person of open) {
        const input = { in: [inboxes.get(person)], outDir: out(person) };
        const { done } = await phase(command, 'round', person, name, input).catch(
          (error: unknown) => {
            if ((error as { exitCode?: number }).exitCode !== 75) throw error;
            return { done: false };
          },
        );
        if (done) open.delete(person);
      }
      await carry();
    }
    const results: string[] = [];
    for (const person of signers) {
      const done = await phase(command, 'finish', person, name, {
        in: [inboxes.get(person)],
        ...end,
      });
      results.push(done.signature ?? done.group ?? '');
    }
    return results;
  }

  it('makes a key and a signature that OpenSSL verifies; other readers see the same codes', async () => {
    const party = people.map(({ pub }) => pub);
    const begin = { suite: 'ed25519', threshold: 2, party };
    const groups = await throughPictures(
      thresholdKeygen,
      'keygen',
      people,
      begin,
      {},
      { name: 'k' },
    );
    const message = join(here.net, 'message');
    writeFileSync(message, CONTENT);
    const signers = [people[0], people.at(-1)] as readonly TestParty[];
    const quorum = `1,${people.length}`;
    const signatures = await throughPictures(
      thresholdSign,
      'sign',
      signers,
      { key: 'k', message, quorum },
      { expect: DIGEST },
      {},
    );
    const group = JSON.parse(readFileSync(groups[0] ?? '', 'utf8')) as { publicKey: string };
    const x = Buffer.from(group.publicKey, 'hex').toString('base64url');
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
    const signature = readFileSync(signatures[0] ?? '');
    expect(verifyByNode(null, Buffer.from(CONTENT), key, signature)).toBe(true);

    // Every message of a round was one code; a start message or an acceptance was several.
    const rounds = [...codes].filter(([name]) => name.endsWith('.msg'));
    // 2 of 3: 3 commitments, 6 parts, 3 echoes, 3 confirmations, 3 acknowledgements, and 2 times 2 to sign; 2 of 2 has 10 and 4.
    expect(rounds).toHaveLength(thorough ? 22 : 14);
    expect(rounds.filter(([, number]) => number !== 1)).toEqual([]);
    expect(Math.max(...codes.values())).toBeGreaterThan(5);
    expect([...pictures.keys()].sort()).toEqual(
      ['acknowledge', 'commitments', 'confirm', 'echo', 'nonces', 'part', 'signature-share'].sort(),
    );
    if (!zbar) return;
    for (const [type, { picture, file }] of pictures) {
      const read = spawnSync(
        'zbarimg',
        ['--raw', '--quiet', '-Sdisable', '-Sqrcode.enable', picture],
        { encoding: 'utf8' },
      );
      const text = join(here.net, `${type}.txt`);
      writeFileSync(text, read.stdout);
      const out = join(here.net, `${type}.msg`);
      expect((await told(['qr', 'scan', '--text', text, '--out', out, '--json'])).code).toBe(
        'done',
      );
      expect(readFileSync(out)).toEqual(readFileSync(file));
    }
  });

  it('a batch of prepared nonces goes by a series', async () => {
    const kept = fileURLToPath(new URL('../compat/v2/threshold/batch.cbor', import.meta.url));
    const inbox = join(here.net, 'batches');
    mkdirSync(inbox);
    const arrived = await hold(kept, inbox, true);
    expect(codes.get('batch.cbor')).toBeGreaterThan(5);
    const { batch } = await decodeBatch(readFileSync(arrived), arrived);
    expect(batch.commitments.length).toBeGreaterThan(0);
  });
});

describe('10 of 15', () => {
  it('says everything in one code each, on every curve', async () => {
    const random = (length: number): Uint8Array => new Uint8Array(length).fill(0x5a);
    using keys = await newSessionKeys(random);
    // Of all these keys, only the one that is sealed to has to be one.
    const numbers = Array.from({ length: 15 }, (_, i) => 101 + i);
    const parties = numbers.map((number, i) => ({
      number,
      identity: new Uint8Array(32).fill(number),
      ed25519: new Uint8Array(32).fill(number),
      xWing: i === 1 ? keys.xWing : new Uint8Array(keys.xWing.length).fill(number),
    }));
    const [first = 0, second = 0] = numbers;
    const digests = numbers.map((sender) => ({ sender, digest: new Uint8Array(32) }));
    const echo = (type: string): Uint8Array => encodeEcho({ round: 1, type, heard: digests });
    for (const name of suiteNames) {
      const suite = await loadSuite(name);
      const purpose = `${name}/keygen`;
      const terms = new Uint8Array(32);
      const roster = makeRoster({ session: new Uint8Array(32), purpose, terms, parties });
      const point = suite.group.base.toBytes();
      const scalar = suite.encodeScalar(1n);
      const ten = Array.from({ length: 10 }, () => point);
      const proof = new Uint8Array(point.length + scalar.length);
      const bodies: readonly (readonly [number, string, number | null, Cbor])[] = [
        [1, 'commitments', null, [ten, proof]],
        [2, 'part', second, scalar],
        [2, 'echo', null, echo('commitments')],
        [3, 'confirm', null, [new Uint8Array(32), new Uint8Array(32)]],
        [4, 'acknowledge', null, new Uint8Array(32)],
        [1, 'summands', null, ten],
        [1, 'summand', second, scalar],
        [2, 'sum', second, scalar],
        [1, 'nonces', null, [point, point]],
        [2, 'signature-share', null, [scalar, echo('nonces')]],
      ];
      for (const [round, type, recipient, body] of bodies) {
        const bytes = await writeMessage({
          ...{ roster, round, type, recipient, sender: first },
          ...{ body: encodeCbor(body), seed: keys.signing, random },
        });
        const file = `0a1b2c3d-${round}-${type}-from-${first}-to-${recipient ?? 'all'}.msg`;
        const payload = encodeFilePayload({ kind: 'round-message', name: file, bytes }, sha256);
        const text = encodeUr(FILE_UR_TYPE, payload).toUpperCase();
        // The level that codes have unless asked otherwise.
        expect(encodeQr(text, { level: 'M' }).version, `${name} ${type}`).toBeLessThanOrEqual(40);
      }
    }
  });
});
