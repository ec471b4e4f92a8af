/**
 * What a provider's import format consists of, and the one way in which all of them wrap: read the wrapping key and what binds
 * it, choose the algorithm, spell the payload as the provider wants it, seal, put the envelope around.
 */
import type { Descriptor, RandomSource } from '#crypto/descriptor';
import { encodeSpki } from '#crypto/encodings/spki';
import { allDescriptors } from '#crypto/registry';
import { readRsaPublicKey } from '#crypto/rsa-oaep';
import { concat } from '#formats/bytes';
import { InternalError, RefusedError, UsageError } from '#formats/errors';
import { sealHpke } from '../hpke.js';
import { sealUnderRsa } from '../rsa-aes.js';
import { type Accepted, acceptedAs, type Accepts, materialOf, payloadOf } from './material.js';
import { assertCurrent, assertSize, type ImportProfile, profileNamed } from './profile.js';
import type { Theirs } from './theirs.js';

/** An algorithm that seals by HPKE. */
export interface HpkeProfile {
  readonly name: string;
  /** Identifier of the KEM in HPKE. */
  readonly kem: number;
  readonly experimental: string;
}

/** The wrapping key that a provider handed out, and what it said with it. */
export interface Offer {
  /** How errors name it. */
  readonly name: string;
  /** RSA as SPKI DER, a KEM as its raw public key. */
  readonly key:
    | { readonly kind: 'rsa'; readonly spki: Uint8Array }
    | { readonly kind: 'kem'; readonly raw: Uint8Array };
  /** The algorithm, where the document names it. */
  readonly algorithm?: string | undefined;
  /** What the provider calls things: key, job, vault; for the next command. */
  readonly names: Readonly<Record<string, string>>;
  readonly until?: Date | undefined;
  /** To be given back with the wrapped key. */
  readonly token?: Uint8Array | undefined;
  /** Members of the document that were not looked at. */
  readonly ignored: readonly string[];
}

/** A provider, as data and small functions. */
export interface Provider {
  /** Name of the format. */
  readonly format: string;
  /** For people. */
  readonly title: string;
  readonly profiles: readonly ImportProfile[];
  readonly hpke?: readonly HpkeProfile[];
  readonly accepts: Accepts;
  /** Why a kind of key is not taken. */
  refused(label: string): string | undefined;
  /** Whether a document is this provider's; never throws. */
  claims(document: Theirs): boolean;
  /** @throws {@link InputError} `E_PROVIDER_DOCUMENT` */
  read(document: Theirs, name: string): Offer;
  /** How to get a new wrapping key when this one is past its time. */
  readonly renew: string;
  /**
   * The algorithm for a kind of key when none was named; `undefined` when there is none to prefer.
   * @param bits - of the wrapping key
   */
  usual(label: string, bits: number): string | undefined;
  /** Refuses combinations that the provider refuses. @throws {@link UsageError} `E_WRAP_ALGORITHM` */
  combine?(profile: ImportProfile, label: string, bits: number): void;
  envelope(wrapped: Wrapped): Uint8Array;
  /**
   * The exact next commands; names in capitals are the operator's to fill in.
   * @param out - the file's name, as a word of a shell
   */
  next(wrapped: Wrapped, out: string): readonly string[];
  /** Further files beside it: what is added to its name, and content. */
  companions?(wrapped: Wrapped): readonly { readonly suffix: string; readonly bytes: Uint8Array }[];
}

/** What was wrapped, before its envelope. */
export interface Wrapped {
  readonly blob: Uint8Array;
  readonly offer: Offer;
  /** Canonical SPKI DER of the wrapping key: what its digest is of. */
  readonly spki: Uint8Array;
  readonly bits: number;
  readonly profile: ImportProfile | HpkeProfile;
  readonly accepted: Accepted;
  readonly label: string;
  /** Version of conclave, for envelopes that name their generator. */
  readonly version: string;
}

/** What is to be wrapped. */
export interface ImportRequest {
  readonly offer: Offer;
  readonly descriptor: Descriptor;
  /** Raw private form; borrowed. */
  readonly secret: Uint8Array;
  /** The provider's name for the algorithm, where one was named. */
  readonly algorithm?: string | undefined;
  readonly now: Date;
  readonly random: RandomSource;
  readonly version: string;
}

/**
 * Wraps a key for a provider.
 * @throws {@link UsageError} `E_WRAP_CONTENT`, `E_WRAP_ALGORITHM`, `E_WRAP_TARGET`; {@link RefusedError} `E_WRAP_EXPIRED`,
 * `E_RSA_KEY_WEAK`; {@link InputError} `E_RSA_KEY_MALFORMED`, `E_WRAP_TOO_LONG`
 */
