/**
 * What the crypto layer costs: each operation of each algorithm as a multiple of the library under it called bare in the same
 * process, and of node:crypto of a Node that knows the algorithm (CONCLAVE_PEER_NODE, else the running one), which computes in C.
 * The slow sets of SLH-DSA do everything once: with those the benchmark takes some minutes. CONCLAVE_BENCH=p256,x-wing measures
 * these alone.
 */
import { spawnSync } from 'node:child_process';
import * as crypto from 'node:crypto';
import { createRequire } from 'node:module';
import { ed25519, x25519 } from '@noble/curves/ed25519.js';
import { ed448, x448 } from '@noble/curves/ed448.js';
import { bls12_381 } from '@noble/curves/bls12-381.js';
import * as nist from '@noble/curves/nist.js';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import * as falcon from '@noble/post-quantum/falcon.js';
import * as hybrid from '@noble/post-quantum/hybrid.js';
import * as mlDsa from '@noble/post-quantum/ml-dsa.js';
import * as mlKem from '@noble/post-quantum/ml-kem.js';
import * as slhDsa from '@noble/post-quantum/slh-dsa.js';

export const title = 'cryptography: fastest of interleaved runs, in processor time';
export const peer = 'the library under it called bare, or what the row names';

/** Our own share: checks of lengths and options, randomness, copies. */
const TARGET = 1.05;
const ROUNDS = 15;
/** Where the machine is busy, as many again until the fastest of both were undisturbed. */
const MOST_ROUNDS = 4 * ROUNDS;
/** A round repeats an operation until it takes about this long. */
const ROUND_MS = 20;
const MESSAGE = new Uint8Array(1024).fill(7);
const LARGE = new Uint8Array(1024 * 1024).fill(7);
const random = (length) => new Uint8Array(crypto.randomBytes(length));
const load = (path) => import(new URL(`../dist/${path}.js`, import.meta.url));

/** How the library is called for the same: everything begins at the private form that conclave keeps. */
const signer = (scheme, { expands = false, hedged = {} } = {}) => ({
  generate: (secret) => (expands ? scheme.keygen(secret).publicKey : scheme.getPublicKey(secret)),
  sign: (secret) =>
    scheme.sign(MESSAGE, expands ? scheme.keygen(secret).secretKey : secret, hedged),
  verify: (signature, publicKey) => scheme.verify(signature, MESSAGE, publicKey, {}),
});
const edwards = (scheme) => ({
  ...signer(scheme),
  verify: (signature, publicKey) => scheme.verify(signature, MESSAGE, publicKey, { zip215: false }),
});
const ecdsa = (curve, lowS = false) => ({
  generate: (secret) => curve.getPublicKey(secret, false),
  sign: (secret) => curve.sign(MESSAGE, secret, { lowS }),
  verify: (signature, publicKey) => curve.verify(signature, MESSAGE, publicKey, { lowS: false }),
});
const kem = (scheme) => ({
  generate: (secret) => scheme.keygen(secret).publicKey,
  encapsulate: (publicKey) => scheme.encapsulate(publicKey),
  decapsulate: (secret, ciphertext) =>
    scheme.decapsulate(ciphertext, scheme.keygen(secret).secretKey),
});
const hybridKem = (scheme) => ({
  generate: (secret) => scheme.getPublicKey(secret),
  encapsulate: (publicKey) => scheme.encapsulate(publicKey),
  decapsulate: (secret, ciphertext) => scheme.decapsulate(ciphertext, secret),
});
const agreement = (curve) => ({
  generate: (secret) => curve.getPublicKey(secret),
  agree: (secret, peer) => curve.getSharedSecret(secret, peer),
});

/**
 * Both halves, each over what the composite has it sign: how often ML-DSA has to try again depends on its message.
 * @param profile - of the layer: it says what is signed
 */
function composite(ed, edLength, ml, profile) {
  const represented = profile.represent(MESSAGE, new Uint8Array(0));
  const { mlDsaContext: context } = profile;
  const mlLength = ml.lengths.signature;
  const mlPublic = ml.lengths.publicKey;
  return {
    generate: (secret) => [
      ed.getPublicKey(secret.subarray(0, edLength)),
      ml.keygen(secret.subarray(edLength)),
    ],
    sign: (secret) => [
      ed.sign(represented, secret.subarray(0, edLength)),
      ml.sign(represented, ml.keygen(secret.subarray(edLength)).secretKey, {
        context,
        extraEntropy: false,
      }),
    ],
    verify: (signature, publicKey) => [
      ed.verify(signature.subarray(mlLength), represented, publicKey.subarray(mlPublic), {
        zip215: false,
      }),
      ml.verify(signature.subarray(0, mlLength), represented, publicKey.subarray(0, mlPublic), {
        context,
      }),
    ],
  };
}

