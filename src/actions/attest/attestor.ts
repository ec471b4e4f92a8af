/**
 * Attesting what an action does. An identity is opened before anything happens, so that a wrong passphrase stops the action
 * and not its record; the statement is signed once the deed is done and in the log.
 */
import { sha256 } from '#crypto/hash';
import { type AttestedFile, type Deed, signAttestation } from '#custody/audit/attestation';
import type { KeyRecord } from '#custody/authority/record';
import { toHex, utf8 } from '#formats/bytes';
import { encodeDsse } from '#formats/dsse';
import { TryAgainError, UsageError } from '#formats/errors';
import { formatTime } from '#formats/time';
import type { ActionContext } from '../context/context.js';

/** Other processes may write to the same log; none writes without end. */
const ATTEMPTS = 20;

/** Signs statements about what was done; disposing it wipes the identity's private keys. */
export interface Attestor extends Disposable {
  /** @returns where the statement lies: the copy that was asked for, else the home's own */
  attest(deed: Deed): Promise<string>;
}

/**
 * Who attests: the identity that `--identity` named, or nobody.
 * @param options - `makesHome`: the deed itself brings a home into being
 * @throws UsageError `E_ATTESTATION_UNSIGNED`, `E_ATTESTATION_NOWHERE`; RefusedError for a wrong passphrase
 */
export async function openAttestor(
  context: ActionContext,
  { makesHome = false }: { readonly makesHome?: boolean } = {},
): Promise<Attestor | undefined> {
  const shelf = context.attestations;
  if (shelf === undefined) return undefined;
  const { copy } = shelf;
  if (copy !== undefined) context.files.assertAbsent([copy]);
  const operator = await context.identities.open();
  if (operator === undefined) {
    if (copy === undefined) return undefined;
    throw new UsageError({
      code: 'E_ATTESTATION_UNSIGNED',
      message: `nobody is named who signs the attestation ${copy}`,
      hint: 'say --identity too',
    });
  }
  if (copy === undefined && !makesHome && !shelf.kept) {
    operator[Symbol.dispose]();
    throw new UsageError({
      code: 'E_ATTESTATION_NOWHERE',
      message: 'there is no home here that would keep the attestation',
      hint: 'say --attestation FILE, or leave --identity out',
    });
  }
  return {
    attest: async (deed) => {
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        const previous = shelf.head();
        const envelope = await signAttestation(
          deed,
          operator,
          { time: formatTime(context.now()), previous, version: context.version },
          { random: context.random },
        );
        const bytes = utf8(encodeDsse(envelope));
        const kept = shelf.kept
          ? shelf.keep(bytes, previous, { operation: deed.operation, key: deed.key.id })
          : '';
        if (kept === undefined) continue;
        if (copy !== undefined) context.files.write(copy, bytes);
        return copy ?? kept;
      }
      throw new TryAgainError({
        code: 'E_ATTESTATION_BUSY',
        message: 'what was done could not be attested: other processes keep writing to the log',
        hint: 'the log has it, unsigned; see conclave audit show',
      });
    },
    [Symbol.dispose]: () => {
      operator[Symbol.dispose]();
    },
  };
}

/** A key as attestations name it. */
export function attestedKey({
  id,
  name,
  algorithm,
  profile,
  environment,
  policy,
}: KeyRecord): Deed['key'] {
  return { id, name, algorithm, profile, environment, policy };
}

/** A file as attestations name it. */
export function attestedFile(name: string, bytes: Uint8Array): AttestedFile {
  return { name: name === '-' ? 'standard input' : name, sha256: toHex(sha256(bytes)) };
}

/** A line for people: where the statement lies, if one was made. */
export function attested(attestation: string | null): string {
  return attestation === null ? '' : `\nattested   ${attestation}`;
}