export async function wrapForImport(provider: Provider, request: ImportRequest): Promise<Wrapped> {
  const { offer, descriptor, secret, random, version } = request;
  assertCurrent(offer.until, request.now, offer.name, provider.renew);
  const label = materialOf(descriptor);
  const accepted = acceptedAs(descriptor, provider.title, provider.accepts, (it) =>
    provider.refused(it),
  );
  const named = algorithmOf(request, provider);
  const payload = payloadOf(accepted.payload, descriptor, secret);
  const common = { offer, accepted, label, version };
  try {
    if (offer.key.kind === 'kem') {
      const { profile, kem } = await hpkeOf(provider, offer, named);
      const { enc, sealed } = await sealHpke({
        descriptor: kem,
        publicKey: offer.key.raw,
        // The provider's own suite: neither info nor associated data.
        info: new Uint8Array(0),
        aad: new Uint8Array(0),
        plaintext: payload,
        random,
      });
      const spki = encodeSpki(kem, offer.key.raw);
      return { ...common, blob: concat(enc, sealed), spki, bits: 0, profile };
    }
    const key = readRsaPublicKey(offer.key.spki, offer.name);
    const profile = rsaProfile(provider, offer, named, label, key.bits);
    assertSize(profile, key.bits, offer.name);
    provider.combine?.(profile, label, key.bits);
    const blob = sealUnderRsa(profile, key, payload, random);
    return { ...common, blob, spki: key.spki, bits: key.bits, profile };
  } finally {
    payload.fill(0);
  }
}

/**
 * Canonical SPKI DER of an offer's wrapping key.
 * @throws as {@link wrapForImport}
 */
export async function spkiOf(provider: Provider, offer: Offer): Promise<Uint8Array> {
  if (offer.key.kind === 'rsa') return readRsaPublicKey(offer.key.spki, offer.name).spki;
  const { kem } = await hpkeOf(provider, offer, offer.algorithm);
  return encodeSpki(kem, offer.key.raw);
}

/** The algorithm named on the command line or in the document; both at once must be the same. */
function algorithmOf({ offer, algorithm }: ImportRequest, provider: Provider): string | undefined {
  const stated = offer.algorithm;
  if (stated === undefined || algorithm === undefined) return algorithm ?? stated;
  if (stated.toLowerCase() === algorithm.toLowerCase()) return stated;
  throw new UsageError({
    code: 'E_WRAP_ALGORITHM',
    message: `${offer.name} says ${stated}, and ${algorithm} was asked for`,
    hint: `leave --algorithm out: ${provider.title} opens it with what its document says`,
  });
}

function rsaProfile(
  provider: Provider,
  offer: Offer,
  named: string | undefined,
  label: string,
  bits: number,
): ImportProfile {
  const name = named ?? provider.usual(label, bits);
  if (name !== undefined) {
    if (provider.hpke?.some((each) => each.name.toLowerCase() === name.toLowerCase()) === true) {
      throw new UsageError({
        code: 'E_WRAP_TARGET',
        message: `${offer.name} holds an RSA key, and ${name} is for a KEM key`,
        hint: 'take the key and the name of the algorithm from the same answer of the provider',
      });
    }
    return profileNamed(provider.profiles, name, provider.title);
  }
  throw new UsageError({
    code: 'E_WRAP_ALGORITHM',
    message: `${provider.title} has several algorithms, and nothing tells which one is meant`,
    hint: `say --algorithm: ${provider.profiles.map((each) => each.name).join(', ')}`,
  });
}

async function hpkeOf(
  provider: Provider,
  offer: Offer,
  named: string | undefined,
): Promise<{ readonly profile: HpkeProfile; readonly kem: Descriptor }> {
  const profiles = provider.hpke ?? [];
  const profile = named === undefined ? undefined : profileNamed(profiles, named, provider.title);
  if (profile === undefined) {
    throw new UsageError({
      code: 'E_WRAP_ALGORITHM',
      message: `${offer.name} is a KEM key, and nothing tells which algorithm is meant`,
      hint:
        profiles.length === 0
          ? `${provider.title} wraps with RSA`
          : `say --algorithm: ${profiles.map((each) => each.name).join(', ')}`,
    });
  }
  const kem = (await allDescriptors()).find(({ hpkeKem }) => hpkeKem === profile.kem);
  if (kem === undefined) {
    throw new InternalError({ code: 'E_HPKE_KEM', message: `${profile.name} has no KEM` });
  }
  if (offer.key.kind === 'kem' && offer.key.raw.length !== kem.sizes.public) {
    throw new RefusedError({
      code: 'E_WRAP_TARGET',
      message: `${offer.name}: a public key of ${kem.name} has ${kem.sizes.public} bytes, not ${offer.key.raw.length}`,
    });
  }
  return { profile, kem };
}
