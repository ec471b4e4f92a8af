/**
 * What sharing costs, against others that share: bytes over GF(2^8) as multiples of the package shamir-secret-sharing, SLIP-39
 * words as multiples of the package slip39, and whole programs, from start to end, as multiples of ssss where it is installed.
 * ssss shares in a field of another size and is a small C program; the start of Node is most of what is measured there.
 * The target is the peer: not slower than it. Whole programs are told without one.
 */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { combine as peerCombine, split as peerSplit } from 'shamir-secret-sharing';

export const title = 'sharing: medians of interleaved runs; every pair of rows is ours, to theirs';
export const peer = 'the peer that the row names';

const slip39 = createRequire(import.meta.url)('slip39');
const conclave = fileURLToPath(new URL('../bin/conclave.js', import.meta.url));
const load = (path) => import(new URL(`../dist/${path}.js`, import.meta.url));
const random = (length) => new Uint8Array(randomBytes(length));
const same = (a, b) => {
  if (!Buffer.from(a).equals(Buffer.from(b))) throw new Error('another secret came back');
};

/** All cases. */
export async function measure() {
  return [...(await measureBytes()), ...(await measureWords()), ...(await measurePrograms())];
}

/** Shares of bytes: the arithmetic alone, told for a hundred times in a row. */
async function measureBytes() {
  const { combineBytes, splitBytes } = await load('protocols/sharing/shamir');
  const { deal } = await load('protocols/sharing/deal');
  const { plainStructure } = await load('protocols/sharing/structure');
  const rows = [];
  for (const [length, threshold, shares] of [
    [32, 3, 5],
    [64, 16, 32],
  ]) {
    const quorum = { threshold, shares };
    const secret = random(length);
    const points = splitBytes(secret, quorum, random)
      .map((y, i) => ({ x: i + 1, y }))
      .slice(0, threshold);
    const theirs = (await peerSplit(secret, shares, threshold)).slice(0, threshold);
    const ms = await medians([
      times(100, () => splitBytes(secret, quorum, random)),
      times(100, () => peerSplit(secret, shares, threshold)),
      times(1000, () => same(combineBytes(points), secret)),
      times(1000, async () => same(await peerCombine(theirs), secret)),
      times(10, () => deal(plainStructure({ threshold: 3, shares: 5 }), new Uint8Array(0), random)),
    ]);
    const name = `100 times ${length} bytes, ${threshold} of ${shares}`;
    const to = 'to shamir-secret-sharing';
    rows.push({ name: `${name}: split ${to}`, ms: ms[0], ratio: ms[0] / ms[1], target: 1 });
    rows.push({
      name: `${name}: combine ${to}`,
      ms: ms[2] / 10,
      ratio: ms[2] / ms[3],
      target: 1,
    });
    if (length !== 32) continue;
    const dealt = 'dealt, committed to, every quorum tried';
    rows.push({ name: `${name}, ${dealt}: ${to}`, ms: ms[4] * 10, ratio: (ms[4] * 10) / ms[1] });
  }
  return rows;
}

/** SLIP-39: both stretch by PBKDF2 with the same 20,000 rounds, so neither can be much quicker; a tenth is the noise of that. */
async function measureWords() {
  const { combineSlip39, splitSlip39 } = await load('protocols/sharing/slip39');
  const { decodeMnemonic, encodeMnemonic } = await load('protocols/sharing/slip39-mnemonic');
  const { plainStructure } = await load('protocols/sharing/structure');
  const secret = random(32);
  const structure = plainStructure({ threshold: 3, shares: 5 });
  const passphrase = new Uint8Array(0);
  const leaves = ({ children, mnemonics }) =>
    children.length === 0 ? mnemonics : children.flatMap(leaves);
  const ours = () =>
    splitSlip39({ secret, passphrase, structure, random, iterationExponent: 1 }).map(
      encodeMnemonic,
    );
  const theirs = () => {
    const options = { passphrase: '', threshold: 1, groups: [[3, 5]], iterationExponent: 1 };
    return leaves(slip39.fromArray([...secret], { ...options, extendableBackupFlag: 1 }).root);
  };
  const words = ours().slice(0, 3);
  const combine = () => {
    const shares = words.map((text, i) => ({ name: `${i}`, share: decodeMnemonic(text, `${i}`) }));
    same(combineSlip39(shares, passphrase), secret);
  };
  const ms = await medians([
    ours,
    theirs,
    combine,
    () => same(slip39.recoverSecret(words, ''), secret),
  ]);
  const name = '32 bytes as SLIP-39 words, 3 of 5';
  return [
    { name: `${name}: split to slip39`, ms: ms[0], ratio: ms[0] / ms[1], target: 1.1 },
    { name: `${name}: combine to slip39`, ms: ms[2], ratio: ms[2] / ms[3], target: 1.1 },
  ];
}

/** Programs: ours also seals the file, commits to every share, proves every quorum and flushes it all to the disk. */
async function measurePrograms() {
  if (spawnSync('ssss-split', ['-v']).error !== undefined) return [];
  const folder = mkdtempSync(join(tmpdir(), 'conclave-bench-'));
  try {
    const at = (name) => join(folder, name);
    const secret = randomBytes(32);
    writeFileSync(at('secret'), secret);
    const run = (program, args, input) => {
      const { status, stdout, stderr } = spawnSync(program, args, { input });
      if (status !== 0) throw new Error(`${program} ended with ${status}: ${stderr}`);
      return `${stdout}${stderr}`;
    };
    const ours = (args) =>
      run(process.execPath, [conclave, '--home', at('home'), '--no-input', ...args]);
    const split = () => {
      rmSync(at('shares'), { recursive: true, force: true });
      const quorum = ['--threshold', '3', '--shares', '5', '--unsealed'];
      ours(['share', 'split', '--in', at('secret'), ...quorum, '--out-dir', at('shares')]);
    };
    const theirs = () =>
      run('ssss-split', ['-t', '3', '-n', '5', '-x', '-Q'], `${secret.toString('hex')}\n`);
    const lines = theirs().trim().split('\n').slice(0, 3);
    split();
    const names = [1, 2, 3].map((n) => at(`shares/share-${n}.cbor`));
    if (!names.every(existsSync)) throw new Error('share split wrote other names');
    const ms = await medians(
      [
        split,
        theirs,
        () => {
          ours(['share', 'combine', ...names, '--out', at('back'), '--force']);
          same(readFileSync(at('back')), secret);
        },
        () => {
          const out = run('ssss-combine', ['-t', '3', '-x', '-Q'], `${lines.join('\n')}\n`);
          same(Buffer.from(out.trim(), 'hex'), secret);
        },
      ],
      5,
    );
    const name = 'a file of 32 bytes, 3 of 5, the whole program';
    return [
      { name: `${name}: split to ssss-split`, ms: ms[0], ratio: ms[0] / ms[1] },
      { name: `${name}: combine to ssss-combine`, ms: ms[2], ratio: ms[2] / ms[3] },
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Some work, several times. */
function times(count, work) {
  return async () => {
    for (let i = 0; i < count; i++) await work();
  };
}

/** Medians of all cases, taken in turns so that a busy moment of the machine hits each alike. */
async function medians(cases, rounds = 15) {
  const taken = cases.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [i, work] of cases.entries()) {
      const begin = process.hrtime.bigint();
      await work();
      taken[i].push(Number(process.hrtime.bigint() - begin) / 1e6);
    }
  }
  return taken.map((each) => each.sort((a, b) => a - b)[Math.floor(each.length / 2)]);
}
