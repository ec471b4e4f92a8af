/** `qr show`: a file as QR codes, on the screen, as pictures or as text. */
import { FountainEncoder } from '#carriage/transport/fountain-encoder';
import { frameSizeFor, frameSizeOf, LAST_PART } from '#carriage/transport/frame-size';
import { LAYOUT_TEST } from '#carriage/transport/key-layout';
import { digestText } from '#carriage/transport/payload';
import { writePng } from '#carriage/transport/picture';
import { encodeQr, type QrLevel } from '#carriage/transport/qr-code';
import { qrSvg } from '#carriage/transport/qr-svg';
import { rasterOf } from '#carriage/transport/raster';
import { encodeUr, encodeUrPart } from '#carriage/transport/ur';
import { sha256 } from '#crypto/hash';
import { utf8 } from '#formats/bytes';
import { UnavailableError, UsageError } from '#formats/errors';
import { defineAction } from './action.js';
import type { CodeScreen } from './context/code-screen.js';
import type { ActionContext } from './context/context.js';
import { REVEALS } from './qr/exposure.js';
import { handOut } from './qr/hand-out.js';
import { type Message, messageOf } from './qr/message.js';

/** What was shown. */
export interface ShowResult {
  readonly form: 'screen' | 'animation' | 'png' | 'svg' | 'text';
  readonly kind: string;
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
  /** How many codes: one, the frames that were shown or written, the lines. */
  readonly codes: number;
  /** Version of the codes, 1 to 40; `null` for text. */
  readonly version: number | null;
  /** Frames that carry everything once. */
  readonly fragments: number;
  /** Files that were written. */
  readonly files: readonly string[];
  /** The codes' text, for `--text`; rows of a drawing where no terminal is. */
  readonly lines: readonly string[];
  readonly warning: string | null;
}

/** Frames of an animation that is written as pictures, when no screen says how large they should be. */
const PICTURE_FRAME_VERSION = 14;

/** Of so many fragments each a whole second time: what a camera loses of the first is in the mixtures. */
const ROUNDS = 2;

export const qrShow = defineAction({
  id: 'qr.show',
  summary: 'show a file as QR codes',
  description:
    'One code when it fits, or with --animate a series that a camera reads in any order, whatever it misses: 5 to 8 a second, keys to ' +
    'pause and step. The codes carry the file with its kind, name and SHA-256 (ur:conclave-file). A camera in the room sees the screen ' +
    'too: private keys and unsealed shares are refused unless --reveal names them. From 20 KiB on a file as such is easier; above 64 KiB ' +
    'only its digest is shown (--digest), to be compared on the other side. In a ceremony it is shown until people say that it has arrived. Each code is read back before it is shown.',
  inputs: {
    file: { type: 'file', summary: 'file to show', positional: 0, placeholder: 'FILE' },
    animate: { type: 'boolean', summary: 'a series of codes instead of one' },
    png: {
      type: 'path',
      summary: 'write a PNG picture; with --animate the beginning of their names',
      placeholder: 'FILE',
    },
    svg: { type: 'path', summary: 'write an SVG drawing', placeholder: 'FILE' },
    text: {
      type: 'boolean',
      summary: 'print what the codes carry, to paste or to type',
      only: 'cli',
    },
    digest: {
      type: 'boolean',
      summary: 'only the digest of the file, which travels otherwise',
      only: 'cli',
    },
    keyboardTest: {
      type: 'boolean',
      summary: 'the code that tests how a scanner types',
      only: 'cli',
    },
    name: {
      type: 'string',
      summary: "name to send instead of the file's own",
      placeholder: 'NAME',
    },
    level: {
      type: 'string',
      summary: 'how much of a picture may be lost: 7, 15, 25 or 30 percent',
      choices: ['L', 'M', 'Q', 'H'],
      default: 'M',
    },
    codeVersion: {
      type: 'integer',
      summary: 'size of the codes of a series, 1 to 40; the screen decides if not given',
      min: 1,
      max: 40,
      placeholder: 'N',
    },
    fps: {
      type: 'integer',
      summary: 'codes a second of a series',
      min: 1,
      max: 12,
      default: 6,
      placeholder: 'N',
    },
    frames: {
      type: 'integer',
      summary: 'pictures of a series to write; twice as many as needed if not given',
      min: 1,
      max: 9999,
      placeholder: 'N',
    },
    invert: { type: 'boolean', summary: 'exchange light and dark, on a terminal that is not dark' },
    reveal: {
      type: 'string',
      summary: 'show it although a camera in the room would have it',
      choices: REVEALS,
      repeat: true,
    },
  },
  outputs: { sha256: { type: 'digest', summary: 'digest of the file' } },
  options: ['force'],
  effect: 'repeatable',
  exits: [77],
  examples: [
    { command: 'conclave qr show ann.key.pub', explains: 'one code in the terminal' },
    { command: 'conclave qr show request.json --animate', explains: 'a series, for a camera' },
    {
      command: 'conclave qr show share-1.cbor --png share-1.png --level Q',
      explains: 'a picture to print',
    },
    {
      command: 'conclave qr show bundle.tar.gz --digest',
      explains: 'the digest of what goes by USB stick',
    },
  ],
  run: async (input, context): Promise<ShowResult> => {
    const screen = await context.screen?.();
    // Where a ceremony is rehearsed by a file, nobody watches.
    if (context.inCeremony === true) return await showInCeremony(input, screen, context);
    if (screen === undefined) throw noScreen();
    assertOneForm(input);
    if (input.keyboardTest === true) return await showKeyboardTest(input, screen, context);
    const message = await messageOf(input, context);
    const options = { ...input, level: input.level as QrLevel };
    return input.animate === true
      ? await showSeries(message, options, screen, context)
      : await showOne(message, options, screen, context);
  },
  present: ({ form, kind, name, bytes, sha256: digest, codes, fragments, files, lines, warning }) =>
    [
      ...lines,
      ...files,
      // On a screen it stands above the code already.
      ...(form === 'text' || (form === 'screen' && lines.length === 0)
        ? []
        : [`${name}: ${kind}, ${bytes} bytes, ${digest}`]),
      ...(form === 'animation' ? [`${codes} frames shown; ${fragments} carry it once`] : []),
      ...(form === 'png' && files.length > 1
        ? [`${codes} frames written; ${fragments} carry it once`]
        : []),
      ...(warning === null ? [] : [`note: ${warning}`]),
    ].join('\n'),
});

