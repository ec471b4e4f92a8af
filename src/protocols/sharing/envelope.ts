/**
 * The bytes of a share file: integer-keyed deterministic CBOR, a part in clear and a part sealed to its custodian.
 * This file knows the form; opening and sealing to people is done in `actions/shares`.
 * @see docs/spec/share.md, "The share file"
 */
import type { ArgonBoxHead } from '#crypto/argon2-box';
import type { BoxHead } from '#crypto/passphrase-box';
import { sha256 } from '#crypto/hash';
import { equal, utf8 } from '#formats/bytes';
import { type Cbor, decodeCbor, encodeCbor } from '#formats/cbor';
import { InputError, InternalError, NegativeError } from '#formats/errors';
import { groupBytes, OPENING_BYTES } from './commitment.js';
import { MAX_CARRIED_BYTES, type SealedPackage } from './package.js';
import { MAX_GROUPS, type ShareIndex, type Structure, structureProblem } from './structure.js';
import {
  openingBytes,
  SCALAR_BYTES,
  VERIFIABLE_SCHEMES,
  type VerifiableScheme,
} from './verifiable.js';

/** First text in every share file. */
export const SHARE_TYPE = 'conclave/share';
/** HPKE's `info` when a share is sealed to an identity. */
export const SHARE_HPKE_INFO = utf8('conclave/share/v1');
/** Longest share file that is read. */
export const MAX_SHARE_BYTES = 4096;

const AEAD_TAG_BYTES = 16;
const X_WING_CIPHERTEXT_BYTES = 1120;
const CHECKSUM_BYTES = 4;
const ENVIRONMENTS = ['production', 'rehearsal', 'dev'] as const;

/** Mark of a share. */
export type ShareEnvironment = (typeof ENVIRONMENTS)[number];

/** How the sealed part is sealed; the public parameters. */
export type Seal =
  | { readonly kind: 'unsealed' }
  | { readonly kind: 'passphrase'; readonly box: BoxHead }
  | { readonly kind: 'argon2id'; readonly box: ArgonBoxHead }
  | {
      readonly kind: 'identity';
      /** Key id of the recipient's x-wing key, 32 bytes. */
      readonly recipient: Uint8Array;
    };

/** A sealed package that goes along, and what it is bound to. */
export interface CarriedPackage extends SealedPackage {
  /** Root of the set's first dealing; in epoch 0 the share's own root. */
  readonly origin: Uint8Array;
}

/** What a share of a scalar says of the key, so that a quorum alone can tell whether it brought that key back. */
export interface VerifiableMark {
  readonly scheme: VerifiableScheme;
  readonly algorithm: string;
  /** 32 bytes. */
  readonly keyId: Uint8Array;
}

/** The part in clear, which the seal authenticates. */
export interface ShareHeader {
  readonly setId: Uint8Array;
  readonly root: Uint8Array;
  readonly index: ShareIndex;
  /** Dealings since the first; 0 … 65535. */
  readonly epoch: number;
  readonly structure: Structure;
  readonly environment: ShareEnvironment;
  readonly seal: Seal;
  /** Present when short enough to go along. */
  readonly package: CarriedPackage | undefined;
  /** Present for a share of a scalar, which has no package. */
  readonly verifiable?: VerifiableMark | undefined;
}

/** A share file. */
export interface ShareFile extends ShareHeader {
  /** HPKE's encapsulated key, for an x-wing seal only. */
  readonly enc: Uint8Array | undefined;
  /** share(32) ‖ r(23), sealed (71 bytes) or, unsealed, as it is (55 bytes); of a scalar, scalars ‖ r(23). */
  readonly body: Uint8Array;
}

/** What the seal authenticates: the deterministic encoding of the part in clear. */
export function encodeHeader(header: ShareHeader): Uint8Array {
  return encodeCbor(headerMap(header));
}

/** The bytes of a share file. */
export function encodeShare(share: ShareFile): Uint8Array {
  const map = headerMap(share);
  if (share.enc !== undefined) map.set(9, share.enc);
  map.set(10, share.body);
  map.set(11, checksum(map));
  return encodeCbor(map);
}

/** Longest share that is handed out on one code; what makes it longer does not go along. */
export const CARD_BYTES = 400;

/**
 * The package as it goes along on later cards: not at all when a card sealed by passphrase would be longer than
 * {@link CARD_BYTES}. All cards of a dealing carry it or none does, so that they have their part in clear in common.
 */
