import type { Descriptor, Purpose, RandomSource } from '#crypto/descriptor';
import { resolve } from '#crypto/registry';
import { selfCheck } from '#crypto/self-check';
import { type Environment, newRecord } from '#custody/authority/record';
import { InputError, RefusedError, UsageError } from '#formats/errors';
import { SecretBytes } from '#formats/secret-bytes';
import { defineAction } from './action.js';
import { attested, attestedKey, openAttestor } from './attest/attestor.js';
import type { StorePlace } from '#carriage/stores/store';
import type { ActionContext, Placement, PrivateFormat } from './context/context.js';
import type { Placed, WantedKey } from './context/token-keys.js';
import { fileStem } from './context/marks.js';
import { publicForm } from './context/public-form.js';
import { ONLY_STORED, onlyStored } from './context/resting-place.js';
import { patience, patiently } from './context/patience.js';
import { parseTags } from './context/tags.js';
import { parseStore } from './context/references.js';

/** More than this is no dice log. */
const MAX_ENTROPY_BYTES = 16 * 1024 * 1024;
/** Less than this is a mistake: a single throw of a coin, an empty file. */
const MIN_ENTROPY_BYTES = 16;

/** `conclave key generate`. */
export const keyGenerate = defineAction({
  id: 'key.generate',
  summary: 'make a new key',
  description:
    'Makes a key from the randomness of the operating system, mixed with what --entropy brings (RSA keys take none), and checks it before anyone ' +
    'relies on it: what the private key does the public key must undo, and a second implementation must agree where there is one. ' +
    'The key rests in the store, sealed under a passphrase, or with --out in a file. --dev alone writes an unencrypted key that is ' +
    'marked as good for nothing but development into the working folder.',
  inputs: {
    algorithm: {
      type: 'algorithm',
      summary: 'what kind of key',
      default: 'ed25519+ml-dsa-65',
    },
    profile: {
      type: 'string',
      summary: 'encoding of a hybrid key, fixed for its life; composite when not given',
      choices: ['composite', 'ratify-v1'],
    },
    name: { type: 'string', summary: 'name in the store', placeholder: 'NAME' },
    dev: {
      type: 'boolean',
      summary: 'mark the key as a development key; alone, write it to ./dev-ID.key and .pub',
    },
    purpose: {
      type: 'string',
      summary:
        'what the key is for; when not given, what its algorithm can do, but of ECDSA and RSA keys signing alone',
      choices: ['sign', 'encrypt', 'encapsulate', 'agree', 'mac'],
      repeat: true,
    },
    tag: { type: 'string', summary: 'a label for the record', placeholder: 'K=V', repeat: true },
    entropy: {
      type: 'file',
      summary: 'randomness from elsewhere (dice, coins, a second device) to mix in',
      repeat: true,
    },
    peopleBits: {
      type: 'integer',
      summary: 'bits that people throw, draw or read from a second device, asked for first',
      min: 1,
      max: 4096,
      only: 'ceremony',
    },
    store: {
      type: 'string',
      summary: 'where the key rests: file, keychain, or pkcs11:LABEL',
      default: 'file',
      placeholder: 'STORE',
    },
    out: { type: 'path', summary: 'write the private key there and not into the store' },
    publicOut: {
      type: 'path',
      summary:
        'write the public key there, as SPKI PEM where the algorithm has it, else as Ratify JSON or its record',
    },
    format: {
      type: 'string',
      summary: 'form of the file that --out names; all but conclave are unencrypted',
      choices: ['conclave', 'pkcs8-pem', 'pkcs8-der', 'raw', 'ratify-json'],
    },
  },
  outputs: {
    key: { type: 'key', summary: 'the new key' },
    public: { type: 'file', summary: 'its public key' },
    id: { type: 'digest', summary: 'its id' },
  },
  options: ['new-passphrase', 'identity', 'attestation', 'waive', 'force'],
  effect: 'irreversible',
  secrecy: 'creates',
  examples: [
    { command: 'conclave key generate --dev', explains: 'a key to develop with, in this folder' },
    {
      command: 'conclave key generate --name release --public-out release.pub',
      explains: 'a hybrid signature key in the store, sealed under a passphrase',
    },
    {
      command:
        'conclave key generate --algorithm ed25519 --out ci.key --passphrase-file /run/secrets/pass',
      explains: 'a key file, without a question',
    },
    {
      command: 'conclave key generate --name root --entropy dice.txt --entropy coins.txt',
      explains: 'with randomness that people threw',
    },
  ],
  async run(input, context) {
    const store = parseStore(input.store);
    assertName(input.name);
    if (input.out === undefined && input.format !== undefined) {
      throw new UsageError({
        code: 'E_FORMAT_WITHOUT_OUT',
        message: 'key generate: --format says how a file is written, and --out names none',
        hint: 'say --out FILE, or leave --format out',
      });
    }
    const descriptor = await resolve(input.algorithm, input.profile);
    const environment = input.dev === true ? 'dev' : context.environment;
    assertNoDraft(descriptor, environment, context);
    assertTakesEntropy(
      descriptor,
      input.peopleBits === undefined ? input.entropy : [...input.entropy, "people's entropy"],
    );
    const tags = parseTags(input.tag);
    const random = await randomWith(input, context);
    if (input.publicOut !== undefined) context.files.assertAbsent([input.publicOut]);

    using attestor = await openAttestor(context, { makesHome: input.out === undefined });
    context.progress(`making a key of ${descriptor.name} and checking it${patience(descriptor)}`);
    const born = await bornInToken(input, store, { descriptor, environment, tags }, context);
    if (born !== undefined) {
      const { record, uri, device } = born.key;
      const written = publicForm(descriptor, record);
      if (input.publicOut !== undefined && written !== undefined) {
        context.files.write(input.publicOut, await written());
      }
      const { id, name, algorithm, profile } = record;
      context.record({
        type: 'key.generated',
        data: { id, name, algorithm, profile, environment, contributions: 0, token: device.label },
      });
      const key = attestedKey(record);
      const attestation = await attestor?.attest({ operation: 'generate', key, device });
      return {
        key: uri,
        public: written === undefined ? null : (input.publicOut ?? null),
        id: `sha256:${id}`,
        ...{ name, algorithm, profile, environment },
        checks: born.check === undefined ? [] : [born.check],
        attestation: attestation ?? null,
      };
    }
    const implementation = await descriptor.load();
    using secret = SecretBytes.adopt(
      await implementation.generate(random),
      `new ${descriptor.name} key`,
    );
    const { publicKey, checks } = await patiently(descriptor, context, () =>
      checked(descriptor, secret, context),
    );
    const record = newRecord({
      descriptor,
      publicKey,
      name: input.name ?? null,
      environment,
      purposes: input.purpose.length === 0 ? undefined : (input.purpose as readonly Purpose[]),
      now: context.now(),
      draft: descriptor.status === 'draft' ? draftOf(descriptor) : null,
      tags,
    });

    const devAlone =
      input.dev === true &&
      input.out === undefined &&
      input.name === undefined &&
      store.kind === 'file';
    const stem = `./${fileStem(record)}`;
    const placement: Placement = devAlone
      ? { out: `${stem}.key`, plaintext: true }
      : { store, out: input.out, format: input.format as PrivateFormat | undefined };
    const publicFile = publicForm(descriptor, record);
    let publicPath = input.publicOut ?? (devAlone ? `${stem}.pub` : undefined);
    if (publicPath !== undefined && publicFile !== undefined) {
      context.files.assertAbsent([publicPath]);
    }
    const found = await context.keys.add(record, secret, placement);
    // A key that lives in a ceremony's memory only must leave its public side behind.
    if (found.location.startsWith('ceremony:')) {
      publicPath ??= `${input.name ?? fileStem(record)}.pub`;
    }
    if (publicPath !== undefined && publicFile !== undefined) {
      context.files.write(publicPath, await publicFile());
    }
    context.record({
      type: 'key.generated',
      data: {
        id: record.id,
        name: record.name,
        algorithm: record.algorithm,
        profile: record.profile,
        environment,
        contributions: input.entropy.length,
      },
    });
    const attestation = await attestor?.attest({
      operation: 'generate',
      key: attestedKey(record),
    });
    return {
      key: found.location,
      public: publicFile === undefined ? null : (publicPath ?? null),
      id: `sha256:${record.id}`,
      name: record.name,
      algorithm: record.algorithm,
      profile: record.profile,
      environment,
      checks,
      attestation: attestation ?? null,
    };
  },
  present: (output) =>
    [
      output.environment === 'production'
        ? undefined
        : `${output.environment.toUpperCase()} KEY - NOT FOR PRODUCTION`,
      `key        ${output.key.replace(/^file:/, '')}`,
      output.public === null ? undefined : `public     ${output.public}`,
      `algorithm  ${output.algorithm}${output.profile === '' ? '' : ` (${output.profile})`}`,
      `id         ${output.id.replace(/^sha256:/, '')}`,
      `checked    ${output.checks.join(', ')}${attested(output.attestation)}`,
      onlyStored(output.key) ? `NOTE       ${ONLY_STORED}` : undefined,
    ]
      .filter((line) => line !== undefined)
      .join('\n'),
});

