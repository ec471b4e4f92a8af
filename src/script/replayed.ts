/** What walking through a session's entries comes to. */
import type { Json } from '#formats/canonical-json';
import type { EntryData, Participant, RecordedArtifact } from './entries.js';

/** An entry that has no business where it stands. */
export interface Violation {
  readonly seq: number;
  readonly reason: string;
}

/** A key as the session's entries tell of it. */
export interface RecordedKey {
  readonly reference: string;
  readonly keyId: string;
  /** The key record as plain data, as last changed. */
  readonly record: { readonly [member: string]: Json };
  /** Instance that made it. */
  readonly madeIn: string;
  readonly retired: boolean;
  readonly wiped: boolean;
}

/** What a whole session comes to. */
export interface Replayed {
  readonly violation: Violation | undefined;
  /** Participants with the identities that they had in the end. */
  readonly participants: readonly Participant[];
  /** How those came by theirs who had none at first. */
  readonly enrolled: readonly EntryData['participant.enrolled'][];
  /** Artifacts that still count, by path: those of steps that were finished and not rolled back. */
  readonly artifacts: ReadonlyMap<string, RecordedArtifact>;
  readonly keys: readonly RecordedKey[];
  /** Sets of shares that steps changed, without a key of the session: what their steps said of them. */
  readonly changedSets: readonly { readonly setId: string; readonly root: string }[];
  readonly signoffs: readonly EntryData['signoff'][];
  readonly closed: EntryData['session.closed'] | undefined;
}
