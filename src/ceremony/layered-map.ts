/**
 * A map that is never changed, only added to: each addition gives a new map and shares what it can with the old one. The
 * state of a session holds two of them, so that an entry of a long session costs what an entry of a short one does.
 */

/** Additions that are copied with every new map before they are merged into the shared layer. */
const MAX_RECENT = 128;

/** An unchangeable map in insertion order; setting a known key keeps its place, as in `Map`. */
export class LayeredMap<V> implements ReadonlyMap<string, V> {
  readonly #settled: ReadonlyMap<string, V>;
  readonly #recent: ReadonlyMap<string, V>;

  private constructor(settled: ReadonlyMap<string, V>, recent: ReadonlyMap<string, V>) {
    this.#settled = settled;
    this.#recent = recent;
  }

  static of<V>(entries: Iterable<readonly [string, V]> = []): LayeredMap<V> {
    return new LayeredMap<V>(new Map(entries), new Map());
  }

  /** A map that also holds this, or holds it instead. */
  with(key: string, value: V): LayeredMap<V> {
    if (this.#recent.size < MAX_RECENT || this.#recent.has(key)) {
      return new LayeredMap(this.#settled, new Map(this.#recent).set(key, value));
    }
    return new LayeredMap<V>(new Map<string, V>(this.entries()).set(key, value), new Map());
  }

  get size(): number {
    let size = this.#settled.size;
    for (const key of this.#recent.keys()) if (!this.#settled.has(key)) size++;
    return size;
  }

  get(key: string): V | undefined {
    return this.#recent.get(key) ?? this.#settled.get(key);
  }

  has(key: string): boolean {
    return this.#recent.has(key) || this.#settled.has(key);
  }

  *entries(): MapIterator<[string, V]> {
    for (const [key, value] of this.#settled) yield [key, this.#recent.get(key) ?? value];
    for (const entry of this.#recent) if (!this.#settled.has(entry[0])) yield entry;
  }

  *keys(): MapIterator<string> {
    for (const [key] of this.entries()) yield key;
  }

  *values(): MapIterator<V> {
    for (const [, value] of this.entries()) yield value;
  }

  [Symbol.iterator](): MapIterator<[string, V]> {
    return this.entries();
  }

  forEach(
    each: (value: V, key: string, map: ReadonlyMap<string, V>) => void,
    self?: unknown,
  ): void {
    for (const [key, value] of this) each.call(self, value, key, this);
  }
}
