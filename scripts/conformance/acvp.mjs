/** NIST ACVP samples: prompt.json holds the questions, expectedResults.json the answers. */
import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';

export const area = 'acvp';

/** Runs `one(question, answer, group, tally, tools)` over all tests. */
function pairs(one) {
  return async (path, tools) => {
    const tally = tools.tally();
    const answers = new Map();
    for (const group of tools.json(join(dirname(path), 'expectedResults.json')).testGroups) {
      for (const test of group.tests) answers.set(test.tcId, test);
    }
    for (const group of tools.json(path).testGroups) {
      for (const test of group.tests) {
        const answer = answers.get(test.tcId);
        if (answer === undefined) await tally.check(test.tcId, () => false);
        else await one(test, answer, group, tally, tools);
      }
    }
    return tally.result();
  };
}

/** The same over a file that holds both. */
function projection(one) {
  return async (path, tools) => {
    const tally = tools.tally();
    for (const group of tools.json(path).testGroups) {
      for (const test of group.tests) await one(test, test, group, tally, tools);
    }
    return tally.result();
  };
}

const algorithmOf = (group, tools) => tools.algorithm(group.parameterSet.toLowerCase());

async function mlKemKeygen({ tcId, d, z }, { ek, dk }, group, tally, tools) {
  const { implementation: kem } = await algorithmOf(group, tools);
  const seed = tools.hex(d + z);
  await tally.check(tcId, () => {
    const sameKey = tools.equal(kem.publicKey(seed), tools.hex(ek));
    return sameKey && tools.equal(kem.expanded.from(seed), tools.hex(dk));
  });
}

async function mlKem(test, answer, group, tally, tools) {
  const { implementation: kem } = await algorithmOf(group, tools);
  const { equal, hex } = tools;
  const encapsulate = () => kem.encapsulate(hex(test.ek), () => hex(test.m ?? '00'.repeat(32)));
  const judged = (work) =>
    answer.testPassed
      ? tally.check(test.tcId, () => work() !== undefined)
      : tally.refused(test.tcId, work);
  switch (group.function) {
    case 'encapsulation':
      return tally.check(test.tcId, () => {
        const { ciphertext, sharedSecret } = encapsulate();
        return equal(ciphertext, hex(answer.c)) && equal(sharedSecret, hex(answer.k));
      });
    case 'decapsulation':
      return tally.check(test.tcId, () => {
        const shared =
          test.d === undefined
            ? kem.expanded.decapsulate(hex(test.c), hex(test.dk))
            : kem.decapsulate(hex(test.c), hex(test.d + test.z));
        return equal(shared, hex(answer.k));
      });
    case 'encapsulationKeyCheck':
      return judged(encapsulate);
    case 'decapsulationKeyCheck':
      return judged(() => kem.expanded.publicKey(hex(test.dk)));
    default:
      return tally.check(test.tcId, () => false);
  }
}

async function mlDsaKeygen({ tcId, seed }, { pk, sk }, group, tally, tools) {
  const { implementation } = await algorithmOf(group, tools);
  const secret = tools.hex(seed);
  await tally.check(tcId, () => {
    const sameKey = tools.equal(implementation.publicKey(secret), tools.hex(pk));
    return sameKey && tools.equal(implementation.expanded.from(secret), tools.hex(sk));
  });
}

/** `SHA2-512/256`, `SHA3-256`, `SHAKE-128` in the spelling of signature options. */
function hashOf(name) {
  return name.replace('SHA2-', 'sha').replace('SHAKE-', 'shake').replace('/', '-').toLowerCase();
}

const isPrehash = ({ preHash }) => preHash === 'preHash' || preHash === true;

/** Options of a test, and the name of a hash that is none of the layer's options. */
function dsaOptions(test, group, { signing }, tools) {
  const options = { context: tools.hex(test.context) };
  if (!isPrehash(group)) return { options };
  const hash = hashOf(test.hashAlg);
  return signing.hashes.includes(hash)
    ? { options: { ...options, hash } }
    : { options, weak: hash };
}

