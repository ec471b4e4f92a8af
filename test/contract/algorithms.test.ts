/** One suite for every descriptor of the registry: what an algorithm's file promises, its code must keep. */
import { describe, expect, it } from 'vitest';
import type {
  AgreementImplementation,
  Descriptor,
  Implementation,
  KemImplementation,
  SignatureImplementation,
  SignatureOptions,
  SymmetricImplementation,
} from '#crypto/descriptor';
import { decodePkcs8, encodePkcs8 } from '#crypto/encodings/pkcs8';
import { decodeSpki, encodeSpki } from '#crypto/encodings/spki';
import { keyId } from '#crypto/key-id';
import { algorithmNames, allDescriptors, resolve, resolveOid } from '#crypto/registry';
import { selfCheck } from '#crypto/self-check';
import { toHex, utf8 } from '#formats/bytes';
import { seededSource } from '../formats/mutate.js';
import { thorough } from '../support/require.js';

type Kind<I> = I & Pick<Implementation, 'generate'>;

const descriptors = await allDescriptors();
const title = ({ name, profile }: Descriptor): string =>
  profile === '' ? name : `${name} (${profile})`;
const of = (kind: Descriptor['kind']): (readonly [string, Descriptor])[] =>
  descriptors
    .filter((each) => each.kind === kind && inRun(each) && !costly(each))
    .map((each) => [title(each), each] as const);
const random = seededSource(7);
const message = utf8('a message');

/** Makes keys so slowly that a plain run leaves it out. */
const slowlyMade = ({ ownEntropy, bits }: Descriptor): boolean => ownEntropy === true && bits > 112;
/** Signatures of SLH-DSA cost a second even where they are fast: few are made, in a suite of their own. */
const costly = ({ sizes }: Descriptor): boolean => (sizes.signature ?? 0) > 7000;
/** The slow sets of SLH-DSA make one key and one signature each in test/peers/slh-dsa.test.ts, and none here. */
const inRun = (descriptor: Descriptor): boolean =>
  descriptor.slow !== true && (thorough || !slowlyMade(descriptor));

const made = new Map<Descriptor, Promise<readonly [Uint8Array, Uint8Array]>>();

/** Public keys as the self-check gave them. */
const checked = new Map<Descriptor, Uint8Array>();

async function twoKeys(descriptor: Descriptor): Promise<readonly [Uint8Array, Uint8Array]> {
  const is = await descriptor.load();
  return [await is.generate(random), await is.generate(random)];
}

/** A secret, that of a stranger, and their implementation: two keys for the whole suite, since some are slow to make. */
async function key<I>(
  descriptor: Descriptor,
): Promise<{ secret: Uint8Array; stranger: Uint8Array; is: Kind<I> }> {
  const keys = made.get(descriptor) ?? twoKeys(descriptor);
  made.set(descriptor, keys);
  const [secret, stranger] = await keys;
  const is = (await descriptor.load()) as unknown as Kind<I>;
  return { secret: secret.slice(), stranger: stranger.slice(), is };
}

/** What `work` gives, or `undefined` when it refuses with this code. */
function attempt<T>(work: () => T, code: string): T | undefined {
  try {
    return work();
  } catch (error) {
    expect(error).toMatchObject({ code, exitCode: 65 });
    return undefined;
  }
}

function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = new Uint8Array(bytes);
  const at = (bit >> 3) % copy.length;
  copy[at] = (copy[at] as number) ^ (1 << (bit & 7));
  return copy;
}

/** One signature of the slowest sets takes most of a minute on a busy machine. */
const LONG = { timeout: 600_000 } as const;

const wrongLength = expect.objectContaining({ code: 'E_LENGTH_WRONG', exitCode: 65 }) as Error;

describe('the registry', () => {
  it('holds a default descriptor under every name, and every name once', async () => {
    expect(new Set(algorithmNames()).size).toBe(algorithmNames().length);
    for (const name of algorithmNames()) expect((await resolve(name)).name).toBe(name);
  });

  it('has no two descriptors that a name and profile, or an encoded key, cannot tell apart', () => {
    const names = descriptors.map(({ name, profile }) => `${name} ${profile}`);
    expect(new Set(names).size).toBe(names.length);
    const encoded = descriptors.flatMap(({ oid, parameters, sizes }) =>
      oid === undefined ? [] : [JSON.stringify([oid, parameters, sizes.private, sizes.public])],
    );
    expect(new Set(encoded).size).toBe(encoded.length);
  });
});

