/**
 * age files: what people have who do not have conclave. To X-Wing recipients (`age1pq1…`) or to X25519 ones (`age1…`), never to
 * both: the weaker would decide.
 * @see https://c2sp.org/age
 */
import { TAG_LENGTH } from '#crypto/aead';
import { encodePrivateKeyInfo } from '#crypto/encodings/private-key-info';
import { hkdfSha256 } from '#crypto/hash';
import { utf8 } from '#formats/bytes';
import { type ByteSource, fill, prepended, sourceOf, take } from '#formats/byte-stream';
import { InternalError, type NegativeError, RefusedError, UsageError } from '#formats/errors';
import { encodePem } from '#formats/pem';
import { armoring, looksLikeArmor, unarmored } from './age-armor.js';
import {
  encodeAgeHeader,
  headerHolds,
  looksLikeAge,
  malformed,
  readAgeHeader,
} from './age-header.js';
import { ageAlgorithms, encodeRecipient, looksLikeRecipient } from './age-keys.js';
import {
  FILE_KEY_BYTES,
  type KnownStanza,
  knownStanzas,
  unwrapByPassphrase,
  unwrapFileKey,
  wrapFileKey,
} from './age-stanza.js';
import { refuseChoices } from './choices.js';
import { notAuthentic } from './container.js';
import type {
  Content,
  Opened,
  Openers,
  Target,
  UnwrapRequest,
  WrapReport,
  WrappingFormat,
  WrapRequest,
} from './format.js';
import { CHACHA_STREAM, openStream, sealStream } from './stream.js';

const CHUNK = 64 * 1024;
const NONCE_BYTES = 16;
const PAYLOAD = utf8('payload');

type PublicKeyTarget = Target & { readonly kind: 'public-key' };

export const format: WrappingFormat = {
  name: 'age',
  detect: (head) => looksLikeAge(head) || looksLikeArmor(head),
  claims: (target) => target.kind === 'public-key' && looksLikeRecipient(target.name),
  wrap,
  unwrap,
};

async function wrap(request: WrapRequest): Promise<WrapReport> {
  const { random, content, armor } = request;
  const targets = recipientsOf(request.targets);
  refuseChoices(request, { armor: true });
  const armored = armor === true ? armoring(request.sink) : undefined;
  const sink = armored ?? request.sink;
  const fileKey = random(FILE_KEY_BYTES);
  try {
    const stanzas = [];
    for (const { descriptor, publicKey } of targets) {
      stanzas.push(await wrapFileKey(descriptor, publicKey, fileKey, random));
    }
    sink.write(encodeAgeHeader(stanzas, fileKey));
    const nonce = random(NONCE_BYTES);
    sink.write(nonce);
    const key = hkdfSha256(fileKey, nonce, PAYLOAD, 32);
    try {
      await withPayload(content, request, (source) =>
        sealStream(CHACHA_STREAM, key, CHUNK, source, sink),
      );
    } finally {
      key.fill(0);
    }
    armored?.end();
  } finally {
    fileKey.fill(0);
  }
  const isHybrid = targets.every(({ descriptor }) => descriptor === ageAlgorithms.xWing);
  return {
    details: {
      armor: armor === true,
      recipients: targets.map(
        (target) => encodeRecipient(target.descriptor, target.publicKey) ?? '',
      ),
    },
    notes: isHybrid ? [] : ['X25519 alone: whoever keeps this can open it with a quantum computer'],
  };
}

/** A key goes as PKCS#8, since an age file says nothing of what it holds. */
async function withPayload(
  content: Content,
  { mark }: WrapRequest,
  work: (source: ByteSource) => Promise<number>,
): Promise<void> {
  if (content.kind === 'file') {
    await work(content.source);
    return;
  }
  const { descriptor } = content;
  if (descriptor.oid === undefined || descriptor.pkcs8 === undefined) {
    throw new UsageError({
      code: 'E_WRAP_CONTENT',
      message: `a ${descriptor.name} key has no form that an age file could carry`,
      hint: 'leave --format out: a hybrid container carries every key',
    });
  }
  const der = content.secret.use((raw) => encodePrivateKeyInfo(descriptor, raw));
  const pem = utf8(encodePem('PRIVATE KEY', der, mark));
  der.fill(0);
  try {
    await work(sourceOf(pem));
  } finally {
    pem.fill(0);
  }
}

