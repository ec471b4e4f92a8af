/**
 * Envelope custody: each key has a data key of its own (DEK), which HPKE wraps to a key-encryption key (KEK). The envelope
 * without the KEK, the KEK without the envelope, and either half of an envelope without the other open nothing.
 * @see docs/spec/envelope.md
 */
import { aesGcmOpen, aesGcmSeal, NONCE_LENGTH, TAG_LENGTH } from '#crypto/aead';
import { keyId } from '#crypto/key-id';
import { concat, utf8 } from '#formats/bytes';
import { takeAll } from '#formats/byte-stream';
import { InternalError, type NegativeError, UsageError } from '#formats/errors';
import { refuseChoices } from './choices.js';
import { notAuthentic } from './container.js';
import {
  decodeEnvelope,
  dekBinding,
  encodeEnvelope,
  type Envelope,
  type EnvelopeHeader,
  keyBinding,
  looksLikeEnvelope,
  MAX_ENVELOPE_BYTES,
} from './envelope.js';
import type {
  Opened,
  OpeningKey,
  UnwrapRequest,
  WrapReport,
  WrappingFormat,
  WrapRequest,
} from './format.js';
import { openHpke, sealHpke } from './hpke.js';
import { encodeKeyPackage, openKeyPackage } from './key-package.js';

const INFO_DEK = utf8('conclave/envelope/v1/dek');
const DEK_BYTES = 32;
/** A data key seals one key and nothing after it, so that the nonce needs no value. */
const NONCE = new Uint8Array(NONCE_LENGTH);

export const format: WrappingFormat = {
  name: 'envelope',
  detect: looksLikeEnvelope,
  claims: () => false,
  custody: true,
  wrap,
  unwrap,
};

async function wrap(request: WrapRequest): Promise<WrapReport> {
  refuseChoices(request, { armor: false });
  const { content, created, environment, epoch, custody = 'custodial', random } = request;
  if (content.kind !== 'key') {
    throw new UsageError({
      code: 'E_WRAP_CONTENT',
      message: 'an envelope holds a key, and not a file',
      hint: 'choose --format hpke for a file',
    });
  }
  const { name, descriptor, publicKey } = onlyTarget(request);
  if (descriptor.hpkeKem === undefined) {
    throw new UsageError({
      code: 'E_WRAP_TARGET',
      message: `${name} is no key that a data key can be wrapped to`,
      hint: 'give a key of a KEM, or the public file of an identity',
    });
  }
  const header: EnvelopeHeader = {
    type: 'conclave/envelope',
    version: 1,
    created,
    custody,
    environment,
    epoch,
    kek: { id: keyId(descriptor, publicKey), kem: descriptor.hpkeKem },
    key: content.facts,
  };
  const dek = random(DEK_BYTES);
  const plain = encodeKeyPackage(content.record, content.secret);
  try {
    const wrappedKey = aesGcmSeal(dek, NONCE, plain, keyBinding(header));
    const { enc, sealed } = await sealHpke({
      descriptor,
      publicKey,
      info: INFO_DEK,
      aad: dekBinding(header, wrappedKey),
      plaintext: dek,
      random,
    });
    const wrappedDek = concat(enc, sealed);
    request.sink.write(encodeEnvelope({ header, wrappedDek, wrappedKey }));
    return { details: detailsOf(header), notes: [] };
  } finally {
    dek.fill(0);
    plain.fill(0);
  }
}

async function unwrap({ source, name, openers }: UnwrapRequest): Promise<Opened> {
  const bytes = takeAll(source, MAX_ENVELOPE_BYTES);
  if (bytes === undefined) throw notAuthentic(name);
  const envelope = decodeEnvelope(bytes, name);
  const { header } = envelope;
  const failed = (): NegativeError => notAuthentic(name, [header.kek.id]);
  const kek = (await openers.keys([header.kek.id])).find(({ id }) => id === header.kek.id);
  if (kek === undefined) throw failed();
  const plain = await openHalves(envelope, kek, failed);
  try {
    const { descriptor, record, secret } = await openKeyPackage(plain, header.key, name);
    return {
      kind: 'key',
      environment: header.environment,
      epoch: header.epoch,
      details: detailsOf(header),
      descriptor,
      secret,
      carried: { record, facts: header.key },
      [Symbol.dispose]: () => {
        secret.dispose();
      },
    };
  } finally {
    plain.fill(0);
  }
}

/** The key package, owned by the caller. Whatever is wrong with either half is one answer. */
async function openHalves(
  { header, wrappedDek, wrappedKey }: Envelope,
  { descriptor, secret }: OpeningKey,
  failed: () => NegativeError,
): Promise<Uint8Array> {
  const split = wrappedDek.length - DEK_BYTES - TAG_LENGTH;
  if (descriptor.hpkeKem !== header.kek.kem || split < 1) throw failed();
  const raw = secret.use((bytes) => bytes.slice());
  let dek: Uint8Array | undefined;
  try {
    dek = await openHpke({
      descriptor,
      secret: raw,
      enc: wrappedDek.subarray(0, split),
      info: INFO_DEK,
      aad: dekBinding(header, wrappedKey),
      sealed: wrappedDek.subarray(split),
      what: 'it',
    });
    return aesGcmOpen(dek, NONCE, wrappedKey, keyBinding(header), 'it');
  } catch (error) {
    throw error instanceof InternalError ? error : failed();
  } finally {
    raw.fill(0);
    dek?.fill(0);
  }
}

function onlyTarget({ targets }: WrapRequest) {
  const [target, other] = targets;
  if (target?.kind === 'public-key' && other === undefined) return target;
  throw new UsageError({
    code: 'E_WRAP_TARGET',
    message:
      other === undefined
        ? `${target?.name ?? 'this'} is no key that a data key can be wrapped to`
        : 'an envelope has one key-encryption key',
    hint: 'give one key of a KEM by --to',
  });
}

function detailsOf({ custody, kek }: EnvelopeHeader): WrapReport['details'] {
  return { custody, kek: kek.id };
}
