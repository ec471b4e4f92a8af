import type { Descriptor, Implementation } from '#crypto/descriptor';
import { deriveKey, type Derivation, DERIVATIONS, MAX_DERIVED_BYTES } from '#crypto/key-derivation';
import { assertUsable } from '#custody/authority/states';
import { equal } from '#formats/bytes';
import { InputError, UsageError } from '#formats/errors';
import { defineAction } from './action.js';
import {
  attested,
  attestedFile,
  attestedKey,
  type Attestor,
  openAttestor,
} from './attest/attestor.js';
import type { ActionContext, FoundKey } from './context/context.js';
import { resolvePublicKey, resolvePublicSide } from './context/public-keys.js';
import { signingContext } from './context/signing-context.js';

/** `conclave key derive`. */
export const keyDerive = defineAction({
  id: 'key.derive',
  summary: 'derive a shared key with a peer',
  description:
    'Computes what two keys have in common: with --peer a Diffie-Hellman agreement between KEY and the other side’s public key, with ' +
    '--ciphertext what the other side encapsulated to KEY, with --peer and --ciphertext-out (and no KEY) a new secret encapsulated ' +
    'to the other side. What comes out is a key: HKDF over the shared secret, with --context as its info, so that both sides must ' +
    'name the same purpose; --kdf raw gives the shared secret itself, for a protocol that derives its own keys. It is written for ' +
    'its owner alone, or into a pipe, never onto a terminal. A peer key that would make the secret a constant is refused. ' +
    'A key in a token agrees there; the shared secret comes out, the key does not.',
  inputs: {
    key: { type: 'key', summary: 'your own private key', positional: 0 },
    peer: { type: 'public-key', summary: 'the public key of the other side' },
    ciphertext: {
      type: 'file',
      summary: 'what the other side encapsulated to KEY',
    },
    ciphertextOut: {
      type: 'path',
      summary: 'encapsulate to the peer, and write there what it needs',
    },
    kdf: {
      type: 'string',
      summary: 'what makes a key of the shared secret',
      choices: DERIVATIONS,
      default: 'hkdf-sha256',
    },
    length: {
      type: 'integer',
      summary: 'bytes of the key; 32 when not given',
      min: 16,
      max: MAX_DERIVED_BYTES,
    },
    context: {
      type: 'string',
      summary: 'what the key is for, the same on both sides',
      placeholder: 'STR',
    },
    out: { type: 'path', summary: 'where the key goes', default: '-' },
  },
  outputs: { out: { type: 'file', summary: 'the derived key; secret' } },
  options: ['passphrase', 'identity', 'attestation', 'force'],
  effect: 'repeatable',
  only: 'cli',
  examples: [
    {
      command: 'conclave key derive mine --peer theirs.pub --context backup/2026 --out shared.key',
      explains: 'the same 32 bytes that the other side derives with its key and your public one',
    },
    {
      command: 'conclave key derive --peer box.pub --ciphertext-out for-box.ct --out shared.key',
      explains: 'encapsulate to an X-Wing or ML-KEM key',
    },
    {
      command: 'conclave key derive box --ciphertext for-box.ct --out shared.key',
      explains: 'the other side of it',
    },
  ],
  async run(input, context) {
    const { key, peer, ciphertext, ciphertextOut, out } = input;
    const info = signingContext(input.context) ?? new Uint8Array(0);
    const kdf = input.kdf as Derivation;
    context.files.assertAbsent([out, ...(ciphertextOut === undefined ? [] : [ciphertextOut])]);
    if (out === '-' && ciphertextOut === '-') {
      throw usage('the key and the ciphertext both go to standard output', 'say --out FILE');
    }
    using attestor = await openAttestor(context);
    if (attestor !== undefined && key === undefined) {
      throw usage(
        'encapsulating uses no key of yours to attest',
        'leave --attestation and --identity out',
      );
    }
    const shared = await share({ key, peer, ciphertext, ciphertextOut }, context);
    try {
      if (shared.own !== undefined) {
        const { id, name } = shared.own.record;
        context.record({ type: 'key.derived', data: { id, name, ...shared.by } });
      }
      const derived = deriveKey(kdf, shared.secret, info, input.length);
      try {
        if (ciphertextOut !== undefined && shared.ciphertext !== undefined) {
          context.files.write(ciphertextOut, shared.ciphertext);
        }
        context.files.write(out, derived, { secret: true });
        const attestation = await attestDerived(attestor, shared);
        return {
          out,
          algorithm: shared.descriptor.name,
          kdf,
          bytes: derived.length,
          ciphertext: ciphertextOut ?? null,
          attestation: attestation ?? null,
        };
      } finally {
        derived.fill(0);
      }
    } finally {
      shared.secret.fill(0);
    }
  },
  present: ({ out, algorithm, kdf, bytes, attestation }) =>
    `${bytes} secret bytes of ${algorithm} ${kdf === 'raw' ? 'as they are' : `by ${kdf}`} written to ${out}${attested(attestation)}`,
});

interface Shared {
  readonly descriptor: Descriptor;
  /** Owned by the receiver. */
  readonly secret: Uint8Array;
  readonly ciphertext?: Uint8Array;
  /** The key of this side; absent where a new secret was encapsulated to somebody. */
  readonly own?: Pick<FoundKey, 'record' | 'device'>;
  /** What came from the other side, as typed, and its bytes. */
  readonly from?: readonly [string, Uint8Array];
  /** The same, for the log; there with `own`. */
  readonly by?: { readonly peer: string } | { readonly ciphertext: string };
}

interface Sides {
  readonly key: string | undefined;
  readonly peer: string | undefined;
  readonly ciphertext: string | undefined;
  readonly ciphertextOut: string | undefined;
}

