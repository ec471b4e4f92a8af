/** A session of three parties for the tests of this folder. */
import { shake256 } from '#crypto/hash';
import { utf8 } from '#formats/bytes';
import { makeRoster, type Roster } from '#protocols/parties/roster';
import { newSessionKeys, type OpenSessionKeys } from '#protocols/parties/session-keys';

/** Deterministic random bytes. */
export function randomFrom(seed: string): (length: number) => Uint8Array {
  let counter = 0;
  return (length) => shake256(length, utf8(`${seed}/${counter++}`));
}

/** Party numbers of the session; not 1, 2, 3, since numbers need not be dense. */
export const numbers = [1, 2, 7] as const;

/** A roster and the keys of its parties. */
export interface Session {
  readonly roster: Roster;
  readonly keys: ReadonlyMap<number, OpenSessionKeys>;
}

/** A session, the same in every run for the same name. */
export async function session(name: string): Promise<Session> {
  const keys = new Map<number, OpenSessionKeys>();
  for (const number of numbers)
    keys.set(number, await newSessionKeys(randomFrom(`${name}/${number}`)));
  const roster = makeRoster({
    session: shake256(32, utf8(`${name}/session`)),
    purpose: 'frost-ed25519/keygen',
    terms: shake256(32, utf8(`${name}/terms`)),
    parties: numbers.map((number) => ({
      number,
      identity: shake256(32, utf8(`identity/${number}`)),
      ed25519: (keys.get(number) as OpenSessionKeys).ed25519,
      xWing: (keys.get(number) as OpenSessionKeys).xWing,
    })),
  });
  return { roster, keys };
}
