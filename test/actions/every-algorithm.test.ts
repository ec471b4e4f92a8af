/**
 * Every algorithm of the registry through every action that takes keys: what applies works there and back, and what does not
 * is refused with exit code 2 and a sentence. The tables say what each algorithm must offer; the registry is not asked.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decrypt } from '#actions/decrypt';
import { encrypt } from '#actions/encrypt';
import { HASH_CHOICES } from '#actions/context/signature-options';
import { keyAddress } from '#actions/key-address';
import { keyDerive } from '#actions/key-derive';
import { keyExport } from '#actions/key-export';
import { keyGenerate } from '#actions/key-generate';
import { keyImport } from '#actions/key-import';
import { keyPublic } from '#actions/key-public';
import { keyShow } from '#actions/key-show';
import { shareCombine } from '#actions/share-combine';
import { shareSplit } from '#actions/share-split';
import { show } from '#actions/show';
import { sign } from '#actions/sign';
import { verify } from '#actions/verify';
import type { Descriptor } from '#crypto/descriptor';
import { algorithmNames, allDescriptors } from '#crypto/registry';
import { ConclaveError } from '#formats/errors';
import { formsIn } from '../support/canary.js';
import { type RunOptions, type Workplace, workplace } from '../support/home.js';
import { spread, thorough } from '../support/require.js';

const PLAIN: RunOptions = { noPassphrase: true };
const SEALED: RunOptions = { passphrases: ['correct horse'] };

const title = ({ name, profile }: Pick<Descriptor, 'name' | 'profile'>): string =>
  profile === '' || profile === 'composite' ? name : `${name} (${profile})`;

const ECDSA = ['p256', 'p384', 'p521', 'secp256k1'];
const RSA = ['rsa-2048', 'rsa-3072', 'rsa-4096'];
const ML_DSA = ['ml-dsa-44', 'ml-dsa-65', 'ml-dsa-87'];
const SLH_DSA = ['sha2', 'shake'].flatMap((hash) =>
  ['128s', '128f', '192s', '192f', '256s', '256f'].map((set) => `slh-dsa-${hash}-${set}`),
);
const KEMS = ['x-wing', 'ml-kem-1024+p384', 'ml-kem-512', 'ml-kem-768', 'ml-kem-1024'];
const AGREEMENTS = ['x25519', 'x448'];
const AES = ['aes-128', 'aes-256'];
const HMAC = ['hmac-sha256', 'hmac-sha384', 'hmac-sha512'];
const SYMMETRIC = [...AES, ...HMAC];
const RATIFY = 'ed25519+ml-dsa-65 (ratify-v1)';
const COMPOSITE = ['ed25519+ml-dsa-65', 'ed448+ml-dsa-87'];
const FALCON = ['falcon-512', 'falcon-1024'];
const EDDSA = ['ed25519', 'ed448'];
const SCHNORR = ['bip340', 'schnorr-p256', 'schnorr-secp256k1', 'schnorr-ristretto255'];
const SIGNERS = [
  ...[...COMPOSITE, RATIFY, ...ML_DSA, ...SLH_DSA, ...FALCON],
  ...[...EDDSA, ...ECDSA, 'bls12-381', 'sm2', ...SCHNORR, ...RSA],
];

/** No standard gives these an object identifier. */
const WITHOUT_SPKI = [...FALCON, ...SCHNORR, 'bls12-381', 'ml-kem-1024+p384', RATIFY];
const IN_JOSE = [...EDDSA, ...AGREEMENTS, ...ECDSA, ...RSA, ...ML_DSA];
const IN_SSH = [...EDDSA, 'p256', 'p384', 'p521', ...RSA];

/** What each algorithm's signatures leave to choose. */
const CONTEXT = [...COMPOSITE, ...ML_DSA, ...SLH_DSA, ...EDDSA];
const DER = [...ECDSA, 'sm2'];
const SHA2 = ['sha224', 'sha256', 'sha384', 'sha512', 'sha512-224', 'sha512-256'];
const SHA3 = ['sha3-224', 'sha3-256', 'sha3-384', 'sha3-512'];

