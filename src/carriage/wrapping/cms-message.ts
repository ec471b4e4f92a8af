/**
 * The structure of a CMS message that is sealed to KEM keys, as DER: read strictly, written in one way.
 * @see RFC 5083 §2 AuthEnvelopedData, RFC 5084 §3 AES-GCM, RFC 9629 §3 KEMRecipientInfo, RFC 9936
 */
import {
  der,
  derOctetString,
  derOid,
  DerReader,
  derSequence,
  derSmallInteger,
  TAG,
} from '#crypto/der';
import { fromUtf8, utf8 } from '#formats/bytes';
import { InputError } from '#formats/errors';

const OID = {
  authEnvelopedData: '1.2.840.113549.1.9.16.1.23',
  kemRecipient: '1.2.840.113549.1.9.16.13.3',
  hkdfSha256: '1.2.840.113549.1.9.16.3.28',
  contentTypeAttribute: '1.2.840.113549.1.9.3',
  contentHints: '1.2.840.113549.1.9.16.2.4',
} as const;

/** Types of content: bytes, and keys as RFC 5958 packs them. */
export const CONTENT_TYPE = {
  data: '1.2.840.113549.1.7.1',
  keyPackage: '2.16.840.1.101.2.1.2.78.5',
} as const;

/** Bytes of an AES key by the identifiers of its GCM mode and of its key wrap. */
const GCM: Readonly<Record<string, 16 | 32>> = {
  '2.16.840.1.101.3.4.1.6': 16,
  '2.16.840.1.101.3.4.1.46': 32,
};
const WRAP: Readonly<Record<string, 16 | 32>> = {
  '2.16.840.1.101.3.4.1.5': 16,
  '2.16.840.1.101.3.4.1.45': 32,
};

const SET = 0x31;
const UTF8_STRING = 0x0c;
/** `[n]` of a constructed type, or EXPLICIT. */
const constructed = (n: number): number => 0xa0 | n;

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** Longest description of the content. */
const MAX_HINT_BYTES = 1024;
const MAX_RECIPIENTS = 64;

/** One recipient whose key is a KEM's. */
export interface KemRecipient {
  /** Subject key identifier, where it is named so. */
  readonly keyIdentifier: Uint8Array | undefined;
  /** Object identifier of the KEM. */
  readonly kem: string;
  readonly ciphertext: Uint8Array;
  /** DER of CMSORIforKEMOtherInfo: what the KEK is bound to. */
  readonly info: Uint8Array;
  readonly kekBytes: 16 | 32;
  readonly encryptedKey: Uint8Array;
}

/** A message, unopened. */
export interface CmsMessage {
  readonly recipients: readonly KemRecipient[];
  /** Recipients of other kinds, which are passed over. */
  readonly others: number;
  readonly contentType: string;
  /** Bytes of the content key. */
  readonly keyBytes: 16 | 32;
  readonly nonce: Uint8Array;
  /** Ciphertext and tag. */
  readonly sealed: { readonly body: Uint8Array; readonly tag: Uint8Array };
  /** DER of the authenticated attributes as the cipher takes them; empty when there are none. */
  readonly aad: Uint8Array;
  /** What the sender says of the content. */
  readonly hint: string | undefined;
}

/** What goes into a new recipient besides the key. */
export interface NewRecipient {
  readonly keyIdentifier: Uint8Array;
  readonly kem: string;
  readonly ciphertext: Uint8Array;
  readonly encryptedKey: Uint8Array;
}

/** Identifiers of what is written: AES-256 everywhere. */
const WRITTEN = {
  wrap: '2.16.840.1.101.3.4.1.45',
  gcm: '2.16.840.1.101.3.4.1.46',
  kekBytes: 32,
} as const;

const algorithm = (oid: string, ...parameters: readonly Uint8Array[]): Uint8Array =>
  derSequence(derOid(oid), ...parameters);

/** CMSORIforKEMOtherInfo of what is written: no user keying material. */
export function writtenInfo(): Uint8Array {
  return derSequence(algorithm(WRITTEN.wrap), derSmallInteger(WRITTEN.kekBytes));
}

/**
 * DER of the authenticated attributes, as SET OF: the content's type and, where there is something to say, a hint.
 * @returns empty when RFC 5083 wants none
 */
export function authenticatedAttributes(contentType: string, hint: string): Uint8Array {
  if (contentType === CONTENT_TYPE.data && hint === '') return new Uint8Array(0);
  const attribute = (oid: string, value: Uint8Array): Uint8Array =>
    derSequence(derOid(oid), der(SET, value));
  const type = derOid(contentType);
  const attributes = [attribute(OID.contentTypeAttribute, type)];
  if (hint !== '') {
    const description = der(UTF8_STRING, utf8(hint));
    attributes.push(attribute(OID.contentHints, derSequence(description, type)));
  }
  return der(SET, ...inOrder(attributes));
}

