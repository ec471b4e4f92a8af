/** Inputs that the commands about somebody else's identity have in common. */
import type { Field } from '#formats/action';

/** Who it is about. */
export const somebodyField = {
  type: 'public-key',
  summary: 'the public file of the identity, or somebody known here by name or beginning of the id',
  required: true,
  positional: 0,
  placeholder: 'IDENTITY',
} as const satisfies Field;

/** Whether another key is expected under a name that is known. */
export const changedField = {
  type: 'boolean',
  summary: 'the person has a new key: this one takes the place of the one known by that name',
} as const satisfies Field;
