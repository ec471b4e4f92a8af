/**
 * Cold-signing traces at 219 repetitions: proving and verifying, to what cannot be avoided. Every participant's hashes have to be
 * computed in every repetition, and points for two of them: so many plain compressions of SHA-256, and multiplications of the base.
 */
import { createHash, randomBytes } from 'node:crypto';
import { isSigned } from '../dist/actions/trace/check-bytes.js';
import { checkScalarTrace } from '../dist/actions/trace/check-scalars.js';
import { policyOf } from '../dist/actions/trace/policy.js';
import { proveScalars } from '../dist/actions/trace/prove-scalars.js';
import { readScalarKey } from '../dist/actions/trace/scalar-key.js';
import { newOpening, shareCommitment } from '../dist/crypto/frost/commitment.js';
import { contextOf, encodeGroup, pointText } from '../dist/crypto/frost/group.js';
import { loadSuite } from '../dist/crypto/frost/suite.js';
import { keyId } from '../dist/crypto/key-id.js';
import { lagrangeFactors } from '../dist/crypto/math/gf256.js';
import { interpolate } from '../dist/crypto/math/gf256.js';
import { loadGroup, mod } from '../dist/crypto/math/prime-group.js';
import { randomScalar } from '../dist/crypto/math/prime-group.js';
import { dealFeldman } from '../dist/crypto/math/vss.js';
import { resolve } from '../dist/crypto/registry.js';
import { sha256, shake256 } from '../dist/crypto/hash.js';
import { SecretBytes } from '../dist/formats/secret-bytes.js';
import { encodeRequest } from '../dist/protocols/inhead/request.js';
import { encodeTrace } from '../dist/protocols/inhead/trace-file.js';
import { encodeProof } from '../dist/protocols/inhead/proof.js';
import { prove } from '../dist/protocols/inhead/prover.js';
import { nonceHashes } from '../dist/protocols/inhead/shape.js';
import { makeStatement } from '../dist/protocols/inhead/statement.js';
import { verifyProof } from '../dist/protocols/inhead/verifier.js';

export const title =
  'MPC in the head at 219 repetitions (2^-128): quorums of 2, 3 and 5, and each group';
export const peer = 'as many plain SHA-256 compressions and base multiplications';

const REPETITIONS = 219;
const bytes = (length, label) => shake256(length, Buffer.from(label));
const toInteger = (data) => data.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);

function bytesCase(count) {
  const xs = Array.from({ length: count }, (_, i) => i + 1);
  const openings = xs.map((i) => ({ x: bytes(32, `x${i}`), r: bytes(23, `r${i}`) }));
  const blocks = xs.map((i) => bytes(64, `b${i}`));
  const secret = interpolate(openings.map(({ x }, i) => ({ x: i + 1, y: x })));
  const firstBlock = bytes(64, 'k');
  const statement = makeStatement({
    h0: bytes(32, 'h0'),
    parameters: { repetitions: REPETITIONS, circuitId: 1 },
    shape: { kind: 'bytes', factors: [...lagrangeFactors(xs)] },
    openings: openings.map(({ x, r }, i) => ({
      firstBlocks: [blocks[i]],
      commitment: sha256(blocks[i], x, r),
      points: [],
    })),
    secret: { firstBlock, commitment: sha256(firstBlock, secret, new Uint8Array(23)) },
  });
  return { name: `bytes, quorum of ${count}`, statement, openings, compressions: count + 1 };
}

async function scalarCase(
  curve,
  count,
  nonces,
  name = `${curve}, ${nonces ? 'nonces' : 'quorum'} of ${count}`,
) {
  const group = await loadGroup(curve);
  const long = group.scalarBytes !== 32;
  const size = {
    scalarBytes: group.scalarBytes,
    randomnessBytes: long ? 32 : 23,
    orderBits: group.order.toString(2).length,
  };
  const hashes = nonces ? nonceHashes(size) : 0;
  const made = Array.from({ length: count }, (_, i) => {
    const value = mod(toInteger(bytes(80, `v${i}`)), group.order);
    const x = new Uint8Array(size.scalarBytes);
    for (let at = x.length - 1, rest = value; at >= 0; at--, rest >>= 8n)
      x[at] = Number(rest & 255n);
    const r = bytes(size.randomnessBytes, `r${i}`);
    const firstBlocks = Array.from({ length: 1 + hashes }, (_, j) => bytes(64, `b${i}.${j}`));
    const nonce = Buffer.concat(firstBlocks.slice(1).map((block) => sha256(block, x, r)));
    const scalars = nonces ? [value, mod(toInteger(nonce), group.order)] : [value];
    return {
      opening: {
        firstBlocks,
        commitment: sha256(firstBlocks[0], x, r),
        points: scalars.map((scalar) => group.base.multiply(scalar)),
      },
      secret: nonces ? { x, r, nonce: new Uint8Array(nonce) } : { x, r },
    };
  });
  const statement = makeStatement({
    h0: bytes(32, 'h0'),
    parameters: { repetitions: REPETITIONS, circuitId: 2 },
    shape: { kind: 'scalar', size, openings: count, nonces },
    openings: made.map(({ opening }) => opening),
    group,
  });
  return {
    name,
    statement,
    openings: made.map(({ secret }) => secret),
    compressions: count * (1 + hashes) * (long ? 2 : 1),
    group,
    multiplications: 2 * count * (nonces ? 2 : 1),
  };
}

const random = (length) => new Uint8Array(randomBytes(length));
const hex = (data) => Buffer.from(data).toString('hex');

