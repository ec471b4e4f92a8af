/**
 * Whether a transcript holds: every claim that it makes, each with a grade. Nothing in it is believed before it is
 * recomputed, or signed by somebody whom the verifier pinned.
 * @see docs/spec/transcript.md
 */
import { verifyChain } from '#custody/audit/chain';
import type { ActionDescription } from '#formats/action';
import { equal, toHex, utf8 } from '#formats/bytes';
import { InputError } from '#formats/errors';
import { type ArtifactEvidence, artifactClaims, keyClaims } from './claims/artifacts.js';
import { answerClaims, recordedClaims } from './claims/recorded.js';
import { type Signatures, signatureClaims, signOffClaims } from './claims/signatures.js';
import type { Definition } from './definition.js';
import { enrolledRoles } from './enrolment.js';
import type { Entry, EntryData, Participant } from './entries.js';
import { lint } from './lint.js';
import { parseDefinition, type ParsedDefinition } from './parse.js';
import { peopleProblems } from './people.js';
import { executionDigest } from './plan.js';
import { replaySession } from './replay.js';
import type { Replayed } from './replayed.js';
import { HEAD_NAME, type Transcript } from './transcript.js';
import { type Claim, no, type Verdict, yes } from './verdict.js';

/** What the checker is given besides the transcript. */
export interface TranscriptEvidence extends ArtifactEvidence {
  readonly signatures: Signatures;
  /** Descriptions of the actions, for what each step leaves behind. */
  readonly catalogue: readonly ActionDescription[];
  /** The definition file that lies beside the transcript, when there is one. */
  readonly definitionFile?: Uint8Array;
  /** What was found about the file that the transcript came in; it counts as all else does. */
  readonly carrier?: readonly Claim[];
}

/** The verdict on a transcript. Tampering is an answer, never an error. */
export async function checkTranscript(
  transcript: Transcript,
  evidence: TranscriptEvidence,
): Promise<Verdict> {
  const { entries } = transcript;
  const [first] = entries;
  const opened = first?.type === 'session.opened' ? first.data : undefined;
  const claims: Claim[] = [...(evidence.carrier ?? []), ...chainClaims(transcript)];
  if (opened === undefined) {
    claims.push(no('checked', 'the session', 'entry 0 does not open a session'));
    return verdict(claims, [], 'a transcript that does not begin');
  }
  const parsed = definitionClaims(transcript, opened, evidence, claims);
  if (parsed === undefined) {
    return verdict(
      claims,
      marksOf(opened, undefined, evidence, entries),
      describe(opened, entries),
    );
  }
  const { definition } = parsed;
  const replayed = replaySession(definition, entries, evidence.catalogue);
  claims.push(...openingClaims(definition, opened, evidence));
  claims.push(
    replayed.violation === undefined
      ? yes('checked', 'the steps follow the definition', `${entries.length} entries`)
      : no(
          'checked',
          'the steps follow the definition',
          `entry ${replayed.violation.seq}: ${replayed.violation.reason}`,
        ),
  );
  claims.push(
    ...peopleClaims(
      definition,
      replayed.participants,
      opened,
      replayed.closed?.outcome === 'aborted',
    ),
  );
  claims.push(...keyClaims(opened, replayed.keys));
  claims.push(...(await artifactClaims(transcript, replayed, definition, evidence)));
  claims.push(...signatureClaims(opened, replayed, evidence.signatures));
  claims.push(...signOffClaims(replayed, evidence.signatures));
  claims.push(...answerClaims(definition, opened, entries));
  claims.push(...recordedClaims(opened, entries, definition));
  claims.push(adviceClaim(parsed, evidence.catalogue));
  return verdict(claims, marksOf(opened, replayed, evidence, entries), describe(opened, entries));
}

function chainClaims({ chain, subjects }: Transcript): Claim[] {
  const links = verifyChain(chain);
  if (!links.ok) return [no('checked', 'the chain of entries', links.reason)];
  const head = links.head?.hash ?? '';
  const [subject] = subjects;
  const named =
    subject?.name === HEAD_NAME &&
    subject.digest['sha256'] === head &&
    Object.keys(subject.digest).length === 1;
  return [
    yes('checked', 'the chain of entries', `${chain.length} entries, each names its predecessor`),
    named
      ? yes('checked', 'the head', `sha256:${head}`)
      : no('checked', 'the head', 'the first subject is not the hash of the last entry'),
  ];
}

function definitionClaims(
  { definition: text }: Transcript,
  opened: EntryData['session.opened'],
  { sha256, definitionFile }: TranscriptEvidence,
  claims: Claim[],
): ParsedDefinition | undefined {
  const bytes = utf8(text);
  const digest = `sha256:${toHex(sha256(bytes))}`;
  const name = 'the definition';
  if (digest !== opened.definitionDigest) {
    claims.push(
      no('checked', name, 'its digest is not the one that entry 0 opened the session with'),
    );
    return undefined;
  }
  if (definitionFile !== undefined && !equal(definitionFile, bytes)) {
    claims.push(no('checked', name, 'definition.yaml beside the transcript is another one'));
    return undefined;
  }
  try {
    const parsed = parseDefinition(bytes, 'definition');
    const { definition } = parsed;
    const same =
      definition.id === opened.ceremony &&
      definition.title === opened.title &&
      definition.classification === opened.classification;
    claims.push(
      same
        ? yes('checked', name, `${definition.id}, ${digest}`)
        : no('checked', name, 'entry 0 names another ceremony, title or classification'),
    );
    return parsed;
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    claims.push(no('checked', name, error.message));
    return undefined;
  }
}

