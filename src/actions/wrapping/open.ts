/** Opening what was wrapped: what `unwrap` and `rewrap` share. */
import { HEAD_BYTES, type Mark, type Opened } from '#carriage/wrapping/format';
import { recogniseFormat } from '#carriage/wrapping/table';
import type { Descriptor } from '#crypto/descriptor';
import { createSha256 } from '#crypto/hash';
import { decodeRecord, type KeyRecord, newRecord } from '#custody/authority/record';
import { toHex } from '#formats/bytes';
import { type ByteSource, fill, prepended, takeAll } from '#formats/byte-stream';
import { InputError, NegativeError, RefusedError, UsageError } from '#formats/errors';
import type { SecretBytes } from '#formats/secret-bytes';
import type { ActionContext } from '../context/context.js';
import {
  assertMatches,
  MAX_PRIVATE_BYTES,
  publicKeyOf,
  readPrivateFile,
} from '../context/private-forms.js';
import { openersOf } from './openers.js';
import { markOf } from './write.js';

/** What was opened, its record read and compared. */
export type OpenedContent = {
  readonly format: string;
  readonly environment: Mark;
  readonly epoch: number;
  /** `sha256:HEX` of the container; complete once all of the content was read. */
  digest(): string;
} & (
  | {
      readonly kind: 'key';
      readonly descriptor: Descriptor;
      /** Borrowed. */
      readonly secret: SecretBytes;
      readonly record: KeyRecord;
    }
  | { readonly kind: 'file'; readonly source: ByteSource }
);

/**
 * Opens `path` and lends what was in it to `work`.
 * @throws {@link NegativeError} `E_NOT_AUTHENTIC`, `E_KEY_FILE_MISMATCH`, `E_WRAPPED_KEY`; {@link RefusedError}
 * `E_WRAPPED_SEALED`, `E_WRAPPED_PROVIDER`
 */
export async function withOpened<T>(
  input: {
    readonly in: string;
    readonly key?: string | undefined;
    readonly as?: string | undefined;
  },
  context: ActionContext,
  work: (content: OpenedContent) => Promise<T>,
): Promise<T> {
  const path = input.in;
  const name = path === '-' ? 'standard input' : path;
  if (path === '-' && input.key === '-') {
    throw new UsageError({
      code: 'E_STDIN_TWICE',
      message: 'standard input is named for the container and for the key',
      hint: 'give one of them as a file',
    });
  }
  using file = context.files.source(path);
  const sum = createSha256();
  const digested: ByteSource = {
    read: (into, offset) => {
      const count = file.read(into, offset);
      sum.update(into.subarray(offset, offset + count));
      return count;
    },
  };
  const head = new Uint8Array(HEAD_BYTES);
  const known = head.subarray(0, fill(digested, head));
  const format = await recogniseFormat(known, name);
  if (format.unwrap === undefined) {
    throw new RefusedError({
      code: 'E_WRAPPED_PROVIDER',
      message: `${name} is for a provider to open (${format.name})`,
      hint: 'conclave writes this format and cannot open it: the private key is the provider’s',
    });
  }
  using openers = openersOf(input.key, name, context);
  using opened = await format.unwrap({ source: prepended(known, digested), name, openers });
  const common = {
    format: format.name,
    environment: opened.environment ?? context.environment,
    epoch: opened.epoch,
    digest: () => `sha256:${toHex(sum.digest())}`,
  };
  if (input.as !== undefined && opened.environment !== undefined && input.as !== opened.kind) {
    throw new UsageError({
      code: 'E_WRAPPED_CONTENT',
      message: `${name} holds a ${opened.kind}, and not a ${input.as}`,
      hint: 'leave --as out: this format says what it holds',
    });
  }
  if (opened.kind === 'file' && input.as !== 'key') {
    return await work({ ...common, kind: 'file', source: opened.source });
  }
  if (opened.kind === 'file') {
    using key = await keyInside(opened.source, name, context);
    return await work({ ...common, kind: 'key', ...key, environment: key.record.environment });
  }
  const record = await recordOf(opened, name, common.environment, context);
  const { descriptor, secret } = opened;
  return await work({ ...common, kind: 'key', descriptor, secret, record });
}

/** A private key in a file's form, where the format says nothing of what it holds. */
async function keyInside(
  source: ByteSource,
  name: string,
  context: ActionContext,
): Promise<
  {
    readonly descriptor: Descriptor;
    readonly secret: SecretBytes;
    readonly record: KeyRecord;
  } & Disposable
> {
  const bytes = takeAll(source, MAX_PRIVATE_BYTES);
  if (bytes === undefined) {
    throw new InputError({
      code: 'E_KEY_UNREADABLE',
      message: `what is in ${name} is too long for a private key`,
      hint: 'leave --as key out, and give --out FILE',
    });
  }
  try {
    const read = await readPrivateFile(bytes, `what is in ${name}`, undefined);
    if (read.sealed) {
      throw new InputError({
        code: 'E_KEY_UNREADABLE',
        message: `what is in ${name} is a sealed key file`,
        hint: 'leave --as key out, give --out FILE, and import the file',
      });
    }
    const { descriptor, secret } = read;
    const record = newRecord({
      descriptor,
      publicKey: await publicKeyOf(descriptor, secret),
      name: null,
      environment: markOf(read.environment, context.environment),
      now: context.now(),
      event: 'imported',
    });
    return {
      descriptor,
      secret,
      record,
      [Symbol.dispose]: () => {
        secret.dispose();
      },
    };
  } finally {
    bytes.fill(0);
  }
}

/** The record that came along, found to be of this key; a new one when none came. */
async function recordOf(
  opened: Opened & { readonly kind: 'key' },
  name: string,
  environment: Mark,
  context: ActionContext,
): Promise<KeyRecord> {
  const { descriptor, secret, carried } = opened;
  if (carried === undefined) {
    return newRecord({
      descriptor,
      publicKey: await publicKeyOf(descriptor, secret),
      name: null,
      environment,
      now: context.now(),
      event: 'imported',
    });
  }
  const { facts } = carried;
  const record = await decodeRecord(carried.record, `${name}: record`);
  const agrees =
    record.id === facts.id &&
    record.algorithm === facts.algorithm &&
    record.profile === facts.profile &&
    record.policy === facts.policy &&
    record.purposes.join() === facts.purposes.join();
  if (!agrees) {
    throw new NegativeError({
      code: 'E_WRAPPED_KEY',
      message: `${name} holds another key than it says`,
      hint: 'whoever made it made it wrongly; ask for another',
    });
  }
  (await assertMatches(descriptor, secret, record, name))?.[Symbol.dispose]();
  return { ...record, environment: markOf(record.environment, environment) };
}
