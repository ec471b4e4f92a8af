/**
 * The paper script: a definition as pages that people fill in by hand while the ceremony runs. Nothing on it is checked here; it
 * says what the definition says, and leaves blanks where the day will tell.
 */
import type { Definition, Expression, OnSide, Side, Step } from './definition.js';
import { enrolledRoles, mayVouch, roleEnrolledBy } from './enrolment.js';
import { referencesIn } from './expression.js';
import {
  placesOf,
  savedOnTheLongerWay,
  spokenCondition,
  targetOnPaper,
  whenGone,
} from './paper-ways.js';
import { holderLetter } from './plan.js';
import { bare, groupsOf } from './spoken.js';

/** Minutes that a step of a kind takes when its definition does not say. */
const MINUTES: Readonly<Record<string, number>> = {
  action: 2,
  confirm: 2,
  ask: 2,
  'read-back': 3,
  handover: 2,
  seal: 4,
  pause: 5,
  'sign-off': 3,
};

const SHORT = '______';
const LONG = '______________________';
/** Room for the groups of a digest. */
const SIXTEEN = Array.from({ length: 16 }, () => SHORT).join(' ');

/** How many exception sheets are printed; unused ones are crossed out at the end. */
const EXCEPTION_SHEETS = 3;

/** What a plan is made from. */
export interface PlanContent {
  readonly definition: Definition;
  /** `sha256:HEX` of the definition's bytes. */
  readonly digest: string;
  /** Who takes part, when that is known already. */
  readonly participants?: readonly { readonly name: string; readonly role: string }[];
}

/** Minutes that one step takes, all its holders together. */
export function minutesOf(definition: Definition, step: Step): number {
  const each = step.each === undefined ? 1 : (definition.roles[step.each]?.count ?? 1);
  const kind = step.kind === 'human' ? step.human : 'action';
  return (step.minutes ?? MINUTES[kind] ?? 2) * each;
}

/** Minutes of the whole ceremony, conditional steps included; of each branch the longer way. */
export function budgetOf(definition: Definition): number {
  const cost = (step: Step): number => minutesOf(definition, step);
  const all = definition.acts.flatMap(({ steps }) => steps);
  const sum = all.reduce((total, step) => total + cost(step), 0);
  return sum - savedOnTheLongerWay(definition, cost);
}

/** The plan in Markdown. */
export function renderPlan(content: PlanContent): string {
  const { definition } = content;
  return `${[
    opening(content),
    people(content),
    materials(definition),
    machine(definition),
    waived(definition),
    budget(definition),
    branches(definition),
    ...definition.acts.map((_, i) => act(definition, i)),
    exceptions(),
    signOffs(content),
    duties(definition),
  ]
    .filter((section) => section !== '')
    .join('\n\n')}\n`;
}

function opening({ definition, digest }: PlanContent): string {
  const dev = definition.classification === 'dev';
  return [
    `# Script: ${text(definition.title)}`,
    ...(dev ? ['', '**DEV. Nothing that this ceremony makes may be relied on.**'] : []),
    '',
    text(definition.summary),
    '',
    `Ceremony \`${definition.id}\`. Planned for ${LONG}. Begun ${SHORT} UTC. Ended ${SHORT} UTC.`,
    '',
    'SHA-256 of this script, read back in the first act:',
    '',
    '```',
    ...rows(groupsOf(digest)),
    '```',
    '',
    'SHA-256 of this execution, copied from the screen when the witnesses have heard it:',
    '',
    ...Array.from({ length: 2 }, () => Array.from({ length: 8 }, () => SHORT).join(' ') + '\n'),
    'Head of the transcript, copied from the screen at the end:',
    '',
    ...Array.from({ length: 2 }, () => Array.from({ length: 8 }, () => SHORT).join(' ') + '\n'),
  ]
    .join('\n')
    .trimEnd();
}

/** Eight groups to a line. */
function rows(groups: readonly string[]): readonly string[] {
  const lines: string[] = [];
  for (let i = 0; i < groups.length; i += 8) lines.push(groups.slice(i, i + 8).join(' '));
  return lines;
}

