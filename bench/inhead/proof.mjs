/**
 * One proof in a process of its own, so that its peak of memory is its own: `node proof.mjs '["edwards25519",3,true]'`, or
 * `'["bytes",3]'`. Prints what it took as JSON.
 */
import { createHash } from 'node:crypto';
import { sha256, shake256 } from '../../dist/crypto/hash.js';
import { interpolate, lagrangeFactors } from '../../dist/crypto/math/gf256.js';
import { loadGroup, mod } from '../../dist/crypto/math/prime-group.js';
import { encodeProof } from '../../dist/protocols/inhead/proof.js';
import { prove } from '../../dist/protocols/inhead/prover.js';
import { nonceHashes } from '../../dist/protocols/inhead/shape.js';
import { makeStatement } from '../../dist/protocols/inhead/statement.js';
import { verifyProof } from '../../dist/protocols/inhead/verifier.js';

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
  return { statement, openings, compressions: count + 1 };
}

async function scalarCase(curve, count, nonces) {
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
    statement,
    openings: made.map(({ secret }) => secret),
    compressions: count * (1 + hashes) * (long ? 2 : 1),
    group,
    multiplications: 2 * count * (nonces ? 2 : 1),
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

const [kind, count, nonces] = JSON.parse(process.argv[2]);
const proven = kind === 'bytes' ? bytesCase(count) : await scalarCase(kind, count, nonces);
const { statement, openings } = proven;
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
if (!verdict.ok) throw new Error(`${process.argv[2]} does not verify`);
const { length } = encodeProof(proof);
const peak = process.resourceUsage().maxRSS / 1024;
const [plainProving, plainVerifying] = [plain(proven, 3), plain(proven, 2)];
console.log(JSON.stringify({ length, peak, proving, verifying, plainProving, plainVerifying }));
