/** The check value that a real token shows of a symmetric key, against the one computed outside. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { familyOf } from '#carriage/stores/pkcs11/family';
import { importKey } from '#carriage/stores/pkcs11/import';
import type { TokenModule } from '#carriage/stores/pkcs11/module';
import { findKey } from '#carriage/stores/pkcs11/object';
import type { Token } from '#carriage/stores/pkcs11/token';
import { shownCheckValue } from '#carriage/stores/pkcs11/use';
import { keyId } from '#crypto/key-id';
import { resolve } from '#crypto/registry';
import { fromHex, toHex } from '#formats/bytes';
import { SecretBytes } from '#formats/secret-bytes';
import { random, softHsm, type SoftHsm, withSoftHsm } from './softhsm.js';

describe.skipIf(!withSoftHsm)('SoftHSM', () => {
  let hsm: SoftHsm;
  let module: TokenModule;
  let token: Token;
  beforeAll(async () => {
    hsm = softHsm();
    await hsm.init('values');
    module = await hsm.module();
    token = hsm.enter(module, 'values');
  });
  afterAll(() => {
    token[Symbol.dispose]();
    module[Symbol.dispose]();
    hsm[Symbol.dispose]();
  });

  it.each(['aes-128', 'aes-256', 'hmac-sha256', 'hmac-sha384', 'hmac-sha512'])(
    'shows the value of an %s key that conclave computes',
    async (name) => {
      const descriptor = await resolve(name);
      const family = familyOf(descriptor);
      if (family === undefined) throw new Error('a family of keys in tokens');
      const implementation = await descriptor.load();
      if (implementation.kind !== 'symmetric') throw new Error('a symmetric key');
      using secret = SecretBytes.adopt(await implementation.generate(random), 'key');
      const expected = secret.use((raw) => implementation.hsm.checkValue(raw));
      const publicKey = secret.use((raw) => implementation.checkValue(raw));
      importKey(token, {
        ...{ descriptor, implementation, secret, publicKey, label: name, random },
        ...{
          id: fromHex(keyId(descriptor, publicKey)),
          way: name === 'aes-256' ? 'auto' : 'clear',
        },
      });
      const shown = token.session({ write: false }, (session) => {
        const { handle } = findKey(session, { object: name }, token.name);
        return shownCheckValue(session, { handle, descriptor, family });
      });
      expect(toHex(shown ?? new Uint8Array(0))).toBe(toHex(expected));
    },
  );
});
