/**
 * What the crypto layer costs: each operation as a multiple of noble called bare in the same process, and of node:crypto of a
 * Node that knows the algorithm (CONCLAVE_PEER_NODE, else the running one), which computes in C.
 */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';

export const title = 'cryptography: fastest of interleaved runs, in processor time';
export const peer = 'noble called bare, or node:crypto where it says so';

/** Our own share: checks of lengths and options, randomness, copies. */
const TARGET = 1.05;
const ROUNDS = 15;
/** A round repeats an operation until it takes about this long. */
const ROUND_MS = 20;
const MESSAGE = new Uint8Array(1024).fill(7);
const random = (length) => new Uint8Array(randomBytes(length));
const load = (path) => import(new URL(`../dist/${path}.js`, import.meta.url));

/** How noble is called for the same: everything begins at the private form that conclave keeps. */
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
const kem = (scheme) => ({
  generate: (secret) => scheme.keygen(secret).publicKey,
  encapsulate: (publicKey) => scheme.encapsulate(publicKey),
  decapsulate: (secret, ciphertext) =>
    scheme.decapsulate(ciphertext, scheme.keygen(secret).secretKey),
});

async function bareSchemes() {
  const [ed25519, ed448, mlDsa, slhDsa, mlKem] = await Promise.all([
    import('@noble/curves/ed25519.js'),
    import('@noble/curves/ed448.js'),
    import('@noble/post-quantum/ml-dsa.js'),
    import('@noble/post-quantum/slh-dsa.js'),
    import('@noble/post-quantum/ml-kem.js'),
  ]);
  const still = { expands: true, hedged: { extraEntropy: false } };
  return {
    ed25519: edwards(ed25519.ed25519),
    ed448: edwards(ed448.ed448),
    'ml-dsa-44': signer(mlDsa.ml_dsa44, still),
    'ml-dsa-65': signer(mlDsa.ml_dsa65, still),
    'ml-dsa-87': signer(mlDsa.ml_dsa87, still),
    'slh-dsa-sha2-128f': signer(slhDsa.slh_dsa_sha2_128f, still),
    'ml-kem-512': kem(mlKem.ml_kem512),
    'ml-kem-768': kem(mlKem.ml_kem768),
    'ml-kem-1024': kem(mlKem.ml_kem1024),
  };
}

/** All cases. */
export async function measure() {
  const { resolve } = await load('crypto/registry');
  const native = nativeTimes();
  const rows = [];
  for (const [name, bare] of Object.entries(await bareSchemes())) {
    const implementation = await (await resolve(name)).load();
    const secret = await implementation.generate(random);
    const publicKey = implementation.publicKey(secret);
    for (const [operation, ours, theirs] of operations(implementation, bare, secret, publicKey)) {
      const [own, other] = fastest(ours, theirs);
      rows.push({ name: `${name}, ${operation}`, ms: own, ratio: own / other, target: TARGET });
      const c = native[name]?.[operation];
      if (c !== undefined) {
        rows.push({ name: `${name}, ${operation}, to node:crypto`, ms: own, ratio: own / c });
      }
    }
  }
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
  const signature = ours.sign(MESSAGE, secret);
  return [
    generate,
    ['sign', () => ours.sign(MESSAGE, secret), () => bare.sign(secret)],
    [
      'verify',
      () => ours.verify(signature, MESSAGE, publicKey),
      () => bare.verify(signature, publicKey),
    ],
  ];
}

/** Time that this process computed, in milliseconds: what others do on the machine does not count. */
function now() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Milliseconds for one of each, in turns: disturbance only ever adds, so the least of each is nearest to what it costs. */
function fastest(...cases) {
  for (const work of cases) work();
  const begin = now();
  cases[0]();
  const repeats = Math.max(1, Math.round(ROUND_MS / Math.max(now() - begin, 0.01)));
  const best = cases.map(() => Infinity);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, work] of cases.entries()) {
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
const names = ['ed25519', 'ed448', 'ml-dsa-44', 'ml-dsa-65', 'ml-dsa-87', 'slh-dsa-sha2-128f',
  'ml-kem-512', 'ml-kem-768', 'ml-kem-1024'];
const message = new Uint8Array(1024).fill(7);
const now = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};
const time = (work) => {
  work();
  let best = Infinity;
  for (let round = 0; round < 15; round++) {
    const begin = now();
    let count = 0;
    do { work(); count++; } while (now() - begin < 5);
    best = Math.min(best, (now() - begin) / count);
  }
  return best;
};
const result = {};
for (const name of names) {
  let pair;
  try {
    pair = crypto.generateKeyPairSync(name);
  } catch {
    continue;
  }
  const { publicKey, privateKey } = pair;
  const times = { generate: time(() => crypto.generateKeyPairSync(name)) };
  if (name.startsWith('ml-kem')) {
    const { ciphertext } = crypto.encapsulate(publicKey);
    times.encapsulate = time(() => crypto.encapsulate(publicKey));
    times.decapsulate = time(() => crypto.decapsulate(privateKey, ciphertext));
  } else {
    const signature = crypto.sign(null, message, privateKey);
    times.sign = time(() => crypto.sign(null, message, privateKey));
    times.verify = time(() => crypto.verify(null, message, publicKey, signature));
  }
  result[name] = times;
}
console.log(JSON.stringify(result));
`;
