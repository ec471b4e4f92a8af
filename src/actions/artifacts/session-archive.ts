/** Archives of sessions as `show` and `verify` know them: the verdict on one is that on its transcript, and on what carries it. */
import type { JsonObject } from '#formats/canonical-json';
import { looksLikeTar } from '#formats/ustar';
import type { SessionArchive } from '#script/session-archive';
import type { ArtifactKind, Claim } from './artifact.js';

/** First name in every archive: that of the sums, in the folder of the ceremony. */
const FIRST_NAME = /^[A-Za-z0-9-]+\/SHA256SUMS\0/;

/** The kind `session-archive`. Only what tells it apart is loaded before there is one. */
export const sessionArchiveKind: ArtifactKind = {
  kind: 'session-archive',
  detect: (bytes) =>
    looksLikeTar(bytes) && FIRST_NAME.test(Buffer.from(bytes.subarray(0, 100)).toString('latin1')),
  async show(bytes, name) {
    const { parseSessionArchive } = await import('#script/session-archive');
    const { readTranscript } = await import('./transcript.js');
    const { manifest, transcript } = parseSessionArchive(bytes, name);
    const { entries } = (await readTranscript(transcript, `${name}: transcript.json`)).transcript;
    const { files, withheld, environment, ceremony, session, head } = manifest;
    return {
      mark: {
        production: null,
        rehearsal: 'REHEARSAL: not evidence of a ceremony',
        dev: 'DEV: nothing of this ceremony may be relied on',
      }[environment],
      ceremony,
      session,
      environment,
      head,
      opened: entries[0]?.time ?? null,
      closed: entries.at(-1)?.time ?? null,
      entries: entries.length,
      files: files as unknown as readonly JsonObject[],
      withheld: withheld as unknown as readonly JsonObject[],
    };
  },
  async verify(bytes, name, context, options) {
    const [
      { sha256 },
      { archiveClaims, parseSessionArchive },
      { readTranscript, verifyTranscript },
    ] = await Promise.all([
      import('#crypto/hash'),
      import('#script/session-archive'),
      import('./transcript.js'),
    ]);
    const archive = parseSessionArchive(bytes, name);
    const read = await readTranscript(archive.transcript, `${name}: transcript.json`);
    const verdict = await verifyTranscript(read, context, options, {
      beside: (path) => (path === 'definition.yaml' ? archive.definition : archive.files.get(path)),
      carrier: async (transcript) => [
        ...archiveClaims(archive, transcript, (content) => sha256(content)),
        await secrecyClaim(archive),
      ],
    });
    return { ...verdict, kind: 'session-archive' };
  },
};

/** Whoever made it: nothing in it may be a secret, sealed or not. */
async function secrecyClaim({ files }: SessionArchive): Promise<Claim> {
  const { exposureOf } = await import('../qr/exposure.js');
  for (const [path, bytes] of files) {
    const { exposure } = await exposureOf(bytes, path);
    if (exposure === 'public' || exposure === 'unknown') continue;
    const what = {
      sealed: 'sealed, and belongs to its recipient alone',
      'unsealed-share': 'a share that is not sealed',
      'private-key': 'a private key, or tells one',
    }[exposure];
    return { claim: 'nothing secret', grade: 'checked', ok: false, detail: `${path} is ${what}` };
  }
  const detail = 'no file in it is a private key, a share or sealed';
  return { claim: 'nothing secret', grade: 'checked', ok: true, detail };
}