function people({ definition, participants = [] }: PlanContent): string {
  const lines = Object.entries(definition.roles).flatMap(([role, rule]) => {
    const known = participants.filter((it) => it.role === role);
    return Array.from({ length: Math.max(rule.count, known.length) }, (_, i) => [
      text(known[i]?.name ?? ''),
      role,
      `${enrolledRoles(definition).has(role) ? 'identity, from this day' : rule.identity === 'required' ? 'identity' : 'ink'}${rule.level === undefined ? '' : `, ${rule.level}`}`,
      '',
      '',
      '',
    ]);
  });
  const rules = Object.entries(definition.roles).flatMap(([role, { distinctFrom, summary }]) => [
    `- **${role}** ${text(summary)}${distinctFrom.length === 0 ? '' : `; nobody of them is ${distinctFrom.join(' or ')}`}.`,
  ]);
  const quorums = Object.entries(definition.quorums).map(
    ([name, { of, threshold, shares }]) =>
      `- Quorum **${name}**: any ${threshold} of ${shares}, of the role ${of}.`,
  );
  return [
    '## Participants',
    '',
    ...table(['Name in print', 'Role', 'Signs by', 'Document shown', 'Arrived', 'Initials'], lines),
    '',
    ...rules,
    ...quorums,
  ].join('\n');
}

function materials({ materials: declared, acts }: Definition): string {
  const entries = Object.entries(declared);
  const tokens = [
    ...new Set(
      acts
        .flatMap(({ steps }) => steps)
        .flatMap((step) => {
          const token = step.kind === 'action' ? step.with['token'] : undefined;
          return typeof token === 'string' && !token.includes('${{') ? [token] : [];
        }),
    ),
  ];
  const lines = [
    ...entries.flatMap(([, { kind, count, serial }]) =>
      serial === 'none'
        ? [['[ ]', text(kind), String(count), '', '']]
        : Array.from({ length: count }, (_, i) => ['[ ]', text(kind), String(i + 1), LONG, '']),
    ),
    ...tokens.map((token) => ['[ ]', `token ${text(token)}`, '1', LONG, '']),
    ['[ ]', 'this script, printed for everybody', '', '', ''],
    ['[ ]', 'the machine, its power supply, a spare of both', '', LONG, ''],
    ['[ ]', 'the medium with the program, and SHA256SUMS on paper from another source', '', '', ''],
  ];
  return [
    '## Materials',
    '',
    'Lay out before anybody else enters. Serials are written here when the thing is first taken into the hand.',
    '',
    ...table(['', 'What', 'No.', 'Serial', 'Initials'], lines),
  ].join('\n');
}

function machine({ environment }: Definition): string {
  if (environment.require.length === 0) return '';
  const when = environment.recheck
    ? 'They are looked at when the session opens, in every act, and whenever it goes on.'
    : 'They are looked at when the session opens.';
  return [
    '## The machine',
    '',
    `Required to be in order, or a deviation says why not. ${when}`,
    '',
    ...environment.require.map((probe) => `- [ ] ${probe}`),
  ].join('\n');
}

/** What each waiver means, for whoever holds the paper and can still object. */
const WAIVED: Readonly<Record<string, string>> = {
  'n-of-n':
    'Everybody of a quorum is needed: one who is missing stops it, and where these are all shares of a key, one lost share loses it.',
  'threshold-1': 'One share alone is the secret: whoever holds one holds the key.',
  draft:
    'An algorithm follows a draft: what it makes may be unreadable to what follows the final standard.',
  'token-only':
    'A key is made inside a token and never leaves it: it has no second copy, goes to no token of another maker, and is lost with ' +
    'its token.',
};

function waived({ waive }: Definition): string {
  if (waive.length === 0) return '';
  return [
    '## Dangers that are meant',
    '',
    ...waive.map((waiver) => `- **${waiver}** ${WAIVED[waiver] ?? ''}`),
  ].join('\n');
}

function budget(definition: Definition): string {
  const lines = definition.acts.map(({ title, steps, branch }, i) => [
    String(i + 1),
    branch === undefined
      ? text(title)
      : `${text(title)} (way "${branch.side}" of ${branch.branch})`,
    String(steps.reduce((sum, step) => sum + minutesOf(definition, step), 0)),
    SHORT,
    SHORT,
  ]);
  const total = budgetOf(definition);
  const hours = `${Math.floor(total / 60)} h ${String(total % 60).padStart(2, '0')} min`;
  return [
    '## Time',
    '',
    ...table(['Act', '', 'Minutes', 'From', 'To'], lines),
    '',
    `${total} minutes in all (${hours}), without breaks${Object.keys(definition.branches).length === 0 ? '' : '; of each branch the longer way'}.`,
  ].join('\n');
}

