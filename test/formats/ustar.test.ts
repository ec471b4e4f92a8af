import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { utf8 } from '#formats/bytes';
import { decodeTar, encodeTar, fitsTar, looksLikeTar, type TarFile } from '#formats/ustar';
import { fc } from '../support/property.js';
import { hasProgram, needs } from '../support/require.js';
import { fuzz } from './mutate.js';

const tar = needs('tar', hasProgram('tar'), 'it lists and extracts what we write');
const LIMITS = { maxFiles: 20, maxBytes: 1024 * 1024 };
const decode = (bytes: Uint8Array, limits = LIMITS): readonly TarFile[] =>
  decodeTar(bytes, 'a.tar', limits);
const file = (name: string, text = name): TarFile => ({ name, bytes: utf8(text) });
const LONG = `${'folder/'.repeat(20)}${'n'.repeat(90)}`;
const FILES = [file('d/a'), file('d/b', ''), file('d/b-c', 'x'.repeat(512)), file('d/ü/Ada L.')];
const valid = encodeTar(FILES);

/** A copy with bytes of one header changed, its checksum made right again as a forger would. */
function forged(at: number, change: (header: Buffer) => void): Uint8Array {
  const out = Buffer.from(valid);
  const header = out.subarray(at, at + 512);
  change(header);
  header.write('        ', 148, 'latin1');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return out;
}

describe('ustar', () => {
  it('comes back as it was, in the order of names, whatever the order before', () => {
    const part = fc.stringMatching(/^[a-z-]{1,12}$/);
    const name = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
    fc.assert(
      fc.property(
        fc.dictionary(name, fc.uint8Array({ maxLength: 1100 }), { maxKeys: 6 }),
        (content) => {
          const names = Object.keys(content);
          fc.pre(!names.some((a) => names.some((b) => b.startsWith(`${a}/`))));
          const files = names.map((it) => ({ name: it, bytes: content[it] as Uint8Array }));
          const bytes = encodeTar(files);
          const back = decode(bytes);
          expect(back.map((it) => it.name)).toEqual([...names].sort());
          expect(new Map(back.map((it) => [it.name, Buffer.from(it.bytes)]))).toEqual(
            new Map(files.map((it) => [it.name, Buffer.from(it.bytes)])),
          );
          expect(encodeTar(files.toReversed())).toEqual(bytes);
        },
      ),
    );
  });

  it.each([
    ['', false],
    ['/etc/passwd', false],
    ['a/../b', false],
    ['./a', false],
    ['a//b', false],
    ['a/', false],
    ['a\\b', false],
    ['a\nb', false],
    ['a\u202eb', false],
    ['\ud800', false],
    ['n'.repeat(101), false],
    [`${'p'.repeat(156)}/n`, false],
    [`${'p'.repeat(155)}/${'n'.repeat(100)}`, true],
    [LONG, true],
    ['Ada Lovelace/ü', true],
  ])('the name %j: %s', (name, fits) => {
    expect(fitsTar(name)).toBe(fits);
    if (fits) expect(decode(encodeTar([file(name)]))[0]?.name).toBe(name);
    else expect(() => encodeTar([file(name)])).toThrow(/cannot be a name/);
  });

  it.each([
    ['a name given twice', [file('a'), file('a', 'other')]],
    ['a file that is a folder', [file('a'), file('a-b'), file('a/b')]],
  ])('does not write %s', (_, files) => {
    expect(() => encodeTar(files)).toThrow(/cannot be a name/);
  });

  const set = (offset: number, text: string) => (header: Buffer) =>
    void header.write(text, offset, 'latin1');
  it.each<readonly [string, Uint8Array]>([
    ['a symbolic link', forged(0, set(156, '2'))],
    ['a hard link', forged(0, set(156, '1'))],
    ['a folder', forged(0, set(156, '5'))],
    ['an extended header', forged(0, set(156, 'x'))],
    ['a name of GNU', forged(0, set(156, 'L'))],
    ['an old plain file', forged(0, set(156, '\0'))],
    ['a link name', forged(0, set(157, '/etc/passwd'))],
    ['a way up', forged(0, set(0, '../a'))],
    ['a way from the root', forged(0, set(0, '/a\0'))],
    ['a name twice', forged(1024, set(0, 'd/a'))],
    ['another order', forged(1024, set(0, 'd/A'))],
    ['another mode', forged(0, set(100, '0000755'))],
    ['an owner', forged(0, set(108, '0001750'))],
    ['a name of an owner', forged(0, set(265, 'root'))],
    ['another time', forged(0, set(136, '13602760401'))],
    ['spaces before a number', forged(0, set(124, '          3'))],
    ['a size beyond the end', forged(0, set(124, '77777777777'))],
    ['a size in base 256', forged(0, (header) => void (header[124] = 0x80))],
    ['something behind a name', forged(0, set(4, 'x'))],
    ['a name that is cut elsewhere', forged(0, (h) => (set(0, 'a\0\0')(h), set(345, 'd')(h)))],
    ['the magic of GNU', forged(0, set(257, 'ustar  \0'))],
    ['another checksum', Buffer.concat([valid]).fill('1', 148, 149)],
    ['something in the padding', Buffer.concat([valid]).fill(1, 600, 601)],
    ['one zero block', valid.subarray(0, -512)],
    ['a third zero block', Buffer.concat([valid, Buffer.alloc(512)])],
    ['a byte more', Buffer.concat([valid, Buffer.alloc(1)])],
    ['something behind the end', Buffer.concat([valid, valid])],
    ['no end', valid.subarray(0, -1024)],
    ['half a header', valid.subarray(0, 700)],
    ['nothing', new Uint8Array(0)],
  ])('refuses %s', (_, bytes) => {
    expect(() => decode(bytes)).toThrow(
      expect.objectContaining({ exitCode: 65, code: 'E_TAR_MALFORMED' }) as Error,
    );
  });

  it('has limits, looked at before anything is read', () => {
    const few = { maxFiles: FILES.length - 1, maxBytes: valid.length };
    const small = { maxFiles: 20, maxBytes: valid.length - 1 };
    const tooLarge = expect.objectContaining({ code: 'E_TAR_TOO_LARGE', exitCode: 65 }) as Error;
    for (const limits of [few, small]) expect(() => decode(valid, limits)).toThrow(tooLarge);
    expect(decode(valid, { maxFiles: FILES.length, maxBytes: valid.length })).toHaveLength(4);
  });

  it('holds nothing, when there is nothing', () => {
    expect(decode(encodeTar([]))).toEqual([]);
    expect([looksLikeTar(valid), looksLikeTar(utf8('{}')), looksLikeTar(encodeTar([]))]).toEqual([
      true,
      false,
      false,
    ]);
  });

  it('survives mutations, and reads none of them as something else', async () => {
    await fuzz([valid, encodeTar([file(LONG)])], (input) => {
      const files = decode(input);
      // What is read is the only archive of these files.
      expect(Buffer.compare(encodeTar(files), input)).toBe(0);
    });
  });
});

