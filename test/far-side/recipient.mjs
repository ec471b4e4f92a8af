/**
 * A recipient of a container who has never seen conclave: it opens what `conclave wrap` writes by default, from docs/spec/container.md
 * alone, with node:crypto of a Node that has ML-KEM (24.7 and later) and nothing else.
 *
 *   node recipient.mjs PRIVATE.pem CONTAINER [OUT]
 *
 * PRIVATE.pem is an X-Wing key as PKCS#8. Prints JSON: the header, and for a key what its record says and its raw private form;
 * the content of a file goes to OUT. Anything that is not as it should be ends it with an error.
 */
import {
  createDecipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  decapsulate,
  diffieHellman,
  hkdfSync,
  timingSafeEqual,
} from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';

const [keyPath, containerPath, out] = process.argv.slice(2);
const MAGIC = Buffer.from('conclave container 1\n');
const X_WING = 0x647a;
const [ENC, TAG, CONTENT_KEY] = [1120, 16, 32];

const assert = (holds, what) => {
  if (!holds) throw new Error(what);
};
const sha256 = (...parts) =>
  parts.reduce((sum, part) => sum.update(part), createHash('sha256')).digest();
const u16 = (value) => Buffer.from([value >> 8, value & 0xff]);
const hex = (text) => Buffer.from(text, 'hex');

/** draft-connolly-cfrg-xwing-kem §5: the seed, expanded, is an ML-KEM-768 seed and an X25519 key. */
function xWing(seed) {
  const expanded = createHash('shake256', { outputLength: 96 }).update(seed).digest();
  const der = (prefix, bytes) => Buffer.concat([hex(prefix), bytes]);
  const mlKem = createPrivateKey({
    key: der('3054020100300b060960864801650304040204428040', expanded.subarray(0, 64)),
    format: 'der',
    type: 'pkcs8',
  });
  const x25519 = createPrivateKey({
    key: der('302e020100300506032b656e04220420', expanded.subarray(64)),
    format: 'der',
    type: 'pkcs8',
  });
  const raw = (key) => createPublicKey(key).export({ format: 'der', type: 'spki' });
  const pkX = raw(x25519).subarray(-32);
  const pk = Buffer.concat([raw(mlKem).subarray(-1184), pkX]);
  return {
    id: sha256('conclave-key-v1\0x-wing\0\0', pk).toString('hex'),
    decapsulate(enc) {
      const [ctM, ctX] = [enc.subarray(0, 1088), enc.subarray(1088)];
      const theirs = createPublicKey({
        key: der('302a300506032b656e032100', ctX),
        format: 'der',
        type: 'spki',
      });
      const ssX = diffieHellman({ privateKey: x25519, publicKey: theirs });
      const ssM = decapsulate(mlKem, ctM);
      const label = Buffer.from('\\.//^\\');
      return createHash('sha3-256')
        .update(Buffer.concat([ssM, ssX, ctX, pkX, label]))
        .digest();
    },
  };
}

/** RFC 9180 §5.1, base mode, HKDF-SHA256 and AES-256-GCM: one message. */
function hpkeOpen(shared, info, aad, sealed) {
  const suite = Buffer.concat([Buffer.from('HPKE'), u16(X_WING), u16(1), u16(2)]);
  const hmac = (key, ...parts) =>
    parts.reduce((mac, part) => mac.update(part), createHmac('sha256', key)).digest();
  const extract = (salt, label, ikm) => hmac(salt, 'HPKE-v1', suite, label, ikm);
  const context = Buffer.concat([
    Buffer.from([0]),
    extract('', 'psk_id_hash', ''),
    extract('', 'info_hash', info),
  ]);
  const secret = extract(shared, 'secret', '');
  // Neither output is longer than one block of HKDF-Expand.
  const expand = (label, length) =>
    hmac(secret, u16(length), 'HPKE-v1', suite, label, context, Buffer.from([1])).subarray(
      0,
      length,
    );
  return gcmOpen(expand('key', 32), expand('base_nonce', 12), aad, sealed);
}

