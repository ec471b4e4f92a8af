/** Codes as cameras, scanners and thumbs leave them: distorted by ImageMagick, the same way each time. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readPicture, writePng } from '#carriage/transport/picture';
import { encodeQr, type QrLevel } from '#carriage/transport/qr-code';
import type { QrReader } from '#carriage/transport/qr-reader';
import { rasterOf } from '#carriage/transport/raster';
import { seededSource } from '../formats/mutate.js';
import { hasProgram, needs, spread, thorough } from '../support/require.js';
import { zxing } from './reader.js';

const magick = needs('ImageMagick', hasProgram('convert'), 'distorts pictures');
const work = mkdtempSync(join(tmpdir(), 'conclave-distortion-'));
let reader: QrReader;
beforeAll(async () => {
  reader = await zxing();
});
afterAll(() => {
  rmSync(work, { recursive: true, force: true });
});

const paper = ['-bordercolor', 'white', '-border', '40'];
/** A square in the middle of a side, off the corner patterns, that hides so much of the code's area. */
const sticker = (side: number, share: number): string[] => {
  const edge = Math.round(side * Math.sqrt(share));
  const [left, top] = [Math.round(side * 0.62 - edge / 2), Math.round(side * 0.6 - edge / 2)];
  return ['-fill', 'gray70', '-draw', `rectangle ${left},${top} ${left + edge},${top + edge}`];
};

/** What happened to the code, its level, how it is done to the picture, and as what the picture comes. */
const distortions: readonly [
  string,
  QrLevel,
  (side: number) => readonly string[],
  'png' | 'jpg',
][] = [
  ['blurred', 'Q', () => [...paper, '-blur', '0x2.5'], 'png'],
  ['turned by 7 degrees', 'Q', () => [...paper, '-background', 'white', '-rotate', '7'], 'png'],
  ['turned by 90 and a bit', 'M', () => [...paper, '-background', 'white', '-rotate', '93'], 'png'],
  ['covered by 12 percent', 'Q', (side) => sticker(side, 0.12), 'png'],
  ['covered by 16 percent', 'H', (side) => sticker(side, 0.16), 'png'],
  [
    'photographed from the side',
    'Q',
    () => [
      ...paper,
      '-distort',
      'Perspective',
      '0,0 30,20 700,0 660,60 700,700 690,640 0,700 10,690',
    ],
    'png',
  ],
  ['badly compressed', 'Q', () => [...paper, '-quality', '20'], 'jpg'],
  ['of low contrast', 'M', () => ['+level', '35%,65%'], 'png'],
  ['small', 'M', (side) => ['-resize', String(Math.round(side * 0.32))], 'png'],
];

describe.runIf(magick)('a code', () => {
  it.each(spread(distortions, thorough ? 9 : 4))(
    '%s at level %s is read',
    async (name, level, distort, extension) => {
      const text = `UR:CONCLAVE-FILE/${Buffer.from(seededSource(5)(150)).toString('hex').toUpperCase()}`;
      const picture = rasterOf(encodeQr(text, { level }), 8);
      const from = join(work, 'code.png');
      const to = join(work, `${name.replaceAll(' ', '-')}.${extension}`);
      writeFileSync(from, await writePng(picture));
      const made = spawnSync('convert', [from, ...distort(picture.width), to]);
      expect(made.stderr.toString()).toBe('');
      const codes = await reader.read(await readPicture(readFileSync(to), to));
      expect(codes.map((code) => code.text)).toEqual([text]);
    },
  );
});
