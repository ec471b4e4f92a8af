/**
 * The hybrid container: a key sealed by HPKE itself to one recipient, or anything in chunks under a content key that HPKE seals
 * to each of several.
 * @see docs/spec/container.md
 */
import type { Descriptor } from '#crypto/descriptor';
import { hkdfSha256, sha256 } from '#crypto/hash';
import { keyId } from '#crypto/key-id';
import { concat, equalConstantTime, toHex, u16be, utf8 } from '#formats/bytes';
import { type ByteSource, sourceOf, take, takeAll } from '#formats/byte-stream';
import { InternalError, NegativeError, UsageError } from '#formats/errors';
import { SecretBytes } from '#formats/secret-bytes';
import {
  type ContainerHeader,
  encodePrefix,
  type Frame,
  looksLikeContainer,
  MAX_RECIPIENTS,
  MAX_SINGLE_BYTES,
  notAuthentic,
  readFrame,
} from './container.js';
import { refuseChoices } from './choices.js';
import type {
  Opened,
  OpeningKey,
  Target,
  UnwrapRequest,
  WrapReport,
  WrappingFormat,
  WrapRequest,
} from './format.js';
import { openHpke, sealHpke } from './hpke.js';
import { encodeKeyPackage, openKeyPackage } from './key-package.js';
import { AES_STREAM, openStream, sealStream } from './stream.js';

const INFO_SINGLE = utf8('conclave/container/v1/single');
const INFO_CONTENT_KEY = utf8('conclave/container/v1/content-key');
const INFO_PAYLOAD = utf8('conclave/container/v1/payload');

const CONTENT_KEY_BYTES = 32;
const COMMITMENT_BYTES = 32;
const TAG_BYTES = 16;
/** Plaintext bytes of a chunk. */
const CHUNK = 2 ** 18;
/** A record can grow by its history. */
const MAX_PACKAGE_BYTES = 4 * 1024 * 1024;

type PublicKeyTarget = Target & { readonly kind: 'public-key' };

export const format: WrappingFormat = {
  name: 'hpke',
  detect: looksLikeContainer,
  claims: (target) => target.kind === 'public-key' && target.descriptor.hpkeKem !== undefined,
  wrap,
  unwrap,
};

async function wrap(request: WrapRequest): Promise<WrapReport> {
  const { content } = request;
  const recipients = recipientsOf(request.targets);
  refuseChoices(request, { armor: false });
  if (content.kind === 'file') return await wrapStream(request, recipients, content.source);
  const plain = encodeKeyPackage(content.record, content.secret);
  try {
    const [only] = recipients;
    return only !== undefined && recipients.length === 1 && plain.length <= MAX_SINGLE_BYTES
      ? await wrapSingle(request, only, plain)
      : await wrapStream(request, recipients, sourceOf(plain));
  } finally {
    plain.fill(0);
  }
}

async function wrapSingle(
  request: WrapRequest,
  { descriptor, publicKey }: PublicKeyTarget,
  plaintext: Uint8Array,
): Promise<WrapReport> {
  const header = headerOf(request, null, [descriptorEntry(descriptor, publicKey, 0)]);
  const prefix = encodePrefix(header);
  const { enc, sealed } = await sealHpke({
    descriptor,
    publicKey,
    info: INFO_SINGLE,
    aad: prefix,
    plaintext,
    random: request.random,
  });
  for (const part of [prefix, enc, sealed]) request.sink.write(part);
  return reportOf(header);
}

async function wrapStream(
  request: WrapRequest,
  recipients: readonly PublicKeyTarget[],
  source: ByteSource,
): Promise<WrapReport> {
  const entries = recipients.map(({ descriptor, publicKey }) =>
    descriptorEntry(descriptor, publicKey, CONTENT_KEY_BYTES + TAG_BYTES),
  );
  const header = headerOf(request, CHUNK, entries);
  const prefix = encodePrefix(header);
  using contentKey = SecretBytes.adopt(request.random(CONTENT_KEY_BYTES), 'content key');
  const plaintext = contentKey.use((bytes) => bytes.slice());
  const parts: Uint8Array[] = [];
  try {
    for (const { descriptor, publicKey } of recipients) {
      const { enc, sealed } = await sealHpke({
        descriptor,
        publicKey,
        info: INFO_CONTENT_KEY,
        aad: prefix,
        plaintext,
        random: request.random,
      });
      parts.push(enc, sealed);
    }
  } finally {
    plaintext.fill(0);
  }
  const sealedKeys = concat(...parts);
  const { key, commitment } = contentKey.use((bytes) => derive(bytes, prefix, sealedKeys));
  try {
    for (const part of [prefix, sealedKeys, commitment]) request.sink.write(part);
    await sealStream(AES_STREAM, key, CHUNK, source, request.sink);
  } finally {
    key.fill(0);
  }
  return reportOf(header);
}

