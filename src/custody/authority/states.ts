/**
 * The life of a key: which state may follow which, and what a key may still do in each.
 * @see NIST SP 800-57 part 1 rev. 5 §7
 */
import type { Purpose } from '#crypto/descriptor';
import { RefusedError } from '#formats/errors';
import type { Environment, KeyRecord, KeyState } from './record.js';

/** SP 800-57 §7.2 to §7.6. Nothing leaves `destroyed`; `compromised` ends in destruction only. */
const transitions: Readonly<Record<KeyState, readonly KeyState[]>> = {
  'pre-activation': ['active', 'destroyed', 'compromised'],
  active: ['suspended', 'deactivated', 'compromised', 'destroyed'],
  suspended: ['active', 'deactivated', 'compromised', 'destroyed'],
  deactivated: ['compromised', 'destroyed'],
  compromised: ['destroyed'],
  destroyed: [],
};

/** What is asked of a key: the purposes that apply protection, and those that process what was protected earlier. */
export type KeyOperation = Purpose | 'verify' | 'decrypt' | 'decapsulate' | 'verify-mac';

/** The purpose that a record must name for an operation, and whether it processes what was protected earlier. */
const operations: Readonly<
  Record<KeyOperation, { readonly purpose: Purpose; readonly processes?: 'public' | 'private' }>
> = {
  sign: { purpose: 'sign' },
  verify: { purpose: 'sign', processes: 'public' },
  encrypt: { purpose: 'encrypt' },
  decrypt: { purpose: 'encrypt', processes: 'private' },
  encapsulate: { purpose: 'encapsulate' },
  decapsulate: { purpose: 'encapsulate', processes: 'private' },
  agree: { purpose: 'agree' },
  mac: { purpose: 'mac' },
  'verify-mac': { purpose: 'mac', processes: 'private' },
};

/** Why and when a record changes. */
export interface Change {
  /** UTC time to the second. */
  readonly time: string;
  /** In the operator's words. */
  readonly reason?: string | undefined;
}

/** The states that may follow. */
export function nextStates(state: KeyState): readonly KeyState[] {
  return transitions[state];
}

/**
 * The record in another state, with the event in its history. A destruction date ends with the state that it was set in.
 * @throws {@link RefusedError} `E_STATE_FORBIDDEN` when SP 800-57 knows no such transition
 */
export function changeState(record: KeyRecord, to: KeyState, change: Change): KeyRecord {
  const allowed = transitions[record.state];
  if (!allowed.includes(to)) {
    throw new RefusedError({
      code: 'E_STATE_FORBIDDEN',
      message: `${label(record)} is ${record.state} and cannot become ${to}`,
      hint:
        allowed.length === 0
          ? 'a destroyed key stays destroyed: generate a new one'
          : `from ${record.state} a key can become ${allowed.join(', ')}`,
      details: { keyId: record.id, state: record.state, wanted: to, allowed },
    });
  }
  return {
    ...addHistory(record, to, { ...change, state: to }),
    state: to,
    destroyAfter: null,
  };
}

/** The record with one more event of its life. */
export function addHistory(
  record: KeyRecord,
  event: string,
  change: Change & { readonly state?: KeyState },
): KeyRecord {
  const { time, reason, state } = change;
  return {
    ...record,
    history: [
      ...record.history,
      {
        event,
        time,
        ...(state === undefined ? {} : { state }),
        ...(reason === undefined ? {} : { reason }),
      },
    ],
  };
}

/**
 * Asserts that a key may do something now: purpose, state and, when `allowedEnvironments` is given, environment.
 *
 * | state | sign, encrypt … | verify | decrypt … |
 * | --- | --- | --- | --- |
 * | pre-activation | no | no | no |
 * | active | yes | yes | yes |
 * | suspended | no | yes, told | no |
 * | deactivated | no | yes, told | yes, told |
 * | compromised | no | no | no |
 * | destroyed | no | yes, told | no |
 *
 * What a compromised key protected counts only where it is provably older than the compromise, which nothing here can prove.
 * @param allowedEnvironments - environments besides production that are fine; leave out where the mark does not matter
 * @returns what people must be told although it is allowed, one clause each
 * @throws {@link RefusedError} `E_KEY_PURPOSE`, `E_KEY_STATE`, `E_KEY_ENVIRONMENT`
 */
export function assertUsable(
  record: KeyRecord,
  operation: KeyOperation,
  allowedEnvironments?: ReadonlySet<Environment>,
): readonly string[] {
  const { purpose, processes } = operations[operation];
  if (!record.purposes.includes(purpose)) {
    throw new RefusedError({
      code: 'E_KEY_PURPOSE',
      message: `${label(record)} is not for ${operation}: its purposes are ${record.purposes.join(', ') || 'none'}`,
      hint: 'use a key that was generated for it',
    });
  }
  const { environment } = record;
  if (
    allowedEnvironments !== undefined &&
    environment !== 'production' &&
    !allowedEnvironments.has(environment)
  ) {
    throw new RefusedError({
      code: 'E_KEY_ENVIRONMENT',
      message: `${label(record)} is a ${environment} key`,
      hint: `if that is what you want, say --allow-environment ${environment}`,
    });
  }
  if (record.destroyAfter !== null && processes !== 'public') {
    throw forbidden(record, operation, `its destruction is scheduled for ${record.destroyAfter}`);
  }
  switch (record.state) {
    case 'active':
      return [];
    case 'suspended':
      if (processes === 'public') return [`${label(record)} is suspended`];
      throw forbidden(record, operation, 'it is suspended');
    case 'deactivated':
      if (processes !== undefined) return [`${label(record)} is deactivated`];
      throw forbidden(record, operation, 'it is deactivated: it may only verify or decrypt');
    case 'destroyed':
      if (processes === 'public') return [`${label(record)} was destroyed`];
      throw forbidden(record, operation, 'it was destroyed');
    case 'compromised':
      throw forbidden(
        record,
        operation,
        'it is compromised, and nothing proves that this is older than the compromise',
      );
    case 'pre-activation':
      throw forbidden(record, operation, 'it is not active yet');
    default:
      return record.state satisfies never;
  }
}

function forbidden(record: KeyRecord, operation: KeyOperation, why: string): RefusedError {
  return new RefusedError({
    code: 'E_KEY_STATE',
    message: `${label(record)} cannot ${operation}: ${why}`,
    details: { keyId: record.id, state: record.state },
  });
}

/** How messages name a key. */
function label(record: KeyRecord): string {
  return record.name === null ? `key ${record.id.slice(0, 16)}` : `key ${record.name}`;
}
