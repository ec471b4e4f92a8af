/**
 * Whether an answer proves that a key works on the far side: its public key is the one that left, and it answered this very
 * challenge. A symmetric key shows itself by a message authentication code, or by a ciphertext that opens to the challenge.
 */
import {
  readProofAnswer,
  readPublicKeyAnswer,
  type ProofAnswer,
} from '#carriage/wrapping/providers/answer';
import { aesGcmOpen, NONCE_LENGTH, TAG_LENGTH } from '#crypto/aead';
import type { Padding, SignatureHash, SignatureImplementation } from '#crypto/descriptor';
import { decodeSpki } from '#crypto/encodings/spki';
import { equal, equalConstantTime } from '#formats/bytes';
import { NegativeError, UsageError } from '#formats/errors';
import type { ActionContext, FoundKey } from '../context/context.js';
import { readPublicKey } from '../context/public-keys.js';

/** Longest answer that is read. */
const MAX_ANSWER_BYTES = 256 * 1024;

/** What the far side answered, by files as typed. */
export interface AnswerFiles {
  readonly publicKey?: string | undefined;
  readonly answer: string;
  readonly hash?: string | undefined;
  readonly padding?: string | undefined;
}

/** A proof that holds. */
export interface Proof {
  readonly kind: 'signature' | 'mac' | 'ciphertext';
  /** The files as they were given. */
  readonly answer: Uint8Array;
  readonly publicKey: Uint8Array | undefined;
}

/**
 * Checks an answer.
 * @param key - the key that was handed over, KEY as typed
 * @param challenge - bytes of the challenge, which are what was signed
 * @throws {@link NegativeError} `E_HANDOVER_KEY` for another public key, `E_HANDOVER_PROOF` when the answer does not hold
 * @throws {@link UsageError} `E_HANDOVER_PUBLIC` when a public key is missing
 */
export async function checkAnswer(
  key: { readonly reference: string; readonly found: FoundKey },
  challenge: Uint8Array,
  files: AnswerFiles,
  context: ActionContext,
): Promise<Proof> {
  const answer = context.files.read(files.answer, MAX_ANSWER_BYTES);
  const proof = readProofAnswer(answer, files.answer);
  const { found } = key;
  const implementation = await found.descriptor.load();
  if (implementation.kind === 'symmetric') {
    if (files.publicKey !== undefined) {
      throw new UsageError({
        code: 'E_HANDOVER_PUBLIC',
        message: `${key.reference} is a secret key, and ${files.publicKey} a public one`,
        hint: 'leave --public out',
      });
    }
    return {
      kind: await symmetric(key.reference, challenge, proof, files, context),
      answer,
      publicKey: undefined,
    };
  }
  if (implementation.kind !== 'signature') {
    throw new UsageError({
      code: 'E_HANDOVER_KIND',
      message: `a ${found.descriptor.name} key signs nothing, so no answer can show that it works elsewhere`,
      hint: 'let the far side open something that was sealed to it, and destroy the key by hand',
    });
  }
  if (files.publicKey === undefined) {
    throw new UsageError({
      code: 'E_HANDOVER_PUBLIC',
      message: "the far side's public key is missing",
      hint: 'give what it answers to GetPublicKey by --public',
    });
  }
  const publicKey = context.files.read(files.publicKey, MAX_ANSWER_BYTES);
  const theirs = await publicKeyIn(publicKey, files.publicKey, found);
  if (!equal(theirs, found.publicKey)) {
    throw new NegativeError({
      code: 'E_HANDOVER_KEY',
      message: `${files.publicKey} is not the public key of ${key.reference}: another key is there`,
      hint: 'nothing was verified, and nothing may be destroyed; find out what was imported',
    });
  }
  if (!signatureHolds(implementation, found, proof, challenge, files))
    throw notProven(files.answer);
  return { kind: 'signature', answer, publicKey };
}

