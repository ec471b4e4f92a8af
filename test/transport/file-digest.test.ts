/** Digests of files of every size, read in pieces of whatever length the disk gives. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { digestOfFile } from '#actions/qr/file-digest';
import { sourceOf } from '#formats/byte-stream';
import { seededSource } from '../formats/mutate.js';

const MIB = 1024 * 1024;

describe('the digest of a file', () => {
  it.each([0, 1, MIB - 1, MIB, MIB + 1, 3 * MIB + 5])('of %i bytes', (length) => {
    const bytes = new Uint8Array(length).fill(7);
    bytes.set(seededSource(length)(Math.min(length, 100)));
    let closed = 0;
    const whole = sourceOf(bytes);
    const source = () => ({
      // At most 99,991 bytes at a time.
      read: (into: Uint8Array, offset: number) =>
        whole.read(into.subarray(0, Math.min(into.length, offset + 99_991)), offset),
      [Symbol.dispose]: () => void closed++,
    });
    const { sha256, bytes: short, ...found } = digestOfFile('file', { source });
    expect(found).toEqual({ length });
    expect(Buffer.from(sha256)).toEqual(createHash('sha256').update(bytes).digest());
    expect(short === undefined).toBe(length >= MIB);
    if (short !== undefined) expect(Buffer.compare(short, bytes)).toBe(0);
    expect(closed).toBe(1);
  });
});
