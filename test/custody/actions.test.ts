import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { auditShow } from '#actions/audit-show';
import { auditVerify } from '#actions/audit-verify';
import type { VerifyOptions } from '#actions/artifacts/artifact';
import { identityKind } from '#actions/artifacts/identity';
import { statementKind } from '#actions/artifacts/statement';
import { buildContext } from '#actions/context/build';
import type { ActionContext, Asker } from '#actions/context/context';
import { createFileSpace } from '#actions/context/file-space';
import { identityList } from '#actions/identity-list';
import { identityNew } from '#actions/identity-new';
import { identityShow } from '#actions/identity-show';
import { createFileStore } from '#carriage/stores/file-store';
import { openHome } from '#carriage/stores/home';
import { resolve } from '#crypto/registry';
import { encodeChainLine, headOf, nextEntry } from '#custody/audit/chain';
import { buildStatement, signStatement } from '#custody/audit/statement';
import { decodeIdentity, type Identity } from '#custody/authority/identity';
import { signIdentityRotation, signKeyRotation } from '#custody/authority/rotation';
import { concat, utf8 } from '#formats/bytes';
import { type DsseEnvelope, encodeDsse } from '#formats/dsse';
import { ConclaveError, InputError, NegativeError, OutputError, UsageError } from '#formats/errors';
import { SecretBytes } from '#formats/secret-bytes';
import { createHost } from '#host/node-host';
import { fuzz } from '../support/mutations.js';
import { person, randomFrom } from './people.js';

let folder: string;
let context: ActionContext;
const PASSPHRASE = 'correct horse';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'custody-'));
  context = contextIn('home');
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function contextIn(name: string): ActionContext {
  const host = createHost();
  const home = openHome(host.files, join(folder, name));
  const passphrase = async (): Promise<SecretBytes> =>
    SecretBytes.adopt(utf8(PASSPHRASE), 'passphrase');
  const ask: Asker = {
    passphrase: async ({ attempt }) => (attempt > 1 ? undefined : passphrase()),
    newPassphrase: passphrase,
    people: () => [],
  };
  return buildContext({
    host,
    home,
    store: createFileStore(host.files, home),
    files: createFileSpace({
      files: host.files,
      force: false,
      stdin: () => new Uint8Array(0),
      stdout: () => undefined,
    }),
    ask,
    environment: 'dev',
    waivers: new Set(),
    allowedEnvironments: new Set(),
    progress: () => undefined,
    version: '0.0.0',
    scryptLogN: 10,
  });
}

const at = (name: string): string => join(folder, name);
const show = (input: Partial<Parameters<typeof auditShow.run>[0]> = {}) =>
  auditShow.run(input, context);
const check = (input: Partial<Parameters<typeof auditVerify.run>[0]> = {}) =>
  auditVerify.run(input, context);

describe('identity new', () => {
  it('writes a private file for one and a public one for all', async () => {
    const made = await identityNew.run({ name: 'Ada', out: at('ada.key') }, context);
    expect(made).toMatchObject({
      name: 'Ada',
      environment: 'dev',
      public: at('ada.key.pub'),
      location: at('ada.key'),
    });
    expect(statSync(at('ada.key')).mode & 0o777).toBe(0o600);
    expect(readFileSync(at('ada.key'), 'utf8')).toMatch(/^DEV KEY/);
    const identity = decodeIdentity(readFileSync(at('ada.key.pub')), 'ada.key.pub');
    expect(identity.id).toBe(made.id);
    using open = await context.identities.open(at('ada.key'));
    expect(open?.identity).toEqual(identity);
    expect(identityNew.present?.(made)).toContain(made.fingerprint);
    expect(await context.identities.list()).toEqual([]);
  });

  it('overwrites neither file', async () => {
    writeFileSync(at('ada.key.pub'), 'mine');
    await expect(identityNew.run({ name: 'Ada', out: at('ada.key') }, context)).rejects.toThrow(
      OutputError,
    );
    expect(context.files.exists(at('ada.key'))).toBe(false);
  });

  it('fills the store, and the list and the log tell of it', async () => {
    const bob = await identityNew.run({ name: 'Bob' }, context);
    const ada = await identityNew.run({ name: 'Ada' }, context);
    const { identities } = await identityList.run({}, context);
    expect(identities.map(({ name }) => name)).toEqual(['Ada', 'Bob']);
    const { entries } = await show();
    expect(entries.map(({ data }) => data)).toEqual([
      { id: bob.id, name: 'Bob', environment: 'dev' },
      { id: ada.id, name: 'Ada', environment: 'dev' },
    ]);
  });

  it('refuses a name that would not be printed as it is', async () => {
    await expect(identityNew.run({ name: 'A\u001b[31m' }, context)).rejects.toThrow(InputError);
  });
});

