/** Puts together what an action may touch, over a host, a home and people. */
import type { Home } from '#carriage/stores/home';
import type { NewCryptoki } from '#carriage/stores/pkcs11/cryptoki';
import {
  type DurableFiles,
  type OpenStore,
  type Store,
  type StorePlace,
  storeUnavailable,
} from '#carriage/stores/store';
import type { Environment } from '#custody/authority/record';
import type {
  ActionContext,
  AirGapProbe,
  Asker,
  AuditEvent,
  FileSpace,
  IdentitySpace,
  Waiver,
} from './context.js';
import { createShelf } from './attestation-shelf.js';
import { createHeldFolders } from './held-folders.js';
import { createHomeLog, homeTrail } from './home-log.js';
import type { IdentitySpaceOptions } from './identity-space.js';
import { createKeySpace } from './key-space.js';
import { homeOnce } from './once.js';
import type { TokenKeys } from './token-keys.js';
import type { TokenSpace } from './token-space.js';

/** The parts of a machine that a context needs; the host fits. */
export interface Machine {
  readonly files: DurableFiles;
  now(): Date;
  random(length: number): Uint8Array;
  airGap(): readonly AirGapProbe[];
}

/** What a context is made of. */
export interface ContextParts {
  readonly host: Machine;
  readonly home: Home;
  readonly store: Store;
  /** Stores besides the files. */
  readonly openStore?: OpenStore | undefined;
  readonly files: FileSpace;
  readonly ask: Asker;
  /** Passphrases of identities; `ask` when not given. */
  readonly askIdentity?: Asker | undefined;
  /** What `--identity` named. */
  readonly identity?: string | undefined;
  readonly environment: Environment;
  readonly waivers: ReadonlySet<Waiver>;
  readonly allowedEnvironments: ReadonlySet<Environment>;
  readonly progress: (message: string) => void;
  readonly version: string;
  /** What `--module` and `--pin-file` said for the whole command. */
  readonly token?: { readonly module?: string | undefined; readonly pinFile?: string | undefined };
  /** What names of tokens stand for, in a ceremony. */
  readonly boundToken?: ActionContext['boundToken'];
  /** What tests put in the place of pkcs11js. */
  readonly newCryptoki?: NewCryptoki | undefined;
  /** Where events go instead of the home's own log. */
  readonly record?: ((event: AuditEvent) => void) | undefined;
  /** What `--attestation` named. */
  readonly attestation?: string | undefined;
  /** Instead of the operating system's generator alone. */
  readonly random?: ((length: number) => Uint8Array) | undefined;
  /** 17 when not given; tests lower it. */
  readonly scryptLogN?: number | undefined;
}

const SCRYPT_LOG_N = 17;

/** A context over the given parts; building it touches nothing. */
export function buildContext(parts: ContextParts): ActionContext {
  const { host, home, store, files, ask } = parts;
  const disk = host.files;
  const now = (): Date => host.now();
  const random = parts.random ?? ((length: number) => host.random(length));
  const scryptLogN = parts.scryptLogN ?? SCRYPT_LOG_N;
  const tokens = lazyTokens(parts, now, random);
  const openStore: OpenStore = async (place) =>
    place.kind === 'pkcs11' ? await tokens.store(place.token) : await elsewhere(place, parts);
  const tokenKeys = { known: () => disk.isDirectory(home.tokens), load: tokens.keys };
  return {
    now,
    random,
    tokens: tokens.space,
    tokenKeys: tokens.keys,
    boundToken: parts.boundToken,
    keys: createKeySpace({
      store,
      openStore,
      tokenKeys,
      disk,
      files,
      ask,
      now,
      random,
      scryptLogN,
    }),
    identities: lazyIdentities({
      openStore,
      home,
      disk,
      files,
      ask,
      askIdentity: parts.askIdentity ?? ask,
      chosen: parts.identity,
      random,
      scryptLogN,
    }),
    files,
    ask,
    environment: parts.environment,
    waivers: parts.waivers,
    allowedEnvironments: parts.allowedEnvironments,
    airGap: () => host.airGap(),
    record: parts.record ?? createHomeLog(disk, home, now),
    folders: createHeldFolders(disk),
    once: homeOnce(disk, home),
    people: homeOnce(disk, home, 'people'),
    audit: homeTrail(disk, home),
    // Whoever keeps events elsewhere, keeps what attests them there too.
    attestations:
      parts.record === undefined
        ? createShelf({ disk, home, now, copy: parts.attestation, identity: parts.identity })
        : undefined,
    progress: parts.progress,
    version: parts.version,
    scryptLogN,
  };
}

async function elsewhere(place: StorePlace, { openStore }: ContextParts): Promise<Store> {
  if (openStore === undefined) throw storeUnavailable(place.kind);
  return await openStore(place);
}

/** Most commands reach no token, and the code behind them takes time to load. */
function lazyTokens(
  parts: ContextParts,
  now: () => Date,
  random: (length: number) => Uint8Array,
): {
  readonly space: () => Promise<TokenSpace>;
  readonly keys: () => Promise<TokenKeys>;
  readonly store: (token: string) => Promise<Store>;
} {
  const { host, home, files, ask, progress, newCryptoki } = parts;
  const disk = host.files;
  const space = async (): Promise<TokenSpace> => {
    const { createTokenSpace } = await import('./token-space.js');
    return createTokenSpace({
      home,
      disk,
      files,
      ask,
      random,
      progress,
      newCryptoki,
      ...parts.token,
    });
  };
  return {
    space,
    keys: async () => {
      const [{ createTokenKeys }, { createTokenKeyShelf }] = await Promise.all([
        import('./token-keys.js'),
        import('./token-key-shelf.js'),
      ]);
      const shelf = createTokenKeyShelf(disk, home);
      return createTokenKeys({ tokens: await space(), shelf, now, random });
    },
    store: async (token) => {
      const { tokenStore } = await import('./token-store.js');
      return await tokenStore(await space(), token);
    },
  };
}

/** Most commands name no identity, and the code behind them takes time to load. */
function lazyIdentities(options: IdentitySpaceOptions): IdentitySpace {
  const space = async (): Promise<IdentitySpace> =>
    (await import('./identity-space.js')).createIdentitySpace(options);
  return {
    find: async (reference) => await (await space()).find(reference),
    open: async (reference) => await (await space()).open(reference),
    add: async (identity, placement) => await (await space()).add(identity, placement),
    list: async () => await (await space()).list(),
  };
}
