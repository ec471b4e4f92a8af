/**
 * Attestations: one signed statement for each use of a key that somebody may be asked about later. What an operator signs is a
 * *software attestation*: the operator's word, given by this program. What a device says of itself stands in it as recorded.
 * @see docs/spec/attestation.md
 */
import type { DsseEnvelope } from '#formats/dsse';
import type { Infer } from '#formats/schema';
import * as s from '#formats/schema';
import type { StatementSigner } from './component-keys.js';
import type { ChainHead } from './chain.js';
import {
  buildStatement,
  encodeStatement,
  signStatement,
  type Statement,
  type StatementSigning,
  type Subject,
} from './statement.js';

/** Predicate type of attestations. */
export const ATTESTATION_TYPE = 'https://conclave.dev/attestation/v1';

/** What can be attested. */
export const operations = [
  'generate',
  'sign',
  'encrypt',
  'decrypt',
  'derive',
  'wrap',
  'unwrap',
  'import',
  'export',
  'destroy',
] as const;

/** What was done. */
export type Operation = (typeof operations)[number];

const keySchema = s.object({
  id: s.hex(32),
  name: s.nullable(s.string({ max: 64 })),
  algorithm: s.string({ max: 64 }),
  profile: s.string({ max: 32 }),
  environment: s.oneOf('production', 'rehearsal', 'dev'),
  /** `sha256:HEX` of the policy that bound the key, or null. */
  policy: s.nullable(s.string({ pattern: /^sha256:[0-9a-f]{64}$/, what: 'a policy digest' })),
});

/** `null`: the device did not say. */
const saysSo = s.nullable(s.boolean());

/** What a token's library says of the token and of the key in it: a claim of that library, no evidence. */
export const deviceSchema = s.object({
  kind: s.oneOf('pkcs11'),
  manufacturer: s.string({ max: 64 }),
  model: s.string({ max: 64 }),
  serial: s.string({ max: 64 }),
  label: s.string({ max: 64 }),
  firmware: s.string({ max: 32 }),
  hardware: s.string({ max: 32 }),
  attributes: s.object({
    /** CKA_LOCAL. */
    local: saysSo,
    /** CKA_SENSITIVE. */
    sensitive: saysSo,
    /** CKA_ALWAYS_SENSITIVE. */
    alwaysSensitive: saysSo,
    /** CKA_EXTRACTABLE. */
    extractable: saysSo,
    /** CKA_NEVER_EXTRACTABLE. */
    neverExtractable: saysSo,
    /** CKA_KEY_GEN_MECHANISM; `null` where the key was imported or the device did not say. */
    keyGenMechanism: s.nullable(s.integer({ min: 0, max: 0xffff_ffff })),
  }),
});

/** What a device says. */
export type DeviceClaims = Infer<typeof deviceSchema>;

const fileSchema = s.object({ name: s.string({ max: 1024 }), sha256: s.hex(32) });

const attestationSchema = s.object({
  operation: s.oneOf(...operations),
  key: keySchema,
  operator: s.object({ id: s.hex(32), name: s.string({ max: 256 }) }),
  time: s.time(),
  inputs: s.array(fileSchema, { max: 64 }),
  outputs: s.array(fileSchema, { max: 64 }),
  device: s.nullable(deviceSchema),
  /** Files that say more, for instance a certificate that a device signed; hashed, not judged. */
  evidence: s.array(fileSchema, { max: 64 }),
  note: s.string({ max: 1024 }),
  /** The head of the operator's log before this, or null where none is kept. */
  previous: s.nullable(s.object({ seq: s.integer({ min: 0 }), hash: s.hex(32) })),
  tool: s.object({ name: s.oneOf('conclave'), version: s.string({ max: 64 }) }),
});

/** What an attestation says. */
export type Attestation = Infer<typeof attestationSchema>;

/** A file that an attestation names. */
export type AttestedFile = Infer<typeof fileSchema>;

/** What was done, before the operator and the log are known. */
export type Deed = Pick<Attestation, 'operation' | 'key'> &
  Partial<Pick<Attestation, 'inputs' | 'outputs' | 'device' | 'evidence' | 'note'>>;

/**
 * A deed, attested and signed by its operator.
 * @param signer - borrowed: the caller wipes its seeds
 * @param previous - head of the log in which the attestation will be named next, if there is one
 * @throws InputError `E_SCHEMA_MISMATCH` for a deed that does not fit the form
 */
export async function signAttestation(
  deed: Deed,
  signer: StatementSigner & { readonly identity: { readonly id: string; readonly name: string } },
  circumstances: {
    readonly time: string;
    readonly previous: ChainHead | undefined;
    readonly version: string;
  },
  options: StatementSigning = {},
): Promise<DsseEnvelope> {
  const { id, name } = signer.identity;
  const { time, previous, version } = circumstances;
  const predicate: Attestation = {
    operation: deed.operation,
    key: deed.key,
    operator: { id, name },
    time,
    inputs: deed.inputs ?? [],
    outputs: deed.outputs ?? [],
    device: deed.device ?? null,
    evidence: deed.evidence ?? [],
    note: deed.note ?? '',
    previous: previous === undefined ? null : { seq: previous.seq, hash: previous.hash },
    tool: { name: 'conclave', version },
  };
  const statement = buildStatement({
    subjects: subjectsOf(predicate),
    predicateType: ATTESTATION_TYPE,
    predicate: predicate,
  });
  // What is signed must be what a reader takes.
  parseAttestation(statement, 'attestation');
  return await signStatement(statement, [signer], options);
}

/**
 * What an attestation says; its signatures are `verifyEnvelope`'s business.
 * @throws InputError `E_SCHEMA_MISMATCH`; also when the subjects are not those that its content gives
 */
export function parseAttestation(statement: Statement, what: string): Attestation {
  const attestation = attestationSchema.parse(statement.predicate, `${what}: predicate`);
  const expected = encodeStatement({ ...statement, subject: subjectsOf(attestation) });
  const found = encodeStatement(statement);
  if (expected.length !== found.length || expected.some((byte, i) => byte !== found[i])) {
    throw s.mismatch(`${what}: subject`, 'the key and each file of the predicate, in order,');
  }
  return attestation;
}

/** Subjects follow from the content: the key, then inputs, outputs and evidence, each once. */
function subjectsOf({ key, inputs, outputs, evidence }: Attestation): readonly Subject[] {
  return [
    { name: key.name ?? key.id.slice(0, 16), digest: { 'conclave-key-v1': key.id } },
    ...[...inputs, ...outputs, ...evidence].map(({ name, sha256 }) => ({
      name,
      digest: { sha256 },
    })),
  ];
}

/** One English sentence, for verdicts and minutes. */
export function attestationSentence(attestation: Attestation): string {
  const { operation, key, operator, time, device } = attestation;
  const verb: Readonly<Record<Operation, string>> = {
    generate: 'made',
    sign: 'signed with',
    encrypt: 'encrypted with',
    decrypt: 'decrypted with',
    derive: 'agreed on a secret with',
    wrap: 'wrapped',
    unwrap: 'unwrapped with',
    import: 'imported',
    export: 'exported',
    destroy: 'destroyed',
  };
  const where =
    device === null ? '' : ` in the token ${device.label} (${device.model}, ${device.serial})`;
  return `${operator.name} ${verb[operation]} key ${key.name ?? key.id.slice(0, 16)}${where} at ${time}`;
}
