/** Lines that are typed from paper: what is wrong in one is found, and named. */
import { fc } from '../support/property.js';
import { describe, expect, it } from 'vitest';
import {
  joinLines,
  LINE_BYTES,
  lineNumber,
  linesOf,
  lineText,
  looksLikeLine,
  readLine,
  wordLinesOf,
} from '#carriage/transport/line-code';
import { utf8 } from '#formats/bytes';
import { SLIP39_WORDS } from '#protocols/sharing/slip39-words';
import { thorough } from '../support/require.js';

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const sample = Uint8Array.from({ length: 100 }, (_, i) => (i * 73 + 5) & 255);

const bytesOf = (text: string): Uint8Array => {
  const read = readLine(text, SLIP39_WORDS);
  if (!read.ok || !(read.data instanceof Uint8Array)) throw new Error('not read');
  return read.data;
};

describe('lines of bytes', () => {
  it('spell what docs/spec/share-card.md says', () => {
    const text = utf8('conclave');
    expect(linesOf(text, 'share').map(lineText)).toEqual(['01  CDQP WRVC C5V6 A  5DVT']);
    const [zeros] = linesOf(new Uint8Array(15), 'share');
    expect(lineText(zeros as never)).toMatch(/^01 {2}(0000 ){6} [0-9A-Z]{4}$/);
    expect(linesOf(sample, 'share')).toHaveLength(Math.ceil(100 / LINE_BYTES));
    expect(linesOf(sample, 'package').map(lineNumber).slice(0, 2)).toEqual(['P01', 'P02']);
  });

  it('give the bytes back, in any order, whatever the spacing and case', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 400 }), (bytes) => {
        const lines = linesOf(bytes, 'share').map(lineText);
        const read = new Map<number, Uint8Array>();
        for (const [i, line] of [...lines].reverse().entries()) {
          const [number = '', ...groups] = line.split(/ +/);
          const spellings = [
            line,
            line.toLowerCase(),
            `${number}. ${groups.join('')}`,
            `  ${number}:  ${groups.join('-')} `,
          ];
          const typed = readLine(spellings[i % 4] as string);
          if (!typed.ok) throw new Error(typed.problem);
          read.set(typed.number, typed.data as Uint8Array);
        }
        expect(joinLines(read, 'card')).toEqual(bytes);
      }),
    );
  });

  it('take O for 0, and I and L for 1', () => {
    const text = lineText(linesOf(Uint8Array.of(0, 0, 8, 66, 16), 'share')[0] as never);
    expect(text).toContain('0');
    expect(
      bytesOf(
        text
          .replace(/^01/, '1')
          .replaceAll('0', 'o')
          .replaceAll(/(?<=\s.*)1/g, 'l'),
      ),
    ).toEqual(Uint8Array.of(0, 0, 8, 66, 16));
  });

  it('find every single wrong character, and every pair of neighbours that changed places', () => {
    for (const line of linesOf(sample, 'share')) {
      const text = lineText(line);
      for (let at = 4; at < text.length; at++) {
        const right = text.charAt(at);
        if (right === ' ') continue;
        for (const wrong of ALPHABET) {
          if (wrong === right) continue;
          const read = readLine(text.slice(0, at) + wrong + text.slice(at + 1));
          expect(read).toMatchObject({ ok: false, number: line.number });
          if (!read.ok) expect(read.problem).toMatch(/line \d\d does not fit .*: look at group \d/);
        }
        const next = text.charAt(at + 1);
        if (next === ' ' || next === '' || next === right) continue;
        const swapped = readLine(text.slice(0, at) + next + right + text.slice(at + 2));
        expect(swapped).toMatchObject({ ok: false });
      }
    }
  });

  it('points at the group in which one character is wrong', () => {
    const [line] = linesOf(sample, 'share');
    const groups = [...(line as never as { groups: string[] }).groups];
    groups.forEach((group, g) => {
      const wrong = ALPHABET.charAt((ALPHABET.indexOf(group.charAt(2)) + 7) % 32);
      const typed = groups.map((each, i) =>
        i === g ? group.slice(0, 2) + wrong + group.slice(3) : each,
      );
      const read = readLine(`1 ${typed.join(' ')}`);
      expect(read).toMatchObject({ ok: false });
      if (!read.ok) expect(read.problem).toContain(`look at group ${g + 1}`);
    });
  });

  it('finds up to four wrong characters, always', () => {
    const [line] = linesOf(sample, 'share');
    const symbols = [...(line as never as { groups: string[] }).groups.join('')];
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.nat(symbols.length - 1), { minLength: 1, maxLength: 4 }),
        fc.array(fc.integer({ min: 1, max: 31 }), { minLength: 4, maxLength: 4 }),
        (places, shifts) => {
          const typed = [...symbols];
          places.forEach((place, i) => {
            const value = ALPHABET.indexOf(typed[place] as string);
            typed[place] = ALPHABET.charAt(value ^ (shifts[i] as number));
          });
          expect(readLine(`1 ${typed.join('')}`).ok).toBe(false);
        },
      ),
      { numRuns: thorough ? 20_000 : 2_000 },
    );
  });

  it('finds a line under another number, and says which it looks like', () => {
    const lines = linesOf(sample, 'share');
    for (const line of lines) {
      const [, ...groups] = lineText(line).split(/ +/);
      for (let number = 1; number <= 31; number++) {
        if (number === line.number) continue;
        const read = readLine(`${number} ${groups.join(' ')}`);
        expect(read.ok).toBe(false);
        if (!read.ok) expect(read.problem).toContain(`it looks like line ${lineNumber(line)}`);
      }
      // The same line of another kind.
      expect(readLine(`P${line.number} ${groups.join(' ')}`).ok).toBe(false);
    }
  });

  it('finds what is left out and what is too much', () => {
    const text = lineText(linesOf(sample, 'share')[2] as never);
    for (let at = 4; at < text.length; at++) {
      if (text.charAt(at) === ' ') continue;
      expect(readLine(text.slice(0, at) + text.slice(at + 1)).ok).toBe(false);
      expect(readLine(`${text.slice(0, at)}7${text.slice(at)}`).ok).toBe(false);
    }
  });

  it('never repeats what was typed', () => {
    const typed = '3 SECR ETSE CRET SECR ETSE CRET SECR';
    const read = readLine(typed, SLIP39_WORDS);
    expect(read.ok).toBe(false);
    if (!read.ok) expect(read.problem).not.toMatch(/SECR/i);
  });

  it('names the lines that are missing', () => {
    const lines = new Map([
      [1, new Uint8Array(15)],
      [4, new Uint8Array(3)],
    ]);
    expect(() => joinLines(lines, 'the card')).toThrow('the card: line 02, 03 is missing');
  });

  it('takes mutations of a line for what they are', () => {
    const right = linesOf(sample, 'share').map(lineText);
    const originals = new Map(right.map((text) => [text, bytesOf(text)]));
    let seed = 1;
    const random = (below: number): number => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      return Math.floor((seed / 2_147_483_648) * below);
    };
    let passed = 0;
    for (let i = 0; i < 10_000; i++) {
      const text = right[random(right.length)] as string;
      const characters = [...text];
      for (let n = 0; n <= random(4); n++) {
        const at = random(characters.length);
        const kind = random(3);
        if (kind === 0) characters[at] = String.fromCharCode(random(0x180));
        else if (kind === 1) characters.splice(at, 1);
        else characters.splice(at, 0, String.fromCharCode(random(128)));
      }
      const read = readLine(characters.join(''), SLIP39_WORDS);
      if (!read.ok) continue;
      passed++;
      // Whatever still passes says the same as before: only spaces, case and look-alikes changed.
      expect(read.data).toEqual(originals.get(right[read.number - 1] as string));
    }
    expect(passed).toBeGreaterThan(50);
  });
});

