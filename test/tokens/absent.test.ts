/** Where none of the optional modules is installed: whatever needs one says which, and what to do. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { inProcess } from '../cli/runners.js';
import { root } from '../support/require.js';
import { library } from './library.js';

const absent = vi.hoisted(() => () => {
  throw Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' });
});
vi.mock('pkcs11js', absent);
vi.mock('keytar', absent);
vi.mock('@napi-rs/keyring', absent);

const TOKEN = '--module LIB --token Root --pin-file pin';
const KEY = 'pkcs11:token=Root;object=release?module-path=LIB';

const NEED_PKCS11 = [
  'hsm list --module LIB',
  'hsm sandbox',
  `hsm info ${TOKEN}`,
  `hsm init ${TOKEN} --so-pin-file pin`,
  `hsm generate ${TOKEN} --algorithm p256`,
  `hsm import ./k.key ${TOKEN}`,
  `hsm sign --key release ${TOKEN} --in text --out sig`,
  `hsm attest release ${TOKEN}`,
  `hsm destroy release ${TOKEN} --yes`,
  'key generate --algorithm p256 --store pkcs11:Root --module LIB --pin-file pin',
  'key import ./k.key --store pkcs11:Root --module LIB --pin-file pin',
  'key list --store pkcs11:Root --module LIB --pin-file pin',
  `sign --key ${KEY} --pin-file pin --in text --out sig`,
  `encrypt --key ${KEY} --pin-file pin --in text --out enc`,
  `key derive ${KEY} --pin-file pin --peer k.pub --out shared`,
  `unwrap --key ${KEY} --pin-file pin --in text --public k.pub`,
] as const;

const NEED_KEYCHAIN = [
  'keychain set backup --in text',
  'keychain get backup --out text2',
  'keychain list',
  'keychain delete backup',
  'key generate --dev --store keychain --no-passphrase',
  'key list --store keychain',
  'key list --store keychain:keyring',
  'identity new --name Ada --store keychain --no-passphrase',
  'sign --key keychain:release --in text --out sig',
  'sign --key ./k.key --passphrase-file keychain:backup --in text --out sig',
] as const;

describe('without any of the optional modules', () => {
  let folder: string;
  const run = inProcess('absent');
  const conclave = async (line: string) => {
    const argv = line.split(' ').map((word) => word.replace('LIB', library ?? './lib.so'));
    const { code, stdout, stderr } = await run(argv, {
      cwd: folder,
      stdin: new Uint8Array(0),
      env: {},
    });
    return { code, said: stderr.toString(), out: stdout.toString() };
  };
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'conclave-absent-'));
    for (const name of ['pin', 'text', 'lib.so']) writeFileSync(join(folder, name), 'x\n');
    await conclave('key generate --algorithm p256 --out k.key --no-passphrase --public-out k.pub');
    await conclave('key generate --algorithm ml-dsa-44 --out s.key --passphrase-file text');
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it.each(NEED_PKCS11)('%s', async (line) => {
    // The sandbox looks for SoftHSM first, and says that where there is none.
    const { code, said, out } = await conclave(line);
    expect({ code, out }).toEqual({ code: 69, out: '' });
    if (line === 'hsm sandbox' && library === undefined) {
      expect(said).toContain('apt-get install softhsm2');
      return;
    }
    expect(said).toContain('keys in tokens need the package pkcs11js, which is not built here');
    expect(said).toContain('npm run native');
  });

  it.each(NEED_KEYCHAIN)('%s', async (line) => {
    const { code, said, out } = await conclave(line.replace('./k.key --pass', './s.key --pass'));
    expect({ code, out }).toEqual({ code: 69, out: '' });
    expect(said).not.toContain('    at ');
    expect(said).toContain('neither keytar nor @napi-rs/keyring can be loaded');
    expect(said).toContain('npm run native');
  });

  it('keytar alone is asked for: it has to be compiled', async () => {
    const { code, said } = await conclave('key list --store keychain:keytar');
    expect(code).toBe(69);
    expect(said).toContain('the keychain module keytar is not installed');
    expect(said).toContain('npm run native');
  });

  it('doctor says of each that it is absent, and all else works', async () => {
    const { code, out } = await conclave('doctor --json');
    expect(code).toBe(0);
    for (const name of ['keytar', '@napi-rs/keyring', 'pkcs11js']) expect(out).toContain(name);
    expect((await conclave('sign --key ./k.key --in text --out fine')).code).toBe(0);
  });

  it('the built program, started where they are not installed, says the same', () => {
    const away = ['--import', join(root, 'test/support/without-natives.mjs')];
    for (const line of ['hsm list --module LIB', 'keychain list']) {
      const argv = line.split(' ').map((word) => word.replace('LIB', library ?? './lib.so'));
      const ran = spawnSync(process.execPath, [...away, join(root, 'bin/conclave.js'), ...argv], {
        cwd: folder,
        encoding: 'utf8',
        env: { PATH: process.env['PATH'] ?? '', CONCLAVE_HOME: join(folder, 'home') },
      });
      expect(ran.status).toBe(69);
      expect(ran.stderr).toContain('npm run native');
    }
  });
});