/** The composites by name, with the labels of their draft. */
async function composites() {
  const { compositeProfile } = await load('crypto/hybrid-signature');
  const { sha512, shake256 } = await load('crypto/hash');
  const profile65 = compositeProfile('COMPSIG-MLDSA65-Ed25519-SHA512', sha512);
  const profile87 = compositeProfile('COMPSIG-MLDSA87-Ed448-SHAKE256', (message) =>
    shake256(64, message),
  );
  return {
    'ed25519+ml-dsa-65': composite(ed25519, 32, mlDsa.ml_dsa65, profile65),
    'ed448+ml-dsa-87': composite(ed448, 57, mlDsa.ml_dsa87, profile87),
  };
}

const { longSignatures: bls } = bls12_381;
const BLS_TAG = new Uint8Array(Buffer.from('BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_NUL_'));
const blsSigner = {
  generate: (secret) => bls.getPublicKey(secret).toBytes(),
  sign: (secret) => bls.Signature.toBytes(bls.sign(bls.hash(MESSAGE, BLS_TAG), secret)),
  verify: (signature, publicKey) =>
    bls.verify(
      bls.Signature.fromBytes(signature),
      bls.hash(MESSAGE, BLS_TAG),
      bls12_381.G1.Point.fromBytes(publicKey),
    ),
};

const still = { expands: true, hedged: { extraEntropy: false } };
const SLH_DSA = ['sha2', 'shake'].flatMap((hash) =>
  ['128s', '128f', '192s', '192f', '256s', '256f'].map((set) => [hash, set]),
);
const BARE = {
  'ml-dsa-44': signer(mlDsa.ml_dsa44, still),
  'ml-dsa-65': signer(mlDsa.ml_dsa65, still),
  'ml-dsa-87': signer(mlDsa.ml_dsa87, still),
  ...Object.fromEntries(
    SLH_DSA.map(([hash, set]) => [
      `slh-dsa-${hash}-${set}`,
      signer(slhDsa[`slh_dsa_${hash}_${set}`], still),
    ]),
  ),
  'falcon-512': signer(falcon.falcon512padded),
  'falcon-1024': signer(falcon.falcon1024padded),
  ed25519: edwards(ed25519),
  ed448: edwards(ed448),
  p256: ecdsa(nist.p256),
  p384: ecdsa(nist.p384),
  p521: ecdsa(nist.p521),
  secp256k1: ecdsa(secp256k1, true),
  'bls12-381': blsSigner,
  'x-wing': hybridKem(hybrid.ml_kem768_x25519),
  'ml-kem-1024+p384': hybridKem(hybrid.ml_kem1024_p384),
  'ml-kem-512': kem(mlKem.ml_kem512),
  'ml-kem-768': kem(mlKem.ml_kem768),
  'ml-kem-1024': kem(mlKem.ml_kem1024),
  x25519: agreement(x25519),
  x448: agreement(x448),
};

/** All cases. */
export async function measure() {
  const { resolve } = await load('crypto/registry');
  const native = nativeTimes();
  const rows = [];
  for (const [name, bare] of Object.entries({ ...(await composites()), ...BARE })) {
    if (!wanted(name)) continue;
    const descriptor = await resolve(name);
    const implementation = await descriptor.load();
    const secret = await implementation.generate(random);
    const publicKey = implementation.publicKey(secret);
    const once = descriptor.slow === true;
    for (const [operation, ours, theirs, prepare] of operations(
      implementation,
      bare,
      secret,
      publicKey,
    )) {
      prepare?.();
      const [own, other] = once ? single(ours, theirs) : fastest(ours, theirs);
      rows.push({
        name: `${name}, ${operation}${once ? ', one run' : ''}`,
        ms: own,
        ratio: own / other,
        ...(once ? {} : { target: TARGET }),
      });
      const c = native[name]?.[operation];
      if (c !== undefined) {
        rows.push({ name: `${name}, ${operation}, to node:crypto`, ms: own, ratio: own / c });
      }
    }
  }
  return [...rows, ...(await measureOthers(resolve))];
}

