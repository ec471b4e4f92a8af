import { decryptFile, MAX_ENCRYPTED_BYTES } from '#carriage/wrapping/encrypted-file';
import { assertUsable } from '#custody/authority/states';
import { defineAction } from './action.js';
import { attested, attestedFile, attestedKey, openAttestor } from './attest/attestor.js';
import { signingContext } from './context/signing-context.js';
import { assertEncrypts, cipherFields, withCipher } from './context/symmetric-use.js';

/** `conclave decrypt`. */
export const decrypt = defineAction({
  id: 'decrypt',
  summary: 'decrypt a file that encrypt made',
  description:
    'Decrypts a file under the key that encrypted it. Nothing is written unless all of it authenticates: a changed byte, another ' +
    'key or another context make the answer no. What comes out is taken for secret: the file is readable by its owner alone, and ' +
    'it is not shown on a terminal.',
  inputs: {
    ...cipherFields,
    in: { type: 'file', summary: 'the encrypted file', required: true },
    out: { type: 'path', summary: 'where the content goes', required: true },
  },
  outputs: { out: { type: 'file', summary: 'the content' } },
  options: ['passphrase', 'identity', 'attestation', 'force'],
  effect: 'repeatable',
  exits: [1],
  examples: [
    {
      command: 'conclave decrypt --key archive --in ledger.db.enc --out ledger.db',
      explains: 'under the key archive of the store',
    },
    {
      command: 'conclave decrypt --key archive --in dump.enc --out - | psql',
      explains: 'into another program, once all of it is authenticated',
    },
  ],
  async run(input, context) {
    const domain = signingContext(input.context) ?? new Uint8Array(0);
    context.files.assertAbsent([input.out]);
    const file = context.files.read(input.in, MAX_ENCRYPTED_BYTES);
    using attestor = await openAttestor(context);
    using key = await context.keys.open(input.key);
    const { record, descriptor } = key;
    assertEncrypts(descriptor, input.key, 'decrypts');
    const notes = assertUsable(record, 'decrypt');
    const content = withCipher(key, (cipher) =>
      decryptFile({ file, key: cipher, keyId: record.id, context: domain, what: input.in }),
    );
    try {
      context.files.write(input.out, content, { secret: true });
      context.record({
        type: 'key.decrypted',
        data: { id: record.id, name: record.name, in: input.in, bytes: content.length },
      });
      const attestation = await attestor?.attest({
        operation: 'decrypt',
        key: attestedKey(record),
        device: key.device ?? null,
        inputs: [attestedFile(input.in, file)],
        // As in encrypt: no digest of what is secret.
      });
      return {
        out: input.out,
        key: record.id,
        algorithm: descriptor.name,
        bytes: content.length,
        notes,
        attestation: attestation ?? null,
      };
    } finally {
      content.fill(0);
    }
  },
  present: ({ out, bytes, notes, attestation }) =>
    [`${bytes} bytes authenticated and decrypted to ${out}`, ...notes].join('\n') +
    attested(attestation),
});
