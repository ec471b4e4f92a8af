/**
 * Cold-signing traces at 219 repetitions: proving and verifying, to what cannot be avoided. Every participant's hashes have to be
 * computed in every repetition, and points for two of them: so many plain compressions of SHA-256, and multiplications of the base.
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { sharesRow } from './inhead/shares.mjs';

export const title =
  'MPC in the head at 219 repetitions (2^-128): quorums of 2, 3 and 5, and each group';
export const peer = 'as many plain SHA-256 compressions and base multiplications';

const PROOF = fileURLToPath(new URL('./inhead/proof.mjs', import.meta.url));
const CURVES = ['edwards25519', 'sec-256k1', 'nist-p256', 'ristretto255', 'edwards448'];
/** Of the specification, for one proof. */
const MOST_MEMORY_MB = 512;

/** Each is a process of its own: what it is of, how many sign, and whether their nonces are proven. */
const CASES = [
  ...[2, 3, 5].map((count) => ['bytes', count]),
  ...[false, true].flatMap((nonces) => [2, 5].map((count) => ['edwards25519', count, nonces])),
  ...CURVES.flatMap((curve) => [false, true].map((nonces) => [curve, 3, nonces])),
  ...['edwards25519', 'edwards448'].map((curve) => [curve, 1, false]),
];

function nameOf([kind, count, nonces]) {
  if (count === 1) return `${kind}, what one commitment opens to`;
  return `${kind}, ${nonces ? 'nonces' : 'quorum'} of ${count}`;
}

export async function measure() {
  const rows = [];
  for (const threshold of [2, 3, 5]) rows.push(await sharesRow('frost-ed25519', threshold, false));
  for (const suite of ['ed25519', 'secp256k1', 'taproot', 'p256', 'ristretto255', 'ed448'])
    rows.push(await sharesRow(`frost-${suite}`, 3, true));
  let highest = 0;
  for (const each of CASES) {
    const printed = execFileSync(process.execPath, [PROOF, JSON.stringify(each)]);
    const taken = JSON.parse(printed);
    const megabytes = (taken.length / 1e6).toFixed(2);
    highest = Math.max(highest, taken.peak);
    rows.push({
      name: `prove ${nameOf(each)} (${megabytes} MB)`,
      ms: taken.proving,
      ratio: taken.proving / taken.plainProving,
    });
    rows.push({
      name: `verify it (${Math.round(taken.peak)} MB of memory for both)`,
      ms: taken.verifying,
      ratio: taken.verifying / taken.plainVerifying,
    });
  }
  rows.push({
    name: `highest peak of memory of these: ${Math.round(highest)} MB, to ${MOST_MEMORY_MB} MB`,
    ms: 0,
    ratio: highest / MOST_MEMORY_MB,
    target: 1,
  });
  return rows;
}
