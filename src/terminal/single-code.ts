/**
 * One code by `qrcode-terminal`, behind a guard. The package cuts every character to a byte, ignores the level M, keeps its
 * level between calls, draws one module of quiet zone and no version of our choice; none of that reaches the screen: only
 * ASCII goes in, the level is set as a number each time, the modules are taken out of its drawing, and what is shown in the
 * end is read back.
 */
import type { QrCode, QrLevel } from '#carriage/transport/qr-code';
import { InternalError } from '#formats/errors';
import { modulesOfRows } from './code-drawing.js';

/** Levels by the numbers of the package; its own names for them are ignored where they are zero. */
const LEVELS: Readonly<Record<QrLevel, number>> = { L: 1, M: 0, Q: 3, H: 2 };

/** Printable ASCII, what one character to a byte carries unchanged. */
const ASCII = /^[ -~]+$/;

/** The package as it is; its published types know neither the callback's argument nor the number. */
interface QrcodeTerminal {
  error: number;
  generate(
    text: string,
    options: { readonly small: boolean },
    draw: (drawing: string) => void,
  ): void;
}

/**
 * The code of a text as `qrcode-terminal` makes it, always in bytes.
 * @returns `undefined` when the text is more than its largest code holds
 * @throws {@link InternalError} `E_QR_SELF_CHECK` when its drawing is no code
 */
export async function singleCode(text: string, level: QrLevel): Promise<QrCode | undefined> {
  if (!ASCII.test(text)) {
    throw new InternalError({
      code: 'E_QR_SELF_CHECK',
      message: 'a code on the screen takes only ASCII',
    });
  }
  const { default: imported } = await import('qrcode-terminal');
  const program = imported as unknown as QrcodeTerminal;
  program.error = LEVELS[level];
  let drawing = '';
  try {
    program.generate(text, { small: true }, (drawn) => {
      drawing = drawn;
    });
  } catch (cause) {
    // It throws plain text, and this one for what does not fit.
    if (/code length overflow/i.test(String(cause instanceof Error ? cause.message : cause)))
      return undefined;
    throw cause;
  }
  return codeOf(drawing, level);
}

/** The modules inside the drawing's border of light. */
function codeOf(drawing: string, level: QrLevel): QrCode {
  const rows = drawing.split('\n').filter((row) => row !== '');
  const framed = modulesOfRows(rows);
  const size = (rows[0]?.length ?? 0) - 2;
  const version = (size - 17) / 4;
  if (framed === undefined || !Number.isInteger(version) || version < 1 || version > 40) {
    throw new InternalError({
      code: 'E_QR_SELF_CHECK',
      message: 'qrcode-terminal drew no QR code',
    });
  }
  // Its first row is half a row of light: the modules begin with the second row of cells.
  const modules = framed.slice(2, 2 + size).map((row) => row.slice(1, 1 + size));
  return { version, level, size, modules };
}
