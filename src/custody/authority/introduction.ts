/**
 * An introduction: somebody who compared the fingerprint of an identity says so to others, signed. It is worth what the one who
 * signs it is worth to whoever reads it.
 * @see docs/spec/identity.md
 */
import { decodeDsse } from '#formats/dsse';
import type { Infer } from '#formats/schema';
import * as s from '#formats/schema';
import { parseStatement } from '#custody/audit/statement';
import { type HandoverKind, type HandoverSummary, readHandover } from './handover-statement.js';

const personSchema = s.object({ id: s.hex(32), name: s.string({ max: 128 }) });

const introductionSchema = s.object({
  /** Who is introduced. */
  identity: personSchema,
  /** Mark of that identity. */
  environment: s.oneOf('production', 'rehearsal', 'dev'),
  /** Who signs this, and compared. */
  introducer: personSchema,
  time: s.time(),
});

/** What an introduction says. */
export type Introduction = Infer<typeof introductionSchema>;

/** Signed and read like the statements of a hand-over: one identity's word about one thing. */
export const INTRODUCED: HandoverKind<Introduction> = {
  type: 'https://conclave.dev/identity-introduced/v1',
  schema: introductionSchema,
  subjects: ({ identity: { id, name } }) => [{ name, digest: { 'conclave-identity-v1': id } }],
  signer: ({ introducer }) => introducer.id,
  summary: ({ identity, introducer }) =>
    `${introducer.name} compared the identity of ${identity.name}, ${identity.id.slice(0, 16)}`,
};

/**
 * What an introduction says; its signatures are not looked at.
 * @returns `undefined` for a statement of something else
 * @throws InputError as `readHandover` does
 */
export function summariseIntroduction(
  bytes: Uint8Array,
  what: string,
): HandoverSummary | undefined {
  if (parseStatement(decodeDsse(bytes, what), what).predicateType !== INTRODUCED.type) {
    return undefined;
  }
  const { said } = readHandover(INTRODUCED, bytes, what);
  const { introducer: signer, environment } = said;
  return { sentence: INTRODUCED.summary(said), signer, environment };
}