describe.each(descriptors.map((each) => [title(each), each] as const))('%s', (_, descriptor) => {
  it('is found by name, profile and object identifier', async () => {
    expect(await resolve(descriptor.name, descriptor.profile)).toBe(descriptor);
    if (descriptor.oid === undefined) return;
    expect(await resolveOid(descriptor.oid)).toContain(descriptor);
  });

  it('is described in the words of the house', () => {
    expect(descriptor.name).toMatch(/^[a-z0-9]+(?:[-+][a-z0-9]+)*$/);
    expect(descriptor.spec).toMatch(/\d/);
    expect(descriptor.purposes.length).toBeGreaterThan(0);
    expect(descriptor.oid === undefined).toBe(descriptor.pkcs8 === undefined);
    expect(descriptor.signing === undefined).toBe(descriptor.kind !== 'signature');
    for (const purpose of descriptor.defaultPurposes ?? [])
      expect(descriptor.purposes).toContain(purpose);
  });

  it('makes keys of the declared size, others each time', async () => {
    if (!inRun(descriptor)) return;
    const { secret, stranger, is } = await key<Implementation>(descriptor);
    expect(secret.length).toBe(descriptor.sizes.private);
    expect(toHex(stranger)).not.toBe(toHex(secret));
    expect(is.kind).toBe(descriptor.kind);
  });

  it('passes its self-check and refuses secrets of another length', LONG, async () => {
    if (!inRun(descriptor)) return;
    const { secret } = await key(descriptor);
    const { publicKey, checks } = await selfCheck(descriptor, secret, random);
    checked.set(descriptor, publicKey);
    expect(publicKey.length).toBe(descriptor.kind === 'symmetric' ? 32 : descriptor.sizes.public);
    expect(checks.length).toBeGreaterThan(0);
    for (const bad of [secret.subarray(1), new Uint8Array(0), new Uint8Array(secret.length + 1)])
      await expect(selfCheck(descriptor, bad, random)).rejects.toThrow(wrongLength);
  });

  it('gives keys ids that tell name and profile apart', async () => {
    const publicKey = new Uint8Array(descriptor.sizes.public);
    const ids = descriptors.map((each) => keyId(each, publicKey));
    expect(new Set(ids).size).toBe(ids.length);
    expect(keyId(descriptor, publicKey)).toMatch(/^[0-9a-f]{64}$/);
  });

  it('comes back from PKCS#8 and SPKI, or says that it has none', LONG, async () => {
    if (!inRun(descriptor)) return;
    const { secret, is } = await key<Implementation>(descriptor);
    if (descriptor.oid === undefined) {
      const refused = expect.objectContaining({ code: 'E_ENCODING_UNSUPPORTED' }) as Error;
      expect(() => encodePkcs8(descriptor, secret)).toThrow(refused);
      expect(() => encodeSpki(descriptor, new Uint8Array(descriptor.sizes.public))).toThrow(
        refused,
      );
      return;
    }
    if (is.kind === 'symmetric') throw new Error('a symmetric key with an object identifier');
    const before = toHex(secret);
    const publicKey = is.publicKey(secret);
    const der = encodePkcs8(descriptor, secret, publicKey);
    expect(toHex(secret)).toBe(before);
    expect(await decodePkcs8(der, 'key')).toMatchObject({ descriptor, secret });
    // The same from a Buffer, whose parts are views: nothing returned may die with it, nothing lent may be wiped.
    const lent = Buffer.from(der);
    const { secret: owned } = await decodePkcs8(lent, 'key');
    lent.fill(0);
    expect(toHex(owned)).toBe(before);
    const buffered = Buffer.from(secret);
    encodePkcs8(descriptor, buffered, publicKey);
    expect(buffered.toString('hex')).toBe(before);
    const spki = encodeSpki(descriptor, publicKey);
    expect(await decodeSpki(spki, 'key')).toEqual({ descriptor, publicKey });
    for (const bad of [spki.subarray(0, -1), Uint8Array.of(...spki, 0)])
      await expect(decodeSpki(bad, 'key')).rejects.toMatchObject({ exitCode: 65 });
    expect(() => encodeSpki(descriptor, publicKey.subarray(1))).toThrow(wrongLength);
    expect(() => encodePkcs8(descriptor, secret.subarray(1))).toThrow(wrongLength);
  });
});

