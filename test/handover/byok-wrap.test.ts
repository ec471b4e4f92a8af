/** The ceremony byok-wrap to its end, and the container opened by the recipient with what travelled with it. */
import {
  copyFileSync,
  cpSync,
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
    copyFileSync(join(KIT, 'recipient.pem'), at('recipient.pem'));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  it('wraps, wipes, and the recipient opens the container with the statement and the sender', async () => {
    const ended = await ceremony(join(root, 'ceremonies/answers/byok-wrap.yaml'), 's');
    expect(ended.code, ended.output).toBe(0);
    const verified = await conclave('verify', at('s'), '--allow-unpinned');
    expect(verified.code, verified.output).toBe(0);
    const journal = readFileSync(at('s/journal.jsonl'), 'utf8');
    const order = ['"type":"split"', '"type":"wrap"', '"type":"wipe"'].map((event) =>
      journal.indexOf(event),
    );
    expect(order.every((place) => place > 0)).toBe(true);
    expect(order).toEqual([...order].sort((a, b) => a - b));

    const open = (...more: readonly string[]): ReturnType<typeof conclave> =>
      conclave(
        ...['unwrap', '--key', at('recipient.pem'), '--in', at('s/artifacts/byok.wrapped')],
        ...['--no-passphrase', '--json', ...more],
      );
    const participants = JSON.parse(
      (await conclave('show', at('s/artifacts/byok.wrapped.dsse.json'), '--json')).output,
    ) as { predicate: { sender: { name: string }; key: { id: string } } };
    const { sender, key } = participants.predicate;
    const opened = await open(
      ...['--statement', at('s/artifacts/byok.wrapped.dsse.json'), '--out', at('opened.key')],
      ...['--signer', at('s/identities', `${sender.name}.pub`)],
    );
    expect(opened.code, opened.output).toBe(0);
    expect(JSON.parse(opened.output)).toMatchObject({
      keyId: key.id,
      environment: 'rehearsal',
      sender: sender.name,
    });
  }, 120_000);

  it('another key on the medium than the one that two roles know ends it before anything is wrapped', async () => {
    const answers = readFileSync(join(root, 'ceremonies/answers/byok-wrap.yaml'), 'utf8');
    // The courier was told another digest than the administrator.
    cpSync(KIT, at('byok-wrap'), { recursive: true });
    const changed = answers.replace(/(courier-digest:\s+\{ text: 'sha256:)ca96/, '$10000');
    expect(changed).not.toBe(answers);
    writeFileSync(at('answers.yaml'), changed);
    const ended = await ceremony(at('answers.yaml'), 'refused');
    expect(ended.code, ended.output).toBe(77);
    expect(ended.output).toContain('nothing was wrapped');
    const journal = readFileSync(at('refused/journal.jsonl'), 'utf8');
    expect(journal).toContain('"type":"split"');
    expect(journal).not.toContain('"type":"wrap"');
  }, 120_000);
});