/** Arcs of the hash functions below 2.16.840.1.101.3.4.2, and their lengths in bytes where they are extendable. */
const HASH_ARCS = {
  sha256: [1],
  sha384: [2],
  sha512: [3],
  sha224: [4],
  'sha512-224': [5],
  'sha512-256': [6],
  'sha3-224': [7],
  'sha3-256': [8],
  'sha3-384': [9],
  'sha3-512': [10],
  shake128: [11, 32],
  shake256: [12, 64],
};

/**
 * A hash that the layer refuses because collisions in it are easier than forging: what is signed is put together here (FIPS 204
 * algorithm 4, step 18) and goes to the internal functions, which are the layer's own.
 */
function prehashed(message, context, hash) {
  const [arc, outputLength] = HASH_ARCS[hash];
  const digest = createHash(hash, outputLength === undefined ? {} : { outputLength });
  const head = [1, context.length, ...context];
  const oid = [6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, arc];
  return Uint8Array.from([...head, ...oid, ...digest.update(message).digest()]);
}

async function mlDsaSign(test, answer, group, tally, tools) {
  const { descriptor, implementation } = await algorithmOf(group, tools);
  const { options, weak } = dsaOptions(test, group, descriptor, tools);
  if (!group.deterministic) options.random = () => tools.hex(test.rnd);
  return tally.check(test.tcId, () => {
    const expanded =
      test.seed === undefined
        ? tools.hex(test.sk)
        : implementation.expanded.from(tools.hex(test.seed));
    if (weak !== undefined) {
      const input = prehashed(tools.hex(test.message), options.context, weak);
      const { random } = options;
      return tools.equal(
        implementation.internal.sign(input, expanded, { random }),
        tools.hex(answer.signature),
      );
    }
    const signature =
      group.signatureInterface === 'internal'
        ? implementation.internal.sign(tools.hex(test.mu ?? test.message), expanded, {
            ...options,
            mu: test.mu !== undefined,
          })
        : test.seed === undefined
          ? implementation.expanded.sign(tools.hex(test.message), expanded, options)
          : implementation.sign(tools.hex(test.message), tools.hex(test.seed), options);
    return tools.equal(signature, tools.hex(answer.signature));
  });
}

async function mlDsaVerify(test, answer, group, tally, tools) {
  const { descriptor, implementation } = await algorithmOf(group, tools);
  const { options, weak } = dsaOptions(test, group, descriptor, tools);
  return tally.check(test.tcId, () => {
    const [signature, key] = [test.signature, test.pk].map(tools.hex);
    if (weak !== undefined) {
      const input = prehashed(tools.hex(test.message), options.context, weak);
      return implementation.internal.verify(signature, input, key) === answer.testPassed;
    }
    const message = tools.hex(test.mu ?? test.message);
    const holds =
      group.signatureInterface === 'internal'
        ? implementation.internal.verify(signature, message, key, { mu: test.mu !== undefined })
        : implementation.verify(signature, message, key, options);
    return holds === answer.testPassed;
  });
}

const EDDSA = { 'ED-25519': 'ed25519', 'ED-448': 'ed448' };

/** The hash of the prehash forms is fixed. An empty context beside a prehash of none is the pure form. */
const edOptions = (test, group, { signing }, tools) => ({
  context: tools.hex(test.context),
  ...(isPrehash(group) ? { hash: signing.hashes[0] } : {}),
});

async function edKeygen({ tcId, d }, { q }, group, tally, tools) {
  const { implementation } = await tools.algorithm(EDDSA[group.curve]);
  return tally.check(tcId, () => tools.equal(implementation.publicKey(tools.hex(d)), tools.hex(q)));
}

async function edSign(test, { signature }, group, tally, tools) {
  const { descriptor, implementation } = await tools.algorithm(EDDSA[group.curve]);
  return tally.check(test.tcId, () => {
    const message = tools.hex(test.message);
    const options = edOptions(test, group, descriptor, tools);
    const made = implementation.sign(message, tools.hex(group.d), options);
    const holds = implementation.verify(made, message, tools.hex(group.q), options);
    return holds && tools.equal(made, tools.hex(signature));
  });
}

