/** Which messages a round of a key generation or a signature is made of, for whoever collects them and takes no part. */
import { CONFIRM } from './conclusion.js';
import type { StartMessage } from './start-message.js';

/** A message by its place. */
export interface Slot {
  readonly type: string;
  /** `null` for a broadcast. */
  readonly recipient: number | null;
}

/** How many rounds an operation has whose messages can be told beforehand. */
export const ROUNDS = { keygen: 4, sign: 2 } as const;

/**
 * What a party says in a round.
 * @param round - from 1
 * @returns nothing for a round that the operation does not have
 */
export function slotsOf(
  { operation, parties }: Pick<StartMessage, 'operation' | 'parties'>,
  round: number,
  sender: number,
): readonly Slot[] {
  const all = (...types: readonly string[]): readonly Slot[] =>
    types.map((type) => ({ type, recipient: null }));
  const others = parties.map(({ number }) => number).filter((number) => number !== sender);
  switch (`${operation} ${round}`) {
    case 'keygen 1':
      return all('commitments');
    case 'keygen 2':
      return [...others.map((recipient) => ({ type: 'part', recipient })), ...all('echo')];
    case 'keygen 3':
      return all(CONFIRM);
    case 'keygen 4':
      return all('acknowledge');
    case 'sign 1':
      return all('nonces');
    case 'sign 2':
      return all('signature-share');
    default:
      return [];
  }
}
