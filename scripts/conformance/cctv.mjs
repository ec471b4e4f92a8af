/** C2SP CCTV: edge cases of Ed25519, ML-KEM and ML-DSA. */
import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { basename } from 'node:path';

export const area = 'cctv';

/**
 * RFC 8032 §5.1.7 with the cofactored equation, besides public keys of small order, under which any message verifies.
 * (A small R needs no refusal: with a sound key it is the signer's own doing.)
 */
const REFUSED = ['low_order_A', 'non_canonical_A', 'non_canonical_R'];

async function ed25519(path, tools) {
  const tally = tools.tally();
  const { implementation } = await tools.algorithm('ed25519');
  for (const { number, key, sig, msg, flags } of tools.json(path)) {
    const expected = !(flags ?? []).some((flag) => REFUSED.includes(flag));
    await tally.check(
      number,
      () => implementation.verify(tools.hex(sig), tools.utf8(msg), tools.hex(key)) === expected,
    );
  }
  return tally.result();
}

/** `name = hex` lines; a name that comes again keeps its last value. */
function values(text) {
  return new Map(
    text
      .split('\n')
      .map((line) => line.split(' = '))
      .filter((parts) => parts.length === 2),
  );
}

function kemOf(path, tools) {
  return tools.algorithm(
    basename(path)
      .replace(/\.txt(\.gz)?$/, '')
      .toLowerCase(),
  );
}

/** Whether ek comes from SHA3-512(d), as in the draft, and not from SHA3-512(d ‖ k). */
function madeForDraft(hex) {
  const rho = createHash('sha3-512').update(hex('d')).digest().subarray(0, 32);
  return Buffer.compare(rho, hex('ek').subarray(-32)) === 0;
}

/** Key generation, encapsulation and decapsulation from d, z, m, as far as the file gives them. */
async function mlKem(path, tools) {
  const tally = tools.tally();
  const { implementation: kem } = await kemOf(path, tools);
  const value = values(tools.text(path));
  const hex = (name) => tools.hex(value.get(name));
  const { equal } = tools;
  const made = () => kem.encapsulate(hex('ek'), () => hex('m'));
  if (value.has('m')) {
    await tally.check('c', () => equal(made().ciphertext, hex('c')));
    await tally.check('K', () => equal(made().sharedSecret, hex('K')));
  }
  const decapsulate = () => kem.expanded.decapsulate(hex('c'), hex('dk'));
  await tally.check('K from c', () => equal(decapsulate(), hex('K')));
  if (madeForDraft(hex)) {
    tally.skip('key generation of the draft, before FIPS 203 hashed the parameter set as well');
  } else if (value.has('d')) {
    const seed = tools.hex(value.get('d') + value.get('z'));
    await tally.check('ek', () => equal(kem.publicKey(seed), hex('ek')));
    await tally.check('dk', () => equal(kem.expanded.from(seed), hex('dk')));
  }
  if (value.has('ρ')) tally.skip('intermediate values inside K-PKE are not visible', 1);
  return tally.result();
}

async function modulus(path, tools) {
  const tally = tools.tally();
  const { implementation: kem } = await kemOf(path, tools);
  const keys = gunzipSync(tools.bytes(path)).toString('latin1').trim().split('\n');
  for (const [i, key] of keys.entries()) {
    await tally.refused(`line ${i + 1}`, () =>
      kem.encapsulate(tools.hex(key), (length) => new Uint8Array(length)),
    );
  }
  return tally.result();
}

const ITERATIONS = 100;

/** Key, deterministic signature and verification of a chain of seeds, hashed as the README says. */
async function accumulated(path, tools) {
  const tally = tools.tally();
  const sections = tools.text(path).split(/^### /m).slice(1);
  for (const section of sections) {
    const name = /^ML-DSA-\d+/.exec(section)?.[0];
    const expected = /^- 100 iterations: `([0-9a-f]{64})`/m.exec(section)?.[1];
    if (name === undefined || expected === undefined) continue;
    const { implementation } = await tools.algorithm(name.toLowerCase());
    const seeds = createHash('shake128', { outputLength: 32 * ITERATIONS }).digest();
    const hash = createHash('shake128', { outputLength: 32 });
    const message = new Uint8Array(0);
    await tally.check(name, () => {
      for (let i = 0; i < ITERATIONS; i++) {
        const seed = new Uint8Array(seeds.subarray(32 * i, 32 * (i + 1)));
        const publicKey = implementation.publicKey(seed);
        const signature = implementation.sign(message, seed);
        if (!implementation.verify(signature, message, publicKey)) return false;
        hash.update(publicKey).update(signature);
      }
      return hash.digest('hex') === expected;
    });
    tally.note('sampled: the chains of 100 iterations, not those of 10,000 and of 60,000,000');
  }
  tally.skip('field operations are not visible');
  return tally.result();
}

/** The one vector whose first nonce RFC 6979 has to reject. */
async function rfc6979(path, tools) {
  const tally = tools.tally();
  const text = tools.text(path);
  const value = (name) => new RegExp(`^${name} = ([0-9A-F]+)$`, 'm').exec(text)[1];
  const message = /message = "([^"]+)"/.exec(text)[1];
  const { implementation } = await tools.algorithm('p256');
  await tally.check('a nonce is rejected', () => {
    const made = implementation.sign(tools.utf8(message), tools.hex(value('x')));
    return tools.equal(made, tools.hex(value('r') + value('s')));
  });
  return tally.result();
}

export const files = [
  { pattern: /^ed25519\/ed25519vectors\.json$/, run: ed25519 },
  { pattern: /^ML-KEM\/(?:intermediate|strcmp|unluckysample)\/ML-KEM-\d+\.txt$/, run: mlKem },
  { pattern: /^ML-KEM\/modulus\/ML-KEM-\d+\.txt\.gz$/, run: modulus },
  { pattern: /^ML-DSA\/accumulated\/README\.md$/, run: accumulated },
  { pattern: /^RFC6979\/README\.md$/, run: rfc6979 },
];
