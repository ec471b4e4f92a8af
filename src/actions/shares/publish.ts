/** Sharing a secret: from what is to be shared to the bytes of every file, all proven before the first is written. */
import type { Descriptor, RandomSource } from '#crypto/descriptor';
import { keyId } from '#crypto/key-id';
import type { Environment } from '#custody/authority/record';
import { equalConstantTime, fromHex, toHex, utf8 } from '#formats/bytes';
import { InternalError } from '#formats/errors';
import { SecretBytes } from '#formats/secret-bytes';
import { formatTime } from '#formats/time';
import { commitmentRoot, contextDigest, secretCommitment } from '#protocols/sharing/commitment';
import { deal } from '#protocols/sharing/deal';
import { carriedPackage, decodeShare } from '#protocols/sharing/envelope';
import { MAX_CARRIED_BYTES, type Package, sealPackage } from '#protocols/sharing/package';
import type { Proof } from '#protocols/sharing/prove';
import { computeRoot, type ShareSet } from '#protocols/sharing/share-set';
import {
  combineSlip39,
  type NamedSlip39Share,
  proveSlip39,
  slip39Carries,
  splitSlip39,
} from '#protocols/sharing/slip39';
import { decodeMnemonic, encodeMnemonic } from '#protocols/sharing/slip39-mnemonic';
import {
  allIndices,
  indexName,
  indexNumber,
  type ShareIndex,
  type Structure,
} from '#protocols/sharing/structure';
import {
  openByPassphrase,
  type Recipient,
  sealShare,
  type Stretching,
  takeUnsealed,
} from './seal.js';

/** What is shared, among whom, and how. */
export interface SharingOptions {
  readonly content: Package;
  /** For a key: its descriptor and public key. */
  readonly key: { readonly descriptor: Descriptor; readonly publicKey: Uint8Array } | undefined;
  readonly structure: Structure;
  readonly environment: Environment;
  readonly recipients: readonly Recipient[];
  readonly dealer: string | null;
  readonly now: Date;
  readonly logN: number;
  readonly stretching?: Stretching | undefined;
  readonly random: RandomSource;
}

/** One share file ready to be written. */
export interface ShareOutput {
  readonly index: ShareIndex;
  /** `share-<index>.<ext>`. */
  readonly file: string;
  readonly bytes: Uint8Array;
}

/** A shared secret: every file but the signed set.json. */
export interface Shared {
  readonly set: ShareSet;
  readonly shares: readonly ShareOutput[];
  readonly proof: Proof;
}

/** Shares a secret in envelopes: the key-encryption key is split, the package sealed under it. */
export async function shareInEnvelopes(options: SharingOptions): Promise<Shared> {
  const { content, structure, environment, recipients, logN, stretching, random } = options;
  using dealing = deal(structure, options.key?.publicKey ?? new Uint8Array(0), random);
  const { setId, root } = dealing;
  const sealed = sealPackage(content, dealing.kek, { setId, root }, random);
  const header = { setId, root, epoch: 0, structure, environment };
  const carried = { ...sealed, origin: root };
  const setting = {
    ...header,
    package:
      stretching === 'argon2id'
        ? carriedPackage(header, carried)
        : sealed.sealed.length <= MAX_CARRIED_BYTES
          ? carried
          : undefined,
  };
  const shares: ShareOutput[] = [];
  for (const [i, share] of dealing.shares.entries()) {
    const recipient = recipients[i] as Recipient;
    const bytes = await sealShare({ share, setting, recipient, logN, stretching, random });
    await assertReads(bytes, recipient, share.opening);
    const file = `share-${indexName(share.index, structure)}.cbor`;
    shares.push({ index: share.index, file, bytes });
  }
  const set: ShareSet = {
    ...commonOf(options),
    setId: toHex(setId),
    scheme: 'envelope',
    splits: 'kek',
    root: toHex(root),
    commitments: dealing.shares.map(({ index }, i) => ({
      index: indexNumber(index),
      commitment: toHex(dealing.commitments[i] as Uint8Array),
    })),
    kekCommitment: toHex(dealing.kekCommitment),
    slip39: null,
    package: sealed,
  };
  return { set, shares, proof: dealing.proof };
}