async function edVerify(test, answer, group, tally, tools) {
  const { descriptor, implementation } = await tools.algorithm(EDDSA[group.curve]);
  return tally.check(test.tcId, () => {
    const [signature, message, key] = [test.signature, test.message, test.q].map(tools.hex);
    const options = edOptions(test, group, descriptor, tools);
    return implementation.verify(signature, message, key, options) === answer.testPassed;
  });
}

const ECDSA = { 'P-256': 'p256', 'P-384': 'p384', 'P-521': 'p521' };

async function detEcdsa(test, { r, s }, group, tally, tools) {
  const name = ECDSA[group.curve];
  if (name === undefined) return tally.outside(`the curve ${group.curve}`);
  // The message grows by a single bit before it is hashed.
  if (group.conformance === 'SP800-106') {
    return tally.skip('messages randomised by SP 800-106 are no whole bytes');
  }
  const { descriptor, implementation } = await tools.algorithm(name);
  const hash = hashOf(group.hashAlg);
  const { private: length } = descriptor.sizes;
  const fixed = (text) => tools.hex(text.padStart(2 * length, '0'));
  if (!descriptor.signing.hashes.includes(hash)) {
    return tally.unoffered(test.tcId, `ECDSA with ${group.hashAlg}`, () =>
      implementation.sign(tools.hex(test.message), fixed(group.d), { hash }),
    );
  }
  return tally.check(test.tcId, () => {
    const message = tools.hex(test.message);
    const made = implementation.sign(message, fixed(group.d), { hash });
    const key = tools.hex(
      `04${group.qx.padStart(2 * length, '0')}${group.qy.padStart(2 * length, '0')}`,
    );
    const holds = implementation.verify(made, message, key, { hash });
    return holds && tools.toHex(made) === tools.toHex(fixed(r)) + tools.toHex(fixed(s));
  });
}

async function slhKeygen({ tcId, skSeed, skPrf, pkSeed }, { pk, sk }, group, tally, tools) {
  const { implementation } = await algorithmOf(group, tools);
  await tally.check(tcId, () => {
    const expanded = implementation.expanded.from(tools.hex(skSeed + skPrf + pkSeed));
    // The public key is the second half of the expanded private one (FIPS 205 §9.1).
    const half = expanded.length / 2;
    return (
      tools.equal(expanded, tools.hex(sk)) && tools.equal(expanded.subarray(half), tools.hex(pk))
    );
  });
}

/**
 * SLH-DSA's internal interface, through the functions below the layer's own: the message is signed as it stands. One signature is
 * made again for each set, and for the slow sets none: that takes most of a minute each.
 */
function slhInternal() {
  const signed = new Set();
  return async (test, answer, group, tally, tools) => {
    const { descriptor, implementation } = await algorithmOf(group, tools);
    const { internal } = implementation;
    const [signature, message, key] = [test.signature, test.message, test.pk].map(tools.hex);
    await tally.check(
      test.tcId,
      () => internal.verify(signature, message, key) === answer.testPassed,
    );
    if (!answer.testPassed || descriptor.slow || signed.has(descriptor.name)) return;
    signed.add(descriptor.name);
    await tally.check(`${test.tcId}: signed again`, () => {
      const random = () => tools.hex(test.additionalRandomness);
      return tools.equal(internal.sign(message, tools.hex(test.sk), { random }), signature);
    });
  };
}

async function aesGcm(test, answer, group, tally, tools) {
  const { aesGcmOpen, aesGcmSeal } = await tools.load('crypto/aead');
  const [key, nonce, aad] = [test.key, test.iv, test.aad].map(tools.hex);
  if (group.ivLen !== 96 || group.tagLen !== 128) {
    const [ciphertext, tag] = [test.ct ?? answer.ct, test.tag ?? answer.tag];
    const what = group.ivLen === 96 ? `a tag of ${group.tagLen} bits` : 'a nonce of another length';
    return tally.unoffered(test.tcId, what, () =>
      aesGcmOpen(key, nonce, tools.hex(ciphertext + tag), aad, 'test'),
    );
  }
  if (group.direction === 'encrypt') {
    const expected = tools.hex(answer.ct + answer.tag);
    const plaintext = tools.hex(test.pt);
    return tally.check(test.tcId, () =>
      tools.equal(aesGcmSeal(key, nonce, plaintext, aad), expected),
    );
  }
  const open = () => aesGcmOpen(key, nonce, tools.hex(test.ct + test.tag), aad, 'test');
  return answer.testPassed === false
    ? tally.refused(test.tcId, open)
    : tally.check(test.tcId, () => tools.equal(open(), tools.hex(answer.pt)));
}

