/** Whether an archive of a session holds only what anybody may have: it is made so, and whoever packs one by hand may err. */
import { ConclaveError } from '#formats/errors';
import type { Withheld } from '#script/session-archive';
import { readTranscript } from '../artifacts/transcript.js';
import { type Exposure, worstOf } from '../qr/exposure.js';
import { declaredPublic, disclosureOf } from './disclosure.js';
import { hexDigest } from './public-side.js';

/** What `ceremony archive` puts beside the artifacts, and says of itself what it is. */
const OWN_FILES: ReadonlySet<string> = new Set(['transcript.json', 'definition.yaml']);

/**
 * Judges an archive by each file in it, as `ceremony archive` judges before it packs: a bare signature is public where the
 * record says which step wrote it. An archive that cannot be read is unknown.
 */
export async function exposureOfArchive(
  bytes: Uint8Array,
  name: string,
): Promise<Exposure['exposure']> {
  const [{ parseSessionArchive }, { parseDefinition }] = await Promise.all([
    import('#script/session-archive'),
    import('#script/parse'),
  ]);
  try {
    const { files, transcript, definition } = parseSessionArchive(bytes, name);
    const { entries } = (await readTranscript(transcript, name)).transcript;
    const declared = declaredPublic(parseDefinition(definition, name).definition, entries);
    const parts = await Promise.all(
      [...files].map(async ([path, content]) => {
        const written = declared.has(`${hexDigest(content)} ${path}`) || OWN_FILES.has(path);
        return exposureFor(await disclosureOf(content, path, written));
      }),
    );
    return worstOf(parts);
  } catch (error) {
    if (error instanceof ConclaveError) return 'unknown';
    throw error;
  }
}

/** What is kept back for another reason than that it is a secret is shown only when somebody says so. */
function exposureFor(disclosure: 'public' | Withheld): Exposure['exposure'] {
  switch (disclosure) {
    case 'public':
    case 'sealed':
    case 'unsealed-share':
    case 'private-key':
      return disclosure;
    case 'trace':
    case 'unknown':
    case 'large':
    case 'absent':
      return 'unknown';
  }
}
