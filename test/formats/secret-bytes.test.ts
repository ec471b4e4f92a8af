import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { SecretBytes, wiping } from '#formats/secret-bytes';

const SECRET = Uint8Array.of(0xde, 0xad, 0xbe, 0xef);

describe('SecretBytes', () => {
  it('adopts a buffer and wipes it, copies another and leaves it alone', () => {
    const adopted = new Uint8Array(SECRET);
    SecretBytes.adopt(adopted, 'a').dispose();
    expect([...adopted]).toEqual([0, 0, 0, 0]);
    const copied = new Uint8Array(SECRET);
    SecretBytes.copyOf(copied, 'a').dispose();
    expect(copied).toEqual(SECRET);
  });

  it('reveals only its label', () => {
    using secret = SecretBytes.copyOf(SECRET, 'seed');
    const nested = { deep: { secret } };
    for (const shown of [
      String(secret),
      inspect(secret),
      inspect(nested, { depth: 9, showHidden: true }),
    ]) {
      expect(shown).toContain('<secret: seed>');
      expect(shown).not.toMatch(/de ?ad|222|173/i);
    }
    expect(() => JSON.stringify(nested)).toThrow(
      expect.objectContaining({ code: 'E_SECRET_SERIALISED' }) as Error,
    );
    expect(structuredClone(secret)).toEqual({ label: 'seed' });
    expect(Object.keys(secret)).toEqual(['label']);
  });

  it('lends its bytes for one synchronous call', () => {
    using secret = SecretBytes.copyOf(SECRET, 'seed');
    expect(secret.use((bytes) => bytes.length)).toBe(4);
    expect(() => secret.use(() => Promise.resolve())).toThrow(
      expect.objectContaining({ code: 'E_SECRET_ASYNC' }) as Error,
    );
  });

  it('is of no use once it is wiped', () => {
    const secret = SecretBytes.copyOf(SECRET, 'seed');
    const twin = secret.clone();
    secret.dispose();
    secret.dispose();
    expect(secret.wiped).toBe(true);
    expect(() => secret.use((bytes) => bytes)).toThrow(
      expect.objectContaining({ code: 'E_SECRET_WIPED' }) as Error,
    );
    expect(twin.use((bytes) => [...bytes])).toEqual([...SECRET]);
    twin.dispose();
  });

  it('wipes at the end of a block, also when it is left by an error', () => {
    const buffer = new Uint8Array(SECRET);
    expect(() => {
      using _ = SecretBytes.adopt(buffer, 'seed');
      throw new Error('left');
    }).toThrow('left');
    expect([...buffer]).toEqual([0, 0, 0, 0]);
    const other = new Uint8Array(SECRET);
    expect(() =>
      wiping([other], () => {
        throw new Error('left');
      }),
    ).toThrow('left');
    expect([...other]).toEqual([0, 0, 0, 0]);
  });
});
