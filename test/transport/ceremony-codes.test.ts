/** Codes as steps of a ceremony: what people say decides, what is odd is told while it is held up, nothing half is taken. */
import { describe, expect, it } from 'vitest';
import { FountainEncoder } from '#carriage/transport/fountain-encoder';
import { encodeDigestPayload, encodeFilePayload } from '#carriage/transport/payload';
import { writePng } from '#carriage/transport/picture';
import { encodeQr } from '#carriage/transport/qr-code';
import { rasterOf } from '#carriage/transport/raster';
import { encodeUr, encodeUrPart } from '#carriage/transport/ur';
import type { CodeScreen } from '#actions/context/code-screen';
import type { ActionContext, AuditEvent } from '#actions/context/context';
import { createScanSpace } from '#actions/context/scan-space';
import { qrScan } from '#actions/qr-scan';
import { qrShow } from '#actions/qr-show';
import { sha256 } from '#crypto/hash';
import { toHex, utf8 } from '#formats/bytes';
import { OutputError, UsageError } from '#formats/errors';

const NOTE = utf8('two words and more, so that it takes a few parts to carry it\n');
const digestOf = (bytes: Uint8Array): string => `sha256:${toHex(sha256(bytes))}`;
const payload = (bytes: Uint8Array, kind = 'file'): Uint8Array =>
  encodeFilePayload({ kind, name: 'note.txt', bytes }, sha256);
const whole = (bytes: Uint8Array): string => encodeUr('conclave-file', payload(bytes));
const parts = (bytes: Uint8Array, size = 24): string[] => {
  const encoder = new FountainEncoder(payload(bytes), size, sha256);
  return Array.from({ length: encoder.fragments }, (_, i) =>
    encodeUrPart('conclave-file', encoder.part(i + 1)),
  );
};

/** A room with one person who answers from a list, files in memory, and whatever else a test puts in. */
function roomWith(answers: readonly string[], more: Partial<ActionContext> = {}) {
  const left = [...answers];
  const said: string[] = [];
  const asked: string[] = [];
  const events: AuditEvent[] = [];
  const files = new Map<string, Uint8Array>();
  const secret = new Set<string>();
  const next = (question: string): Promise<string> => {
    asked.push(question);
    const answer = left.shift();
    if (answer !== undefined) return Promise.resolve(answer);
    throw new UsageError({ code: 'E_ANSWER_MISSING', message: `nobody answers ${question}` });
  };
  const context = {
    inCeremony: true,
    record: (event: AuditEvent) => void events.push(event),
    progress: () => undefined,
    files: {
      read: (path: string) => files.get(path)?.slice() ?? new Uint8Array(0),
      write: (path: string, bytes: Uint8Array, { secret: hidden = false } = {}) => {
        files.set(path, bytes.slice());
        if (hidden) secret.add(path);
      },
      assertAbsent: () => undefined,
      isDirectory: () => false,
    },
    ask: {
      people: () => [],
      converse: () =>
        Promise.resolve({
          say: (text: string) => void said.push(text),
          choose: (question: string) => next(question),
          text: (question: string) => next(question),
        }),
    },
    ...more,
  } as unknown as ActionContext;
  return { context, said, asked, events, files, secret, left };
}

const takeIn = (room: ReturnType<typeof roomWith>, input = {}) =>
  qrScan.run({ image: [], out: 'request', ...input }, room.context);
const letOut = (room: ReturnType<typeof roomWith>, input = {}) =>
  qrShow.run({ file: 'note.txt', level: 'M', fps: 6, reveal: [], ...input }, room.context);

/** A screen that shows each frame of a series once. */
function screenOf(size: { columns: number; rows: number } | undefined) {
  const frames: string[] = [];
  const screen: CodeScreen = {
    size: () => size,
    draw: () => Promise.reject(new Error('a single code is not drawn in a ceremony')),
    show: () => undefined,
    animate: ({ text, fragments }) => {
      for (let n = 1; n <= fragments; n++) frames.push(text(n));
      return Promise.resolve(fragments);
    },
  };
  return { frames, screen: () => Promise.resolve(screen) };
}

