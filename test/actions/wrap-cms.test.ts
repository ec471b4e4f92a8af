import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cmsFileKind } from '#actions/artifacts/cms-file';
import { keyExport } from '#actions/key-export';
import { keyGenerate } from '#actions/key-generate';
import { unwrap } from '#actions/unwrap';
import { wrap } from '#actions/wrap';
import { format } from '#carriage/wrapping/cms';
import { decodeCms } from '#carriage/wrapping/cms-message';
import { aesKwUnwrap, aesKwWrap } from '#crypto/aes-kw';
import { DerReader, TAG } from '#crypto/der';
import { resolve } from '#crypto/registry';
import { sourceOf, takeAll } from '#formats/byte-stream';
import { fromHex, toHex, utf8 } from '#formats/bytes';
import { ConclaveError } from '#formats/errors';
import { decodePem } from '#formats/pem';
import { SecretBytes } from '#formats/secret-bytes';
import { type RunOptions, type Workplace, workplace } from '../support/home.js';
import { fuzz } from '../support/mutations.js';
import { hasProgram, mutationCount, needs } from '../support/require.js';

const PLAIN: RunOptions = { noPassphrase: true };
const hasOpenssl = needs('openssl', hasProgram('openssl'), 'the program openssl is not there');
const hasPython = needs('python3', hasProgram('python3'), 'the program python3 is not there');
const peer = process.env['CONCLAVE_PEER_NODE'] ?? '';
const hasPeer = needs('a newer node', peer !== '', 'set CONCLAVE_PEER_NODE to a node with ML-KEM');

/** RFC 9936, appendix C: "Hello, world!" for the ML-KEM-512 key of RFC 9935, appendix C.1. */
const EXAMPLE = `-----BEGIN CMS-----
MIID4gYLKoZIhvcNAQkQARegggPRMIIDzQIBADGCA3ikggN0BgsqhkiG9w0BCRAN
AzCCA2MCAQCAFFmXiMN67UAO5AXRsqM2arF9gkpRMAsGCWCGSAFlAwQEAQSCAwA+
pA/GygkOLIr3bicnqzjgZS2VFZhv4YaCf+hOWW5CG4X9RZzHiZc3LJ3jHRkbOcHV
o+tt21aq3t52XMOQ/bvC+IyxdWgdQgG4HM38sk/vE68vWhq8+NivOE8CoBCm6Rnx
mHpemxwOLT8H9YqfpTnOhswUmRChaSwMpM4Ozk7u0uZpnLl2MyRS3koutcph97CB
Mww0eY73EqJOWcM86h8fnm1PvzdDo4RnQwARM29i2HB5K4Zr780dGzZb7RlSZz06
Wwwgs4a079HPY/03a9R8zEasTdjsZrBHxMlaz/HP0CikGbAC/aG2F8umHS6Rz+j/
+8uP/U1fatixWMIZ423FFAXcDAsjSXmsZY5yvd8bZ3O5ayrj5NB76GBIBAwBZ0Nv
qDnnUpsAzJq1Wi8l22PMn1V1lOaRwR5VPUo+vHYPXxnl/hRIOLTH0VkdqbXUZ0lP
2crFLMVQQGA5nb23IpjrmkwBewB4b9x9nXqletu4thw03h4oiyq3KBcdzhQ80WlT
+YTBrtVZ5WuqDOZY0yzOQvRAdQTNelea0O+bdxNeqjm2+To6LlmXgH8GNhyD9OZ/
jj+c9oMWARUU9dhaGBzq1xTNSUDk66wB1mUo2jL4nOoEKOjrytz4qhiMn2LoWxlX
ZVt/4rjXlzt6cia2bZO/eyMvPc9lPIS07PGpkg2xlJrXULVGpVUqIOVJCXGbjAwH
BW/LfldK0qMuyVAB3ehEgb530DntW/dCYuzzmB8bANM2apwuBhxH4kGgYcYklWDS
uERqSAw4woupidn2itxLuvKiC0fkkjEoxyNC1Zf9olneC4PCBW1rd+eZsxkySqUL
HWWcKlYCm3RTxfO6UkPZ+nSdkXxA2dEB5FO8ixDkKnwIkyPAJveD4QC5+m5wFEJN
pvo3kryVfughnQFrdz8o/tzJYqSFq6/+wCMoGXHimqaJg57P0mGekih80jDbJqJQ
fMUA6xx6UpO1/pF64pvxrTUBJPijEWNSFLQR259n07hb1xUBhTfqRbQfQbTGYFEw
DQYLKoZIhvcNAQkQAxwCARAwCwYJYIZIAWUDBAEFBBjAUOQ5L5wU3QrCIgID8xfX
AflPndknePUwOgYJKoZIhvcNAQcBMB4GCWCGSAFlAwQBBjARBAxcpXRouBvwO42n
GGwCARCADZTIaJqZ0sOOGS+muggEEFzxeGxXx0ArVPyTwwpKRTM=
-----END CMS-----
`;
const SEED = Uint8Array.from({ length: 64 }, (_, i) => i);

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

