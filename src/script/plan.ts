/**
 * The order in which a definition runs: its steps, repeated once per holder where `each:` says so. The engine walks this
 * list, the transcript checker walks it again.
 */
import type { Json } from '#formats/canonical-json';
import { canonicalJsonBytes } from '#formats/canonical-json';
import { toHex } from '#formats/bytes';
import type { Participant } from './entries.js';
import type { Act, Definition, Step } from './definition.js';

/** One step, once: what the engine starts and finishes. */
export interface Instance {
  readonly act: Act;
  readonly step: Step;
  /** The holder it is run for, under `each:`. */
  readonly for?: string;
  /** The participant who acts: the holder under `each:` when that is the acting role, else the role's first holder. */
  readonly by: string;
}

/** Participants of a role, in the order of the participants file. */
export function holders(
  participants: readonly Participant[],
  role: string,
): readonly Participant[] {
  return participants.filter((participant) => participant.role === role);
}

/**
 * Every step instance of a definition in the order of running. Conditions are not evaluated: an instance whose `when:`
 * does not hold is in the list and is skipped when its turn comes.
 */
export function plan(
  definition: Definition,
  participants: readonly Participant[],
): readonly Instance[] {
  return definition.acts.flatMap((act) =>
    act.steps.flatMap((step): Instance[] => {
      const acting = holders(participants, step.by)[0]?.name ?? step.by;
      if (step.each === undefined) return [{ act, step, by: acting }];
      const own = step.each === step.by;
      return holders(participants, step.each).map(({ name }) => ({
        act,
        step,
        for: name,
        by: own ? name : acting,
      }));
    }),
  );
}

/** Key under which an answers file holds the answer of an instance: `act/step` or `act/step/person`. */
export function instanceKey(instance: Instance): string {
  const key = `${instance.act.id}/${instance.step.id}`;
  return instance.for === undefined ? key : `${key}/${instance.for}`;
}

/** The key of the instance that an entry is about. */
export function entryKey(where: {
  readonly act: string;
  readonly step: string;
  readonly for?: string;
}): string {
  const key = `${where.act}/${where.step}`;
  return where.for === undefined ? key : `${key}/${where.for}`;
}

/** What the execution digest covers. */
export interface Execution {
  /** `sha256:HEX` over the bytes of the definition. */
  readonly definitionDigest: string;
  readonly parameters: Readonly<Record<string, string | number | boolean>>;
  readonly participants: readonly Participant[];
}

/**
 * The digest that is read back in the first act, `sha256:HEX`: SHA-256 of the canonical JSON of definition (its
 * digest), parameters and participants, each of these with identity (its id or null), level, name and role.
 */
export function executionDigest(
  execution: Execution,
  sha256: (bytes: Uint8Array) => Uint8Array,
): string {
  const value: Json = {
    definition: execution.definitionDigest,
    parameters: execution.parameters,
    participants: execution.participants.map(({ name, role, identity, level }) => ({
      name,
      role,
      identity: identity === null ? null : identity.id,
      level,
    })),
  };
  return `sha256:${toHex(sha256(canonicalJsonBytes(value)))}`;
}

/** How the printed script marks the instances of a step that is done for each holder, from 0. */
export function holderLetter(at: number): string {
  return String.fromCharCode(97 + (at % 26));
}
