import { describe, expect, it } from 'vitest';
import {
  der,
  derBitString,
  derOctetString,
  derOid,
  derSequence,
  derSmallInteger,
  TAG,
} from '#crypto/der';
import type {
  Descriptor,
  Implementation,
  KemImplementation,
  SignatureImplementation,
} from '#crypto/descriptor';
import { decodePkcs8, encodePkcs8, parsePkcs8 } from '#crypto/encodings/pkcs8';
import { decodeSpki, encodeSpki } from '#crypto/encodings/spki';
import { allDescriptors, resolve } from '#crypto/registry';
import { concat, fromHex, toHex, utf8 } from '#formats/bytes';
import { decodePem, encodePem } from '#formats/pem';
import { fuzz, seededSource } from '../formats/mutate.js';
import { mutationCount } from '../support/require.js';

type Loaded = SignatureImplementation | KemImplementation;
const random = seededSource(11);
const info = (descriptor: Descriptor, key: Uint8Array, ...more: Uint8Array[]): Uint8Array =>
  derSequence(
    derSmallInteger(more.length > 0 ? 1 : 0),
    derSequence(derOid(descriptor.oid ?? '')),
    derOctetString(key),
    ...more,
  );

describe('PKCS#8 as written', () => {
  it.each([
    ['ed25519', '302e020100300506032b657004220420', 48],
    ['ml-dsa-44', '3034020100300b060960864801650304031104228020', 54],
    ['ml-dsa-65', '3034020100300b060960864801650304031204228020', 54],
    ['ml-dsa-87', '3034020100300b060960864801650304031304228020', 54],
    ['ml-kem-512', '3054020100300b060960864801650304040104428040', 86],
    ['ml-kem-768', '3054020100300b060960864801650304040204428040', 86],
    ['ml-kem-1024', '3054020100300b060960864801650304040304428040', 86],
    ['x-wing', '3034020100300d060b2b0601040183e62d81c87a0420', 54],
    ['ed25519+ml-dsa-65', '3051020100300a06082b060105050706300440', 83],
  ])('of %s is byte for byte the standard’s', async (name, head, total) => {
    const descriptor = await resolve(name);
    const secret = random(descriptor.sizes.private);
    const encoded = encodePkcs8(descriptor, secret);
    expect(toHex(encoded).slice(0, head.length)).toBe(head);
    expect(encoded.length).toBe(total);
    expect(encoded.length).toBe(head.length / 2 + secret.length);
  });

  it('puts the ML-DSA seed of a composite first', async () => {
    const descriptor = await resolve('ed25519+ml-dsa-65');
    const secret = concat(new Uint8Array(32).fill(0xed), new Uint8Array(32).fill(0xd5));
    expect(toHex(encodePkcs8(descriptor, secret)).endsWith('d5'.repeat(32) + 'ed'.repeat(32))).toBe(
      true,
    );
  });
});

describe('SPKI as written', () => {
  it.each([
    ['ed25519', 44],
    ['ml-dsa-44', 1334],
    ['ml-dsa-65', 1974],
    ['ml-dsa-87', 2614],
    ['ml-kem-512', 822],
    ['ml-kem-768', 1206],
    ['ml-kem-1024', 1590],
  ])('of %s has the standard’s length', async (name, total) => {
    const descriptor = await resolve(name);
    expect(encodeSpki(descriptor, new Uint8Array(descriptor.sizes.public)).length).toBe(total);
  });
});