describe('a file that comes into a ceremony', () => {
  it('is typed in parts, in any order, with something odd between', async () => {
    const [foreign = ''] = parts(utf8(`${'something else that is longer '.repeat(4)}\n`));
    const [last = '', ...others] = parts(NOTE).reverse();
    const damaged = `${last.slice(0, -2)}${last.endsWith('ae') ? 'ad' : 'ae'}`;
    const room = roomWith(['keyboard', last, damaged, foreign, last, ...others]);
    const result = await takeIn(room);
    expect(room.files.get('request')).toEqual(NOTE);
    expect(result).toMatchObject({ file: 'request', digest: digestOf(NOTE), kind: 'file' });
    expect(room.said.join('\n')).toMatch(/again, please/);
    expect(room.said.join('\n')).toMatch(/part of another message/);
    expect(room.asked.at(-1)).toMatch(/^\d of \d parts; code:$/);
    expect(room.events).toEqual([
      {
        type: 'qr.scanned',
        data: {
          way: 'keyboard',
          kind: 'file',
          name: 'note.txt',
          bytes: NOTE.length,
          sha256: digestOf(NOTE),
        },
      },
    ]);
  });

  it('comes from a camera, again when the first try does not hold', async () => {
    const shown = [[whole(utf8('another file\n'))], parts(NOTE).map((text) => text.toUpperCase())];
    const space = createScanSpace({
      video: {
        file: () => {
          throw new Error('no video');
        },
        camera: async function* () {
          yield* await Promise.resolve(shown.shift() ?? []);
        },
      },
      wasm: () => undefined,
      desk: {
        lines: () => {
          throw new Error('no keyboard');
        },
        status: () => undefined,
        say: () => undefined,
      },
    });
    const room = roomWith(['camera', 'camera'], { scan: () => Promise.resolve(space) });
    const result = await takeIn(room, { expect: digestOf(NOTE) });
    expect(result.digest).toBe(digestOf(NOTE));
    expect(room.said.join('\n')).toMatch(/not the one that was expected\. it was not written/);
    expect(room.events).toHaveLength(1);
  });

  it.each([
    ['itself', () => Promise.resolve(NOTE)],
    ['as text of codes', () => Promise.resolve(utf8(`${parts(NOTE).join('\n')}\n`))],
    [
      'as a picture of its code',
      () => writePng(rasterOf(encodeQr(whole(NOTE).toUpperCase(), { level: 'M' }), 4)),
    ],
  ])('lies on a medium %s', async (_how, make) => {
    const space = createScanSpace({
      video: {} as never,
      wasm: () => undefined,
      desk: { status: () => undefined } as never,
    });
    const room = roomWith(['medium'], { scan: () => Promise.resolve(space) });
    room.files.set('medium/note.txt', await make());
    const result = await takeIn(room, { file: 'medium/note.txt' });
    expect(room.files.get('request')).toEqual(NOTE);
    expect(result.digest).toBe(digestOf(NOTE));
    expect(room.events[0]?.data).toMatchObject({ way: 'medium' });
  });

  it('is written as a secret where it may be one', async () => {
    const room = roomWith(['keyboard', whole(new Uint8Array(32).fill(7))]);
    await takeIn(room);
    expect([...room.secret]).toEqual(['request']);
  });

  it.each([
    ['plain text', 'hello'],
    [
      'a digest alone',
      encodeUr(
        'conclave-digest',
        encodeDigestPayload({ kind: 'file', name: 'a', length: 1, sha256: sha256(NOTE) }),
      ),
    ],
    ['a file that is called what it is not', encodeUr('conclave-file', payload(NOTE, 'share'))],
  ])('is not %s', async (_what, code) => {
    const room = roomWith(['keyboard', code, 'unreadable']);
    await expect(takeIn(room)).rejects.toMatchObject({ code: 'E_QR_UNREADABLE', exitCode: 1 });
    expect(room.said.length).toBeGreaterThan(1);
    expect(room.files.size).toBe(0);
    expect(room.events).toEqual([]);
  });

  it('ends where the same answer comes again and again', async () => {
    const same = Array.from({ length: 100 }, () => 'medium');
    const missing = roomWith(same);
    await expect(
      takeIn(missing, { file: 'medium/note.txt', expect: digestOf(NOTE) }),
    ).rejects.toMatchObject({
      code: 'E_QR_EXPECTED',
    });
    const shown = roomWith(same);
    shown.files.set('note.txt', NOTE);
    await expect(letOut(shown)).rejects.toMatchObject({ code: 'E_QR_NOT_TAKEN' });
    expect([missing.left.length, shown.left.length].every((left) => left > 70)).toBe(true);
  });

  it('fails with the disk, not with whoever holds up the code', async () => {
    const room = roomWith(['keyboard', whole(NOTE), 'keyboard', whole(NOTE)]);
    Object.assign(room.context.files, {
      write: () => {
        throw new OutputError({ code: 'E_DISK_FULL', message: 'the disk is full' });
      },
    });
    await expect(takeIn(room)).rejects.toMatchObject({ code: 'E_DISK_FULL', exitCode: 73 });
    expect(room.left).toHaveLength(2);
  });

  it('goes back to the choice by a word, and ends when nobody answers', async () => {
    const [first = ''] = parts(NOTE);
    const room = roomWith(['keyboard', first, 'other', 'keyboard', whole(NOTE)]);
    expect(await takeIn(room)).toMatchObject({ digest: digestOf(NOTE) });
    const alone = roomWith(['keyboard', first]);
    await expect(takeIn(alone)).rejects.toMatchObject({ code: 'E_ANSWER_MISSING' });
    const stops = roomWith(['stop']);
    await expect(takeIn(stops)).rejects.toMatchObject({ exitCode: 130 });
    expect([alone.files.size, stops.files.size]).toEqual([0, 0]);
  });
});

