/** `ceremony archive`: a finished session as one file for an auditor. */
import { join } from 'node:path';
import { readTranscript, verifyTranscript } from '#actions/artifacts/transcript';
import { declaredPublic, disclosureOf } from '#actions/session/disclosure';
import { digest, hexDigest } from '#actions/session/public-side';
import { entryHash } from '#custody/audit/chain';
import {
  MissingInputError,
  NegativeError,
  OutputError,
  RefusedError,
  TryAgainError,
} from '#formats/errors';
import type { TarFile } from '#formats/ustar';
import type { Entry, RecordedArtifact } from '#script/entries';
import { finalArtifacts } from '#script/final-artifacts';
import { archivable, encodeSessionArchive, type Withheld } from '#script/session-archive';
import { type CommandContext, defineCommand } from '../command.js';
import { ARTIFACTS, filesUnder } from '../files.js';
import { boundsOf } from '../past-session.js';
import { readDefinition } from '../place.js';
import { FILES } from '../session.js';

const MAX_TRANSCRIPT_BYTES = 24 * 1024 * 1024;

/** What is larger is no paper for an auditor: it is named and left where it is. */
const MAX_ARTIFACT_BYTES = 16 * 1024 * 1024;

/** What was written. */
export interface ArchiveResult {
  readonly out: string;
  /** `sha256:` and the digest of the archive, to be told over another channel. */
  readonly digest: string;
  readonly size: number;
  readonly ceremony: string;
  readonly session: string;
  readonly environment: string;
  /** What is in it besides manifest and sums. */
  readonly files: readonly string[];
  /** What the session made and is not in it. */
  readonly withheld: readonly { readonly path: string; readonly reason: Withheld }[];
  /** What lies among the artifacts and no step of the record made; not in it either. */
  readonly unrecorded: readonly string[];
}

export const ceremonyArchive = defineCommand({
  id: 'ceremony.archive',
  summary: 'pack a finished session into one file for an auditor',
  description:
    'Writes transcript, definition and every public artifact of a session into one archive that any tar reads, with a manifest and ' +
    'SHA256SUMS. Shares, sealed or not, private keys, traces and whatever may be one of these stay out: the manifest names each ' +
    'with its digest and the reason. The session is checked first, and one that does not hold is not packed. The same session ' +
    'gives the same bytes. Whoever gets the archive says conclave verify, and pins who may have signed.',
  inputs: {
    session: {
      type: 'path',
      summary: 'folder of a finished session',
      required: true,
      positional: 0,
      placeholder: 'SESSION',
    },
    out: { type: 'path', summary: 'where the archive goes', required: true },
  },
  outputs: {
    out: { type: 'file', summary: 'the archive' },
    digest: { type: 'digest', summary: 'its SHA-256' },
  },
  options: ['force'],
  effect: 'none',
  only: 'cli',
  exits: [1, 75, 77],
  examples: [
    {
      command: 'conclave ceremony archive acme/sessions/2026-11-23T093000Z --out acme-2026.tar',
      explains: 'one file for an auditor, who says conclave verify acme-2026.tar',
    },
  ],
  run: async ({ session, out }, context): Promise<ArchiveResult> => {
    const { host, files } = context;
    files.assertAbsent([out]);
    const transcript = transcriptOf(session, context);
    const read = await readTranscript(transcript, join(session, FILES.transcript));
    const { entries } = read.transcript;
    const definitionBytes = await assertHolds(session, read, context);
    const { opened } = boundsOf(entries);
    const last = entries.at(-1);
    if (opened === undefined || last === undefined) throw broken(session, 'it opens no session');
    const { parseDefinition } = await import('#script/parse');
    const { definition } = parseDefinition(definitionBytes, FILES.definition);
    const declared = declaredPublic(definition, entries);
    for (const [name, bytes] of [
      [FILES.transcript, transcript],
      [FILES.definition, definitionBytes],
    ] as const)
      await assertPublic(join(session, name), bytes);

    const artifacts: TarFile[] = [];
    const withheld: (RecordedArtifact & { readonly reason: Withheld })[] = [];
    for (const it of finalArtifacts(entries)) {
      const taken = await take(session, it, declared.has(`${it.sha256} ${it.path}`), context);
      if (typeof taken === 'string') withheld.push({ ...it, reason: taken });
      else if (archivable(opened, it.path)) artifacts.push({ name: it.path, bytes: taken });
      else throw unnameable(it.path);
    }
    const archive = encodeSessionArchive(
      {
        opened,
        head: entryHash(last),
        transcript,
        definition: definitionBytes,
        artifacts,
        withheld,
      },
      digest,
    );
    files.write(out, archive);
    return {
      out,
      digest: `sha256:${hexDigest(archive)}`,
      size: archive.length,
      ceremony: opened.ceremony,
      session: opened.session,
      environment: opened.environment,
      files: [FILES.transcript, FILES.definition, ...artifacts.map(({ name }) => name)].sort(),
      withheld: withheld.map(({ path, reason }) => ({ path, reason })),
      unrecorded: unrecorded(session, entries, host.files),
    };
  },
  present: ({ out, digest: sum, environment, files, withheld, unrecorded: more }) =>
    [
      `${MARKS[environment] ?? ''}${out}: ${files.length} files of the session, to be checked by conclave verify ${out}`,
      sum,
      ...withheld.map(({ path, reason }) => `withheld: ${path}: ${REASONS[reason]}`),
      ...more.map((path) => `left out: ${path}: no step of the record made it`),
    ].join('\n'),
});

