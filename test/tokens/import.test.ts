/** Keys into a real token, by each way, and keys born in it; each used there and verified outside by OpenSSL. */
import { spawnSync } from 'node:child_process';
import { createHash, createHmac, createPublicKey, verify as nodeVerify } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { familyOf } from '#carriage/stores/pkcs11/family';
import { generateKey } from '#carriage/stores/pkcs11/generate';
import { importKey, type ImportRequest, type ImportWay } from '#carriage/stores/pkcs11/import';
import type { TokenModule } from '#carriage/stores/pkcs11/module';
import { findKey } from '#carriage/stores/pkcs11/object';
import type { Token } from '#carriage/stores/pkcs11/token';
import {
  aesGcmInToken,
  macInToken,
  signInToken,
  type UsableKey,
} from '#carriage/stores/pkcs11/use';
import { aesGcmOpen } from '#crypto/aead';
import type { Descriptor } from '#crypto/descriptor';
import { encodeSpki } from '#crypto/encodings/spki';
import { algorithmNames, resolve } from '#crypto/registry';
import { utf8 } from '#formats/bytes';
import { SecretBytes } from '#formats/secret-bytes';
import { hasProgram, needs, thorough } from '../support/require.js';
import { PIN, random, softHsm, type SoftHsm, withSoftHsm } from './softhsm.js';

const withTool =
  withSoftHsm && needs('pkcs11-tool', hasProgram('pkcs11-tool'), 'apt-get install opensc');

const MESSAGE = utf8('what the token is asked to sign');

/** RSA keys take seconds to make: one is enough, in several places. */
const made = new Map<string, Uint8Array>();

/** A key of an algorithm, to be imported; a new one, but for RSA. The caller disposes the secret. */
async function freshKey(name: string, label: string, way: ImportWay): Promise<ImportRequest> {
  const descriptor = await resolve(name);
  const implementation = await descriptor.load();
  const raw = made.get(name) ?? (await implementation.generate(random));
  if (descriptor.ownEntropy === true) made.set(name, raw.slice());
  const secret = SecretBytes.adopt(raw.slice(), 'key');
  const publicKey = secret.use((raw) =>
    implementation.kind === 'symmetric'
      ? implementation.checkValue(raw)
      : implementation.publicKey(raw),
  );
  // Wrapping under a key made for one import is tried with two kinds; the others share one of the token.
  const under =
    way === 'auto' && name !== 'p256' && name !== 'ed25519' ? { object: 'wrapping' } : undefined;
  const id = random(32);
  return { descriptor, implementation, secret, publicKey, label, id, way, under, random };
}

/** OpenSSL's answer on a signature: through Node, whose verification is OpenSSL's own. */
function opensslVerifies(
  descriptor: Descriptor,
  publicKey: Uint8Array,
  signature: Uint8Array,
): boolean {
  const key = createPublicKey({
    key: Buffer.from(encodeSpki(descriptor, publicKey)),
    format: 'der',
    type: 'spki',
  });
  const hash = descriptor.signing?.hashes?.[0] ?? null;
  const how =
    descriptor.jose?.kty === 'RSA'
      ? { key, padding: 6, saltLength: 32 }
      : { key, dsaEncoding: 'ieee-p1363' as const };
  return nodeVerify(descriptor.jose?.kty === 'OKP' ? null : hash, MESSAGE, how, signature);
}

