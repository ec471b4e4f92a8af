/** Codes as a camera sees them: a terminal on a screen, photographed, read by two readers, on dark and on light ground. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LAYOUT_TEST } from '#carriage/transport/key-layout';
import { readPicture } from '#carriage/transport/picture';
import type { QrReader } from '#carriage/transport/qr-reader';
import { Receiver } from '#carriage/transport/receiver';
import { sha256 } from '#crypto/hash';
import { seededSource } from '../formats/mutate.js';
import { hasProgram, needs, root, thorough } from '../support/require.js';
import { zxing } from '../transport/reader.js';

const programs = ['Xvfb', 'xterm', 'import', 'zbarimg'];
const here =
  thorough &&
  programs.every((name) =>
    needs(name, hasProgram(name), 'a terminal on a screen, and its picture'),
  );
const work = mkdtempSync(join(tmpdir(), 'conclave-picture-'));
const conclave = `${process.execPath} ${join(root, 'bin/conclave.js')}`;
const running: ChildProcess[] = [];
let display = '';
let terminals = 0;
let reader: QrReader;

async function until<T>(look: () => T | undefined, what: string): Promise<T> {
  for (const end = Date.now() + 60_000; Date.now() < end;) {
    const found = look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`there never was ${what}`);
}

beforeAll(async () => {
  if (!here) return;
  reader = await zxing();
  const server = spawn(
    'Xvfb',
    ['-displayfd', '3', '-screen', '0', '1000x700x24', '-nolisten', 'tcp'],
    {
      stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    },
  );
  running.push(server);
  let said = '';
  server.stdio[3]?.on('data', (chunk: Buffer) => (said += chunk.toString()));
  display = `:${await until(() => /^(\d+)\n/.exec(said)?.[1], 'a display')}`;
});
afterAll(() => {
  for (const program of running.reverse()) program.kill();
  rmSync(work, { recursive: true, force: true });
});

interface Ground {
  readonly name: string;
  readonly colours: readonly string[];
  /** Words that follow the command. */
  readonly words?: string;
  readonly env?: Readonly<Record<string, string>>;
}

const grounds: readonly Ground[] = [
  { name: 'dark', colours: ['-bg', 'black', '-fg', 'white'] },
  { name: 'light', colours: ['-bg', 'white', '-fg', 'black'] },
  {
    name: 'light without colours, as COLORFGBG says',
    colours: ['-bg', 'white', '-fg', 'black'],
    env: { NO_COLOR: '1', COLORFGBG: '0;15' },
  },
  {
    name: 'light without colours, as --invert says',
    colours: ['-bg', 'white', '-fg', 'black'],
    words: ' --invert',
    env: { NO_COLOR: '1' },
  },
];

/** Runs a command in a terminal of 80 by 24 and gives what takes its picture; `up` tells when there is something to see. */
async function terminal(command: string, ground: Ground, up: string): Promise<() => string> {
  const mark = join(work, `up-${++terminals}`);
  // Set for the program and not for xterm, which hands on what it likes.
  const set = Object.entries(ground.env ?? {})
    .map(([name, value]) => `${name}='${value}'`)
    .join(' ');
  const xterm = spawn(
    'xterm',
    [
      ...['-fa', 'DejaVu Sans Mono', '-fs', '9', '-geometry', '80x24+0+0', ...ground.colours],
      ...['-e', 'sh', '-c', `${set} ${command}${ground.words ?? ''}${up} touch ${mark}; sleep 60`],
    ],
    {
      cwd: work,
      env: {
        PATH: process.env['PATH'],
        ...{ DISPLAY: display, HOME: work, LC_ALL: 'C.UTF-8', CONCLAVE_HOME: join(work, 'home') },
      },
    },
  );
  running.push(xterm);
  if (up === ';') await until(() => (existsSync(mark) ? true : undefined), 'a code on the screen');
  return () => {
    const path = join(work, 'screen.png');
    const taken = spawnSync('import', ['-display', display, '-window', 'root', path]);
    if (taken.status !== 0) throw new Error(taken.stderr.toString());
    return path;
  };
}

/** What both readers see on a picture. */
async function seen(path: string): Promise<readonly [string | undefined, string]> {
  const [code] = await reader.read(await readPicture(new Uint8Array(readFileSync(path)), path));
  const zbar = spawnSync('zbarimg', ['-q', '--raw', '-Sbinary', '--oneshot', path]);
  return [code?.text, zbar.stdout.toString('latin1')];
}

/** The same once both see a code: the mark is set when the program ended, and the terminal may still be drawing. */
async function drawn(picture: () => string): Promise<readonly [string | undefined, string]> {
  for (const end = Date.now() + 60_000; ;) {
    const both = await seen(picture());
    if ((both[0] !== undefined && both[1] !== '') || Date.now() > end) return both;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

describe.runIf(here)('a screen is read by two cameras', () => {
  it.each(grounds)('one code on $name ground', async (ground) => {
    writeFileSync(join(work, 'note'), 'ten bytes.');
    const picture = await terminal(`${conclave} qr show note`, ground, ';');
    const [ours, theirs] = await drawn(picture);
    expect(theirs).toBe(ours);
    const step = new Receiver(sha256).take(ours ?? '', 'the screen');
    expect(step).toMatchObject({ arrival: { form: 'file', name: 'note' } });
    running.pop()?.kill();
  });

  it('the code that tests how a scanner types', async () => {
    const picture = await terminal(
      `${conclave} qr show --keyboard-test`,
      grounds[0] as Ground,
      ';',
    );
    expect(await drawn(picture)).toEqual([LAYOUT_TEST, LAYOUT_TEST]);
    running.pop()?.kill();
  });

  it.each(grounds.slice(0, 2))('a series on $name ground', async (ground) => {
    const bytes = seededSource(3)(150);
    writeFileSync(join(work, 'blob'), bytes);
    const picture = await terminal(`${conclave} qr show blob --animate --fps 2`, ground, ' ||');
    const receivers = [new Receiver(sha256), new Receiver(sha256)];
    const arrived: (Uint8Array | undefined)[] = [];
    for (
      const end = Date.now() + 120_000;
      Date.now() < end && arrived.filter(Boolean).length < 2;
    ) {
      for (const [i, text] of (await seen(picture())).entries()) {
        if (text === undefined || text === '') continue;
        const step = receivers[i]?.take(text, 'the screen');
        if (step?.status === 'arrived' && step.arrival.form === 'file')
          arrived[i] = step.arrival.bytes;
      }
    }
    expect(arrived).toEqual([bytes, bytes]);
    running.pop()?.kill();
  });
});
