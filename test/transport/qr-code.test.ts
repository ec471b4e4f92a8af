/** Codes as matrices and pictures: read by ZXing, by a reader in JavaScript and by zbarimg, none of which drew them. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { crc32 } from '#carriage/transport/crc32';
import { readPicture, writePng } from '#carriage/transport/picture';
import {
  alphanumericCapacity,
  encodeQr,
  encodeQrBytes,
  largestVersion,
  type QrLevel,
  qrSize,
} from '#carriage/transport/qr-code';
import { plainReader, type QrReader } from '#carriage/transport/qr-reader';
import { qrSvg } from '#carriage/transport/qr-svg';
import { inverted, type Raster, rasterOf } from '#carriage/transport/raster';
import { seededSource } from '../formats/mutate.js';
import { hasProgram, needs } from '../support/require.js';
import { zxing } from './reader.js';

const work = mkdtempSync(join(tmpdir(), 'conclave-qr-'));
const zbar = needs('zbarimg', hasProgram('zbarimg'), 'a third reader of QR codes');
const rsvg = needs('rsvg-convert', hasProgram('rsvg-convert'), 'draws SVG files');

let readers: readonly QrReader[];
beforeAll(async () => {
  readers = [await zxing(), await plainReader()];
});
afterAll(() => {
  rmSync(work, { recursive: true, force: true });
});

/** What zbarimg reads in a picture file, without the line feed it adds. */
function zbarimg(path: string): string {
  const run = spawnSync('zbarimg', ['-q', '-Sbinary', '--raw', '--oneshot', path], {
    encoding: 'latin1',
  });
  return run.stdout;
}

const LEVELS: readonly QrLevel[] = ['L', 'M', 'Q', 'H'];

describe('codes', () => {
  // ISO/IEC 18004 table 7.
  it.each([
    [1, [25, 20, 16, 10]],
    [6, [195, 154, 108, 84]],
    [40, [4296, 3391, 2420, 1852]],
  ] as const)('version %i holds what the standard says', (version, capacities) => {
    expect(LEVELS.map((level) => alphanumericCapacity(version, level))).toEqual(capacities);
    const most = 'A'.repeat(capacities[0]);
    expect(encodeQr(most, { level: 'L' }).version).toBe(version);
    expect(encodeQr('A', { level: 'L', version }).size).toBe(qrSize(version));
    expect(() => encodeQr(`${most}A`, { level: 'L', version })).toThrow('more than one QR code');
  });

  it('knows which version fits', () => {
    expect([16, 17, 20, 21, 45, 177, 1000].map(largestVersion)).toEqual([0, 0, 0, 1, 7, 40, 40]);
  });

  it('of text and of bytes are read by all', async () => {
    const random = seededSource(7);
    for (const level of LEVELS) {
      const text = `UR:CONCLAVE-FILE/${Buffer.from(random(90)).toString('hex').toUpperCase()}`;
      const bytes = random(120);
      for (const [code, expected] of [
        [encodeQr(text, { level }), Buffer.from(text)],
        [encodeQrBytes(bytes, { level }), Buffer.from(bytes)],
      ] as const) {
        const picture = rasterOf(code, 4);
        for (const reader of readers) {
          const [found] = await reader.read(picture);
          expect(Buffer.from(found?.bytes ?? []), `${reader.name} ${level}`).toEqual(expected);
        }
        if (!zbar) continue;
        const path = join(work, 'code.png');
        writeFileSync(path, await writePng(picture));
        expect(Buffer.from(zbarimg(path), 'latin1')).toEqual(expected);
      }
    }
  });

  it('tells version and level as they are', async () => {
    const [found] =
      (await readers[0]?.read(rasterOf(encodeQr('ABC', { level: 'Q', version: 9 }), 3))) ?? [];
    expect(found).toMatchObject({ version: 9, level: 'Q', text: 'ABC' });
  });

  it('are read inverted too', async () => {
    const picture = inverted(rasterOf(encodeQr('UR:X/Y', { level: 'M' }), 4));
    for (const reader of readers) expect((await reader.read(picture))[0]?.text).toBe('UR:X/Y');
  });

  it('are none where there is none', async () => {
    const blank = { width: 200, height: 100, pixels: new Uint8Array(20_000).fill(0xff) };
    for (const reader of readers) expect(await reader.read(blank)).toEqual([]);
  });
});

