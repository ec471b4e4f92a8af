/** What an auditor does with the folder of a session, for tests: the transcript is checked with everything that lies there. */
import { join } from 'node:path';
import type { ActionDescription } from '#formats/action';
import { verifyEnvelope } from '#custody/audit/statement';
import { parseStatement } from '#custody/audit/statement';
import { parseIdentityJson } from '#custody/authority/identity';
import { sha256 } from '#crypto/hash';
import { decodeDsse } from '#formats/dsse';
import { decodeShareSet, looksLikeShareSet } from '#protocols/sharing/share-set';
import { checkTranscript } from '#script/check-transcript';
import type { Entry, EntryOf, EntryType } from '#script/entries';
import { parseTranscript, participantsOf, type Transcript } from '#script/transcript';
import type { Verdict } from '#script/verdict';
import type { Disk } from './memory-host.js';

/** A checked session. */
export interface Checked {
  readonly verdict: Verdict;
  readonly transcript: Transcript;
  readonly entries: readonly Entry[];
  of<T extends EntryType>(type: T): readonly EntryOf<T>[];
}

/** Checks the session in a folder, its own participants pinned, or those of them that are named. */
export async function checkSession(
  disk: Disk,
  folder: string,
  catalogue: readonly ActionDescription[],
  pins?: readonly string[],
): Promise<Checked> {
  const read = (path: string): Uint8Array | undefined => disk.files.get(join(folder, path));
  const bytes = read('transcript.json');
  if (bytes === undefined) throw new Error('there is no transcript');
  const envelope = decodeDsse(bytes, 'transcript.json');
  const transcript = parseTranscript(
    parseStatement(envelope, 'transcript.json'),
    'transcript.json',
  );
  const identities = participantsOf(transcript.entries).flatMap(({ identity, name }) =>
    identity === null ? [] : [parseIdentityJson(identity, name)],
  );
  const { signedBy, problems } = await verifyEnvelope(envelope, identities);
  const definitionFile = read('definition.yaml');
  const verdict = await checkTranscript(transcript, {
    signatures: {
      signedBy: new Set(signedBy.map(({ id }) => id)),
      problems,
      pinned: new Set(
        identities.flatMap(({ id, name }) => (pins?.includes(name) === false ? [] : [id])),
      ),
      allowUnpinned: false,
    },
    sha256: (input) => sha256(input),
    readArtifact: read,
    inspect: (content, path) => Promise.resolve(inspect(content, path)),
    catalogue,
    ...(definitionFile === undefined ? {} : { definitionFile }),
  });
  const { entries } = transcript;
  return {
    verdict,
    transcript,
    entries,
    of: <T extends EntryType>(type: T) =>
      entries.filter((entry): entry is Entry & EntryOf<T> => entry.type === type),
  };
}

function inspect(
  content: Uint8Array,
  path: string,
): Awaited<ReturnType<Parameters<typeof checkTranscript>[1]['inspect']>> {
  if (!looksLikeShareSet(content)) return undefined;
  const { set } = decodeShareSet(content, path);
  const { setId, root, groups } = set;
  const [group] = groups;
  return {
    kind: 'share-set',
    ok: true,
    summary: 'a share set',
    shareSet: {
      setId,
      root,
      threshold: group?.threshold ?? 0,
      shares: group?.shares ?? 0,
    },
  };
}

/** The claims that do not hold, for messages. */
export function problemsOf({ claims }: Verdict): readonly string[] {
  return claims.filter(({ ok }) => !ok).map(({ claim, detail }) => `${claim}: ${detail}`);
}
