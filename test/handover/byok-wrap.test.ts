/**
 * The ceremony byok-wrap to its end: the recipient opens what they got with nothing of conclave. And refused for another key than
 * the one that two roles know.
 */
import { spawnSync } from 'node:child_process';
import { createECDH, createPublicKey } from 'node:crypto';
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
import { needs, root } from '../support/require.js';

const KIT = join(root, 'ceremonies/answers/byok-wrap');
const peer = process.env['CONCLAVE_PEER_NODE'] ?? '';
const hasPeer = needs('a newer node', peer !== '', 'set CONCLAVE_PEER_NODE to a node with ML-KEM');

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
  });

  it.runIf(hasPeer)('the recipient opens it with a program of their own', () => {
    const opened = spawnSync(
      peer,
      [
        join(root, 'test/far-side/recipient.mjs'),
        join(KIT, 'recipient.pem'),
        at('s/artifacts/byok.wrapped'),
      ],
      { encoding: 'utf8' },
    );
    expect(opened.status, opened.stderr).toBe(0);
    const { header, private: scalar } = JSON.parse(opened.stdout) as {
      header: { environment: string; key: { algorithm: string } };
      private: string;
    };
    expect(header).toMatchObject({ environment: 'rehearsal', key: { algorithm: 'p256' } });
    const pair = createECDH('prime256v1');
    pair.setPrivateKey(Buffer.from(scalar, 'hex'));
    const published = createPublicKey(readFileSync(at('s/artifacts/byok.pub')));
    const spki = published.export({ format: 'der', type: 'spki' });
    expect(spki.subarray(-65)).toEqual(pair.getPublicKey());
  });

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
  });
});
