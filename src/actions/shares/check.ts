/** One share alone: what its form, its checksum, its seal and its commitment say, and what was not checked. */
import { toHex } from '#formats/bytes';
import type { JsonObject } from '#formats/canonical-json';
import { ConclaveError, InputError, UsageError } from '#formats/errors';
import type { SecretBytes } from '#formats/secret-bytes';
import { opensShare } from '#protocols/sharing/deal';
import type { ShareFile } from '#protocols/sharing/envelope';
import { commitmentOf, contextOf, rootHolds, suiteOf } from '#protocols/sharing/share-set';
import type { Slip39Share } from '#protocols/sharing/slip39-mnemonic';
import { describeStructure, indexName, indexNumber } from '#protocols/sharing/structure';
import type { Claim } from '../artifacts/artifact.js';
import { shareBelongs, staleness, wordsBelong } from './belongs.js';
import type { ShareOpener } from './open.js';
import { type NamedSet, type ReadShare, readShare, type ShareSource } from './sources.js';
import { onPolynomial, polynomialEndsInKey } from './verifiable.js';

/** The verdict on one share. */
export interface ShareCheck {
  readonly file: string;
  readonly ok: boolean;
  readonly claims: readonly Claim[];
  /** One phrase each. */
  readonly notChecked: readonly string[];
  /** Public facts; absent when it is damaged. */
  readonly share?: JsonObject;
}

/**
 * Checks one share.
 * @param opener - opens the seal; undefined leaves it closed
 * @throws {@link InputError} for what is no share; a damaged or foreign one is a verdict
 */
export async function checkShare(
  source: ShareSource,
  opener: ShareOpener | undefined,
  set: NamedSet | undefined,
): Promise<ShareCheck> {
  let read: ReadShare;
  try {
    read = readShare(source);
  } catch (error) {
    if (!(error instanceof ConclaveError) || error instanceof InputError) throw error;
    return {
      file: source.name,
      ok: false,
      claims: [claim('undamaged', false, 'the checksum does not match')],
      notChecked: [],
    };
  }
  const claims: Claim[] = [claim('undamaged', true, 'form and checksum hold')];
  const notChecked: string[] = [];
  if (read.kind === 'slip39') checkWords(read.share, set, claims, notChecked);
  else await checkEnvelope(read.share, source.name, opener, set, claims, notChecked);
  return {
    file: source.name,
    ok: claims.every(({ ok }) => ok),
    claims,
    notChecked,
    share: read.kind === 'slip39' ? describeWords(read.share) : describeShare(read.share),
  };
}

/** The claim that only an opened share can make. */
const DEALT = 'the share that was dealt';

/** Whether a share was opened and is the one that was dealt, by its commitment. */
export function isProven({ claims }: ShareCheck): boolean {
  return claims.some(({ claim: text, ok }) => text === DEALT && ok);
}

/** Public facts of a share file. */
export function describeShare(share: ShareFile): JsonObject {
  return {
    type: 'conclave/share',
    share: indexName(share.index, share.structure),
    quorum: describeStructure(share.structure),
    setId: toHex(share.setId),
    root: toHex(share.root),
    epoch: share.epoch,
    environment: share.environment,
    sealed: sealName(share),
    ...(share.seal.kind === 'identity' ? { recipient: toHex(share.seal.recipient) } : {}),
    carriesPackage: share.package !== undefined,
    ...(share.verifiable === undefined
      ? {}
      : {
          verifiable: share.verifiable.scheme,
          algorithm: share.verifiable.algorithm,
          keyId: toHex(share.verifiable.keyId),
        }),
  };
}

/** Public facts of SLIP-39 words; never the words. */
export function describeWords(share: Slip39Share): JsonObject {
  const one = share.groupCount === 1;
  return {
    type: 'slip39',
    share: one ? String(share.memberIndex + 1) : `${share.groupIndex + 1}-${share.memberIndex + 1}`,
    quorum: one
      ? `any ${share.memberThreshold}`
      : `${share.groupThreshold} of ${share.groupCount} groups, ${share.memberThreshold} of this group`,
    identifier: share.identifier,
    extendable: share.extendable,
    iterationExponent: share.iterationExponent,
    sealed: 'no',
    secretBytes: share.value.length,
  };
}

