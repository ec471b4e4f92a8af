/**
 * What wrapping costs: a key, as multiples of AES-256-GCM over the same bytes; a file, as multiples of AES-256-GCM over it from
 * file to file, and of age on the same file where it is installed.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { createCipheriv, randomBytes } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const title = 'wrapping: medians of interleaved runs';
export const peer = 'node:crypto, AES-256-GCM alone (age: the program age)';

const ROUNDS = 5;
const FILE_BYTES = 64 * 1024 * 1024;
const conclave = fileURLToPath(new URL('../bin/conclave.js', import.meta.url));
const load = (path) => import(new URL(`../dist/${path}.js`, import.meta.url));

/** All cases. */
export async function measure() {
  const folder = mkdtempSync(join(tmpdir(), 'conclave-bench-'));
  try {
    return [...(await measureKeys()), ...(await measureFiles(folder))];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** In one process, since starting one takes longer than all of it. */
async function measureKeys() {
  const { format } = await load('carriage/wrapping/hpke-container');
  const { resolve } = await load('crypto/registry');
  const { SecretBytes } = await load('formats/secret-bytes');
  const { sourceOf } = await load('formats/byte-stream');
  const { keyId } = await load('crypto/key-id');
  const descriptor = await resolve('x-wing');
  const kem = await descriptor.load();
  const seed = randomBytes(32);
  const publicKey = kem.publicKey(seed);
  const opening = {
    descriptor,
    publicKey,
    secret: SecretBytes.copyOf(seed, 'bench'),
    id: keyId(descriptor, publicKey),
  };
  const wrapped = await resolve('ed25519');
  const content = {
    kind: 'key',
    descriptor: wrapped,
    secret: SecretBytes.copyOf(randomBytes(32), 'bench'),
    facts: {
      id: '00'.repeat(32),
      algorithm: wrapped.name,
      profile: '',
      purposes: ['sign'],
      policy: null,
    },
    record: randomBytes(700),
  };
  const targets = [{ kind: 'public-key', name: 'bench', descriptor, publicKey }];
  const wrap = async () => {
    const parts = [];
    await format.wrap({
      content,
      targets,
      environment: 'production',
      mark: '',
      epoch: 0,
      created: '2026-11-23T09:30:00Z',
      version: '0',
      random: (length) => new Uint8Array(randomBytes(length)),
      sink: { write: (bytes) => void parts.push(bytes.slice()) },
    });
    return Buffer.concat(parts);
  };
  const container = await wrap();
  const openers = { keys: () => Promise.resolve([opening]), passphrase: () => Promise.resolve() };
  const unwrap = async () => {
    const request = { source: sourceOf(container), name: 'bench', openers };
    (await format.unwrap(request))[Symbol.dispose]();
  };
  const alone = () => {
    for (let i = 0; i < 200; i++) encrypt(randomBytes(32), randomBytes(12), container);
  };
  const ms = await medians([alone, wrap, unwrap], 25);
  const one = ms[0] / 200;
  return [
    { name: 'a key, AES-256-GCM alone', ms: one, ratio: 1 },
    { name: 'a key, wrap', ms: ms[1], ratio: ms[1] / one },
    { name: 'a key, unwrap', ms: ms[2], ratio: ms[2] / one },
  ];
}

async function measureFiles(folder) {
  const at = (name) => join(folder, name);
  const fd = openSync(at('in'), 'w');
  for (let left = FILE_BYTES; left > 0; left -= 2 ** 20) writeSync(fd, randomBytes(2 ** 20));
  closeSync(fd);
  writeFileSync(at('alone.mjs'), ALONE);
  const run = (args) => node([conclave, '--home', at('home'), ...args]);
  const node = (args) => {
    const { status, stderr } = spawnSync(process.execPath, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}: ${stderr}`);
  };
  const generate = 'key generate --algorithm x-wing --name bench --no-passphrase'.split(' ');
  run([...generate, '--public-out', at('bench.pub')]);
  const wrap = ['wrap', '--in', at('in'), '--to', at('bench.pub'), '--force', '--out', at('w')];
  const cases = [
    () => node([at('alone.mjs'), at('in'), at('plain')]),
    () => run(wrap),
    () => run(['unwrap', '--in', at('w'), '--key', 'bench', '--force', '--out', at('out')]),
  ];
  const hasAge = spawnSync('age-keygen', ['-o', at('id.txt')]).status === 0;
  if (hasAge) {
    const recipient = execFileSync('age-keygen', ['-y', at('id.txt')], { encoding: 'utf8' }).trim();
    const quiet = { stdio: 'ignore' };
    cases.push(() => execFileSync('age', ['-r', recipient, '-o', at('a'), at('in')], quiet));
    cases.push(() =>
      execFileSync('age', ['-d', '-i', at('id.txt'), '-o', at('b'), at('a')], quiet),
    );
  }
  const ms = await medians(cases, ROUNDS);
  const rows = [
    { name: '64 MiB, AES-256-GCM file to file', ms: ms[0], ratio: 1 },
    { name: '64 MiB, wrap', ms: ms[1], ratio: ms[1] / ms[0], target: 6 },
    { name: '64 MiB, unwrap', ms: ms[2], ratio: ms[2] / ms[0], target: 6 },
  ];
  if (!hasAge) return rows;
  return [
    ...rows,
    { name: '64 MiB, wrap, to age -r', ms: ms[1], ratio: ms[1] / ms[3] },
    { name: '64 MiB, unwrap, to age -d', ms: ms[2], ratio: ms[2] / ms[4] },
  ];
}

/** The least that a program could do: start, read, encrypt, write, sync. */
const ALONE = `
import { createCipheriv, randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs';
const [, , from, to] = process.argv;
const cipher = createCipheriv('aes-256-gcm', randomBytes(32), randomBytes(12));
const [input, output] = [openSync(from, 'r'), openSync(to, 'w')];
const piece = Buffer.alloc(2 ** 18);
for (let count; (count = readSync(input, piece)) > 0;) {
  writeSync(output, cipher.update(piece.subarray(0, count)));
}
cipher.final();
writeSync(output, cipher.getAuthTag());
fsyncSync(output);
closeSync(input);
closeSync(output);
`;

function encrypt(key, nonce, bytes) {
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  return Buffer.concat([cipher.update(bytes), cipher.final(), cipher.getAuthTag()]);
}

/** Medians of all cases, taken in turns so that a busy moment of the machine hits each alike. */
async function medians(cases, rounds) {
  const times = cases.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [i, work] of cases.entries()) {
      const begin = process.hrtime.bigint();
      await work();
      times[i].push(Number(process.hrtime.bigint() - begin) / 1e6);
    }
  }
  return times.map((each) => each.sort((a, b) => a - b)[Math.floor(each.length / 2)]);
}