async function open(bytes: Uint8Array, name: string, seed: Uint8Array): Promise<string> {
  const descriptor = await resolve(name);
  const key = {
    descriptor,
    secret: SecretBytes.copyOf(seed, 'seed'),
    publicKey: new Uint8Array(0),
    id: '',
  };
  const openers = { keys: async () => [key], passphrase: async () => undefined };
  const opened = await format.unwrap?.({ source: sourceOf(bytes), name: 'case', openers });
  if (opened?.kind !== 'file') throw new Error('not a file');
  return Buffer.from(takeAll(opened.source, 1000) ?? []).toString();
}

describe('AES key wrap', () => {
  it('reproduces RFC 3394, sections 4.1 and 4.6', () => {
    const kek = fromHex('000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f');
    const key = fromHex('00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f');
    const long = '28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21';
    expect(toHex(aesKwWrap(kek, key))).toBe(long);
    expect(toHex(aesKwUnwrap(kek, fromHex(long), 'it'))).toBe(toHex(key));
    const short = aesKwWrap(kek.subarray(0, 16), key.subarray(0, 16));
    expect(toHex(short)).toBe('1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5');
    short[3] = (short[3] as number) ^ 1;
    expect(() => aesKwUnwrap(kek.subarray(0, 16), short, 'it')).toThrow(
      expect.objectContaining({ code: 'E_NOT_AUTHENTIC' }),
    );
  });
});

