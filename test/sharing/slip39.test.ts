/** SLIP-39 against the published vectors, and with an independent package in both directions. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { seededSource } from '../formats/mutate.js';
import { fc } from '../support/property.js';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex, utf8 } from '#formats/bytes';
import { ConclaveError } from '#formats/errors';
import { combineSlip39, slip39Carries, splitSlip39 } from '#protocols/sharing/slip39';
import { decodeMnemonic, encodeMnemonic } from '#protocols/sharing/slip39-mnemonic';
import { SLIP39_WORDS } from '#protocols/sharing/slip39-words';
import { plainStructure, type Structure } from '#protocols/sharing/structure';
import { needs, vectorsDir } from '../support/require.js';

interface PeerNode {
  readonly mnemonics: readonly string[];
  readonly children: readonly PeerNode[];
}
interface Peer {
  fromArray(secret: number[], options: object): { readonly root: PeerNode };
  recoverSecret(mnemonics: readonly string[], passphrase?: string): number[];
}

const peer = createRequire(import.meta.url)('slip39') as Peer;
const random = seededSource(4);
const vectors = vectorsDir();
const NONE = new Uint8Array(0);

function combine(mnemonics: readonly string[], passphrase: Uint8Array = NONE): Uint8Array {
  return combineSlip39(
    mnemonics.map((text, i) => ({
      name: `card ${i + 1}`,
      share: decodeMnemonic(text, `card ${i + 1}`),
    })),
    passphrase,
  );
}

function split(secret: Uint8Array, structure: Structure, passphrase: Uint8Array = NONE): string[] {
  return splitSlip39({ secret, passphrase, structure, random }).map(encodeMnemonic);
}

function leaves(node: PeerNode): string[] {
  return node.children.length === 0 ? [...node.mnemonics] : node.children.flatMap(leaves);
}

describe.skipIf(!needs('vectors', vectors !== undefined, 'no folder of test vectors'))(
  'published vectors',
  () => {
    type Row = [title: string, mnemonics: string[], secret: string, xprv: string];
    const rows =
      vectors === undefined
        ? []
        : (JSON.parse(readFileSync(join(vectors, 'slip39/vectors.json'), 'utf8')) as Row[]);
    it.each(rows)('%s', (_title, mnemonics, secret) => {
      if (secret === '') {
        expect(() => combine(mnemonics, utf8('TREZOR'))).toThrow(ConclaveError);
      } else {
        expect(toHex(combine(mnemonics, utf8('TREZOR')))).toBe(secret);
      }
    });

    it('the word list is the published one', () => {
      const list = readFileSync(join(vectors as string, 'slip39/wordlist.txt'), 'utf8');
      expect(SLIP39_WORDS).toEqual(list.trim().split('\n'));
    });
  },
);

describe('every length from 16 to 96 bytes', () => {
  for (let length = 16; length <= 96; length += 2) {
    it(`${length}`, () => {
      expect(slip39Carries(length)).toBe(true);
      const secret = random(length);
      const words = split(secret, plainStructure({ threshold: 2, shares: 3 }));
      expect(combine([words[2] as string, words[0] as string])).toEqual(secret);
    });
  }
  it('no other', () => {
    expect([0, 14, 15, 17, 97, 98].some(slip39Carries)).toBe(false);
  });
});

describe('the npm package slip39', () => {
  for (const length of [16, 24, 32, 48, 64]) {
    it(`opens our shares of ${length} bytes`, () => {
      const secret = random(length);
      const words = split(secret, plainStructure({ threshold: 3, shares: 5 }));
      expect(peer.recoverSecret([words[4], words[1], words[2]] as string[])).toEqual([...secret]);
    });
    it.each([0, 1])(`has its shares of ${length} bytes opened by us, extendable %s`, (flag) => {
      const secret = random(length);
      const made = peer.fromArray([...secret], {
        passphrase: 'open sesame',
        threshold: 1,
        groups: [[3, 5]],
        iterationExponent: 1,
        extendableBackupFlag: flag,
      });
      const words = leaves(made.root);
      expect(combine(words.slice(1, 4), utf8('open sesame'))).toEqual(secret);
    });
  }

  it('agrees on groups: 2 of {3 of 5, 2 of 3, 1 of 1}', () => {
    const secret = random(32);
    const structure = {
      groupThreshold: 2,
      groups: [
        { threshold: 3, shares: 5 },
        { threshold: 2, shares: 3 },
        { threshold: 1, shares: 1 },
      ],
    };
    const words = split(secret, structure);
    const chosen = [words[0], words[2], words[4], words[5], words[7]] as string[];
    expect(peer.recoverSecret(chosen)).toEqual([...secret]);
    expect(combine(chosen)).toEqual(secret);
    // A whole group more is accepted and checked.
    expect(combine([...chosen, words[8] as string])).toEqual(secret);
  });

  it('agrees on 16 groups of 16 members', () => {
    const secret = random(32);
    const quorum = { threshold: 16, shares: 16 };
    const structure = { groupThreshold: 16, groups: Array.from({ length: 16 }, () => quorum) };
    const words = split(secret, structure);
    expect(words.length).toBe(256);
    expect(combine(words)).toEqual(secret);
    expect(peer.recoverSecret(words)).toEqual([...secret]);
  });
});

describe('refusals', () => {
  const secret = fromHex('00112233445566778899aabbccddeeff');
  const structure = plainStructure({ threshold: 2, shares: 3 });
  const words = split(secret, structure);
  const other = split(secret, structure);

  it('t−1 shares: 75', () => {
    expect(() => combine(words.slice(0, 1))).toThrow(
      expect.objectContaining({ exitCode: 75, code: 'E_QUORUM_INCOMPLETE' }) as Error,
    );
    expect(() => combine([words[0], words[0]] as string[])).toThrow(
      expect.objectContaining({ exitCode: 75 }) as Error,
    );
  });

  it('a card of another set is named: 1', () => {
    expect(() => combine([words[0], other[1], words[2]] as string[])).toThrow(
      expect.objectContaining({ exitCode: 1, details: { odd: ['card 2'] } }) as Error,
    );
    expect(() => combine([words[0], other[1]] as string[])).toThrow(
      expect.objectContaining({ exitCode: 1, details: { odd: ['card 1', 'card 2'] } }) as Error,
    );
  });

  it('any one, two or three wrong words', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: 0, max: 19 }), { minLength: 1, maxLength: 3 }),
        fc.integer({ min: 1, max: 1023 }),
        (places, shift) => {
          const list = (words[0] as string).split(' ');
          for (const at of places) {
            const old = SLIP39_WORDS.indexOf(list[at] as string);
            list[at] = SLIP39_WORDS[(old + shift) % 1024] as string;
          }
          let code = 0;
          try {
            decodeMnemonic(list.join(' '), 'card');
          } catch (error) {
            code = (error as ConclaveError).exitCode;
          }
          expect(code).toBe(1);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('never repeats a word in an error', () => {
    const list = (words[0] as string).split(' ');
    list[7] = 'xylophone';
    for (const text of [list.join(' '), list.slice(1).join(' '), list.toReversed().join(' ')]) {
      try {
        decodeMnemonic(text, 'card');
        expect.unreachable();
      } catch (error) {
        const said = JSON.stringify([String(error), (error as ConclaveError).details]);
        expect(list.filter((word) => word.length > 6 && said.includes(word))).toEqual([]);
      }
    }
  });

  it('survives mutations', () => {
    const text = words[1] as string;
    fc.assert(
      fc.property(
        fc.nat(text.length - 1),
        fc.constantFrom('replace', 'insert', 'delete', 'cut', 'double'),
        fc.string({ minLength: 1, maxLength: 5 }),
        (at, how, by) => {
          const mutated = {
            replace: text.slice(0, at) + by + text.slice(at + by.length),
            insert: text.slice(0, at) + by + text.slice(at),
            delete: text.slice(0, at) + text.slice(at + 1),
            cut: text.slice(0, at),
            double: text + text.slice(at),
          }[how];
          try {
            decodeMnemonic(mutated, 'card');
          } catch (error) {
            if (!(error instanceof ConclaveError) || ![1, 65].includes(error.exitCode)) throw error;
          }
        },
      ),
      { numRuns: 10_000 },
    );
  });
});
