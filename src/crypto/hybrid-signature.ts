/**
 * A signature of two halves that must both verify: an EdDSA key and an ML-DSA key. Their private form is the EdDSA seed followed
 * by the ML-DSA seed; how public key and signature are ordered, and what the halves sign, is their profile's.
 */
import { concat, utf8 } from '#formats/bytes';
import type {
  Descriptor,
  Implementation,
  SecondOpinion,
  SignatureImplementation,
  SignOptions,
} from './descriptor.js';
import { assertPrivate, assertPublic } from './lengths.js';
import { choose, chooseVerifying } from './signing-choices.js';

/** How a hybrid encodes itself, and what its halves sign. */
export interface Profile {
  readonly first: 'eddsa' | 'ml-dsa';
  /** What both halves sign, from message and context. */
  represent(message: Uint8Array, context: Uint8Array): Uint8Array;
  /** Context string of the ML-DSA half. */
  readonly mlDsaContext: Uint8Array;
}

const PREFIX = utf8('CompositeAlgorithmSignatures2025');

/**
 * The profile of an IETF composite.
 * @param label - as the draft assigns it
 * @param hash - what the message is hashed with before it is represented
 * @see draft-ietf-lamps-pq-composite-sigs §3.2
 */
export function compositeProfile(
  label: string,
  hash: (message: Uint8Array) => Uint8Array,
): Profile {
  const domain = utf8(label);
  return {
    first: 'ml-dsa',
    represent: (message, context) =>
      concat(PREFIX, domain, Uint8Array.of(context.length), context, hash(message)),
    mlDsaContext: domain,
  };
}

/** The descriptors of the two halves. */
export interface Halves {
  readonly ed: Descriptor;
  readonly pq: Descriptor;
}

/** PKCS#8 of a composite: the ML-DSA seed first. */
export function rearrangeSeeds({ ed, pq }: Halves): NonNullable<Descriptor['rearrange']> {
  return {
    toPkcs8: (secret) =>
      concat(secret.subarray(ed.sizes.private), secret.subarray(0, ed.sizes.private)),
    fromPkcs8: (encoded) =>
      concat(encoded.subarray(pq.sizes.private), encoded.subarray(0, pq.sizes.private)),
  };
}

/** Lengths of a hybrid: the sums of its halves'. */
export function hybridSizes({ ed, pq }: Halves): Descriptor['sizes'] {
  return {
    private: ed.sizes.private + pq.sizes.private,
    public: ed.sizes.public + pq.sizes.public,
    signature: signatureLength(ed) + signatureLength(pq),
  };
}

function signatureLength({ sizes }: Descriptor): number {
  return sizes.signature ?? 0;
}

/** Loads both halves and puts them together. */
export async function loadHybrid(
  descriptor: Descriptor,
  halves: Halves,
  profile: Profile,
): Promise<Implementation> {
  const [ed, pq] = await Promise.all([halves.ed.load(), halves.pq.load()]);
  if (ed.kind !== 'signature' || pq.kind !== 'signature') {
    throw new TypeError('the halves of a hybrid signature sign');
  }
  return implement(descriptor, halves, { ed, pq }, profile);
}

