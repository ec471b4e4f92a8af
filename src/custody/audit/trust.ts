/**
 * How far an identity's key is known to be that person's. An order and nothing more: levels are lowered by code and raised
 * only by a recorded act of people, so there is no function here that raises one.
 */

/** From the weakest: first use, introduced by someone verified, fingerprint compared out of band. */
export const trustLevels = ['tofu', 'introduced', 'verified'] as const;

/** A trust level. */
export type TrustLevel = (typeof trustLevels)[number];

/** Whether `level` is at least `required`. */
export function meetsTrust(level: TrustLevel, required: TrustLevel): boolean {
  return trustLevels.indexOf(level) >= trustLevels.indexOf(required);
}
