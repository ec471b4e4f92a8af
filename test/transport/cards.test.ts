/**
 * Cards as they come from the printer: drawn by programs that are not ours, read by readers that are not ours, also when they
 * were blurred, turned and covered.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cardOf } from '#actions/shares/card';
import { renderCards } from '#actions/shares/render';
import { readShare } from '#actions/shares/sources';
import { type Card, type Paper, papers } from '#carriage/transport/card';
import { layoutCard } from '#carriage/transport/card-layout';
import { cardTextOf, looksLikeCard, readCard } from '#carriage/transport/card-text';
import { widthOf } from '#carriage/transport/font-metrics';
import { linesOf } from '#carriage/transport/line-code';
import { decodeFilePayload } from '#carriage/transport/payload';
import { readPicture } from '#carriage/transport/picture';
import type { QrReader } from '#carriage/transport/qr-reader';
import type { Raster } from '#carriage/transport/raster';
import { decodeUr } from '#carriage/transport/ur';
import { sha256 } from '#crypto/hash';
import { fromUtf8, utf8 } from '#formats/bytes';
import { decodeShareSet } from '#protocols/sharing/share-set';
import { SLIP39_WORDS } from '#protocols/sharing/slip39-words';
import { mutate, seededRandom } from '../formats/mutate.js';
import { hasProgram, needs, root, spread, thorough } from '../support/require.js';
import { zxing } from './reader.js';

const MADE = new Date('2026-11-26T00:00:00Z');
const work = mkdtempSync(join(tmpdir(), 'conclave-cards-'));
const zbar = needs('zbarimg', hasProgram('zbarimg'), 'a second reader of QR codes');
const poppler = needs('pdftoppm', hasProgram('pdftoppm'), 'draws PDF pages');
const rsvg = needs('rsvg-convert', hasProgram('rsvg-convert'), 'draws SVG files');
const magick = needs('convert', hasProgram('convert'), 'spoils pictures');

let reader: QrReader;
beforeAll(async () => {
  reader = await zxing();
});
afterAll(() => {
  rmSync(work, { recursive: true, force: true });
});

const compat = join(root, 'test/compat/v1');

/** The card of a stored sample. */
function sampleCard(folder: string, file: string, over: Partial<Card> = {}): Card {
  const bytes = new Uint8Array(readFileSync(join(compat, folder, file)));
  const name = join(compat, folder, 'set.json');
  const set = { name, file: decodeShareSet(new Uint8Array(readFileSync(name)), name) };
  const card = cardOf(readShare({ name: file, bytes }), bytes, set, {
    custodian: 'Ann Blyth',
    ceremony: 'root-key',
    printed: '2026-11-26',
    review: '2027-11-26',
    version: '0.1.0',
    unlock: { kind: 'blank' },
  });
  return { ...card, ...over };
}

/** A card whose share is as long as a share sealed by passphrase can be. */
function longest(mark: string | undefined): Card {
  const card = sampleCard('shares-passphrase', 'share-2.cbor');
  return {
    ...card,
    mark,
    lines: linesOf(new Uint8Array(400).fill(7), 'share'),
    group: 'group 16 of 16: 255 of its 255; 16 groups are needed',
    secret: 'the ed25519+ml-dsa-65 key of a customer with quite a long name',
  };
}

const share = new Uint8Array(readFileSync(join(compat, 'shares-passphrase/share-2.cbor')));

function fileIn(text: string): Uint8Array {
  const ur = decodeUr(text, 'the card');
  if (ur.part !== undefined) throw new Error('a part');
  return decodeFilePayload(ur.message, 'the card', sha256).bytes;
}

function run(program: string, ...args: string[]): string {
  const done = spawnSync(program, args, { encoding: 'latin1' });
  if (done.status !== 0) throw new Error(`${program}: ${done.stderr}`);
  return done.stdout;
}

const drawings = new Map<string, string>();

