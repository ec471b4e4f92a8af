/** NIST ACVP samples: prompt.json holds the questions, expectedResults.json the answers. */
import { dirname, join } from 'node:path';

export const area = 'acvp';

const PREHASH = 'prehash signatures are not offered';
const INTERNAL = 'the internal interface is not offered';

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

function notOffered(group) {
  if (group.signatureInterface === 'internal') return INTERNAL;
  return group.preHash === 'preHash' || group.preHash === true ? PREHASH : undefined;
}

async function mlDsaSign(test, answer, group, tally, tools) {
  const reason = notOffered(group);
  if (reason !== undefined) return tally.skip(reason);
  const { implementation } = await algorithmOf(group, tools);
  const options = { context: tools.hex(test.context) };
  if (!group.deterministic) options.random = () => tools.hex(test.rnd);
  return tally.check(test.tcId, () => {
    const message = tools.hex(test.message);
    const signature =
      test.seed === undefined
        ? implementation.expanded.sign(message, tools.hex(test.sk), options)
        : implementation.sign(message, tools.hex(test.seed), options);
    return tools.equal(signature, tools.hex(answer.signature));
  });
}

async function mlDsaVerify(test, answer, group, tally, tools) {
  const reason = notOffered(group);
  if (reason !== undefined) return tally.skip(reason);
  const { implementation } = await algorithmOf(group, tools);
  return tally.check(test.tcId, () => {
    const [signature, message, key] = [test.signature, test.message, test.pk].map(tools.hex);
    const options = { context: tools.hex(test.context) };
    return implementation.verify(signature, message, key, options) === answer.testPassed;
  });
}

/** Why a group of EdDSA tests is left out, or undefined. */
function notEd25519(group) {
  if (group.curve !== 'ED-25519') return 'Ed448 is not yet in the registry';
  return notOffered(group);
}

async function edKeygen({ tcId, d }, { q }, group, tally, tools) {
  const reason = notEd25519(group);
  if (reason !== undefined) return tally.skip(reason);
  const { implementation } = await tools.algorithm('ed25519');
  return tally.check(tcId, () => tools.equal(implementation.publicKey(tools.hex(d)), tools.hex(q)));
}

async function edSign(test, { signature }, group, tally, tools) {
  const reason = notEd25519(group);
  if (reason !== undefined) return tally.skip(reason);
  if ((test.context ?? '') !== '') return tally.skip('Ed25519ctx is not offered');
  const { implementation } = await tools.algorithm('ed25519');
  return tally.check(test.tcId, () => {
    const message = tools.hex(test.message);
    const made = implementation.sign(message, tools.hex(group.d));
    const holds = implementation.verify(made, message, tools.hex(group.q));
    return holds && tools.equal(made, tools.hex(signature));
  });
}

async function edVerify(test, answer, group, tally, tools) {
  const reason = notEd25519(group);
  if (reason !== undefined) return tally.skip(reason);
  const { implementation } = await tools.algorithm('ed25519');
  return tally.check(test.tcId, () => {
    const [signature, message, key] = [test.signature, test.message, test.q].map(tools.hex);
    return implementation.verify(signature, message, key) === answer.testPassed;
  });
}

async function aesGcm(test, answer, group, tally, tools) {
  if (group.keyLen === 192) return tally.skip('AES-192 is not offered');
  if (group.ivLen !== 96) return tally.skip('only 96-bit nonces are offered');
  if (group.tagLen !== 128) return tally.skip('only 128-bit tags are offered');
  const { aesGcmOpen, aesGcmSeal } = await tools.load('crypto/aead');
  const [key, nonce, aad] = [test.key, test.iv, test.aad].map(tools.hex);
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

async function pbkdf2(test, { derivedKey }, group, tally, tools) {
  const hash = { 'SHA2-256': 'sha256', 'SHA2-384': 'sha384', 'SHA2-512': 'sha512' }[group.hmacAlg];
  if (hash === undefined) return tally.skip(`PBKDF2 with ${group.hmacAlg} is not offered`);
  const { pbkdf2: derive } = await tools.load('crypto/hash');
  return tally.check(test.tcId, () => {
    const [password, salt] = [tools.utf8(test.password), tools.hex(test.salt)];
    const key = derive(hash, password, salt, test.iterationCount, test.keyLen / 8);
    return tools.equal(key, tools.hex(derivedKey));
  });
}

export const files = [
  {
    pattern: /^(?:ML-KEM|ML-DSA|EDDSA|ACVP-AES-GCM|PBKDF)\S*\/expectedResults\.json$/,
    companion: true,
  },
  { pattern: /^ML-KEM-keyGen-FIPS203\/prompt\.json$/, run: pairs(mlKemKeygen) },
  { pattern: /^ML-KEM-encapDecap-FIPS203(?:-tr1)?\/prompt\.json$/, run: pairs(mlKem) },
  { pattern: /^ML-DSA-keyGen-FIPS204\/prompt\.json$/, run: pairs(mlDsaKeygen) },
  { pattern: /^ML-DSA-sigGen-FIPS204(?:-tr1)?\/prompt\.json$/, run: pairs(mlDsaSign) },
  { pattern: /^ML-DSA-sigVer-FIPS204\/prompt\.json$/, run: pairs(mlDsaVerify) },
  { pattern: /^EDDSA-KeyGen-1\.0\/internalProjection\.json$/, run: projection(edKeygen) },
  { pattern: /^EDDSA-SigGen-1\.0\/internalProjection\.json$/, run: projection(edSign) },
  { pattern: /^EDDSA-SigVer-1\.0\/prompt\.json$/, run: pairs(edVerify) },
  { pattern: /^ACVP-AES-GCM-1\.0\/prompt\.json$/, run: pairs(aesGcm) },
  { pattern: /^PBKDF-1\.0\/prompt\.json$/, run: pairs(pbkdf2) },
  { pattern: /^(?:ACVP-AES-KW-1\.0|ACVP-AES-KWP-1\.0)\/(?:prompt|expectedResults)\.json$/ },
  { pattern: /^DetECDSA-SigGen-FIPS186-5\/internalProjection\.json$/ },
  { pattern: /^SLH-DSA-\S+\/(?:prompt|expectedResults|internalProjection)\.json$/ },
];
