/** One run of a ceremony, as the parts of the engine share it. */
import { isAbsolute, join } from 'node:path';
import type { Action } from '#actions/action';
import type { ActionContext } from '#actions/context/context';
import type { Environment } from '#custody/authority/record';
import type { Ways } from '#script/branch';
import type { Definition } from '#script/definition';
import type { RecordedArtifact } from '#script/entries';
import type { Resolve } from '#script/expression';
import type { Site } from '#script/parse';
import { type Instance, plan } from '#script/plan';
import { resolverFor, type ScopeSource } from '#script/scope';
import type { Terminal } from '#terminal/terminal';
import type { CommandContext } from './command.js';
import type { Disturbance } from './disturbance.js';
import type { Handouts } from './people.js';
import type { Recorder } from './recorder.js';
import type { SessionState } from './state.js';
import type { Vault } from './vault.js';

/** Names of the files of a session, relative to its folder. */
export const FILES = {
  journal: 'journal.jsonl',
  definition: 'definition.yaml',
  site: 'site.yaml',
  lock: 'lock',
  transcript: 'transcript.json',
  minutes: 'minutes.md',
  /** Only in a rehearsal that is disturbed. */
  faults: 'faults.json',
} as const;

/** Everything that a running session consists of. */
export interface Session {
  readonly context: CommandContext;
  readonly terminal: Terminal;
  /** The session's folder. */
  readonly folder: string;
  readonly definition: Definition;
  readonly definitionBytes: Uint8Array;
  /** All actions that the definition uses. */
  readonly actions: ReadonlyMap<string, Action>;
  readonly environment: Environment;
  readonly site: Site;
  /** Folder that relative paths of the site file start at. */
  readonly siteFolder: string;
  /** Slips of paper with passphrases; undefined in real ceremonies. */
  readonly slips: Handouts | undefined;
  /** Whether the program makes new passphrases instead of asking people for them. */
  readonly handsOut: boolean;
  /** Files outside the session that steps may read, by the names that steps use. */
  readonly outside: ReadonlyMap<string, string>;
  /** What a rehearsal is disturbed by; undefined when nobody asked for that. */
  readonly disturbance: Disturbance | undefined;
  readonly vault: Vault;
  readonly recorder: Recorder;
}

/** The path of something in a session's folder. */
export function within(session: Pick<Session, 'folder'>, ...parts: readonly string[]): string {
  return join(session.folder, ...parts);
}

/** A path of the site file: as it is where it is absolute, else from that file. */
export function fromSite(siteFolder: string, path: string): string {
  return isAbsolute(path) ? path : join(siteFolder, path);
}

/** The steps of the session in their order. */
export function instancesOf(session: Session): readonly Instance[] {
  return plan(session.definition, session.recorder.state.participants);
}

/** The action that an instance calls. */
export function actionOf(session: Session, instance: Instance): Action | undefined {
  return instance.step.kind === 'action' ? session.actions.get(instance.step.uses) : undefined;
}

/** Values of the references of an instance, as far as they are known now. */
export function resolverOf(session: Session, instance: Instance): Resolve {
  return resolverFor(scopeOf(session.definition, session.recorder.state), instance);
}

/** Which finished instance wrote an artifact that still counts. */
export function ownerOf(state: SessionState, path: string): string | undefined {
  for (const [key, { status, artifacts }] of state.instances) {
    if (status === 'finished' && artifacts.some((it) => it.path === path)) return key;
  }
  return undefined;
}

/** All artifacts that still count, by path: the last word on each. */
export function artifactsOf(state: SessionState): ReadonlyMap<string, RecordedArtifact> {
  return new Map(
    [...state.instances.values()]
      .filter(({ status }) => status === 'finished')
      .flatMap(({ artifacts }) => artifacts.map((it) => [it.path, it] as const)),
  );
}

/** What changes in every context that this session hands to actions. */
export function sessionMarks(
  session: Pick<Session, 'environment' | 'definition'>,
): Pick<ActionContext, 'environment' | 'waivers' | 'allowedEnvironments'> {
  return {
    environment: session.environment,
    waivers: new Set(session.definition.waive) as ActionContext['waivers'],
    // What a marked session makes, it may also use; a real one uses nothing marked.
    allowedEnvironments: new Set(session.environment === 'production' ? [] : [session.environment]),
  };
}

/** Where an instance is, as entries spell it. */
export function whereOf(instance: Instance): {
  readonly act: string;
  readonly step: string;
  readonly for?: string;
} {
  return {
    act: instance.act.id,
    step: instance.step.id,
    ...(instance.for === undefined ? {} : { for: instance.for }),
  };
}

/** The side taken at each branch. */
export function waysOf(state: SessionState): Ways {
  return new Map([...state.ways].map(([branch, { side }]) => [branch, side]));
}

function scopeOf(definition: Definition, state: SessionState): ScopeSource {
  const { opened } = state;
  const outputs = new Map<string, Map<string, Readonly<Record<string, never>>>>();
  for (const instance of state.instances.values()) {
    if (instance.status !== 'finished') continue;
    const perHolder = outputs.get(instance.step) ?? new Map<string, never>();
    perHolder.set(instance.for ?? '', instance.outputs as Readonly<Record<string, never>>);
    outputs.set(instance.step, perHolder);
  }
  return {
    definition,
    participants: state.participants,
    parameters: opened?.parameters ?? {},
    session: {
      id: opened?.session ?? '',
      definitionDigest: opened?.definitionDigest ?? '',
      executionDigest: opened?.executionDigest ?? '',
    },
    outputs,
    ways: waysOf(state),
  };
}
