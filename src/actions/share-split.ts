/** `share split`: a key or a file among custodians. */
import { posix } from 'node:path';
import { signDetached } from '#custody/audit/statement';
import { addHistory } from '#custody/authority/states';
import type { Environment } from '#custody/authority/record';
import { InputError, UsageError } from '#formats/errors';
import { SecretBytes } from '#formats/secret-bytes';
import { formatTime } from '#formats/time';
import { MAX_FILE_BYTES } from '#protocols/sharing/package';
import { describeProof } from '#protocols/sharing/prove';
import { SHARE_SET_PAYLOAD_TYPE, shareSetBytes } from '#protocols/sharing/share-set';
import { allIndices, describeStructure, indexName } from '#protocols/sharing/structure';
import { VERIFIABLE_SCHEMES, type VerifiableScheme } from '#protocols/sharing/verifiable';
import { defineAction } from './action.js';
import type { ActionContext, FoundKey, Waiver } from './context/context.js';
import { pathOf } from './context/references.js';
import {
  assertDescribes,
  shareInEnvelopes,
  shareInWords,
  type Shared,
  type SharingOptions,
} from './shares/publish.js';
import { chooseRecipients } from './shares/recipients.js';
import { SET_FILE } from './shares/sources.js';
import { outputFields, sealingFields } from './shares/sealing-fields.js';
import { assertWaived, structureFields, structureOfInput } from './shares/structure-input.js';
import { assertVerifiable, shareVerifiably } from './shares/publish-verifiable.js';
import { writeShared } from './shares/write.js';

/** What was shared. */
export interface SplitResult {
  /** Path of set.json. */
  readonly set: string;
  /** Paths of the share files, in the order of their numbers. */
  readonly shares: readonly string[];
  readonly setId: string;
  readonly root: string;
  readonly keyId: string | null;
  /** `any 2 of 3`. */
  readonly quorum: string;
  /** `all 3 quorums`. */
  readonly proven: string;
  readonly sealed: 'passphrase' | 'identity' | 'both' | 'no';
  /** Whose public commitments to the polynomial the set has; null without them. */
  readonly verifiable: VerifiableScheme | null;
  /** Passphrases from files that are easily guessed, one phrase each. */
  readonly weak: readonly string[];
  readonly signed: boolean;
  readonly environment: Environment;
  readonly waived: readonly Waiver[];
}

/** What is shared and where it comes from. */
type Source = Pick<SharingOptions, 'content' | 'key' | 'environment'> & {
  readonly found: FoundKey | undefined;
};

