/** Bytes of the right length that are no public key, in every form that conclave reads: they are refused by name. */
import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { resolvePublicKey } from '#actions/context/public-keys';
import type { Descriptor } from '#crypto/descriptor';
import { encodeCosePublic } from '#crypto/encodings/cose-key';
import { encodeJwkPublic } from '#crypto/encodings/jwk';
import { encodeSpki } from '#crypto/encodings/spki';
import { encodeSshPublic } from '#crypto/encodings/ssh';
import { allDescriptors, resolve } from '#crypto/registry';
import { fromHex } from '#formats/bytes';
import { seededSource } from '../formats/mutate.js';
import { type Workplace, workplace } from '../support/home.js';

const random = seededSource(77);
let place: Workplace;
beforeAll(() => {
  place = workplace();
});
afterAll(() => {
  place.remove();
});

/** What the reader says of a public key written in each form that its algorithm has. */
async function verdicts(descriptor: Descriptor, publicKey: Uint8Array): Promise<readonly string[]> {
  const { name, profile, oid, jose, cose, ssh } = descriptor;
  const forms: [string, (() => Uint8Array) | undefined][] = [
    ['raw', () => publicKey],
    ['spki', oid === undefined ? undefined : () => encodeSpki(descriptor, publicKey)],
    ['jwk', jose === undefined ? undefined : () => encodeJwkPublic(descriptor, publicKey)],
    ['cose', cose === undefined ? undefined : () => encodeCosePublic(descriptor, publicKey)],
    ['ssh', ssh === undefined ? undefined : () => encodeSshPublic(descriptor, publicKey)],
  ];
  const found: string[] = [];
  for (const [form, write] of forms) {
    if (write === undefined || (form === 'raw' && profile === 'ratify-v1')) continue;
    const file = place.at(`${name}.${form}`);
    writeFileSync(file, write());
    const reference = form === 'raw' ? `${name}:${file}` : file;
    const outcome = await resolvePublicKey(reference, 'kem', place.context()).then(
      () => 'read',
      (error: unknown) => {
        expect(error).toMatchObject({ exitCode: 65 });
        expect((error as Error).message).toContain(file);
        return (error as { code: string }).code;
      },
    );
    found.push(`${form} ${outcome}`);
  }
  return found;
}

const refusedAll = (found: readonly string[]): void => {
  expect(found.length).toBeGreaterThan(0);
  for (const each of found) expect(each).toMatch(/ E_KEY_(?:INVALID|FORM)$/);
};

/** A public key with some of its bytes replaced; 0xff… is beyond every modulus. */
const beyond = (key: Uint8Array, from: number, to = key.length): Uint8Array =>
  Uint8Array.from(key, (byte, i) => (i >= from && i < to ? 0xff : byte));

const CURVES = ['p256', 'p384', 'p521', 'secp256k1', 'sm2'];

describe.each(CURVES)('%s', (name) => {
  it('refuses points off the curve, coordinates beyond the field, and infinity', async () => {
    const descriptor = await resolve(name);
    const is = await descriptor.load();
    if (is.kind !== 'signature') throw new Error('a curve that signs');
    const good = is.publicKey(await is.generate(random));
    for (const each of await verdicts(descriptor, good)) expect(each).toMatch(/ read$/);
    const half = (good.length - 1) / 2;
    const off = good.slice();
    off[off.length - 1] = (off.at(-1) as number) ^ 1;
    const zero = Uint8Array.of(4, ...new Uint8Array(2 * half));
    for (const bad of [off, zero, beyond(good, 1, 1 + half), beyond(good, 1 + half)])
      refusedAll(await verdicts(descriptor, bad));
    // SEC 1 §2.3.3: infinity is one zero byte, which has another length; padded, it has another first byte.
    refusedAll(await verdicts(descriptor, new Uint8Array(good.length)));
  });
});

describe.each([
  // RFC 8032 §5.1: the neutral element, a point of order 2, one of order 8, y beyond the field, and a y without an x.
  ['ed25519', `01${'00'.repeat(31)}`],
  ['ed25519', `ec${'ff'.repeat(30)}7f`],
  ['ed25519', '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05'],
  ['ed25519', `ee${'ff'.repeat(30)}7f`],
  ['ed25519', `02${'00'.repeat(31)}`],
  // RFC 8032 §5.2.
  ['ed448', `01${'00'.repeat(56)}`],
  ['ed448', `${'fe'}${'ff'.repeat(27)}${'fe'}${'ff'.repeat(27)}00`],
  ['ed448', `${'ff'.repeat(56)}00`],
  // RFC 7748 §6: points of small order.
  ['x25519', '00'.repeat(32)],
  ['x25519', `01${'00'.repeat(31)}`],
  ['x25519', 'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800'],
  ['x448', '00'.repeat(56)],
  ['x448', `01${'00'.repeat(55)}`],
  // BIP 340: no x of a point, and one beyond the field; RFC 9591 §6.
  ['bip340', 'eefdea4cdb677750a420fee807eacf21eb9898ae79b9768766e4faa04a2d4a34'],
  ['bip340', 'fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc30'],
  ['schnorr-p256', `02${'ff'.repeat(32)}`],
  ['schnorr-secp256k1', `04${'00'.repeat(32)}`],
  ['schnorr-ristretto255', '00'.repeat(32)],
  ['schnorr-ristretto255', 'ff'.repeat(32)],
  // Infinity, a point outside the subgroup, and no point at all (draft-irtf-cfrg-bls-signature §2.5).
  ['bls12-381', `c0${'00'.repeat(47)}`],
  ['bls12-381', `80${'00'.repeat(46)}04`],
  ['bls12-381', 'ff'.repeat(48)],
])('%s', (name, hex) => {
  it(`refuses ${hex.slice(0, 8)}…${hex.slice(-4)}`, async () => {
    refusedAll(await verdicts(await resolve(name), fromHex(hex)));
  });
});

it('refuses what a KEM could not encapsulate to, in either half of a hybrid', async () => {
  const kems = (await allDescriptors()).filter(({ kind }) => kind === 'kem');
  for (const descriptor of kems) {
    const is = await descriptor.load();
    if (is.kind !== 'kem') throw new Error('a KEM');
    const good = is.publicKey(await is.generate(random));
    for (const each of await verdicts(descriptor, good)) expect(each).toMatch(/ read$/);
    // FIPS 203 §7.2: a coefficient of the modulus or more.
    refusedAll(await verdicts(descriptor, beyond(good, 0, 3)));
    if (descriptor.name.includes('p384'))
      refusedAll(await verdicts(descriptor, beyond(good, 1600)));
  }
});

it('refuses a hybrid signature key whose curve half is none', async () => {
  const hybrids = (await allDescriptors()).filter(({ profile }) => profile === 'composite');
  for (const descriptor of hybrids) {
    const is = await descriptor.load();
    if (is.kind !== 'signature') throw new Error('a signature');
    const good = is.publicKey(await is.generate(random));
    for (const each of await verdicts(descriptor, good)) expect(each).toMatch(/ read$/);
    // The curve half stands last in a composite.
    refusedAll(await verdicts(descriptor, beyond(good, good.length - 32)));
  }
});
