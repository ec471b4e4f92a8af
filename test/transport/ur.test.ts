/** URs against the published vectors of their specification and against the library that wallets use. */
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { fc } from '../support/property.js';
import { describe, expect, it } from 'vitest';
import {
  BYTEWORDS,
  decodeMinimal,
  decodeWords,
  encodeMinimal,
  encodeWords,
} from '#carriage/transport/bytewords';
import { crc32 } from '#carriage/transport/crc32';
import { FountainDecoder } from '#carriage/transport/fountain-decoder';
import { FountainEncoder, fragmentLength } from '#carriage/transport/fountain-encoder';
import { decodePart, encodePart, type FountainPart } from '#carriage/transport/fountain-part';
import { decodeUr, encodeUr, encodeUrPart } from '#carriage/transport/ur';
import { Xoshiro256 } from '#carriage/transport/xoshiro';
import { fromHex, toHex, utf8 } from '#formats/bytes';
import { encodeCbor } from '#formats/cbor';
import { ConclaveError } from '#formats/errors';
import { fuzz } from '../support/mutations.js';
import { mutationCount } from '../support/require.js';

const require = createRequire(import.meta.url);

/** The library's surface that is compared with. */
interface PeerUr {
  readonly type: string;
  readonly cbor: Buffer;
}
interface Peer {
  readonly UR: new (cbor: Buffer, type: string) => PeerUr;
  readonly UREncoder: new (ur: PeerUr, maxFragmentLength: number) => { nextPart(): string };
  readonly URDecoder: new () => {
    receivePart(part: string): boolean;
    isComplete(): boolean;
    resultUR(): PeerUr;
  };
}
const peer = require('@ngraveio/bc-ur') as Peer;

const sha256 = (bytes: Uint8Array): Uint8Array =>
  new Uint8Array(createHash('sha256').update(bytes).digest());

/** The messages of the specification: numbers from the generator, seeded by a name. */
function makeMessage(length: number, seed = 'Wolf'): Uint8Array {
  const rng = new Xoshiro256(utf8(seed), sha256);
  return Uint8Array.from({ length }, () => rng.nextBelow(256));
}

function refusal(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof ConclaveError) return error.code;
    throw error;
  }
  return 'none';
}

describe('bytewords', () => {
  it('has 256 words that their first and last letters tell apart', () => {
    expect(BYTEWORDS).toHaveLength(256);
    expect(new Set(BYTEWORDS.map((word) => `${word[0]}${word[3]}`)).size).toBe(256);
    expect(BYTEWORDS.every((word) => /^[a-z]{4}$/.test(word))).toBe(true);
  });

  // BCR-2020-012, "Example/Test Vector".
  const seed = fromHex('d99d6ca20150c7098580125e2ab0981253468b2dbc5202c11947da');
  it('spells the example of its specification', () => {
    const minimal = 'tantjzoeadgdstaslplabghydrpfmkbggufgludprfgmaosecffltnsoaawkbd';
    expect(encodeMinimal(seed)).toBe(minimal);
    expect(toHex(decodeMinimal(minimal.toUpperCase(), 'seed'))).toBe(toHex(seed));
    const words =
      'tuna next jazz oboe acid good slot axis limp lava brag holy door puff monk brag guru frog luau drop ' +
      'roof grim also safe chef fuel twin solo aqua work bald';
    expect(encodeWords(seed).join(' ')).toBe(words);
    expect(toHex(decodeWords(words.split(' '), 'seed'))).toBe(toHex(seed));
  });

  it('names the word that is none, and tells damage by its checksum', () => {
    const words = encodeWords(seed);
    expect(() => decodeWords(words.with(4, 'acme'), 'card')).toThrow(
      'word 5 of card is in no list',
    );
    expect(refusal(() => decodeWords(words.with(4, 'able'), 'card'))).toBe('E_BYTEWORDS_CHECKSUM');
    expect(refusal(() => decodeMinimal('aeaeaeae', 'x'))).toBe('E_BYTEWORDS_MALFORMED');
    expect(refusal(() => decodeMinimal('aea', 'x'))).toBe('E_BYTEWORDS_MALFORMED');
  });
});

