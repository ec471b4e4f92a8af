/** Project Wycheproof, testvectors_v1. */
export const area = 'wycheproof';

/** Runs `one` over every test of every group. */
function groups(one) {
  return async (path, tools) => {
    const tally = tools.tally();
    const file = tools.json(path);
    for (const group of file.testGroups) {
      for (const test of group.tests) await one(test, group, tally, tools, file);
    }
    return tally.result();
  };
}

async function ed25519(test, group, tally, tools) {
  const { decodeSpki } = await tools.load('crypto/encodings/spki');
  const { implementation } = await tools.algorithm('ed25519');
  await tally.check(test.tcId, async () => {
    const { publicKey } = await decodeSpki(tools.hex(group.publicKeyDer), 'key');
    const holds = implementation.verify(tools.hex(test.sig), tools.hex(test.msg), publicKey);
    return holds === (test.result === 'valid');
  });
}

async function ed448(test, group, tally, tools) {
  const { decodeSpki } = await tools.load('crypto/encodings/spki');
  const { implementation } = await tools.algorithm('ed448');
  await tally.check(test.tcId, async () => {
    const { publicKey } = await decodeSpki(
      tools.hex(group.publicKey.publicKeyDer ?? group.publicKeyDer),
      'key',
    );
    const holds = implementation.verify(tools.hex(test.sig), tools.hex(test.msg), publicKey);
    return holds === (test.result === 'valid');
  });
}

/** `SHA-512/256`, `SHA3-256` … in the spelling of signature options. */
const hashName = (sha) =>
  sha.startsWith('SHA3-') || sha.startsWith('SHAKE')
    ? sha.toLowerCase()
    : sha.replace('SHA-', 'sha').replace('/', '-').toLowerCase();

const CURVES = {
  secp256r1: 'p256',
  secp384r1: 'p384',
  secp521r1: 'p521',
  secp256k1: 'secp256k1',
};

/** Bitcoin's rule is one more option: a high s is refused. */
function ecdsa(encoding, lowS) {
  return groups(async (test, group, tally, tools) => {
    const name = CURVES[group.publicKey.curve];
    if (name === undefined) return tally.skip(`the curve ${group.publicKey.curve} is not offered`);
    const { descriptor, implementation } = await tools.algorithm(name);
    const hash = hashName(group.sha);
    if (!descriptor.signing.hashes.includes(hash)) {
      return tally.skip(`ECDSA with ${group.sha} is not offered`);
    }
    const { decodeSpki } = await tools.load('crypto/encodings/spki');
    return tally.check(test.tcId, async () => {
      const { publicKey } = await decodeSpki(tools.hex(group.publicKeyDer), 'key');
      const options = { encoding, hash, ...(lowS ? { lowS } : {}) };
      const [signature, message] = [test.sig, test.msg].map(tools.hex);
      const holds = implementation.verify(signature, message, publicKey, options);
      return holds === (test.result === 'valid');
    });
  });
}

const XDH = { curve25519: 'x25519', curve448: 'x448' };

/** Where the vectors leave a choice, a shared secret of zeros is refused and everything else computed. */
async function xdh(test, group, tally, tools) {
  const { implementation } = await tools.algorithm(XDH[group.curve]);
  const [secret, peer] = [test.private, test.public].map(tools.hex);
  const agree = () => implementation.agree(secret, peer);
  if (/^0*$/.test(test.shared) || test.result === 'invalid') return tally.refused(test.tcId, agree);
  return tally.check(test.tcId, () => tools.equal(agree(), tools.hex(test.shared)));
}

/** RSA signatures: the modulus decides about the algorithm. */
function rsa(padding) {
  return groups(async (test, group, tally, tools) => {
    const { decodeSpki } = await tools.load('crypto/encodings/spki');
    const der = tools.hex(group.publicKeyDer ?? group.publicKeyAsn);
    let key;
    try {
      key = await decodeSpki(der, 'key');
    } catch {
      return tally.skip('a size or exponent that is not offered');
    }
    const hash = hashName(group.sha);
    const implementation = await key.descriptor.load();
    if (!key.descriptor.signing.hashes.includes(hash))
      return tally.skip(`RSA with ${group.sha} is not offered`);
    if (group.mgfSha !== undefined && group.mgfSha !== group.sha) {
      return tally.skip('PSS whose mask uses another hash is not offered');
    }
    if (test.result === 'acceptable')
      return tally.skip('left to the implementation by the vectors');
    return tally.check(test.tcId, () => {
      const options = {
        hash,
        padding,
        ...(group.sLen === undefined ? {} : { saltLength: group.sLen }),
      };
      const [signature, message] = [test.sig, test.msg].map(tools.hex);
      return (
        implementation.verify(signature, message, key.publicKey, options) ===
        (test.result === 'valid')
      );
    });
  });
}

