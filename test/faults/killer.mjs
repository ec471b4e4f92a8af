/**
 * Runs conclave, as built, on a disk that knows how often it was changed, and ends the process with signal 9 at one of
 * those changes. Started as a process of its own by the tests of this folder.
 *
 *   node killer.mjs count SIDE -- ARGV...       runs to the end; SIDE/changes.json lists every change
 *   node killer.mjs record SIDE -- ARGV...      the same, and keeps the disk of each place: SIDE/disks/before:N and torn:N
 *   node killer.mjs before:N SIDE -- ARGV...    dies before change N (from 0)
 *   node killer.mjs torn:N SIDE -- ARGV...      dies in the middle of change N, a write of more than one byte
 *   node killer.mjs meet:N SIDE -- ARGV...      waits before change N, with SIDE/here written, until there is SIDE/go
 *
 * Every secret that the program ever held goes to SIDE/secrets, one `label<tab>hex` per line, for the test to look for:
 * SIDE is outside of what is searched.
 */
import { appendFileSync, constants, cpSync, existsSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { main } from '../../dist/cli/main.js';
import { SecretBytes } from '../../dist/formats/secret-bytes.js';
import { nodeFs } from '../../dist/host/fs-port.js';
import { createHost } from '../../dist/host/node-host.js';

const [plan = '', side = '', , ...argv] = process.argv.slice(2);
const [mode, place] = plan.split(':');
const at = place === undefined ? -1 : Number(place);

for (const maker of ['adopt', 'copyOf']) {
  const make = SecretBytes[maker];
  SecretBytes[maker] = (bytes, label) => {
    appendFileSync(join(side, 'secrets'), `${label}\t${Buffer.from(bytes).toString('hex')}\n`);
    return make.call(SecretBytes, bytes, label);
  };
}

const changes = [];

function die() {
  process.kill(process.pid, 'SIGKILL');
  // The signal arrives at once; nothing may happen in between.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

/** Two processes that come here go on at once; who waits for a minute waits for nobody. */
function meet() {
  writeFileSync(join(side, 'here'), '');
  const clock = new Int32Array(new SharedArrayBuffer(4));
  for (let waited = 0; !existsSync(join(side, 'go')); waited++) {
    if (waited > 60_000) die();
    Atomics.wait(clock, 0, 0, 1);
  }
}

/**
 * Keeps the folder that the program runs in as signal 9 would leave it here: whatever was written stays written, flushed or
 * not, and nothing else does.
 */
function keep(place) {
  const disk = resolve();
  const away = join(side, 'disks', place);
  if (!relative(disk, resolve(side)).startsWith('..'))
    throw new Error('what is kept must not lie in what is copied');
  cpSync(disk, away, { recursive: true });
  return (path) => join(away, relative(disk, resolve(path)));
}

/** Notes a change, and dies when it is the one. */
function change(operation, path, bytes = 0) {
  if (mode === 'before' && changes.length === at) die();
  if (mode === 'meet' && changes.length === at) meet();
  if (mode === 'record') keep(`before:${changes.length}`);
  changes.push({ operation, path, bytes });
}

const paths = new Map();
const fs = {
  ...nodeFs,
  // A killed process loses nothing that it wrote, flushed or not: this only makes two hundred runs quicker.
  fsync() {},
  open(path, flags, permissions) {
    const creates = (flags & constants.O_CREAT) !== 0 && !existsSync(path);
    if (creates || (flags & constants.O_TRUNC) !== 0) change('open', path);
    const fd = nodeFs.open(path, flags, permissions);
    paths.set(fd, path);
    return fd;
  },
  write(fd, buffer, offset) {
    const half = buffer.subarray(offset, offset + Math.ceil((buffer.length - offset) / 2));
    if (mode === 'torn' && changes.length === at) {
      nodeFs.write(fd, half, 0);
      die();
    }
    if (mode === 'record' && half.length < buffer.length - offset) {
      const path = paths.get(fd) ?? '';
      appendFileSync(keep(`torn:${changes.length}`)(path), half);
    }
    change('write', paths.get(fd) ?? '', buffer.length - offset);
    return nodeFs.write(fd, buffer, offset);
  },
  ftruncate(fd, length) {
    change('ftruncate', paths.get(fd) ?? '');
    nodeFs.ftruncate(fd, length);
  },
};
for (const operation of ['rename', 'link', 'unlink', 'mkdir', 'rmdir']) {
  fs[operation] = (...args) => {
    change(operation, args.at(operation === 'mkdir' ? 0 : -1));
    return nodeFs[operation](...args);
  };
}

// The cheapest passphrase seals that are still read: this test is not about how slow they are.
process.exitCode = await main(argv, { host: createHost({ fs }), scryptLogN: 10 });
writeFileSync(join(side, 'changes.json'), JSON.stringify(changes));
