/** Seconds count while the thread that began them is busy, and nothing is drawn once they are ended. */
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { countSeconds } from '#terminal/seconds';

let work: string;
let fd: number;
const drawn = (): string => readFileSync(join(work, 'line'), 'utf8');

/** Computes, and lets nothing else of this thread run, until something is drawn. */
function busyUntil(done: () => boolean): void {
  const end = Date.now() + 20_000;
  while (!done()) if (Date.now() > end) throw new Error(`nothing came: ${drawn()}`);
}

beforeEach(() => {
  work = mkdtempSync(join(tmpdir(), 'conclave-seconds-'));
  fd = openSync(join(work, 'line'), 'w');
});

afterEach(() => {
  closeSync(fd);
  rmSync(work, { recursive: true });
});

describe('counted seconds', () => {
  it('are drawn over each other while this thread computes, and taken away', async () => {
    const seconds = countSeconds(fd, { every: 10 });
    busyUntil(() => drawn().includes('4 s'));
    seconds[Symbol.dispose]();
    const left = drawn();
    expect(left).toMatch(/^\r {2}2 s\r {2}3 s\r {2}4 s(?:\r {2}\d+ s)*\r\u001b\[K$/);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(drawn()).toBe(left);
  });

  it('are not drawn at all for what is done at once', async () => {
    // Long enough that a busy machine does not come to the second drawing before it comes to the end of this line.
    countSeconds(fd, { every: 250 })[Symbol.dispose]();
    await new Promise((resolve) => setTimeout(resolve, 800));
    expect(drawn()).toBe('');
  });

  it('do not keep the work from ending where the terminal went meanwhile', () => {
    const gone = openSync(join(work, 'line'), 'w');
    const seconds = countSeconds(gone, { every: 10 });
    busyUntil(() => drawn().includes('2 s'));
    closeSync(gone);
    expect(() => {
      seconds[Symbol.dispose]();
    }).not.toThrow();
  });
});