function wanted(name) {
  const only = process.env.CONCLAVE_BENCH?.split(',');
  return only === undefined || only.includes(name);
}

/** What does not rest on noble: RSA, AES and HMAC on node:crypto, and SM2, which has its own code, beside another library. */
async function measureOthers(resolve) {
  const rows = [];
  const row = (name, ours, theirs) => {
    const [own, other] = fastest(ours, theirs);
    rows.push({ name, ms: own, ratio: own / other });
  };
  const { encodeRsaPrivate } = await load('crypto/encodings/rsa-key');
  for (const name of ['rsa-2048', 'rsa-3072', 'rsa-4096'].filter(wanted)) {
    const is = await (await resolve(name)).load();
    const secret = await is.generate(random);
    const publicKey = is.publicKey(secret);
    const der = Buffer.from(encodeRsaPrivate(secret, name));
    const padding = { padding: crypto.constants.RSA_PKCS1_PSS_PADDING, saltLength: -1 };
    const pkcs1 = { format: 'der', type: 'pkcs1' };
    row(
      `${name}, sign, to node:crypto bare`,
      () => is.sign(MESSAGE, secret),
      () => {
        const key = crypto.createPrivateKey({ key: der, ...pkcs1 });
        return crypto.sign('sha256', MESSAGE, { key, ...padding });
      },
    );
    const signature = is.sign(MESSAGE, secret);
    row(
      `${name}, verify, to node:crypto bare`,
      () => is.verify(signature, MESSAGE, publicKey),
      () => {
        const key = crypto.createPublicKey({ key: Buffer.from(publicKey), ...pkcs1 });
        return crypto.verify('sha256', MESSAGE, { key, ...padding }, signature);
      },
    );
  }
  const { aesGcmSeal } = await load('crypto/aead');
  for (const bits of [128, 256].filter((bits) => wanted(`aes-${bits}`))) {
    const [key, nonce, none] = [random(bits / 8), random(12), new Uint8Array(0)];
    row(
      `aes-${bits}, seal 1 MiB, to node:crypto bare`,
      () => aesGcmSeal(key, nonce, LARGE, none),
      () => {
        const state = crypto.createCipheriv(`aes-${bits}-gcm`, key, nonce);
        return [state.update(LARGE), state.final(), state.getAuthTag()];
      },
    );
  }
  for (const hash of ['sha256', 'sha384', 'sha512'].filter((hash) => wanted(`hmac-${hash}`))) {
    const is = await (await resolve(`hmac-${hash}`)).load();
    const secret = await is.generate(random);
    row(
      `hmac-${hash}, 1 MiB, to node:crypto bare`,
      () => is.mac(LARGE, secret),
      () => crypto.createHmac(hash, secret).update(LARGE).digest(),
    );
  }
  if (!wanted('sm2')) return rows;
  const { sm2 } = createRequire(import.meta.url)('sm-crypto-v2');
  const is = await (await resolve('sm2')).load();
  const secret = await is.generate(random);
  const publicKey = is.publicKey(secret);
  const signature = is.sign(MESSAGE, secret, { encoding: 'raw' });
  const [privateHex, publicHex, signatureHex] = [secret, publicKey, signature].map((bytes) =>
    Buffer.from(bytes).toString('hex'),
  );
  const how = { hash: true, publicKey: publicHex };
  row(
    'sm2, sign, to sm-crypto-v2',
    () => is.sign(MESSAGE, secret),
    () => sm2.doSignature(MESSAGE, privateHex, how),
  );
  row(
    'sm2, verify, to sm-crypto-v2',
    () => is.verify(signature, MESSAGE, publicKey, { encoding: 'raw' }),
    () => sm2.doVerifySignature(MESSAGE, signatureHex, publicHex, how),
  );
  return rows;
}

function operations(ours, bare, secret, publicKey) {
  const generate = ['generate', () => ours.publicKey(secret), () => bare.generate(secret)];
  if (ours.kind === 'kem') {
    const { ciphertext } = ours.encapsulate(publicKey, random);
    return [
      generate,
      ['encapsulate', () => ours.encapsulate(publicKey, random), () => bare.encapsulate(publicKey)],
      [
        'decapsulate',
        () => ours.decapsulate(ciphertext, secret),
        () => bare.decapsulate(secret, ciphertext),
      ],
    ];
  }
  if (ours.kind === 'agreement') {
    const agree = [
      'agree',
      () => ours.agree(secret, publicKey),
      () => bare.agree(secret, publicKey),
    ];
    return [generate, agree];
  }
  const sign = ['sign', () => ours.sign(MESSAGE, secret), () => bare.sign(secret)];
  let made;
  const signature = () => (made ??= ours.sign(MESSAGE, secret));
  return [
    generate,
    sign,
    [
      'verify',
      () => ours.verify(signature(), MESSAGE, publicKey),
      () => bare.verify(signature(), publicKey),
      signature,
    ],
  ];
}

