import { createCipheriv, createHmac, sign as nodeSign } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { handoverChallenge } from '#actions/handover-challenge';
import { handoverReceipt } from '#actions/handover-receipt';
import { handoverRevoke } from '#actions/handover-revoke';
import { handoverStore } from '#actions/handover-store';
import { handoverVerify } from '#actions/handover-verify';
import { identityNew } from '#actions/identity-new';
import { keyDestroy } from '#actions/key-destroy';
import { keyExport } from '#actions/key-export';
import { keyGenerate } from '#actions/key-generate';
import { keyPublic } from '#actions/key-public';
import { unwrap } from '#actions/unwrap';
import { wrap } from '#actions/wrap';
import { decodeChallenge } from '#custody/authority/handover-challenge';
import { KEY_IMPORTED, readHandover } from '#custody/authority/handover-statement';
import { fuzz } from '../formats/mutate.js';
import { type Workplace, workplace } from '../support/home.js';
import { farKey } from '../wrapping/far-keys.js';
import { awsParameters } from '../wrapping/offers.js';
import { mutationCount } from '../support/require.js';
import { ADA, deskAt, PLAIN, refusal } from './desk.js';

let place: Workplace;
beforeEach(async () => {
  place = workplace();
  await place.run(identityNew, { name: 'ada' }, PLAIN);
});
afterEach(() => {
  place.remove();
});

const at = (name: string): string => place.at(name);
const state = async (name: string): Promise<string> =>
  (await place.context().keys.find(name)).record.state;

const { handOver, again, farSide, answer, verifyInput } = deskAt(() => place);

