/**
 * SLIP-39: two-level Shamir sharing of a secret of 16 to 96 bytes, with a digest that tells a wrong recombination.
 * Interoperable with wallets and their tools; without room for a commitment's randomness, so it cannot be traced.
 * @see SLIP-0039
 */
import type { RandomSource } from '#crypto/descriptor';
import { hmacSha256 } from '#crypto/hash';
import { interpolate, type Point } from '#crypto/math/gf256';
import { concat, equalConstantTime } from '#formats/bytes';
import { ConclaveError, InternalError, NegativeError, TryAgainError } from '#formats/errors';
import { decryptSecret, encryptSecret } from './slip39-cipher.js';
import { SLIP39_MAX_BYTES, SLIP39_MIN_BYTES, type Slip39Share } from './slip39-mnemonic.js';
import { proveQuorums, type Proof } from './prove.js';
import { indexNumber, type Quorum, type ShareIndex, type Structure } from './structure.js';

const SECRET_AT = 255;
const DIGEST_AT = 254;
const DIGEST_BYTES = 4;

/** Most groups, and most members of a group. */
export const SLIP39_MAX_SHARES = 16;

/** A share and how errors name it. */
export interface NamedSlip39Share {
  readonly name: string;
  readonly share: Slip39Share;
}

/** A recombined but still encrypted secret. */
export interface Slip39Recombined {
  /** Owned by the caller. */
  readonly encrypted: Uint8Array;
  /** Parameters of its encryption. */
  readonly parameters: Slip39Share;
  /** Names of the shares that were used. */
  readonly used: readonly string[];
}

/**
 * Shares a secret.
 * @param options - `secret` and `passphrase` are borrowed; `iterationExponent` defaults to 1, `extendable` to true
 * @returns group by group, member by member; the caller owns and wipes the values
 * @throws {@link InternalError} `E_SLIP39_QUORUM`
 */
export function splitSlip39(options: {
  readonly secret: Uint8Array;
  readonly passphrase: Uint8Array;
  readonly structure: Structure;
  readonly random: RandomSource;
  readonly extendable?: boolean;
  readonly iterationExponent?: number;
}): Slip39Share[] {
  const {
    secret,
    passphrase,
    structure,
    random,
    extendable = true,
    iterationExponent = 1,
  } = options;
  const [high, low] = random(2) as unknown as [number, number];
  const identifier = ((high << 8) | low) & 0x7fff;
  const parameters = { identifier, extendable, iterationExponent };
  const encrypted = encryptSecret(secret, passphrase, parameters);
  const groupQuorum = { threshold: structure.groupThreshold, shares: structure.groups.length };
  const groupSecrets = splitWithDigest(encrypted, groupQuorum, random);
  encrypted.fill(0);
  const shares = structure.groups.flatMap((quorum, groupIndex) =>
    splitWithDigest(groupSecrets[groupIndex] as Uint8Array, quorum, random).map(
      (value, memberIndex) => ({
        ...parameters,
        groupIndex,
        groupThreshold: structure.groupThreshold,
        groupCount: structure.groups.length,
        memberIndex,
        memberThreshold: quorum.threshold,
        value,
      }),
    ),
  );
  for (const buffer of groupSecrets) buffer.fill(0);
  return shares;
}

/**
 * The secret behind shares of one set.
 * @param passphrase - borrowed; a wrong one gives another secret without an error
 * @returns owned by the caller
 * @throws what {@link recombineSlip39} throws
 */
export function combineSlip39(
  shares: readonly NamedSlip39Share[],
  passphrase: Uint8Array,
): Uint8Array {
  const { encrypted, parameters } = recombineSlip39(shares);
  try {
    return decryptSecret(encrypted, passphrase, parameters);
  } finally {
    encrypted.fill(0);
  }
}

/**
 * Recombines exactly a quorum; further shares must be consistent with it.
 * @throws {@link NegativeError} `E_SHARE_ODD` naming shares of another set, `E_SHARE_CONFLICT`, `E_SHARES_WRONG`
 * @throws {@link TryAgainError} `E_QUORUM_INCOMPLETE`
 */
