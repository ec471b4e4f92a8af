/**
 * QR codes as matrices of modules. Text in upper case, as URs are, takes the alphanumeric mode and with it half as much room
 * again; anything else is bytes.
 * @see ISO/IEC 18004
 */
import encodeQR, { type ErrorCorrection } from 'qr';
import { InputError, InternalError } from '#formats/errors';

/** How much of a code may be lost: about 7, 15, 25, 30 of a hundred codewords. */
export type QrLevel = 'L' | 'M' | 'Q' | 'H';

/** A code without its quiet zone. */
export interface QrCode {
  /** 1 to 40. */
  readonly version: number;
  readonly level: QrLevel;
  /** Modules in a row: 17 + 4 × version. */
  readonly size: number;
  /** Rows from above, modules from the left; `true` is dark. */
  readonly modules: readonly (readonly boolean[])[];
}

/** Modules of light that the standard wants around a code. */
export const QUIET_ZONE = 4;

const ECC: Readonly<Record<QrLevel, ErrorCorrection>> = {
  L: 'low',
  M: 'medium',
  Q: 'quartile',
  H: 'high',
};

/** Characters of the alphanumeric mode. */
const ALPHANUMERIC = /^[0-9A-Z $%*+\-./:]*$/;

/** How a code is to be made. */
export interface QrOptions {
  readonly level: QrLevel;
  /** Fixed version; the smallest that fits when not given. */
  readonly version?: number;
}

/**
 * The code of a text.
 * @throws {@link InputError} `E_QR_CAPACITY` when it does not fit the version, or any
 */
export function encodeQr(text: string, { level, version }: QrOptions): QrCode {
  const encoding = ALPHANUMERIC.test(text) ? 'alphanumeric' : 'byte';
  return make(
    text,
    { ecc: ECC[level], encoding, ...(version === undefined ? {} : { version }) },
    level,
  );
}

/** The code of bytes that are no text. @throws {@link InputError} `E_QR_CAPACITY` */
export function encodeQrBytes(bytes: Uint8Array, { level, version }: QrOptions): QrCode {
  // The package takes text; a text whose encoder is ours carries any bytes.
  const fixed = version === undefined ? {} : { version };
  return make(
    'bytes',
    { ecc: ECC[level], encoding: 'byte', textEncoder: () => bytes, ...fixed },
    level,
  );
}

/** Modules in a row of a version. */
export function qrSize(version: number): number {
  return 17 + 4 * version;
}

/** The greatest version of at most so many modules in a row; 0 when there is none. */
export function largestVersion(modules: number): number {
  return Math.max(0, Math.min(40, Math.floor((modules - 17) / 4)));
}

/** How many alphanumeric characters a version holds. */
export function alphanumericCapacity(version: number, level: QrLevel): number {
  const key = `${version}${level}`;
  const known = CAPACITIES.get(key);
  if (known !== undefined) return known;
  // Found by trying, which the package does faster than its tables could be written out a second time.
  let low = 1;
  let high = 4296;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (fits('A'.repeat(middle), version, level)) low = middle;
    else high = middle - 1;
  }
  CAPACITIES.set(key, low);
  return low;
}

const CAPACITIES = new Map<string, number>();

function fits(text: string, version: number, level: QrLevel): boolean {
  try {
    encodeQr(text, { level, version });
    return true;
  } catch (error) {
    if (error instanceof InputError) return false;
    throw error;
  }
}

function make(text: string, options: Parameters<typeof encodeQR>[2], level: QrLevel): QrCode {
  let framed: boolean[][];
  try {
    framed = encodeQR(text, 'raw', { ...options, border: 1 });
  } catch (cause) {
    if (!/capacity overflow/i.test(String(cause))) throw cause;
    throw new InputError({
      code: 'E_QR_CAPACITY',
      message: 'that is more than one QR code of this size holds',
      hint: 'show it as a series of codes (--animate), or with a lower --level',
      cause,
    });
  }
  // The package knows no code without a border.
  const modules = framed.slice(1, -1).map((row) => row.slice(1, -1));
  const size = modules.length;
  const version = (size - 17) / 4;
  if (!Number.isInteger(version) || version < 1 || version > 40) {
    throw new InternalError({ code: 'E_QR_SHAPE', message: `a QR code of ${size} modules` });
  }
  return { version, level, size, modules };
}
