/** A token as a store of sealed keys, entered anew for each operation. */
import { createDataStore } from '#carriage/stores/pkcs11/data-store';
import type { Store } from '#carriage/stores/store';
import { tokenOf } from './references.js';
import type { TokenSpace } from './token-space.js';

/**
 * The store on a token.
 * @param typed - a label, or attributes of a URI
 */
export async function tokenStore(tokens: TokenSpace, typed: string): Promise<Store> {
  const uri = tokenOf(typed);
  using open = await tokens.open({ uri }, 'never');
  const { label, serial } = open.description;
  const { named } = open;
  const module = /[/\\]/.test(named) ? { modulePath: named } : { moduleName: named };
  return createDataStore(async () => await tokens.open({ uri }), {
    token: label,
    serial,
    ...module,
  });
}
