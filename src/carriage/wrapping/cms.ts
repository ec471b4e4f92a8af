/**
 * CMS messages sealed to ML-KEM keys: what mail and certificate software reads. The content is in memory as a whole, since DER
 * says every length first.
 * @see RFC 5083, RFC 5084, RFC 9629, RFC 9936; RFC 5958 for keys
 */
import { aesGcmOpen, aesGcmSeal, TAG_LENGTH } from '#crypto/aead';
import { aesKwUnwrap, aesKwWrap } from '#crypto/aes-kw';
import { der, DerReader, derSequence, TAG } from '#crypto/der';
import type { Descriptor, KemImplementation } from '#crypto/descriptor';
import { decodePkcs8 } from '#crypto/encodings/pkcs8';
import { encodePrivateKeyInfo } from '#crypto/encodings/private-key-info';
import { hkdfSha256, sha256 } from '#crypto/hash';
import { concat, utf8 } from '#formats/bytes';
import { sourceOf, takeAll } from '#formats/byte-stream';
import { InputError, InternalError, NegativeError, UsageError } from '#formats/errors';
import { decodePem, encodePem, looksLikePem } from '#formats/pem';
import { SecretBytes } from '#formats/secret-bytes';
import {
  authenticatedAttributes,
  CONTENT_TYPE,
  decodeCms,
  encodeCms,
  type KemRecipient,
  type NewRecipient,
  writtenInfo,
} from './cms-message.js';
import { refuseChoices } from './choices.js';
import { notAuthentic } from './container.js';
import type {
  Content,
  Mark,
  Opened,
  OpeningKey,
  Target,
  UnwrapRequest,
  WrapReport,
  WrappingFormat,
  WrapRequest,
} from './format.js';

/** PEM label of a message. */
export const CMS_LABEL = 'CMS';
/** Longest content. */
const MAX_CONTENT_BYTES = 64 * 1024 * 1024;
/** Longest message: base64 of the content and its recipients. */
const MAX_MESSAGE_BYTES = 92 * 1024 * 1024;
const CONTENT_KEY_BYTES = 32;
const NONCE_BYTES = 12;
const EMPTY = new Uint8Array(0);

/** ML-KEM's object identifiers (NIST CSOR); no other KEM has a standard for CMS. */
const ML_KEM = /^2\.16\.840\.1\.101\.3\.4\.4\.[123]$/;
/** DER of the type's identifier, near the beginning of every message. */
const TYPE = Uint8Array.of(0x06, 11, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 0x10, 1, 0x17);

type PublicKeyTarget = Target & { readonly kind: 'public-key' };

export const format: WrappingFormat = {
  name: 'cms',
  detect: (head) =>
    looksLikePem(head, CMS_LABEL) ||
    (head[0] === 0x30 && Buffer.from(head.subarray(0, 24)).includes(Buffer.from(TYPE))),
  // An ML-KEM key alone means a hybrid container; CMS is asked for by name.
  claims: () => false,
  wrap,
  unwrap,
};

async function wrap(request: WrapRequest): Promise<WrapReport> {
  const { content, random, mark } = request;
  const targets = recipientsOf(request.targets);
  refuseChoices(request, { armor: true });
  const { bytes, contentType } = contentOf(content);
  const attributes = authenticatedAttributes(contentType, mark);
  const contentKey = random(CONTENT_KEY_BYTES);
  try {
    const recipients: NewRecipient[] = [];
    for (const target of targets) recipients.push(await recipientFor(target, contentKey, random));
    const nonce = random(NONCE_BYTES);
    const sealed = aesGcmSeal(contentKey, nonce, bytes, attributes);
    const split = sealed.length - TAG_LENGTH;
    const message = encodeCms({
      recipients,
      contentType,
      nonce,
      body: sealed.subarray(0, split),
      tag: sealed.subarray(split),
      attributes,
    });
    request.sink.write(
      request.armor === true ? utf8(encodePem(CMS_LABEL, message, mark)) : message,
    );
  } finally {
    contentKey.fill(0);
    bytes.fill(0);
  }
  return {
    details: { armor: request.armor === true, recipients: targets.map(nameOf) },
    notes: ['checked by its structure, and not by another program on this machine'],
  };
}

async function recipientFor(
  { descriptor, publicKey }: PublicKeyTarget,
  contentKey: Uint8Array,
  random: WrapRequest['random'],
): Promise<NewRecipient> {
  const kem = (await descriptor.load()) as KemImplementation;
  const { ciphertext, sharedSecret } = kem.encapsulate(publicKey, random);
  const kek = hkdfSha256(sharedSecret, EMPTY, writtenInfo(), 32);
  sharedSecret.fill(0);
  try {
    return {
      keyIdentifier: keyIdentifier(publicKey),
      kem: descriptor.oid as string,
      ciphertext,
      encryptedKey: aesKwWrap(kek, contentKey),
    };
  } finally {
    kek.fill(0);
  }
}

/** The leftmost 160 bits of SHA-256 of the public key: RFC 7093 §2, method 1. */
export function keyIdentifier(publicKey: Uint8Array): Uint8Array {
  return sha256(publicKey).slice(0, 20);
}

