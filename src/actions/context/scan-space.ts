/** Codes from outside, over what the machine has: readers of pictures, ffmpeg or zbarcam, a terminal. */
import { readPicture } from '#carriage/transport/picture';
import { firstOf, plainReader, type QrReader, zxingReader } from '#carriage/transport/qr-reader';
import type { Raster } from '#carriage/transport/raster';
import type { ScanSpace, SeenCode } from './scan.js';
import { understandTyped } from './typed-codes.js';

/** Pictures in motion; the host fits. */
export interface VideoPort {
  /** Grey frames of a video file. */
  file(path: string): AsyncIterable<Raster>;
  /** Grey frames of a camera, or the codes themselves where the program at hand reads them. */
  camera(device: string | undefined): AsyncIterable<Raster | string>;
}

/** The person's keyboard and screen. */
export interface ScanDesk {
  /** Lines as they are typed, nothing echoed; ends with Ctrl-D. @throws UsageError where there is no keyboard */
  lines(): AsyncIterable<string>;
  /** One line that replaces itself; empty takes it away. */
  status(text: string): void;
  say(text: string): void;
}

/** What a scan space stands on. */
export interface ScanSpaceOptions {
  readonly video: VideoPort;
  /** ZXing's wasm file; `undefined` when it is not there. */
  readonly wasm: () => Uint8Array | undefined;
  readonly desk: ScanDesk;
}

const BAR = 30;

/** Different remarks that somebody is told. */
const MAX_REMARKS = 40;

/** A scan space; nothing is loaded or opened before it is used. */
export function createScanSpace({ video, wasm, desk }: ScanSpaceOptions): ScanSpace {
  const reader = onceLoaded(wasm);
  const said = new Set<string>();
  const remark = (text: string): void => {
    if (said.has(text) || said.size > MAX_REMARKS) return;
    said.add(text);
    // Whoever holds up codes could make each remark another one, and scroll away what matters.
    desk.say(said.size > MAX_REMARKS ? 'More of that kind is not told any more.' : text);
  };
  async function* codesOf(
    frames: AsyncIterable<Raster | string>,
    from: string,
  ): AsyncGenerator<SeenCode> {
    for await (const frame of frames) {
      if (typeof frame === 'string') yield { text: frame, from };
      else for (const { text } of await (await reader()).read(frame)) yield { text, from };
    }
  }
  return {
    picture: async (bytes, name) => {
      const codes = await (await reader()).read(await readPicture(bytes, name));
      return codes.map(({ text }, i) => ({
        text,
        from: codes.length === 1 ? name : `code ${i + 1} of ${name}`,
      }));
    },
    video: (path) => codesOf(video.file(path), path),
    camera: (device) => codesOf(video.camera(device), 'the camera'),
    typed: () => understandTyped(desk.lines(), remark),
    progress: (state) => {
      desk.status(state === undefined ? '' : bar(state.received, state.needed));
    },
    remark,
  };
}

/** `[=====     ] 12 of 31 parts`. */
export function bar(received: number, needed: number): string {
  const full = Math.min(BAR, Math.floor((BAR * received) / needed));
  return `[${'='.repeat(full)}${' '.repeat(BAR - full)}] ${received} of ${needed} parts`;
}

function onceLoaded(wasm: () => Uint8Array | undefined): () => Promise<Pick<QrReader, 'read'>> {
  let loading: Promise<Pick<QrReader, 'read'>> | undefined;
  return () => (loading ??= load(wasm()));
}

async function load(wasm: Uint8Array | undefined): Promise<Pick<QrReader, 'read'>> {
  const plain = await plainReader();
  return wasm === undefined ? plain : firstOf([await zxingReader(wasm), plain]);
}
