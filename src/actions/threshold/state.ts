/**
 * What a party keeps of a session between two commands: sealed under a key that only its identity opens, replaced as a whole,
 * shredded at the end.
 * @see docs/spec/threshold.md, "Session folder"
 */
import type { OpenIdentity } from '#custody/authority/identity';
import { type Cbor, decodeCbor, encodeCbor } from '#formats/cbor';
import { SecretBytes } from '#formats/secret-bytes';
import type { ActionContext } from '../context/context.js';
import { type Kept, SealedFolder, unreadable } from './sealed-folder.js';

const KEPT: Kept = {
  info: 'conclave-threshold-session-v1',
  aad: 'conclave-threshold-state-v1',
  noun: 'session',
  option: '--session',
  taken: 'finish it',
  absent: 'start one there, or name its folder; a finished session leaves nothing behind',
};
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
  readonly #folder: SealedFolder;

  private constructor(folder: SealedFolder, state: SessionState) {
    this.#folder = folder;
    this.#state = state;
  }

  /**
   * A new session in a folder that holds none.
   * @param state - its secrets are adopted
   * @param before - done when it is sure that the folder is free, and before any state exists
   * @throws OutputError `E_SESSION_EXISTS`
   */
  static async create(
    path: string,
    identity: OpenIdentity,
    state: SessionState,
    context: ActionContext,
    before?: () => void,
  ): Promise<SessionHold> {
    let folder: SealedFolder | undefined;
    try {
      folder = await SealedFolder.create(path, KEPT, identity, context, before);
      const hold = new SessionHold(folder, state);
      hold.#write();
      return hold;
    } catch (error) {
      wipe(state);
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
    const { sealed, value } = await SealedFolder.open(path, KEPT, identity, context, (plain) =>
      decodeState(plain, path),
    );
    return new SessionHold(sealed, value);
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
    return this.#folder.beside(proofFile(number));
  }

  /** Keeps a party's proof, durably: it is too long for the state, which is replaced as a whole. */
  keepProof(number: number, bytes: Uint8Array): void {
    this.#folder.putBeside(proofFile(number), bytes);
  }

  /** Destroys key and state: what was sealed to the session stays closed from now on. */
  end(): void {
    this.#folder.end([...this.#state.certificates.keys()].map(proofFile));
  }

  [Symbol.dispose](): void {
    wipe(this.#state);
    this.#folder[Symbol.dispose]();
  }

  #write(): void {
    this.#folder.write(encodeState(this.#state));
  }
}

function proofFile(number: number): string {
  return `proof-${number}`;
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
  if (!Array.isArray(value) || value.length !== 11 || value[0] !== 1) throw unreadable(path, KEPT);
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
    throw unreadable(path, KEPT);
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
