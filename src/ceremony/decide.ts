/**
 * What happens next, as a pure function of the state and of what is live in memory. The engine does it, journals it, and
 * asks again; a run that was never interrupted and one that was killed ten times take the same decisions.
 */
import { type Instance, instanceKey } from '#script/plan';
import type { SessionState } from './state.js';

/** What the decision needs to know besides the journal. */
export interface Facts {
  /** References of secrets that this process holds. */
  readonly live: ReadonlySet<string>;
  /** Whether an instance that another process left open must not simply be run again. */
  settles(instance: Instance): boolean;
  /** Instances that were found open after a restart, inspected, and found not to have happened. */
  readonly undone: ReadonlySet<string>;
  /** References of live keys whose private side this instance opens. */
  opens(instance: Instance): readonly string[];
  /** Whether a complete set of shares of this key exists in the session. */
  sealed(reference: string): boolean;
  /** Whether a side of the instance's branch is still to be taken. */
  undecided(instance: Instance): boolean;
  /** Whether the instance lies on the way that was taken, and its `when:` holds; true without both. */
  holds(instance: Instance): boolean;
}

/** The next thing to do. */
export type Next =
  | { readonly do: 'enter'; readonly act: string }
  /** The branch of this instance was come to. */
  | { readonly do: 'branch'; readonly instance: Instance }
  | { readonly do: 'skip'; readonly instance: Instance }
  | { readonly do: 'run'; readonly instance: Instance; readonly attempt: number }
  /** A step that may have happened was under way when the program ended: find out. */
  | { readonly do: 'settle'; readonly instance: Instance }
  /** The step failed and the ceremony goes on without it: the reason is still to be recorded. */
  | { readonly do: 'deviate'; readonly instance: Instance }
  /** The step failed, and leads back to an earlier one. */
  | { readonly do: 'back'; readonly instance: Instance }
  | { readonly do: 'restore'; readonly reference: string; readonly instance: Instance }
  | { readonly do: 'rollback'; readonly to: Instance; readonly lost: readonly string[] }
  | {
      readonly do: 'close';
      readonly outcome: 'completed' | 'aborted';
      readonly reason: string | null;
    }
  /** Everything is journalled; the transcript is still to be signed and written. */
  | { readonly do: 'publish' };

/** The next thing to do in a session that was opened. */
export function decide(instances: readonly Instance[], state: SessionState, facts: Facts): Next {
  if (state.closed !== undefined) return { do: 'publish' };
  const at = instances.findIndex((instance) => !isDone(state, instance));
  const instance = instances[at];
  if (instance === undefined) return { do: 'close', outcome: 'completed', reason: null };

  const key = instanceKey(instance);
  const known = state.instances.get(key);
  if (known?.status === 'failed') {
    const { failure } = known;
    if (failure?.then === 'deviate' || failure?.then === 'onward')
      return { do: 'deviate', instance };
    if (failure?.then === 'back') return { do: 'back', instance };
    if (failure?.then === 'abort') {
      return { do: 'close', outcome: 'aborted', reason: `${key}: ${failure.error.message}` };
    }
  }
  if (known === undefined && state.act !== instance.act.id) {
    return { do: 'enter', act: instance.act.id };
  }
  // Only what another process left open is open here: this one finishes or fails what it starts.
  if (known?.status === 'open' && facts.settles(instance) && !facts.undone.has(key)) {
    return { do: 'settle', instance };
  }

  const rest = instances.slice(at);
  const lost = lostKeys(state, facts).filter((reference) =>
    rest.some((later) => facts.opens(later).includes(reference)),
  );
  const unsealed = lost.filter((reference) => !facts.sealed(reference));
  const first = instances.find((candidate) =>
    unsealed.some((reference) => state.keys.get(reference)?.madeIn === instanceKey(candidate)),
  );
  if (first !== undefined) return { do: 'rollback', to: first, lost: unsealed };
  if (known === undefined && facts.undecided(instance)) return { do: 'branch', instance };
  if (known === undefined && !facts.holds(instance)) return { do: 'skip', instance };
  const wanted = facts.opens(instance).find((reference) => lost.includes(reference));
  if (wanted !== undefined) return { do: 'restore', reference: wanted, instance };
  return { do: 'run', instance, attempt: (state.attempts.get(key) ?? 0) + 1 };
}

/** Keys that a finished step made, that nobody wiped, and that this process does not hold. */
export function lostKeys(state: SessionState, facts: Pick<Facts, 'live'>): readonly string[] {
  return [...state.keys.values()]
    .filter(
      ({ reference, madeIn, gone }) =>
        !gone && !facts.live.has(reference) && state.instances.get(madeIn)?.status === 'finished',
    )
    .map(({ reference }) => reference);
}

function isDone(state: SessionState, instance: Instance): boolean {
  const status = state.instances.get(instanceKey(instance))?.status;
  return status === 'finished' || status === 'skipped' || status === 'deviated';
}
