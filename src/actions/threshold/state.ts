/**
 * What a party keeps of a session between two commands: sealed under a key that only its identity opens, replaced as a whole,
 * shredded at the end.
 * @see docs/spec/threshold.md, "Session folder"
 */
import { openHpke, sealHpke } from '#carriage/wrapping/hpke';
import { aesGcmOpen, aesGcmSeal, NONCE_LENGTH } from '#crypto/aead';
import { components } from '#custody/audit/component-keys';
import type { OpenIdentity } from '#custody/authority/identity';
import { concat, utf8 } from '#formats/bytes';
import { type Cbor, decodeCbor, encodeCbor } from '#formats/cbor';
import { InputError, MissingInputError, OutputError, RefusedError } from '#formats/errors';
import { SecretBytes } from '#formats/secret-bytes';
import { resolve } from '#crypto/registry';
import type { ActionContext, HeldFolder } from '../context/context.js';

const KEY_FILE = 'key';
const STATE_FILE = 'state';
const INFO = utf8('conclave-threshold-session-v1');
const AAD = utf8('conclave-threshold-state-v1');
const X_WING_AT = 64;
const SEED = 32;
const MAX_STATE_BYTES = 16 * 1024 * 1024;

/** The contents. Secrets are owned by the session that holds the state. */
export interface SessionState {
  /** The start message's file. */
  readonly start: Uint8Array;
  readonly self: number;
  /** Session seeds: Ed25519, x-wing, and that of all coins. */
  readonly signing: SecretBytes;
  readonly opening: SecretBytes;
  readonly seed: SecretBytes;
  /** x_i ‖ r_i under the start message's group. */
  readonly share: SecretBytes | undefined;
  /** Reference of the key in the store, where the party holds a share. */
  readonly key: string | undefined;
  /** Certificates by party number, as they arrived. */
  readonly certificates: ReadonlyMap<number, Uint8Array>;
  /** Round messages, as they arrived, each authenticated and new when it was kept. */
  readonly messages: readonly Uint8Array[];
  /** Second place that must confirm each use of a nonce, as `openMemory` reads it. */
  readonly memory: string | undefined;
}

/** A session's folder with its state open. Disposing wipes memory and lets go of the folder. */
export class SessionHold implements Disposable {
  #state: SessionState;
  readonly #folder: HeldFolder;
  readonly #key: SecretBytes;
  readonly #random: ActionContext['random'];

  private constructor(
    folder: HeldFolder,
    key: SecretBytes,
    state: SessionState,
    random: ActionContext['random'],
  ) {
    this.#folder = folder;
    this.#key = key;
    this.#state = state;
    this.#random = random;
  }

  /**
   * A new session in a folder that holds none.
   * @param state - its secrets are adopted
   * @throws OutputError `E_SESSION_EXISTS`
   */
  static async create(
    path: string,
    identity: OpenIdentity,
    state: SessionState,
    context: ActionContext,
  ): Promise<SessionHold> {
    let folder: HeldFolder | undefined;
    let key: SecretBytes | undefined;
    try {
      folder = foldersOf(context).hold(path);
      if (folder.read(STATE_FILE) !== undefined) {
        throw new OutputError({
          code: 'E_SESSION_EXISTS',
          message: `there is a session in ${path} already`,
          hint: 'finish it, or name another folder with --session',
        });
      }
      key = SecretBytes.adopt(context.random(SEED), 'session state key');
      // HPKE is asynchronous and a loan is not: the copy lives exactly as long as the call.
      const raw = key.use((bytes) => bytes.slice());
      const { enc, sealed } = await sealHpke({
        descriptor: await resolve(components.xWing.name),
        publicKey: identity.identity.xWing,
        info: INFO,
        aad: new Uint8Array(0),
        plaintext: raw,
        random: context.random,
      }).finally(() => raw.fill(0));
      folder.replace(KEY_FILE, encodeCbor([1, enc, sealed]));
      const hold = new SessionHold(folder, key, state, context.random);
      hold.#write();
      return hold;
    } catch (error) {
      wipe(state);
      key?.dispose();
      folder?.[Symbol.dispose]();
      throw error;
    }
  }