/** Shares a secret in SLIP-39 words: the seed itself where words can carry it, otherwise the key-encryption key. */
export function shareInWords(options: SharingOptions): Shared {
  const { content, structure, environment, random } = options;
  const setId = random(32);
  const publicKey = options.key?.publicKey ?? new Uint8Array(0);
  const suite = 'slip39v1';
  const context = contextDigest({ suite, setId, structure, publicKey });
  const direct = slip39Carries(content.secret.length);
  using kek = direct ? undefined : SecretBytes.adopt(random(32), 'key-encryption key');
  const k = kek?.use((s) => secretCommitment(suite, context, s));
  const root = commitmentRoot(context, k ?? new Uint8Array(32), []);
  const sealed = kek === undefined ? null : sealPackage(content, kek, { setId, root }, random);
  const secret = kek ?? content.secret;
  const passphrase = new Uint8Array(0);
  const dealt = secret.use((bytes) =>
    splitSlip39({ secret: bytes, passphrase, structure, random }),
  );
  try {
    const indices = allIndices(structure);
    const named = dealt.map((share, i) => {
      const name = `share ${indexName(indices[i] as ShareIndex, structure)}`;
      // What is proven is what the words say, not what was meant to be written.
      return { name, share: decodeMnemonic(encodeMnemonic(share), name) };
    });
    const proof = proveWords(named, structure, secret, random);
    // A mark in the words' own file would be one for people only; of production there is none to make.
    const mark =
      environment === 'production' ? '' : `# ${environment.toUpperCase()} - NOT FOR PRODUCTION\n`;
    const shares = named.map(({ share }, i) => {
      const index = indices[i] as ShareIndex;
      const file = `share-${indexName(index, structure)}.txt`;
      return { index, file, bytes: utf8(`${mark}${encodeMnemonic(share)}\n`) };
    });
    const [first] = dealt;
    const set: ShareSet = {
      ...commonOf(options),
      setId: toHex(setId),
      scheme: 'slip39',
      splits: direct ? 'seed' : 'kek',
      root: toHex(root),
      commitments: [],
      kekCommitment: k === undefined ? null : toHex(k),
      slip39: {
        identifier: first?.identifier ?? 0,
        extendable: first?.extendable ?? true,
        iterationExponent: first?.iterationExponent ?? 0,
      },
      package: sealed,
    };
    for (const { share } of named) share.value.fill(0);
    return { set, shares, proof };
  } finally {
    for (const { value } of dealt) value.fill(0);
  }
}

/** What every description of a new set says alike. */
export function commonOf({ content, key, structure, environment, dealer, now }: SharingOptions) {
  return {
    type: 'conclave/share-set',
    version: 1,
    environment,
    kind: content.kind,
    algorithm: key?.descriptor.name ?? null,
    profile: key?.descriptor.profile ?? null,
    publicKey: key?.publicKey ?? null,
    keyId: key === undefined ? null : keyId(key.descriptor, key.publicKey),
    groupThreshold: structure.groupThreshold,
    groups: structure.groups,
    dealer,
    created: formatTime(now),
  } as const;
}

/** A share file must give back what went in; only a share sealed to somebody else cannot be opened here. */
export async function assertReads(
  bytes: Uint8Array,
  recipient: Recipient,
  dealt: SecretBytes,
): Promise<void> {
  const name = 'a new share';
  const share = decodeShare(bytes, name);
  if (recipient.kind === 'identity') return;
  using opening =
    recipient.kind === 'passphrase'
      ? await openByPassphrase(share, recipient.passphrase, name)
      : takeUnsealed(share, name);
  if (opening.use((a) => dealt.use((b) => equalConstantTime(a, b)))) return;
  throw new InternalError({
    code: 'E_SHARE_NOT_READ_BACK',
    message: 'a new share does not give back what was sealed in it',
  });
}

/** The words give the secret back, by every quorum. */
function proveWords(
  shares: readonly NamedSlip39Share[],
  structure: Structure,
  secret: SecretBytes,
  random: RandomSource,
): Proof {
  const again = combineSlip39(shares, new Uint8Array(0));
  const right = secret.use((bytes) => equalConstantTime(bytes, again));
  again.fill(0);
  const proof = proveSlip39(
    shares.map(({ share }) => share),
    structure,
    random,
  );
  if (right && proof.failed === undefined) return proof;
  throw new InternalError({
    code: 'E_DEAL_NOT_PROVEN',
    message: 'the new shares did not recombine',
  });
}

/** Whether the set says of itself what was dealt; a last look before anything is written. */
export function assertDescribes({ set }: Shared): void {
  if (equalConstantTime(computeRoot(set), fromHex(set.root))) return;
  throw new InternalError({
    code: 'E_SHARE_SET_ROOT',
    message: 'the new set description does not give its own root',
  });
}
