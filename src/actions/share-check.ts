/** `share check`: each share alone, without its secret going anywhere. */
import { defineAction } from './action.js';
import { checkShare, isProven, type ShareCheck } from './shares/check.js';
import { collectShares } from './shares/collect.js';
import { contextOpener } from './shares/open.js';
import { assertNotShownBefore, type Repetition, repetitions } from './shares/shown-cards.js';
import { readSources, takeSet } from './shares/sources.js';

/** The verdict on all of them. */
export interface CheckResult {
  readonly ok: boolean;
  readonly shares: readonly ShareCheck[];
  /** Files that are the same share as another: they count once. */
  readonly repeated: readonly Repetition[];
  /** Path of the set.json that was used. */
  readonly set: string | null;
  /** What was checked, as one line for a record; public facts only. */
  readonly summary: string;
}

export const shareCheck = defineAction({
  id: 'share.check',
  summary: 'check each share alone',
  description:
    'Tells damage from a wrong passphrase by the checksum, opens the seal when a passphrase or an identity is given, and, with ' +
    'set.json (also found beside the share), that this is the share that was dealt. Says what was not checked. No secret is rebuilt. ' +
    'Without FILE it asks for a card, to be scanned, typed or pasted; nothing of it is written.',
  inputs: {
    shares: {
      type: 'shares',
      summary:
        'share files or the text of cards; set.json may be among them; without any, a card is asked for',
      repeat: true,
      positional: 0,
      placeholder: 'FILE',
    },
    set: { type: 'share-set', summary: 'description of the set', placeholder: 'set.json' },
    custodians: {
      type: 'role',
      summary: 'role whose holders the shares belong to, in order',
      only: 'ceremony',
    },
  },
  outputs: {
    ok: { type: 'verdict', summary: 'whether every share is what it claims to be' },
    summary: { type: 'string', summary: 'what was checked' },
  },
  options: ['passphrase', 'identity'],
  effect: 'none',
  examples: [
    {
      command: 'conclave share check share-2.cbor --set set.json --passphrase-file pass',
      explains: 'what a custodian does once a year',
    },
    {
      command: 'conclave share check',
      explains: 'the same with a card on paper, which is asked for',
    },
  ],
  run: async (input, context): Promise<CheckResult> => {
    const { shares: given, set } = takeSet(
      readSources(input.shares, context.files),
      input.set,
      context.files,
    );
    const sources = given.length > 0 ? given : await collectShares(context, 'one', set);
    const people = input.custodians === undefined ? [] : context.ask.people(input.custodians);
    const opener = contextOpener(context, people);
    const shares: ShareCheck[] = [];
    for (const source of sources) {
      const check = await checkShare(source, opener, set);
      source.bytes.fill(0);
      // In a ceremony others rely on the answer: a share that nobody opened was not checked.
      const shut = context.inCeremony === true && check.ok && !isProven(check);
      if (check.ok && !shut) assertNotShownBefore(check, context);
      shares.push(shut ? { ...check, ok: false } : check);
    }
    return {
      ok: shares.every(({ ok }) => ok),
      shares,
      repeated: repetitions(shares),
      set: set?.name ?? null,
      summary: shares.map(summaryOf).join('; '),
    };
  },
  present: ({ shares, repeated }) =>
    [
      ...shares.flatMap(({ file, ok, claims, notChecked }) => [
        `${file}: ${ok ? 'good' : 'NOT GOOD'}`,
        ...claims.map((each) => `  ${each.ok ? 'yes' : 'NO '} ${each.claim}: ${each.detail}`),
        ...notChecked.map((what) => `  not checked: ${what}`),
      ]),
      ...repeated.map(
        ({ file, repeats }) => `NOTE: ${file} is the same share as ${repeats}; it counts once`,
      ),
    ].join('\n'),
});

function summaryOf({ file, ok, claims, notChecked }: ShareCheck): string {
  const found = claims.map((each) => (each.ok ? each.claim : `NOT ${each.claim}: ${each.detail}`));
  const open = ok ? [] : notChecked.map((what) => `not checked: ${what}`);
  return `${file}: ${[...found, ...open].join(', ')}`;
}
