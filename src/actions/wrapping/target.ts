/** Whom something is wrapped to: what `--to` names, and that it is the key that was meant. */
import {
  decodeRecipient,
  looksLikeRecipient,
  looksLikeRecipients,
  readRecipients,
} from '#carriage/wrapping/age-keys';
import { MAX_DOCUMENT_BYTES, type Target, type WrappingFormat } from '#carriage/wrapping/format';
import { claimingFormat, loadFormat, namesOf } from '#carriage/wrapping/table';
import { assertUsable } from '#custody/authority/states';
import { InputError, RefusedError, UsageError } from '#formats/errors';
import type { ActionContext, PublicKey } from '../context/context.js';
import { readPublicKey, resolvePublicKey } from '../context/public-keys.js';
import { isPath } from '../context/references.js';
import { assertNotRevoked } from '../handover/revoked.js';
import { digestOfSpki, keyDigest } from './key-digest.js';

/** Where something goes, and by which format. */
export interface Destination {
  readonly format: WrappingFormat;
  readonly targets: readonly Target[];
  /** SHA-256 of each target's SPKI, `sha256:HEX`, in the order of the targets. */
  readonly digests: readonly string[];
}

/** What was said about it. */
export interface DestinationInput {
  readonly to: readonly string[];
  readonly expectTo: readonly string[];
  readonly format?: string | undefined;
  /** Revoked keys are refused unless they are only looked at. */
  readonly revoked?: 'allowed' | undefined;
}

/** Longest file that `--to` reads; a key file with its record may be one. */
const MAX_PUBLIC_BYTES = 4 * 1024 * 1024;

/** A target, and what to throw when no format takes it for one. */
interface Read {
  readonly target: Target;
  readonly problem?: InputError;
}

/**
 * The targets and the format that they mean.
 * @throws {@link UsageError} `E_WRAP_TARGET`, `E_WRAP_MIXED`; {@link RefusedError} `E_TARGET_UNEXPECTED`, `E_KEY_ENVIRONMENT` …
 */
export async function resolveDestination(
  input: DestinationInput,
  context: ActionContext,
): Promise<Destination> {
  if (input.to.length === 0) {
    throw new UsageError({
      code: 'E_WRAP_TARGET',
      message: 'nothing says to whom this is wrapped',
      hint: 'give a public key by --to',
    });
  }
  const read: Read[] = [];
  for (const reference of input.to) read.push(...(await readTargets(reference, context)));
  const format = input.format === undefined ? await formatOf(read) : await loadFormat(input.format);
  const targets = read.map(({ target }) => target);
  const digests: string[] = [];
  for (const target of targets) digests.push(await digestOf(target, format));
  assertExpected(targets, digests, input.expectTo);
  if (input.revoked !== 'allowed') assertNotRevoked(digests, context);
  return { format, targets, digests };
}

/** What one `--to` names: one key, or the recipients that a file lists. */
async function readTargets(reference: string, context: ActionContext): Promise<readonly Read[]> {
  if (looksLikeRecipient(reference)) return [ofRecipient(reference)];
  const path = reference.replace(/^file:/, '');
  if (/^[a-z0-9+-]+:/.test(path) || !isPath(path)) {
    const key = await resolvePublicKey(reference, 'kem', context);
    return [{ target: targetOf(reference, key, context) }];
  }
  const bytes = context.files.read(path, MAX_PUBLIC_BYTES);
  if (looksLikeRecipients(bytes)) return readRecipients(bytes, path).map(ofRecipient);
  try {
    return [{ target: targetOf(reference, await readPublicKey(bytes, path, 'kem'), context) }];
  } catch (problem) {
    const isOther = problem instanceof InputError && bytes.length <= MAX_DOCUMENT_BYTES;
    if (!isOther) throw problem;
    return [{ target: { kind: 'document', name: reference, bytes }, problem }];
  }
}

function ofRecipient(text: string): Read {
  return { target: { kind: 'public-key', name: text, ...decodeRecipient(text) } };
}

function targetOf(name: string, key: PublicKey, context: ActionContext): Target {
  const { descriptor, bytes, record } = key;
  if (record !== undefined && descriptor.purposes.includes('encapsulate')) {
    assertUsable(record, 'encapsulate', context.allowedEnvironments);
  }
  return { kind: 'public-key', name, descriptor, publicKey: bytes };
}

async function formatOf(read: readonly Read[]): Promise<WrappingFormat> {
  const formats = new Set<WrappingFormat>();
  for (const { target, problem } of read) {
    const format = await claimingFormat(target);
    if (format === undefined) {
      if (target.kind === 'document' && target.bytes.find((byte) => byte > 0x20) === 0x7b) {
        throw new InputError({
          code: 'E_PROVIDER_DOCUMENT',
          message: `${target.name} is neither a public key nor what a provider hands out with a wrapping key`,
          hint:
            'bring what one of these prints: aws kms get-parameters-for-import, gcloud kms import-jobs describe --format json, ' +
            'az keyvault key show, vault read -format=json transit/wrapping_key',
          cause: problem,
        });
      }
      throw (
        problem ??
        new UsageError({
          code: 'E_WRAP_TARGET',
          message: `${target.name} does not tell in which format to wrap`,
          hint: `give a key of a KEM, or say for which provider: --format ${(await namesOf('provider')).join('|')}`,
        })
      );
    }
    formats.add(format);
  }
  const [format, other] = formats;
  if (format !== undefined && other === undefined) return format;
  throw new UsageError({
    code: 'E_WRAP_MIXED',
    message: `the recipients mean several formats: ${[...formats].map(({ name }) => name).join(', ')}`,
    hint: 'say --format, or wrap once for each',
  });
}

async function digestOf(target: Target, format: WrappingFormat): Promise<string> {
  if (target.kind === 'public-key') return keyDigest(target.descriptor, target.publicKey);
  const spki = await format.spki?.(target);
  if (spki === undefined) {
    throw new UsageError({
      code: 'E_WRAP_TARGET',
      message: `${target.name} is no key that ${format.name} wraps to`,
      hint: 'give a public key: SPKI, a key record, an identity',
    });
  }
  return digestOfSpki(spki);
}

/** The key came from somewhere: what a second channel says of it must hold, for every recipient. */
function assertExpected(
  targets: readonly Target[],
  digests: readonly string[],
  expected: readonly string[],
): void {
  if (expected.length === 0) return;
  const odd = targets.find((_, i) => !expected.includes(digests[i] as string));
  if (odd !== undefined) {
    throw new RefusedError({
      code: 'E_TARGET_UNEXPECTED',
      message: `${odd.name} is not the key that was expected: it is ${digests[targets.indexOf(odd)] ?? ''}`,
      hint: 'nothing was wrapped; compare the digest with its owner over another channel',
    });
  }
  const missing = expected.find((digest) => !digests.includes(digest));
  if (missing === undefined) return;
  throw new RefusedError({
    code: 'E_TARGET_UNEXPECTED',
    message: `no recipient is the expected ${missing}`,
    hint: 'nothing was wrapped; name each expected recipient by --to',
  });
}
