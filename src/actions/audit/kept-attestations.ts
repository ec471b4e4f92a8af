/** The attestations that a log names: whether each is there, is the one that was named, and follows what it says it follows. */
import { posix } from 'node:path';
import { sha256 } from '#crypto/hash';
import { ATTESTATION_TYPE, parseAttestation } from '#custody/audit/attestation';
import { type ChainEntry, GENESIS } from '#custody/audit/chain';
import { parseStatement } from '#custody/audit/statement';
import { toHex } from '#formats/bytes';
import { decodeDsse } from '#formats/dsse';
import { InputError } from '#formats/errors';
import type { Infer } from '#formats/schema';
import * as s from '#formats/schema';
import { ATTESTED } from '../context/attestation-shelf.js';
import type { ActionContext } from '../context/context.js';

/** An attestation is some twenty kilobytes; evidence is named in it by digests only. */
const MAX_ATTESTATION_BYTES = 1024 * 1024;

const entrySchema = s.object({
  operation: s.string({ max: 32 }),
  key: s.hex(32),
  /** Of the form that {@link ATTESTED} entries give it, so that no log can send its reader elsewhere. */
  file: s.string({ pattern: /^[0-9]{8,15}\.dsse\.json$/, what: 'the name of an attestation' }),
  sha256: s.hex(32),
});

/** What an entry of the log says of its attestation. */
export type NamedAttestation = Infer<typeof entrySchema> & { readonly entry: ChainEntry };

/** The attestations that a log names, in order. @throws InputError `E_SCHEMA_MISMATCH` */
export function namedAttestations(entries: readonly ChainEntry[]): readonly NamedAttestation[] {
  return entries
    .filter(({ type }) => type === ATTESTED)
    .map((entry) => ({ ...entrySchema.parse(entry.data, `entry ${entry.seq}: data`), entry }));
}

/** What became of them. */
export interface KeptAttestations {
  /** How many are as the log has them. */
  readonly held: number;
  readonly problem: { readonly seq: number; readonly reason: string } | undefined;
  readonly notes: readonly string[];
}

/**
 * Compares the attestations in `folder` with the log that names them. Signatures are not checked here: `verify` does that,
 * with the signers pinned.
 * @param isOwn - whether the log is that of this home, whose own attestations are looked at when no folder is named
 */
export async function checkAttestations(
  entries: readonly ChainEntry[],
  folder: string | undefined,
  isOwn: boolean,
  context: ActionContext,
): Promise<KeptAttestations> {
  const named = namedAttestations(entries);
  const where = folder ?? (isOwn ? context.attestations?.location : undefined);
  if (named.length === 0) return { held: 0, problem: undefined, notes: [] };
  if (where === undefined) {
    return {
      held: 0,
      problem: undefined,
      notes: [
        `${named.length} attestations that it names were not looked at: say --attestations DIR`,
      ],
    };
  }
  let held = 0;
  for (const it of named) {
    const reason = whatIsWrong(it, posix.join(where, it.file), context);
    if (reason !== undefined) {
      return { held, problem: { seq: it.entry.seq, reason }, notes: [] };
    }
    held++;
  }
  return { held, problem: undefined, notes: [] };
}

function whatIsWrong(
  { entry, file, sha256: expected, key, operation }: NamedAttestation,
  path: string,
  { files }: ActionContext,
): string | undefined {
  const at = `entry ${entry.seq} names the attestation ${file}`;
  if (!files.exists(path)) return `${at}, which is missing`;
  const bytes = files.read(path, MAX_ATTESTATION_BYTES);
  if (toHex(sha256(bytes)) !== expected) return `${at}, which was changed since`;
  try {
    const statement = parseStatement(decodeDsse(bytes, file), file);
    if (statement.predicateType !== ATTESTATION_TYPE) return `${at}, which is something else`;
    const attestation = parseAttestation(statement, file);
    if (attestation.key.id !== key || attestation.operation !== operation) {
      return `${at}, which is about something else`;
    }
    const { previous } = attestation;
    const follows =
      entry.prev === GENESIS
        ? previous === null
        : previous?.seq === entry.seq - 1 && previous.hash === entry.prev;
    return follows ? undefined : `${at}, which follows another entry`;
  } catch (error) {
    if (error instanceof InputError) return `${at}, and ${error.message}`;
    throw error;
  }
}
