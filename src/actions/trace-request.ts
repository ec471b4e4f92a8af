/** `trace request`: what goes into the cage. */
import { sha256 } from '#crypto/hash';
import { toHex } from '#formats/bytes';
import { formatTime } from '#formats/time';
import { LEVELS } from '#protocols/inhead/level';
import { encodeRequest, MAX_MESSAGE_BYTES, type TraceRequest } from '#protocols/inhead/request';
import { defineAction } from './action.js';
import { durationSeconds, parseQuorum, quorumText, requestLines } from './trace/asked.js';
import {
  assertLevel,
  assertQuorum,
  environmentOf,
  keyIdOf,
  namingOf,
  readTraceKey,
} from './trace/key.js';
import { assertAllowed, policyOf } from './trace/policy.js';

/** What was asked for. */
export interface RequestResult {
  readonly request: string;
  /** `sha256:HEX` of the request, which custodians approve. */
  readonly digest: string;
  readonly level: string;
  readonly quorum: string | null;
  readonly expires: string | null;
  readonly environment: string;
  /** As lines, for a person. */
  readonly shows: readonly string[];
}

export const traceRequest = defineAction({
  id: 'trace.request',
  summary: 'ask a cold quorum for a signature with a trace',
  description:
    'Writes the request that goes into the cage: a random nonce, the exact bytes to be signed, the digest of the group record, the ' +
    'level, and, better than not, the quorum and an expiry. The group record is set.json of a set of shares, whose level is quorum, or ' +
    'group.json of a threshold key, which has all levels. The request fits a file or QR codes (conclave qr show). Keep a copy: the ' +
    'trace is verified against it.',
  inputs: {
    group: { type: 'file', summary: 'the group record: set.json or group.json', required: true },
    in: { type: 'file', summary: 'what to sign, at most 64 KiB', required: true },
    level: {
      type: 'string',
      summary:
        'what the trace is to prove: shares, the equations of the signature alone; quorum, also that the committed shares were ' +
        'there; nonces, also that nobody chose a nonce',
      choices: LEVELS,
      default: 'quorum',
    },
    quorum: {
      type: 'string',
      summary: 'which shares must sign; any quorum may when not given',
      placeholder: '1,3',
    },
    bind: { type: 'boolean', summary: 'at level shares, bind the signature to this request' },
    expires: { type: 'string', summary: 'how long it may be signed', placeholder: '24h' },
    out: { type: 'path', summary: 'where the request goes', required: true },
  },
  outputs: {
    request: { type: 'file', summary: 'the request' },
    digest: { type: 'digest', summary: 'SHA-256 of the request, for custodians to approve' },
  },
  options: ['force'],
  effect: 'repeatable',
  exits: [77],
  examples: [
    {
      command:
        'conclave trace request --group set.json --in release.txt --quorum 1,3 --expires 24h --out release.request',
      explains: 'shares 1 and 3 are to sign within a day',
    },
    {
      command:
        'conclave trace request --group group.json --in release.txt --level nonces --quorum 1,3 --expires 24h --out release.request',
      explains: 'the same of a threshold key, and no nonce is to be chosen by anybody',
    },
  ],
  run: async (input, context): Promise<RequestResult> => {
    context.files.assertAbsent([input.out]);
    const key = await readTraceKey(input.group, context.files);
    const level = LEVELS.find((each) => each === input.level) ?? 'quorum';
    const bind = input.bind === true;
    assertLevel(key, level, bind);
    const message = context.files.read(input.in, MAX_MESSAGE_BYTES);
    const naming = namingOf(key);
    const quorum = input.quorum === undefined ? undefined : parseQuorum(input.quorum, naming);
    if (quorum !== undefined) assertQuorum(key, quorum, `--quorum ${input.quorum}`);
    const expires =
      input.expires === undefined
        ? undefined
        : Math.floor(context.now().getTime() / 1000) + durationSeconds(input.expires);
    const request: TraceRequest = {
      nonce: context.random(32),
      message,
      group: sha256(key.bytes),
      level,
      quorum,
      bind,
      policy: policyOf(message),
      expires,
    };
    // What the cage would refuse is not carried there.
    assertAllowed(key, request, input.in);
    const bytes = encodeRequest(request);
    context.files.write(input.out, bytes);
    const digest = `sha256:${toHex(sha256(bytes))}`;
    context.record({
      type: 'trace.requested',
      data: { request: digest, key: keyIdOf(key), level: request.level },
    });
    return {
      request: input.out,
      digest,
      level: request.level,
      quorum: quorum === undefined ? null : quorumText(quorum, naming),
      expires: expires === undefined ? null : formatTime(new Date(1000 * expires)),
      environment: environmentOf(key),
      shows: requestLines(request, digest, naming),
    };
  },
  present: ({ request, environment, quorum, expires, shows }) =>
    [
      ...(environment === 'production' ? [] : [`${environment.toUpperCase()}: not for production`]),
      `wrote ${request}`,
      ...shows,
      ...(quorum === null ? ['no quorum is named: whoever proves chooses among the shares'] : []),
      ...(expires === null ? ['it never expires: --expires 24h would limit it'] : []),
    ].join('\n'),
});
