/**
 * DHKEM, the classical KEM of RFC 9180 §4.1, put together from the program's key agreements and its HKDF. conclave seals to no
 * such key (never without post-quantum secrecy): it is here so that the RFC's own vectors run from their first byte on.
 */

/** By identifier: the agreement, the hash, and of a P curve the mask of the first byte of a private key (RFC 9180 §7.1). */
const GROUPS = {
  0x0010: { algorithm: 'p256', hash: 'sha256', secret: 32, mask: 0xff },
  0x0011: { algorithm: 'p384', hash: 'sha384', secret: 48, mask: 0xff },
  0x0012: { algorithm: 'p521', hash: 'sha512', secret: 64, mask: 0x01 },
  0x0020: { algorithm: 'x25519', hash: 'sha256', secret: 32 },
  0x0021: { algorithm: 'x448', hash: 'sha512', secret: 64 },
};

const u16 = (value) => Uint8Array.of(value >> 8, value & 0xff);
const EMPTY = new Uint8Array(0);

/** The KEM with this identifier; `undefined` when it is no DHKEM. */
export async function dhkem(id, tools) {
  const group = GROUPS[id];
  if (group === undefined) return undefined;
  const { hkdfExpand, hkdfExtract } = await tools.load('crypto/hash');
  const { concat } = await tools.load('formats/bytes');
  const { descriptor, implementation } = await tools.algorithm(group.algorithm);
  const { utf8 } = tools;
  const suite = concat(utf8('KEM'), u16(id));
  const extract = (label, ikm) =>
    hkdfExtract(group.hash, EMPTY, concat(utf8('HPKE-v1'), suite, utf8(label), ikm));
  const expand = (prk, label, info, length) =>
    hkdfExpand(
      group.hash,
      prk,
      concat(u16(length), utf8('HPKE-v1'), suite, utf8(label), info),
      length,
    );
  const shared = (dh, context) =>
    expand(extract('eae_prk', dh), 'shared_secret', context, group.secret);
  const length = descriptor.sizes.private;

  /** The private key of `ikm`. */
  const deriveKeyPair = (ikm) => {
    const prk = extract('dkp_prk', ikm);
    if (group.mask === undefined) return expand(prk, 'sk', EMPTY, length);
    for (let counter = 0; counter < 256; counter++) {
      const candidate = expand(prk, 'candidate', Uint8Array.of(counter), length);
      candidate[0] &= group.mask;
      try {
        implementation.publicKey(candidate);
        return candidate;
      } catch {
        // Out of range: the next one.
      }
    }
    throw new Error('no key in 256 candidates');
  };
  return {
    deriveKeyPair,
    publicKey: implementation.publicKey,
    /** `secretE` is the ephemeral key, `secretS` the sender's in the modes that authenticate one. */
    encapsulate(publicR, secretE, secretS) {
      const enc = implementation.publicKey(secretE);
      const sender = secretS === undefined ? [] : [implementation.publicKey(secretS)];
      const dh = [secretE, ...(secretS === undefined ? [] : [secretS])].map((secret) =>
        implementation.agree(secret, publicR),
      );
      return {
        ciphertext: enc,
        sharedSecret: shared(concat(...dh), concat(enc, publicR, ...sender)),
      };
    },
    decapsulate(enc, secretR, publicS) {
      const sender = publicS === undefined ? [] : [publicS];
      const dh = [enc, ...sender].map((peer) => implementation.agree(secretR, peer));
      return shared(concat(...dh), concat(enc, implementation.publicKey(secretR), ...sender));
    },
  };
}
