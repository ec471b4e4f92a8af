/** The three ciphersuites of BLS against signatures that another library made. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writeFileSync } from 'node:fs';
import { keyGenerate } from '#actions/key-generate';
import { keyImport } from '#actions/key-import';
import { sign } from '#actions/sign';
import { verify } from '#actions/verify';
import type { BlsSuite, SignatureImplementation } from '#crypto/descriptor';
import { resolve } from '#crypto/registry';
import { fromHex, toHex, utf8 } from '#formats/bytes';
import { type RunOptions, type Workplace, workplace } from '../support/home.js';

const PLAIN: RunOptions = { noPassphrase: true };
const SECRET = '01'.repeat(32);
const MESSAGE = 'a message';

/** Of MESSAGE under SECRET by Chia's bls-signatures 2.0.3, schemes Basic, Aug and Pop. */
const SIGNATURES: Readonly<Record<BlsSuite, string>> = {
  basic:
    '976c5201e77d21bd26ecf84aaaffbeb485a465ea12a2874d82ffaf2bffb650861554da9ae96d2a310412363e8e9bab79' +
    '104964857ab06ee6ab230fac32cdc5eb898f3238edf81a4bfc116c31f5615c48bee8ac1a646b25ffb2fcb70476800a00',
  augmented:
    'a6edf8c28ac90c7f85076cce1f81441400b5c085ea2c1cefd5864e6d7ff8afa12594c3d5cc2779ba521bb4b9b70e2424' +
    '0d042794f5b4ec4d58f1e7413869bb1f3ec88c38dfea42d4bab613b3f872797304bdefcf324940193b55bce617fd5d94',
  possession:
    'a08112d43c71d4a6888e20e26cb25f1f6fdeb6dd103704a4683f0fadc83bc430cbea8dbf94d0e3f5bce5f980cd6db98a' +
    '15c5b4906d563d57a79799df37df1024be1fd844ee3a853eaceef7f5330183c630fd04728eb164d6d00fe97403987177',
};
const suites = Object.keys(SIGNATURES) as BlsSuite[];

let place: Workplace;
beforeEach(async () => {
  place = workplace();
  writeFileSync(place.at('k.hex'), SECRET);
  writeFileSync(place.at('m'), MESSAGE);
  await place.run(
    keyImport,
    { file: place.at('k.hex'), algorithm: 'bls12-381', name: 'bls' },
    PLAIN,
  );
});
afterEach(() => {
  place.remove();
});

describe('the suites of BLS', () => {
  it.each(suites)('%s: the same signature as another library makes', async (suite) => {
    const is = (await (await resolve('bls12-381')).load()) as SignatureImplementation;
    expect(toHex(is.publicKey(fromHex(SECRET)))).toBe(
      'aa1a1c26055a329817a5759d877a2795f9499b97d6056edde0eea39512f24e8bc874b4471f0501127abb1ea0d9f68ac1',
    );
    const signature = is.sign(utf8(MESSAGE), fromHex(SECRET), { suite });
    expect(toHex(signature)).toBe(SIGNATURES[suite]);
  });

  it.each(suites)('%s: chosen by --suite, and good in no other', async (suite) => {
    const signature = place.at('m.sig');
    await place.run(sign, { key: 'bls', in: place.at('m'), out: signature, suite });
    for (const asked of [undefined, ...suites]) {
      const question = { key: 'bls', in: place.at('m'), signature, suite: asked };
      const { ok } = await place.run(verify, question);
      expect(ok, asked).toBe((asked ?? 'basic') === suite);
    }
  });

  it('are no choice of other algorithms', async () => {
    await place.run(keyGenerate, { algorithm: 'ed25519', name: 'ed' }, PLAIN);
    await place.run(keyGenerate, { algorithm: 'hmac-sha256', name: 'mac' }, PLAIN);
    for (const key of ['ed', 'mac']) {
      const work = place.run(sign, { key, in: place.at('m'), out: '-', suite: 'basic' });
      await expect(work).rejects.toMatchObject({ code: 'E_SIGNATURE_OPTION', exitCode: 2 });
    }
  });
});
