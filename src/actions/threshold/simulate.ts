/** `--simulate`: a whole quorum in this process, by the same protocols and messages. For rehearsals and development keys. */
import { join } from 'node:path';
import { encodeGroup, type Group } from '#crypto/frost/group';
import { suiteOf } from '#crypto/frost/suite';
import { sha256 } from '#crypto/hash';
import { resolve } from '#crypto/registry';
import { toHex, u16be, utf8 } from '#formats/bytes';
import { NegativeError, RefusedError, UsageError } from '#formats/errors';
import type { SecretBytes } from '#formats/secret-bytes';
import { formatTime } from '#formats/time';
import { openingProofs } from '#protocols/inhead/opening-proof';
import { runDealing } from '#protocols/threshold/dealing-session';
import { runSigning } from '#protocols/threshold/signing-session';
import { simulate } from '#protocols/threshold/simulate';
import {
  groupJson,
  MAX_SIGNED_BYTES,
  openStart,
  startVersion,
  type Start,
  type StartMessage,
} from '#protocols/threshold/start-message';
import type { ActionContext } from '../context/context.js';
import { encodeGroupShare, type GroupKeyShare } from '../context/group-share.js';
import { unsealedShare } from '../context/group-key.js';
import { assertPolicy } from './begin.js';
import { keysOf, recordOfGroup } from './keep.js';
import { factsOf, type PhaseResult } from './phases.js';
import { openingName } from './proof-files.js';
import { readPolicyDigest } from './propose.js';

/** A development key whose parties are all here: a key file for each, and the group record. */
export async function simulateKeygen(
  input: {
    readonly suite: string;
    readonly threshold?: number | undefined;
    readonly shares?: number | undefined;
    readonly outDir: string;
    readonly name?: string | undefined;
    readonly policy?: string | undefined;
    readonly proveOpenings?: boolean | undefined;
  },
  context: ActionContext,
): Promise<PhaseResult> {
  const { threshold, shares, outDir } = input;
  if (threshold === undefined || shares === undefined || threshold > shares) {
    throw new UsageError({
      code: 'E_SIMULATE_QUORUM',
      message: 'a simulated key needs a quorum',
      hint: 'give --threshold T and --shares N, T at most N',
    });
  }
  const environment = context.environment === 'production' ? 'dev' : context.environment;
  const numbers = Array.from({ length: shares }, (_, i) => i + 1);
  const paths = numbers.map((number) => join(outDir, `${environment}-party-${number}.key`));
  const group = join(outDir, 'group.json');
  const proven = input.proveOpenings === true;
  const proofs = proven ? numbers.map((number) => join(outDir, openingName(number))) : [];
  context.files.assertAbsent([...paths, group, ...proofs]);
  // Whoever has no passphrase to give learns it now, and not when everything was computed.
  using passphrases = await passphrasesFor(numbers, context);
  const start = await opened(context, {
    operation: 'keygen',
    suite: suiteOf(input.suite),
    environment,
    threshold,
    parties: numbers.map((number) => ({
      number,
      identity: simulatedIdentity(number),
      name: `simulated party ${number}`,
    })),
    contributors: numbers,
    receivers: numbers,
    policy: readPolicyDigest(input.policy, context),
    group: null,
    message: null,
    ...(proven ? { openings: 'proven' as const } : {}),
  });
  const outcomes = await simulate(
    start,
    () => (exchange) => runDealing(start, exchange, undefined),
    context.random,
    {},
    openingProofs,
  );
  try {
    context.files.makeDirectory?.(outDir);
    for (const [number, { record, opening }] of outcomes) {
      if (opening === undefined) continue;
      const key = await recordOfGroup(record, input.name, context.now(), 'generated');
      using secret = encodeGroupShare(record, number, opening);
      const passphrase = passphrases.of.get(number);
      await context.keys.add(key, secret, { out: paths[number - 1], passphrase });
    }
    const [first] = outcomes.values();
    const record = first?.record;
    for (const [number, bytes] of first?.proofs ?? []) {
      context.files.write(join(outDir, openingName(number)), bytes);
    }
    if (record !== undefined) context.files.write(group, encodeGroup(record));
    return {
      ...report(start),
      wrote: [...paths, group, ...proofs],
      group,
      key: record?.key ?? null,
    };
  } finally {
    for (const { opening } of outcomes.values()) opening?.dispose();
  }
}

/**
 * A passphrase for each party, before there is anything to seal.
 * @returns owned: the caller disposes it
 * @throws RefusedError `E_GROUP_SHARE_UNSEALED`
 */
export async function passphrasesFor(
  numbers: readonly number[],
  { ask }: ActionContext,
): Promise<{ readonly of: ReadonlyMap<number, SecretBytes> } & Disposable> {
  const of = new Map<number, SecretBytes>();
  const wipe = (): void => {
    for (const passphrase of of.values()) passphrase.dispose();
  };
  try {
    for (const number of numbers) {
      const seals = `the share of simulated party ${number}`;
      const passphrase = await ask.newPassphrase({ seals });
      if (passphrase === undefined) throw unsealedShare();
      of.set(number, passphrase);
    }
  } catch (error) {
    wipe();
    throw error;
  }
  return { of, [Symbol.dispose]: wipe };
}

