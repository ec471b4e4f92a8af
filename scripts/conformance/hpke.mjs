/**
 * HPKE: the PQ draft's suites with a KEM of ours and an HKDF. RFC 9180's own suites have other KEMs: from their shared secrets on,
 * key schedule and AEAD are run as well.
 */
export const area = 'hpke';

const KEMS = {
  0x40: 'ml-kem-512',
  0x41: 'ml-kem-768',
  0x42: 'ml-kem-1024',
  0x51: 'ml-kem-1024+p384',
  0x647a: 'x-wing',
};
const HKDFS = [1, 2, 3];
const AEADS = [1, 2, 3];

async function pq(path, tools) {
  const tally = tools.tally();
  const { keySchedule, openHpke, sealHpke } = await tools.load('carriage/wrapping/hpke');
  const { equal, hex } = tools;
  for (const test of tools.json(path)) {
    const name = KEMS[test.kem_id];
    const why =
      name === undefined
        ? 'its KEM is not yet in the registry'
        : !HKDFS.includes(test.kdf_id)
          ? 'its KDF is not offered'
          : test.mode !== 0
            ? 'only base mode is offered'
            : !AEADS.includes(test.aead_id)
              ? 'export-only suites are not offered'
              : undefined;
    if (why !== undefined) {
      tally.skip(why);
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
    tally.skip('the exporter is not offered', test.exports.length);
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

async function rfc9180(path, tools) {
  const tally = tools.tally();
  const { keySchedule } = await tools.load('carriage/wrapping/hpke');
  const { equal, hex } = tools;
  for (const test of tools.json(path)) {
    if (test.mode !== 0 || !AEADS.includes(test.aead_id)) {
      tally.skip(
        test.mode === 0 ? 'export-only suites are not offered' : 'only base mode is offered',
      );
      continue;
    }
    const suite = { kdf: test.kdf_id, aead: test.aead_id };
    const id = (part) => `${test.kem_id}/${test.kdf_id}/${test.aead_id}: ${part}`;
    const kem = { name: `KEM ${test.kem_id}`, hpkeKem: test.kem_id };
    const context = keySchedule(kem, suite, hex(test.shared_secret), hex(test.info));
    await tally.check(
      id('key schedule'),
      () =>
        equal(context.key, hex(test.key)) &&
        equal(context.baseNonce, hex(test.base_nonce)) &&
        equal(context.exporterSecret, hex(test.exporter_secret)),
    );
    await messages(tally, tools, id, suite, context, test.encryptions);
    tally.skip('its KEM is not offered: classical alone');
    tally.skip('the exporter is not offered', test.exports.length);
  }
  return tally.result();
}

function accumulated(path, tools) {
  const tally = tools.tally();
  tally.skip('its KEMs are not offered: classical alone', tools.json(path).length);
  return tally.result();
}

export const files = [
  { pattern: /^hpke-pq\.json$/, run: pq },
  { pattern: /^rfc9180-appendix-a\.json$/, run: rfc9180 },
  { pattern: /^rfc9180-accumulated\.json$/, run: accumulated },
];
