/** `share print` and what reads a card's text again: check, combine, show, verify, and the reader in plain Python. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { recogniseKind } from '#actions/artifacts/catalogue';
import { shareCheck } from '#actions/share-check';
import { shareCombine } from '#actions/share-combine';
import { sharePrint } from '#actions/share-print';
import { shareShow } from '#actions/share-show';
import { utf8 } from '#formats/bytes';
import { seededRandom, mutate } from '../formats/mutate.js';
import { hasProgram, needs, root } from '../support/require.js';
import { Desk, type DeskOptions } from './desk.js';

const python = needs('python3', hasProgram('python3'), 'no Python 3');
const READER = join(root, 'test/independent/recover.py');
const recover = (...args: string[]) =>
  spawnSync('python3', [READER, ...args, '--out', '-'], { timeout: 200_000 });

type PrintInput = Parameters<typeof sharePrint.run>[0];

const print = (desk: Desk, input: Partial<PrintInput>, options: DeskOptions = {}) =>
  sharePrint.run(
    {
      shares: [],
      custodian: [],
      paper: 'a4',
      format: 'text',
      unlock: 'blank',
      ...input,
    },
    desk.context(options),
  );

describe('share print', () => {
  it('prints a card for each share, private, named by nothing but its number', async () => {
    using desk = new Desk();
    const pass = desk.write('pass', 'seven quiet words that nobody else knows');
    const { shares } = await desk.split({
      in: desk.write('x', utf8('hi')),
      sealPassphraseFile: [pass],
    });
    for (const format of ['text', 'svg', 'html', 'pdf'] as const) {
      const result = await print(desk, { shares, format, outDir: desk.path(format) });
      const extension = format === 'text' ? 'txt' : format;
      expect(desk.files(format)).toEqual([1, 2, 3].map((n) => `card-${n}.${extension}`));
      expect(result.shares).toEqual(['1', '2', '3']);
      for (const path of result.cards) {
        expect(statSync(path).mode & 0o777).toBe(0o600);
        expect(readFileSync(path).includes('quiet')).toBe(false);
      }
    }
    const one = await print(desk, { shares, format: 'pdf', out: desk.path('all.pdf') });
    expect(one.cards).toEqual([desk.path('all.pdf')]);
    expect(readFileSync(desk.path('all.pdf'), 'latin1').match(/\/Type \/Page\b/g)).toHaveLength(3);
    expect(desk.events.filter(({ type }) => type === 'share.print')).toHaveLength(5);
  });

  it('prints unlock words only when asked, and only those that open the share', async () => {
    using desk = new Desk();
    const words = 'seven quiet words that nobody knows';
    const { shares } = await desk.split({
      in: desk.write('x', utf8('hi')),
      sealPassphraseFile: [desk.write('pass', words)],
    });
    const out = desk.path('card.txt');
    const asked = { shares: shares.slice(0, 1), unlock: 'strip', out };
    await expect(print(desk, asked, { passphrases: ['another'] })).rejects.toMatchObject({
      exitCode: 77,
    });
    expect(existsSync(out)).toBe(false);
    const result = await print(desk, asked, { passphrases: ['another', words] });
    expect(result.unlock).toBe('printed');
    expect(result.notes.join()).toContain('remove them');
    const text = readFileSync(out, 'utf8');
    expect(text).toContain(words);
    expect(text.indexOf(words)).toBeGreaterThan(text.indexOf('cut here'));
    expect(JSON.stringify(desk.events)).not.toContain('quiet');
    expect(JSON.stringify(result)).not.toContain('quiet');
  });

  it('refuses what is open, foreign, doubled, or has nowhere to go', async () => {
    using desk = new Desk();
    const open = await desk.split({ in: desk.write('x', utf8('hi')), unsealed: true });
    const other = await desk.split({
      in: desk.write('y', utf8('ho')),
      unsealed: true,
      outDir: desk.path('other'),
    });
    const outDir = desk.path('cards');
    await expect(print(desk, { shares: open.shares, outDir })).rejects.toMatchObject({
      code: 'E_CARD_UNSEALED',
      exitCode: 77,
    });
    const unsealed = true;
    await expect(
      print(desk, { shares: open.shares, set: other.set, outDir, unsealed }),
    ).rejects.toMatchObject({
      code: 'E_SHARE_ODD',
    });
    const [first = ''] = open.shares;
    await expect(print(desk, { shares: [first, first], outDir, unsealed })).rejects.toMatchObject({
      code: 'E_CARD_TWICE',
    });
    await expect(print(desk, { shares: [first], unsealed })).rejects.toMatchObject({
      code: 'E_CARD_OUT',
      exitCode: 2,
    });
    await expect(
      print(desk, { shares: [first], custodian: ['A', 'B'], outDir, unsealed }),
    ).rejects.toMatchObject({
      code: 'E_CARD_CUSTODIANS',
    });
    expect(existsSync(outDir)).toBe(false);
    await print(desk, { shares: [first], outDir, unsealed });
    await expect(print(desk, { shares: [first], outDir, unsealed })).rejects.toMatchObject({
      exitCode: 73,
    });
  });

  it('leaves the line of a name blank that a PDF cannot draw, and says so', async () => {
    using desk = new Desk();
    const { shares } = await desk.split({ in: desk.write('x', utf8('hi')), unsealed: true });
    const input = { shares: shares.slice(0, 1), unsealed: true, custodian: ['Łukasz 山'] };
    const pdf = await print(desk, { ...input, format: 'pdf', out: desk.path('a.pdf') });
    expect(pdf.notes.join()).toContain('Łukasz 山');
    const html = await print(desk, { ...input, format: 'html', out: desk.path('a.html') });
    expect(html.notes).toEqual([]);
    expect(readFileSync(desk.path('a.html'), 'utf8')).toContain('Łukasz 山');
  });

  it('marks what is not for production', async () => {
    using desk = new Desk();
    const { shares } = await desk.split(
      { in: desk.write('x', utf8('hi')), unsealed: true },
      { environment: 'rehearsal' },
    );
    await print(desk, { shares: shares.slice(0, 1), unsealed: true, out: desk.path('c.txt') });
    expect(readFileSync(desk.path('c.txt'), 'utf8')).toContain('*** REHEARSAL: not a real key ***');
  });
});

describe('the text of a card', () => {
  it('is a share to check, combine, show and verify, and to the reader in Python', async () => {
    using desk = new Desk();
    const secret = utf8('what the cards bring back');
    const pass = desk.write('pass', 'seven quiet words');
    const { shares, set } = await desk.split({
      in: desk.write('x', secret),
      sealPassphraseFile: [pass],
    });
    const { cards } = await print(desk, { shares, outDir: desk.path('cards') });
    const options = { passphrases: ['seven quiet words'] };
    const checked = await shareCheck.run({ shares: cards, set }, desk.context(options));
    expect(checked.ok).toBe(true);
    const out = desk.path('back');
    await shareCombine.run({ shares: cards.slice(1), out }, desk.context(options));
    expect(desk.read('back')).toEqual(secret);
    const { shares: shown } = await shareShow.run({ shares: cards }, desk.context());
    expect(shown[1]?.says.join(' ')).toContain('share 2 of the set');
    const [card = ''] = cards;
    const bytes = new Uint8Array(readFileSync(card));
    const kind = await recogniseKind(bytes, card);
    expect(kind.kind).toBe('share-card');
    expect(await kind.show(bytes, card, desk.context())).toMatchObject({
      card: 'text',
      share: '1',
    });
    const verdict = await kind.verify(bytes, card, desk.context(), {
      signers: [],
      allowUnpinned: false,
    });
    expect(verdict).toMatchObject({ ok: true, kind: 'share-card' });
    if (!python) return;
    const run = recover('--passphrase-file', pass, ...cards.slice(0, 2));
    expect(new Uint8Array(run.stdout)).toEqual(secret);
  });

  it('carries a package that has no room in the share', async () => {
    using desk = new Desk();
    const secret = desk.context().random(600);
    const { shares, set } = await desk.split({ in: desk.write('x', secret), unsealed: true });
    const { cards } = await print(desk, {
      shares,
      set,
      unsealed: true,
      outDir: desk.path('cards'),
    });
    const out = desk.path('back');
    await shareCombine.run({ shares: cards.slice(1), out }, desk.context());
    expect(desk.read('back')).toEqual(secret);
    if (!python) return;
    expect(new Uint8Array(recover(...cards.slice(0, 2)).stdout)).toEqual(secret);
  });

  it('of words is read as words', async () => {
    using desk = new Desk();
    const secret = desk.context().random(32);
    const { shares, set } = await desk.split({
      in: desk.write('x', secret),
      format: 'slip39',
      unsealed: true,
    });
    const { cards } = await print(desk, {
      shares,
      set,
      unsealed: true,
      outDir: desk.path('cards'),
    });
    await shareCombine.run({ shares: cards.slice(1), set, out: desk.path('back') }, desk.context());
    expect(desk.read('back')).toEqual(secret);
    if (python)
      expect(new Uint8Array(recover('--set', set, ...cards.slice(0, 2)).stdout)).toEqual(secret);
  });

  it('names the line that was typed wrong, here and in Python', async () => {
    using desk = new Desk();
    const { shares } = await desk.split({ in: desk.write('x', utf8('hi')), unsealed: true });
    const { cards } = await print(desk, { shares, unsealed: true, outDir: desk.path('cards') });
    const [card = ''] = cards;
    const text = readFileSync(card, 'utf8');
    const at = text.indexOf('\n05  ') + 7;
    writeFileSync(
      card,
      text.slice(0, at) + (text.charAt(at) === '7' ? '8' : '7') + text.slice(at + 1),
    );
    await expect(shareCheck.run({ shares: [card] }, desk.context())).rejects.toMatchObject({
      code: 'E_CARD_LINE',
      exitCode: 1,
      message: `${card}: line 05 does not fit its check characters: look at group 1`,
    });
    if (!python) return;
    const run = recover(...cards);
    expect(run.status).toBe(1);
    expect(run.stderr.toString()).toContain('line 05 does not fit');
  });

  it('is refused in clear words when it was changed in any way', async () => {
    using desk = new Desk();
    const { shares } = await desk.split({ in: desk.write('x', utf8('hi')), unsealed: true });
    const { cards } = await print(desk, { shares, unsealed: true, outDir: desk.path('cards') });
    const good = new Uint8Array(readFileSync(cards[0] as string));
    const next = seededRandom(11);
    const path = desk.path('bad.txt');
    for (let i = 0; i < 300; i++) {
      writeFileSync(path, mutate(good, next));
      try {
        const { ok } = await shareCheck.run({ shares: [path] }, desk.context());
        expect(typeof ok).toBe('boolean');
      } catch (error) {
        expect([1, 65, 2]).toContain((error as { exitCode?: number }).exitCode);
      }
    }
  });
});
