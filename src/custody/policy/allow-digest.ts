/**
 * The one policy that is accepted until the policy engine is in the house: sign exactly this content and nothing else. Pure:
 * hashing is the caller's, and so are the clock and the people.
 * @see docs/spec/key-record.md
 */
import {
  canonicalJson,
  isObject,
  type Json,
  type JsonObject,
  parseCanonicalJson,
} from '#formats/canonical-json';
import { toHex, utf8 } from '#formats/bytes';
import { RefusedError } from '#formats/errors';
import type { Infer } from '#formats/schema';
import * as s from '#formats/schema';

const DIGEST = /^sha256:[0-9a-f]{64}$/;
const MAX_POLICY_BYTES = 64 * 1024;

/** Strict reader of the policy. */
export const allowDigestSchema = s.object({
  type: s.oneOf('conclave/policy'),
  version: s.oneOf(1),
  kind: s.oneOf('allow-digest'),
  /** SHA-256 of the exact bytes that may be signed. */
  digest: s.string({ pattern: DIGEST, what: 'sha256: and 64 hex digits' }),
});

/** A policy. */
export type Policy = Infer<typeof allowDigestSchema>;

/** What someone wants to do. */
export interface PolicyRequest {
  /** `sign` is the only operation that this policy can allow. */
  readonly operation: string;
  /** `sha256:HEX` of the exact bytes. */
  readonly digest: string;
}

/** The answer, with every reason, as sentences without a full stop. */
export interface PolicyVerdict {
  readonly allowed: boolean;
  readonly reasons: readonly string[];
}

/** SHA-256, handed in. */
export type PolicyHash = (bytes: Uint8Array) => Uint8Array;

/** The policy that allows exactly one content. @throws {@link InputError} `E_SCHEMA_MISMATCH` */
export function allowDigest(digest: string): Policy {
  return allowDigestSchema.parse(
    { type: 'conclave/policy', version: 1, kind: 'allow-digest', digest },
    'policy',
  );
}

/** Canonical JSON and a line feed. */
export function encodePolicy(policy: Policy): Uint8Array {
  return utf8(`${canonicalJson(policyJson(policy))}\n`);
}

/**
 * A policy from its canonical bytes.
 * @throws {@link RefusedError} `E_POLICY_KIND` for a policy of another kind or version: what is not understood is never
 * allowed; {@link InputError} for what is no policy at all
 */
export function decodePolicy(bytes: Uint8Array, what: string): Policy {
  const value = parseCanonicalJson(bytes, what, { maxBytes: MAX_POLICY_BYTES });
  refuseOtherKinds(value, what);
  return allowDigestSchema.parse(value, what);
}

/** `sha256:HEX` over the policy file as it stands, the form in which records and transcripts name it; `sha256sum` agrees. */
export function policyDigest(policy: Policy, hash: PolicyHash): string {
  return `sha256:${toHex(hash(encodePolicy(policy)))}`;
}

/** Whether a request is allowed. Default deny: any operation but signing, and any other content, is refused. */
export function evaluate(policy: Policy, request: PolicyRequest): PolicyVerdict {
  const reasons: string[] = [];
  if (request.operation !== 'sign') {
    reasons.push(`the policy allows signing only, not ${JSON.stringify(request.operation)}`);
  }
  if (!DIGEST.test(request.digest)) {
    reasons.push('the digest of the content is not a SHA-256 digest');
  } else if (request.digest !== policy.digest) {
    reasons.push(`the content is ${request.digest}, the policy allows ${policy.digest} only`);
  }
  return reasons.length === 0
    ? { allowed: true, reasons: [`the content is exactly ${policy.digest}`] }
    : { allowed: false, reasons };
}

/** The policy as one English sentence, for people and minutes. */
export function describe(policy: Policy): string {
  return `This key may sign exactly one content, the one with SHA-256 ${policy.digest.slice('sha256:'.length)}, and nothing else.`;
}

function policyJson(policy: Policy): JsonObject {
  const { type, version, kind, digest } = policy;
  return { type, version, kind, digest };
}

function refuseOtherKinds(value: Json, what: string): void {
  if (!isObject(value) || value['type'] !== 'conclave/policy') return;
  const { kind, version } = value;
  if (kind === 'allow-digest' && version === 1) return;
  const named = typeof kind === 'string' ? JSON.stringify(kind.slice(0, 64)) : 'without a name';
  throw new RefusedError({
    code: 'E_POLICY_KIND',
    message: `${what} is a policy of a kind that is not understood: ${named}`,
    hint: 'allow-digest, version 1, is the only kind; what is not understood is not allowed',
  });
}
