/** OpenSSH reads our keys, we read theirs, each signs with the other's, and both show one fingerprint. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SignatureImplementation } from '#crypto/descriptor';
import { encodeSpki } from '#crypto/encodings/spki';
import { decodeSshPublic, encodeSshPublic, sshFingerprint } from '#crypto/encodings/ssh';
import { decodeSshPrivate, encodeSshPrivate } from '#crypto/encodings/ssh-private';
import { SshReader, sshText } from '#crypto/encodings/ssh-wire';
import { sha512 } from '#crypto/hash';
import { resolve } from '#crypto/registry';
import { concat, fromBase64, lengthPrefixed, utf8 } from '#formats/bytes';
import { decodePem } from '#formats/pem';
import { seededSource } from '../formats/mutate.js';
import { hasProgram, needs } from '../support/require.js';

const random = seededSource(71);
const KINDS = [
  ['ed25519', ['-t', 'ed25519']],
  ['p256', ['-t', 'ecdsa', '-b', '256']],
  ['p384', ['-t', 'ecdsa', '-b', '384']],
  ['p521', ['-t', 'ecdsa', '-b', '521']],
  ['rsa-2048', ['-t', 'rsa', '-b', '2048']],
] as const;

describe.skipIf(!needs('ssh-keygen', hasProgram('ssh-keygen'), 'the program is not installed'))(
  'ssh-keygen',
  () => {
    let folder: string;
    const path = (name: string): string => join(folder, name);
    const keygen = (...args: string[]): string =>
      execFileSync('ssh-keygen', args, {
        cwd: folder,
        stdio: ['ignore', 'pipe', 'ignore'],
      }).toString();
    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), 'conclave-ssh-'));
      writeFileSync(path('message'), 'signed by one, verified by the other');
    });
    afterAll(() => {
      rmSync(folder, { recursive: true });
    });

    it.each(KINDS)('reads and uses our %s key', async (name) => {
      const descriptor = await resolve(name);
      const is = (await descriptor.load()) as SignatureImplementation & {
        generate(random: (n: number) => Uint8Array): Uint8Array | Promise<Uint8Array>;
      };
      const secret = await is.generate(random);
      const publicKey = is.publicKey(secret);
      writeFileSync(path('ours.pub'), encodeSshPublic(descriptor, publicKey, 'ours'));
      expect(keygen('-l', '-f', 'ours.pub').split(' ')[1]).toBe(
        sshFingerprint(descriptor, publicKey),
      );
      const file = encodeSshPrivate(descriptor, secret, publicKey, random);
      writeFileSync(path('ours'), file, { mode: 0o600 });
      const [type, blob] = keygen('-y', '-f', 'ours').trim().split(' ');
      expect(`${type ?? ''} ${blob ?? ''}`).toBe(
        Buffer.from(encodeSshPublic(descriptor, publicKey)).toString().trim(),
      );
      // It signs with our private key, and verifies under our public one.
      rmSync(path('message.sig'), { force: true });
      keygen('-Y', 'sign', '-q', '-f', 'ours', '-n', 'file', 'message');
      writeFileSync(
        path('allowed'),
        `us ${Buffer.from(encodeSshPublic(descriptor, publicKey)).toString()}`,
      );
      const verified = spawnSync(
        'ssh-keygen',
        ['-Y', 'verify', '-f', 'allowed', '-I', 'us', '-n', 'file', '-s', 'message.sig'],
        { cwd: folder, input: readFileSync(path('message')) },
      );
      expect(verified.status).toBe(0);
      if (name !== 'ed25519') {
        const pem = keygen('-e', '-m', 'PKCS8', '-f', 'ours.pub');
        const spki = decodePem(utf8(pem), 'pem').bytes;
        expect(spki).toEqual(encodeSpki(descriptor, publicKey));
        return;
      }
      // And what it signed, we verify: the signature inside is over a frame of names and a hash (PROTOCOL.sshsig).
      const armored = readFileSync(path('message.sig'), 'utf8').split('\n').slice(1, -2).join('');
      const reader = new SshReader(fromBase64(armored), 'signature');
      expect(reader.take(6)).toEqual(utf8('SSHSIG'));
      reader.u32();
      reader.string();
      for (const expected of ['file', '', 'sha512']) reader.expect(utf8(expected), expected);
      const inner = new SshReader(reader.string(), 'signature');
      inner.string();
      const digest = sha512(readFileSync(path('message')));
      const frame = concat(
        ...[utf8('SSHSIG'), sshText('file'), sshText(''), sshText('sha512')],
        lengthPrefixed(digest),
      );
      expect(is.verify(inner.string(), frame, publicKey)).toBe(true);
    });

    it.each(KINDS)('makes %s keys that we read', async (name, how) => {
      const descriptor = await resolve(name);
      rmSync(path('theirs'), { force: true });
      keygen('-q', ...how, '-N', '', '-C', 'their comment', '-f', 'theirs');
      const read = await decodeSshPublic(readFileSync(path('theirs.pub')), 'theirs.pub');
      expect(read).toMatchObject({ descriptor, comment: 'their comment' });
      const own = await decodeSshPrivate(readFileSync(path('theirs')), 'theirs');
      const is = (await descriptor.load()) as SignatureImplementation;
      expect(is.publicKey(own.secret)).toEqual(read.publicKey);
      expect(keygen('-l', '-f', 'theirs.pub').split(' ')[1]).toBe(
        sshFingerprint(descriptor, read.publicKey),
      );
    });

    it('encrypts keys that we refuse with what to do', async () => {
      rmSync(path('theirs'), { force: true });
      keygen('-q', '-t', 'ed25519', '-N', 'secret', '-f', 'theirs');
      await expect(decodeSshPrivate(readFileSync(path('theirs')), 'theirs')).rejects.toThrow(
        'encrypted OpenSSH key',
      );
    });
  },
);
