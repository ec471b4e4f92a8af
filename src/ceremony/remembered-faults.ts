/**
 * What a rehearsal is still to be disturbed by, kept in its folder: a fault may end the program, and whoever goes on with `--resume`
 * asked for the others already.
 */
import { join } from 'node:path';
import { utf8 } from '#formats/bytes';
import { canonicalJson, parseJson } from '#formats/canonical-json';
import * as s from '#formats/schema';
import type { HostFiles } from '#host/host';
import { FILES } from './session.js';

/** A list of a few short words. */
const MAX_BYTES = 64 * 1024;

const schema = s.array(s.string({ max: 256 }), { max: 256 });

/** `FAULT@STEP` as typed when this session was begun or taken up; none where nobody asked for any. @throws InputError */
export function rememberedFaults(files: HostFiles, folder: string): readonly string[] {
  const path = join(folder, FILES.faults);
  if (!files.exists(path)) return [];
  return schema.parse(parseJson(files.read(path, MAX_BYTES), path), path);
}

/** Keeps them for the next start. */
export function rememberFaults(files: HostFiles, folder: string, faults: readonly string[]): void {
  if (faults.length === 0) return;
  const known = rememberedFaults(files, folder);
  if (faults.every((fault) => known.includes(fault))) return;
  files.write(join(folder, FILES.faults), utf8(`${canonicalJson([...faults])}\n`), {
    overwrite: true,
  });
}
