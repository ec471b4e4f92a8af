/** The statement that travels with a container: who wrapped which key into it. */
import { containerOf } from '#custody/authority/handover-challenge';
import {
  KEY_WRAPPED,
  readHandover,
  signHandover,
  type WrappedStatement,
} from '#custody/authority/handover-statement';
import type { OpenIdentity } from '#custody/authority/identity';
import { NegativeError, RefusedError, UsageError } from '#formats/errors';
import { formatTime } from '#formats/time';
import type { ActionContext } from '../context/context.js';
import type { Wrapped } from '../wrapping/write.js';
import { assertSigned } from './signed.js';

const MAX_STATEMENT_BYTES = 1024 * 1024;

/**
 * Whoever signs the statement, opened before anything is wrapped; the caller disposes it.
 * @throws {@link UsageError} `E_HANDOVER_UNSIGNED`
 */
export async function senderOf(path: string, context: ActionContext): Promise<OpenIdentity> {
  context.files.assertAbsent([path]);
  const sender = await context.identities.open();
  if (sender !== undefined) return sender;
  throw new UsageError({
    code: 'E_HANDOVER_UNSIGNED',
    message: `nobody is named who signs ${path}`,
    hint: 'say --identity',
  });
}

/** Signs and writes the statement about what was just wrapped. */
export async function writeStatement(
  path: string,
  wrapped: Wrapped,
  key: WrappedStatement['key'],
  sender: OpenIdentity,
  context: ActionContext,
): Promise<void> {
  const { id, name } = sender.identity;
  const said: WrappedStatement = {
    key,
    container: { sha256: wrapped.digest.slice('sha256:'.length), size: wrapped.size },
    format: wrapped.format,
    to: wrapped.to.map(({ sha256 }) => sha256),
    environment: wrapped.environment,
    sender: { id, name },
    time: formatTime(context.now()),
  };
  const bytes = await signHandover(KEY_WRAPPED, said, sender, { random: context.random });
  context.files.write(path, bytes);
}

/** What a container's statement told. */
export interface Told {
  /** Name of the sender. */
  readonly sender: string;
  readonly keyId: string | null;
}

/**
 * Asserts that a container is the one that somebody signed for.
 * @param statement - as typed; demanded inside a ceremony
 * @throws {@link RefusedError} `E_UNWRAP_STATEMENT` where it is demanded and absent; {@link NegativeError}
 * `E_HANDOVER_STATEMENT`, `E_HANDOVER_SIGNATURE`
 */
export async function assertStatement(
  container: string,
  statement: string | undefined,
  signers: readonly string[],
  context: ActionContext,
): Promise<Told | undefined> {
  if (statement === undefined) {
    if (context.inCeremony !== true) return undefined;
    throw new RefusedError({
      code: 'E_UNWRAP_STATEMENT',
      message: `${container} names no sender, and in a ceremony somebody must have signed for it`,
      hint: 'give the statement that wrap wrote with it',
    });
  }
  if (container === '-') {
    throw new UsageError({
      code: 'E_UNWRAP_STDIN',
      message: 'a container from standard input is read once, and its statement needs it first',
      hint: 'give the container as a file',
    });
  }
  const read = readHandover(
    KEY_WRAPPED,
    context.files.read(statement, MAX_STATEMENT_BYTES),
    statement,
  );
  const sender = await assertSigned(read, read.said.sender.id, signers, statement, context);
  using source = context.files.source(container);
  const { sha256, size } = containerOf(source);
  if (read.said.container.sha256 !== sha256 || read.said.container.size !== size) {
    throw new NegativeError({
      code: 'E_HANDOVER_STATEMENT',
      message: `${statement} speaks of another container than ${container}`,
      hint: 'nothing was opened; ask the sender for both again',
    });
  }
  return { sender: sender.name, keyId: read.said.key?.id ?? null };
}