describe('a hand-over to a provider', () => {
  it.each(['p256', 'secp256k1', 'ed25519'])(
    '%s: verified, and only then destroyed',
    async (algorithm) => {
      await handOver(algorithm);
      await answer('release');
      const verified = await place.run(handoverVerify, verifyInput(), ADA);
      expect(verified).toMatchObject({ ok: true, proof: 'signature', by: 'ada' });
      const destroyed = await place.run(
        keyDestroy,
        { key: 'release', yes: true, afterImport: at('imported.dsse.json') },
        PLAIN,
      );
      expect(destroyed.state).toBe('destroyed');
      expect(await state('release')).toBe('destroyed');
      const again = place.run(
        keyDestroy,
        { key: 'release', yes: true, afterImport: at('imported.dsse.json') },
        PLAIN,
      );
      expect((await refusal(again))[1]).toBe(77);
    },
  );

  it('an answer may be asked about twice, and gives the same receipt; another answer gives none', async () => {
    await handOver('p256');
    await answer('release');
    await place.run(handoverVerify, verifyInput(), ADA);
    await place.run(handoverVerify, verifyInput('release', '', 'second.dsse.json'), ADA);
    expect(readFileSync(at('second.dsse.json'))).toEqual(readFileSync(at('imported.dsse.json')));
    await answer('release');
    const other = place.run(handoverVerify, verifyInput('release', '', 'third.dsse.json'), ADA);
    expect(await refusal(other)).toEqual(['E_CHALLENGE_USED', 77]);
    expect(existsSync(at('third.dsse.json'))).toBe(false);
  });

  it('not yet: without the answer nothing is decided', async () => {
    await handOver('p256');
    const early = place.run(handoverVerify, verifyInput(), ADA);
    expect(await refusal(early)).toEqual(['E_HANDOVER_UNANSWERED', 75]);
  });

  it('a far side that holds another key, or signs something else, is found out; the key is still there', async () => {
    await handOver('p256');
    await place.run(keyGenerate, { algorithm: 'p256', name: 'other' }, PLAIN);
    await answer('release');
    const good = readFileSync(at('signature.json'));
    await place.run(keyPublic, { key: 'other', format: 'spki-pem', out: at('other.pub') }, PLAIN);
    const otherKey = { ...verifyInput(), public: at('other.pub') };
    expect(await refusal(place.run(handoverVerify, otherKey as never, ADA))).toEqual([
      'E_HANDOVER_KEY',
      1,
    ]);
    // The other key signs the right challenge and shows the right public key.
    const key = await farSide('other');
    const challenge = readFileSync(at('release.challenge.json'));
    const forged = nodeSign('sha256', challenge, key).toString('base64');
    writeFileSync(
      at('signature.json'),
      JSON.stringify({ Signature: forged, SigningAlgorithm: 'ECDSA_SHA_256' }),
    );
    expect(await refusal(place.run(handoverVerify, verifyInput(), ADA))).toEqual([
      'E_HANDOVER_PROOF',
      1,
    ]);
    // Another hash than it says.
    writeFileSync(
      at('signature.json'),
      JSON.stringify({
        Signature: JSON.parse(good.toString()).Signature as string,
        SigningAlgorithm: 'ECDSA_SHA_384',
      }),
    );
    expect(await refusal(place.run(handoverVerify, verifyInput(), ADA))).toEqual([
      'E_HANDOVER_PROOF',
      1,
    ]);
    // An old challenge, signed properly.
    writeFileSync(at('old.json'), good);
    await again('release', '-2');
    const replay = { ...verifyInput('release', '-2'), answer: at('old.json') };
    expect(await refusal(place.run(handoverVerify, replay as never, ADA))).toEqual([
      'E_HANDOVER_PROOF',
      1,
    ]);
    // A challenge that was never made here.
    const foreign = challenge
      .toString()
      .replace(/"nonce":"[0-9a-f]{64}"/, `"nonce":"${'0'.repeat(64)}"`);
    const changed = Buffer.from(foreign);
    writeFileSync(at('release.challenge.json'), changed);
    expect((await refusal(place.run(handoverVerify, verifyInput(), ADA)))[0]).toBe(
      'E_CHALLENGE_FOREIGN',
    );
    expect(await state('release')).toBe('active');
    const destroy = place.run(
      keyDestroy,
      { key: 'release', yes: true, afterImport: at('signature.json') },
      PLAIN,
    );
    expect((await refusal(destroy))[1]).toBe(65);
    expect(await state('release')).toBe('active');
  });

  it('a secret key shows itself by a MAC, or by a ciphertext of the challenge', async () => {
    for (const [algorithm, name] of [
      ['hmac-sha256', 'mac'],
      ['aes-256', 'aes'],
    ] as const) {
      await handOver(algorithm, name);
      using key = await place.context(PLAIN).keys.open(name);
      const raw = key.secret.use((bytes) => Buffer.from(bytes));
      const challenge = readFileSync(at(`${name}.challenge.json`));
      const nonce = Buffer.alloc(12, 5);
      const cipher = createCipheriv('aes-256-gcm', raw, nonce);
      const good =
        name === 'mac'
          ? { Mac: createHmac('sha256', raw).update(challenge).digest('base64') }
          : {
              data: {
                ciphertext: `vault:v1:${Buffer.concat([nonce, cipher.update(challenge), cipher.final(), cipher.getAuthTag()]).toString('base64')}`,
              },
            };
      const bad =
        name === 'mac'
          ? { Mac: Buffer.alloc(32).toString('base64') }
          : {
              data: {
                ciphertext: `vault:v1:${Buffer.alloc(challenge.length + 28).toString('base64')}`,
              },
            };
      const input = {
        challenge: at(`${name}.challenge.json`),
        key: name,
        answer: at('answer.json'),
        out: at(`${name}.imported.dsse.json`),
      };
      writeFileSync(at('answer.json'), JSON.stringify(bad));
      expect(await refusal(place.run(handoverVerify, input as never, ADA))).toEqual([
        'E_HANDOVER_PROOF',
        1,
      ]);
      writeFileSync(at('answer.json'), JSON.stringify(good));
      const verified = await place.run(handoverVerify, input as never, ADA);
      expect(verified.proof).toBe(name === 'mac' ? 'mac' : 'ciphertext');
      await place.run(
        keyDestroy,
        { key: name, yes: true, afterImport: at(`${name}.imported.dsse.json`) },
        PLAIN,
      );
      expect(await state(name)).toBe('destroyed');
    }
  });
});

