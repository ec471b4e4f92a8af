/** Somebody comes back with cards and no files: lines typed and a code scanned at a real terminal, wrong ones named at once. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { lineText, linesOf } from '#carriage/transport/line-code';
import { encodeFilePayload, FILE_UR_TYPE } from '#carriage/transport/payload';
import { encodeUr } from '#carriage/transport/ur';
import { sha256 } from '#crypto/hash';
import { hasProgram, needs, root } from '../support/require.js';
import { Tmux } from '../support/tmux.js';

const tmux = needs('tmux', hasProgram('tmux'), 'a real terminal');
const work = mkdtempSync(join(tmpdir(), 'conclave-pty-cards-'));
const conclave = [process.execPath, join(root, 'bin/conclave.js')];
const env = { CONCLAVE_HOME: join(work, 'home'), HOME: work, LC_ALL: 'C.UTF-8' };
const compat = join(root, 'test/compat/v1');
afterAll(() => {
  rmSync(work, { recursive: true, force: true });
});

const share = (folder: string, n: number): Uint8Array =>
  new Uint8Array(readFileSync(join(compat, folder, `share-${n}.cbor`)));
/** The lines of a card as they stand on the paper. */
const printed = (bytes: Uint8Array): readonly string[] => linesOf(bytes, 'share').map(lineText);
const code = (bytes: Uint8Array): string =>
  encodeUr(FILE_UR_TYPE, encodeFilePayload({ kind: 'share', name: 'share', bytes }, sha256));
const passphrase = readFileSync(join(compat, 'passphrase.txt'), 'utf8').trim();

describe.runIf(tmux)('cards at a terminal', () => {
  it('bring the key back, each word checked as it is typed', async () => {
    const [one, three, foreign] = [
      share('shares-passphrase', 1),
      share('shares-passphrase', 3),
      share('shares-unsealed', 2),
    ] as const;
    using terminal = new Tmux(
      [...conclave, 'share', 'combine', '--out', 'back.key', '--no-passphrase'],
      { cwd: work, env },
    );
    const shows = (what: string | RegExp) =>
      terminal.until(({ text }) => new RegExp(what).test(text), String(what));
    await shows('How does the card come in');
    terminal.press('Enter');
    await shows('scan, or line 01');
    const lines = printed(one);
    const typed = (lines[0] as string).replace(/.$/, (last) => (last === '7' ? '8' : '7'));
    terminal.answer(typed);
    await shows('[Ll]ine 01 does not fit its check characters');
    for (const line of lines) terminal.answer(line.toLowerCase());
    const whole = await shows('Card 1 is whole. Now 1 of 2 shares are here');
    // What was typed is gone before the next custodian sits down.
    expect(terminal.history()).not.toContain((lines[3] as string).toLowerCase());
    expect(whole.text).not.toContain((lines[3] as string).toLowerCase());
    terminal.answer(code(one));
    await shows('card 1, which is here already');
    for (const line of printed(foreign).slice(0, 4)) terminal.answer(line);
    await shows('does not belong: it is of set');
    terminal.answer(code(three).toUpperCase());
    for (const card of [1, 3]) {
      const { rows } = await shows(`Passphrase for share ${card} `);
      expect(rows.join('\n')).not.toMatch(/UR:/i);
      terminal.answer(passphrase);
    }
    const done = await terminal.until(({ ended }) => ended !== undefined, 'the end');
    expect(done.ended, done.text).toBe(0);
    expect(done.text).toMatch(/recovered the ed25519\+ml-dsa-65 key/);
    expect(terminal.history()).not.toContain(passphrase);
    for (const { rows } of terminal.screens)
      expect(Math.max(...rows.map((row) => row.length))).toBeLessThanOrEqual(80);
  });

  it('check one, and leave nothing when somebody stops half-way', async () => {
    const lines = printed(share('shares-unsealed', 1));
    using terminal = new Tmux([...conclave, 'share', 'check'], { cwd: work, env });
    await terminal.until(({ text }) => text.includes('How does the card'), 'the question');
    terminal.press('Enter');
    await terminal.until(({ text }) => text.includes('scan, or line 01'), 'the first line');
    for (const line of lines.slice(0, 3)) terminal.answer(line);
    await terminal.until(({ text }) => text.includes('line 04'), 'the fourth line');
    terminal.press('C-c');
    const left = await terminal.until(({ ended }) => ended !== undefined, 'the end');
    expect(left.ended).toBe(130);
    for (const line of lines.slice(0, 3)) expect(terminal.history()).not.toContain(line);
  });
});
