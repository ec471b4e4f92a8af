/** Small secrets in the desktop's keychain by name: passphrases above all, which `--passphrase-file keychain:NAME` reads. */
import { equalConstantTime, fromBase64Url, toBase64Url, utf8 } from '#formats/bytes';
import { InputError, MissingInputError, OutputError } from '#formats/errors';
import { SecretBytes } from '#formats/secret-bytes';
import { type Backend, loadBackends, notKept } from './backend.js';

/** Service of secrets. */
export const SECRET_SERVICE = 'conclave-secret';

/** Longest secret: a passphrase, a key-encryption key; no file. */
export const MAX_SECRET_BYTES = 4096;

/** A secret as it is listed. */
export interface ListedSecret {
  readonly name: string;
  /** `keychain:keytar/backup`. */
  readonly location: string;
}

/** Secrets by name. */
export interface KeychainSecrets {
  /**
   * @param secret - borrowed
   * @returns its location
   * @throws OutputError `E_SECRET_EXISTS` unless `replace`, `E_KEYCHAIN_NOT_KEPT`
   */
  set(name: string, secret: SecretBytes, replace: boolean): Promise<string>;
  /** Owned by the caller. @throws MissingInputError `E_SECRET_NOT_FOUND` */
  get(name: string): Promise<SecretBytes>;
  list(): Promise<readonly ListedSecret[]>;
  /** @returns its location. @throws MissingInputError `E_SECRET_NOT_FOUND` */
  remove(name: string): Promise<string>;
}

/** The keychain's secrets, by the modules that are here. @throws UnavailableError `E_KEYCHAIN_MODULE` */
export async function openSecrets(): Promise<KeychainSecrets> {
  return createSecrets(await loadBackends());
}

/** Secrets in these backends; new ones go to the first. */
export function createSecrets(backends: readonly Backend[]): KeychainSecrets {
  const [first] = backends as readonly [Backend];
  const find = async (
    name: string,
  ): Promise<{ readonly backend: Backend; readonly value: string } | undefined> => {
    for (const backend of backends) {
      const value = await backend.get(SECRET_SERVICE, name);
      if (value !== undefined) return { backend, value };
    }
    return undefined;
  };
  const found = async (
    name: string,
  ): Promise<{ readonly backend: Backend; readonly value: string }> => {
    const it = await find(name);
    if (it !== undefined) return it;
    throw new MissingInputError({
      code: 'E_SECRET_NOT_FOUND',
      message: `the keychain holds no secret named ${name}`,
      hint: 'see conclave keychain list',
    });
  };
  return {
    set: async (name, secret, replace) => {
      const there = await find(name);
      if (there !== undefined && !replace) {
        throw new OutputError({
          code: 'E_SECRET_EXISTS',
          message: `the keychain holds a secret named ${name} already`,
          hint: 'choose another name, or say --replace',
        });
      }
      const backend = there?.backend ?? first;
      const value = secret.use(toBase64Url);
      await backend.set(SECRET_SERVICE, name, value);
      const back = (await backend.get(SECRET_SERVICE, name)) ?? '';
      if (equalConstantTime(utf8(back), utf8(value))) return locationOf(backend, name);
      await backend.remove(SECRET_SERVICE, name);
      throw notKept(backend.name);
    },
    get: async (name) => {
      const { value } = await found(name);
      const what = `keychain secret ${name}`;
      if (value.length > 2 * MAX_SECRET_BYTES) {
        throw new InputError({ code: 'E_KEYCHAIN_ITEM', message: `${what} is too long` });
      }
      return SecretBytes.adopt(fromBase64Url(value, what), what);
    },
    list: async () => {
      const lists = await Promise.all(
        backends.map(async (backend) =>
          (await backend.find(SECRET_SERVICE)).map(({ account }) => ({
            name: account,
            location: locationOf(backend, account),
          })),
        ),
      );
      return lists.flat().sort((a, b) => (a.name < b.name ? -1 : 1));
    },
    remove: async (name) => {
      const { backend } = await found(name);
      await backend.remove(SECRET_SERVICE, name);
      return locationOf(backend, name);
    },
  };
}

function locationOf({ name: backend }: Backend, name: string): string {
  return `keychain:${backend}/${name}`;
}
