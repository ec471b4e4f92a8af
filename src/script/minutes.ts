/**
 * The minutes of a session: its transcript as a page that people read, initial and sign with ink. Everything on it stands in
 * the entries; nothing is checked here.
 */
import { entryHash } from '#custody/audit/chain';
import type { Definition } from './definition.js';
import { dutiesOf } from './duties.js';
import type { Entry, EntryData, Participant } from './entries.js';
import { isWitnessRole } from './people.js';
import { entryKey, instanceKey, plan } from './plan.js';
import { finalArtifacts } from './final-artifacts.js';
import { participantsOf } from './transcript.js';

const WIDTH = 80;

/**
 * Minutes in Markdown; long values stand in code blocks of at most 80 columns.
 * @param content - a session's definition and its entries, closed or not
 */
export function renderMinutes(content: {
  readonly definition: Definition;
  readonly entries: readonly Entry[];
}): string {
  const { definition, entries } = content;
  const [first] = entries;
  if (first?.type !== 'session.opened') return '# Minutes\n\nThe session was never opened.\n';
  const opened = first.data;
  const participants = participantsOf(entries);
  const sections = [
    heading(opened, entries),
    digests(opened, entries),
    people(participants),
    enrolled(entries),
    air(opened),
    acts(definition, participants, entries),
    irregularities(entries),
    artifacts(entries),
    signOffs(participants, entries),
    afterwards(definition, opened, entries),
  ];
  return `${sections.filter((section) => section !== '').join('\n\n')}\n`;
}

function heading(opened: EntryData['session.opened'], entries: readonly Entry[]): string {
  const last = entries.at(-1);
  const closed = last?.type === 'session.closed' ? last.data : undefined;
  const outcome =
    closed === undefined
      ? 'not closed yet'
      : closed.reason === null
        ? closed.outcome
        : `${closed.outcome}: ${closed.reason}`;
  return [
    `# Minutes: ${text(opened.title)}`,
    ...mark(opened),
    '',
    ...table(
      ['', ''],
      [
        ['Ceremony', opened.ceremony],
        ['Session', opened.session],
        ['Kind', opened.mode === 'rehearsal' ? 'rehearsal' : opened.classification],
        ['Opened', entries[0]?.time ?? ''],
        ['Closed', closed === undefined ? '' : (last?.time ?? '')],
        ['Outcome', outcome],
        ['Program', `conclave ${opened.tool.version}`],
        ...Object.entries(opened.parameters).map(([name, value]) => [
          `Parameter ${name}`,
          String(value),
        ]),
      ],
    ),
  ].join('\n');
}

function mark(opened: EntryData['session.opened']): readonly string[] {
  if (opened.environment === 'rehearsal')
    return ['', '**REHEARSAL. This is not evidence of a ceremony.**'];
  if (opened.environment === 'dev')
    return ['', '**DEV. Nothing that this ceremony made may be relied on.**'];
  return [];
}

function digests(opened: EntryData['session.opened'], entries: readonly Entry[]): string {
  const last = entries.at(-1) as Entry;
  const rows: [string, string][] = [
    ['definition', opened.definitionDigest],
    ['execution', opened.executionDigest],
    ...(opened.siteDigest === null ? [] : [['site file', opened.siteDigest] as [string, string]]),
    ['program', opened.tool.digest],
    ...(opened.previous === null
      ? []
      : [['ceremony before', `sha256:${opened.previous.head}`] as [string, string]]),
    ['head', `sha256:${entryHash(last)}`],
  ];
  const lines = rows.flatMap(([name, digest]) => [`${name}:`, ...grouped(digest)]);
  return `## Digests\n\nSHA-256, in groups of four.\n\n${code(lines)}`;
}

/** 64 digits in groups of four, eight to a line, so that they can be read aloud and compared. */
function grouped(digest: string): readonly string[] {
  const groups = digest.replace(/^sha256:/, '').match(/.{1,4}/g) ?? [];
  const lines: string[] = [];
  for (let i = 0; i < groups.length; i += 8) lines.push(`  ${groups.slice(i, i + 8).join(' ')}`);
  return lines;
}

function people(participants: readonly Participant[]): string {
  return [
    '## Participants',
    '',
    ...table(
      ['Name', 'Role', 'Identity', 'Level'],
      participants.map(({ name, role, identity, level }) => [
        name,
        role,
        identity === null ? 'none' : identity.id.slice(0, 16),
        level,
      ]),
    ),
  ].join('\n');
}

