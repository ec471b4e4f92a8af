/**
 * HPKE: the PQ draft's suites with a KEM of ours and an HKDF, and those of RFC 9180, whose KEM is put together from the program's
 * key agreements. conclave has base mode only: of the other modes everything but the key schedule is run.
 */
import { createHash } from 'node:crypto';
import { dhkem } from './tools/dhkem.mjs';

export const area = 'hpke';

const KEMS = {
  0x40: 'ml-kem-512',
  0x41: 'ml-kem-768',
  0x42: 'ml-kem-1024',
  0x51: 'ml-kem-1024+p384',
  0x647a: 'x-wing',
};
const HKDFS = [1, 2, 3];
const HASHES = { 1: 'sha256', 2: 'sha384', 3: 'sha512' };
const AEADS = [1, 2, 3];
const EXPORT_ONLY = 0xffff;
const OTHER_MODE = 'the key schedule of other modes than base';
const NO_AEAD = 'suites without an AEAD';

async function pq(path, tools) {
  const tally = tools.tally();
  const { keySchedule, openHpke, sealHpke } = await tools.load('carriage/wrapping/hpke');
  const { equal, hex } = tools;
  for (const test of tools.json(path)) {
    const name = KEMS[test.kem_id];
    const missing = !HKDFS.includes(test.kdf_id)
      ? 'KDFs other than HKDF'
      : name === undefined
        ? `the KEM 0x${test.kem_id.toString(16)}`
        : test.mode !== 0
          ? OTHER_MODE
          : !AEADS.includes(test.aead_id)
            ? NO_AEAD
            : undefined;
    if (missing !== undefined) {
      tally.outside(missing);
      continue;
    }
    const { descriptor, implementation: kem } = await tools.algorithm(name);
    const suite = { kdf: test.kdf_id, aead: test.aead_id };
    const id = (part) => `${test.kem_id}/${test.kdf_id}/${test.aead_id}: ${part}`;
    const [skR, pkR, info, enc] = [test.skRm, test.pkRm, test.info, test.enc].map(hex);
    const random = () => hex(test.ikmE);
    await tally.check(id('skRm'), () => equal(kem.deriveKeyPair(hex(test.ikmR)), skR));
    await tally.check(id('pkRm'), () => equal(kem.publicKey(skR), pkR));
    await tally.check(id('enc, shared_secret'), () => {
      const made = kem.encapsulate(pkR, random);
      return equal(made.ciphertext, enc) && equal(made.sharedSecret, hex(test.shared_secret));
    });
    await tally.check(id('key schedule'), () => {
      const context = keySchedule(descriptor, suite, kem.decapsulate(enc, skR), info);
      return (
        equal(context.key, hex(test.key)) &&
        equal(context.baseNonce, hex(test.base_nonce)) &&
        equal(context.exporterSecret, hex(test.exporter_secret))
      );
    });
    const [first, ...later] = test.encryptions;
    const [aad, plaintext, ct] = [first.aad, first.pt, first.ct].map(hex);
    await tally.check(id('seal'), async () => {
      const common = { descriptor, suite, info, aad };
      const sealed = await sealHpke({ ...common, publicKey: pkR, plaintext, random });
      return equal(sealed.enc, enc) && equal(sealed.sealed, ct);
    });
    await tally.check(id('open'), async () => {
      const common = { descriptor, suite, info, aad, what: 'test' };
      return equal(await openHpke({ ...common, secret: skR, enc, sealed: ct }), plaintext);
    });
    const context = keySchedule(descriptor, suite, kem.decapsulate(enc, skR), info);
    await messages(tally, tools, id, suite, context, later);
    await exported(tally, tools, id, test, context.exporterSecret);
  }
  return tally.result();
}

/** Messages of one context: each under its key, with the nonce that follows from its number. */
async function messages(tally, tools, id, suite, { key, baseNonce }, tests) {
  const { aesGcmOpen, aesGcmSeal, chaChaPolyOpen, chaChaPolySeal } =
    await tools.load('crypto/aead');
  const { equal, hex } = tools;
  const [seal, open] =
    suite.aead === 3 ? [chaChaPolySeal, chaChaPolyOpen] : [aesGcmSeal, aesGcmOpen];
  for (const test of tests) {
    const [nonce, aad, plaintext, ct] = [test.nonce, test.aad, test.pt, test.ct].map(hex);
    // A number below 2^16, or the nonce belongs to another context.
    const isOurs = nonce.slice(0, 10).every((byte, i) => byte === baseNonce[i]);
    await tally.check(
      id(`message ${test.nonce}`),
      () =>
        isOurs &&
        equal(seal(key, nonce, plaintext, aad), ct) &&
        equal(open(key, nonce, ct, aad, 'test'), plaintext),
    );
  }
}

/**
 * RFC 9180 §5.3: what follows from an exporter secret. The program makes that secret and exports nothing from it, so the last
 * step is made here, with its HKDF.
 */
async function exporterOf({ kem_id: kem, kdf_id: kdf, aead_id: aead }, secret, tools) {
  const { hkdfExpand } = await tools.load('crypto/hash');
  const { concat, u16be } = await tools.load('formats/bytes');
  const label = concat(tools.utf8('HPKE-v1HPKE'), u16be(kem), u16be(kdf), u16be(aead));
  return (context, length) => {
    const info = concat(u16be(length), label, tools.utf8('sec'), context);
    return hkdfExpand(HASHES[kdf], secret, info, length);
  };
}

async function exported(tally, tools, id, test, secret) {
  const exportOf = await exporterOf(test, secret, tools);
  for (const { exporter_context: context, L, exported_value: value } of test.exports) {
    await tally.check(id(`export of ${JSON.stringify(context)}`), () =>
      tools.equal(exportOf(tools.hex(context), L), tools.hex(value)),
    );
  }
}

