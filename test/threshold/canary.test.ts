/** The canary for shares: what a party holds of a key occurs in nothing that is exchanged, kept, logged or said, in no form. */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { keyGenerate } from '#actions/key-generate';
import { thresholdDeal } from '#actions/threshold-deal';
import { thresholdKeygen } from '#actions/threshold-keygen';
import { thresholdRefresh } from '#actions/threshold-refresh';
import { thresholdSign } from '#actions/threshold-sign';
import { filesBelow, formsIn } from '../support/canary.js';
import { phase, room, rounds, session, startFile } from './party.js';

// A proof of fewer repetitions holds the same kinds of bytes.
vi.mock('#protocols/inhead/hash-input', async (original) => ({
  ...(await original<object>()),
  REPETITIONS: 8,
}));

const digestOf = (path: string): string =>
  `sha256:${createHash('sha256').update(readFileSync(path)).digest('hex')}`;

/** Where secrets occur below folders. */
function search(
  folders: readonly string[],
  secrets: ReadonlyMap<string, Uint8Array>,
): readonly string[] {
  const found: string[] = [];
  for (const folder of folders) {
    for (const path of filesBelow(folder)) {
      const content = readFileSync(join(folder, path));
      for (const [name, bytes] of secrets)
        found.push(...formsIn(content, bytes).map((form) => `${name} in ${path} as ${form}`));
    }
  }
  return found;
}

describe('canary of shares', () => {
  it('a dealt key and its shares, old and new, stay sealed', async () => {
    const three = await room(['Dora', 'Ann', 'Ben']);
    try {
      const { net, people } = three;
      const [dora, ann, ben] = people as [
        (typeof people)[0],
        (typeof people)[0],
        (typeof people)[0],
      ];
      const secrets = new Map<string, Uint8Array>();
      const said: string[] = [];
      /** What a person's share is just now, for the search. */
      const note = async (when: string): Promise<void> => {
        for (const { name, place, options } of [ann, ben]) {
          const { keys } = place.context(options);
          using kept = await keys.openShare?.('key');
          kept?.share.opening.use((bytes) => {
            secrets.set(`share of ${name} ${when}`, bytes.slice(0, 32));
            secrets.set(`randomness of ${name} ${when}`, bytes.slice(32));
          });
        }
      };
      const old = dora.place.at('old.key');
      await dora.place.run(keyGenerate as never, { algorithm: 'ed25519', out: old } as never, {
        passphrases: dora.options.passphrases ?? [],
      });
      await dora.place
        .context(dora.options)
        .keys.open(old)
        .then((opened) => {
          using key = opened;
          key.secret.use((bytes) => secrets.set('the key', bytes.slice()));
        });
      const folder = join(net, 'dealing');
      const parties = [ann, ben].map(({ pub }) => pub);
      const dealt = await dora.place.run(
        thresholdDeal as never,
        {
          threshold: 2,
          proveOpenings: true,
          key: old,
          party: parties,
          suite: 'ed25519',
          session: dora.place.at('session-dealing'),
          outDir: folder,
        } as never,
        dora.options,
      );
      said.push(JSON.stringify(dealt));
      for (const person of [ann, ben])
        said.push(
          JSON.stringify(
            await phase(thresholdKeygen, 'start', person, folder, { in: [startFile(folder)] }),
          ),
        );
      // Private state is there now, and is searched too.
      const during = search(
        people.map(({ place }) => place.folder),
        secrets,
      );
      expect(during).toEqual([]);
      await rounds(thresholdKeygen, people, folder);
      for (const person of people)
        said.push(
          JSON.stringify(await phase(thresholdKeygen, 'finish', person, folder, { name: 'key' })),
        );
      await note('at first');
      const both = [ann, ben];
      said.push(
        JSON.stringify(await session(thresholdRefresh, both, join(net, 'fresh'), { key: 'key' })),
      );
      await note('afterwards');
      const message = join(net, 'note.txt');
      writeFileSync(message, 'pay the miller');
      const signed = await session(
        thresholdSign,
        both,
        join(net, 'sign'),
        { key: 'key', message },
        { expect: digestOf(message) },
      );
      said.push(JSON.stringify(signed));

      // Proofs of both sessions are among what is searched.
      const proofs = filesBelow(net).filter((path) => path.endsWith('.proof'));
      expect(proofs).toHaveLength(4);
      expect(secrets.size).toBe(9);
      for (const person of people)
        secrets.set(
          `passphrase of ${person.name}`,
          Buffer.from(person.options.passphrases?.[0] ?? ''),
        );
      expect(search([net, ...people.map(({ place }) => place.folder)], secrets)).toEqual([]);
      const talk = Buffer.from(said.join('\n'));
      for (const [name, bytes] of secrets) expect([name, formsIn(talk, bytes)]).toEqual([name, []]);
    } finally {
      three.remove();
    }
  });
});
