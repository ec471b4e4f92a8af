/**
 * What may be signed for a trace: the request names the one policy that there is, to sign exactly its message, and a threshold key
 * may be bound to one of its own. Of both only the digest is known, and a policy that allows one content is known by its digest.
 */
import { sha256 } from '#crypto/hash';
import { allowDigest, policyDigest } from '#custody/policy/allow-digest';
import { fromHex, toHex } from '#formats/bytes';
import { RefusedError } from '#formats/errors';
import type { TraceRequest } from '#protocols/inhead/request';
import type { Claim } from '../artifacts/artifact.js';
import type { ByteKey } from './byte-key.js';
import type { ScalarKey } from './scalar-key.js';
import { checked, WORDS } from './verdict.js';

/** SHA-256 of the only policy that there is: sign exactly this. */
export function policyOf(message: Uint8Array): Uint8Array {
  const policy = allowDigest(`sha256:${toHex(sha256(message))}`);
  return fromHex(policyDigest(policy, sha256).slice('sha256:'.length));
}

/**
 * Refuses to sign what the request's policy, or the key's own, does not allow.
 * @param what - how errors name what is to be signed
 * @throws {@link RefusedError} `E_POLICY_KIND`, `E_POLICY_REFUSED`
 */
export function assertAllowed(key: ByteKey | ScalarKey, request: TraceRequest, what: string): void {
  if (!isOwnPolicy(request)) {
    throw new RefusedError({
      code: 'E_POLICY_KIND',
      message: `${what} is under another policy than to sign exactly its message`,
      hint: 'no other is understood, and what is not understood is not allowed',
    });
  }
  const policy = policyOfKey(key);
  if (policy === null || policy === nameOf(request)) return;
  throw new RefusedError({
    code: 'E_POLICY_REFUSED',
    message: `the key of ${key.name} is bound to the policy ${policy}, which does not allow ${what}`,
    hint: 'it signs that one content and no other, here too',
  });
}

/** The same as a claim: whoever signed against a policy made a trace that does not hold. */
export function policyClaim(key: ByteKey | ScalarKey, request: TraceRequest): Claim {
  const policy = policyOfKey(key);
  const problem = !isOwnPolicy(request)
    ? 'the request is under another policy than to sign exactly its message, and no other is understood'
    : policy !== null && policy !== nameOf(request)
      ? `the key is bound to the policy ${policy}, which does not allow it`
      : undefined;
  const allowed =
    policy === null ? 'the key is bound to none of its own' : 'the key is bound to it';
  return checked(WORDS.policy, problem === undefined, problem ?? allowed);
}

/** What a key is bound to, as `sha256:HEX`. The description of a set of shares says nothing of policies. */
function policyOfKey(key: ByteKey | ScalarKey): string | null {
  return key.kind === 'bytes' ? null : key.group.record.policy;
}

function isOwnPolicy({ policy, message }: TraceRequest): boolean {
  return toHex(policyOf(message)) === toHex(policy);
}

function nameOf({ policy }: TraceRequest): string {
  return `sha256:${toHex(policy)}`;
}
