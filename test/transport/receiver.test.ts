/** What comes in by codes: whole, in parts, mixed, twice, forged, from other programs. */
import { createHash } from 'node:crypto';
import { fc } from '../support/property.js';
import { describe, expect, it } from 'vitest';
import { deflateRawSync } from 'node:zlib';
import { FountainEncoder } from '#carriage/transport/fountain-encoder';
import { frameSizeFor, frameSizeOf, LAST_PART } from '#carriage/transport/frame-size';
import {
  decodeDigestPayload,
  decodeFilePayload,
  DIGEST_UR_TYPE,
  encodeDigestPayload,
  encodeFilePayload,
  FILE_UR_TYPE,
  payloadName,
} from '#carriage/transport/payload';
import { alphanumericCapacity } from '#carriage/transport/qr-code';
import { Receiver } from '#carriage/transport/receiver';
import { encodeUr, encodeUrPart } from '#carriage/transport/ur';
import { utf8 } from '#formats/bytes';
import { type Cbor, encodeCbor } from '#formats/cbor';
import { ConclaveError } from '#formats/errors';
import { seededSource } from '../formats/mutate.js';
import { fuzz } from '../support/mutations.js';

const sha256 = (bytes: Uint8Array): Uint8Array =>
  new Uint8Array(createHash('sha256').update(bytes).digest());

const note = { kind: 'file', name: 'note.txt', bytes: utf8('a note') };
const whole = encodeUr(FILE_UR_TYPE, encodeFilePayload(note, sha256));

function partsOf(bytes: Uint8Array, name: string, fragment = 90): (number: number) => string {
  const message = encodeFilePayload({ kind: 'file', name, bytes }, sha256);
  const encoder = new FountainEncoder(message, fragment, sha256);
  return (number) => encodeUrPart(FILE_UR_TYPE, encoder.part(number)).toUpperCase();
}

function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof ConclaveError) return error.code;
    throw error;
  }
  return 'none';
}

describe('a file in one code', () => {
  it('arrives once, however often it is seen, in either case', () => {
    const receiver = new Receiver(sha256);
    expect(receiver.take(whole, 'a')).toEqual({
      status: 'arrived',
      arrival: { form: 'file', ...note },
    });
    expect(receiver.take(whole, 'a')).toEqual({ status: 'repeated' });
    expect(receiver.take(whole.toUpperCase(), 'a')).toEqual({ status: 'repeated' });
  });

  it('does not arrive when its digest does not agree', () => {
    const wrong = new Map<number, Cbor>([
      [1, 1],
      [2, 'file'],
      [3, 'note.txt'],
      [4, utf8('a nota')],
      [5, sha256(note.bytes)],
    ]);
    const code = encodeUr(FILE_UR_TYPE, encodeCbor(wrong));
    expect(codeOf(() => new Receiver(sha256).take(code, 'a'))).toBe('E_QR_DIGEST');
  });

  it.each([
    ['a path', [3, '../note.txt']],
    ['a hidden file', [3, '.profile']],
    ['a name that moves the cursor', [3, 'a\u001b[2Jb']],
    ['a name that reads backwards', [3, 'a\u202etxt.exe']],
    ['no name', [3, '']],
    ['a long name', [3, 'a'.repeat(129)]],
    ['a kind that is none', [2, 'File!']],
    ['another version', [1, 2]],
    ['text as bytes', [4, 'a note']],
    ['a short digest', [5, new Uint8Array(31)]],
    ['a member too many', [6, 0]],
  ] as const)('is refused with %s', (_, [key, value]) => {
    const members = new Map<number, Cbor>([
      [1, 1],
      [2, 'file'],
      [3, 'note.txt'],
      [4, note.bytes],
      [5, sha256(note.bytes)],
      [key, value],
    ]);
    const code = encodeUr(FILE_UR_TYPE, encodeCbor(members));
    expect(codeOf(() => new Receiver(sha256).take(code, 'a'))).toBe('E_QR_PAYLOAD_MALFORMED');
  });

  it('mutations of a payload are read or refused', async () => {
    const bytes = encodeFilePayload(note, sha256);
    await fuzz(bytes, (each) => decodeFilePayload(each, 'payload', sha256), { count: 7000 });
    const digest = { kind: 'file', name: 'note.txt', length: 6, sha256: sha256(note.bytes) };
    await fuzz(encodeDigestPayload(digest), (each) => decodeDigestPayload(each, 'payload'), {
      count: 3000,
    });
  });

  it('gets a name that may travel, whatever its path', () => {
    expect(payloadName('a/b/set.json')).toBe('set.json');
    expect(payloadName('.ssh/.config')).toBe('config');
    expect(payloadName('a\\b:c')).toBe('a_b_c');
    expect(payloadName('/')).toBe('file');
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), (path) => {
        const payload = { kind: 'file', name: payloadName(path), bytes: note.bytes };
        decodeFilePayload(encodeFilePayload(payload, sha256), 'x', sha256);
      }),
    );
  });
});

