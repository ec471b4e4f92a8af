import { selfCheck } from '#crypto/self-check';
import { addHistory } from '#custody/authority/states';
import { UsageError } from '#formats/errors';
import { formatTime } from '#formats/time';
import { defineAction } from './action.js';
import { placeText } from './context/resting-place.js';
import { attested, attestedKey, openAttestor } from './attest/attestor.js';
import { isPath, parseStore } from './context/references.js';
import { openRaw } from './context/raw-forms.js';
import { parseTags } from './context/tags.js';
import { assertEnvironment } from './hsm/place.js';

/** `conclave key import`. */
export const keyImport = defineAction({
  id: 'key.import',
  summary: 'take a private key from a file into the store',
  description:
    'Reads a key file of conclave, PKCS#8 (PEM or DER, encrypted or not, post-quantum keys with their seed), JWK, COSE_Key, OpenSSH, ' +
    'Ratify JSON, or raw bytes and hexadecimal with their record beside them or with --algorithm; checks it as a new key is checked, ' +
    'and keeps it in the store. The file stays where it is. A sealed file and the copy in the store have the same passphrase when ' +
    'it is given by --passphrase-file.',
  inputs: {
    file: { type: 'file', summary: 'the private key', required: true, positional: 0 },
    name: {
      type: 'string',
      summary: 'name in the store; the one in its record when not given',
      pattern: '[A-Za-z0-9][A-Za-z0-9_-]{0,63}',
    },
    store: {
      type: 'string',
      summary: 'where the key rests: file, keychain, or pkcs11:LABEL',
      default: 'file',
      placeholder: 'STORE',
    },
    algorithm: {
      type: 'algorithm',
      summary:
        'what raw bytes or hexadecimal digits are a key of; every other form tells it by itself',
    },
    profile: {
      type: 'string',
      summary: 'with --algorithm, the encoding of a hybrid key; composite when not given',
      choices: ['composite', 'ratify-v1'],
    },
    tag: { type: 'string', summary: 'a label for the record', placeholder: 'K=V', repeat: true },
  },
  outputs: {
    key: { type: 'key', summary: 'the key in the store' },
    id: { type: 'digest', summary: 'its id' },
  },
  options: ['passphrase', 'new-passphrase', 'identity', 'attestation', 'allow-environment'],
  effect: 'irreversible',
  only: 'cli',
  examples: [
    { command: 'conclave key import ./old.pem --name old', explains: 'a PKCS#8 key from openssl' },
    { command: 'conclave key import backup.key', explains: 'a key file, under its own name' },
    {
      command: 'conclave key import seed.hex --algorithm ml-dsa-65 --name pq',
      explains: 'a seed in hexadecimal digits',
    },
  ],
  async run({ file, name, store, algorithm, profile, tag }, context) {
    if (profile !== undefined && algorithm === undefined) {
      throw new UsageError({
        code: 'E_PROFILE_WITHOUT_ALGORITHM',
        message: 'key import: --profile says how raw bytes are meant, and --algorithm names none',
        hint: 'say --algorithm as well, or leave --profile out: the file tells it by itself',
      });
    }
    const place = parseStore(store);
    using attestor = await openAttestor(context, { makesHome: true });
    const tags = parseTags(tag);
    const path = isPath(file) ? file : `./${file}`;
    using open =
      algorithm === undefined
        ? await context.keys.open(path)
        : await openRaw(path, { algorithm, profile }, context);
    if (place.kind === 'pkcs11') assertEnvironment(open.record, context);
    const raw = open.secret.use((bytes) => bytes.slice());
    let checks: readonly string[];
    try {
      ({ checks } = await selfCheck(open.descriptor, raw, context.random));
    } finally {
      raw.fill(0);
    }
    const { environment } = open.record;
    const isNew = open.record.history.length === 1 && open.record.history[0]?.event === 'imported';
    const named = {
      ...open.record,
      name: name ?? open.record.name,
      environment: environment === 'production' ? context.environment : environment,
      tags: { ...open.record.tags, ...tags },
    };
    const record = isNew
      ? named
      : addHistory(named, 'imported', { time: formatTime(context.now()) });
    const found = await context.keys.add(record, open.secret, { store: place });
    context.record({
      type: 'key.imported',
      data: {
        id: record.id,
        name: record.name,
        algorithm: record.algorithm,
        profile: record.profile,
        environment: record.environment,
      },
    });
    const attestation = await attestor?.attest({
      operation: 'import',
      key: attestedKey(record),
      device: found.device ?? null,
      note: `from ${file}`.slice(0, 1024),
    });
    return {
      key: found.location,
      id: `sha256:${record.id}`,
      name: record.name,
      algorithm: record.algorithm,
      profile: record.profile,
      environment: record.environment,
      checks,
      attestation: attestation ?? null,
    };
  },
  present: ({ key, id, name, algorithm, checks, attestation }) =>
    `${algorithm} key ${name ?? id.slice(7, 23)} is ${placeText(key)}\nid         ${id.slice(7)}\nchecked    ${checks.join(', ')}${attested(attestation)}`,
});
