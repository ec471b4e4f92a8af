/** Two people compare an identity by a code on a screen: what was exchanged on the way is refused, whichever part of it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ActionContext } from '#actions/context/context';
import { identityList } from '#actions/identity-list';
import { identityNew } from '#actions/identity-new';
import { identityTrust } from '#actions/identity-trust';
import { identityVerify } from '#actions/identity-verify';
import { detectKind } from '#actions/artifacts/catalogue';
import {
  DIGEST_UR_TYPE,
  encodeDigestPayload,
  encodeFilePayload,
  FILE_UR_TYPE,
} from '#carriage/transport/payload';
import { encodeUr } from '#carriage/transport/ur';
import { sha256 } from '#crypto/hash';
import { parseChain } from '#custody/audit/chain';
import { type Workplace, workplace } from '../support/home.js';

let desk: Workplace;
let far: Workplace;
let bob: string;
let real: string;
let forged: string;
let codes = 0;

/** The code that somebody's screen shows, as a scanner types it: of the digest, or of the file itself. */
async function shown(file: string, digest = true): Promise<string> {
  const bytes = new Uint8Array(readFileSync(file));
  const kind = (await detectKind(bytes, file))?.kind ?? 'file';
  const payload = digest
    ? encodeDigestPayload({ kind, name: 'shown', length: bytes.length, sha256: sha256(bytes) })
    : encodeFilePayload({ kind, name: 'shown', bytes }, sha256);
  const path = far.at(`code-${String(++codes)}.txt`);
  writeFileSync(path, `${encodeUr(digest ? DIGEST_UR_TYPE : FILE_UR_TYPE, payload)}\n`);
  return path;
}

function scanning(): ActionContext {
  const context = desk.context();
  const quiet = { progress: () => undefined, remark: () => undefined };
  return { ...context, scan: () => Promise.resolve(quiet as never) };
}

type Input = Parameters<typeof identityVerify.run>[0];
const verify = (identity: string, input: Partial<Input> = {}) =>
  identityVerify.run({ image: [], ...input, identity } as Input, scanning());
const levels = async () =>
  (await desk.run(identityList, {})).identities
    .filter(({ name }) => name !== 'Ada')
    .map(({ name, level }) => `${name} ${level}`);
const logged = () => {
  const bytes = desk.context().audit?.read();
  return bytes === undefined ? [] : parseChain(bytes, 'log').entries.map(({ type }) => type);
};

beforeAll(async () => {
  desk = workplace();
  far = workplace();
  const make = async (name: string, out: string) => {
    await far.run(identityNew, { name, out: far.at(out) }, { passphrases: ['correct horse'] });
    return far.at(`${out}.pub`);
  };
  real = await make('Bob', 'bob.key');
  forged = await make('Bob', 'mallory.key');
  bob = desk.at('bob.pub');
  writeFileSync(bob, readFileSync(real));
  // Somebody is known already: where there is no home, there is no log either.
  await desk.run(identityTrust, { identity: await make('Ada', 'ada.key'), tofu: true });
});
afterAll(() => {
  desk.remove();
  far.remove();
});

describe('identity verify', () => {
  it('refuses a file that was exchanged on the way, and records that', async () => {
    const text = await shown(real);
    const differs = { code: 'E_FINGERPRINT_DIFFERS', exitCode: 1 };
    await expect(verify(forged, { text })).rejects.toMatchObject(differs);
    expect(logged()).toEqual(['identity.trusted', 'identity.comparison-failed']);
    // The same keys under another name: a fingerprint would be the same, the code is not.
    const renamed = desk.at('renamed.pub');
    writeFileSync(renamed, readFileSync(real, 'utf8').replace('"name":"Bob"', '"name":"Ben"'));
    await expect(verify(renamed, { text })).rejects.toMatchObject(differs);
    await expect(verify(renamed, { text: await shown(real, false) })).rejects.toMatchObject(
      differs,
    );
    expect(await levels()).toEqual([]);
  });

  it('refuses codes of something else, several of them, and two ways at once', async () => {
    writeFileSync(far.at('note.txt'), 'hello');
    const both = desk.at('both.txt');
    const paths = [await shown(real), await shown(forged)];
    writeFileSync(both, paths.map((path) => readFileSync(path, 'utf8')).join(''));
    const plain = desk.at('plain.txt');
    const { id } = JSON.parse(readFileSync(real, 'utf8')) as { id: string };
    writeFileSync(plain, `${id}\n`);
    for (const text of [await shown(far.at('note.txt')), both, plain])
      await expect(verify(bob, { text })).rejects.toMatchObject({ exitCode: 2 });
    await expect(verify(bob, { text: plain, fingerprint: id })).rejects.toMatchObject({
      code: 'E_VERIFY_WAYS',
    });
    await expect(verify(bob, { text: plain, camera: true })).rejects.toMatchObject({
      code: 'E_SCAN_SOURCE',
    });
    await expect(verify(bob)).rejects.toMatchObject({ code: 'E_FINGERPRINT_MISSING' });
    expect(await levels()).toEqual([]);
  });

  it('gives the level verified by the code of the file, the file itself, or the fingerprint', async () => {
    await desk.run(identityTrust, { identity: bob, tofu: true });
    const verified = { ok: true, level: 'verified', name: 'Bob', replaces: null };
    expect(await verify(bob, { text: await shown(real) })).toMatchObject({
      ...verified,
      was: 'tofu',
      by: 'code',
    });
    expect(await levels()).toEqual(['Bob verified']);
    expect(await verify(bob, { text: await shown(real, false) })).toMatchObject(verified);
    const { id } = JSON.parse(readFileSync(real, 'utf8')) as { id: string };
    expect(await verify('Bob', { fingerprint: id })).toMatchObject({
      ...verified,
      by: 'fingerprint',
    });
    // A failed comparison takes nothing away: whoever shows a wrong code must not be able to lower a level.
    await expect(verify(bob, { text: await shown(forged) })).rejects.toMatchObject({ exitCode: 1 });
    expect(await levels()).toEqual(['Bob verified']);
  });

  it('sounds the alarm for another key under a known name, even with its own right code', async () => {
    const text = await shown(forged);
    await expect(verify(forged, { text })).rejects.toMatchObject({
      code: 'E_IDENTITY_CHANGED',
      exitCode: 77,
    });
    const changed = await verify(forged, { text, changed: true });
    expect(identityVerify.present?.(changed)).toMatch(/^ALARM: the key of Bob changed/m);
    await expect(verify(bob, { text: await shown(real) })).rejects.toMatchObject({
      code: 'E_IDENTITY_REPLACED',
    });
  });
});
