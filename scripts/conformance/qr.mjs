/** QR transfer: Uniform Resources with their fountain codes as specified, and BBQr codes as they were recorded. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const area = 'qr';

const sha256 = (bytes) => new Uint8Array(createHash('sha256').update(bytes).digest());

/** URs that stand in a text, each on a line of its own; patterns with `<` are none. */
async function uniformResources(path, tools) {
  const tally = tools.tally();
  const { decodeUr, encodeUr, encodeUrPart } = await tools.load('carriage/transport/ur');
  const text = tools.text(path);
  const hexadecimal = new Set(text.toLowerCase().match(/^[0-9a-f]{16,}$/gm) ?? []);
  for (const line of text.match(/^ur:[a-z0-9-]+\/[a-z0-9/-]+$/gm) ?? []) {
    await tally.check(line.slice(0, 40), () => {
      const ur = decodeUr(line, 'vector');
      if (ur.part !== undefined) return encodeUrPart(ur.type, ur.part) === line;
      return encodeUr(ur.type, ur.message) === line;
    });
    // Where the message stands beside it in hexadecimal, it is that.
    const ur = decodeUr(line, 'vector');
    if (ur.part === undefined && hexadecimal.has(tools.toHex(ur.message))) {
      await tally.check(`${line.slice(0, 40)} as bytes`, () => true);
    }
  }
  return tally.result();
}

async function bytewords(path, tools) {
  const tally = tools.tally();
  const { BYTEWORDS, decodeMinimal, decodeWords, encodeMinimal, encodeWords } = await tools.load(
    'carriage/transport/bytewords',
  );
  const text = tools.text(path);
  const listed = [...text.matchAll(/^0x[0-9a-f]{2}: (.+)$/gm)].flatMap(([, row]) => row.split(' '));
  await tally.check('word list', () => listed.length === 256 && listed.join() === BYTEWORDS.join());
  const [body] = text.match(/^[0-9a-f]{54}$/m) ?? [];
  const [minimal] = text.match(/^[a-z]{62}$/m) ?? [];
  await tally.check('minimal', () => encodeMinimal(tools.hex(body)) === minimal);
  await tally.check('minimal, back', () => tools.toHex(decodeMinimal(minimal, 'vector')) === body);
  const words = encodeWords(tools.hex(body));
  await tally.check('words', () => text.replaceAll('\n', ' ').includes(words.join(' ')));
  await tally.check('words, back', () => tools.toHex(decodeWords(words, 'vector')) === body);
  const brutal = 'c7098580125e2ab0981253468b2dbc52';
  await tally.check('without CBOR', () => text.includes(`\n${encodeMinimal(tools.hex(brutal))}\n`));
  return tally.result();
}

/** The arrays and strings of the Swift tests in the text, by the name of the test. */
function swift(text) {
  const body = (name) => {
    const start = text.indexOf(`func ${name}(`);
    return text.slice(start, text.indexOf('\n```', start));
  };
  return {
    numbers: (name, variable) => {
      const from = body(name).split(`let ${variable} = `)[1];
      return JSON.parse(from.slice(0, from.indexOf(']') + 1));
    },
    lists: (name, variable) => {
      const from = body(name).split(new RegExp(`let ${variable}(?:: \\S+)? = `))[1];
      const plain = from.slice(0, from.indexOf('\n    ]')).replaceAll(/\/\/.*$/gm, '');
      return JSON.parse(`${plain.replace(/,\s*$/, '')}]`);
    },
    body,
  };
}

