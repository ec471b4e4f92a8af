/** Encrypted files: against a reader written from docs/spec/encrypted-file.md alone, and against everything that changes them. */
import { createDecipheriv } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  decryptFile,
  encryptFile,
  looksEncrypted,
  readEncryptedHeader,
} from '#carriage/wrapping/encrypted-file';
import { keyId } from '#crypto/key-id';
import { utf8 } from '#formats/bytes';
import { ConclaveError } from '#formats/errors';
import { fuzz, seededSource } from '../formats/mutate.js';
import { mutationCount } from '../support/require.js';

const random = seededSource(41);
const content = utf8('what is written down here is nobody’s business');
const context = utf8('backup/2026');

function made(keyBytes: 16 | 32, text = content, aad = context) {
  const key = random(keyBytes);
  const id = keyId({ name: `aes-${keyBytes * 8}`, profile: '' }, random(32));
  return { key, id, file: encryptFile({ content: text, key, keyId: id, context: aad, random }) };
}

function codeOf(work: () => unknown): [string, number] {
  try {
    work();
  } catch (error) {
    if (error instanceof ConclaveError) return [error.code, error.exitCode];
    throw error;
  }
  return ['nothing', 0];
}

describe('an encrypted file', () => {
  it.each([16, 32] as const)('is what the specification says, under %s bytes', (length) => {
    const { key, id, file } = made(length);
    expect(file.subarray(0, 12)).toEqual(utf8('conclave-enc'));
    expect([...file.subarray(12, 14)]).toEqual([1, length]);
    expect(Buffer.from(file.subarray(14, 46)).toString('hex')).toBe(id);
    const name = `aes-${length * 8}-gcm` as 'aes-256-gcm';
    const open = createDecipheriv(name, key, file.subarray(46, 58), { authTagLength: 16 });
    open.setAAD(Buffer.concat([file.subarray(0, 58), context]));
    open.setAuthTag(file.subarray(-16));
    const text = Buffer.concat([open.update(file.subarray(58, -16)), open.final()]);
    expect(new Uint8Array(text)).toEqual(content);
    expect(readEncryptedHeader(file, 'f')).toMatchObject({
      keyLength: length,
      keyId: id,
      contentLength: content.length,
    });
  });

  it('opens again, empty and long ones too', () => {
    for (const text of [new Uint8Array(0), content, random(3 * 1024 * 1024 + 5)]) {
      const { key, id, file } = made(32, text);
      const options = { file, key, keyId: id, context, what: 'f' };
      expect(Buffer.from(decryptFile(options)).equals(text)).toBe(true);
      expect(file.length).toBe(text.length + 74);
    }
  });

  it('has a nonce of its own each time', () => {
    const key = random(32);
    const id = 'ab'.repeat(32);
    const nonces = new Set<string>();
    for (let i = 0; i < 200; i++) {
      const file = encryptFile({ content, key, keyId: id, context, random });
      nonces.add(Buffer.from(file.subarray(46, 58)).toString('hex'));
    }
    expect(nonces.size).toBe(200);
  });

  it('releases nothing when any byte, the key or the context is another one', () => {
    const { key, id, file } = made(32);
    const options = { file, key, keyId: id, context, what: 'f' };
    for (let at = 0; at < file.length; at++) {
      const changed = file.slice();
      changed[at] = (changed[at] as number) ^ 1;
      const [, exit] = codeOf(() => decryptFile({ ...options, file: changed }));
      expect([at, exit === 1 || exit === 65]).toEqual([at, true]);
    }
    const otherKey = { ...options, key: random(32) };
    expect(codeOf(() => decryptFile(otherKey))).toEqual(['E_NOT_AUTHENTIC', 1]);
    const otherId = { ...options, keyId: '00'.repeat(32) };
    expect(codeOf(() => decryptFile(otherId))).toEqual(['E_KEY_OTHER', 1]);
    for (const wrong of [new Uint8Array(0), utf8('backup/2027')]) {
      expect(codeOf(() => decryptFile({ ...options, context: wrong }))).toEqual([
        'E_NOT_AUTHENTIC',
        1,
      ]);
    }
    expect(codeOf(() => decryptFile({ ...options, file: file.slice(0, -1) }))[1]).toBe(1);
  });

  it('survives mutations', async () => {
    const { key, id, file } = made(32);
    const outcome = await fuzz([file], (bytes) => {
      looksEncrypted(bytes);
      decryptFile({ file: bytes, key, keyId: id, context, what: 'f' });
    });
    // Some mutations change nothing: an insertion of what is there, undone by the next.
    expect(outcome.refused).toBeGreaterThan(0.99 * mutationCount);
  });
});
