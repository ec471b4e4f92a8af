/** All kinds of artifact, in the order in which they are recognised: what says most about itself comes first. */
import { InputError, InternalError } from '#formats/errors';
import type { ArtifactKind } from './artifact.js';

/** One row: the kind's name and the file that knows it. */
interface Row {
  readonly kind: string;
  readonly load: () => Promise<object>;
}

/** An archive first, since it holds what others are; PEM before DER, objects that name their type before anything that merely parses; definitions are plain text, so last. */
const rows: readonly Row[] = [
  { kind: 'session-archive', load: () => import('./session-archive.js') },
  { kind: 'key-file', load: () => import('./key-file.js') },
  { kind: 'token-key', load: () => import('./token-key.js') },
  { kind: 'key-record', load: () => import('./key-record.js') },
  { kind: 'envelope', load: () => import('./envelope.js') },
  { kind: 'handover-challenge', load: () => import('./handover-challenge.js') },
  { kind: 'azure-byok', load: () => import('./import-envelope.js') },
  { kind: 'transit-import', load: () => import('./import-envelope.js') },
  { kind: 'threshold-transcript', load: () => import('./threshold-group.js') },
  { kind: 'threshold-start', load: () => import('./threshold-message.js') },
  { kind: 'threshold-acceptance', load: () => import('./threshold-message.js') },
  { kind: 'group', load: () => import('./threshold-group.js') },
  { kind: 'identity', load: () => import('./identity.js') },
  { kind: 'share-set', load: () => import('./share-set.js') },
  { kind: 'threshold-batch', load: () => import('./threshold-batch.js') },
  { kind: 'round-message', load: () => import('./threshold-message.js') },
  { kind: 'share', load: () => import('./share.js') },
  { kind: 'share-card', load: () => import('./share-card.js') },
  { kind: 'trace', load: () => import('./trace.js') },
  { kind: 'opening-proof', load: () => import('./opening-proof.js') },
  { kind: 'trace-request', load: () => import('./trace.js') },
  { kind: 'transcript', load: () => import('./transcript.js') },
  { kind: 'statement', load: () => import('./statement.js') },
  { kind: 'encrypted-file', load: () => import('./encrypted-file.js') },
  { kind: 'signed-file', load: () => import('./signed-file.js') },
  { kind: 'container', load: () => import('./container.js') },
  { kind: 'age-file', load: () => import('./age-file.js') },
  { kind: 'cms-message', load: () => import('./cms-file.js') },
  { kind: 'public-key', load: () => import('./public-key.js') },
  { kind: 'code-text', load: () => import('./code-text.js') },
  { kind: 'definition', load: () => import('./definition.js') },
];

/** Names of all kinds. */
export const kindNames: readonly string[] = rows.map(({ kind }) => kind);

/** The kind that these bytes are of, or `undefined`. */
export async function detectKind(
  bytes: Uint8Array,
  name: string,
): Promise<ArtifactKind | undefined> {
  for (const row of rows) {
    const kind = await loadKind(row);
    if (kind.detect(bytes, name)) return kind;
  }
  return undefined;
}

/**
 * The kind that these bytes are of.
 * @throws InputError `E_ARTIFACT_UNKNOWN`
 */
export async function recogniseKind(bytes: Uint8Array, name: string): Promise<ArtifactKind> {
  const kind = await detectKind(bytes, name);
  if (kind !== undefined) return kind;
  throw new InputError({
    code: 'E_ARTIFACT_UNKNOWN',
    message: `${name} is nothing that conclave recognises`,
    hint: `known are: ${kindNames.join(', ')}; bare bytes (a signature, what is wrapped for AWS, Google or a token) say nothing of themselves`,
  });
}

async function loadKind(row: Row): Promise<ArtifactKind> {
  const module = await row.load();
  for (const exported of Object.values(module) as unknown[]) {
    if (isKind(exported) && exported.kind === row.kind) return exported;
  }
  throw new InternalError({
    code: 'E_ARTIFACT_NO_KIND',
    message: `the file of the artifact kind ${row.kind} does not export it`,
  });
}

function isKind(value: unknown): value is ArtifactKind {
  return (
    typeof value === 'object' &&
    value !== null &&
    'kind' in value &&
    'detect' in value &&
    'show' in value &&
    'verify' in value
  );
}
