/** `share passphrase`: words drawn by chance for a custodian, or what a passphrase in a file is worth. */
import { fromUtf8, utf8 } from '#formats/bytes';
import { UsageError } from '#formats/errors';
import {
  BITS_PER_WORD,
  DEFAULT_WORDS,
  drawPassphrase,
  FLOOR_BITS,
  WORD_LIMITS,
} from '#protocols/sharing/passphrase';
import { defineAction } from './action.js';
import { assessPassphrase, MAX_PASSPHRASE_BYTES } from './shares/passphrase.js';

/** What was drawn or estimated; never the passphrase. */
export interface PassphraseResult {
  /** Whether it is not weak. */
  readonly ok: boolean;
  /** Where it was written; null for an estimate. */
  readonly out: string | null;
  readonly words: number | null;
  readonly bits: number;
  /** Whether `bits` is exact, because chance drew it here. */
  readonly drawn: boolean;
  readonly findings: readonly string[];
}

export const sharePassphrase = defineAction({
  id: 'share.passphrase',
  summary: 'draw a passphrase of words, or estimate one',
  description:
    `Draws words by chance from a list of 1,024, ${BITS_PER_WORD} bits each, and writes them to a file for one custodian; ` +
    `${DEFAULT_WORDS} words are ${DEFAULT_WORDS * BITS_PER_WORD} bits. With --in it estimates the passphrase in a file from its ` +
    `form alone and says no below ${FLOOR_BITS} bits. No list of leaked passwords is consulted: a quotation is overrated.`,
  inputs: {
    in: { type: 'file', summary: 'estimate the passphrase in this file', placeholder: 'FILE' },
    out: { type: 'path', summary: 'file to write the new passphrase to', placeholder: 'FILE' },
    words: { type: 'integer', summary: 'how many words', ...WORD_LIMITS, placeholder: 'N' },
  },
  outputs: { ok: { type: 'verdict', summary: 'whether it is strong enough to seal a share' } },
  options: ['force'],
  effect: 'repeatable',
  only: 'cli',
  examples: [
    {
      command: 'conclave share passphrase --out ann.txt',
      explains: 'eight words for Ann, to be printed on her strip and then destroyed',
    },
    {
      command: 'conclave share passphrase --in ann.txt',
      explains: 'what a passphrase is worth that Ann chose herself',
    },
  ],
  run: (input, context): Promise<PassphraseResult> => {
    const { in: path, out, words } = input;
    if (
      (path === undefined) === (out === undefined) ||
      (path !== undefined && words !== undefined)
    ) {
      throw new UsageError({
        code: 'E_PASSPHRASE_SOURCE',
        message:
          path === undefined
            ? 'nothing says where the passphrase goes'
            : 'one of --in and --out is meant',
        hint: 'give --out FILE to draw one, or --in FILE to estimate one',
      });
    }
    if (path !== undefined) {
      const bytes = context.files.read(path, MAX_PASSPHRASE_BYTES);
      try {
        const { bits, weak, findings } = assessPassphrase(bytes, path);
        return Promise.resolve({ ok: !weak, out: null, words: null, bits, drawn: false, findings });
      } finally {
        bytes.fill(0);
      }
    }
    const target = out as string;
    context.files.assertAbsent([target]);
    const drawn = drawPassphrase(context.random, words);
    using passphrase = drawn.passphrase;
    const line = passphrase.use((bytes) => utf8(`${fromUtf8(bytes, target)}\n`));
    try {
      context.files.write(target, line, { secret: true });
    } finally {
      line.fill(0);
    }
    return Promise.resolve({
      ok: true,
      out: target,
      words: drawn.words,
      bits: drawn.bits,
      drawn: true,
      findings: [],
    });
  },
  present: ({ ok, out, words, bits, drawn, findings }) =>
    drawn
      ? `${words} words, ${bits} bits, in ${out}`
      : [
          `${ok ? 'strong enough' : 'WEAK'}: about ${bits} bits, ${FLOOR_BITS} are wanted`,
          ...findings.map((finding) => `found: ${finding}`),
          'estimated from its form alone: a quotation is worth less than it seems',
        ].join('\n'),
});