/** The picture of a card as a program drew it; a card is drawn once for all tests that look at it. */
async function drawn(card: Card, paper: Paper, format: 'pdf' | 'svg'): Promise<string> {
  const name = `${card.setId?.slice(0, 8) ?? 'words'}-${card.share}-${paper}-${format}`;
  const known = drawings.get(name);
  if (known !== undefined) return known;
  const path = join(work, `${name}.${format}`);
  writeFileSync(path, await renderCards([card], { paper, format, made: MADE }));
  const png = join(work, name);
  drawings.set(name, `${png}.png`);
  if (format === 'pdf') run('pdftoppm', '-r', '200', '-gray', '-png', '-singlefile', path, png);
  else run('rsvg-convert', '--dpi-x=200', '--dpi-y=200', '-o', `${png}.png`, path);
  return `${png}.png`;
}

async function zxingReads(png: string): Promise<readonly string[]> {
  const raster = await readPicture(new Uint8Array(readFileSync(png)), png);
  return (await reader.read(raster)).map(({ text }) => text);
}

function zbarReads(png: string): readonly string[] {
  return spawnSync('zbarimg', ['-q', '-Sbinary', '--raw', png], { encoding: 'latin1' })
    .stdout.split('\n')
    .filter((line) => line !== '');
}

describe('a card on a page', () => {
  it.each(Object.keys(papers) as Paper[])(
    '%s keeps everything inside the paper and off the code',
    (paper) => {
      const cards = [
        longest(undefined),
        longest('REHEARSAL: not a real key'),
        sampleCard('shares-identity', 'share-1.cbor', { unlock: { kind: 'none' } }),
        sampleCard('shares-slip39', 'share-1.txt', { unlock: { kind: 'none' } }),
      ];
      for (const card of cards) {
        for (const { width, height, marks } of layoutCard(card, paper)) {
          const codes = marks.flatMap((mark) => (mark.kind === 'code' ? [mark] : []));
          const texts = marks.flatMap((mark) =>
            mark.kind === 'text' || mark.kind === 'reversed' ? [mark] : [],
          );
          const outside = texts.filter(
            ({ x, y, text, face, size }) =>
              x <= 0 || x + widthOf(text, face, size) >= width - 10 || y >= height - 10,
          );
          expect(outside.map(({ text }) => text)).toEqual([]);
          const onCode = texts.filter(({ x, y, text, face, size }) =>
            codes.some((code) => {
              const quiet = (4 * code.size) / code.matrix.length;
              const beside =
                x > code.x + code.size + quiet || x + widthOf(text, face, size) < code.x - quiet;
              return !beside && y - size <= code.y + code.size && y >= code.y - quiet;
            }),
          );
          expect(onCode.map(({ text }) => text)).toEqual([]);
          // No two lines of text on one another.
          const wide = texts.map((text) => ({
            ...text,
            right: text.x + widthOf(text.text, text.face, text.size),
          }));
          const overlaps = wide.flatMap((a, i) =>
            wide
              .slice(i + 1)
              .filter((b) => Math.abs(a.y - b.y) < Math.min(a.size, b.size) * 0.7)
              .filter((b) => a.x < b.right && b.x < a.right)
              .map((b) => `${a.text} / ${b.text}`),
          );
          expect(overlaps).toEqual([]);
        }
      }
    },
  );

  it('is one page on a sheet and two sides of a small card, for every share sealed by passphrase', () => {
    for (const card of [longest(undefined), longest('DEV: not for production')]) {
      expect(layoutCard(card, 'a4')).toHaveLength(1);
      expect(layoutCard(card, 'letter')).toHaveLength(1);
      expect(layoutCard(card, 'a6')).toHaveLength(2);
    }
  });

  it('prints modules no finer than an office printer draws them', () => {
    for (const paper of Object.keys(papers) as Paper[]) {
      for (const { marks } of layoutCard(sampleCard('shares-identity', 'share-1.cbor'), paper)) {
        for (const mark of marks) {
          if (mark.kind !== 'code') continue;
          const millimetres = ((mark.size / mark.matrix.length) * 25.4) / 72;
          expect(millimetres).toBeGreaterThan(0.4);
        }
      }
    }
  });

  it('says across every page that it is a rehearsal', () => {
    for (const paper of Object.keys(papers) as Paper[]) {
      for (const { marks } of layoutCard(longest('REHEARSAL: not a real key'), paper)) {
        expect(marks.filter(({ kind }) => kind === 'outline').length).toBeGreaterThan(1);
        expect(marks.some((mark) => mark.kind === 'reversed')).toBe(true);
      }
      for (const { marks } of layoutCard(longest(undefined), paper)) {
        expect(marks.some(({ kind }) => kind === 'outline' || kind === 'reversed')).toBe(false);
      }
    }
  });

  it('shows unlock words nowhere but below the cut', () => {
    const words = 'correct horse battery staple';
    const card = sampleCard('shares-passphrase', 'share-2.cbor', {
      unlock: { kind: 'printed', words },
    });
    for (const paper of Object.keys(papers) as Paper[]) {
      const found = layoutCard(card, paper).flatMap(({ marks }) => {
        const cut = marks.find((mark) => mark.kind === 'line' && mark.dashed === true);
        return marks.flatMap((mark) =>
          mark.kind === 'text' && mark.text.includes('horse')
            ? [mark.y > (cut?.kind === 'line' ? cut.from[1] : Infinity)]
            : [],
        );
      });
      expect(found).toEqual([true]);
    }
    const blank = sampleCard('shares-passphrase', 'share-2.cbor');
    expect(JSON.stringify(layoutCard(blank, 'a4'))).not.toContain('horse');
  });
});

