/**
 * In the cage, for a key in shares of a scalar: the laptop plays every signer of the quorum in its own memory, signs, and proves
 * with which shares. At level `nonces` it makes every nonce from the shares; elsewhere the nonces are FROST's.
 */
import { opensCommitment, openedShare } from '#crypto/frost/commitment';
import { encodeScalar } from '#crypto/math/prime-group';
import { fromHex } from '#formats/bytes';
import { InternalError, NegativeError } from '#formats/errors';
import type { SecretBytes } from '#formats/secret-bytes';
import { proveBinding } from '#protocols/inhead/binding-proof';
import { rootOf, twinRootOf } from '#protocols/inhead/hash-input';
import { parametersOf } from '#protocols/inhead/level';
import { signWithFixedNonces } from '#protocols/inhead/nonce-signer';
import { encodeProof } from '#protocols/inhead/proof';
import { proveStepwise, type SecretOpening } from '#protocols/inhead/prover';
import type { TraceRequest } from '#protocols/inhead/request';
import {
  type ScalarContext,
  type ScalarSignature,
  scalarSize,
  scalarStatement,
  scalarStatementHash,
} from '#protocols/inhead/scalar-statement';
import { checkEquations } from '#protocols/inhead/share-equation';
import type { TraceFile } from '#protocols/inhead/trace-file';
import {
  aggregate,
  commit,
  readNonceCommitments,
  signShare,
} from '#protocols/threshold/frost-rounds';
import type { ActionContext } from '../context/context.js';
import { assertTwin } from './key.js';
import { proofText, stepping } from './progress.js';
import { type ScalarKey, scalarContext } from './scalar-key.js';

/** One signer's share as it was opened. */
export interface OpenedScalar {
  readonly name: string;
  readonly number: number;
  /** x_i ‖ r_i. */
  readonly opening: SecretBytes;
}

/** What is proven with. */
export interface ScalarProving {
  readonly key: ScalarKey;
  readonly request: TraceRequest;
  readonly requestBytes: Uint8Array;
  /** Exactly a quorum, ascending. */
  readonly signers: readonly OpenedScalar[];
  readonly twin: boolean;
}

/**
 * A trace over shares of a scalar; nobody has verified it yet.
 * @throws {@link NegativeError} `E_TRACE_SHARE` naming a share that does not open its commitment or has another public share
 * @throws RefusedError `E_TRACE_TWIN` for a twin at another level than `nonces`
 */
export async function proveScalars(
  { key, request, requestBytes, signers, twin }: ScalarProving,
  context: Pick<ActionContext, 'random' | 'progress' | 'gauge'>,
): Promise<TraceFile> {
  const { group } = key;
  const { suite } = group;
  assertTwin(key, request, twin);
  for (const signer of signers) assertShare(signer, key);
  const quorum = signers.map(({ number }) => number);
  const about = scalarContext(key, request, requestBytes, quorum);
  const openings: SecretOpening[] = signers.map(({ opening }) =>
    opening.use((bytes) => ({
      x: bytes.slice(0, suite.scalarBytes),
      r: bytes.slice(suite.scalarBytes),
    })),
  );
  const secrets = openings.flatMap(({ x, r }) => [x, r]);
  const wiped: Uint8Array[] = [...secrets];
  try {
    const random = twin ? undefined : context.random(64);
    if (random !== undefined) wiped.push(random);
    const nonces = request.level === 'nonces' ? signWithFixedNonces(about, openings) : undefined;
    wiped.push(...(nonces?.secrets ?? []));
    const signed: ScalarSignature = nonces ?? signByFrost(about, openings, context.random);
    const equations = checkEquations(about, signed);
    if (!equations.ok) throw fault(equations.reason);
    const base = {
      ...parametersOf(request.level, scalarSize(suite).orderBits),
      level: request.level,
      suite: suite.code,
      quorum,
      signature: signed.signature,
      shares: signed.shares,
    };
    if (request.level === 'shares') {
      const h0 = scalarStatementHash(about, signed);
      const shares = openings.map(({ x }) => x);
      const proof = request.bind
        ? proveBinding(group, h0, quorum, shares, context.random)
        : new Uint8Array(0);
      return { ...base, proof };
    }
    const statement = scalarStatement(about, signed, equations.nonces);
    const root =
      random === undefined
        ? twinRootOf(statement.h0, secrets)
        : rootOf(random, statement.h0, secrets);
    wiped.push(root);
    const witness = openings.map((each, i) => {
      const nonce = nonces?.secrets[i];
      return nonce === undefined ? each : { ...each, nonce };
    });
    const proof = await stepping(
      proveStepwise(statement, witness, root),
      { title: 'proving', about: proofText(request.level, quorum.length) },
      context,
    );
    return { ...base, proof: encodeProof(proof) };
  } finally {
    for (const secret of wiped) secret.fill(0);
  }
}

/**
 * Each share alone: it opens C_i, x_i·G = Y_i, and x_i is from 1 to q−1.
 * @throws {@link NegativeError} `E_TRACE_SHARE`
 */
export function assertShare(
  { name, number, opening }: OpenedScalar,
  { group, name: record }: ScalarKey,
): void {
  const { suite, context, publicShares } = group;
  const member = group.record.members.find((each) => each.number === number);
  const good =
    member !== undefined &&
    opening.use((bytes) => {
      const committed = fromHex(member.commitment);
      if (!opensCommitment(suite, context, number, bytes, committed)) return false;
      const x = openedShare(bytes, suite);
      if (x <= 0n || x >= suite.group.order) return false;
      return publicShares.get(number)?.equals(suite.group.base.multiply(x)) === true;
    });
  if (good) return;
  throw new NegativeError({
    code: 'E_TRACE_SHARE',
    message: `${name} does not open the commitment of share ${number} in ${record}`,
    hint: 'it is of another key or of another epoch; ask its custodian for the right one',
  });
}

/** FROST with every signer in this process. */
function signByFrost(
  { group, quorum, message }: ScalarContext,
  openings: readonly SecretOpening[],
  random: ActionContext['random'],
): ScalarSignature {
  const { suite, key, publicShares, record } = group;
  const signing = { suite, threshold: record.threshold, key, publicShares };
  const shares = openings.map(({ x }) => openedShare(x, suite));
  const nonces = quorum.map((number, i) => commit(suite, number, shares[i] as bigint, random));
  const sent = nonces.map(({ hiding, binding }, i) => ({
    number: quorum[i] as number,
    hiding,
    binding,
  }));
  const commitments = readNonceCommitments(sent, suite);
  const made = new Map(
    quorum.map((number, i) => [
      number,
      signShare(
        signing,
        number,
        shares[i] as bigint,
        (nonces[i] as (typeof nonces)[number]).secret,
        commitments,
        message,
      ),
    ]),
  );
  const signature = aggregate(signing, commitments, message, made);
  const lengths = { ...suite.group, scalarBytes: suite.scalarBytes };
  return {
    signature,
    shares: sent.map(({ number, hiding, binding }) => ({
      hiding,
      binding,
      z: encodeScalar(suite.decodeScalar(made.get(number) as Uint8Array, 'z'), lengths),
    })),
  };
}

function fault(reason: string): InternalError {
  return new InternalError({
    code: 'E_TRACE_FAULT',
    message: `what was just signed does not satisfy its own equations: ${reason}`,
    hint: 'do not use this machine; nothing was written',
  });
}
