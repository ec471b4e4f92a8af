/** `unwrap`: what was sealed to a key that is here. */
import { selfCheck } from '#crypto/self-check';
import { addHistory } from '#custody/authority/states';
import type { KeyRecord } from '#custody/authority/record';
import { pour } from '#formats/byte-stream';
import { NegativeError, UsageError } from '#formats/errors';
import { formatTime } from '#formats/time';
import { defineAction } from './action.js';
import { attested, attestedKey, type Attestor } from './attest/attestor.js';
import type { ActionContext } from './context/context.js';
import { assertKeyFileFree } from './context/record-path.js';
import type { Placed } from './context/token-keys.js';
import { assertStatement, type Told } from './handover/wrapped-statement.js';
import { assertAttestable, attestContainer, containerAttestor } from './wrapping/attested.js';
import { contentField, senderField } from './wrapping/fields.js';
import { keyInToken, unwrapIntoToken } from './wrapping/into-token.js';
import { type OpenedContent, withOpened } from './wrapping/open.js';

/** What was unwrapped. */
export interface Unwrapped {
  readonly content: 'key' | 'file';
  /** Where the key rests; null for a file. */
  readonly key: string | null;
  /** What was written; null for a key that went into the store. */
  readonly out: string | null;
  readonly keyId: string | null;
  readonly algorithm: string | null;
  readonly environment: string;
  readonly epoch: number;
  readonly format: string;
  /** `sha256:HEX` of the container. */
  readonly digest: string;
  readonly checks: readonly string[];
  /** Who signed for it; null where nobody was asked. */
  readonly sender: string | null;
  /** Where the attestation lies; null when none was asked for. */
  readonly attestation: string | null;
}

export const unwrap = defineAction({
  id: 'unwrap',
  summary: 'open what was wrapped to a key that is here',
  description:
    'Opens what conclave wrap made, and what others made in the same formats; the format is recognised. A wrapped key goes into ' +
    'the store, or with --out into a key file, protected as a new key is; a file is written as it was. Nothing appears under its ' +
    'name before all of it was authenticated. Whatever is wrong with a container, the answer is the same: it does not open.\n' +
    'Without --key and --identity the key is looked for in the store.\n' +
    'With an RSA key in a token as --key, what was made by wrap --format pkcs11 is opened inside the token and stays there; say ' +
    'what it is by --public or --algorithm. The token then proves that it has that key.',
  inputs: {
    key: { type: 'key', summary: 'the private key that opens it' },
    in: { type: 'file', summary: 'what was wrapped', required: true },
    as: contentField,
    public: {
      type: 'public-key',
      summary: 'the public key of what a token is to open',
    },
    algorithm: {
      type: 'algorithm',
      summary: 'the algorithm of what a token is to open, for a symmetric key',
    },
    statement: {
      type: 'file',
      summary: 'what the sender signed about it; a ceremony demands it',
    },
    signer: senderField,
    out: { type: 'path', summary: 'file to write; a key goes into the store without it' },
    name: {
      type: 'string',
      summary: 'name in the store of a key; the one in its record when not given',
      pattern: '[A-Za-z0-9][A-Za-z0-9_-]{0,63}',
    },
  },
  outputs: {
    key: { type: 'key', summary: 'the key, when it was one' },
    out: { type: 'file', summary: 'the file that was written' },
    keyId: { type: 'string', summary: 'id of the key' },
    digest: { type: 'digest', summary: 'SHA-256 of the container' },
  },
  options: ['passphrase', 'new-passphrase', 'identity', 'attestation', 'force'],
  effect: 'repeatable',
  secrecy: 'creates',
  exits: [69],
  examples: [
    {
      command: 'conclave unwrap --in release.wrapped --identity ./ben.key',
      explains: 'a key into the store',
    },
    {
      command: 'conclave unwrap --key transport --in backup.tar.wrapped --out backup.tar',
      explains: 'a file',
    },
    {
      command:
        'conclave unwrap --key transport --pin-file pin.txt --in release.blob --public release.pub --name release',
      explains: 'a key into the token that the RSA key transport is in',
    },
  ],
  async run(input, context): Promise<Unwrapped> {
    const { out } = input;
    // A key has its record beside it, whichever it turns out to be: both names must be free.
    if (out !== undefined) assertKeyFileFree(out, context.files);
    const told = await assertStatement(input.in, input.statement, input.signer, context);
    using attestor = await containerAttestor(context);
    const inToken = await keyInToken(input.key, context);
    if (inToken !== undefined) {
      const placed = await unwrapIntoToken(input, inToken, told, context);
      return await settleInToken(placed, input.in, told, attestor, context);
    }
    assertNotSaid(input);
    return await withOpened(input, context, async (opened) => {
      assertAttestable(opened.kind, attestor);
      const { kind, environment, epoch, format } = opened;
      assertToldKey(told, opened, input.statement);
      const placed =
        opened.kind === 'key'
          ? await placeKey(opened, input, context)
          : {
              ...(await placeFile(opened, out, context)),
              key: null,
              record: undefined,
              checks: [],
            };
      const digest = opened.digest();
      context.record({
        type: 'unwrap',
        data: { content: kind, key: placed.record?.id ?? null, format, digest, environment },
      });
      const attestation =
        placed.record === undefined
          ? null
          : await attestContainer(attestor, 'unwrap', placed.record, {
              inputs: [{ name: input.in, digest }],
            });
      return {
        content: kind,
        key: placed.key,
        out: out ?? null,
        keyId: placed.record?.id ?? null,
        algorithm: placed.record?.algorithm ?? null,
        environment,
        epoch,
        format,
        digest,
        checks: placed.checks,
        sender: told?.sender ?? null,
        attestation,
      };
    });
  },
  present: (result) =>
    [
      ...(result.environment === 'production'
        ? []
        : [`${result.environment.toUpperCase()}: not for production`]),
      result.content === 'key'
        ? `${result.algorithm} key ${result.keyId ?? ''} is at ${result.key ?? ''}`
        : `unwrapped ${result.out ?? ''}`,
      ...(result.checks.length === 0 ? [] : [`checked ${result.checks.join(', ')}`]),
      result.sender === null
        ? `container ${result.digest}: who sent it, it does not say`
        : `container ${result.digest}, sent by ${result.sender}`,
    ].join('\n') + attested(result.attestation),
});

