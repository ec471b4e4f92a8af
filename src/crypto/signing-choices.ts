/** What was asked for one signature, checked against what its algorithm offers. */
import { UsageError } from '#formats/errors';
import type {
  BlsSuite,
  Descriptor,
  Padding,
  SignatureEncoding,
  SignatureHash,
  SignatureOptions,
} from './descriptor.js';

/** Longest context string (FIPS 204 §5.2, FIPS 205 §9.2, RFC 8032 §5.2). */
export const MAX_CONTEXT = 255;

/** Options with their defaults filled in. */
export interface Chosen {
  readonly hash: SignatureHash | undefined;
  readonly padding: Padding | undefined;
  readonly encoding: SignatureEncoding | undefined;
  readonly suite: BlsSuite | undefined;
  readonly context: Uint8Array;
}

/**
 * Fills in an algorithm's defaults. A hash stays `undefined` where the message itself is signed unless one is asked for.
 * @throws {@link UsageError} `E_SIGNATURE_OPTION`, `E_CONTEXT_UNSUPPORTED`, `E_CONTEXT_TOO_LONG`
 */
export function choose(descriptor: Descriptor, options: SignatureOptions): Chosen {
  const { context = NONE } = options;
  if (context.length > 0 && descriptor.signing?.context !== true) {
    throw new UsageError({
      code: 'E_CONTEXT_UNSUPPORTED',
      message:
        descriptor.profile === ''
          ? `${descriptor.name} signatures have no context string`
          : `signatures of the profile ${descriptor.profile} have no context string`,
      hint:
        descriptor.profile === ''
          ? 'leave the context out, or use an ML-DSA or hybrid key'
          : 'leave the context out, or use a key of the profile composite',
    });
  }
  if (context.length > MAX_CONTEXT) {
    throw new UsageError({
      code: 'E_CONTEXT_TOO_LONG',
      message: `the context string is longer than ${MAX_CONTEXT} bytes`,
    });
  }
  return { ...chooseForm(descriptor, options), context };
}

/**
 * The same for verifying, where a context that cannot be makes the answer no: `undefined`.
 * @throws {@link UsageError} `E_SIGNATURE_OPTION`
 */
export function chooseVerifying(
  descriptor: Descriptor,
  options: SignatureOptions,
): Chosen | undefined {
  const { context = NONE } = options;
  const form = chooseForm(descriptor, options);
  if (context.length > (descriptor.signing?.context === true ? MAX_CONTEXT : 0)) return undefined;
  return { ...form, context };
}

const NONE = new Uint8Array(0);

function chooseForm(
  { name, signing }: Descriptor,
  options: SignatureOptions,
): Omit<Chosen, 'context'> {
  if (options.userId !== undefined && signing?.userId !== true) {
    throw new UsageError({
      code: 'E_SIGNATURE_OPTION',
      message: `${name} signatures take no user id`,
      hint: 'leave it out',
    });
  }
  return {
    hash:
      signing?.prehash === true && options.hash === undefined
        ? undefined
        : pick(name, 'hash', signing?.hashes, options.hash),
    padding: pick(name, 'padding', signing?.paddings, options.padding),
    encoding: pick(name, 'encoding', signing?.encodings, options.encoding),
    suite: pick(name, 'suite', signing?.suites, options.suite),
  };
}

function pick<T extends string>(
  name: string,
  what: string,
  offered: readonly T[] | undefined,
  wanted: T | undefined,
): T | undefined {
  if (wanted === undefined) return offered?.[0];
  if (offered?.includes(wanted) === true) return wanted;
  throw new UsageError({
    code: 'E_SIGNATURE_OPTION',
    message: `${name} signatures offer no ${what} ${JSON.stringify(wanted)}`,
    hint:
      offered === undefined
        ? `there is no ${what} to choose: leave it out`
        : `choose one of ${offered.join(', ')}`,
  });
}
