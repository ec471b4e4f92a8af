/** `trace prove`: in the cage, the signature and the trace of how it came about. */
import { posix } from 'node:path';
import { sha256 } from '#crypto/hash';
import { toHex } from '#formats/bytes';
import { InternalError, NegativeError, RefusedError, UsageError } from '#formats/errors';
import { formatTime } from '#formats/time';
import { decodeRequest, type TraceRequest } from '#protocols/inhead/request';
import { decodeTrace, encodeTrace, type TraceFile } from '#protocols/inhead/trace-file';
import { defineAction } from './action.js';
import type { ActionContext } from './context/context.js';
import { writeTogether } from './context/write-together.js';
import { assertEnvironment } from './shares/change.js';
import { collectShares } from './shares/collect.js';
import { readSources } from './shares/sources.js';
import { quorumText, requestLines } from './trace/asked.js';
import { levelMisfit } from './trace/check-bytes.js';
import {
  assertGroupOf,
  assertQuorum,
  assertTwin,
  checkTrace,
  environmentOf,
  keyIdOf,
  namingOf,
  readTraceKey,
  type TraceKey,
} from './trace/key.js';
import { assertAllowed } from './trace/policy.js';
import { HANDLING } from './trace/verdict.js';

const MAX_REQUEST_BYTES = 128 * 1024;

/** What came out. */
export interface ProveResult {
  readonly signature: string;
  readonly trace: string;
  readonly request: string;
  readonly level: string;
  readonly quorum: string;
  readonly algorithm: string;
  readonly bytes: number;
  /** SHA-256 of the signature file, for the second device and the record. */
  readonly digest: string;
  /** SHA-256 of the trace. */
  readonly traceDigest: string;
  readonly twin: boolean;
  readonly environment: string;
}