/** Time that this process computed, in milliseconds: what others do on the machine does not count. */
function now() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Milliseconds of one run each. */
function single(...cases) {
  return cases.map((work) => {
    const start = now();
    work();
    return now() - start;
  });
}

/**
 * Milliseconds for one of each, in turns, each first as often as the other: disturbance only ever adds, so the least of each is
 * nearest to what it costs. While the first seems dearer than its target, more rounds tell whether it is.
 */
function fastest(...cases) {
  for (const work of cases) work();
  const begin = now();
  cases[0]();
  const repeats = Math.max(1, Math.round(ROUND_MS / Math.max(now() - begin, 0.01)));
  const best = cases.map(() => Infinity);
  for (let round = 0; round < MOST_ROUNDS; round++) {
    if (round >= ROUNDS && best[0] <= TARGET * best[1]) break;
    const order = [...cases.entries()];
    for (const [i, work] of round % 2 === 0 ? order : order.reverse()) {
      const start = now();
      for (let n = 0; n < repeats; n++) work();
      best[i] = Math.min(best[i], (now() - start) / repeats);
    }
  }
  return best;
}

/** By algorithm and operation, in milliseconds; what that Node does not know is missing. */
function nativeTimes() {
  const { stdout, status } = spawnSync(
    process.env.CONCLAVE_PEER_NODE ?? process.execPath,
    ['--input-type=module', '--eval', NATIVE],
    { encoding: 'utf8' },
  );
  if (status !== 0) throw new Error('the Node to compare with did not run');
  return JSON.parse(stdout);
}

const NATIVE = `
import * as crypto from 'node:crypto';
const names = ['ed25519', 'ed448', 'x25519', 'x448', 'ml-dsa-44', 'ml-dsa-65', 'ml-dsa-87',
  'ml-kem-512', 'ml-kem-768', 'ml-kem-1024', 'p256', 'p384', 'p521', 'secp256k1',
  ...['sha2', 'shake'].flatMap((hash) => ['128s', '128f', '192s', '192f', '256s', '256f'].map(
    (set) => 'slh-dsa-' + hash + '-' + set))];
const CURVES = { p256: 'P-256', p384: 'P-384', p521: 'P-521', secp256k1: 'secp256k1' };
const message = new Uint8Array(1024).fill(7);
const now = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};
const time = (work) => {
  const first = now();
  work();
  let best = now() - first;
  for (let round = 0; round < 15 && best < 200; round++) {
    const begin = now();
    let count = 0;
    do { work(); count++; } while (now() - begin < 5);
    best = Math.min(best, (now() - begin) / count);
  }
  return best;
};
const result = {};
for (const name of names) {
  const namedCurve = CURVES[name];
  const hash = { p384: 'sha384', p521: 'sha512' }[name] ?? (namedCurve ? 'sha256' : null);
  const make = () => namedCurve
    ? crypto.generateKeyPairSync('ec', { namedCurve })
    : crypto.generateKeyPairSync(name);
  let pair;
  try {
    pair = make();
  } catch {
    continue;
  }
  const { publicKey, privateKey } = pair;
  const times = { generate: time(make) };
  if (name.startsWith('ml-kem')) {
    const { ciphertext } = crypto.encapsulate(publicKey);
    times.encapsulate = time(() => crypto.encapsulate(publicKey));
    times.decapsulate = time(() => crypto.decapsulate(privateKey, ciphertext));
  } else if (name.startsWith('x')) {
    times.agree = time(() => crypto.diffieHellman({ privateKey, publicKey }));
  } else {
    const signature = crypto.sign(hash, message, privateKey);
    times.sign = time(() => crypto.sign(hash, message, privateKey));
    times.verify = time(() => crypto.verify(hash, message, publicKey, signature));
  }
  result[name] = times;
}
console.log(JSON.stringify(result));
`;
