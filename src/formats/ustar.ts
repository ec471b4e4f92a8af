/**
 * Archives that tar of any machine reads, in one form only: plain files in the order of their names, and everything else about
 * them fixed. The same files are therefore the same bytes, and what can be written in two ways is refused in all but one.
 * @see POSIX.1-2017, pax, "ustar Interchange Format"
 * @see docs/spec/session-archive.md
 */
import { concat, equal, fromUtf8, isWellFormed, utf8 } from './bytes.js';
import { ConclaveError, InputError, InternalError } from './errors.js';

const BLOCK = 512;

/** What ends an archive: two blocks of zeros. */
const END_BYTES = 2 * BLOCK;

/** 2020-01-01, as octal: later than what tar calls implausibly old, earlier than any laptop's clock. */
const FIXED_TIME = 1_577_836_800;

const MODE = 0o644;

/** Lengths of ustar's two fields for a name. */
const NAME_BYTES = 100;
const PREFIX_BYTES = 155;

/** One file of an archive. */
export interface TarFile {
  /** Relative, parts joined by `/`. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Whether a name can stand in an archive: relative, no empty, `.` or `..` part, nothing that hides, and short enough. */
export function fitsTar(name: string): boolean {
  const parts = name.split('/');
  return (
    isWellFormed(name) &&
    // Control characters, backslashes, and what reorders or hides text.
    !/[\u0000-\u001f\u007f-\u009f\\\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/.test(name) &&
    !parts.some((part) => part === '' || part === '.' || part === '..') &&
    splitName(name) !== undefined
  );
}

/** Whether bytes begin as an archive does. Cheap, never throws. */
export function looksLikeTar(bytes: Uint8Array): boolean {
  return equal(bytes.subarray(257, 265), utf8('ustar\x0000'));
}

/**
 * The archive of some files, whatever their order.
 * @returns headers, contents padded to 512 bytes, and 1024 zeros; the contents are copied
 * @throws InternalError `E_TAR_NAME` for names that {@link fitsTar} refuses, names given twice, and a file that is a folder of another
 */
export function encodeTar(files: readonly TarFile[]): Uint8Array {
  const sorted = [...files].sort((a, b) => Buffer.compare(utf8(a.name), utf8(b.name)));
  const wrong = sorted.find(({ name }) => !fitsTar(name))?.name ?? clash(sorted);
  if (wrong !== undefined) {
    throw new InternalError({
      code: 'E_TAR_NAME',
      message: `${JSON.stringify(wrong)} cannot be a name in this archive`,
    });
  }
  return concat(
    ...sorted.flatMap(({ name, bytes }) => [header(name, bytes.length), bytes, padding(bytes)]),
    new Uint8Array(END_BYTES),
  );
}

/**
 * The files of an archive, in the order of their names.
 * @param bytes - borrowed; the contents are views of it
 * @param what - how errors name it
 * @param limits - how many files, and how many bytes the whole archive may have
 * @throws InputError `E_TAR_MALFORMED` for anything that {@link encodeTar} does not write, `E_TAR_TOO_LARGE`
 */
export function decodeTar(
  bytes: Uint8Array,
  what: string,
  limits: { readonly maxFiles: number; readonly maxBytes: number },
): readonly TarFile[] {
  if (bytes.length > limits.maxBytes) throw tooLarge(what, `${limits.maxBytes} bytes`);
  const files: TarFile[] = [];
  let at = 0;
  while (at + BLOCK <= bytes.length && !isZero(bytes.subarray(at, at + BLOCK))) {
    if (files.length === limits.maxFiles) throw tooLarge(what, `${limits.maxFiles} files`);
    const { name, size } = readHeader(bytes.subarray(at, at + BLOCK), `${what}: byte ${at}`);
    const end = at + BLOCK + size;
    const next = end + ((BLOCK - (size % BLOCK)) % BLOCK);
    if (next > bytes.length) throw malformed(what, `it ends within ${JSON.stringify(name)}`);
    if (!isZero(bytes.subarray(end, next)))
      throw malformed(what, `there is something behind ${JSON.stringify(name)}`);
    const before = files.at(-1);
    if (before !== undefined && Buffer.compare(utf8(before.name), utf8(name)) >= 0)
      throw malformed(what, `${JSON.stringify(name)} is there twice, or not in its place`);
    files.push({ name, bytes: bytes.subarray(at + BLOCK, end) });
    at = next;
  }
  const rest = bytes.subarray(at);
  if (rest.length !== END_BYTES || !isZero(rest))
    throw malformed(what, 'it does not end with 1024 zero bytes and nothing else');
  const folder = clash(files);
  if (folder !== undefined)
    throw malformed(what, `${JSON.stringify(folder)} is a file, and a folder of others`);
  return files;
}

/** The name and size in a header, when it is the one header that there is for them. */
function readHeader(block: Uint8Array, at: string): { name: string; size: number } {
  const type = block[156];
  if (type !== 0x30) throw malformed(at, 'this is no plain file: no links, folders or extensions');
  const digits = Buffer.from(block.subarray(124, 136)).toString('latin1');
  if (!/^[0-7]{11}\0$/.test(digits)) throw malformed(at, 'a size that is none');
  const size = Number.parseInt(digits, 8);
  const name = nameIn(block, at);
  if (!fitsTar(name)) throw malformed(at, 'a name that no file may have');
  if (!equal(block, header(name, size)))
    throw malformed(
      at,
      `the header of ${JSON.stringify(name)} has not the one form that it may have`,
    );
  return { name, size };
}

function nameIn(block: Uint8Array, at: string): string {
  const field = (from: number, length: number): Uint8Array => {
    const whole = block.subarray(from, from + length);
    const end = whole.indexOf(0);
    return end === -1 ? whole : whole.subarray(0, end);
  };
  try {
    const name = fromUtf8(field(0, NAME_BYTES));
    const prefix = fromUtf8(field(345, PREFIX_BYTES));
    return prefix === '' ? name : `${prefix}/${name}`;
  } catch (error) {
    if (!(error instanceof ConclaveError)) throw error;
    throw malformed(at, 'a name that is not UTF-8');
  }
}

function header(name: string, size: number): Uint8Array {
  const { prefix, rest } = splitName(name) as { prefix: string; rest: string };
  const block = Buffer.alloc(BLOCK);
  const octal = (value: number, at: number, length: number): void => {
    block.write(`${value.toString(8).padStart(length - 1, '0')}\0`, at, 'latin1');
  };
  block.write(rest, 0, 'utf8');
  octal(MODE, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(size, 124, 12);
  octal(FIXED_TIME, 136, 12);
  // The sum is that of the block with spaces in its own place.
  block.write('        0', 148, 'latin1');
  block.write('ustar\x0000', 257, 'latin1');
  block.write(prefix, 345, 'utf8');
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return new Uint8Array(block.buffer, block.byteOffset, BLOCK);
}

/** A name as ustar's two fields, cut at the first slash that makes both fit. */
function splitName(name: string): { readonly prefix: string; readonly rest: string } | undefined {
  if (Buffer.byteLength(name) <= NAME_BYTES) return { prefix: '', rest: name };
  for (let at = name.indexOf('/'); at > 0; at = name.indexOf('/', at + 1)) {
    const [prefix, rest] = [name.slice(0, at), name.slice(at + 1)];
    if (Buffer.byteLength(rest) <= NAME_BYTES && Buffer.byteLength(prefix) <= PREFIX_BYTES)
      return { prefix, rest };
  }
  return undefined;
}

/** A name that occurs twice, or is a file here and a folder there. */
function clash(files: readonly TarFile[]): string | undefined {
  const names = new Set<string>();
  for (const { name } of files) {
    if (names.has(name)) return name;
    names.add(name);
  }
  for (const { name } of files) {
    for (let at = name.indexOf('/'); at > 0; at = name.indexOf('/', at + 1))
      if (names.has(name.slice(0, at))) return name.slice(0, at);
  }
  return undefined;
}

function padding(bytes: Uint8Array): Uint8Array {
  return new Uint8Array((BLOCK - (bytes.length % BLOCK)) % BLOCK);
}

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}

function malformed(what: string, why: string): InputError {
  return new InputError({
    code: 'E_TAR_MALFORMED',
    message: `${what} is no archive that conclave writes: ${why}`,
    hint: 'take the file as it was written; what tar packed again is another one',
  });
}

function tooLarge(what: string, most: string): InputError {
  return new InputError({
    code: 'E_TAR_TOO_LARGE',
    message: `${what} is larger than an archive may be: ${most}`,
  });
}
