/** Whether a signature over a file is good: the answer of `verify --key`. */
import type { Descriptor, SignatureEncoding } from '#crypto/descriptor';
import { assertUsable } from '#custody/authority/states';
import { equal, equalConstantTime } from '#formats/bytes';
import { decodeDsse, preAuthenticationEncoding } from '#formats/dsse';
import { ConclaveError, UsageError } from '#formats/errors';
import type { ArtifactVerdict, Claim } from '../artifacts/artifact.js';
import type { ActionContext, PublicKey } from './context.js';
import { resolvePublicSide } from './public-keys.js';
import { type AskedOptions, assertNoOptions, signatureOptions } from './signature-options.js';

/** A question to {@link verifySignature}; all as typed. */
export interface SignatureQuestion extends AskedOptions {
  /** PUB or KEY. */
  readonly key: string;
  readonly in: string;
  readonly signature: string;
}

const MAX_SIGNATURE_FILE = 256 * 1024 * 1024;

/**
 * Verifies a raw or DER signature, a DSSE envelope over the file, for Ratify keys its JSON form, or a MAC.
 * @returns a verdict; a wrong signature is `ok: false`, not an error
 * @throws {@link UsageError} `E_KEY_CANNOT_VERIFY` for keys that do not sign, InputError for malformed input
 */
export async function verifySignature(
  question: SignatureQuestion,
  context: ActionContext,
): Promise<ArtifactVerdict> {
  const key = await resolvePublicSide(question.key, 'signature', context);
  const implementation = await key.descriptor.load();
  if (implementation.kind === 'symmetric' && implementation.mac !== undefined) {
    return await verifyMac(question, key.descriptor, implementation.mac, context);
  }
  if (implementation.kind !== 'signature') throw cannotVerify(question.key, key.descriptor);
  const message = context.files.read(question.in);
  const file = context.files.read(question.signature, MAX_SIGNATURE_FILE);
  const options = signatureOptions(question);
  const { signature, signed, form, problem } = await readSignature(file, message, key, question);
  const encoding = encodingOf(signature, key.descriptor);
  const good =
    problem === undefined &&
    implementation.verify(signature, signed, key.bytes, {
      ...options,
      ...(encoding === undefined ? {} : { encoding }),
    });
  const why =
    problem ??
    (good
      ? `${encoding === 'der' ? 'DER' : form} signature of ${question.in} by ${nameOf(key, question.key)}`
      : `the signature, the file, the key, the context, the hash or the padding is another one`);
  const claims: Claim[] = [
    { claim: 'signature verifies', grade: 'checked', ok: good, detail: why },
    ...recordClaims(key),
  ];
  const ok = claims.every((claim) => claim.ok);
  const mark =
    key.record === undefined || key.record.environment === 'production'
      ? ''
      : `${key.record.environment.toUpperCase()} KEY: `;
  return {
    ok,
    kind: 'signature',
    summary: ok
      ? `${mark}${question.signature} is a good signature of ${question.in}`
      : `${mark}${question.signature} does not verify: ${claims.find((claim) => !claim.ok)?.detail ?? ''}`,
    claims,
  };
}

/**
 * Where a signature is a pair of numbers its form shows: side by side it has one length, which DER (for a pair of numbers of
 * that size) reaches once in 2^48 signatures.
 */
function encodingOf(
  signature: Uint8Array,
  { signing, sizes }: Descriptor,
): SignatureEncoding | undefined {
  if (signing?.encodings === undefined) return undefined;
  return signature.length === sizes.signature ? 'raw' : 'der';
}

/** A message authentication code, which only the key itself can check. */
async function verifyMac(
  question: SignatureQuestion,
  descriptor: Descriptor,
  mac: (message: Uint8Array, secret: Uint8Array) => Uint8Array,
  context: ActionContext,
): Promise<ArtifactVerdict> {
  assertNoOptions(descriptor, question);
  const message = context.files.read(question.in);
  const given = context.files.read(question.signature, MAX_SIGNATURE_FILE);
  using key = await context.keys.open(question.key);
  const notes = assertUsable(key.record, 'verify-mac');
  const code = key.secret.use((secret) => mac(message, secret));
  const ok = equalConstantTime(code, given);
  const { environment, name } = key.record;
  const mark = environment === 'production' ? '' : `${environment.toUpperCase()} KEY: `;
  const detail = ok
    ? [`${descriptor.name} of ${question.in} under ${name ?? question.key}`, ...notes].join('; ')
    : 'the code, the file or the key is another one';
  return {
    ok,
    kind: 'signature',
    summary: ok
      ? `${mark}${question.signature} is a good code of ${question.in}`
      : `${mark}${question.signature} does not verify: ${detail}`,
    claims: [{ claim: 'code verifies', grade: 'checked', ok, detail }],
  };
}

interface ReadSignature {
  readonly signature: Uint8Array;
  readonly signed: Uint8Array;
  readonly form: string;
  readonly problem?: string;
}

async function readSignature(
  file: Uint8Array,
  message: Uint8Array,
  key: PublicKey,
  question: SignatureQuestion,
): Promise<ReadSignature> {
  const raw = { signature: file, signed: message, form: 'raw' };
  // A raw signature of the right length is one, whatever its first byte.
  if (file[0] !== 0x7b || file.length === key.descriptor.sizes.signature) return raw;
  if (key.descriptor.profile === 'ratify-v1' && !hasMember(file, 'payloadType')) {
    const { decodeRatifySignature } = await import('#crypto/encodings/ratify-json');
    const signature = decodeRatifySignature(file, question.signature);
    return { signature, signed: message, form: 'ratify' };
  }
  const envelope = decodeDsse(file, question.signature, { maxBytes: MAX_SIGNATURE_FILE });
  const [first] = envelope.signatures;
  const signed = preAuthenticationEncoding(envelope.payloadType, envelope.payload);
  const base = { signature: first?.sig ?? new Uint8Array(0), signed, form: 'dsse' };
  if (envelope.signatures.length !== 1) {
    return { ...base, problem: 'the envelope does not hold exactly one signature' };
  }
  if (!equal(envelope.payload, message)) {
    return { ...base, problem: `the envelope holds other bytes than ${question.in}` };
  }
  return base;
}

function hasMember(json: Uint8Array, name: string): boolean {
  return Buffer.from(json.subarray(0, 65_536)).includes(`"${name}"`);
}

/** What the record says of the key's right to be relied on. */
function recordClaims(key: PublicKey): readonly Claim[] {
  if (key.record === undefined) return [];
  const claim = 'key may be relied on';
  try {
    const notes = assertUsable(key.record, 'verify');
    const detail = notes.length === 0 ? `it is ${key.record.state}` : notes.join('; ');
    return [{ claim, grade: 'recorded', ok: true, detail }];
  } catch (error) {
    if (!(error instanceof ConclaveError)) throw error;
    return [{ claim, grade: 'recorded', ok: false, detail: error.message }];
  }
}

function nameOf(key: PublicKey, typed: string): string {
  return key.record?.name ?? typed;
}

function cannotVerify(reference: string, { name, kind }: Descriptor): UsageError {
  return new UsageError({
    code: 'E_KEY_CANNOT_VERIFY',
    message: `${reference} is a ${name} key, and a ${kind} key verifies no signatures`,
    hint: 'name a signature key, or an HMAC key',
  });
}
