/** Where codes are read from: pictures, a video, a camera, a scanner that types, text. */
import { MAX_PICTURE_BYTES } from '#carriage/transport/picture';
import { fromUtf8 } from '#formats/bytes';
import { InputError, UsageError } from '#formats/errors';
import type { ActionContext } from '../context/context.js';
import type { ScanSpace, SeenCode } from '../context/scan.js';
import { codesOfPictures, codesOfText } from './collect.js';

/** Longest text of codes that is read. */
const MAX_TEXT_BYTES = 1024 * 1024;

/** Where codes come from: exactly one of these is named. */
export interface SourceInput {
  readonly image: readonly string[];
  readonly video?: string | undefined;
  readonly camera?: boolean | undefined;
  readonly device?: string | undefined;
  readonly scanner?: boolean | undefined;
  readonly text?: string | undefined;
}

/** Codes as they are seen. */
export interface CodeSource {
  readonly codes: AsyncIterable<SeenCode>;
  /** Whether somebody holds things up until it works. */
  readonly live: boolean;
  /** How errors name all of it. */
  readonly from: string;
}

/** @throws UsageError `E_SCAN_SOURCE` when none or several are named */
export function sourceOf(
  input: SourceInput,
  scan: ScanSpace,
  { files }: Pick<ActionContext, 'files'>,
): CodeSource {
  const { image, video, camera, device, scanner, text } = input;
  const named = [
    image.length > 0,
    video !== undefined,
    camera === true,
    scanner === true,
    text !== undefined,
  ];
  if (named.filter(Boolean).length !== 1) {
    throw new UsageError({
      code: 'E_SCAN_SOURCE',
      message: named.some(Boolean) ? 'more than one source was named' : 'no source was named',
      hint: 'give one of --image, --video, --camera, --scanner and --text',
    });
  }
  if (image.length > 0) {
    const pictures = image.map((path) => ({
      name: path === '-' ? 'standard input' : path,
      read: () => files.read(path, MAX_PICTURE_BYTES),
    }));
    const from = image.length === 1 ? (image[0] as string) : `${image.length} pictures`;
    return { codes: codesOfPictures(pictures, scan), live: false, from };
  }
  if (video !== undefined) {
    if (video === '-' || !files.exists(video) || files.isDirectory(video)) {
      throw new InputError({ code: 'E_VIDEO_MALFORMED', message: `${video} is not a video file` });
    }
    // Torn frames are usual, and each is shown again.
    return { codes: scan.video(video), live: true, from: video };
  }
  if (camera === true) return { codes: scan.camera(device), live: true, from: 'the camera' };
  if (scanner === true) return { codes: scan.typed(), live: true, from: 'the scanner' };
  const path = text as string;
  const name = path === '-' ? 'standard input' : path;
  return {
    codes: codesOfText(fromUtf8(files.read(path, MAX_TEXT_BYTES), name), name),
    live: false,
    from: name,
  };
}
