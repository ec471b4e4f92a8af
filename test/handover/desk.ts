/** A hand-over as it goes, step by step: what the tests of this folder share. The far side is played with the key itself. */
import { createPrivateKey, type KeyObject, sign as nodeSign } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { handoverChallenge } from '#actions/handover-challenge';
import { keyExport } from '#actions/key-export';
import { keyGenerate } from '#actions/key-generate';
import { keyPublic } from '#actions/key-public';
import { wrap } from '#actions/wrap';
import { ConclaveError } from '#formats/errors';
import type { RunOptions, Workplace } from '../support/home.js';
import { farKey } from '../wrapping/far-keys.js';
import { awsParameters } from '../wrapping/offers.js';

export const PLAIN: RunOptions = { noPassphrase: true };
export const ADA: RunOptions = { noPassphrase: true, identity: 'ada' };

/** Code and exit code of a refusal; `nothing` when there was none. */
export async function refusal(work: Promise<unknown>): Promise<[string, number]> {
  try {
    await work;
  } catch (error) {
    if (error instanceof ConclaveError) return [error.code, error.exitCode];
    throw error;
  }
  return ['nothing', 0];
}

/** The steps of a hand-over at a place. */
export interface Desk {
  /** A new key of the store, wrapped for AWS, with a challenge. */
  handOver(algorithm: string, name?: string): Promise<void>;
  /** The same key, wrapped and asked for once more. */
  again(name: string, suffix?: string): Promise<void>;
  /** The key as the far side has it now. */
  farSide(name: string): Promise<KeyObject>;
  /** The far side shows its public key and signs the challenge. */
  answer(name: string, suffix?: string): Promise<void>;
  /** What `handover verify` is given then. */
  verifyInput(name?: string, suffix?: string, out?: string): Record<string, unknown>;
}

/** @param current - the place of the test under way */
export function deskAt(current: () => Workplace): Desk {
  const at = (name: string): string => current().at(name);

  async function again(name: string, suffix = ''): Promise<void> {
    const place = current();
    writeFileSync(at('aws.json'), awsParameters(farKey(3072)));
    const container = at(`${name}${suffix}.wrapped`);
    const statement = at(`${name}${suffix}.dsse.json`);
    await place.run(wrap, { key: name, to: [at('aws.json')], out: container, statement }, ADA);
    const out = at(`${name}${suffix}.challenge.json`);
    await place.run(handoverChallenge, { key: name, container, statement, out }, PLAIN);
  }

  async function farSide(name: string): Promise<KeyObject> {
    const out = at(`${name}.pem`);
    const how = { ...PLAIN, force: true };
    await current().run(keyExport, { key: name, format: 'pkcs8-pem', out }, how);
    return createPrivateKey(readFileSync(out));
  }

  return {
    handOver: async (algorithm, name = 'release') => {
      await current().run(keyGenerate, { algorithm, name }, PLAIN);
      await again(name);
    },
    again,
    farSide,
    answer: async (name, suffix = '') => {
      const key = await farSide(name);
      const challenge = readFileSync(at(`${name}${suffix}.challenge.json`));
      const isEc = key.asymmetricKeyType === 'ec';
      const signature = nodeSign(isEc ? 'sha256' : null, challenge, key);
      const out = at(`${name}.spki`);
      const how = { ...PLAIN, force: true };
      await current().run(keyPublic, { key: name, format: 'spki-der', out }, how);
      writeFileSync(
        at('public-key.json'),
        JSON.stringify({
          KeyId: 'arn',
          PublicKey: readFileSync(out).toString('base64'),
          KeyUsage: 'SIGN_VERIFY',
        }),
      );
      writeFileSync(
        at(`signature${suffix}.json`),
        JSON.stringify({
          KeyId: 'arn',
          Signature: signature.toString('base64'),
          SigningAlgorithm: isEc ? 'ECDSA_SHA_256' : 'ED25519_SHA_512',
        }),
      );
    },
    verifyInput: (name = 'release', suffix = '', out = `imported${suffix}.dsse.json`) => ({
      challenge: at(`${name}${suffix}.challenge.json`),
      key: name,
      public: at('public-key.json'),
      answer: at(`signature${suffix}.json`),
      out: at(out),
    }),
  };
}
