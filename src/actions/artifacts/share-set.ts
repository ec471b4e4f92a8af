/** `set.json` as `show` and `verify` know it. */
import { keyId } from '#crypto/key-id';
import { resolve } from '#crypto/registry';
import { verifyDetached } from '#custody/audit/statement';
import {
  decodeShareSet,
  epochOf,
  looksLikeShareSet,
  rootHolds,
  SHARE_SET_PAYLOAD_TYPE,
  SHARE_SET_TYPE,
  type ShareSet,
  type ShareSetFile,
} from '#protocols/sharing/share-set';
import { describeStructure } from '#protocols/sharing/structure';
import { decodeCommitments } from '#protocols/sharing/verifiable';
import type { ActionContext } from '../context/context.js';
import type { ArtifactKind, Claim, VerifyOptions } from './artifact.js';
import { groupOfAlgorithm, polynomialEndsInKey } from '../shares/verifiable.js';
import { pinnedIdentities } from './pinned.js';

export const shareSetKind: ArtifactKind = {
  kind: 'share-set',
  detect: (bytes) => looksLikeShareSet(bytes),
  show: (bytes, name) => {
    const { set, signatures } = decodeShareSet(bytes, name);
    return Promise.resolve({
      type: SHARE_SET_TYPE,
      setId: set.setId,
      root: set.root,
      environment: set.environment,
      kind: set.kind,
      algorithm: set.algorithm,
      profile: set.profile,
      keyId: set.keyId,
      scheme: set.scheme,
      splits: set.splits,
      quorum: describeStructure(set),
      commitments: set.commitments.length,
      epoch: epochOf(set),
      lineage:
        set.lineage === undefined ? null : { ...set.lineage, origin: set.lineage.origin.root },
      packageBytes: set.package?.sealed.length ?? null,
      ...(set.verifiable === undefined
        ? {}
        : {
            verifiable: {
              scheme: set.verifiable.scheme,
              commitments: set.verifiable.commitments.length,
            },
          }),
      dealer: set.dealer,
      signatures: signatures.map(({ keyid }) => keyid),
      created: set.created,
    });
  },
  verify: async (bytes, name, context, options) => {
    const file = decodeShareSet(bytes, name);
    const { set } = file;
    const root = rootHolds(set);
    const claims: Claim[] = [
      {
        claim: 'root',
        grade: 'checked',
        ok: root,
        detail: root
          ? 'it follows from the commitments'
          : 'it does not follow from the commitments: the file was changed',
      },
      ...(await keyClaims(set)),
      ...(await polynomialClaims(set, name)),
    ];
    const signed = await signatureClaim(file, context, options);
    claims.push(signed.claim);
    const ok = claims.every((claim) => claim.ok);
    const mark =
      set.environment === 'production'
        ? ''
        : `${set.environment.toUpperCase()}, not for production: `;
    const state = ok || root ? describeStructure(set) : 'the set description does not hold';
    return {
      ok,
      kind: 'share-set',
      summary: `${mark}${signed.first}: share set ${set.setId.slice(0, 16)}, ${state}`,
      claims,
    };
  },
};

async function keyClaims(set: ShareSet): Promise<Claim[]> {
  const { algorithm, profile, publicKey } = set;
  if (algorithm === null || profile === null || publicKey === null) return [];
  const descriptor = await resolve(algorithm, profile);
  const ok = keyId(descriptor, publicKey) === set.keyId;
  const detail = ok ? 'it is that of the public key' : 'it is not that of the public key';
  return [{ claim: 'key id', grade: 'checked', ok, detail }];
}

/** Whether the commitments of a verifiable sharing are points of the key's curve and, with Feldman, begin with the key. */
async function polynomialClaims(set: ShareSet, name: string): Promise<Claim[]> {
  const { verifiable, algorithm } = set;
  if (verifiable === undefined || algorithm === null) return [];
  const group = await groupOfAlgorithm(algorithm, name);
  decodeCommitments(verifiable.commitments, group, name);
  const ok = polynomialEndsInKey(set);
  const detail =
    verifiable.scheme === 'pedersen'
      ? 'points of the key’s curve, which tell nothing of the key'
      : ok
        ? 'the first one is the public key'
        : 'the first one is not the public key';
  return [{ claim: 'commitments to the polynomial', grade: 'checked', ok, detail }];
}

/**
 * An unsigned set claims no dealer, so it holds for what it is and says first that it is unsigned; once a dealer is named, in
 * the set or by a pin, its signatures are demanded. Signers that nobody pinned pass only where that is said to be fine.
 */
async function signatureClaim(
  { set, signatures, signedBytes }: ShareSetFile,
  context: ActionContext,
  options: VerifyOptions,
): Promise<{ readonly first: string; readonly claim: Claim }> {
  const { identities, pinned } = await pinnedIdentities(options, context);
  if (signatures.length === 0) {
    const ok = set.dealer === null && !pinned;
    return {
      first: 'unsigned',
      claim: {
        claim: 'signature',
        grade: 'recorded',
        ok,
        detail: ok
          ? 'unsigned: anybody could have written it'
          : pinned
            ? 'unsigned, and a signer was demanded'
            : 'it names a dealer and carries no signature: the signatures were removed',
      },
    };
  }
  const verdict = await verifyDetached(SHARE_SET_PAYLOAD_TYPE, signedBytes, signatures, identities);
  const dealer = verdict.signedBy.find(({ id }) => id === set.dealer);
  const broken = verdict.problems[0];
  if (!pinned && broken === undefined) {
    return {
      first: 'signers not pinned',
      claim: {
        claim: 'signature',
        grade: 'recorded',
        ok: options.allowUnpinned,
        detail:
          dealer === undefined
            ? 'not verified: name the dealer by --signer, or say --allow-unpinned'
            : `by ${dealer.name} of this store; pin the dealer by --signer, or say --allow-unpinned`,
      },
    };
  }
  const ok = dealer !== undefined && broken === undefined;
  return {
    first: ok ? `signed by ${dealer.name}` : 'NOT signed by a pinned signer',
    claim: {
      claim: 'signature',
      grade: 'checked',
      ok,
      detail: ok
        ? `both signatures of ${dealer.name}, who dealt it, verify`
        : (broken ?? 'the dealer is none of the signers given'),
    },
  };
}