describe.each(of('signature'))('signatures of %s', (_, descriptor) => {
  it('verify with their key over their message, and nowhere else', async () => {
    const { secret, stranger, is } = await key<SignatureImplementation>(descriptor);
    const publicKey = is.publicKey(secret);
    expect(publicKey.length).toBe(descriptor.sizes.public);
    const signature = is.sign(message, secret);
    if (descriptor.signing?.encodings?.[0] !== 'der')
      expect(signature.length).toBe(descriptor.sizes.signature);
    expect(is.verify(signature, message, publicKey)).toBe(true);
    expect(is.verify(signature, utf8('another'), publicKey)).toBe(false);
    const other = is.publicKey(stranger);
    expect(is.verify(signature, message, other)).toBe(false);
    const empty = is.sign(new Uint8Array(0), secret);
    expect(is.verify(empty, new Uint8Array(0), publicKey)).toBe(true);
  });

  it('are the same each time without randomness, and never with it', async () => {
    const { secret, is } = await key<SignatureImplementation>(descriptor);
    const publicKey = is.publicKey(secret);
    const plain = toHex(is.sign(message, secret));
    if (descriptor.signing?.randomness === 'always') {
      // PKCS#1 v1.5 has no room for any.
      expect(toHex(is.sign(message, secret))).not.toBe(plain);
      return;
    }
    expect(toHex(is.sign(message, secret))).toBe(plain);
    const hedged = is.sign(message, secret, { random });
    expect(is.verify(hedged, message, publicKey)).toBe(true);
    expect(toHex(hedged) === plain).toBe(descriptor.signing?.randomness === 'none');
  });

  it('are the same from a key that was expanded once, until it is disposed', async () => {
    const { secret, is } = await key<SignatureImplementation>(descriptor);
    const lent = secret.slice();
    const signer = is.ready?.(lent);
    if (signer === undefined) return;
    // What was lent is wiped by its owner; the signer must not depend on it.
    lent.fill(0);
    expect(signer.publicKey).toEqual(is.publicKey(secret));
    const fixed = descriptor.signing?.randomness !== 'always';
    if (fixed) expect(signer.sign(message)).toEqual(is.sign(message, secret));
    const hedged = signer.sign(message, { random });
    expect(is.verify(hedged, message, signer.publicKey)).toBe(true);
    signer[Symbol.dispose]();
    const after = (() => {
      try {
        return signer.sign(message);
      } catch {
        return undefined;
      }
    })();
    expect(after).not.toEqual(is.sign(message, secret));
  });

  it('do not verify after any flipped bit, and never throw', async () => {
    const { secret, is } = await key<SignatureImplementation>(descriptor);
    const publicKey = is.publicKey(secret);
    // The same signature each time: of Falcon's, some hold under a key that differs in the lowest bit of one coefficient.
    const signature = is.sign(message, secret, { random: seededSource(11) });
    const bits = signature.length * 8;
    // First and last bytes of each part carry the encodings; the rest is sampled.
    for (let i = 0; i < 24; i++) {
      expect(is.verify(flipped(signature, (i * 2_654_435_761) % bits), message, publicKey)).toBe(
        false,
      );
      expect(is.verify(flipped(signature, bits - 1 - i), message, publicKey)).toBe(false);
      expect(is.verify(flipped(signature, i), message, publicKey)).toBe(false);
      expect(
        is.verify(signature, message, flipped(publicKey, (i * 40_503) % (publicKey.length * 8))),
      ).toBe(false);
    }
  });

  it('are refused with wrong lengths and hostile bytes, and never throw', async () => {
    const { secret, is } = await key<SignatureImplementation>(descriptor);
    const publicKey = is.publicKey(secret);
    const signature = is.sign(message, secret);
    const longer = Uint8Array.of(...signature, 0);
    for (const bad of [signature.subarray(1), signature.subarray(0, -1), longer, new Uint8Array(0)])
      expect(is.verify(bad, message, publicKey)).toBe(false);
    for (const bad of [publicKey.subarray(1), publicKey.subarray(0, -1), new Uint8Array(0)])
      expect(is.verify(signature, message, bad)).toBe(false);
    for (const fill of [0, 0xff]) {
      const [sameSignature, sameKey] = [signature.length, publicKey.length].map((length) =>
        new Uint8Array(length).fill(fill),
      ) as [Uint8Array, Uint8Array];
      expect(is.verify(sameSignature, message, publicKey)).toBe(false);
      expect(is.verify(signature, message, sameKey)).toBe(false);
      expect(is.verify(sameSignature, message, sameKey)).toBe(false);
    }
    expect(() => is.sign(message, secret.subarray(1))).toThrow(wrongLength);
    expect(() => is.publicKey(secret.subarray(1))).toThrow(wrongLength);
  });

  it('bind their context, or refuse one', async () => {
    const { secret, is } = await key<SignatureImplementation>(descriptor);
    const publicKey = is.publicKey(secret);
    const context = utf8('context');
    const none = { context: new Uint8Array(0) };
    expect(is.verify(is.sign(message, secret, none), message, publicKey)).toBe(true);
    const plain = is.sign(message, secret);
    expect(is.verify(plain, message, publicKey, { context })).toBe(false);
    let signature: Uint8Array;
    try {
      signature = is.sign(message, secret, { context });
    } catch (error) {
      expect(error).toMatchObject({ code: 'E_CONTEXT_UNSUPPORTED', exitCode: 2 });
      return;
    }
    expect(is.verify(signature, message, publicKey, { context })).toBe(true);
    expect(is.verify(signature, message, publicKey)).toBe(false);
    expect(is.verify(signature, message, publicKey, { context: utf8('Context') })).toBe(false);
    const longest = { context: new Uint8Array(255).fill(1) };
    expect(is.verify(is.sign(message, secret, longest), message, publicKey, longest)).toBe(true);
    const tooLong = { context: new Uint8Array(256) };
    expect(() => is.sign(message, secret, tooLong)).toThrow(
      expect.objectContaining({ code: 'E_CONTEXT_TOO_LONG', exitCode: 2 }) as Error,
    );
    expect(is.verify(signature, message, publicKey, tooLong)).toBe(false);
  });

  it('are of the hash and the encoding that were asked for, and of no others', async () => {
    const { secret, is } = await key<SignatureImplementation>(descriptor);
    const publicKey = is.publicKey(secret);
    const { hashes = [], encodings = [], paddings = [], suites = [] } = descriptor.signing ?? {};
    const options: SignatureOptions[] = [
      ...hashes.map((hash) => ({ hash })),
      ...encodings.map((encoding) => ({ encoding })),
      ...paddings.map((padding) => ({ padding })),
      ...suites.map((suite) => ({ suite })),
    ];
    for (const [i, option] of options.entries()) {
      const signature = is.sign(message, secret, option);
      expect(is.verify(signature, message, publicKey, option), JSON.stringify(option)).toBe(true);
      expect(is.verify(signature, utf8('another'), publicKey, option)).toBe(false);
      // Its neighbours stand for all that it is not.
      for (const other of [options.at(i - 1), options[i + 1]]) {
        if (other === undefined) continue;
        const [[name, value]] = Object.entries(option) as [[keyof SignatureOptions, unknown]];
        if (other[name] === undefined || other[name] === value) continue;
        expect(is.verify(signature, message, publicKey, other), JSON.stringify(other)).toBe(false);
      }
    }
    const refused = expect.objectContaining({ code: 'E_SIGNATURE_OPTION', exitCode: 2 }) as Error;
    const unknown: object[] = [
      { hash: 'md5' },
      { padding: 'none' },
      { encoding: 'asn1' },
      { suite: 'x' },
    ];
    if (descriptor.signing?.userId !== true) unknown.push({ userId: utf8('ada') });
    for (const option of unknown) {
      expect(() => is.sign(message, secret, option)).toThrow(refused);
      expect(() => is.verify(new Uint8Array(1), message, publicKey, option)).toThrow(refused);
    }
  });

  it('come with an agreement where the key is good for both', async () => {
    const { secret, stranger, is } = await key<SignatureImplementation>(descriptor);
    expect(is.agree !== undefined).toBe(descriptor.purposes.includes('agree'));
    if (is.agree === undefined) return;
    const peer = stranger;
    const shared = is.agree(secret, is.publicKey(peer));
    expect(is.agree(peer, is.publicKey(secret))).toEqual(shared);
    expect(is.second?.agree?.(secret, is.publicKey(peer))).toEqual(shared);
    expect(shared.length).toBe(descriptor.sizes.sharedSecret);
    const invalid = expect.objectContaining({ exitCode: 65 }) as Error;
    expect(() => is.agree?.(secret, flipped(is.publicKey(peer), 77))).toThrow(invalid);
    expect(() => is.agree?.(secret, is.publicKey(peer).subarray(1))).toThrow(invalid);
  });

  it('leave the secret as it was', async () => {
    const { secret, is } = await key<SignatureImplementation>(descriptor);
    const before = toHex(secret);
    is.publicKey(secret);
    is.sign(message, secret);
    is.sign(message, secret, { random });
    expect(toHex(secret)).toBe(before);
  });

  it('agree with the second implementation, which can also say no', async () => {
    const { secret, is } = await key<SignatureImplementation>(descriptor);
    const { second } = is;
    if (second === undefined) return;
    const publicKey = is.publicKey(secret);
    const signature = is.sign(message, secret);
    if (second.publicKey !== undefined) expect(second.publicKey(secret)).toEqual(publicKey);
    if (second.verify === undefined) return;
    expect(second.verify(signature, message, publicKey)).toBe(true);
    expect(second.verify(signature, utf8('another'), publicKey)).toBe(false);
  });
});

