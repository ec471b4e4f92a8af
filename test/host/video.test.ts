/** Moving pictures: real ffmpeg with a noisy video, and programs that lie, fall silent or are not there. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { createScanSpace } from '#actions/context/scan-space';
import { collectArrivals } from '#actions/qr/collect';
import { FountainEncoder } from '#carriage/transport/fountain-encoder';
import { frameSizeOf } from '#carriage/transport/frame-size';
import { encodeFilePayload, FILE_UR_TYPE } from '#carriage/transport/payload';
import { writePng } from '#carriage/transport/picture';
import { encodeQr } from '#carriage/transport/qr-code';
import { rasterOf } from '#carriage/transport/raster';
import { encodeUrPart } from '#carriage/transport/ur';
import { sha256 } from '#crypto/hash';
import { ConclaveError } from '#formats/errors';
import { createVideo, type Video } from '#host/video';
import { seededSource } from '../formats/mutate.js';
import { hasProgram, needs, thorough } from '../support/require.js';
import { zxingWasm } from '../transport/reader.js';

const work = mkdtempSync(join(tmpdir(), 'conclave-video-'));
const ffmpeg = needs('ffmpeg', hasProgram('ffmpeg'), 'reads videos');
afterAll(() => {
  rmSync(work, { recursive: true, force: true });
});

function scanOver(video: Video) {
  const said: string[] = [];
  const desk = {
    lines: () => {
      throw new Error('no keyboard');
    },
    status: () => undefined,
    say: (text: string) => void said.push(text),
  };
  return { scan: createScanSpace({ video, wasm: zxingWasm, desk }), said };
}

/** A folder with one program in it, written as a shell script. */
function pathWith(name: string, script: string): string {
  const folder = mkdtempSync(join(work, `${name}-`));
  writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(folder, name), 0o755);
  return folder;
}

async function failureOf(frames: AsyncIterable<unknown>): Promise<string> {
  try {
    for await (const frame of frames) void frame;
  } catch (error) {
    if (error instanceof ConclaveError) return `${error.code} ${error.exitCode}`;
    throw error;
  }
  return 'none';
}

describe.runIf(ffmpeg)('a video', () => {
  const series: readonly (readonly [bytes: number, version: number])[] = [
    [1500, 10],
    ...(thorough
      ? ([
          [4096, 10],
          [40_960, 20],
        ] as const)
      : []),
  ];
  it.each(series)(
    'of a series, noisy, blurred, compressed and with a third of the frames gone, gives %i bytes back',
    async (length, version) => {
      const bytes = seededSource(length)(length);
      const folder = join(work, `frames-${length}`);
      mkdirSync(folder);
      const frame = frameSizeOf(version, FILE_UR_TYPE);
      const message = encodeFilePayload({ kind: 'file', name: 'blob', bytes }, sha256);
      const encoder = new FountainEncoder(message, frame?.fragmentBytes ?? 0, sha256);
      let written = 0;
      for (let number = 1; written < 2 * encoder.fragments; number++) {
        if (number % 3 === 0) continue;
        const text = encodeUrPart(FILE_UR_TYPE, encoder.part(number)).toUpperCase();
        const picture = rasterOf(encodeQr(text, { level: 'L', version }), 6);
        writeFileSync(
          join(folder, `${String(++written).padStart(4, '0')}.png`),
          await writePng(picture),
        );
      }
      const video = join(folder, 'screen.mp4');
      const filters = 'scale=-2:480,gblur=sigma=0.8,noise=alls=18:allf=t:all_seed=7';
      const made = spawnSync('ffmpeg', [
        ...['-v', 'error', '-framerate', '8', '-i', join(folder, '%04d.png'), '-vf', filters],
        ...['-c:v', 'libx264', '-preset', 'ultrafast', '-crf', '30', '-pix_fmt', 'yuv420p', video],
      ]);
      expect(made.stderr.toString()).toBe('');
      const { scan } = scanOver(createVideo());
      const [arrival] = await collectArrivals(scan.video(video), {
        ...{ scan, live: true, count: 1, from: video },
      });
      expect(arrival).toEqual({ form: 'file', kind: 'file', name: 'blob', bytes });
    },
    600_000,
  );

  it('that is none is refused, and a playlist opens nothing else', async () => {
    writeFileSync(join(work, 'text.mp4'), 'this is no video\n'.repeat(100));
    writeFileSync(
      join(work, 'list.m3u8'),
      '#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/x.ts\n#EXT-X-ENDLIST\n',
    );
    const video = createVideo();
    expect(await failureOf(video.file(join(work, 'text.mp4')))).toBe('E_VIDEO_MALFORMED 65');
    expect(await failureOf(video.file(join(work, 'list.m3u8')))).toBe('E_VIDEO_MALFORMED 65');
  });
});

