/**
 * Entropy that people bring (dice, coins, cards, a second device), mixed with the operating system's generator so that no
 * single source has to be trusted alone.
 */
import { concat, lengthPrefixed, utf8 } from '#formats/bytes';
import type { RandomSource } from './descriptor.js';
import { hkdf, hkdfExtract } from './hash.js';

const TAG = utf8('conclave/entropy/v1');
const BLOCK = 64;
/** HKDF-SHA512 derives at most 255 blocks from one extraction. */
const MOST_AT_ONCE = 255 * BLOCK;

/**
 * A source whose every output depends on fresh bytes of the operating system and on every contribution.
 *
 * The contributions (borrowed) are condensed by HKDF-Extract with SHA-512 into one pool; each call then derives its output by
 * HKDF-SHA512 from at least as many fresh system bytes as it returns, with the pool as salt. Someone who knows all
 * contributions gains nothing over the system's generator; someone who controls that generator gains nothing without knowing
 * all contributions.
 * @param contributions - in the order given; without any, the system's generator is returned as it is
 */
export function mixEntropy(os: RandomSource, contributions: readonly Uint8Array[]): RandomSource {
  if (contributions.length === 0) return os;
  const framed = concat(...contributions.map(lengthPrefixed));
  const pool = hkdfExtract('sha512', TAG, framed);
  framed.fill(0);
  let calls = 0;
  const derive = (length: number): Uint8Array => {
    const fresh = os(Math.max(BLOCK, length));
    const info = concat(TAG, utf8(` ${++calls}`));
    try {
      return hkdf('sha512', fresh, pool, info, length);
    } finally {
      fresh.fill(0);
    }
  };
  return (length) => {
    if (length <= MOST_AT_ONCE) return derive(length);
    const out = new Uint8Array(length);
    for (let offset = 0; offset < length; offset += MOST_AT_ONCE) {
      const part = derive(Math.min(MOST_AT_ONCE, length - offset));
      out.set(part, offset);
      part.fill(0);
    }
    return out;
  };
}
