/** QR codes on a real terminal, read as a camera would read them, and a scanner that types into one. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeFilePayload, FILE_UR_TYPE } from '#carriage/transport/payload';
import { writePng } from '#carriage/transport/picture';
import type { QrReader } from '#carriage/transport/qr-reader';
import type { Raster } from '#carriage/transport/raster';
import { Receiver } from '#carriage/transport/receiver';
import { encodeUr } from '#carriage/transport/ur';
import { sha256 } from '#crypto/hash';
import { rasterOfRows } from '#terminal/code-drawing';
import { seededSource } from '../formats/mutate.js';
import { hasProgram, needs, root, thorough } from '../support/require.js';
import { Tmux } from '../support/tmux.js';
import { zxing } from '../transport/reader.js';

const tmux = needs('tmux', hasProgram('tmux'), 'a real terminal');
const zbar = needs('zbarimg', hasProgram('zbarimg'), 'another reader of QR codes');
const work = mkdtempSync(join(tmpdir(), 'conclave-pty-qr-'));
const conclave = [process.execPath, join(root, 'bin/conclave.js')];
const env = { CONCLAVE_HOME: join(work, 'home'), HOME: work, LC_ALL: 'C.UTF-8' };

let reader: QrReader;
beforeAll(async () => {
  reader = await zxing();
});
afterAll(() => {
  rmSync(work, { recursive: true, force: true });
});

/** The rows of a screen that hold a code, as pixels. */
function pictureOf(rows: readonly string[], light = false): Raster | undefined {
  const drawn = rows.filter((row) => /[█▀▄]/.test(row) && /^[ █▀▄]*$/.test(row));
  return rasterOfRows(drawn, 4, light);
}

function zbarimg(png: Uint8Array): string {
  const path = join(work, 'screen.png');
  writeFileSync(path, png);
  return spawnSync('zbarimg', ['-q', '--raw', '-Sbinary', '--oneshot', path], {
    encoding: 'latin1',
  }).stdout;
}

/** Characters that a version holds in bytes at level L. ISO/IEC 18004 table 7. */
const BYTES = [17, 32, 53, 78, 106, 134, 154, 192, 230, 271, 321, 367, 425, 458];

