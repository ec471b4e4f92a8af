/** Whether an introduction holds here: signed by somebody whom this home knows as verified, about exactly this identity. */
import type { IdentityTrusted, KnownIdentity } from '#custody/audit/known-identity';
import { verifyEnvelope } from '#custody/audit/statement';
import { readHandover } from '#custody/authority/handover-statement';
import type { Identity } from '#custody/authority/identity';
import { INTRODUCED } from '#custody/authority/introduction';
import { NegativeError, RefusedError } from '#formats/errors';
import type { ActionContext } from '../context/context.js';
import { publicSide } from '../context/known-identities.js';

const MAX_STATEMENT_BYTES = 64 * 1024;

/**
 * What the log says of an introduction.
 * @param path - the signed statement
 * @throws NegativeError `E_INTRODUCTION_OTHER`, `E_INTRODUCTION_SIGNATURE`; RefusedError `E_INTRODUCER_UNVERIFIED`,
 * `E_IDENTITY_ENVIRONMENT`; those of the reader
 */
export async function vouchedFor(
  identity: Identity,
  path: string,
  known: readonly KnownIdentity[],
  context: ActionContext,
): Promise<IdentityTrusted['introduced'] & object> {
  const bytes = context.files.read(path, MAX_STATEMENT_BYTES);
  const { said, envelope, sha256 } = readHandover(INTRODUCED, bytes, path);
  const isThis =
    said.identity.id === identity.id &&
    said.identity.name === identity.name &&
    said.environment === identity.environment;
  if (!isThis) {
    throw new NegativeError({
      code: 'E_INTRODUCTION_OTHER',
      message: `${path} introduces ${said.identity.name}, ${said.identity.id.slice(0, 16)}, and not this identity`,
      hint: 'name the introduction that belongs to the file',
    });
  }
  const { id, name } = said.introducer;
  const introducer = known.find((each) => each.id === id);
  if (introducer?.level !== 'verified' || id === identity.id) {
    throw new RefusedError({
      code: 'E_INTRODUCER_UNVERIFIED',
      message: `${path} is by ${name}, ${id.slice(0, 16)}, whom this home does not know as verified`,
      hint: `compare the fingerprint of ${name} first: conclave identity trust FILE`,
    });
  }
  const by = publicSide(id, context);
  if (identity.environment === 'production' && by.environment !== 'production') {
    throw new RefusedError({
      code: 'E_IDENTITY_ENVIRONMENT',
      message: `${path} is by a ${by.environment} identity, and introduces one for production`,
      hint: 'have it signed with an identity for production',
    });
  }
  const { signedBy, problems } = await verifyEnvelope(envelope, [by]);
  if (signedBy.length === 0 || problems.length > 0) {
    throw new NegativeError({
      code: 'E_INTRODUCTION_SIGNATURE',
      message: `${path}: ${problems[0] ?? `${name} did not sign it`}`,
      hint: 'it was altered, or somebody else wrote it; nothing changed here',
    });
  }
  return { by: id, name: introducer.name, statement: sha256 };
}
