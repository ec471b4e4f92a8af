/**
 * A folder of one party's own: what lies in it is sealed under a key that only its identity opens, replaced as a whole, and
 * shredded at the end. Sessions are kept in such folders, and batches of nonces.
 * @see docs/spec/threshold.md, "Session folder"
 */
import { openHpke, sealHpke } from '#carriage/wrapping/hpke';
import { aesGcmOpen, aesGcmSeal, NONCE_LENGTH } from '#crypto/aead';
import { resolve } from '#crypto/registry';
import { components } from '#custody/audit/component-keys';
import type { OpenIdentity } from '#custody/authority/identity';
import { concat, utf8 } from '#formats/bytes';
import { type Cbor, decodeCbor, encodeCbor } from '#formats/cbor';
import { InputError, MissingInputError, OutputError, RefusedError } from '#formats/errors';
import { SecretBytes } from '#formats/secret-bytes';
import type { ActionContext, HeldFolder } from '../context/context.js';

const KEY_FILE = 'key';
const STATE_FILE = 'state';
const X_WING_AT = 64;
const SEED = 32;

/** What is kept in such a folder, and how it is called. */
export interface Kept {
  /** HPKE's info and the seal's: one kind never opens as the other. */
  readonly info: string;
  readonly aad: string;
  /** `session`, as errors say it. */
  readonly noun: string;
  /** Which option names the folder. */
  readonly option: string;
  /** Why there is none, where there is none. */
  readonly absent: string;
  /** What to do where there is one already. */
  readonly taken: string;
}

/** A folder with its key open. Disposing wipes the key and lets go of the folder. */
export class SealedFolder implements Disposable {
  readonly #folder: HeldFolder;
  readonly #key: SecretBytes;
  readonly #kept: Kept;
  readonly #random: ActionContext['random'];

  private constructor(
    folder: HeldFolder,
    key: SecretBytes,
    kept: Kept,
    random: ActionContext['random'],
  ) {
    this.#folder = folder;
    this.#key = key;
    this.#kept = kept;
    this.#random = random;
  }

  /**
   * A folder that holds nothing yet, with a new key in it.
   * @param before - done when it is sure that the folder is free, and before anything is written into it
   * @throws OutputError `E_SESSION_EXISTS`
   */
  static async create(
    path: string,
    kept: Kept,
    identity: OpenIdentity,
    context: ActionContext,
    before: () => void = () => undefined,
  ): Promise<SealedFolder> {
    let folder: HeldFolder | undefined;
    let key: SecretBytes | undefined;
    try {
      folder = foldersOf(kept, context).hold(path);
      if (folder.read(STATE_FILE) !== undefined) {
        throw new OutputError({
          code: 'E_SESSION_EXISTS',
          message: `there is a ${kept.noun} in ${path} already`,
          hint: `${kept.taken}, or name another folder with ${kept.option}`,
        });
      }
      key = SecretBytes.adopt(context.random(SEED), `${kept.noun} state key`);
      // HPKE is asynchronous and a loan is not: the copy lives exactly as long as the call.
      const raw = key.use((bytes) => bytes.slice());
      const { enc, sealed } = await sealHpke({
        descriptor: await resolve(components.xWing.name),
        publicKey: identity.identity.xWing,
        info: utf8(kept.info),
        aad: new Uint8Array(0),
        plaintext: raw,
        random: context.random,
      }).finally(() => raw.fill(0));
      before();
      folder.replace(KEY_FILE, encodeCbor([1, enc, sealed]));
      return new SealedFolder(folder, key, kept, context.random);
    } catch (error) {
      key?.dispose();
      folder?.[Symbol.dispose]();
      throw error;
    }
  }

