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

const EDDSA = { edwards25519: 'ed25519', edwards448: 'ed448' };

async function eddsa(test, group, tally, tools) {
  const { decodeSpki } = await tools.load('crypto/encodings/spki');
  const { implementation } = await tools.algorithm(EDDSA[group.publicKey.curve]);
  await tally.check(test.tcId, async () => {
    const { publicKey } = await decodeSpki(tools.hex(group.publicKeyDer), 'key');
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
    const { decodeSpki } = await tools.load('crypto/encodings/spki');
    if (name === undefined) {
      const read = () => decodeSpki(tools.hex(group.publicKeyDer), 'key');
      return tally.unoffered(test.tcId, `the curve ${group.publicKey.curve}`, read);
    }
    const { descriptor, implementation } = await tools.algorithm(name);
    const hash = hashName(group.sha);
    if (!descriptor.signing.hashes.includes(hash)) {
      return tally.unoffered(test.tcId, `ECDSA with ${group.sha}`, async () => {
        const { publicKey } = await decodeSpki(tools.hex(group.publicKeyDer), 'key');
        return implementation.verify(tools.hex(test.sig), tools.hex(test.msg), publicKey, { hash });
      });
    }
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
    if (![2048, 3072, 4096].includes(group.keySize)) {
      const read = () => decodeSpki(der, 'key');
      return tally.unoffered(test.tcId, `RSA of ${group.keySize} bits`, read);
    }
    const key = await decodeSpki(der, 'key');
    const hash = hashName(group.sha);
    const implementation = await key.descriptor.load();
    const [signature, message] = [test.sig, test.msg].map(tools.hex);
    if (!key.descriptor.signing.hashes.includes(hash)) {
      return tally.unoffered(test.tcId, `RSA with ${group.sha}`, () =>
        implementation.verify(signature, message, key.publicKey, { hash, padding }),
      );
    }
    if (group.mgfSha !== undefined && group.mgfSha !== group.sha) {
      return tally.check(
        `${test.tcId}: another hash in its mask`,
        () => !implementation.verify(signature, message, key.publicKey, { hash, padding }),
      );
    }
    if (test.result === 'acceptable')
      return tally.skip('left to the implementation by the vectors');
    return tally.check(test.tcId, () => {
      const options = {
        hash,
        padding,
        ...(group.sLen === undefined ? {} : { saltLength: group.sLen }),
      };
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

const OTHER_NONCE = 'a nonce of another length';

async function aesGcm(test, group, tally, tools) {
  const { aesGcmOpen, aesGcmSeal } = await tools.load('crypto/aead');
  const [key, nonce, aad, message] = [test.key, test.iv, test.aad, test.msg].map(tools.hex);
  const sealed = tools.hex(test.ct + test.tag);
  if (group.ivSize !== 96) {
    return tally.unoffered(test.tcId, OTHER_NONCE, () =>
      aesGcmOpen(key, nonce, sealed, aad, 'test'),
    );
  }
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

/** Also over the vectors of XChaCha20-Poly1305, whose nonces are twice as long: they must be refused. */
async function chaChaPoly(test, group, tally, tools) {
  const { chaChaPolyOpen, chaChaPolySeal } = await tools.load('crypto/aead');
  const [key, nonce, aad, message] = [test.key, test.iv, test.aad, test.msg].map(tools.hex);
  const sealed = tools.hex(test.ct + test.tag);
  const open = () => chaChaPolyOpen(key, nonce, sealed, aad, 'test');
  if (group.ivSize !== 96) return tally.unoffered(test.tcId, OTHER_NONCE, open);
  if (test.result === 'invalid') return tally.refused(test.tcId, open);
  return tally.check(
    test.tcId,
    () =>
      tools.equal(chaChaPolySeal(key, nonce, message, aad), sealed) && tools.equal(open(), message),
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

/** What AES key wrap takes here begins at two blocks, as RFC 3394 has it; the vectors leave one block to the implementation. */
function keyWrap(module, wrapName, unwrapName) {
  return groups(async (test, _, tally, tools) => {
    const { [wrapName]: wrap, [unwrapName]: unwrap } = await tools.load(`crypto/${module}`);
    const [key, message, wrapped] = [test.key, test.msg, test.ct].map(tools.hex);
    const open = () => unwrap(key, wrapped, 'test');
    if (test.result !== 'valid') return tally.refused(test.tcId, open);
    return tally.check(
      test.tcId,
      () => tools.equal(wrap(key, message), wrapped) && tools.equal(open(), message),
    );
  });
}

/** OpenSSL's spelling. */
const oaepHash = (sha) => sha.replace('SHA-', 'sha').replace('/', '-').toLowerCase();

async function rsaOaep(test, group, tally, tools) {
  const { rsaOaepOpen } = await tools.load('crypto/rsa-oaep');
  const pkcs8 = tools.hex(group.privateKeyPkcs8);
  const options = { what: 'test', label: tools.hex(test.label) };
  const open = () => rsaOaepOpen(pkcs8, oaepHash(group.sha), tools.hex(test.ct), options);
  // One hash serves for both here: what was masked with another does not open.
  if (group.mgfSha !== group.sha) {
    return tally.unoffered(test.tcId, 'another hash in the mask than for the label', open);
  }
  return test.result === 'invalid'
    ? tally.refused(test.tcId, open)
    : tally.check(test.tcId, () => tools.equal(open(), tools.hex(test.msg)));
}

/** Every case of an algorithm that the program does not have. */
const without = (what) =>
  groups((_test, _group, tally) => {
    tally.outside(what);
  });

const hasSeed = mlDsaSign(
  (group) => group.privateSeed,
  (implementation) => implementation,
);
const hasExpanded = mlDsaSign(
  (group) => group.privateKey,
  (implementation) => implementation.expanded,
);

/** The hash at the end of a name: `HMACSHA512/256`, `HKDF-SHA-256`, `PBKDF2-HMACSHA1`. */
const hashAtEnd = (algorithm) =>
  hashName(/SHA.*$/.exec(algorithm)[0].replace(/^SHA-?(?=\d)/, 'SHA-'));

/** The derivations of the program know three hashes, its HMAC and PBKDF2 call whatever OpenSSL has. */
const derivation = (make, offered) => (file, path, tools) => {
  const hash = hashAtEnd(file.algorithm);
  return offered === undefined || offered.includes(hash)
    ? make(hash)(path, tools)
    : without(file.algorithm)(path, tools);
};

/** What reads a file, by its algorithm and its schema without version: both stand in the file, whatever its name is. */
const READERS = [
  [/^EDDSA eddsa_verify/, groups(eddsa)],
  [/^ML-DSA-\d+ mldsa_sign_seed/, hasSeed],
  [/^ML-DSA-\d+ mldsa_sign_noseed/, hasExpanded],
  [/^ML-DSA-\d+ mldsa_verify/, groups(mlDsaVerify)],
  [/^ML-KEM mlkem_test/, mlKemTest],
  [/^ML-KEM mlkem_encaps/, mlKemEncaps],
  [/^ML-KEM mlkem_keygen_seed/, mlKemKeygen],
  [/^ML-KEM mlkem_semi_expanded_decaps/, mlKemExpanded],
  [/^AES-GCM aead/, groups(aesGcm)],
  [/^X?CHACHA20-POLY1305 aead/, groups(chaChaPoly)],
  [/^AES-WRAP keywrap/, keyWrap('aes-kw', 'aesKwWrap', 'aesKwUnwrap')],
  [/^AES-KWP keywrap/, keyWrap('aes-kwp', 'aesKwpWrap', 'aesKwpUnwrap')],
  [/^HKDF-\S+ hkdf/, derivation(hkdf, ['sha256', 'sha384', 'sha512'])],
  [/^HMACSHA\S+ mac/, derivation(hmac)],
  [/^PBKDF2-\S+ pbkdf/, derivation(pbkdf2)],
  [/^XDH xdh_comp/, groups(xdh)],
  [/^ECDSA ecdsa_bitcoin/, ecdsa('der', true)],
  [/^ECDSA ecdsa_p1363/, ecdsa('raw', false)],
  [/^ECDSA ecdsa_verify/, ecdsa('der', false)],
  [/^RSASSA-PSS rsassa_pss_verify/, rsa('pss')],
  [/^RSASSA-PKCS1-v1_5 rsassa_pkcs1_verify/, rsa('pkcs1')],
  [/^RSAES-OAEP rsaes_oaep/, groups(rsaOaep)],
];

async function chosen(path, tools) {
  const file = tools.json(path);
  const what = `${file.algorithm} ${file.schema}`;
  const reader = READERS.find(([pattern]) => pattern.test(what))?.[1];
  if (reader === undefined) return without(file.algorithm)(path, tools);
  // A reader for several hashes is given the file first.
  return reader.length === 3 ? reader(file, path, tools) : reader(path, tools);
}

export const files = [{ pattern: /^[\w-]+\.json$/, run: chosen }];