async function unwrap({ source, name, openers }: UnwrapRequest): Promise<Opened> {
  const head = new Uint8Array(64);
  const known = head.subarray(0, fill(source, head));
  const whole = prepended(known, source);
  const { header, rest } = readAgeHeader(
    looksLikeAge(known) ? whole : unarmored(whole, name),
    name,
  );
  const stanzas = knownStanzas(header.stanzas, name);
  const failed = (): NegativeError => notAuthentic(name);
  const fileKey = await findFileKey(stanzas, openers, name);
  if (fileKey === undefined) throw failed();
  let key: Uint8Array;
  try {
    if (fileKey.length !== FILE_KEY_BYTES || !headerHolds(header, fileKey)) throw failed();
    const nonce = take(rest, NONCE_BYTES);
    if (nonce === undefined) throw malformed(name, 'it ends before its payload');
    key = hkdfSha256(fileKey, nonce, PAYLOAD, 32);
  } finally {
    fileKey.fill(0);
  }
  const body = openStream(CHACHA_STREAM, key, CHUNK, rest, failed);
  return {
    kind: 'file',
    source: body,
    environment: undefined,
    epoch: 0,
    details: { recipients: stanzas.map(describeStanza) },
    [Symbol.dispose]: () => {
      body[Symbol.dispose]();
    },
  };
}

async function findFileKey(
  stanzas: readonly KnownStanza[],
  openers: Openers,
  name: string,
): Promise<Uint8Array | undefined> {
  const [first] = stanzas;
  if (first?.kind === 'scrypt') return await askPassphrase(first, openers, name);
  if (stanzas.every(({ kind }) => kind === 'unknown')) {
    throw new RefusedError({
      code: 'E_WRAPPED_SEALED',
      message: `${name} is for recipients of a kind that conclave does not know`,
      hint: 'open it with age and the plugin that made it',
    });
  }
  for (const key of await openers.keys([])) {
    for (const stanza of stanzas) {
      const found = await unwrapFileKey(stanza, key, name);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

async function askPassphrase(
  stanza: KnownStanza & { readonly kind: 'scrypt' },
  openers: Openers,
  name: string,
): Promise<Uint8Array> {
  for (let attempt = 0; ; attempt++) {
    const passphrase = await openers.passphrase(attempt);
    if (passphrase === undefined) {
      throw new RefusedError({
        code: 'E_PASSPHRASE_WRONG',
        message: `${name} is sealed under ${attempt === 0 ? 'a passphrase, and none was given' : 'another passphrase'}`,
        hint: 'give it by --passphrase-file',
      });
    }
    try {
      const found = unwrapByPassphrase(stanza, passphrase, name);
      if (found !== undefined) return found;
    } finally {
      passphrase.dispose();
    }
  }
}

/** In a word or two, for people. */
export function describeStanza(stanza: KnownStanza): string {
  switch (stanza.kind) {
    case 'hybrid':
      return 'mlkem768x25519';
    case 'classic':
      return 'X25519';
    case 'scrypt':
      return `passphrase, work factor ${stanza.logN}`;
    case 'unknown':
      return `${stanza.type} (not known)`;
  }
}

function recipientsOf(targets: readonly Target[]): readonly PublicKeyTarget[] {
  const out: PublicKeyTarget[] = [];
  for (const target of targets) {
    if (
      target.kind !== 'public-key' ||
      encodeRecipient(target.descriptor, target.publicKey) === undefined
    ) {
      throw new UsageError({
        code: 'E_WRAP_TARGET',
        message: `${target.name} is no recipient of age`,
        hint: 'give an age1… recipient, or the public key of an identity',
      });
    }
    out.push(target);
  }
  const [one, other] = new Set(out.map(({ descriptor }) => descriptor));
  if (one === undefined)
    throw new InternalError({ code: 'E_WRAP_NOBODY', message: 'no recipient' });
  if (other === undefined) return out;
  throw new UsageError({
    code: 'E_WRAP_MIXED',
    message: 'recipients with and without post-quantum protection cannot share a file',
    hint: 'the weaker would decide for all: write two files',
  });
}

/** Bytes of payload in an age file of this many bytes behind its header; `undefined` when it cannot be. */
export function payloadLength(behind: number): number | undefined {
  const body = behind - NONCE_BYTES;
  if (body < TAG_LENGTH) return undefined;
  const chunks = Math.ceil(body / (CHUNK + TAG_LENGTH));
  const length = body - chunks * TAG_LENGTH;
  return length < 0 || (length === 0 && chunks > 1) ? undefined : length;
}