export const traceProve = defineAction({
  id: 'trace.prove',
  summary: 'sign a request with a quorum of shares and prove which ones',
  description:
    'Run inside the cage. Shows the request and asks for approval, opens each share against its commitment, and signs: a key behind ' +
    'shares of bytes is put together in memory for that, and signs deterministically; the parties of a threshold key are played here, ' +
    'every one, and the key stays in shares. Proves in the head, from level quorum on, that the opened shares are the ones committed ' +
    'to, without telling them. ' +
    'Nothing is written before the finished trace has verified in the same process, and then both files or neither. Without a terminal, --approve says which request ' +
    'was approved. --twin, at level nonces or with shares of bytes, takes no randomness, so that two laptops with the same shares make the same files; on any difference both ' +
    'files and both signatures are destroyed unseen outside, and that request is not run twin again. Afterwards ' +
    HANDLING +
    '.',
  inputs: {
    request: { type: 'file', summary: 'the request', required: true },
    group: { type: 'file', summary: 'the group record: set.json or group.json', required: true },
    share: {
      type: 'shares',
      summary:
        'a share file, the text of a card, or the key of a threshold share, for each of the quorum; cards are asked for without',
      repeat: true,
      placeholder: 'FILE',
    },
    custodians: {
      type: 'role',
      summary: 'role whose holders the shares belong to, in order',
      only: 'ceremony',
    },
    keys: {
      type: 'path',
      summary:
        'folder in which the key files of a threshold key lie, of one custodian after the other',
      only: 'ceremony',
    },
    approve: {
      type: 'digest',
      summary: 'the request that the custodians approved',
      placeholder: 'sha256:HEX',
    },
    twin: { type: 'boolean', summary: 'take all coins from request and shares' },
    outSig: {
      type: 'path',
      summary: 'where the signature goes',
      required: true,
      placeholder: 'SIG',
    },
    out: { type: 'path', summary: 'where the trace goes', required: true, placeholder: 'TRACE' },
  },
  outputs: {
    signature: { type: 'file', summary: 'the signature' },
    trace: { type: 'file', summary: 'the trace' },
    digest: { type: 'digest', summary: 'SHA-256 of the signature' },
    traceDigest: { type: 'digest', summary: 'SHA-256 of the trace, which twins have in common' },
  },
  options: ['passphrase', 'identity', 'force'],
  effect: 'repeatable',
  exits: [75, 77],
  examples: [
    {
      command:
        'conclave trace prove --request release.request --group set.json --share share-1.cbor --share share-3.cbor --out-sig release.sig --out release.trace',
      explains: 'shares 1 and 3 sign; the request is shown and has to be approved',
    },
    {
      command:
        'conclave trace prove --request release.request --group group.json --share ann.key --share cem.key --out-sig release.sig --out release.trace',
      explains: 'the same with two shares of a threshold key, in the key files of their holders',
    },
  ],
  run: async (input, context): Promise<ProveResult> => {
    const { files } = context;
    assertApart(input.outSig, input.out);
    files.assertAbsent([input.outSig, input.out]);
    const requestBytes = files.read(input.request, MAX_REQUEST_BYTES);
    const request = decodeRequest(requestBytes, input.request);
    const key = await readTraceKey(input.group, files);
    assertGroupOf(request, key, input.request);
    const kept = key.kind === 'bytes' ? 'set' : 'key';
    assertEnvironment(environmentOf(key), context.environment, key.name, kept);
    assertMaySign(key, request, input.request, context);
    assertAllowed(key, request, input.request);
    assertTwin(key, request, input.twin === true);
    if (request.quorum !== undefined)
      assertQuorum(key, request.quorum, `the quorum of ${input.request}`);
    const naming = namingOf(key);
    const digest = `sha256:${toHex(sha256(requestBytes))}`;
    await approve(requestLines(request, digest, naming), digest, input, context);
    const twin = input.twin === true;
    const bytes = encodeTrace(await make({ key, request, requestBytes }, input, context));
    // What leaves is what was read back and verified, not what was meant.
    const trace = decodeTrace(bytes, input.out);
    const question = { key, request, requestBytes, trace, what: input.out };
    const verdict = await checkTrace(question, context);
    if (!verdict.ok) {
      throw new InternalError({
        code: 'E_TRACE_UNVERIFIED',
        message: 'the trace that was just made does not verify, and nothing was written',
        hint: 'the machine computed wrongly: do not use it again',
      });
    }
    // A signature without its trace must not leave, and a trace without its signature is of no use.
    writeTogether(
      [
        { path: input.out, bytes, secret: true },
        { path: input.outSig, bytes: trace.signature },
      ],
      files,
    );
    const signed = `sha256:${toHex(sha256(trace.signature))}`;
    const quorum = quorumText(trace.quorum, naming);
    context.record({
      type: 'trace.proven',
      data: {
        request: digest,
        key: keyIdOf(key),
        level: trace.level,
        quorum,
        signature: signed,
      },
    });
    return {
      signature: input.outSig,
      trace: input.out,
      request: digest,
      level: trace.level,
      quorum,
      algorithm: key.descriptor.name,
      bytes: bytes.length,
      digest: signed,
      traceDigest: `sha256:${toHex(sha256(bytes))}`,
      twin,
      environment: environmentOf(key),
    };
  },
  present: ({ signature, trace, quorum, algorithm, bytes, digest, environment, twin }) =>
    [
      ...(environment === 'production' ? [] : [`${environment.toUpperCase()}: not for production`]),
      `shares ${quorum} signed with the ${algorithm} key: ${signature}`,
      `  ${digest}`,
      `${trace}: ${bytes} bytes, verified here`,
      ...(twin ? ['twin: both laptops’ files must be equal, or all four are destroyed here'] : []),
      HANDLING,
    ].join('\n'),
});

/** What is proven. */
interface Proven {
  readonly key: TraceKey;
  readonly request: TraceRequest;
  readonly requestBytes: Uint8Array;
}

