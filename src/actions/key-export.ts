import type { Descriptor } from '#crypto/descriptor';
import { encodeRecord, type KeyRecord } from '#custody/authority/record';
import { RefusedError } from '#formats/errors';
import { defineAction } from './action.js';
import { attested, attestedKey, type Attestor, openAttestor } from './attest/attestor.js';
import type { ActionContext, OpenKey, PrivateFormat } from './context/context.js';
import { FOREIGN_FORMATS } from './context/foreign-forms.js';
import { assertKeyFileFree, recordPathOf } from './context/record-path.js';
import { encodeAtRest, encodePlain } from './context/private-forms.js';

/** Forms that can be encrypted under a passphrase, and how the result is written. */
const ENCRYPTABLE: Readonly<Record<string, 'pem' | 'der'>> = {
  'pkcs8-pem': 'pem',
  'pkcs8-der': 'der',
  'pkcs8-encrypted': 'pem',
};

/** `conclave key export`. */
export const keyExport = defineAction({
  id: 'key.export',
  summary: 'write the private key of a key to a file',
  description:
    'Writes a private key for use elsewhere. It keeps the protection of the source: a sealed key is exported sealed, as it is, and ' +
    'PKCS#8 from it is encrypted (PBES2, which openssl reads) under a passphrase that is asked for or comes from --passphrase-file. ' +
    'The forms that cannot be encrypted need --no-passphrase then. A key that rests unencrypted is written unencrypted, unless a ' +
    'passphrase is given or pkcs8-encrypted is asked for. Post-quantum keys are written as their seed. Not every algorithm has every ' +
    'form, and only PEM and the record beside a key file have a place for the mark of a development key.',
  inputs: {
    key: { type: 'key', summary: 'the key', required: true, positional: 0 },
    format: {
      type: 'string',
      summary:
        'the form; by default a sealed key file for a sealed key, and for another PKCS#8 PEM where its algorithm has it',
      choices: [
        'conclave',
        'pkcs8-pem',
        'pkcs8-der',
        'pkcs8-encrypted',
        'raw',
        'hex',
        ...FOREIGN_FORMATS,
        'ratify-json',
      ],
    },
    out: { type: 'path', summary: 'where to', required: true },
    passphrase: {
      type: 'boolean',
      summary: 'allow an unencrypted copy of a sealed key',
      default: true,
    },
  },
  outputs: { out: { type: 'file', summary: 'the private key' } },
  options: ['passphrase', 'identity', 'attestation', 'force'],
  effect: 'irreversible',
  only: 'cli',
  examples: [
    {
      command: 'conclave key export release --out backup.key',
      explains: 'a sealed copy of a sealed key; no passphrase is asked for',
    },
    {
      command: 'conclave key export release --format pkcs8-pem --out release.pem',
      explains: 'for openssl, encrypted under a passphrase',
    },
    {
      command: 'conclave key export release --format jwk --no-passphrase --out release.jwk',
      explains: 'unencrypted',
    },
  ],
  async run({ key, format, out, passphrase }, context) {
    context.files.assertAbsent([out]);
    using attestor = await openAttestor(context);
    const isEncrypted = (await context.keys.encrypted?.(key)) === true;
    const sealed = isEncrypted ? undefined : await context.keys.sealed?.(key);
    const wanted = format ?? 'conclave';
    if (sealed !== undefined && wanted === 'conclave') {
      context.files.write(out, sealed, { secret: true });
      const written = { out, wanted, protection: 'sealed' } as const;
      return await report(await context.keys.find(key), written, attestor, context);
    }
    const isProtected = isEncrypted || sealed !== undefined;
    // A passphrase that was given is meant to protect something: never is it quietly not used.
    const protect =
      passphrase && (isProtected || wanted === 'pkcs8-encrypted' || context.ask.offered === true);
    if (protect && wanted !== 'conclave' && !(wanted in ENCRYPTABLE)) {
      throw new RefusedError({
        code: 'E_PLAINTEXT_REFUSED',
        message: isProtected
          ? `${key} is sealed, and a ${wanted} file is not encrypted`
          : `a ${wanted} file is not encrypted, and a passphrase was given`,
        hint: 'say --no-passphrase if that is what you want, or --format pkcs8-pem, which can be encrypted',
      });
    }
    using open = await context.keys.open(key);
    const written = protect
      ? await writeProtected(open, wanted, out, context)
      : await writePlain(open, plainForm(wanted), out, context);
    return await report(open, { out, wanted, protection: written }, attestor, context);
  },
  present: ({ out, algorithm, protection, environment, marked, attestation }) =>
    [
      `${protection === 'none' ? 'UNENCRYPTED' : protection} ${algorithm} key written to ${out}${attested(attestation)}`,
      ...(marked
        ? []
        : [
            `this form has no place for the mark: whoever reads it sees no ${environment} key in it`,
          ]),
    ].join('\n'),
});