/** DER of a whole message. */
export function encodeCms(message: {
  readonly recipients: readonly NewRecipient[];
  readonly contentType: string;
  readonly nonce: Uint8Array;
  readonly body: Uint8Array;
  readonly tag: Uint8Array;
  readonly attributes: Uint8Array;
}): Uint8Array {
  const recipients = message.recipients.map((recipient) =>
    der(
      constructed(4),
      derOid(OID.kemRecipient),
      derSequence(
        derSmallInteger(0),
        der(TAG.context(0), recipient.keyIdentifier),
        algorithm(recipient.kem),
        derOctetString(recipient.ciphertext),
        algorithm(OID.hkdfSha256),
        derSmallInteger(WRITTEN.kekBytes),
        algorithm(WRITTEN.wrap),
        derOctetString(recipient.encryptedKey),
      ),
    ),
  );
  const parameters = derSequence(derOctetString(message.nonce), derSmallInteger(TAG_BYTES));
  const content = derSequence(
    derOid(message.contentType),
    algorithm(WRITTEN.gcm, parameters),
    der(TAG.context(0), message.body),
  );
  const { attributes } = message;
  const enveloped = derSequence(
    derSmallInteger(0),
    der(SET, ...inOrder(recipients)),
    content,
    ...(attributes.length === 0 ? [] : [retagged(attributes, constructed(1))]),
    derOctetString(message.tag),
  );
  return derSequence(derOid(OID.authEnvelopedData), der(constructed(0), enveloped));
}

/**
 * Reads a message.
 * @throws {@link InputError} `E_DER_MALFORMED`, `E_CMS_UNSUPPORTED`
 */
export function decodeCms(bytes: Uint8Array, what: string): CmsMessage {
  const outer = new DerReader(bytes, what);
  const info = outer.sequence();
  outer.end();
  if (info.oid() !== OID.authEnvelopedData) throw unsupported(what, 'it is of another type');
  const explicit = new DerReader(info.content(constructed(0)), what);
  info.end();
  const data = explicit.sequence();
  explicit.end();
  if (data.smallInteger() !== 0) throw data.fail('another version');
  if (data.peek() === constructed(0)) throw unsupported(what, 'it names its originator');
  const { recipients, others } = readRecipients(data.content(SET), what);
  const content = data.sequence();
  const contentType = content.oid();
  const gcm = content.sequence();
  const keyBytes = GCM[gcm.oid()];
  if (keyBytes === undefined) throw unsupported(what, 'its content is not sealed by AES-GCM');
  const parameters = gcm.sequence();
  gcm.end();
  const nonce = parameters.octetString();
  // The default of 12 bytes is left out in DER; a tag that short is not accepted.
  if (nonce.length !== NONCE_BYTES || parameters.smallInteger() !== TAG_BYTES) {
    throw unsupported(what, 'its nonce or tag has another length than 12 and 16 bytes');
  }
  parameters.end();
  if (content.peek() !== TAG.context(0)) throw unsupported(what, 'its content lies elsewhere');
  const body = content.content(TAG.context(0));
  content.end();
  const attributes =
    data.peek() === constructed(1) ? data.content(constructed(1)) : new Uint8Array(0);
  const tag = data.octetString();
  // Attributes that nothing authenticates say nothing that could be believed.
  if (data.peek() === constructed(2)) throw unsupported(what, 'it has unauthenticated attributes');
  data.end();
  if (tag.length !== TAG_BYTES) throw data.fail('a tag of another length');
  const hint = readAttributes(attributes, contentType, what);
  return {
    recipients,
    others,
    contentType,
    keyBytes,
    nonce,
    sealed: { body, tag },
    aad: attributes.length === 0 ? attributes : der(SET, attributes),
    hint,
  };
}

function readRecipients(
  bytes: Uint8Array,
  what: string,
): { readonly recipients: readonly KemRecipient[]; readonly others: number } {
  const reader = new DerReader(bytes, what);
  const recipients: KemRecipient[] = [];
  const encodings: Uint8Array[] = [];
  let others = 0;
  for (let tag = reader.peek(); tag !== undefined; tag = reader.peek()) {
    const content = reader.content(tag);
    encodings.push(der(tag, content));
    if (encodings.length > MAX_RECIPIENTS) {
      throw unsupported(what, `it has more than ${MAX_RECIPIENTS} recipients`);
    }
    const recipient = tag === constructed(4) ? readRecipient(content, what) : undefined;
    if (recipient === undefined) others++;
    else recipients.push(recipient);
  }
  assertOrder(encodings, reader);
  if (encodings.length === 0) throw reader.fail('no recipient');
  return { recipients, others };
}

