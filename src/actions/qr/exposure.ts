/**
 * What a camera in the room may see. A code on a screen or on paper is public to whoever films it, so private keys and
 * unsealed shares are refused until they are named, and so is what may be one and cannot be told apart.
 */
import { decodeKeyFile } from '#carriage/stores/key-file';
import { decodeMinimal } from '#carriage/transport/bytewords';
import { ConclaveError, RefusedError } from '#formats/errors';
import { detectKind } from '../artifacts/catalogue.js';
import { CODE_TEXT, readCodeText } from '../artifacts/code-text.js';
import { derShape } from '../artifacts/der-shape.js';
import { shareOfCard } from '../shares/card-source.js';
import { readShare } from '../shares/sources.js';

/** What has to be said by `--reveal` before it is shown. */
export type Reveal = 'unsealed-share' | 'private-key' | 'unknown';

/** All of them, for the option. */
export const REVEALS: readonly Reveal[] = ['unsealed-share', 'private-key', 'unknown'];

/** A file as this page judges it. */
export interface Exposure {
  /** As `show` names it; `file` for what conclave does not write. */
  readonly kind: string;
  /** Anybody may read it, only its recipient can, or nobody should. */
  readonly exposure: 'public' | 'sealed' | Reveal;
}

const WORST_FIRST = ['private-key', 'unsealed-share', 'unknown', 'sealed'] as const;

/** Kinds that hold nothing secret. A kind that is not here is shown only when it is named. */
const PUBLIC_KINDS: ReadonlySet<string> = new Set([
  ...[
    'key-record',
    'identity',
    'share-set',
    'transcript',
    'statement',
    'signed-file',
    'public-key',
  ],
  ...[
    'group',
    'threshold-start',
    'threshold-acceptance',
    'threshold-batch',
    'threshold-transcript',
  ],
  ...['definition', 'attestation', 'trace', 'trace-request', 'receipt', 'policy', 'checkpoint'],
]);

/** Kinds that only their recipient opens. */
const SEALED_KINDS: ReadonlySet<string> = new Set([
  ...['encrypted-file', 'container', 'wrapped-key'],
  // Broadcasts are for everybody; what a round message tells to one party is sealed to that party.
  'round-message',
]);

/** Text that announces a secret, whoever wrote it. */
const SECRET_TEXT =
  /-----BEGIN [A-Z0-9 ]*(?:PRIVATE|SECRET)[A-Z0-9 ]*-----|AGE-SECRET-KEY-|"(?:d|priv|k|privateKey|secretKey)"\s*:|\b[xyz]prv[1-9A-HJ-NP-Za-km-z]{50}/;

/** Words and nothing else, as recovery phrases are. */
const PHRASE = /^\s*(?:[a-z]{3,8}\s+){11,}[a-z]{3,8}\s*$/;

/** How pages and pictures (PDF, PostScript, PNG, JPEG, GIF, WebP, TIFF, SVG, HTML) and packed files (zip, gzip, bzip2, xz, zstd, 7z) begin. */
const OPAQUE =
  /^(?:%PDF|%!PS|\x89PNG|\xff\xd8\xff|GIF8|RIFF[^]{4}WEBP|II\*\0|MM\0\*|\s*(?:<\?xml[^]*?)?<(?:svg|!doctype html|html)\b|PK[\x03\x05]|\x1f\x8b|BZh|\xfd7zXZ|\x28\xb5\x2f\xfd|7z\xbc\xaf)/i;

/** Lengths of keys and seeds in bytes: symmetric keys, scalars, seeds and expanded keys of what the registry has. */
const KEY_LENGTHS: ReadonlySet<number> = new Set([
  ...[16, 20, 24, 28, 32, 48, 56, 57, 64, 66, 72, 96, 128],
  ...[1281, 2305, 1632, 2400, 3168, 2560, 4032, 4896],
]);

/** Judges a file by its content alone. Never throws for what cannot be read: that is then unknown. */
export async function exposureOf(bytes: Uint8Array, name: string): Promise<Exposure> {
  const kind = (await detectKind(bytes, name))?.kind ?? 'file';
  if (kind === 'session-archive') {
    const { exposureOfArchive } = await import('../session/archive-exposure.js');
    return { kind, exposure: await exposureOfArchive(bytes, name) };
  }
  if (kind !== CODE_TEXT) return { kind, exposure: judge(kind, bytes, name) };
  // Written down, a code is what it carries.
  const carried = succeeds(() => readCodeText(bytes, name));
  if (carried === undefined || carried.arrivals.some(({ form }) => form === 'unverified'))
    return { kind, exposure: 'unknown' };
  const inner = await Promise.all(
    carried.arrivals.map(async (arrival) =>
      arrival.form === 'file' ? (await exposureOf(arrival.bytes, name)).exposure : 'public',
    ),
  );
  if (inner.length === 0) return { kind, exposure: 'unknown' };
  return { kind, exposure: worstOf(inner) };
}