describe('programs', () => {
  it('that are absent are named, with what to install', async () => {
    const video = createVideo({ path: join(work, 'nowhere') });
    expect(await failureOf(video.file('x.mp4'))).toBe('E_PROGRAM_MISSING 69');
    expect(await failureOf(video.camera('/dev/null'))).toBe('E_PROGRAM_MISSING 69');
    expect(await failureOf(video.camera('/dev/no-camera'))).toBe('E_CAMERA_MISSING 69');
  });

  it.each([
    ['another stream', 'echo hello'],
    ['frames of colour', "printf 'YUV4MPEG2 W4 H4 F1:1 C420\\nFRAME\\n'"],
    ['frames without end', "printf 'YUV4MPEG2 W99999 H99999 F1:1 Cmono\\n'"],
    ['no line end', 'head -c 5000 /dev/zero'],
    ['garbage between frames', "printf 'YUV4MPEG2 W2 H1 F1:1 Cmono\\nGRAME\\nabFRAME\\nab'"],
    ['nothing, and fails', 'echo broken >&2; exit 1'],
    ['nothing for too long', 'exec sleep 20'],
  ])('that give %s are an error, not a hang', async (_, script) => {
    const video = createVideo({
      path: `${pathWith('ffmpeg', script)}:/usr/bin:/bin`,
      silenceMs: 700,
    });
    expect(await failureOf(video.file('x.mp4'))).toBe('E_VIDEO_MALFORMED 65');
    expect(await failureOf(video.camera('/dev/null'))).toBe('E_CAMERA_SILENT 69');
  });

  it('give frames pixel for pixel, and are ended when nobody reads on', async () => {
    const pid = join(work, 'pid');
    const script = `echo $$ >${pid}; printf 'YUV4MPEG2 W2 H1 F1:1 Cmono\\nFRAME\\nab'; printf 'FRAME\\ncd'; exec sleep 30`;
    const video = createVideo({ path: `${pathWith('ffmpeg', script)}:/usr/bin:/bin` });
    const seen: string[] = [];
    for await (const { width, height, pixels } of video.file('x.mp4')) {
      seen.push(`${width}x${height} ${Buffer.from(pixels).toString('latin1')}`);
      if (seen.length === 2) break;
    }
    expect(seen).toEqual(['2x1 ab', '2x1 cd']);
    const running = (): boolean => {
      const [state] = spawnSync('ps', [
        '-o',
        'stat=',
        '-p',
        readFileSync(pid, 'utf8').trim(),
      ]).stdout.toString();
      return state !== undefined && state !== 'Z';
    };
    // Long before the thirty seconds after which it would end by itself.
    for (const end = Date.now() + 15_000; running() && Date.now() < end;)
      await new Promise((resolve) => setTimeout(resolve, 50));
    expect(running()).toBe(false);
  });

  it('zbarcam gives codes as lines where ffmpeg is not there', async () => {
    const path = pathWith('zbarcam', "printf 'UR:ONE/AEADAO\\nTWO\\n'");
    const seen: unknown[] = [];
    for await (const code of createVideo({ path }).camera('/dev/null')) seen.push(code);
    expect(seen).toEqual(['UR:ONE/AEADAO', 'TWO']);
  });
});
