/** Traces and their requests as `show` and `verify` know them: form alone, since the rest takes request and group record. */
import { looksLikeRequest } from '#protocols/inhead/request';
import { looksLikeTrace } from '#protocols/inhead/trace-file';
import { describeRequest, describeTrace } from '../trace/describe.js';
import type { ArtifactKind } from './artifact.js';

export const traceKind: ArtifactKind = {
  kind: 'trace',
  detect: (bytes) => looksLikeTrace(bytes),
  show: (bytes, name) => Promise.resolve(describeTrace(bytes, name)),
  verify: (bytes, name) => {
    const { level, quorum } = describeTrace(bytes, name);
    return Promise.resolve({
      ok: true,
      kind: 'trace',
      summary: 'a trace in good form; what it proves, conclave trace verify says',
      claims: [
        {
          claim: 'its header is well formed, in its one spelling',
          grade: 'checked',
          ok: true,
          detail: `level ${JSON.stringify(level)}, shares ${JSON.stringify(quorum)}`,
        },
        {
          claim: 'it proves anything',
          grade: 'recorded',
          ok: true,
          detail: 'only together with request, group record and signature: conclave trace verify',
        },
      ],
    });
  },
};

export const traceRequestKind: ArtifactKind = {
  kind: 'trace-request',
  detect: (bytes) => looksLikeRequest(bytes),
  show: (bytes, name) => Promise.resolve(describeRequest(bytes, name)),
  verify: (bytes, name) => {
    const { digest } = describeRequest(bytes, name);
    return Promise.resolve({
      ok: true,
      kind: 'trace-request',
      summary: 'a request in good form; who made it, it does not say',
      claims: [
        {
          claim: 'it is well formed, and its digest is that of its message',
          grade: 'checked',
          ok: true,
          detail: JSON.stringify(digest),
        },
      ],
    });
  },
};
