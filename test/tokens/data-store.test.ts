/** A token as a store of sealed keys: the contract that every store keeps, on a real one. */
import { randomBytes } from 'node:crypto';
import { afterAll, describe } from 'vitest';
import { createDataStore } from '#carriage/stores/pkcs11/data-store';
import type { Store, StoredKey } from '#carriage/stores/store';
import { encodeKeyFile, KEY_LABEL } from '#carriage/stores/key-file';
import { utf8 } from '#formats/bytes';
import { canonicalJson } from '#formats/canonical-json';
import { encodePem } from '#formats/pem';
import { storeContract, type StoreUnderTest } from '../stores/contract.js';
import { random, softHsm, type SoftHsm, withSoftHsm } from './softhsm.js';

const key: StoreUnderTest['key'] = ({ form, ...members }): StoredKey => {
  const record = utf8(`${canonicalJson(members)}\n`);
  const box = {
    kdf: { logN: 10, r: 8, p: 1, salt: random(16) },
    nonce: random(12),
    check: random(8),
    sealed: random(48),
  } as const;
  const bytes =
    form === 'sealed'
      ? encodeKeyFile({ label: KEY_LABEL, record, box, explanation: '' })
      : utf8(encodePem('PRIVATE KEY', randomBytes(48)));
  const mark = members.environment === 'production' ? '' : members.environment;
  return { id: members.id, name: members.name, mark, record, material: { form, bytes } };
};

describe.skipIf(!withSoftHsm)('a token', () => {
  const used: SoftHsm[] = [];
  afterAll(() => {
    for (const soft of used) soft[Symbol.dispose]();
  });
  const storeOn = (soft: SoftHsm): Store =>
    createDataStore(
      async () => {
        const { existsSync, readdirSync } = await import('node:fs');
        if (
          !existsSync(`${soft.folder}/tokens`) ||
          readdirSync(`${soft.folder}/tokens`).length === 0
        ) {
          await soft.init('store');
        }
        const module = await soft.module();
        const token = soft.enter(module, 'store');
        return {
          token,
          [Symbol.dispose]: () => {
            token[Symbol.dispose]();
            module[Symbol.dispose]();
          },
        };
      },
      { token: 'store' },
    );
  storeContract('pkcs11 data objects', {
    fresh: () => {
      const soft = softHsm();
      used.push(soft);
      return storeOn(soft);
    },
    again: () => storeOn(used.at(-1) as SoftHsm),
    forms: ['sealed'],
    key,
  });
});
