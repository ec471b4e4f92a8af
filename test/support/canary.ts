/** Looks for a known secret in everything that a run left behind: raw, and in each text form that could have leaked. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** The forms in which a secret could appear. */
export function formsOf(secret: Uint8Array): ReadonlyMap<string, Buffer> {
  const bytes = Buffer.from(secret);
  const hex = bytes.toString('hex');
  const forms = new Map<string, Buffer>([
    ['raw', bytes],
    ['hex', Buffer.from(hex)],
    ['HEX', Buffer.from(hex.toUpperCase())],
    ['decimal list', Buffer.from([...bytes].join(','))],
    ['decimal list with spaces', Buffer.from([...bytes].join(', '))],
  ]);
  // Inside a longer base64 text the secret may begin at any of three phases: what does not depend on neighbours is searched.
  for (const phase of [0, 1, 2]) {
    const padded = Buffer.concat([Buffer.alloc(phase), bytes]);
    const from = phase === 0 ? 0 : 4;
    const whole = Math.floor((padded.length * 8) / 24) * 4;
    forms.set(
      `base64 at phase ${phase}`,
      Buffer.from(padded.toString('base64').slice(from, whole)),
    );
    forms.set(
      `base64url at phase ${phase}`,
      Buffer.from(padded.toString('base64url').slice(from, whole)),
    );
  }
  return forms;
}

/** The forms of `secret` that occur in `haystack`. */
export function formsIn(haystack: Buffer, secret: Uint8Array): readonly string[] {
  return [...formsOf(secret)]
    .filter(([, form]) => form.length >= 8 && haystack.includes(form))
    .map(([name]) => name);
}

/**
 * Where a secret occurs: in what was printed, or in a file below `work` other than the ones that are meant to hold it.
 * @param holders - paths, relative to `work`, of the files that are meant to hold the secret
 */
export function findSecret(
  secret: Uint8Array,
  holders: readonly string[],
  work: string,
  printed: readonly Buffer[],
): string | undefined {
  const bare = trimmed(secret);
  const [form] = formsIn(Buffer.concat(printed), bare);
  if (form !== undefined) return `the output (${form})`;
  for (const path of filesBelow(work)) {
    if (holders.includes(path)) continue;
    const [found] = formsIn(readFileSync(join(work, path)), bare);
    if (found !== undefined) return `${path} (${found})`;
  }
  return undefined;
}

/** Files below a folder, relative to it. */
export function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}

function trimmed(bytes: Uint8Array): Uint8Array {
  const text = Buffer.from(bytes)
    .toString('latin1')
    .replace(/\r?\n$/, '');
  return Buffer.from(text, 'latin1');
}