describe('a digest', () => {
  it('arrives as what it is', () => {
    const digest = { kind: 'share-set', name: 'set.json', length: 9, sha256: sha256(utf8('x')) };
    const step = new Receiver(sha256).take(
      encodeUr(DIGEST_UR_TYPE, encodeDigestPayload(digest)),
      'a',
    );
    expect(step).toEqual({ status: 'arrived', arrival: { form: 'digest', ...digest } });
  });
});

describe('a file in parts', () => {
  it.each([
    [4 * 1024, 30],
    [4 * 1024, 60],
    [40 * 1024, 30],
    [40 * 1024, 60],
  ])('of %i bytes arrives with %i percent lost, doubled and out of order', (length, lost) => {
    const random = seededSource(length + lost);
    const bytes = random(length);
    const part = partsOf(bytes, 'blob', 300);
    const receiver = new Receiver(sha256);
    const chance = (): number => (random(1)[0] as number) / 2.56;
    let held: string | undefined;
    for (let number = 1; number < 5000; number++) {
      if (chance() < lost) continue;
      let text = part(number);
      // Every third changes places with a later one, some come twice.
      if (number % 3 === 0) [held, text] = [text, held ?? text];
      for (const code of chance() < 20 ? [text, text] : [text]) {
        const step = receiver.take(code, 'a frame');
        if (step.status !== 'arrived') continue;
        expect(step.arrival).toEqual({ form: 'file', kind: 'file', name: 'blob', bytes });
        expect(receiver.underWay).toBeUndefined();
        return;
      }
    }
    throw new Error('never arrived');
  });

  it('pins the message that began, names parts of others and takes nothing from them', () => {
    const [one, other] = [
      partsOf(seededSource(1)(500), 'one'),
      partsOf(seededSource(2)(500), 'two'),
    ];
    const receiver = new Receiver(sha256);
    receiver.take(one(1), 'frame 1');
    const step = receiver.take(other(2), 'frame 2');
    expect(step.status).toBe('foreign');
    expect(step.status === 'foreign' && step.why).toMatch(/^frame 2 is a part of another message/);
    expect(receiver.underWay).toEqual({ received: 1, needed: 7 });
    const bytewords = receiver.take(one(2).replace('CONCLAVE-FILE', 'OTHER'), 'frame 3');
    expect(bytewords.status).toBe('foreign');
  });

  it('refuses the whole when one part was forged, and can begin again', () => {
    const bytes = seededSource(3)(500);
    const message = encodeFilePayload({ kind: 'file', name: 'blob', bytes }, sha256);
    const encoder = new FountainEncoder(message, 90, sha256);
    const receiver = new Receiver(sha256);
    const text = (number: number, flip: number): string => {
      const part = encoder.part(number);
      return encodeUrPart(FILE_UR_TYPE, { ...part, data: part.data.map((byte) => byte ^ flip) });
    };
    for (let number = 1; number < encoder.fragments; number++) receiver.take(text(number, 0), 'a');
    expect(codeOf(() => receiver.take(text(encoder.fragments, 1), 'a'))).toBe('E_QR_CHECKSUM');
    expect(receiver.underWay).toBeUndefined();
    let last: unknown;
    for (let number = 1; number <= encoder.fragments; number++)
      last = receiver.take(text(number, 0), 'a');
    expect(last).toMatchObject({ status: 'arrived' });
    expect(receiver.take(text(99, 0), 'a').status).toBe('repeated');
  });
});

