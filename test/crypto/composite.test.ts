import { describe, expect, it } from 'vitest';
import type { SignatureImplementation } from '#crypto/descriptor';
import { sha512 } from '#crypto/hash';
import { resolve } from '#crypto/registry';
import { concat, utf8 } from '#formats/bytes';
import { seededSource } from '../formats/mutate.js';

const random = seededSource(41);
const load = async (name: string, profile?: string): Promise<SignatureImplementation> =>
  (await (await resolve(name, profile)).load()) as SignatureImplementation;
const ed = await load('ed25519');
const pq = await load('ml-dsa-65');
const composite = await load('ed25519+ml-dsa-65', 'composite');
const ratify = await load('ed25519+ml-dsa-65', 'ratify-v1');
const secret = random(64);
const [edKey, pqKey] = [ed.publicKey(secret.subarray(0, 32)), pq.publicKey(secret.subarray(32))];
const message = utf8('a message');

describe('the composite profile', () => {
  it('is its halves over the representative of the draft, ML-DSA first', () => {
    const label = utf8('COMPSIG-MLDSA65-Ed25519-SHA512');
    const context = utf8('ctx');
    const representative = concat(
      utf8('CompositeAlgorithmSignatures2025'),
      label,
      Uint8Array.of(3),
      context,
      sha512(message),
    );
    const signature = composite.sign(message, secret, { context });
    expect(composite.publicKey(secret)).toEqual(concat(pqKey, edKey));
    expect(pq.verify(signature.subarray(0, 3309), representative, pqKey, { context: label })).toBe(
      true,
    );
    expect(ed.verify(signature.subarray(3309), representative, edKey)).toBe(true);
  });
});

describe('the ratify-v1 profile', () => {
  it('is its halves over the message itself, Ed25519 first', () => {
    const signature = ratify.sign(message, secret);
    expect(ratify.publicKey(secret)).toEqual(concat(edKey, pqKey));
    expect(ed.verify(signature.subarray(0, 64), message, edKey)).toBe(true);
    expect(pq.verify(signature.subarray(64), message, pqKey)).toBe(true);
  });
});

describe.each([
  ['composite', composite, [0, 3309]],
  ['ratify-v1', ratify, [64, 3373]],
] as const)('under %s', (_, hybrid, [start, end]) => {
  const publicKey = hybrid.publicKey(secret);
  const signature = hybrid.sign(message, secret);

  it('one half alone is never enough', () => {
    const strangers = hybrid.sign(message, random(64));
    const foreignPq = new Uint8Array(signature);
    foreignPq.set(strangers.subarray(start, end), start);
    const foreignEd = new Uint8Array(strangers);
    foreignEd.set(signature.subarray(start, end), start);
    expect(hybrid.verify(foreignPq, message, publicKey)).toBe(false);
    expect(hybrid.verify(foreignEd, message, publicKey)).toBe(false);
  });

  it('a signature of the other profile does not verify', () => {
    const other = hybrid === composite ? ratify : composite;
    const theirs = other.sign(message, secret);
    expect(hybrid.verify(theirs, message, publicKey)).toBe(false);
    const swapped = concat(theirs.subarray(end - start), theirs.subarray(0, end - start));
    expect(hybrid.verify(swapped, message, publicKey)).toBe(false);
  });
});
