/** Codes that come in from outside, as an interface: pictures, videos, a camera, a scanner that types. */

/** One code as something outside read it. */
export interface SeenCode {
  /** What it carries, each byte a character. Nobody vouches for it: it may hold anything. */
  readonly text: string;
  /** Where it was seen, as errors name it: `page-1.png`, `line 3 of codes.txt`, `the camera`. */
  readonly from: string;
}

/** Where codes can come from. Every source is read only as far as it is asked, and closed when the asking stops. */
export interface ScanSpace {
  /**
   * The codes of a PNG or JPEG picture, from above, left to right.
   * @throws InputError `E_PICTURE_KIND`, `E_PICTURE_TOO_LARGE`, `E_PICTURE_MALFORMED`
   */
  picture(bytes: Uint8Array, name: string): Promise<readonly SeenCode[]>;
  /** The codes of a video file as they appear; the same code again and again. @throws UnavailableError `E_PROGRAM_MISSING` */
  video(path: string): AsyncIterable<SeenCode>;
  /** The codes before a camera. @throws UnavailableError `E_PROGRAM_MISSING`, `E_CAMERA_MISSING` */
  camera(device: string | undefined): AsyncIterable<SeenCode>;
  /**
   * Lines that a scanner types, or that are pasted or typed by a person, without anything being echoed, until Ctrl-D.
   * Differences of the keyboard are undone where they are known.
   * @throws UsageError `E_ANSWER_MISSING` where there is no terminal; InterruptedError on Ctrl-C
   */
  typed(): AsyncIterable<SeenCode>;
  /** How far it is, on one line that replaces itself; `undefined` takes the line away. Only where a person watches. */
  progress(state: ScanProgress | undefined): void;
  /** A remark about what comes in, for the person who holds things before the camera; said once for each text. */
  remark(text: string): void;
}

/** How much of a message is there. */
export interface ScanProgress {
  readonly received: number;
  readonly needed: number;
}
