/** The ceremony cloud-import to its end, with a far side that is a program of its own, and with far sides that lie. */
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inProcess } from '../cli/runners.js';
import { root } from '../support/require.js';

const ANSWERS = join(root, 'ceremonies/answers/cloud-import.yaml');
const FAR_KEY = join(root, 'ceremonies/answers/cloud-import/far-side.pem');

interface Ended {
  readonly status: number | null;
  readonly output: string;
}

const runner = inProcess('cloud-import');

async function run(folder: string, ...args: readonly string[]): Promise<Ended> {
  const { code, stdout, stderr } = await runner([...args, '--no-input'], {
    cwd: folder,
    stdin: new Uint8Array(0),
    env: {},
  });
  return { status: code, output: `${stdout.toString()}${stderr.toString()}` };
}

const ceremony = (folder: string, ...more: readonly string[]): Promise<Ended> =>
  run(
    folder,
    ...['run', 'cloud-import', '--rehearse', '--answers', ANSWERS, '--out-dir', 's', ...more],
  );

/** A program of its own, which knows nothing of conclave. */
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

const journal = (folder: string): string => readFileSync(join(folder, 's/journal.jsonl'), 'utf8');

describe('the ceremony cloud-import', () => {
  let work: string;
  /** A copy of the session as it is when the container goes to the far side. */
  const waiting = (name: string): string => {
    const folder = join(work, name);
    cpSync(join(work, 'begun'), folder, { recursive: true });
    return folder;
  };

  beforeAll(async () => {
    work = mkdtempSync(join(tmpdir(), 'conclave-cloud-import-'));
    const folder = join(work, 'begun');
    mkdirSync(join(folder, 'medium'), { recursive: true });
    copyFileSync(
      join(root, 'ceremonies/answers/cloud-import/wrapping-key.json'),
      join(folder, 'medium/wrapping-key.json'),
    );
    const first = await ceremony(folder);
    expect(first.status, first.output).toBe(75);
    expect(journal(folder)).not.toContain('"type":"wipe"');
  });
  afterAll(() => {
    rmSync(work, { recursive: true });
  });

  it('waits for the far side, verifies its answer, and only then wipes', async () => {
    const folder = waiting('honest');
    expect(farSide(folder).output).toBe('');
    const second = await ceremony(folder, '--resume');
    expect(second.status, second.output).toBe(0);
    const text = journal(folder);
    expect(text.indexOf('"handover.verified"')).toBeGreaterThan(0);
    expect(text.indexOf('"type":"wipe"')).toBeGreaterThan(text.indexOf('"handover.verified"'));
    expect(existsSync(join(folder, 's/artifacts/imported.dsse.json'))).toBe(true);
    const verdict = await run(folder, 'verify', 's', '--allow-unpinned');
    expect(verdict.status, verdict.output).toBe(0);
  });

  it.each(['other-key', 'old-challenge', 'wrong-hash'])(
    'a far side that lies (%s): nothing is wiped, and the shares still restore the key',
    async (lie) => {
      const folder = waiting(lie);
      expect(farSide(folder, '--lie', lie).output).toBe('');
      const second = await ceremony(folder, '--resume');
      expect(second.status, second.output).toBe(1);
      expect(second.output).toMatch(
        /nothing (?:was verified|may be destroyed)|far side|this challenge/,
      );
      expect(journal(folder)).not.toContain('"type":"wipe"');
      expect(journal(folder)).not.toContain('"handover.verified"');
    },
  );

  it('a far side that got another container cannot even import it', async () => {
    const folder = waiting('other-container');
    expect(farSide(folder, '--lie', 'other-container').status).not.toBe(0);
    const second = await ceremony(folder, '--resume');
    expect(second.status, second.output).toBe(75);
    expect(journal(folder)).not.toContain('"type":"wipe"');
  });
});
