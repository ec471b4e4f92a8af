/** The form of a verdict on a transcript; what `actions/artifacts` says of every artifact has the same form. */

/**
 * How far a claim can be believed: recomputed here, signed by somebody pinned, said by somebody, answered by a file in a
 * person's place, or not enforced at all.
 */
export type Grade = 'checked' | 'proven' | 'attested' | 'recorded' | 'unattended' | 'advisory';

/** One line of a verdict. */
export interface Claim {
  readonly claim: string;
  readonly grade: Grade;
  readonly ok: boolean;
  /** Why, or what was compared; for a failure what is wrong and where. */
  readonly detail: string;
}

/** The answer. */
export interface Verdict {
  readonly ok: boolean;
  readonly kind: string;
  /** The first line for people; marks (rehearsal, dev, not pinned) come first. */
  readonly summary: string;
  readonly claims: readonly Claim[];
}

/** A claim that holds. */
export function yes(grade: Grade, claim: string, detail = ''): Claim {
  return { claim, grade, ok: true, detail };
}

/** A claim that does not. */
export function no(grade: Grade, claim: string, detail: string): Claim {
  return { claim, grade, ok: false, detail };
}
