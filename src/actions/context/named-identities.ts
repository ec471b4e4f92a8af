/**
 * Identities that were named one by one, beside those of the home: custodians who come together each bring their own, and
 * whoever looks for the one that a share is sealed to finds it among them.
 */
import type { Identity } from '#custody/authority/identity';
import type { IdentitySpace } from './context.js';

/** `space` with the identities behind `references` in its list, to be found and opened by their ids. */
export function withNamedIdentities(
  space: IdentitySpace,
  references: readonly string[],
): IdentitySpace {
  if (references.length === 0) return space;
  const named = async (): Promise<readonly { identity: Identity; reference: string }[]> =>
    await Promise.all(
      references.map(async (reference) => ({ reference, identity: await space.find(reference) })),
    );
  const byId = async (id: string): Promise<string> =>
    (await named()).find(({ identity }) => identity.id === id)?.reference ?? id;
  return {
    add: (identity, placement) => space.add(identity, placement),
    find: async (reference) => await space.find(await byId(reference)),
    open: async (reference) =>
      await space.open(reference === undefined ? undefined : await byId(reference)),
    list: async () => {
      const kept = await space.list();
      const others = (await named()).map(({ identity }) => identity);
      return [...kept, ...others.filter(({ id }) => kept.every((each) => each.id !== id))];
    },
  };
}
