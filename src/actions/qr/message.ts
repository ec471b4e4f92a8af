/** What the codes of a file carry: the file or its digest, with its kind and name; secrets are refused. */
import {
  DIGEST_UR_TYPE,
  digestText,
  encodeDigestPayload,
  encodeFilePayload,
  FILE_UR_TYPE,
  MAX_FILE_BYTES,
  payloadName,
} from '#carriage/transport/payload';
import { sha256 } from '#crypto/hash';
import { InputError } from '#formats/errors';
import type { ActionContext } from '../context/context.js';
import { assertShowable, type Exposure, exposureOf } from './exposure.js';
import { digestOfFile } from './file-digest.js';

/** From here on scanning takes patience. */
const LONG_BYTES = 20 * 1024;

/** What is asked for. */
export interface MessageInput {
  readonly file?: string | undefined;
  readonly digest?: boolean | undefined;
  readonly name?: string | undefined;
  readonly reveal: readonly string[];
}

/** What the codes are to carry. */
export interface Message {
  readonly type: string;
  readonly cbor: Uint8Array;
  readonly about: {
    readonly kind: string;
    readonly name: string;
    readonly bytes: number;
    readonly sha256: string;
    readonly warning: string | null;
  };
  readonly exposure: Exposure['exposure'];
}

/**
 * The message under the codes of a file, or of its digest.
 * @throws RefusedError `E_QR_SECRET`, InputError `E_QR_EMPTY`, `E_QR_TOO_LARGE`
 */
export async function messageOf(input: MessageInput, context: ActionContext): Promise<Message> {
  const path = input.file as string;
  const shown = path === '-' ? 'standard input' : path;
  if (input.digest === true) return await digestMessage(input, path, shown, context);
  const bytes = context.files.read(path);
  const exposure = await exposureOf(bytes, shown);
  assertShowable(exposure, shown, input.reveal);
  if (exposure.exposure !== 'public' && exposure.exposure !== 'sealed') {
    // Whoever reads the log later must know that this secret was on a screen.
    context.record({
      type: 'qr.reveal',
      data: { kind: exposure.kind, exposure: exposure.exposure, sha256: digestText(sha256(bytes)) },
    });
  }
  const { kind } = exposure;
  const name = input.name ?? payloadName(path === '-' ? 'file' : path);
  const digest = sha256(bytes);
  const about = { kind, name, bytes: bytes.length, sha256: digestText(digest) };
  if (bytes.length === 0)
    throw new InputError({ code: 'E_QR_EMPTY', message: `${shown} is empty` });
  if (bytes.length > MAX_FILE_BYTES) {
    throw new InputError({
      code: 'E_QR_TOO_LARGE',
      message: `${shown} has ${bytes.length} bytes; at most ${MAX_FILE_BYTES} are carried by QR codes`,
      hint: `carry it as a file and show its digest: conclave qr show ${path} --digest`,
    });
  }
  const warning =
    bytes.length > LONG_BYTES
      ? `${bytes.length} bytes take minutes by QR code; a file and its --digest are quicker`
      : null;
  if (warning !== null) context.progress(warning);
  return {
    type: FILE_UR_TYPE,
    cbor: encodeFilePayload({ kind, name, bytes }, sha256),
    about: { ...about, warning },
    exposure: exposure.exposure,
  };
}

/** The digest alone, of a file of whatever size; of a long one nobody asks what kind it is. */
async function digestMessage(
  input: MessageInput,
  path: string,
  shown: string,
  context: ActionContext,
): Promise<Message> {
  const { bytes, length, sha256: digest } = digestOfFile(path, context.files);
  const kind = bytes === undefined ? 'file' : (await exposureOf(bytes, shown)).kind;
  bytes?.fill(0);
  const name = input.name ?? payloadName(path === '-' ? 'file' : path);
  const about = { kind, name, bytes: length, sha256: digestText(digest), warning: null };
  const cbor = encodeDigestPayload({ kind, name, length, sha256: digest });
  return { type: DIGEST_UR_TYPE, cbor, about, exposure: 'public' };
}