it('identity show reads names, ids and files alike, and writes the public file', async () => {
  const made = await identityNew.run({ name: 'Ada' }, context);
  for (const identity of ['Ada', made.id.slice(0, 12)]) {
    expect(await identityShow.run({ identity }, context)).toMatchObject({
      id: made.id,
      fingerprint: made.fingerprint,
      keyIds: made.keyIds,
    });
  }
  const shown = await identityShow.run({ identity: 'Ada', out: at('ada.pub') }, context);
  expect(readFileSync(at('ada.pub'), 'utf8')).toBe(`${shown.publicFile}\n`);
  expect((await identityShow.run({ identity: at('ada.pub') }, context)).id).toBe(made.id);
  for (const line of identityShow.present?.(shown).split('\n') ?? [])
    expect(line.length).toBeLessThanOrEqual(80);
});

describe('the log of a home', () => {
  const log = (): string => at('home/audit.jsonl');
  const lines = (): string[] => readFileSync(log(), 'utf8').trimEnd().split('\n');
  const rewrite = (change: (lines: string[]) => string[]): void => {
    writeFileSync(log(), `${change(lines()).join('\n')}\n`);
  };

  beforeEach(async () => {
    await identityNew.run({ name: 'Ada' }, context);
    for (const n of [1, 2, 3, 4])
      context.record({ type: n % 2 ? 'key.used' : 'test.done', data: { n } });
  });

  it('is empty before anything was recorded', async () => {
    context = contextIn('elsewhere');
    expect(await check()).toMatchObject({ ok: true, entries: 0, head: null });
    expect(await show()).toMatchObject({ entries: [], omitted: 0 });
  });

  it('is whole as written, and leads on from an earlier head', async () => {
    const verdict = await check();
    expect(verdict).toMatchObject({ ok: true, entries: 5, notes: [] });
    context.record({ type: 'test.done', data: {} });
    expect(await check({ head: verdict.head ?? '' })).toMatchObject({ ok: true, entries: 6 });
  });

  it('is shown by type and from the end', async () => {
    expect((await show({ type: 'key' })).entries).toHaveLength(2);
    expect((await show({ type: 'key.used' })).entries).toHaveLength(2);
    expect((await show({ type: 'ke' })).entries).toHaveLength(0);
    expect(await show({ last: 2 })).toMatchObject({
      omitted: 3,
      entries: [{ seq: 3 }, { seq: 4 }],
    });
    expect(auditShow.present?.(await show({ last: 2 }))).toContain('(3 earlier entries)');
  });

  it('tells which entry was changed', async () => {
    rewrite((all) => all.with(2, (all[2] as string).replace('"n":2', '"n":7')));
    const verdict = await check();
    expect(verdict).toMatchObject({ ok: false, at: 2, head: null });
    expect(auditVerify.present?.(verdict)).toMatch(/^NOT OK: .*entry 2 was changed/);
  });

  it('tells where an entry was taken out, and that the order was changed', async () => {
    const original = lines();
    rewrite((all) => all.toSpliced(1, 1));
    expect(await check()).toMatchObject({
      ok: false,
      at: 1,
      reason: expect.stringMatching(/missing/) as string,
    });
    rewrite(() => original.with(1, original[3] as string).with(3, original[1] as string));
    expect(await check()).toMatchObject({
      ok: false,
      at: 1,
      reason: expect.stringMatching(/order/) as string,
    });
  });

  it('shows a cut at the end only to those who kept a head', async () => {
    const { head } = await check();
    rewrite((all) => all.slice(0, -2));
    expect(await check()).toMatchObject({ ok: true, entries: 3 });
    expect(await check({ head: head ?? '' })).toMatchObject({
      ok: false,
      at: 3,
      reason: expect.stringMatching(/2 entries are missing/) as string,
    });
    await expect(check({ head: '12' })).rejects.toThrow(UsageError);
  });

  it('tells of an unfinished entry', async () => {
    writeFileSync(log(), '{"torn', { flag: 'a' });
    expect(await check()).toMatchObject({
      ok: true,
      notes: [expect.stringMatching(/6 bytes/) as string],
    });
    expect(await show()).toMatchObject({ torn: 6 });
  });

  it('tells of a clock that went backwards', async () => {
    const first = nextEntry(undefined, { time: '2026-11-23T09:30:00Z', type: 'a', data: {} });
    const second = nextEntry(headOf(first), { time: '2026-11-23T09:29:59Z', type: 'a', data: {} });
    writeFileSync(at('other.jsonl'), concat(encodeChainLine(first), encodeChainLine(second)));
    expect(await check({ log: at('other.jsonl') })).toMatchObject({
      ok: true,
      notes: [expect.stringMatching(/backwards before entry 1/) as string],
    });
  });

  it('that is no log is malformed, and names the line', async () => {
    writeFileSync(at('other.jsonl'), 'hello\n');
    await expect(check({ log: at('other.jsonl') })).rejects.toThrow(/other\.jsonl: line 1/);
    await expect(show({ log: at('none.jsonl') })).rejects.toThrow(ConclaveError);
  });
});

