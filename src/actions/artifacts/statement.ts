/** Signed statements other than transcripts: attestations, rotations, certificates of session keys. */
import { ATTESTATION_TYPE, parseAttestation } from '#custody/audit/attestation';
import { signingKeyIds } from '#custody/audit/component-keys';
import {
  parseStatement,
  type SignatureVerdict,
  STATEMENT_PAYLOAD_TYPE,
  type Statement,
  verifyEnvelope,
} from '#custody/audit/statement';
import { summariseHandover } from '#custody/authority/handover-statement';
import type { Identity } from '#custody/authority/identity';
import { summariseIntroduction } from '#custody/authority/introduction';
import {
  IDENTITY_ROTATION_TYPE,
  KEY_ROTATION_TYPE,
  verifyIdentityRotation,
  verifyKeyRotation,
} from '#custody/authority/rotation';
import { decodeDsse, type DsseEnvelope } from '#formats/dsse';
import type { ArtifactKind, ArtifactVerdict, Claim } from './artifact.js';
import { attestationVerdict } from './attestation.js';
import { handoverVerdict } from './handover-statement.js';
import { type Pinned, pinnedIdentities } from './pinned.js';

/** The kind `statement`. Transcripts are statements too; their own kind comes first. */
export const statementKind: ArtifactKind = {
  kind: 'statement',
  detect(bytes) {
    if (bytes[0] !== 0x7b) return false;
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return ['"payload"', '"signatures"', STATEMENT_PAYLOAD_TYPE].every((mark) =>
      text.includes(mark),
    );
  },
  async show(bytes, name, context) {
    const envelope = decodeDsse(bytes, name);
    const statement = parseStatement(envelope, name);
    const known = await context.identities.list();
    const word = summariseHandover(bytes, name) ?? summariseIntroduction(bytes, name);
    return {
      predicateType: statement.predicateType,
      ...(word === undefined ? {} : { says: word.sentence }),
      subject: statement.subject.map((subject) => ({ name: subject.name, digest: subject.digest })),
      predicate: statement.predicate,
      signatures: envelope.signatures.map(({ keyid }) => ({
        keyid,
        by: nameOf(keyid, known) ?? 'unknown',
      })),
    };
  },
  async verify(bytes, name, context, options): Promise<ArtifactVerdict> {
    const envelope = decodeDsse(bytes, name);
    const statement = parseStatement(envelope, name);
    if (statement.predicateType === KEY_ROTATION_TYPE) {
      const ownKeys = (await context.keys.list()).map(({ record }) => record.id);
      return keyRotation(envelope, name, ownKeys, options.allowUnpinned);
    }
    const who = await pinnedIdentities(options, context);
    if (statement.predicateType === IDENTITY_ROTATION_TYPE) {
      return identityRotation(envelope, name, who, options.allowUnpinned);
    }
    const signatures = await verifyEnvelope(envelope, who.identities);
    const verdict = signedByIdentities(signatures, statement, who, options.allowUnpinned);
    const word = summariseHandover(bytes, name) ?? summariseIntroduction(bytes, name);
    if (word !== undefined) {
      return handoverVerdict(word, verdict, signatures.signedBy, who.pinned);
    }
    if (statement.predicateType !== ATTESTATION_TYPE) return verdict;
    return attestationVerdict(
      parseAttestation(statement, name),
      verdict,
      signatures.signedBy,
      who.pinned,
    );
  },
};

