import { encryptFile, MAX_CONTENT_BYTES } from '#carriage/wrapping/encrypted-file';
import { assertUsable } from '#custody/authority/states';
import { defineAction } from './action.js';
import { attested, attestedFile, attestedKey, openAttestor } from './attest/attestor.js';
import { signingContext } from './context/signing-context.js';
import { assertEncrypts, cipherFields, withCipher } from './context/symmetric-use.js';

/** `conclave encrypt`. */
export const encrypt = defineAction({
  id: 'encrypt',
  summary: 'encrypt a file under a symmetric key',
  description:
    'Encrypts the bytes of a file with AES-GCM under a key of your own, with a fresh random nonce. The result names the key by its ' +
    'id and nothing else. A context is authenticated but not stored: decrypt must be given the same. The file is held in memory: ' +
    'it may have up to 512 MiB. One key is good for 2^32 files (NIST SP 800-38D §8.3); make a new one long before. ' +
    'A key in a token encrypts there. To encrypt to somebody else’s public key use wrap.',
  inputs: {
    ...cipherFields,
    in: { type: 'file', summary: 'what to encrypt', required: true },
    out: { type: 'path', summary: 'where the encrypted file goes', required: true },
  },
  outputs: { out: { type: 'file', summary: 'the encrypted file' } },
  options: ['passphrase', 'identity', 'attestation', 'force'],
  effect: 'repeatable',
  examples: [
    {
      command: 'conclave encrypt --key archive --in ledger.db --out ledger.db.enc',
      explains: 'under the key archive of the store',
    },
    {
      command:
        'conclave encrypt --key archive --in ledger.db --out ledger.db.enc --context backup/2026-11',
      explains: 'which opens only for whoever names the same purpose',
    },
  ],
  async run(input, context) {
    const domain = signingContext(input.context) ?? new Uint8Array(0);
    context.files.assertAbsent([input.out]);
    const content = context.files.read(input.in, MAX_CONTENT_BYTES);
    try {
      using attestor = await openAttestor(context);
      using key = await context.keys.open(input.key);
      const { record, descriptor } = key;
      assertEncrypts(descriptor, input.key, 'encrypts');
      assertUsable(record, 'encrypt');
      const file = withCipher(key, (cipher) =>
        encryptFile({
          content,
          key: cipher,
          keyId: record.id,
          context: domain,
          random: context.random,
        }),
      );
      context.files.write(input.out, file);
      context.record({
        type: 'key.encrypted',
        data: { id: record.id, name: record.name, in: input.in, bytes: content.length },
      });
      const attestation = await attestor?.attest({
        operation: 'encrypt',
        key: attestedKey(record),
        device: key.device ?? null,
        // The digest of what was encrypted would tell it to whoever can guess it.
        outputs: [attestedFile(input.out === '-' ? 'standard output' : input.out, file)],
      });
      return {
        out: input.out,
        key: record.id,
        algorithm: descriptor.name,
        bytes: content.length,
        environment: record.environment,
        attestation: attestation ?? null,
      };
    } finally {
      content.fill(0);
    }
  },
  present: ({ out, algorithm, bytes, environment, attestation }) =>
    `${environment === 'production' ? '' : `${environment.toUpperCase()} KEY: `}${bytes} bytes encrypted under ${algorithm} to ${out}${attested(attestation)}`,
});
