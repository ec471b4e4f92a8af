/** `share combine`: the key or the file back from a quorum of shares. */
import { newRecord } from '#custody/authority/record';
import type { Environment, KeyRecord } from '#custody/authority/record';
import { UsageError } from '#formats/errors';
import { defineAction } from './action.js';
import { assertKeyFileFree } from './context/record-path.js';
import { collectShares } from './shares/collect.js';
import { checkDealer } from './shares/dealer.js';
import { contextOpener } from './shares/open.js';
import { type Recovered, recoverSecret } from './shares/recover.js';
import { readSources, takeSet } from './shares/sources.js';

/** What was brought back. */
export interface CombineResult {
  /** Where the key rests, for a key. */
  readonly key: string | null;
  /** Path that was written; null for a key that went into the store. */
  readonly out: string | null;
  readonly kind: 'key' | 'file';
  readonly keyId: string | null;
  readonly algorithm: string | null;
  readonly setId: string | null;
  readonly environment: Environment;
  /** Names of the shares that were used. */
  readonly used: readonly string[];
  readonly duplicates: readonly string[];
  readonly checked: readonly string[];
  readonly notChecked: readonly string[];
}

export const shareCombine = defineAction({
  id: 'share.combine',
  summary: 'bring a key or a file back from its shares',
  description:
    'Takes a quorum of share files, or of SLIP-39 words, and writes what was shared: a key as a key file, anything else as it was. ' +
    'With set.json, which is also found beside the shares, every share is checked against its commitment first and the card that ' +
    'does not belong is named. Nothing is written before everything is verified. The new key file is sealed by the first ' +
    '--passphrase-file, by a prompt, or left plain with --no-passphrase. Without FILE it asks for cards, to be scanned, typed or ' +
    'pasted, names the odd one at once, and writes nothing but the result.',
  inputs: {
    shares: {
      type: 'shares',
      summary:
        'share files or the text of cards; set.json may be among them; without any, cards are asked for',
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
    out: { type: 'path', summary: 'file to write; a key goes into the store without it' },
  },
  outputs: {
    key: { type: 'key', summary: 'the key, when it was one' },
    out: { type: 'file', summary: 'the file that was written' },
    keyId: { type: 'string', summary: 'id of the key' },
  },
  options: ['passphrase', 'new-passphrase', 'identity', 'force'],
  effect: 'repeatable',
  secrecy: 'creates',
  examples: [
    {
      command: 'conclave share combine share-1.cbor share-4.cbor share-5.cbor --out root.key',
      explains: 'bring a key back; set.json lies beside the shares',
    },
    {
      command: 'conclave share combine --out root.key',
      explains: 'the same from cards on paper, which are asked for',
    },
  ],
  run: async (input, context): Promise<CombineResult> => {
    const { out } = input;
    // A key has its record beside it, whichever it turns out to be: both names must be free.
    if (out !== undefined) assertKeyFileFree(out, context.files);
    const { shares: given, set } = takeSet(
      readSources(input.shares, context.files),
      input.set,
      context.files,
    );
    const sources = given.length > 0 ? given : await collectShares(context, 'quorum', set);
    const people = input.custodians === undefined ? [] : context.ask.people(input.custodians);
    const dealer = await checkDealer(set, context.identities);
    try {
      using recovered = await recoverSecret({
        sources,
        opener: contextOpener(context, people),
        set,
        random: context.random,
      });
      const location = await place(recovered, out, context);
      const { key, setId, root, environment, used, duplicates } = recovered;
      context.record({
        type: 'share.combine',
        data: { setId: setId ?? null, root: root ?? null, key: key?.id ?? null, used: used.length },
      });
      return {
        key: key === undefined ? null : location,
        out: out ?? null,
        kind: key === undefined ? 'file' : 'key',
        keyId: key?.id ?? null,
        algorithm: key?.descriptor.name ?? null,
        setId: setId ?? null,
        environment,
        used,
        duplicates,
        checked: [...recovered.checked, ...dealer.checked],
        notChecked: [...recovered.notChecked, ...dealer.notChecked],
      };
    } finally {
      for (const { bytes } of sources) bytes.fill(0);
    }
  },
  present: (result) =>
    [
      ...(result.environment === 'production'
        ? []
        : [`${result.environment.toUpperCase()}: not for production`]),
      result.kind === 'key'
        ? `recovered the ${result.algorithm} key ${result.keyId} to ${result.key}`
        : `recovered ${result.out}`,
      `from ${result.used.join(', ')}`,
      ...result.duplicates.map((name) => `${name} repeats another share`),
      ...result.checked.map((what) => `checked: ${what}`),
      ...result.notChecked.map((what) => `NOT checked: ${what}`),
    ].join('\n'),
});

async function place(
  recovered: Recovered,
  out: string | undefined,
  { keys, files, now }: Parameters<typeof shareCombine.run>[1],
): Promise<string> {
  const { key, secret, environment, setId, root } = recovered;
  if (key === undefined) {
    if (out === undefined) {
      throw new UsageError({
        code: 'E_SHARE_OUT',
        message: 'these shares are of a file, and nothing says where to write it',
        hint: 'give --out FILE',
      });
    }
    const bytes = secret.use((borrowed) => borrowed.slice());
    try {
      files.write(out, bytes, { secret: true });
    } finally {
      bytes.fill(0);
    }
    return out;
  }
  const record: KeyRecord = {
    ...newRecord({
      descriptor: key.descriptor,
      publicKey: key.publicKey,
      name: null,
      environment,
      now: now(),
      event: 'recovered',
    }),
    shares: setId === undefined || root === undefined ? null : { setId, root },
  };
  return (await keys.add(record, secret, { out })).location;
}