function openingClaims(
  definition: Definition,
  opened: EntryData['session.opened'],
  { sha256 }: TranscriptEvidence,
): Claim[] {
  const claims: Claim[] = [];
  const digest = executionDigest(opened, sha256);
  claims.push(
    digest === opened.executionDigest
      ? yes('checked', 'the execution', digest)
      : no(
          'checked',
          'the execution',
          'entry 0: its digest does not cover these people and values',
        ),
  );
  const expected =
    opened.mode === 'rehearsal'
      ? 'rehearsal'
      : definition.classification === 'dev'
        ? 'dev'
        : 'production';
  if (opened.environment !== expected) {
    const problem = `entry 0 says ${opened.environment}, and this session was ${expected}`;
    claims.push(no('checked', 'the mark', problem));
  }
  const wrong = parameterProblem(definition, opened.parameters);
  if (wrong !== undefined) claims.push(no('checked', 'the parameters', `entry 0: ${wrong}`));
  return claims;
}

function parameterProblem(
  definition: Definition,
  given: EntryData['session.opened']['parameters'],
): string | undefined {
  const unknown = Object.keys(given).find((name) => !Object.hasOwn(definition.parameters, name));
  if (unknown !== undefined) return `the definition has no parameter ${unknown}`;
  for (const [name, parameter] of Object.entries(definition.parameters)) {
    const value = given[name];
    const type =
      parameter.type === 'integer' ? 'number' : parameter.type === 'boolean' ? 'boolean' : 'string';
    if (value === undefined) return `the parameter ${name} has no value`;
    if (typeof value !== type) return `the parameter ${name} is not of type ${parameter.type}`;
    if (parameter.choices !== undefined && !parameter.choices.includes(String(value)))
      return `the parameter ${name} has none of its values`;
  }
  return undefined;
}

function peopleClaims(
  definition: Definition,
  participants: readonly Participant[],
  opened: EntryData['session.opened'],
  aborted: boolean,
): Claim[] {
  const problems = [
    ...peopleProblems(
      definition,
      participants.map(({ name, role, identity, level }) => ({
        name,
        role,
        identity: identity?.id ?? null,
        // In a rehearsal identities are made on the spot, and known to nobody.
        ...(opened.environment === 'production' ? { level } : {}),
      })),
      // A session that ended early may have ended before everybody had got an identity.
      aborted ? enrolledRoles(definition) : undefined,
    ),
    ...participants.flatMap(({ name, identity }) =>
      identity === null || identity.environment === opened.environment
        ? []
        : [`${name} has a ${identity.environment} identity in a ${opened.environment} session`],
    ),
  ];
  if (problems.length > 0) return [no('checked', 'the people', problems.join('; '))];
  return [
    yes('checked', 'the people', `${participants.length}, as the definition asks for`),
    ...participants.map(({ name, role, identity, level }) =>
      yes(
        'recorded',
        `${name} took part as ${role}`,
        identity === null ? 'no identity' : `identity ${identity.id.slice(0, 16)}, level ${level}`,
      ),
    ),
  ];
}

/** The linter's word is advice here: the definition may be older than its rules. */
function adviceClaim(
  { definition, positions }: ParsedDefinition,
  catalogue: readonly ActionDescription[],
): Claim {
  const [finding, ...more] = lint(definition, positions, catalogue);
  const detail =
    finding === undefined
      ? 'no finding'
      : `line ${finding.line}: ${finding.message}${more.length === 0 ? '' : ` (and ${more.length} more)`}`;
  return yes('advisory', 'the linter on the definition', detail);
}

function marksOf(
  opened: EntryData['session.opened'],
  replayed: Replayed | undefined,
  { signatures }: TranscriptEvidence,
  entries: readonly Entry[],
): readonly string[] {
  const marks: string[] = [];
  if (opened.mode === 'rehearsal' || opened.environment === 'rehearsal')
    marks.push('REHEARSAL: not evidence of a ceremony');
  if (opened.classification === 'dev' || opened.environment === 'dev')
    marks.push('DEV: nothing of this ceremony may be relied on');
  if (signatures.pinned === undefined) marks.push('signers not pinned');
  if (replayed?.closed?.outcome === 'aborted') marks.push('ABORTED');
  const { length: objections } = entries.filter(({ type }) => type === 'objection');
  if (objections > 0)
    marks.push(`${objections} ${objections === 1 ? 'OBJECTION' : 'OBJECTIONS'} on the way`);
  const against = replayed?.signoffs.filter(({ agrees }) => !agrees).length ?? 0;
  if (against > 0) marks.push(`${against} of the participants DISAGREE`);
  return marks;
}

function describe(opened: EntryData['session.opened'], entries: readonly Entry[]): string {
  const last = entries.at(-1);
  return `${opened.title}, session ${opened.session}, ${opened.ceremony}, closed ${last?.time ?? ''}`;
}

function verdict(claims: readonly Claim[], marks: readonly string[], about: string): Verdict {
  const wrong = claims.filter(({ ok }) => !ok);
  const [first] = wrong;
  const problem = first === undefined ? [] : [`does not hold: ${first.claim}: ${first.detail}`];
  return {
    ok: wrong.length === 0,
    kind: 'transcript',
    summary: [...marks, ...problem, about].join('; '),
    claims,
  };
}