describe('a custodian without sight', () => {
  async function deposit(): Promise<void> {
    await place.run(keyGenerate, { algorithm: 'ed25519', name: 'release' }, PLAIN);
    await place.run(identityNew, { name: 'ben', out: at('ben.key') }, PLAIN);
    await place.run(keyGenerate, { algorithm: 'x-wing', name: 'vaultkey' }, PLAIN);
    await place.run(
      wrap,
      { key: 'release', to: ['vaultkey'], out: at('box'), statement: at('box.dsse.json') },
      ADA,
    );
  }

  it('keeps the container, proves that it is whole, and opens nothing', async () => {
    await deposit();
    const custodian = workplace();
    try {
      await place.run(identityNew, { name: 'ben2', out: at('ben2.key') }, PLAIN);
      const stored = await custodian.run(
        handoverStore,
        {
          in: at('box'),
          statement: at('box.dsse.json'),
          signer: [`${at('home')}/identities/${adaFile()}`],
        },
        PLAIN,
      );
      expect(stored).toMatchObject({ sender: 'ada', again: false });
      expect((await custodian.run(handoverStore, { in: at('box') }, PLAIN)).again).toBe(true);
      await place.run(handoverChallenge, { container: at('box'), out: at('ask.json') }, PLAIN);
      await custodian.run(
        handoverReceipt,
        { challenge: at('ask.json'), out: at('receipt.dsse.json') },
        { ...PLAIN, identity: at('ben.key') },
      );
      const input = {
        challenge: at('ask.json'),
        answer: at('receipt.dsse.json'),
        signer: [at('ben.key')],
        out: at('held.dsse.json'),
      };
      const verified = await place.run(handoverVerify, input as never, PLAIN);
      expect(verified).toMatchObject({ ok: true, asks: 'possession', by: 'ben' });
      // An old receipt for a new challenge.
      await place.run(handoverChallenge, { container: at('box'), out: at('ask2.json') }, PLAIN);
      const old = { ...input, challenge: at('ask2.json'), out: at('x.dsse.json') };
      expect(await refusal(place.run(handoverVerify, old as never, PLAIN))).toEqual([
        'E_HANDOVER_PROOF',
        1,
      ]);
      // Somebody else's receipt.
      const wrong = {
        ...input,
        challenge: at('ask2.json'),
        signer: [at('ben2.key')],
        out: at('x.dsse.json'),
      };
      expect((await refusal(place.run(handoverVerify, wrong as never, PLAIN)))[0]).toBe(
        'E_HANDOVER_SIGNATURE',
      );
      // A damaged container proves nothing.
      const bytes = readFileSync(at('box'));
      bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
      writeFileSync(at('damaged'), bytes);
      const damaged = custodian.run(
        handoverReceipt,
        { challenge: at('ask2.json'), in: at('damaged'), out: at('y.dsse.json') },
        { ...PLAIN, identity: at('ben.key') },
      );
      expect(await refusal(damaged)).toEqual(['E_HANDOVER_CONTAINER', 1]);
      // It cannot open what it keeps.
      const open = custodian.run(unwrap, { in: at('box') }, { ...PLAIN, identity: at('ben.key') });
      expect((await refusal(open))[1]).not.toBe(0);
    } finally {
      custodian.remove();
    }
  });

  it('refuses what is no container', async () => {
    await place.run(keyGenerate, { algorithm: 'ed25519', out: at('plain.key') }, PLAIN);
    expect(await refusal(place.run(handoverStore, { in: at('plain.key') }, PLAIN))).toEqual([
      'E_HANDOVER_CLEAR',
      77,
    ]);
    writeFileSync(at('empty'), '');
    expect((await refusal(place.run(handoverStore, { in: at('empty') }, PLAIN)))[1]).toBe(65);
  });

  function adaFile(): string {
    return place.context().identities === undefined ? '' : adaPub();
  }
  function adaPub(): string {
    const [name = ''] = listPub();
    return name;
  }
  function listPub(): readonly string[] {
    return place
      .context()
      .files.list(at('home/identities'))
      .filter((name) => name.endsWith('.pub'));
  }
});

