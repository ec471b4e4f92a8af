/**
 * The ASCII armor of age files: a PEM of one kind, strictly, piece by piece.
 * @see https://c2sp.org/age, "ASCII armor"; RFC 7468 §3, strict encoding
 */
import { fromBase64, toBase64, utf8 } from '#formats/bytes';
import type { ByteSink, ByteSource } from '#formats/byte-stream';
import { InputError } from '#formats/errors';
import { LineSource } from './line-source.js';

const BEGIN = '-----BEGIN AGE ENCRYPTED FILE-----';
const END = '-----END AGE ENCRYPTED FILE-----';
/** Bytes and characters of a full line. */
const LINE = { bytes: 48, characters: 64 } as const;
/** White space around the armor that is skipped. */
const MAX_SPACE_BYTES = 1024;
const SPACE = /^[ \t\r]*$/;

/** Whether something begins as an armored file, white space before it allowed. */
export function looksLikeArmor(head: Uint8Array): boolean {
  return Buffer.from(head).toString('latin1').trimStart().startsWith(BEGIN);
}

/**
 * What is inside an armor; what follows it is checked when the end is read.
 * @throws {@link InputError} `E_AGE_ARMOR`, from `read`
 */
export function unarmored(source: ByteSource, what: string): ByteSource {
  const lines = new LineSource(source);
  const malformed = (problem: string): InputError =>
    new InputError({
      code: 'E_AGE_ARMOR',
      message: `${what} is not a sound age armor: ${problem}`,
    });
  let state: 'before' | 'inside' | 'after' = 'before';
  let isLast = false;
  let held: Uint8Array = new Uint8Array(0);

  const begin = (): void => {
    for (let skipped = 0; skipped <= MAX_SPACE_BYTES;) {
      const next = lines.next(MAX_SPACE_BYTES);
      if (next.kind === 'long') break;
      const text = next.text.trimStart();
      if (text.replace(/\r$/, '') === BEGIN && next.kind === 'line') {
        state = 'inside';
        return;
      }
      if (next.kind === 'end' || !SPACE.test(next.text)) break;
      skipped += next.text.length + 1;
    }
    throw malformed('its first line is another');
  };

  const finish = (trailing: string): void => {
    state = 'after';
    if (!SPACE.test(trailing)) throw malformed('text on its last line');
    for (let skipped = 0; ;) {
      const next = lines.next(MAX_SPACE_BYTES);
      if (next.kind === 'long') break;
      skipped += next.text.length + 1;
      if (!SPACE.test(next.text) || skipped > MAX_SPACE_BYTES) break;
      if (next.kind === 'end') return;
    }
    throw malformed('something follows it');
  };

  /** The bytes of the next line; nothing after the last. */
  const advance = (): Uint8Array => {
    if (state === 'before') begin();
    if (state === 'after') return new Uint8Array(0);
    const next = lines.next(MAX_SPACE_BYTES);
    if (next.kind === 'long') throw malformed('a line that is too long');
    const text = next.text.replace(/\r$/, '');
    if (text.startsWith(END)) {
      finish(text.slice(END.length));
      return new Uint8Array(0);
    }
    if (next.kind === 'end') throw malformed('it does not end');
    if (isLast || text === '' || text.length > LINE.characters || text.length % 4 !== 0) {
      throw malformed('a line of another length than 64 characters');
    }
    isLast = text.length < LINE.characters || text.endsWith('=');
    try {
      return fromBase64(text, 'a line');
    } catch {
      throw malformed('a line that is not canonical base64');
    }
  };

  return {
    read: (into, offset) => {
      if (held.length === 0) held = advance();
      const part = held.subarray(0, into.length - offset);
      into.set(part, offset);
      held = held.subarray(part.length);
      return part.length;
    },
  };
}

/** A sink that armors what goes through it; `end` writes the last lines. */
export function armoring(sink: ByteSink): ByteSink & { end(): void } {
  const line = new Uint8Array(LINE.bytes);
  let length = 0;
  sink.write(utf8(`${BEGIN}\n`));
  return {
    write: (bytes) => {
      let text = '';
      for (let at = 0; at < bytes.length;) {
        const part = bytes.subarray(at, at + LINE.bytes - length);
        line.set(part, length);
        length += part.length;
        at += part.length;
        if (length < LINE.bytes) break;
        text += `${toBase64(line)}\n`;
        length = 0;
      }
      if (text !== '') sink.write(utf8(text));
    },
    end: () => {
      if (length > 0) sink.write(utf8(`${toBase64(line.subarray(0, length))}\n`));
      sink.write(utf8(`${END}\n`));
    },
  };
}
