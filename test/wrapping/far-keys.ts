/**
 * Wrapping keys of far sides for the tests of import formats. RSA keys take their time: that of 3072 bits is the one of the shipped
 * rehearsal, the others are made once.
 */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../support/require.js';

/** A far side's wrapping key. */
export interface FarKey {
  readonly bits: number;
  readonly spki: Uint8Array;
  readonly pem: string;
  readonly privatePem: string;
  readonly publicKey: KeyObject;
}

const made = new Map<number, FarKey>();

/** The wrapping key of this size. */
export function farKey(bits: 2048 | 3072 | 4096): FarKey {
  const known = made.get(bits);
  if (known !== undefined) return known;
  const { publicKey, privateKey } = bits === 3072 ? rehearsed() : pairOf(bits);
  const key: FarKey = {
    bits,
    spki: new Uint8Array(publicKey.export({ format: 'der', type: 'spki' })),
    pem: publicKey.export({ format: 'pem', type: 'spki' }) as string,
    privatePem: privateKey.export({ format: 'pem', type: 'pkcs8' }) as string,
    publicKey,
  };
  made.set(bits, key);
  return key;
}

interface Pair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

function pairOf(modulusLength: number): Pair {
  return generateKeyPairSync('rsa', { modulusLength });
}

function rehearsed(): Pair {
  const path = join(root, 'ceremonies/answers/cloud-import/far-side.pem');
  const privateKey = createPrivateKey(readFileSync(path));
  return { privateKey, publicKey: createPublicKey(privateKey) };
}
