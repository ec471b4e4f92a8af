/**
 * In the cage, for a key whose shares are bytes: the quorum's shares are opened, the key is put together in memory, signs, and is
 * wiped; then the opened shares prove that they are the ones committed to.
 */
import { keyId } from '#crypto/key-id';
import { selfCheck } from '#crypto/self-check';
import { equal, equalConstantTime, utf8 } from '#formats/bytes';
import { InternalError, NegativeError, UsageError } from '#formats/errors';
import type { SecretBytes } from '#formats/secret-bytes';
import { byteStatement } from '#protocols/inhead/byte-statement';
import { rootOf, twinRootOf } from '#protocols/inhead/hash-input';
import { encodeProof } from '#protocols/inhead/proof';
import { proveStepwise, type SecretOpening } from '#protocols/inhead/prover';
import type { TraceRequest } from '#protocols/inhead/request';
import type { TraceFile } from '#protocols/inhead/trace-file';
import { RANDOMNESS_BYTES, secretCommitment, SHARE_BYTES } from '#protocols/sharing/commitment';
import { recombine } from '#protocols/sharing/deal';
import { openPackage } from '#protocols/sharing/package';
import {
  packageBindingOf,
  secretContextOf,
  structureOf,
  suiteOf,
} from '#protocols/sharing/share-set';
import { indexNumber } from '#protocols/sharing/structure';
import type { ActionContext } from '../context/context.js';
import { patience, patiently } from '../context/patience.js';
import { gather, type OpenedShare, onlyEnvelopes } from '../shares/gather.js';
import { contextOpener } from '../shares/open.js';
import { firstQuorum } from '../shares/quorum.js';
import { readShare, type ShareSource } from '../shares/sources.js';
import { quorumText } from './asked.js';
import { type ByteKey, byteOpenings, committedSecret } from './byte-key.js';
import { isSigned } from './check-bytes.js';
import { proofText, stepping } from './progress.js';

/** What is proven with. */
export interface ByteProving {
  readonly key: ByteKey;
  readonly request: TraceRequest;
  readonly requestBytes: Uint8Array;
  readonly sources: readonly ShareSource[];
  /** Whether all coins come from the shares, so that two laptops make the same file. */
  readonly twin: boolean;
  /** A role whose holders the shares belong to. */
  readonly custodians: string | undefined;
}

/**
 * A trace over shares of bytes; nobody has verified it yet.
 * @throws what opening shares throws, and {@link UsageError} `E_TRACE_SHARES` for other shares than those that sign
 */
export async function proveBytes(proving: ByteProving, context: ActionContext): Promise<TraceFile> {
  const { key, request, requestBytes, sources, twin, custodians } = proving;
  const people = custodians === undefined ? [] : context.ask.people(custodians);
  const shares = onlyEnvelopes(sources.map(readShare));
  const named = { name: key.name, file: { set: key.set, signatures: [], signedBytes: key.bytes } };
  using gathered = await gather(shares, contextOpener(context, people), named);
  const used = takeQuorum(gathered.shares, proving);
  const signature = await signWith(used, proving, context);
  const quorum = used.map(({ index }) => index);
  const statement = byteStatement(byteOpenings(key, quorum), committedSecret(key), {
    group: key.bytes,
    request: requestBytes,
    signature,
  });
  const openings: SecretOpening[] = used.map(({ opening }) =>
    opening.use((bytes) => ({
      x: bytes.slice(0, SHARE_BYTES),
      r: bytes.slice(SHARE_BYTES, SHARE_BYTES + RANDOMNESS_BYTES),
    })),
  );
  const secrets = openings.flatMap(({ x, r }) => [x, r]);
  const wiped = [...secrets];
  try {
    const random = twin ? undefined : context.random(64);
    if (random !== undefined) wiped.push(random);
    const root =
      random === undefined
        ? twinRootOf(statement.h0, secrets)
        : rootOf(random, statement.h0, secrets);
    wiped.push(root);
    const proof = await stepping(
      proveStepwise(statement, openings, root),
      { title: 'proving', about: proofText(request.level, quorum.length) },
      context,
    );
    return {
      ...statement.parameters,
      level: request.level,
      suite: utf8(suiteOf(key.set)),
      quorum: quorum.map(indexNumber),
      signature,
      shares: [],
      proof: encodeProof(proof),
    };
  } finally {
    for (const secret of wiped) secret.fill(0);
  }
}

