/**
 * Every provider from its own document to the destroyed local copy, with a far side that is a program of its own: it hands out a
 * wrapping key in the provider's words, imports what comes back as its documentation says, and answers the challenge.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { handoverChallenge } from '#actions/handover-challenge';
import { handoverVerify } from '#actions/handover-verify';
import { identityNew } from '#actions/identity-new';
import { keyDestroy } from '#actions/key-destroy';
import { keyGenerate } from '#actions/key-generate';
import { wrap } from '#actions/wrap';
import { type Workplace, workplace } from '../support/home.js';
import { root, thorough } from '../support/require.js';
import { farKey } from '../wrapping/far-keys.js';
import { ADA, PLAIN, refusal } from './desk.js';

let place: Workplace;
beforeEach(async () => {
  place = workplace();
  await place.run(identityNew, { name: 'ada' }, PLAIN);
  writeFileSync(place.at('far.pem'), farKey(3072).privatePem);
});
afterEach(() => {
  place.remove();
});

function farSide(...args: readonly string[]): void {
  const program = join(root, 'test/far-side/provider.mjs');
  const ended = spawnSync(process.execPath, [program, ...args], {
    cwd: place.folder,
    encoding: 'utf8',
  });
  expect(ended.status, ended.stderr).toBe(0);
}

interface Case {
  readonly provider: string;
  readonly format: string;
  readonly algorithm: string;
  readonly as?: 'hmac' | 'aes';
  /** What the next command begins with. */
  readonly next: RegExp;
}

const aws = {
  provider: 'aws',
  format: 'aws-kms',
  next: /aws kms import-key-material --key-id arn/,
};
const google = {
  provider: 'google',
  format: 'gcp-kms',
  next: /gcloud kms keys versions import --project acme --location europe-west3 --keyring ring .*--import-job job-1/,
};
const azure = {
  provider: 'azure',
  format: 'azure-byok',
  next: /az keyvault key import --vault-name acme .*--byok-file/,
};
const vault = {
  provider: 'vault',
  format: 'vault',
  next: /vault write transit\/keys\/NAME\/import @/,
};

const first: readonly Case[] = [
  { ...aws, algorithm: 'p256' },
  { ...google, algorithm: 'p256' },
  { ...azure, algorithm: 'p256' },
  { ...vault, algorithm: 'p256' },
  { ...vault, algorithm: 'aes-256', as: 'aes' },
];
const further: readonly Case[] = [
  { ...aws, algorithm: 'secp256k1' },
  { ...aws, algorithm: 'hmac-sha256', as: 'hmac' },
  { ...google, algorithm: 'ed25519' },
  { ...google, algorithm: 'hmac-sha256', as: 'hmac' },
  { ...azure, algorithm: 'secp256k1' },
  { ...azure, algorithm: 'rsa-2048' },
  { ...vault, algorithm: 'ed25519' },
  { ...vault, algorithm: 'rsa-2048' },
  { ...vault, algorithm: 'hmac-sha256', as: 'hmac' },
];

const at = (name: string): string => place.at(name);

/** Wrapped to what the provider handed out, and asked for. */
async function handedOver({ provider, format, algorithm, next }: Case): Promise<void> {
  await place.run(keyGenerate, { algorithm, name: 'release' }, PLAIN);
  farSide('offer', provider, '--key', 'far.pem', '--out', 'offer.json');
  const wrapped = await place.run(
    wrap,
    { key: 'release', to: [at('offer.json')], out: at('w') },
    PLAIN,
  );
  expect(wrapped.format).toBe(format);
  expect(wrapped.next.join('\n')).toMatch(next);
  expect(wrapped.notes.join('\n')).toContain('format-checked, not vendor-accepted');
  // The members that make the wrapping key were looked at.
  expect(wrapped.notes.join('\n')).not.toMatch(/not looked at:.*(?:kid|\.n|\.pem|public_key)/);
  const challenge = { key: 'release', container: at('w'), out: at('challenge.json') };
  await place.run(handoverChallenge, challenge, PLAIN);
}

function imported({ provider, as }: Case, ...more: readonly string[]): void {
  farSide(
    ...['import', provider, '--key', 'far.pem', '--container', 'w'],
    ...['--challenge', 'challenge.json', '--out', 'answers'],
    ...(provider === 'aws' ? ['--token', 'w.token'] : []),
    ...(as === undefined ? [] : ['--as', as]),
    ...more,
  );
}

const verifyInput = (isSecret: boolean): Record<string, unknown> => ({
  challenge: at('challenge.json'),
  key: 'release',
  ...(isSecret ? {} : { public: at('answers/public-key.json') }),
  answer: at(isSecret ? 'answers/answer.json' : 'answers/signature.json'),
  out: at('imported.dsse.json'),
});

describe('a hand-over to a provider, from its document to the end', () => {
  it.each(thorough ? [...first, ...further] : first)('$provider: $algorithm', async (it) => {
    await handedOver(it);
    imported(it);
    const verified = await place.run(handoverVerify, verifyInput(it.as !== undefined), ADA);
    const kinds = { hmac: 'mac', aes: 'ciphertext' } as const;
    expect(verified.proof).toBe(it.as === undefined ? 'signature' : kinds[it.as]);
    const destroyed = await place.run(
      keyDestroy,
      { key: 'release', yes: true, afterImport: at('imported.dsse.json') },
      PLAIN,
    );
    expect(destroyed.state).toBe('destroyed');
  });

  // AWS lies in the ceremony's own test.
  it.each(thorough ? first.slice(0, 4) : first.slice(1, 2))(
    '$provider: a lie is found out',
    async (it) => {
      await handedOver(it);
      for (const lie of ['other-key', 'old-challenge', 'wrong-hash']) {
        imported(it, '--lie', lie);
        const [code, exitCode] = await refusal(place.run(handoverVerify, verifyInput(false), ADA));
        expect([lie, code, exitCode]).toEqual([
          ...[lie, lie === 'other-key' ? 'E_HANDOVER_KEY' : 'E_HANDOVER_PROOF', 1],
        ]);
      }
      expect(existsSync(at('imported.dsse.json'))).toBe(false);
    },
  );

  it('JSON of something else is told from a wrapping key, with what to bring', async () => {
    await place.run(keyGenerate, { algorithm: 'p256', name: 'release' }, PLAIN);
    writeFileSync(at('wrong.json'), '{"Keys": []}');
    const input = { key: 'release', to: [at('wrong.json')], out: at('w') };
    await expect(place.run(wrap, input, PLAIN)).rejects.toMatchObject({
      code: 'E_PROVIDER_DOCUMENT',
      exitCode: 65,
      hint: expect.stringContaining('get-parameters-for-import') as string,
    });
    await expect(place.run(wrap, { ...input, format: 'gcp-kms' }, PLAIN)).rejects.toMatchObject({
      code: 'E_PROVIDER_DOCUMENT',
      message: expect.stringContaining('is not what Google Cloud KMS hands out') as string,
    });
  });
});