async function unwrap({ source, name, openers }: UnwrapRequest): Promise<Opened> {
  const frame = readFrame(source, name);
  const { header } = frame;
  const ids = header.recipients.map(({ id }) => id);
  const failed = (): NegativeError => notAuthentic(name, ids);
  const keys = await openers.keys(ids);
  try {
    const body =
      header.body === 'single'
        ? await openSingle(frame, keys, failed)
        : await openChunks(frame, header.chunk as number, keys, failed);
    return await openedOf(header, body, name, failed);
  } catch (error) {
    throw isVerdict(error) ? failed() : error;
  }
}

/** Everything that a changed, cut or foreign container can end in is one answer; only a bug and a caller's refusal are not. */
function isVerdict(error: unknown): boolean {
  return error instanceof NegativeError && error.code === 'E_NOT_AUTHENTIC';
}

async function openSingle(
  { header, prefix, rest }: Frame,
  keys: readonly OpeningKey[],
  failed: () => NegativeError,
): Promise<ByteSource & Disposable> {
  const [recipient] = header.recipients as [ContainerHeader['recipients'][number]];
  const enc = take(rest, recipient.bytes);
  const sealed = takeAll(rest, MAX_SINGLE_BYTES + TAG_BYTES);
  const key = keys.find(({ id }) => id === recipient.id);
  if (enc === undefined || sealed === undefined || key === undefined) throw failed();
  const plaintext = await openSealed(key, recipient, INFO_SINGLE, prefix, enc, sealed, failed);
  return {
    ...sourceOf(plaintext),
    [Symbol.dispose]: () => {
      plaintext.fill(0);
    },
  };
}

async function openChunks(
  { header, prefix, rest }: Frame,
  chunk: number,
  keys: readonly OpeningKey[],
  failed: () => NegativeError,
): Promise<ByteSource & Disposable> {
  const total = header.recipients.reduce((sum, { bytes }) => sum + bytes, 0);
  const sealedKeys = take(rest, total);
  const commitment = take(rest, COMMITMENT_BYTES);
  if (sealedKeys === undefined || commitment === undefined) throw failed();
  let at = 0;
  for (const recipient of header.recipients) {
    const part = sealedKeys.subarray(at, at + recipient.bytes);
    at += recipient.bytes;
    const key = keys.find(({ id }) => id === recipient.id);
    if (key === undefined) continue;
    const split = recipient.bytes - CONTENT_KEY_BYTES - TAG_BYTES;
    if (split < 1) throw failed();
    const [enc, sealed] = [part.subarray(0, split), part.subarray(split)];
    const contentKey = await openSealed(
      key,
      recipient,
      INFO_CONTENT_KEY,
      prefix,
      enc,
      sealed,
      failed,
    );
    const derived = derive(contentKey, prefix, sealedKeys);
    contentKey.fill(0);
    if (!equalConstantTime(derived.commitment, commitment)) {
      derived.key.fill(0);
      throw failed();
    }
    return openStream(AES_STREAM, derived.key, chunk, rest, failed);
  }
  throw failed();
}

/** One recipient's part; owned by the caller. Whatever is wrong with it is one answer. */
async function openSealed(
  { descriptor, secret }: OpeningKey,
  { kem }: ContainerHeader['recipients'][number],
  info: Uint8Array,
  aad: Uint8Array,
  enc: Uint8Array,
  sealed: Uint8Array,
  failed: () => NegativeError,
): Promise<Uint8Array> {
  if (descriptor.hpkeKem !== kem) throw failed();
  const raw = secret.use((bytes) => bytes.slice());
  try {
    return await openHpke({ descriptor, secret: raw, enc, info, aad, sealed, what: 'it' });
  } catch (error) {
    throw error instanceof InternalError ? error : failed();
  } finally {
    raw.fill(0);
  }
}