const caseId = (test) => {
  const suite = `mode ${test.mode}, ${test.kem_id}/${test.kdf_id}/${test.aead_id}`;
  return (part) => `${suite}: ${part}`;
};

/** Key pairs, what is sent, and the shared secret on both sides; the sender's key in the modes that have one. */
async function encapsulation(tally, tools, id, kem, test) {
  const { equal, hex } = tools;
  const [skR, pkR, enc] = [test.skRm, test.pkRm, test.enc].map(hex);
  const skE = kem.deriveKeyPair(hex(test.ikmE));
  const skS = test.skSm === undefined ? undefined : hex(test.skSm);
  await tally.check(id('skRm, pkRm'), () => {
    const isDerived = equal(kem.deriveKeyPair(hex(test.ikmR)), skR);
    return isDerived && equal(kem.publicKey(skR), pkR);
  });
  const made = kem.encapsulate(pkR, skE, skS);
  const opened = kem.decapsulate(enc, skR, skS === undefined ? undefined : kem.publicKey(skS));
  await tally.check(
    id('enc, shared_secret'),
    () =>
      equal(made.ciphertext, enc) &&
      equal(made.sharedSecret, opened) &&
      (test.shared_secret === undefined || equal(opened, hex(test.shared_secret))),
  );
  return opened;
}

async function rfc9180(path, tools) {
  const tally = tools.tally();
  const { keySchedule } = await tools.load('carriage/wrapping/hpke');
  const { equal, hex } = tools;
  for (const test of tools.json(path)) {
    const id = caseId(test);
    const kem = await dhkem(test.kem_id, tools);
    const shared = await encapsulation(tally, tools, id, kem, test);
    const suite = { kdf: test.kdf_id, aead: test.aead_id };
    const isOffered = test.mode === 0 && AEADS.includes(test.aead_id);
    if (isOffered) {
      const descriptor = { name: `KEM ${test.kem_id}`, hpkeKem: test.kem_id };
      const context = keySchedule(descriptor, suite, shared, hex(test.info));
      await tally.check(
        id('key schedule'),
        () =>
          equal(context.key, hex(test.key)) &&
          equal(context.baseNonce, hex(test.base_nonce)) &&
          equal(context.exporterSecret, hex(test.exporter_secret)),
      );
    } else {
      tally.outside(test.mode === 0 ? NO_AEAD : OTHER_MODE);
    }
    const given = { key: hex(test.key), baseNonce: hex(test.base_nonce) };
    await messages(tally, tools, id, suite, given, test.encryptions ?? []);
    await exported(tally, tools, id, test, hex(test.exporter_secret));
  }
  return tally.result();
}

/** A stream of SHAKE128 that gives strings of random length: each begins with a byte that says how long it is. */
function strings() {
  const stream = createHash('shake128', { outputLength: 2 ** 19 }).digest();
  let at = 0;
  return () => {
    const length = stream[at++];
    at += length;
    return new Uint8Array(stream.subarray(at - length, at));
  };
}

/** A thousand messages, and exports of 0 to 999 bytes, each told by 16 bytes of SHAKE128 over all that came out. */
async function accumulated(path, tools) {
  const tally = tools.tally();
  const { keySchedule } = await tools.load('carriage/wrapping/hpke');
  const { aesGcmOpen, aesGcmSeal, chaChaPolyOpen, chaChaPolySeal } =
    await tools.load('crypto/aead');
  const { equal, hex, toHex } = tools;
  for (const test of tools.json(path)) {
    const id = caseId(test);
    const kem = await dhkem(test.kem_id, tools);
    const shared = await encapsulation(tally, tools, id, kem, test);
    if (test.mode !== 0 || test.aead_id === EXPORT_ONLY) {
      tally.outside(test.mode === 0 ? NO_AEAD : OTHER_MODE, 2);
      continue;
    }
    const suite = { kdf: test.kdf_id, aead: test.aead_id };
    const descriptor = { name: `KEM ${test.kem_id}`, hpkeKem: test.kem_id };
    const context = keySchedule(descriptor, suite, shared, hex(test.info));
    const [seal, open] =
      suite.aead === 3 ? [chaChaPolySeal, chaChaPolyOpen] : [aesGcmSeal, aesGcmOpen];
    await tally.check(id('a thousand messages'), () => {
      const next = strings();
      const sum = createHash('shake128', { outputLength: 16 });
      for (let number = 0; number < 1000; number++) {
        const nonce = context.baseNonce.slice();
        nonce[10] ^= number >> 8;
        nonce[11] ^= number & 0xff;
        const [aad, plaintext] = [next(), next()];
        const sealed = seal(context.key, nonce, plaintext, aad);
        if (!equal(open(context.key, nonce, sealed, aad, 'test'), plaintext)) return false;
        sum.update(sealed);
      }
      return toHex(sum.digest()) === test.encryptions_accumulated;
    });
    const exportOf = await exporterOf(test, context.exporterSecret, tools);
    await tally.check(id('a thousand exports'), () => {
      const next = strings();
      const sum = createHash('shake128', { outputLength: 16 });
      for (let length = 0; length < 1000; length++) sum.update(exportOf(next(), length));
      return toHex(sum.digest()) === test.exports_accumulated;
    });
  }
  return tally.result();
}

export const files = [
  { pattern: /^hpke-pq\.json$/, run: pq },
  { pattern: /^rfc9180-appendix-a\.json$/, run: rfc9180 },
  { pattern: /^rfc9180-accumulated\.json$/, run: accumulated },
];
