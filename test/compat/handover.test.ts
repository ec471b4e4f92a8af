/** What any landed version wrote in a hand-over must read for ever, and say the same. */
import { createHash, createPublicKey, verify } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inProcess } from '../cli/runners.js';

describe('samples of v2: handover', () => {
  const run = inProcess('compat-handover');
  let folder: string;
  const bytesOf = (name: string): Buffer => readFileSync(join(folder, name));
  const sha256 = (...parts: Uint8Array[]): string =>
    createHash('sha256').update(Buffer.concat(parts)).digest('hex');

  const conclave = async (line: string): Promise<{ code: number; out: string; err: string }> => {
    const { code, stdout, stderr } = await run(line.split(' '), {
      cwd: folder,
      stdin: new Uint8Array(0),
      env: {},
    });
    return { code, out: stdout.toString(), err: stderr.toString() };
  };

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'conclave-compat-handover-'));
    cpSync(fileURLToPath(new URL('v2/handover', import.meta.url)), folder, { recursive: true });
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it.each([
    ['release.dsse.json', 'statement', 'DEV KEY: p256 key [0-9a-f]{16} wrapped \\(hpke\\) into .* by Ada'],
    ['imported.dsse.json', 'statement', 'works on the far side \\(signature\\), checked by Ada'],
    ['receipt.dsse.json', 'statement', 'Ben holds the container [0-9a-f]{16} \\(2193 bytes\\)'],
    ['revoked.dsse.json', 'statement', 'revoked by Ada: the key exchange key was replaced'],
    ['challenge.json', 'handover-challenge', 'about import: it was not issued here'],
    ['ask.json', 'handover-challenge', 'about possession: it was not issued here'],
    ['release.byok', 'azure-byok', 'key transfer blob for https://acme'],
    ['release.transit.json', 'transit-import', 'import request for a ecdsa-p256 key'],
    ['release.wrapped', 'container', 'only a key it is sealed to can tell'],
  ])('%s is shown as %s, and verified in words', async (path, kind, words) => {
    const shown = await conclave(`show ${path} --json`);
    expect(shown).toMatchObject({ code: 0, err: '' });
    expect(shown.out).toContain(`"${kind}"`);
    const verified = await conclave(`verify ${path} --signer ada.pub --signer ben.pub`);
    expect(verified).toMatchObject({ code: 0, err: '' });
    expect(verified.out).toMatch(new RegExp(words));
  });

  it('a statement counts only with the signature of whoever it names', async () => {
    const verdict = await conclave('verify imported.dsse.json --signer ben.pub');
    expect(verdict.code).toBe(1);
    expect(verdict.out).toContain('no such signature');
  });

  it('the container opens with its statement, and the statements speak of these files', async () => {
    const opened = await conclave(
      'unwrap --in release.wrapped --statement release.dsse.json --signer ada.pub --key ./to.key --out back.key --no-passphrase --json',
    );
    expect(opened).toMatchObject({ code: 0 });
    expect(JSON.parse(opened.out)).toMatchObject({ sender: 'Ada', environment: 'dev' });
    const said = (name: string): Record<string, never> => {
      const { payload } = JSON.parse(bytesOf(name).toString()) as { payload: string };
      const { predicate } = JSON.parse(Buffer.from(payload, 'base64').toString()) as {
        predicate: Record<string, never>;
      };
      return predicate;
    };
    const container = { sha256: sha256(bytesOf('release.wrapped')), size: 2193 };
    const [wrapped, received, imported] = ['release', 'receipt', 'imported'].map((name) =>
      said(`${name}.dsse.json`),
    );
    expect(wrapped).toMatchObject({ container });
    const ask = sha256(bytesOf('ask.json'));
    const proof = sha256(
      Buffer.from('conclave-possession-v1\0'),
      Buffer.from(ask, 'hex'),
      bytesOf('release.wrapped'),
    );
    expect(received).toMatchObject({ container, challenge: ask, proof });
    expect(imported).toMatchObject({
      challenge: sha256(bytesOf('challenge.json')),
      container: { sha256: sha256(bytesOf('release.byok')) },
      proof: {
        answer: sha256(bytesOf('signature.json')),
        publicKey: sha256(bytesOf('public-key.json')),
      },
    });
  });

  it('the far side signed the very bytes of the challenge', () => {
    const { signature } = JSON.parse(bytesOf('signature.json').toString()) as { signature: string };
    const key = { key: createPublicKey(bytesOf('release.pub')), dsaEncoding: 'ieee-p1363' } as const;
    const bytes = Buffer.from(signature, 'base64');
    expect(verify('sha256', bytesOf('challenge.json'), key, bytes)).toBe(true);
  });
});
