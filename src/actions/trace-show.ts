/** `trace show`: what a trace or a request says of itself, without trusting it. */
import { sha256 } from '#crypto/hash';
import { toHex } from '#formats/bytes';
import type { JsonObject } from '#formats/canonical-json';
import { InputError } from '#formats/errors';
import { decodeRequest, looksLikeRequest } from '#protocols/inhead/request';
import { looksLikeTrace, MAX_TRACE_BYTES } from '#protocols/inhead/trace-file';
import { defineAction } from './action.js';
import type { ActionContext } from './context/context.js';
import { quorumText, requestLines } from './trace/asked.js';
import { describeRequest, describeTrace } from './trace/describe.js';
import { assertGroupOf, namingOf, readTraceKey } from './trace/key.js';

/** How far the commitments of a threshold key are known; nothing of other keys. */
async function grades(group: string, { files }: ActionContext): Promise<JsonObject> {
  const key = await readTraceKey(group, files);
  if (key.kind !== 'scalar') return {};
  const { commitmentClaim } = await import('./threshold/proof-files.js');
  const { grade, ok, detail } = commitmentClaim(key.group, group, files);
  return { commitments: `${ok ? grade : 'NOT proven'}: ${detail}` };
}

/** What it says. */
export interface TraceShowResult {
  readonly file: string;
  /** `sha256:HEX` of the file. */
  readonly digest: string;
  readonly content: JsonObject;
}

export const traceShow = defineAction({
  id: 'trace.show',
  summary: 'show what a trace or a request says, and how sound a trace is',
  description:
    'Lists level, quorum, sizes and the parts of a proof, and how many bits of soundness its repetitions give, computed in two ways ' +
    'that share nothing; with --group also how far it is known that the commitments of the record are of its public shares. Proves ' +
    'nothing of a trace: trace verify does that.',
  inputs: {
    file: {
      type: 'file',
      summary: 'a trace or a request',
      required: true,
      positional: 0,
      placeholder: 'FILE',
    },
    group: {
      type: 'file',
      summary:
        'the group record: shares go by their names there, a request for another one is refused, and proofs beside it are verified',
    },
  },
  outputs: {
    digest: { type: 'digest', summary: 'SHA-256 of the file, which custodians approve' },
    content: { type: 'report', summary: 'what it says' },
  },
  effect: 'none',
  examples: [
    { command: 'conclave trace show release.trace', explains: 'sizes, parameters, soundness' },
    { command: 'conclave trace show release.request', explains: 'what is asked for' },
  ],
  run: async ({ file, group }, context): Promise<TraceShowResult> => {
    const bytes = context.files.read(file, MAX_TRACE_BYTES);
    const digest = `sha256:${toHex(sha256(bytes))}`;
    if (looksLikeTrace(bytes)) {
      const content = describeTrace(bytes, file);
      if (group === undefined) return { file, digest, content };
      return { file, digest, content: { ...content, ...(await grades(group, context)) } };
    }
    if (looksLikeRequest(bytes)) {
      const request = decodeRequest(bytes, file);
      const key = group === undefined ? undefined : await readTraceKey(group, context.files);
      if (key !== undefined) assertGroupOf(request, key, file);
      const naming = key && namingOf(key);
      // In a ceremony this is what people see before they say that they approve it.
      if (context.inCeremony === true)
        for (const line of requestLines(request, digest, naming)) context.progress(line);
      const content = describeRequest(bytes, file);
      const { quorum } = request;
      return {
        file,
        digest,
        content:
          key === undefined || quorum === undefined
            ? content
            : { ...content, shares: quorumText(quorum, naming) },
      };
    }
    throw new InputError({
      code: 'E_TRACE_UNKNOWN',
      message: `${file} is neither a trace nor a request for one`,
      hint: 'conclave show knows the other artifacts',
    });
  },
  present: ({ file, content }) =>
    [
      file,
      ...Object.entries(content).flatMap(([name, value]) => {
        const text = typeof value === 'string' ? value : JSON.stringify(value);
        const line = `  ${name}: ${text}`;
        // A digest stands on a line of its own, where one can compare it.
        return line.length <= 80 ? [line] : [`  ${name}:`, `    ${text}`];
      }),
    ].join('\n'),
});
