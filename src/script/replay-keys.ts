/** The keys of a session as its entries tell of them, while a transcript is walked: made, changed, abandoned, restored, wiped. */
import { isObject } from '#formats/canonical-json';
import type { Definition } from './definition.js';
import type { EntryData } from './entries.js';
import { Misstep } from './misstep.js';
import type { RecordedKey } from './replayed.js';

/** Events by which the public side of a key reaches the record. Their data are `reference` and `record`. */
const KEY_EVENTS: ReadonlySet<string> = new Set(['key.added', 'key.changed']);

/** Every key of one session. What has no business is thrown as {@link Misstep}. */
export class ReplayedKeys {
  #keys: RecordedKey[] = [];
  /** Keys that were undone and must be told of as retired before anything else is begun. */
  readonly #abandoned = new Set<string>();

  get all(): readonly RecordedKey[] {
    return this.#keys;
  }

  /** An event of the instance `madeIn`; any that is about no key is nobody's business here. */
  event({ event, data }: EntryData['event'], madeIn: string): void {
    if (!KEY_EVENTS.has(event)) return;
    const { reference, record } = data;
    const keyId = isObject(record) ? record['id'] : undefined;
    if (typeof reference !== 'string' || !isObject(record) || typeof keyId !== 'string')
      throw new Misstep(`${event} names no key`);
    if (event === 'key.added') {
      this.#keys.push({ reference, keyId, record, madeIn, retired: false, wiped: false });
      return;
    }
    const live = this.#keys.filter((key) => key.reference === reference && !key.retired);
    if (!live.some((key) => key.keyId === keyId))
      throw new Misstep(`${reference} is not the key ${keyId.slice(0, 16)}`);
    this.#keys = this.#keys.map((key) => (key.keyId === keyId ? { ...key, record } : key));
  }

  /** A key that was retired, or wiped. */
  mark(keyId: string, change: 'retired' | 'wiped'): void {
    if (!this.#keys.some((key) => key.keyId === keyId))
      throw new Misstep('no step of this session made that key');
    if (change === 'retired') this.#abandoned.delete(keyId);
    this.#keys = this.#keys.map((key) => (key.keyId === keyId ? { ...key, [change]: true } : key));
  }

  /** What undone instances had made, nobody may rely on. */
  abandon(undone: ReadonlySet<string>): void {
    for (const key of this.#keys)
      if (undone.has(key.madeIn) && !key.retired && !key.wiped) this.#abandoned.add(key.keyId);
  }

  /** Before anything is begun, every abandoned key was told of as retired. */
  mustBeRetired(): void {
    const [lost] = this.#abandoned;
    if (lost !== undefined) throw notRetired(lost);
  }

  /** So was every key of an attempt that never finished. */
  mustBeRetiredOf(madeIn: string): void {
    const left = this.#keys.find((key) => key.madeIn === madeIn && !key.retired && !key.wiped);
    if (left !== undefined) throw notRetired(left.keyId);
  }

  /** A key that went with the process is back from a quorum of its shares. */
  restore(data: EntryData['restore'], { quorums }: Definition): void {
    const key = this.#keys.find(({ keyId, retired }) => keyId === data.key && !retired);
    if (key === undefined) throw new Misstep('no step of this session made that key');
    if (key.wiped) throw new Misstep('that key was wiped before');
    const sharing = key.record['shares'];
    if (!isObject(sharing) || sharing['setId'] !== data.setId)
      throw new Misstep('that key was not split into this set of shares');
    const used = new Set(data.shares).size;
    const least = Math.min(...Object.values(quorums).map(({ threshold }) => threshold));
    if (used < data.shares.length || used < least)
      throw new Misstep(`${used} different shares are fewer than any quorum`);
  }

  /** A key that is still live when a session is completed. */
  get kept(): RecordedKey | undefined {
    return this.#keys.find((key) => !key.retired && !key.wiped);
  }
}

function notRetired(keyId: string): Misstep {
  return new Misstep(`the abandoned key ${keyId.slice(0, 16)} was not recorded as retired`);
}