const costlySets = descriptors.filter((each) => costly(each) && each.slow !== true);

describe.each(
  (thorough ? costlySets : costlySets.slice(0, 1)).map((each) => [title(each), each] as const),
)('costly signatures of %s', (_, descriptor) => {
  it('verify with their key, message, context and hash, and nowhere else', LONG, async () => {
    const { secret, is } = await key<SignatureImplementation>(descriptor);
    const signer = is.ready?.(secret);
    if (signer === undefined) throw new Error('what is costly is expanded once');
    const { publicKey } = signer;
    expect(checked.get(descriptor)).toEqual(publicKey);
    const context = utf8('context');
    const hash = descriptor.signing?.hashes?.at(-1);
    if (hash === undefined) throw new Error('a set without a prehash');
    const plain = signer.sign(message);
    const hashed = signer.sign(message, { context, hash, random });
    expect(plain.length).toBe(descriptor.sizes.signature);
    const holds: [Uint8Array, object][] = [
      [plain, {}],
      [hashed, { context, hash }],
    ];
    for (const [signature, of] of holds) {
      for (const other of [{}, { context }, { hash }, { context, hash }])
        expect(is.verify(signature, message, publicKey, other)).toBe(
          JSON.stringify(of) === JSON.stringify(other),
        );
      expect(is.verify(signature, utf8('another'), publicKey, of)).toBe(false);
    }
    for (let i = 0; i < 4; i++) {
      const at = (i * 2_654_435_761) % (plain.length * 8);
      expect(is.verify(flipped(plain, at), message, publicKey)).toBe(false);
      expect(is.verify(plain, message, flipped(publicKey, at % (publicKey.length * 8)))).toBe(
        false,
      );
    }
    expect(is.verify(plain.subarray(1), message, publicKey)).toBe(false);
    expect(is.verify(plain, message, publicKey.subarray(1))).toBe(false);
    expect(is.second?.verify?.(plain, message, publicKey)).not.toBe(false);
    const expanded = is.expanded?.from(secret) ?? new Uint8Array(0);
    expect(is.expanded?.publicKey(expanded)).toEqual(publicKey);
    expect(() => is.expanded?.publicKey(flipped(expanded, expanded.length * 8 - 1))).toThrow(
      expect.objectContaining({ code: 'E_KEY_INCONSISTENT' }) as Error,
    );
    const tooLong = { context: new Uint8Array(256) };
    expect(() => is.sign(message, secret, tooLong)).toThrow(
      expect.objectContaining({ code: 'E_CONTEXT_TOO_LONG' }) as Error,
    );
    signer[Symbol.dispose]();
  });
});