describe('CMS messages', () => {
  it('of RFC 9936 open', async () => {
    expect(await open(utf8(EXAMPLE), 'ml-kem-512', SEED)).toBe('Hello, world!');
    const shown = await cmsFileKind.show(utf8(EXAMPLE), 'example', place.context());
    expect(shown).toMatchObject({
      cipher: 'AES-128-GCM',
      contentBytes: 13,
      recipients: [
        {
          algorithm: 'ml-kem-512',
          keyIdentifier: '599788c37aed400ee405d1b2a3366ab17d824a51',
          wrap: 'AES-128-KW',
        },
      ],
    });
  });

  it.each(['ml-kem-512', 'ml-kem-768', 'ml-kem-1024'])('carry a file for %s', async (algorithm) => {
    await place.run(keyGenerate, { algorithm, name: 'kem' }, PLAIN);
    const bytes = randomBytes(5000);
    writeFileSync(place.at('in'), bytes);
    const input = { in: place.at('in'), to: ['kem'], format: 'cms' };
    for (const armor of [false, true]) {
      const out = place.at(`w-${armor}`);
      await place.run(wrap, { ...input, armor, out });
      await place.run(unwrap, { in: out, key: 'kem', out: place.at(`out-${armor}`) });
      expect(readFileSync(place.at(`out-${armor}`)).equals(bytes)).toBe(true);
    }
  });

  it('carry a key as RFC 5958 packs it, with its mark', async () => {
    await place.run(keyGenerate, { algorithm: 'ml-kem-768', name: 'kem' }, PLAIN);
    await place.run(keyGenerate, { algorithm: 'ed25519', name: 'toy', dev: true }, PLAIN);
    const wrapped = await place.run(
      wrap,
      { key: 'toy', to: ['kem'], format: 'cms', out: place.at('w') },
      { allowedEnvironments: ['dev'] },
    );
    const opened = await place.run(
      unwrap,
      { in: place.at('w'), key: 'kem', out: place.at('toy.key') },
      PLAIN,
    );
    expect(opened).toMatchObject({ content: 'key', environment: 'dev', keyId: wrapped.keyId });
    expect(await cmsFileKind.show(readFileSync(place.at('w')), 'w', place.context())).toMatchObject(
      { content: 'key', hint: 'DEV KEY - NOT FOR PRODUCTION' },
    );
    await place.run(keyGenerate, { algorithm: 'x-wing', name: 'xw' }, PLAIN);
    const toXWing = { key: 'kem', to: ['xw'], format: 'cms', out: place.at('w2') };
    expect(await refusal(place.run(wrap, toXWing))).toEqual(['E_WRAP_TARGET', 2]);
  });

  it('are refused when anything in them is changed', async () => {
    const der = decodePem(utf8(EXAMPLE), 'example').bytes;
    let opened = 0;
    for (let at = 0; at < der.length; at += 7) {
      const bytes = der.slice();
      bytes[at] = (bytes[at] as number) ^ 0x01;
      try {
        await open(bytes, 'ml-kem-512', SEED);
        opened++;
      } catch (error) {
        expect(error).toBeInstanceOf(ConclaveError);
        expect([1, 65]).toContain((error as ConclaveError).exitCode);
      }
    }
    // The key identifier is a hint for finding the key; nothing authenticates it (RFC 9629 §3).
    expect(opened).toBeLessThanOrEqual(3);
  });

  it('give clear errors for mutations', async () => {
    const der = decodePem(utf8(EXAMPLE), 'example').bytes;
    const tally = await fuzz(der, (bytes) => decodeCms(bytes, 'case'), { seed: 9 });
    expect((tally['65'] ?? 0) + (tally['read'] ?? 0)).toBe(mutationCount);
    expect(tally['65']).toBeGreaterThan(0.2 * mutationCount);
  });

  it.runIf(hasPython && hasPeer)(
    'are opened from their parts by a newer node, with nothing of ours',
    async () => {
      for (const algorithm of ['ml-kem-512', 'ml-kem-768', 'ml-kem-1024']) {
        const name = `to-${algorithm}`;
        await place.run(keyGenerate, { algorithm, name }, PLAIN);
        const out = place.at(`${name}.pem`);
        await place.run(keyExport, { key: name, format: 'pkcs8-pem', out }, PLAIN);
      }
      writeFileSync(place.at('in'), 'hello');
      const to = ['to-ml-kem-512', 'to-ml-kem-768', 'to-ml-kem-1024'];
      await place.run(wrap, { in: place.at('in'), to, format: 'cms', out: place.at('w') });
      const reader = fileURLToPath(new URL('../independent/open_cms.py', import.meta.url));
      const opener = fileURLToPath(new URL('../far-side/cms.mjs', import.meta.url));
      const parts = execFileSync('python3', [reader, place.at('w')]);
      for (const name of to) {
        const key = place.at(`${name}.pem`);
        expect(execFileSync(peer, [opener, key], { input: parts }).toString()).toBe('hello');
      }
      // One digit of the tag is another one, whatever it was.
      const changed = parts
        .toString()
        .replace(/"tag": "(.)/, (_, digit: string) => `"tag": "${digit === '0' ? '1' : '0'}`);
      const refused = spawnSync(peer, [opener, place.at(`${to[0] ?? ''}.pem`)], { input: changed });
      expect(refused.status).toBe(1);
    },
  );

  it.runIf(hasOpenssl && hasPython)(
    'have the structure that openssl and a reader in plain Python find',
    async () => {
      await place.run(keyGenerate, { algorithm: 'ml-kem-768', name: 'one' }, PLAIN);
      await place.run(keyGenerate, { algorithm: 'ml-kem-1024', name: 'two' }, PLAIN);
      await place.run(keyGenerate, { algorithm: 'ed25519', name: 'toy', dev: true }, PLAIN);
      await place.run(
        wrap,
        { key: 'toy', to: ['one', 'two'], format: 'cms', out: place.at('w') },
        { allowedEnvironments: ['dev'] },
      );
      const dump = execFileSync('openssl', ['asn1parse', '-inform', 'DER', '-in', place.at('w')], {
        encoding: 'utf8',
      });
      for (const name of ['id-smime-ct-authEnvelopedData', 'aes-256-gcm', 'id-aes256-wrap']) {
        expect(dump).toContain(name);
      }
      const reader = fileURLToPath(new URL('../independent/open_cms.py', import.meta.url));
      const read = JSON.parse(
        execFileSync('python3', [reader, place.at('w')], { encoding: 'utf8' }),
      ) as object;
      const message = decodeCms(readFileSync(place.at('w')), 'w');
      expect(read).toMatchObject({
        contentType: message.contentType,
        nonce: toHex(message.nonce),
        tag: toHex(message.sealed.tag),
        aad: toHex(message.aad),
        recipients: message.recipients.map((each) => ({
          kem: each.kem,
          ciphertextBytes: each.ciphertext.length,
          kdfInfo: toHex(each.info),
          encryptedKey: toHex(each.encryptedKey),
        })),
      });
    },
  );
});

describe('DER inside CMS', () => {
  it('is read strictly: another order of recipients is refused', async () => {
    await place.run(keyGenerate, { algorithm: 'ml-kem-512', name: 'one' }, PLAIN);
    await place.run(keyGenerate, { algorithm: 'ml-kem-512', name: 'two' }, PLAIN);
    writeFileSync(place.at('in'), 'hello');
    const input = { in: place.at('in'), to: ['one', 'two'], format: 'cms', out: place.at('w') };
    await place.run(wrap, input);
    const bytes = new Uint8Array(readFileSync(place.at('w')));
    // Both recipients have the same length, so that exchanging them changes nothing else.
    const info = new DerReader(bytes, 'w').sequence();
    info.oid();
    const data = new DerReader(info.content(0xa0), 'w').sequence();
    data.smallInteger();
    const set = data.content(0x31);
    const half = set.length / 2;
    const swapped = set.slice();
    swapped.set(set.subarray(half), 0);
    swapped.set(set.subarray(0, half), half);
    set.set(swapped);
    expect(TAG.sequence).toBe(0x30);
    expect(() => decodeCms(bytes, 'w')).toThrow(
      expect.objectContaining({ code: 'E_DER_MALFORMED' }),
    );
  });
});
