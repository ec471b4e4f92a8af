/** What every new key goes through before anyone relies on it. */
import { equal, equalConstantTime, utf8 } from '#formats/bytes';
import { InternalError } from '#formats/errors';
import { aesGcmOpen, aesGcmSeal } from './aead.js';
import { breathe } from './breathe.js';
import type {
  AgreementImplementation,
  Descriptor,
  Implementation,
  KemImplementation,
  RandomSource,
  SecondOpinion,
  SignatureImplementation,
  SymmetricImplementation,
} from './descriptor.js';
import { assertPrivate } from './lengths.js';

/** Outcome of {@link selfCheck}. */
export interface SelfCheck {
  /** Raw public key; for symmetric algorithms the check value. */
  readonly publicKey: Uint8Array;
  /** What was checked, one phrase each, for records and people. */
  readonly checks: readonly string[];
}

const MESSAGE = utf8('conclave pairwise consistency check');

/**
 * Pairwise consistency (FIPS 140-3 IG 10.3.A): what the private key does, the public key undoes; then the same question to a
 * second, independent implementation where the running Node has one.
 * @param secret - raw private form; borrowed
 * @throws {@link InternalError} `E_SELF_CHECK_FAILED`: the key must not be used
 * @throws {@link InputError} `E_LENGTH_WRONG`
 */
export async function selfCheck(
  descriptor: Descriptor,
  secret: Uint8Array,
  random: RandomSource,
): Promise<SelfCheck> {
  assertPrivate(descriptor, secret);
  const implementation = await descriptor.load();
  const checks: string[] = [];
  const expect = (holds: boolean, check: string): void => {
    if (!holds) throw failed(descriptor, check);
    checks.push(check);
  };
  const publicKey = await runChecks(descriptor, implementation, secret, random, expect);
  return { publicKey, checks };
}

type Expect = (holds: boolean, check: string) => void;

function samePublicKey(
  second: SecondOpinion,
  secret: Uint8Array,
  publicKey: Uint8Array,
  expect: Expect,
): void {
  const theirs = second.publicKey?.(secret);
  if (theirs !== undefined) expect(equal(theirs, publicKey), `same public key by ${second.by}`);
}

async function runChecks(
  descriptor: Descriptor,
  implementation: Implementation,
  secret: Uint8Array,
  random: RandomSource,
  expect: Expect,
): Promise<Uint8Array> {
  switch (implementation.kind) {
    case 'signature':
      return await checkSignature(descriptor, implementation, secret, random, expect);
    case 'kem':
      return checkKem(descriptor, implementation, secret, random, expect);
    case 'agreement':
      return checkAgreement(descriptor, implementation, secret, expect);
    case 'symmetric':
      return checkSymmetric(implementation, secret, random, expect);
  }
}

async function checkSignature(
  { sizes }: Descriptor,
  implementation: SignatureImplementation,
  secret: Uint8Array,
  random: RandomSource,
  expect: Expect,
): Promise<Uint8Array> {
  // Expanded once: the tree of an SLH-DSA key takes seconds.
  using signer = implementation.ready?.(secret);
  const publicKey = signer?.publicKey ?? implementation.publicKey(secret);
  expect(publicKey.length === sizes.public, 'public key has its length');
  await breathe();
  const signature =
    signer?.sign(MESSAGE, { random }) ?? implementation.sign(MESSAGE, secret, { random });
  await breathe();
  expect(implementation.verify(signature, MESSAGE, publicKey), 'signature verifies');
  const other = MESSAGE.map((byte) => byte ^ 1);
  expect(!implementation.verify(signature, other, publicKey), 'another message does not verify');
  const { second } = implementation;
  if (second !== undefined) {
    samePublicKey(second, secret, publicKey, expect);
    if (second.verify !== undefined) {
      const holds = second.verify(signature, MESSAGE, publicKey);
      expect(holds, `signature verifies by ${second.by}`);
    }
  }
  return publicKey;
}

function checkKem(
  { sizes }: Descriptor,
  implementation: KemImplementation,
  secret: Uint8Array,
  random: RandomSource,
  expect: Expect,
): Uint8Array {
  const publicKey = implementation.publicKey(secret);
  expect(publicKey.length === sizes.public, 'public key has its length');
  const { ciphertext, sharedSecret } = implementation.encapsulate(publicKey, random);
  const same = (decapsulated: Uint8Array): boolean => {
    const agrees = equalConstantTime(decapsulated, sharedSecret);
    decapsulated.fill(0);
    return agrees;
  };
  try {
    expect(same(implementation.decapsulate(ciphertext, secret)), 'shared secrets agree');
    const { second } = implementation;
    if (second !== undefined) {
      samePublicKey(second, secret, publicKey, expect);
      if (second.decapsulate !== undefined) {
        const agrees = same(second.decapsulate(ciphertext, secret));
        expect(agrees, `shared secrets agree by ${second.by}`);
      }
    }
  } finally {
    sharedSecret.fill(0);
  }
  return publicKey;
}

function checkAgreement(
  { sizes }: Descriptor,
  implementation: AgreementImplementation,
  secret: Uint8Array,
  expect: Expect,
): Uint8Array {
  const publicKey = implementation.publicKey(secret);
  expect(publicKey.length === sizes.public, 'public key has its length');
  checkAgree(implementation.agree.bind(implementation), implementation, secret, publicKey, expect);
  return publicKey;
}

/** With a peer made from a fixed secret, which needs no randomness: both sides must come to the same. */
function checkAgree(
  agree: (secret: Uint8Array, peer: Uint8Array) => Uint8Array,
  implementation: Pick<AgreementImplementation, 'publicKey' | 'second'>,
  secret: Uint8Array,
  publicKey: Uint8Array,
  expect: Expect,
): void {
  const peerSecret = new Uint8Array(secret.length).fill(1);
  const peer = implementation.publicKey(peerSecret);
  const shared = agree(secret, peer);
  const same = (other: Uint8Array): boolean => {
    const agrees = equalConstantTime(other, shared);
    other.fill(0);
    return agrees;
  };
  try {
    expect(same(agree(peerSecret, publicKey)), 'both sides agree');
    const { second } = implementation;
    if (second === undefined) return;
    samePublicKey(second, secret, publicKey, expect);
    if (second.agree !== undefined) {
      expect(same(second.agree(secret, peer)), `same agreement by ${second.by}`);
    }
  } finally {
    shared.fill(0);
  }
}

function checkSymmetric(
  implementation: SymmetricImplementation,
  secret: Uint8Array,
  random: RandomSource,
  expect: Expect,
): Uint8Array {
  const { mac, second } = implementation;
  if (mac === undefined) {
    const nonce = random(12);
    const sealed = aesGcmSeal(secret, nonce, MESSAGE, MESSAGE);
    const opened = aesGcmOpen(secret, nonce, sealed, MESSAGE, 'self-check');
    expect(equal(opened, MESSAGE), 'what it seals it opens');
  } else {
    const code = mac(MESSAGE, secret);
    const other = MESSAGE.map((byte) => byte ^ 1);
    expect(!equalConstantTime(mac(other, secret), code), 'another message has another code');
    if (second !== undefined) {
      expect(equalConstantTime(second.mac(MESSAGE, secret), code), `same code by ${second.by}`);
    }
  }
  return implementation.checkValue(secret);
}

function failed({ name }: Descriptor, check: string): InternalError {
  return new InternalError({
    code: 'E_SELF_CHECK_FAILED',
    message: `a new ${name} key failed its self-check: ${check}`,
    hint: 'do not use this machine for keys until the cause is known',
  });
}