/** A token makes its keys itself, where it knows how; nothing can be mixed into its randomness from here. */
async function bornInToken(
  input: {
    readonly name?: string | undefined;
    readonly purpose: readonly string[];
    readonly entropy: readonly string[];
  },
  store: StorePlace,
  wanted: Pick<WantedKey, 'descriptor' | 'environment'> & { readonly tags: Record<string, string> },
  context: ActionContext,
): Promise<Placed | undefined> {
  if (store.kind !== 'pkcs11') return undefined;
  if (input.entropy.length > 0) {
    throw new UsageError({
      code: 'E_ENTROPY_TOKEN',
      message: 'a token makes keys from its own randomness, and --entropy cannot be mixed in',
      hint: 'make the key outside and bring it in by conclave hsm import, or leave --entropy out',
    });
  }
  const { generateAt } = await import('./hsm/generate-at.js');
  const purposes = input.purpose.length === 0 ? undefined : (input.purpose as readonly Purpose[]);
  return await generateAt(store.token, { ...wanted, name: input.name ?? null, purposes }, context);
}

/** The self-check on the bytes themselves, wiped afterwards: it is asynchronous, a loan is not. */
async function checked(
  descriptor: Descriptor,
  secret: SecretBytes,
  context: ActionContext,
): Promise<{ readonly publicKey: Uint8Array; readonly checks: readonly string[] }> {
  const raw = secret.use((bytes) => bytes.slice());
  try {
    return await selfCheck(descriptor, raw, context.random);
  } finally {
    raw.fill(0);
  }
}

