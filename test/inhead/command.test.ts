/** Traces of threshold keys by the commands that people use: keys made together, shares in key files, every level. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inProcess } from '../cli/runners.js';
import { hasProgram, thorough } from '../support/require.js';

const READER = fileURLToPath(new URL('../independent/verify_trace.py', import.meta.url));

describe('a trace of a threshold key', () => {
  const run = inProcess('trace-threshold');
  let folder: string;

  const conclave = async (line: string) => {
    const given = { cwd: folder, stdin: new Uint8Array(0), env: {} };
    const { code, stdout, stderr } = await run(line.split(' '), given);
    return { code, out: stdout.toString(), err: stderr.toString() };
  };
  const good = async (line: string): Promise<Record<string, unknown>> => {
    const { code, out, err } = await conclave(`${line} --json`);
    expect(code, `${line}: ${out}${err}`).toBe(0);
    return JSON.parse(out) as Record<string, unknown>;
  };
  const keygen = async (suite: string, home: string): Promise<void> => {
    await good(
      `threshold keygen --simulate --suite ${suite} --threshold 2 --shares 3 --passphrase-file pass --out-dir ${home}`,
    );
  };
  const of = (home: string, ...numbers: number[]): string =>
    numbers.map((number) => `--share ${home}/dev-party-${number}.key`).join(' ');
  const request = async (home: string, more: string, name = `${home}/r`): Promise<string> => {
    const asked = await good(
      `trace request --group ${home}/group.json --in m ${more} --out ${name}`,
    );
    return `trace prove --request ${name} --group ${home}/group.json --approve ${String(asked['digest'])} --passphrase-file pass`;
  };
  const verify = (home: string, sig = `${home}/sig`): string =>
    `trace verify --request ${home}/r --group ${home}/group.json --sig ${sig} ${home}/t`;
  const reader = (home: string): number => {
    const path = (name: string): string => join(folder, home, name);
    const given = ['--group', path('group.json'), '--request', path('r'), '--sig', path('sig')];
    try {
      execFileSync('python3', ['-B', READER, ...given, path('t')], { stdio: 'ignore' });
      return 0;
    } catch (error) {
      return (error as { status: number }).status;
    }
  };

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'conclave-trace-'));
    writeFileSync(join(folder, 'm'), 'release 1.2\n');
    writeFileSync(join(folder, 'pass'), 'a passphrase for tests\n', { mode: 0o600 });
    await keygen('ed25519', 'ed25519');
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  // The other suites: every-suite.test.ts.
  it('holds at level shares, and a reader in plain Python agrees', async () => {
    const suite = 'ed25519';
    const home = `shares-${suite}`;
    await keygen(suite, home);
    const prove = await request(home, '--level shares --bind --quorum 1,3');
    await good(`${prove} ${of(home, 3, 1)} --out-sig ${home}/sig --out ${home}/t`);
    const verdict = await good(verify(home));
    const claims = verdict['claims'] as { claim: string; grade: string }[];
    expect(verdict['ok']).toBe(true);
    expect(claims.map(({ claim }) => claim)).toContain(
      'shares 1, 3 made the partial signatures; a holder of any t shares could have named another quorum',
    );
    expect(verdict['notProven']).toContain('membership: not proven at this level');
    // Request and trace fit one code each.
    for (const name of thorough ? ['r', 't'] : []) {
      await good(`qr show ${home}/${name} --png ${home}/${name}.png`);
      await good(`qr scan --image ${home}/${name}.png --out ${home}/${name}.scanned`);
      const [sent, came] = ['', '.scanned'].map((end) =>
        readFileSync(join(folder, home, name + end)),
      );
      expect(came?.equals(sent as Buffer)).toBe(true);
    }
    if (!hasProgram('python3')) return;
    expect(reader(home)).toBe(0);
    const path = join(folder, home, 't');
    writeFileSync(
      path,
      readFileSync(path).map((byte, i, all) => (i === all.length - 1 ? byte ^ 1 : byte)),
    );
    expect(reader(home)).toBe(1);
  });

  it('is of its group record alone, and SIG is no signature that the parties made themselves', async () => {
    const home = 'shares-ed25519';
    const prove = await request(home, '--level shares', `${home}/r --force`);
    await good(
      `${prove.replace(' --force', '')} ${of(home, 1, 2)} --out-sig ${home}/sig --out ${home}/t --force`,
    );
    expect((await conclave(verify(home))).code).toBe(0);
    await good(
      `threshold sign --simulate ${of(home, 1, 2)} --message m --out ${home}/sig2 --passphrase-file pass`,
    );
    expect((await conclave(verify(home, `${home}/sig2`))).code).toBe(1);
    const text = readFileSync(join(folder, home, 'group.json'), 'utf8');
    const record = JSON.parse(text) as Record<string, unknown>;
    for (const field of Object.keys(record)) {
      const value = record[field];
      const changed =
        typeof value === 'number'
          ? text.replace(`"${field}":${value}`, `"${field}":${value + 1}`)
          : text.replace(
              `"${field}":${JSON.stringify(value)}`,
              `"${field}":${JSON.stringify(other(value))}`,
            );
      expect(changed, field).not.toBe(text);
      writeFileSync(join(folder, 'changed.json'), changed);
      const line = verify(home).replace(`${home}/group.json`, 'changed.json');
      expect([1, 65], field).toContain((await conclave(line)).code);
    }
  });

  it.runIf(thorough)(
    'holds at level nonces, as twins byte for byte, with every claim',
    async () => {
      const home = 'ed25519';
      const prove = await request(home, '--level nonces --quorum 1,3 --expires 24h');
      for (const name of ['', '-2']) {
        await good(
          `${prove} ${of(home, 1, 3)} --twin --out-sig ${home}/sig${name} --out ${home}/t${name}`,
        );
      }
      const read = (name: string): Buffer => readFileSync(join(folder, home, name));
      expect(read('t').equals(read('t-2')) && read('sig').equals(read('sig-2'))).toBe(true);
      const verdict = await good(`${verify(home)} --at 2024-01-01T00:00:00Z`);
      const claims = verdict['claims'] as { claim: string }[];
      const all = claims.map(({ claim }) => claim).join('\n');
      expect(all).toContain(
        'for each of shares 1, 3 the prover knew (x, r) opening the commitment',
      );
      expect(all).toContain(
        'no freely chosen bit beyond whether to sign: nonces are a fixed function',
      );
    },
  );

  it('is not made as twins where FROST draws nonces, by other shares, or by those of another ceremony', async () => {
    const outputs = '--out-sig no-sig --out no-t';
    const refused = async (line: string, code: number): Promise<string> => {
      const result = await conclave(`${line} ${outputs}`);
      expect(result.code, result.err).toBe(code);
      expect(existsSync(join(folder, 'no-t')) || existsSync(join(folder, 'no-sig'))).toBe(false);
      return result.err;
    };
    const home = 'ed25519';
    const quorum = await request(home, '--level quorum --quorum 1,3', 'r-quorum');
    expect(await refused(`${quorum} ${of(home, 1, 3)} --twin`, 77)).toContain('no twins');
    expect(await refused(`${quorum} ${of(home, 1, 2)}`, 2)).toContain('shares 1, 3 sign');
    expect(await refused(`${quorum} ${of(home, 1)}`, 2)).toContain('shares 1, 3 sign');
    expect(await refused(`${quorum} ${of(home, 1, 3, 3)}`, 2)).toContain('shares 1, 3 sign');
    expect(await refused(quorum, 2)).toContain('no share of');
    await keygen('ed25519', 'stranger');
    const mixed = `${quorum} ${of(home, 1)} ${of('stranger', 3)}`;
    expect(await refused(mixed, 1)).toContain('does not open the commitment of share 3');
    const shares = await request(home, '--level shares', 'r-shares');
    expect(await refused(`${shares} ${of(home, 2, 2)}`, 2)).toContain('any 2 different ones');
    for (const level of ['quorum', 'nonces']) {
      const line = `trace request --group ${home}/group.json --in m --level ${level} --bind --out x`;
      expect((await conclave(line)).code).toBe(2);
    }
  });
});

/** The same kind of value, and another. */
function other(value: unknown): unknown {
  if (Array.isArray(value)) return value.slice(0, 2);
  if (typeof value !== 'string') return `sha256:${'0'.repeat(64)}`;
  return value.startsWith('0') ? `1${value.slice(1)}` : `0${value.slice(1)}`;
}