/** ML-DSA signing from a seed or from an expanded key: the signature must come out byte for byte. */
function mlDsaSign(secretOf, signerOf) {
  return groups(async (test, group, tally, tools, file) => {
    const { implementation } = await tools.algorithm(file.algorithm.toLowerCase());
    const sign = () => {
      const options = { context: tools.hex(test.ctx) };
      if (test.rnd !== undefined) options.random = () => tools.hex(test.rnd);
      const secret = tools.hex(secretOf(group));
      if (test.msg === undefined) {
        const expanded =
          group.privateSeed === undefined ? secret : implementation.expanded.from(secret);
        const how = { mu: true, ...(options.random && { random: options.random }) };
        return implementation.internal.sign(tools.hex(test.mu), expanded, how);
      }
      return signerOf(implementation).sign(tools.hex(test.msg), secret, options);
    };
    return test.result === 'valid'
      ? tally.check(test.tcId, () => tools.equal(sign(), tools.hex(test.sig)))
      : tally.refused(test.tcId, sign);
  });
}

async function mlDsaVerify(test, group, tally, tools, file) {
  const { implementation } = await tools.algorithm(file.algorithm.toLowerCase());
  await tally.check(test.tcId, () => {
    const context = tools.hex(test.ctx);
    const [signature, message, key] = [test.sig, test.msg, group.publicKey].map(tools.hex);
    const holds = implementation.verify(signature, message, key, { context });
    return holds === (test.result === 'valid');
  });
}

function mlKem(one) {
  return groups(async (test, group, tally, tools) => {
    const { implementation } = await tools.algorithm(group.parameterSet.toLowerCase());
    const work = () => one(test, implementation, tools);
    return test.result === 'invalid'
      ? tally.refused(test.tcId, work)
      : tally.check(test.tcId, work);
  });
}

const mlKemTest = mlKem(({ seed, ek, c, K }, kem, { equal, hex }) => {
  const secret = hex(seed);
  const sameKey = equal(kem.publicKey(secret), hex(ek));
  return sameKey && equal(kem.decapsulate(hex(c), secret), hex(K));
});

const mlKemEncaps = mlKem(({ m, ek, c, K }, kem, { equal, hex }) => {
  const { ciphertext, sharedSecret } = kem.encapsulate(hex(ek), () => hex(m));
  return equal(ciphertext, hex(c)) && equal(sharedSecret, hex(K));
});

const mlKemKeygen = mlKem(({ seed, ek, dk }, kem, { equal, hex }) => {
  const secret = hex(seed);
  return equal(kem.publicKey(secret), hex(ek)) && equal(kem.expanded.from(secret), hex(dk));
});

const mlKemExpanded = mlKem(({ dk, c, K }, kem, { equal, hex }) =>
  equal(kem.expanded.decapsulate(hex(c), hex(dk)), hex(K)),
);

async function aesGcm(test, group, tally, tools) {
  if (group.ivSize !== 96) return tally.skip('only 96-bit nonces are offered');
  const { aesGcmOpen, aesGcmSeal } = await tools.load('crypto/aead');
  const [key, nonce, aad, message] = [test.key, test.iv, test.aad, test.msg].map(tools.hex);
  const sealed = tools.hex(test.ct + test.tag);
  if (test.result === 'invalid') {
    return tally.refused(test.tcId, () => aesGcmOpen(key, nonce, sealed, aad, 'test'));
  }
  return tally.check(
    test.tcId,
    () =>
      tools.equal(aesGcmSeal(key, nonce, message, aad), sealed) &&
      tools.equal(aesGcmOpen(key, nonce, sealed, aad, 'test'), message),
  );
}