async function multipart(path, tools) {
  const tally = tools.tally();
  const { crc32 } = await tools.load('carriage/transport/crc32');
  const { Xoshiro256 } = await tools.load('carriage/transport/xoshiro');
  const chooser = await tools.load('carriage/transport/fragment-chooser');
  const encoding = await tools.load('carriage/transport/fountain-encoder');
  const parts = await tools.load('carriage/transport/fountain-part');
  const { FountainDecoder } = await tools.load('carriage/transport/fountain-decoder');
  const tests = swift(tools.text(path));
  const wolf = () => new Xoshiro256(tools.utf8('Wolf'), sha256);
  const message = (length) => {
    const rng = wolf();
    return Uint8Array.from({ length }, () => rng.nextBelow(256));
  };
  const same = (title, actual, expected) =>
    tally.check(title, () => JSON.stringify(actual()) === JSON.stringify(expected()));
  const many = (count, next) => Array.from({ length: count }, (_, i) => next(i));

  await tally.check('crc32 of Wolf', () => crc32(tools.utf8('Wolf')) === 0x598c84dc);
  const [, long, sum] =
    /hex: "([0-9a-f]+)"\)[^]*?0x([0-9a-f]{8})/.exec(tests.body('testCRC32_2')) ?? [];
  if (sum === undefined) tally.skip('the second checksum is cut off in the text');
  else
    await tally.check(
      'crc32 of 1024 bytes',
      () => crc32(tools.hex(long)) === Number.parseInt(sum, 16),
    );
  await same(
    'generator from a text',
    () => ((rng) => many(100, () => Number(rng.next() % 100n)))(wolf()),
    () => tests.numbers('testRNG1', 'expectedNumbers'),
  );
  await same(
    'generator from a checksum',
    () => {
      const rng = new Xoshiro256(tools.hex('598c84dc'), sha256);
      return many(100, () => Number(rng.next() % 100n));
    },
    () => tests.numbers('testRNG2', 'expectedNumbers'),
  );
  await same(
    'integers in a range',
    () => ((rng) => many(100, () => rng.nextBelow(10) + 1))(wolf()),
    () => tests.numbers('testRNG3', 'expectedNumbers'),
  );
  await same(
    'sampler',
    () => {
      const [rng, sampler] = [wolf(), new chooser.RandomSampler([1, 2, 4, 8])];
      return many(500, () => sampler.next(() => rng.nextDouble()));
    },
    () => tests.numbers('testRandomSampler', 'expectedSamples'),
  );
  await tally.check('fragment length', () => encoding.fragmentLength(12345, 1955, 1005) === 1764);
  await tally.check('one fragment', () => encoding.fragmentLength(12345, 30000, 1005) === 12345);
  await same(
    'partition',
    () =>
      encoding.cutIntoFragments(message(1024), encoding.fragmentLength(1024, 100)).map(tools.toHex),
    () => tests.lists('testPartitionAndJoin', 'expectedFragments'),
  );
  await same(
    'degrees',
    () => {
      const [rng, degrees] = [wolf(), new chooser.FragmentChooser(11, 0, sha256)];
      return many(1000, () => degrees.degree(rng));
    },
    () => tests.numbers('testDegreeChooser', 'expectedDegrees'),
  );
  await same(
    'shuffle',
    () =>
      many(10, (i) =>
        chooser.shuffled(
          many(10, (j) => j + 1),
          wolf(),
          i + 1,
        ),
      ),
    () => tests.lists('testShuffle', 'expectedResult'),
  );
  await same(
    'chosen fragments',
    () => {
      const choosing = new chooser.FragmentChooser(11, crc32(message(1024)), sha256);
      return many(50, (i) => [...choosing.choose(i + 1)].sort((a, b) => a - b));
    },
    () => tests.lists('testFragmentChooser', 'expectedFragmentIndexes'),
  );
  // Its numbers do not fit together, so that it can be written but not read.
  await tally.check('part as CBOR', () => {
    const data = Uint8Array.of(1, 5, 3, 3, 5);
    const part = { number: 12, fragments: 8, messageLength: 100, checksum: 0x12345678, data };
    return tools.toHex(parts.encodePart(part)) === '850c0818641a12345678450105030305';
  });
  await same(
    'parts of the encoder',
    () => {
      const encoder = new encoding.FountainEncoder(message(256), 30, sha256);
      return many(20, (i) => tools.toHex(parts.encodePart(encoder.part(i + 1))));
    },
    () => tests.lists('testEncoderCBOR', 'expectedParts'),
  );
  await tally.check('decoder, from part 101 on', () => {
    const sent = message(32767);
    const encoder = new encoding.FountainEncoder(sent, 1000, sha256);
    const decoder = new FountainDecoder(encoder.part(101), sha256);
    for (let number = 101; !decoder.complete; number++) decoder.take(encoder.part(number));
    return tools.equal(decoder.message(), sent);
  });
  return tally.result();
}

