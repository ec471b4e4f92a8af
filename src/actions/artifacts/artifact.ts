/** What `show` and `verify` know of one kind of artifact. One file per kind in this folder, listed in `catalogue.ts`. */
import type { JsonObject } from '#formats/canonical-json';
import type { ActionContext } from '../context/context.js';

/** How far a claim of a verdict can be believed, in the words of the design. */
export type Grade = 'checked' | 'proven' | 'attested' | 'recorded' | 'unattended' | 'advisory';

/** One line of a verdict. */
export interface Claim {
  readonly claim: string;
  readonly grade: Grade;
  readonly ok: boolean;
  /** Why, or what was compared; for a failure what is wrong and where. */
  readonly detail: string;
}

/** The answer of `verify`. */
export interface ArtifactVerdict {
  readonly ok: boolean;
  /** Kind of artifact, e.g. `transcript`. */
  readonly kind: string;
  /** The first line for people: what was verified, or what is wrong. Marks (dev, rehearsal, not pinned) come first. */
  readonly summary: string;
  readonly claims: readonly Claim[];
}

/** What the operator said about who may have signed. */
export interface VerifyOptions {
  /** Public identity files. */
  readonly signers: readonly string[];
  readonly participants?: string | undefined;
  readonly allowUnpinned: boolean;
}

/** One kind of artifact. */
export interface ArtifactKind {
  readonly kind: string;
  /** Whether these bytes are of this kind; cheap, never throws. */
  detect(bytes: Uint8Array, name: string): boolean;
  /** What it is, as plain data for `show`; strict parsing, no trust. */
  show(bytes: Uint8Array, name: string, context: ActionContext): Promise<JsonObject>;
  /** Whether it holds. Tampered but well formed: a verdict with `ok: false`; malformed: InputError. */
  verify(
    bytes: Uint8Array,
    name: string,
    context: ActionContext,
    options: VerifyOptions,
  ): Promise<ArtifactVerdict>;
}
