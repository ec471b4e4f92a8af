/**
 * Attesting what was wrapped and unwrapped. `--identity` alone names who sends or who opens here, so that an attestation is made
 * when `--attestation` asks for it.
 */
import type { KeyRecord } from '#custody/authority/record';
import { UsageError } from '#formats/errors';
import { type Attestor, attestedKey, openAttestor } from '../attest/attestor.js';
import type { ActionContext } from '../context/context.js';

/**
 * Who attests, if `--attestation` was given; the caller disposes it.
 * @throws {@link UsageError} `E_ATTESTATION_UNSIGNED`
 */
export async function containerAttestor(context: ActionContext): Promise<Attestor | undefined> {
  return context.attestations?.copy === undefined ? undefined : await openAttestor(context);
}

/** @throws {@link UsageError} `E_ATTESTATION_NO_KEY`: attestations are about keys */
export function assertAttestable(content: 'key' | 'file', attestor: Attestor | undefined): void {
  if (attestor === undefined || content === 'key') return;
  throw new UsageError({
    code: 'E_ATTESTATION_NO_KEY',
    message: 'a file is wrapped here, and an attestation is about a key',
    hint: 'leave --attestation out; wrap --statement signs what is known of a file',
  });
}

/** A file whose digest is known already. */
interface Digested {
  readonly name: string;
  /** `sha256:HEX`. */
  readonly digest: string;
}

/** @returns where the attestation lies; null when nobody attests */
export async function attestContainer(
  attestor: Attestor | undefined,
  operation: 'wrap' | 'unwrap',
  record: KeyRecord,
  files: { readonly inputs?: readonly Digested[]; readonly outputs?: readonly Digested[] },
): Promise<string | null> {
  const listed = (some: readonly Digested[] = []) =>
    some.map(({ name, digest }) => ({
      name: name === '-' ? 'standard input' : name,
      sha256: digest.replace(/^sha256:/, ''),
    }));
  const made = await attestor?.attest({
    operation,
    key: attestedKey(record),
    inputs: listed(files.inputs),
    outputs: listed(files.outputs),
  });
  return made ?? null;
}