/** Forms that carry the mark of a key that is not for production, in their text or in the record beside them. */
const MARKED: readonly string[] = ['conclave', 'pkcs8-pem', 'pkcs8-encrypted'];

/** What became of the private key on its way out. */
type Protection = 'sealed' | 'encrypted' | 'none';

async function report(
  { record, descriptor }: { readonly record: KeyRecord; readonly descriptor: Descriptor },
  written: { readonly out: string; readonly wanted: string; readonly protection: Protection },
  attestor: Attestor | undefined,
  context: ActionContext,
) {
  const { out, wanted: format, protection } = written;
  const sealed = protection !== 'none';
  const { id, name, environment } = record;
  context.record({ type: 'key.exported', data: { id, name, format, sealed } });
  // The digest of a private key file would tell of a weak passphrase, or of the key itself: it is named by its form only.
  const attestation = await attestor?.attest({
    operation: 'export',
    key: attestedKey(record),
    note: `${format}, ${protection === 'none' ? 'unencrypted' : protection}`,
  });
  const common = { out, id, algorithm: descriptor.name, format, sealed, protection };
  const marked = environment === 'production' || MARKED.includes(format);
  return { ...common, environment, marked, attestation: attestation ?? null };
}

/** With --no-passphrase an encrypted form is the same one, unencrypted. */
function plainForm(wanted: string): PrivateFormat {
  return wanted === 'pkcs8-encrypted' ? 'pkcs8-pem' : (wanted as PrivateFormat);
}

async function writePlain(
  open: OpenKey,
  format: PrivateFormat,
  out: string,
  context: ActionContext,
): Promise<Protection> {
  const { descriptor, secret, record } = open;
  const { environment } = record;
  const isNative = format === 'conclave';
  const bytes = isNative
    ? await encodeAtRest(descriptor, secret, environment)
    : await encodePlain(descriptor, secret, format, environment, context.random);
  try {
    if (isNative && out !== '-') {
      assertKeyFileFree(out, context.files);
      context.files.write(recordPathOf(out), encodeRecord(record));
    }
    context.files.write(out, bytes, { secret: true });
    return 'none';
  } finally {
    bytes.fill(0);
  }
}

async function writeProtected(
  open: OpenKey,
  wanted: string,
  out: string,
  context: ActionContext,
): Promise<Protection> {
  if (wanted === 'conclave') {
    await context.keys.add(open.record, open.secret, { out });
    return 'sealed';
  }
  const { descriptor, secret, record } = open;
  const { environment } = record;
  const form = ENCRYPTABLE[wanted] as 'pem' | 'der';
  const pkcs8 = await encodePlain(descriptor, secret, 'pkcs8-der', environment, context.random);
  try {
    const passphrase = await context.ask.newPassphrase({ seals: `the exported key ${out}` });
    if (passphrase === undefined) throw new TypeError('a passphrase was neither given nor refused');
    try {
      const { encodeEncryptedPkcs8 } = await import('./context/encrypted-forms.js');
      const { random } = context;
      const bytes = await encodeEncryptedPkcs8(pkcs8, passphrase, { form, environment, random });
      context.files.write(out, bytes, { secret: true });
      return 'encrypted';
    } finally {
      passphrase.dispose();
    }
  } finally {
    pkcs8.fill(0);
  }
}
