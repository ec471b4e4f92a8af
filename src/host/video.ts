/**
 * Moving pictures by programs of the machine: ffmpeg gives grey frames of files and cameras; zbarcam, where that is what
 * there is, reads the codes itself. Programs are started without a shell, kept off the network, and ended when nobody reads
 * on.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { InputError, UnavailableError } from '#formats/errors';

/** One grey frame: rows from above, a byte each, 0 is black. */
export interface Frame {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
}

/** What tests replace. */
export interface VideoOptions {
  /** Where programs are looked for; the value of PATH. */
  readonly path?: string | undefined;
  /** How long nothing may come before it is given up, in milliseconds. */
  readonly silenceMs?: number;
}

/** Moving pictures. */
export interface Video {
  /** Frames of a video file, at most 15 a second. @throws UnavailableError `E_PROGRAM_MISSING`, InputError `E_VIDEO_MALFORMED` */
  file(path: string): AsyncGenerator<Frame>;
  /** Frames of a camera, or texts of codes. @throws UnavailableError `E_PROGRAM_MISSING`, `E_CAMERA_MISSING`, `E_CAMERA_SILENT` */
  camera(device: string | undefined): AsyncGenerator<Frame | string>;
}

const SILENCE_MS = 30_000;
/** Wider frames are made smaller; finer detail than this no code on a screen has. */
const MAX_WIDTH = 1280;
const MAX_FRAME_BYTES = 4 * 1024 * 1024;
const MAX_LINE = 8192;
const FRAMES_PER_SECOND = '15';
const DEFAULT_DEVICE = '/dev/video0';

/** What is asked of every video: no colour, no sound, not larger and not faster than a reader can use. */
const OUTPUT = [
  ...['-an', '-sn', '-dn', '-vf', `scale='min(${MAX_WIDTH},iw)':-2`, '-fpsmax', FRAMES_PER_SECOND],
  ...['-pix_fmt', 'gray', '-strict', '-1', '-f', 'yuv4mpegpipe', 'pipe:1'],
];

/** Moving pictures of this machine. */
export function createVideo(options: VideoOptions = {}): Video {
  const searched = options.path ?? process.env['PATH'] ?? '';
  const silenceMs = options.silenceMs ?? SILENCE_MS;
  return {
    file: async function* (path) {
      const ffmpeg = find('ffmpeg', searched);
      if (ffmpeg === undefined) throw missing('ffmpeg', 'to read a video');
      // A file of another format can name further files or addresses; only the file itself may be opened.
      const input = ['-protocol_whitelist', 'file,pipe', '-i', `file:${resolve(path)}`];
      yield* frames(start(ffmpeg, [...QUIET, ...input, ...OUTPUT]), silenceMs, (said) => {
        return new InputError({
          code: 'E_VIDEO_MALFORMED',
          message: `${path} cannot be read as a video${said}`,
          hint: 'convert it to MP4 first, or give single pictures by --image',
        });
      });
    },
    camera: async function* (device) {
      const name = device ?? DEFAULT_DEVICE;
      if (!existsSync(name)) {
        throw new UnavailableError({
          code: 'E_CAMERA_MISSING',
          message: `there is no camera at ${name}`,
          hint: 'name it by --device, or photograph the code and use --image',
        });
      }
      const silent = (said: string): UnavailableError =>
        new UnavailableError({
          code: 'E_CAMERA_SILENT',
          message: `${name} gives no pictures${said}`,
          hint: 'another program may hold it; end that, or name another one by --device',
        });
      const ffmpeg = find('ffmpeg', searched);
      if (ffmpeg !== undefined) {
        const input = ['-f', 'v4l2', '-i', name];
        yield* frames(start(ffmpeg, [...QUIET, ...input, ...OUTPUT]), silenceMs, silent);
        return;
      }
      const zbarcam = find('zbarcam', searched);
      if (zbarcam === undefined) throw missing('ffmpeg', 'or zbarcam, to use a camera');
      const settings = ['--raw', '--nodisplay', '-Sdisable', '-Sqrcode.enable', '-Sbinary'];
      yield* lines(start(zbarcam, [...settings, name]), silent);
    },
  };
}

const QUIET = ['-nostdin', '-hide_banner', '-loglevel', 'error'];

function find(program: string, searched: string): string | undefined {
  for (const folder of searched.split(delimiter)) {
    if (folder === '') continue;
    const path = join(folder, program);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not in this folder.
    }
  }
  return undefined;
}

