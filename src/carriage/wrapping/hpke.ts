/**
 * HPKE in base mode, single shot: sealing to a public key. The sender stays anonymous; who sent something is told by a signed
 * statement beside it.
 * @see RFC 9180 §5.1, §6.1; draft-ietf-hpke-pq for the KEMs
 */
import { aesGcmOpen, aesGcmSeal, chaChaPolyOpen, chaChaPolySeal } from '#crypto/aead';
import type { Descriptor, KemImplementation, RandomSource } from '#crypto/descriptor';
import { type HashName, hkdfExpand, hkdfExtract } from '#crypto/hash';
import { concat, u16be, utf8 } from '#formats/bytes';
import { InternalError } from '#formats/errors';

type Seal = typeof aesGcmSeal;
type Open = typeof aesGcmOpen;

/** The algorithms of HPKE beside the KEM, by their registered identifiers. */
export interface HpkeSuite {
  readonly kdf: keyof typeof KDFS;
  readonly aead: keyof typeof AEADS;
}

const KDFS = {
  0x0001: 'sha256',
  0x0002: 'sha384',
  0x0003: 'sha512',
} as const satisfies Readonly<Record<number, HashName>>;

const AEADS = {
  0x0001: { key: 16, seal: aesGcmSeal, open: aesGcmOpen },
  0x0002: { key: 32, seal: aesGcmSeal, open: aesGcmOpen },
  0x0003: { key: 32, seal: chaChaPolySeal, open: chaChaPolyOpen },
} as const satisfies Readonly<Record<number, { key: number; seal: Seal; open: Open }>>;

/** What conclave seals with: HKDF-SHA256, AES-256-GCM. */
export const HPKE_SUITE: HpkeSuite = { kdf: 0x0001, aead: 0x0002 };

const NONCE_LENGTH = 12;
const VERSION = utf8('HPKE-v1');
const MODE_BASE = Uint8Array.of(0);
const EMPTY = new Uint8Array(0);

/** Key and nonce of one HPKE context. */
export interface HpkeContext {
  readonly key: Uint8Array;
  readonly baseNonce: Uint8Array;
  readonly exporterSecret: Uint8Array;
}

/**
 * Seals `plaintext` (borrowed) to a public key.
 * @param options - `random` decides everything random; a fixed source gives a fixed result, for tests only
 * @returns `enc` to be sent beside `sealed`; ciphertext ‖ 16-byte tag
 * @throws {@link InputError} `E_LENGTH_WRONG`, `E_KEY_INVALID`
 * @throws {@link InternalError} `E_HPKE_KEM` for a descriptor that HPKE does not know
 */
export async function sealHpke(options: {
  readonly descriptor: Descriptor;
  readonly publicKey: Uint8Array;
  readonly info: Uint8Array;
  readonly aad: Uint8Array;
  readonly plaintext: Uint8Array;
  readonly random: RandomSource;
  readonly suite?: HpkeSuite;
}): Promise<{ readonly enc: Uint8Array; readonly sealed: Uint8Array }> {
  const { descriptor, suite = HPKE_SUITE } = options;
  const kem = await loadKem(descriptor);
  const { ciphertext, sharedSecret } = kem.encapsulate(options.publicKey, options.random);
  return withContext(descriptor, suite, sharedSecret, options.info, ({ key, baseNonce }) => ({
    enc: ciphertext,
    sealed: AEADS[suite.aead].seal(key, baseNonce, options.plaintext, options.aad),
  }));
}

/**
 * The plaintext of {@link sealHpke}, owned by the caller.
 * @param options - `secret` raw private form, borrowed; `what` how errors name the input
 * @throws {@link NegativeError} `E_NOT_AUTHENTIC` for another key, info, aad, or changed bytes
 * @throws {@link InputError} `E_LENGTH_WRONG`
 * @throws {@link InternalError} `E_HPKE_KEM`
 */
export async function openHpke(options: {
  readonly descriptor: Descriptor;
  readonly secret: Uint8Array;
  readonly enc: Uint8Array;
  readonly info: Uint8Array;
  readonly aad: Uint8Array;
  readonly sealed: Uint8Array;
  readonly what: string;
  readonly suite?: HpkeSuite;
}): Promise<Uint8Array> {
  const { descriptor, sealed, aad, what, suite = HPKE_SUITE } = options;
  const kem = await loadKem(descriptor);
  const sharedSecret = kem.decapsulate(options.enc, options.secret);
  return withContext(descriptor, suite, sharedSecret, options.info, ({ key, baseNonce }) =>
    AEADS[suite.aead].open(key, baseNonce, sealed, aad, what),
  );
}

function withContext<T>(
  descriptor: Descriptor,
  suite: HpkeSuite,
  sharedSecret: Uint8Array,
  info: Uint8Array,
  work: (context: HpkeContext) => T,
): T {
  const context = keySchedule(descriptor, suite, sharedSecret, info);
  try {
    return work(context);
  } finally {
    for (const secret of [context.key, context.baseNonce, context.exporterSecret]) secret.fill(0);
  }
}

/**
 * The key schedule of base mode. `sharedSecret` is adopted and wiped; the caller wipes the result.
 * @see RFC 9180 §5.1
 */
export function keySchedule(
  descriptor: Descriptor,
  suite: HpkeSuite,
  sharedSecret: Uint8Array,
  info: Uint8Array,
): HpkeContext {
  const hash = KDFS[suite.kdf];
  const id = concat(utf8('HPKE'), u16be(kemId(descriptor)), u16be(suite.kdf), u16be(suite.aead));
  const extract = (salt: Uint8Array, label: string, ikm: Uint8Array): Uint8Array => {
    const labeled = concat(VERSION, id, utf8(label), ikm);
    const prk = hkdfExtract(hash, salt, labeled);
    labeled.fill(0);
    return prk;
  };
  const pskIdHash = extract(EMPTY, 'psk_id_hash', EMPTY);
  const infoHash = extract(EMPTY, 'info_hash', info);
  const bound = concat(MODE_BASE, pskIdHash, infoHash);
  const secret = extract(sharedSecret, 'secret', EMPTY);
  const expand = (label: string, length: number): Uint8Array =>
    hkdfExpand(hash, secret, concat(u16be(length), VERSION, id, utf8(label), bound), length);
  try {
    return {
      key: expand('key', AEADS[suite.aead].key),
      baseNonce: expand('base_nonce', NONCE_LENGTH),
      exporterSecret: expand('exp', secret.length),
    };
  } finally {
    secret.fill(0);
    sharedSecret.fill(0);
  }
}

async function loadKem(descriptor: Descriptor): Promise<KemImplementation> {
  kemId(descriptor);
  return (await descriptor.load()) as KemImplementation;
}

function kemId({ name, hpkeKem }: Descriptor): number {
  if (hpkeKem === undefined) {
    throw new InternalError({ code: 'E_HPKE_KEM', message: `${name} is no KEM of HPKE` });
  }
  return hpkeKem;
}