const hkdf = (hash) =>
  groups(async (test, _, tally, tools) => {
    const { hkdf: derive } = await tools.load('crypto/hash');
    const [ikm, salt, info] = [test.ikm, test.salt, test.info].map(tools.hex);
    const work = () => tools.equal(derive(hash, ikm, salt, info, test.size), tools.hex(test.okm));
    if (test.result === 'valid') return tally.check(test.tcId, work);
    // Asking for more than 255 blocks is a bug of the caller, hence an InternalError.
    return tally.check(test.tcId, () => {
      try {
        return work() && false;
      } catch (error) {
        return error.code === 'E_KDF_LENGTH';
      }
    });
  });

const hmac = (hash) =>
  groups(async (test, group, tally, tools) => {
    const { hmac: code } = await tools.load('crypto/hash');
    await tally.check(test.tcId, () => {
      const mac = code(hash, tools.hex(test.key), tools.hex(test.msg)).subarray(
        0,
        group.tagSize / 8,
      );
      return tools.equal(mac, tools.hex(test.tag)) === (test.result === 'valid');
    });
  });

const pbkdf2 = (hash) =>
  groups(async (test, _, tally, tools) => {
    const { pbkdf2: derive } = await tools.load('crypto/hash');
    await tally.check(test.tcId, () => {
      const [password, salt] = [test.password, test.salt].map(tools.hex);
      const key = derive(hash, password, salt, test.iterationCount, test.dkLen);
      return tools.equal(key, tools.hex(test.dk)) === (test.result !== 'invalid');
    });
  });

const hasSeed = mlDsaSign(
  (group) => group.privateSeed,
  (implementation) => implementation,
);
const hasExpanded = mlDsaSign(
  (group) => group.privateKey,
  (implementation) => implementation.expanded,
);

export const files = [
  { pattern: /^ed25519_test\.json$/, run: groups(ed25519) },
  { pattern: /^mldsa_\d+_sign_seed_test\.json$/, run: hasSeed },
  { pattern: /^mldsa_\d+_sign_noseed_test\.json$/, run: hasExpanded },
  { pattern: /^mldsa_\d+_verify_test\.json$/, run: groups(mlDsaVerify) },
  { pattern: /^mlkem_\d+_test\.json$/, run: mlKemTest },
  { pattern: /^mlkem_\d+_encaps_test\.json$/, run: mlKemEncaps },
  { pattern: /^mlkem_\d+_keygen_seed_test\.json$/, run: mlKemKeygen },
  { pattern: /^mlkem_\d+_semi_expanded_decaps_test\.json$/, run: mlKemExpanded },
  { pattern: /^aes_gcm_test\.json$/, run: groups(aesGcm) },
  { pattern: /^hkdf_sha256_test\.json$/, run: hkdf('sha256') },
  { pattern: /^hkdf_sha384_test\.json$/, run: hkdf('sha384') },
  { pattern: /^hkdf_sha512_test\.json$/, run: hkdf('sha512') },
  { pattern: /^hmac_sha256_test\.json$/, run: hmac('sha256') },
  { pattern: /^hmac_sha384_test\.json$/, run: hmac('sha384') },
  { pattern: /^hmac_sha512_test\.json$/, run: hmac('sha512') },
  { pattern: /^ed448_test\.json$/, run: groups(ed448) },
  { pattern: /^x(?:25519|448)_test\.json$/, run: groups(xdh) },
  { pattern: /^ecdsa_\w+_p1363_test\.json$/, run: ecdsa('raw', false) },
  { pattern: /^ecdsa_\w+_bitcoin_test\.json$/, run: ecdsa('der', true) },
  { pattern: /^ecdsa_(?:secp|brainpool)\w+_sha\w+_test\.json$/, run: ecdsa('der', false) },
  { pattern: /^rsa_pss_\w+_test\.json$/, run: rsa('pss') },
  { pattern: /^rsa_signature_\w+_test\.json$/, run: rsa('pkcs1') },
  { pattern: /^pbkdf2_hmacsha256_test\.json$/, run: pbkdf2('sha256') },
  { pattern: /^pbkdf2_hmacsha512_test\.json$/, run: pbkdf2('sha512') },
  { pattern: /^(?:aes_kwp|aes_wrap|ed448|x25519|xchacha20_poly1305)_test\.json$/ },
  { pattern: /^ecdsa_\w+_test\.json$/ },
  { pattern: /^rsa_oaep_\w+_test\.json$/ },
];