/** Both ways of every branch; which one it was is ticked on the day. */
function branches(definition: Definition): string {
  const entries = Object.entries(definition.branches);
  if (entries.length === 0) return '';
  const way = (branch: string, side: Side): string =>
    `${placesOf(definition, branch, side)}, ${text(whenGone(definition, { branch, side }))}`;
  return [
    '## Branches',
    '',
    'One way of each is gone. The steps of the other one are crossed out.',
    '',
    ...table(
      ['Branch', 'What it decides', 'Way "then"', 'Way "else"', 'Way taken', 'Initials'],
      entries.map(([name, { summary }]) => [
        name,
        text(summary),
        way(name, 'then'),
        way(name, 'else'),
        '( ) then ( ) else',
        '',
      ]),
    ),
  ].join('\n');
}

/** Which way an act or a step lies on; both say it alike. */
function onWay({ branch, side }: OnSide): string {
  return `Way "${side}" of the branch ${branch} only.`;
}

function act(definition: Definition, at: number): string {
  const { title, steps, branch } = definition.acts[at] as Definition['acts'][number];
  const lines = steps.flatMap((step, s) => {
    const holders = step.each === undefined ? 1 : (definition.roles[step.each]?.count ?? 1);
    return Array.from({ length: holders }, (_, i) => [
      `${at + 1}.${s + 1}${holders === 1 ? '' : holderLetter(i)}`,
      i === 0 ? activity(definition, step, branch !== undefined) : '"',
      holders === 1 ? step.by : `${step.each ?? step.by} ${i + 1}`,
      i === 0 ? String(minutesOf(definition, step)) : '',
      recorded(step),
      '',
      '',
    ]);
  });
  return [
    `## Act ${at + 1}: ${text(title)}`,
    '',
    ...(branch === undefined
      ? []
      : [
          `**${onWay(branch)}** It is gone ${text(whenGone(definition, branch))}. ( ) gone ( ) crossed out`,
          '',
        ]),
    ...table(['Step', 'Activity', 'Who', 'Min', 'Recorded', 'Time UTC', 'Initials'], lines),
  ].join('\n');
}

/** Who must agree before a step. A quorum that is asked twice agrees twice, each time to one step. */
function agreement(definition: Definition, { id, needs }: Step): string {
  const quorum = needs === undefined ? undefined : definition.quorums[needs];
  if (quorum === undefined) return '';
  const steps = definition.acts.flatMap((act) => act.steps).filter((it) => it.needs === needs);
  const again = steps.findIndex((it) => it.id === id) > 0;
  return (
    `The quorum ${String(needs)}, ${quorum.threshold} of ${quorum.shares}, agrees to this step first` +
    `${again ? '; what it agreed to before does not count here' : ''}.`
  );
}

/** `whole`: that its act lies on the way is said above it. */
function activity(definition: Definition, step: Step, whole: boolean): string {
  const notes = [
    step.say === undefined ? '' : text(readable(step.say)),
    step.branch === undefined || whole ? '' : onWay(step.branch),
    step.when === undefined ? '' : `Only when ${text(spokenCondition(definition, step.when))}.`,
    agreement(definition, step),
    step.kind === 'action' && step.effect === 'irreversible' ? '**It cannot be undone.**' : '',
    step.retry > 0 ? `It may fail ${step.retry} times.` : '',
    onFailure(definition, step),
    step.timeout === undefined ? '' : `After ${step.timeout} minutes a reason is recorded.`,
  ].filter((note) => note !== '');
  return [`**${text(step.title)}**`, ...notes].join(' ');
}

function onFailure(definition: Definition, { onFailure: what, elsewhere }: Step): string {
  switch (what) {
    case 'deviate':
      return 'It may be left out, with a reason.';
    case 'postpone':
      return 'When it fails, the ceremony is postponed.';
    case 'elsewhere':
      return elsewhere === undefined
        ? ''
        : `When it fails, the ceremony goes to ${targetOnPaper(definition, elsewhere)}.`;
    case 'abort':
    case 'retry':
      return '';
  }
}

