import type { Descriptor } from '#crypto/descriptor';
import { encodeSpki } from '#crypto/encodings/spki';
import { keyId } from '#crypto/key-id';
import type { Environment } from '#custody/authority/record';
import { toHex, utf8 } from '#formats/bytes';
import { UsageError } from '#formats/errors';
import { encodePem } from '#formats/pem';
import { defineAction } from './action.js';
import { encodeForeignPublic, FOREIGN_FORMATS } from './context/foreign-forms.js';
import { markText } from './context/marks.js';
import { assertRatify } from './context/private-forms.js';
import { resolvePublicSide } from './context/public-keys.js';

/** `conclave key public`. */
export const keyPublic = defineAction({
  id: 'key.public',
  summary: 'write the public key of a key',
  description:
    'Writes a public key in the form that others read: SPKI for most programs, JWK and COSE_Key for tokens, SSH for authorized_keys, ' +
    'raw bytes or hexadecimal, Ratify JSON for keys of that profile. Not every algorithm has every form. KEY may also be a public ' +
    'key in one form, to be written in another: an SSH key as JWK, raw bytes (ALGORITHM:FILE) as SPKI.',
  inputs: {
    key: { type: 'key', summary: 'the key', required: true, positional: 0 },
    format: {
      type: 'string',
      summary: 'the form',
      choices: ['spki-pem', 'spki-der', 'raw', 'hex', ...FOREIGN_FORMATS, 'ratify-json'],
      default: 'spki-pem',
    },
    out: { type: 'path', summary: 'where to', default: '-' },
  },
  outputs: { public: { type: 'file', summary: 'the public key' } },
  options: ['passphrase', 'force'],
  effect: 'repeatable',
  examples: [
    { command: 'conclave key public release', explains: 'SPKI PEM on standard output' },
    {
      command: 'conclave key public login --format ssh >> authorized_keys',
      explains: 'the line that an SSH server wants',
    },
    {
      command: 'conclave key public release --format hex --out release.hex',
      explains: 'hexadecimal, into a file',
    },
  ],
  async run({ key, format, out }, context) {
    const { descriptor, bytes, record } = await resolvePublicSide(key, 'kem', context);
    if (descriptor.kind === 'symmetric') {
      throw new UsageError({
        code: 'E_KEY_SYMMETRIC',
        message: `${key} is a ${descriptor.name} key, which has no public side`,
        hint: 'its id and check value are in conclave key show',
      });
    }
    const environment = record?.environment ?? 'production';
    const named = record?.name ?? '';
    const comment = environment === 'production' ? named : `${named} (${environment})`.trim();
    context.files.write(out, await encode(descriptor, bytes, format, environment, comment));
    return { public: out, format, algorithm: descriptor.name, id: keyId(descriptor, bytes) };
  },
  present: ({ public: path, algorithm }) => `public key of ${algorithm} written to ${path}`,
});

async function encode(
  descriptor: Descriptor,
  publicKey: Uint8Array,
  format: string,
  environment: Environment,
  comment: string,
): Promise<Uint8Array> {
  switch (format) {
    case 'spki-pem': {
      const der = encodeSpki(descriptor, publicKey);
      return utf8(encodePem('PUBLIC KEY', der, markText(environment)));
    }
    case 'spki-der':
      return encodeSpki(descriptor, publicKey);
    case 'hex':
      return utf8(`${toHex(publicKey)}\n`);
    case 'jwk':
    case 'cose':
    case 'ssh':
      return await encodeForeignPublic(descriptor, publicKey, format, comment);
    case 'ratify-json': {
      assertRatify(descriptor);
      const { encodeRatifyPublic } = await import('#crypto/encodings/ratify-json');
      return encodeRatifyPublic(publicKey);
    }
    default:
      return publicKey;
  }
}