async function publicKeyIn(bytes: Uint8Array, what: string, found: FoundKey): Promise<Uint8Array> {
  const answer = readPublicKeyAnswer(bytes, what);
  if (answer?.form === 'raw') return answer.bytes;
  if (answer !== undefined) return (await decodeSpki(answer.bytes, what)).publicKey;
  const key = await readPublicKey(bytes, what, 'signature');
  return key.descriptor.name === found.descriptor.name ? key.bytes : new Uint8Array(0);
}

function signatureHolds(
  implementation: SignatureImplementation,
  { descriptor, publicKey }: FoundKey,
  proof: ProofAnswer,
  challenge: Uint8Array,
  files: AnswerFiles,
): boolean {
  if (proof.kind !== undefined && proof.kind !== 'signature') return false;
  const { signing } = descriptor;
  // Where a hash is another scheme, a provider's name has one and means none: AWS's ED25519_SHA_512 and ML_DSA_SHAKE_256 are pure.
  const named = signing?.prehash === true ? undefined : proof.hash;
  const wanted = {
    hash: (files.hash as SignatureHash | undefined) ?? named,
    padding: (files.padding as Padding | undefined) ?? proof.padding,
  };
  // What a provider's name says beyond what the algorithm offers to choose is no choice at all.
  const hash =
    signing?.hashes?.includes(wanted.hash as SignatureHash) === true ? wanted.hash : undefined;
  const padding =
    signing?.paddings?.includes(wanted.padding as Padding) === true ? wanted.padding : undefined;
  if (files.hash !== undefined && hash === undefined)
    throw noSuch('hash', files.hash, descriptor.name);
  if (files.padding !== undefined && padding === undefined)
    throw noSuch('padding', files.padding, descriptor.name);
  const chosen = {
    ...(hash === undefined ? {} : { hash }),
    ...(padding === undefined ? {} : { padding }),
  };
  // Some providers write ECDSA signatures as DER and some as two numbers; both spell the same signature.
  const encodings = signing?.encodings ?? [undefined];
  return encodings.some((encoding) =>
    implementation.verify(proof.bytes, challenge, publicKey, {
      ...chosen,
      ...(encoding === undefined ? {} : { encoding }),
    }),
  );
}

async function symmetric(
  reference: string,
  challenge: Uint8Array,
  proof: ProofAnswer,
  files: AnswerFiles,
  context: ActionContext,
): Promise<'mac' | 'ciphertext'> {
  using key = await context.keys.open(reference);
  const implementation = await key.descriptor.load();
  if (implementation.kind !== 'symmetric') throw notProven(files.answer);
  if (implementation.mac !== undefined) {
    const { mac } = implementation;
    if (proof.kind !== undefined && proof.kind !== 'mac') throw notProven(files.answer);
    const expected = key.secret.use((raw) => mac(challenge, raw));
    if (!equalConstantTime(expected, proof.bytes)) throw notProven(files.answer);
    return 'mac';
  }
  if (proof.kind !== undefined && proof.kind !== 'ciphertext') throw notProven(files.answer);
  const { bytes } = proof;
  if (bytes.length !== NONCE_LENGTH + challenge.length + TAG_LENGTH) throw notProven(files.answer);
  try {
    const opened = key.secret.use((raw) =>
      aesGcmOpen(
        raw,
        bytes.subarray(0, NONCE_LENGTH),
        bytes.subarray(NONCE_LENGTH),
        new Uint8Array(0),
        files.answer,
      ),
    );
    if (equal(opened, challenge)) return 'ciphertext';
  } catch (error) {
    if (!(error instanceof NegativeError)) throw error;
  }
  throw notProven(files.answer);
}

function notProven(what: string): NegativeError {
  return new NegativeError({
    code: 'E_HANDOVER_PROOF',
    message: `${what} is no answer of this key to this challenge`,
    hint: 'nothing was verified, and nothing may be destroyed; was it another challenge, another key, another hash?',
  });
}

function noSuch(what: string, value: string, algorithm: string): UsageError {
  return new UsageError({
    code: 'E_SIGNATURE_OPTION',
    message: `${algorithm} signatures offer no ${what} ${JSON.stringify(value)}`,
    hint: `leave --${what} out, or give the one that the far side used`,
  });
}
