/**
 * Attesting what an action does. An identity is opened before anything happens, so that a wrong passphrase stops the action
 * and not its record; the statement is signed once the deed is done and in the log.
 */
import { sha256 } from '#crypto/hash';
import type { AttestedFile, Deed } from '#custody/audit/attestation';
import type { KeyRecord } from '#custody/authority/record';
import { toHex } from '#formats/bytes';
import type { ActionContext } from '../context/context.js';

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
  if (shelf?.wanted !== true) return undefined;
  return await (await import('./signing.js')).signingAttestor(context, shelf, makesHome);
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
