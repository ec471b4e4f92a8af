/** age: the test kit of C2SP, every case of it: armor, header, stanzas, payload. */
import { createHash } from 'node:crypto';
import { inflateSync } from 'node:zlib';

export const area = 'age';

/** `name: value` lines, an empty line, the file. */
function parse(bytes) {
  const end = bytes.indexOf('\n\n');
  const fields = new Map();
  for (const line of bytes.subarray(0, end).toString('utf8').split('\n')) {
    const colon = line.indexOf(': ');
    const name = line.slice(0, colon);
    fields.set(name, [...(fields.get(name) ?? []), line.slice(colon + 2)]);
  }
  const body = bytes.subarray(end + 2);
  return { fields, file: fields.has('compressed') ? inflateSync(body) : body };
}

/** What the errors of the reader are called by the test kit. */
function nameOf(error, inPayload) {
  if (error.code === 'E_AGE_ARMOR') return 'armor failure';
  if (error.code === 'E_AGE_MALFORMED') return 'header failure';
  if (error.code === 'E_PASSPHRASE_WRONG' || error.code === 'E_WRAPPED_SEALED') return 'no match';
  if (error.code !== 'E_NOT_AUTHENTIC') throw error;
  return inPayload ? 'payload failure' : 'no match';
}

/** A header that was changed and one for somebody else are one answer, on purpose. */
const alias = (name) => (name === 'HMAC failure' ? 'no match' : name);

async function testCase(path, tools) {
  const tally = tools.tally();
  const { format } = await tools.load('carriage/wrapping/age');
  const { sourceOf } = await tools.load('formats/byte-stream');
  const { readIdentities } = await tools.load('carriage/wrapping/age-keys');
  const { SecretBytes } = await tools.load('formats/secret-bytes');
  const { keyId } = await tools.load('crypto/key-id');
  const { fields, file } = parse(Buffer.from(tools.bytes(path)));
  const keys = [];
  for (const identity of fields.get('identity') ?? []) {
    const [{ descriptor, secret }] = readIdentities(Buffer.from(identity), 'identity');
    const implementation = await descriptor.load();
    const publicKey = secret.use((bytes) => implementation.publicKey(bytes));
    keys.push({ descriptor, secret, publicKey, id: keyId(descriptor, publicKey) });
  }
  const passphrases = fields.get('passphrase') ?? [];
  let inPayload = false;
  const openers = {
    keys: () => Promise.resolve(keys),
    passphrase: (attempt) =>
      Promise.resolve(
        passphrases[attempt] === undefined
          ? undefined
          : SecretBytes.copyOf(Buffer.from(passphrases[attempt]), 'passphrase'),
      ),
  };
  const digest = createHash('sha256');
  let result = 'success';
  try {
    const opened = await format.unwrap({ source: sourceOf(file), name: 'case', openers });
    inPayload = true;
    const piece = new Uint8Array(4096);
    for (let count; (count = opened.source.read(piece, 0)) > 0;) {
      digest.update(piece.subarray(0, count));
    }
  } catch (error) {
    result = nameOf(error, inPayload);
  }
  const [expected] = fields.get('expect');
  await tally.check(`${expected}, not ${result}`, () => result === alias(expected));
  const [payload] = fields.get('payload') ?? [];
  if (payload !== undefined) {
    await tally.check('the payload that was released', () => digest.digest('hex') === payload);
  }
  return tally.result();
}

export const files = [
  { pattern: /^README-cctv-age\.md$/, companion: true },
  { pattern: /^SOURCES\.md$/, companion: true },
  { pattern: /^[a-z0-9_]+$/, run: testCase },
];
