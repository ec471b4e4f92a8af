/**
 * The canary: what is secret in a run occurs in nothing that the run prints, records or writes for others, in no form. The
 * secrets are known afterwards, from plaintext exports made outside the searched places.
 */
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { decodeShare } from '#protocols/sharing/envelope';
import { filesBelow, formsIn, formsOf } from '../support/canary.js';
import { inProcess } from './runners.js';

const work = realpathSync(mkdtempSync(join(tmpdir(), 'conclave-canary-')));
const printed: Buffer[] = [];
const runner = inProcess('canary');

afterAll(() => {
  rmSync(work, { recursive: true, force: true });
});

/** Runs a command in `work/seen`, where everything is searched afterwards, but for the files that are meant to be secret. */
async function conclave(...words: string[]): Promise<{ code: number; stdout: string }> {
  const ran = await runner(words, { cwd: join(work, 'seen'), stdin: new Uint8Array(0), env: {} });
  printed.push(ran.stdout, ran.stderr);
  return { code: ran.code, stdout: ran.stdout.toString() };
}

async function done(...words: string[]): Promise<void> {
  const { code } = await conclave(...words);
  expect(`${words.join(' ')}: ${code}`).toBe(`${words.join(' ')}: 0`);
}

/** A file outside the searched places. */
function hidden(name: string, text?: string): string {
  mkdirSync(join(work, 'seen'), { recursive: true });
  mkdirSync(join(work, 'hidden'), { recursive: true });
  const path = join(work, 'hidden', name);
  if (text !== undefined) writeFileSync(path, text);
  return path;
}

function search(
  secrets: ReadonlyMap<string, Uint8Array>,
  holders: readonly string[] = [],
): readonly string[] {
  const places = new Map<string, Buffer>([['what was printed', Buffer.concat(printed)]]);
  for (const path of filesBelow(join(work, 'seen'))) {
    if (holders.includes(path)) continue;
    places.set(path, readFileSync(join(work, 'seen', path)));
  }
  const found: string[] = [];
  for (const [secret, bytes] of secrets) {
    for (const [place, content] of places) {
      found.push(...formsIn(content, bytes).map((form) => `${secret} in ${place} as ${form}`));
    }
  }
  return found;
}

describe('the search itself', () => {
  const secret = Uint8Array.from({ length: 32 }, (_, i) => i * 7 + 3);

  it.each([...formsOf(secret).keys()])('finds %s', (form) => {
    const text = formsOf(secret).get(form) as Buffer;
    const haystack = Buffer.concat([Buffer.from('before '), text, Buffer.from(' after')]);
    expect(formsIn(haystack, secret)).toContain(form);
  });

  it('finds base64 at any place of a longer text', () => {
    for (const before of [0, 1, 2, 3, 4]) {
      const longer = Buffer.concat([Buffer.alloc(before, 9), secret, Buffer.alloc(5, 1)]);
      expect(formsIn(Buffer.from(longer.toString('base64')), secret)).not.toEqual([]);
      expect(formsIn(Buffer.from(longer.toString('base64url')), secret)).not.toEqual([]);
    }
  });
});

