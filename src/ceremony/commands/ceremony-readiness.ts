/** `ceremony readiness`: what still stands between a ceremony and its day. */
import { join } from 'node:path';
import { placeNamed } from '#actions/threshold/memory-place';
import { parseSite } from '#script/parse';
import type { Definition } from '#script/definition';
import { FAULTS } from '#script/entries';
import { digestText } from '../close.js';
import { type CommandContext, defineCommand } from '../command.js';
import { boundsOf, readSession, sessionsIn } from '../past-session.js';
import { CEREMONY_FILES, findCeremony, type Place } from '../place.js';
import { checkCeremony } from '../soundness.js';

/** One thing that was looked at. */
export interface Readiness {
  readonly about: string;
  /** `note` says something that people should know and that keeps nobody from beginning. */
  readonly result: 'ok' | 'missing' | 'note';
  readonly detail: string;
}

/** The report. */
export interface ReadinessReport {
  /** Whether nothing is missing. */
  readonly ok: boolean;
  readonly ceremony: string;
  readonly definitionDigest: string;
  readonly points: readonly Readiness[];
}

export const ceremonyReadiness = defineCommand({
  id: 'ceremony.readiness',
  summary: 'tell what still stands between a ceremony and its day',
  description:
    'Looks at a ceremony directory: whether the script is sound, who takes part and with which identities, what the site file binds, ' +
    'whether exactly this script was rehearsed to its end, which faults were practised, how long it took, and this machine. Exit 1 ' +
    'when something is missing.',
  inputs: {
    ceremony: {
      type: 'path',
      summary: 'a ceremony directory',
      required: true,
      positional: 0,
      placeholder: 'DIR',
    },
  },
  outputs: {},
  effect: 'none',
  only: 'cli',
  exits: [1],
  examples: [
    { command: 'conclave ceremony readiness acme', explains: 'exit 1 while something is missing' },
  ],
  run: async ({ ceremony }, context): Promise<ReadinessReport> => {
    const { files } = context.host;
    const place = findCeremony(files, context.shippedCeremonies, ceremony);
    const { definition, digestOf, findings, awaited } = await checkCeremony(context, place);
    const definitionDigest = digestText(digestOf);
    const points = [
      ...findings.map(({ file, line, column, message }) =>
        missing('the script', `${file}:${line}:${column}: ${message}`),
      ),
      ...(findings.length === 0 ? [fine('the script', 'nothing was found')] : []),
      ...people(context, place, awaited),
      ...bindings(context, place, definition),
      ...(await rehearsals(context, place, definitionDigest)),
      ...machine(context, definition),
    ];
    return {
      ok: points.every(({ result }) => result !== 'missing'),
      ceremony: definition.id,
      definitionDigest,
      points,
    };
  },
  present: ({ ok, points, definitionDigest }) =>
    [
      ...points.map(
        ({ about, result, detail }) =>
          `${(result === 'missing' ? 'MISSING' : result).padEnd(7)}  ${about}: ${detail}`,
      ),
      definitionDigest,
      ok ? 'ready' : 'NOT READY',
    ].join('\n'),
});

function fine(about: string, detail: string): Readiness {
  return { about, result: 'ok', detail };
}

function missing(about: string, detail: string): Readiness {
  return { about, result: 'missing', detail };
}

function note(about: string, detail: string): Readiness {
  return { about, result: 'note', detail };
}

function people(
  { host: { files } }: CommandContext,
  { participants, folder }: Place,
  awaited: readonly string[],
): readonly Readiness[] {
  const about = 'the people';
  if (participants === undefined || !files.exists(participants)) {
    return [missing(about, `they are not listed in ${join(folder, CEREMONY_FILES.participants)}`)];
  }
  if (awaited.length > 0) return awaited.map((what) => missing(about, `still to come, ${what}`));
  return [fine(about, `all that ${participants} names are known here`)];
}

/** Files from outside and tokens: named by the site file, or there under the name that the script gives them. */
function bindings(
  { host: { files } }: CommandContext,
  { site, folder }: Place,
  definition: Definition,
): readonly Readiness[] {
  const bound =
    site !== undefined && files.exists(site) ? parseSite(files.read(site), site) : undefined;
  const about = 'this place';
  const points: Readiness[] = [];
  const tokens = definition.acts
    .flatMap(({ steps }) => steps)
    .flatMap((step) => (step.kind === 'action' ? [step.with['token']] : []))
    .filter((token) => typeof token === 'string')
    .filter((token) => !token.includes('${{'));
  for (const [name, { type, default: initial }] of Object.entries(definition.parameters)) {
    if (type !== 'path') continue;
    const named = placeNamed(String(initial ?? ''));
    if (named.kind === 'token') tokens.push(named.token);
    if (named.kind !== 'folder') continue;
    const path = bound?.bindings[name];
    const at = path === undefined ? String(initial ?? '') : join(folder, path);
    if (at === '' || !files.exists(at))
      points.push(missing(about, `${name} is not there (${at === '' ? 'not bound' : at})`));
  }
  for (const token of new Set(tokens)) {
    if (bound?.tokens[token] === undefined)
      points.push(missing(about, `the token ${token} is not bound`));
  }
  return points.length > 0 ? points : [fine(about, 'all files and tokens are bound')];
}

async function rehearsals(
  { host: { files } }: CommandContext,
  place: Place,
  digest: string,
): Promise<readonly Readiness[]> {
  const about = 'rehearsals';
  const practised = new Set<string>();
  let completed = 0;
  let others = 0;
  let last: { readonly from: string; readonly to: string } | undefined;
  for (const folder of files.isDirectory(join(place.folder, CEREMONY_FILES.sessions))
    ? sessionsIn(files, place.folder)
    : []) {
    const { entries } = await readSession(files, folder);
    const { opened, closed } = boundsOf(entries);
    if (opened?.mode !== 'rehearsal' || closed?.data.outcome !== 'completed') continue;
    if (opened.definitionDigest !== digest) {
      others++;
      continue;
    }
    completed++;
    last = { from: entries[0]?.time ?? '', to: closed.time };
    for (const { type, data } of entries) if (type === 'fault.injected') practised.add(data.fault);
  }
  if (last === undefined) {
    const old = others === 0 ? '' : `; ${others} were of another script`;
    return [missing(about, `exactly this script was never rehearsed to its end${old}`)];
  }
  const minutes = Math.ceil((Date.parse(last.to) - Date.parse(last.from)) / 60_000);
  const never = FAULTS.filter((fault) => !practised.has(fault));
  return [
    fine(about, `${completed} to the end, the last on ${last.to.slice(0, 10)}, ${minutes} minutes`),
    ...(never.length === 0
      ? [fine('faults', 'all were practised')]
      : [note('faults', `never practised with this script: ${never.join(', ')}`)]),
  ];
}

function machine({ host }: CommandContext, { environment }: Definition): readonly Readiness[] {
  const report = host.airGap();
  const unmet = environment.require.flatMap((name) => {
    const probe = report.find((it) => it.name === name);
    return probe?.result === 'ok'
      ? []
      : [note('this machine', `${name}: ${probe?.detail ?? 'cannot be asked'}`)];
  });
  return unmet.length > 0 ? unmet : [fine('this machine', 'it is as the script requires')];
}
