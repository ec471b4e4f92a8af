/** Somebody who can vouch types the fingerprint of whoever is enrolled, as its owner reads it from paper. */
import { hearFingerprint } from '#actions/identity/compare';
import { fingerprint, type Identity } from '#custody/authority/identity';
import { NegativeError } from '#formats/errors';
import { KNOWN_LEVELS } from '#script/definition';
import { mayVouch } from '#script/enrolment';
import type { Participant, Said } from '#script/entries';
import { reaches } from '#script/people';
import { holders, instanceKey } from '#script/plan';
import type { EnrolmentDesk } from './enrolment.js';
import { conversationOf, graded } from './people.js';
import type { Session } from './session.js';

/** A comparison that agreed. */
export interface Comparison {
  readonly voucher: Participant;
  readonly graded: Said['graded'];
}

/**
 * Who can compare, the best known first, and known well enough for what the role asks; asked before anything is made.
 * @returns undefined where the step has nobody compare
 * @throws NegativeError `E_ENROLMENT_LEVEL` when nobody can
 */
export function vouchersFor(
  { definition, environment, recorder }: Session,
  { name, role }: Participant,
  comparedBy: string | undefined,
): readonly Participant[] | undefined {
  // In rehearsals people are made up on the spot, and no level is demanded.
  const wanted = environment === 'production' ? definition.roles[role]?.level : undefined;
  const refuse = (problem: string): NegativeError =>
    new NegativeError({
      code: 'E_ENROLMENT_LEVEL',
      message: `${name} cannot become ${wanted ?? 'known'} as ${role}: ${problem}`,
      hint: 'nobody is better known than whoever compared them; see how well the people are known who are here',
    });
  if (comparedBy === undefined) {
    if (wanted === undefined || wanted === 'tofu') return undefined;
    throw refuse('nobody compares the identity');
  }
  const able = holders(recorder.state.participants, comparedBy)
    .filter((it) => it.identity !== null && it.name !== name && mayVouch(it.role))
    .filter(({ level }) => wanted === undefined || reaches(level, wanted))
    .sort((a, b) => rank(a) - rank(b));
  if (able.length === 0) throw refuse(`no ${comparedBy} can vouch for that`);
  return able;
}

/**
 * The comparison.
 * @param vouchers - from {@link vouchersFor}
 * @returns undefined where nobody compares
 * @throws NegativeError `E_FINGERPRINT_DIFFERS`
 */
export async function compareFingerprint(
  desk: EnrolmentDesk,
  identity: Identity,
  vouchers: readonly Participant[] | undefined,
): Promise<Comparison | undefined> {
  const [first, ...others] = vouchers ?? [];
  if (first === undefined) return undefined;
  const { session, instance, heard } = desk;
  const { terminal } = session;
  const owner = instance.for ?? identity.name;
  const at = { key: instanceKey(instance) };
  let voucher = first;
  if (others.length > 0 && terminal.interactive) {
    const names = [first, ...others].map(({ name }) => ({ value: name, label: name }));
    const who = await terminal.choose(`Who types the fingerprint of ${owner}?`, names, at);
    voucher = others.find(({ name }) => name === who.value) ?? first;
  }
  const { name } = voucher;
  if (!terminal.interactive) {
    // A file hears nobody: its word is graded as what it is.
    const answer = await terminal.confirm(
      `${name}: does ${owner} read ${fingerprint(identity)}?`,
      at,
    );
    if (!answer.value) {
      throw new NegativeError({
        code: 'E_FINGERPRINT_DIFFERS',
        message: `${instanceKey(instance)}: ${owner} reads another fingerprint`,
        hint: 'nobody was enrolled; find out whose identity it is',
      });
    }
    return heardBy(graded(answer));
  }
  // What is expected must not be on the screen while somebody types what they hear.
  terminal.clear?.();
  terminal.say(
    `${name} sits down at the keyboard. ${owner} reads the fingerprint aloud, from their own paper and not from this ` +
      `screen, in words or in digits; ${name} types what they hear.`,
  );
  await hearFingerprint(
    identity,
    conversationOf(terminal, at.key, name),
    `the identity of ${owner}`,
  );
  return heardBy('recorded');

  function heardBy(how: Said['graded']): Comparison {
    heard({ name, said: `typed the fingerprint of ${owner} as ${owner} read it`, graded: how });
    return { voucher, graded: how };
  }
}

function rank({ level }: Participant): number {
  return level === 'none' ? KNOWN_LEVELS.length : KNOWN_LEVELS.indexOf(level);
}
