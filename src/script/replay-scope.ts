/** What references meant at one step of a transcript: the outputs of the steps that had finished by then. */
import type { Ways } from './branch.js';
import type { Definition } from './definition.js';
import type { EntryData } from './entries.js';
import type { Resolve } from './expression.js';
import type { Instance } from './plan.js';
import { resolverFor, type ScopeSource } from './scope.js';

/** A transcript as far as it was read. */
export interface SoFar {
  readonly definition: Definition;
  readonly participants: ScopeSource['participants'];
  readonly opened: EntryData['session.opened'];
  readonly instances: readonly Instance[];
  /** What finished, by the place of its instance. */
  readonly finished: ReadonlyMap<number, EntryData['step.finished']>;
  readonly ways: Ways;
}

/** The values of references for one instance. */
export function resolverAt(soFar: SoFar, instance: Instance): Resolve {
  const { definition, participants, opened, instances, finished, ways } = soFar;
  type Outputs = EntryData['step.finished']['outputs'];
  const outputs = new Map<string, Map<string, Outputs>>();
  for (const [at, { outputs: made }] of finished) {
    const { step, for: holder } = instances[at] as Instance;
    const perHolder = outputs.get(step.id) ?? new Map<string, Outputs>();
    outputs.set(step.id, perHolder.set(holder ?? '', made));
  }
  return resolverFor(
    {
      definition,
      participants,
      parameters: opened.parameters,
      session: {
        id: opened.session,
        definitionDigest: opened.definitionDigest,
        executionDigest: opened.executionDigest,
      },
      outputs,
      ways,
    },
    instance,
  );
}