describe('a file that leaves a ceremony', () => {
  it('is shown until the other side has it, and reads back as what it was', async () => {
    const { frames, screen } = screenOf({ columns: 80, rows: 24 });
    const room = roomWith(['code', 'code', 'arrived'], { screen });
    room.files.set('note.txt', NOTE);
    const result = await letOut(room);
    expect(result).toMatchObject({ sha256: digestOf(NOTE), codes: frames.length });
    expect(frames.length).toBe(2 * result.fragments);
    expect(room.said.join('\n')).toContain(digestOf(NOTE));
    expect(room.asked.at(-1)).toMatch(/say the digest above\?$/);
    expect(room.events[0]).toMatchObject({ type: 'qr.shown', data: { way: 'code' } });
    const back = roomWith(['keyboard', ...frames.slice(0, result.fragments)]);
    await takeIn(back);
    expect(back.files.get('request')).toEqual(NOTE);
  });

  it.each([
    ['where nobody watches, which a rehearsal by a file is', ['code', 'arrived'], 'code'],
    ['on a medium', ['medium', 'arrived'], 'medium'],
    ['on a medium after no camera could read it', ['code', 'medium', 'arrived'], 'medium'],
  ])('goes %s', async (_how, answers, way) => {
    const room = roomWith(answers);
    room.files.set('note.txt', NOTE);
    expect(await letOut(room)).toMatchObject({ codes: 0, sha256: digestOf(NOTE) });
    expect(room.events[0]?.data).toMatchObject({ way });
    expect(room.left).toEqual([]);
  });

  it('is a failed step when nobody can take it, and a clear word when the screen is too small', async () => {
    const room = roomWith(['code', 'none']);
    room.files.set('note.txt', NOTE);
    await expect(letOut(room)).rejects.toMatchObject({ code: 'E_QR_NOT_TAKEN', exitCode: 1 });
    expect(room.events).toEqual([]);
    const { screen } = screenOf({ columns: 20, rows: 10 });
    const small = roomWith(['code', 'arrived'], { screen });
    small.files.set('note.txt', NOTE);
    await expect(letOut(small)).rejects.toMatchObject({ code: 'E_QR_SCREEN' });
  });

  it('is never a secret', async () => {
    const room = roomWith(['code', 'arrived']);
    room.files.set('note.txt', new Uint8Array(32).fill(9));
    await expect(letOut(room)).rejects.toMatchObject({ code: 'E_QR_SECRET', exitCode: 77 });
    room.files.set('note.txt', utf8(`${whole(new Uint8Array(32).fill(9))}\n`));
    await expect(letOut(room)).rejects.toMatchObject({ code: 'E_QR_SECRET', exitCode: 77 });
    expect(room.asked).toEqual([]);
    expect(await letOut(room, { reveal: ['unknown'] })).toMatchObject({ kind: 'code-text' });
  });

  it('is a picture for the record where the definition wants one', async () => {
    const room = roomWith([]);
    room.files.set('note.txt', NOTE);
    const result = await letOut(room, { png: 'note.png' });
    expect(result).toMatchObject({ form: 'png', files: ['note.png'], sha256: digestOf(NOTE) });
    const series = await letOut(room, { png: 'frames.png', animate: true, codeVersion: 6 });
    expect(series.files.length).toBe(2 * series.fragments);
  });
});
