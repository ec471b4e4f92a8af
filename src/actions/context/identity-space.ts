/**
 * Identities that a run can reach: those of the home by name or id, and any identity file by path. The private file carries the
 * public side as its record, sealed like a private key; the public file beside it is for everybody.
 * @see docs/spec/key-file.md
 */
import { join } from 'node:path';
import { decodeKeyFile, IDENTITY_LABEL, sealKeyFile } from '#carriage/stores/key-file';
import type { Home } from '#carriage/stores/home';
import {
  type DurableFiles,
  type OpenStore,
  type Store,
  type StorePlace,
  storeUnavailable,
} from '#carriage/stores/store';
import type { RandomSource } from '#crypto/descriptor';
import {
  decodeIdentity,
  encodeIdentity,
  type Identity,
  openIdentity,
} from '#custody/authority/identity';
import { InputError, MissingInputError, OutputError, RefusedError } from '#formats/errors';
import { utf8 } from '#formats/bytes';
import { type Cbor, decodeCbor, encodeCbor } from '#formats/cbor';
import { decodePem, encodePem, looksLikePem } from '#formats/pem';
import { SecretBytes } from '#formats/secret-bytes';
import type { Asker, FileSpace, IdentitySpace } from './context.js';
import { fileStem, markText } from './marks.js';
import { MAX_PRIVATE_BYTES } from './private-forms.js';
import { parseReference, pick } from './references.js';
import { unseal } from './unseal.js';

/** PEM label of an identity kept without a passphrase: deterministic CBOR [1, public file, seeds]. */
export const SEEDS_LABEL = 'CONCLAVE IDENTITY SEEDS';

const SEEDS_LENGTH = 96;
const PUBLIC_SUFFIX = '.pub';
const PRIVATE_SUFFIX = '.key';

/** What stands behind an identity space. */
export interface IdentitySpaceOptions {
  /** The stores besides the home, where there are any. */
  readonly openStore?: OpenStore | undefined;
  readonly home: Home;
  readonly disk: DurableFiles;
  readonly files: FileSpace;
  /** New passphrases. */
  readonly ask: Asker;
  /** Passphrases that open identities: `--identity-passphrase-file`. */
  readonly askIdentity: Asker;
  /** What `--identity` named. */
  readonly chosen: string | undefined;
  readonly random: RandomSource;
  readonly scryptLogN: number;
}

