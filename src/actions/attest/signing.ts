/** The attestor behind an identity; loaded when one was named. */
import { signAttestation } from '#custody/audit/attestation';
import { utf8 } from '#formats/bytes';
import { encodeDsse } from '#formats/dsse';
import { TryAgainError, UsageError } from '#formats/errors';
import { formatTime } from '#formats/time';
import type { ActionContext, AttestationShelf } from '../context/context.js';
import type { Attestor } from './attestor.js';

/** Other processes may write to the same log; none writes without end. */
const ATTEMPTS = 20;

/**
 * The attestor of the identity that `--identity` named.
 * @param options - `makesHome`: the deed itself brings a home into being
 * @throws UsageError `E_ATTESTATION_UNSIGNED`, `E_ATTESTATION_NOWHERE`; RefusedError for a wrong passphrase
 */
export async function signingAttestor(
  context: ActionContext,
  shelf: AttestationShelf,
  makesHome: boolean,
): Promise<Attestor | undefined> {
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
