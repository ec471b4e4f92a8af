/** A trace of version 1, as the first program that wrote one left it. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { decodeRequest, encodeRequest } from '#protocols/inhead/request';
import { decodeTrace, encodeTrace } from '#protocols/inhead/trace-file';
import { inProcess } from '../cli/runners.js';

const folder = fileURLToPath(new URL('v2/traces', import.meta.url));
const read = (name: string): Uint8Array => new Uint8Array(readFileSync(`${folder}/${name}`));

it('still holds, and is written the same', async () => {
  const run = inProcess('compat-traces');
  const line = 'trace verify --request release.request --group set.json --sig release.sig release.trace';
  const { code } = await run(line.split(' '), { cwd: folder, stdin: new Uint8Array(0), env: {} });
  expect(code).toBe(0);
  const trace = read('release.trace');
  expect(Buffer.compare(encodeTrace(decodeTrace(trace, 'trace')), trace)).toBe(0);
  const request = read('release.request');
  expect(Buffer.compare(encodeRequest(decodeRequest(request, 'request')), request)).toBe(0);
});
