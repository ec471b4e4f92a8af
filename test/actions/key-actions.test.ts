import { execFileSync } from 'node:child_process';
import { createPublicKey, verify as nodeVerify } from 'node:crypto';
import {
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { airgapCheck } from '#actions/airgap-check';
import { detectKind } from '#actions/artifacts/catalogue';
import { keyFileKind } from '#actions/artifacts/key-file';
import { keyRecordKind } from '#actions/artifacts/key-record';
import { publicKeyKind } from '#actions/artifacts/public-key';
import { readPrivateFile } from '#actions/context/private-forms';
import { readPublicKey } from '#actions/context/public-keys';
import { verifySignature } from '#actions/context/verify-signature';
import { keyDestroy } from '#actions/key-destroy';
import { keyDisable } from '#actions/key-disable';
import { keyEnable } from '#actions/key-enable';
import { keyExport } from '#actions/key-export';
import { keyGenerate } from '#actions/key-generate';
import { keyImport } from '#actions/key-import';
import { keyList } from '#actions/key-list';
import { keyPublic } from '#actions/key-public';
import { keyShow } from '#actions/key-show';
import { sign } from '#actions/sign';
import { parseChain, verifyChain } from '#custody/audit/chain';
import { allDescriptors } from '#crypto/registry';
import type { Descriptor } from '#crypto/descriptor';
import { equal } from '#formats/bytes';
import { ConclaveError } from '#formats/errors';
import { nodeFs } from '#host/fs-port';
import { formsIn } from '../support/canary.js';
import { failingAt } from '../support/disks.js';
import { fuzz } from '../support/mutations.js';
import { type RunOptions, type Workplace, workplace } from '../support/home.js';
import { hasProgram, mutationCount, needs } from '../support/require.js';

const SEALED: RunOptions = { passphrases: ['correct horse'] };
const PLAIN: RunOptions = { noPassphrase: true };
const hasOpenssl = needs('openssl', hasProgram('openssl'), 'the program openssl is not there');
/** One for each way in which stores and forms keep keys; every-algorithm.test.ts takes all of them through all actions. */
const KEPT = [
  ...['ed25519+ml-dsa-65', 'ml-dsa-65', 'falcon-512', 'ed25519', 'p256', 'bls12-381', 'rsa-2048'],
  ...['x-wing', 'ml-kem-1024+p384', 'x25519', 'aes-256', 'hmac-sha512'],
];
const descriptors: readonly Descriptor[] = (await allDescriptors()).filter(({ name }) =>
  KEPT.includes(name),
);

let place: Workplace;
beforeEach(() => {
  place = workplace();
});
afterEach(() => {
  place.remove();
});

async function refusal(work: Promise<unknown>): Promise<[string, number]> {
  try {
    await work;
  } catch (error) {
    if (error instanceof ConclaveError) return [error.code, error.exitCode];
    throw error;
  }
  return ['nothing', 0];
}

/** What somebody must insist on before a key of this algorithm is made for production. */
const insisting = ({ status, profile }: Descriptor, options: RunOptions): RunOptions =>
  status === 'draft' && profile === '' ? { ...options, waivers: ['draft'] } : options;

const nameOf = ({ name, profile }: Descriptor): string =>
  profile === '' ? name : `${name} (${profile})`;
const inputOf = ({ name, profile }: Descriptor): Record<string, string> => ({
  algorithm: name,
  ...(profile === '' ? {} : { profile }),
});

describe('key generate', () => {
  for (const descriptor of descriptors) {
    for (const [protection, options] of [
      ['sealed', SEALED],
      ['plain', PLAIN],
    ] as const) {
      it(`keeps a ${nameOf(descriptor)} key in the store, ${protection}, and finds it again`, async () => {
        const made = await place.run(
          keyGenerate,
          { ...inputOf(descriptor), name: 'root' },
          insisting(descriptor, options),
        );
        expect(made.algorithm).toBe(descriptor.name);
        const { keys } = place.context(options);
        for (const reference of ['root', made.id.slice(7, 13), made.key, made.id.slice(7)]) {
          using open = await keys.open(reference);
          expect(open.record.id).toBe(made.id.slice(7));
          expect(open.secret.length).toBe(descriptor.sizes.private);
        }
        const listed = await place.run(keyList, {});
        expect(listed.keys.map(({ name }) => name)).toEqual(['root']);
        expect(keyList.present?.(listed)).toContain('root');
        const shown = await place.run(keyShow, { key: 'root' });
        expect(shown.record['id']).toBe(made.id.slice(7));
        expect(keyShow.present?.(shown)).toContain('generated');
      });

      it(`writes a ${nameOf(descriptor)} key to a file, ${protection}, and reads it again`, async () => {
        const out = place.at('k.key');
        const wanted = { ...inputOf(descriptor), out };
        const made = await place.run(keyGenerate, wanted, insisting(descriptor, options));
        expect(statSync(out).mode & 0o777).toBe(0o600);
        expect(existsSync(place.at('k.record.json'))).toBe(protection === 'plain');
        expect(existsSync(place.at('home'))).toBe(false);
        using open = await place.context(options).keys.open(out);
        expect(open.record.id).toBe(made.id.slice(7));
        const bytes = new Uint8Array(readFileSync(out));
        if (descriptor.profile !== 'ratify-v1' || protection === 'sealed') {
          expect(keyFileKind.detect(bytes, out)).toBe(true);
          expect((await keyFileKind.verify(bytes, out, place.context(), NOTHING)).ok).toBe(true);
          const shown = JSON.stringify(await keyFileKind.show(bytes, out, place.context()));
          const leaks = open.secret.use((raw) => formsIn(Buffer.from(shown), raw));
          expect(leaks).toEqual([]);
        }
      });
    }
  }

  it('with --dev alone writes a marked pair into the working folder', async () => {
    const before = process.cwd();
    process.chdir(place.folder);
    try {
      const made = await place.run(keyGenerate, { dev: true });
      const stem = `dev-${made.id.slice(7, 15)}`;
      expect(readdirSync('.').sort()).toEqual([
        `${stem}.key`,
        `${stem}.pub`,
        `${stem}.record.json`,
      ]);
      for (const name of [`${stem}.key`, `${stem}.pub`]) {
        expect(readFileSync(name, 'utf8')).toMatch(/^DEV KEY - NOT FOR PRODUCTION\n-----BEGIN/);
      }
      expect(made.algorithm).toBe('ed25519+ml-dsa-65');
      expect(keyGenerate.present?.(made)).toContain('DEV KEY - NOT FOR PRODUCTION');
      using open = await place.context().keys.open(`./${stem}.key`);
      expect(open.record.environment).toBe('dev');
    } finally {
      process.chdir(before);
    }
  });

  it('mixes entropy in and refuses too little', async () => {
    writeFileSync(place.at('dice'), '6253416253415262341');
    writeFileSync(place.at('coin'), 'h');
    await place.run(keyGenerate, { algorithm: 'ed25519', entropy: [place.at('dice')] }, PLAIN);
    expect(await refusal(place.run(keyGenerate, { entropy: [place.at('coin')] }, PLAIN))).toEqual([
      'E_ENTROPY_TOO_SHORT',
      65,
    ]);
  });

  it('records name, purposes and tags', async () => {
    await place.run(
      keyGenerate,
      { algorithm: 'ml-dsa-65', name: 'a', purpose: ['sign'], tag: ['team=x', 'empty='] },
      PLAIN,
    );
    const { record } = await place.context().keys.find('a');
    expect(record.tags).toEqual({ team: 'x', empty: '' });
    expect(record.purposes).toEqual(['sign']);
  });

  it('refuses what does not fit', async () => {
    const cases: readonly [Record<string, unknown>, RunOptions, string, number][] = [
      [{}, {}, 'E_PASSPHRASE_MISSING', 2],
      [{ algorithm: 'rot13' }, PLAIN, 'E_ALGORITHM_UNKNOWN', 2],
      [{ algorithm: 'ed25519', profile: 'composite' }, PLAIN, 'E_PROFILE_UNKNOWN', 2],
      [{ store: 'keychain' }, PLAIN, 'E_KEYCHAIN_UNFIT', 77],
      [{ store: 'pkcs11:token' }, PLAIN, 'E_PKCS11_MODULE_MISSING', 2],
      [{ store: 'cloud' }, PLAIN, 'E_STORE_UNKNOWN', 2],
      [{ name: 'a.key' }, PLAIN, 'E_KEY_NAME', 2],
      [{ tag: ['team'] }, PLAIN, 'E_TAG_MALFORMED', 2],
      [{ tag: ['a=1', 'a=2'] }, PLAIN, 'E_TAG_TWICE', 2],
      [{ format: 'raw' }, PLAIN, 'E_FORMAT_WITHOUT_OUT', 2],
      [{ algorithm: 'ed25519', purpose: ['encrypt'] }, PLAIN, 'E_KEY_PURPOSE_UNFIT', 2],
      [{ out: place.at('k'), format: 'pkcs8-pem' }, SEALED, 'E_PLAINTEXT_REFUSED', 77],
    ];
    for (const [input, options, code, exit] of cases) {
      expect(await refusal(place.run(keyGenerate, input, options)), code).toEqual([code, exit]);
    }
    expect(readdirSync(place.folder)).toEqual([]);
  });

  it('overwrites only with --force', async () => {
    const out = place.at('k.key');
    writeFileSync(out, 'precious');
    const wanted = { algorithm: 'ed25519', out };
    expect(await refusal(place.run(keyGenerate, wanted, PLAIN))).toEqual(['E_FILE_EXISTS', 73]);
    expect(readFileSync(out, 'utf8')).toBe('precious');
    await place.run(keyGenerate, wanted, { ...PLAIN, force: true });
    expect(readFileSync(out, 'utf8')).toContain('BEGIN PRIVATE KEY');
  });

  it('leaves a whole key or none when any call on the disk fails', async () => {
    const out = place.at('k.key');
    for (let at = 0; ; at++) {
      const failing = failingAt(at, 'ENOSPC', { andAfter: true, partial: true });
      const options = { ...SEALED, fs: failing.fs };
      const outcome = await refusal(place.run(keyGenerate, { algorithm: 'ed25519', out }, options));
      if (outcome[0] === 'nothing' || existsSync(out)) {
        using open = await place.context(SEALED).keys.open(out);
        expect(open.record.algorithm).toBe('ed25519');
        nodeFs.unlink(out);
      }
      if (failing.calls() <= at) break;
    }
  });
});

const NOTHING = { signers: [], allowUnpinned: false };

describe('key references', () => {
  it('refuse what is missing, ambiguous, or of another store', async () => {
    await place.run(keyGenerate, { algorithm: 'ed25519', name: 'cafe00' }, PLAIN);
    const { keys } = place.context();
    expect(await refusal(keys.find('nothing'))).toEqual(['E_KEY_NOT_FOUND', 66]);
    expect(await refusal(keys.find('./nothing'))).toEqual(['E_FILE_MISSING', 66]);
    expect(await refusal(keys.find('keychain:x'))).toEqual(['E_STORE_UNAVAILABLE', 69]);
    expect(await refusal(keys.find('pkcs11:x'))).toEqual(['E_TOKEN_URI', 2]);
    expect(await refusal(keys.find('pkcs11:token=x;object=y'))).toEqual([
      'E_PKCS11_MODULE_MISSING',
      2,
    ]);
    expect(await refusal(keys.find(''))).toEqual(['E_KEY_REFERENCE_EMPTY', 2]);
    expect((await keys.find('cafe00')).record.name).toBe('cafe00');
    expect((await keys.find('file:cafe00')).record.name).toBe('cafe00');
  });

  it('tell a wrong passphrase from a foreign key', async () => {
    const out = place.at('k.key');
    await place.run(keyGenerate, { algorithm: 'ed25519', out }, SEALED);
    const wrong = place.context({ passphrases: ['no', 'neither'] });
    expect(await refusal(wrong.keys.open(out))).toEqual(['E_PASSPHRASE_WRONG', 77]);
    using second = await place.context({ passphrases: ['no', 'correct horse'] }).keys.open(out);
    expect(second.record.algorithm).toBe('ed25519');
    const other = place.at('other.key');
    await place.run(keyGenerate, { algorithm: 'ed25519', out: other }, PLAIN);
    const third = place.at('third.key');
    await place.run(keyGenerate, { algorithm: 'ed25519', out: third }, PLAIN);
    writeFileSync(other, readFileSync(third));
    expect(await refusal(place.context().keys.open(other))).toEqual(['E_KEY_FILE_MISMATCH', 1]);
  });

  it('that differ in the ending of their file alone have a record each', async () => {
    const [key, back] = [place.at('root.key'), place.at('root.back')];
    await place.run(keyGenerate, { algorithm: 'ed25519', name: 'one', out: key }, PLAIN);
    await place.run(keyGenerate, { algorithm: 'ed25519', name: 'two', out: back }, PLAIN);
    const { keys } = place.context();
    expect((await keys.find(key)).record.name).toBe('one');
    expect((await keys.find(back)).record.name).toBe('two');
    // Where a record was written without any ending, it is found and changed there.
    const former = place.at('old.record.json');
    renameSync(back, place.at('old.pem'));
    renameSync(place.at('root.back.record.json'), former);
    await place.run(keyDisable, { key: place.at('old.pem'), reason: 'lost' }, PLAIN);
    expect(readFileSync(former, 'utf8')).toContain('"state":"suspended"');
    expect(existsSync(place.at('old.pem.record.json'))).toBe(false);
    await place.run(keyDestroy, { key: place.at('old.pem') }, { confirms: true });
    expect(readFileSync(former, 'utf8')).toContain('"state":"destroyed"');
  });
});

describe('key states', () => {
  for (const [protection, options] of [
    ['sealed', SEALED],
    ['plain', PLAIN],
  ] as const) {
    for (const where of ['store', 'path'] as const) {
      it(`change in place, ${protection}, ${where}`, async () => {
        const key = where === 'store' ? 'root' : place.at('root.key');
        const target = where === 'store' ? { name: 'root' } : { out: key };
        await place.run(keyGenerate, { algorithm: 'ed25519', ...target }, options);
        writeFileSync(place.at('m'), 'message');
        const signing = { key, in: place.at('m'), out: place.at('m.sig') };
        const off = await place.run(keyDisable, { key, reason: 'lost' }, options);
        expect(off).toMatchObject({ state: 'suspended', grade: 'advisory' });
        expect(await refusal(place.run(sign, signing, options))).toEqual(['E_KEY_STATE', 77]);
        await place.run(keyEnable, { key }, options);
        await place.run(sign, signing, options);
        const { record } = await place.context().keys.find(key);
        expect(record.history.map(({ state }) => state)).toEqual(['active', 'suspended', 'active']);
        expect(record.history[1]?.reason).toBe('lost');
        expect(await refusal(place.run(keyEnable, { key }, options))).toEqual([
          'E_STATE_FORBIDDEN',
          77,
        ]);

        expect(await refusal(place.run(keyDestroy, { key }))).toEqual([
          'E_KEY_DESTROY_UNCONFIRMED',
          2,
        ]);
        expect(await refusal(place.run(keyDestroy, { key }, { confirms: false }))).toEqual([
          'E_KEY_DESTROY_DECLINED',
          130,
        ]);
        const gone = await place.run(keyDestroy, { key }, { confirms: true });
        expect(gone.state).toBe('destroyed');
        if (where === 'store') {
          nodeFs.unlink(signing.out);
          expect(await refusal(place.run(sign, signing, options))).toEqual(['E_KEY_DESTROYED', 77]);
          const { keys } = await place.run(keyList, {});
          expect(keys[0]?.state).toBe('destroyed');
          expect(readdirSync(place.at('home/keys'))).toEqual([]);
        } else {
          expect(existsSync(key)).toBe(false);
          const left = new Uint8Array(readFileSync(place.at('root.record.json')));
          expect(keyRecordKind.detect(left, 'x')).toBe(true);
          expect((await keyRecordKind.show(left, 'x', place.context()))['state']).toBe('destroyed');
        }
      });
    }
  }
});

describe('key public, export and import', () => {
  for (const descriptor of descriptors.filter(({ kind }) => kind !== 'symmetric')) {
    it(`writes ${nameOf(descriptor)} public keys that are read again`, async () => {
      const wanted = { ...inputOf(descriptor), name: 'k' };
      await place.run(keyGenerate, wanted, insisting(descriptor, PLAIN));
      const { publicKey } = await place.context().keys.find('k');
      const ratify = descriptor.profile === 'ratify-v1';
      const spki = descriptor.oid === undefined ? [] : ['spki-pem', 'spki-der'];
      for (const format of ratify ? ['ratify-json'] : spki) {
        const out = place.at(`k.${format}`);
        await place.run(keyPublic, { key: 'k', format, out });
        const bytes = new Uint8Array(readFileSync(out));
        const read = await readPublicKey(bytes, out, 'kem');
        expect(read.descriptor).toBe(descriptor);
        expect(equal(read.bytes, publicKey)).toBe(true);
        expect((await detectKind(bytes, out))?.kind).toBe('public-key');
        expect((await publicKeyKind.verify(bytes, out, place.context(), NOTHING)).ok).toBe(true);
        // Every form in full once; the other algorithms differ in a length only.
        const count = descriptor.name.includes('+') ? mutationCount : mutationCount / 20;
        await fuzz(bytes, async (mutation) => await readPublicKey(mutation, 'k', 'kem'), { count });
      }
      for (const format of ['raw', 'hex']) {
        const out = place.at(`k.${format}`);
        await place.run(keyPublic, { key: 'k', format, out });
        const content = readFileSync(out);
        const raw = format === 'raw' ? content : Buffer.from(content.toString().trim(), 'hex');
        expect(raw.equals(publicKey)).toBe(true);
      }
      const wrong = ratify ? 'spki-pem' : 'ratify-json';
      expect(await refusal(place.run(keyPublic, { key: 'k', format: wrong }))).toEqual([
        'E_ENCODING_UNSUPPORTED',
        2,
      ]);
    });
  }

  for (const descriptor of descriptors) {
    it(`carries ${nameOf(descriptor)} keys over in every form`, async () => {
      const wanted = { ...inputOf(descriptor), name: 'k' };
      const made = await place.run(keyGenerate, wanted, insisting(descriptor, PLAIN));
      const formats =
        descriptor.profile === 'ratify-v1'
          ? ['conclave', 'ratify-json']
          : descriptor.oid === undefined
            ? ['conclave']
            : ['conclave', 'pkcs8-pem', 'pkcs8-der'];
      for (const format of formats) {
        const out = place.at(`out.${format}`);
        const done = await place.run(keyExport, { key: 'k', format, out });
        expect(done.sealed).toBe(false);
        const other = workplace();
        try {
          const twin = await other.run(keyImport, { file: out, name: 'twin' }, SEALED);
          expect(twin.id).toBe(made.id);
          using here = await place.context().keys.open('k');
          using there = await other.context(SEALED).keys.open('twin');
          const same = here.secret.use((a) => there.secret.use((b) => equal(a, b)));
          expect(same, format).toBe(true);
          expect(await refusal(other.run(keyImport, { file: out, name: 'again' }, SEALED))).toEqual(
            ['E_KEY_EXISTS', 73],
          );
        } finally {
          other.remove();
        }
      }
    });
  }

  it('keeps the protection of a sealed key', async () => {
    const made = await place.run(keyGenerate, { algorithm: 'ed25519', name: 'k' }, SEALED);
    const copy = place.at('copy.key');
    // Nobody is asked for a passphrase: it is a copy.
    expect(await place.run(keyExport, { key: 'k', out: copy })).toMatchObject({ sealed: true });
    using open = await place.context(SEALED).keys.open(copy);
    expect(open.record.id).toBe(made.id.slice(7));
    for (const format of ['raw', 'hex', 'jwk', 'cose', 'ssh']) {
      const plain = { key: 'k', format, out: place.at('k.plain') };
      expect(await refusal(place.run(keyExport, plain, SEALED))).toEqual([
        'E_PLAINTEXT_REFUSED',
        77,
      ]);
    }
    const pem = { key: 'k', format: 'pkcs8-pem', out: place.at('k.pem') };
    expect(await place.run(keyExport, pem, SEALED)).toMatchObject({ protection: 'encrypted' });
    expect(readFileSync(place.at('k.pem'), 'utf8')).toContain('BEGIN ENCRYPTED PRIVATE KEY');
    using again = await place.context(SEALED).keys.open(place.at('k.pem'));
    expect(again.record.id).toBe(made.id.slice(7));
    const wrong = { passphrases: ['another'] };
    expect(await refusal(place.context(wrong).keys.open(place.at('k.pem')))).toEqual([
      'E_PASSPHRASE_WRONG',
      77,
    ]);
    // What is encrypted in a form of others is protected too.
    const raw = { key: place.at('k.pem'), format: 'raw', out: place.at('k.raw') };
    expect(await refusal(place.run(keyExport, raw, SEALED))).toEqual(['E_PLAINTEXT_REFUSED', 77]);
    const opened = { ...pem, out: place.at('plain.pem'), passphrase: false };
    expect(await place.run(keyExport, opened, SEALED)).toMatchObject({ protection: 'none' });
    expect(readFileSync(opened.out, 'utf8')).toContain('BEGIN PRIVATE KEY');
  });

  it('says what to do with forms it does not read', async () => {
    const file = place.at('x.pem');
    for (const label of ['EC PRIVATE KEY', 'PUBLIC KEY', 'CERTIFICATE']) {
      writeFileSync(file, `-----BEGIN ${label}-----\nAAAA\n-----END ${label}-----\n`);
      expect(await refusal(place.run(keyImport, { file }, PLAIN))).toEqual([
        'E_KEY_UNREADABLE',
        65,
      ]);
    }
    writeFileSync(file, 'hello');
    expect(await refusal(place.run(keyImport, { file }, PLAIN))).toEqual(['E_KEY_UNREADABLE', 65]);
  });

  it('survives mutations of a private key file', async () => {
    for (const format of ['pkcs8-pem', 'pkcs8-der'] as const) {
      const out = place.at(`m.${format}`);
      await place.run(keyGenerate, { algorithm: 'ml-dsa-65', out, format }, PLAIN);
      const tally = await fuzz(new Uint8Array(readFileSync(out)), async (bytes) => {
        const read = await readPrivateFile(bytes, 'm', undefined);
        if (!read.sealed) read.secret.dispose();
      });
      expect(tally['65'] ?? 0).toBeGreaterThan(0.1 * mutationCount);
    }
  });
});

describe('sign and verify', () => {
  const signers = descriptors.filter(({ kind }) => kind === 'signature');
  for (const descriptor of signers) {
    it(`agree on ${nameOf(descriptor)}, raw and dsse`, async () => {
      const wanted = { ...inputOf(descriptor), name: 'k' };
      await place.run(keyGenerate, wanted, insisting(descriptor, SEALED));
      writeFileSync(place.at('m'), 'message');
      writeFileSync(place.at('n'), 'another');
      const context = place.context();
      for (const format of ['raw', 'dsse']) {
        const out = place.at(`m.${format}`);
        const made = await place.run(sign, { key: 'k', in: place.at('m'), out, format }, SEALED);
        expect(made).toMatchObject({ signature: out, environment: 'production' });
        const question = { key: 'k', in: place.at('m'), signature: out };
        expect((await verifySignature(question, context)).ok).toBe(true);
        const other = await verifySignature({ ...question, in: place.at('n') }, context);
        expect(other.ok).toBe(false);
        const bytes = readFileSync(out);
        if (format === 'raw') {
          bytes[7] = (bytes[7] ?? 0) ^ 1;
          writeFileSync(place.at('bad'), bytes);
          const bad = await verifySignature({ ...question, signature: place.at('bad') }, context);
          expect(bad.ok).toBe(false);
        }
      }
    });
  }

  it('bind the context string', async () => {
    await place.run(keyGenerate, { algorithm: 'ml-dsa-65', name: 'k' }, PLAIN);
    writeFileSync(place.at('m'), 'message');
    const [input, signature] = [place.at('m'), place.at('m.sig')];
    await place.run(sign, { key: 'k', in: input, out: signature, context: 'one' });
    const ask = async (context?: string): Promise<boolean> =>
      (await verifySignature({ key: 'k', in: input, signature, context }, place.context())).ok;
    expect([await ask('one'), await ask('two'), await ask()]).toEqual([true, false, false]);
    expect(
      await refusal(place.run(sign, { key: 'k', in: input, out: '-', context: 'x'.repeat(256) })),
    ).toEqual(['E_CONTEXT_TOO_LONG', 2]);
  });

  it('refuse keys that do not sign, and purposes that do not allow it', async () => {
    await place.run(keyGenerate, { algorithm: 'x-wing', name: 'kem' }, PLAIN);
    writeFileSync(place.at('m'), 'message');
    expect(await refusal(place.run(sign, { key: 'kem', in: place.at('m'), out: '-' }))).toEqual([
      'E_KEY_CANNOT_SIGN',
      2,
    ]);
    const question = { key: 'kem', in: place.at('m'), signature: place.at('m') };
    expect(await refusal(verifySignature(question, place.context()))).toEqual([
      'E_KEY_CANNOT_VERIFY',
      2,
    ]);
  });

  it('mark what development keys sign', async () => {
    await place.run(keyGenerate, { algorithm: 'ed25519', name: 'd', dev: true }, PLAIN);
    writeFileSync(place.at('m'), 'message');
    const made = await place.run(sign, { key: 'd', in: place.at('m'), out: place.at('s') });
    expect(made.environment).toBe('dev');
    const verdict = await verifySignature(
      { key: 'd', in: place.at('m'), signature: place.at('s') },
      place.context(),
    );
    expect(verdict).toMatchObject({ ok: true });
    expect(verdict.summary).toMatch(/^DEV KEY/);
  });
});

describe('the log of the home', () => {
  it('is one chain over everything done with its keys', async () => {
    await place.run(keyGenerate, { algorithm: 'ed25519', name: 'k' }, SEALED);
    writeFileSync(place.at('m'), 'message');
    await place.run(sign, { key: 'k', in: place.at('m'), out: place.at('s') }, SEALED);
    await place.run(keyDisable, { key: 'k' }, SEALED);
    const path = place.at('home/audit.jsonl');
    // A torn last line, as a power cut leaves it, is dropped by the next entry.
    writeFileSync(path, Buffer.concat([readFileSync(path), Buffer.from('{"data":')]));
    await place.run(keyDestroy, { key: 'k', yes: true });
    const { entries, torn } = parseChain(new Uint8Array(readFileSync(path)), path);
    expect(torn).toBe(0);
    expect(entries.map(({ type }) => type)).toEqual([
      'key.generated',
      'key.signed',
      'key.disabled',
      'key.destroyed',
    ]);
    expect(verifyChain(entries).ok).toBe(true);
  });

  it('holds no secret, and neither does anything else in the home', async () => {
    await place.run(keyGenerate, { algorithm: 'ed25519', name: 'k' }, SEALED);
    using open = await place.context(SEALED).keys.open('k');
    const files = readdirSync(place.at('home'), { recursive: true, withFileTypes: true });
    for (const file of files.filter((each) => each.isFile())) {
      const bytes = readFileSync(`${file.parentPath}/${file.name}`);
      expect(open.secret.use((raw) => formsIn(bytes, raw))).toEqual([]);
    }
  });
});

describe('airgap check', () => {
  it('is strict when asked', async () => {
    const context = {
      ...place.context(),
      airGap: () => [
        { name: 'swap', result: 'ok', detail: 'none' } as const,
        { name: 'clock', result: 'not-checked', detail: 'no idea' } as const,
      ],
    };
    expect((await airgapCheck.run({}, context)).ok).toBe(true);
    const strict = await airgapCheck.run({ strict: true }, context);
    expect(strict).toMatchObject({ ok: false, findings: 0, notChecked: 1 });
    expect(airgapCheck.present?.(strict)).toContain('no idea');
  });
});

describe.skipIf(!hasOpenssl)('openssl', () => {
  const openssl = (...args: string[]): Buffer => execFileSync('openssl', args);

  it('reads and uses Ed25519 keys that conclave wrote, and the other way round', async () => {
    const at = place.at;
    await place.run(keyGenerate, { algorithm: 'ed25519', name: 'k', dev: true }, PLAIN);
    await place.run(keyExport, { key: 'k', format: 'pkcs8-pem', out: at('k.pem') });
    await place.run(keyExport, { key: 'k', format: 'pkcs8-der', out: at('k.der') });
    await place.run(keyPublic, { key: 'k', out: at('k.pub') });
    expect(openssl('pkey', '-in', at('k.pem'), '-pubout')).toEqual(
      openssl('pkey', '-inform', 'DER', '-in', at('k.der'), '-pubout'),
    );
    writeFileSync(at('m'), 'message');
    await place.run(sign, { key: 'k', in: at('m'), out: at('ours') });
    const raw = ['pkeyutl', '-rawin', '-in', at('m')];
    openssl(...raw, '-verify', '-pubin', '-inkey', at('k.pub'), '-sigfile', at('ours'));
    openssl(...raw, '-sign', '-inkey', at('k.pem'), '-out', at('theirs'));
    const theirs = await verifySignature(
      { key: at('k.pub'), in: at('m'), signature: at('theirs') },
      place.context(),
    );
    expect(theirs.ok).toBe(true);
    const key = createPublicKey(readFileSync(at('k.pub')));
    expect(nodeVerify(null, readFileSync(at('m')), key, readFileSync(at('ours')))).toBe(true);

    openssl('genpkey', '-algorithm', 'ED25519', '-out', at('o.pem'));
    const imported = await place.run(keyImport, { file: at('o.pem'), name: 'o' }, SEALED);
    await place.run(keyPublic, { key: 'o', format: 'spki-der', out: at('o.der') });
    expect(readFileSync(at('o.der'))).toEqual(
      openssl('pkey', '-in', at('o.pem'), '-pubout', '-outform', 'DER'),
    );
    expect(imported.environment).toBe('production');
  });
});