async function openedOf(
  header: ContainerHeader,
  body: ByteSource & Disposable,
  name: string,
  failed: () => NegativeError,
): Promise<Opened> {
  const { environment, epoch, key } = header;
  const common = { environment, epoch, details: detailsOf(header) };
  const dispose = (): void => {
    body[Symbol.dispose]();
  };
  if (key === null) return { ...common, kind: 'file', source: body, [Symbol.dispose]: dispose };
  try {
    const plain = takeAll(body, MAX_PACKAGE_BYTES);
    if (plain === undefined) throw failed();
    try {
      const { descriptor, record, secret } = await openKeyPackage(plain, key, name);
      return {
        ...common,
        kind: 'key',
        descriptor,
        secret,
        carried: { record, facts: key },
        [Symbol.dispose]: () => {
          secret.dispose();
        },
      };
    } finally {
      plain.fill(0);
    }
  } finally {
    dispose();
  }
}

/** Payload key and commitment. The commitment keeps two recipients from being shown two contents. */
function derive(
  contentKey: Uint8Array,
  prefix: Uint8Array,
  sealedKeys: Uint8Array,
): { readonly key: Uint8Array; readonly commitment: Uint8Array } {
  const bound = sha256(prefix, sealedKeys);
  const both = hkdfSha256(contentKey, bound, INFO_PAYLOAD, 32 + COMMITMENT_BYTES);
  try {
    return { key: both.slice(0, 32), commitment: both.slice(32) };
  } finally {
    both.fill(0);
  }
}

function recipientsOf(targets: readonly Target[]): readonly PublicKeyTarget[] {
  const out: PublicKeyTarget[] = [];
  const seen = new Set<string>();
  for (const target of targets) {
    if (target.kind !== 'public-key' || target.descriptor.hpkeKem === undefined) {
      throw new UsageError({
        code: 'E_WRAP_TARGET',
        message: `${target.name} is no key that a container can be sealed to`,
        hint: 'give a key of a KEM, or the public file of an identity',
      });
    }
    const id = keyId(target.descriptor, target.publicKey);
    if (seen.has(id)) {
      throw new UsageError({
        code: 'E_WRAP_TARGET',
        message: `${target.name} names a recipient a second time`,
        hint: 'name each recipient once',
      });
    }
    seen.add(id);
    out.push(target);
  }
  if (out.length > MAX_RECIPIENTS) {
    throw new UsageError({
      code: 'E_WRAP_TARGET',
      message: `${out.length} recipients, and a container has at most ${MAX_RECIPIENTS}`,
      hint: 'write a second container for the rest',
    });
  }
  return out;
}

function descriptorEntry(
  descriptor: Descriptor,
  publicKey: Uint8Array,
  sealedBytes: number,
): ContainerHeader['recipients'][number] {
  const { hpkeKem, sizes } = descriptor;
  if (hpkeKem === undefined || sizes.ciphertext === undefined) {
    throw new InternalError({ code: 'E_HPKE_KEM', message: `${descriptor.name} is no KEM` });
  }
  return {
    id: keyId(descriptor, publicKey),
    kem: hpkeKem,
    bytes: sizes.ciphertext + sealedBytes,
  };
}

function headerOf(
  { content, created, environment, epoch }: WrapRequest,
  chunk: number | null,
  recipients: ContainerHeader['recipients'],
): ContainerHeader {
  return {
    type: 'conclave/container',
    version: 1,
    body: chunk === null ? 'single' : 'stream',
    chunk,
    content: content.kind,
    created,
    environment,
    epoch,
    key: content.kind === 'key' ? content.facts : null,
    recipients,
    suite: { kdf: 1, aead: 2 },
  };
}

function reportOf(header: ContainerHeader): WrapReport {
  return { details: detailsOf(header), notes: [] };
}

function detailsOf({ body, recipients }: ContainerHeader): WrapReport['details'] {
  return {
    body,
    recipients: recipients.map(({ id, kem }) => ({ id, kem: `0x${toHex(u16be(kem))}` })),
  };
}