function missing(program: string, what: string): UnavailableError {
  return new UnavailableError({
    code: 'E_PROGRAM_MISSING',
    message: `${program} is needed ${what}, and is not installed`,
    hint: `install ${program} (Debian: apt install ffmpeg), or photograph the code and use --image`,
  });
}

interface Running {
  readonly child: ChildProcess;
  /** Its last words, for the message when it fails. */
  readonly said: () => string;
  /** Exit code, once it ended; `null` when it was ended or could not start. */
  readonly ended: Promise<number | null>;
}

function start(program: string, args: readonly string[]): Running {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let words = '';
  child.stderr.on('data', (part: Buffer) => {
    words = (words + part.toString('latin1')).slice(-300);
  });
  const ended = new Promise<number | null>((resolved) => {
    child.on('error', () => {
      resolved(null);
    });
    child.on('close', (code) => {
      resolved(code);
    });
  });
  // Only its last line, and of that only what cannot move a cursor.
  const said = (): string => {
    const line =
      words
        .trim()
        .split('\n')
        .at(-1)
        ?.replaceAll(/[^ -~]/g, '?') ?? '';
    return line === '' ? '' : ` (${line.slice(0, 120)})`;
  };
  return { child, said, ended };
}

/** Frames out of a YUV4MPEG2 stream, which tells their size in its first line. */
async function* frames(
  running: Running,
  silenceMs: number,
  failure: (said: string) => Error,
): AsyncGenerator<Frame> {
  const { child, said, ended } = running;
  let buffer: Buffer = Buffer.alloc(0);
  let size: { width: number; height: number } | undefined;
  let seen = 0;
  try {
    for await (const part of awake(child, silenceMs, () => failure(said()))) {
      buffer = buffer.length === 0 ? part : Buffer.concat([buffer, part]);
      for (;;) {
        if (size === undefined) {
          const end = buffer.indexOf(0x0a);
          if (end < 0) {
            if (buffer.length > 1024) throw failure(said());
            break;
          }
          const head = buffer.subarray(0, end).toString('latin1');
          const [, width, height] = /^YUV4MPEG2 W(\d{1,5}) H(\d{1,5}) .*Cmono/.exec(head) ?? [];
          if (width === undefined || height === undefined) throw failure(said());
          size = { width: Number(width), height: Number(height) };
          if (size.width * size.height > MAX_FRAME_BYTES)
            throw failure(' (its frames are too large)');
          buffer = buffer.subarray(end + 1);
        }
        const line = buffer.indexOf(0x0a);
        const length = size.width * size.height;
        if (line < 0 || buffer.length < line + 1 + length) break;
        if (!buffer.subarray(0, line).toString('latin1').startsWith('FRAME')) throw failure(said());
        seen++;
        yield { ...size, pixels: new Uint8Array(buffer.subarray(line + 1, line + 1 + length)) };
        buffer = buffer.subarray(line + 1 + length);
      }
    }
    // A file that breaks off after good frames has given what it had; one that gave none is no video.
    const code = await ended;
    if (code !== 0 && seen === 0) throw failure(said());
  } finally {
    child.kill('SIGKILL');
  }
}

/** Codes out of the lines of a program that reads them itself. */
async function* lines(running: Running, failure: (said: string) => Error): AsyncGenerator<string> {
  const { child, said, ended } = running;
  let rest = '';
  try {
    // No limit on silence: nobody may be holding a code up yet.
    for await (const part of awake(child, undefined, () => failure(said()))) {
      rest += part.toString('latin1');
      const complete = rest.split('\n');
      rest = complete.pop() as string;
      for (const line of complete) if (line !== '' && line.length <= MAX_LINE) yield line;
      if (rest.length > MAX_LINE) rest = '';
    }
    if ((await ended) !== 0) throw failure(said());
  } finally {
    child.kill('SIGKILL');
  }
}

/** What a program writes, as long as it is not silent for too long. */
async function* awake(
  child: ChildProcess,
  silenceMs: number | undefined,
  failure: () => Error,
): AsyncGenerator<Buffer> {
  const stdout = child.stdout as unknown as AsyncIterable<Buffer>;
  const iterator = stdout[Symbol.asyncIterator]();
  for (;;) {
    let timer: NodeJS.Timeout | undefined;
    const tooLong = new Promise<never>((_, reject) => {
      if (silenceMs === undefined) return;
      timer = setTimeout(() => {
        child.kill('SIGKILL');
        reject(failure());
      }, silenceMs);
    });
    try {
      const next = await Promise.race([iterator.next(), tooLong]);
      if (next.done === true) return;
      yield next.value;
    } finally {
      clearTimeout(timer);
    }
  }
}
