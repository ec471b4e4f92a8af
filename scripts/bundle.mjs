/**
 * One file to carry to a machine without a network: the built program, its production dependencies, ceremonies, man pages
 * and documents, and with `--with-node` the Node that runs this. The same tree gives the same bytes: names sorted, one
 * fixed time, no owner. `SHA256SUMS` lies inside (for every file) and beside (for the archive).
 *
 *   npm run bundle [-- --with-node] [-- --out DIR]
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values: options } = parseArgs({
  options: {
    'with-node': { type: 'boolean', default: false },
    out: { type: 'string', default: join(root, 'artifacts') },
  },
});

/** Later than what tar calls implausibly old, earlier than any laptop's clock: 2020-01-01. */
const FIXED_TIME = 1_577_836_800;
const { name, version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const top = `${name}-${version}`;

/** @type {Map<string, { bytes: Buffer, mode: number }>} */
const files = new Map();
const add = (path, bytes, mode = 0o644) => files.set(path, { bytes: Buffer.from(bytes), mode });

/** Adds a file, or a folder's files for which `wanted` says yes; links are not followed and not carried. */
function addTree(from, to, wanted = () => true) {
  const stat = statSync(join(root, from), { throwIfNoEntry: false });
  if (stat === undefined) throw new Error(`${from} is missing: run npm run bundle, which builds`);
  if (stat.isFile()) {
    add(to, readFileSync(join(root, from)), to.startsWith('bin/') ? 0o755 : 0o644);
    return;
  }
  for (const entry of readdirSync(join(root, from), { withFileTypes: true })) {
    const path = `${from}/${entry.name}`;
    if (entry.isSymbolicLink() || !wanted(path, entry)) continue;
    addTree(path, `${to}/${entry.name}`, wanted);
  }
}

/** What a program needs of a package at run time; declarations and maps speak of sources that are not carried. */
const atRunTime = (path, entry) =>
  entry.isDirectory()
    ? entry.name !== 'node_modules'
    : !/^\.|\.(?:d\.[cm]?ts|map)$/.test(entry.name);

/** Of a package that was compiled here: its code and the module itself, not the tools and traces of compiling. */
const compiled = (path, entry) =>
  atRunTime(path, entry) &&
  !/\/(?:src|deps|include|test|tests|binding\.gyp)$/.test(path) &&
  (!path.includes('/build/') || path.endsWith('/build/Release') || path.endsWith('.node'));

function addProgram() {
  for (const part of ['bin', 'ceremonies', 'man', 'docs']) addTree(part, part);
  addTree('dist', 'dist', atRunTime);
  for (const part of ['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md', 'SECURITY.md']) {
    addTree(part, part);
  }
  const launcher = [
    '#!/bin/sh',
    '# Starts conclave with the Node that came along, or else with the one on the path.',
    'here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)',
    'if [ -x "$here/node/bin/node" ]; then node="$here/node/bin/node"; else node=node; fi',
    'exec "$node" "$here/bin/conclave.js" "$@"',
    '',
  ];
  add('conclave', launcher.join('\n'), 0o755);
}

/** Production packages as the lock marks them; optional (native) ones only when they are built. */
function addPackages() {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  const natives = Object.keys(packages[''].optionalDependencies ?? {});
  const carried = [];
  for (const [path, entry] of Object.entries(packages)) {
    if (path === '' || entry.dev === true) continue;
    if (entry.optional === true || entry.devOptional === true) {
      // What else a native package brings is there to download or compile it.
      const native = path.slice('node_modules/'.length);
      const built = join(root, path, 'build/Release');
      const there = statSync(built, { throwIfNoEntry: false }) !== undefined;
      if (!natives.includes(native) || !there) continue;
      if (!readdirSync(built).some((file) => file.endsWith('.node'))) continue;
      addTree(path, path, compiled);
      carried.push(native);
      continue;
    }
    addTree(path, path, atRunTime);
  }
  return carried;
}

function addNode() {
  add('node/bin/node', readFileSync(process.execPath), 0o755);
  const licence = join(process.execPath, '../../LICENSE');
  if (statSync(licence, { throwIfNoEntry: false }) !== undefined) {
    add('node/LICENSE', readFileSync(licence));
  }
}

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

/** One header and the padded bytes of a file, in POSIX ustar form. @see POSIX.1-2017 pax, "ustar Interchange Format" */
function tarEntry(path, { bytes, mode }) {
  const header = Buffer.alloc(512);
  const { prefix, rest } = splitName(path);
  const octal = (value, at, length) =>
    header.write(`${value.toString(8).padStart(length - 1, '0')}\0`, at, 'ascii');
  header.write(rest, 0, 'utf8');
  octal(mode, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(bytes.length, 124, 12);
  octal(FIXED_TIME, 136, 12);
  header.write('        0', 148, 'ascii');
  header.write('ustar\x0000', 257, 'ascii');
  header.write(prefix, 345, 'utf8');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'ascii');
  return Buffer.concat([header, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)]);
}

/** A name of up to 255 bytes as ustar's prefix and name, cut at a slash. */
function splitName(path) {
  if (Buffer.byteLength(path) <= 100) return { prefix: '', rest: path };
  for (let at = path.indexOf('/'); at > 0; at = path.indexOf('/', at + 1)) {
    const [prefix, rest] = [path.slice(0, at), path.slice(at + 1)];
    if (Buffer.byteLength(rest) <= 100 && Buffer.byteLength(prefix) <= 155) return { prefix, rest };
  }
  throw new Error(`${path} is too long a name for an archive`);
}

addProgram();
const natives = addPackages();
if (options['with-node']) addNode();
const names = [...files.keys()].sort();
add('SHA256SUMS', names.map((path) => `${sha256(files.get(path).bytes)}  ${path}\n`).join(''));

const archive = gzipSync(
  Buffer.concat([
    ...[...files.keys()].sort().map((path) => tarEntry(`${top}/${path}`, files.get(path))),
    Buffer.alloc(1024),
  ]),
  { level: 9 },
);
mkdirSync(options.out, { recursive: true });
const file = `${top}${options['with-node'] ? `-node-${process.platform}-${process.arch}` : ''}.tar.gz`;
writeFileSync(join(options.out, file), archive);
writeFileSync(join(options.out, 'SHA256SUMS'), `${sha256(archive)}  ${file}\n`);
console.log(`${join(options.out, file)}`);
console.log(
  `${files.size} files, ${(archive.length / 1e6).toFixed(1)} MB, sha256 ${sha256(archive)}`,
);
console.log(
  natives.length === 0 ? 'no native module was built here' : `with ${natives.join(' and ')}`,
);