export function carriedPackage(
  header: Omit<ShareHeader, 'index' | 'seal' | 'package'>,
  sealed: CarriedPackage | null,
): CarriedPackage | undefined {
  if (sealed === null || sealed.sealed.length > MAX_CARRIED_BYTES) return undefined;
  const kdf = { passes: 1, logMemory: 18, lanes: 1, salt: new Uint8Array(16) };
  const box = { kdf, nonce: new Uint8Array(12), check: new Uint8Array(8) };
  const { length } = encodeShare({
    ...header,
    index: { group: MAX_GROUPS, member: 255 },
    seal: { kind: 'argon2id', box },
    package: sealed,
    enc: undefined,
    body: new Uint8Array(OPENING_BYTES + AEAD_TAG_BYTES),
  });
  return length <= CARD_BYTES ? sealed : undefined;
}

/** Whether these bytes begin like a share file. */
export function looksLikeShare(bytes: Uint8Array): boolean {
  // A map of 9 to 12 members, key 0, the 14 letters of the type.
  const first = bytes[0] ?? 0;
  const start = encodeCbor(SHARE_TYPE);
  return first >> 5 === 5 && bytes[1] === 0 && equal(bytes.subarray(2, 2 + start.length), start);
}

/**
 * A strictly parsed share file whose checksum holds.
 * @param what - how errors name the input
 * @throws {@link InputError} `E_CBOR_MALFORMED`, `E_SHARE_MALFORMED`
 * @throws {@link NegativeError} `E_SHARE_DAMAGED` when the checksum does not hold: damage, not a wrong passphrase
 */
export function decodeShare(bytes: Uint8Array, what: string): ShareFile {
  const value = decodeCbor(bytes, what, { maxBytes: MAX_SHARE_BYTES, maxDepth: 3 });
  if (!(value instanceof Map)) throw malformed(what, 'it is not a map');
  const map = new Map(value as ReadonlyMap<number | string, Cbor>);
  if (map.get(0) !== SHARE_TYPE) throw malformed(what, 'its type is another');
  const version = map.get(1);
  if (version !== 1 && version !== 2 && version !== 3) {
    throw malformed(what, 'its version is not 1, 2 or 3', 'use a later version of conclave');
  }
  const sum = map.get(11);
  if (!(sum instanceof Uint8Array) || sum.length !== CHECKSUM_BYTES)
    throw malformed(what, 'its checksum is missing');
  map.delete(11);
  if (!equal(sum, checksum(map))) {
    throw new NegativeError({
      code: 'E_SHARE_DAMAGED',
      message: `${what} is damaged: its checksum does not match`,
      hint: 'scan or copy it again, or use another copy',
    });
  }
  return new Fields(map, what, version).share();
}

/** A later version is written for what an earlier one cannot say, and for nothing else: one share has one encoding. */
function versionOf({
  epoch,
  seal,
  verifiable,
}: Pick<ShareHeader, 'epoch' | 'seal' | 'verifiable'>): 1 | 2 | 3 {
  if (verifiable !== undefined) return 3;
  return epoch > 0 || seal.kind === 'argon2id' ? 2 : 1;
}

function headerMap(header: ShareHeader): Map<number | string, Cbor> {
  const { index, structure, epoch } = header;
  const version = versionOf(header);
  const later = version > 1;
  const map = new Map<number | string, Cbor>([
    [0, SHARE_TYPE],
    [1, version],
    [2, header.setId],
    [3, header.root],
    [4, later ? [index.group, index.member, epoch] : [index.group, index.member]],
    [5, [structure.groupThreshold, groupBytes(structure)]],
    [6, ENVIRONMENTS.indexOf(header.environment)],
    [7, sealParameters(header.seal)],
  ]);
  if (header.verifiable !== undefined) {
    const { scheme, algorithm, keyId } = header.verifiable;
    map.set(8, [1 + VERIFIABLE_SCHEMES.indexOf(scheme), algorithm, keyId]);
  } else if (header.package !== undefined) {
    const { nonce, sealed, origin } = header.package;
    if (!later && !equal(origin, header.root)) {
      throw new InternalError({
        code: 'E_SHARE_ORIGIN',
        message: 'the package of a first dealing is bound to its own root',
      });
    }
    map.set(8, later ? [nonce, sealed, origin] : [nonce, sealed]);
  }
  return map;
}

