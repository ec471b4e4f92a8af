/** What a session's entries say of the machine: reports made again where the definition wants that, and what they found. */
import type { Definition } from './definition.js';
import type { EntryData } from './entries.js';
import { Misstep } from './misstep.js';

/** The machine of one session, while its transcript is walked. */
export class ReplayedMachine {
  readonly #environment: Definition['environment'];
  /** Whether what is required must be in order: a rehearsal or a dev run may take place anywhere. */
  #binding = false;
  /** A report is due before a step begins. */
  #due = false;
  /** Required probes of the last report that are not in order and that no deviation has explained. */
  #unmet: readonly string[] = [];
  readonly #explained = new Set<string>();

  constructor(environment: Definition['environment']) {
    this.#environment = environment;
  }

  opened({ environment }: EntryData['session.opened']): void {
    this.#binding = environment === 'production';
  }

  /** Another act was entered, or the session goes on, perhaps elsewhere. */
  lookAgain(): void {
    this.#due = this.#environment.recheck;
  }

  /** @param underWay - the act that was entered last, unless undone since */
  checked({ act, airGap }: EntryData['environment.checked'], underWay: string | undefined): void {
    if (!this.#environment.recheck) throw new Misstep('the definition does not ask for that');
    if (act !== underWay) throw new Misstep(`the act ${act} is not under way`);
    this.#due = false;
    if (!this.#binding) return;
    this.#unmet = this.#environment.require.filter(
      (name) =>
        airGap.find((it) => it.name === name)?.result !== 'ok' && !this.#explained.has(name),
    );
  }

  /** A deviation; one about `environment.PROBE` explains that probe for the rest of the session. */
  explained(about: string): void {
    if (!about.startsWith('environment.')) return;
    const probe = about.slice('environment.'.length);
    this.#explained.add(probe);
    this.#unmet = this.#unmet.filter((name) => name !== probe);
  }

  /** A step may begin. */
  mustBeInOrder(): void {
    if (this.#due) throw new Misstep('the machine was not looked at before it began');
    const [probe] = this.#unmet;
    if (probe !== undefined)
      throw new Misstep(`the required probe ${probe} is not in order, and no deviation says why`);
  }
}