describe('lines of words', () => {
  const words = Array.from({ length: 33 }, (_, i) => (i * 331) % 1024);
  const lines = wordLinesOf(words, SLIP39_WORDS);

  it('give the words back, and take four letters of each', () => {
    const read = lines.flatMap((line) => {
      const short = `${line.number} ${line.groups.map((word, i) => (i === line.groups.length - 1 ? word : word.slice(0, 4))).join(' ')}`;
      const typed = readLine(short, SLIP39_WORDS);
      if (!typed.ok) throw new Error(typed.problem);
      expect(typed.kind).toBe('words');
      return [...(typed.data as readonly number[])];
    });
    expect(read).toEqual(words);
  });

  it('find every wrong word, every two, and words that changed places', () => {
    for (const line of lines) {
      const own = line.groups.slice(0, -1);
      for (let at = 0; at < own.length; at++) {
        for (const wrong of SLIP39_WORDS) {
          if (wrong === own[at]) continue;
          const typed = own.map((word, i) => (i === at ? wrong : word));
          expect(
            readLine(`${line.number} ${typed.join(' ')} ${line.groups.at(-1)}`, SLIP39_WORDS).ok,
          ).toBe(false);
        }
        if (at + 1 >= own.length) continue;
        const swapped = [...own];
        [swapped[at], swapped[at + 1]] = [own[at + 1] as string, own[at] as string];
        expect(
          readLine(`${line.number} ${swapped.join(' ')} ${line.groups.at(-1)}`, SLIP39_WORDS).ok,
        ).toBe(false);
      }
    }
  });

  it('names the word that is in no list', () => {
    const line = `1 academic acid acnee acquire acrobat 0000`;
    expect(readLine(line, SLIP39_WORDS)).toMatchObject({
      ok: false,
      problem: 'line 01: word 3 is in no list',
    });
  });
});

describe('what looks like a line', () => {
  it.each(['1 ABCD', '07  ABCD', 'P12. X', ' 3) x'])('%j does', (text) => {
    expect(looksLikeLine(text)).toBe(true);
  });
  it.each(['', 'academic acid', '1234 x', '{"a":1}', '# 1 x'])('%j does not', (text) => {
    expect(looksLikeLine(text)).toBe(false);
  });
});
