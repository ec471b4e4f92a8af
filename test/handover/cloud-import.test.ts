/** The ceremony cloud-import to its end, with a far side that is a program of its own, and with far sides that lie. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root, thorough } from '../support/require.js';

const ANSWERS = join(root, 'ceremonies/answers/cloud-import.yaml');
const FAR_KEY = join(root, 'ceremonies/answers/cloud-import/far-side.pem');

interface Ended {
  readonly status: number | null;
  readonly output: string;
}

function run(folder: string, ...args: readonly string[]): Ended {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(root, 'bin/conclave.js'), ...args],
    {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, CONCLAVE_HOME: join(folder, 'home'), HOME: folder, NO_COLOR: '1' },
    },
  );
  return { status, output: stdout + stderr };
}

const ceremony = (folder: string, ...more: readonly string[]): Ended =>
  run(
    folder,
    ...['run', 'cloud-import', '--rehearse', '--answers', ANSWERS, '--out-dir', 's', ...more],
  );

function farSide(folder: string, ...lie: readonly string[]): Ended {
  const at = (name: string): string => join(folder, 's/artifacts', name);
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [
      join(root, 'test/far-side/provider.mjs'),
      ...['import', 'aws', '--key', FAR_KEY, '--container', at('cloud.wrapped')],
      ...['--token', at('cloud.wrapped.token'), '--challenge', at('challenge.json')],
      ...['--out', join(folder, 'medium'), ...lie],
    ],
    { encoding: 'utf8' },
  );
  return { status, output: stdout + stderr };
}

function begun<T>(work: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'conclave-cloud-import-'));
  try {
    mkdirSync(join(folder, 'medium'));
    copyFileSync(
      join(root, 'ceremonies/answers/cloud-import/wrapping-key.json'),
      join(folder, 'medium/wrapping-key.json'),
    );
    const first = ceremony(folder);
    expect(first.status, first.output).toBe(75);
    return work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const journal = (folder: string): string => readFileSync(join(folder, 's/journal.jsonl'), 'utf8');

describe('the ceremony cloud-import', () => {
  it('waits for the far side, verifies its answer, and only then wipes', () => {
    begun((folder) => {
      expect(journal(folder)).not.toContain('"type":"wipe"');
      expect(farSide(folder).output).toBe('');
      const second = ceremony(folder, '--resume');
      expect(second.status, second.output).toBe(0);
      const text = journal(folder);
      expect(text.indexOf('"handover.verified"')).toBeGreaterThan(0);
      expect(text.indexOf('"type":"wipe"')).toBeGreaterThan(text.indexOf('"handover.verified"'));
      expect(existsSync(join(folder, 's/artifacts/imported.dsse.json'))).toBe(true);
      const verdict = run(folder, 'verify', 's', '--allow-unpinned');
      expect(verdict.status, verdict.output).toBe(0);
    });
  }, 300_000);

  const lies = ['other-key', 'old-challenge', 'wrong-hash'];
  it.each(thorough ? lies : lies.slice(0, 1))(
    'a far side that lies (%s): nothing is wiped, and the shares still restore the key',
    (lie) => {
      begun((folder) => {
        expect(farSide(folder, '--lie', lie).output).toBe('');
        const second = ceremony(folder, '--resume');
        expect(second.status, second.output).toBe(1);
        expect(second.output).toMatch(
          /nothing (?:was verified|may be destroyed)|far side|this challenge/,
        );
        expect(journal(folder)).not.toContain('"type":"wipe"');
        expect(journal(folder)).not.toContain('"handover.verified"');
      });
    },
    300_000,
  );

  it.skipIf(!thorough)(
    'a far side that got another container cannot even import it',
    () => {
      begun((folder) => {
        expect(farSide(folder, '--lie', 'other-container').status).not.toBe(0);
        expect(ceremony(folder, '--resume').status).toBe(75);
        expect(journal(folder)).not.toContain('"type":"wipe"');
      });
    },
    300_000,
  );
});
