/** Transcripts of ceremonies as `show` and `verify` know them: everything beside the file that helps to check it is used. */
import { dirname, join } from 'node:path';
import { sha256 } from '#crypto/hash';
import { parseStatement, STATEMENT_PAYLOAD_TYPE, verifyEnvelope } from '#custody/audit/statement';
import { type Identity, parseIdentityJson } from '#custody/authority/identity';
import { toBase64, utf8 } from '#formats/bytes';
import type { JsonObject } from '#formats/canonical-json';
import { decodeDsse, type DsseEnvelope } from '#formats/dsse';
import { ConclaveError } from '#formats/errors';
import { decodeShareSet } from '#protocols/sharing/share-set';
import type { ArtifactFacts } from '#script/claims/artifacts';
import type { Entry } from '#script/entries';
import type { Transcript } from '#script/transcript';
import type { ActionContext } from '../context/context.js';
import type { ArtifactKind, ArtifactVerdict, Claim, VerifyOptions } from './artifact.js';
import { pinnedIdentities } from './pinned.js';
import { shareKind } from './share.js';
import { shareSetKind } from './share-set.js';

/** A payload of the largest size that the statement reader takes, in base64, and its signatures. */
const LIMITS = { maxBytes: 24 * 1024 * 1024 } as const;
const MAX_ARTIFACT_BYTES = 256 * 1024 * 1024;
const MAX_DEFINITION_BYTES = 1024 * 1024;

/** The predicate type as it starts inside the base64 of any payload, whatever stands before it. */
const MARKS: readonly string[] = [0, 1, 2].map((shift) => {
  const text = utf8('x'.repeat(shift) + '"predicateType":"https://conclave.dev/transcript/v1"');
  return toBase64(text).slice(4, -4);
});

/** The kind `transcript`. */
export const transcriptKind: ArtifactKind = {
  kind: 'transcript',
  detect(bytes) {
    if (bytes[0] !== 0x7b) return false;
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return text.includes(STATEMENT_PAYLOAD_TYPE) && MARKS.some((mark) => text.includes(mark));
  },
  async show(bytes, name) {
    const { envelope, transcript } = await readTranscript(bytes, name);
    const { participantsOf } = await import('#script/transcript');
    const { entries, subjects } = transcript;
    const [opened] = entries;
    const last = entries.at(-1);
    return {
      ceremony: opened?.type === 'session.opened' ? opened.data.ceremony : null,
      title: opened?.type === 'session.opened' ? opened.data.title : null,
      session: opened?.type === 'session.opened' ? opened.data.session : null,
      environment: opened?.type === 'session.opened' ? opened.data.environment : null,
      opened: opened?.time ?? null,
      closed: last?.time ?? null,
      outcome: last?.type === 'session.closed' ? last.data.outcome : 'not closed',
      entries: entries.length,
      ...offScript(entries),
      head: subjects[0]?.digest['sha256'] ?? null,
      participants: participantsOf(entries).map((person) => ({
        name: person.name,
        role: person.role,
        identity: person.identity?.id ?? null,
        level: person.level,
      })),
      artifacts: subjects.slice(1).map((it) => ({
        path: it.name,
        sha256: it.digest['sha256'] ?? null,
      })),
      signatures: envelope.signatures.map(({ keyid }) => keyid),
      conclave: transcript.conclave,
    };
  },
  async verify(bytes, name, context, options): Promise<ArtifactVerdict> {
    return await verifyTranscript(await readTranscript(bytes, name), context, options, {
      beside: (path, maxBytes) => besides(context, name, path, maxBytes),
    });
  },
};

/** What did not go to script, who said no, and who came in on the way: whoever reads only this must not miss it. */
function offScript(entries: readonly Entry[]): JsonObject {
  const always: Record<'deviations' | 'objections' | 'disagree', JsonObject[]> = {
    deviations: [],
    objections: [],
    disagree: [],
  };
  const sometimes: Record<'enrolled' | 'disturbedBy', JsonObject[]> = {
    enrolled: [],
    disturbedBy: [],
  };
  for (const { type, data, time } of entries) {
    if (type === 'deviation') always.deviations.push({ time, ...data });
    else if (type === 'objection') always.objections.push({ time, ...data });
    else if (type === 'signoff' && !data.agrees)
      always.disagree.push({ person: data.person, role: data.role, reason: data.reason });
    else if (type === 'fault.injected') sometimes.disturbedBy.push({ time, ...data });
    else if (type === 'participant.enrolled') {
      const { name, role, identity, level, how } = data;
      const { origin = null, compared = null } = how ?? {};
      sometimes.enrolled.push({ time, name, role, identity: identity.id, level, origin, compared });
    }
  }
  return {
    ...always,
    ...Object.fromEntries(Object.entries(sometimes).filter(([, found]) => found.length > 0)),
  };
}