  /**
   * The session in a folder.
   * @throws MissingInputError `E_SESSION_NOT_FOUND`; RefusedError `E_SESSION_NOT_OURS` for another's; TryAgainError `E_LOCKED`
   */
  static async open(
    path: string,
    identity: OpenIdentity,
    context: ActionContext,
  ): Promise<SessionHold> {
    const folders = foldersOf(context);
    if (!folders.exists(path)) throw notFound(path);
    const folder = folders.hold(path);
    try {
      const keyFile = folder.read(KEY_FILE);
      const stateFile = folder.read(STATE_FILE);
      // The first byte of a key is never zero: where it is, somebody had begun to overwrite it.
      if (keyFile === undefined || stateFile === undefined || keyFile[0] === 0) {
        // An end that was interrupted: what is left can be opened by nobody.
        folder.shred(KEY_FILE);
        folder.shred(STATE_FILE);
        throw notFound(path);
      }
      const key = await openKey(keyFile, identity, path);
      try {
        const plain = key.use((bytes) =>
          aesGcmOpen(
            bytes,
            stateFile.slice(0, NONCE_LENGTH),
            stateFile.slice(NONCE_LENGTH),
            AAD,
            `${path}/${STATE_FILE}`,
          ),
        );
        try {
          return new SessionHold(folder, key, decodeState(plain, path), context.random);
        } finally {
          plain.fill(0);
        }
      } catch (error) {
        key.dispose();
        throw error;
      }
    } catch (error) {
      folder[Symbol.dispose]();
      throw error;
    }
  }

  get state(): SessionState {
    return this.#state;
  }

  /** Keeps more certificates or messages, durably. */
  keep(more: Pick<SessionState, 'certificates' | 'messages'>): void {
    this.#state = { ...this.#state, ...more };
    this.#write();
  }

  /** The proof that a party enclosed; public, and whether it is the one is asked of its signed digest. */
  proof(number: number): Uint8Array | undefined {
    return this.#folder.read(proofFile(number));
  }

  /** Keeps a party's proof, durably: it is too long for the state, which is replaced as a whole. */
  keepProof(number: number, bytes: Uint8Array): void {
    this.#folder.replace(proofFile(number), bytes);
  }

