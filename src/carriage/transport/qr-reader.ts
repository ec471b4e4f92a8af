/**
 * QR codes out of grey pixels. The reader proper is ZXing, whose wasm file is handed in as bytes: the package on its own
 * would look for it in a network. Without it a second reader in plain JavaScript stands in, which finds one code in a picture.
 */
import type { Raster } from './raster.js';

/** One code that was found. */
export interface ReadCode {
  /** Exactly what the code carries. */
  readonly bytes: Uint8Array;
  /** The same as text, each byte a character: what URs and other ASCII payloads are read from. */
  readonly text: string;
  /** 1 to 40, where the reader tells. */
  readonly version?: number;
  /** `L`, `M`, `Q` or `H`, where the reader tells. */
  readonly level?: string;
}

/** Finds the codes of a picture, from above, left to right in a line. */
export interface QrReader {
  readonly name: 'zxing' | 'qr';
  read(raster: Raster): Promise<readonly ReadCode[]>;
}

/** What the reader in JavaScript may spend on one still picture. */
const TIME_LIMIT_MS = 2000;

/** A sheet holds so many codes at most. */
const MAX_CODES = 64;

/**
 * The reader for pictures of any quality.
 * @param wasm - ZXing's `zxing_reader.wasm`
 */
export async function zxingReader(wasm: Uint8Array): Promise<QrReader> {
  const { prepareZXingModule, readBarcodes } = await import('zxing-wasm/reader');
  // An own copy: the package wants an ArrayBuffer of exactly these bytes.
  await prepareZXingModule({
    overrides: { wasmBinary: new Uint8Array(wasm).buffer },
    fireImmediately: true,
  });
  return {
    name: 'zxing',
    read: async (raster) => {
      const results = await readBarcodes(imageOf(raster), {
        formats: ['QRCode'],
        tryHarder: true,
        tryRotate: true,
        tryInvert: true,
        tryDownscale: true,
        maxNumberOfSymbols: MAX_CODES,
        textMode: 'Plain',
      });
      return results
        .filter(({ isValid }) => isValid)
        .map((result) => ({ result, ...result.position.topLeft }))
        .sort((a, b) => (Math.abs(a.y - b.y) > raster.height / 20 ? a.y - b.y : a.x - b.x))
        .map(({ result }) => ({
          ...codeOf(new Uint8Array(result.bytes)),
          ...detailOf(result.extra),
        }));
    },
  };
}

/** The reader that needs nothing but JavaScript: one code in a picture, less forgiving. */
export async function plainReader(): Promise<QrReader> {
  const { default: decodeQR } = await import('qr/decode.js');
  return {
    name: 'qr',
    read: (raster) => {
      try {
        const text = decodeQR(imageOf(raster), {
          timeLimit: TIME_LIMIT_MS,
          textDecoder: (bytes) => Buffer.from(bytes).toString('latin1'),
        });
        return Promise.resolve([codeOf(Buffer.from(text, 'latin1'))]);
      } catch {
        // It says by an exception that there is no code, and which of its hypotheses failed; that helps nobody.
        return Promise.resolve([]);
      }
    },
  };
}

/** Tries readers in turn until one finds something. */
export function firstOf(readers: readonly QrReader[]): Pick<QrReader, 'read'> {
  return {
    read: async (raster) => {
      for (const reader of readers) {
        const codes = await reader.read(raster);
        if (codes.length > 0) return codes;
      }
      return [];
    },
  };
}

function codeOf(bytes: Uint8Array): ReadCode {
  return { bytes, text: Buffer.from(bytes).toString('latin1') };
}

/** Version and level stand in what the package calls experimental; without them a code is as good. */
function detailOf(extra: string): { version?: number; level?: string } {
  try {
    const { Version: version, ECLevel: level } = JSON.parse(extra) as Record<string, unknown>;
    return {
      ...(Number.isInteger(Number(version)) ? { version: Number(version) } : {}),
      ...(typeof level === 'string' ? { level } : {}),
    };
  } catch {
    return {};
  }
}

/** Both packages take pixels of four bytes. */
function imageOf({ width, height, pixels }: Raster) {
  const data = new Uint8ClampedArray(4 * pixels.length);
  const words = new Uint32Array(data.buffer);
  for (let i = 0; i < pixels.length; i++) {
    words[i] = 0xff00_0000 | ((pixels[i] as number) * 0x01_0101);
  }
  return { data, width, height, colorSpace: 'srgb' as const };
}