describe.skipIf(!tar)('tar', () => {
  let work: string;
  beforeAll(() => {
    work = mkdtempSync(join(tmpdir(), 'conclave-tar-'));
  });
  afterAll(() => {
    rmSync(work, { recursive: true, force: true });
  });

  it('lists and extracts what we write, without a word of complaint', () => {
    const files = [...FILES, file(LONG, 'far down')];
    writeFileSync(join(work, 'ours.tar'), encodeTar(files));
    const env = { ...process.env, LC_ALL: 'C.UTF-8', TZ: 'UTC' };
    const run = (...words: string[]) =>
      spawnSync('tar', words, { cwd: work, encoding: 'utf8', env });
    const listed = run('--numeric-owner', '-tvf', 'ours.tar', '--quoting-style=literal');
    expect([listed.status, listed.stderr]).toEqual([0, '']);
    expect(listed.stdout.split('\n')[0]).toMatch(/^-rw-r--r-- 0\/0 +3 2020-01-01 00:00 d\/a$/);
    const extracted = run('-xf', 'ours.tar');
    expect([extracted.status, extracted.stderr]).toEqual([0, '']);
    for (const { name, bytes } of files) {
      expect(readFileSync(join(work, name)).equals(bytes)).toBe(true);
      expect(statSync(join(work, name)).mtimeMs).toBe(1_577_836_800_000);
    }
    // What tar packs again is another file, and is told to be one.
    expect(run('-cf', 'theirs.tar', '--format=ustar', 'd').status).toBe(0);
    expect(() => decode(readFileSync(join(work, 'theirs.tar')))).toThrow(
      /no archive that conclave writes/,
    );
  });
});