function sealParameters(seal: Seal): Cbor {
  switch (seal.kind) {
    case 'unsealed':
      return [0];
    case 'passphrase': {
      const { kdf, nonce, check } = seal.box;
      return [1, kdf.logN, kdf.r, kdf.p, kdf.salt, nonce, check];
    }
    case 'identity':
      return [2, seal.recipient];
    case 'argon2id': {
      const { kdf, nonce, check } = seal.box;
      return [3, kdf.passes, kdf.logMemory, kdf.lanes, kdf.salt, nonce, check];
    }
  }
}

function checksum(map: ReadonlyMap<number | string, Cbor>): Uint8Array {
  const encoded = encodeCbor(map);
  const digest = sha256(encoded);
  encoded.fill(0);
  return digest.slice(0, CHECKSUM_BYTES);
}

/** Reads the members of one share's map; every one must be taken. */
class Fields {
  readonly #map: Map<number | string, Cbor>;
  readonly #what: string;
  readonly #version: 1 | 2 | 3;
  /** Whether it knows epochs and Argon2id. */
  readonly #later: boolean;

  constructor(map: Map<number | string, Cbor>, what: string, version: 1 | 2 | 3) {
    this.#map = map;
    this.#what = what;
    this.#version = version;
    this.#later = version > 1;
  }

