/**
 * The page on SoftHSM is what a real SoftHSM answers: both tables are made anew and compared. After a change of either,
 * `CONCLAVE_UPDATE_PAGES=1` writes them.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CKM } from '#carriage/stores/pkcs11/cryptoki';
import { familyOf, mechanismsFor } from '#carriage/stores/pkcs11/family';
import { generateKey } from '#carriage/stores/pkcs11/generate';
import { importKey, type ImportWay } from '#carriage/stores/pkcs11/import';
import type { TokenModule } from '#carriage/stores/pkcs11/module';
import type { Token } from '#carriage/stores/pkcs11/token';
import type { Descriptor, Purpose } from '#crypto/descriptor';
import { keyId } from '#crypto/key-id';
import { allDescriptors, resolve } from '#crypto/registry';
import { fromHex } from '#formats/bytes';
import { ConclaveError } from '#formats/errors';
import { SecretBytes } from '#formats/secret-bytes';
import { root } from '../support/require.js';
import { random, softHsm, type SoftHsm, withSoftHsm } from './softhsm.js';

const page = join(root, 'docs/tokens/softhsm-2.6.md');
const between = /(?<=<!-- measured -->\n)[^]*?(?=<!-- end -->)/g;

/** Rows of a table with a head, columns as wide as their widest cell: what prettier makes of it. */
function markdown(rows: readonly (readonly string[])[]): string {
  const [head = []] = rows;
  const widths = head.map((_, i) => Math.max(...rows.map((row) => (row[i] ?? '').length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`;
  const rule = line(widths.map((width) => '-'.repeat(width)));
  return `\n${[line(head), rule, ...rows.slice(1).map(line)].join('\n')}\n\n`;
}

describe.skipIf(!withSoftHsm)('the page on SoftHSM 2.6', () => {
  let soft: SoftHsm;
  let module: TokenModule;
  let token: Token;
  const wrapping = { label: 'wrapping', id: Uint8Array.of(1) };
  beforeAll(async () => {
    soft = softHsm();
    await soft.init('page');
    module = await soft.module();
    token = soft.enter(module, 'page');
    const descriptor = await resolve('rsa-2048');
    const implementation = await descriptor.load();
    const purposes: readonly Purpose[] = ['encrypt'];
    generateKey(token, { ...wrapping, descriptor, implementation, purposes, random });
  });
  afterAll(() => {
    token[Symbol.dispose]();
    module[Symbol.dispose]();
    soft[Symbol.dispose]();
  });

  const answer = (work: () => void): string => {
    try {
      work();
      return 'yes';
    } catch (error) {
      if (!(error instanceof ConclaveError)) throw error;
      const { details, cause } = error;
      const ckr = details?.['ckr'] ?? (cause as ConclaveError | undefined)?.details?.['ckr'];
      return typeof ckr === 'string' ? ckr : error.code;
    }
  };

  const row = async (descriptor: Descriptor): Promise<readonly string[]> => {
    const { name } = descriptor;
    const implementation = await descriptor.load();
    const born = { descriptor, implementation, random, label: `born-${name}`, id: random(8) };
    const generated = answer(() => generateKey(token, born));
    const secret = SecretBytes.adopt(await implementation.generate(random), name);
    using _ = secret;
    const publicKey = secret.use((raw) =>
      implementation.kind === 'symmetric'
        ? implementation.checkValue(raw)
        : implementation.publicKey(raw),
    );
    const bring = (way: ImportWay, under?: { readonly object: string }): string =>
      answer(() => {
        const id = way === 'clear' ? random(8) : fromHex(keyId(descriptor, publicKey));
        const brought = { descriptor, implementation, secret, publicKey, id, way, under, random };
        importKey(token, { ...brought, label: `${way}-${name}` });
      });
    return [name, generated, bring('wrapped', { object: wrapping.label }), bring('clear')];
  };

  const measured = async (): Promise<readonly string[]> => {
    const mechanisms = token.mechanisms();
    const keys = [['algorithm', 'made inside', 'brought in wrapped', 'brought in clear']];
    for (const descriptor of await allDescriptors()) {
      const family = familyOf(descriptor);
      // The larger RSA keys answer as the smallest does, and take longer.
      if (family === undefined || /rsa-[34]/.test(descriptor.name)) continue;
      if (!mechanismsFor(family).every((each) => mechanisms.has(each))) {
        keys.push([descriptor.name, 'no mechanism', '', '']);
      } else keys.push([...(await row(descriptor))]);
    }
    const names = Object.entries(CKM).map(([name, number]) => [
      `CKM_${name}`,
      `0x${number.toString(16)}`,
      mechanisms.has(number) ? 'yes' : 'no',
    ]);
    return [markdown(keys), markdown([['mechanism', 'number', 'here'], ...names])];
  };

  it('says what a real one answers', async () => {
    const { firmware, model, manufacturer } = token.describe();
    expect([manufacturer, model, firmware]).toEqual(['SoftHSM project', 'SoftHSM v2', '2.6']);
    const tables = await measured();
    const text = readFileSync(page, 'utf8');
    if (process.env['CONCLAVE_UPDATE_PAGES'] === '1') {
      let next = 0;
      writeFileSync(
        page,
        text.replace(between, () => tables[next++] ?? ''),
      );
      return;
    }
    expect(text.match(between)).toEqual(tables);
  });
});
