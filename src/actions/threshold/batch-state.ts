/**
 * What a party keeps of a batch: one seed for each pair of nonces that was not used yet. A seed is taken out, durably, before
 * anything that uses it exists, and never comes back.
 * @see docs/spec/threshold.md, "Batch folder"
 */
import type { OpenIdentity } from '#custody/authority/identity';
import { type Cbor, decodeCbor, encodeCbor } from '#formats/cbor';
import { RefusedError } from '#formats/errors';
import { SecretBytes } from '#formats/secret-bytes';
import { MAX_BATCH } from '#protocols/threshold/batch';
import type { ActionContext } from '../context/context.js';
import { type Kept, SealedFolder, unreadable } from './sealed-folder.js';

const KEPT: Kept = {
  info: 'conclave-threshold-batch-v1',
  aad: 'conclave-threshold-batch-state-v1',
  noun: 'batch',
  option: '--prepared',
  taken: 'write its public file again with conclave threshold prepare public',
  absent: 'make one with conclave threshold prepare, or name its folder with --prepared',
};
const MAX_STATE_BYTES = 128 * 1024;
const SEED = 32;

/** The contents. Secrets are owned by whoever holds the state. */
export interface BatchState {
  /** The public file. */
  readonly file: Uint8Array;
  /** Seeds of the keys that the file certifies. */
  readonly signing: SecretBytes;
  readonly opening: SecretBytes;
  /** By index; what was used is not there any more. */
  readonly seeds: readonly (SecretBytes | undefined)[];
  /** Second place that must confirm each use, as `openMemory` reads it. */
  readonly memory: string | undefined;
}

/** A batch's folder with its state open. Disposing wipes memory and lets go of the folder. */
export class BatchHold implements Disposable {
  #state: BatchState;
  readonly #folder: SealedFolder;

  private constructor(folder: SealedFolder, state: BatchState) {
    this.#folder = folder;
    this.#state = state;
  }

  /**
   * A new batch in a folder that holds none.
   * @param state - its secrets are adopted
   * @throws OutputError `E_SESSION_EXISTS`
   */
  static async create(
    path: string,
    identity: OpenIdentity,
    state: BatchState,
    context: ActionContext,
  ): Promise<BatchHold> {
    let folder: SealedFolder | undefined;
    try {
      folder = await SealedFolder.create(path, KEPT, identity, context);
      folder.write(encodeState(state));
      return new BatchHold(folder, state);
    } catch (error) {
      wipe(state);
      folder?.[Symbol.dispose]();
      throw error;
    }
  }

  /**
   * The batch in a folder.
   * @throws MissingInputError `E_SESSION_NOT_FOUND`; RefusedError `E_SESSION_NOT_OURS` for another's; TryAgainError `E_LOCKED`
   */
  static async open(
    path: string,
    identity: OpenIdentity,
    context: ActionContext,
  ): Promise<BatchHold> {
    const { sealed, value } = await SealedFolder.open(path, KEPT, identity, context, (plain) =>
      decodeState(plain, path),
    );
    return new BatchHold(sealed, value);
  }

  get state(): BatchState {
    return this.#state;
  }

  /** Indices that were not used, ascending. */
  get left(): readonly number[] {
    return this.#state.seeds.flatMap((seed, index) => (seed === undefined ? [] : [index]));
  }

  /**
   * The seed of a pair; a copy that the caller disposes. It is not taken out by this.
   * @throws RefusedError `E_BATCH_USED`
   */
  seedAt(index: number): SecretBytes {
    const seed = this.#state.seeds[index];
    if (seed !== undefined) return seed.clone();
    throw new RefusedError({
      code: 'E_BATCH_USED',
      message: `pair ${index} of this batch was used already`,
      hint: 'where you answered this very start message, go on with threshold sign round; else ask for one that names another pair: each signs once',
      details: { index, left: this.left },
    });
  }

  /** Takes a seed out for good: durable when it returns. @throws RefusedError `E_BATCH_USED` */
  spend(index: number): void {
    this.seedAt(index).dispose();
    const seeds = this.#state.seeds.map((seed, i) => (i === index ? undefined : seed));
    this.#folder.write(encodeState({ ...this.#state, seeds }));
    this.#state.seeds[index]?.dispose();
    this.#state = { ...this.#state, seeds };
  }

  /** Destroys key and state. */
  end(): void {
    this.#folder.end();
  }

  [Symbol.dispose](): void {
    wipe(this.#state);
    this.#folder[Symbol.dispose]();
  }
}

function encodeState({ file, signing, opening, seeds, memory }: BatchState): Uint8Array {
  const copies: Uint8Array[] = [];
  const copy = (secret: SecretBytes): Uint8Array => {
    const bytes = secret.use((each) => each.slice());
    copies.push(bytes);
    return bytes;
  };
  try {
    return encodeCbor([
      1,
      file,
      copy(signing),
      copy(opening),
      seeds.map((seed) => (seed === undefined ? null : copy(seed))),
      memory ?? null,
    ]);
  } finally {
    for (const bytes of copies) bytes.fill(0);
  }
}

function decodeState(bytes: Uint8Array, path: string): BatchState {
  const value = decodeCbor(bytes, path, { maxBytes: MAX_STATE_BYTES, maxDepth: 2 });
  if (!Array.isArray(value) || value.length !== 6 || value[0] !== 1) throw unreadable(path, KEPT);
  const [, file, signing, opening, seeds, memory] = value as readonly Cbor[];
  if (
    !(file instanceof Uint8Array) ||
    !(signing instanceof Uint8Array) ||
    !(opening instanceof Uint8Array) ||
    !Array.isArray(seeds) ||
    seeds.length === 0 ||
    seeds.length > MAX_BATCH ||
    !(memory === null || typeof memory === 'string')
  ) {
    throw unreadable(path, KEPT);
  }
  const kept = (seeds as readonly Cbor[]).map((seed) => {
    if (seed === null) return undefined;
    if (seed instanceof Uint8Array && seed.length === SEED) {
      return SecretBytes.adopt(seed, 'seed of prepared nonces');
    }
    throw unreadable(path, KEPT);
  });
  return {
    file,
    signing: SecretBytes.adopt(signing, 'batch signing key'),
    opening: SecretBytes.adopt(opening, 'batch opening key'),
    seeds: kept,
    memory: memory ?? undefined,
  };
}

function wipe({ signing, opening, seeds }: BatchState): void {
  for (const secret of [signing, opening, ...seeds]) secret?.dispose();
}