describe.skipIf(!withSoftHsm)('keys in SoftHSM', () => {
  let soft: SoftHsm;
  let module: TokenModule;
  let token: Token;
  beforeAll(async () => {
    soft = softHsm();
    await soft.init('import');
    module = await soft.module();
    token = soft.enter(module, 'import');
    const descriptor = await resolve('rsa-2048');
    const implementation = await descriptor.load();
    const wrapping = { label: 'wrapping', id: random(16), purposes: ['encrypt'] as const };
    generateKey(token, { ...wrapping, descriptor, implementation, random });
  });
  afterAll(() => {
    token[Symbol.dispose]();
    module[Symbol.dispose]();
    soft[Symbol.dispose]();
  });

  const usable = (label: string, descriptor: Descriptor): UsableKey => {
    const family = familyOf(descriptor);
    if (family === undefined) throw new Error(`no family for ${descriptor.name}`);
    const { handle } = token.session({ write: false }, (session) =>
      findKey(session, { object: label }, token.name),
    );
    return { handle, descriptor, family };
  };

  const signed = (label: string, descriptor: Descriptor): Uint8Array =>
    token.session({ write: false }, (session) =>
      signInToken(session, usable(label, descriptor), MESSAGE),
    );

  const asymmetric = ['p256', 'p384', 'secp256k1', 'ed25519', 'rsa-3072'].filter(
    (name) => algorithmNames().includes(name) && (name !== 'rsa-3072' || thorough),
  );
  const symmetric = ['aes-256', 'hmac-sha256', 'hmac-sha512'];
  // Each wrapped import has the token make an RSA key, which takes a second or two.
  const wrappedToo = thorough ? [...asymmetric, ...symmetric] : ['p256', 'ed25519', 'aes-256'];

  for (const name of asymmetric) {
    for (const way of ['auto', 'clear'] as const) {
      if (way === 'auto' && !wrappedToo.includes(name)) continue;
      it(`${name} crosses ${way === 'auto' ? 'wrapped where it can' : 'in clear'} and signs`, async () => {
        const label = `${name}-${way}`;
        const request = await freshKey(name, label, way);
        using _ = request.secret;
        const imported = importKey(token, request);
        // SoftHSM 2.6.1 unwraps every kind but Ed25519.
        const cannot = way === 'clear' || name === 'ed25519';
        expect(imported.clear).toBe(cannot);
        expect(imported.crossing).toMatch(
          cannot ? /^in clear: / : /^wrapped \(AES-KWP, OAEP sha1\)/,
        );
        if (way === 'auto' && cannot) expect(imported.crossing).toContain('CKR_FUNCTION_FAILED');
        expect(imported.check).toContain('verified outside');
        expect(imported.attributes).toEqual({
          local: false,
          sensitive: true,
          alwaysSensitive: false,
          extractable: false,
          neverExtractable: false,
          keyGenMechanism: null,
        });
        const signature = signed(label, request.descriptor);
        expect(opensslVerifies(request.descriptor, request.publicKey, signature)).toBe(true);
        // Once more is the same, and a second key of that name is none.
        expect(importKey(token, request).crossing).toBe('it was in the token already');
        const other = await freshKey(name, label, 'clear');
        using __ = other.secret;
        expect(() => importKey(token, other)).toThrow(/is named .* already/);
      });
    }

    it(`${name} is born in the token and signs`, async () => {
      const descriptor = await resolve(name);
      const implementation = await descriptor.load();
      const label = `${name}-born`;
      const made = generateKey(token, {
        descriptor,
        implementation,
        label,
        id: random(16),
        random,
      });
      expect(made.check).toContain('verified outside');
      expect(made.attributes).toMatchObject({
        local: true,
        alwaysSensitive: true,
        neverExtractable: true,
      });
      expect(made.attributes.keyGenMechanism).not.toBeNull();
      expect(opensslVerifies(descriptor, made.publicKey, signed(label, descriptor))).toBe(true);
    });
  }

  for (const name of symmetric) {
    for (const way of ['auto', 'clear'] as const) {
      if (way === 'auto' && !wrappedToo.includes(name)) continue;
      it(`${name} crosses ${way === 'auto' ? 'wrapped' : 'in clear'} and works`, async () => {
        const label = `${name}-${way}`;
        const request = await freshKey(name, label, way);
        using secret = request.secret;
        const imported = importKey(token, request);
        expect(imported.clear).toBe(way === 'clear');
        const key = usable(label, request.descriptor);
        if (name.startsWith('hmac')) {
          const code = token.session({ write: false }, (session) =>
            macInToken(session, key, MESSAGE),
          );
          const own = secret.use((raw) => createHmac(name.slice(5), raw).update(MESSAGE).digest());
          expect(Buffer.from(code).equals(own)).toBe(true);
          return;
        }
        const [nonce, aad] = [random(12), utf8('context')];
        const sealed = token.session({ write: false }, (session) =>
          aesGcmInToken(session, key.handle, 'seal', { nonce, aad, data: MESSAGE }),
        );
        expect(secret.use((raw) => aesGcmOpen(raw, nonce, sealed, aad, 'test'))).toEqual(MESSAGE);
        const opened = token.session({ write: false }, (session) =>
          aesGcmInToken(session, key.handle, 'open', { nonce, aad, data: sealed }),
        );
        expect(opened).toEqual(MESSAGE);
      });
    }

    it(`${name} is born in the token, with a check value that tells keys apart`, async () => {
      const descriptor = await resolve(name);
      const implementation = await descriptor.load();
      const make = (label: string): Uint8Array =>
        generateKey(token, { descriptor, implementation, label, id: random(16), random }).publicKey;
      const [a, b] = [make(`${name}-born-a`), make(`${name}-born-b`)];
      expect(a).toHaveLength(32);
      expect(a).not.toEqual(b);
    });
  }

  it('RSA signs inside by PKCS#1 v1.5 and by PSS, with each hash; the program openssl verifies', async () => {
    const request = await freshKey('rsa-2048', 'rsa-paddings', 'clear');
    using _ = request.secret;
    importKey(token, request);
    const { descriptor, publicKey } = request;
    const [pub, file, sig] = ['rsa.pub', 'message', 'rsa.sig'].map(
      (name) => `${soft.folder}/${name}`,
    ) as [string, string, string];
    const spki = Buffer.from(encodeSpki(descriptor, publicKey));
    writeFileSync(
      pub,
      createPublicKey({ key: spki, format: 'der', type: 'spki' }).export({
        format: 'pem',
        type: 'spki',
      }),
    );
    writeFileSync(file, MESSAGE);
    for (const padding of ['pkcs1', 'pss'] as const) {
      for (const hash of ['sha256', 'sha384', 'sha512'] as const) {
        const signature = token.session({ write: false }, (session) =>
          signInToken(session, usable('rsa-paddings', descriptor), MESSAGE, { padding, hash }),
        );
        writeFileSync(sig, signature);
        const pss = ['-sigopt', 'rsa_padding_mode:pss', '-sigopt', 'rsa_pss_saltlen:digest'];
        const { stdout } = spawnSync(
          'openssl',
          [
            'dgst',
            `-${hash}`,
            '-verify',
            pub,
            '-signature',
            sig,
            ...(padding === 'pss' ? pss : []),
            file,
          ],
          { encoding: 'utf8' },
        );
        expect(`${padding} ${hash}: ${stdout}`).toBe(`${padding} ${hash}: Verified OK\n`);
      }
    }
  });

  it.skipIf(!withTool)(
    'pkcs11-tool sees the same keys, and its signature verifies here',
    async () => {
      const descriptor = await resolve('p256');
      const implementation = await descriptor.load();
      const label = 'seen-by-both';
      const made = generateKey(token, {
        descriptor,
        implementation,
        label,
        id: Uint8Array.of(0x42),
        random,
      });
      const tool = (...args: string[]): { stdout: Buffer; status: number | null } =>
        spawnSync(
          'pkcs11-tool',
          ['--module', soft.library, '--token-label', 'import', '--login', '--pin', PIN, ...args],
          {
            env: { ...process.env, SOFTHSM2_CONF: soft.configuration },
            input: MESSAGE,
          },
        );
      const listed = tool('--list-objects').stdout.toString();
      expect(listed).toContain(label);
      expect(listed).toContain('Private Key Object; EC');
      const out = `${soft.folder}/sig`;
      const run = tool(
        '--sign',
        '--mechanism',
        'ECDSA',
        '--id',
        '42',
        '--output-file',
        out,
        '--input-file',
        writeDigest(soft.folder),
      );
      expect(run.status).toBe(0);
      if (implementation.kind !== 'signature') throw new Error('unreachable');
      expect(implementation.verify(readFileSync(out), MESSAGE, made.publicKey)).toBe(true);
    },
  );
});

function writeDigest(folder: string): string {
  const path = `${folder}/digest`;
  writeFileSync(path, createHash('sha256').update(MESSAGE).digest());
  return path;
}