/** FIPS 204 §5.4 and FIPS 205 §10.2.2 want a digest as strong as the key; ECDSA and RSA take what their standards name. */
function hashesOf(name: string): readonly string[] {
  const strength = /-(?:44|128.)$/.test(name) ? 128 : /-(?:65|192.)$/.test(name) ? 192 : 256;
  if (ML_DSA.includes(name) || SLH_DSA.includes(name)) {
    const bits = (hash: string): number =>
      hash.startsWith('shake') ? Number(hash.slice(5)) : Number(hash.slice(-3)) / 2;
    return [...SHA2, ...SHA3, 'shake128', 'shake256'].filter((hash) => bits(hash) >= strength);
  }
  if (name === 'sm2') return ['sm3'];
  // RFC 8032 §5.1, §5.2: Ed25519ph and Ed448ph, each with the one hash of its own.
  if (EDDSA.includes(name)) return [name === 'ed25519' ? 'sha512' : 'shake256'];
  if (ECDSA.includes(name)) return [...SHA2, ...SHA3];
  // RSA with digests of 256 bits and more.
  return RSA.includes(name) ? [...SHA2, ...SHA3].filter((hash) => !hash.endsWith('224')) : [];
}

const ADDRESSES: Readonly<Record<string, readonly string[]>> = {
  ethereum: ['secp256k1'],
  bitcoin: ['secp256k1', 'bip340'],
  tezos: ['ed25519', 'secp256k1', 'p256', 'bls12-381'],
  solana: ['ed25519'],
};

function publicForms(name: string): readonly string[] {
  if (SYMMETRIC.includes(name)) return [];
  return [
    ...['raw', 'hex'],
    ...(WITHOUT_SPKI.includes(name) ? [] : ['spki-pem', 'spki-der']),
    ...(IN_JOSE.includes(name) ? ['jwk', 'cose'] : SLH_DSA.includes(name) ? ['jwk'] : []),
    ...(IN_SSH.includes(name) ? ['ssh'] : []),
    ...(name === RATIFY ? ['ratify-json'] : []),
  ];
}

function privateForms(name: string): readonly string[] {
  if (SYMMETRIC.includes(name)) return ['conclave', 'raw', 'hex', 'jwk', 'cose'];
  const others = publicForms(name).filter((form) => !form.startsWith('spki'));
  const pkcs8 = WITHOUT_SPKI.includes(name) ? [] : ['pkcs8-pem', 'pkcs8-der', 'pkcs8-encrypted'];
  return ['conclave', ...others, ...pkcs8];
}

/** Forms that tell what they are, so that `show` and `verify` recognise them. */
const speaks = (form: string): boolean => form !== 'raw' && form !== 'hex';

const descriptors = await allDescriptors();
/** Signatures of SLH-DSA cost a second each even where they are fast: fewer of them. */
const costly = ({ sizes }: Descriptor): boolean => (sizes.signature ?? 0) > 7000;
const sampled = descriptors.filter(
  (each) =>
    // The slow sets sign once each in the contract suite; here they would take most of an hour.
    each.slow !== true &&
    (each.ownEntropy !== true || each.bits <= (thorough ? 128 : 112)) &&
    (!costly(each) || each.name === 'slh-dsa-sha2-128f'),
);
/** Encrypting stretches the passphrase by 600,000 rounds: one key for each way to write PKCS#8. */
const stretched = (name: string): boolean =>
  ['ed25519', 'p256', 'ml-dsa-65', 'rsa-2048', 'x-wing'].includes(name);

/** The error of work that must be refused as wrong use, after looking at its words. */
async function misuse(work: Promise<unknown>, about: string): Promise<string> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof ConclaveError)) {
    throw error instanceof Error ? error : new Error(`${about}: not refused`);
  }
  expect([error.exitCode, error.code], `${about}: ${error.message}`).toEqual([2, error.code]);
  // A sentence of several words on one line, without a full stop, and something to do.
  expect(error.message, about).toMatch(/^\S+(?: \S+){3,}[^.\s]$/);
  expect(error.hint, about).toMatch(/^\S+(?: \S+)+$/);
  // The name of a folder is made by chance, and may be anything.
  const said = `${error.message} ${error.hint ?? ''}`.replaceAll(/conclave-actions-\w+/g, '');
  expect(said).not.toMatch(/undefined|null|\[object|NaN/);
  return error.message;
}

it('knows every algorithm of the registry', () => {
  expect([...SIGNERS, ...KEMS, ...AGREEMENTS, ...SYMMETRIC].sort()).toEqual(
    descriptors.map(title).sort(),
  );
  expect(new Set(descriptors.map(({ name }) => name))).toEqual(new Set(algorithmNames()));
});

