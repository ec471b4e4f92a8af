/** A line that says how far work is: in its place, within the width, and gone when somebody speaks. */
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { startGauge } from '#terminal/gauge';
import { columnsOf } from '#terminal/screen';
import { ttyTerminal } from '#terminal/tty';

const UTF8 = { LANG: 'C.UTF-8' };

function screen(columns?: number) {
  const nothing = (): boolean => true;
  const stream = Object.assign(new PassThrough(), {
    isTTY: true,
    rows: 24,
    columns,
    ...{ cursorTo: nothing, clearLine: nothing, moveCursor: nothing },
  });
  let shown = '';
  stream.on('data', (chunk: Buffer) => (shown += chunk.toString()));
  return { stream, shown: () => shown };
}

/** What stood on the line, one after another; empty where it was taken away. */
const lines = (shown: string): string[] => shown.split('\r\u001b[K').slice(1);

describe('a gauge', () => {
  it('is one line that is drawn anew, and nothing is left of it', () => {
    const { stream, shown } = screen(80);
    const gauge = startGauge({ stream, env: UTF8 }, 'proving', 'level nonces, 3 shares');
    expect(shown()).toBe('');
    for (const part of [0, 0.001, 0.62, 0.999, 1, 7]) gauge.show(part);
    gauge[Symbol.dispose]();
    gauge.show(0.5);
    gauge.resume();
    expect(lines(shown())).toEqual([
      'proving  ░░░░░░░░░░░░░░░░░░░░   0 %  level nonces, 3 shares',
      'proving  ████████████░░░░░░░░  62 %  level nonces, 3 shares',
      'proving  ███████████████████░  99 %  level nonces, 3 shares',
      'proving  ████████████████████ 100 %  level nonces, 3 shares',
      '',
    ]);
    expect(shown()).not.toContain('\n');
  });

  it('keeps within the terminal and within 80 columns, and moves no cursor by what it is told', () => {
    for (const [columns, line] of [
      [undefined, 'proving  ##########..........  50 %  level quorum, 2 shares'],
      [40, 'proving  ##########..........  50 %'],
      [30, '50 %'],
      [4, ''],
    ] as const) {
      const { stream, shown } = screen(columns);
      startGauge({ stream, env: {} }, 'proving', 'level quorum, 2 shares').show(0.5);
      expect(lines(shown()).join(''), String(columns)).toBe(line);
    }
    const { stream, shown } = screen(200);
    startGauge({ stream, env: { LANG: 'de_DE.utf8', LC_ALL: 'C' } }, 'x', 'y'.repeat(80)).show(0);
    startGauge({ stream, env: UTF8 }, 'x', 'y\u001b[2J\n').show(0);
    for (const line of lines(shown())) expect(columnsOf(line)).toBeLessThan(80);
    expect(lines(shown())).toEqual([
      'x  ....................   0 %',
      'x  ░░░░░░░░░░░░░░░░░░░░   0 %  y\ufffd[2J\n',
    ]);
  });

  it('steps aside while people are spoken to, and takes the place of what turns', async () => {
    const { stream, shown } = screen(80);
    const env = { ...UTF8, NO_COLOR: '1', TERM: 'xterm' };
    const terminal = ttyTerminal({ input: new PassThrough(), output: stream, env });
    await terminal.progress('Working', async () => {
      using line = terminal.gauge?.('proving', 'a test');
      const before = shown().length;
      line?.show(0.5);
      terminal.say('A word.');
      line?.show(0.75);
      // The spinner rests: nothing else is drawn meanwhile.
      await new Promise((resolve) => setTimeout(resolve, 200));
      expect(lines(shown().slice(before))).toEqual([
        'proving  ██████████░░░░░░░░░░  50 %  a test',
        'A word.\n',
        'proving  ██████████░░░░░░░░░░  50 %  a test',
        'proving  ███████████████░░░░░  75 %  a test',
      ]);
    });
    expect(shown().lastIndexOf('Working')).toBeGreaterThan(shown().lastIndexOf('75 %'));
  });

  it('is nothing where nothing may move', () => {
    const { stream: output } = screen(80);
    const input = new PassThrough();
    for (const [env, plain] of [
      [{ TERM: 'xterm' }, true],
      [{ TERM: 'dumb' }, false],
      [{ TERM: 'xterm', CI: '1' }, false],
    ] as const)
      expect(ttyTerminal({ input, output, env, plain }).gauge).toBeUndefined();
  });
});
