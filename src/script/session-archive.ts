/**
 * A finished session as one file for an auditor: transcript, definition, everything public that was made, and a manifest that
 * also names what is not in it, and why. Here it is written, read, and held against the transcript inside.
 * @see docs/spec/session-archive.md
 */
import { equal, toHex, utf8 } from '#formats/bytes';
import { canonicalJson, parseCanonicalJson } from '#formats/canonical-json';
import { InputError, OutputError } from '#formats/errors';
import type { Infer } from '#formats/schema';
import * as s from '#formats/schema';
import { decodeTar, encodeTar, fitsTar, type TarFile } from '#formats/ustar';
import { type EntryData, NAME } from './entries.js';
import { HEAD_NAME, type Transcript } from './transcript.js';
import { type Claim, no, yes } from './verdict.js';

/** The value of the manifest's `type`. */
export const SESSION_ARCHIVE_TYPE = 'conclave/session-archive';

/** The largest archive that is written or read. */
export const MAX_ARCHIVE_BYTES = 64 * 1024 * 1024;

const MAX_FILES = 4096;

/** Names of what is in every archive. */
const TRANSCRIPT = 'transcript.json';
const DEFINITION = 'definition.yaml';
const MANIFEST = 'manifest.json';
const SUMS = 'SHA256SUMS';

/** Why something is not in the archive. */
export const WITHHELD = [
  'sealed',
  'unsealed-share',
  'private-key',
  'trace',
  'unknown',
  'large',
  'absent',
] as const;

/** One of {@link WITHHELD}. */
export type Withheld = (typeof WITHHELD)[number];

const path = s.string({
  max: 512,
  pattern: /^(?!\/)(?!.*(?:^|\/)\.{1,2}(?:\/|$))(?!.*\/\/)[^\\\0]+$/,
  what: 'a relative path',
});
const fileSchema = { path, sha256: s.hex(32), size: s.integer({ min: 0 }) };

const manifestSchema = s.object({
  type: s.oneOf(SESSION_ARCHIVE_TYPE),
  version: s.oneOf(1),
  ceremony: s.string({ pattern: NAME, max: 64, what: 'the name of a ceremony' }),
  session: s.string({ max: 128 }),
  environment: s.oneOf('production', 'rehearsal', 'dev'),
  head: s.hex(32),
  files: s.array(s.object(fileSchema), { min: 2, max: MAX_FILES }),
  withheld: s.array(s.object({ ...fileSchema, reason: s.oneOf(...WITHHELD) }), { max: MAX_FILES }),
});

/** What an archive says of itself. */
export type ArchiveManifest = Infer<typeof manifestSchema>;