describe('the numbers that both sides agree on', () => {
  // BCR-2024-001, "CRC-32 Checksum", "Determining Fragment Length", "Part Serialization".
  it('are those of the specification', () => {
    expect(crc32(utf8('Wolf'))).toBe(0x598c84dc);
    expect(fragmentLength(12_345, 1955, 1005)).toBe(1764);
    expect(fragmentLength(12_345, 30_000, 1005)).toBe(12_345);
    const part: FountainPart = {
      number: 12,
      fragments: 8,
      messageLength: 100,
      checksum: 0x12345678,
      data: Uint8Array.of(1, 5, 3, 3, 5),
    };
    expect(toHex(encodePart(part))).toBe('850c0818641a12345678450105030305');
    const rng = new Xoshiro256(utf8('Wolf'), sha256);
    expect(Array.from({ length: 10 }, () => Number(rng.next() % 100n))).toEqual([
      42, 81, 85, 8, 82, 84, 76, 73, 70, 88,
    ]);
  });
});

describe('parts', () => {
  it('are those of the library, letter for letter, for messages of many lengths', () => {
    // The twenty known strings of the reference implementation's own test are the first row.
    for (const [length, fragment, count] of [
      [256, 30, 20],
      [1, 10, 3],
      [1024, 100, 60],
      [5000, 68, 200],
      [32767, 1000, 100],
    ] as const) {
      const cbor = encodeCbor(makeMessage(length));
      const theirs = new peer.UREncoder(new peer.UR(Buffer.from(cbor), 'bytes'), fragment);
      const ours = new FountainEncoder(cbor, fragment, sha256);
      for (let number = 1; number <= count; number++) {
        const text =
          ours.fragments === 1 ? encodeUr('bytes', cbor) : encodeUrPart('bytes', ours.part(number));
        expect(text, `${length} bytes, part ${number}`).toBe(theirs.nextPart());
      }
    }
    // BCR test of the reference implementation, first of the twenty.
    const first = new FountainEncoder(encodeCbor(makeMessage(256)), 30, sha256).part(1);
    expect(encodeUrPart('bytes', first)).toBe(
      'ur:bytes/1-9/lpadascfadaxcywenbpljkhdcahkadaemejtswhhylkepmykhhtsytsnoyoyaxaedsuttydmmhhpktpmsrjtdkgslpgh',
    );
  });

  it('bring each other back with the library, both ways, with half of them lost', () => {
    const cbor = encodeCbor(makeMessage(3000));
    const ours = new FountainEncoder(cbor, 90, sha256);
    const theirs = new peer.URDecoder();
    for (let number = 1; !theirs.isComplete() && number < 1000; number += 2) {
      theirs.receivePart(encodeUrPart('conclave-file', ours.part(number)));
    }
    expect(theirs.resultUR().type).toBe('conclave-file');
    expect(toHex(theirs.resultUR().cbor)).toBe(toHex(cbor));

    const sender = new peer.UREncoder(new peer.UR(Buffer.from(cbor), 'bytes'), 90);
    let decoder: FountainDecoder | undefined;
    for (let number = 1; decoder?.complete !== true && number < 1000; number++) {
      const text = sender.nextPart();
      if (number % 2 === 0) continue;
      const { part } = decodeUr(text, 'part');
      if (part === undefined) throw new Error('not a part');
      decoder ??= new FountainDecoder(part, sha256);
      decoder.take(part);
    }
    expect(toHex(decoder?.message() ?? new Uint8Array())).toBe(toHex(cbor));
  });

  it('come in any order, twice, with any of them lost', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 2000 }),
        fc.integer({ min: 10, max: 200 }),
        fc.integer({ min: 0, max: 80 }),
        fc.integer({ min: 1, max: 2 ** 31 }),
        (message, fragment, lost, seed) => {
          const encoder = new FountainEncoder(message, fragment, sha256);
          let state = seed;
          const draw = (below: number): number => {
            state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
            return Math.floor((state / 2 ** 32) * below);
          };
          const first = encoder.part(1 + draw(50));
          const decoder = new FountainDecoder(first, sha256);
          for (let sent = 0; !decoder.complete; sent++) {
            if (sent > 200 * encoder.fragments + 1000) throw new Error('does not come to an end');
            if (draw(100) < lost) continue;
            const part = encoder.part(1 + draw(8 * encoder.fragments + 8));
            decoder.take(part);
            expect(decoder.take(part)).toBe('known');
          }
          expect(toHex(decoder.message() ?? new Uint8Array())).toBe(toHex(message));
        },
      ),
      { numRuns: 60 },
    );
  });

  it('need hardly more than there are fragments', () => {
    const encoder = new FountainEncoder(makeMessage(20_000), 100, sha256);
    const decoder = new FountainDecoder(encoder.part(1), sha256);
    let taken = 0;
    // Mixtures only, the hardest case: the fragments themselves were all missed.
    for (let number = encoder.fragments + 1; !decoder.complete; number++, taken++) {
      decoder.take(encoder.part(number));
    }
    expect(taken).toBeLessThan(1.2 * encoder.fragments);
  });

  it('of another message leave nothing behind, and a forged one is found by the checksum', () => {
    const encoder = new FountainEncoder(makeMessage(1000), 100, sha256);
    const other = new FountainEncoder(makeMessage(1000, 'Fox'), 100, sha256);
    const decoder = new FountainDecoder(encoder.part(1), sha256);
    for (let number = 1; number < encoder.fragments; number++) decoder.take(encoder.part(number));
    expect(decoder.take(other.part(10))).toBe('foreign');
    expect(decoder.received).toBe(encoder.fragments - 1);
    const genuine = encoder.part(encoder.fragments);
    decoder.take({ ...genuine, data: genuine.data.map((byte) => byte ^ 1) });
    expect(decoder.complete).toBe(true);
    expect(decoder.message()).toBeUndefined();
  });
});

