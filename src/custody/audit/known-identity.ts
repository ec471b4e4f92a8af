/**
 * Which identities of others a home knows, and how well: a projection of its log. Whoever is only introduced is known no better
 * than the one who introduced them; a key that changed is not known at all until people say so.
 * @see docs/spec/identity.md
 */
import { InputError } from '#formats/errors';
import type { Infer } from '#formats/schema';
import * as s from '#formats/schema';
import type { ChainEntry } from './chain.js';
import { trustLevels, type TrustLevel } from './trust.js';

/** Type of the entry by which people say how far they know an identity. */
export const IDENTITY_TRUSTED = 'identity.trusted';

const trustedSchema = s.object({
  /** The identity. */
  id: s.hex(32),
  /** As its public file has it. */
  name: s.string({ max: 128 }),
  level: s.oneOf(...trustLevels),
  /** What the level rests on. */
  how: s.oneOf('first-sight', 'introduction', 'comparison', 'withdrawal'),
  /** Who introduced it, and the SHA-256 of the signed statement. */
  introduced: s.nullable(
    s.object({ by: s.hex(32), name: s.string({ max: 128 }), statement: s.hex(32) }),
  ),
  /** The identity of the same name that it takes the place of. */
  replaces: s.nullable(s.hex(32)),
});

/** What one entry says. */
export type IdentityTrusted = Infer<typeof trustedSchema>;

/** An identity of somebody else, as a home knows it. */
export interface KnownIdentity {
  readonly id: string;
  readonly name: string;
  /** How far it is known today, which may be less than what was said on the day. */
  readonly level: TrustLevel;
  readonly how: IdentityTrusted['how'];
  readonly introduced: IdentityTrusted['introduced'];
  /** When that was said. */
  readonly since: string;
  /** The identity that took its place. */
  readonly replacedBy: string | null;
}

/** What a home knows of an identity that somebody names. */
export type Acquaintance =
  | { readonly kind: 'known'; readonly known: KnownIdentity }
  /** Another identity goes by this name. */
  | { readonly kind: 'changed'; readonly known: KnownIdentity }
  | { readonly kind: 'unknown' };

/**
 * The identities that a log speaks of, in the order in which they first appear.
 * @param entries - of a chain that was verified: this looks at what they say, not at whether they are whole
 * @throws {@link InputError} `E_SCHEMA_MISMATCH`, `E_TRUST_UNGROUNDED` for an entry that no conclave writes
 */
export function knownFrom(entries: readonly ChainEntry[]): readonly KnownIdentity[] {
  const found = new Map<string, KnownIdentity>();
  for (const { seq, time, type, data } of entries) {
    if (type !== IDENTITY_TRUSTED) continue;
    const said = trustedSchema.parse(data, `log entry ${seq}`);
    assertGrounded(said, seq);
    const { id, name, how, introduced, replaces } = said;
    let { level } = said;
    for (const other of found.values()) {
      const isNamesake = other.id !== id && other.name === name && other.replacedBy === null;
      if (!isNamesake && other.id !== replaces) continue;
      // Two processes at once: nobody was told that the key changed, so nobody is known better for it.
      if (other.id !== replaces) level = 'tofu';
      found.set(other.id, { ...other, level: 'tofu', replacedBy: id });
    }
    found.set(id, { id, name, level, how, introduced, since: time, replacedBy: null });
    lowerIntroduced(found);
  }
  return [...found.values()];
}

/** Whoever was introduced falls with the introducer, and does not rise again by itself. */
function lowerIntroduced(found: Map<string, KnownIdentity>): void {
  for (const known of found.values()) {
    if (known.level !== 'introduced' || known.introduced === null) continue;
    if (found.get(known.introduced.by)?.level === 'verified') continue;
    found.set(known.id, { ...known, level: 'tofu' });
  }
}

/** What is known of an identity: by its keys first, for they are the identity, then by its name. */
export function acquaintance(
  known: readonly KnownIdentity[],
  { id, name }: { readonly id: string; readonly name: string },
): Acquaintance {
  const same = known.find((each) => each.id === id);
  if (same !== undefined) return { kind: 'known', known: same };
  const namesake = known.find((each) => each.name === name && each.replacedBy === null);
  return namesake === undefined ? { kind: 'unknown' } : { kind: 'changed', known: namesake };
}

/** A level says no more than what it rests on. */
function assertGrounded({ level, how, introduced }: IdentityTrusted, seq: number): void {
  const grounds: Readonly<Record<IdentityTrusted['how'], TrustLevel>> = {
    'first-sight': 'tofu',
    introduction: 'introduced',
    comparison: 'verified',
    withdrawal: 'tofu',
  };
  if (grounds[how] === level && (how === 'introduction') === (introduced !== null)) return;
  throw new InputError({
    code: 'E_TRUST_UNGROUNDED',
    message: `log entry ${seq} says ${level}, and rests on ${how}`,
    hint: 'conclave audit verify tells whether the log was touched',
  });
}
