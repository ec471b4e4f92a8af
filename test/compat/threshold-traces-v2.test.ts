/**
 * A trace of a threshold key at level `shares`, as the first program that wrote one left it; traces of other levels have
 * megabytes, and come again from the seeds of test/inhead/known-answers.json. It travels by one code, as its request does.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { Receiver } from '#carriage/transport/receiver';
import { sha256 } from '#crypto/hash';
import { decodeRequest, encodeRequest } from '#protocols/inhead/request';
import { decodeTrace, encodeTrace } from '#protocols/inhead/trace-file';
import { inProcess } from '../cli/runners.js';
import { hasProgram, needs } from '../support/require.js';

const zbar = needs('zbarimg', hasProgram('zbarimg'), 'another reader of QR codes');
const python = needs('python3', hasProgram('python3'), 'the second verifier is written in it');
const folder = fileURLToPath(new URL('v2/threshold-traces', import.meta.url));
const reader = fileURLToPath(new URL('../independent/verify_trace.py', import.meta.url));
const read = (name: string): Uint8Array => new Uint8Array(readFileSync(`${folder}/${name}`));
const run = inProcess('compat-threshold-traces');
const conclave = async (line: string): Promise<number> =>
  (await run(line.split(' '), { cwd: folder, stdin: new Uint8Array(0), env: {} })).code;

it('still holds, and is written the same', async () => {
  const line =
    'trace verify --request release.request --group group.json --sig release.sig release.trace';
  expect(await conclave(line)).toBe(0);
  expect(await conclave('verify group.json release.request release.trace')).toBe(0);
  const trace = read('release.trace');
  expect(Buffer.compare(encodeTrace(decodeTrace(trace, 'trace')), trace)).toBe(0);
  const request = read('release.request');
  expect(Buffer.compare(encodeRequest(decodeRequest(request, 'request')), request)).toBe(0);
});

it.runIf(python)('holds for the verifier in plain Python, and no changed copy does', () => {
  const says = (trace: string): number | null =>
    spawnSync(
      'python3',
      [
        ...['-B', reader, '--group', 'group.json', '--request', 'release.request'],
        ...['--sig', 'release.sig', trace],
      ],
      { cwd: folder, stdio: 'ignore' },
    ).status;
  expect(says('release.trace')).toBe(0);
  expect(says('release.request')).toBe(1);
});

it.runIf(zbar).each(['release.request', 'release.trace'])(
  '%s fits one code, which others scan',
  async (name) => {
    const work = mkdtempSync(join(tmpdir(), 'conclave-codes-'));
    try {
      const picture = join(work, 'code.png');
      expect(await conclave(`qr show ${name} --png ${picture}`)).toBe(0);
      const scanned = spawnSync('zbarimg', ['-q', '--raw', picture], { encoding: 'utf8' });
      const codes = scanned.stdout.trim().split('\n');
      expect(codes).toHaveLength(1);
      const step = new Receiver(sha256).take(codes[0] ?? '', name);
      if (step.status !== 'arrived' || step.arrival.form !== 'file')
        throw new Error('not all of it came');
      expect(Buffer.compare(step.arrival.bytes, read(name))).toBe(0);
    } finally {
      rmSync(work, { recursive: true });
    }
  },
);
