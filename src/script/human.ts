/** What each kind of human step asks of its definition, and what it leaves behind. */
import type { OutputField, ValueType } from '#formats/action';
import type { HumanAct } from './definition.js';

/** The rules of one kind of human step. */
export interface HumanRules {
  /** Types that `value:` may have; without any, `value:` is refused, otherwise required. `material` is a reference to one. */
  readonly value: readonly (ValueType | 'material')[];
  /** Whether `say:` must tell what is about to be affirmed. */
  readonly mustSay: boolean;
  readonly choices: 'refused' | 'optional';
  /** Whether the step must run `each:` holder: `own` when the acting role is that role, `other` when it is another. */
  readonly each: 'required-own' | 'required-other' | 'optional';
  readonly outputs: Readonly<Record<string, OutputField>>;
}

const none = {
  value: [],
  mustSay: false,
  choices: 'refused',
  each: 'optional',
  outputs: {},
} as const satisfies HumanRules;

/** By the word that stands after `do:`. */
export const humanRules: Readonly<Record<HumanAct, HumanRules>> = {
  /** Someone affirms what `say:` says. */
  confirm: { ...none, mustSay: true },
  /** Someone answers: free text, or one of `choices:`. */
  ask: {
    ...none,
    choices: 'optional',
    outputs: { answer: { type: 'string', summary: 'what was answered' } },
  },
  /** Someone reads the value from the screen and enters it again. */
  'read-back': { ...none, value: ['digest', 'string', 'algorithm', 'integer'] },
  /** Things change hands: from the acting role to each holder of another. */
  handover: {
    ...none,
    value: ['shares', 'share-set', 'file', 'path'],
    each: 'required-other',
  },
  /** Something is closed into a material that has a serial number, which is entered. */
  seal: {
    ...none,
    value: ['material'],
    outputs: { serial: { type: 'string', summary: 'serial number as entered' } },
  },
  /** Nothing happens until someone goes on. */
  pause: none,
  /** Each holder agrees with the record, or disagrees and says why. */
  'sign-off': { ...none, each: 'required-own' },
};
