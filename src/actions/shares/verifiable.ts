/** Shares of a scalar once they are there: one against the public commitments, and the key back from a quorum. */
import type { RandomSource } from '#crypto/descriptor';
import { keyId } from '#crypto/key-id';
import { loadGroup, type PrimeGroup } from '#crypto/math/prime-group';
import { resolve } from '#crypto/registry';
import { equalConstantTime, fromHex } from '#formats/bytes';
import { InputError } from '#formats/errors';
import { SecretBytes } from '#formats/secret-bytes';
import type { DealtShare } from '#protocols/sharing/deal';
import type { VerifiableMark } from '#protocols/sharing/envelope';
import { proveQuorums, type Proof } from '#protocols/sharing/prove';
import type { ShareSet } from '#protocols/sharing/share-set';
import {
  indexNumber,
  quorumsAmong,
  type ShareIndex,
  type Structure,
} from '#protocols/sharing/structure';
import {
  combineVerifiable,
  decodeCommitments,
  isPublicKey,
  opensVerifiably,
  type VerifiableScheme,
} from '#protocols/sharing/verifiable';
import { oddShares, type OpenedShare } from './gather.js';
import { firstQuorum, MAX_TRIES, wrongShares } from './quorum.js';
import type { NamedSet } from './sources.js';

/** The group whose scalars the keys of an algorithm are. @throws {@link InputError} `E_SHARE_SCALAR` */
export async function groupOfAlgorithm(algorithm: string, what: string): Promise<PrimeGroup> {
  const { scalarGroup } = await resolve(algorithm);
  if (scalarGroup !== undefined) return await loadGroup(scalarGroup);
  throw new InputError({
    code: 'E_SHARE_SCALAR',
    message: `${what}: a key of ${algorithm} is no scalar of an elliptic curve`,
  });
}

/** Tries the quorums of shares that are all present against the scalar that is known. */
export function proveScalars(
  scheme: VerifiableScheme,
  shares: readonly DealtShare[],
  secret: SecretBytes,
  structure: Structure,
  { group, random }: { readonly group: PrimeGroup; readonly random: RandomSource },
): Proof {
  const byNumber = new Map(shares.map((share) => [indexNumber(share.index), share]));
  return proveQuorums(
    structure,
    (quorum) => {
      const back = combineVerifiable(
        scheme,
        quorum.map((index) => byNumber.get(indexNumber(index)) as DealtShare),
        group,
      );
      if (back === undefined) return false;
      const right = secret.use((bytes) => equalConstantTime(bytes, back));
      back.fill(0);
      return right;
    },
    random,
  );
}

/** Whether an opened share lies on the polynomial that a set commits to. */
export async function onPolynomial(share: DealtShare, set: NamedSet): Promise<boolean> {
  const { verifiable, algorithm } = set.file.set;
  if (verifiable === undefined || algorithm === null) return false;
  const group = await groupOfAlgorithm(algorithm, set.name);
  const points = decodeCommitments(verifiable.commitments, group, set.name);
  return opensVerifiably(verifiable.scheme, share, points, group);
}

/** Feldman's first commitment is the public key; Pedersen's tells nothing of it. */
export function polynomialEndsInKey({ verifiable, publicKey }: ShareSet): boolean {
  const [first] = verifiable?.commitments ?? [];
  if (verifiable?.scheme !== 'feldman' || first === undefined || publicKey === null) return true;
  return isPublicKey(first, publicKey);
}

/**
 * The key from opened shares. With a set every share is held against its commitments first; without one the quorums are tried
 * until one gives the key that the shares name.
 * @returns `secret` is owned by the caller
 * @throws {@link NegativeError} `E_SHARE_ODD`, `E_SHARES_WRONG`
 */
export async function recoverScalar(
  shares: readonly OpenedShare[],
  { scheme, algorithm, keyId: expected }: VerifiableMark,
  structure: Structure,
  set: NamedSet | undefined,
): Promise<{ readonly used: readonly OpenedShare[]; readonly secret: SecretBytes }> {
  const descriptor = await resolve(algorithm);
  const group = await groupOfAlgorithm(algorithm, 'these shares');
  if (set !== undefined) {
    const odd: string[] = [];
    for (const share of shares) if (!(await onPolynomial(share, set))) odd.push(share.name);
    if (odd.length > 0) {
      const which = odd.join(', ');
      throw oddShares(
        odd,
        `${which}: not on the polynomial that ${set.name} commits to`,
        'the dealer, or whoever changed it, did not deal these shares rightly',
      );
    }
  }
  const quorums: Iterable<readonly ShareIndex[]> =
    set === undefined
      ? quorumsAmong(
          structure,
          shares.map(({ index }) => index),
        )
      : [firstQuorum(shares, structure).map(({ index }) => index)];
  const implementation = await descriptor.load();
  if (implementation.kind !== 'signature') throw wrongShares('they are of no signing key');
  let tried = 0;
  for (const quorum of quorums) {
    const used = quorum.map(
      (index) =>
        shares.find((each) => indexNumber(each.index) === indexNumber(index)) as OpenedShare,
    );
    const secret = combineVerifiable(scheme, used, group);
    if (secret !== undefined && isKey(secret)) {
      return { used, secret: SecretBytes.adopt(secret, 'recovered key') };
    }
    secret?.fill(0);
    if (++tried === MAX_TRIES) break;
  }
  throw wrongShares('they do not give the key that they name');

  function isKey(secret: Uint8Array): boolean {
    if (secret.every((byte) => byte === 0) || implementation.kind !== 'signature') return false;
    const publicKey = implementation.publicKey(secret);
    return equalConstantTime(fromHex(keyId(descriptor, publicKey)), expected);
  }
}
