/** How long conclave takes to start and do little, as multiples of the time that Node needs to do nothing. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const title = 'start-up: median of 15 interleaved runs';
export const peer = 'node -e 0';

const ROUNDS = 15;
const conclave = fileURLToPath(new URL('../bin/conclave.js', import.meta.url));

/** Medians of all cases, taken in turns so that a busy moment of the machine hits each alike. */
export function measure() {
  const folder = mkdtempSync(join(tmpdir(), 'conclave-bench-'));
  try {
    return measureIn(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function measureIn(folder) {
  const environment = { ...process.env, CONCLAVE_HOME: join(folder, 'home'), NO_COLOR: '1' };
  const run = (args) => {
    const begin = process.hrtime.bigint();
    const done = spawnSync(process.execPath, args, {
      cwd: folder,
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const ms = Number(process.hrtime.bigint() - begin) / 1e6;
    if (done.status !== 0) {
      throw new Error(`${args.join(' ')} ended with ${done.status}: ${done.stderr}`);
    }
    return ms;
  };
  const generate = (algorithm, out) =>
    `key generate --algorithm ${algorithm} --no-passphrase --out ${out}`.split(' ');

  writeFileSync(join(folder, 'message'), 'a message\n');
  run([conclave, ...generate('ml-dsa-65', 'signer.key')]);

  // What no command around it can undercut: the library alone, loaded, expanding a seed and signing once.
  const alone = join(folder, 'alone.mjs');
  writeFileSync(
    alone,
    `import { ml_dsa65 } from ${JSON.stringify(import.meta.resolve('@noble/post-quantum/ml-dsa.js'))};
const { secretKey } = ml_dsa65.keygen(crypto.getRandomValues(new Uint8Array(32)));
ml_dsa65.sign(new Uint8Array(10), secretKey);
`,
  );

  const cases = [
    { name: peer, args: () => ['-e', '0'] },
    { name: '--version', target: 1.4, args: () => [conclave, '--version'] },
    {
      name: 'key generate, ed25519',
      target: 2.9,
      args: (round) => [conclave, ...generate('ed25519', `new-${round}.key`)],
    },
    {
      name: 'noble alone, ml-dsa-65',
      args: () => [alone],
    },
    {
      name: 'sign, ml-dsa-65',
      target: 2.8,
      args: (round) => [
        conclave,
        ...`sign --key ./signer.key --in message --out message-${round}.sig`.split(' '),
      ],
    },
  ];
  const times = cases.map(() => []);
  // The first round fills the file cache and does not count.
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [i, { args }] of cases.entries()) {
      const ms = run(args(round));
      if (round > 0) times[i].push(ms);
    }
  }
  const medians = times.map(median);
  return cases.map(({ name, target }, i) => ({
    name,
    target,
    ms: medians[i],
    ratio: medians[i] / medians[0],
  }));
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}