/** Records, attests and tells a key that a token opened. */
async function settleInToken(
  { key, check, digest }: Placed & { readonly digest: string },
  name: string,
  told: Told | undefined,
  attestor: Attestor | undefined,
  context: ActionContext,
): Promise<Unwrapped> {
  const { record, uri, device } = key;
  const { id, algorithm, environment } = record;
  context.record({
    type: 'unwrap',
    data: { content: 'key', key: id, format: 'pkcs11', digest, environment, token: device.label },
  });
  const file = { name: name === '-' ? 'standard input' : name, sha256: digest.slice(7) };
  const attestation = await attestor?.attest({
    operation: 'unwrap',
    key: attestedKey(record),
    device,
    inputs: [file],
    note: key.crossing,
  });
  return {
    content: 'key',
    key: uri,
    out: null,
    keyId: id,
    ...{ algorithm, environment, digest },
    epoch: 0,
    format: 'pkcs11',
    checks: check === undefined ? [] : [check],
    sender: told?.sender ?? null,
    attestation: attestation ?? null,
  };
}

function assertNotSaid(input: {
  readonly public?: string | undefined;
  readonly algorithm?: string | undefined;
}): void {
  const said = input.public === undefined ? input.algorithm && '--algorithm' : '--public';
  if (said === undefined || said === '') return;
  throw new UsageError({
    code: 'E_UNWRAP_IN_TOKEN',
    message: `${said} says what a token is to open, and no key in a token is named by --key`,
    hint: 'leave it out: other containers say what they hold',
  });
}

/** A statement that is true of the container but speaks of another key inside would be worth nothing. */
function assertToldKey(
  told: Told | undefined,
  opened: OpenedContent,
  statement: string | undefined,
): void {
  if (told === undefined) return;
  const found = opened.kind === 'key' ? opened.record.id : null;
  if (found === told.keyId) return;
  throw new NegativeError({
    code: 'E_HANDOVER_STATEMENT',
    message: `${statement ?? ''} speaks of another key than the one inside`,
    hint: 'nothing was kept; ask the sender',
  });
}

async function placeFile(
  { source }: OpenedContent & { kind: 'file' },
  out: string | undefined,
  { files }: ActionContext,
): Promise<object> {
  if (out === undefined) {
    throw new UsageError({
      code: 'E_UNWRAP_OUT',
      message: 'a file was wrapped, and nothing says where to write it',
      hint: 'give --out FILE',
    });
  }
  using sink = files.sink(out, { secret: true });
  await pour(source, sink);
  sink.commit();
  return {};
}

async function placeKey(
  { descriptor, secret, record, format }: OpenedContent & { kind: 'key' },
  { out, name }: { readonly out?: string | undefined; readonly name?: string | undefined },
  context: ActionContext,
): Promise<{ key: string; record: KeyRecord; checks: readonly string[] }> {
  const raw = secret.use((bytes) => bytes.slice());
  let checks: readonly string[];
  try {
    ({ checks } = await selfCheck(descriptor, raw, context.random));
  } finally {
    raw.fill(0);
  }
  const time = formatTime(context.now());
  const isNew = record.history.length === 1 && record.history[0]?.event === 'imported';
  const named = { ...record, name: name ?? record.name };
  const placed = isNew
    ? named
    : addHistory(named, 'imported', { time, reason: `unwrapped (${format})` });
  const found = await context.keys.add(placed, secret, { out });
  return { key: found.location, record: placed, checks };
}
