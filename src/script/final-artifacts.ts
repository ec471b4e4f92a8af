/** The artifacts of a session that still count, from its entries alone. */
import type { Entry, RecordedArtifact } from './entries.js';
import { entryKey } from './plan.js';

/**
 * Artifacts that still count, in the order in which they were made: the subjects of a transcript besides its head. Only for
 * entries that the engine itself has just written; a reader takes those of {@link replaySession}.
 */
export function finalArtifacts(entries: readonly Entry[]): readonly RecordedArtifact[] {
  const begun = new Map<string, number>();
  let made: { readonly seq: number; readonly artifact: RecordedArtifact }[] = [];
  for (const entry of entries) {
    if (entry.type === 'step.started') {
      const key = entryKey(entry.data);
      if (!begun.has(key)) begun.set(key, entry.seq);
    } else if (entry.type === 'step.finished') {
      made.push(...entry.data.artifacts.map((artifact) => ({ seq: entry.seq, artifact })));
    } else if (entry.type === 'rollback') {
      const { toAct, toStep } = entry.data;
      const from = Math.min(
        ...[...begun].filter(([key]) => isInstanceOf(key, toAct, toStep)).map(([, seq]) => seq),
      );
      made = made.filter(({ seq }) => seq < from);
      for (const [key, seq] of [...begun]) if (seq >= from) begun.delete(key);
    }
  }
  return [...new Map(made.map(({ artifact }) => [artifact.path, artifact])).values()];
}

function isInstanceOf(key: string, act: string, step: string): boolean {
  return key === `${act}/${step}` || key.startsWith(`${act}/${step}/`);
}