describe.each(['ml-dsa-44', 'ml-dsa-65', 'ml-dsa-87', 'ml-kem-512', 'ml-kem-768', 'ml-kem-1024'])(
  'PKCS#8 of %s as read',
  (name) => {
    it('knows the three forms', async () => {
      const descriptor = await resolve(name);
      const is = (await descriptor.load()) as Loaded;
      const seed = random(descriptor.sizes.private);
      const expanded = is.expanded?.from(seed) as Uint8Array;
      const both = derSequence(derOctetString(seed), derOctetString(expanded));
      const one = await parsePkcs8(info(descriptor, der(TAG.context(0), seed)), 'x');
      expect(one).toMatchObject({ form: 'seed', secret: seed });
      expect(await parsePkcs8(info(descriptor, both), 'x')).toMatchObject({
        form: 'both',
        secret: seed,
      });
      expect(await decodePkcs8(info(descriptor, both), 'x')).toEqual({ descriptor, secret: seed });
      const alone = info(descriptor, derOctetString(expanded));
      expect(await parsePkcs8(alone, 'x')).toMatchObject({ form: 'expanded', expanded });
      await expect(decodePkcs8(alone, 'key.pem')).rejects.toMatchObject({
        code: 'E_KEY_WITHOUT_SEED',
        exitCode: 65,
        message: `key.pem holds an expanded ${name} key without its seed`,
      });
    });

    it('refuses what does not belong together, and forms that no standard knows', async () => {
      const descriptor = await resolve(name);
      const is = (await descriptor.load()) as Loaded;
      const seed = random(descriptor.sizes.private);
      const other = is.expanded?.from(random(descriptor.sizes.private)) as Uint8Array;
      const foreign = derSequence(derOctetString(seed), derOctetString(other));
      const code = (key: Uint8Array): Promise<unknown> =>
        parsePkcs8(info(descriptor, key), 'x').catch(
          (error: unknown) => (error as { code: string }).code,
        );
      expect(await code(foreign)).toBe('E_KEY_INCONSISTENT');
      expect(await code(derOctetString(seed))).toBe('E_KEY_FORM');
      expect(await code(seed)).toBe('E_DER_MALFORMED');
      expect(await code(der(TAG.context(0), seed.subarray(1)))).toBe('E_LENGTH_WRONG');
      expect(await code(derOctetString(other.subarray(1)))).toBe('E_LENGTH_WRONG');
      expect(await code(derSequence(derOctetString(seed)))).toBe('E_DER_MALFORMED');
      expect(await code(concat(der(TAG.context(0), seed), Uint8Array.of(0)))).toBe(
        'E_DER_MALFORMED',
      );
      const swapped = derSequence(derOctetString(other), derOctetString(seed));
      expect(await code(swapped)).toBe('E_LENGTH_WRONG');
    });
  },
);

describe('PKCS#8 around the key', () => {
  it('may hold the public key, if it belongs to the private one', async () => {
    // RFC 8410 §10.3, without its attributes.
    const descriptor = await resolve('ed25519');
    const seed = fromHex('d4ee72dbf913584ad5b6d8f1f769f8ad3afe7c28cbf1d4fbe097a88f44755842');
    const publicKey = fromHex('19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1');
    const withPublic = (key: Uint8Array): Uint8Array =>
      info(descriptor, derOctetString(seed), der(TAG.context(1), Uint8Array.of(0), key));
    expect(await decodePkcs8(withPublic(publicKey), 'x')).toEqual({ descriptor, secret: seed });
    await expect(decodePkcs8(withPublic(new Uint8Array(32)), 'x')).rejects.toMatchObject({
      code: 'E_KEY_INCONSISTENT',
    });
  });

  it('refuses parameters, attributes, other versions and unknown algorithms', async () => {
    const descriptor = await resolve('ed25519');
    const oid = derOid(descriptor.oid ?? '');
    const key = derOctetString(derOctetString(random(32)));
    const code = (...parts: Uint8Array[]): Promise<unknown> =>
      parsePkcs8(derSequence(...parts), 'x').catch(
        (error: unknown) => (error as { code: string }).code,
      );
    const zero = derSmallInteger(0);
    const nothing = der(TAG.null);
    expect(await code(zero, derSequence(oid, nothing), key)).toBe('E_DER_MALFORMED');
    expect(await code(zero, derSequence(oid), key, der(0xa0))).toBe('E_DER_MALFORMED');
    expect(await code(derSmallInteger(2), derSequence(oid), key)).toBe('E_DER_MALFORMED');
    const rsa = derSequence(derOid('1.2.840.10040.4.1'), nothing);
    expect(await code(zero, rsa, key)).toBe('E_ALGORITHM_UNSUPPORTED');
    const spki = derSequence(rsa, derBitString(random(32)));
    await expect(decodeSpki(spki, 'x')).rejects.toMatchObject({ code: 'E_ALGORITHM_UNSUPPORTED' });
    await expect(decodeSpki(new Uint8Array(70_000), 'x')).rejects.toMatchObject({
      code: 'E_KEY_TOO_LARGE',
    });
    await expect(parsePkcs8(new Uint8Array(70_000), 'x')).rejects.toMatchObject({
      code: 'E_KEY_TOO_LARGE',
    });
  });
});

