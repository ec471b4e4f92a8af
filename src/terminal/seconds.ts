/** Seconds that count on a terminal while this thread computes and can draw nothing: another thread writes them. */
import { writeSync } from 'node:fs';
import { Worker } from 'node:worker_threads';

/** How often the line is drawn anew, in milliseconds. */
const EVERY = 1000;
/** Nothing is drawn during the first two seconds. */
const PATIENT = 2;

/** What both threads see first: counting, writing just now, ended. Second: whether anything was drawn. */
const [COUNTING, WRITING, ENDED] = [0, 1, 2];

/** To the beginning of the line, and nothing on it. */
const ERASE = '\r\u001b[K';

/**
 * What the other thread runs. It writes only while it holds WRITING, and whoever ends it waits for that; so nothing that is
 * said afterwards can be drawn over. It is text and not a file, so that it runs from sources and from a build alike.
 */
const THREAD = `
const { writeSync } = require('node:fs');
const { workerData: { fd, every, patient, states } } = require('node:worker_threads');
const state = new Int32Array(states);
for (let seconds = 1; ; seconds++) {
  if (Atomics.wait(state, 0, ${COUNTING}, every) !== 'timed-out') break;
  if (seconds < patient) continue;
  if (Atomics.compareExchange(state, 0, ${COUNTING}, ${WRITING}) !== ${COUNTING}) break;
  try {
    writeSync(fd, '\\r  ' + seconds + ' s');
    state[1] = 1;
  } catch {
    // A terminal that is gone, or full: the work matters, the line does not.
  }
  Atomics.store(state, 0, ${COUNTING});
  Atomics.notify(state, 0);
}
`;

/**
 * Begins to count. Disposing it takes the line away at once: nothing is written afterwards.
 * @param fd - file descriptor of a terminal
 */
export function countSeconds(fd: number, { every = EVERY, patient = PATIENT } = {}): Disposable {
  const states = new SharedArrayBuffer(8);
  const state = new Int32Array(states);
  // Counting is a courtesy: where no thread can be had, the work goes on without it.
  try {
    const thread = new Worker(THREAD, { eval: true, workerData: { fd, every, patient, states } });
    thread.unref();
    thread.on('error', () => {});
  } catch {
    return { [Symbol.dispose]: () => {} };
  }
  return {
    [Symbol.dispose]: () => {
      while (Atomics.compareExchange(state, 0, COUNTING, ENDED) === WRITING) {
        Atomics.wait(state, 0, WRITING, every);
      }
      Atomics.notify(state, 0);
      if (Atomics.exchange(state, 1, 0) !== 1) return;
      try {
        writeSync(fd, ERASE);
      } catch {
        // As above: the terminal may have gone since.
      }
    },
  };
}
