/** What `--hash`, `--padding`, `--suite` and `--user-id` ask of a signature, the same for signer and verifier. */
import type {
  BlsSuite,
  Descriptor,
  Padding,
  SignatureHash,
  SignatureOptions,
} from '#crypto/descriptor';
import { utf8 } from '#formats/bytes';
import { UsageError } from '#formats/errors';
import { signingContext } from './signing-context.js';

/** Hash functions by the name that people give; which of them an algorithm offers is its own matter. */
export const HASH_CHOICES = [
  'sha224',
  'sha256',
  'sha384',
  'sha512',
  'sha512-224',
  'sha512-256',
  'sha3-224',
  'sha3-256',
  'sha3-384',
  'sha3-512',
  'shake128',
  'shake256',
  'sm3',
] as const satisfies readonly SignatureHash[];

/** Ciphersuites of BLS. */
const SUITE_CHOICES = ['basic', 'augmented', 'possession'] as const satisfies readonly BlsSuite[];

/** Fields of the options, for `sign` and `verify`. */
export const signatureFields = {
  context: {
    type: 'string',
    summary: 'context string, where the algorithm has them; signer and verifier must give the same',
    placeholder: 'STR',
  },
  hash: {
    type: 'string',
    summary:
      'hash function, where the algorithm leaves a choice; with ML-DSA and SLH-DSA the pre-hash variant',
    choices: HASH_CHOICES,
  },
  padding: {
    type: 'string',
    summary: 'padding of an RSA signature; pss when not given',
    choices: ['pss', 'pkcs1'],
  },
  suite: {
    type: 'string',
    summary:
      'ciphersuite of a BLS signature: basic, augmented (as Tezos) or possession (as Ethereum); basic when not given',
    choices: SUITE_CHOICES,
  },
  userId: {
    type: 'string',
    summary: 'user id of an SM2 signature; 1234567812345678 when not given',
    placeholder: 'STR',
  },
} as const;

/** As typed. */
export interface AskedOptions {
  readonly context?: string | undefined;
  readonly hash?: string | undefined;
  readonly padding?: string | undefined;
  readonly suite?: string | undefined;
  readonly userId?: string | undefined;
}

/**
 * The options for an algorithm's code, which refuses what the algorithm does not offer.
 * @throws {@link UsageError} `E_CONTEXT_TOO_LONG`
 */
export function signatureOptions(asked: AskedOptions): SignatureOptions {
  const { hash, padding, suite, userId } = asked;
  const context = signingContext(asked.context);
  return {
    ...(context === undefined ? {} : { context }),
    ...(hash === undefined ? {} : { hash: hash as SignatureHash }),
    ...(padding === undefined ? {} : { padding: padding as Padding }),
    ...(suite === undefined ? {} : { suite: suite as BlsSuite }),
    ...(userId === undefined ? {} : { userId: utf8(userId) }),
  };
}

/**
 * Refuses every choice, for what leaves none: a MAC's hash is part of its algorithm.
 * @throws {@link UsageError} `E_SIGNATURE_OPTION`, `E_CONTEXT_UNSUPPORTED`
 */
export function assertNoOptions({ name }: Descriptor, asked: AskedOptions): void {
  if (asked.context !== undefined) {
    throw new UsageError({
      code: 'E_CONTEXT_UNSUPPORTED',
      message: `${name} has no context string`,
      hint: 'leave --context out',
    });
  }
  const choices = ['hash', 'padding', 'suite', 'userId'] as const;
  const given = choices.find((each) => asked[each] !== undefined);
  if (given === undefined) return;
  throw new UsageError({
    code: 'E_SIGNATURE_OPTION',
    message: `${name} offers no choice of ${given === 'userId' ? 'user id' : given}`,
    hint: `leave --${given === 'userId' ? 'user-id' : given} out`,
  });
}
