/** Sealing a dealt share to its custodian and opening it again: the one place that knows all three ways. */
import { openHpke, sealHpke } from '#carriage/wrapping/hpke';
import { keyId } from '#crypto/key-id';
import {
  ARGON_COST,
  ARGON_LIMITS,
  type ArgonCost,
  openWithArgon2id,
  sealWithArgon2id,
} from '#crypto/argon2-box';
import { openWithPassphrase, sealWithPassphrase } from '#crypto/passphrase-box';
import type { RandomSource } from '#crypto/descriptor';
import { resolve } from '#crypto/registry';
import { components } from '#custody/audit/component-keys';
import { equal, fromHex } from '#formats/bytes';
import { InternalError, RefusedError } from '#formats/errors';
import { SecretBytes } from '#formats/secret-bytes';
import type { DealtShare } from '#protocols/sharing/deal';
import {
  encodeHeader,
  encodeShare,
  SHARE_HPKE_INFO,
  type ShareFile,
  type ShareHeader,
} from '#protocols/sharing/envelope';

/** Who can open a share. */
export type Recipient =
  | { readonly kind: 'unsealed' }
  | { readonly kind: 'passphrase'; readonly passphrase: SecretBytes }
  | {
      readonly kind: 'identity';
      /** Raw x-wing public key. */
      readonly xWing: Uint8Array;
      /** For people. */
      readonly name: string;
    };

/** What a share file says besides its own index and seal. */
export type ShareSetting = Omit<ShareHeader, 'index' | 'seal'>;

/** What stretches the passphrases of new shares. */
export type Stretching = 'scrypt' | 'argon2id';

/** The bytes of a share file, sealed to its recipient. The share stays with the caller. */
export async function sealShare(options: {
  readonly share: DealtShare;
  readonly setting: ShareSetting;
  readonly recipient: Recipient;
  readonly logN: number;
  /** scrypt when not given. */
  readonly stretching?: Stretching | undefined;
  readonly random: RandomSource;
}): Promise<Uint8Array> {
  const { share, setting, recipient, logN, stretching = 'scrypt', random } = options;
  const base = { ...setting, index: share.index };
  const plaintext = share.opening.use((bytes) => bytes.slice());
  try {
    switch (recipient.kind) {
      case 'unsealed':
        return encodeShare({
          ...base,
          seal: { kind: 'unsealed' },
          enc: undefined,
          body: plaintext,
        });
      case 'passphrase': {
        const { passphrase } = recipient;
        if (stretching === 'argon2id') {
          const { sealed, ...box } = await sealWithArgon2id({
            passphrase,
            plaintext,
            aad: (head) => encodeHeader({ ...base, seal: { kind: 'argon2id', box: head } }),
            cost: argonCost(logN),
            random,
          });
          return encodeShare({
            ...base,
            seal: { kind: 'argon2id', box },
            enc: undefined,
            body: sealed,
          });
        }
        const { sealed, ...box } = sealWithPassphrase({
          passphrase,
          plaintext,
          aad: (head) => encodeHeader({ ...base, seal: { kind: 'passphrase', box: head } }),
          logN,
          random,
        });
        const seal = { kind: 'passphrase', box } as const;
        return encodeShare({ ...base, seal, enc: undefined, body: sealed });
      }
      case 'identity': {
        const descriptor = await resolve(components.xWing.name);
        const id = fromHex(keyId(components.xWing, recipient.xWing));
        const seal = { kind: 'identity', recipient: id } as const;
        const { enc, sealed } = await sealHpke({
          descriptor,
          publicKey: recipient.xWing,
          info: SHARE_HPKE_INFO,
          aad: encodeHeader({ ...base, seal }),
          plaintext,
          random,
        });
        return encodeShare({ ...base, seal, enc, body: sealed });
      }
    }
  } finally {
    plaintext.fill(0);
  }
}

/**
 * The opening of an unsealed share: share(32) ‖ r(23).
 * @returns owned by the caller
 */
export function takeUnsealed(share: ShareFile, name: string): SecretBytes {
  if (share.seal.kind !== 'unsealed') throw wrongSeal(name);
  return SecretBytes.copyOf(share.body, `share ${name}`);
}

/**
 * The opening of a passphrase-sealed share.
 * @throws {@link RefusedError} `E_PASSPHRASE_WRONG`, {@link NegativeError} `E_NOT_AUTHENTIC`
 */
export async function openByPassphrase(
  share: ShareFile,
  passphrase: SecretBytes,
  name: string,
): Promise<SecretBytes> {
  if (share.seal.kind === 'argon2id') {
    const box = { ...share.seal.box, sealed: share.body };
    const opened = await openWithArgon2id(box, passphrase, encodeHeader(share), name);
    return SecretBytes.adopt(opened, `share ${name}`);
  }
  if (share.seal.kind !== 'passphrase') throw wrongSeal(name);
  const box = { ...share.seal.box, sealed: share.body };
  const opened = openWithPassphrase(box, passphrase, encodeHeader(share), name);
  return SecretBytes.adopt(opened, `share ${name}`);
}

/** The memory that goes with scrypt's cost: 64 MiB at 2^17, so that tests lower both at once. */
function argonCost(logN: number): ArgonCost {
  return { ...ARGON_COST, logMemory: Math.max(ARGON_LIMITS.minLogMemory, logN - 1) };
}

/** Whether a share is sealed to this x-wing public key. */
export function isSealedTo(share: ShareFile, xWing: Uint8Array): boolean {
  const { seal } = share;
  return seal.kind === 'identity' && equal(seal.recipient, fromHex(keyId(components.xWing, xWing)));
}

/**
 * The opening of a share sealed to an identity.
 * @param secret - raw x-wing private form, borrowed
 * @throws {@link NegativeError} `E_NOT_AUTHENTIC`
 */
export async function openByIdentity(
  share: ShareFile,
  secret: Uint8Array,
  name: string,
): Promise<SecretBytes> {
  if (share.seal.kind !== 'identity' || share.enc === undefined) throw wrongSeal(name);
  const opened = await openHpke({
    descriptor: await resolve(components.xWing.name),
    secret,
    enc: share.enc,
    info: SHARE_HPKE_INFO,
    aad: encodeHeader(share),
    sealed: share.body,
    what: name,
  });
  return SecretBytes.adopt(opened, `share ${name}`);
}

/** What to throw when nobody here can open a share. */
export function notOpened(name: string, why: string, hint: string): RefusedError {
  return new RefusedError({ code: 'E_SHARE_SEALED', message: `${name} ${why}`, hint });
}

function wrongSeal(name: string): InternalError {
  return new InternalError({
    code: 'E_SHARE_SEAL_KIND',
    message: `${name} was opened in another way than it is sealed`,
  });
}