/** The group record of a key whose shares are dealt here, and what opens them. */
async function dealt(name, threshold) {
  const suite = await loadSuite(name);
  const { group } = suite;
  const quorum = { threshold, shares: threshold };
  const { shares, commitments } = dealFeldman(randomScalar(group, random), quorum, group, random);
  const openings = shares.map(({ value }) => newOpening(value, suite, random));
  const record = {
    type: 'conclave/group',
    version: 1,
    suite: name,
    key: keyId(await resolve(suite.algorithm), suite.publicKey(commitments[0])),
    environment: 'dev',
    threshold,
    ceremony: hex(random(32)),
    epoch: 1,
    policy: null,
    publicKey: pointText(commitments[0]),
    members: shares.map(({ index, value }) => ({
      number: index,
      identity: hex(random(32)),
      publicShare: pointText(group.base.multiply(value)),
      commitment: '0'.repeat(64),
    })),
    head: hex(random(32)),
  };
  const context = contextOf(record, suite);
  record.members.forEach((member, i) => {
    member.commitment = hex(shareCommitment(suite, context, member.number, openings[i]));
  });
  const signers = openings.map((opening, i) => ({
    name: `share ${i + 1}`,
    number: i + 1,
    opening: SecretBytes.copyOf(opening, `share ${i + 1}`),
  }));
  return { key: await readScalarKey(encodeGroup(record), 'group'), signers };
}

/** Level shares, bound: what is checked beyond the signature, to verifying that alone. */
async function sharesRow(name, threshold) {
  const { key, signers } = await dealt(name, threshold);
  const message = random(64);
  const request = {
    nonce: random(32),
    message,
    group: sha256(key.bytes),
    level: 'shares',
    quorum: signers.map(({ number }) => number),
    bind: true,
    policy: policyOf(message),
    expires: undefined,
  };
  const asked = { key, request, requestBytes: encodeRequest(request) };
  const machine = { random, progress: () => undefined };
  const trace = await proveScalars({ ...asked, signers, twin: false }, machine);
  const [all, alone] = [[], []];
  for (let i = 0; i < 30; i++) {
    const started = performance.now();
    const verdict = await checkScalarTrace({ ...asked, trace, what: 'trace' });
    all.push(performance.now() - started);
    if (!verdict.ok) throw new Error(`level shares of ${name} does not verify`);
    const again = performance.now();
    await isSigned(key, message, trace.signature);
    alone.push(performance.now() - again);
  }
  const [whole, plainly] = [Math.min(...all), Math.min(...alone)];
  return {
    name: `verify ${name}, shares of ${threshold} (${encodeTrace(trace).length} bytes), beyond the signature; to that`,
    ms: whole - plainly,
    ratio: (whole - plainly) / plainly,
  };
}

/** Plain work below this is repeated: a few milliseconds measure what else the machine did. */
const LEAST_MS = 200;

/** Plain work of the same size: for three participants when proving, for two when verifying. */
function plain(work, participants) {
  const started = performance.now();
  for (let runs = 1; ; runs++) {
    plainOnce(work, participants);
    const spent = performance.now() - started;
    if (spent >= LEAST_MS) return spent / runs;
  }
}

function plainOnce({ compressions, group, multiplications = 0 }, participants) {
  const block = new Uint8Array(55);
  for (let i = 0; i < REPETITIONS * participants * compressions; i++) {
    createHash('sha256').update(block).digest();
  }
  for (let i = 0; i < REPETITIONS * multiplications; i++) {
    group.base.multiply(mod((group.order / 3n) * BigInt(i + 1), group.order));
  }
}

export async function measure() {
  const cases = [
    bytesCase(2),
    bytesCase(3),
    bytesCase(5),
    await scalarCase('edwards25519', 2, false),
    await scalarCase('edwards25519', 3, false),
    await scalarCase('edwards25519', 5, false),
    await scalarCase('edwards25519', 2, true),
    await scalarCase('edwards25519', 3, true),
    await scalarCase('sec-256k1', 3, false),
    await scalarCase('sec-256k1', 3, true),
    await scalarCase('nist-p256', 3, false),
    await scalarCase('nist-p256', 3, true),
    await scalarCase('ristretto255', 3, false),
    await scalarCase('ristretto255', 3, true),
    await scalarCase('edwards448', 3, false),
    await scalarCase('edwards448', 3, true),
    await scalarCase('edwards25519', 1, false, 'edwards25519, what one commitment opens to'),
    await scalarCase('edwards448', 1, false, 'edwards448, what one commitment opens to'),
  ];
  const rows = [];
  for (const threshold of [2, 3, 5]) rows.push(await sharesRow('frost-ed25519', threshold));
  for (const suite of ['secp256k1', 'taproot', 'p256', 'ristretto255', 'ed448'])
    rows.push(await sharesRow(`frost-${suite}`, 3));
  for (const each of cases) {
    const { name, statement, openings } = each;
    // The first run compiles; the second is measured.
    let proof;
    let proving = 0;
    for (let i = 0; i < 2; i++) {
      const started = performance.now();
      proof = prove(statement, openings, bytes(64, `root ${i}`));
      proving = performance.now() - started;
    }
    const started = performance.now();
    const verdict = verifyProof(statement, proof);
    const verifying = performance.now() - started;
    if (!verdict.ok) throw new Error(`${name} does not verify`);
    const megabytes = (encodeProof(proof).length / 1e6).toFixed(2);
    rows.push({
      name: `prove ${name} (${megabytes} MB)`,
      ms: proving,
      ratio: proving / plain(each, 3),
    });
    rows.push({ name: `verify ${name}`, ms: verifying, ratio: verifying / plain(each, 2) });
  }
  const peak = Math.round(process.resourceUsage().maxRSS / 1024);
  rows.push({
    name: `peak memory of all of these: ${peak} MB, to 512 MB`,
    ms: 0,
    ratio: peak / 512,
    target: 1,
  });
  return rows;
}