/** What is sealed, owned by the caller, and its type. */
function contentOf(content: Content): {
  readonly bytes: Uint8Array;
  readonly contentType: string;
} {
  if (content.kind === 'file') {
    const bytes = takeAll(content.source, MAX_CONTENT_BYTES);
    if (bytes !== undefined) return { bytes, contentType: CONTENT_TYPE.data };
    throw new UsageError({
      code: 'E_WRAP_CONTENT',
      message: `a CMS message holds at most ${MAX_CONTENT_BYTES} bytes here`,
      hint: 'leave --format out: a hybrid container holds files of any size',
    });
  }
  const { descriptor } = content;
  if (descriptor.oid === undefined || descriptor.pkcs8 === undefined) {
    throw new UsageError({
      code: 'E_WRAP_CONTENT',
      message: `a ${descriptor.name} key has no form that a CMS message could carry`,
      hint: 'leave --format out: a hybrid container carries every key',
    });
  }
  const info = content.secret.use((raw) => encodePrivateKeyInfo(descriptor, raw));
  const bytes = derSequence(info);
  info.fill(0);
  return { bytes, contentType: CONTENT_TYPE.keyPackage };
}

async function unwrap({ source, name, openers }: UnwrapRequest): Promise<Opened> {
  const read = takeAll(source, MAX_MESSAGE_BYTES);
  if (read === undefined) {
    throw new InputError({
      code: 'E_FILE_TOO_LARGE',
      message: `${name} is longer than ${MAX_MESSAGE_BYTES} bytes`,
    });
  }
  const message = decodeCms(messageBytes(read, name), name);
  const failed = (): NegativeError => notAuthentic(name);
  const contentKey = await findContentKey(
    message.recipients,
    await openers.keys([]),
    message.keyBytes,
  );
  if (contentKey === undefined) throw failed();
  const { body, tag } = message.sealed;
  let plain: Uint8Array;
  try {
    plain = aesGcmOpen(contentKey, message.nonce, concat(body, tag), message.aad, name);
  } catch (error) {
    throw error instanceof NegativeError ? failed() : error;
  } finally {
    contentKey.fill(0);
  }
  const common = {
    environment: markOf(message.hint),
    epoch: 0,
    details: { contentType: message.contentType },
  };
  if (message.contentType !== CONTENT_TYPE.keyPackage) {
    return {
      ...common,
      kind: 'file',
      source: sourceOf(plain),
      [Symbol.dispose]: () => {
        plain.fill(0);
      },
    };
  }
  try {
    const { descriptor, secret } = await decodePkcs8(onlyKey(plain, name), `the key in ${name}`);
    const own = SecretBytes.adopt(secret, `key of ${name}`);
    return {
      ...common,
      environment: common.environment ?? 'production',
      kind: 'key',
      descriptor,
      secret: own,
      carried: undefined,
      [Symbol.dispose]: () => {
        own.dispose();
      },
    };
  } finally {
    plain.fill(0);
  }
}

/** DER of a message, out of its PEM where it has one. */
export function messageBytes(bytes: Uint8Array, what: string): Uint8Array {
  if (!looksLikePem(bytes.subarray(0, 65_536), CMS_LABEL)) return bytes;
  const { label, bytes: inner } = decodePem(bytes, what);
  if (label === CMS_LABEL) return inner;
  throw new InputError({
    code: 'E_PEM_MALFORMED',
    message: `${what} is a PEM file of ${label}`,
    hint: `a ${CMS_LABEL} file is needed here`,
  });
}

/** The content key; `undefined` when no recipient is one of the keys. Which step failed is not told. */
async function findContentKey(
  recipients: readonly KemRecipient[],
  keys: readonly OpeningKey[],
  keyBytes: number,
): Promise<Uint8Array | undefined> {
  for (const key of keys) {
    for (const recipient of recipients) {
      if (key.descriptor.oid !== recipient.kem || key.descriptor.kind !== 'kem') continue;
      if (recipient.ciphertext.length !== key.descriptor.sizes.ciphertext) continue;
      const kem = (await key.descriptor.load()) as KemImplementation;
      const shared = key.secret.use((secret) => kem.decapsulate(recipient.ciphertext, secret));
      const kek = hkdfSha256(shared, EMPTY, recipient.info, recipient.kekBytes);
      shared.fill(0);
      try {
        const found = aesKwUnwrap(kek, recipient.encryptedKey, 'a recipient');
        if (found.length === keyBytes) return found;
        found.fill(0);
      } catch (error) {
        const isOther = error instanceof NegativeError || error instanceof InputError;
        if (!isOther) throw error;
      } finally {
        kek.fill(0);
      }
    }
  }
  return undefined;
}

/** The one key of an AsymmetricKeyPackage. */
function onlyKey(bytes: Uint8Array, what: string): Uint8Array {
  const outer = new DerReader(bytes, what);
  const keys = outer.sequence();
  outer.end();
  const first = keys.content(TAG.sequence);
  if (keys.peek() !== undefined) throw keys.fail('several keys in one package');
  return der(TAG.sequence, first);
}

function markOf(hint: string | undefined): Mark | undefined {
  if (hint === undefined) return undefined;
  const match = /^(?<mark>REHEARSAL|DEV) KEY - NOT FOR PRODUCTION$/.exec(hint);
  return match?.groups?.['mark']?.toLowerCase() as Mark | undefined;
}

function recipientsOf(targets: readonly Target[]): readonly PublicKeyTarget[] {
  const out: PublicKeyTarget[] = [];
  for (const target of targets) {
    if (target.kind !== 'public-key' || !ML_KEM.test(target.descriptor.oid ?? '')) {
      throw new UsageError({
        code: 'E_WRAP_TARGET',
        message: `${target.name} is no key that a CMS message can be sealed to`,
        hint: 'give an ML-KEM key; for the others a hybrid container is the way',
      });
    }
    out.push(target);
  }
  if (out.length === 0) throw new InternalError({ code: 'E_WRAP_NOBODY', message: 'no recipient' });
  return out;
}

function nameOf({ descriptor }: { readonly descriptor: Descriptor }): string {
  return descriptor.name;
}