  /** Destroys key and state: what was sealed to the session stays closed from now on. */
  end(): void {
    this.#folder.shred(KEY_FILE);
    this.#folder.shred(STATE_FILE);
    for (const number of this.#state.certificates.keys()) this.#folder.shred(proofFile(number));
  }

  [Symbol.dispose](): void {
    wipe(this.#state);
    this.#key.dispose();
    this.#folder[Symbol.dispose]();
  }

  #write(): void {
    const plain = encodeState(this.#state);
    try {
      const nonce = this.#random(NONCE_LENGTH);
      const sealed = this.#key.use((key) => aesGcmSeal(key, nonce, plain, AAD));
      this.#folder.replace(STATE_FILE, concat(nonce, sealed));
    } finally {
      plain.fill(0);
    }
  }
}

function proofFile(number: number): string {
  return `proof-${number}`;
}

function foldersOf(context: ActionContext): NonNullable<ActionContext['folders']> {
  if (context.folders !== undefined) return context.folders;
  throw new RefusedError({
    code: 'E_SESSION_PLACE',
    message: 'there is no place here that could keep a session',
  });
}

async function openKey(
  bytes: Uint8Array,
  { seeds, identity }: OpenIdentity,
  path: string,
): Promise<SecretBytes> {
  const value = decodeCbor(bytes, `${path}/${KEY_FILE}`, { maxBytes: 4096, maxDepth: 1 });
  const [version, enc, sealed] = Array.isArray(value) ? (value as readonly Cbor[]) : [];
  if (version !== 1 || !(enc instanceof Uint8Array) || !(sealed instanceof Uint8Array)) {
    throw malformed(path);
  }
  const secret = seeds.use((all) => all.slice(X_WING_AT, X_WING_AT + SEED));
  try {
    const key = await openHpke({
      descriptor: await resolve(components.xWing.name),
      secret,
      enc,
      info: INFO,
      aad: new Uint8Array(0),
      sealed,
      what: path,
    });
    return SecretBytes.adopt(key, 'session state key');
  } catch (cause) {
    throw new RefusedError({
      code: 'E_SESSION_NOT_OURS',
      message: `the session in ${path} is not ${identity.name}’s`,
      hint: 'name the identity that started it with --identity',
      cause,
    });
  } finally {
    secret.fill(0);
  }
}

function encodeState(state: SessionState): Uint8Array {
  const copies: Uint8Array[] = [];
  const copy = (secret: SecretBytes | undefined): Uint8Array | null => {
    if (secret === undefined) return null;
    const bytes = secret.use((each) => each.slice());
    copies.push(bytes);
    return bytes;
  };
  try {
    return encodeCbor([
      1,
      state.start,
      state.self,
      copy(state.signing),
      copy(state.opening),
      copy(state.seed),
      copy(state.share),
      state.key ?? null,
      [...state.certificates]
        .sort(([a], [b]) => a - b)
        .map(([number, bytes]): Cbor => [number, bytes]),
      state.messages,
      state.memory ?? null,
    ]);
  } finally {
    for (const bytes of copies) bytes.fill(0);
  }
}

function decodeState(bytes: Uint8Array, path: string): SessionState {
  const value = decodeCbor(bytes, path, { maxBytes: MAX_STATE_BYTES, maxDepth: 4 });
  if (!Array.isArray(value) || value.length !== 11 || value[0] !== 1) throw malformed(path);
  const [, start, self, signing, opening, seed, share, key, certificates, messages, memory] =
    value as readonly Cbor[];
  if (
    !(start instanceof Uint8Array) ||
    typeof self !== 'number' ||
    !(signing instanceof Uint8Array) ||
    !(opening instanceof Uint8Array) ||
    !(seed instanceof Uint8Array) ||
    !(share === null || share instanceof Uint8Array) ||
    !(key === null || typeof key === 'string') ||
    !(memory === null || typeof memory === 'string') ||
    !Array.isArray(certificates) ||
    !Array.isArray(messages)
  ) {
    throw malformed(path);
  }
  return {
    start,
    self,
    signing: SecretBytes.adopt(signing, 'session signing key'),
    opening: SecretBytes.adopt(opening, 'session opening key'),
    seed: SecretBytes.adopt(seed, 'session coins'),
    share:
      share instanceof Uint8Array ? SecretBytes.adopt(share, 'share of the group key') : undefined,
    key: key ?? undefined,
    certificates: new Map(
      (certificates as readonly Cbor[]).map((each) => {
        const [number, file] = each as readonly [number, Uint8Array];
        return [number, file];
      }),
    ),
    messages: messages as readonly Uint8Array[],
    memory: memory ?? undefined,
  };
}

function wipe({ signing, opening, seed, share }: SessionState): void {
  for (const secret of [signing, opening, seed, share]) secret?.dispose();
}

function notFound(path: string): MissingInputError {
  return new MissingInputError({
    code: 'E_SESSION_NOT_FOUND',
    message: `there is no session in ${path}`,
    hint: 'start one there, or name its folder; a finished session leaves nothing behind',
  });
}

function malformed(path: string): InputError {
  return new InputError({
    code: 'E_SESSION_MALFORMED',
    message: `the session in ${path} cannot be read`,
    hint: 'its folder is not from this version, or was changed; begin a new session',
  });
}
