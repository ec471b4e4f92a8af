/** What may open a container: the key that was named, the identity that was named, or whatever of this home it is sealed to. */
import type { Openers, OpeningKey } from '#carriage/wrapping/format';
import { keyId } from '#crypto/key-id';
import { resolve } from '#crypto/registry';
import { components, SEED_BYTES } from '#custody/audit/component-keys';
import type { OpenIdentity } from '#custody/authority/identity';
import { assertUsable } from '#custody/authority/states';
import { RefusedError } from '#formats/errors';
import { SecretBytes } from '#formats/secret-bytes';
import type { ActionContext, OpenKey } from '../context/context.js';
import { MAX_PRIVATE_BYTES, publicKeyOf } from '../context/private-forms.js';
import { isPath } from '../context/references.js';
import { assertNotRevoked } from '../handover/revoked.js';
import { keyDigest } from './key-digest.js';

/** Openers of one run; disposing wipes every key that was opened. */
export type OpenersOfRun = Openers & Disposable;

/**
 * @param key - KEY, when one was named
 * @param name - how errors name what is opened
 */
export function openersOf(
  key: string | undefined,
  name: string,
  context: ActionContext,
): OpenersOfRun {
  const opened: Disposable[] = [];
  const keep = (it: OpeningKey & Disposable): OpeningKey => {
    opened.push(it);
    return it;
  };

  const find = async (ids: readonly string[]): Promise<readonly OpeningKey[]> => {
    const named = await context.identities.open();
    if (named !== undefined) {
      const one = await ofIdentity(named);
      return [keep(one)];
    }
    const fits = (id: string): boolean => ids.includes(id);
    for (const { record } of await context.keys.list()) {
      if (fits(record.id) && record.state !== 'destroyed') {
        return [keep(ofKey(await context.keys.open(record.id), context))];
      }
    }
    for (const { id, xWing } of await context.identities.list()) {
      if (!fits(keyId(components.xWing, xWing))) continue;
      const identity = await context.identities.open(id);
      if (identity !== undefined) return [keep(await ofIdentity(identity))];
    }
    const sealedTo = ids.map((id) => id.slice(0, 16)).join(', ');
    throw new RefusedError({
      code: 'E_WRAPPED_SEALED',
      message:
        sealedTo === ''
          ? `${name} is sealed, and no key was named`
          : `${name} is sealed to key ${sealedTo}, which is not here`,
      hint: 'name the key by --key, or the identity by --identity',
    });
  };

  const named = async (reference: string): Promise<readonly OpeningKey[]> => {
    const identities = await ageIdentities(reference, context);
    if (identities !== undefined) return identities.map(keep);
    return [keep(ofKey(await context.keys.open(reference), context))];
  };

  return {
    keys: async (ids) => (key === undefined ? await find(ids) : await named(key)),
    passphrase: async (attempt) => await context.ask.passphrase({ opens: name, attempt }),
    [Symbol.dispose]: () => {
      for (const it of opened) it[Symbol.dispose]();
    },
  };
}

/** Identities of age in a file that `--key` names; `undefined` when it is no such file. */
async function ageIdentities(
  reference: string,
  { files }: ActionContext,
): Promise<readonly (OpeningKey & Disposable)[] | undefined> {
  const path = reference.replace(/^file:/, '');
  if (path === '-' || !isPath(path) || !files.exists(path)) return undefined;
  const { looksLikeIdentities, MAX_KEYS_BYTES, readIdentities } =
    await import('#carriage/wrapping/age-keys');
  const bytes = files.read(path, MAX_PRIVATE_BYTES);
  try {
    if (bytes.length > MAX_KEYS_BYTES || !looksLikeIdentities(bytes)) return undefined;
    const keys: (OpeningKey & Disposable)[] = [];
    for (const { descriptor, secret } of readIdentities(bytes, path)) {
      const publicKey = await publicKeyOf(descriptor, secret);
      keys.push({
        descriptor,
        secret,
        publicKey,
        id: keyId(descriptor, publicKey),
        [Symbol.dispose]: () => {
          secret.dispose();
        },
      });
    }
    return keys;
  } finally {
    bytes.fill(0);
  }
}

function ofKey(key: OpenKey, context: ActionContext): OpeningKey & Disposable {
  const { descriptor, secret, publicKey, record } = key;
  try {
    if (descriptor.purposes.includes('encapsulate')) assertUsable(record, 'decapsulate');
    if (descriptor.kind !== 'symmetric') {
      assertNotRevoked([keyDigest(descriptor, publicKey)], context);
    }
  } catch (error) {
    key[Symbol.dispose]();
    throw error;
  }
  return {
    descriptor,
    secret,
    publicKey,
    id: record.id,
    [Symbol.dispose]: () => {
      key[Symbol.dispose]();
    },
  };
}

async function ofIdentity(identity: OpenIdentity): Promise<OpeningKey & Disposable> {
  try {
    const seed = identity.seeds.use((seeds) => seeds.slice(2 * SEED_BYTES, 3 * SEED_BYTES));
    const secret = SecretBytes.adopt(seed, 'sealing key of an identity');
    const publicKey = identity.identity.xWing;
    return {
      descriptor: await resolve(components.xWing.name),
      secret,
      publicKey,
      id: keyId(components.xWing, publicKey),
      [Symbol.dispose]: () => {
        secret.dispose();
      },
    };
  } finally {
    identity[Symbol.dispose]();
  }
}