  /**
   * A folder that holds something, and what it holds.
   * @param read - makes of the plain bytes what they are; they are wiped behind it
   * @throws MissingInputError `E_SESSION_NOT_FOUND`; RefusedError `E_SESSION_NOT_OURS` for another's; TryAgainError `E_LOCKED`
   */
  static async open<T>(
    path: string,
    kept: Kept,
    identity: OpenIdentity,
    context: ActionContext,
    read: (plain: Uint8Array) => T,
  ): Promise<{ readonly sealed: SealedFolder; readonly value: T }> {
    const folders = foldersOf(kept, context);
    if (!folders.exists(path)) throw notFound(path, kept);
    const folder = folders.hold(path);
    try {
      const keyFile = folder.read(KEY_FILE);
      const stateFile = folder.read(STATE_FILE);
      // The first byte of a key is never zero: where it is, somebody had begun to overwrite it.
      if (keyFile === undefined || stateFile === undefined || keyFile[0] === 0) {
        // An end that was interrupted: what is left can be opened by nobody.
        folder.shred(KEY_FILE);
        folder.shred(STATE_FILE);
        throw notFound(path, kept);
      }
      const key = await openKey(keyFile, identity, path, kept);
      try {
        const plain = key.use((bytes) =>
          aesGcmOpen(
            bytes,
            stateFile.slice(0, NONCE_LENGTH),
            stateFile.slice(NONCE_LENGTH),
            utf8(kept.aad),
            `${path}/${STATE_FILE}`,
          ),
        );
        try {
          const value = read(plain);
          return { sealed: new SealedFolder(folder, key, kept, context.random), value };
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

  /** Replaces what the folder holds, durably. @param plain - wiped */
  write(plain: Uint8Array): void {
    try {
      const nonce = this.#random(NONCE_LENGTH);
      const sealed = this.#key.use((key) => aesGcmSeal(key, nonce, plain, utf8(this.#kept.aad)));
      this.#folder.replace(STATE_FILE, concat(nonce, sealed));
    } finally {
      plain.fill(0);
    }
  }

  /** A public file beside what is sealed. */
  beside(name: string): Uint8Array | undefined {
    return this.#folder.read(name);
  }

  /** Keeps a public file beside what is sealed, durably. */
  putBeside(name: string, bytes: Uint8Array): void {
    this.#folder.replace(name, bytes);
  }

  /** Destroys key and state. @param more - names of files beside them */
  end(more: readonly string[] = []): void {
    for (const name of [KEY_FILE, STATE_FILE, ...more]) this.#folder.shred(name);
  }

  [Symbol.dispose](): void {
    this.#key.dispose();
    this.#folder[Symbol.dispose]();
  }
}

function foldersOf({ noun }: Kept, context: ActionContext): NonNullable<ActionContext['folders']> {
  if (context.folders !== undefined) return context.folders;
  throw new RefusedError({
    code: 'E_SESSION_PLACE',
    message: `there is no place here that could keep a ${noun}`,
  });
}

async function openKey(
  bytes: Uint8Array,
  { seeds, identity }: OpenIdentity,
  path: string,
  kept: Kept,
): Promise<SecretBytes> {
  const value = decodeCbor(bytes, `${path}/${KEY_FILE}`, { maxBytes: 4096, maxDepth: 1 });
  const [version, enc, sealed] = Array.isArray(value) ? (value as readonly Cbor[]) : [];
  if (version !== 1 || !(enc instanceof Uint8Array) || !(sealed instanceof Uint8Array)) {
    throw unreadable(path, kept);
  }
  const secret = seeds.use((all) => all.slice(X_WING_AT, X_WING_AT + SEED));
  try {
    const key = await openHpke({
      descriptor: await resolve(components.xWing.name),
      secret,
      enc,
      info: utf8(kept.info),
      aad: new Uint8Array(0),
      sealed,
      what: path,
    });
    return SecretBytes.adopt(key, `${kept.noun} state key`);
  } catch (cause) {
    throw new RefusedError({
      code: 'E_SESSION_NOT_OURS',
      message: `the ${kept.noun} in ${path} is not ${identity.name}’s`,
      hint: 'name the identity that started it with --identity',
      cause,
    });
  } finally {
    secret.fill(0);
  }
}

function notFound(path: string, { noun, absent }: Kept): MissingInputError {
  return new MissingInputError({
    code: 'E_SESSION_NOT_FOUND',
    message: `there is no ${noun} in ${path}`,
    hint: absent,
  });
}

/** What was kept is not what this version keeps. */
export function unreadable(path: string, { noun }: Kept): InputError {
  return new InputError({
    code: 'E_SESSION_MALFORMED',
    message: `the ${noun} in ${path} cannot be read`,
    hint: `its folder is not from this version, or was changed; begin a new ${noun}`,
  });
}