/** A KEMRecipientInfo; `undefined` for other kinds and algorithms, which are somebody else's. */
function readRecipient(bytes: Uint8Array, what: string): KemRecipient | undefined {
  const other = new DerReader(bytes, what);
  if (other.oid() !== OID.kemRecipient) return undefined;
  const info = other.sequence();
  other.end();
  if (info.smallInteger() !== 0) throw info.fail('another version of a recipient');
  const isNamed = info.peek() === TAG.context(0);
  const identifier = info.content(isNamed ? TAG.context(0) : TAG.sequence);
  const kem = info.sequence();
  const kemOid = kem.oid();
  const kemIsBare = kem.peek() === undefined;
  const ciphertext = info.octetString();
  const kdf = info.sequence();
  const isHkdf = kdf.oid() === OID.hkdfSha256 && kdf.peek() === undefined;
  const kekLength = info.smallInteger();
  const ukm = info.peek() === constructed(0) ? info.content(constructed(0)) : undefined;
  const wrap = info.content(TAG.sequence);
  const wrapReader = new DerReader(wrap, what);
  const kekBytes = WRAP[wrapReader.oid()];
  const wrapIsBare = wrapReader.peek() === undefined;
  const encryptedKey = info.octetString();
  info.end();
  if (ukm !== undefined) {
    const inner = new DerReader(ukm, what);
    inner.octetString();
    inner.end();
  }
  if (!kemIsBare || !isHkdf || !wrapIsBare || kekBytes === undefined) return undefined;
  if (kekLength !== kekBytes) throw info.fail('a KEK of another length than its wrap');
  const parts = [der(TAG.sequence, wrap), derSmallInteger(kekLength)];
  if (ukm !== undefined) parts.push(der(constructed(0), ukm));
  return {
    keyIdentifier: isNamed ? identifier : undefined,
    kem: kemOid,
    ciphertext,
    info: derSequence(...parts),
    kekBytes,
    encryptedKey,
  };
}

/** Checks the authenticated attributes (content of the SET); gives the description in a hint. */
function readAttributes(bytes: Uint8Array, contentType: string, what: string): string | undefined {
  const reader = new DerReader(bytes, what);
  if (bytes.length === 0) {
    if (contentType === CONTENT_TYPE.data) return undefined;
    throw reader.fail('a content type that nothing authenticates');
  }
  const encodings: Uint8Array[] = [];
  let type: string | undefined;
  let hint: string | undefined;
  while (reader.peek() !== undefined) {
    const content = reader.content(TAG.sequence);
    encodings.push(der(TAG.sequence, content));
    const attribute = new DerReader(content, what);
    const oid = attribute.oid();
    const values = new DerReader(attribute.content(SET), what);
    attribute.end();
    if (oid === OID.contentTypeAttribute) {
      if (type !== undefined) throw reader.fail('a content type that appears twice');
      type = values.oid();
      values.end();
    } else if (oid === OID.contentHints) {
      if (hint !== undefined) throw reader.fail('a hint that appears twice');
      const hints = values.sequence();
      values.end();
      const description = hints.peek() === UTF8_STRING ? hints.content(UTF8_STRING) : undefined;
      if (hints.oid() !== contentType) throw reader.fail('a hint of another content');
      hints.end();
      if ((description?.length ?? 0) > MAX_HINT_BYTES) throw reader.fail('a hint that is too long');
      hint = description === undefined ? '' : fromUtf8(description, what);
    }
  }
  assertOrder(encodings, reader);
  if (type !== contentType) throw reader.fail('a content type that is not the authenticated one');
  return hint === '' ? undefined : hint;
}

/** X.690 §11.6: the members of a SET OF in the order of their encodings. */
function inOrder(encodings: readonly Uint8Array[]): readonly Uint8Array[] {
  return [...encodings].sort((a, b) => Buffer.compare(a, b));
}

function assertOrder(encodings: readonly Uint8Array[], reader: DerReader): void {
  const isSorted = encodings.every(
    (each, i) => i === 0 || Buffer.compare(encodings[i - 1] as Uint8Array, each) <= 0,
  );
  if (!isSorted) throw reader.fail('a set that is not in order');
}

/** The same content under another identifier octet. */
function retagged(encoding: Uint8Array, tag: number): Uint8Array {
  const out = encoding.slice();
  out[0] = tag;
  return out;
}

function unsupported(what: string, problem: string): InputError {
  return new InputError({
    code: 'E_CMS_UNSUPPORTED',
    message: `${what} is a CMS message that conclave does not read: ${problem}`,
    hint: 'it reads AuthEnvelopedData with KEM recipients and AES-GCM (RFC 9629, RFC 9936)',
  });
}
