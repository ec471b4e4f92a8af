import { fc } from '../support/property.js';
import { describe, expect, it } from 'vitest';
import { formatTokenUri, parseTokenUri, type TokenUri } from '#carriage/stores/pkcs11/uri';
import { parseReference, parseStore, tokenOf } from '#actions/context/references';
import { ConclaveError } from '#formats/errors';
import { isWellFormed, utf8 } from '#formats/bytes';

describe('PKCS#11 URI', () => {
  it.each<[string, TokenUri]>([
    ['pkcs11:', {}],
    // RFC 7512 §3, without what conclave does not heed.
    [
      'pkcs11:object=my-pubkey;type=public?pin-source=file:/etc/token',
      { object: 'my-pubkey', type: 'public', pinSource: '/etc/token' },
    ],
    [
      'pkcs11:token=The%20Software%20PKCS%2311%20Softtoken;manufacturer=Snake%20Oil,%20Inc.;model=1.0;object=my-certificate;id=%69%95%3E%5C%F4%BD%EC%91',
      {
        token: 'The Software PKCS#11 Softtoken',
        manufacturer: 'Snake Oil, Inc.',
        model: '1.0',
        object: 'my-certificate',
        id: Uint8Array.of(0x69, 0x95, 0x3e, 0x5c, 0xf4, 0xbd, 0xec, 0x91),
      },
    ],
    [
      'pkcs11:object=a;type=secret-key?module-path=/usr/lib/libmypkcs11.so.1&module-name=x',
      { object: 'a', type: 'secret-key', modulePath: '/usr/lib/libmypkcs11.so.1', moduleName: 'x' },
    ],
    ['pkcs11:token=a&b;id=%00', { token: 'a&b', id: Uint8Array.of(0) }],
    ['pkcs11:object=x?pin-source=file:///run/pin', { object: 'x', pinSource: '/run/pin' }],
  ])('reads %s', (text, uri) => {
    expect(parseTokenUri(text)).toEqual(uri);
    expect(parseTokenUri(formatTokenUri(uri))).toEqual(uri);
  });

  it.each([
    ['http:token=a', 'does not begin'],
    ['pkcs11:release', 'is no NAME=VALUE'],
    ['pkcs11:token=a;', 'is no NAME=VALUE'],
    ['pkcs11:=a', 'is no NAME=VALUE'],
    ['pkcs11:token=a;token=b', 'given twice'],
    ['pkcs11:token=', 'is empty'],
    ['pkcs11:id=', 'is empty'],
    ['pkcs11:token=a b', 'percent-encoded'],
    ['pkcs11:token=%2', 'percent-encoded'],
    ['pkcs11:token=%zz', 'percent-encoded'],
    ['pkcs11:token=%ff', 'no UTF-8'],
    ['pkcs11:token=a%00', 'control character'],
    ['pkcs11:token=ä', 'percent-encoded'],
    ['pkcs11:type=cert', 'type is one of'],
    ['pkcs11:slot-id=3', 'name the token'],
    ['pkcs11:library-version=3', 'does not heed'],
    ['pkcs11:x-vendor=3', 'does not heed'],
    ['pkcs11:object=a?pin-source=|/bin/pin', 'absolute path of a file'],
    ['pkcs11:object=a?pin-source=file:pin', 'absolute path of a file'],
    ['pkcs11:object=a?pin-source=file://host/pin', 'absolute path of a file'],
    ['pkcs11:object=a?module-path=/a&module-path=/b', 'given twice'],
    [`pkcs11:object=${'a'.repeat(2048)}`, 'too long'],
  ])('refuses %s', (text, why) => {
    expect(() => parseTokenUri(text)).toThrow(why);
  });

  it('refuses a PIN inside and does not repeat it', () => {
    for (const text of ['pkcs11:object=a?pin-value=9731', 'pkcs11:pin-value=9731']) {
      try {
        parseTokenUri(text);
        expect.unreachable();
      } catch (error) {
        expect(error).toMatchObject({ code: 'E_TOKEN_URI_PIN', exitCode: 77 });
        expect(JSON.stringify(error) + String(error)).not.toContain('9731');
      }
    }
  });

  it('reads what it writes, whatever the names are', () => {
    const name = fc
      .string({ minLength: 1, maxLength: 40, unit: 'grapheme' })
      .filter((text) => !/\p{Cc}/u.test(text) && isWellFormed(text));
    const uri = fc.record(
      {
        token: name,
        serial: name,
        manufacturer: name,
        model: name,
        object: name,
        id: fc.uint8Array({ minLength: 1, maxLength: 32 }),
        type: fc.constantFrom('private', 'public', 'secret-key', 'data'),
        modulePath: name.map((text) => `/${text}`),
        moduleName: name,
        // Two slashes at its beginning would be a host.
        pinSource: name.map((text) => `/${text.replace(/^\/+/, '')}`),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(uri, (given) => {
        const text = formatTokenUri(given as TokenUri);
        expect(parseTokenUri(text)).toEqual(given);
        expect(formatTokenUri(parseTokenUri(text))).toBe(text);
      }),
      { numRuns: 300 },
    );
  });

  it('answers mutations with a reading or a usage error', () => {
    const valid = 'pkcs11:token=a%20b;serial=1;object=k;id=%01%02;type=private?module-path=/x.so';
    const alphabet = utf8('%;=&?:/|a0 \u0000é');
    let state = 1;
    const next = (below: number): number => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      return (state >>> 8) % below;
    };
    for (let i = 0; i < 10_000; i++) {
      const characters = [...valid];
      for (let n = 0; n <= next(3); n++) {
        const at = 7 + next(characters.length - 7);
        characters[at] =
          next(2) === 0 ? String.fromCharCode(alphabet[next(alphabet.length)] ?? 0) : '';
      }
      try {
        const text = formatTokenUri(parseTokenUri(characters.join('')));
        expect(formatTokenUri(parseTokenUri(text))).toBe(text);
      } catch (error) {
        expect(error).toBeInstanceOf(ConclaveError);
        expect([2, 77]).toContain((error as ConclaveError).exitCode);
      }
    }
  });
});

describe('references', () => {
  it.each([
    ['release', { kind: 'name', store: { kind: 'file' }, name: 'release' }],
    ['file:release', { kind: 'name', store: { kind: 'file' }, name: 'release' }],
    ['file:/a.key', { kind: 'path', path: '/a.key' }],
    ['./a', { kind: 'path', path: './a' }],
    ['-', { kind: 'path', path: '-' }],
    ['keychain:ci.key', { kind: 'name', store: { kind: 'keychain' }, name: 'ci.key' }],
    ['pkcs11:token=t;object=a', { kind: 'token', uri: { token: 't', object: 'a' } }],
  ])('%s', (text, reference) => {
    expect(parseReference(text)).toEqual(reference);
  });

  it('read stores', () => {
    expect(parseStore('file')).toEqual({ kind: 'file' });
    expect(parseStore('keychain')).toEqual({ kind: 'keychain' });
    expect(parseStore('pkcs11:Root token')).toEqual({ kind: 'pkcs11', token: 'Root token' });
    expect(parseStore('pkcs11:serial=12')).toEqual({ kind: 'pkcs11', token: 'serial=12' });
    expect(tokenOf('Root token')).toEqual({ token: 'Root token' });
    expect(tokenOf('serial=12?module-path=/x')).toEqual({ serial: '12', modulePath: '/x' });
    for (const wrong of ['', 'pkcs11', 'pkcs11:', 'cloud', 'pkcs11:slot-id=1']) {
      expect(() => parseStore(wrong)).toThrow(ConclaveError);
    }
  });
});