/** Of several things in one, the worst counts; nothing at all is public. */
export function worstOf(parts: readonly Exposure['exposure'][]): Exposure['exposure'] {
  return WORST_FIRST.find((each) => parts.includes(each)) ?? 'public';
}

/**
 * Refuses what nobody should see, unless it was named.
 * @throws {@link RefusedError} `E_QR_SECRET`
 */
export function assertShowable(
  { exposure }: Exposure,
  name: string,
  revealed: readonly string[],
): void {
  if (exposure === 'public' || exposure === 'sealed' || revealed.includes(exposure)) return;
  const what = {
    'unsealed-share': `${name} is a share that is not sealed: whoever films its code has it`,
    'private-key': `${name} is a private key or the words of one: whoever films its code has it`,
    unknown: `${name} may be a secret, and nothing in it says that it is none: whoever films its code has it`,
  }[exposure];
  throw new RefusedError({
    code: 'E_QR_SECRET',
    message: what,
    hint:
      exposure === 'unsealed-share'
        ? 'seal it to its custodian when splitting; if it must be seen, say --reveal unsealed-share'
        : `seal or wrap it first; if it must be seen, say --reveal ${exposure}`,
  });
}

function judge(kind: string, bytes: Uint8Array, name: string): Exposure['exposure'] {
  if (kind === 'key-file') return isSealedKey(bytes, name) ? 'sealed' : 'private-key';
  if (kind === 'share') return isSealedShare(bytes, name) ? 'sealed' : 'unsealed-share';
  if (kind === 'share-card') {
    const share = succeeds(() => shareOfCard(bytes, name))?.bytes;
    return share === undefined ? 'unknown' : judgeOnce('share', share, name);
  }
  const text = Buffer.from(bytes).toString('latin1');
  if (SECRET_TEXT.test(text) || PHRASE.test(text) || derShape(bytes) === 'pkcs8') {
    return 'private-key';
  }
  if (SEALED_KINDS.has(kind)) return 'sealed';
  if (PUBLIC_KINDS.has(kind)) return 'public';
  if (kind !== 'file') return 'unknown';
  return mayBeRawKey(bytes, text.trim()) || isOpaque(text) ? 'unknown' : 'public';
}

/** Judges what was taken out of something else, and wipes it. */
function judgeOnce(kind: string, bytes: Uint8Array, name: string): Exposure['exposure'] {
  try {
    return judge(kind, bytes, name);
  } finally {
    bytes.fill(0);
  }
}

/** What is drawn on a page, or packed into a file, does not stand in its bytes. */
function isOpaque(latin1: string): boolean {
  return OPAQUE.test(latin1) || latin1.slice(257, 262) === 'ustar';
}

function isSealedKey(bytes: Uint8Array, name: string): boolean {
  return succeeds(() => decodeKeyFile(bytes, name)) !== undefined;
}

function isSealedShare(bytes: Uint8Array, name: string): boolean {
  const read = succeeds(() => readShare({ name, bytes }));
  if (read === undefined) return false;
  if (read.kind === 'envelope') return read.share.seal.kind !== 'unsealed';
  read.share.value.fill(0);
  return false;
}

/** A key has no mark of its own: its length, raw or spelled in hexadecimal, base64 or bytewords, is all there is to go by. */
function mayBeRawKey(bytes: Uint8Array, text: string): boolean {
  if (KEY_LENGTHS.has(bytes.length) && !isProse(text)) return true;
  if (/^[0-9a-fA-F]+$/.test(text)) return KEY_LENGTHS.has(text.length / 2);
  if (/^[A-Za-z0-9+/_-]+={0,2}$/.test(text)) {
    const base64 = KEY_LENGTHS.has(Buffer.from(text, 'base64').length);
    return base64 || succeeds(() => decodeMinimal(text, 'text')) !== undefined;
  }
  return false;
}

/** Printable text with spaces between words is no key. */
function isProse(text: string): boolean {
  return /^[\x20-\x7e\n\r\t]+$/.test(text) && /\S\s+\S/.test(text);
}

function succeeds<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof ConclaveError) return undefined;
    throw error;
  }
}
