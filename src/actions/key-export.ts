import { encodeRecord } from '#custody/authority/record';
import { RefusedError } from '#formats/errors';
import { defineAction } from './action.js';
import type { PrivateFormat } from './context/context.js';
import { recordPathOf } from './context/key-space.js';
import { encodeAtRest, encodePlain } from './context/private-forms.js';

/** `conclave key export`. */
export const keyExport = defineAction({
  id: 'key.export',
  summary: 'write the private key of a key to a file',
  description:
    'Writes a private key for use elsewhere. It keeps the protection of the source: a sealed key is exported sealed, as it is, ' +
    'and in another form only with --no-passphrase, since those forms are not encrypted.',
  inputs: {
    key: { type: 'key', summary: 'the key', required: true, positional: 0 },
    format: {
      type: 'string',
      summary: 'the form; by default a sealed key file for a sealed key and PKCS#8 PEM for another',
      choices: ['conclave', 'pkcs8-pem', 'pkcs8-der', 'raw', 'ratify-json'],
    },
    out: { type: 'path', summary: 'where to', required: true },
    passphrase: {
      type: 'boolean',
      summary: 'allow an unencrypted copy of a sealed key',
      default: true,
    },
  },
  outputs: { out: { type: 'file', summary: 'the private key' } },
  options: ['passphrase', 'force'],
  effect: 'irreversible',
  only: 'cli',
  examples: [
    {
      command: 'conclave key export release --out backup.key',
      explains: 'a sealed copy of a sealed key; no passphrase is asked for',
    },
    {
      command: 'conclave key export release --format pkcs8-pem --no-passphrase --out release.pem',
      explains: 'unencrypted, for openssl',
    },
  ],
  async run({ key, format, out, passphrase }, context) {
    context.files.assertAbsent([out]);
    const sealed = await context.keys.sealed?.(key);
    const wanted = format ?? 'conclave';
    const { record, descriptor } = await context.keys.find(key);
    if (sealed !== undefined && wanted === 'conclave') {
      context.files.write(out, sealed, { secret: true });
    } else {
      if (sealed !== undefined && passphrase) {
        throw new RefusedError({
          code: 'E_PLAINTEXT_REFUSED',
          message: `${key} is sealed, and a ${wanted} file is not encrypted`,
          hint: 'say --no-passphrase if that is what you want, or leave --format out',
        });
      }
      using open = await context.keys.open(key);
      const { environment } = record;
      const isNative = wanted === 'conclave';
      const bytes = isNative
        ? await encodeAtRest(descriptor, open.secret, environment)
        : await encodePlain(descriptor, open.secret, wanted as PrivateFormat, environment);
      try {
        if (isNative && out !== '-') {
          const beside = recordPathOf(out);
          context.files.assertAbsent([beside]);
          context.files.write(beside, encodeRecord(record));
        }
        context.files.write(out, bytes, { secret: true });
      } finally {
        bytes.fill(0);
      }
    }
    const isSealed = sealed !== undefined && wanted === 'conclave';
    context.record({
      type: 'key.exported',
      data: { id: record.id, name: record.name, format: wanted, sealed: isSealed },
    });
    return { out, id: record.id, algorithm: descriptor.name, format: wanted, sealed: isSealed };
  },
  present: ({ out, algorithm, sealed }) =>
    `${sealed ? 'sealed' : 'UNENCRYPTED'} ${algorithm} key written to ${out}`,
});
