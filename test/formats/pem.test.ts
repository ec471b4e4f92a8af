import { fc } from '../support/property.js';
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { utf8 } from '#formats/bytes';
import { decodePem, encodePem, looksLikePem } from '#formats/pem';
import { fuzz } from './mutate.js';

const decode = (text: string): ReturnType<typeof decodePem> => decodePem(utf8(text), 'key.pem');
const block = encodePem('PRIVATE KEY', new Uint8Array(100).fill(7));

describe('PEM', () => {
  it('comes back as it was, explanation included', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), (bytes) => {
        const text = encodePem('CONCLAVE PRIVATE KEY', bytes, 'made in a rehearsal');
        expect(decode(text)).toEqual({
          label: 'CONCLAVE PRIVATE KEY',
          bytes,
          explanation: 'made in a rehearsal',
        });
      }),
    );
  });

  it('is what node writes and reads', () => {
    const { privateKey } = generateKeyPairSync('ed25519');
    const theirs = privateKey.export({ format: 'pem', type: 'pkcs8' }) as string;
    const { label, bytes } = decode(theirs);
    expect(encodePem(label, bytes)).toBe(theirs);
    expect(createPrivateKey(encodePem(label, bytes)).equals(privateKey)).toBe(true);
  });

  it('takes CRLF line ends', () => {
    expect(decode(block.replaceAll('\n', '\r\n')).bytes.length).toBe(100);
  });

  it.each([
    ['two blocks', block + block],
    ['text after the end', `${block}more\n`],
    ['another label at the end', block.replace('END PRIVATE', 'END PUBLIC')],
    ['no end', block.replace(/-----END.*/, '')],
    ['no body', '-----BEGIN A-----\n-----END A-----\n'],
    ['short lines', block.replace(/(.{32})/, '$1\n')],
    ['an empty line', block.replace('KEY-----\n', 'KEY-----\n\n')],
    ['headers', block.replace('KEY-----\n', 'KEY-----\nProc-Type: 4,ENCRYPTED\n')],
    ['spaces', block.replace(/Bw/, ' Bw')],
    ['text on the BEGIN line', `x${block}`],
    ['unused bits', '-----BEGIN A-----\nAB==\n-----END A-----\n'],
    ['nothing', ''],
  ])('refuses %s', (_, text) => {
    expect(() => decode(text)).toThrow(expect.objectContaining({ exitCode: 65 }) as Error);
  });

  it('tells what looks like PEM', () => {
    expect(looksLikePem(utf8(block))).toBe(true);
    expect(looksLikePem(utf8(block), 'PRIVATE KEY')).toBe(true);
    expect(looksLikePem(utf8(block), 'PUBLIC KEY')).toBe(false);
    expect(looksLikePem(utf8('{}'))).toBe(false);
  });

  it('reads or refuses large input in time', () => {
    const large = encodePem('A', new Uint8Array(8 * 1024 * 1024));
    expect(decode(large).bytes.length).toBe(8 * 1024 * 1024);
    const hostile = '-----BEGIN A-----\nAAAA\n'.repeat(100_000);
    expect(() => decode(hostile)).toThrow(
      expect.objectContaining({ code: 'E_PEM_MALFORMED' }) as Error,
    );
  });

  it('survives mutations', async () => {
    const valid = utf8(encodePem('PRIVATE KEY', new Uint8Array(100).fill(7), 'explained'));
    await fuzz([valid, utf8(block)], (input) => decodePem(input, 'fuzzed'));
  });
});