/** Who got an identity on the way: whole, so that it can be compared with the paper on which its owner has it. */
function enrolled(entries: readonly Entry[]): string {
  const found = entries.flatMap((entry) =>
    entry.type === 'participant.enrolled' ? [{ seq: entry.seq, ...entry.data }] : [],
  );
  if (found.length === 0) return '';
  const lines = found.flatMap(({ seq, name, role, identity, level, how }) => {
    const compared = how?.compared ?? null;
    const origin = how === undefined ? '' : how.origin === 'made' ? ', made here' : ', brought';
    const by = compared === null ? 'nobody' : `${compared.by}, ${compared.role}`;
    return [
      ...wrapped(`entry ${seq}: ${name}, ${role}${origin}; ${level}, compared by ${by}`),
      ...grouped(identity.id),
    ];
  });
  return `## Enrolled on the way\n\nIdentities, in groups of four.\n\n${code(lines)}`;
}

function air(opened: EntryData['session.opened']): string {
  if (opened.airGap.length === 0) return '';
  return [
    '## The machine',
    '',
    'As its own operating system tells of it.',
    '',
    ...table(
      ['Probe', 'Result', ''],
      opened.airGap.map(({ name, result, detail }) => [name, result, detail]),
    ),
  ].join('\n');
}

interface Row {
  readonly title: string;
  readonly who: string;
  readonly cells: string[];
}

/** Every step with its times, what was said and a blank for initials; what happened twice stands there twice. */
function acts(
  definition: Definition,
  participants: readonly Participant[],
  entries: readonly Entry[],
): string {
  const instances = plan(definition, participants);
  const started = new Map<string, string>();
  const rows = new Map<string, Row[]>();
  const add = (where: Where, status: string, to: string, said: string): void => {
    const key = entryKey(where);
    const step = instances.find((instance) => instanceKey(instance) === key);
    const who = where.for ?? step?.by ?? '';
    const cells = [started.get(key) ?? '', to, status, said];
    const title = step?.step.title ?? where.step;
    rows.set(where.act, [...(rows.get(where.act) ?? []), { title, who, cells }]);
  };
  const needsOf = (where: Where): string | undefined =>
    instances.find((instance) => instanceKey(instance) === entryKey(where))?.step.needs;
  for (const { type, data, time } of entries) {
    const clock = time.slice(11, 19);
    if (type === 'step.started') started.set(entryKey(data), clock);
    else if (type === 'step.finished') add(data, 'done', clock, saidIn(data, needsOf(data)));
    else if (type === 'step.failed') add(data, 'FAILED', clock, data.error.message);
    else if (type === 'step.skipped') add(data, 'skipped', clock, data.condition);
    else if (type === 'branch.taken') {
      const values = Object.entries(data.values).map(
        ([name, it]) => `${name}: ${JSON.stringify(it)}`,
      );
      const said = `${data.condition}; ${values.join('; ')}`;
      const title = definition.branches[data.branch]?.summary ?? data.branch;
      const cells = ['', clock, `way: ${data.side}`, said];
      rows.set(data.act, [...(rows.get(data.act) ?? []), { title, who: '', cells }]);
    }
  }
  const sections = definition.acts.flatMap((act, i) => {
    const done = rows.get(act.id) ?? [];
    if (done.length === 0) return [`### ${i + 1}. ${text(act.title)}\n\nNot reached.`];
    const lines = table(
      ['#', 'Step', 'Who', 'From', 'To', '', 'Recorded', 'Initials'],
      done.map(({ title, who, cells }, s) => [`${i + 1}.${s + 1}`, title, who, ...cells, '']),
    );
    return [`### ${i + 1}. ${text(act.title)}\n\n${lines.join('\n')}`];
  });
  return ['## Acts and steps', 'Times are UTC.', ...sections].join('\n\n');
}

/** @param needs - the quorum that agreed to this step, by its name: in one session it can be asked for several */
function saidIn(
  { people: said, outputs }: EntryData['step.finished'],
  needs: string | undefined,
): string {
  const words = said.map(
    ({ name, said: what, graded }) =>
      `${name}: ${short(what)}${graded === 'unattended' ? ' (unattended)' : ''}`,
  );
  const made = Object.entries(outputs).flatMap(([name, value]) =>
    typeof value === 'string' ? [`${name} ${short(value)}`] : [],
  );
  const quorum = needs === undefined ? [] : [`the quorum ${needs} agreed to this step`];
  return [...quorum, ...words, ...made].join('; ');
}