export function recombineSlip39(shares: readonly NamedSlip39Share[]): Slip39Recombined {
  const first = shares[0]?.share;
  if (first === undefined) throw incomplete('no share was given');
  assertOneSet(shares);
  const groups = byGroup(shares);
  const complete: { x: number; y: Uint8Array }[] = [];
  const used: string[] = [];
  const states: string[] = [];
  try {
    for (const [groupIndex, members] of [...groups].sort(([a], [b]) => a - b)) {
      const { memberThreshold } = (members[0] as NamedSlip39Share).share;
      states.push(`group ${groupIndex + 1}: ${members.length} of ${memberThreshold}`);
      if (members.length < memberThreshold) continue;
      const chosen = members.slice(0, memberThreshold);
      const y = recoverWithDigest(points(chosen), memberThreshold);
      complete.push({ x: groupIndex, y });
      if (complete.length <= first.groupThreshold) used.push(...chosen.map(({ name }) => name));
      for (const { name, share } of members.slice(memberThreshold)) {
        assertOn(points(chosen), { x: share.memberIndex, y: share.value }, name);
      }
    }
    if (complete.length < first.groupThreshold) {
      throw incomplete(
        first.groupCount === 1
          ? `${groups.get(0)?.length ?? 0} of ${first.memberThreshold} shares are here`
          : `${complete.length} of ${first.groupThreshold} groups are complete (${states.join(', ')})`,
      );
    }
    const chosen = complete.slice(0, first.groupThreshold);
    const encrypted = recoverWithDigest(chosen, first.groupThreshold);
    for (const further of complete.slice(first.groupThreshold)) {
      assertOn(chosen, further, `group ${further.x + 1}`);
    }
    return { encrypted, parameters: first, used };
  } finally {
    for (const { y } of complete) y.fill(0);
  }
}

/**
 * Tries the quorums of a whole set: each must give the same encrypted secret, and its digest must hold. Decrypting it once, and
 * comparing that, is the caller's: decrypting for each quorum would take minutes.
 * @param shares - at least one quorum; a quorum whose shares are not all here fails
 */
export function proveSlip39(
  shares: readonly Slip39Share[],
  structure: Structure,
  random: RandomSource,
): Proof {
  const named = shares.map((share) => {
    const { groupIndex, memberIndex } = share;
    return { name: `share ${groupIndex + 1}-${memberIndex + 1}`, share };
  });
  const byNumber = new Map(
    named.map((each) => {
      const { groupIndex, memberIndex } = each.share;
      return [indexNumber({ group: groupIndex + 1, member: memberIndex + 1 }), each];
    }),
  );
  const { encrypted } = recombineSlip39(named);
  const recombines = (quorum: readonly ShareIndex[]): boolean => {
    try {
      const taken = quorum.flatMap((index) => byNumber.get(indexNumber(index)) ?? []);
      const again = recombineSlip39(taken).encrypted;
      const same = equalConstantTime(again, encrypted);
      again.fill(0);
      return same;
    } catch (error) {
      if (error instanceof ConclaveError) return false;
      throw error;
    }
  };
  const proof = proveQuorums(structure, recombines, random);
  encrypted.fill(0);
  return proof;
}

function assertOneSet(shares: readonly NamedSlip39Share[]): void {
  const kinds = new Map<string, NamedSlip39Share[]>();
  for (const named of shares) {
    const s = named.share;
    const kind = [
      s.identifier,
      s.extendable,
      s.iterationExponent,
      s.groupThreshold,
      s.groupCount,
      s.value.length,
    ].join();
    kinds.set(kind, [...(kinds.get(kind) ?? []), named]);
  }
  if (kinds.size === 1) return;
  const sorted = [...kinds.values()].sort((a, b) => b.length - a.length);
  const [majority, ...others] = sorted as [NamedSlip39Share[], ...NamedSlip39Share[][]];
  const odd = others.flat().map(({ name }) => name);
  const tie = majority.length === (others[0] as NamedSlip39Share[]).length;
  const names = tie ? majority.map(({ name }) => name).concat(odd) : odd;
  throw new NegativeError({
    code: 'E_SHARE_ODD',
    message: tie
      ? `${names.join(' and ')} belong to different sets`
      : `${names.join(', ')}: of another set than the other shares`,
    hint: 'give shares of one set only',
    details: { odd: names },
  });
}

