/**
 * PEM, strictly: one block, canonical base64 in lines of 64, optional explanatory text before it.
 * @see RFC 7468 §2, §3
 */
import { fromBase64, fromUtf8, toBase64 } from './bytes.js';
import { InputError } from './errors.js';

/** One PEM block. */
export interface PemBlock {
  /** E.g. `PRIVATE KEY`. */
  readonly label: string;
  readonly bytes: Uint8Array;
  /** Text before BEGIN, without the final newline; empty when there is none. */
  readonly explanation: string;
}

/** PEM text of one block, ended by a newline; `explanation` stands before BEGIN. */
export function encodePem(label: string, bytes: Uint8Array, explanation = ''): string {
  const lines = toBase64(bytes).match(/.{1,64}/g) ?? [];
  const text = explanation === '' ? '' : `${explanation}\n`;
  return `${text}-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

/** Whether the bytes look like a PEM file with this label (or any label). JSON that has a PEM in a member is JSON. */
export function looksLikePem(bytes: Uint8Array, label?: string): boolean {
  if (bytes.find((byte) => byte > 0x20) === 0x7b) return false;
  const text = Buffer.from(bytes.subarray(0, 65_536)).toString('latin1');
  return label === undefined
    ? /-----BEGIN [A-Z0-9 ]+-----/.test(text)
    : text.includes(`-----BEGIN ${label}-----`);
}

/**
 * The one PEM block of a file.
 * @param what - how errors name the input
 * @throws {@link InputError} `E_PEM_MALFORMED`
 */
export function decodePem(input: Uint8Array, what: string): PemBlock {
  const text = fromUtf8(input, what).replaceAll('\r\n', '\n');
  const match =
    /^(?<before>[^]*?)-----BEGIN (?<label>[A-Z0-9][A-Z0-9 ]*)-----\n(?<body>(?:[A-Za-z0-9+/=]+\n)+)-----END (?<end>[A-Z0-9 ]+)-----\n?$/.exec(
      text,
    );
  const groups = match?.groups;
  if (groups === undefined || groups['label'] !== groups['end'])
    throw malformed(what, 'no single complete PEM block');
  const before = groups['before'] as string;
  if (before.includes('-----') || (before !== '' && !before.endsWith('\n'))) {
    throw malformed(what, 'more than one PEM block or text on the BEGIN line');
  }
  const lines = (groups['body'] as string).trimEnd().split('\n');
  if (lines.some((line, i) => (i < lines.length - 1 ? line.length !== 64 : line.length > 64))) {
    throw malformed(what, 'base64 lines that are not 64 characters long');
  }
  return {
    label: groups['label'] as string,
    bytes: fromBase64(lines.join(''), what),
    explanation: before.trimEnd(),
  };
}

function malformed(what: string, problem: string): InputError {
  return new InputError({
    code: 'E_PEM_MALFORMED',
    message: `${what} is not a PEM file: ${problem}`,
  });
}