/** References are blanks on paper: what they stand for is known only then. */
function readable(say: string): string {
  return say.replaceAll(/\$\{\{[^}]*\}\}/g, SHORT);
}

function recorded(step: Step): string {
  if (roleEnrolledBy(step) !== undefined)
    return `( ) made ( ) brought, ${SIXTEEN} compared by ${SHORT}`;
  if (step.kind !== 'human') return '[ ] done';
  switch (step.human) {
    case 'seal':
      return `serial ${LONG}`;
    case 'ask':
      return step.choices === undefined
        ? LONG
        : step.choices.map((choice) => `( ) ${text(choice)}`).join(' ');
    case 'read-back':
      return madeHere(step.value)
        ? `${SIXTEEN} [ ] agrees with my copy`
        : '[ ] agrees with my copy';
    case 'handover':
      return '[ ] received';
    case 'sign-off':
      return '( ) agrees ( ) disagrees';
    case 'confirm':
    case 'pause':
      return '[ ] yes';
  }
}

/** What an earlier step gave stands on no paper that was printed before: there must be room to write it down. */
function madeHere(value: Expression | undefined): boolean {
  return (
    value !== undefined && referencesIn(value).some(({ reference: { root } }) => root === 'steps')
  );
}

function exceptions(): string {
  const sheet = (number: number): string =>
    [
      `## Exception sheet ${number}`,
      '',
      `( ) used ( ) not used, crossed out at the end. Step ${SHORT}. Begun ${SHORT} UTC. Ended ${SHORT} UTC.`,
      '',
      ...['What was expected', 'What happened', 'What was decided, and why'].flatMap((what) => [
        `${what}:`,
        '',
        `${LONG}${LONG}${LONG}\n`,
        `${LONG}${LONG}${LONG}\n`,
      ]),
      `Administrator ${SHORT} Witnesses ${SHORT} ${SHORT}. Somebody disagrees: ( ) no ( ) yes, on the back.`,
    ].join('\n');
  return Array.from({ length: EXCEPTION_SHEETS }, (_, i) => sheet(i + 1)).join('\n\n');
}

function signOffs({ definition, participants = [] }: PlanContent): string {
  const signing = Object.entries(definition.roles)
    .filter(([role]) => mayVouch(role) || enrolledRoles(definition).has(role))
    .flatMap(([role, { count }]) => {
      const known = participants.filter((it) => it.role === role);
      return Array.from({ length: count }, (_, i) => [
        text(known[i]?.name ?? ''),
        role,
        '( ) I was present, the script was followed but for the exception sheets, and this record is true. ( ) I do not agree, because',
        '',
        '',
      ]);
    });
  return [
    '## Sign-off',
    '',
    ...table(['Name in print', 'Role', '', 'Signature', 'Date, time, zone'], signing),
  ].join('\n');
}

function duties({ after }: Definition): string {
  if (after.length === 0) return '';
  return [
    '## Afterwards',
    '',
    ...table(
      ['', 'What', 'Within', 'Due on', 'Done on', 'Initials'],
      after.map(({ duty, within, branch }) => [
        '[ ]',
        `${text(readable(duty))}${branch === undefined ? '' : ` (way "${branch.side}" of ${branch.branch})`}`,
        inWords(within),
        '',
        '',
        '',
      ]),
    ),
  ].join('\n');
}

/** `P1Y2M` as `1 year, 2 months`. */
export function inWords(duration: string): string {
  const units: Readonly<Record<string, string>> = { Y: 'year', M: 'month', W: 'week', D: 'day' };
  return [
    ...bare(duration)
      .toUpperCase()
      .matchAll(/(\d+)([YMWD])/g),
  ]
    .map(([, count, unit = '']) => `${count ?? ''} ${units[unit] ?? ''}${count === '1' ? '' : 's'}`)
    .join(', ');
}

function table(head: readonly string[], lines: readonly (readonly string[])[]): readonly string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), `|${' --- |'.repeat(head.length)}`, ...lines.map(line)];
}

/** Text of a definition inside Markdown: nothing in it may become markup, a link or another line. */
function text(value: string): string {
  return value
    .trim()
    .replaceAll(/\s*\n\s*/g, ' ')
    .replaceAll(/(?<!_)_(?!_)|[\\`*[\]<>|#]/g, (sign) => `\\${sign}`);
}
