/** By what other names a key is known: what `key show` and `show` add to conclave's own id. */
import type { Descriptor } from '#crypto/descriptor';
import { jwkThumbprint } from '#crypto/encodings/jwk';
import { sshFingerprint } from '#crypto/encodings/ssh';

/** Names of a key elsewhere; absent where there is none. */
export interface Fingerprints {
  /** SHA-256 thumbprint of RFC 7638, base64url. */
  readonly jwkThumbprint?: string;
  /** As `ssh-keygen -l` shows it. */
  readonly sshFingerprint?: string;
  /** Key specification of AWS KMS. */
  readonly awsKeySpec?: string;
}

/** The names of a public key elsewhere; for symmetric keys only what follows from the algorithm. */
export function fingerprints(descriptor: Descriptor, publicKey: Uint8Array): Fingerprints {
  const isPublic = descriptor.kind !== 'symmetric';
  const jwk = isPublic ? jwkThumbprint(descriptor, publicKey) : undefined;
  const ssh = isPublic ? sshFingerprint(descriptor, publicKey) : undefined;
  const { awsKeySpec } = descriptor;
  return {
    ...(jwk === undefined ? {} : { jwkThumbprint: jwk }),
    ...(ssh === undefined ? {} : { sshFingerprint: ssh }),
    ...(awsKeySpec === undefined ? {} : { awsKeySpec }),
  };
}
