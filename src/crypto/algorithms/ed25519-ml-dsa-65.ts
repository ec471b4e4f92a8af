/**
 * The hybrid signature of Ed25519 and ML-DSA-65, in two profiles that are never mixed: the IETF composite, and the pair of the
 * Ratify protocol. Both halves must always verify.
 *
 * Inside conclave the private form of both is ed25519 seed ‖ ml-dsa-65 seed; the public key and the signature follow the
 * order of their profile.
 */
import { concat, utf8 } from '#formats/bytes';
import type {
  Descriptor,
  Implementation,
  SecondOpinion,
  SignatureImplementation,
  SignOptions,
} from '../descriptor.js';
import { sha512 } from '../hash.js';
import { assertPrivate } from '../lengths.js';
import { choose, chooseVerifying } from '../signing-choices.js';
import { descriptors as ed25519Descriptors } from './ed25519.js';
import { descriptors as mlDsaDescriptors } from './ml-dsa.js';

const [ed25519] = ed25519Descriptors;
const [, mlDsa65] = mlDsaDescriptors;

const SEED = 32;
const ED_PUBLIC = 32;
const ED_SIGNATURE = 64;
const PQ_PUBLIC = 1952;
const PQ_SIGNATURE = 3309;

const common = {
  name: 'ed25519+ml-dsa-65',
  kind: 'signature',
  sizes: {
    private: 2 * SEED,
    public: ED_PUBLIC + PQ_PUBLIC,
    signature: ED_SIGNATURE + PQ_SIGNATURE,
  },
  category: 3,
  bits: 128,
  purposes: ['sign'],
} as const;

const composite: Descriptor = {
  ...common,
  profile: 'composite',
  status: 'draft',
  signing: { context: true, randomness: 'optional' },
  spec: 'draft-ietf-lamps-pq-composite-sigs §3, id-MLDSA65-Ed25519-SHA512',
  oid: '1.3.6.1.5.5.7.6.48',
  pkcs8: 'bare',
  rearrange: { toPkcs8: swapSeeds, fromPkcs8: swapSeeds },
  load: async () => implement(await loadHalves(), composite, compositeProfile),
};

const ratify: Descriptor = {
  ...common,
  profile: 'ratify-v1',
  status: 'standard',
  signing: { randomness: 'optional' },
  spec: 'Ratify protocol v1 §5 and §6',
  load: async () => implement(await loadHalves(), ratify, ratifyProfile),
};

/** How a profile differs from the other. */
interface Profile {
  readonly first: 'ed25519' | 'ml-dsa-65';
  /** What both halves sign, from message and context. */
  represent(message: Uint8Array, context: Uint8Array): Uint8Array;
  /** Context string of the ML-DSA half. */
  readonly mlDsaContext: Uint8Array;
}

const PREFIX = utf8('CompositeAlgorithmSignatures2025');
const LABEL = utf8('COMPSIG-MLDSA65-Ed25519-SHA512');

const compositeProfile: Profile = {
  first: 'ml-dsa-65',
  represent: (message, context) =>
    concat(PREFIX, LABEL, Uint8Array.of(context.length), context, sha512(message)),
  mlDsaContext: LABEL,
};

const ratifyProfile: Profile = {
  first: 'ed25519',
  represent: (message) => message,
  mlDsaContext: new Uint8Array(0),
};

interface Halves {
  readonly ed: SignatureImplementation;
  readonly pq: SignatureImplementation;
}

async function loadHalves(): Promise<Halves> {
  const [ed, pq] = await Promise.all([ed25519.load(), mlDsa65.load()]);
  return { ed: ed as SignatureImplementation, pq: pq as SignatureImplementation };
}

function implement({ ed, pq }: Halves, descriptor: Descriptor, profile: Profile): Implementation {
  const mlDsaFirst = profile.first === 'ml-dsa-65';
  const join = (edPart: Uint8Array, pqPart: Uint8Array): Uint8Array =>
    mlDsaFirst ? concat(pqPart, edPart) : concat(edPart, pqPart);
  const split = (joined: Uint8Array, edLength: number): { ed: Uint8Array; pq: Uint8Array } => {
    const at = mlDsaFirst ? joined.length - edLength : edLength;
    const [head, tail] = [joined.subarray(0, at), joined.subarray(at)];
    return mlDsaFirst ? { pq: head, ed: tail } : { ed: head, pq: tail };
  };

  /** `seeds` begins with the Ed25519 seed; how the ML-DSA half signs is the caller's. */
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
    return join(ed.sign(represented, seeds.subarray(0, SEED)), pqSign(represented, pqOptions));
  }

  return {
    kind: 'signature',
    generate: (random) => random(2 * SEED),
    publicKey(secret) {
      assertPrivate(descriptor, secret);
      return join(ed.publicKey(secret.subarray(0, SEED)), pq.publicKey(secret.subarray(SEED)));
    },
    sign(message, secret, options) {
      assertPrivate(descriptor, secret);
      return signWith(message, secret, options, (represented, pqOptions) =>
        pq.sign(represented, secret.subarray(SEED), pqOptions),
      );
    },
    ready(secret) {
      assertPrivate(descriptor, secret);
      // The Ed25519 half costs nothing to expand; its seed is copied, since the caller wipes what was lent.
      const edSeed = secret.slice(0, SEED);
      const pqSigner = pq.ready?.(secret.subarray(SEED));
      if (pqSigner === undefined) throw new TypeError('ml-dsa-65 expands its keys');
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
      const signatures = split(signature, ED_SIGNATURE);
      const keys = split(publicKey, ED_PUBLIC);
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

  /** Node's opinion on both halves, or on the Ed25519 half alone where Node has no ML-DSA. */
  function opinion(): SecondOpinion | undefined {
    const [edSecond, pqSecond] = [ed.second, pq.second];
    if (edSecond === undefined) return undefined;
    return {
      by: pqSecond === undefined ? `${edSecond.by}, the Ed25519 half` : edSecond.by,
      publicKey: (secret) =>
        join(
          edSecond.publicKey(secret.subarray(0, SEED)),
          (pqSecond ?? pq).publicKey(secret.subarray(SEED)),
        ),
      verify(signature, message, publicKey, context = new Uint8Array(0)) {
        const represented = profile.represent(message, context);
        const signatures = split(signature, ED_SIGNATURE);
        const keys = split(publicKey, ED_PUBLIC);
        return (
          edSecond.verify?.(signatures.ed, represented, keys.ed) !== false &&
          pqSecond?.verify?.(signatures.pq, represented, keys.pq, profile.mlDsaContext) !== false
        );
      },
    };
  }
}

/** ed25519 seed ‖ ml-dsa seed to ml-dsa seed ‖ ed25519 seed, or back. */
function swapSeeds(seeds: Uint8Array): Uint8Array {
  return concat(seeds.subarray(SEED), seeds.subarray(0, SEED));
}

/** The hybrid in its two profiles; the first is the default. */
export const descriptors = [composite, ratify] as const;
