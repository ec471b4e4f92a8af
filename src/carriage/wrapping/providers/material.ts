/**
 * What kind of key something is in words that every provider's tables can be keyed by, and the two ways in which providers
 * take a private key: as its raw bytes or as PKCS#8.
 */
import type { Descriptor } from '#crypto/descriptor';
import { encodePrivateKeyInfo } from '#crypto/encodings/private-key-info';
import { UsageError } from '#formats/errors';

/** How the payload is spelled. */
export type Payload = 'raw' | 'pkcs8';

/** What a provider takes a kind of key as. */
export interface Accepted {
  readonly payload: Payload;
  /** The provider's name for such a key, e.g. `ECC_NIST_P256`. */
  readonly spec: string;
  /** What people must know although it is accepted; one sentence. */
  readonly note?: string;
}

/** A provider's table: by the label of {@link materialOf}. */
export type Accepts = Readonly<Record<string, Accepted>>;

/**
 * A label for a kind of key: `AES-256`, `HMAC-256`, `RSA-3072`, `P-256`, `Ed25519`, `ML-DSA-65`; the registry's name where
 * JOSE has none.
 */
export function materialOf(descriptor: Descriptor): string {
  const { jose, kind, sizes, name } = descriptor;
  if (kind === 'symmetric') {
    const size = /^(?<family>A|HS)(?<bits>\d+)/.exec(jose?.alg ?? '')?.groups;
    if (size !== undefined) {
      return size['family'] === 'A' ? `AES-${sizes.private * 8}` : `HMAC-${size['bits'] as string}`;
    }
  }
  if (jose?.kty === 'RSA') return `RSA-${/\d+$/.exec(name)?.[0] ?? ''}`;
  return jose?.crv ?? (jose?.kty === 'AKP' ? jose.alg : undefined) ?? name;
}

/**
 * What a provider takes this key as.
 * @param refused - reasons of the provider for kinds that it does not take, or of which that could not be confirmed
 * @throws {@link UsageError} `E_WRAP_CONTENT` with the reason
 */
export function acceptedAs(
  descriptor: Descriptor,
  provider: string,
  accepts: Accepts,
  refused: (label: string) => string | undefined,
): Accepted {
  const label = materialOf(descriptor);
  const accepted = Object.hasOwn(accepts, label) ? accepts[label] : undefined;
  if (accepted !== undefined) return accepted;
  const why = refused(label) ?? `it takes ${Object.keys(accepts).join(', ')}`;
  throw new UsageError({
    code: 'E_WRAP_CONTENT',
    message: `${provider} takes no ${descriptor.name} key: ${why}`,
    hint: 'wrap it in another format, or import another key',
  });
}

/** The payload bytes of a key; secret, the caller wipes them. `secret` is the raw private form, borrowed. */
export function payloadOf(
  payload: Payload,
  descriptor: Descriptor,
  secret: Uint8Array,
): Uint8Array {
  return payload === 'raw' ? new Uint8Array(secret) : encodePrivateKeyInfo(descriptor, secret);
}