describe.each(of('kem'))('encapsulation of %s', (_, descriptor) => {
  it('gives both sides one secret, another each time', async () => {
    const { secret, is } = await key<KemImplementation>(descriptor);
    const publicKey = is.publicKey(secret);
    expect(publicKey.length).toBe(descriptor.sizes.public);
    const one = is.encapsulate(publicKey, random);
    expect(one.ciphertext.length).toBe(descriptor.sizes.ciphertext);
    expect(one.sharedSecret.length).toBe(descriptor.sizes.sharedSecret);
    expect(is.decapsulate(one.ciphertext, secret)).toEqual(one.sharedSecret);
    const two = is.encapsulate(publicKey, random);
    expect(toHex(two.ciphertext)).not.toBe(toHex(one.ciphertext));
    expect(toHex(two.sharedSecret)).not.toBe(toHex(one.sharedSecret));
  });

  it('depends on its randomness alone', async () => {
    const { secret, is } = await key<KemImplementation>(descriptor);
    const publicKey = is.publicKey(secret);
    expect(is.encapsulate(publicKey, seededSource(3))).toEqual(
      is.encapsulate(publicKey, seededSource(3)),
    );
  });

  it('rejects implicitly: other bytes give another secret, without an error', async () => {
    const { secret, stranger, is } = await key<KemImplementation>(descriptor);
    const { ciphertext, sharedSecret } = is.encapsulate(is.publicKey(secret), random);
    for (let i = 0; i < 16; i++) {
      const changed = flipped(ciphertext, (i * 40_503) % (ciphertext.length * 8));
      // The curve half of a hybrid can see that a point is none, and says so.
      const opened = attempt(() => is.decapsulate(changed, secret), 'E_CIPHERTEXT_INVALID');
      if (opened !== undefined) expect(toHex(opened)).not.toBe(toHex(sharedSecret));
    }
    expect(toHex(is.decapsulate(ciphertext, stranger))).not.toBe(toHex(sharedSecret));
  });

  it('refuses wrong lengths and impossible keys', async () => {
    const { secret, is } = await key<KemImplementation>(descriptor);
    const publicKey = is.publicKey(secret);
    const { ciphertext } = is.encapsulate(publicKey, random);
    expect(() => is.encapsulate(publicKey.subarray(1), random)).toThrow(wrongLength);
    expect(() => is.decapsulate(ciphertext.subarray(1), secret)).toThrow(wrongLength);
    expect(() => is.decapsulate(ciphertext, secret.subarray(1))).toThrow(wrongLength);
    expect(() => is.publicKey(secret.subarray(1))).toThrow(wrongLength);
    // All bits set: coefficients beyond the modulus.
    expect(() => is.encapsulate(new Uint8Array(publicKey.length).fill(0xff), random)).toThrow(
      expect.objectContaining({ code: 'E_KEY_INVALID', exitCode: 65 }) as Error,
    );
  });

  it('leaves the secret as it was', async () => {
    const { secret, is } = await key<KemImplementation>(descriptor);
    const before = toHex(secret);
    const { ciphertext } = is.encapsulate(is.publicKey(secret), random);
    is.decapsulate(ciphertext, secret);
    expect(toHex(secret)).toBe(before);
  });

  it('derives key pairs for HPKE', async () => {
    const { is } = await key<KemImplementation>(descriptor);
    if (descriptor.hpkeKem === undefined) return;
    const derived = is.deriveKeyPair?.(utf8('keying material'));
    expect(derived?.length).toBe(descriptor.sizes.private);
  });

  it('agrees with the second implementation', async () => {
    const { secret, is } = await key<KemImplementation>(descriptor);
    const { second } = is;
    if (second === undefined) return;
    const publicKey = is.publicKey(secret);
    const { ciphertext, sharedSecret } = is.encapsulate(publicKey, random);
    if (second.publicKey !== undefined) expect(second.publicKey(secret)).toEqual(publicKey);
    expect(second.decapsulate?.(ciphertext, secret)).toEqual(sharedSecret);
  });
});