/** In a ceremony: as a picture for the record, or shown until the other side has it. */
async function showInCeremony(
  input: ShowInput & { readonly level: string },
  screen: CodeScreen | undefined,
  context: ActionContext,
): Promise<ShowResult> {
  assertOneForm(input);
  const message = await messageOf(input, context);
  const options = { ...input, level: input.level as QrLevel };
  if (input.png !== undefined || input.svg !== undefined) {
    return input.animate === true
      ? await showSeries(message, options, screen, context)
      : await showOne(message, options, screen, context);
  }
  const { type, cbor, about } = message;
  const file = input.file as string;
  const { codes, fragments, version } = await handOut(
    { type, cbor, ...about, file },
    input,
    screen,
    context,
  );
  return { ...about, form: 'animation', codes, fragments, version, files: [], lines: [] };
}

interface ShowInput {
  readonly file?: string | undefined;
  readonly animate?: boolean | undefined;
  readonly png?: string | undefined;
  readonly svg?: string | undefined;
  readonly text?: boolean | undefined;
  readonly digest?: boolean | undefined;
  readonly keyboardTest?: boolean | undefined;
  readonly name?: string | undefined;
  readonly codeVersion?: number | undefined;
  readonly fps: number;
  readonly frames?: number | undefined;
  readonly invert?: boolean | undefined;
  readonly reveal: readonly string[];
}

interface ShowOptions extends ShowInput {
  readonly level: QrLevel;
}

function assertOneForm(input: ShowInput): void {
  const forms = [input.png !== undefined, input.svg !== undefined, input.text === true];
  if (forms.filter(Boolean).length > 1) {
    throw new UsageError({
      code: 'E_QR_FORM',
      message: '--png, --svg and --text exclude each other',
    });
  }
  if (input.animate === true && input.svg !== undefined) {
    throw new UsageError({
      code: 'E_QR_FORM',
      message: 'a series is not drawn as SVG',
      hint: 'say --animate --png PREFIX',
    });
  }
  if (input.keyboardTest === true ? input.file !== undefined : input.file === undefined) {
    throw new UsageError({
      code: 'E_QR_FORM',
      message: input.file === undefined ? 'no file was named' : '--keyboard-test shows no file',
      hint: 'conclave qr show FILE',
    });
  }
}

async function showOne(
  message: Message,
  options: ShowOptions,
  screen: CodeScreen | undefined,
  context: ActionContext,
): Promise<ShowResult> {
  const ur = encodeUr(message.type, message.cbor);
  const base = { ...message.about, codes: 1, fragments: 1, files: [], lines: [] };
  if (options.text === true) return { ...base, form: 'text', version: null, lines: [ur] };
  return await showText(ur.toUpperCase(), base, secretOf(message), options, screen, context);
}