describe('what other programs make', () => {
  const base32 = (bytes: Uint8Array): string => {
    let bits = '';
    for (const byte of bytes) bits += byte.toString(2).padStart(8, '0');
    const groups = bits.match(/.{1,5}/g) ?? [];
    return groups
      .map((group) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'[Number.parseInt(group.padEnd(5, '0'), 2)])
      .join('');
  };

  it('arrives unverified: text, other URs, BBQr in its three encodings', () => {
    const receiver = new Receiver(sha256);
    const bytes = utf8('hello, hello, hello');
    const compressed = deflateRawSync(bytes, { windowBits: 10 });
    for (const [codes, label] of [
      [['just text'], 'plain text'],
      [[encodeUr('bytes', encodeCbor(bytes))], 'the CBOR of ur:bytes'],
      [[`B$HU0100${Buffer.from(bytes).toString('hex').toUpperCase()}`], 'a BBQr file of type U'],
      [
        [`B$2B0201${base32(bytes.slice(10))}`, `B$2B0200${base32(bytes.slice(0, 10))}`],
        'a BBQr file of type B',
      ],
      [[`B$ZJ0100${base32(compressed)}`], 'a BBQr file of type J'],
    ] as const) {
      const steps = codes.map((code) => receiver.take(code, 'a'));
      expect(steps.at(-1)).toMatchObject({
        status: 'arrived',
        arrival: { form: 'unverified', label },
      });
    }
  });

  it.each([
    ['B$HU0100F', 'half a byte'],
    ['B$2U0100A', 'less than a byte'],
    ['B$2U010099', 'a character that base32 has not'],
    ['B$XU0100FF', 'an unknown encoding'],
    ['B$HU0000FF', 'no parts'],
    ['B$HU0102FF', 'part 3 of 1'],
    ['B$ZU0100AAAA', 'what does not decompress'],
  ])('BBQr %s is refused: %s', (code) => {
    expect(codeOf(() => new Receiver(sha256).take(code, 'a'))).toMatch(
      /^E_(?:BBQR|HEX)_MALFORMED$/,
    );
  });

  it('BBQr that inflates beyond what is taken is refused', () => {
    const bomb = deflateRawSync(new Uint8Array(10_000_000), { windowBits: 10, level: 9 });
    expect(codeOf(() => new Receiver(sha256).take(`B$ZB0100${base32(bomb)}`, 'a'))).toBe(
      'E_QR_TOO_LARGE',
    );
  });

  it('two BBQr files of one shape are told apart where they contradict each other', () => {
    const receiver = new Receiver(sha256);
    receiver.take('B$HB0200AABB', 'a');
    expect(codeOf(() => receiver.take('B$HB0200CCDD', 'b'))).toBe('E_BBQR_CONFLICT');
    expect(receiver.take('B$HB0300CCDD', 'b').status).toBe('foreign');
  });
});

describe('frames', () => {
  it.each([
    [80, 24, 6],
    [120, 40, 14],
    [180, 60, 20],
    [40, 20, 4],
  ])(
    'for %i by %i are of version %i, and the longest part fits exactly',
    (columns, rows, version) => {
      const size = frameSizeFor(columns, rows, FILE_UR_TYPE);
      expect(size?.version).toBe(version);
      const fragmentBytes = size?.fragmentBytes ?? 0;
      const longest = encodeUrPart(FILE_UR_TYPE, {
        number: LAST_PART,
        fragments: 4096,
        messageLength: 66 * 1024,
        checksum: 0xffff_ffff,
        data: new Uint8Array(fragmentBytes),
      });
      const capacity = alphanumericCapacity(version, 'L');
      expect(longest.length).toBeLessThanOrEqual(capacity);
      expect(longest.length).toBeGreaterThan(capacity - 5);
    },
  );

  it('are none where nothing fits', () => {
    expect(frameSizeFor(20, 10, FILE_UR_TYPE)).toBeUndefined();
    expect(frameSizeOf(1, FILE_UR_TYPE)).toBeUndefined();
  });
});