/** Distinct shares of each group, ascending. @throws NegativeError for two different shares under one number */
function byGroup(shares: readonly NamedSlip39Share[]): Map<number, NamedSlip39Share[]> {
  const groups = new Map<number, NamedSlip39Share[]>();
  for (const named of shares) {
    const members = groups.get(named.share.groupIndex) ?? [];
    const twin = members.find(({ share }) => share.memberIndex === named.share.memberIndex);
    const peer = members[0];
    if (
      (twin !== undefined && !equalConstantTime(twin.share.value, named.share.value)) ||
      (peer !== undefined && peer.share.memberThreshold !== named.share.memberThreshold)
    ) {
      const other = (twin ?? peer) as NamedSlip39Share;
      throw new NegativeError({
        code: 'E_SHARE_CONFLICT',
        message: `${other.name} and ${named.name} contradict each other`,
        hint: 'one of them is of another set',
        details: { odd: [other.name, named.name] },
      });
    }
    if (twin === undefined) members.push(named);
    groups.set(named.share.groupIndex, members);
  }
  for (const members of groups.values()) {
    members.sort((a, b) => a.share.memberIndex - b.share.memberIndex);
  }
  return groups;
}

function points(shares: readonly NamedSlip39Share[]): Point[] {
  return shares.map(({ share }) => ({ x: share.memberIndex, y: share.value }));
}

function assertOn(chosen: readonly Point[], further: Point, name: string): void {
  const expected = interpolate(chosen, further.x);
  const on = equalConstantTime(expected, further.y);
  expected.fill(0);
  if (!on) {
    throw new NegativeError({
      code: 'E_SHARE_ODD',
      message: `${name} does not fit the other shares`,
      details: { odd: [name] },
    });
  }
}

/** The standard's SplitSecret: the secret at 255, and unless one share is enough a digest of it at 254. */
function splitWithDigest(secret: Uint8Array, quorum: Quorum, random: RandomSource): Uint8Array[] {
  const { threshold, shares } = quorum;
  if (threshold < 1 || threshold > shares || shares > SLIP39_MAX_SHARES) {
    throw new InternalError({
      code: 'E_SLIP39_QUORUM',
      message: 'a SLIP-39 quorum is 1 ≤ threshold ≤ shares ≤ 16',
    });
  }
  if (threshold === 1) return Array.from({ length: shares }, () => secret.slice());
  const filler = random(secret.length - DIGEST_BYTES);
  const tag = hmacSha256(filler, secret);
  const digest = concat(tag.subarray(0, DIGEST_BYTES), filler);
  const drawn = Array.from({ length: threshold - 2 }, () => random(secret.length));
  const base: Point[] = [
    ...drawn.map((y, x) => ({ x, y })),
    { x: DIGEST_AT, y: digest },
    { x: SECRET_AT, y: secret },
  ];
  const computed = Array.from({ length: shares - drawn.length }, (_, i) =>
    interpolate(base, drawn.length + i),
  );
  for (const buffer of [filler, tag, digest]) buffer.fill(0);
  return [...drawn, ...computed];
}

/**
 * The standard's RecoverSecret, of exactly a threshold of points; owned by the caller.
 * @throws {@link NegativeError} `E_SHARES_WRONG`
 */
export function recoverWithDigest(chosen: readonly Point[], threshold: number): Uint8Array {
  const only = chosen[0];
  if (threshold === 1 && only !== undefined) return only.y.slice();
  const secret = interpolate(chosen, SECRET_AT);
  const digest = interpolate(chosen, DIGEST_AT);
  const tag = hmacSha256(digest.subarray(DIGEST_BYTES), secret);
  const right = equalConstantTime(tag.subarray(0, DIGEST_BYTES), digest.subarray(0, DIGEST_BYTES));
  digest.fill(0);
  tag.fill(0);
  if (right) return secret;
  secret.fill(0);
  throw new NegativeError({
    code: 'E_SHARES_WRONG',
    message: 'these shares do not recombine: the digest of the secret does not match',
    hint: 'one of them is of another set or wrong in more than three words',
  });
}

function incomplete(state: string): TryAgainError {
  return new TryAgainError({
    code: 'E_QUORUM_INCOMPLETE',
    message: `the quorum is incomplete: ${state}`,
    hint: 'nothing was written; come back with more shares',
  });
}

/** Whether a secret of this length can be shared as it is. */
export function slip39Carries(length: number): boolean {
  return length >= SLIP39_MIN_BYTES && length <= SLIP39_MAX_BYTES && length % 2 === 0;
}