describe('what anybody may send', () => {
  const encoder = new FountainEncoder(makeMessage(1000), 100, sha256);
  const part = encoder.part(3);
  const text = encodeUrPart('conclave-file', part);

  it.each([
    ['a length beyond what is taken', { messageLength: 2 ** 31 }, 'E_QR_TOO_LARGE'],
    ['more fragments than are taken', { fragments: 5000 }, 'E_QR_TOO_LARGE'],
    ['fragments that do not fit the length', { fragments: 11 }, 'E_QR_PART_MALFORMED'],
    ['no fragments', { fragments: 0 }, 'E_QR_PART_MALFORMED'],
    ['part 0', { number: 0 }, 'E_QR_PART_MALFORMED'],
    ['no data', { data: new Uint8Array() }, 'E_QR_PART_MALFORMED'],
    ['a number below zero', { checksum: -1 }, 'E_QR_PART_MALFORMED'],
  ])('%s is refused', (_, change, code) => {
    expect(refusal(() => decodePart(encodePart({ ...part, ...change }), 'part'))).toBe(code);
  });

  it.each([
    ['mixed case', text.replace('conclave', 'CONCLAVE')],
    ['another number in front', text.replace('/3-', '/4-')],
    ['a number with a leading zero', text.replace('/3-', '/03-')],
    ['something behind it', `${text} `],
    ['another scheme', text.replace('ur:', 'us:')],
    ['no type', text.replace('conclave-file', '')],
    ['an escape sequence', `${text}\u001b[2J`],
  ])('%s is refused', (_, wrong) => {
    expect(refusal(() => decodeUr(wrong, 'code'))).not.toBe('none');
  });

  it('mutations of a part and of a whole UR are read or refused', async () => {
    const parse = (bytes: Uint8Array): unknown =>
      decodeUr(Buffer.from(bytes).toString('latin1'), 'code');
    const tally = await fuzz(utf8(text), parse, { count: mutationCount / 2 });
    expect(tally['65']).toBeGreaterThan(0.4 * mutationCount);
    await fuzz(encodePart(part), (bytes) => decodePart(bytes, 'part'), {
      count: mutationCount / 2,
    });
  });
});