function implement(
  descriptor: Descriptor,
  halves: Halves,
  { ed, pq }: { readonly ed: SignatureImplementation; readonly pq: SignatureImplementation },
  profile: Profile,
): Implementation {
  const seedLength = halves.ed.sizes.private;
  const mlDsaFirst = profile.first === 'ml-dsa';
  const join = (edPart: Uint8Array, pqPart: Uint8Array): Uint8Array =>
    mlDsaFirst ? concat(pqPart, edPart) : concat(edPart, pqPart);
  const split = (joined: Uint8Array, edLength: number): { ed: Uint8Array; pq: Uint8Array } => {
    const at = mlDsaFirst ? joined.length - edLength : edLength;
    const [head, tail] = [joined.subarray(0, at), joined.subarray(at)];
    return mlDsaFirst ? { pq: head, ed: tail } : { ed: head, pq: tail };
  };
  const splitSignature = (joined: Uint8Array): { ed: Uint8Array; pq: Uint8Array } =>
    split(joined, signatureLength(halves.ed));
  const splitKey = (joined: Uint8Array): { ed: Uint8Array; pq: Uint8Array } =>
    split(joined, halves.ed.sizes.public);

  /** `seeds` begins with the EdDSA seed; how the ML-DSA half signs is the caller's. */
  function signWith(
    message: Uint8Array,
    seeds: Uint8Array,
    options: SignOptions = {},
    pqSign: (represented: Uint8Array, options: SignOptions) => Uint8Array,
  ): Uint8Array {
    const { context } = choose(descriptor, options);
    const represented = profile.represent(message, context);
    const pqOptions = {
      context: profile.mlDsaContext,
      ...(options.random === undefined ? {} : { random: options.random }),
    };
    const edPart = ed.sign(represented, seeds.subarray(0, seedLength));
    return join(edPart, pqSign(represented, pqOptions));
  }

  return {
    kind: 'signature',
    generate: (random) => random(descriptor.sizes.private),
    assertPublicKey(publicKey) {
      assertPublic(descriptor, publicKey);
      const keys = splitKey(publicKey);
      ed.assertPublicKey?.(keys.ed);
      pq.assertPublicKey?.(keys.pq);
    },
    publicKey(secret) {
      assertPrivate(descriptor, secret);
      return join(
        ed.publicKey(secret.subarray(0, seedLength)),
        pq.publicKey(secret.subarray(seedLength)),
      );
    },
    sign(message, secret, options) {
      assertPrivate(descriptor, secret);
      return signWith(message, secret, options, (represented, pqOptions) =>
        pq.sign(represented, secret.subarray(seedLength), pqOptions),
      );
    },
    ready(secret) {
      assertPrivate(descriptor, secret);
      // The EdDSA half costs nothing to expand; its seed is copied, since the caller wipes what was lent.
      const edSeed = new Uint8Array(secret.subarray(0, seedLength));
      const pqSigner = pq.ready?.(secret.subarray(seedLength));
      if (pqSigner === undefined) throw new TypeError('ML-DSA expands its keys');
      return {
        publicKey: join(ed.publicKey(edSeed), pqSigner.publicKey),
        sign: (message, options) =>
          signWith(message, edSeed, options, (represented, pqOptions) =>
            pqSigner.sign(represented, pqOptions),
          ),
        [Symbol.dispose]: () => {
          edSeed.fill(0);
          pqSigner[Symbol.dispose]();
        },
      };
    },
    verify(signature, message, publicKey, options = {}) {
      const chosen = chooseVerifying(descriptor, options);
      if (
        chosen === undefined ||
        signature.length !== descriptor.sizes.signature ||
        publicKey.length !== descriptor.sizes.public
      ) {
        return false;
      }
      const represented = profile.represent(message, chosen.context);
      const signatures = splitSignature(signature);
      const keys = splitKey(publicKey);
      const mlDsa = { context: profile.mlDsaContext };
      // Both are evaluated, so that timing does not tell which half was wrong.
      const edHolds = ed.verify(signatures.ed, represented, keys.ed);
      const pqHolds = pq.verify(signatures.pq, represented, keys.pq, mlDsa);
      return edHolds && pqHolds;
    },
    get second() {
      return opinion();
    },
  };

  /** Node's opinion on both halves, or on the EdDSA half alone where Node has no ML-DSA. */
  function opinion(): SecondOpinion | undefined {
    const [edSecond, pqSecond] = [ed.second, pq.second];
    if (edSecond === undefined) return undefined;
    return {
      by:
        pqSecond === undefined
          ? `${edSecond.by}, the ${halves.ed.jose?.crv ?? ''} half`
          : edSecond.by,
      publicKey: (secret) =>
        join(
          (edSecond.publicKey ?? ed.publicKey)(secret.subarray(0, seedLength)),
          (pqSecond?.publicKey ?? pq.publicKey)(secret.subarray(seedLength)),
        ),
      verify(signature, message, publicKey, context = new Uint8Array(0)) {
        const represented = profile.represent(message, context);
        const signatures = splitSignature(signature);
        const keys = splitKey(publicKey);
        return (
          edSecond.verify?.(signatures.ed, represented, keys.ed) !== false &&
          pqSecond?.verify?.(signatures.pq, represented, keys.pq, profile.mlDsaContext) !== false
        );
      },
    };
  }
}