/** One code with a text: as picture, drawing, or on the screen. */
async function showText(
  text: string,
  base: Omit<ShowResult, 'form' | 'version'>,
  secret: boolean,
  options: Pick<ShowOptions, 'png' | 'svg' | 'level' | 'invert'>,
  screen: CodeScreen | undefined,
  { files }: ActionContext,
): Promise<ShowResult> {
  const path = options.png ?? options.svg;
  if (path !== undefined) {
    files.assertAbsent([path]);
    const code = encodeQr(text, { level: options.level });
    const form = options.png === undefined ? 'svg' : 'png';
    const picture = form === 'svg' ? utf8(qrSvg(code)) : await writePng(rasterOf(code, PIXELS));
    files.write(path, picture, { secret });
    return { ...base, form, version: code.version, files: [path] };
  }
  if (screen === undefined) throw noScreen();
  const drawn = await screen.draw(text, { invert: options.invert === true });
  const watched = screen.size() !== undefined;
  if (watched && secret) {
    // On a screen of its own that is gone when the person leaves: the next one does not find it, not even by scrolling.
    await screen.animate({
      ...{ text: () => text, last: 1, fragments: 1, version: drawn.version, framesPerSecond: 1 },
      caption: 'it is not kept on the screen',
      invert: options.invert === true,
    });
    return { ...base, form: 'screen', version: drawn.version, lines: [] };
  }
  if (watched)
    screen.show(drawn, `${base.name}: ${base.kind}, ${base.bytes} bytes, ${base.sha256}`);
  return { ...base, form: 'screen', version: drawn.version, lines: watched ? [] : drawn.rows };
}

/** Pixels of a module in a picture. */
const PIXELS = 8;

async function showSeries(
  message: Message,
  options: ShowOptions,
  screen: CodeScreen | undefined,
  context: ActionContext,
): Promise<ShowResult> {
  const { type, cbor, about } = message;
  const size = screen?.size();
  const toFiles = options.png !== undefined || options.text === true;
  const frame =
    options.codeVersion !== undefined
      ? frameSizeOf(options.codeVersion, type)
      : toFiles || size === undefined
        ? frameSizeOf(PICTURE_FRAME_VERSION, type)
        : frameSizeFor(size.columns, size.rows, type);
  if (frame === undefined) {
    throw new UsageError({
      code: 'E_QR_SCREEN',
      message:
        options.codeVersion === undefined
          ? 'this terminal is too small for a series of codes'
          : `version ${options.codeVersion} is too small for a series of codes`,
      hint: 'at least 40 columns and 20 rows, or --code-version 4',
    });
  }
  const encoder = new FountainEncoder(cbor, frame.fragmentBytes, sha256);
  const { fragments } = encoder;
  // A message of one part is a whole UR; the specification knows no series of one.
  const text = (number: number): string =>
    fragments === 1 ? encodeUr(type, cbor) : encodeUrPart(type, encoder.part(number));
  const base = { ...about, fragments, version: frame.version };
  if (options.text === true) {
    const lines = Array.from({ length: options.frames ?? fragments }, (_, i) => text(i + 1));
    return { ...base, form: 'text', version: null, codes: lines.length, files: [], lines };
  }
  if (options.png !== undefined) {
    const count = fragments === 1 ? 1 : (options.frames ?? ROUNDS * fragments);
    const paths = framePaths(options.png, count, context);
    context.files.assertAbsent(paths);
    if (options.png.endsWith('/')) context.files.makeDirectory?.(options.png);
    for (const [i, path] of paths.entries()) {
      const code = encodeQr(text(i + 1).toUpperCase(), { level: 'L', version: frame.version });
      const picture = await writePng(rasterOf(code, PIXELS));
      context.files.write(path, picture, { secret: secretOf(message) });
    }
    return { ...base, form: 'png', codes: count, files: paths, lines: [] };
  }
  if (screen === undefined) throw noScreen();
  const shown = await screen.animate({
    text: (number) => text(number).toUpperCase(),
    last: fragments === 1 ? 1 : LAST_PART,
    fragments,
    version: frame.version,
    framesPerSecond: options.fps,
    caption: `${about.name} · ${about.bytes} bytes`,
    invert: options.invert === true,
  });
  return { ...base, form: 'animation', codes: shown, files: [], lines: [] };
}

function noScreen(): UnavailableError {
  return new UnavailableError({
    code: 'E_SCREEN_NONE',
    message: 'there is no screen to show codes on',
  });
}

/** `PREFIX-001.png`, or `frame-001.png` in a folder. */
function framePaths(prefix: string, count: number, { files }: ActionContext): string[] {
  const folder = prefix.endsWith('/') || files.isDirectory(prefix);
  const start = folder ? `${prefix.replace(/\/+$/, '')}/frame` : prefix.replace(/\.png$/, '');
  const digits = Math.max(3, String(count).length);
  return Array.from(
    { length: count },
    (_, i) => `${start}-${String(i + 1).padStart(digits, '0')}.png`,
  );
}

async function showKeyboardTest(
  input: ShowInput & { readonly level: string },
  screen: CodeScreen,
  context: ActionContext,
): Promise<ShowResult> {
  const base = {
    kind: 'keyboard-test',
    name: 'keyboard test',
    bytes: LAYOUT_TEST.length,
    sha256: digestText(sha256(utf8(LAYOUT_TEST))),
    codes: 1,
    fragments: 1,
    files: [],
    lines: [],
    warning: null,
  };
  if (input.text === true) return { ...base, form: 'text', version: null, lines: [LAYOUT_TEST] };
  const options = { ...input, level: input.level as QrLevel };
  return await showText(LAYOUT_TEST, base, false, options, screen, context);
}

function secretOf({ exposure }: Message): boolean {
  return exposure !== 'public';
}