/** What OpenSSL draws alone cannot be mixed with anything: better no key than one that ignored the dice. */
function assertTakesEntropy({ name, ownEntropy }: Descriptor, paths: readonly string[]): void {
  if (ownEntropy !== true || paths.length === 0) return;
  throw new UsageError({
    code: 'E_ENTROPY_UNSUPPORTED',
    message: `${name} keys cannot use ${paths.join(', ')}: OpenSSL makes them from the system's randomness alone`,
    hint: 'leave --entropy out, or choose another algorithm',
  });
}

/** The system's generator, with what people threw mixed in. */
async function randomWith(
  {
    entropy,
    peopleBits,
  }: { readonly entropy: readonly string[]; readonly peopleBits?: number | undefined },
  context: ActionContext,
): Promise<RandomSource> {
  if (entropy.length === 0 && peopleBits === undefined) return context.random;
  const { mixEntropy } = await import('#crypto/entropy');
  const contributions = [...readEntropy(entropy, context)];
  try {
    if (peopleBits !== undefined) {
      const { gatherEntropy } = await import('./entropy/gather.js');
      contributions.push(...(await gatherEntropy(peopleBits, context)));
    }
    return mixEntropy(context.random, contributions);
  } finally {
    for (const bytes of contributions) bytes.fill(0);
  }
}

function readEntropy(paths: readonly string[], context: ActionContext): readonly Uint8Array[] {
  return paths.map((path) => {
    const bytes = context.files.read(path, MAX_ENTROPY_BYTES);
    if (bytes.length >= MIN_ENTROPY_BYTES) return bytes;
    throw new InputError({
      code: 'E_ENTROPY_TOO_SHORT',
      message: `${path} has fewer than ${MIN_ENTROPY_BYTES} bytes`,
      hint: 'throw more dice, or leave it out: the system generator is used in any case',
    });
  });
}

/** Hybrids follow a draft in their encoding only, and their record keeps what a later encoding needs. */
function assertNoDraft(
  descriptor: Descriptor,
  environment: Environment,
  context: ActionContext,
): void {
  const isDraft = descriptor.status === 'draft' && descriptor.profile === '';
  if (!isDraft || environment !== 'production' || context.waivers.has('draft')) return;
  throw new RefusedError({
    code: 'E_ALGORITHM_DRAFT',
    message: `${descriptor.name} is a draft, not a standard`,
    hint: 'say --waive draft if you must, or --dev to try it',
  });
}

/** The draft that a key follows, without the section: what a record has room for. */
function draftOf(descriptor: Descriptor): string {
  return (descriptor.spec.split(/[ ,]/)[0] ?? '').slice(0, 64);
}

function assertName(name: string | undefined): void {
  if (name === undefined || /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/.test(name)) return;
  throw new UsageError({
    code: 'E_KEY_NAME',
    message: `${JSON.stringify(name)} cannot name a key`,
    hint: 'use letters, digits, - and _, at most 64; a dot would make it a path',
  });
}