describe('the statement of a container', () => {
  it('is checked by unwrap: sender, container, key', async () => {
    await place.run(keyGenerate, { algorithm: 'ed25519', name: 'release' }, PLAIN);
    await place.run(keyGenerate, { algorithm: 'x-wing', name: 'transport' }, PLAIN);
    const wrapTo = async (name: string): Promise<void> => {
      await place.run(
        wrap,
        { key: 'release', to: ['transport'], out: at(name), statement: at(`${name}.dsse.json`) },
        ADA,
      );
    };
    await wrapTo('a');
    await wrapTo('b');
    const open = async (container: string, statement: string, out: string): Promise<unknown> =>
      await place.run(
        unwrap,
        {
          key: 'transport',
          in: at(container),
          statement: at(`${statement}.dsse.json`),
          out: at(out),
        },
        PLAIN,
      );
    await expect(open('a', 'a', 'a.key')).resolves.toMatchObject({ sender: 'ada' });
    expect(await refusal(open('a', 'b', 'x.key'))).toEqual(['E_HANDOVER_STATEMENT', 1]);
    expect(existsSync(at('x.key'))).toBe(false);
  });

  it('a ceremony opens nothing without it', async () => {
    await place.run(keyGenerate, { algorithm: 'ed25519', name: 'release' }, PLAIN);
    await place.run(keyGenerate, { algorithm: 'x-wing', name: 'transport' }, PLAIN);
    await place.run(wrap, { key: 'release', to: ['transport'], out: at('a') }, PLAIN);
    const context = { ...place.context(PLAIN), inCeremony: true } as const;
    const opened = unwrap.run(
      { key: 'transport', in: at('a'), out: at('x.key'), signer: [] } as never,
      context,
    );
    expect(await refusal(opened)).toEqual(['E_UNWRAP_STATEMENT', 77]);
  });
});

describe('revoking a wrapping key', () => {
  it("a provider's: nothing is wrapped to it any more", async () => {
    await place.run(keyGenerate, { algorithm: 'ed25519', name: 'release' }, PLAIN);
    writeFileSync(at('aws.json'), awsParameters(farKey(3072)));
    const revoked = await place.run(
      handoverRevoke,
      { to: at('aws.json'), reason: 'old ticket', yes: true, out: at('revoked.dsse.json') },
      ADA,
    );
    expect(revoked.wrappingKey).toMatch(/^sha256:/);
    const wrapped = place.run(wrap, { key: 'release', to: [at('aws.json')], out: at('w') }, PLAIN);
    expect(await refusal(wrapped)).toEqual(['E_WRAPPING_KEY_REVOKED', 77]);
    expect(existsSync(at('w'))).toBe(false);
    const again = await place.run(
      handoverRevoke,
      { to: revoked.wrappingKey, reason: 'still', yes: true },
      PLAIN,
    );
    expect(again.again).toBe(true);
  });

  it('our own: it is destroyed, and opens nothing any more', async () => {
    await place.run(keyGenerate, { algorithm: 'ed25519', name: 'release' }, PLAIN);
    await place.run(keyGenerate, { algorithm: 'x-wing', name: 'transport' }, PLAIN);
    await place.run(
      keyExport,
      { key: 'transport', format: 'pkcs8-pem', out: at('copy.pem') },
      PLAIN,
    );
    await place.run(wrap, { key: 'release', to: ['transport'], out: at('a') }, PLAIN);
    await place.run(handoverRevoke, { to: 'transport', reason: 'laptop lost', yes: true }, PLAIN);
    expect(await state('transport')).toBe('destroyed');
    const open = (key: string): Promise<[string, number]> =>
      refusal(place.run(unwrap, { key, in: at('a'), out: at('x.key') }, PLAIN));
    expect((await open('transport'))[1]).toBe(77);
    // Not even with a copy of it from elsewhere.
    expect(await open(at('copy.pem'))).toEqual(['E_WRAPPING_KEY_REVOKED', 77]);
  });

  it('needs a yes', async () => {
    await place.run(keyGenerate, { algorithm: 'x-wing', name: 'transport' }, PLAIN);
    const unasked = place.run(handoverRevoke, { to: 'transport', reason: 'x' }, PLAIN);
    expect((await refusal(unasked))[1]).toBe(77);
    expect(await state('transport')).toBe('active');
  });
});

describe('the readers', () => {
  it('survive mutations', async () => {
    await handOver('p256');
    const challenge = readFileSync(at('release.challenge.json'));
    const outcome = await fuzz([challenge], (input) => decodeChallenge(input, 'x'));
    expect(outcome.refused).toBeGreaterThan(0.9 * mutationCount);
    await answer('release');
    await place.run(handoverVerify, verifyInput(), ADA);
    const receipt = readFileSync(at('imported.dsse.json'));
    const second = await fuzz([receipt], (input) => readHandover(KEY_IMPORTED, input, 'x'), {
      count: 0.3 * mutationCount,
    });
    expect(second.refused).toBeGreaterThan(0.1 * mutationCount);
  });
});
