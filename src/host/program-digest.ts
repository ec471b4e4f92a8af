/** The running program's own digest. Self-reported: a changed program can say what it likes, so transcripts only record it. */
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join, sep } from 'node:path';

/**
 * `sha256:` and the SHA-256 over path, length and bytes of every program file below a folder, in the order of their paths.
 * Equal for equal builds, wherever they lie.
 */
export function programDigest(folder: string): string {
  const hash = createHash('sha256');
  const paths = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(?:js|ts)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length))
    .map((path) => path.split(sep).join('/').replace(/^\//, ''))
    .filter((path) => !path.endsWith('.d.ts'))
    .sort();
  for (const path of paths) {
    const bytes = readFileSync(join(folder, path));
    hash.update(`${path}\0${bytes.length}\0`).update(bytes);
  }
  return `sha256:${hash.digest('hex')}`;
}