/** The trace, by shares of either kind; they are wiped. */
async function make(
  proven: Proven,
  asked: {
    readonly share: readonly string[];
    readonly custodians?: string | undefined;
    readonly keys?: string | undefined;
    readonly twin?: boolean | undefined;
  },
  context: ActionContext,
): Promise<TraceFile> {
  const { key } = proven;
  const twin = asked.twin === true;
  if (key.kind === 'scalar') {
    const { openScalars } = await import('./trace/open-scalars.js');
    const { proveScalars } = await import('./trace/prove-scalars.js');
    const { quorum } = proven.request;
    const { custodians, keys } = asked;
    const signers =
      custodians === undefined || keys === undefined
        ? await openScalars(asked.share, key, quorum, context)
        : await (
            await import('./trace/bring-scalars.js')
          ).bringScalars({ key, wanted: quorum, role: custodians, folder: keys }, context);
    try {
      return await proveScalars({ ...proven, key, signers, twin }, context);
    } finally {
      for (const { opening } of signers) opening.dispose();
    }
  }
  const given = readSources(asked.share, context.files);
  const named = { name: key.name, file: { set: key.set, signatures: [], signedBytes: key.bytes } };
  const sources = given.length > 0 ? given : await collectShares(context, 'quorum', named);
  try {
    const { proveBytes } = await import('./trace/prove-bytes.js');
    return await proveBytes(
      { ...proven, key, sources, twin, custodians: asked.custodians },
      context,
    );
  } finally {
    for (const { bytes } of sources) bytes.fill(0);
  }
}

/** The signature leaves, the trace stays: one file for both would lose one of them, and with --force without a word. */
function assertApart(signature: string, trace: string): void {
  if (posix.normalize(signature) !== posix.normalize(trace)) return;
  throw new UsageError({
    code: 'E_TRACE_OUTPUTS',
    message: `--out-sig and --out are both ${trace}`,
    hint: 'the signature leaves the cage and the trace does not: give each a file of its own',
  });
}

/** Refuses a request that is past its time, or of a level that the key does not have. */
function assertMaySign(
  key: TraceKey,
  request: TraceRequest,
  name: string,
  context: ActionContext,
): void {
  const misfit = key.kind === 'bytes' ? levelMisfit(request) : undefined;
  if (misfit !== undefined) {
    throw new RefusedError({
      code: 'E_TRACE_LEVEL',
      message: `${name}: ${misfit}`,
      hint: 'make a request of level quorum',
    });
  }
  const { expires } = request;
  if (expires !== undefined && context.now().getTime() / 1000 > expires) {
    throw new RefusedError({
      code: 'E_TRACE_EXPIRED',
      message: `${name} expired at ${formatTime(new Date(1000 * expires))}, by the clock of this machine`,
      hint: 'make a new request, or correct the clock',
    });
  }
}

/** People see what they sign and say yes; a program says which request was approved. */
async function approve(
  lines: readonly string[],
  digest: string,
  {
    approve: approved,
    request,
  }: { readonly approve?: string | undefined; readonly request: string },
  context: ActionContext,
): Promise<void> {
  for (const line of lines) context.progress(line);
  if (approved !== undefined) {
    if (approved === digest) return;
    throw new RefusedError({
      code: 'E_TRACE_NOT_APPROVED',
      message: `${request} is not the request that was approved: it is ${digest}`,
      hint: 'look at it with conclave show, and approve what is to be signed',
    });
  }
  const answer = await context.ask.confirm?.('Do all custodians here approve this request?');
  if (answer === true) return;
  if (answer === false) {
    throw new NegativeError({
      code: 'E_TRACE_DECLINED',
      message: `${request} was not approved, and nothing was signed`,
    });
  }
  throw new UsageError({
    code: 'E_TRACE_APPROVAL',
    message: `nobody can be asked whether ${request} is approved`,
    hint: `look at it with conclave show, then give --approve ${digest}`,
  });
}