/** Identities of a home and of the file system. */
export function createIdentitySpace(options: IdentitySpaceOptions): IdentitySpace {
  const { home, disk, files } = options;

  const stored = (): { identity: Identity; path: string }[] => {
    if (!home.exists()) return [];
    return disk
      .list(home.identities)
      .filter((name) => name.endsWith(PUBLIC_SUFFIX))
      .map((name) => {
        const path = join(home.identities, name);
        return { identity: decodeIdentity(disk.read(path, MAX_PRIVATE_BYTES), path), path };
      });
  };

  const locate = (reference: string): { readonly identity: Identity; readonly path: string } => {
    const parsed = parseReference(reference);
    if (parsed.kind === 'path') {
      return { identity: readPublicSide(files, parsed.path), path: parsed.path };
    }
    if (parsed.kind === 'token') throw notInToken(reference);
    if (parsed.store.kind !== 'file') throw storeUnavailable(parsed.store.kind);
    const entries = stored().map((each) => ({
      ...each,
      id: each.identity.id,
      name: each.identity.name,
    }));
    const found = pick(entries, parsed.name, 'identity');
    if (found !== undefined) return found;
    throw new MissingInputError({
      code: 'E_IDENTITY_NOT_FOUND',
      message: `there is no identity ${reference}`,
      hint: 'see conclave identity list; a path has a / or a . in it',
    });
  };

  const keychain = async (where: StorePlace & { readonly kind: 'keychain' }): Promise<Store> => {
    if (options.openStore === undefined) throw storeUnavailable(where.kind);
    return await options.openStore({ ...where, holds: 'identities' });
  };

  /** What a reference to the keychain names; `undefined` for every other reference. */
  const locateInKeychain = async (
    reference: string,
  ): Promise<{ readonly identity: Identity; readonly store: Store } | undefined> => {
    const parsed = parseReference(reference);
    if (parsed.kind !== 'name' || parsed.store.kind !== 'keychain') return undefined;
    const store = await keychain(parsed.store);
    const { entries, problems } = await store.list();
    const entry = pick(entries, parsed.name, 'identity');
    if (entry !== undefined) {
      return { identity: decodeIdentity(entry.record, entry.location), store };
    }
    if (problems[0] !== undefined) throw problems[0];
    throw new MissingInputError({
      code: 'E_IDENTITY_NOT_FOUND',
      message: `there is no identity ${reference}`,
      hint: 'conclave identity new --store keychain puts one there',
    });
  };

  return {
    find: async (reference) => ((await locateInKeychain(reference)) ?? locate(reference)).identity,

    open: async (reference = options.chosen) => {
      if (reference === undefined) return undefined;
      const kept = await locateInKeychain(reference);
      if (kept !== undefined) {
        const { identity, store } = kept;
        const material = await store.material(identity.id);
        if (material === undefined) throw unreadable(reference);
        const seeds = await readSeeds(material.bytes, identity, reference, options.askIdentity);
        return await openIdentity(identity, seeds);
      }
      const { identity, path } = locate(reference);
      const privatePath = privatePathOf(path, files);
      if (privatePath === undefined) {
        throw new MissingInputError({
          code: 'E_IDENTITY_PRIVATE_MISSING',
          message: `the private side of ${reference} is not beside ${path}`,
          hint: 'name the private file of the identity',
        });
      }
      const bytes = files.read(privatePath, MAX_PRIVATE_BYTES);
      const seeds = await readSeeds(bytes, identity, privatePath, options.askIdentity);
      return await openIdentity(identity, seeds);
    },

    add: async ({ identity, seeds }, { out, plaintext, store: place }) => {
      if (out !== undefined) files.assertAbsent([out]);
      const passphrase =
        plaintext === true
          ? undefined
          : await options.ask.newPassphrase({ seals: `the identity ${identity.name}` });
      const record = encodeIdentity(identity);
      const mark = markText(identity.environment);
      const bytes =
        passphrase === undefined
          ? seeds.use((raw) => utf8(encodePem(SEEDS_LABEL, encodeCbor([1, record, raw]), mark)))
          : sealKeyFile({
              label: IDENTITY_LABEL,
              record,
              secret: seeds,
              passphrase,
              mark,
              logN: options.scryptLogN,
              random: options.random,
            });
      passphrase?.dispose();
      try {
        if (out !== undefined) {
          files.write(out, bytes, { secret: true });
          return out;
        }
        if (place?.kind === 'pkcs11') throw notInToken('a token');
        if (place?.kind === 'keychain') {
          return await (
            await keychain(place)
          ).put({
            id: identity.id,
            name: identity.name,
            mark: identity.environment === 'production' ? '' : identity.environment,
            record,
            material: { form: passphrase === undefined ? 'plain' : 'sealed', bytes },
          });
        }
        return home.change(() => {
          assertNameFree(identity, stored());
          const stem = join(home.identities, fileStem(identity));
          disk.write(`${stem}${PRIVATE_SUFFIX}`, bytes, { secret: true, overwrite: true });
          disk.write(`${stem}${PUBLIC_SUFFIX}`, record);
          return `${stem}${PRIVATE_SUFFIX}`;
        });
      } finally {
        bytes.fill(0);
      }
    },

    list: () =>
      new Promise((resolve) => {
        resolve(stored().map(({ identity }) => identity));
      }),
  };
}

