/**
 * Where the unsplit secrets of a session live: in this process's memory and nowhere else. Steps reach them as
 * `ceremony:<step>`; every other reference goes to the keys of the command line as usual. What becomes public of a key goes
 * into the journal at once, so that a session that lost its memory still knows what it had made.
 */
import type { FoundKey, KeySpace, OpenKey, Placement } from '#actions/context/context';
import { publicSide } from '#actions/session/public-side';
import { type KeyRecord, recordJson } from '#custody/authority/record';
import type { JsonObject } from '#formats/canonical-json';
import { InternalError, MissingInputError, RefusedError } from '#formats/errors';
import type { SecretBytes } from '#formats/secret-bytes';
import type { KnownKey } from './state.js';

/** How references to the vault begin. */
export const VAULT = 'ceremony:';

/** What the vault tells the journal, at the moment it happens. */
export interface VaultWitness {
  added(reference: string, record: JsonObject): void;
  changed(reference: string, record: JsonObject): void;
  /** The last copy in memory is gone; `held` says whether this process still had one. */
  wiped(keyId: string, held: boolean): void;
}

/** One step's way to the keys. */
export interface VaultDoor {
  /** Name under which a key made by this step is kept: `<step>`, or `<step>/<person>`. */
  readonly name: string;
  /** All other keys. */
  readonly elsewhere: KeySpace;
  /** What the journal knows of a reference. */
  readonly known: (reference: string) => KnownKey | undefined;
  readonly witness: VaultWitness;
}

/** The secrets of one session in one process. */
export class Vault implements Disposable {
  readonly #secrets = new Map<string, SecretBytes>();

  /** References that can be opened. */
  get live(): ReadonlySet<string> {
    return new Set(this.#secrets.keys());
  }

  /** Takes a recombined secret in under its old reference. Adopts it. */
  readmit(reference: string, secret: SecretBytes): void {
    this.#secrets.get(reference)?.dispose();
    this.#secrets.set(reference, secret);
  }

  /** Forgets what steps made that a rollback undid. */
  forget(references: Iterable<string>): void {
    for (const reference of references) {
      this.#secrets.get(reference)?.dispose();
      this.#secrets.delete(reference);
    }
  }

  /** Wipes everything. */
  [Symbol.dispose](): void {
    this.forget([...this.#secrets.keys()]);
  }

  /** The keys as one step sees them. */
  keySpace(door: VaultDoor): KeySpace {
    const { elsewhere, witness } = door;

    const find = async (reference: string): Promise<FoundKey> => {
      if (!reference.startsWith(VAULT)) return await elsewhere.find(reference);
      const known = door.known(reference);
      if (known === undefined) {
        throw new MissingInputError({
          code: 'E_KEY_NOT_FOUND',
          message: `this ceremony has made no key ${reference}`,
          hint: 'the step that makes it comes later, or was rolled back',
        });
      }
      return await publicSide(known.record, reference);
    };
    const change = async (
      reference: string,
      changed: (record: KeyRecord) => KeyRecord,
    ): Promise<FoundKey> => {
      const found = await find(reference);
      const record = changed(found.record);
      witness.changed(reference, recordJson(record));
      return { ...found, record };
    };

    return {
      find,
      open: async (reference): Promise<OpenKey> => {
        if (!reference.startsWith(VAULT)) return await elsewhere.open(reference);
        const found = await find(reference);
        const secret = this.#secrets.get(reference);
        if (secret === undefined) {
          throw new InternalError({
            code: 'E_VAULT_EMPTY',
            message: `${reference} is no longer in memory and was not restored`,
            hint: 'a step that opens a key must name it in an input of type key',
          });
        }
        const copy = secret.clone();
        return {
          ...found,
          secret: copy,
          [Symbol.dispose]: () => {
            copy.dispose();
          },
        };
      },
      add: async (record, secret, placement): Promise<FoundKey> => {
        if (isPlaced(placement)) return await elsewhere.add(record, secret, placement);
        const reference = this.#newReference(door.name);
        this.#secrets.set(reference, secret.clone(`private key ${reference}`));
        witness.added(reference, recordJson(record));
        return await publicSide(recordJson(record), reference);
      },
      update: async (reference, changed) =>
        reference.startsWith(VAULT)
          ? await change(reference, changed)
          : await elsewhere.update(reference, changed),
      destroy: async (reference, changed): Promise<FoundKey> => {
        if (!reference.startsWith(VAULT)) return await elsewhere.destroy(reference, changed);
        const recorded = door.known(reference)?.gone === true;
        const found = await change(reference, changed);
        const held = this.#secrets.has(reference);
        this.forget([reference]);
        // A step that was cut short after this entry is done again, and must not contradict it.
        if (!recorded) witness.wiped(found.record.id, held);
        return found;
      },
      list: (store) => elsewhere.list(store),
      // A share of a group key is never in this vault: each lies sealed where its holder keeps it.
      ...(elsewhere.openShare && { openShare: elsewhere.openShare }),
      ...(elsewhere.replaceShare && { replaceShare: elsewhere.replaceShare }),
    };
  }

  #newReference(name: string): string {
    const reference = `${VAULT}${name}`;
    for (let i = 2; this.#secrets.has(reference); i++) {
      const further = `${reference}-${i}`;
      if (!this.#secrets.has(further)) return further;
    }
    return reference;
  }
}

/** Whether a key goes elsewhere than into memory. There it must be sealed: a ceremony leaves no secret in clear. */
function isPlaced(placement: Placement): boolean {
  if (placement.store?.kind === 'keychain') {
    throw new RefusedError({
      code: 'E_SESSION_KEYCHAIN',
      message: 'a ceremony leaves no key in a keychain: it opens to whoever logs in',
      hint: 'split it among custodians, or generate it in a token',
    });
  }
  if (placement.store?.kind === 'pkcs11') return true;
  if (placement.out === undefined) return false;
  if (
    placement.plaintext === true ||
    (placement.format !== undefined && placement.format !== 'conclave')
  ) {
    throw new RefusedError({
      code: 'E_SESSION_PLAINTEXT',
      message: `a ceremony writes no unencrypted private key (${placement.out})`,
      hint: 'seal it, or split it among custodians',
    });
  }
  return true;
}
