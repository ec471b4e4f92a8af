/** Claims about what the steps made: keys by their records, files by their hashes, share sets by their commitments. */
import { toHex } from '#formats/bytes';
import { isObject, type Json } from '#formats/canonical-json';
import type { Definition } from '../definition.js';
import type { EntryData } from '../entries.js';
import type { RecordedKey, Replayed } from '../replayed.js';
import type { Transcript } from '../transcript.js';
import { type Claim, no, yes } from '../verdict.js';

/** What an artifact says of itself. */
export interface ArtifactFacts {
  readonly kind: string;
  /** Whether it holds in itself. */
  readonly ok: boolean;
  readonly summary: string;
  /** Of a share set: what its commitments come to. */
  readonly shareSet?: {
    readonly setId: string;
    readonly root: string;
    readonly threshold: number;
    readonly shares: number;
  };
  /** Of a share: the set that it belongs to. */
  readonly share?: { readonly setId: string };
}

/** How artifacts are reached and looked into. */
export interface ArtifactEvidence {
  readonly sha256: (bytes: Uint8Array) => Uint8Array;
  /** Content of an artifact, by its path relative to the transcript; undefined when it is not here. */
  readonly readArtifact: (path: string) => Uint8Array | undefined;
  /** Looks into an artifact that is here; undefined for a kind that says nothing of itself. */
  readonly inspect: (bytes: Uint8Array, path: string) => Promise<ArtifactFacts | undefined>;
}

/** Every key of the session carries the session's mark. */
export function keyClaims(
  opened: EntryData['session.opened'],
  keys: readonly RecordedKey[],
): Claim[] {
  const word = (value: Json | undefined): string =>
    typeof value === 'string' ? value : JSON.stringify(value ?? null);
  return keys.map(({ keyId, record, retired, wiped }) => {
    const name = `the key ${keyId.slice(0, 16)}`;
    if (record['environment'] !== opened.environment) {
      return no('checked', name, `its record says ${word(record['environment'])}`);
    }
    const state = retired ? 'retired before use' : wiped ? 'wiped' : 'kept';
    return yes('recorded', name, `${word(record['algorithm'])}, ${state}`);
  });
}

/** Every artifact that counts: named as a subject, and as it was where it is here. */
export async function artifactClaims(
  { subjects }: Transcript,
  { artifacts, keys, changedSets, violation }: Replayed,
  definition: Definition,
  { readArtifact, inspect, sha256 }: ArtifactEvidence,
): Promise<Claim[]> {
  const claims: Claim[] = [];
  const named = subjects.slice(1);
  // After a misstep nobody can say which artifacts count.
  if (violation === undefined) {
    const same =
      named.length === artifacts.size &&
      new Set(named.map(({ name }) => name)).size === named.length &&
      named.every(({ name, digest }) => artifacts.get(name)?.sha256 === digest['sha256']);
    claims.push(
      same
        ? yes('checked', 'the artifacts', `${artifacts.size}, the same in entries and subjects`)
        : no('checked', 'the artifacts', 'the subjects are not what the steps made'),
    );
  }
  for (const { path, sha256: digest, size } of artifacts.values()) {
    const bytes = readArtifact(path);
    if (bytes === undefined) {
      claims.push(yes('recorded', path, `not here; sha256:${digest}`));
    } else if (bytes.length !== size || toHex(sha256(bytes)) !== digest) {
      claims.push(no('checked', path, 'this is not the file that the session made'));
    } else {
      const facts = await inspect(bytes, path);
      claims.push(
        facts === undefined || facts.ok
          ? yes('checked', path, facts?.summary ?? `sha256:${digest}`)
          : no('checked', path, facts.summary),
      );
      const commitment = facts && commitmentClaim(path, facts, { keys, changedSets }, definition);
      if (commitment !== undefined) claims.push(commitment);
    }
  }
  return claims;
}

/**
 * A share set commits to what the key's record says, or to what the step that changed it said, under a quorum of the
 * definition; a share belongs to such a set.
 */
function commitmentClaim(
  path: string,
  { shareSet, share }: ArtifactFacts,
  { keys, changedSets }: Pick<Replayed, 'keys' | 'changedSets'>,
  definition: Definition,
): Claim | undefined {
  const sharing = (setId: string): Json | undefined =>
    [...keys.map(({ record }) => record['shares']), ...changedSets.map((set) => ({ ...set }))].find(
      (it: Json | undefined) => isObject(it) && it['setId'] === setId,
    );
  if (share !== undefined && sharing(share.setId) === undefined)
    return no('checked', path, 'it is a share of a set that this session did not make');
  if (shareSet === undefined) return undefined;
  const name = `the commitments in ${path}`;
  const { setId, root, threshold, shares } = shareSet;
  const recorded = sharing(setId);
  if (!isObject(recorded))
    return no('checked', name, 'no key of this session was split into it, and no step changed it');
  if (recorded['root'] !== root)
    return no('checked', name, 'their root is not the one that was recorded');
  const agreed = Object.values(definition.quorums).some(
    (quorum) => quorum.threshold === threshold && quorum.shares === shares,
  );
  if (!agreed)
    return no('checked', name, `${threshold} of ${shares} is no quorum of the definition`);
  return yes('checked', name, `${threshold} of ${shares}, root ${root.slice(0, 16)}`);
}