function readPublicSide(files: FileSpace, path: string): Identity {
  const bytes = files.read(path, MAX_PRIVATE_BYTES);
  try {
    return publicSideOf(bytes, path);
  } finally {
    bytes.fill(0);
  }
}

/**
 * The public side in a public file or in a private one; nothing is opened.
 * @param bytes - borrowed
 * @throws {@link InputError} `E_IDENTITY_UNREADABLE` and those of the form's own reader
 */
export function publicSideOf(bytes: Uint8Array, path: string): Identity {
  if (looksLikePem(bytes, SEEDS_LABEL)) {
    const { record, seeds } = decodeSeeds(bytes, path);
    seeds.fill(0);
    return decodeIdentity(record, `${path}: record`);
  }
  const isSealed = looksLikePem(bytes, IDENTITY_LABEL);
  return decodeIdentity(isSealed ? decodeKeyFile(bytes, path).record : bytes, path);
}

/** Takes the seeds out of a private file and wipes its bytes. */
async function readSeeds(
  bytes: Uint8Array,
  identity: Identity,
  path: string,
  ask: Asker,
): Promise<SecretBytes> {
  try {
    if (looksLikePem(bytes, SEEDS_LABEL)) {
      return SecretBytes.adopt(decodeSeeds(bytes, path).seeds, `private keys of ${identity.name}`);
    }
    if (!looksLikePem(bytes, IDENTITY_LABEL)) throw unreadable(path);
    const file = decodeKeyFile(bytes, path);
    const { secret, passphrase } = await unseal(file, `the identity ${identity.name}`, ask);
    passphrase.dispose();
    return secret;
  } finally {
    bytes.fill(0);
  }
}

/** An identity kept without a passphrase; the seeds are the caller's to wipe. */
function decodeSeeds(
  bytes: Uint8Array,
  path: string,
): { readonly record: Uint8Array; readonly seeds: Uint8Array } {
  const { label, bytes: body } = decodePem(bytes, path);
  try {
    const value = decodeCbor(body, path, { maxDepth: 1 });
    if (label !== SEEDS_LABEL || !Array.isArray(value)) throw unreadable(path);
    const [version, record, seeds, ...rest] = value as readonly Cbor[];
    if (
      version !== 1 ||
      !(record instanceof Uint8Array) ||
      !(seeds instanceof Uint8Array) ||
      seeds.length !== SEEDS_LENGTH ||
      rest.length > 0
    ) {
      throw unreadable(path);
    }
    return { record, seeds };
  } finally {
    body.fill(0);
  }
}

/** Where the private side of an identity lies: `ada.key` for `ada.pub` and for `ada.key.pub`. */
function privatePathOf(path: string, files: FileSpace): string | undefined {
  if (!path.endsWith(PUBLIC_SUFFIX)) return path;
  const stem = path.slice(0, -PUBLIC_SUFFIX.length);
  return [`${stem}${PRIVATE_SUFFIX}`, stem].find((candidate) => files.exists(candidate));
}

function assertNameFree(
  identity: Identity,
  present: readonly { readonly identity: Identity }[],
): void {
  const taken = present.find(({ identity: other }) => other.name === identity.name);
  if (taken === undefined) return;
  throw new OutputError({
    code: 'E_IDENTITY_NAME_TAKEN',
    message: `there is an identity named ${identity.name} already`,
    hint: 'choose another name, or another place with --out',
  });
}

/** An identity also signs with ML-DSA and opens with X-Wing, which PKCS#11 does not know; half an identity is none. */
function notInToken(reference: string): RefusedError {
  return new RefusedError({
    code: 'E_IDENTITY_PLACE',
    message: `${reference} cannot be an identity: no token knows all three of its keys`,
    hint: 'identities rest in files; keep the file on a medium of its own',
  });
}

function unreadable(path: string): InputError {
  return new InputError({
    code: 'E_IDENTITY_UNREADABLE',
    message: `${path} is not the private side of an identity`,
    hint: 'name the private file that conclave identity new wrote',
  });
}
