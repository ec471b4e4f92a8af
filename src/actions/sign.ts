import { basename } from 'node:path';
import { assertUsable } from '#custody/authority/states';
import { utf8 } from '#formats/bytes';
import { encodeDsse, preAuthenticationEncoding } from '#formats/dsse';
import { UsageError } from '#formats/errors';
import { defineAction } from './action.js';
import { attested, attestedFile, attestedKey, openAttestor } from './attest/attestor.js';
import { SIGNED_FILE_TYPE, signingContext } from './context/signing-context.js';

/** `conclave sign`. */
export const sign = defineAction({
  id: 'sign',
  summary: 'sign a file',
  description:
    'Signs the bytes of a file with a key of a signature algorithm; hybrid keys sign with both halves. The result is the raw ' +
    'signature, or a DSSE envelope that holds file and signature. Post-quantum signatures are hedged with fresh randomness.',
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
      summary: 'form of the signature',
      choices: ['raw', 'dsse'],
      default: 'raw',
    },
    context: {
      type: 'string',
      summary: 'context string that the verifier must give too',
      placeholder: 'STR',
    },
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
  ],
  async run(input, context) {
    const domain = signingContext(input.context);
    const message = context.files.read(input.in);
    if (input.out !== undefined) context.files.assertAbsent([input.out]);
    using attestor = await openAttestor(context);
    using key = await context.keys.open(input.key);
    const { record, descriptor } = key;
    const implementation = await descriptor.load();
    if (implementation.kind !== 'signature') {
      throw new UsageError({
        code: 'E_KEY_CANNOT_SIGN',
        message: `${input.key} is a ${descriptor.name} key, and a ${descriptor.kind} key signs nothing`,
        hint: 'name a signature key',
      });
    }
    assertUsable(record, 'sign');
    const isDsse = input.format === 'dsse';
    const signed = isDsse ? preAuthenticationEncoding(SIGNED_FILE_TYPE, message) : message;
    const how = {
      random: context.random,
      ...(domain === undefined ? {} : { context: domain }),
    };
    const signature =
      key.signer?.sign(signed, how) ??
      key.secret.use((secret) => implementation.sign(signed, secret, how));
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
      data: { id: record.id, name: record.name, in: input.in, format: input.format },
    });
    const attestation = await attestor?.attest({
      operation: 'sign',
      key: attestedKey(record),
      inputs: [attestedFile(input.in, message)],
      outputs: [attestedFile(out === '-' ? 'standard output' : out, bytes)],
    });
    return {
      signature: out,
      key: record.id,
      algorithm: descriptor.name,
      profile: descriptor.profile,
      format: input.format,
      environment: record.environment,
      attestation: attestation ?? null,
    };
  },
  present: ({ signature, algorithm, environment, attestation }) =>
    `${environment === 'production' ? '' : `${environment.toUpperCase()} KEY: `}${algorithm} signature written to ${signature}${attested(attestation)}`,
});
