/** Keys, signatures and forms of every family, as they were first written: read for ever, and still good. */
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { inProcess } from '../cli/runners.js';

const folder = fileURLToPath(new URL('v2/keys', import.meta.url));
const files = readdirSync(folder);
const named = (suffix: string): string[] =>
  files.filter((name) => name.endsWith(suffix)).map((name) => name.slice(0, -suffix.length));

describe('samples of v2: keys of every family', () => {
  const conclave = inProcess('compat-keys');
  const run = async (line: string): Promise<{ code: number; out: string }> => {
    const { code, stdout, stderr } = await conclave(line.split(' '), {
      cwd: folder,
      stdin: new Uint8Array(0),
      env: {},
    });
    return { code, out: `${stdout.toString()}${stderr.toString()}` };
  };

  it('are all here', () => {
    expect(named('.key')).toHaveLength(16);
    expect(named('.sig')).toHaveLength(12);
  });

  it.each(named('.key'))('the key %s is read, and is the one of its record', async (name) => {
    const { code, out } = await run(`key show ./${name}.key --json`);
    expect([code, out]).toEqual([0, expect.stringContaining('"environment":"dev"')]);
  });

  it.each(named('.sig'))('the signature %s holds, and holds for nothing else', async (name) => {
    const key = files.includes(`${name}.pub`) ? `${name}.pub` : `./${name}.key`;
    const good = await run(`verify --key ${key} --in message.txt --signature ${name}.sig`);
    expect([good.code, good.out]).toEqual([0, expect.stringContaining('OK:')]);
    const bad = await run(`verify --key ${key} --in p256.jwk --signature ${name}.sig`);
    expect(bad.code).toBe(1);
  });

  it.each(['pub', 'jwk', 'cose', 'ssh'])('a public key as %s verifies', async (form) => {
    const { code, out } = await run(
      `verify --key p256.${form} --in message.txt --signature p256.sig`,
    );
    expect([code, out]).toEqual([0, expect.stringContaining('OK:')]);
    expect((await run(`show p256.${form}`)).code).toBe(0);
  });

  it('an encrypted file opens under its key and context, and under no other', async () => {
    const opened = await run('decrypt --key ./aes-128.key --in message.enc --out - --context kept');
    expect([opened.code, opened.out]).toEqual([0, expect.stringContaining('read for ever')]);
    const other = await run('decrypt --key ./aes-128.key --in message.enc --out - --context lost');
    expect(other.code).toBe(1);
    expect(other.out).not.toContain('read for ever');
  });
});
