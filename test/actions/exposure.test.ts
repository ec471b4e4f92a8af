/** What `qr show` lets a camera see: pages, pictures and packed files are no exception, archives of sessions are judged by their content. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { exposureOf } from '#actions/qr/exposure';
import { utf8 } from '#formats/bytes';
import { decodeTar, encodeTar } from '#formats/ustar';
import { root } from '../support/require.js';

const sample = (path: string): Uint8Array =>
  new Uint8Array(readFileSync(join(root, 'test/compat', path)));
const judged = async (bytes: Uint8Array, name = 'a'): Promise<string> =>
  (await exposureOf(bytes, name)).exposure;
const after = (start: readonly number[]): Uint8Array =>
  Uint8Array.from([...start, ...Array.from({ length: 300 }, (_, i) => (i * 37 + 11) & 0xff)]);

describe('what a page, a picture or a packed file shows', () => {
  it.each([
    ['PDF', after([0x25, 0x50, 0x44, 0x46, 0x2d])],
    ['PostScript', utf8('%!PS-Adobe-3.0\n/Courier findfont\n')],
    ['PNG', sample('v2/share-card/card-3.png')],
    ['JPEG', after([0xff, 0xd8, 0xff, 0xe0])],
    ['GIF', after([...Buffer.from('GIF89a')])],
    ['WebP', after([...Buffer.from('RIFF....WEBPVP8 ')])],
    ['TIFF', after([0x49, 0x49, 0x2a, 0])],
    ['SVG', utf8('<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>\n')],
    ['HTML', utf8('<!DOCTYPE html>\n<html><body>01 NG06 WRVF</body></html>\n')],
    ['zip', after([0x50, 0x4b, 3, 4])],
    ['gzip', after([0x1f, 0x8b, 8])],
    ['xz', after([0xfd, 0x37, 0x7a, 0x58, 0x5a])],
    ['zstd', after([0x28, 0xb5, 0x2f, 0xfd])],
    ['7z', after([0x37, 0x7a, 0xbc, 0xaf])],
    ['tar', encodeTar([{ name: 'a/card.txt', bytes: utf8('01 NG06 WRVF') }])],
  ])('%s: cannot be told', async (_name, bytes) => {
    expect(await judged(bytes)).toBe('unknown');
  });

  it('words that only speak of them are words', async () => {
    for (const text of ['the PDF of the card\n', 'an SVG: <svg> is how it begins\n', 'PKI, gzip\n'])
      expect(await judged(utf8(text))).toBe('public');
  });
});

describe('a card as text', () => {
  it('is what the share on it is', async () => {
    const card = sample('v2/share-card/card-1.txt');
    expect(await judged(card)).toBe('sealed');
    const garbled = Buffer.from(card)
      .toString('latin1')
      .replace(/^(05 +)\w{4}/m, '$1ZZZZ');
    expect(await judged(utf8(garbled))).toBe('unknown');
  });
});

describe('an archive of a session', () => {
  const archive = sample('v2/archives/quickstart.tar');
  const limits = { maxFiles: 1000, maxBytes: 1 << 26 };
  const packed = (path: string, bytes: Uint8Array): Uint8Array => {
    const members = decodeTar(archive, 'a.tar', limits);
    const folder = members[0]?.name.split('/')[0] ?? '';
    return encodeTar([...members, { name: `${folder}/artifacts/${path}`, bytes }]);
  };

  it('is public, bare signature and all', async () => {
    expect(await judged(archive)).toBe('public');
  });

  it.each([
    ['a key', 'v1/plain.key', 'private-key'],
    ['a share', 'v1/shares-unsealed/share-1.cbor', 'unsealed-share'],
    ['a sealed share', 'v1/shares-passphrase/share-1.cbor', 'sealed'],
    ['a card', 'v2/share-card/card-1.txt', 'sealed'],
    ['a picture of a card', 'v2/share-card/card-3.png', 'unknown'],
    ['a trace', 'v2/traces/release.trace', 'unknown'],
  ])('with %s in it is what that is', async (_what, path, expected) => {
    expect(await judged(packed('x', sample(path)))).toBe(expected);
  });

  it('that cannot be read is unknown', async () => {
    const cut = archive.slice(0, archive.length - 2048);
    expect((await exposureOf(cut, 'a')).kind).toBe('session-archive');
    expect(await judged(cut)).toBe('unknown');
  });
});
