/** Keys in a real token under the plain commands: encrypting, agreeing, unwrapping, and what is attested of it. */
import { execFileSync } from 'node:child_process';
import {
  createECDH,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  randomBytes,
} from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inProcess } from '../cli/runners.js';
import { thorough } from '../support/require.js';
import { withSoftHsm } from './softhsm.js';

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

describe.skipIf(!withSoftHsm)('plain commands on keys in a token', () => {
  let folder: string;
  const run = inProcess('token-commands');
  const at = (name: string): string => join(folder, name);
  const pin = 'home/sandbox/Root.pin';
  const TOKEN = ['--module', 'sandbox', '--token', 'Root', '--pin-file', pin];
  const conclave = async (...argv: readonly string[]): Promise<Ran> => {
    const { code, stdout, stderr } = await run([...argv], {
      cwd: folder,
      stdin: new Uint8Array(0),
      env: {},
    });
    return { code, out: stdout.toString(), err: stderr.toString() };
  };
  const done = async (...argv: readonly string[]): Promise<string> => {
    const { code, out, err } = await conclave(...argv);
    if (code !== 0) throw new Error(`${argv.join(' ')} ended with ${code}: ${err}`);
    return out;
  };
  const refused = async (...argv: readonly string[]): Promise<string> => {
    const { code, err } = await conclave(...argv);
    return `${code} ${err.split('\n')[0] ?? ''}`;
  };
  const make = async (name: string, ...how: readonly string[]): Promise<string> =>
    await done('hsm', 'generate', ...TOKEN, '--name', name, '--algorithm', ...how);
  const outside = async (name: string, ...how: readonly string[]): Promise<string> =>
    await done('key', 'generate', '--no-passphrase', '--name', name, '--algorithm', ...how);

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'conclave-token-commands-'));
    await done('hsm', 'sandbox', '--token', 'Root');
    writeFileSync(at('text'), 'what is to be kept\n');
    writeFileSync(at('pass'), 'long enough for a test\n');
    await done('identity', 'new', '--name', 'Ada', '--out', 'ada.key', '--no-passphrase');
    await make('transport', 'rsa-2048', '--purpose', 'encrypt');
    await done('key', 'public', 'transport', '--format', 'spki-pem', '--out', 'transport.pub');
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  /** What an attestation says, once it has verified. */
  const attested = async (file: string): Promise<Record<string, unknown>> => {
    await done('verify', file, '--signer', 'ada.key.pub');
    const { payload } = JSON.parse(readFileSync(at(file), 'utf8')) as { payload: string };
    const said = JSON.parse(Buffer.from(payload, 'base64').toString()) as {
      predicate: Record<string, unknown>;
    };
    return said.predicate;
  };
  const by = (name: string): readonly string[] => ['--identity', 'ada.key', '--attestation', name];
  const DEVICE = {
    kind: 'pkcs11',
    model: 'SoftHSM v2',
    label: 'Root',
    attributes: { sensitive: true, extractable: false },
  };

  it('AES encrypts and decrypts inside; the same key outside opens it, and the other way round', async () => {
    await outside('vault', 'aes-256');
    await done(
      'key',
      'export',
      'vault',
      '--format',
      'conclave',
      '--out',
      'vault.key',
      '--no-passphrase',
    );
    await done('hsm', 'import', 'vault', ...TOKEN, '--name', 'inside');
    const context = ['--context', 'backup/2026'];
    await done(
      'encrypt',
      '--key',
      'pkcs11:token=Root;object=inside?module-name=sandbox',
      '--pin-file',
      pin,
      '--in',
      'text',
      '--out',
      'a.enc',
      ...context,
      ...by('encrypt.json'),
    );
    await done('decrypt', '--key', './vault.key', '--in', 'a.enc', '--out', 'a.dec', ...context);
    expect(readFileSync(at('a.dec'), 'utf8')).toBe('what is to be kept\n');
    await done('encrypt', '--key', './vault.key', '--in', 'text', '--out', 'b.enc', ...context);
    await done(
      'decrypt',
      '--key',
      'pkcs11:token=Root;object=inside?module-name=sandbox',
      '--pin-file',
      pin,
      '--in',
      'b.enc',
      '--out',
      'b.dec',
      ...context,
      ...by('decrypt.json'),
    );
    expect(readFileSync(at('b.dec'), 'utf8')).toBe('what is to be kept\n');

    const [enc, dec] = [await attested('encrypt.json'), await attested('decrypt.json')];
    expect(enc).toMatchObject({ operation: 'encrypt', device: DEVICE, inputs: [] });
    expect(dec).toMatchObject({ operation: 'decrypt', device: DEVICE, outputs: [] });
    // A digest of what is secret would tell it to whoever guesses it.
    expect(enc['outputs']).toMatchObject([{ name: 'a.enc' }]);
    expect(dec['inputs']).toMatchObject([{ name: 'b.enc' }]);
  });

  it('nothing is released that does not authenticate in the token', async () => {
    const inside = [
      '--key',
      'pkcs11:token=Root;object=inside?module-name=sandbox',
      '--pin-file',
      pin,
    ];
    expect(
      await refused('decrypt', ...inside, '--in', 'a.enc', '--out', 'no', '--context', 'x'),
    ).toMatch(/^1 .*a\.enc does not authenticate/);
    const bytes = readFileSync(at('a.enc'));
    bytes[bytes.length - 20] = (bytes[bytes.length - 20] ?? 0) ^ 1;
    writeFileSync(at('bad.enc'), bytes);
    expect(
      await refused(
        'decrypt',
        ...inside,
        '--in',
        'bad.enc',
        '--out',
        'no',
        '--context',
        'backup/2026',
      ),
    ).toMatch(/^1 /);
    expect(existsSync(at('no'))).toBe(false);
  });

  it('an AES or HMAC key is compared by what both do', async () => {
    await outside('code', 'hmac-sha256');
    await outside('other', 'hmac-sha256');
    await outside('vault-2', 'aes-256');
    await done('hsm', 'import', 'code', ...TOKEN, '--name', 'code-inside');
    for (const [inside, own, wrong] of [
      ['inside', './vault.key', 'vault-2'],
      ['code-inside', 'code', 'other'],
    ] as const) {
      const attest = ['hsm', 'attest', inside, ...TOKEN, '--same-as'];
      expect(await done(...attest, own)).toContain(`the same   as ${own} (checked)`);
      expect(await refused(...attest, wrong)).toContain(
        `1 conclave: the key in the token is not ${wrong}`,
      );
    }
  });

  it.each(['p256', ...(thorough ? ['p384', 'secp256k1'] : [])])(
    '%s agrees inside; openssl agrees to the same',
    async (name) => {
      await make(`box-${name}`, name, '--purpose', 'agree');
      await done('key', 'public', `box-${name}`, '--format', 'spki-pem', '--out', `${name}.pub`);
      await outside(`peer-${name}`, name, '--purpose', 'agree', '--public-out', `peer-${name}.pub`);
      await done(
        'key',
        'export',
        `peer-${name}`,
        '--format',
        'pkcs8-pem',
        '--out',
        `${name}.pem`,
        '--no-passphrase',
      );
      await done(
        'key',
        'derive',
        `box-${name}`,
        '--pin-file',
        pin,
        '--peer',
        `peer-${name}.pub`,
        '--kdf',
        'raw',
        '--out',
        `${name}.secret`,
        ...by(`${name}.json`),
      );
      const theirs = diffieHellman({
        privateKey: createPrivateKey(readFileSync(at(`${name}.pem`))),
        publicKey: createPublicKey(readFileSync(at(`${name}.pub`))),
      });
      expect(readFileSync(at(`${name}.secret`)).equals(theirs)).toBe(true);
      expect(await attested(`${name}.json`)).toMatchObject({
        operation: 'derive',
        device: DEVICE,
        outputs: [],
      });
      expect(await done('hsm', 'attest', `box-${name}`, ...TOKEN)).toContain(
        'challenge  a secret agreed on in the token, compared outside (checked)',
      );
    },
  );

  it('a point that is not on the curve never reaches the token, and a key does what it is for', async () => {
    const point = createECDH('prime256v1').generateKeys();
    point[64] = (point[64] ?? 0) ^ 1;
    writeFileSync(at('off.raw'), point);
    expect(
      await refused(
        'key',
        'derive',
        'box-p256',
        '--pin-file',
        pin,
        '--peer',
        'p256:off.raw',
        '--out',
        'no',
      ),
    ).toMatch(/^65 .*not on the curve/);
    expect(
      await refused('sign', '--key', 'box-p256', '--pin-file', pin, '--in', 'text', '--out', 'no'),
    ).toMatch(/^77 .*not for sign/);
    await make('signer', 'p256', ...[]);
    expect(
      await refused(
        'key',
        'derive',
        'signer',
        '--pin-file',
        pin,
        '--peer',
        'peer-p256.pub',
        '--out',
        'no',
      ),
    ).toMatch(/^77 .*not for agree/);
    expect(existsSync(at('no'))).toBe(false);
  });

  const unwrap = (blob: string, ...more: readonly string[]): readonly string[] => [
    ...['unwrap', '--key', 'transport', '--pin-file', pin, '--in', blob],
    ...more,
  ];

  it.each([
    ['p384', '--public', 'sent-p384.pub'],
    ['aes-256', '--algorithm', 'aes-256'],
    ...(thorough
      ? [
          ['rsa-2048', '--public', 'sent-rsa-2048.pub'],
          ['hmac-sha256', '--algorithm', 'hmac-sha256'],
        ]
      : []),
  ])('%s wrapped in an air gap is opened inside, and stays there', async (name, ...said) => {
    const sent = `sent-${name}`;
    await outside(sent, name, '--public-out', `${sent}.pub`);
    await done(
      'wrap',
      '--key',
      sent,
      '--to',
      'transport.pub',
      '--format',
      'pkcs11',
      '--algorithm',
      'RSA_AES_KEY_WRAP_SHA_1',
      '--out',
      `${sent}.blob`,
    );
    const out = await done(
      ...unwrap(`${sent}.blob`, ...said, '--name', `got-${name}`, ...by(`${sent}.json`)),
    );
    expect(out).toContain(`${name} key`);
    expect(await attested(`${sent}.json`)).toMatchObject({
      operation: 'unwrap',
      device: { ...DEVICE, attributes: { local: false } },
      inputs: [{ name: `${sent}.blob` }],
      note: 'wrapped elsewhere (AES-KWP, OAEP sha1), opened in the token',
    });
    expect(
      await done(
        'hsm',
        'attest',
        `got-${name}`,
        ...TOKEN,
        ...(name.startsWith('p') || name.startsWith('rsa') ? [] : ['--same-as', sent]),
      ),
    ).toContain(
      name.startsWith('p') || name.startsWith('rsa')
        ? 'signed in the token'
        : `the same   as ${sent}`,
    );
  });

  it('what openssl alone wrapped opens as well', async () => {
    execFileSync('openssl', [
      'ecparam',
      '-name',
      'prime256v1',
      '-genkey',
      '-noout',
      '-out',
      at('o.pem'),
    ]);
    const pkcs8 = execFileSync('openssl', [
      'pkcs8',
      '-topk8',
      '-nocrypt',
      '-in',
      at('o.pem'),
      '-outform',
      'DER',
    ]);
    execFileSync('openssl', ['pkey', '-in', at('o.pem'), '-pubout', '-out', at('o.pub')]);
    const kek = randomBytes(32);
    const oaep = [
      '-pkeyopt',
      'rsa_padding_mode:oaep',
      '-pkeyopt',
      'rsa_oaep_md:sha1',
      '-pkeyopt',
      'rsa_mgf1_md:sha1',
    ];
    const first = execFileSync(
      'openssl',
      ['pkeyutl', '-encrypt', '-pubin', '-inkey', at('transport.pub'), ...oaep],
      { input: kek },
    );
    const second = execFileSync(
      'openssl',
      ['enc', '-e', '-id-aes256-wrap-pad', '-iv', 'A65959A6', '-K', kek.toString('hex')],
      { input: pkcs8 },
    );
    writeFileSync(at('o.blob'), Buffer.concat([first, second]));
    await done(...unwrap('o.blob', '--public', 'o.pub', '--name', 'by-openssl'));
    await done(
      'sign',
      '--key',
      'by-openssl',
      '--pin-file',
      pin,
      '--in',
      'text',
      '--out',
      'o.sig',
      '--format',
      'der',
    );
    const verified = execFileSync('openssl', [
      'dgst',
      '-sha256',
      '-verify',
      at('o.pub'),
      '-signature',
      at('o.sig'),
      at('text'),
    ]);
    expect(verified.toString()).toContain('Verified OK');
  });

  it('a blob that is another, or is altered, leaves nothing in the token', async () => {
    // In no order that a token keeps.
    const keys = async (): Promise<readonly string[]> =>
      (await done('hsm', 'info', ...TOKEN, '--keys')).split('\n').sort();
    const before = await keys();
    await outside('fresh', 'p384', '--public-out', 'fresh.pub');
    expect(
      await refused(...unwrap('sent-p384.blob', '--public', 'fresh.pub', '--name', 'x')),
    ).toMatch(/^1 .*not that of the p384 key/);
    const bytes = readFileSync(at('sent-p384.blob'));
    for (const where of [10, bytes.length - 3]) {
      const bad = Buffer.from(bytes);
      bad[where] = (bad[where] ?? 0) ^ 1;
      writeFileSync(at('bad.blob'), bad);
      expect(await refused(...unwrap('bad.blob', '--public', 'fresh.pub', '--name', 'x'))).toMatch(
        /^1 .*does not open in the token/,
      );
    }
    writeFileSync(at('short.blob'), bytes.subarray(0, 256));
    expect(await refused(...unwrap('bad.blob', '--public', 'fresh.pub', '--name', 'x'))).toMatch(
      /^1 .*does not open in the token/,
    );
    expect(await refused(...unwrap('short.blob', '--public', 'fresh.pub', '--name', 'x'))).toMatch(
      /^65 /,
    );
    expect(
      await refused(...unwrap('sent-aes-256.blob', '--algorithm', 'aes-128', '--name', 'x')),
    ).toMatch(/^1 .*a key of 32 bytes, and aes-128 has 16/);
    expect(await keys()).toEqual(before);
  });

  it('what a token is not told, or cannot do, is a sentence', async () => {
    expect(await refused(...unwrap('sent-p384.blob'))).toMatch(
      /^2 .*does not say which key it holds/,
    );
    expect(await refused(...unwrap('sent-p384.blob', '--algorithm', 'p384'))).toMatch(
      /^2 .*has a public key/,
    );
    // What the token could not be challenged for would be taken on the sender's word.
    await outside('dh', 'x25519', '--public-out', 'dh.pub');
    expect(await refused(...unwrap('sent-p384.blob', '--public', 'dh.pub'))).toMatch(
      /^2 .*could show that it is the one of dh.pub/,
    );
    expect(
      await refused(...unwrap('sent-p384.blob', '--public', 'sent-p384.pub', '--out', 'x.key')),
    ).toMatch(/^2 .*stays in it/);
    expect(
      await refused(
        'unwrap',
        '--key',
        'signer',
        '--pin-file',
        pin,
        '--in',
        'sent-p384.blob',
        '--public',
        'sent-p384.pub',
      ),
    ).toMatch(/^2 .*PKCS#11 lets it open no container/);
    expect(
      await refused(
        'unwrap',
        '--key',
        './vault.key',
        '--in',
        'sent-p384.blob',
        '--public',
        'sent-p384.pub',
      ),
    ).toMatch(/^2 .*--public says what a token is to open/);
  });

  it('a name that another key has is refused before anything is in the token', async () => {
    await done('hsm', 'sandbox', '--token', 'Second');
    await outside('second', 'aes-256');
    const second = ['--module', 'sandbox', '--token', 'Second'];
    const named = [...second, '--pin-file', 'home/sandbox/Second.pin', '--name', 'transport'];
    for (const argv of [
      ['generate', ...named, '--algorithm', 'aes-256'],
      ['import', 'second', ...named],
    ])
      expect(await refused('hsm', ...argv)).toMatch(/^73 .*is named transport already/);
    expect(
      await refused(
        ...unwrap('sent-p384.blob', '--public', 'sent-p384.pub', '--name', 'transport'),
      ),
    ).toMatch(/^73 .*is named transport already/);
    const there = await done(
      'hsm',
      'info',
      ...second,
      '--keys',
      '--pin-file',
      'home/sandbox/Second.pin',
    );
    expect(there).not.toContain('transport');
  });

  it('a key that is in a token does not leave it for another', async () => {
    expect(await refused('hsm', 'import', 'transport', ...TOKEN)).toMatch(
      /^77 .*transport is in a token and does not leave it/,
    );
  });

  it('statements of hsm commands name the device', async () => {
    await make('stated', 'p256', ...by('generate.json'));
    await done(
      'hsm',
      'sign',
      '--key',
      'stated',
      ...TOKEN,
      '--in',
      'text',
      '--out',
      's.sig',
      ...by('sign.json'),
    );
    await outside('brought', 'ed25519');
    await done('hsm', 'import', 'brought', ...TOKEN, ...by('import.json'));
    await done('hsm', 'destroy', 'stated', ...TOKEN, '--yes', ...by('destroy.json'));
    for (const [operation, local] of [
      ['generate', true],
      ['sign', true],
      ['import', false],
      ['destroy', true],
    ] as const) {
      const said = await attested(`${operation}.json`);
      expect(said).toMatchObject({
        operation,
        device: { ...DEVICE, attributes: { local, neverExtractable: local } },
      });
      expect((said['device'] as { serial: string }).serial).toMatch(/^[0-9a-f]{16}$/);
    }
  });

  it('no token holds an identity, and the refusal says so', async () => {
    expect(
      await refused(
        'sign',
        '--key',
        'signer',
        '--pin-file',
        pin,
        '--in',
        'text',
        '--out',
        'no',
        '--identity',
        'pkcs11:token=Root;object=signer',
        '--attestation',
        'no.json',
      ),
    ).toMatch(/^77 .*cannot be an identity: no token knows all three of its keys/);
  });

  it('a post-quantum key is not used in such a token, and rests there sealed', async () => {
    await done(
      'key',
      'generate',
      '--algorithm',
      'ml-dsa-44',
      '--name',
      'pq',
      '--passphrase-file',
      'pass',
    );
    const { code, err } = await conclave(
      'hsm',
      'import',
      'pq',
      ...TOKEN,
      '--passphrase-file',
      'pass',
    );
    expect(code).toBe(69);
    expect(err).toMatch(/cannot use ml-dsa-44 keys[^]*--store pkcs11:LABEL.*stored, not protected/);
    await done('key', 'export', 'pq', '--out', 'pq.key', '--passphrase-file', 'pass');
    const place = ['--module', 'sandbox', '--pin-file', pin, '--passphrase-file', 'pass'];
    expect(
      await done('key', 'import', 'pq.key', '--name', 'pq-2', '--store', 'pkcs11:Root', ...place),
    ).toContain('type=data');
    const key = 'pkcs11:token=Root;object=pq-2;type=data?module-name=sandbox';
    await done(
      'sign',
      '--key',
      key,
      '--pin-file',
      pin,
      '--passphrase-file',
      'pass',
      '--in',
      'text',
      '--out',
      'pq.sig',
    );
    await done('verify', '--key', 'pq', '--in', 'text', '--signature', 'pq.sig');
    // Its passphrase protects it, not the token: whoever has the PIN and no passphrase has nothing.
    writeFileSync(at('wrong'), 'another passphrase\n');
    expect(
      await refused(
        'sign',
        '--key',
        key,
        '--pin-file',
        pin,
        '--passphrase-file',
        'wrong',
        '--in',
        'text',
        '--out',
        'no',
      ),
    ).toMatch(/^77 /);
  });
});
