/** Identities for the tests of this folder, the same in every run. */
import { newIdentity, type OpenIdentity } from '#custody/authority/identity';
import { shake256 } from '#crypto/hash';
import { utf8 } from '#formats/bytes';

/** Deterministic random bytes. */
export function randomFrom(seed: string): (length: number) => Uint8Array {
  let counter = 0;
  return (length) => shake256(length, utf8(`${seed}/${counter++}`));
}

/** The identity of a name. */
export async function person(
  name: string,
  environment: 'production' | 'dev' = 'production',
): Promise<OpenIdentity> {
  return newIdentity({
    name,
    environment,
    now: new Date('2026-11-23T09:30:00.500Z'),
    random: randomFrom(name),
  });
}
