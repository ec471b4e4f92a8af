/** Ctrl-C, and readers that go away. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Output } from '#cli/output';
import { listen } from '#cli/signals';
import { root } from '../support/require.js';
import { sink } from './runners.js';

const program = join(root, 'bin/conclave.js');

afterEach(() => {
  vi.restoreAllMocks();
});

describe('Ctrl-C', () => {
  it('is exit 130, and says so', () => {
    const stderr = sink();
    const streams = { stdin: process.stdin, stdout: sink().stream, stderr: stderr.stream };
    const output = new Output(streams, { json: false, debug: false });
    const exit = vi.spyOn(process, 'exit').mockImplementation(() => undefined as never);
    const others = process.listeners('SIGINT');
    process.removeAllListeners('SIGINT');
    const listening = listen(streams, output);
    try {
      process.emit('SIGINT');
    } finally {
      listening.stop();
      for (const other of others) process.on('SIGINT', other);
    }
    expect(exit).toHaveBeenCalledWith(130);
    expect(stderr.bytes().toString()).toBe('conclave: interrupted\n');
  });

  it('ends a run that waits for standard input, and leaves nothing behind', async () => {
    const home = join(mkdtempSync(join(tmpdir(), 'conclave-signals-')), 'home');
    const child = spawn(process.execPath, [program, 'key', 'import', '-', '--home', home], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const ended = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
      child.on('close', (code, signal) => {
        resolve({ code, signal });
      });
    });
    // By then it waits; were it still starting, Ctrl-C would end it just as well.
    await new Promise((resolve) => setTimeout(resolve, 1500));
    child.kill('SIGINT');
    const { code, signal } = await ended;
    expect(code === 130 || signal === 'SIGINT').toBe(true);
    expect(() => readdirSync(home)).toThrow();
  });
});

describe('a reader that goes away', () => {
  it('is no fault to talk about, and no success', () => {
    const script = `node '${program}' help | head -c 1 >/dev/null; echo "\${PIPESTATUS[0]}"`;
    const ran = spawnSync('bash', ['-c', script], { encoding: 'utf8' });
    expect(ran.stderr).toBe('');
    // A pipe that takes all of the text before its reader leaves breaks nothing.
    expect(['0\n', '73\n']).toContain(ran.stdout);
  });

  it('is told by the exit code when nothing could be written at all', () => {
    const script = `exec 3> >(true); wait $!; node '${program}' help >&3; echo $?`;
    const ran = spawnSync('bash', ['-c', script], { encoding: 'utf8' });
    expect({ out: ran.stdout, err: ran.stderr }).toEqual({ out: '73\n', err: '' });
  });
});
