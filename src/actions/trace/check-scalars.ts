/** Whether a trace holds whose shares are scalars. */
import { REPETITIONS } from '#protocols/inhead/hash-input';
import { verifyBinding } from '#protocols/inhead/binding-proof';
import {
  type ScalarContext,
  scalarSize,
  scalarStatement,
  scalarStatementHash,
} from '#protocols/inhead/scalar-statement';
import { checkEquations, isQuorum } from '#protocols/inhead/share-equation';
import { suiteName } from '#protocols/inhead/trace-file';
import type { GroupPoint } from '#crypto/math/prime-group';
import type { Claim } from '../artifacts/artifact.js';
import { headerMisfit, isSigned, refusalOf, type TraceQuestion } from './check-bytes.js';
import { policyClaim } from './policy.js';
import { UNWATCHED, type Watched } from './progress.js';
import { type ScalarKey, scalarContext } from './scalar-key.js';
import { checked, NEVER_PROVEN, SCALAR_NOT_PROVEN, type TraceVerdict, WORDS } from './verdict.js';

/** The verdict on a trace whose shares are scalars. */
export async function checkScalarTrace(
  question: TraceQuestion<ScalarKey>,
  watched: Watched = UNWATCHED,
): Promise<TraceVerdict> {
  const { key, request, requestBytes, trace } = question;
  const { suite } = key.group;
  const shares = trace.quorum.join(', ');
  const { orderBits } = scalarSize(suite);
  const misfit =
    headerMisfit(question, orderBits, suiteName(suite.code)) ??
    (isQuorum(key.group, trace.quorum) ? undefined : `shares ${shares} are not exactly a quorum`);
  const signed = await isSigned(key, request.message, trace.signature);
  const claims: Claim[] = [
    checked(
      WORDS.request,
      misfit === undefined,
      misfit ?? `shares ${shares}, level ${trace.level}`,
    ),
    policyClaim(key, request),
    checked(
      WORDS.valid,
      signed,
      signed ? `by the ${key.descriptor.name} key of ${key.name}` : 'it does not verify',
    ),
  ];
  const notProven: string[] = [];
  if (misfit === undefined) {
    const context = scalarContext(key, request, requestBytes, trace.quorum);
    const equations = checkEquations(context, trace);
    const reason = equations.ok ? 'share equations' : equations.reason;
    const named = request.quorum !== undefined;
    if (trace.level === 'shares') {
      claims.push(checked(WORDS.shares(shares), equations.ok, reason));
      claims.push(...bindingClaims(question, context, notProven));
    } else {
      const refusal = equations.ok
        ? await proofRefusal(question, context, equations.nonces, watched)
        : reason;
      const proven = refusal === undefined;
      const how = refusal ?? `MPC in the head, ${REPETITIONS} repetitions, soundness 2^-128`;
      const consequence = trace.level === 'nonces' && equations.ok;
      claims.push(
        checked(
          WORDS.shares(shares),
          equations.ok && (trace.level !== 'nonces' || proven),
          consequence ? (refusal ?? 'a consequence of membership and nonces') : reason,
        ),
        checked(WORDS.membership(shares), proven, how),
      );
      if (trace.level === 'nonces') claims.push(checked(WORDS.nonces(named), proven, how));
      const age =
        trace.level === 'nonces' ? 'and so was the signature' : 'the signature may be older';
      claims.push(checked(WORDS.freshProof, proven, refusal ?? age));
    }
    if (trace.level !== 'nonces') notProven.push('nonces: not proven at this level');
    if (trace.level === 'shares') notProven.push('membership: not proven at this level');
  }
  return {
    ok: claims.every(({ ok }) => ok),
    claims,
    notProven: [...notProven, ...SCALAR_NOT_PROVEN, ...NEVER_PROVEN],
  };
}

function bindingClaims(
  { key, request, trace }: TraceQuestion<ScalarKey>,
  context: ScalarContext,
  notProven: string[],
): Claim[] {
  if (request.bind) {
    const h0 = scalarStatementHash(context, trace);
    const ok = verifyBinding(key.group, h0, trace.quorum, trace.proof);
    const detail = ok ? 'each signer’s share signed this trace' : 'the binding does not hold';
    return [checked(WORDS.freshProof, ok, detail)];
  }
  notProven.push('fresh: not proven at this level');
  const ok = trace.proof.length === 0;
  return ok ? [] : [checked(WORDS.freshProof, false, 'there is a proof that nobody asked for')];
}

async function proofRefusal(
  { trace, what }: TraceQuestion<ScalarKey>,
  context: ScalarContext,
  nonces: readonly GroupPoint[],
  watched: Watched,
): Promise<string | undefined> {
  const statement = scalarStatement(context, trace, nonces);
  return await refusalOf(trace, statement, what, watched);
}
