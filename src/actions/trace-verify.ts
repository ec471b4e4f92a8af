/** `trace verify`: what a trace proves, against the verifier's own request and group record. */
import { UsageError } from '#formats/errors';
import { formatTime } from '#formats/time';
import { decodeRequest } from '#protocols/inhead/request';
import { decodeTrace, MAX_TRACE_BYTES } from '#protocols/inhead/trace-file';
import { defineAction } from './action.js';
import type { Claim } from './artifacts/artifact.js';
import { commitmentClaim } from './threshold/proof-files.js';
import { signatureClaim } from './trace/check-bytes.js';
import { assertGroupOf, checkTrace, environmentOf, readTraceKey } from './trace/key.js';
import { checked, HANDLING, presentVerdict } from './trace/verdict.js';

const MAX_REQUEST_BYTES = 128 * 1024;
const MAX_SIGNATURE_BYTES = 64 * 1024;

/** The answer. */
export interface TraceVerifyResult {
  readonly ok: boolean;
  readonly trace: string;
  readonly level: string;
  readonly environment: string;
  readonly claims: readonly Claim[];
  readonly notProven: readonly string[];
}

export const traceVerify = defineAction({
  id: 'trace.verify',
  summary: 'say what a trace proves',
  description:
    'Takes the verifier’s own copies of the request and of the group record, never the trace’s word for them, and the signature file, ' +
    'which must be the signature in the trace. Prints each claim with its grade, and what is not proven. With --at it also asks ' +
    'whether the request had expired at that time. ' +
    `Who keeps what: ${HANDLING}.`,
  inputs: {
    trace: {
      type: 'file',
      summary: 'the trace',
      required: true,
      positional: 0,
      placeholder: 'TRACE',
    },
    request: { type: 'file', summary: 'your own copy of the request', required: true },
    group: { type: 'file', summary: 'your own copy of the group record', required: true },
    sig: { type: 'file', summary: 'the signature file', required: true, placeholder: 'SIG' },
    at: {
      type: 'string',
      summary: 'when it was signed, as far as you know',
      pattern: '\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ',
      placeholder: 'TIME',
    },
  },
  outputs: { ok: { type: 'verdict', summary: 'whether every claim holds' } },
  effect: 'none',
  examples: [
    {
      command:
        'conclave trace verify --request release.request --group set.json --sig release.sig release.trace',
      explains: 'on a second device in the cage, before the signature leaves',
    },
  ],
  run: async (input, context): Promise<TraceVerifyResult> => {
    const { files } = context;
    const requestBytes = files.read(input.request, MAX_REQUEST_BYTES);
    const request = decodeRequest(requestBytes, input.request);
    const key = await readTraceKey(input.group, files);
    assertGroupOf(request, key, input.request);
    const trace = decodeTrace(files.read(input.trace, MAX_TRACE_BYTES), input.trace);
    const file = files.read(input.sig, MAX_SIGNATURE_BYTES);
    const what = input.trace;
    const verdict = await checkTrace({ key, request, requestBytes, trace, what }, context);
    const claims = [
      signatureClaim(file, trace),
      ...verdict.claims,
      // That it was published when the key was made is another's word; what it opens to may have been proven then.
      ...(key.kind === 'scalar' ? [commitmentClaim(key.group, input.group, files)] : []),
      ...expiryClaim(request.expires, input.at),
    ];
    const unknown =
      request.expires !== undefined && input.at === undefined
        ? ['that the request had not expired: give --at TIME']
        : [];
    return {
      ok: claims.every(({ ok }) => ok),
      trace: input.trace,
      level: trace.level,
      environment: environmentOf(key),
      claims,
      notProven: [...unknown, ...verdict.notProven],
    };
  },
  present: (result) => {
    const { ok, trace, level, environment } = result;
    const mark =
      environment === 'production' ? '' : `${environment.toUpperCase()}, not for production: `;
    const summary = ok ? `a good trace of level ${level}` : 'does NOT hold';
    return presentVerdict(result, `${mark}${trace}: ${summary}`);
  },
});

function expiryClaim(expires: number | undefined, at: string | undefined): Claim[] {
  if (at === undefined) return [];
  const time = Date.parse(at);
  // Not every day that `Date.parse` takes is in the calendar: the 30th of February would be another one.
  if (Number.isNaN(time) || formatTime(new Date(time)) !== at) {
    throw new UsageError({
      code: 'E_TRACE_TIME',
      message: `--at ${at} is no time`,
      hint: 'say it in UTC, as 2026-11-26T09:30:00Z',
    });
  }
  const until = expires === undefined ? 'it never expires' : formatTime(new Date(1000 * expires));
  const ok = expires === undefined || time / 1000 <= expires;
  return [checked(`the request had not expired at ${at}`, ok, until)];
}