describe.each(sampled.map((each) => [title(each), each] as const))('%s', (name, descriptor) => {
  let place: Workplace;
  let id: string;
  const at = (file: string): string => place.at(file);
  const input = {
    algorithm: descriptor.name,
    ...(descriptor.profile === '' ? {} : { profile: descriptor.profile }),
  };
  const bytesOf = (file: string): Buffer => readFileSync(at(file));
  /** How a file of raw bytes or hexadecimal digits is imported. */
  const raw = input;

  beforeAll(async () => {
    place = workplace();
    const agree = ECDSA.includes(name) ? { purpose: ['sign', 'agree'] } : {};
    const made = await place.run(
      keyGenerate,
      { ...input, ...agree, name: 'k', dev: true, publicOut: at('k.pub') },
      PLAIN,
    );
    id = made.id.slice(7);
    expect(made).toMatchObject({ environment: 'dev', algorithm: descriptor.name });
    expect(made.public === null).toBe(SYMMETRIC.includes(name));
    expect(keyGenerate.present?.(made)).toMatch(/^DEV KEY - NOT FOR PRODUCTION\n/);
    expect(made.checks.length).toBeGreaterThan(0);
    writeFileSync(at('m'), 'a message');
    writeFileSync(at('n'), 'another message');
  });
  afterAll(() => {
    place.remove();
  });

  /** What `show` and `verify` say of a file; the private bytes are in neither. */
  async function recognised(file: string, kind: string): Promise<void> {
    const shown = await place.run(show, { targets: [at(file)] });
    expect(shown.artifacts[0]?.kind, file).toBe(kind);
    const verdict = await place.run(verify, { targets: [at(file)] });
    expect(verdict, file).toMatchObject({ ok: true });
    const said = Buffer.from(
      JSON.stringify([shown, verdict]) + show.present?.(shown) + verify.present?.(verdict),
    );
    using open = await place.context(SEALED).keys.open('k');
    expect(open.secret.use((secret) => formsIn(said, secret))).toEqual([]);
  }

  it('is shown', async () => {
    const shown = await place.run(keyShow, { key: 'k' });
    expect(shown.record).toMatchObject({ id, algorithm: descriptor.name, environment: 'dev' });
    expect(keyShow.present?.(shown)).toContain(descriptor.spec);
    expect(shown.checkValue === null).toBe(!SYMMETRIC.includes(name));
    expect((await place.run(show, { targets: ['k'] })).artifacts[0]?.kind).toBe('key');
    if (SYMMETRIC.includes(name)) return;
    const kind = WITHOUT_SPKI.includes(name) && name !== RATIFY ? 'key-record' : 'public-key';
    await recognised('k.pub', kind);
    // The public file stands for the key.
    await place.run(keyPublic, { key: at('k.pub'), format: 'hex', out: at('again.hex') });
    await place.run(keyPublic, { key: 'k', format: 'hex', out: at('once.hex') });
    expect(bytesOf('again.hex')).toEqual(bytesOf('once.hex'));
  });

  it('writes its public key in every form that it has, and reads it again', async () => {
    const forms = publicForms(name);
    for (const format of keyPublic.inputs.format.choices) {
      const out = `public.${format}`;
      const work = place.run(keyPublic, { key: 'k', format, out: at(out) });
      if (!forms.includes(format)) {
        await misuse(work, `${name} public ${format}`);
        continue;
      }
      expect((await work).id).toBe(id);
      if (speaks(format)) await recognised(out, 'public-key');
      // Nothing in a file of bytes tells a profile: those are of the algorithm's default.
      if (!speaks(format) && name === RATIFY) continue;
      const key = speaks(format) ? at(out) : `${descriptor.name}:${at(out)}`;
      const again = await place.run(keyPublic, { key, format: 'raw', out: '-' });
      expect(again.id, format).toBe(id);
    }
  });

  it('leaves in every private form that it has, and comes back as the same key', async () => {
    const forms = privateForms(name);
    for (const format of keyExport.inputs.format.choices) {
      const out = `private.${format}`;
      if (format === 'pkcs8-encrypted' && forms.includes(format) && !stretched(name)) continue;
      const options = format === 'pkcs8-encrypted' ? SEALED : PLAIN;
      const work = place.run(keyExport, { key: 'k', format, out: at(out) }, options);
      if (!forms.includes(format)) {
        await misuse(work, `${name} private ${format}`);
        continue;
      }
      const left = await work;
      expect(left.id, format).toBe(id);
      // A form without a place for the mark says so.
      const hasPlace = ['conclave', 'pkcs8-pem', 'pkcs8-encrypted'].includes(format);
      expect(left).toMatchObject({ environment: 'dev', marked: hasPlace });
      expect(/no place for the mark/.test(keyExport.present?.(left) ?? '')).toBe(!hasPlace);
      if (speaks(format)) await recognised(out, 'key-file');
      // Each import checks the key by a signature; the forms themselves have tests of their own.
      if (costly(descriptor) && format !== 'jwk' && format !== 'hex') continue;
      const other = workplace();
      try {
        const how = { file: at(out), name: 'twin', ...(speaks(format) ? {} : raw) };
        const twin = await other.run(keyImport, how, SEALED);
        expect(twin.id.slice(7), format).toBe(id);
        // The mark goes along wherever the form has a place for it.
        const marked = ['conclave', 'pkcs8-pem', 'pkcs8-encrypted'].includes(format);
        expect(twin.environment, format).toBe(
          marked && !(format === 'conclave' && name === RATIFY) ? 'dev' : twin.environment,
        );
      } finally {
        other.remove();
      }
    }
  });

  it.runIf(SIGNERS.includes(name))('signs with every choice that it offers', async () => {
    const key = 'k';
    const pub = at('k.pub');
    let count = 0;
    /** Signs, and asks for each wrong way to verify too: the verdict is no, never an error. */
    const holds = async (
      asked: Readonly<Record<string, string>>,
      wrong: Readonly<Record<string, string>>,
    ): Promise<void> => {
      const out = at(`s${count++}`);
      const about = `${name} ${JSON.stringify(asked)}`;
      await place.run(sign, { key, in: at('m'), out, ...asked });
      const { format: _format, ...question } = asked;
      const ask = async (what: Readonly<Record<string, string>>, file = 'm'): Promise<boolean> =>
        (await place.run(verify, { key: pub, in: at(file), signature: out, ...what })).ok;
      expect(await ask(question), about).toBe(true);
      expect(await ask(question, 'n'), `${about}, another message`).toBe(false);
      const { format: _other, ...otherwise } = wrong;
      if (Object.keys(otherwise).length > 0) {
        expect(await ask(otherwise), `${about} as ${JSON.stringify(otherwise)}`).toBe(false);
      }
    };
    const refused = async (asked: Readonly<Record<string, string>>): Promise<void> => {
      const about = `${name} ${JSON.stringify(asked)}`;
      await misuse(place.run(sign, { key, in: at('m'), out: at('no'), ...asked }), about);
    };

    const offered = hashesOf(name);
    const hashes = costly(descriptor) ? spread(offered, 2) : offered;
    const isPrehash = ML_DSA.includes(name) || SLH_DSA.includes(name);
    const [defaultHash] = ['p384', 'p521'].includes(name)
      ? [name === 'p384' ? 'sha384' : 'sha512']
      : [name === 'sm2' ? 'sm3' : 'sha256'];
    await holds({}, {});
    await holds({ format: 'dsse' }, {});
    for (const hash of hashes) {
      // Asking for what is the default anyway is another signature only where there is a pre-hash.
      const wrong = EDDSA.includes(name)
        ? { context: 'without a pre-hash' }
        : hashes.length === 1
          ? {}
          : { hash: hashes.find((each) => each !== hash) as string };
      await holds({ hash }, isPrehash || hash !== defaultHash ? wrong : {});
    }
    for (const hash of HASH_CHOICES.filter((each) => !offered.includes(each))) {
      await refused({ hash });
    }
    if (RSA.includes(name)) {
      await holds({ padding: 'pss' }, { padding: 'pkcs1' });
      for (const hash of spread(offered, thorough ? 6 : 3)) {
        await holds({ padding: 'pkcs1', hash }, { padding: 'pss', hash });
      }
    } else {
      await refused({ padding: 'pss' });
    }
    if (CONTEXT.includes(name)) {
      await holds({ context: 'release/1' }, { context: 'release/2' });
      if (isPrehash && !costly(descriptor)) {
        await holds({ context: 'release/1', hash: 'sha512' }, { context: 'release/1' });
      }
    } else {
      await refused({ context: 'release/1' });
    }
    if (DER.includes(name)) {
      await holds({ format: 'raw' }, {});
      await holds({ format: 'der' }, {});
    } else {
      await refused({ format: 'der' });
    }
    if (name === 'bls12-381') {
      await holds({ suite: 'augmented' }, { suite: 'basic' });
      await holds({ suite: 'possession' }, { suite: 'augmented' });
    } else {
      await refused({ suite: 'basic' });
    }
    if (name === 'sm2') await holds({ userId: 'ALICE123@YAHOO.COM' }, { userId: 'BOB' });
    else await refused({ userId: 'ALICE123@YAHOO.COM' });
  });

  it.runIf(HMAC.includes(name))('makes codes that only its key checks', async () => {
    const signature = at('mac');
    await place.run(sign, { key: 'k', in: at('m'), out: signature });
    expect(bytesOf('mac').length).toBe(Number(name.slice(-3)) / 8);
    const ask = async (file: string): Promise<boolean> =>
      (await place.run(verify, { key: 'k', in: at(file), signature })).ok;
    expect([await ask('m'), await ask('n')]).toEqual([true, false]);
    const choices = [{ hash: 'sha512' }, { padding: 'pss' }, { suite: 'basic' }, { context: 'c' }];
    for (const asked of choices) {
      await misuse(place.run(sign, { key: 'k', in: at('m'), out: at('no'), ...asked }), name);
      const question = { key: 'k', in: at('m'), signature, ...asked };
      await misuse(place.run(verify, question), name);
    }
    for (const format of ['der', 'dsse']) {
      await misuse(place.run(sign, { key: 'k', in: at('m'), out: at('no'), format }), name);
    }
  });

  it('encrypts, or says that it cannot', async () => {
    const wanted = { key: 'k', in: at('m'), out: at('m.enc'), context: 'c' };
    if (!AES.includes(name)) {
      expect(await misuse(place.run(encrypt, wanted), name)).toContain(descriptor.name);
      await misuse(place.run(decrypt, { ...wanted, in: at('n') }), name);
      return;
    }
    await place.run(encrypt, wanted);
    await recognised('m.enc', 'encrypted-file');
    await place.run(decrypt, { ...wanted, in: at('m.enc'), out: at('m.back') });
    expect(bytesOf('m.back').toString()).toBe('a message');
    const other = { ...wanted, in: at('m.enc'), out: at('m.no'), context: 'd' };
    await expect(place.run(decrypt, other)).rejects.toMatchObject({ exitCode: 1 });
  });

  it('derives, or says that it cannot', async () => {
    const [mine, theirs] = [at('mine.key'), at('theirs.key')];
    if (KEMS.includes(name)) {
      const ciphertext = at('ct');
      await place.run(keyDerive, { peer: at('k.pub'), ciphertextOut: ciphertext, out: theirs });
      await place.run(keyDerive, { key: 'k', ciphertext, out: mine });
      expect(bytesOf('mine.key')).toEqual(bytesOf('theirs.key'));
      expect(bytesOf('mine.key').length).toBe(32);
      await misuse(place.run(keyDerive, { key: 'k', peer: at('k.pub'), out: at('no') }), name);
      return;
    }
    if ([...AGREEMENTS, ...ECDSA].includes(name)) {
      const purpose = ECDSA.includes(name) ? { purpose: ['agree'] } : {};
      const publicOut = at('o.pub');
      await place.run(keyGenerate, { ...input, ...purpose, name: 'o', publicOut }, PLAIN);
      for (const kdf of ['hkdf-sha256', 'raw']) {
        await place.run(keyDerive, { key: 'k', peer: publicOut, kdf, out: mine }, { force: true });
        const back = { key: 'o', peer: at('k.pub'), kdf, out: theirs };
        await place.run(keyDerive, back, { force: true });
        expect(bytesOf('mine.key')).toEqual(bytesOf('theirs.key'));
      }
      await misuse(place.run(keyDerive, { key: 'k', ciphertext: at('m'), out: at('no') }), name);
      return;
    }
    await misuse(place.run(keyDerive, { key: 'k', ciphertext: at('m'), out: at('no') }), name);
    const peer = SYMMETRIC.includes(name) ? 'k' : at('k.pub');
    await misuse(place.run(keyDerive, { key: 'k', peer, out: at('no') }), name);
    await misuse(place.run(keyDerive, { peer, ciphertextOut: at('no'), out: at('no2') }), name);
  });

  it('has the addresses that its chains know, and no others', async () => {
    for (const [chain, algorithms] of Object.entries(ADDRESSES)) {
      const work = place.run(keyAddress, { key: 'k', chain });
      if (!algorithms.includes(name)) {
        await misuse(work, `${name} on ${chain}`);
        continue;
      }
      const found = await work;
      expect(found.address).toMatch(/^[A-Za-z0-9]{26,64}$/);
      expect(keyAddress.present?.(found)).toContain('SEND NOTHING OF VALUE');
      const again = await place.run(keyAddress, { key: at('k.pub'), chain });
      expect(again.address).toBe(found.address);
    }
  });

  it('is shared and comes back from a quorum', async () => {
    const outDir = at('shares');
    const split = { key: 'k', threshold: 2, shares: 3, unsealed: true, outDir };
    const shared = await place.run(shareSplit, split);
    expect(shared).toMatchObject({ keyId: id, environment: 'dev' });
    for (const file of ['shares/set.json', 'shares/share-2.cbor']) {
      const verdict = await place.run(verify, { targets: [at(file)], allowUnpinned: true });
      expect(verdict, file).toMatchObject({ ok: true });
    }
    const shares = [at('shares/share-1.cbor'), at('shares/share-3.cbor')];
    const back = { shares, set: at('shares/set.json'), out: at('back.key') };
    const combined = await place.run(shareCombine, back, PLAIN);
    expect(combined).toMatchObject({ keyId: id, algorithm: descriptor.name, environment: 'dev' });
    using here = await place.context().keys.open('k');
    using there = await place.context().keys.open(at('back.key'));
    expect(here.secret.use((a) => there.secret.use((b) => Buffer.compare(a, b)))).toBe(0);
  });

  it('signs nothing when it is not for signing', async () => {
    if (SIGNERS.includes(name) || HMAC.includes(name)) return;
    const said = await misuse(place.run(sign, { key: 'k', in: at('m'), out: at('no') }), name);
    expect(said).toContain(descriptor.name);
    await misuse(place.run(verify, { key: 'k', in: at('m'), signature: at('n') }), name);
  });

  it('is refused where its making cannot be what was asked for', async () => {
    writeFileSync(at('dice'), '6253416253415262341');
    const making = { ...input, dev: true, out: at('never') };
    if (RSA.includes(name)) {
      const said = await misuse(
        place.run(keyGenerate, { ...making, entropy: [at('dice')] }, PLAIN),
        name,
      );
      expect(said).toContain('dice');
    }
    const purpose = SIGNERS.includes(name) ? 'mac' : 'sign';
    await misuse(place.run(keyGenerate, { ...making, purpose: [purpose] }, PLAIN), name);
    if (descriptor.profile === '') {
      await misuse(place.run(keyGenerate, { ...making, profile: 'composite' }, PLAIN), name);
    }
    expect(existsSync(at('never'))).toBe(false);
  });

  it.runIf(FALCON.includes(name))('is for production only when somebody insists', async () => {
    const making = { ...input, name: 'p' };
    await expect(place.run(keyGenerate, making, PLAIN)).rejects.toMatchObject({
      code: 'E_ALGORITHM_DRAFT',
      exitCode: 77,
    });
    const made = await place.run(keyGenerate, making, { ...PLAIN, waivers: ['draft'] });
    expect(made.environment).toBe('production');
  });
});

describe('key import', () => {
  it('says what it wants when the algorithm is left out, or the profile stands alone', async () => {
    const place = workplace();
    try {
      const file = place.at('raw');
      writeFileSync(file, Buffer.alloc(64, 7));
      await misuse(place.run(keyImport, { file, profile: 'ratify-v1' }, PLAIN), 'profile alone');
      const how = { file, algorithm: 'ed25519', profile: 'ratify-v1' };
      await misuse(place.run(keyImport, how, PLAIN), 'another profile');
      await expect(place.run(keyImport, { file }, PLAIN)).rejects.toMatchObject({ exitCode: 65 });
    } finally {
      place.remove();
    }
  });
});
