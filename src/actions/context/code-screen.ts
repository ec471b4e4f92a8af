/** A screen for QR codes, as an interface: a terminal of whatever size and colour, or characters in a file. */

/** How light and dark are to be drawn. */
export interface Drawing {
  /** Exchanges light and dark characters, for a terminal with a light background that is not recognised as one. */
  readonly invert: boolean;
}

/** A code in characters, read back and found to say what it should. */
export interface DrawnCode {
  /** Rows of half blocks; on a screen that welcomes colours with black and white named. */
  readonly rows: readonly string[];
  /** 1 to 40. */
  readonly version: number;
}

/** A series of codes, shown over and over. */
export interface Animation extends Drawing {
  /** Text of the frame of a number, from 1. */
  readonly text: (number: number) => string;
  /** After this number it begins again. */
  readonly last: number;
  /** Frames that carry everything once. */
  readonly fragments: number;
  /** Of every frame. */
  readonly version: number;
  readonly framesPerSecond: number;
  /** One line below the code. */
  readonly caption: string;
}

/** Where codes are shown. */
export interface CodeScreen {
  /** Columns and rows; `undefined` where nobody watches: output goes to a file or a pipe. */
  size(): { readonly columns: number; readonly rows: number } | undefined;
  /**
   * Draws a text as one code and reads the drawing back.
   * @throws InputError `E_QR_CAPACITY`; UsageError `E_QR_SCREEN` when it is larger than the screen; InternalError
   * `E_QR_SELF_CHECK`
   */
  draw(text: string, drawing: Drawing): Promise<DrawnCode>;
  /** Puts a drawn code on the screen, its caption above it. */
  show(code: DrawnCode, caption: string): void;
  /**
   * Shows frames until the person leaves by `q` or Ctrl-C; the terminal is then as it was.
   * @returns how many frames were shown
   * @throws UsageError `E_ANSWER_MISSING` where nobody watches
   */
  animate(animation: Animation): Promise<number>;
}
