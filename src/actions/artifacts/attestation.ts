/** What `verify` says of an attestation: who signed is checked as for any statement, what they say stays their word. */
import { type Attestation, attestationSentence } from '#custody/audit/attestation';
import type { Identity } from '#custody/authority/identity';
import type { ArtifactVerdict, Claim } from './artifact.js';

/**
 * The verdict on an attestation.
 * @param signatures - the verdict on its signatures alone
 * @param signedBy - who signed it, of those known here
 * @param pinned - whether they are known because somebody said so, and not because they happen to be here
 */
export function attestationVerdict(
  content: Attestation,
  signatures: ArtifactVerdict,
  signedBy: readonly Identity[],
  pinned: boolean,
): ArtifactVerdict {
  const { operator, key } = content;
  const byOperator = signedBy.some(({ id }) => id === operator.id);
  const ok = signatures.ok && byOperator;
  const claims: readonly Claim[] = [
    ...signatures.claims,
    {
      claim: 'the operator whom it names signed it',
      grade: 'checked',
      ok: byOperator,
      detail: byOperator ? operator.id : `no signature by ${operator.name} (${operator.id})`,
    },
    {
      claim: attestationSentence(content),
      grade: pinned && ok ? 'attested' : 'recorded',
      ok: true,
      detail: 'a software attestation: the word of its operator',
    },
    ...furtherClaims(content),
  ];
  const marks = [
    ...(key.environment === 'production' ? [] : [`${key.environment.toUpperCase()} KEY`]),
    ...(pinned ? [] : ['signers not pinned']),
  ];
  const problem = claims.find((claim) => !claim.ok);
  const what =
    problem === undefined
      ? `software attestation: ${attestationSentence(content)}`
      : `software attestation: ${problem.claim}: ${problem.detail}`;
  return { ok, kind: 'statement', summary: [...marks, what].join(': '), claims };
}

/** What stands in an attestation and nothing here can check. */
function furtherClaims({ device, evidence, previous }: Attestation): readonly Claim[] {
  const recorded = (claim: string, detail: string): Claim => ({
    claim,
    grade: 'recorded',
    ok: true,
    detail,
  });
  return [
    ...(device === null
      ? []
      : [
          recorded(
            `what the ${device.model} token ${device.label} says of the key`,
            'the word of its library; no signature of the device stands behind it',
          ),
        ]),
    ...evidence.map(({ name, sha256 }) => recorded(`evidence ${name}`, sha256)),
    ...(previous === null
      ? []
      : [recorded(`follows entry ${previous.seq} of the log of its operator`, previous.hash)]),
  ];
}