/** Exactly the shares that sign: those that the request names, or those that were brought, when they are just a quorum. */
function takeQuorum(
  shares: readonly OpenedShare[],
  { key, request }: ByteProving,
): readonly OpenedShare[] {
  const used = firstQuorum(shares, structureOf(key.set));
  const numbers = shares.map(({ index }) => indexNumber(index));
  const wanted = request.quorum ?? used.map(({ index }) => indexNumber(index));
  if (wanted.length === numbers.length && wanted.every((each, i) => each === numbers[i]))
    return used;
  throw new UsageError({
    code: 'E_TRACE_SHARES',
    message: `shares ${quorumText(numbers, key.set)} were given, and ${
      request.quorum === undefined
        ? 'a quorum is fewer than that'
        : `the request names ${quorumText(wanted, key.set)}`
    }`,
    hint: 'give exactly the shares that sign',
  });
}

async function signWith(
  used: readonly OpenedShare[],
  { key, request }: ByteProving,
  context: ActionContext,
): Promise<Uint8Array> {
  const { set, descriptor, publicKey } = key;
  using secret = openKey(used, key);
  const copy = secret.use((bytes) => bytes.slice());
  try {
    const { publicKey: recomputed } = await selfCheck(descriptor, copy, context.random);
    if (!equal(recomputed, publicKey) || keyId(descriptor, recomputed) !== set.keyId) {
      throw wrong('these shares give another key than the one of the set');
    }
  } finally {
    copy.fill(0);
  }
  const implementation = await descriptor.load();
  if (implementation.kind !== 'signature') throw wrong('this key signs nothing');
  context.progress(`signing with ${descriptor.name}${patience(descriptor)}`);
  const options = descriptor.signing?.encodings === undefined ? {} : { lowS: true as const };
  // No randomness is given: what is signed has one signature. Twice, so that a fault shows instead of leaving with it.
  const sign = (): Promise<Uint8Array> =>
    Promise.resolve(secret.use((bytes) => implementation.sign(request.message, bytes, options)));
  const first = await patiently(descriptor, context, sign);
  const second = descriptor.slow === true ? undefined : await sign();
  const good = second === undefined || equal(first, second);
  if (good && (await isSigned(key, request.message, first))) return first;
  throw new InternalError({
    code: 'E_TRACE_FAULT',
    message: 'signing twice gave two signatures, or one that does not verify',
    hint: 'do not use this machine; nothing was written',
  });
}

/** The key's private form, owned by the caller; it exists in memory from here on. */
function openKey(used: readonly OpenedShare[], { set, name }: ByteKey): SecretBytes {
  const kek = recombine(used);
  try {
    const committed = secretCommitment(suiteOf(set), secretContextOf(set), kek);
    const expected = Buffer.from(set.kekCommitment ?? '', 'hex');
    if (!equalConstantTime(committed, expected) || set.package === null) {
      throw wrong(`these shares do not give the secret that ${name} commits to`);
    }
    const content = openPackage(set.package, kek, packageBindingOf(set), 'the sealed package');
    if (content.kind === 'key' && content.algorithm === set.algorithm) return content.secret;
    content.secret.dispose();
    throw wrong('the sealed package holds another key than the set says');
  } finally {
    kek.fill(0);
  }
}

function wrong(message: string): NegativeError {
  return new NegativeError({
    code: 'E_TRACE_KEY',
    message,
    hint: 'set.json and shares do not belong together, or one was changed',
  });
}