const withExpanded = descriptors.filter(({ pkcs8 }) => pkcs8 === 'seed-choice');

describe.each(withExpanded.map((each) => [title(each), each] as const))(
  'the expanded key of %s',
  (_, descriptor) => {
    it('has the public key of its seed, and does what its seed does', async () => {
      const { secret, is } = await key<SignatureImplementation | KemImplementation>(descriptor);
      const { expanded } = is;
      if (expanded === undefined) throw new Error('a seed choice without an expanded form');
      const long = expanded.from(secret);
      expect(long.length).toBe(expanded.length);
      expect(expanded.publicKey(long)).toEqual(is.publicKey(secret));
      if (is.kind === 'kem') {
        const { ciphertext, sharedSecret } = is.encapsulate(is.publicKey(secret), random);
        expect(is.expanded?.decapsulate(ciphertext, long)).toEqual(sharedSecret);
      } else {
        expect(is.expanded?.sign(message, long)).toEqual(is.sign(message, secret));
      }
    });

    it('is refused when its parts do not belong together', async () => {
      const { secret, is } = await key<SignatureImplementation | KemImplementation>(descriptor);
      const { expanded } = is;
      if (expanded === undefined) throw new Error('a seed choice without an expanded form');
      const long = expanded.from(secret);
      // Not among them: K of ML-DSA and z of ML-KEM, 32 bytes that belong to anything.
      const [free, first] = is.kind === 'kem' ? [long.length - 32, long.length] : [32, 64];
      for (let i = 0; i < 24; i++) {
        const at = (i * 2_654_435_761) % long.length;
        if (at >= free && at < first) continue;
        expect(() => expanded.publicKey(flipped(long, at * 8)), `byte ${at}`).toThrow(
          expect.objectContaining({ code: 'E_KEY_INCONSISTENT', exitCode: 65 }) as Error,
        );
      }
      expect(() => expanded.publicKey(long.subarray(1))).toThrow(wrongLength);
    });
  },
);