function gcmOpen(key, nonce, aad, sealed) {
  const cipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG });
  cipher.setAAD(aad);
  cipher.setAuthTag(sealed.subarray(-TAG));
  return Buffer.concat([cipher.update(sealed.subarray(0, -TAG)), cipher.final()]);
}

/** All of the plaintext, section 2 or 3. */
function contentOf(header, prefix, rest, recipient) {
  const sizes = header.recipients.map(({ bytes }) => bytes);
  const at = header.recipients.findIndex(({ id, kem }) => id === recipient.id && kem === X_WING);
  assert(at >= 0, 'it is sealed to other keys');
  const start = sizes.slice(0, at).reduce((sum, bytes) => sum + bytes, 0);
  const part = rest.subarray(start, start + sizes[at]);
  const shared = recipient.decapsulate(part.subarray(0, ENC));
  if (header.body === 'single') {
    assert(sizes.length === 1 && sizes[0] === ENC, 'one recipient, and its enc');
    return hpkeOpen(shared, 'conclave/container/v1/single', prefix, rest.subarray(ENC));
  }
  assert(sizes[at] === ENC + CONTENT_KEY + TAG, 'enc and a content key');
  const contentKey = hpkeOpen(
    shared,
    'conclave/container/v1/content-key',
    prefix,
    part.subarray(ENC),
  );
  const end = sizes.reduce((sum, bytes) => sum + bytes, 0);
  const salt = sha256(prefix, rest.subarray(0, end));
  const derived = Buffer.from(
    hkdfSync('sha256', contentKey, salt, 'conclave/container/v1/payload', 64),
  );
  const commitment = rest.subarray(end, end + 32);
  assert(timingSafeEqual(derived.subarray(32), commitment), 'the commitment');
  const body = rest.subarray(end + 32);
  const size = header.chunk + TAG;
  const count = Math.max(1, Math.ceil(body.length / size));
  return Buffer.concat(
    Array.from({ length: count }, (_, i) => {
      const nonce = Buffer.alloc(12);
      nonce.writeUInt32BE(i, 7);
      nonce[11] = i === count - 1 ? 1 : 0;
      const none = Buffer.alloc(0);
      return gcmOpen(derived.subarray(0, 32), nonce, none, body.subarray(i * size, (i + 1) * size));
    }),
  );
}

/** `[1, record, private]` in deterministic CBOR: the only shapes that section 4 needs. */
function keyPackage(bytes) {
  assert(bytes[0] === 0x83 && bytes[1] === 0x01, 'three members, the first of them 1');
  let at = 2;
  const text = () => {
    const head = bytes[at++];
    assert(head >> 5 === 2, 'a byte string');
    const short = head & 0x1f;
    const width = short < 24 ? 0 : 2 ** (short - 24);
    const length = width === 0 ? short : bytes.readUIntBE(at, width);
    at += width + length;
    return bytes.subarray(at - length, at);
  };
  const [record, secret] = [text(), text()];
  assert(at === bytes.length, 'and no more');
  return { record: JSON.parse(record.toString()), secret };
}

const pem = readFileSync(keyPath, 'latin1').replace(/-----[^\n]*-----|\s/g, '');
// PKCS#8 of X-Wing ends with its 32-byte seed.
const recipient = xWing(Buffer.from(pem, 'base64').subarray(-32));
const container = readFileSync(containerPath);
assert(container.subarray(0, MAGIC.length).equals(MAGIC), 'no container of version 1');
const end = container.indexOf(0x0a, MAGIC.length) + 1;
const prefix = container.subarray(0, end);
const header = JSON.parse(prefix.subarray(MAGIC.length).toString());
assert(header.suite.kdf === 1 && header.suite.aead === 2, 'another suite');
const content = contentOf(header, prefix, container.subarray(end), recipient);
if (header.content === 'key') {
  const { record, secret } = keyPackage(content);
  process.stdout.write(JSON.stringify({ header, record, private: secret.toString('hex') }));
} else {
  if (out !== undefined) writeFileSync(out, content);
  process.stdout.write(JSON.stringify({ header, bytes: content.length }));
}
