import { basename } from 'node:path';
import { breathe } from '#crypto/breathe';
import type { Descriptor, SignatureOptions, SignOptions } from '#crypto/descriptor';
import { assertUsable } from '#custody/authority/states';
import { utf8 } from '#formats/bytes';
import { encodeDsse, preAuthenticationEncoding } from '#formats/dsse';
import { UsageError } from '#formats/errors';
import { defineAction } from './action.js';
import { attested, attestedFile, attestedKey, openAttestor } from './attest/attestor.js';
import type { ActionContext, OpenKey } from './context/context.js';
import { patience, patiently } from './context/patience.js';
import {
  type AskedOptions,
  assertNoOptions,
  signatureFields,
  signatureOptions,
} from './context/signature-options.js';
import { SIGNED_FILE_TYPE } from './context/signing-context.js';

/** `conclave sign`. */
export const sign = defineAction({
  id: 'sign',
  summary: 'sign a file',
  description:
    'Signs the bytes of a file with a key of a signature algorithm; hybrid keys sign with both halves, and an HMAC key makes a ' +
    'message authentication code. The result is the signature in the form that its algorithm has by default, or a DSSE envelope ' +
    'that holds file and signature. ECDSA signs with the hash of its curve’s size (secp256k1 with SHA-256 and low s), RSA with PSS, ' +
    'its salt as long as the hash, BLS in its basic suite; --hash, --padding and --suite choose others, and the verifier must be told the same. Post-quantum ' +
    'signatures are hedged with fresh randomness.',
  inputs: {
    key: { type: 'key', summary: 'the key', required: true },
    in: { type: 'file', summary: 'what to sign', required: true },
    out: {
      type: 'path',
      summary: 'where the signature goes; standard output when not given',
      placeholder: 'SIG',
    },
    format: {
      type: 'string',
      summary:
        'form of the signature: raw bytes, DER for ECDSA and SM2, or an envelope with the file inside; by default what the algorithm ' +
        'has (raw, for SM2 DER)',
      choices: ['raw', 'der', 'dsse'],
    },
    ...signatureFields,
  },
  outputs: { signature: { type: 'file', summary: 'the signature' } },
  options: ['passphrase', 'identity', 'attestation', 'force'],
  effect: 'repeatable',
  examples: [
    {
      command: 'conclave sign --key release --in app.tar --out app.tar.sig',
      explains: 'verify with conclave verify --key release --in app.tar --signature app.tar.sig',
    },
    {
      command: 'conclave sign --key ./dev-1f2e3d4c.key --in notes.txt --format dsse',
      explains: 'a DSSE envelope on standard output',
    },
    {
      command: 'conclave sign --key tls --in app.tar --out app.sig --format der',
      explains: 'an ECDSA signature as openssl writes it',
    },
    {
      command:
        'conclave sign --key legacy --in app.tar --out app.sig --padding pkcs1 --hash sha512',
      explains: 'an RSA signature as older verifiers want it',
    },
  ],
  async run(input, context) {
    const options = signatureOptions(input);
    const message = context.files.read(input.in);
    if (input.out !== undefined) context.files.assertAbsent([input.out]);
    using attestor = await openAttestor(context);
    using key = await context.keys.open(input.key);
    const { record, descriptor } = key;
    assertSigns(descriptor, input.key);
    assertUsable(record, descriptor.kind === 'signature' ? 'sign' : 'mac');
    if (descriptor.slow === true) {
      context.progress(`signing with ${descriptor.name}${patience(descriptor)}`);
    }
    const format = input.format ?? descriptor.signing?.encodings?.[0] ?? 'raw';
    const isDsse = input.format === 'dsse';
    const signed = isDsse ? preAuthenticationEncoding(SIGNED_FILE_TYPE, message) : message;
    const signature = await patiently(descriptor, context, () =>
      signatureOf(key, signed, input, options, context),
    );
    await breathe();
    const bytes = isDsse
      ? utf8(
          encodeDsse({
            payloadType: SIGNED_FILE_TYPE,
            payload: message,
            signatures: [{ keyid: record.id, sig: signature }],
          }),
        )
      : signature;
    // What a key in a ceremony's memory signs belongs to the session's artifacts.
    const inSession = key.location.startsWith('ceremony:');
    const out = input.out ?? (inSession ? `${basename(input.in)}.sig` : '-');
    context.files.write(out, bytes);
    context.record({
      type: 'key.signed',
      data: { id: record.id, name: record.name, in: input.in, format },
    });
    const attestation = await attestor?.attest({
      operation: 'sign',
      key: attestedKey(record),
      device: key.device ?? null,
      inputs: [attestedFile(input.in, message)],
      outputs: [attestedFile(out === '-' ? 'standard output' : out, bytes)],
    });
    return {
      signature: out,
      key: record.id,
      algorithm: descriptor.name,
      profile: descriptor.profile,
      format,
      environment: record.environment,
      attestation: attestation ?? null,
    };
  },
  present: ({ signature, algorithm, environment, attestation }) =>
    `${environment === 'production' ? '' : `${environment.toUpperCase()} KEY: `}${algorithm} signature written to ${signature}${attested(attestation)}`,
});

/** What was asked for, as typed. */
interface Asked extends AskedOptions {
  readonly key: string;
  readonly format?: string | undefined;
}

/** A signature of a signature key, or a MAC. */
async function signatureOf(
  key: OpenKey,
  signed: Uint8Array,
  asked: Asked,
  options: SignatureOptions,
  { random }: ActionContext,
): Promise<Uint8Array> {
  const { descriptor } = key;
  const implementation = await descriptor.load();
  if (implementation.kind === 'signature') {
    const encoding = asked.format === 'der' ? 'der' : asked.format === 'raw' ? 'raw' : undefined;
    // Where an algorithm has one form only, `raw` asks for nothing special.
    const isChoice = encoding === 'der' || descriptor.signing?.encodings !== undefined;
    const how: SignOptions = {
      ...options,
      ...(encoding === undefined || !isChoice ? {} : { encoding }),
      ...(descriptor.signing?.randomness === 'none' ? {} : { random }),
    };
    return (
      key.signer?.sign(signed, how) ??
      key.secret.use((secret) => implementation.sign(signed, secret, how))
    );
  }
  if (implementation.kind === 'symmetric' && implementation.mac !== undefined) {
    assertNoOptions(descriptor, asked);
    if (asked.format === 'der' || asked.format === 'dsse') {
      throw new UsageError({
        code: 'E_SIGNATURE_OPTION',
        message: `a code of ${descriptor.name} has no form ${asked.format}`,
        hint: 'leave --format out: the code is raw bytes',
      });
    }
    return (
      key.inToken?.mac(signed) ??
      key.secret.use((secret) => implementation.mac?.(signed, secret) ?? new Uint8Array(0))
    );
  }
  throw cannotSign(descriptor, asked.key);
}

/** Before anything else: what is wrong is the kind of key, not its purposes. */
function assertSigns(descriptor: Descriptor, reference: string): void {
  if (descriptor.kind === 'signature' || descriptor.purposes.includes('mac')) return;
  throw cannotSign(descriptor, reference);
}

function cannotSign({ name, kind }: Descriptor, reference: string): UsageError {
  return new UsageError({
    code: 'E_KEY_CANNOT_SIGN',
    message: `${reference} is a ${name} key, and a ${kind} key signs nothing`,
    hint: 'name a signature key, or an HMAC key',
  });
}
