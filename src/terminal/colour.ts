/**
 * Colour, where it is welcome. It only ever repeats what the words say: every text reads the same with the colours off.
 * @see https://no-color.org
 */

/** Paints text; each function returns its argument unchanged where colour is not wanted. */
export interface Style {
  /** Whether anything is painted at all. */
  readonly colour: boolean;
  bold(text: string): string;
  dim(text: string): string;
  good(text: string): string;
  bad(text: string): string;
  notice(text: string): string;
}

/** The part of the environment that says whether colour and movement are welcome. */
export interface Surroundings {
  readonly isTTY: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Text as it is. */
export const plainStyle: Style = {
  colour: false,
  bold: (text) => text,
  dim: (text) => text,
  good: (text) => text,
  bad: (text) => text,
  notice: (text) => text,
};

const sequence = (open: number, close: number) => (text: string) =>
  text === '' ? text : `\u001b[${open}m${text}\u001b[${close}m`;

const paintedStyle: Style = {
  colour: true,
  bold: sequence(1, 22),
  dim: sequence(2, 22),
  good: sequence(32, 39),
  bad: sequence(31, 39),
  notice: sequence(33, 39),
};

/** Whether colours may be used: a terminal, not a dumb one, no CI, and `NO_COLOR` absent or empty. */
export function wantsColour({ isTTY, env }: Surroundings): boolean {
  return isTTY && !given(env['NO_COLOR']) && !given(env['CI']) && env['TERM'] !== 'dumb';
}

/** Whether things may move (spinners): a terminal that can, and no CI. */
export function wantsMovement({ isTTY, env }: Surroundings): boolean {
  return isTTY && !given(env['CI']) && env['TERM'] !== 'dumb';
}

/** The style for these surroundings. */
export function styleFor(surroundings: Surroundings): Style {
  return wantsColour(surroundings) ? paintedStyle : plainStyle;
}

function given(value: string | undefined): boolean {
  return value !== undefined && value !== '';
}
