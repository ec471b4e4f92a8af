/** Argon2id against RFC 9106 and a newer Node's own, and the box around it. */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { argon2id as nobleArgon2id } from '@noble/hashes/argon2.js';
import { describe, expect, it } from 'vitest';
import { ARGON_LIMITS, argon2id, openWithArgon2id, sealWithArgon2id } from '#crypto/argon2-box';
import { toHex, utf8 } from '#formats/bytes';
import { SecretBytes } from '#formats/secret-bytes';
import { needs } from '../support/require.js';

const random = (length: number) => new Uint8Array(randomBytes(length));
const passphrase = (text: string) => SecretBytes.adopt(utf8(text), 'passphrase');
const COST = { passes: 1, logMemory: 8, lanes: 4 };
const aad = () => utf8('aad');

describe('Argon2id', () => {
  it('RFC 9106 §5.3', () => {
    // With a secret and associated data, which conclave does not use: the function behind is the one of the standard.
    const tag = nobleArgon2id(new Uint8Array(32).fill(1), new Uint8Array(16).fill(2), {
      t: 3,
      m: 32,
      p: 4,
      dkLen: 32,
      key: new Uint8Array(8).fill(3),
      personalization: new Uint8Array(12).fill(4),
    });
    expect(toHex(tag)).toBe('0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659');
  });

  const peer = process.env['CONCLAVE_PEER_NODE'] ?? '';
  it.skipIf(!needs('a newer Node', existsSync(peer), 'its Argon2 is the second opinion'))(
    'agrees with OpenSSL’s',
    async () => {
      for (const [passes, logMemory, lanes] of [
        [1, 8, 1],
        [3, 10, 4],
        [2, 12, 3],
      ] as const) {
        const salt = random(16);
        const ours = await argon2id(utf8('a passphrase'), { passes, logMemory, lanes, salt }, 32);
        const code = `const { argon2Sync } = require('node:crypto');
          process.stdout.write(argon2Sync('argon2id', { message: Buffer.from('a passphrase'),
            nonce: Buffer.from('${toHex(salt)}', 'hex'), parallelism: ${lanes}, tagLength: 32,
            memory: ${2 ** logMemory}, passes: ${passes} }).toString('hex'));`;
        const { stdout, stderr } = spawnSync(peer, ['-e', code], { encoding: 'utf8' });
        expect(stderr.replaceAll(/.*Warning.*\n/g, '')).toBe('');
        expect(stdout).toBe(toHex(ours));
      }
    },
  );
});

describe('the box', () => {
  it('opens under its passphrase and associated data only', async () => {
    using secret = passphrase('open');
    using other = passphrase('other');
    const plaintext = random(55);
    const box = await sealWithArgon2id({ passphrase: secret, plaintext, aad, cost: COST, random });
    expect(await openWithArgon2id(box, secret, aad(), 'box')).toEqual(plaintext);
    await expect(openWithArgon2id(box, other, aad(), 'box')).rejects.toMatchObject({
      code: 'E_PASSPHRASE_WRONG',
      exitCode: 77,
    });
    await expect(openWithArgon2id(box, secret, utf8('no'), 'box')).rejects.toMatchObject({
      code: 'E_NOT_AUTHENTIC',
      exitCode: 1,
    });
  });

  it('refuses costs outside its limits before memory is taken', async () => {
    using secret = passphrase('open');
    const box = await sealWithArgon2id({
      passphrase: secret,
      plaintext: random(55),
      aad,
      cost: COST,
      random,
    });
    const { maxPasses, maxLogMemory, minLogMemory, maxLanes } = ARGON_LIMITS;
    for (const wrong of [
      { passes: 0 },
      { passes: maxPasses + 1 },
      { logMemory: minLogMemory - 1 },
      { logMemory: maxLogMemory + 1 },
      { logMemory: 40 },
      { lanes: 0 },
      { lanes: maxLanes + 1 },
      { passes: 1.5 },
    ]) {
      const before = process.memoryUsage().rss;
      await expect(
        openWithArgon2id({ ...box, kdf: { ...box.kdf, ...wrong } }, secret, aad(), 'box'),
      ).rejects.toMatchObject({ code: 'E_KDF_REFUSED', exitCode: 65 });
      expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024);
    }
  });
});
