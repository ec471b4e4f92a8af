/** Claims about signatures and sign-offs: who had to sign, who did, and whether that says who they are. */
import type { EntryData, Participant } from '../entries.js';
import { ADMINISTRATOR, isWitnessRole } from '../people.js';
import type { Replayed } from '../replayed.js';
import { type Claim, no, yes } from '../verdict.js';

/** What is known of the signatures on a transcript's envelope. */
export interface Signatures {
  /** Ids of those participants' identities whose signatures are all good. */
  readonly signedBy: ReadonlySet<string>;
  /** What is wrong with the signatures, one clause each. */
  readonly problems: readonly string[];
  /** Ids of the identities that may have signed; undefined when the verifier pinned nobody. */
  readonly pinned: ReadonlySet<string> | undefined;
  readonly allowUnpinned: boolean;
}

/**
 * Who had to sign: administrator and witnesses, as far as they have identities and did not disagree; of a session that ended
 * early its administrator; and everybody who signed off by an identity. Without a signature of the administrator and of a witness
 * nothing real is a transcript.
 */
export function signatureClaims(
  opened: EntryData['session.opened'],
  { participants, signoffs, enrolled, closed }: Replayed,
  { signedBy, problems, pinned, allowUnpinned }: Signatures,
): Claim[] {
  const claims: Claim[] = problems.map((problem) => no('checked', 'the signatures', problem));
  const aborted = closed?.outcome === 'aborted';
  const disagrees = ({ name, role }: Participant): boolean =>
    signoffs.some((it) => it.person === name && it.role === role && !it.agrees);
  const signed = ({ identity }: Participant): boolean =>
    identity !== null && signedBy.has(identity.id);
  const required = (person: Participant): boolean =>
    person.identity !== null &&
    !disagrees(person) &&
    (person.role === ADMINISTRATOR ||
      (isWitnessRole(person.role) && !aborted) ||
      signoffs.some((it) => it.person === person.name && it.role === person.role));
  /** Who typed somebody's fingerprint: pinned, under a good signature, it is that person's word for the identity. */
  const vouchers = (person: Participant): string | undefined => {
    const found = enrolled.find((it) => it.name === person.name && it.role === person.role);
    if (found === undefined) return undefined;
    const { by, role } = found.how?.compared ?? {};
    const voucher = participants.find((it) => it.name === by && it.role === role);
    const id = voucher?.identity?.id;
    return id !== undefined && signedBy.has(id) && pinned?.has(id) === true ? (by ?? '') : '';
  };
  for (const person of participants.filter((it) => required(it) || signed(it))) {
    const { name, role } = person;
    const id = person.identity?.id ?? '';
    const claim = `${name} (${role}) signed`;
    const short = `identity ${id.slice(0, 16)}`;
    if (!signed(person)) claims.push(no('checked', claim, `no good signature by ${short}`));
    else if (pinned === undefined)
      claims.push({ claim, grade: 'recorded', ok: allowUnpinned, detail: `${short}, not pinned` });
    else if (pinned.has(id)) claims.push(yes('attested', claim, short));
    else claims.push(unpinned(claim, short, vouchers(person)));
  }
  const kinds: [string, (person: Participant) => boolean][] = [
    [ADMINISTRATOR, ({ role }) => role === ADMINISTRATOR],
  ];
  if (!aborted) kinds.push(['witness', ({ role }) => isWitnessRole(role)]);
  for (const [kind, isOne] of kinds) {
    const holders = participants.filter(isOne);
    // In what is marked anyway a role may go without identities; in a real session never.
    const excused =
      holders.some(disagrees) ||
      (opened.environment !== 'production' && holders.every(({ identity }) => identity === null));
    if (!excused && !holders.some(signed))
      claims.push(no('checked', 'the signatures', `there is none by a ${kind}`));
  }
  if (signedBy.size === 0) claims.push(no('checked', 'the signatures', 'there is none at all'));
  return claims;
}

/** A signature by nobody who is pinned: by somebody whom pinned people enrolled, or refused. */
function unpinned(claim: string, short: string, voucher: string | undefined): Claim {
  if (voucher === undefined)
    return no('recorded', claim, `${short} is not one of those that are pinned`);
  return voucher === ''
    ? yes('recorded', claim, `${short}, enrolled here`)
    : yes('attested', claim, `${short}, enrolled here and compared by ${voucher}`);
}

/** What each said of the record. */
export function signOffClaims(
  { signoffs, participants }: Replayed,
  { signedBy, pinned }: Signatures,
): Claim[] {
  return signoffs.map(({ person, role, agrees, reason, graded }) => {
    const identity = participants.find((it) => it.name === person && it.role === role)?.identity;
    const attested =
      identity !== null &&
      identity !== undefined &&
      signedBy.has(identity.id) &&
      pinned?.has(identity.id) === true;
    const grade = graded === 'unattended' ? graded : attested ? 'attested' : 'recorded';
    return agrees
      ? yes(grade, `${person} (${role}) signed off`)
      : yes(grade, `${person} (${role}) DISAGREES`, reason ?? '');
  });
}
