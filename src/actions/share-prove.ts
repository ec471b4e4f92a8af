/**
 * `share.prove`: at the ceremony every quorum is proven from the share files themselves, opened by their custodians, before
 * the original is wiped.
 */
import type { RandomSource } from '#crypto/descriptor';
import { ConclaveError } from '#formats/errors';
import { SecretBytes } from '#formats/secret-bytes';
import { proveDealt, recombine } from '#protocols/sharing/deal';
import { describeProof, type Proof } from '#protocols/sharing/prove';
import { structureOf } from '#protocols/sharing/share-set';
import { proveSlip39 } from '#protocols/sharing/slip39';
import {
  allIndices,
  describeStructure,
  everyQuorum,
  indexName,
  indexNumber,
  type ShareIndex,
  type Structure,
} from '#protocols/sharing/structure';
import { defineAction } from './action.js';
import { gather, onlyEnvelopes, type OpenedShare } from './shares/gather.js';
import { contextOpener, type ShareOpener } from './shares/open.js';
import { recoverSecret } from './shares/recover.js';
import {
  type NamedSet,
  type ReadShare,
  readShare,
  readSources,
  takeSet,
} from './shares/sources.js';
import { groupOfAlgorithm, proveScalars, recoverScalar } from './shares/verifiable.js';

/** What was proven. */
export interface ProveResult {
  readonly ok: boolean;
  readonly setId: string;
  readonly root: string;
  readonly quorum: string;
  /** `all 10 quorums`. */
  readonly proven: string;
  /** Key id that every quorum gives; null for a file. */
  readonly keyId: string | null;
  readonly checked: readonly string[];
  /** Why not, when it is not. */
  readonly reason: string | null;
}

export const shareProve = defineAction({
  id: 'share.prove',
  summary: 'prove that every quorum of a set brings the secret back',
  description:
    'Opens every share file with its custodian, checks each against its commitment, and recombines every quorum in memory (a ' +
    'random sample when there are more than 100,000). Nothing is written; what was recombined is wiped at once.',
  inputs: {
    set: {
      type: 'share-set',
      summary: 'description of the set',
      required: true,
      placeholder: 'set.json',
    },
    shares: { type: 'shares', summary: 'all share files of the set', required: true, repeat: true },
    custodians: { type: 'role', summary: 'role whose holders open the shares, in order' },
  },
  outputs: {
    ok: { type: 'verdict', summary: 'whether every quorum brings the secret back' },
    proven: { type: 'string', summary: 'which quorums were proven' },
    keyId: { type: 'string', summary: 'id of the key that they bring back' },
  },
  options: ['passphrase', 'identity'],
  effect: 'none',
  only: 'ceremony',
  examples: [],
  run: async (input, context): Promise<ProveResult> => {
    const taken = takeSet(readSources(input.shares, context.files), input.set, context.files);
    const set = taken.set as NamedSet;
    const description = set.file.set;
    const structure = structureOf(description);
    const people = input.custodians === undefined ? [] : context.ask.people(input.custodians);
    const { setId, root, keyId } = description;
    const common = { setId, root, quorum: describeStructure(structure) };
    const failed = (reason: string): ProveResult => ({
      ...common,
      ok: false,
      proven: 'no quorum',
      keyId: null,
      checked: [],
      reason,
    });
    // Asked once, used twice: nobody types a passphrase for the same share again.
    using opener = remembering(contextOpener(context, people));
    try {
      const shares = taken.shares.map(readShare);
      const missing = missingShares(shares, structure);
      if (missing.length > 0) return failed(`share ${missing.join(', ')} is not among the files`);
      // One quorum all the way to the package and the public key; of the others it is enough that they give the same.
      using whole = await recoverSecret({
        sources: taken.shares,
        opener: opener.open,
        set,
        random: context.random,
      });
      const proof =
        description.scheme === 'slip39'
          ? proveWords(shares, structure, context.random)
          : await proveEnvelopes(shares, set, opener.open, context.random);
      if (proof.failed !== undefined) {
        const names = proof.failed.map((index) => indexName(index, structure));
        return failed(`shares ${names.join(', ')} do not recombine`);
      }
      return {
        ...common,
        ok: true,
        proven: describeProof(proof),
        keyId: whole.key?.id ?? keyId,
        checked: whole.checked,
        reason: null,
      };
    } catch (error) {
      if (error instanceof ConclaveError && error.exitCode === 1) return failed(error.message);
      throw error;
    } finally {
      for (const { bytes } of taken.shares) bytes.fill(0);
    }
  },
  present: ({ ok, quorum, proven, reason }) =>
    ok ? `${quorum}: ${proven} proven` : `NOT proven: ${reason ?? 'unknown'}`,
});

function numberOf(read: ReadShare): number {
  return read.kind === 'envelope'
    ? indexNumber(read.share.index)
    : indexNumber({ group: read.share.groupIndex + 1, member: read.share.memberIndex + 1 });
}

function missingShares(shares: readonly ReadShare[], structure: Structure): string[] {
  const present = new Set(shares.map(numberOf));
  return allIndices(structure)
    .filter((index) => !present.has(indexNumber(index)))
    .map((index) => indexName(index, structure));
}

async function proveEnvelopes(
  shares: readonly ReadShare[],
  set: NamedSet,
  opener: ShareOpener,
  random: RandomSource,
): Promise<Proof> {
  using gathered = await gather(onlyEnvelopes(shares), opener, set);
  const { structure, verifiable } = gathered.header;
  if (verifiable !== undefined) {
    const { secret } = await recoverScalar(gathered.shares, verifiable, structure, set);
    try {
      const group = await groupOfAlgorithm(verifiable.algorithm, set.name);
      return proveScalars(verifiable.scheme, gathered.shares, secret, structure, { group, random });
    } finally {
      secret.dispose();
    }
  }
  const [first] = everyQuorum(structure) as Iterable<readonly ShareIndex[]>;
  const quorum = (first ?? []).map(
    (index) =>
      gathered.shares.find((each) => indexNumber(each.index) === indexNumber(index)) as OpenedShare,
  );
  // That this one is the committed key was checked on the way to the secret.
  using kek = SecretBytes.adopt(recombine(quorum), 'key-encryption key');
  return proveDealt(gathered.shares, kek, structure, random);
}

function proveWords(
  shares: readonly ReadShare[],
  structure: Structure,
  random: RandomSource,
): Proof {
  const words = shares.flatMap((each) => (each.kind === 'slip39' ? [each.share] : []));
  try {
    return proveSlip39(words, structure, random);
  } finally {
    for (const { value } of words) value.fill(0);
  }
}

/** An opener that opens each file once and lends copies; disposing wipes what it kept. */
function remembering(opener: ShareOpener): Disposable & { readonly open: ShareOpener } {
  const kept = new Map<string, SecretBytes>();
  return {
    open: async (share, name) => {
      const known = kept.get(name) ?? (await opener(share, name));
      kept.set(name, known);
      return known.clone();
    },
    [Symbol.dispose]: () => {
      for (const opening of kept.values()) opening.dispose();
    },
  };
}
