/** `share show`: what a share says of itself, in sentences. No seal is opened, nothing is asked. */
import type { JsonObject } from '#formats/canonical-json';
import { toHex } from '#formats/bytes';
import { defineAction } from './action.js';
import { describeShare, describeWords } from './shares/check.js';
import { readShare, readSources, type ReadShare } from './shares/sources.js';

/** One share in plain words. */
export interface ShownShare {
  readonly file: string;
  readonly share: JsonObject;
  /** Sentences for a person. */
  readonly says: readonly string[];
}

export const shareShow = defineAction({
  id: 'share.show',
  summary: 'tell what a share says of itself',
  description:
    'Tells of share files, SLIP-39 words and the text of cards which share it is, of which set, how many bring the secret back, how it ' +
    'is sealed, and what to do with it. Nothing is opened, and nothing of the share itself is shown.',
  inputs: {
    shares: {
      type: 'shares',
      summary: 'share files or the text of cards',
      required: true,
      repeat: true,
      positional: 0,
      placeholder: 'FILE',
    },
  },
  outputs: {},
  effect: 'none',
  only: 'cli',
  examples: [
    { command: 'conclave share show share-2.cbor', explains: 'what is this file that I found?' },
  ],
  run: (input, context): Promise<{ readonly shares: readonly ShownShare[] }> => {
    const shares = readSources(input.shares, context.files).map((source) => {
      const read = readShare(source);
      source.bytes.fill(0);
      try {
        return {
          file: source.name,
          share: read.kind === 'envelope' ? describeShare(read.share) : describeWords(read.share),
          says: read.kind === 'envelope' ? ofEnvelope(read) : ofWords(read),
        };
      } finally {
        if (read.kind === 'slip39') read.share.value.fill(0);
      }
    });
    return Promise.resolve({ shares });
  },
  present: ({ shares }) =>
    shares
      .map(({ file, says }) => [file, ...says.map((sentence) => `  ${sentence}`)].join('\n'))
      .join('\n\n'),
});

function ofEnvelope({ share }: Extract<ReadShare, { kind: 'envelope' }>): readonly string[] {
  const { seal } = share;
  const { share: name, quorum } = describeShare(share) as { share: string; quorum: string };
  const opens = {
    unsealed: 'It is NOT sealed: whoever has this file has the share.',
    passphrase: BY_WORDS,
    argon2id: BY_WORDS,
    identity:
      seal.kind === 'identity'
        ? `It is sealed to the identity key ${toHex(seal.recipient).slice(0, 16)} of its custodian.`
        : '',
  };
  const environment =
    share.environment === 'production'
      ? []
      : [`${share.environment.toUpperCase()}: what it protects is not for production.`];
  return [
    ...environment,
    `It is share ${name} of the set ${toHex(share.setId).slice(0, 16)}: ${quorum} bring the secret back.`,
    opens[seal.kind],
    share.verifiable !== undefined
      ? `Enough shares are the ${share.verifiable.algorithm} key itself: they are all that is needed.`
      : share.package === undefined
        ? 'What the shares open is not in it: set.json is needed too, of which every custodian has a copy.'
        : 'What the shares open goes along in it: shares are all that is needed.',
    'Check it alone with: conclave share check FILE. Bring the secret back with: conclave share combine.',
  ];
}

const BY_WORDS = 'It is sealed by a passphrase, the unlock words of its custodian.';

function ofWords({ share }: Extract<ReadShare, { kind: 'slip39' }>): readonly string[] {
  const { share: name, quorum } = describeWords(share) as { share: string; quorum: string };
  return [
    `These are the SLIP-39 words of share ${name}: ${quorum} bring the secret back.`,
    'Words are NOT sealed: whoever has them has the share.',
    'Other SLIP-39 programs read them too. They cannot be checked alone beyond their own checksum.',
  ];
}
