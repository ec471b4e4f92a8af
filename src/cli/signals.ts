/** Ctrl-C, and readers that go away. */
import { InterruptedError } from '#formats/errors';
import { ERASE } from '#terminal/gauge';
import type { Output, Streams } from './output.js';

/** Not all of the result arrived: no success, and nobody is left to tell. */
const BROKEN_PIPE_EXIT = 73;

/** Listening for Ctrl-C. */
export interface Listening {
  /**
   * Runs a call that blocks, such as reading all of standard input, with Node's own handling of Ctrl-C: a handler in JavaScript
   * would not run before the call returns.
   */
  blocking<T>(call: () => T): T;
  stop(): void;
}

/**
 * Ctrl-C ends the program at once: every write of the host is atomic and synchronous, so none is under way then. A reader that
 * went away ends it without a word.
 * @param moves - whether a line may just be moving, which gives way to what is said last
 */
export function listen(streams: Streams, output: Output, moves = false): Listening {
  const interrupted = (): void => {
    if (moves) streams.stderr.write(ERASE);
    const failure = new InterruptedError({ code: 'E_INTERRUPTED', message: 'interrupted' });
    process.exit(output.failure(failure));
  };
  const start = (): void => void process.once('SIGINT', interrupted);
  const stop = (): void => void process.off('SIGINT', interrupted);
  start();
  for (const stream of [streams.stdout, streams.stderr]) {
    if (stream !== process.stdout && stream !== process.stderr) continue;
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
      process.exit(BROKEN_PIPE_EXIT);
    });
  }
  return {
    stop,
    blocking: (call) => {
      stop();
      try {
        return call();
      } finally {
        start();
      }
    },
  };
}
