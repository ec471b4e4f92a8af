/** A provider as one of the formats of wrapping: its document or a plain public key becomes an offer, the result goes out. */
import { encodeSpki } from '#crypto/encodings/spki';
import { toHex } from '#formats/bytes';
import { sha256 } from '#crypto/hash';
import { InputError, UsageError } from '#formats/errors';
import { decodePem, looksLikePem } from '#formats/pem';
import type { Target, WrappingFormat, WrapReport, WrapRequest } from '../format.js';
import { FORMAT_CHECKED } from './profile.js';
import { type Offer, type Provider, spkiOf, wrapForImport, type Wrapped } from './provider.js';
import { lookAt, Theirs } from './theirs.js';

/**
 * The format of a provider.
 * @param marks - texts that the envelope has and nothing else does; none where the envelope is bare bytes
 */
export function importFormat(provider: Provider, marks: readonly string[] = []): WrappingFormat {
  return {
    name: provider.format,
    detect: (head) => {
      if (marks.length === 0 || head[0] !== 0x7b) return false;
      const text = Buffer.from(head.buffer, head.byteOffset, head.byteLength);
      return marks.every((mark) => text.includes(mark));
    },
    claims: (target) => {
      const document = target.kind === 'document' ? lookAt(target.bytes) : undefined;
      return document !== undefined && provider.claims(document);
    },
    spki: async (target) => await spkiOf(provider, offerOf(provider, target)),
    wrap: async (request) => await wrap(provider, request),
  };
}

async function wrap(provider: Provider, request: WrapRequest): Promise<WrapReport> {
  const { content, targets } = request;
  if (content.kind !== 'key') {
    throw new UsageError({
      code: 'E_WRAP_CONTENT',
      message: `${provider.title} imports keys, and a file was given`,
      hint: 'give --key, or wrap the file in another format',
    });
  }
  const [target, second] = targets;
  if (target === undefined || second !== undefined) {
    throw new UsageError({
      code: 'E_WRAP_TARGET',
      message: `${provider.title} has one wrapping key for one import, and ${targets.length} were given`,
      hint: 'wrap once for each',
    });
  }
  const offer = offerOf(provider, target);
  const raw = content.secret.use((bytes) => bytes.slice());
  let wrapped: Wrapped;
  try {
    wrapped = await wrapForImport(provider, {
      offer,
      descriptor: content.descriptor,
      secret: raw,
      algorithm: request.algorithm,
      now: new Date(request.created),
      random: request.random,
      version: request.version,
    });
  } finally {
    raw.fill(0);
  }
  request.sink.write(provider.envelope(wrapped));
  return report(provider, wrapped);
}

function report(provider: Provider, wrapped: Wrapped): WrapReport {
  const { offer, profile, accepted, spki, bits, blob } = wrapped;
  return {
    details: {
      provider: provider.title,
      algorithm: profile.name,
      payload: accepted.payload,
      spec: accepted.spec,
      wrappingKey: `sha256:${toHex(sha256(spki))}`,
      wrappingKeyBits: bits === 0 ? null : bits,
      wrappedBytes: blob.length,
      validTo: offer.until?.toISOString() ?? null,
      names: { ...offer.names },
      ignored: [...offer.ignored],
      assurance: FORMAT_CHECKED,
    },
    notes: [
      `${profile.name}: ${FORMAT_CHECKED}`,
      ...(accepted.note === undefined ? [] : [accepted.note]),
      ...('experimental' in profile ? [profile.experimental] : []),
      ...(offer.ignored.length === 0 ? [] : [`not looked at: ${offer.ignored.join(', ')}`]),
    ],
    next: (out) => provider.next(wrapped, out),
    companions: provider.companions?.(wrapped),
  };
}

/** @throws {@link InputError} `E_PROVIDER_DOCUMENT` and those of the forms */
function offerOf(provider: Provider, target: Target): Offer {
  const { name } = target;
  if (target.kind === 'public-key') {
    const { descriptor, publicKey } = target;
    const key: Offer['key'] =
      descriptor.hpkeKem === undefined
        ? { kind: 'rsa', spki: encodeSpki(descriptor, publicKey) }
        : { kind: 'kem', raw: publicKey };
    return { name, key, names: {}, ignored: [] };
  }
  const { bytes } = target;
  if (looksLikePem(bytes)) {
    const { label, bytes: spki } = decodePem(bytes, name);
    if (label === 'PUBLIC KEY') return { name, key: { kind: 'rsa', spki }, names: {}, ignored: [] };
    spki.fill(0);
    throw new UsageError({
      code: 'E_WRAP_TARGET',
      message: `${name} is a PEM file of ${label}, and a public key was expected`,
      hint: `give the wrapping key that ${provider.title} handed out`,
    });
  }
  if (bytes[0] === 0x30) return { name, key: { kind: 'rsa', spki: bytes }, names: {}, ignored: [] };
  const document = Theirs.parse(bytes, name);
  if (!provider.claims(document)) {
    throw new InputError({
      code: 'E_PROVIDER_DOCUMENT',
      message: `${name} is not what ${provider.title} hands out with a wrapping key`,
      hint: provider.renew,
    });
  }
  return provider.read(document, name);
}
