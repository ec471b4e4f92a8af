/**
 * The archive that is carried to a machine without a network: the same bytes from two folders, whole by its own list, and
 * able to run a ceremony where there is nothing but Node.
 */
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeFilePayload, FILE_UR_TYPE } from '#carriage/transport/payload';
import { writePng } from '#carriage/transport/picture';
import { encodeQr } from '#carriage/transport/qr-code';
import { type Raster, rasterOf } from '#carriage/transport/raster';
import { encodeUr } from '#carriage/transport/ur';
import { sha256 } from '#crypto/hash';
import { hasProgram, needs, root, thorough } from '../support/require.js';

/** How to run a command where no network interface is up, as root or as an ordinary user. */
const isolation = [
  ['unshare', '-n'],
  ['unshare', '-rn'],
].find(([program = '', ...flags]) => spawnSync(program, [...flags, 'true']).status === 0);
const isolated = needs(
  'a network namespace',
  isolation !== undefined,
  'unshare -n is not allowed here, so nothing can be run without a network',
);
const tools = needs(
  'tar and sha256sum',
  hasProgram('tar') && hasProgram('sha256sum'),
  'the archive is unpacked and checked as its receiver would',
);

let work: string;
beforeAll(() => {
  work = mkdtempSync(join(tmpdir(), 'conclave-bundle-'));
});
afterAll(() => {
  rmSync(work, { recursive: true, force: true });
});

function run(
  command: readonly string[],
  cwd: string,
  env: NodeJS.ProcessEnv = process.env,
): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
  const [program = '', ...args] = command;
  return spawnSync(program, args, { cwd, env, encoding: 'utf8', timeout: 600_000 });
}

function bundle(checkout: string, out: string): { readonly file: string; readonly sum: string } {
  const done = run([process.execPath, 'scripts/bundle.mjs', '--out', out], checkout);
  expect(done.stderr).toBe('');
  expect(done.status).toBe(0);
  const [file = ''] = readdirSync(out).filter((name) => name.endsWith('.tar.gz'));
  return { file: join(out, file), sum: readFileSync(join(out, 'SHA256SUMS'), 'utf8') };
}

describe.skipIf(!tools)('the bundle', () => {
  let first: { readonly file: string; readonly sum: string };
  let unpacked: string;

  beforeAll(() => {
    first = bundle(root, join(work, 'first'));
    const place = join(work, 'unpacked');
    mkdirSync(place);
    expect(run(['tar', '-xzf', first.file, '-C', place], work).status).toBe(0);
    unpacked = join(place, readdirSync(place)[0] ?? '');
  }, 300_000);

  it.skipIf(!thorough)(
    'is the same, byte for byte, when it is built in another folder',
    () => {
      const other = join(work, 'another-checkout');
      const parts = readdirSync(root).filter(
        (name) => !['.git', 'node_modules', 'dist', 'artifacts', 'coverage', 'test'].includes(name),
      );
      for (const part of parts) cpSync(join(root, part), join(other, part), { recursive: true });
      symlinkSync(join(root, 'node_modules'), join(other, 'node_modules'));
      expect(run([process.execPath, 'scripts/build.mjs'], other).status).toBe(0);
      const second = bundle(other, join(work, 'second'));
      expect(second.sum).toBe(first.sum);
      expect(readFileSync(second.file).equals(readFileSync(first.file))).toBe(true);
    },
    900_000,
  );

  it('is whole by the list beside it and by the list inside', () => {
    expect(run(['sha256sum', '-c', 'SHA256SUMS'], join(work, 'first')).status).toBe(0);
    const inside = run(['sha256sum', '--quiet', '-c', 'SHA256SUMS'], unpacked);
    expect(inside.stderr).toBe('');
    expect(inside.status).toBe(0);
    const listed = readFileSync(join(unpacked, 'SHA256SUMS'), 'utf8').trim().split('\n').length;
    const present = readdirSync(unpacked, { recursive: true, withFileTypes: true }).filter(
      (entry) => entry.isFile(),
    ).length;
    expect(listed).toBe(present - 1);
  });

  it('carries what runs and nothing that was for building', () => {
    const packages = readdirSync(join(unpacked, 'node_modules'));
    expect(packages).toContain('commander');
    for (const absent of ['typescript', 'vitest', 'eslint', 'prettier', 'prebuild-install']) {
      expect(packages).not.toContain(absent);
    }
    expect(readdirSync(unpacked)).not.toContain('src');
  });

  it.skipIf(!isolated)(
    'runs quickstart and verifies it, with no network and no home',
    () => {
      const home = join(work, 'home');
      mkdirSync(home);
      const env = { PATH: process.env['PATH'], HOME: home, TERM: 'dumb', CI: 'true' };
      const off = isolation ?? [];
      const interfaces = run([...off, 'cat', '/proc/net/route'], home, env);
      expect(interfaces.stdout.trim().split('\n')).toHaveLength(1);

      const program = join(unpacked, 'conclave');
      const ran = run([...off, program, 'run', 'quickstart', '--out-dir', 'session'], home, env);
      expect(ran.stderr + ran.stdout).not.toMatch(/E_|Error/);
      expect(ran.status).toBe(0);
      const verified = run(
        [...off, program, 'verify', 'session', '--allow-unpinned', '--json'],
        home,
        env,
      );
      expect(verified.status, verified.stderr).toBe(0);
      expect(JSON.parse(verified.stdout)).toMatchObject({ ok: true });
    },
    300_000,
  );

  it.skipIf(!isolated)('reads a sheet of two codes, with no network', async () => {
    const sheet = join(work, 'sheet.png');
    const codes = ['first', 'second'].map((name) => {
      const payload = { kind: 'file', name, bytes: Buffer.from(name) };
      const text = encodeUr(FILE_UR_TYPE, encodeFilePayload(payload, sha256)).toUpperCase();
      return rasterOf(encodeQr(text, { level: 'M', version: 10 }), 4);
    });
    const [left, right] = codes as [Raster, Raster];
    const pixels = new Uint8Array(2 * left.pixels.length);
    for (let row = 0; row < left.height; row++) {
      const line = (of: Raster): Uint8Array =>
        of.pixels.subarray(row * of.width, (row + 1) * of.width);
      pixels.set(line(left), 2 * row * left.width);
      pixels.set(line(right), (2 * row + 1) * left.width);
    }
    writeFileSync(sheet, await writePng({ width: 2 * left.width, height: left.height, pixels }));
    // Two codes in one picture: only the reader whose wasm file has to come along finds both.
    const scan = ['qr', 'scan', '--image', sheet, '--out-dir', 'scanned'];
    const ran = run([...(isolation ?? []), join(unpacked, 'conclave'), ...scan], work, {
      PATH: process.env['PATH'],
      HOME: work,
    });
    expect(ran.stderr).toBe('');
    expect(ran.status).toBe(0);
    expect(readdirSync(join(work, 'scanned')).sort()).toEqual(['first', 'second']);
  });
});