const MARKS: Readonly<Record<string, string>> = {
  rehearsal: 'REHEARSAL: not evidence of a ceremony; ',
  dev: 'DEV: nothing of this ceremony may be relied on; ',
};

const REASONS: Readonly<Record<Withheld, string>> = {
  sealed: 'sealed, for its recipient alone',
  'unsealed-share': 'a share that is not sealed',
  'private-key': 'a private key, or something that tells one',
  trace: 'a trace, which goes to auditors sealed',
  unknown: 'nothing in it says that it is no secret',
  large: 'larger than an archive takes',
  absent: 'not in the folder, as what was handed over is not',
};

function transcriptOf(session: string, { host: { files } }: CommandContext): Uint8Array {
  const path = join(session, FILES.transcript);
  if (files.isDirectory(session) && files.exists(path))
    return files.read(path, MAX_TRANSCRIPT_BYTES);
  if (files.isDirectory(session) && files.exists(join(session, FILES.journal))) {
    throw new TryAgainError({
      code: 'E_SESSION_OPEN',
      message: `the session ${session} was not brought to its end, so that nobody has signed it`,
      hint: `go on by conclave run ${session} --resume`,
    });
  }
  throw new MissingInputError({
    code: 'E_SESSION_MISSING',
    message: `${session} is no folder of a session`,
    hint: 'name one folder below sessions/ of the ceremony',
  });
}

/** The bytes of the definition, when the session holds with all that lies beside it; who signed is for the receiver to judge. */
async function assertHolds(
  session: string,
  read: Awaited<ReturnType<typeof readTranscript>>,
  context: CommandContext,
): Promise<Uint8Array> {
  const { files } = context.host;
  const options = { signers: [], participants: undefined, allowUnpinned: true };
  const { ok, summary } = await verifyTranscript(read, context, options, {
    beside: (path, maxBytes) => {
      const full = join(session, path);
      return files.exists(full) && !files.isDirectory(full)
        ? files.read(full, maxBytes)
        : undefined;
    },
  });
  if (!ok) throw broken(session, summary);
  return readDefinition(files, join(session, FILES.definition));
}

/** The content of an artifact that anybody may have, or why it stays. */
async function take(
  session: string,
  { path, sha256, size }: RecordedArtifact,
  declared: boolean,
  { host: { files } }: CommandContext,
): Promise<Uint8Array | Withheld> {
  const full = join(session, path);
  if (!files.exists(full)) return 'absent';
  if (size > MAX_ARTIFACT_BYTES) return 'large';
  const bytes = files.read(full, size);
  // Checked once already, with the whole session; what is packed is what was checked.
  if (bytes.length !== size || hexDigest(bytes) !== sha256)
    throw broken(session, `${path} is not the file that the session made`);
  const disclosure = await disclosureOf(bytes, path, declared);
  return disclosure === 'public' ? bytes : disclosure;
}

async function assertPublic(name: string, bytes: Uint8Array): Promise<void> {
  if ((await disclosureOf(bytes, name, false)) === 'public') return;
  throw new RefusedError({
    code: 'E_ARCHIVE_SECRET',
    message: `${name} looks as if a secret were written in it, so that nothing was packed`,
    hint: 'look for words of a private key in it; what was told to everybody there is no secret any more',
  });
}

function unrecorded(
  session: string,
  entries: readonly Entry[],
  files: CommandContext['host']['files'],
): readonly string[] {
  const known = new Set(finalArtifacts(entries).map(({ path }) => path));
  return filesUnder(files, join(session, ARTIFACTS))
    .map((path) => `${ARTIFACTS}/${path}`)
    .filter((path) => !known.has(path));
}

function broken(session: string, why: string): NegativeError {
  return new NegativeError({
    code: 'E_ARCHIVE_BROKEN',
    message: `the session ${session} does not hold, so that nothing was packed: ${why}`,
    hint: `see conclave verify ${session}; keep the folder as it is`,
  });
}

function unnameable(path: string): OutputError {
  return new OutputError({
    code: 'E_ARCHIVE_NAME',
    message: `${JSON.stringify(path)} is too long, or no name that every tar can read`,
    hint: 'hand that session over as a folder, without what is secret in it',
  });
}
