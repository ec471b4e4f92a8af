/**
 * What the beginning of a share file tells before the rest is there: a card that does not belong is named while it is still
 * being typed. The form fixes where everything stands, since CBOR is deterministic and the type is always the same.
 * @see docs/spec/share.md, "The share file"
 */
import { utf8 } from '#formats/bytes';
import { SHARE_TYPE } from './envelope.js';
import type { ShareIndex } from './structure.js';

/** As far as the bytes reach. */
export interface SharePrefix {
  readonly setId?: Uint8Array;
  readonly root?: Uint8Array;
  readonly index?: ShareIndex;
}

const SET_ID_AT = 22;
const ROOT_AT = 57;
const INDEX_AT = 91;

/** Bytes that are the same in every share file, by where they stand; of each position the values that are allowed. */
const FIXED: readonly (readonly [number, readonly (readonly number[])[]])[] = [
  [
    1,
    [
      [0],
      [0x6e],
      ...[...utf8(SHARE_TYPE)].map((byte) => [byte]),
      [1],
      [1, 2, 3],
      [2],
      [0x58],
      [32],
    ],
  ],
  [54, [[3], [0x58], [32]]],
  [89, [[4], [0x82, 0x83]]],
];

/**
 * Reads the beginning of a share file.
 * @returns undefined when these bytes cannot be the beginning of one
 */
export function readSharePrefix(bytes: Uint8Array): SharePrefix | undefined {
  for (const [at, values] of FIXED) {
    const strange = values.some((allowed, i) => {
      const byte = bytes[at + i];
      return byte !== undefined && !allowed.includes(byte);
    });
    if (strange) return undefined;
  }
  return {
    ...(bytes.length >= SET_ID_AT + 32 ? { setId: bytes.slice(SET_ID_AT, SET_ID_AT + 32) } : {}),
    ...(bytes.length >= ROOT_AT + 32 ? { root: bytes.slice(ROOT_AT, ROOT_AT + 32) } : {}),
    ...indexOf(bytes.subarray(INDEX_AT)),
  };
}

function indexOf(bytes: Uint8Array): { readonly index?: ShareIndex } {
  const [group, head, tail] = bytes;
  if (group === undefined || head === undefined) return {};
  if (head < 24) return { index: { group, member: head } };
  return head === 24 && tail !== undefined ? { index: { group, member: tail } } : {};
}