/** An archive, strictly read and not yet believed. */
export interface SessionArchive {
  readonly manifest: ArchiveManifest;
  /** Everything but the manifest and the sums, by path. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly manifestBytes: Uint8Array;
  readonly sums: Uint8Array;
  readonly transcript: Uint8Array;
  readonly definition: Uint8Array;
}

type Hash = (bytes: Uint8Array) => Uint8Array;
type Opened = EntryData['session.opened'];

/** What goes into an archive. */
export interface ArchiveContent {
  readonly opened: Pick<Opened, 'ceremony' | 'session' | 'environment'>;
  readonly head: string;
  /** Bytes of `transcript.json`. */
  readonly transcript: Uint8Array;
  /** Bytes of `definition.yaml`. */
  readonly definition: Uint8Array;
  /** Public artifacts, by their paths in the transcript. */
  readonly artifacts: readonly TarFile[];
  readonly withheld: ArchiveManifest['withheld'];
}

/** What a mark puts before the name of the folder, so that the first line of `tar -t` says it. */
export function markOf(environment: ArchiveManifest['environment']): string {
  return environment === 'production' ? '' : `${environment.toUpperCase()}-`;
}

/** Whether an artifact's path can stand in an archive of this ceremony. */
export function archivable(
  { ceremony, environment }: ArchiveContent['opened'],
  artifact: string,
): boolean {
  return (
    fitsTar(`${markOf(environment)}${ceremony}/${artifact}`) &&
    ![TRANSCRIPT, DEFINITION, MANIFEST, SUMS].includes(artifact)
  );
}

/**
 * The archive: the same content gives the same bytes.
 * @throws OutputError `E_ARCHIVE_TOO_LARGE`
 */
export function encodeSessionArchive(content: ArchiveContent, sha256: Hash): Uint8Array {
  const { opened, head, transcript, definition, artifacts, withheld } = content;
  const files = inOrder([
    { name: TRANSCRIPT, bytes: transcript },
    { name: DEFINITION, bytes: definition },
    ...artifacts,
  ]);
  const manifest = {
    type: SESSION_ARCHIVE_TYPE,
    version: 1,
    ceremony: opened.ceremony,
    session: opened.session,
    environment: opened.environment,
    head,
    files: files.map(({ name, bytes }) => describe(name, bytes, sha256)),
    withheld: [...withheld].sort((a, b) => compare(a.path, b.path)),
  };
  const listed = { name: MANIFEST, bytes: utf8(`${canonicalJson(manifest)}\n`) };
  const all = [...files, listed];
  const folder = `${markOf(opened.environment)}${opened.ceremony}`;
  const archive = encodeTar(
    [...all, { name: SUMS, bytes: sumsOf(all, sha256) }].map(({ name, bytes }) => ({
      name: `${folder}/${name}`,
      bytes,
    })),
  );
  if (archive.length <= MAX_ARCHIVE_BYTES) return archive;
  throw new OutputError({
    code: 'E_ARCHIVE_TOO_LARGE',
    message: `the archive would have ${archive.length} bytes, and ${MAX_ARCHIVE_BYTES} is the most`,
    hint: 'hand over the folder of the session instead, without what is secret in it',
  });
}

/**
 * The parts of an archive.
 * @param bytes - borrowed; what is returned are views of it
 * @param what - how errors name it
 * @throws InputError `E_TAR_MALFORMED`, `E_TAR_TOO_LARGE`, `E_ARCHIVE_INCOMPLETE`, `E_ARCHIVE_FOLDER`, `E_JSON_…`, `E_SCHEMA_MISMATCH`
 */
export function parseSessionArchive(bytes: Uint8Array, what: string): SessionArchive {
  const members = decodeTar(bytes, what, {
    maxFiles: MAX_FILES + 2,
    maxBytes: MAX_ARCHIVE_BYTES,
  });
  const [first] = members;
  const folder = first?.name.split('/')[0] ?? '';
  const files = new Map<string, Uint8Array>();
  for (const { name, bytes: content } of members) {
    if (!name.startsWith(`${folder}/`))
      throw foreign(what, `${JSON.stringify(name)} lies elsewhere`);
    files.set(name.slice(folder.length + 1), content);
  }
  const part = (name: string): Uint8Array => {
    const content = files.get(name);
    if (content !== undefined) return content;
    throw new InputError({
      code: 'E_ARCHIVE_INCOMPLETE',
      message: `${what} is no archive of a session: there is no ${name} in it`,
    });
  };
  const [sums, manifestBytes] = [part(SUMS), part(MANIFEST)];
  const [transcript, definition] = [part(TRANSCRIPT), part(DEFINITION)];
  files.delete(SUMS);
  files.delete(MANIFEST);
  const manifest = manifestSchema.parse(
    parseCanonicalJson(manifestBytes, `${what}: ${MANIFEST}`),
    `${what}: ${MANIFEST}`,
  );
  const expected = `${markOf(manifest.environment)}${manifest.ceremony}`;
  if (folder !== expected)
    throw foreign(what, `its folder is ${JSON.stringify(folder)}, and ${expected} was expected`);
  return { manifest, files, manifestBytes, sums, transcript, definition };
}

/**
 * Whether the archive holds in itself, and is the one of the transcript inside. Whether that holds says `checkTranscript`.
 * @param sha256 - 32 bytes
 */
export function archiveClaims(
  archive: SessionArchive,
  transcript: Transcript,
  sha256: Hash,
): readonly Claim[] {
  const { manifest } = archive;
  return [
    claim('the files of the archive', filesProblem(archive, sha256), () => {
      const { length } = manifest.files;
      return `${length}, as manifest.json and SHA256SUMS list them`;
    }),
    claim('the manifest', sessionProblem(manifest, transcript), () => {
      return `of this session, head ${manifest.head.slice(0, 16)}`;
    }),
    claim('what the session made', madeProblem(manifest, transcript), () =>
      manifest.withheld.length === 0
        ? 'all of it is here'
        : `it is here, or withheld: ${counted(manifest.withheld)}`,
    ),
  ];
}

/** E.g. `5 sealed, 2 unknown`. */
function counted(withheld: ArchiveManifest['withheld']): string {
  return WITHHELD.flatMap((reason) => {
    const { length } = withheld.filter((it) => it.reason === reason);
    return length === 0 ? [] : [`${length} ${reason}`];
  }).join(', ');
}

function filesProblem(archive: SessionArchive, sha256: Hash): string | undefined {
  const { manifest, files, manifestBytes, sums } = archive;
  const present = inOrder([...files].map(([name, bytes]) => ({ name, bytes })));
  const listed = new Map(manifest.files.map((it) => [it.path, it]));
  for (const { name, bytes } of present) {
    const it = listed.get(name);
    if (it === undefined) return `${name} is here, and manifest.json does not list it`;
    if (it.size !== bytes.length || it.sha256 !== toHex(sha256(bytes)))
      return `${name} is not the file that manifest.json lists`;
  }
  const missing = manifest.files.find((it) => !files.has(it.path));
  if (missing !== undefined) return `${missing.path} is listed, and not here`;
  const sorted = (paths: readonly { readonly path: string }[]): boolean =>
    paths.every((it, i) => i === 0 || compare(paths[i - 1]?.path ?? '', it.path) < 0);
  if (!sorted(manifest.files) || !sorted(manifest.withheld))
    return 'manifest.json lists something twice, or in another order';
  const all = [...present, { name: MANIFEST, bytes: manifestBytes }];
  if (!equal(sums, sumsOf(all, sha256))) return 'SHA256SUMS is not that of these files';
  return undefined;
}

function sessionProblem(manifest: ArchiveManifest, transcript: Transcript): string | undefined {
  const [first] = transcript.entries;
  const opened = first?.type === 'session.opened' ? first.data : undefined;
  const [subject] = transcript.subjects;
  const same =
    opened?.ceremony === manifest.ceremony &&
    opened.session === manifest.session &&
    opened.environment === manifest.environment;
  if (!same)
    return 'manifest.json names another ceremony, session or environment than the transcript';
  return subject?.name === HEAD_NAME && subject.digest['sha256'] === manifest.head
    ? undefined
    : 'manifest.json names another head than the transcript';
}

/** Each artifact that counts is here or withheld, as it was recorded, and nothing else is. */
function madeProblem(manifest: ArchiveManifest, transcript: Transcript): string | undefined {
  const sizes = new Map<string, number>();
  for (const { type, data } of transcript.entries) {
    if (type !== 'step.finished') continue;
    for (const it of data.artifacts) sizes.set(`${it.sha256} ${it.path}`, it.size);
  }
  const told = new Map<string, { readonly sha256: string; readonly size: number }>();
  for (const it of [...manifest.files, ...manifest.withheld]) {
    if (it.path === TRANSCRIPT || it.path === DEFINITION) continue;
    if (told.has(it.path)) return `${it.path} is both here and withheld`;
    told.set(it.path, it);
  }
  for (const { name, digest } of transcript.subjects.slice(1)) {
    const it = told.get(name);
    if (it === undefined) return `${name} is neither here nor withheld`;
    if (it.sha256 !== digest['sha256'] || it.size !== sizes.get(`${it.sha256} ${name}`))
      return `${name} is not the file that the session made`;
    told.delete(name);
  }
  const [more] = told.keys();
  return more === undefined ? undefined : `${more} is nothing that the session made`;
}

function claim(name: string, problem: string | undefined, detail: () => string): Claim {
  return problem === undefined ? yes('checked', name, detail()) : no('checked', name, problem);
}

function describe(
  name: string,
  bytes: Uint8Array,
  sha256: Hash,
): { path: string; sha256: string; size: number } {
  return { path: name, sha256: toHex(sha256(bytes)), size: bytes.length };
}

/** As `sha256sum` writes and reads them. */
function sumsOf(files: readonly TarFile[], sha256: Hash): Uint8Array {
  return utf8(
    inOrder(files)
      .map(({ name, bytes }) => `${toHex(sha256(bytes))}  ${name}\n`)
      .join(''),
  );
}

function inOrder(files: readonly TarFile[]): readonly TarFile[] {
  return [...files].sort((a, b) => compare(a.name, b.name));
}

/** By bytes of UTF-8, as the archive itself is in order. */
function compare(a: string, b: string): number {
  return Buffer.compare(utf8(a), utf8(b));
}

function foreign(what: string, why: string): InputError {
  return new InputError({
    code: 'E_ARCHIVE_FOLDER',
    message: `${what} is no archive of a session: ${why}`,
  });
}
