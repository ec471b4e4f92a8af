/**
 * The ceremony of two tokens, through the built program and real tokens, with what goes wrong on the day: a PIN file with a wrong PIN,
 * a power cut between the two imports, a second program at the same token.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root, thorough } from '../support/require.js';
import { withSoftHsm } from './softhsm.js';

interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly out: string;
  readonly err: string;
}

describe.skipIf(!withSoftHsm)('real tokens and the built program', () => {
  let folder: string;
  let home = 'home';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'conclave-two-tokens-'));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  const start = (...argv: readonly string[]): { child: ChildProcess; ended: Promise<Ended> } => {
    const child = spawn(process.execPath, [join(root, 'bin/conclave.js'), ...argv], {
      cwd: folder,
      env: { PATH: process.env['PATH'] ?? '', CONCLAVE_HOME: join(folder, home), HOME: folder },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [out, err]: [Buffer[], Buffer[]] = [[], []];
    child.stdout.on('data', (part: Buffer) => out.push(part));
    child.stderr.on('data', (part: Buffer) => err.push(part));
    const text = (parts: readonly Buffer[]): string => Buffer.concat(parts).toString();
    const ended = new Promise<Ended>((resolve) => {
      child.on('close', (code, signal) => {
        resolve({ code, signal, out: text(out), err: text(err) });
      });
    });
    return { child, ended };
  };
  const conclave = async (...argv: readonly string[]): Promise<Ended> => await start(...argv).ended;
  const pinOf = async (token: string): Promise<string> => {
    const { out } = await conclave('hsm', 'sandbox', '--token', token, '--json');
    return (JSON.parse(out) as { pinFile: string }).pinFile;
  };

  it('two programs at one token at once: both keys are made, both sign, nothing is lost', async () => {
    const pin = await pinOf('shared');
    const token = ['--module', 'sandbox', '--token', 'shared', '--pin-file', pin];
    const names = ['left', 'right'] as const;
    const made = await Promise.all(
      names.map((name) =>
        conclave('hsm', 'generate', ...token, '--algorithm', 'p256', '--name', name),
      ),
    );
    expect(made.map(({ code, err }) => [code, err])).toEqual([
      [0, ''],
      [0, ''],
    ]);
    writeFileSync(join(folder, 'text'), 'said twice\n');
    const signed = await Promise.all(
      names.map((name) =>
        conclave('sign', '--key', name, '--pin-file', pin, '--in', 'text', '--out', `${name}.sig`),
      ),
    );
    expect(signed.map(({ code }) => code)).toEqual([0, 0]);
    const verified = await Promise.all(
      names.map((name) =>
        conclave('verify', '--key', name, '--in', 'text', '--signature', `${name}.sig`),
      ),
    );
    expect(verified.map(({ code }) => code)).toEqual([0, 0]);
  });

  it.skipIf(!thorough)(
    'a wrong PIN file is asked for again, and a kill between the imports loses nothing',
    async () => {
      const pins = [await pinOf('first'), await pinOf('second')] as const;
      const own = join(folder, 'first.pin');
      writeFileSync(own, 'not-the-pin\n', { mode: 0o600 });
      const site = join(folder, 'site.yaml');
      writeFileSync(
        site,
        `site: 1\ntokens:\n  first: { module: sandbox, token: first, pin-file: ${own}, rehearsal: true }\n` +
          `  second: { module: sandbox, token: second, pin-file: ${pins[1]}, rehearsal: true }\n`,
      );
      const session = join(folder, 'session');
      const answers = join(root, 'ceremonies/answers/hsm-import.yaml');
      const run = (...more: readonly string[]) =>
        start(
          ...['run', 'hsm-import', '--rehearse', '--answers', answers],
          ...['--out-dir', session, ...more],
        );
      const journal = (): string =>
        existsSync(join(session, 'journal.jsonl'))
          ? readFileSync(join(session, 'journal.jsonl'), 'utf8')
          : '';

      const wrong = await run('--site', site).ended;
      expect(wrong.code).toBe(75);
      expect(wrong.err).toContain('this is not its PIN (CKR_PIN_INCORRECT)');
      expect(journal()).toContain('E_TOKEN_PIN_INCORRECT');
      writeFileSync(own, readFileSync(pins[0]));

      const { child, ended } = run('--resume');
      const finished =
        /"type":"step\.finished"[^\n]*import-first|import-first[^\n]*"type":"step\.finished"/;
      const watch = setInterval(() => {
        if (finished.test(journal())) child.kill('SIGKILL');
      }, 5);
      const killed = await ended;
      clearInterval(watch);
      expect(killed.signal).toBe('SIGKILL');
      expect(journal()).not.toMatch(/verify-first/);

      const resumed = await run('--resume').ended;
      expect([resumed.code, resumed.err]).toEqual([0, expect.any(String)]);
      expect(journal()).toContain('session.resumed');
      const verified = await conclave('verify', session, '--allow-unpinned', '--json');
      expect(JSON.parse(verified.out)).toMatchObject({ ok: true });

      // One key of each token, and it is the same one.
      const keys = await Promise.all(
        (['first', 'second'] as const).map(async (token, i) => {
          const place = ['--module', 'sandbox', '--token', token, '--pin-file', pins[i] ?? ''];
          const { out } = await conclave('hsm', 'info', ...place, '--keys', '--json');
          return (JSON.parse(out) as { keys: { id: string }[] }).keys.map(({ id }) => id);
        }),
      );
      expect(keys[0]).toHaveLength(1);
      expect(keys[1]).toEqual(keys[0]);
      for (const pin of pins) expect(journal()).not.toContain(readFileSync(pin, 'utf8').trim());

      // Held once more in this home, the same name is refused before a key is made; another one is the way on.
      const again = (...more: readonly string[]) =>
        conclave(
          ...['run', 'hsm-import', '--rehearse', '--answers', answers],
          ...['--site', site, ...more],
        );
      const taken = await again('--out-dir', 'taken');
      expect(taken.code).toBe(73);
      expect(taken.err).toContain('is named imported already');
      const stopped = readFileSync(join(folder, 'taken/journal.jsonl'), 'utf8');
      expect(stopped).toContain('look-first');
      expect(stopped).not.toContain('key.added');
      const renamed = await again('--out-dir', 'renamed', '--param', 'name=imported-2');
      expect([renamed.code, renamed.err]).toEqual([0, expect.any(String)]);
    },
  );

  it.skipIf(!thorough)(
    'a rehearsal practises a wrong PIN and a token that is pulled, and goes on after each',
    async () => {
      home = 'home-of-faults';
      const pins = [await pinOf('red'), await pinOf('blue')] as const;
      writeFileSync(
        join(folder, 'faults.yaml'),
        `site: 1\ntokens:\n  first: { module: sandbox, token: red, pin-file: ${pins[0]}, rehearsal: true }\n` +
          `  second: { module: sandbox, token: blue, pin-file: ${pins[1]}, rehearsal: true }\n`,
      );
      const answers = join(root, 'ceremonies/answers/hsm-import.yaml');
      const run = async (...more: readonly string[]): Promise<Ended> =>
        await conclave('run', ...more, '--answers', answers);
      const begin = ['hsm-import', '--rehearse', '--site', 'faults.yaml', '--out-dir', 'faults'];
      const wrong = await run(...begin, '--inject', 'wrong-pin@import-first');
      // The token itself counted that attempt.
      expect([wrong.code, wrong.err]).toEqual([75, expect.stringContaining('CKR_PIN_INCORRECT')]);
      const pulled = await run('--resume', 'faults', '--inject', 'token-pulled@import-second');
      expect([pulled.code, pulled.err]).toEqual([75, expect.stringContaining('was pulled')]);
      expect((await run('--resume', 'faults')).code).toBe(0);
      const journal = readFileSync(join(folder, 'faults/journal.jsonl'), 'utf8');
      expect(journal.match(/"fault\.injected"/g)).toHaveLength(2);
      const verified = await conclave('verify', 'faults', '--allow-unpinned');
      expect(verified.out.split('\n')[0]).toContain('REHEARSAL: not evidence of a ceremony');
      home = 'home';
    },
  );
});
