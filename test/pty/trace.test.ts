/** A proof at a real terminal: one line that moves while it is made and checked, and what Ctrl-C leaves of it. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inProcess } from '../cli/runners.js';
import { hasProgram, needs, root } from '../support/require.js';
import { Tmux } from '../support/tmux.js';

const tmux = needs('tmux', hasProgram('tmux'), 'a real terminal');
const work = mkdtempSync(join(tmpdir(), 'conclave-pty-trace-'));
const env = { CONCLAVE_HOME: join(work, 'home'), HOME: work, LC_ALL: 'C.UTF-8' };
let prove: readonly string[];

beforeAll(async () => {
  if (!tmux) return;
  const run = inProcess('pty-trace');
  const desk = async (line: string): Promise<Record<string, unknown>> => {
    const given = { cwd: work, stdin: new Uint8Array(0), env: {} };
    const { code, stdout, stderr } = await run(`${line} --json`.split(' '), given);
    expect(code, `${line}: ${stdout.toString()}${stderr.toString()}`).toBe(0);
    return JSON.parse(stdout.toString()) as Record<string, unknown>;
  };
  writeFileSync(join(work, 'm'), 'release 1.2\n');
  writeFileSync(join(work, 'pass'), 'a passphrase for tests\n', { mode: 0o600 });
  await desk(
    'threshold keygen --simulate --suite ed25519 --threshold 2 --shares 3 --passphrase-file pass --out-dir k',
  );
  const { digest } = await desk(
    'trace request --group k/group.json --in m --level nonces --quorum 1,3 --out r',
  );
  prove = [
    ...[process.execPath, join(root, 'bin/conclave.js'), 'trace', 'prove'],
    ...['--request', 'r', '--group', 'k/group.json', '--approve', String(digest)],
    ...['--share', 'k/dev-party-1.key', '--share', 'k/dev-party-3.key'],
    ...['--passphrase-file', 'pass', '--out-sig', 'sig', '--out', 't'],
  ];
});
afterAll(() => {
  rmSync(work, { recursive: true, force: true });
});

/** Looks at the screen again and again, as it moves, until it shows something. */
async function seen(terminal: Tmux, what: RegExp): Promise<string> {
  for (const end = Date.now() + 60_000; Date.now() < end;) {
    const { text } = terminal.read();
    if (what.test(text)) return text;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`the screen never showed ${String(what)}; it shows:\n${terminal.read().text}`);
}

describe.runIf(tmux)('a proof at a terminal', () => {
  const moving = /^(?:prov|verify)ing {2}[█░]{20} +\d+ % {2}level nonces, 2 shares$/gmu;

  it('ends at Ctrl-C, and leaves a sentence and no file', async () => {
    using terminal = new Tmux(prove, { cwd: work, env });
    await seen(terminal, /proving {2}█/u);
    terminal.press('C-c');
    const { text, ended } = await terminal.until((screen) => screen.ended !== undefined, 'an end');
    expect(ended).toBe(130);
    expect(text).toMatch(/^conclave: interrupted$/m);
    expect(text).not.toContain('proving');
    expect(['t', 'sig'].some((name) => existsSync(join(work, name)))).toBe(false);
  });

  it('is one line that moves, and then is gone', async () => {
    using terminal = new Tmux(prove, { cwd: work, env });
    await seen(terminal, /proving {2}█/u);
    const { text, ended } = await terminal.until((screen) => screen.ended !== undefined, 'an end');
    expect(ended, text).toBe(0);
    expect(terminal.history()).not.toMatch(/proving|verifying/);
    const drawn = terminal.screens.map((screen) => screen.text.match(moving) ?? []);
    expect(Math.max(...drawn.map((lines) => lines.length))).toBe(1);
    expect(new Set(drawn.flat()).size).toBeGreaterThan(2);
  });
});