async function share(sides: Sides, context: ActionContext): Promise<Shared> {
  const { key, peer, ciphertext, ciphertextOut } = sides;
  if (key !== undefined && peer !== undefined && ciphertext === undefined && !ciphertextOut) {
    return await agree(key, peer, context);
  }
  if (key !== undefined && ciphertext !== undefined && peer === undefined && !ciphertextOut) {
    return await decapsulate(key, ciphertext, context);
  }
  if (key === undefined && peer !== undefined && ciphertextOut !== undefined && !ciphertext) {
    return await encapsulate(peer, context);
  }
  throw usage(
    'what is to be derived from what is not clear',
    'give KEY and --peer, or KEY and --ciphertext, or --peer and --ciphertext-out',
  );
}

async function agree(key: string, peer: string, context: ActionContext): Promise<Shared> {
  // The peer first: a mistake there should cost nobody a passphrase.
  const theirs = await resolvePublicSide(peer, 'kem', context);
  using open = await context.keys.open(key);
  const { descriptor, record } = open;
  const implementation = await descriptor.load();
  const agreement = agreementOf(implementation);
  if (agreement === undefined) throw cannot(key, descriptor, 'agrees on nothing with another');
  if (theirs.descriptor.name !== descriptor.name) {
    throw usage(
      `${key} is a ${descriptor.name} key and ${peer} a ${theirs.descriptor.name} key`,
      'both sides need a key of the same algorithm',
    );
  }
  assertUsable(record, 'agree');
  const { inToken } = open;
  // A token may not look whether a point is on the curve, and tell the key to whoever sends another.
  if (inToken !== undefined) await assertPeer(implementation, agreement, theirs.bytes, context);
  const secret =
    inToken === undefined
      ? open.secret.use((raw) => agreement(raw, theirs.bytes))
      : inToken.agree(theirs.bytes);
  assertNotConstant(secret, peer);
  return { descriptor, secret, own: open, from: [peer, theirs.bytes], by: { peer } };
}

/** Refuses what is no point of the curve, by agreeing on something with a key of no worth. */
async function assertPeer(
  implementation: Implementation,
  agreement: (secret: Uint8Array, peer: Uint8Array) => Uint8Array,
  peer: Uint8Array,
  { random }: ActionContext,
): Promise<void> {
  const passing = await implementation.generate(random);
  agreement(passing, peer).fill(0);
  passing.fill(0);
}

/** Says who derived with whom. What came out is a key, and even its digest is not for others. */
async function attestDerived(
  attestor: Attestor | undefined,
  { own, from }: Shared,
): Promise<string | undefined> {
  if (attestor === undefined || own === undefined || from === undefined) return undefined;
  return await attestor.attest({
    operation: 'derive',
    key: attestedKey(own.record),
    device: own.device ?? null,
    inputs: [attestedFile(...from)],
  });
}

/** Keys made for agreement, and those that sign and may agree as well. */
function agreementOf(
  implementation: Implementation,
): ((secret: Uint8Array, peer: Uint8Array) => Uint8Array) | undefined {
  if (implementation.kind === 'agreement') return implementation.agree.bind(implementation);
  if (implementation.kind === 'signature') return implementation.agree?.bind(implementation);
  return undefined;
}

async function decapsulate(key: string, path: string, context: ActionContext): Promise<Shared> {
  const ciphertext = context.files.read(path);
  using open = await context.keys.open(key);
  const { descriptor, record } = open;
  const implementation = await descriptor.load();
  if (implementation.kind !== 'kem') throw cannot(key, descriptor, 'opens no ciphertext');
  if (ciphertext.length !== descriptor.sizes.ciphertext) {
    throw new InputError({
      code: 'E_LENGTH_WRONG',
      message: `${path}: a ciphertext of ${descriptor.name} has ${descriptor.sizes.ciphertext ?? 0} bytes, not ${ciphertext.length}`,
    });
  }
  assertUsable(record, 'decapsulate');
  const secret = open.secret.use((raw) => implementation.decapsulate(ciphertext, raw));
  return { descriptor, secret, own: open, from: [path, ciphertext], by: { ciphertext: path } };
}

async function encapsulate(peer: string, context: ActionContext): Promise<Shared> {
  const { descriptor, bytes, record } = await resolvePublicKey(peer, 'kem', context);
  const implementation = await descriptor.load();
  if (implementation.kind !== 'kem') throw cannot(peer, descriptor, 'takes no encapsulated secret');
  if (record !== undefined) assertUsable(record, 'encapsulate');
  const { ciphertext, sharedSecret } = implementation.encapsulate(bytes, context.random);
  return { descriptor, secret: sharedSecret, ciphertext };
}

/** RFC 7748 §6: a peer key of small order makes the secret zero whatever the own key is. */
function assertNotConstant(secret: Uint8Array, peer: string): void {
  if (!equal(secret, new Uint8Array(secret.length))) return;
  throw new InputError({
    code: 'E_KEY_INVALID',
    message: `${peer} is a key that makes every shared secret the same`,
    hint: 'its sender made a mistake or is an attacker: do not use it',
  });
}

function cannot(reference: string, { name, kind }: Descriptor, what: string): UsageError {
  return new UsageError({
    code: 'E_KEY_CANNOT_DERIVE',
    message: `${reference} is a ${name} key, and it ${what}`,
    hint:
      kind === 'kem'
        ? 'a KEM key is used with --ciphertext and --ciphertext-out'
        : 'an agreement key is used with --peer',
  });
}

function usage(message: string, hint: string): UsageError {
  return new UsageError({ code: 'E_DERIVE_WHAT', message: `key derive: ${message}`, hint });
}