  share(): ShareFile {
    this.#take(0);
    this.#take(1);
    const setId = this.#bytes(this.#take(2), 32, 'set id');
    const root = this.#bytes(this.#take(3), 32, 'root');
    const { index, epoch } = this.#place(this.#take(4));
    const structure = this.#structure(this.#take(5));
    const environment = ENVIRONMENTS[this.#integer(this.#take(6), 'environment mark')];
    if (environment === undefined) throw this.#fail('its environment mark is unknown');
    const seal = this.#seal(this.#take(7));
    const own = structure.groups[index.group - 1];
    if (own === undefined || index.member < 1 || index.member > own.shares)
      throw this.#fail('its index is outside its set');
    const verifiable = this.#version === 3 ? this.#verifiable(this.#take(8)) : undefined;
    if (this.#version !== versionOf({ epoch, seal, verifiable }))
      throw this.#fail('its version is not the lowest that can say it');
    if (verifiable !== undefined && (structure.groups.length > 1 || epoch > 0))
      throw this.#fail('a scalar is shared once, among one group');
    const sealedPackage = this.#map.has(8) ? this.#package(this.#take(8), root) : undefined;
    if (sealedPackage !== undefined && (epoch === 0) !== equal(sealedPackage.origin, root))
      throw this.#fail('its epoch and the root of its first dealing do not fit');
    const enc =
      seal.kind === 'identity'
        ? this.#bytes(this.#take(9), X_WING_CIPHERTEXT_BYTES, 'encapsulated key')
        : undefined;
    const body = this.#body(this.#take(10), verifiable, seal.kind !== 'unsealed');
    if (this.#map.size > 0) throw this.#fail('it has unknown members');
    return {
      setId,
      root,
      index,
      epoch,
      structure,
      environment,
      seal,
      package: sealedPackage,
      enc,
      body,
      ...(verifiable === undefined ? {} : { verifiable }),
    };
  }

  #verifiable(value: Cbor | undefined): VerifiableMark {
    const [number, algorithm, keyId] = this.#array(value, 3, 'mark of a scalar');
    const scheme = VERIFIABLE_SCHEMES[this.#integer(number, 'way of sharing') - 1];
    if (scheme === undefined) throw this.#fail('its way of sharing is unknown');
    if (typeof algorithm !== 'string' || !/^[a-z0-9-]{1,32}$/.test(algorithm))
      throw this.#fail('it names no algorithm');
    return { scheme, algorithm, keyId: this.#bytes(keyId, 32, 'key id') };
  }

  #body(
    value: Cbor | undefined,
    verifiable: VerifiableMark | undefined,
    sealed: boolean,
  ): Uint8Array {
    const tag = sealed ? AEAD_TAG_BYTES : 0;
    if (verifiable === undefined) return this.#bytes(value, OPENING_BYTES + tag, 'sealed part');
    const lengths = SCALAR_BYTES.map((bytes) => openingBytes(verifiable.scheme, bytes) + tag);
    if (!(value instanceof Uint8Array) || !lengths.includes(value.length))
      throw this.#fail('its sealed part has the length of no scalar');
    return value;
  }

  #place(value: Cbor | undefined): { readonly index: ShareIndex; readonly epoch: number } {
    const [group, member, epoch] = this.#array(value, this.#later ? 3 : 2, 'index');
    const index = {
      group: this.#integer(group, 'group number'),
      member: this.#integer(member, 'member number'),
    };
    if (!this.#later) return { index, epoch: 0 };
    const number = this.#integer(epoch, 'epoch');
    if (number > 0xffff) throw this.#fail('its epoch is above 65535');
    return { index, epoch: number };
  }

  #structure(value: Cbor | undefined): Structure {
    const [threshold, groups] = this.#array(value, 2, 'thresholds');
    if (!(groups instanceof Uint8Array) || groups.length % 2 !== 0)
      throw this.#fail('its thresholds have the wrong form');
    const structure = {
      groupThreshold: this.#integer(threshold, 'group threshold'),
      groups: Array.from({ length: groups.length / 2 }, (_, i) => ({
        threshold: groups[2 * i] as number,
        shares: groups[2 * i + 1] as number,
      })),
    };
    const problem = structureProblem(structure);
    if (problem !== undefined) throw this.#fail(`it does not have ${problem}`);
    return structure;
  }

  #seal(value: Cbor | undefined): Seal {
    const list: readonly Cbor[] = Array.isArray(value) ? (value as readonly Cbor[]) : [];
    if (list[0] === 0 && list.length === 1) return { kind: 'unsealed' };
    if (list[0] === 1 && list.length === 7) {
      return {
        kind: 'passphrase',
        box: {
          kdf: {
            logN: this.#integer(list[1], 'scrypt cost'),
            r: this.#integer(list[2], 'scrypt cost'),
            p: this.#integer(list[3], 'scrypt cost'),
            salt: this.#bytes(list[4], 16, 'salt'),
          },
          nonce: this.#bytes(list[5], 12, 'nonce'),
          check: this.#bytes(list[6], 8, 'key check'),
        },
      };
    }
    if (list[0] === 3 && list.length === 7 && this.#later) {
      return {
        kind: 'argon2id',
        box: {
          kdf: {
            passes: this.#integer(list[1], 'Argon2 cost'),
            logMemory: this.#integer(list[2], 'Argon2 cost'),
            lanes: this.#integer(list[3], 'Argon2 cost'),
            salt: this.#bytes(list[4], 16, 'salt'),
          },
          nonce: this.#bytes(list[5], 12, 'nonce'),
          check: this.#bytes(list[6], 8, 'key check'),
        },
      };
    }
    if (list[0] === 2 && list.length === 2)
      return { kind: 'identity', recipient: this.#bytes(list[1], 32, 'recipient') };
    throw this.#fail('its seal is of an unknown kind');
  }

  #package(value: Cbor | undefined, root: Uint8Array): CarriedPackage {
    const [nonce, sealed, origin] = this.#array(value, this.#later ? 3 : 2, 'package');
    if (!(sealed instanceof Uint8Array) || sealed.length > MAX_CARRIED_BYTES)
      throw this.#fail('its package has the wrong length');
    return {
      nonce: this.#bytes(nonce, 12, 'package nonce'),
      sealed,
      origin: this.#later ? this.#bytes(origin, 32, 'package root') : root,
    };
  }

  #take(key: number): Cbor | undefined {
    const value = this.#map.get(key);
    this.#map.delete(key);
    return value;
  }

  #array(value: Cbor | undefined, length: number, name: string): readonly Cbor[] {
    if (!Array.isArray(value) || value.length !== length)
      throw this.#fail(`its ${name} has the wrong form`);
    return value as readonly Cbor[];
  }

  #integer(value: Cbor | undefined, name: string): number {
    if (typeof value !== 'number' || value < 0) throw this.#fail(`its ${name} is not a number`);
    return value;
  }

  #bytes(value: Cbor | undefined, length: number, name: string): Uint8Array {
    if (!(value instanceof Uint8Array) || value.length !== length)
      throw this.#fail(`its ${name} is not ${length} bytes`);
    return value;
  }

  #fail(problem: string): InputError {
    return malformed(this.#what, problem);
  }
}

function malformed(what: string, problem: string, hint?: string): InputError {
  return new InputError({
    code: 'E_SHARE_MALFORMED',
    message: `${what} is not a share of conclave: ${problem}`,
    ...(hint === undefined ? {} : { hint }),
  });
}