describe('sheets', () => {
  it('of six codes are read from above, left to right', async () => {
    const codes = ['ONE', 'TWO', 'THREE', 'FOUR', 'FIVE', 'SIX'].map((text) =>
      rasterOf(encodeQr(text, { level: 'Q' }), 5),
    );
    const sheet: Raster = { width: 1000, height: 700, pixels: new Uint8Array(700_000).fill(0xff) };
    codes.forEach((code, i) => {
      const [left, top] = [50 + 320 * (i % 3), 50 + 330 * Math.floor(i / 3)];
      for (let row = 0; row < code.height; row++) {
        const line = code.pixels.subarray(row * code.width, (row + 1) * code.width);
        sheet.pixels.set(line, (top + row) * sheet.width + left);
      }
    });
    const found = await readers[0]?.read(sheet);
    expect(found?.map(({ text }) => text)).toEqual(['ONE', 'TWO', 'THREE', 'FOUR', 'FIVE', 'SIX']);
  });
});

describe('pictures', () => {
  it('as PNG come back pixel for pixel, the same bytes each time', async () => {
    const picture = rasterOf(encodeQr('PICTURE', { level: 'H' }), 3);
    const png = await writePng(picture);
    expect(await writePng(picture)).toEqual(png);
    expect(await readPicture(png, 'a.png')).toEqual(picture);
  });

  it.runIf(rsvg)('as SVG are what the standard program draws', async () => {
    const code = encodeQr('UR:CONCLAVE-FILE/AEADAO', { level: 'Q' });
    writeFileSync(join(work, 'code.svg'), qrSvg(code));
    const run = spawnSync('rsvg-convert', ['-d', '200', '-p', '200', join(work, 'code.svg')]);
    expect(run.status).toBe(0);
    const [found] = (await readers[0]?.read(await readPicture(run.stdout, 'code.png'))) ?? [];
    expect(found?.text).toBe('UR:CONCLAVE-FILE/AEADAO');
  });

  it.each([
    ['a PDF', Buffer.from('%PDF-1.7 something'), 'pdftoppm -r 200'],
    ['text', Buffer.from('hello'), 'convert it to PNG'],
  ])('%s is no picture', async (_, bytes, hint) => {
    const error = await readPicture(bytes, 'x').catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'E_PICTURE_KIND', exitCode: 65 });
    expect((error as { hint: string }).hint).toContain(hint);
  });

  it('that announce more than anybody needs are refused before memory is taken', async () => {
    const png = await writePng(rasterOf(encodeQr('X', { level: 'L' }), 1));
    const huge = Buffer.from(png);
    huge.writeUInt32BE(100_000, 16);
    huge.writeUInt32BE(100_000, 20);
    const error = await readPicture(huge, 'huge.png').catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'E_PICTURE_TOO_LARGE' });
  });

  it('that are interlaced are read, and no larger than they say', async () => {
    const chunk = (type: string, data: Uint8Array): Buffer => {
      const body = Buffer.concat([Buffer.from(type), data]);
      const frame = Buffer.alloc(8);
      frame.writeUInt32BE(data.length, 0);
      frame.writeUInt32BE(crc32(new Uint8Array(body)), 4);
      return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
    };
    // One grey pixel: IHDR says 1 by 1, 8 bits, Adam7.
    const picture = (content: Uint8Array): Buffer =>
      Buffer.concat([
        Buffer.from('89504e470d0a1a0a', 'hex'),
        chunk('IHDR', Uint8Array.of(0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 1)),
        chunk('IDAT', deflateSync(content)),
        chunk('IEND', new Uint8Array(0)),
      ]);
    const one = await readPicture(picture(Uint8Array.of(0, 77)), 'one.png');
    expect(one).toMatchObject({ width: 1, height: 1, pixels: Uint8Array.of(77) });
    const bomb = picture(new Uint8Array(20_000_000));
    const error = await readPicture(bomb, 'bomb.png').catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'E_PICTURE_MALFORMED' });
    expect((error as { cause: Error }).cause.message).toMatch(/larger than/);
  });

  it('that are cut off are malformed', async () => {
    const png = await writePng(rasterOf(encodeQr('X', { level: 'L' }), 1));
    for (const bytes of [
      png.subarray(0, 60),
      png.subarray(0, 20),
      Buffer.from('ffd8ffe000', 'hex'),
    ]) {
      const error = await readPicture(bytes, 'cut').catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: 'E_PICTURE_MALFORMED' });
    }
  });
});
