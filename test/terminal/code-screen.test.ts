/** The keys of a series that moves: each is taken, also where several come at once, as they do while a frame is drawn. */
import { PassThrough } from 'node:stream';
import { describe, expect, it, vi } from 'vitest';
import { codeScreen, type Frames } from '#terminal/code-screen';

const FRAMES: Frames = {
  text: (number) => `FRAME ${number}`,
  ...{ last: 9, fragments: 3, version: 2, framesPerSecond: 1, caption: 'note', invert: false },
};

describe('a series of codes', () => {
  it('takes keys one by one, however many come together', async () => {
    const input = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => input });
    const output = Object.assign(new PassThrough(), { isTTY: true, columns: 80, rows: 24 });
    let shown = '';
    output.on('data', (chunk: Buffer) => (shown += chunk.toString()));
    const screen = codeScreen({ output, input, env: {} } as never);
    const ended = screen.animate(FRAMES);
    const shows = (frame: number, state: string): Promise<void> =>
      vi.waitFor(
        () => {
          const last = /frame (\d+) .*?(paused|\d+\/s)/s.exec(
            shown.slice(shown.lastIndexOf('frame')),
          );
          expect(last?.slice(1)).toEqual([String(frame), state]);
        },
        { timeout: 60_000 },
      );
    // Before anything is drawn: pause, forward twice.
    input.write(' nn');
    await shows(3, 'paused');
    input.write('p\u001b[D');
    await shows(1, 'paused');
    // Page down is no key here, whatever letters are in it; nor is Home.
    input.write('\u001b[6~n\u001b[H');
    await shows(2, 'paused');
    input.write('+r');
    await shows(1, 'paused');
    input.write('xq');
    expect(await ended).toBeGreaterThan(2);
  });
});
