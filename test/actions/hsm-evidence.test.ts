/** Certificates that a device would make, made by openssl: followed to a root, compared with a key, read for what they claim. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EvidenceVerdict, hsmEvidence } from '#actions/hsm-evidence';
import { parseCertificates } from '#crypto/x509';
import { deviceClaims } from '#custody/audit/device-certificate';
import { ConclaveError } from '#formats/errors';
import { fuzz } from '../support/mutations.js';
import { type Workplace, workplace } from '../support/home.js';
import { hasProgram, mutationCount, needs } from '../support/require.js';

const openssl = needs('openssl', hasProgram('openssl'), 'certificates are made with it');

/** Extensions as a YubiHSM 2 writes them, value by value. */
const EXTENSIONS = {
  1: '0403020301', // firmware 2.3.1
  2: '0204006acfc0', // serial 7000000
  3: '03020001', // generated
  5: '0309000000000000000101', // capabilities: bits 0 and 8
  6: '020107',
  9: '0c0472656c31',
};

describe.skipIf(!openssl)('evidence from a device', () => {
  let place: Workplace;
  const at = (name: string): string => place.at(name);
  const run = (...words: readonly string[]): void => {
    execFileSync('openssl', words, { cwd: place.folder, stdio: 'pipe' });
  };
  const issue = (
    name: string,
    subject: string,
    by: string,
    extensions: readonly string[],
    days = '3650',
  ): void => {
    writeFileSync(at(`${name}.ext`), `${extensions.join('\n')}\n`);
    run('req', '-new', '-key', `${name}.key`, '-subj', subject, '-out', `${name}.csr`);
    run(
      ...['x509', '-req', '-in', `${name}.csr`, '-CA', `${by}.pem`, '-CAkey', `${by}.key`],
      ...['-set_serial', '7', '-days', days, '-extfile', `${name}.ext`, '-out', `${name}.pem`],
    );
  };
  const leafExtensions = (
    changed: Partial<Record<keyof typeof EXTENSIONS, string>> = {},
  ): string[] =>
    Object.entries({ ...EXTENSIONS, ...changed }).map(
      ([arc, der]) => `1.3.6.1.4.1.41482.4.${arc}=DER:${der}`,
    );
  const evidence = (input: Readonly<Record<string, unknown>>): Promise<EvidenceVerdict> =>
    place.run(hsmEvidence, { certificate: at('leaf.pem'), ...input });

  beforeAll(() => {
    place = workplace();
    for (const name of ['root', 'mid', 'other']) {
      run('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', `${name}.key`);
    }
    for (const name of ['leaf', 'stranger']) {
      run('genpkey', '-algorithm', 'ed25519', '-out', `${name}.key`);
      run('pkey', '-in', `${name}.key`, '-pubout', '-out', `${name}.pub`);
    }
    const ca = ['-addext', 'basicConstraints=critical,CA:TRUE'];
    for (const [name, subject] of [
      ['root', '/CN=Maker Root'],
      ['other', '/CN=Other Root'],
    ] as const) {
      run(
        ...['req', '-x509', '-new', '-key', `${name}.key`, '-days', '3650', '-subj', subject],
        ...[...ca, '-out', `${name}.pem`],
      );
    }
    issue('mid', '/CN=Device 42', 'root', ['basicConstraints=critical,CA:TRUE']);
    issue('leaf', '/CN=Key 7', 'mid', leafExtensions());
  });
  afterAll(() => {
    place.remove();
  });

  // The workplace's clock stands before openssl's, and certificates are made until the last of these tests: a day is enough.
  const now = new Date(Date.now() + 86_400_000).toISOString().replace(/\.\d+Z$/, 'Z');
  const good = (): Readonly<Record<string, unknown>> => ({
    root: [at('root.pem')],
    intermediate: [at('mid.pem')],
    at: now,
  });

  it('that leads to the root says what the device says, attested', async () => {
    const verdict = await evidence({ ...good(), key: at('leaf.pub') });
    expect(verdict).toMatchObject({
      ok: true,
      device: {
        firmware: '2.3.1',
        serial: 7_000_000,
        origin: 'generated',
        exportable: false,
        objectId: 7,
        label: 'rel1',
      },
    });
    expect(verdict.claims.map(({ grade }) => grade)).toEqual([
      'checked',
      'checked',
      'attested',
      'attested',
      'attested',
    ]);
    expect(hsmEvidence.present?.(verdict)).toContain('Key 7 < CN=Device 42 < CN=Maker Root');
  });

  it('in one file with what stands between, or as DER, is the same', async () => {
    const all = Buffer.concat([readFileSync(at('leaf.pem')), readFileSync(at('mid.pem'))]);
    writeFileSync(at('chain.pem'), all);
    const { ok } = await evidence({ ...good(), certificate: at('chain.pem'), intermediate: [] });
    expect(ok).toBe(true);
    run('x509', '-in', 'leaf.pem', '-outform', 'DER', '-out', 'leaf.der');
    expect((await evidence({ ...good(), certificate: at('leaf.der') })).ok).toBe(true);
  });

  it.each([
    ['another root', () => ({ root: [at('other.pem')] }), 'nobody given here issued'],
    ['no intermediate', () => ({ intermediate: [] }), 'nobody given here issued'],
    ['another key', () => ({ key: at('stranger.pub') }), 'for another key'],
    ['a time after its end', () => ({ at: '2050-01-01T00:00:00Z' }), 'not valid at that time'],
    ['a time before its beginning', () => ({ at: '2020-01-01T00:00:00Z' }), 'not valid'],
    ['itself as the root', () => ({ root: [at('leaf.pem')] }), 'itself given as the root'],
  ])('with %s does not hold, and then the device is hearsay', async (_, change, reason) => {
    const verdict = await evidence({ ...good(), ...change() });
    expect(verdict.ok).toBe(false);
    expect(
      verdict.claims
        .filter(({ ok }) => !ok)
        .map(({ detail }) => detail)
        .join(),
    ).toContain(reason);
    if (!('key' in change())) {
      expect(verdict.claims.some(({ grade }) => grade === 'attested')).toBe(false);
    }
  });

  it('issued by a certificate that may not issue does not hold', async () => {
    run('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', 'weak.key');
    issue('weak', '/CN=No authority', 'root', ['basicConstraints=critical,CA:FALSE']);
    run('genpkey', '-algorithm', 'ed25519', '-out', 'forged.key');
    issue('forged', '/CN=Forged', 'weak', leafExtensions());
    const verdict = await evidence({
      ...good(),
      certificate: at('forged.pem'),
      intermediate: [at('weak.pem')],
    });
    expect(verdict.ok).toBe(false);
  });

  it.each([
    ['imported', { 3: '03020002' }, { origin: 'imported' }],
    ['imported wrapped', { 3: '03020011' }, { origin: 'imported wrapped' }],
    ['of unknown origin', { 3: '03020003' }, { origin: 'unknown' }],
    ['exportable', { 5: '0309000000000000010000' }, { exportable: true }],
  ])('a key that is %s is told as such', async (name, extensions, device) => {
    const file = name.replaceAll(' ', '-');
    run('genpkey', '-algorithm', 'ed25519', '-out', `${file}.key`);
    issue(file, '/CN=K', 'mid', leafExtensions(extensions));
    const verdict = await evidence({ ...good(), certificate: at(`${file}.pem`) });
    expect(verdict).toMatchObject({ ok: true, device });
  });

  it('of another form than its maker gives it is malformed, not guessed at', async () => {
    run('genpkey', '-algorithm', 'ed25519', '-out', 'odd.key');
    issue('odd', '/CN=K', 'mid', leafExtensions({ 1: '04020203' }));
    await expect(evidence({ ...good(), certificate: at('odd.pem') })).rejects.toMatchObject({
      code: 'E_DER_MALFORMED',
    });
    await expect(evidence({ ...good(), certificate: at('leaf.pub') })).rejects.toThrow(
      ConclaveError,
    );
  });

  it('a certificate survives mutations', async () => {
    run('x509', '-in', 'leaf.pem', '-outform', 'DER', '-out', 'whole.der');
    const read = (bytes: Uint8Array): unknown =>
      parseCertificates(bytes, 'c').map(({ extensions }) => deviceClaims(extensions, 'c'));
    await fuzz(readFileSync(at('whole.der')), read, { count: mutationCount / 2 });
    const tally = await fuzz(readFileSync(at('leaf.pem')), read, { count: mutationCount / 2 });
    expect(tally['65']).toBeGreaterThan(0.3 * mutationCount);
  });
});
