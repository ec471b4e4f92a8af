/**
 * A map that is never changed, only added to: each addition gives a new map and shares everything with the old one. The state
 * of a session holds two of them, so that an entry of a long session costs what an entry of a short one does.
 */

/** A value, and from which version of the map on. */
interface Placed<V> {
  readonly version: number;
  readonly value: V;
}

/** What all versions of a map share: for every key its values, oldest first, and the newest version. */
interface Store<V> {
  readonly values: Map<string, Placed<V>[]>;
  newest: number;
}

/** An unchangeable map in insertion order; setting a known key keeps its place, as in `Map`. */
export class LayeredMap<V> implements ReadonlyMap<string, V> {
  readonly #store: Store<V>;
  readonly #version: number;
  readonly size: number;

  private constructor(store: Store<V>, version: number, size: number) {
    this.#store = store;
    this.#version = version;
    this.size = size;
  }

  static of<V>(entries: Iterable<readonly [string, V]> = []): LayeredMap<V> {
    const values = new Map<string, Placed<V>[]>();
    for (const [key, value] of entries) values.set(key, [{ version: 0, value }]);
    return new LayeredMap<V>({ values, newest: 0 }, 0, values.size);
  }

  /** A map that also holds this, or holds it instead. */
  with(key: string, value: V): LayeredMap<V> {
    const store = this.#store;
    // Somebody went on from here before: this is another branch, with a store of its own.
    if (store.newest !== this.#version) return LayeredMap.of(this).with(key, value);
    const version = store.newest + 1;
    const placed = store.values.get(key);
    if (placed === undefined) store.values.set(key, [{ version, value }]);
    else placed.push({ version, value });
    store.newest = version;
    return new LayeredMap(store, version, placed === undefined ? this.size + 1 : this.size);
  }

  get(key: string): V | undefined {
    return this.#at(this.#store.values.get(key))?.value;
  }

  has(key: string): boolean {
    return this.#at(this.#store.values.get(key)) !== undefined;
  }

  *entries(): MapIterator<[string, V]> {
    for (const [key, placed] of this.#store.values) {
      const found = this.#at(placed);
      // Keys stand in the order of the versions that brought them.
      if (found === undefined) return;
      yield [key, found.value];
    }
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

  /** What a key had at this version. */
  #at(placed: readonly Placed<V>[] | undefined): Placed<V> | undefined {
    return placed?.findLast(({ version }) => version <= this.#version);
  }
}
