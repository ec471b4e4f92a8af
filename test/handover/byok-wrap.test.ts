/** The ceremony byok-wrap to its end, and refused for another key than the one that two roles know. */
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inProcess } from '../cli/runners.js';
import { root } from '../support/require.js';

const KIT = join(root, 'ceremonies/answers/byok-wrap');

describe('the ceremony byok-wrap', () => {
  const run = inProcess('byok-wrap');
  let folder: string;
  const at = (...names: readonly string[]): string => join(folder, ...names);
  const conclave = async (
    ...args: readonly string[]
  ): Promise<{ readonly code: number; readonly output: string }> => {
    const { code, stdout, stderr } = await run([...args, '--no-input'], {
      cwd: folder,
      stdin: new Uint8Array(0),
      env: {},
    });
    return { code, output: `${stdout.toString()}${stderr.toString()}` };
  };
  const ceremony = (answers: string, session: string): ReturnType<typeof conclave> =>
    conclave(
      ...['run', 'byok-wrap', '--rehearse', '--answers', answers, '--out-dir', at(session)],
      ...['--param', `recipient=${at('medium/recipient.pub')}`],
    );

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'conclave-byok-wrap-'));
    mkdirSync(at('medium'));
    copyFileSync(join(KIT, 'recipient.pub'), at('medium/recipient.pub'));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  it('shares and proves, wraps, wipes, and hands over, and the session verifies', async () => {
    const ended = await ceremony(join(root, 'ceremonies/answers/byok-wrap.yaml'), 's');
    expect(ended.code, ended.output).toBe(0);
    const verified = await conclave('verify', at('s'), '--allow-unpinned');
    expect(verified.code, verified.output).toBe(0);
    const lines = readFileSync(at('s/journal.jsonl'), 'utf8').split('\n');
    const done = ['prove', 'wrap', 'wipe', 'carry-statement'].map((step) =>
      lines.findIndex((line) => line.includes('step.finished') && line.includes(`"${step}"`)),
    );
    expect(Math.min(...done)).toBeGreaterThan(0);
    expect(done).toEqual([...done].sort((x, y) => x - y));
  }, 120_000);

  it('another key on the medium than the one that two roles know ends it before anything is wrapped', async () => {
    const answers = readFileSync(join(root, 'ceremonies/answers/byok-wrap.yaml'), 'utf8');
    // The courier was told another digest than the administrator.
    cpSync(KIT, at('byok-wrap'), { recursive: true });
    const changed = answers.replace(/(courier-digest:\s+\{ text: 'sha256:)ca96/, '$10000');
    expect(changed).not.toBe(answers);
    writeFileSync(at('answers.yaml'), changed);
    const ended = await ceremony(at('answers.yaml'), 'refused');
    expect(ended.code, ended.output).toBe(1);
    expect(ended.output).toContain('nothing was wrapped');
    expect(existsSync(at('refused/artifacts/byok.wrapped'))).toBe(false);
  }, 120_000);
});
