/** The scalar behind a private key, so that a key that exists can be shared as the keys of a group are. */
import { InternalError } from '#formats/errors';
import type { SecretBytes } from '#formats/secret-bytes';
import { SecretBytes as Secrets } from '#formats/secret-bytes';
import { encodeScalar, mod } from '../math/prime-group.js';
import { type FrostSuite, groupSuiteNames, loadSuite, suiteAlgorithm } from './suite.js';

/**
 * The suite whose group keys are of an algorithm, where an existing key of it can be dealt. Taproot is left out: a dealt key is
 * tweaked, and would be another.
 */
export async function suiteForKey(algorithm: string): Promise<FrostSuite | undefined> {
  const name = groupSuiteNames.find((each) => suiteAlgorithm(each) === algorithm);
  const suite = name === undefined ? undefined : await loadSuite(name);
  return suite?.evenY === true ? undefined : suite;
}

/**
 * The scalar x with x·G the public key, big-endian with the suite's length; the caller disposes it.
 * @param secret - the raw private form of the suite's algorithm, borrowed: a seed for Ed25519 and Ed448, else the scalar
 */
export async function keyScalar(suite: FrostSuite, secret: SecretBytes): Promise<SecretBytes> {
  const { group, scalarBytes } = suite;
  const expand = await expanderOf(group.name);
  return secret.use((bytes) => {
    const scalar = mod(
      expand?.(bytes) ?? bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n),
      group.order,
    );
    if (scalar === 0n) {
      throw new InternalError({ code: 'E_KEY_SCALAR', message: 'the key has no scalar' });
    }
    return Secrets.adopt(encodeScalar(scalar, { ...group, scalarBytes }), 'scalar of a key');
  });
}

/** How a seed becomes a scalar, for the groups of RFC 8032. */
async function expanderOf(group: string): Promise<((seed: Uint8Array) => bigint) | undefined> {
  switch (group) {
    case 'edwards25519': {
      const { ed25519 } = await import('@noble/curves/ed25519.js');
      return (seed) => ed25519.utils.getExtendedPublicKey(seed).scalar;
    }
    case 'edwards448': {
      const { ed448 } = await import('@noble/curves/ed448.js');
      return (seed) => ed448.utils.getExtendedPublicKey(seed).scalar;
    }
    default:
      return undefined;
  }
}