describe('canary', () => {
  it('keys, shares and passphrases stay where they belong', async () => {
    const passphrases = new Map(
      ['key', 'ann', 'ben', 'cem', 'identity', 'wrong'].map((name) => [
        name,
        `the secret phrase of ${name} 7b1d`,
      ]),
    );
    const pass = (name: string): string =>
      hidden(`${name}.txt`, `${passphrases.get(name) ?? ''}\n`);
    const secrets = new Map<string, Uint8Array>(
      [...passphrases].map(([name, text]) => [`passphrase ${name}`, Buffer.from(text)]),
    );
    const payload = 'what is shared is secret: 52 6f 6f 74';
    secrets.set('shared file', Buffer.from(payload));

    await done('key', 'generate', '--name', 'release', '--passphrase-file', pass('key'));
    await done(...['identity', 'new', '--name', 'Ann', '--passphrase-file', pass('identity')]);
    await done(
      ...['sign', '--key', 'release', '--in', hidden('app.txt', 'the application')],
      ...['--out', 'release.sig', '--passphrase-file', pass('key')],
    );
    await done('key', 'public', 'release', '--json');
    await done('key', 'show', 'release', '--json');
    await done('key', 'list', '--json');
    await done('key', 'disable', 'release', '--passphrase-file', pass('key'));
    await done('key', 'enable', 'release', '--passphrase-file', pass('key'));
    await done(
      ...['share', 'split', '--key', 'release', '--passphrase-file', pass('key')],
      ...['--threshold', '2', '--shares', '3', '--out-dir', 'shares', '--json'],
      ...['--seal-passphrase-file', pass('ann'), pass('ben'), pass('cem')],
    );
    await done(
      ...['share', 'split', '--in', hidden('payload', payload), '--threshold', '2'],
      ...['--shares', '3', '--out-dir', 'file-shares', '--json'],
      ...['--seal-passphrase-file', pass('ann'), pass('ben'), pass('cem')],
    );
    await done(
      ...['share', 'check', 'shares/share-1.cbor', '--set', 'shares/set.json', '--json'],
      ...['--passphrase-file', pass('ann')],
    );
    const drawn = hidden('drawn.txt');
    await done('share', 'passphrase', '--out', drawn, '--json');
    secrets.set('drawn words', readFileSync(drawn).subarray(0, -1));
    await done(
      ...['share', 'print', 'shares/share-1.cbor', '--set', 'shares/set.json', '--json'],
      ...['--format', 'text', '--out-dir', 'cards'],
    );
    await done(
      ...['share', 'print', 'shares/share-2.cbor', '--set', 'shares/set.json', '--json'],
      ...['--unlock', 'strip', '--passphrase-file', pass('ben'), '--out', hidden('strip.pdf')],
    );
    await done('share', 'show', 'cards/card-1.txt', '--json');
    // A key shared as the scalar that it is: neither it nor an open share is anywhere but in the shares themselves.
    await done(
      ...['key', 'generate', '--algorithm', 'p256', '--no-passphrase', '--out', hidden('ec.key')],
    );
    await done(
      ...['share', 'split', '--key', hidden('ec.key'), '--verifiable', 'pedersen', '--json'],
      ...['--threshold', '2', '--shares', '3', '--unsealed', '--out-dir', hidden('scalar')],
    );
    const scalars = [1, 2, 3].map((i) => hidden(`scalar/share-${i}.cbor`));
    await done('share', 'check', ...scalars, '--json');
    await done('share', 'print', ...scalars, '--unsealed', '--out-dir', hidden('open'), '--json');
    await done('show', ...scalars, hidden('scalar/set.json'), '--json');
    await done('share', 'combine', ...scalars, '--no-passphrase', '--out', hidden('again.key'));
    await done(
      ...['key', 'export', hidden('again.key'), '--format', 'raw', '--no-passphrase'],
      ...['--out', hidden('ec.raw')],
    );
    secrets.set('scalar', readFileSync(hidden('ec.raw')));
    for (const [i, path] of scalars.entries()) {
      const { body } = decodeShare(new Uint8Array(readFileSync(path)), path);
      secrets.set(`share ${i + 1} of the scalar`, body.subarray(0, 32));
      secrets.set(`blinding of share ${i + 1}`, body.subarray(32, 64));
    }
    // Faults talk too, with --debug most of all.
    const failures = [
      ['share', 'check', 'cards/card-1.txt', '--passphrase-file', pass('wrong')],
      ['qr', 'show', hidden('scalar/share-1.cbor'), '--text'],
      ['sign', '--key', 'release', '--in', hidden('app.txt'), '--passphrase-file', pass('wrong')],
      ['share', 'combine', 'shares/share-1.cbor', '--out', 'x', '--passphrase-file', pass('ann')],
      [
        ...['share', 'combine', 'shares/share-1.cbor', 'file-shares/share-2.cbor', '--out', 'x'],
        ...['--passphrase-file', pass('ann'), pass('ben')],
      ],
      ['key', 'import', hidden('payload')],
      ['show', hidden('payload')],
      ['key', 'import', hidden('ann.txt')],
    ];
    for (const words of failures) {
      expect((await conclave(...words, '--debug')).code).not.toBe(0);
      expect((await conclave(...words, '--json', '--debug')).code).not.toBe(0);
    }
    for (const target of ['shares', 'file-shares']) {
      await done('show', `${target}/set.json`, `${target}/share-1.cbor`, '--json');
      await done('verify', target, '--allow-unpinned', '--json');
    }
    await done('audit', 'show', '--json');

    // Now the secrets themselves are brought out, and their talk is searched as well.
    const raw = hidden('release.raw');
    await done(
      ...['key', 'export', 'release', '--format', 'raw', '--no-passphrase', '--out', raw],
      ...['--passphrase-file', pass('key'), '--json'],
    );
    const seeds = readFileSync(raw);
    expect(seeds.length).toBe(64);
    secrets.set('ed25519 seed', seeds.subarray(0, 32));
    secrets.set('ml-dsa seed', seeds.subarray(32));
    const back = hidden('back');
    await done(
      ...['share', 'combine', 'file-shares/share-1.cbor', 'file-shares/share-3.cbor'],
      ...['--set', 'file-shares/set.json', '--out', back, '--json'],
      ...['--passphrase-file', pass('ann'), pass('cem')],
    );
    expect(readFileSync(back, 'utf8')).toBe(payload);

    expect(search(secrets)).toEqual([]);
  });

  it('what is encrypted, derived and exported shows nothing of it', async () => {
    const pass = hidden('use.txt', 'the secret phrase of use 7b1d\n');
    const sealed = ['--passphrase-file', pass];
    const secrets = new Map<string, Uint8Array>([
      ['passphrase use', Buffer.from('the secret phrase of use 7b1d')],
      ['content', Buffer.from('what was encrypted is secret too')],
    ]);
    const content = hidden('content', 'what was encrypted is secret too');
    const keys = {
      archive: 'aes-256',
      mac: 'hmac-sha256',
      ann: 'x25519',
      ben: 'x25519',
      tls: 'p256',
    };
    for (const [name, algorithm] of Object.entries(keys)) {
      await done('key', 'generate', '--algorithm', algorithm, '--name', name, ...sealed);
    }
    await done('encrypt', '--key', 'archive', '--in', content, '--out', 'content.enc', ...sealed);
    const back = hidden('decrypted');
    await done('decrypt', '--key', 'archive', '--in', 'content.enc', '--out', back, ...sealed);
    expect(readFileSync(back, 'utf8')).toBe('what was encrypted is secret too');
    await done('show', 'content.enc', '--json');
    await done('sign', '--key', 'mac', '--in', content, '--out', 'content.mac', ...sealed);
    await done('key', 'public', 'ben', '--out', 'ben.pub');
    const derived = hidden('derived');
    await done('key', 'derive', 'ann', '--peer', 'ben.pub', '--out', derived, ...sealed, '--json');
    secrets.set('derived key', readFileSync(derived));
    const shared = hidden('shared');
    await done(
      ...['key', 'derive', 'ann', '--peer', 'ben.pub', '--kdf', 'raw', '--out', shared],
      ...sealed,
    );
    secrets.set('shared secret', readFileSync(shared));
    await done('key', 'export', 'tls', '--format', 'pkcs8-pem', '--out', 'tls.pem', ...sealed);
    await done('show', 'tls.pem', '--json');
    await done('verify', 'tls.pem', '--json');
    const failures = [
      ['decrypt', '--key', 'archive', '--in', 'content.mac', '--out', 'x', ...sealed],
      [
        'decrypt',
        '--key',
        'archive',
        '--in',
        'content.enc',
        '--context',
        'y',
        '--out',
        'x',
        ...sealed,
      ],
      ['key', 'derive', 'ann', '--peer', 'ben.pub', ...sealed, '--json'],
      ['key', 'export', 'tls', '--format', 'jwk', '--out', 'x', ...sealed],
      ['key', 'import', hidden('content'), '--algorithm', 'aes-128', ...sealed],
      ['key', 'address', 'tls', '--chain', 'ethereum'],
    ];
    for (const words of failures) {
      expect((await conclave(...words, '--debug')).code).not.toBe(0);
    }
    for (const name of Object.keys(keys)) {
      const raw = hidden(`${name}.raw`);
      const how = ['--format', 'raw', '--no-passphrase', '--out', raw];
      await done('key', 'export', name, ...how, ...sealed, '--json');
      secrets.set(`key ${name}`, readFileSync(raw));
      const jwk = hidden(`${name}.jwk`);
      await done(
        ...['key', 'export', name, '--format', 'jwk', '--no-passphrase', '--out', jwk],
        ...sealed,
      );
      await done('show', jwk, '--json');
      await done('verify', jwk, '--json');
    }
    await done('audit', 'show', '--json');
    expect(search(secrets)).toEqual([]);
  });

  it('a ceremony writes no secret down, but in its hand-outs', async () => {
    await done('run', 'quickstart', '--out-dir', 'ceremony', '--no-input', '--debug');
    const people = ['administrator', 'witness', 'custodian-1', 'custodian-2', 'custodian-3'];
    const slips = people.map((name) => join('ceremony/handouts', `${name}.txt`));
    const secrets = new Map<string, Uint8Array>(
      slips.map((path) => [
        `passphrase in ${path}`,
        Buffer.from(readFileSync(join(work, 'seen', path), 'utf8').trim()),
      ]),
    );
    const shares = 'ceremony/artifacts/shares';
    const raw = hidden('ceremony.raw');
    const key = hidden('ceremony.key');
    await done(
      ...['share', 'combine', `${shares}/share-1.cbor`, `${shares}/share-3.cbor`],
      ...['--set', `${shares}/set.json`, '--no-passphrase', '--out', key],
      '--identity',
      ...['custodian-1', 'custodian-3'].map((name) => `ceremony/identities/${name}.key`),
      '--identity-passphrase-file',
      ...['custodian-1', 'custodian-3'].map((name) => `ceremony/handouts/${name}.txt`),
    );
    await done('key', 'export', key, '--format', 'raw', '--no-passphrase', '--out', raw);
    const seeds = readFileSync(raw);
    expect(seeds.length).toBe(64);
    secrets.set('ed25519 seed', seeds.subarray(0, 32));
    secrets.set('ml-dsa seed', seeds.subarray(32));
    await done('verify', 'ceremony', '--allow-unpinned', '--json');
    await done('show', 'ceremony/transcript.json', '--json');
    // What an auditor gets is searched too, and for the sealed shares as well.
    await done('ceremony', 'archive', 'ceremony', '--out', 'ceremony.tar', '--json');
    await done('verify', 'ceremony.tar', '--allow-unpinned', '--json');
    const archive = readFileSync(join(work, 'seen/ceremony.tar'));
    for (const i of [1, 2, 3]) {
      const share = readFileSync(join(work, `seen/${shares}/share-${i}.cbor`));
      expect(formsIn(archive, share.subarray(-96))).toEqual([]);
    }

    expect(search(secrets, slips)).toEqual([]);
  });

  it('words of unsealed shares are in their files and nowhere else', async () => {
    const before = printed.length;
    await done(
      ...['share', 'split', '--in', hidden('seed', '0123456789abcdef'), '--threshold', '2'],
      ...['--shares', '3', '--format', 'slip39', '--unsealed', '--out-dir', hidden('words')],
    );
    const said = Buffer.concat(printed.slice(before)).toString();
    for (const number of [1, 2, 3]) {
      const words = readFileSync(join(hidden('words'), `share-${number}.txt`), 'utf8').split(/\s+/);
      const runs = words.slice(0, -3).map((_, i) => words.slice(i, i + 3).join(' '));
      expect(runs.length).toBeGreaterThan(10);
      for (const three of runs) expect(said).not.toContain(three);
    }
  });
});
