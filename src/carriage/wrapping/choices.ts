/** Choices that a format does not have are refused, and never passed over in silence. */
import { UsageError } from '#formats/errors';
import type { WrapRequest } from './format.js';

/** @throws {@link UsageError} `E_WRAP_CHOICE` for an algorithm, or for armor where there is none */
export function refuseChoices(
  { algorithm, armor }: Pick<WrapRequest, 'algorithm' | 'armor'>,
  has: { readonly armor: boolean },
): void {
  if (algorithm !== undefined) {
    throw new UsageError({
      code: 'E_WRAP_CHOICE',
      message: `there is no choice of ${algorithm} here: how to wrap follows from the recipient's key`,
      hint: 'leave --algorithm out; it is for the import formats of providers',
    });
  }
  if (armor === true && !has.armor) {
    throw new UsageError({
      code: 'E_WRAP_CHOICE',
      message: 'a container has no armored form',
      hint: 'leave --armor out, or choose --format age or cms',
    });
  }
}
