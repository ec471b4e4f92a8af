/** What the area modules share: the built program, readers of vector files, and a tally of cases. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Counts the cases of one file. */
class Tally {
  #passed = 0;
  #failures = [];
  #skipped = new Map();
  #unoffered = new Map();
  #notes = [];

  /** One case: `check` gives whether it holds (or a promise of it); throwing is failing. */
  async check(id, check) {
    try {
      if ((await check()) === true) this.#passed++;
      else this.#failures.push(`${id}: another result than the vector's`);
    } catch (error) {
      this.#failures.push(`${id}: ${error.message}`);
    }
  }

  /** One case that must be refused by throwing one of the program's own errors. */
  async refused(id, attempt) {
    try {
      await attempt();
      this.#failures.push(`${id}: accepted, although it must not be`);
    } catch (error) {
      if (typeof error.exitCode === 'number' && error.exitCode !== 70) this.#passed++;
      else this.#failures.push(`${id}: refused by an unforeseen error: ${error.message}`);
    }
  }

  /**
   * One case of a form, a size or a construction that the program does not offer, handed to the code that would be asked for it:
   * it must say no, neither take it for something else nor break. Such cases are run, and counted in the reason.
   */
  async unoffered(id, what, attempt) {
    this.#unoffered.set(what, (this.#unoffered.get(what) ?? 0) + 1);
    await this.refused(id, attempt);
  }

  /** Cases that cannot be put to the program at all, with the reason. */
  skip(reason, count = 1) {
    this.#skipped.set(reason, (this.#skipped.get(reason) ?? 0) + count);
  }

  /** Cases of something that is nowhere in the program, and for which there is not even code to refuse them. */
  outside(what, count = 1) {
    this.skip(`not offered: ${what}`, count);
  }

  /** A case that is run in part. */
  note(text) {
    if (!this.#notes.includes(text)) this.#notes.push(text);
  }

  result() {
    const failed = this.#failures.length;
    const skipped = [...this.#skipped];
    const listed = (counts) => [...counts].map(([reason, count]) => `${reason} (${count})`);
    return {
      run: this.#passed + failed,
      passed: this.#passed,
      failed,
      notApplicable: skipped.reduce((total, [, count]) => total + count, 0),
      reason: [
        ...listed(skipped),
        ...listed(this.#unoffered).map((each) => `not offered, hence refused: ${each}`),
        ...this.#notes,
      ].join('; '),
      failures: this.#failures,
    };
  }
}

/** Tools for one run over the program built under `root`. */
export function makeTools(root) {
  const load = (path) => import(pathToFileURL(join(root, 'dist', `${path}.js`)).href);
  const implementations = new Map();
  return {
    /** A module of the built program, e.g. `crypto/hash`. */
    load,
    tally: () => new Tally(),
    json: (path) => JSON.parse(readFileSync(path, 'utf8')),
    text: (path) => readFileSync(path, 'utf8'),
    bytes: (path) => new Uint8Array(readFileSync(path)),
    hex: (text = '') => new Uint8Array(Buffer.from(text, 'hex')),
    base64: (text) => new Uint8Array(Buffer.from(text, 'base64')),
    toHex: (bytes) => Buffer.from(bytes).toString('hex'),
    equal: (a, b) => Buffer.compare(a, b) === 0,
    utf8: (text) => new Uint8Array(Buffer.from(text, 'utf8')),
    /** A loaded algorithm with its descriptor. */
    async algorithm(name, profile) {
      const key = `${name} ${profile}`;
      if (!implementations.has(key)) {
        const { resolve } = await load('crypto/registry');
        const descriptor = await resolve(name, profile);
        implementations.set(key, { descriptor, implementation: await descriptor.load() });
      }
      return implementations.get(key);
    },
  };
}