describe('mutations', () => {
  it('of PKCS#8 are read or refused', async () => {
    const valid: Uint8Array[] = [];
    for (const descriptor of await allDescriptors()) {
      // Reading SLH-DSA recomputes a tree, RSA is one form in three sizes: each has a test of its own below.
      const { oid, pkcs8, ownEntropy } = descriptor;
      if (oid === undefined || pkcs8 === 'with-public' || ownEntropy === true) continue;
      const is = (await descriptor.load()) as Loaded & Pick<Implementation, 'generate'>;
      const secret = await is.generate(random);
      valid.push(encodePkcs8(descriptor, secret, is.publicKey(secret)));
      // The long forms cost a key generation each; the small sets stand for all.
      if (descriptor.name !== 'ml-dsa-44' && descriptor.name !== 'ml-kem-512') continue;
      const expanded = is.expanded?.from(secret) as Uint8Array;
      valid.push(info(descriptor, derOctetString(expanded)));
      valid.push(info(descriptor, derSequence(derOctetString(secret), derOctetString(expanded))));
    }
    const outcome = await fuzz(valid, (input) => decodePkcs8(input, 'fuzzed'));
    expect(outcome.refused).toBeGreaterThan(0.3 * mutationCount);
  });

  it('of an RSA key are read or refused, and never read as another key', async () => {
    const descriptor = await resolve('rsa-2048');
    const is = (await descriptor.load()) as SignatureImplementation &
      Pick<Implementation, 'generate'>;
    const secret = await is.generate(random);
    const der = encodePkcs8(descriptor, secret);
    let refused = 0;
    for (let i = 0; i < 400; i++) {
      const changed = der.slice();
      const at = (i * 2_654_435_761) % changed.length;
      changed[at] = (changed[at] as number) ^ (1 << (i & 7));
      try {
        expect((await decodePkcs8(changed, 'fuzzed')).secret).toEqual(secret);
      } catch (error) {
        expect(error).toMatchObject({ exitCode: 65 });
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(390);
  });

  it('of an SLH-DSA key are refused when its root is not that of its seeds', async () => {
    const descriptor = await resolve('slh-dsa-sha2-128f');
    const is = (await descriptor.load()) as SignatureImplementation;
    const secret = random(descriptor.sizes.private);
    const der = encodePkcs8(descriptor, secret, is.publicKey(secret));
    expect(() => encodePkcs8(descriptor, secret)).toThrow(
      expect.objectContaining({ code: 'E_PUBLIC_KEY_NEEDED' }) as Error,
    );
    for (const at of [1, 17, 40, 64]) {
      const changed = der.slice();
      const byte = changed.length - at;
      changed[byte] = (changed[byte] as number) ^ 1;
      const read = decodePkcs8(changed, 'x');
      // SK.prf takes no part in the public key: any is right.
      if (at === 40) expect((await read).secret).not.toEqual(secret);
      else await expect(read).rejects.toMatchObject({ code: 'E_KEY_INCONSISTENT' });
    }
  });

  it('of SPKI are read or refused', async () => {
    const valid = (await allDescriptors())
      .filter(({ oid }) => oid !== undefined)
      .map((descriptor) => encodeSpki(descriptor, random(descriptor.sizes.public)));
    expect(valid.length).toBeGreaterThan(20);
    const outcome = await fuzz(valid, (input) => decodeSpki(input, 'fuzzed'));
    expect(outcome.refused).toBeGreaterThan(0.2 * mutationCount);
  });

  it('of PEM around either are read or refused', async () => {
    const descriptor = await resolve('ed25519');
    const pem = utf8(encodePem('PRIVATE KEY', encodePkcs8(descriptor, random(32)), 'explained'));
    await fuzz([pem], (input) => decodePkcs8(decodePem(input, 'fuzzed').bytes, 'fuzzed'));
    const spki = utf8(encodePem('PUBLIC KEY', encodeSpki(descriptor, random(32))));
    await fuzz([spki], (input) => decodeSpki(decodePem(input, 'fuzzed').bytes, 'fuzzed'));
  });
});
