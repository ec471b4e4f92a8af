/** A file in a DSSE envelope, as `sign --format dsse` writes it. */
import { keyId } from '#crypto/key-id';
import { sha256 } from '#crypto/hash';
import { toHex } from '#formats/bytes';
import { decodeDsse, preAuthenticationEncoding } from '#formats/dsse';
import type { ActionContext, PublicKey } from '../context/context.js';
import { resolvePublicSide } from '../context/public-keys.js';
import { SIGNED_FILE_TYPE } from '../context/signing-context.js';
import type { ArtifactKind, ArtifactVerdict, Claim, VerifyOptions } from './artifact.js';

const LIMITS = { maxBytes: 256 * 1024 * 1024 };

/** The kind `signed-file`. The content is inside; the key is found by `--signer`, or by its id among the keys of the store. */
export const signedFileKind: ArtifactKind = {
  kind: 'signed-file',
  detect(bytes) {
    if (bytes[0] !== 0x7b) return false;
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return ['"payload"', '"signatures"', `"${SIGNED_FILE_TYPE}"`].every((mark) =>
      text.includes(mark),
    );
  },
  show(bytes, name) {
    const { payload, payloadType, signatures } = decodeDsse(bytes, name, LIMITS);
    return Promise.resolve({
      payloadType,
      size: payload.length,
      sha256: toHex(sha256(payload)),
      signatures: signatures.map(({ keyid }) => keyid),
    });
  },
  async verify(bytes, name, context, options): Promise<ArtifactVerdict> {
    const { payload, payloadType, signatures } = decodeDsse(bytes, name, LIMITS);
    const signed = preAuthenticationEncoding(payloadType, payload);
    const claims: Claim[] = [];
    for (const { keyid, sig } of signatures) {
      claims.push(await signatureClaim(keyid, sig, signed, context, options));
    }
    const ok = claims.length > 0 && claims.every((claim) => claim.ok);
    const digest = toHex(sha256(payload));
    return {
      ok,
      kind: 'signed-file',
      summary: ok
        ? `${payload.length} bytes, sha256:${digest}, signed by ${claims.map(({ claim }) => claim).join(', ')}`
        : (claims.find((claim) => !claim.ok)?.detail ?? 'it carries no signature'),
      claims,
    };
  },
};

async function signatureClaim(
  keyid: string,
  signature: Uint8Array,
  signed: Uint8Array,
  context: ActionContext,
  { signers }: VerifyOptions,
): Promise<Claim> {
  const claim = `the key ${keyid.slice(0, 16)}`;
  const key = await keyOf(keyid, context, signers);
  if (key === undefined) {
    const hint =
      signers.length > 0 ? 'it is none of those given' : 'name its public key: --signer PUB';
    return { claim, grade: 'recorded', ok: false, detail: `${claim} is not known here; ${hint}` };
  }
  const implementation = await key.descriptor.load();
  const ok =
    implementation.kind === 'signature' && implementation.verify(signature, signed, key.bytes);
  return {
    claim,
    grade: 'checked',
    ok,
    detail: ok
      ? `its ${key.descriptor.name} signature verifies`
      : `the signature of ${claim} does not verify: the file was changed`,
  };
}

async function keyOf(
  keyid: string,
  context: ActionContext,
  signers: readonly string[],
): Promise<PublicKey | undefined> {
  for (const signer of signers) {
    const key = await resolvePublicSide(signer, 'signature', context);
    if (keyId(key.descriptor, key.bytes) === keyid) return key;
  }
  if (signers.length > 0) return undefined;
  const found = (await context.keys.list()).find(({ record }) => record.id === keyid);
  return found && { descriptor: found.descriptor, bytes: found.publicKey, record: found.record };
}
