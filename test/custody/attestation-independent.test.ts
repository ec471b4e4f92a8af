/** The reader in plain Python, written from the documents, and ours: what one accepts the other accepts, and so for refusals. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inProcess } from '../cli/runners.js';
import { hasProgram, needs, root } from '../support/require.js';

const python = needs('python3', hasProgram('python3'), 'the independent reader is written in it');

describe.skipIf(!python)('the independent reader of attestations', () => {
  const conclave = inProcess('attestations');
  let folder: string;
  const at = (name: string): string => join(folder, name);
  const run = async (line: string): Promise<number> => {
    const { code } = await conclave(line.split(' '), {
      cwd: folder,
      stdin: new Uint8Array(0),
      env: { CONCLAVE_HOME: at('home') },
    });
    return code;
  };
  const reader = (...words: readonly string[]): number | null =>
    spawnSync('python3', ['-B', join(root, 'test/independent/verify_attestation.py'), ...words], {
      cwd: folder,
    }).status;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'conclave-attested-'));
    writeFileSync(at('m'), 'message');
    for (const name of ['ada', 'eve']) {
      expect(await run(`identity new --name ${name} --no-passphrase --out ${name}.key`)).toBe(0);
    }
    expect(await run('key generate --algorithm ed25519 --name k --no-passphrase')).toBe(0);
    expect(await run('sign --key k --in m --out s --identity ada.key')).toBe(0);
    expect(await run('key destroy k --yes --identity ada.key')).toBe(0);
    expect(await run('audit export --out log --attestations-dir kept')).toBe(0);
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  const kept = (): string[] => readdirSync(at('kept')).map((name) => `kept/${name}`);

  it('accepts what conclave wrote, with the log and without', () => {
    expect(kept()).toHaveLength(2);
    expect(reader('--signer', 'ada.key.pub', ...kept())).toBe(0);
    expect(reader('--signer', 'ada.key.pub', '--log', 'log', ...kept())).toBe(0);
  });

  it('refuses another signer, as conclave does', async () => {
    expect(reader('--signer', 'eve.key.pub', ...kept())).toBe(1);
    expect(await run(`verify ${kept().join(' ')} --signer eve.key.pub`)).toBe(1);
  });

  it.each([
    ['the operation', (payload: string) => payload.replace('"sign"', '"wrap"')],
    ['the file', (payload: string) => payload.replace('"name":"m"', '"name":"n"')],
    ['the time', (payload: string) => payload.replace(/"time":"20/, '"time":"21')],
    ['an unknown member', (payload: string) => payload.replace('"note":', '"more":1,"note":')],
    ['white space', (payload: string) => payload.replace('{"_type"', '{ "_type"')],
  ])('refuses a change of %s, as conclave does', async (_, change) => {
    const first = at(kept()[0] as string);
    const text = readFileSync(first, 'utf8');
    const { payload } = JSON.parse(text) as { payload: string };
    const inner = Buffer.from(payload, 'base64').toString();
    const changed = change(inner);
    expect(changed).not.toBe(inner);
    writeFileSync(at('bad.json'), text.replace(payload, Buffer.from(changed).toString('base64')));
    const ours = await run('verify bad.json --signer ada.key.pub');
    expect([1, 65]).toContain(ours);
    expect([1, 65]).toContain(reader('--signer', 'ada.key.pub', 'bad.json'));
  });

  it('finds a log that was cut, or that names another statement', async () => {
    const log = readFileSync(at('log'), 'utf8').trimEnd().split('\n');
    writeFileSync(at('cut'), `${log.slice(0, -1).join('\n')}\n`);
    expect(reader('--signer', 'ada.key.pub', '--log', 'cut', ...kept())).toBe(1);
    const [one = '', two = ''] = kept();
    const both = [readFileSync(at(one)), readFileSync(at(two))];
    writeFileSync(at(one), both[1] as Buffer);
    expect(reader('--signer', 'ada.key.pub', '--log', 'log', two, one)).toBe(0);
    expect(await run('audit verify log --attestations kept')).toBe(1);
    expect(existsSync(at('log'))).toBe(true);
  });
});
