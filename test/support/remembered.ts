/**
 * For tests that run one ceremony hundreds of times: with the same random numbers and the same times each run asks for the same
 * keys and signatures, and what was asked for before, byte for byte, is remembered instead of computed.
 */
import { createCipheriv, createHash, type Hash } from 'node:crypto';

/** Random numbers that are the same in every run with the same seed, of one byte. */
export function sameNumbers(seed: number): (length: number) => Uint8Array {
  const stream = createCipheriv('aes-128-ctr', Buffer.alloc(16, seed), Buffer.alloc(16));
  return (length) => new Uint8Array(stream.update(Buffer.alloc(length)));
}

/** A clock that goes on a little whenever it is looked at. */
export function sameTimes(from: string): () => Date {
  let now = Date.parse(from);
  return () => new Date((now += 10));
}

/**
 * A scheme whose named functions remember. They have to be functions of their arguments alone, all of them bytes, numbers, truth
 * values, texts or objects of these. What throws is not remembered.
 */
export function remembered<T extends object>(scheme: T, names: readonly (keyof T)[]): T {
  return Object.create(
    scheme,
    Object.fromEntries(
      names.map((name) => {
        const known = new Map<string, unknown>();
        const value = (...args: readonly unknown[]): unknown => {
          const hash = createHash('sha256');
          feed(hash, args);
          const key = hash.digest('base64');
          if (!known.has(key))
            known.set(key, own((scheme[name] as (...all: readonly unknown[]) => unknown)(...args)));
          return own(known.get(key));
        };
        return [name, { value, enumerable: true }];
      }),
    ),
  ) as T;
}

function feed(hash: Hash, value: unknown): void {
  if (value instanceof Uint8Array) hash.update(`bytes ${value.length}:`).update(value);
  else if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value);
    hash.update(`members ${members.length}:`);
    for (const [name, member] of members) {
      hash.update(`${name.length} ${name}=`);
      feed(hash, member);
    }
  } else if (typeof value === 'function') throw new TypeError('a function cannot be compared');
  else hash.update(`${typeof value} ${String(value).length} ${String(value)};`);
}

/** A copy, since callers wipe what they get. */
function own(value: unknown): unknown {
  if (value instanceof Uint8Array) return value.slice();
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, own(member)]));
}

/** The signature schemes of ceremonies, remembered; for `vi.mock` of the modules that they come from. */
export function rememberedSchemes<T extends Readonly<Record<string, unknown>>>(module: T): T {
  const schemes = Object.entries(module).filter(([name]) => /^(?:ed25519|ml_dsa\d\d)$/.test(name));
  if (schemes.length === 0) throw new Error('there is nothing to remember in this module');
  const changed = schemes.map(([name, scheme]) => [
    name,
    remembered(scheme as Record<string, unknown>, [
      ...(name === 'ed25519' ? ['getPublicKey'] : ['keygen']),
      ...['sign', 'verify'],
    ]),
  ]);
  return { ...module, ...Object.fromEntries(changed) } as T;
}
