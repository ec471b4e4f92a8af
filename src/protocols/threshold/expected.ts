/** Which messages a round of a session is made of, for whoever collects them and takes no part. */
import { firstBroadcast } from './conclusion.js';
import { CONFIRM } from './proven-opening.js';
import { targetOf } from './repair-session.js';
import type { Start } from './start-message.js';

/** A message by its place. */
export interface Slot {
  readonly type: string;
  /** `null` for a broadcast. */
  readonly recipient: number | null;
}

/** How many rounds a session has: one that signs, and any other. */
export const ROUNDS = { change: 4, sign: 2 } as const;

/**
 * What a party says in a round.
 * @param round - from 1
 * @returns nothing for a round that the session does not have, or in which this party only listens
 */
export function slotsOf(start: Start, round: number, sender: number): readonly Slot[] {
  const { message } = start;
  const { operation, contributors, receivers } = message;
  const all = (type: string): readonly Slot[] => [{ type, recipient: null }];
  const told = (type: string, to: readonly number[]): readonly Slot[] =>
    to.filter((number) => number !== sender).map((recipient) => ({ type, recipient }));
  if (operation === 'sign') {
    const types = takesOneRound(start) ? ['signature-share'] : ['nonces', 'signature-share'];
    const type = types[round - 1];
    return type === undefined ? [] : all(type);
  }
  const helped = operation === 'repair' || operation === 'enrol';
  const contributes = contributors.includes(sender);
  switch (round) {
    case 1:
      if (!contributes) return [];
      return [...all(firstBroadcast(operation)), ...(helped ? told('summand', contributors) : [])];
    case 2:
      return [
        ...(!contributes ? [] : helped ? told('sum', [targetOf(start)]) : told('part', receivers)),
        ...all('echo'),
      ];
    case 3:
      return receivers.includes(sender) ? all(CONFIRM) : [];
    case 4:
      return all('acknowledge');
    default:
      return [];
  }
}

/** Whether signers say all that they have to say at once: by pairings, or with prepared nonces. */
function takesOneRound({ suite, prepared }: Start): boolean {
  return suite.scheme === 'pairing' || prepared !== undefined;
}
