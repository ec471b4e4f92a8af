/**
 * Whether a keychain takes anything at all. Of a locked keychain, or of none, the modules say what they say of an empty one; one
 * that takes an item is neither. On a desktop, asking brings up the question to unlock it.
 */

const PROBE = { service: 'conclave-probe', account: 'probe' } as const;

/** The two calls that it takes. */
export interface Probed {
  set(service: string, account: string, value: string): Promise<unknown>;
  remove(service: string, account: string): Promise<unknown>;
}

/** @throws what the module says when it takes nothing */
export async function assertTakes({ set, remove }: Probed): Promise<void> {
  await set(PROBE.service, PROBE.account, 'unlocked');
  await remove(PROBE.service, PROBE.account);
}