function checkWords(
  share: Slip39Share,
  set: NamedSet | undefined,
  claims: Claim[],
  notChecked: string[],
): void {
  // The words themselves were needed for their header only.
  share.value.fill(0);
  notChecked.push('the value: SLIP-39 words have no commitment');
  if (set === undefined) {
    notChecked.push('which set it belongs to: there is no set.json');
    return;
  }
  const belongs = wordsBelong(share, set.file.set);
  claims.push(
    claim('of this set', belongs, belongs ? `as in ${set.name}` : `not the set of ${set.name}`),
  );
}

async function checkEnvelope(
  share: ShareFile,
  name: string,
  opener: ShareOpener | undefined,
  set: NamedSet | undefined,
  claims: Claim[],
  notChecked: string[],
): Promise<void> {
  if (set !== undefined) claims.push(...claimsOfSet(share, set));
  else notChecked.push('the commitment: there is no set.json');
  const belongs = claims.every(({ ok }) => ok);
  let opening: SecretBytes | undefined;
  try {
    opening = await opener?.(share, name);
  } catch (error) {
    // Nobody to ask, or nobody here can open it: that is no fault of the share.
    if (error instanceof UsageError || isSealed(error)) opening = undefined;
    else if (error instanceof ConclaveError && error.exitCode === 1) {
      claims.push(claim('opens', false, 'its sealed part does not authenticate'));
      return;
    } else throw error;
  }
  if (opening === undefined) {
    notChecked.push(`the share itself: it is sealed (${sealName(share)})`);
    return;
  }
  try {
    if (share.seal.kind !== 'unsealed') claims.push(claim('opens', true, sealName(share)));
    if (set === undefined || !belongs) return;
    const commitment = commitmentOf(set.file.set, indexNumber(share.index));
    const opens =
      commitment !== undefined &&
      opensShare(
        contextOf(set.file.set),
        { index: share.index, opening },
        commitment,
        suiteOf(set.file.set),
      );
    claims.push(
      claim(
        DEALT,
        opens,
        opens ? `it opens its commitment in ${set.name}` : 'it does not open its commitment',
      ),
    );
    if (set.file.set.verifiable === undefined) return;
    const fits = await onPolynomial({ index: share.index, opening }, set);
    const whose = set.file.set.verifiable.scheme === 'feldman' ? 'Feldman' : 'Pedersen';
    claims.push(
      claim(
        'on the polynomial of all shares',
        fits,
        fits
          ? `${whose}’s commitments in ${set.name} verify it`
          : `${whose}’s commitments in ${set.name} do not: the dealing was wrong`,
      ),
    );
  } finally {
    opening.dispose();
  }
}

function claimsOfSet(share: ShareFile, { name, file: { set } }: NamedSet): Claim[] {
  const same = shareBelongs(share, set);
  const why = same ? `as in ${name}` : (staleness(share, set, name) ?? `not the set of ${name}`);
  const of = claim('of this set', same, why);
  if (!same) return [of];
  const root = rootHolds(set);
  const detail = root
    ? 'it follows from the commitments'
    : 'it does not follow from the commitments';
  const claims = [of, claim(`root of ${name}`, root, detail)];
  if (set.verifiable?.scheme !== 'feldman') return claims;
  const ends = polynomialEndsInKey(set);
  const where = ends ? 'its first commitment is' : 'its first commitment is not';
  return [...claims, claim('of the key itself', ends, `${where} the public key of the set`)];
}

function isSealed(error: unknown): boolean {
  return error instanceof ConclaveError && error.code === 'E_SHARE_SEALED';
}

function sealName({ seal }: ShareFile): string {
  switch (seal.kind) {
    case 'unsealed':
      return 'no';
    case 'passphrase':
      return 'by passphrase';
    case 'argon2id':
      return 'by passphrase (Argon2id)';
    case 'identity':
      return 'to an identity';
  }
}

function claim(text: string, ok: boolean, detail: string): Claim {
  return { claim: text, grade: 'checked', ok, detail };
}
