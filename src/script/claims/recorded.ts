/** Claims that rest on somebody's word: answers, interruptions, deviations, the machine and the program. */
import type { Definition } from '../definition.js';
import { IDENTITY_MAKING } from '../enrolment.js';
import type { Entry, EntryData } from '../entries.js';
import { type Claim, yes } from '../verdict.js';

const ANSWERED: ReadonlySet<string> = new Set([
  'signoff',
  'deviation',
  'objection',
  'session.postponed',
]);

/** In production people answer for themselves, unless the definition says that nobody needs to be there. */
export function answerClaims(
  definition: Definition,
  opened: EntryData['session.opened'],
  entries: readonly Entry[],
): Claim[] {
  let people = 0;
  let files = 0;
  const count = (graded: 'recorded' | 'unattended'): unknown =>
    graded === 'unattended' ? files++ : people++;
  for (const entry of entries) {
    if (entry.type === 'step.finished') entry.data.people.forEach(({ graded }) => count(graded));
    if (ANSWERED.has(entry.type) && 'graded' in entry.data) count(entry.data.graded);
    const compared = entry.type === 'participant.enrolled' ? entry.data.how?.compared : undefined;
    if (compared !== undefined && compared !== null) count(compared.graded);
  }
  const claims: Claim[] = [];
  if (people > 0) claims.push(yes('recorded', 'answers of people', String(people)));
  if (files > 0) {
    const allowed = opened.environment !== 'production' || definition.unattended;
    claims.push({
      claim: 'answers in the place of people',
      grade: 'unattended',
      ok: allowed,
      detail: allowed ? String(files) : `${files}, and the definition is not unattended`,
    });
  }
  return claims;
}

/** What nobody can recompute: interruptions, deviations, the machine and the program. */
export function recordedClaims(
  opened: EntryData['session.opened'],
  entries: readonly Entry[],
  definition: Definition,
): Claim[] {
  const claims: Claim[] = [];
  const waived = new Set<string>();
  const enrolled = new Set<unknown>(
    entries.flatMap((it) => (it.type === 'participant.enrolled' ? [it.data.identity.id] : [])),
  );
  for (const { type, data, seq, time } of entries) {
    if (type === 'session.resumed') {
      const lost = data.lost.length === 0 ? 'nothing' : data.lost.join(', ');
      claims.push(
        yes('recorded', `entry ${seq}: a gap`, `${data.lastTime} to ${time}; lost: ${lost}`),
      );
    } else if (type === 'rollback') {
      const detail = `to ${data.toAct}/${data.toStep}: ${data.reason}`;
      claims.push(yes('recorded', `entry ${seq}: went back`, detail));
    } else if (type === 'branch.taken') {
      // That it follows from the record is checked with the steps.
      const values = Object.entries(data.values).map(
        ([name, it]) => `${name} is ${JSON.stringify(it)}`,
      );
      const detail = `"${data.side}", for ${data.condition}: ${values.join(', ')}`;
      claims.push(yes('checked', `entry ${seq}: the branch ${data.branch}`, detail));
    } else if (type === 'objection') {
      const grade = data.graded === 'unattended' ? 'unattended' : 'recorded';
      claims.push(yes(grade, `entry ${seq}: ${data.person} (${data.role}) OBJECTS`, data.reason));
    } else if (type === 'participant.enrolled') {
      claims.push(enrolledClaim(seq, data));
    } else if (type === 'event' && data.event === IDENTITY_MAKING) {
      if (!enrolled.has(data.data['id'])) claims.push(givenUpClaim(seq, data));
    } else if (type === 'session.postponed') {
      claims.push(yes('recorded', `entry ${seq}: postponed`, `${data.by}: ${data.reason}`));
    } else if (type === 'fault.injected') {
      const detail = `${data.fault} at ${data.act}/${data.step}`;
      claims.push(yes('recorded', `entry ${seq}: disturbed on purpose`, detail));
    } else if (type === 'key.retired') {
      const detail = `${data.algorithm} ${data.keyId.slice(0, 16)}, ${data.reason}`;
      claims.push(yes('recorded', `entry ${seq}: a key was abandoned`, detail));
    } else if (type === 'restore') {
      const detail = `${data.key.slice(0, 16)} from the shares ${data.shares.join(', ')}`;
      claims.push(yes('recorded', `entry ${seq}: a key was restored`, detail));
    } else if (type === 'wipe') {
      claims.push(yes('recorded', `entry ${seq}: ${data.key.slice(0, 16)}`, data.how));
    } else if (type === 'deviation') {
      if (data.about.startsWith('environment.')) waived.add(data.about.slice(12));
      const grade = data.graded === 'unattended' ? 'unattended' : 'recorded';
      const detail = `${data.happened} (${data.by}: ${data.reason})`;
      claims.push(yes(grade, `entry ${seq}: a deviation`, detail));
    }
  }
  for (const name of definition.environment.require) {
    const probe = opened.airGap.find((it) => it.name === name);
    if (probe?.result === 'ok' || waived.has(name)) continue;
    // A rehearsal or a dev run may take place anywhere; a real one may not.
    const detail = probe === undefined ? 'not in the report' : probe.detail;
    claims.push({
      claim: `the required probe ${name}`,
      grade: 'recorded',
      ok: opened.environment !== 'production',
      detail: `${detail}; no deviation says why`,
    });
  }
  const ok = opened.airGap.filter(({ result }) => result === 'ok').length;
  claims.push(
    yes('recorded', 'the air-gap report', `${ok} of ${opened.airGap.length} probes ok`),
    yes('recorded', 'the program', `conclave ${opened.tool.version}, ${opened.tool.digest}`),
  );
  if (opened.previous !== null) {
    const { ceremony, head } = opened.previous;
    claims.push(yes('recorded', 'the ceremony before', `${ceremony}, head sha256:${head}`));
  }
  return claims;
}

/** How somebody came by an identity, and by whose word the level stands. */
function enrolledClaim(seq: number, data: EntryData['participant.enrolled']): Claim {
  const { name, role, identity, level, how } = data;
  const compared = how?.compared ?? null;
  const words = [
    `identity ${identity.id.slice(0, 16)}`,
    ...(how === undefined ? [] : [how.origin === 'made' ? 'made here' : 'brought']),
    `level ${level}`,
    compared === null ? 'compared by nobody' : `compared by ${compared.by} (${compared.role})`,
  ];
  const grade = compared?.graded === 'unattended' ? 'unattended' : 'recorded';
  return yes(grade, `entry ${seq}: ${name} (${role}) was enrolled`, words.join(', '));
}

/** An identity that was begun and by which nobody took part: whoever finds its file must be able to tell what it is. */
function givenUpClaim(seq: number, { for: person = '', data }: EntryData['event']): Claim {
  const { id } = data;
  const detail = `${typeof id === 'string' ? id.slice(0, 16) : 'without an id'}, for ${person}`;
  return yes('recorded', `entry ${seq}: an identity was begun and given up`, detail);
}