function keyWrap(module, wrapName, unwrapName) {
  return pairs(async (test, answer, group, tally, tools) => {
    const { [wrapName]: wrap, [unwrapName]: unwrap } = await tools.load(`crypto/${module}`);
    const key = tools.hex(test.key);
    if (group.kwCipher !== 'cipher') {
      return tally.unoffered(test.tcId, 'wrapped by the inverse cipher function', () =>
        unwrap(key, tools.hex(test.ct ?? answer.ct), 'test'),
      );
    }
    if (group.direction === 'encrypt') {
      return tally.check(test.tcId, () => {
        const [message, wrapped] = [test.pt, answer.ct].map(tools.hex);
        return tools.equal(wrap(key, message), wrapped);
      });
    }
    const open = () => unwrap(key, tools.hex(test.ct), 'test');
    return answer.testPassed === false
      ? tally.refused(test.tcId, open)
      : tally.check(test.tcId, () => tools.equal(open(), tools.hex(answer.pt)));
  });
}

async function pbkdf2(test, { derivedKey }, group, tally, tools) {
  const hash = hashOf(group.hmacAlg);
  const { pbkdf2: derive } = await tools.load('crypto/hash');
  return tally.check(test.tcId, () => {
    const [password, salt] = [tools.utf8(test.password), tools.hex(test.salt)];
    const key = derive(hash, password, salt, test.iterationCount, test.keyLen / 8);
    return tools.equal(key, tools.hex(derivedKey));
  });
}

/** Folders are named after algorithm, mode and revision; a later revision (`-tr1`, `FIPS205-2`) is read the same. */
const questions = (name, one) => ({
  pattern: new RegExp(`^${name}-\\S+/prompt\\.json$`),
  run: pairs(one),
});
const projections = (name, one) => ({
  pattern: new RegExp(`^${name}-\\S+/internalProjection\\.json$`),
  run: projection(one),
});
const both = (name, one) => [questions(name, one), projections(name, one)];

export const files = [
  { pattern: /\/(?:expectedResults|registration|validation)\.json$/, companion: true },
  ...both('ML-KEM-keyGen', mlKemKeygen),
  ...both('ML-KEM-encapDecap', mlKem),
  ...both('ML-DSA-keyGen', mlDsaKeygen),
  ...both('ML-DSA-sigGen', mlDsaSign),
  ...both('ML-DSA-sigVer', mlDsaVerify),
  ...both('EDDSA-KeyGen', edKeygen),
  ...both('EDDSA-SigGen', edSign),
  ...both('EDDSA-SigVer', edVerify),
  ...both('ACVP-AES-GCM', aesGcm),
  ...both('PBKDF', pbkdf2),
  {
    pattern: /^ACVP-AES-KW-\S+\/prompt\.json$/,
    run: keyWrap('aes-kw', 'aesKwWrap', 'aesKwUnwrap'),
  },
  {
    pattern: /^ACVP-AES-KWP-\S+\/prompt\.json$/,
    run: keyWrap('aes-kwp', 'aesKwpWrap', 'aesKwpUnwrap'),
  },
  projections('DetECDSA-SigGen', detEcdsa),
  ...both('SLH-DSA-keyGen', slhKeygen),
  {
    pattern: /^SLH-DSA-sigVer-\S+-internal\/internalProjection\.json$/,
    run: projection(slhInternal()),
  },
  {
    pattern:
      /^(?:SLH-DSA|ML-KEM|ML-DSA|EDDSA|DetECDSA|ECDSA|ACVP|PBKDF)\S*\/(?:prompt|internalProjection)\.json$/,
  },
];
