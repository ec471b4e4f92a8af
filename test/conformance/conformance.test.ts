/** The conformance runner itself: it must notice a wrong vector, an unknown file, and a missing folder. */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { needs, root, vectorsDir } from '../support/require.js';

interface Row {
  readonly area: string;
  readonly file: string;
  readonly run: number;
  readonly passed: number;
  readonly failed: number;
  readonly notApplicable: number;
  readonly reason: string;
}

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'conclave-conformance-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

function conformance(vectors = folder): {
  status: number | null;
  stdout: string;
  rows: readonly Row[];
} {
  const json = join(folder, 'result.json');
  const { status, stdout } = spawnSync(
    process.execPath,
    ['scripts/conformance.mjs', '--json', json],
    {
      cwd: root,
      encoding: 'utf8',
      env: { ...process.env, CONCLAVE_VECTORS: vectors, CONCLAVE_REQUIRE: '' },
    },
  );
  const rows = (JSON.parse(readFileSync(json, 'utf8')) as { areas: Row[] }).areas;
  return { status, stdout, rows };
}

const built = existsSync(join(root, 'dist/crypto/registry.js'));
const hasBuild = needs('a build', built, 'run the build first');
const vectors = vectorsDir();
const hasVectors = needs(
  'test vectors',
  vectors !== undefined,
  'no test vectors (CONCLAVE_VECTORS)',
);

describe.skipIf(!hasBuild || !hasVectors)('conformance', () => {
  const copy = (area: string): string => {
    cpSync(join(vectors ?? '', area), join(folder, area), { recursive: true });
    return join(folder, area);
  };

  it('passes an area as it is, one row per file', () => {
    copy('xwing');
    const { status, stdout, rows } = conformance();
    expect(status).toBe(0);
    expect(rows.map(({ file }) => file)).toEqual(['test-vectors.json', 'xwing.priv', 'xwing.pub']);
    for (const row of rows) {
      expect(row).toMatchObject({ area: 'xwing', failed: 0, notApplicable: 0, reason: '' });
      expect(row.run).toBeGreaterThan(0);
      expect(row.passed).toBe(row.run);
      expect(stdout).toContain(row.file);
    }
  });

  it('fails on one corrupted vector, and says which', () => {
    const file = join(copy('xwing'), 'test-vectors.json');
    const text = readFileSync(file, 'utf8');
    const secret = /"ss":\s*"([0-9a-f]{64})"/.exec(text)?.[1] ?? '';
    const changed = (secret.startsWith('0') ? '1' : '0') + secret.slice(1);
    writeFileSync(file, text.replace(secret, changed));
    const { status, stdout, rows } = conformance();
    expect(status).toBe(1);
    expect(stdout).toMatch(/FAILED xwing\/test-vectors\.json: case 1: ss/);
    expect(rows.find((row) => row.file === 'test-vectors.json')?.failed).toBeGreaterThan(0);
  });

  it('fails on a vector file that cannot be read', () => {
    writeFileSync(join(copy('xwing'), 'test-vectors.json'), '{');
    expect(conformance().status).toBe(1);
  });

  it('fails on an unknown file inside a covered area', () => {
    writeFileSync(join(copy('xwing'), 'later.json'), '[]');
    const { status, rows } = conformance();
    expect(status).toBe(1);
    expect(rows.find((row) => row.file === 'later.json')).toMatchObject({
      failed: 1,
      reason: 'unknown file',
    });
  });

  it('lists an area without code, and does not fail for it', () => {
    const area = join(folder, 'later');
    cpSync(join(vectors ?? '', 'xwing'), area, { recursive: true });
    const { status, rows } = conformance();
    expect(status).toBe(0);
    expect(rows.length).toBe(3);
    for (const row of rows) expect(row).toMatchObject({ run: 0, reason: 'not yet covered' });
  });

  it('says so when there are no vectors', () => {
    const { status, stdout, rows } = conformance(join(folder, 'nowhere'));
    expect(status).toBe(0);
    expect(stdout).toContain('no test vectors at');
    expect(rows).toEqual([]);
  });
});
