/** Codes as text, for `show` and `verify`: what they carry, whether it is whole, and that no secret hides in them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { codeTextKind, readCodeText } from '#actions/artifacts/code-text';
import { detectKind } from '#actions/artifacts/catalogue';
import type { ActionContext } from '#actions/context/context';
import { exposureOf } from '#actions/qr/exposure';
import { FountainEncoder } from '#carriage/transport/fountain-encoder';
import { encodeFilePayload } from '#carriage/transport/payload';
import { encodeUr, encodeUrPart } from '#carriage/transport/ur';
import { sha256 } from '#crypto/hash';
import { utf8 } from '#formats/bytes';
import { fuzz } from '../support/mutations.js';
import { root } from '../support/require.js';

const nothing = {} as ActionContext;
const options = { signers: [], allowUnpinned: false };
const sample = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(join(root, 'test/compat/v2/qr', name)));
const show = (bytes: Uint8Array) => codeTextKind.show(bytes, 'codes.txt', nothing);
const verify = (bytes: Uint8Array) => codeTextKind.verify(bytes, 'codes.txt', nothing, options);

describe('codes as text', () => {
  it.each([
    ['note.ur.txt', 'note.txt', 1],
    ['parts.ur.txt', 'ten-lines.txt', undefined],
  ])('%s of an earlier version still carries %s', async (name, carried, lines) => {
    const bytes = sample(name);
    expect((await detectKind(bytes, name))?.kind).toBe('code-text');
    const { arrivals, lines: found } = readCodeText(bytes, name);
    expect(arrivals).toEqual([
      expect.objectContaining({ form: 'file', bytes: sample(carried), name: carried }),
    ]);
    if (lines !== undefined) expect(found).toBe(lines);
    expect(await show(bytes)).toMatchObject({ carries: [{ name: carried }], parts: null });
    expect(await verify(bytes)).toMatchObject({ ok: true, kind: 'code-text' });
  });

  it('says how many parts are missing, and that another message does not belong', async () => {
    const encode = (text: string) =>
      new FountainEncoder(
        encodeFilePayload({ kind: 'file', name: 'a.txt', bytes: utf8(text) }, sha256),
        20,
        sha256,
      );
    const one = encode('some lines of text that take several parts\n');
    const part = (of: FountainEncoder, n: number) => encodeUrPart('conclave-file', of.part(n));
    const few = utf8(`${part(one, 1)}\n${part(one, 2)}\n`);
    expect(await show(few)).toMatchObject({ carries: [], parts: `2 of ${one.fragments}` });
    expect(await verify(few)).toMatchObject({ ok: false });
    const mixed = utf8(
      `${part(one, 1)}\n${part(encode('another text that is longer than that, and more\n'), 1)}\n`,
    );
    expect(() => readCodeText(mixed, 'codes.txt')).toThrow(/part of another message/);
    expect(() => readCodeText(utf8(`${part(one, 1)}\nhello\n`), 'codes.txt')).toThrow(
      /line 2 of codes\.txt is no code/,
    );
  });

  it('is as secret as what it carries', async () => {
    const text = (bytes: Uint8Array) =>
      utf8(
        encodeUr('conclave-file', encodeFilePayload({ kind: 'file', name: 'a', bytes }, sha256)),
      );
    const judged = async (bytes: Uint8Array) => (await exposureOf(bytes, 'a')).exposure;
    expect(await judged(text(utf8('plain words that anybody may read\n')))).toBe('public');
    expect(await judged(text(utf8('-----BEGIN PRIVATE KEY-----\n')))).toBe('private-key');
    expect(await judged(text(text(utf8('-----BEGIN PRIVATE KEY-----\n'))))).toBe('private-key');
    expect(await judged(text(new Uint8Array(32)))).toBe('unknown');
    expect(await judged(utf8('ur:conclave-file/1-9/lpad'))).toBe('unknown');
  });

  it('refuses what is damaged, in the agreed way', async () => {
    const found = await fuzz(sample('parts.ur.txt'), (bytes) => readCodeText(bytes, 'codes.txt'));
    expect(Object.keys(found).length).toBeGreaterThan(1);
  });
});