describe.each(of('agreement'))('agreement by %s', (_, descriptor) => {
  it('gives both sides one secret, the same by the second implementation', async () => {
    const { secret, stranger, is } = await key<AgreementImplementation>(descriptor);
    const other = stranger;
    const shared = is.agree(secret, is.publicKey(other));
    expect(shared.length).toBe(descriptor.sizes.sharedSecret);
    expect(is.agree(other, is.publicKey(secret))).toEqual(shared);
    expect(is.second?.publicKey?.(secret)).toEqual(is.publicKey(secret));
    expect(is.second?.agree?.(secret, is.publicKey(other))).toEqual(shared);
  });

  it('refuses wrong lengths and peers that would make the secret a constant', async () => {
    const { secret, stranger, is } = await key<AgreementImplementation>(descriptor);
    const peer = is.publicKey(stranger);
    expect(() => is.agree(secret.subarray(1), peer)).toThrow(wrongLength);
    expect(() => is.agree(secret, peer.subarray(1))).toThrow(wrongLength);
    for (const low of [0, 1]) {
      const small = new Uint8Array(peer.length);
      small[0] = low;
      expect(() => is.agree(secret, small)).toThrow(
        expect.objectContaining({ code: 'E_KEY_INVALID', exitCode: 65 }) as Error,
      );
    }
  });
});

describe.each(of('symmetric').filter(([, { purposes }]) => purposes.includes('mac')))(
  'the code of %s',
  (_, descriptor) => {
    it('is of its key and message, and the same by the second implementation', async () => {
      const { secret, is } = await key<SymmetricImplementation>(descriptor);
      const code = is.mac?.(message, secret) ?? new Uint8Array(0);
      expect(code.length).toBe(descriptor.sizes.signature);
      expect(is.second?.mac(message, secret)).toEqual(code);
      expect(is.mac?.(utf8('another'), secret)).not.toEqual(code);
      expect(is.mac?.(message, flipped(secret, 5))).not.toEqual(code);
      expect(() => is.mac?.(message, secret.subarray(1))).toThrow(wrongLength);
    });
  },
);

describe.each(of('symmetric'))('the check value of %s', (_, descriptor) => {
  it('is of the key, and of no other', async () => {
    const { secret, is } = await key<SymmetricImplementation>(descriptor);
    expect(is.checkValue(secret).length).toBe(32);
    expect(is.checkValue(secret)).toEqual(is.checkValue(secret));
    expect(toHex(is.checkValue(flipped(secret, 0)))).not.toBe(toHex(is.checkValue(secret)));
    expect(() => is.checkValue(secret.subarray(1))).toThrow(wrongLength);
  });
});
