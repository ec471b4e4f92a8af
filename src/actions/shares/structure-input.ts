/** Thresholds as the command line or a definition states them, and what must be waived before they are used. */
import type { Fields } from '#formats/action';
import { RefusedError, UsageError } from '#formats/errors';
import { SLIP39_MAX_SHARES } from '#protocols/sharing/slip39';
import {
  describeStructure,
  everyShareNeeded,
  oneShareEnough,
  type Quorum,
  type Structure,
  structureProblem,
} from '#protocols/sharing/structure';
import type { Waiver } from '../context/context.js';

/** The inputs that state a structure. */
export const structureFields = {
  threshold: {
    type: 'integer',
    summary: 'shares that bring the secret back (with --group: groups)',
    required: true,
    min: 1,
    max: 255,
    placeholder: 'T',
  },
  shares: {
    type: 'integer',
    summary: 'shares to make (with --group: may be left out)',
    min: 1,
    max: 255,
    placeholder: 'N',
  },
  group: {
    type: 'string',
    summary: 'a group of members, T of N of whom stand for it',
    repeat: true,
    pattern: '[1-9][0-9]{0,2}/[1-9][0-9]{0,2}',
    placeholder: 'T/N',
  },
} as const satisfies Fields;

/** How a structure is stated. */
export interface StructureInput {
  readonly threshold: number;
  readonly shares?: number | undefined;
  readonly group: readonly string[];
}

/**
 * The structure that was meant.
 * @param words - whether the shares will be SLIP-39 words
 * @throws {@link UsageError} `E_SHARE_STRUCTURE`
 */
export function structureOfInput(input: StructureInput, words: boolean): Structure {
  const { threshold, shares, group } = input;
  if (group.length > 0 && shares !== undefined && shares !== group.length) {
    throw new UsageError({
      code: 'E_SHARE_STRUCTURE',
      message: `--shares ${shares} with ${group.length} groups`,
      hint: 'with --group leave out --shares; --threshold counts the groups',
    });
  }
  if (group.length === 0 && shares === undefined) {
    throw new UsageError({
      code: 'E_SHARE_STRUCTURE',
      message: 'the number of shares is missing',
      hint: 'give it by --shares',
    });
  }
  const structure: Structure =
    group.length === 0
      ? { groupThreshold: 1, groups: [{ threshold, shares: shares as number }] }
      : { groupThreshold: threshold, groups: group.map(quorumOf) };
  const problem = structureProblem(structure, words ? SLIP39_MAX_SHARES : 255);
  if (problem === undefined) return structure;
  throw new UsageError({
    code: 'E_SHARE_STRUCTURE',
    message: `${describeStructure(structure)} is no quorum: it takes ${problem}`,
    ...(words ? { hint: 'SLIP-39 has at most 16 members in a group' } : {}),
  });
}

function quorumOf(text: string): Quorum {
  const [threshold, shares] = text.split('/').map(Number) as [number, number];
  return { threshold, shares };
}

/**
 * Refuses what the loss or the theft of one card would undo; a dev key is no excuse, its ceremony is the example.
 * @returns what was demanded and waived
 * @throws {@link RefusedError} `E_SHARE_N_OF_N`, `E_SHARE_THRESHOLD_1`
 */
export function assertWaived(structure: Structure, waivers: ReadonlySet<Waiver>): Waiver[] {
  const demanded: {
    waiver: Waiver;
    code: 'E_SHARE_N_OF_N' | 'E_SHARE_THRESHOLD_1';
    why: string;
  }[] = [];
  if (everyShareNeeded(structure)) {
    const why = 'the loss of one share would lose the secret';
    demanded.push({ waiver: 'n-of-n', code: 'E_SHARE_N_OF_N', why });
  }
  if (oneShareEnough(structure)) {
    const why = 'one share alone would be the secret';
    demanded.push({ waiver: 'threshold-1', code: 'E_SHARE_THRESHOLD_1', why });
  }
  const missing = demanded.find(({ waiver }) => !waivers.has(waiver));
  if (missing !== undefined) {
    throw new RefusedError({
      code: missing.code,
      message: `${describeStructure(structure)} is refused: ${missing.why}`,
      hint: `if that is meant, say --waive ${missing.waiver}; it is recorded`,
    });
  }
  return demanded.map(({ waiver }) => waiver);
}
