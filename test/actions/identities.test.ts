import { readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { keyFileKind } from '#actions/artifacts/key-file';
import { publicSideOf, SEEDS_LABEL } from '#actions/context/identity-space';
import { resolvePublicKey } from '#actions/context/public-keys';
import { encodeIdentity, newIdentity, type OpenIdentity } from '#custody/authority/identity';
import { equal } from '#formats/bytes';
import { ConclaveError } from '#formats/errors';
import { formsIn } from '../support/canary.js';
import { fuzz } from '../support/mutations.js';
import { type RunOptions, type Workplace, workplace } from '../support/home.js';

const SEALED: RunOptions = { passphrases: ['correct horse'] };

let place: Workplace;
beforeEach(() => {
  place = workplace();
});
afterEach(() => {
  place.remove();
});

async function refusal(work: Promise<unknown>): Promise<[string, number]> {
  try {
    await work;
  } catch (error) {
    if (error instanceof ConclaveError) return [error.code, error.exitCode];
    throw error;
  }
  return ['nothing', 0];
}

const make = async (name: string): Promise<OpenIdentity> => {
  const { random, now } = place.context();
  return await newIdentity({ name, environment: 'dev', now: now(), random });
};

describe('identities', () => {
  for (const [protection, options] of [
    ['sealed', SEALED],
    ['plain', { noPassphrase: true }],
  ] as const) {
    it(`rest in the home, ${protection}, and open by name and id`, async () => {
      using ada = await make('Ada Lovelace');
      await place.context(options).identities.add(ada, {});
      const stem = `dev-${ada.identity.id.slice(0, 8)}`;
      expect(readdirSync(place.at('home/identities')).sort()).toEqual([
        `${stem}.key`,
        `${stem}.pub`,
      ]);
      const path = place.at(`home/identities/${stem}.key`);
      expect(statSync(path).mode & 0o777).toBe(0o600);
      const { identities } = place.context(options);
      expect((await identities.list()).map(({ name }) => name)).toEqual(['Ada Lovelace']);
      for (const reference of ['Ada Lovelace', ada.identity.id.slice(0, 8), path]) {
        using open = await identities.open(reference);
        const same = open?.seeds.use((a) => ada.seeds.use((b) => equal(a, b)));
        expect(same).toBe(true);
      }
      using chosen = await place
        .context({ ...options, identity: 'Ada Lovelace' })
        .identities.open();
      expect(chosen?.identity.id).toBe(ada.identity.id);
      expect(await place.context(options).identities.open()).toBeUndefined();
      using twin = await make('Ada Lovelace');
      expect(await refusal(place.context(options).identities.add(twin, {}))).toEqual([
        'E_IDENTITY_NAME_TAKEN',
        73,
      ]);
      const bytes = new Uint8Array(readFileSync(path));
      const leaks = ada.seeds.use((raw) =>
        [raw.slice(0, 32), raw.slice(32, 64), raw.slice(64)].flatMap((seed) =>
          formsIn(Buffer.from(bytes), seed),
        ),
      );
      if (protection === 'sealed') expect(leaks).toEqual([]);
      expect(keyFileKind.detect(bytes, path)).toBe(true);
      const shown = await keyFileKind.show(bytes, path, place.context());
      expect(JSON.stringify(shown)).toContain(ada.identity.id);
    });

    it(`rest in files, ${protection}, and open by either file`, async () => {
      using bob = await make('Bob');
      const out = place.at('bob.key');
      expect(await place.context(options).identities.add(bob, { out })).toBe(out);
      writeFileSync(`${out}.pub`, encodeIdentity(bob.identity));
      const { identities } = place.context(options);
      for (const reference of [out, `${out}.pub`]) {
        using open = await identities.open(reference);
        expect(open?.identity.id).toBe(bob.identity.id);
      }
      renameSync(`${out}.pub`, place.at('bob.pub'));
      using beside = await identities.open(place.at('bob.pub'));
      expect(beside?.identity.id).toBe(bob.identity.id);
      renameSync(out, place.at('elsewhere'));
      expect(await refusal(identities.open(place.at('bob.pub')))).toEqual([
        'E_IDENTITY_PRIVATE_MISSING',
        66,
      ]);
    });
  }

  it('are PUBs to seal to, not to verify raw signatures with', async () => {
    using eve = await make('Eve');
    await place.context(SEALED).identities.add(eve, {});
    const context = place.context();
    const key = await resolvePublicKey('Eve', 'kem', context);
    expect(key.descriptor.name).toBe('x-wing');
    expect(equal(key.bytes, eve.identity.xWing)).toBe(true);
    expect(await refusal(resolvePublicKey('Eve', 'signature', context))).toEqual([
      'E_IDENTITY_SIGNS_STATEMENTS',
      77,
    ]);
    expect(await refusal(resolvePublicKey('Nobody', 'kem', context))).toEqual([
      'E_KEY_NOT_FOUND',
      66,
    ]);
  });

  it('survive mutations of their files', async () => {
    using ada = await make('Ada');
    const out = place.at('ada.key');
    await place.context({ noPassphrase: true }).identities.add(ada, { out });
    const bytes = new Uint8Array(readFileSync(out));
    expect(Buffer.from(bytes).includes(SEEDS_LABEL)).toBe(true);
    await fuzz(bytes, (mutation) => publicSideOf(mutation, 'ada.key'));
  });
});
