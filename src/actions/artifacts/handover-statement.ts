/** What `verify` says of the statements of a hand-over, and of introductions: who signed is checked as for any statement, what they say is their word. */
import type { HandoverSummary } from '#custody/authority/handover-statement';
import type { Identity } from '#custody/authority/identity';
import type { ArtifactVerdict, Claim } from './artifact.js';

/**
 * The verdict on a statement of a hand-over.
 * @param signatures - the verdict on its signatures alone
 * @param signedBy - who signed it, of those known here
 * @param pinned - whether they are known because somebody said so, and not because they happen to be here
 */
export function handoverVerdict(
  { sentence, signer, environment }: HandoverSummary,
  signatures: ArtifactVerdict,
  signedBy: readonly Identity[],
  pinned: boolean,
): ArtifactVerdict {
  const bySigner = signedBy.some(({ id }) => id === signer.id);
  const ok = signatures.ok && bySigner;
  const claims: readonly Claim[] = [
    ...signatures.claims,
    {
      claim: 'whoever it names as its author signed it',
      grade: 'checked',
      ok: bySigner,
      detail: bySigner ? signer.id : `no signature by ${signer.name} (${signer.id})`,
    },
    {
      claim: sentence,
      grade: pinned && ok ? 'attested' : 'recorded',
      ok: true,
      detail: `the word of ${signer.name}`,
    },
  ];
  const marks = [
    ...(environment === 'production' ? [] : [`${environment.toUpperCase()} KEY`]),
    ...(pinned ? [] : ['signers not pinned']),
  ];
  const problem = claims.find((claim) => !claim.ok);
  const what =
    problem === undefined ? sentence : `${sentence}: ${problem.claim}: ${problem.detail}`;
  return { ok, kind: 'statement', summary: [...marks, what].join(': '), claims };
}
