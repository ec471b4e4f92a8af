/**
 * The gate of a real ceremony: every probe that the definition requires is in order, or people have said why not. It stands
 * before the first step, and where the definition says `recheck: every-act`, before every act and whenever a session goes on.
 */
import { RefusedError } from '#formats/errors';
import type { EntryData, RecordedProbe } from '#script/entries';
import type { CommandContext } from './command.js';
import { askReason } from './deviation.js';
import type { Session } from './session.js';

/** The air-gap report as entries carry it. */
export function reportOf({ host }: Pick<CommandContext, 'host'>): RecordedProbe[] {
  return host.airGap().map(({ name, result, detail }) => ({ name, result, detail }));
}

/**
 * The gate before the first step. Asked once for all probes, recorded one by one. A rehearsal or a dev run may take place
 * anywhere.
 * @throws RefusedError `E_ENVIRONMENT_REFUSED` when the people do not want to go on
 */
export async function passGate(session: Session): Promise<void> {
  const { opened } = session.recorder.state;
  if (opened !== undefined) await demand(session, opened.airGap);
}

/**
 * Looks at the machine once more, where the definition wants that and nobody has since the act was entered or the session went
 * on.
 * @throws as {@link passGate}
 */
export async function checkAgain(session: Session, act: string): Promise<void> {
  const { definition, recorder, context } = session;
  if (!definition.environment.recheck) return;
  const last = recorder.entries.findLast(({ type }) => MOMENTS.has(type));
  let airGap: EntryData['environment.checked']['airGap'];
  if (last?.type === 'environment.checked') ({ airGap } = last.data);
  else {
    airGap = reportOf(context);
    recorder.write('environment.checked', { act, airGap });
  }
  await demand(session, airGap);
}

/** After these the machine may be another one; the last is what it was found to be. */
const MOMENTS: ReadonlySet<string> = new Set([
  'act.started',
  'session.resumed',
  'environment.checked',
]);

async function demand(session: Session, report: readonly RecordedProbe[]): Promise<void> {
  const { definition, environment, recorder, terminal } = session;
  if (environment !== 'production') return;
  const settled = new Set(
    recorder.entries.flatMap((entry) => (entry.type === 'deviation' ? [entry.data.about] : [])),
  );
  const unmet = definition.environment.require.flatMap((name) => {
    const probe = report.find((it) => it.name === name);
    if (probe?.result === 'ok' || settled.has(`environment.${name}`)) return [];
    return [{ name, detail: probe?.detail ?? 'this machine cannot be asked' }];
  });
  if (unmet.length === 0) return;
  const by = recorder.administrator;
  const at = { key: 'environment/required' };
  const begun = recorder.entries.some(({ type }) => type === 'step.started');
  terminal.heading(
    'The machine is not as the script requires',
    [
      ...unmet.map(({ name, detail }) => `${name}: ${detail}`),
      '',
      begun
        ? 'Put it right and go on with --resume, or go on now and record why.'
        : 'Put it right and begin anew, or go on and record why.',
    ].join('\n'),
  );
  const answer = await terminal.choose(
    `${by}: what now?`,
    [
      {
        value: 'stop',
        label: begun ? 'Stop here; what was done stays done' : 'Stop here, nothing has been done',
      },
      { value: 'deviate', label: 'Go on, and record why' },
    ],
    at,
  );
  if (answer.value === 'stop') {
    throw new RefusedError({
      code: 'E_ENVIRONMENT_REFUSED',
      message: `the machine is not as the script requires: ${unmet.map(({ name }) => name).join(', ')}`,
      hint: begun
        ? 'airgap check shows the report; put the machine right and go on with --resume'
        : 'airgap check shows the report; put the machine right and begin anew',
    });
  }
  const given = await askReason(session, at.key);
  for (const { name, detail } of unmet) {
    recorder.write('deviation', {
      about: `environment.${name}`,
      expected: `the probe ${name} is in order`,
      happened: detail,
      ...given,
    });
  }
}