/** What interrupted or left the script. An empty sheet says so, and is crossed out by hand. */
function irregularities(entries: readonly Entry[]): string {
  const lines = entries.flatMap(({ type, data, seq, time }): string[] => {
    const at = `- Entry ${seq}, ${time}: `;
    switch (type) {
      case 'deviation':
        return [
          `${at}**deviation** (${text(data.about)}). Expected: ${text(data.expected)}. Happened: ` +
            `${text(data.happened)}. ${text(data.by)}: ${text(data.reason)}. ` +
            `Initials: ${data.initials.length === 0 ? 'none' : data.initials.map(text).join(', ')}.`,
        ];
      case 'objection':
        return [`${at}**objection** of ${text(data.person)} (${data.role}): ${text(data.reason)}.`];
      case 'session.postponed':
        return [`${at}**postponed**. ${text(data.by)}: ${text(data.reason)}.`];
      case 'fault.injected':
        return [`${at}**disturbed on purpose**: ${data.fault} at ${data.act}/${data.step}.`];
      case 'environment.checked': {
        const found = data.airGap.filter(({ result }) => result !== 'ok');
        return found.length === 0
          ? []
          : [
              `${at}**the machine** in act ${data.act}: ${found.map(({ name, detail }) => text(`${name}: ${detail}`)).join('; ')}.`,
            ];
      }
      case 'session.resumed':
        return [
          `${at}**gap**. The program was gone since ${data.lastTime}. Lost from memory: ` +
            `${data.lost.length === 0 ? 'nothing' : data.lost.map(text).join(', ')}.`,
        ];
      case 'rollback':
        return [`${at}**back** to ${data.toAct}/${data.toStep}: ${text(data.reason)}.`];
      case 'key.retired':
        return [
          `${at}**key ${data.keyId.slice(0, 16)}** (${text(data.algorithm)}) retired before use.`,
        ];
      case 'restore':
        return [
          `${at}**key ${data.key.slice(0, 16)}** restored in memory from the shares ` +
            `${data.shares.join(', ')}.`,
        ];
      case 'wipe':
        return data.how === 'wiped'
          ? []
          : [
              `${at}**key ${data.key.slice(0, 16)}** was lost with the process before it was wiped.`,
            ];
      default:
        return [];
    }
  });
  const body = lines.length === 0 ? 'None. Cross out: ____________________' : lines.join('\n');
  return `## Deviations and gaps\n\n${body}`;
}

function artifacts(entries: readonly Entry[]): string {
  const made = finalArtifacts(entries);
  if (made.length === 0) return '';
  const lines = made.flatMap(({ path, sha256, size }) => [
    ...wrapped(`${path} (${size} bytes)`),
    ...grouped(sha256),
  ]);
  return `## Artifacts\n\nSHA-256, in groups of four.\n\n${code(lines)}`;
}

function signOffs(participants: readonly Participant[], entries: readonly Entry[]): string {
  const said = entries.flatMap((entry) => (entry.type === 'signoff' ? [entry.data] : []));
  const rows = said.map(({ person, role, agrees, reason, graded }) => [
    person,
    role,
    agrees ? 'agrees' : `DISAGREES: ${reason ?? ''}`,
    graded,
  ]);
  const signing = participants.filter(
    ({ name, role }) =>
      isWitnessRole(role) || said.some((it) => it.person === name && it.role === role),
  );
  const blanks = signing.map(({ name, role }) =>
    [
      ...wrapped(`${name}, ${role}`),
      '',
      '  signature ______________________________   date and time ___________________',
    ].join('\n'),
  );
  return [
    '## Sign-offs',
    rows.length === 0
      ? 'Nobody signed off.'
      : table(['Name', 'Role', 'Says', 'Heard'], rows).join('\n'),
    ...(blanks.length === 0 ? [] : [code(blanks.join('\n\n').split('\n'))]),
  ].join('\n\n');
}

/** What the session owes, by the way that it went. */
function afterwards(
  definition: Definition,
  opened: EntryData['session.opened'],
  entries: readonly Entry[],
): string {
  const duties = dutiesOf(definition, entries);
  if (duties.length === 0) return '';
  return [
    '## Due afterwards',
    '',
    ...(opened.mode === 'rehearsal'
      ? ['A rehearsal owes nothing. A real session would owe:', '']
      : []),
    ...table(
      ['', 'What', 'Due on', 'Done on', 'Initials'],
      duties.map(({ duty, due }) => ['', duty, due.slice(0, 10), '', '']),
    ),
  ].join('\n');
}

interface Where {
  readonly act: string;
  readonly step: string;
  readonly for?: string;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const line = (cells: readonly string[]): string => `| ${cells.map(text).join(' | ')} |`;
  return [line(head), `|${' --- |'.repeat(head.length)}`, ...rows.map(line)];
}

function code(lines: readonly string[]): string {
  return ['```', ...lines.flatMap((line) => (line === '' ? [''] : wrapped(line))), '```'].join(
    '\n',
  );
}

/** A line cut to the width of a terminal; what continues is indented. */
function wrapped(line: string): readonly string[] {
  const clean = line.replaceAll('`', "'");
  if (clean.length <= WIDTH) return [clean];
  const rest = clean.slice(WIDTH).match(new RegExp(`.{1,${WIDTH - 4}}`, 'gu')) ?? [];
  return [clean.slice(0, WIDTH), ...rest.map((part) => `    ${part}`)];
}

/** Text of people inside Markdown: nothing in it may become markup, a link or another line. */
function text(value: string): string {
  return value.replaceAll(/\s*\n\s*/g, ' ').replaceAll(/[\\`*_[\]<>|#]/g, (sign) => `\\${sign}`);
}

function short(value: string): string {
  return value.length <= 72 ? value : `${value.slice(0, 71)}…`;
}