const options = (change: Partial<VerifyOptions> = {}): VerifyOptions => ({
  signers: [],
  allowUnpinned: false,
  ...change,
});

describe('the kind identity', () => {
  it('recognises public files and says how far they can be believed', async () => {
    using ada = await person('Ada');
    const { encodeIdentity } = await import('#custody/authority/identity');
    const bytes = encodeIdentity(ada.identity);
    expect(identityKind.detect(bytes, 'x')).toBe(true);
    for (const other of ['', '{', '{"type":"conclave/key-record"}', 'plain text']) {
      expect(identityKind.detect(utf8(other), 'x')).toBe(false);
    }
    expect(await identityKind.show(bytes, 'x', context)).toMatchObject({
      name: 'Ada',
      id: ada.identity.id,
    });
    const verdict = await identityKind.verify(bytes, 'x', context, options());
    expect(verdict.ok).toBe(true);
    expect(verdict.claims.map(({ grade }) => grade)).toEqual(['checked', 'recorded']);
    const forged = utf8(new TextDecoder().decode(bytes).replace(ada.identity.id, '00'.repeat(32)));
    await expect(identityKind.verify(forged, 'x', context, options())).rejects.toThrow(
      NegativeError,
    );
    await fuzz(bytes, (mutated) => identityKind.verify(mutated, 'x', context, options()), {
      count: 2000,
    });
    await fuzz(bytes, (mutated) => identityKind.detect(mutated, 'x'), { codes: [] });
  });
});