describe('files of cards', () => {
  it('are the same bytes for the same card', async () => {
    const card = sampleCard('shares-passphrase', 'share-2.cbor');
    for (const format of ['pdf', 'svg', 'html', 'text'] as const) {
      const [a, b] = await Promise.all(
        [1, 2].map(() => renderCards([card, card], { paper: 'a4', format, made: MADE })),
      );
      expect(Buffer.from(a as Uint8Array).equals(Buffer.from(b as Uint8Array))).toBe(true);
    }
  });

  it('fetch nothing and run nothing', async () => {
    const card = sampleCard('shares-passphrase', 'share-2.cbor', { custodian: '<script>"&' });
    for (const format of ['svg', 'html'] as const) {
      const text = fromUtf8(await renderCards([card], { paper: 'a4', format, made: MADE }));
      expect(text).not.toMatch(/<script|href|src=|url\(|@import/i);
      expect(text.replaceAll('http://www.w3.org/2000/svg', '')).not.toMatch(/https?:/);
      expect(text).toContain('&lt;script&gt;&quot;&amp;');
    }
    const html = fromUtf8(
      await renderCards([card, card], { paper: 'a6', format: 'html', made: MADE }),
    );
    expect(html).toContain('@page { size: 105.0mm 148.0mm; margin: 0 }');
    expect(html.match(/<section>/g)).toHaveLength(4);
  });

  it('keep the text form within 72 columns, in plain characters', () => {
    for (const [folder, file] of [
      ['shares-passphrase', 'share-2.cbor'],
      ['shares-groups', 'share-1-2.cbor'],
      ['shares-slip39', 'share-1.txt'],
    ] as const) {
      const text = cardTextOf([sampleCard(folder, file, { mark: 'DEV: not for production' })]);
      expect(text).toMatch(/^[\x0a\x20-\x7e]+$/);
      for (const line of text.split('\n')) expect(line.length, line).toBeLessThanOrEqual(72);
    }
  });
});

describe('a printed card is read', () => {
  const papersHere = thorough ? (Object.keys(papers) as Paper[]) : (['a4', 'a6'] as const);
  const forms = [...(poppler ? (['pdf'] as const) : []), ...(rsvg ? (['svg'] as const) : [])];

  const pages = papersHere.flatMap((paper) => forms.map((form) => ({ paper, form })));
  it.each(pages)('$paper as $form, at 200 dpi', async ({ paper, form }) => {
    const png = await drawn(sampleCard('shares-passphrase', 'share-2.cbor'), paper, form);
    const read = await zxingReads(png);
    expect(read.map(fileIn)).toEqual([share]);
    if (zbar) expect(zbarReads(png).map(fileIn)).toEqual([share]);
  });

  it.runIf(poppler)('with several codes, of a share sealed to an identity', async () => {
    const { FountainDecoder } = await import('#carriage/transport/fountain-decoder');
    const card = sampleCard('shares-identity', 'share-1.cbor', { unlock: { kind: 'none' } });
    expect(card.codes.length).toBeGreaterThan(1);
    const png = await drawn(card, 'a4', 'pdf');
    const second = join(work, 'second');
    const pdf = png.replace(/png$/, 'pdf');
    run('pdftoppm', '-r', '200', '-gray', '-png', '-f', '2', '-singlefile', pdf, second);
    const texts = [...(await zxingReads(png)), ...(await zxingReads(`${second}.png`))];
    expect(texts).toHaveLength(card.codes.length);
    const parts = texts.flatMap((text) => decodeUr(text, 'a code').part ?? []);
    const decoder = new FountainDecoder(parts[0] as never, sha256);
    for (const part of parts) decoder.take(part);
    const message = decoder.message();
    expect(decodeFilePayload(message as Uint8Array, 'the card', sha256).bytes).toEqual(
      new Uint8Array(readFileSync(join(compat, 'shares-identity/share-1.cbor'))),
    );
  });

  const spoilt: Readonly<Record<string, readonly string[]>> = {
    blurred: ['-blur', '0x1.3'],
    'turned by 3 degrees': ['-background', 'white', '-rotate', '3'],
    'turned by -7 degrees': ['-background', 'white', '-rotate', '-7'],
    'upside down': ['-rotate', '180'],
    faint: ['-level', '-60%,110%'],
    'blurred, turned and grey': [
      '-blur',
      '0x0.9',
      '-background',
      '#ddd',
      '-rotate',
      '4',
      '-brightness-contrast',
      '10x-40',
    ],
  };
  const spoils = thorough ? Object.keys(spoilt) : spread(Object.keys(spoilt), 2);

  it.runIf(poppler && magick).each(spoils)('%s', async (how) => {
    for (const paper of thorough ? (['a4', 'a6'] as const) : (['a6'] as const)) {
      const png = await drawn(sampleCard('shares-passphrase', 'share-2.cbor'), paper, 'pdf');
      const bad = join(work, 'bad.png');
      run('convert', png, ...(spoilt[how] as string[]), '-colorspace', 'Gray', bad);
      expect((await zxingReads(bad)).map(fileIn)).toEqual([share]);
      if (zbar) expect(zbarReads(bad).map(fileIn)).toEqual([share]);
    }
  });

  it.runIf(poppler)('with an eighth of the code covered', async () => {
    const card = sampleCard('shares-passphrase', 'share-2.cbor');
    const png = await drawn(card, 'a4', 'pdf');
    const raster = await readPicture(new Uint8Array(readFileSync(png)), png);
    const [page] = layoutCard(card, 'a4');
    const code = page?.marks.find((mark) => mark.kind === 'code');
    if (code?.kind !== 'code') throw new Error('no code');
    const scale = 200 / 72;
    // Stickers of 12 % of the area, dark and light, at places where no finder pattern stands.
    const side = Math.sqrt(0.12) * code.size;
    const places = [
      [0.35, 0.35],
      [0.62, 0.6],
      [0.3, 0.62],
    ] as const;
    for (const [fx, fy] of thorough ? places : places.slice(0, 1)) {
      for (const grey of [0, 255]) {
        const covered = cover(raster, {
          x: Math.round((code.x + fx * code.size) * scale),
          y: Math.round((code.y + fy * code.size) * scale),
          side: Math.round(side * scale),
          grey,
        });
        const texts = (await reader.read(covered)).map(({ text }) => text);
        expect(texts.map(fileIn)).toEqual([share]);
      }
    }
  });
});

function cover(
  { width, height, pixels }: Raster,
  { x, y, side, grey }: { x: number; y: number; side: number; grey: number },
): Raster {
  const out = pixels.slice();
  for (let row = y; row < y + side; row++) out.fill(grey, row * width + x, row * width + x + side);
  return { width, height, pixels: out };
}

describe('the text of a card is read back', () => {
  it('and DER, which can begin with digits too, is none', () => {
    // SPKI of SLH-DSA-SHA2-128f: SEQUENCE of 48, SEQUENCE of 11.
    const spki = Buffer.concat([
      Buffer.from('3030300b0609608648016503040315', 'hex'),
      Buffer.alloc(35, 65),
    ]);
    expect(looksLikeCard(new Uint8Array(spki))).toBe(false);
    expect(looksLikeCard(utf8('\t00 ABCD\r\n'))).toBe(true);
  });

  it.each([
    ['shares-passphrase', 'share-2.cbor'],
    ['shares-groups', 'share-3-1.cbor'],
    ['shares-identity', 'share-1.cbor'],
    ['shares-unsealed', 'share-3.cbor'],
  ])('%s %s', (folder, file) => {
    const text = cardTextOf([sampleCard(folder, file)]);
    expect(looksLikeCard(utf8(text))).toBe(true);
    const read = readCard(text, 'card.txt', SLIP39_WORDS);
    expect(read.share).toMatchObject({ kind: 'share' });
    if (read.share.kind === 'share')
      expect(read.share.bytes).toEqual(new Uint8Array(readFileSync(join(compat, folder, file))));
  });

  it('words', () => {
    const text = cardTextOf([sampleCard('shares-slip39', 'share-1.txt')]);
    const { share: read } = readCard(text, 'card.txt', SLIP39_WORDS);
    const words =
      read.kind === 'words' ? read.words.map((word) => SLIP39_WORDS[word]).join(' ') : '';
    expect(readFileSync(join(compat, 'shares-slip39/share-1.txt'), 'utf8')).toContain(words);
  });

  it('names the wrong line, and says when lines are missing or doubled', () => {
    const text = cardTextOf([sampleCard('shares-passphrase', 'share-2.cbor')]);
    const lines = text.split('\n');
    const at = lines.findIndex((line) => line.startsWith('07 '));
    const line = lines[at] as string;
    const other = line.charAt(9) === 'A' ? 'B' : 'A';
    const typo = lines.with(at, line.slice(0, 9) + other + line.slice(10)).join('\n');
    expect(() => readCard(typo, 'card.txt', SLIP39_WORDS)).toThrow(
      'card.txt: line 07 does not fit its check characters: look at group 2',
    );
    expect(() => readCard(lines.toSpliced(at, 1).join('\n'), 'card.txt', SLIP39_WORDS)).toThrow(
      'line 07 is missing',
    );
    expect(() =>
      readCard(lines.toSpliced(at, 0, line).join('\n'), 'card.txt', SLIP39_WORDS),
    ).toThrow('line 7 stands there twice');
    expect(() => readCard(text + text, 'cards.txt', SLIP39_WORDS)).toThrow(
      'cards.txt holds 2 cards',
    );
    expect(() =>
      readCard(text.slice(0, text.indexOf('-----END')), 'card.txt', SLIP39_WORDS),
    ).toThrow('it was cut off');
    const bare = lines
      .filter((each) => /^\d\d {2}/.test(each))
      .reverse()
      .join('\n');
    const read = readCard(`# typed by Ann\n\n${bare}`, 'typed.txt', SLIP39_WORDS);
    expect(read.share.kind === 'share' && read.share.bytes).toEqual(share);
  });

  it('says what the reader in Python does not open', () => {
    const says = (kind: string): boolean =>
      /opens\s+only\s+shares\s+that\s+are\s+sealed/.test(
        cardTextOf([sampleCard(kind, 'share-1.cbor')]),
      );
    expect([says('shares-identity'), says('shares-passphrase')]).toEqual([true, false]);
  });

  it('never takes one of many mutations for another share', () => {
    const text = utf8(cardTextOf([sampleCard('shares-passphrase', 'share-2.cbor')]));
    const next = seededRandom(5);
    let same = 0;
    for (let i = 0; i < (thorough ? 10_000 : 1_500); i++) {
      const bad = Buffer.from(mutate(text, next)).toString('latin1');
      try {
        const { share: read } = readCard(bad, 'card.txt', SLIP39_WORDS);
        if (read.kind === 'share' && Buffer.from(read.bytes).equals(share)) same++;
        // A line lost at the end cannot be told by lines alone; the share's own checksum tells it.
        else if (read.kind === 'share')
          expect(() => readShare({ name: 'card', bytes: read.bytes })).toThrow();
        else throw new Error('words out of groups');
      } catch (error) {
        expect((error as { code?: string }).code).toMatch(/^E_/);
      }
    }
    expect(same).toBeGreaterThan(15);
  });
});
