/** Wrapping keys of far sides for the tests of import formats: made once, since RSA keys take their time. */
import { generateKeyPairSync, type KeyObject } from 'node:crypto';

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
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: bits });
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
