/** Rehearsals beside the ceremony that they were for: whoever asks whether the ceremony holds is not asking about them. */
import { ConclaveError } from '#formats/errors';
import { readTranscript } from '../artifacts/transcript.js';
import type { ActionContext } from '../context/context.js';

/**
 * Transcripts to judge, and those of rehearsals, which are passed over when there is anything else. A transcript that cannot be
 * read is to be judged.
 */
export async function apartFromRehearsals(
  transcripts: readonly string[],
  { files }: Pick<ActionContext, 'files'>,
): Promise<{ readonly paths: readonly string[]; readonly leftOut: readonly string[] }> {
  const rehearsals: string[] = [];
  for (const path of transcripts) {
    try {
      const [opened] = (await readTranscript(files.read(path), path)).transcript.entries;
      if (opened?.type === 'session.opened' && opened.data.environment === 'rehearsal')
        rehearsals.push(path);
    } catch (error) {
      if (!(error instanceof ConclaveError)) throw error;
    }
  }
  if (rehearsals.length === transcripts.length) return { paths: transcripts, leftOut: [] };
  return { paths: transcripts.filter((path) => !rehearsals.includes(path)), leftOut: rehearsals };
}
