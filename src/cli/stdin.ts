/** Standard input as a whole, read at once: artifacts are small, and nothing goes on before they are there. */
import { readSync } from 'node:fs';

/** Larger inputs than any artifact are refused while reading, before they fill the memory. */
const MAX_BYTES = 256 * 1024 * 1024;
const PAUSE_MS = 5;

/** All bytes of a file descriptor. @throws RangeError beyond 256 MiB */
export function readAll(fd = 0): Uint8Array {
  const parts: Buffer[] = [];
  let length = 0;
  for (;;) {
    const part = Buffer.alloc(64 * 1024);
    const count = readSome(fd, part);
    if (count === 0) break;
    parts.push(part.subarray(0, count));
    length += count;
    if (length > MAX_BYTES) throw new RangeError('standard input is too long');
  }
  const out = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    out.set(part, offset);
    offset += part.length;
    // What is piped in can be a private key.
    part.fill(0);
  }
  return out;
}

function readSome(fd: number, into: Buffer): number {
  for (;;) {
    try {
      return readSync(fd, into, 0, into.length, null);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code === 'EOF') return 0;
      if (code !== 'EAGAIN') throw error;
      // The other end is slow, and the descriptor was left non-blocking by a neighbour in the pipe.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
    }
  }
}
