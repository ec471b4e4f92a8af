/**
 * Picture files to grey pixels and back. Files come from cameras, scanners and strangers: their size is read from the head
 * and refused before anything of that size is allocated.
 */
import { inflateSync } from 'node:zlib';
import { InputError } from '#formats/errors';
import type { Raster } from './raster.js';

/** Largest picture that is looked at: 50 million pixels, more than any phone or office scanner at 600 dpi gives by default. */
export const MAX_PIXELS = 50_000_000;

/** Longest picture file that is read, in bytes. */
export const MAX_PICTURE_BYTES = 64 * 1024 * 1024;

const PNG = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const JPEG = [0xff, 0xd8, 0xff];

/**
 * The pixels of a PNG or JPEG file.
 * @param name - how errors name the file
 * @throws {@link InputError} `E_PICTURE_KIND`, `E_PICTURE_TOO_LARGE`, `E_PICTURE_MALFORMED`
 */
export async function readPicture(bytes: Uint8Array, name: string): Promise<Raster> {
  if (begins(bytes, PNG)) return await readPng(bytes, name);
  if (begins(bytes, JPEG)) return await readJpeg(bytes, name);
  const pdf = begins(bytes, [0x25, 0x50, 0x44, 0x46]);
  throw new InputError({
    code: 'E_PICTURE_KIND',
    message: `${name} is neither a PNG nor a JPEG picture`,
    hint: pdf
      ? `it is a PDF: make pictures of its pages first, pdftoppm -r 200 -png ${name} page`
      : 'convert it to PNG first',
  });
}

/** A grey PNG file, the same bytes for the same pixels. */
export async function writePng({ width, height, pixels }: Raster): Promise<Uint8Array> {
  const { PNG: Png } = await import('pngjs');
  const png = new Png({ width, height, colorType: 0, inputColorType: 0, bitDepth: 8 });
  png.data = Buffer.from(pixels);
  return new Uint8Array(
    Png.sync.write(png, { colorType: 0, inputColorType: 0, inputHasAlpha: false, deflateLevel: 9 }),
  );
}

async function readPng(bytes: Uint8Array, name: string): Promise<Raster> {
  if (bytes.length < 33) throw malformed(name, 'PNG');
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  assertSize(view.getUint32(16), view.getUint32(20), name);
  if (bytes[28] === 1) assertNoBomb(bytes, view, name);
  const { PNG: Png } = await import('pngjs');
  try {
    const { width, height, data } = Png.sync.read(Buffer.from(bytes));
    return { width, height, pixels: greyOf(data) };
  } catch (cause) {
    throw malformed(name, 'PNG', cause);
  }
}

/**
 * Of an interlaced picture the package decompresses whatever there is, a thousand times the file if somebody wants that; so it
 * is decompressed here first, with a limit: eight bytes to a pixel, a filter byte to a row of each of the seven passes.
 */
function assertNoBomb(bytes: Uint8Array, view: DataView, name: string): void {
  const [width, height] = [view.getUint32(16), view.getUint32(20)];
  const parts: Uint8Array[] = [];
  for (let at = 8; at + 12 <= bytes.length;) {
    const length = view.getUint32(at);
    // Its type is four letters: IDAT.
    if (view.getUint32(at + 4) === 0x49_44_41_54)
      parts.push(bytes.subarray(at + 8, at + 8 + length));
    at += 12 + length;
  }
  const limit = 8 * width * height + 7 * height + 64 * (width + height) + 1024;
  try {
    inflateSync(Buffer.concat(parts), { maxOutputLength: limit });
  } catch (cause) {
    throw malformed(name, 'PNG', cause);
  }
}

async function readJpeg(bytes: Uint8Array, name: string): Promise<Raster> {
  const { decode } = await import('jpeg-js');
  try {
    const { width, height, data } = decode(bytes, {
      useTArray: true,
      formatAsRGBA: true,
      tolerantDecoding: true,
      maxResolutionInMP: MAX_PIXELS / 1e6,
      maxMemoryUsageInMB: 1024,
    });
    return { width, height, pixels: greyOf(data) };
  } catch (cause) {
    if (/resolution limit|memory/i.test(String(cause))) throw tooLarge(name);
    throw malformed(name, 'JPEG', cause);
  }
}

/** Luminance of RGBA pixels over white, since transparent paper is white. @see Rec. ITU-R BT.601 */
function greyOf(rgba: Uint8Array): Uint8Array {
  const grey = new Uint8Array(rgba.length / 4);
  for (let i = 0, at = 0; i < grey.length; i++, at += 4) {
    const light =
      ((rgba[at] as number) * 299 +
        (rgba[at + 1] as number) * 587 +
        (rgba[at + 2] as number) * 114) /
      1000;
    const alpha = rgba[at + 3] as number;
    grey[i] = alpha === 0xff ? light : 0xff - ((0xff - light) * alpha) / 0xff;
  }
  return grey;
}

function assertSize(width: number, height: number, name: string): void {
  if (width === 0 || height === 0) throw malformed(name, 'PNG');
  if (width * height > MAX_PIXELS) throw tooLarge(name);
}

function begins(bytes: Uint8Array, start: readonly number[]): boolean {
  return start.every((byte, i) => bytes[i] === byte);
}

function malformed(name: string, format: string, cause?: unknown): InputError {
  return new InputError({
    code: 'E_PICTURE_MALFORMED',
    message: `${name} cannot be read as a ${format} picture`,
    ...(cause === undefined ? {} : { cause }),
  });
}

function tooLarge(name: string): InputError {
  return new InputError({
    code: 'E_PICTURE_TOO_LARGE',
    message: `${name} has more than ${MAX_PIXELS / 1e6} million pixels`,
    hint: 'scan it with a lower resolution (200 dpi is enough), or cut the code out',
  });
}
