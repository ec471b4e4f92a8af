/**
 * Every parameter set of SLH-DSA with the OpenSSL of a newer Node: it computes the same public key, verifies what we sign, and we
 * verify what it signs. The only signatures of the slow sets in the whole suite are made here: each takes seconds.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Descriptor, SignatureImplementation } from '#crypto/descriptor';
import { decodePkcs8, encodePkcs8 } from '#crypto/encodings/pkcs8';
import { decodeSpki, encodeSpki } from '#crypto/encodings/spki';
import { allDescriptors } from '#crypto/registry';
import { utf8 } from '#formats/bytes';
import { seededSource } from '../formats/mutate.js';
import { needs, thorough } from '../support/require.js';

const random = seededSource(59);
const message = utf8('signed on one side, verified on the other');
const sets = (await allDescriptors()).filter(({ name }) => name.startsWith('slh-dsa-'));
/** The fastest and one more where not everything is tried. */
const tried = sets.filter(({ slow, bits }) => thorough || (slow !== true && bits === 128));

const SCRIPT = `
import * as crypto from 'node:crypto';
const [key, spki, ours, message] = JSON.parse(process.argv[1]).map((each) => Buffer.from(each, 'base64'));
const priv = crypto.createPrivateKey({ key, format: 'der', type: 'pkcs8' });
const pub = crypto.createPublicKey({ key: spki, format: 'der', type: 'spki' });
const same = crypto.createPublicKey(priv).export({ format: 'der', type: 'spki' }).equals(spki);
const made = crypto.generateKeyPairSync(pub.asymmetricKeyType).privateKey;
console.log(JSON.stringify([
  same && crypto.verify(null, message, pub, ours),
  crypto.verify(null, Buffer.from('another'), pub, ours),
  crypto.sign(null, message, priv).toString('base64'),
  made.export({ format: 'der', type: 'pkcs8' }).toString('base64'),
]));`;

type Answer = readonly [good: boolean, other: boolean, signature: string, pkcs8: string];

function ask(peer: string, ...given: readonly Uint8Array[]): Answer {
  const json = JSON.stringify(given.map((bytes) => Buffer.from(bytes).toString('base64')));
  const run = spawnSync(peer, ['--input-type=module', '-e', SCRIPT, json], { encoding: 'utf8' });
  return JSON.parse(run.stdout || run.stderr) as Answer;
}

const peer = process.env['CONCLAVE_PEER_NODE'] ?? '';
const why = 'set CONCLAVE_PEER_NODE to a node of version 24.7 or later';

describe.skipIf(!needs('a newer Node as peer', existsSync(peer), why))('a newer Node', () => {
  it('is asked about all twelve sets', () => {
    expect(sets.length).toBe(12);
  });

  it.each(tried.map((each) => [each.name, each] as const))(
    'and we use the same %s keys',
    { timeout: 600_000 },
    async (_, descriptor: Descriptor) => {
      const is = (await descriptor.load()) as SignatureImplementation;
      const secret = random(descriptor.sizes.private);
      using signer = is.ready?.(secret);
      if (signer === undefined) throw new Error('a tree that is not computed once');
      const { publicKey } = signer;
      const ours = signer.sign(message);
      expect(ours.length).toBe(descriptor.sizes.signature);
      expect(is.verify(ours, message, publicKey)).toBe(true);
      expect(is.verify(ours, utf8('another'), publicKey)).toBe(false);
      const pkcs8 = encodePkcs8(descriptor, secret, publicKey);
      const spki = encodeSpki(descriptor, publicKey);
      expect(await decodePkcs8(pkcs8, 'key')).toMatchObject({ descriptor, secret });
      expect(await decodeSpki(spki, 'key')).toEqual({ descriptor, publicKey });
      const [good, other, signature, made] = ask(peer, pkcs8, spki, ours, message);
      expect([good, other]).toEqual([true, false]);
      const theirs = new Uint8Array(Buffer.from(signature, 'base64'));
      expect(is.verify(theirs, message, publicKey)).toBe(true);
      expect(is.verify(theirs, utf8('another'), publicKey)).toBe(false);
      // A key of its own making is read, and found to be whole where that takes no seconds.
      if (descriptor.slow === true) return;
      const read = await decodePkcs8(new Uint8Array(Buffer.from(made, 'base64')), 'key');
      expect(read.descriptor).toBe(descriptor);
    },
  );
});