/** Each part of a recorded scan, wherever the recording breaks its lines. */
async function recordedScan(path, tools) {
  const tally = tools.tally();
  const { Receiver } = await tools.load('carriage/transport/receiver');
  await tally.check('recorded scan', () => {
    const receiver = new Receiver(sha256);
    const parts = tools
      .text(path)
      .replaceAll(/\s/g, '')
      .split(/(?=B\$ZU08)/);
    // Some of the recorded parts are cut off where the recording began and ended.
    const whole = Math.max(...parts.map((part) => part.length));
    for (const part of parts) {
      const last = part.startsWith('B$ZU0807');
      if (part.length !== whole && !last) continue;
      const step = receiver.take(part, 'part');
      if (step.status === 'arrived') return step.arrival.bytes.length === 12518;
    }
    return false;
  });
  return tally.result();
}

/** A picture of a code. A BBQr code has to be a part of one, the other holds digits. */
async function picture(path, tools) {
  const tally = tools.tally();
  const { readPicture } = await tools.load('carriage/transport/picture');
  const { zxingReader } = await tools.load('carriage/transport/qr-reader');
  const { decodeBbqrPart, looksLikeBbqr } = await tools.load('carriage/transport/bbqr');
  const wasm = fileURLToPath(import.meta.resolve('zxing-wasm/reader/zxing_reader.wasm'));
  const reader = await zxingReader(readFileSync(wasm));
  await tally.check(path, async () => {
    const [code] = await reader.read(await readPicture(tools.bytes(path), path));
    if (!looksLikeBbqr(code.text)) return /^[0-9]+$/.test(code.text);
    return decodeBbqrPart(code.text, path).data.length > 0;
  });
  return tally.result();
}

/** A file that travels: through our parts, every second lost. Longer ones than we carry are refused. */
async function payload(path, tools) {
  const tally = tools.tally();
  const { encodeFilePayload } = await tools.load('carriage/transport/payload');
  const { FountainEncoder } = await tools.load('carriage/transport/fountain-encoder');
  const { encodeUrPart } = await tools.load('carriage/transport/ur');
  const { Receiver } = await tools.load('carriage/transport/receiver');
  const bytes = tools.bytes(path);
  const file = { kind: 'file', name: 'payload', bytes };
  if (bytes.length > 64 * 1024) {
    await tally.refused(path, () => encodeFilePayload(file, sha256));
    return tally.result();
  }
  await tally.check(path, () => {
    const encoder = new FountainEncoder(encodeFilePayload(file, sha256), 200, sha256);
    const receiver = new Receiver(sha256);
    for (let number = 1; number < 2000; number += 2) {
      const step = receiver.take(encodeUrPart('conclave-file', encoder.part(number)), 'part');
      if (step.status === 'arrived') return tools.equal(step.arrival.bytes, bytes);
    }
    return false;
  });
  return tally.result();
}

export const files = [
  { pattern: /^bc-ur\/bcr-2020-00[56]-.*\.md$/, run: uniformResources },
  { pattern: /^bc-ur\/bcr-2020-012-bytewords\.md$/, run: bytewords },
  { pattern: /^bc-ur\/bcr-2024-001-multipart-ur\.md$/, run: multipart },
  { pattern: /^bbqr\/test_data\/real-scan\.txt$/, run: recordedScan },
  { pattern: /^bbqr\/test_data\/.*\.(?:psbt|txn)$/, run: payload },
  { pattern: /^bbqr\/[^/]+\.png$/, run: picture },
  // The specification and its licence hold no vectors.
  { pattern: /^bbqr\/(?:BBQr|UNLICENSE)\.md$/, companion: true },
];