/** What surrounds a transcript. */
export interface TranscriptSurroundings {
  /** A file by its path from where the transcript lies; `undefined` when it is not there. */
  beside(path: string, maxBytes: number): Uint8Array | undefined;
  /** What was found about the file that the transcript came in. */
  carrier?(transcript: Transcript): readonly Claim[] | Promise<readonly Claim[]>;
}

/** The verdict on a transcript with everything that lies beside it. */
export async function verifyTranscript(
  { envelope, transcript }: ReadTranscript,
  context: ActionContext,
  options: VerifyOptions,
  { beside, carrier }: TranscriptSurroundings,
): Promise<ArtifactVerdict> {
  const [{ checkTranscript }, { participantsOf }] = await Promise.all([
    import('#script/check-transcript'),
    import('#script/transcript'),
  ]);
  const identities: Identity[] = [];
  const problems: string[] = [];
  for (const person of participantsOf(transcript.entries)) {
    if (person.identity === null) continue;
    try {
      // The id is recomputed from the keys, so that nobody signs under another's name.
      identities.push(parseIdentityJson(person.identity, `identity of ${person.name}`));
    } catch (error) {
      if (!(error instanceof ConclaveError)) throw error;
      problems.push(error.message);
    }
  }
  const signatures = await verifyEnvelope(envelope, identities);
  const who = await pinnedIdentities(options, context);
  const definitionFile = beside('definition.yaml', MAX_DEFINITION_BYTES);
  return await checkTranscript(transcript, {
    signatures: {
      signedBy: new Set(signatures.signedBy.map(({ id }) => id)),
      problems: [
        ...problems,
        ...signatures.problems,
        ...signatures.unknown.map((id) => `a signature by ${id.slice(0, 16)}, who took no part`),
      ],
      pinned: who.pinned ? new Set(who.identities.map(({ id }) => id)) : undefined,
      allowUnpinned: options.allowUnpinned,
    },
    sha256: (content) => sha256(content),
    readArtifact: (path) => beside(path, MAX_ARTIFACT_BYTES),
    inspect: (content, path) => inspect(content, path, context),
    catalogue: (await context.catalogue?.()) ?? [],
    ...(definitionFile === undefined ? {} : { definitionFile }),
    ...(carrier === undefined ? {} : { carrier: await carrier(transcript) }),
  });
}

/** A transcript and the envelope that it came in. */
export interface ReadTranscript {
  readonly envelope: DsseEnvelope;
  readonly transcript: Transcript;
}

/**
 * A transcript, strictly read.
 * @throws InputError of the envelope, the statement and the transcript
 */
export async function readTranscript(bytes: Uint8Array, name: string): Promise<ReadTranscript> {
  const { parseTranscript } = await import('#script/transcript');
  const envelope = decodeDsse(bytes, name, LIMITS);
  return { envelope, transcript: parseTranscript(parseStatement(envelope, name), name) };
}

/** A file in the folder of the transcript, if it is there; a transcript from standard input has no folder. */
function besides(
  { files }: ActionContext,
  name: string,
  path: string,
  maxBytes: number,
): Uint8Array | undefined {
  if (name === '-') return undefined;
  const full = join(dirname(name), path);
  return files.exists(full) && !files.isDirectory(full) ? files.read(full, maxBytes) : undefined;
}

/** What an artifact says of itself. Who signed it is not asked here: its hash stands in the transcript, which is signed. */
async function inspect(
  bytes: Uint8Array,
  path: string,
  context: ActionContext,
): Promise<ArtifactFacts | undefined> {
  const kind = [shareSetKind, shareKind].find((it) => it.detect(bytes, path));
  if (kind === undefined) return undefined;
  try {
    if (kind === shareKind) {
      const { setId } = await kind.show(bytes, path, context);
      const share = typeof setId === 'string' ? { share: { setId } } : {};
      return { kind: kind.kind, ok: true, summary: 'a share', ...share };
    }
    const options = { signers: [], participants: undefined, allowUnpinned: true };
    const { ok, summary } = await kind.verify(bytes, path, context, options);
    const { set } = decodeShareSet(bytes, path);
    const [group] = set.groups;
    return {
      kind: kind.kind,
      ok,
      summary,
      ...(group === undefined || set.groups.length !== 1
        ? {}
        : {
            shareSet: {
              setId: set.setId,
              root: set.root,
              threshold: group.threshold,
              shares: group.shares,
            },
          }),
    };
  } catch (error) {
    if (!(error instanceof ConclaveError)) throw error;
    return { kind: kind.kind, ok: false, summary: error.message };
  }
}
