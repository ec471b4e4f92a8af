/** Which way a session went, while its transcript is walked: sides taken at branches, and failures that led elsewhere. */
import { canonicalJsonBytes } from '#formats/canonical-json';
import { equal } from '#formats/bytes';
import { afterFailure, choose, isOnItsSide, targetIn, type Then, type Ways } from './branch.js';
import type { Definition, Side } from './definition.js';
import type { EntryData } from './entries.js';
import type { Resolve } from './expression.js';
import { Misstep } from './misstep.js';
import { type Instance, instanceKey } from './plan.js';

/** The ways of one session. */
export class ReplayedWays {
  readonly #definition: Definition;
  /** By branch, its side and the place at which it was taken. */
  readonly #taken = new Map<string, { readonly side: Side; readonly at: number }>();
  /** A failure at `from` led on to `to`. */
  #passed: { readonly from: number; readonly to: number } | undefined;
  readonly #returns = new Map<string, number>();

  constructor(definition: Definition) {
    this.#definition = definition;
  }

  get taken(): Ways {
    return new Map([...this.#taken].map(([branch, { side }]) => [branch, side]));
  }

  /** A side is taken at the first step of the branch, once, and it is the one that the record so far leads to. */
  take(data: EntryData['branch.taken'], at: number, { step }: Instance, resolve: Resolve): void {
    const { branch, side, condition, values } = data;
    if (step.branch?.branch !== branch) throw new Misstep(`the branch ${branch} is not here`);
    if (this.#taken.has(branch)) throw new Misstep(`the branch ${branch} was taken before`);
    const chosen = choose(this.#definition, branch, resolve);
    if (condition !== chosen.condition)
      throw new Misstep(`the condition of the branch ${branch} is another one`);
    if (side !== chosen.side)
      throw new Misstep(`the branch ${branch} leads to "${chosen.side}", not to "${side}"`);
    if (!equal(canonicalJsonBytes(values), canonicalJsonBytes(chosen.values)))
      throw new Misstep(`the branch ${branch} was decided by other values than the record has`);
    this.#taken.set(branch, { side, at });
  }

  /** Whether an instance lies on the way. @throws Misstep where no side of its branch was taken */
  includes(at: number, { step }: Instance): boolean {
    if (this.#passed !== undefined && at < this.#passed.to) return false;
    if (step.branch === undefined) return true;
    if (!this.#taken.has(step.branch.branch))
      throw new Misstep(`no side of the branch ${step.branch.branch} was taken`);
    return isOnItsSide(step, this.taken);
  }

  afterFailure(instances: readonly Instance[], at: number, failures: number): Then {
    const key = instanceKey(instances[at] as Instance);
    const returns = this.#returns.get(key) ?? 0;
    const then = afterFailure(instances, at, failures, returns);
    if (then === 'back') this.#returns.set(key, returns + 1);
    return then;
  }

  /** A failure was explained, and the ceremony goes on where its step leads. */
  leadOn(instances: readonly Instance[], from: number): void {
    const { elsewhere } = (instances[from] as Instance).step;
    if (elsewhere !== undefined) this.#passed = { from, to: targetIn(instances, elsewhere) };
  }

  /** Everything from a place on was undone. */
  undo(target: number): void {
    for (const [branch, { at }] of [...this.#taken]) if (at > target) this.#taken.delete(branch);
    if (this.#passed !== undefined && target <= this.#passed.from) this.#passed = undefined;
  }
}