function signedByIdentities(
  { signedBy, problems, unknown }: SignatureVerdict<Identity>,
  statement: Statement,
  { pinned }: Pinned,
  allowUnpinned: boolean,
): ArtifactVerdict {
  const grade = pinned ? 'attested' : 'recorded';
  const claims: Claim[] = [
    ...signedBy.map((identity): Claim => ({
      claim: `signed by ${identity.name}`,
      grade,
      ok: true,
      detail: identity.id,
    })),
    ...problems.map(wrong),
  ];
  if (unknown.length > 0) {
    claims.push({
      claim: `${unknown.length} further ${unknown.length === 1 ? 'signature' : 'signatures'}`,
      grade: 'recorded',
      ok: true,
      detail: 'by keys that nobody named, ignored',
    });
  }
  if (signedBy.length === 0 && problems.length === 0) {
    claims.push({
      claim: pinned ? 'signed by one of those pinned' : 'signed by somebody known here',
      grade: 'checked',
      ok: false,
      detail: 'no such signature',
    });
  }
  const holds = signedBy.length > 0 && problems.length === 0;
  const marks = [
    ...new Set(
      signedBy
        .filter(({ environment }) => environment !== 'production')
        .map((by) => by.environment),
    ),
    ...(pinned ? [] : ['signers not pinned']),
  ];
  const names = signedBy.map((by) => by.name).join(', ');
  const what = holds
    ? `${statement.predicateType} signed by ${names}`
    : `${statement.predicateType}: ${problems[0] ?? 'not signed by anybody whose signature counts'}`;
  return {
    ok: holds && (pinned || allowUnpinned),
    kind: 'statement',
    summary: [...marks, what].join(': '),
    claims,
  };
}

/** A rotation carries the keys that sign it: it proves itself, but not that the old key was the one to trust. */
async function keyRotation(
  envelope: DsseEnvelope,
  name: string,
  ownKeys: readonly string[],
  allowUnpinned: boolean,
): Promise<ArtifactVerdict> {
  const { rotation, problems } = await verifyKeyRotation(envelope, name);
  const { old, reason, rotatedAt } = rotation;
  const known = ownKeys.includes(old.id);
  const holds = problems.length === 0;
  const ids = `key ${old.id.slice(0, 16)} replaced by ${rotation.new.id.slice(0, 16)}`;
  const what = holds ? `${ids} on ${rotatedAt} (${reason})` : `${ids}: ${problems[0] as string}`;
  return {
    ok: holds && (known || allowUnpinned),
    kind: 'statement',
    summary: known ? what : `signers not pinned: ${what}`,
    claims: [
      ...(holds ? [both('key')] : problems.map(wrong)),
      {
        claim: 'the old key is the one that was trusted',
        grade: known ? 'checked' : 'recorded',
        ok: known || allowUnpinned,
        detail: known ? 'it is in the store' : `compare ${old.id} with what you know`,
      },
    ],
  };
}

async function identityRotation(
  envelope: DsseEnvelope,
  name: string,
  { identities, pinned }: Pinned,
  allowUnpinned: boolean,
): Promise<ArtifactVerdict> {
  const rotation = await verifyIdentityRotation(envelope, name);
  const { old, circumstances } = rotation;
  const trusted = identities.some(({ id }) => id === old.id);
  const claims: Claim[] =
    rotation.problems.length === 0 ? [both('identity')] : rotation.problems.map(wrong);
  if (pinned || trusted) {
    claims.push({
      claim: 'the old identity is one of those pinned',
      grade: pinned ? 'checked' : 'recorded',
      ok: trusted,
      detail: old.id,
    });
  }
  const holds = rotation.problems.length === 0;
  const what = holds
    ? `identity of ${old.name} replaced by that of ${rotation.new.name} on ${circumstances.rotatedAt} (${circumstances.reason})`
    : `rotation of the identity of ${old.name}: ${rotation.problems[0] as string}`;
  return {
    ok: holds && (pinned ? trusted : allowUnpinned),
    kind: 'statement',
    summary: pinned ? what : `signers not pinned: ${what}`,
    claims,
  };
}

function both(kind: string): Claim {
  return {
    claim: `signed by the old and the new ${kind}`,
    grade: 'checked',
    ok: true,
    detail: 'with the keys that the statement carries',
  };
}

function wrong(problem: string): Claim {
  return { claim: 'the signatures hold', grade: 'checked', ok: false, detail: problem };
}

function nameOf(keyid: string, known: readonly Identity[]): string | undefined {
  return known.find((identity) => {
    const ids = signingKeyIds(identity);
    return ids.ed25519 === keyid || ids.mlDsa65 === keyid;
  })?.name;
}