describe.runIf(tmux)('a terminal', () => {
  const terminals: readonly (readonly [number, number, number, string])[] = [
    [80, 24, 6, ''],
    [120, 40, 14, ''],
    [80, 24, 6, '1'],
  ];
  it.each(thorough ? terminals : terminals.slice(0, 1))(
    '%i by %i shows every version up to %i so that it is read (NO_COLOR=%j)',
    async (columns, rows, last, noColour) => {
      const script = join(work, 'draw.mjs');
      writeFileSync(
        script,
        `import { codeScreen } from ${JSON.stringify(pathToFileURL(join(root, 'dist/terminal/code-screen.js')).href)};
         const screen = codeScreen({ output: process.stdout, input: undefined, env: process.env });
         process.stdin.setEncoding('utf8');
         for (const length of ${JSON.stringify(BYTES.slice(0, last))}) {
           const drawn = await screen.draw('x'.repeat(length), { invert: false });
           process.stdout.write('\\u001b[2J\\u001b[H');
           screen.show(drawn, 'version ' + drawn.version + '.');
           await new Promise((resolve) => process.stdin.once('data', resolve));
         }
         process.exit(0);`,
      );
      const terminal = new Tmux([process.execPath, script], {
        ...{ columns, rows, cwd: work },
        env: { ...env, ...(noColour === '' ? {} : { NO_COLOR: noColour }) },
      });
      try {
        for (let version = 1; version <= last; version++) {
          const screen = await terminal.until(
            ({ text }) => text.includes(`version ${version}.`),
            `version ${version}`,
          );
          const picture = pictureOf(screen.rows) as Raster;
          const expected = 'x'.repeat(BYTES[version - 1] as number);
          const [found] = await reader.read(picture);
          expect(found).toMatchObject({ text: expected, version });
          if (zbar)
            expect(zbarimg(await writePng(picture)), `zbar, version ${version}`).toBe(expected);
          terminal.press('Enter');
        }
      } finally {
        terminal[Symbol.dispose]();
      }
    },
  );

  it('shows a series that a camera reads, and is clean when it was left', async () => {
    const bytes = seededSource(11)(thorough ? 1500 : 400);
    writeFileSync(join(work, 'blob'), bytes);
    using terminal = new Tmux([...conclave, 'qr', 'show', 'blob', '--animate', '--fps', '8'], {
      cwd: work,
      env,
    });
    const receiver = new Receiver(sha256);
    const end = Date.now() + 120_000;
    for (let arrived = false; !arrived;) {
      if (Date.now() > end) throw new Error('the series never became whole');
      const picture = pictureOf(terminal.read().rows);
      const codes = picture === undefined ? [] : await reader.read(picture);
      for (const { text } of codes) {
        const step = receiver.take(text, 'the screen');
        if (step.status !== 'arrived') continue;
        expect(step.arrival).toMatchObject({ form: 'file', name: 'blob', bytes });
        arrived = true;
      }
    }
    terminal.press('Space');
    const paused = await terminal.until(({ text }) => text.includes('paused'), 'the pause');
    const number = (text: string): number => Number(/frame (\d+)/.exec(text)?.[1]);
    terminal.type('n');
    await terminal.until(({ text }) => number(text) === number(paused.text) + 1, 'the next frame');
    terminal.type('p');
    await terminal.until(({ text }) => number(text) === number(paused.text), 'the frame before');
    for (const { rows } of terminal.screens) {
      expect(Math.max(...rows.map((row) => row.length))).toBeLessThanOrEqual(80);
    }
    terminal.press('C-c');
    const left = await terminal.until(({ ended }) => ended !== undefined, 'the end');
    expect(left.ended).toBe(0);
    expect(left.text).not.toContain('█');
    expect(left.text).toContain('frames shown');
  });

  it('takes a whole set of shares from a scanner that types, on whatever keyboard', async () => {
    const shares = [1, 2, 3].map((i) => `share-${i}.cbor`);
    const sent = shares.map(
      (name) => new Uint8Array(readFileSync(join(root, 'test/compat/v1/shares-passphrase', name))),
    );
    const lines = shares.map((name, i) =>
      encodeUr(
        FILE_UR_TYPE,
        encodeFilePayload({ kind: 'share', name, bytes: sent[i] as Uint8Array }, sha256),
      ),
    );
    using terminal = new Tmux(
      [...conclave, 'qr', 'scan', '--scanner', '--count', '3', '--out-dir', 'scanned'],
      { cwd: work, env },
    );
    await terminal.until(({ text }) => text.includes('Scan or paste now'), 'the question');
    const [first = '', second = '', third = ''] = lines;
    // As scanned, upper case; damaged; once more; then by a scanner set to US on a German keyboard.
    terminal.answer(first.toUpperCase());
    terminal.answer(second.replace(/.(?=.{9}$)/, (letter) => (letter === 'x' ? 'a' : 'x')));
    await terminal.until(
      ({ text }) => /typed line 2 .*again, please|letters .* no byte/.test(text),
      'the damage',
    );
    terminal.answer(first);
    terminal.answer(second);
    const swapped = [...third].map(
      (c) => ({ y: 'z', z: 'y', ':': 'ö', '/': '-', '-': 'ß' })[c] ?? c,
    );
    terminal.answer(swapped.join(''));
    const done = await terminal.until(({ ended }) => ended !== undefined, 'the end');
    expect(done.ended, done.text).toBe(0);
    expect(done.text).toContain('Y and Z are exchanged');
    expect(done.text).not.toContain(first.slice(40, 70));
    for (const [i, name] of shares.entries()) {
      expect(new Uint8Array(readFileSync(join(work, 'scanned', name)))).toEqual(sent[i]);
    }
  });

  it('leaves the scanner by Ctrl-C with nothing written', async () => {
    using terminal = new Tmux([...conclave, 'qr', 'scan', '--scanner', '--out', 'nothing'], {
      cwd: work,
      env,
    });
    await terminal.until(({ text }) => text.includes('Scan or paste now'), 'the question');
    terminal.type('UR:CONCLAVE');
    terminal.press('C-c');
    expect((await terminal.until(({ ended }) => ended !== undefined, 'the end')).ended).toBe(130);
  });
});