/** A signature by shares that are all here. Production shares are refused: that they never meet is their point. */
export async function simulateSign(
  input: {
    readonly share: readonly string[];
    readonly message?: string | undefined;
    readonly out?: string | undefined;
    readonly outDir: string;
    readonly policy?: string | undefined;
  },
  context: ActionContext,
): Promise<PhaseResult> {
  if (input.message === undefined || input.share.length < 2) {
    throw new UsageError({
      code: 'E_SIMULATE_QUORUM',
      message: 'a simulated quorum needs shares and something to sign',
      hint: 'give --share for each party, and --message',
    });
  }
  const out = input.out ?? join(input.outDir, 'signature');
  context.files.assertAbsent([out]);
  const message = context.files.read(input.message, MAX_SIGNED_BYTES);
  const held = await heldShares(input.share, keysOf(context));
  try {
    const [{ share }] = [...held.values()] as [GroupKeyShare];
    const { group } = share;
    const { record } = group;
    const numbers = [...held.keys()].sort((a, b) => a - b);
    const start = await opened(context, {
      operation: 'sign',
      suite: record.suite,
      environment: record.environment,
      threshold: record.threshold,
      parties: record.members
        .filter(({ number }) => held.has(number))
        .map(({ number, identity }) => ({ number, identity, name: `member ${number}` })),
      contributors: numbers,
      receivers: [],
      policy: record.policy,
      group: groupJson(group),
      message,
    });
    assertPolicy(start, input, context);
    const made = await simulate(
      start,
      (number) => (exchange) => runSigning(start, exchange, held.get(number)?.share.opening),
      context.random,
    );
    const signature = [...made.values()][0] as Uint8Array;
    const { suite, key } = group;
    const implementation = await (await resolve(suite.algorithm)).load();
    if (
      implementation.kind !== 'signature' ||
      !implementation.verify(signature, message, suite.publicKey(key))
    ) {
      throw new NegativeError({
        code: 'E_THRESHOLD_SIGNATURE',
        message: 'the signature does not verify under the group key, and was not written',
      });
    }
    context.files.write(out, signature);
    return { ...report(start), wrote: [out], signature: out };
  } finally {
    for (const kept of held.values()) kept[Symbol.dispose]();
  }
}

/**
 * Shares of one group and epoch that are all here, by number.
 * @param references - at least two
 * @returns owned: the caller disposes each
 * @throws UsageError `E_SIMULATE_QUORUM`, `E_SIMULATE_SHARES`; RefusedError `E_SIMULATE_PRODUCTION`: that shares of a production key
 * never meet is their point
 */
export async function heldShares(
  references: readonly string[],
  keys: Required<Pick<ActionContext['keys'], 'openShare'>>,
): Promise<ReadonlyMap<number, GroupKeyShare>> {
  if (references.length < 2) {
    throw new UsageError({
      code: 'E_SIMULATE_QUORUM',
      message: 'a simulated quorum needs the shares of its parties',
      hint: 'give --share for each party',
    });
  }
  const held = new Map<number, GroupKeyShare>();
  try {
    let group: Group | undefined;
    for (const reference of references) {
      const kept = await keys.openShare(reference);
      const twice = held.has(kept.share.number);
      if (!twice) held.set(kept.share.number, kept);
      else kept[Symbol.dispose]();
      group ??= kept.share.group;
      if (twice || toHex(kept.share.group.context) !== toHex(group.context)) {
        throw new UsageError({
          code: 'E_SIMULATE_SHARES',
          message: `${reference} is ${twice ? 'a share that was named already' : 'of another group than the first'}`,
          hint: 'name different shares of one group and epoch',
        });
      }
      if (kept.record.environment === 'production') {
        throw new RefusedError({
          code: 'E_SIMULATE_PRODUCTION',
          message: `${reference} is a production share, and shares of a production key never meet in one process`,
          hint: 'open a session: each party runs conclave threshold on its own machine',
        });
      }
    }
    return held;
  } catch (error) {
    for (const kept of held.values()) kept[Symbol.dispose]();
    throw error;
  }
}

/** Nobody is behind this number, and it says so: a hash of words and the number. */
export function simulatedIdentity(number: number): string {
  return toHex(sha256(utf8('conclave-simulated-party\0'), u16be(number)));
}

/** A session on these words. */
export async function opened(
  context: ActionContext,
  wanted: Omit<StartMessage, 'type' | 'version' | 'session' | 'created'>,
): Promise<Start> {
  return await openStart(
    {
      type: 'conclave/threshold-start',
      version: startVersion(wanted),
      session: toHex(context.random(32)),
      created: formatTime(context.now()),
      ...wanted,
    },
    'simulated session',
  );
}

/** What a simulated session reports. */
export function report(start: Start): PhaseResult {
  return {
    phase: 'simulated',
    operation: start.message.operation,
    session: start.message.session,
    party: 0,
    terms: toHex(start.terms),
    done: true,
    wrote: [],
    waiting: [],
    skipped: [],
    facts: factsOf(start),
    signature: null,
    group: null,
    key: null,
  };
}
