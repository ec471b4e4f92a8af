/** Streams larger than the memory they may take, in a process of their own whose peak is measured. */
import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compiled } from '../support/compiled.js';
import { thorough } from '../support/require.js';

const GIB = 2 ** 30;
/** 4 GiB where everything is tried, else a quarter of one: either is beyond what may be held. */
const SIZE = thorough ? 4 * GIB : GIB / 4;
const MAX_PEAK_MIB = 150;

/** Seals zeroes that nobody stores, then opens chunks that are made as they are asked for. */
const CHILD = `
import { createCipheriv } from 'node:crypto';
import { format } from '#carriage/wrapping/hpke-container';
import { resolve } from '#crypto/registry';
import { keyId } from '#crypto/key-id';
import { hkdfSha256, sha256 } from '#crypto/hash';
import { SecretBytes } from '#formats/secret-bytes';
import { prepended } from '#formats/byte-stream';

const [, , what, sizeText] = process.argv;
const size = Number(sizeText);
const CHUNK = 2 ** 18;
const descriptor = await resolve('x-wing');
const kem = await descriptor.load();
const seed = new Uint8Array(32).fill(7);
const publicKey = kem.publicKey(seed);
const id = keyId(descriptor, publicKey);
const key = { descriptor, publicKey, id, secret: SecretBytes.copyOf(seed, 'test') };
const zeroes = (length) => {
  let left = length;
  return { read: (into, offset) => {
    const count = Math.min(left, into.length - offset);
    into.fill(0, offset, offset + count);
    left -= count;
    return count;
  } };
};
// The first thing that is drawn is the content key, so that it is known here.
const random = (length) => new Uint8Array(length).fill(9);
const wrap = async (source, write) => {
  const targets = [{ kind: 'public-key', name: 'it', descriptor, publicKey }];
  await format.wrap({ content: { kind: 'file', source }, targets, environment: 'production', mark: '',
    epoch: 0, created: '2026-11-23T09:30:00Z', version: '0', random, sink: { write } });
};
let total = 0;
if (what === 'wrap') {
  await wrap(zeroes(size), (bytes) => { total += bytes.length; });
} else {
  const parts = [];
  await wrap(zeroes(0), (bytes) => parts.push(bytes.slice()));
  const [prefix, sealedKeys, commitment] = parts;
  const info = new TextEncoder().encode('conclave/container/v1/payload');
  const payload = hkdfSha256(random(32), sha256(prefix, sealedKeys), info, 64).slice(0, 32);
  const plain = new Uint8Array(CHUNK);
  const chunks = size / CHUNK;
  let index = 0;
  let held = Buffer.alloc(0);
  const source = { read: (into, offset) => {
    if (held.length === 0 && index < chunks) {
      const nonce = Buffer.alloc(12);
      nonce.writeBigUInt64BE(BigInt(index), 3);
      nonce[11] = index === chunks - 1 ? 1 : 0;
      const cipher = createCipheriv('aes-256-gcm', payload, nonce);
      held = Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
      index++;
    }
    const part = held.subarray(0, into.length - offset);
    into.set(part, offset);
    held = held.subarray(part.length);
    return part.length;
  } };
  const openers = { keys: async () => [key], passphrase: async () => undefined };
  const opened = await format.unwrap({ name: 'it', openers,
    source: prepended(Buffer.concat([prefix, sealedKeys, commitment]), source) });
  const piece = new Uint8Array(CHUNK);
  for (let count; (count = opened.source.read(piece, 0)) > 0;) total += count;
}
console.log(JSON.stringify({ total, peakMib: process.resourceUsage().maxRSS / 1024 }));
`;

describe('a stream', () => {
  let folder: string;
  beforeAll(() => {
    folder = compiled(['carriage/wrapping', 'crypto', 'formats']);
    writeFileSync(join(folder, 'child.js'), CHILD);
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it.each([
    ['wrap', 'sealed'],
    ['unwrap', 'opened'],
  ])('is of any length: %s', (what) => {
    const out = execFileSync(process.execPath, [join(folder, 'child.js'), what, String(SIZE)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const { total, peakMib } = JSON.parse(out) as { total: number; peakMib: number };
    expect(total).toBeGreaterThanOrEqual(SIZE);
    expect(peakMib).toBeLessThan(MAX_PEAK_MIB);
  });
});