export const shareSplit = defineAction({
  id: 'share.split',
  summary: 'share a key or a file among custodians',
  description:
    'Seals the key or file under a random key and splits that key, so that any threshold of shares brings it back and fewer tell ' +
    'nothing. Every quorum is proven by trial recombination before anything is written; set.json, written last, describes the set ' +
    'to everybody. A share is sealed to its custodian by a passphrase or to an identity. With --format slip39 the shares are words ' +
    'that other tools read; they are not sealed. With --verifiable the scalar of an elliptic-curve key is shared itself, and ' +
    'set.json commits to the whole polynomial: a custodian then sees that the dealing was right, even if the dealer lied.',
  inputs: {
    key: { type: 'key', summary: 'the key to share' },
    in: { type: 'file', summary: 'the file to share, at most 64 KiB', placeholder: 'FILE' },
    ...structureFields,
    format: {
      type: 'string',
      summary: 'form of the shares',
      choices: ['envelope', 'slip39'],
      default: 'envelope',
    },
    verifiable: {
      type: 'string',
      summary:
        'share the scalar of an EC key itself, with public commitments: feldman, or pedersen, which hide it from everybody',
      choices: VERIFIABLE_SCHEMES,
    },
    ...sealingFields,
    ...outputFields,
  },
  outputs: {
    set: { type: 'share-set', summary: 'public description of the set' },
    shares: { type: 'shares', summary: 'the share files', repeat: true },
    setId: { type: 'string', summary: 'id of the set' },
    root: { type: 'string', summary: 'root of the commitments' },
    proven: { type: 'string', summary: 'which quorums were proven' },
  },
  options: ['passphrase', 'identity', 'waive', 'force'],
  effect: 'repeatable',
  secrecy: 'protects',
  examples: [
    {
      command:
        'conclave share split --key root.key --threshold 3 --shares 5 --seal-to ann.pub --seal-to ben.pub --seal-to cem.pub --seal-to dee.pub --seal-to eve.pub --out-dir shares',
      explains: 'share a key among five people, any three of whom bring it back',
    },
    {
      command:
        'conclave share split --in seed.bin --threshold 2 --shares 3 --format slip39 --unsealed --out-dir words',
      explains: 'share a seed as SLIP-39 words',
    },
    {
      command:
        'conclave share split --key ca.key --verifiable feldman --threshold 2 --shares 3 --seal-passphrase-file words.txt --out-dir shares',
      explains: 'share an EC key so that nobody has to trust who dealt it',
    },
  ],
  run: async (input, context): Promise<SplitResult> => {
    const words = input.format === 'slip39';
    const structure = structureOfInput(input, words);
    const waived = assertWaived(structure, context.waivers);
    if (words && input.unsealed !== true) {
      throw new UsageError({
        code: 'E_SEAL_WORDS',
        message: 'SLIP-39 words cannot be sealed',
        hint: 'say --unsealed and keep the words safe, or leave out --format slip39',
      });
    }
    const scheme = input.verifiable as VerifiableScheme | undefined;
    const indices = allIndices(structure);
    const extension = words ? 'txt' : 'cbor';
    const paths = indices.map((index) =>
      posix.join(input.outDir, `share-${indexName(index, structure)}.${extension}`),
    );
    const setPath = posix.join(input.outDir, SET_FILE);
    context.files.assertAbsent([...paths, setPath]);
    const source = await openSource(input, context);
    using secret = source.content.secret;
    if (scheme !== undefined) assertVerifiable(source.key?.descriptor, structure, words);
    using recipients = await chooseRecipients(input, indices, structure, context);
    using dealer = await context.identities.open();
    context.progress(`sharing among ${indices.length}`);
    const options: SharingOptions = {
      content: { ...source.content, secret },
      key: source.key,
      structure,
      environment: source.environment,
      recipients: recipients.list,
      dealer: dealer?.identity.id ?? null,
      now: context.now(),
      logN: context.scryptLogN,
      stretching: input.sealKdf === 'argon2id' ? 'argon2id' : 'scrypt',
      random: context.random,
    };
    const shared = words
      ? shareInWords(options)
      : scheme !== undefined && options.key !== undefined
        ? await shareVerifiably(scheme, { ...options, key: options.key })
        : await shareInEnvelopes(options);
    assertDescribes(shared);
    const { set, proof } = shared;
    const signatures =
      dealer === undefined
        ? []
        : await signDetached(SHARE_SET_PAYLOAD_TYPE, shareSetBytes(set), dealer, {
            random: context.random,
          });
    writeShared({ set, shares: shared.shares, signatures, outDir: input.outDir }, context);
    context.record({
      type: 'share.split',
      data: {
        setId: set.setId,
        root: set.root,
        key: set.keyId,
        quorum: describeStructure(structure),
        format: set.scheme,
        ...(scheme === undefined ? {} : { verifiable: scheme }),
        sealed: recipients.sealed,
        dealer: set.dealer,
        environment: set.environment,
        waived: [...waived],
      },
    });
    await recordOnKey(input.key, source.found, shared, context);
    return {
      set: setPath,
      shares: paths,
      setId: set.setId,
      root: set.root,
      keyId: set.keyId,
      quorum: describeStructure(structure),
      proven: describeProof(proof),
      sealed: recipients.sealed,
      verifiable: scheme ?? null,
      weak: recipients.weak,
      signed: signatures.length > 0,
      environment: set.environment,
      waived,
    };
  },
  present: (result) =>
    [
      ...(result.environment === 'production'
        ? []
        : [`${result.environment.toUpperCase()}: not for production`]),
      `shared: ${result.quorum}, ${result.proven} proven`,
      ...(result.verifiable === null
        ? []
        : [
            `verifiable: each share against ${result.verifiable === 'feldman' ? 'Feldman' : 'Pedersen'}’s commitments in set.json`,
          ]),
      `sealed: ${result.sealed === 'no' ? 'NO, whoever sees a share has it' : `by ${result.sealed === 'both' ? 'passphrase or identity' : result.sealed}`}`,
      ...result.weak.map((which) => `WEAK passphrase in ${which}`),
      `set ${result.setId}, root ${result.root}`,
      ...result.shares,
      `${result.set} (${result.signed ? 'signed' : 'unsigned'}), a copy for every custodian`,
      ...result.waived.map((waiver) => `waived: ${waiver}`),
    ].join('\n'),
});

async function openSource(
  input: { readonly key?: string | undefined; readonly in?: string | undefined },
  context: ActionContext,
): Promise<Source> {
  if ((input.key === undefined) === (input.in === undefined)) {
    throw new UsageError({
      code: 'E_SHARE_SOURCE',
      message:
        input.key === undefined ? 'nothing to share was named' : 'both a key and a file were named',
      hint: 'give one of --key and --in',
    });
  }
  if (input.key !== undefined) {
    using key = await context.keys.open(input.key);
    const { descriptor, publicKey, record } = key;
    const { name, profile } = descriptor;
    return {
      content: { kind: 'key', algorithm: name, profile, secret: key.secret.clone('shared key') },
      key: { descriptor, publicKey },
      environment: record.environment === 'production' ? context.environment : record.environment,
      found: key,
    };
  }
  const path = input.in as string;
  const bytes = context.files.read(path, MAX_FILE_BYTES);
  if (bytes.length === 0) {
    throw new InputError({ code: 'E_SHARE_EMPTY', message: `${path} is empty` });
  }
  return {
    content: { kind: 'file', secret: SecretBytes.adopt(bytes, 'shared file') },
    key: undefined,
    environment: context.environment,
    found: undefined,
  };
}

/** A key of a store or a ceremony keeps in its record that it lives on in shares; a key file by path is left as it is. */
async function recordOnKey(
  reference: string | undefined,
  found: FoundKey | undefined,
  { set }: Shared,
  context: ActionContext,
): Promise<void> {
  if (reference === undefined || found === undefined) return;
  if (!found.location.startsWith('ceremony:') && pathOf(reference) !== undefined) return;
  const time = formatTime(context.now());
  await context.keys.update(reference, (record) => ({
    ...addHistory(record, 'shared', { time, reason: `among shares: ${describeStructure(set)}` }),
    shares: { setId: set.setId, root: set.root },
  }));
}