describe('the kind statement', () => {
  const statement = buildStatement({
    subjects: [{ name: 'a', digest: { sha256: '00'.repeat(32) } }],
    predicateType: 'urn:conclave:test:v1',
    predicate: {},
  });
  const file = (envelope: DsseEnvelope): Uint8Array => utf8(encodeDsse(envelope));
  const verdictOn = (envelope: DsseEnvelope, change: Partial<VerifyOptions> = {}) =>
    statementKind.verify(file(envelope), 's.json', context, options(change));

  async function publicFile(name: string, identity: Identity): Promise<string> {
    const { encodeIdentity } = await import('#custody/authority/identity');
    writeFileSync(at(name), encodeIdentity(identity));
    return at(name);
  }

  it('counts signatures of those that were pinned', async () => {
    using ada = await person('Ada');
    using bob = await person('Bob');
    const signers = [await publicFile('ada.pub', ada.identity)];
    const envelope = await signStatement(statement, [ada]);
    expect(statementKind.detect(file(envelope), 's.json')).toBe(true);
    const good = await verdictOn(envelope, { signers });
    expect(good).toMatchObject({
      ok: true,
      claims: [{ claim: 'signed by Ada', grade: 'attested', ok: true }],
    });

    const foreign = await verdictOn(await signStatement(statement, [bob]), { signers });
    expect(foreign.ok).toBe(false);
    const both = await verdictOn(await signStatement(statement, [ada, bob]), { signers });
    expect(both.ok).toBe(true);
    expect(both.claims.at(-1)?.detail).toMatch(/ignored/);
    const half = await verdictOn(
      { ...envelope, signatures: envelope.signatures.slice(1) },
      { signers },
    );
    expect(half.ok).toBe(false);
  });

  it('reads participants where they are listed', async () => {
    using ada = await person('Ada');
    await publicFile('ada.pub', ada.identity);
    writeFileSync(
      at('participants.yaml'),
      'participants:\n  - name: Ada\n    role: administrator\n    identity: ada.pub\n  - name: Cy\n    role: witness\n    identity: none\n',
    );
    const envelope = await signStatement(statement, [ada]);
    const verdict = await verdictOn(envelope, { participants: at('participants.yaml') });
    expect(verdict).toMatchObject({ ok: true });
  });

  it('says first that nobody was pinned, and is not content with it', async () => {
    const made = await identityNew.run({ name: 'Ada' }, context);
    using ada = await context.identities.open('Ada');
    if (ada === undefined) throw new Error('no identity');
    const envelope = await signStatement(statement, [ada]);
    const verdict = await verdictOn(envelope);
    expect(verdict.ok).toBe(false);
    expect(verdict.summary).toMatch(/^dev: signers not pinned/);
    expect(verdict.claims[0]).toMatchObject({ grade: 'recorded', detail: made.id });
    expect((await verdictOn(envelope, { allowUnpinned: true })).ok).toBe(true);
    using stranger = await person('Stranger');
    const unknown = await verdictOn(await signStatement(statement, [stranger]), {
      allowUnpinned: true,
    });
    expect(unknown.ok).toBe(false);
    expect(await statementKind.show(file(envelope), 's', context)).toMatchObject({
      predicateType: 'urn:conclave:test:v1',
      signatures: [{ by: 'Ada' }, { by: 'Ada' }],
    });
  });

  it('understands rotations of identities', async () => {
    using ada = await person('Ada');
    using next = await person('Ada again');
    const now = new Date('2026-11-23T09:30:00Z');
    const envelope = await signIdentityRotation({ old: ada, new: next, reason: 'routine', now });
    const old = [await publicFile('ada.pub', ada.identity)];
    const other = [await publicFile('next.pub', next.identity)];
    expect(await verdictOn(envelope, { signers: old })).toMatchObject({ ok: true });
    expect(await verdictOn(envelope, { signers: other })).toMatchObject({ ok: false });
    expect(await verdictOn(envelope)).toMatchObject({ ok: false });
    expect(await verdictOn(envelope, { allowUnpinned: true })).toMatchObject({ ok: true });
    const cut = { ...envelope, signatures: envelope.signatures.slice(0, 3) };
    expect(await verdictOn(cut, { signers: old })).toMatchObject({ ok: false });
  });

  it('understands rotations of keys', async () => {
    const descriptor = await resolve('ed25519');
    const implementation = await descriptor.load();
    const key = async (seed: string) => {
      const secret = await implementation.generate(randomFrom(seed));
      if (implementation.kind !== 'signature') throw new Error('not a signature algorithm');
      const publicKey = implementation.publicKey(secret);
      return { descriptor, publicKey, secret: SecretBytes.adopt(secret, seed) };
    };
    const now = new Date('2026-11-23T09:30:00Z');
    const envelope = await signKeyRotation({
      old: await key('a'),
      new: await key('b'),
      reason: 'routine',
      now,
    });
    const verdict = await verdictOn(envelope);
    expect(verdict.ok).toBe(false);
    expect(verdict.summary).toMatch(/^signers not pinned/);
    expect((await verdictOn(envelope, { allowUnpinned: true })).ok).toBe(true);
    const cut = { ...envelope, signatures: envelope.signatures.slice(0, 1) };
    expect((await verdictOn(cut, { allowUnpinned: true })).ok).toBe(false);
  });
});
