/** Wrapping into a file: what `wrap` and `rewrap` share. */
import type { Content, Mark, WrapReport } from '#carriage/wrapping/format';
import { shellWord } from '#carriage/wrapping/providers/shell';
import { createSha256 } from '#crypto/hash';
import type { KeyRecord } from '#custody/authority/record';
import { toHex } from '#formats/bytes';
import type { JsonObject } from '#formats/canonical-json';
import { RefusedError } from '#formats/errors';
import { formatTime } from '#formats/time';
import type { ActionContext } from '../context/context.js';
import { markText } from '../context/marks.js';
import type { Destination } from './target.js';

/** What was wrapped. */
export interface Wrapped {
  /** The file that was written. */
  readonly out: string;
  readonly format: string;
  readonly content: 'key' | 'file';
  /** The key's id; null for a file. */
  readonly keyId: string | null;
  readonly algorithm: string | null;
  readonly environment: Mark;
  readonly epoch: number;
  /** Whom it is sealed to, with the digest of each key. */
  readonly to: readonly { readonly name: string; readonly sha256: string }[];
  /** `sha256:HEX` of the file that was written. */
  readonly digest: string;
  readonly size: number;
  readonly details: JsonObject;
  readonly notes: readonly string[];
  /** Files that go with it. */
  readonly companions: readonly string[];
  /** What to run next at the provider's. */
  readonly next: readonly string[];
}

/** How it is to be written. */
export interface WriteOptions {
  readonly out: string;
  readonly destination: Destination;
  readonly content: Content;
  readonly environment: Mark;
  readonly epoch: number;
  readonly algorithm?: string | undefined;
  readonly armor?: boolean | undefined;
  readonly custody?: 'custodial' | 'self' | undefined;
}

/** Wraps into `out`, which appears only when all of it is written. */
export async function writeWrapped(
  options: WriteOptions,
  context: ActionContext,
): Promise<Wrapped> {
  const { out, destination, content, environment, epoch } = options;
  const { format, targets, digests } = destination;
  const digest = createSha256();
  let size = 0;
  using file = context.files.sink(out);
  const report: WrapReport = await format.wrap({
    content,
    targets,
    environment,
    mark: markText(environment),
    epoch,
    algorithm: options.algorithm,
    armor: options.armor,
    custody: options.custody,
    created: formatTime(context.now()),
    version: context.version,
    random: context.random,
    sink: {
      write: (bytes) => {
        file.write(bytes);
        digest.update(bytes);
        size += bytes.length;
      },
    },
  });
  const companions = report.companions ?? [];
  for (const { suffix, bytes } of companions) context.files.write(`${out}${suffix}`, bytes);
  file.commit();
  return {
    out,
    format: format.name,
    content: content.kind,
    keyId: content.kind === 'key' ? content.facts.id : null,
    algorithm: content.kind === 'key' ? content.facts.algorithm : null,
    environment,
    epoch,
    to: targets.map(({ name }, i) => ({ name, sha256: digests[i] as string })),
    digest: `sha256:${toHex(digest.digest())}`,
    size,
    details: report.details,
    notes: report.notes,
    companions: companions.map(({ suffix }) => `${out}${suffix}`),
    next: [...(report.next?.(shellWord(out)) ?? [])],
  };
}

/**
 * Keys that must not leave: marked ones unless that was allowed by name, compromised and destroyed ones never.
 * @throws {@link RefusedError} `E_KEY_ENVIRONMENT`, `E_KEY_STATE`
 */
export function assertMayLeave(record: KeyRecord, context: ActionContext): void {
  assertMarkAllowed(record.environment, context, record.name ?? record.id.slice(0, 16));
  if (record.state !== 'compromised' && record.state !== 'destroyed') return;
  throw new RefusedError({
    code: 'E_KEY_STATE',
    message: `key ${record.name ?? record.id.slice(0, 16)} cannot be wrapped: it is ${record.state}`,
    hint: 'generate a new key',
  });
}

/** @throws {@link RefusedError} `E_KEY_ENVIRONMENT` */
export function assertMarkAllowed(mark: Mark, context: ActionContext, name: string): void {
  if (mark === 'production' || context.allowedEnvironments.has(mark)) return;
  throw new RefusedError({
    code: 'E_KEY_ENVIRONMENT',
    message: `${name} is marked ${mark}: it is not for production`,
    hint: `if that is what you want, say --allow-environment ${mark}`,
  });
}

/** The stronger of two marks: what is marked stays marked. */
export function markOf(own: Mark, around: Mark): Mark {
  return own === 'production' ? around : own;
}

/** The content that a record and its secret are. */
export function keyContent(
  key: Pick<Content & { kind: 'key' }, 'descriptor' | 'secret'>,
  record: KeyRecord,
  encoded: Uint8Array,
): Content {
  const { id, algorithm, profile, purposes, policy } = record;
  return {
    kind: 'key',
    descriptor: key.descriptor,
    secret: key.secret,
    facts: { id, algorithm, profile, purposes, policy },
    record: encoded,
  };
}

/** Lines for a person. */
export function presentWrapped(result: Wrapped, verb = 'wrapped'): string {
  const what =
    result.content === 'key'
      ? `${result.algorithm ?? ''} key ${(result.keyId ?? '').slice(0, 16)}`
      : 'file';
  return [
    ...(result.environment === 'production'
      ? []
      : [`${result.environment.toUpperCase()}: not for production`]),
    `${what} ${verb} to ${result.out} (${result.format}, ${result.size} bytes)`,
    ...result.to.map(({ name, sha256 }) => `to ${name}: ${sha256}`),
    `digest ${result.digest}`,
    ...result.notes,
    ...(result.next.length === 0 ? [] : ['next:', ...result.next.map((line) => `  ${line}`)]),
  ].join('\n');
}
