/** Codes as steps of a ceremony at a real terminal of 80 by 24: pasted in parts, shown, read from the screen, told apart. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { FountainEncoder } from '#carriage/transport/fountain-encoder';
import { encodeFilePayload, FILE_UR_TYPE } from '#carriage/transport/payload';
import { Receiver } from '#carriage/transport/receiver';
import { encodeUrPart } from '#carriage/transport/ur';
import { sha256 } from '#crypto/hash';
import { toHex, utf8 } from '#formats/bytes';
import { rasterOfRows } from '#terminal/code-drawing';
import { hasProgram, needs, root, thorough } from '../support/require.js';
import { Tmux } from '../support/tmux.js';
import { zxing } from '../transport/reader.js';

const tmux = needs('tmux', hasProgram('tmux'), 'a real terminal');
const work = mkdtempSync(join(tmpdir(), 'conclave-pty-codes-'));
afterAll(() => {
  rmSync(work, { recursive: true, force: true });
});

const SCRIPT = `conclave: 1
id: codes
title: Codes in and out
summary: DEV, nothing of it may be relied on.
classification: dev
roles:
  administrator: { count: 1, identity: optional, distinct-from: [witness], summary: drives }
  witness: { count: 1, identity: optional, distinct-from: [administrator], summary: attests }
acts:
  - id: one
    title: One
    steps:
      - id: arrive
        title: Take the note in
        by: administrator
        uses: qr.scan
        with: { out: note }
        effect: repeatable
      - id: leave
        title: Let the note out
        by: administrator
        uses: qr.show
        with: { file: '\${{ steps.arrive.file }}' }
        effect: repeatable
  - id: close
    title: Close
    steps:
      - { id: administrator, title: The administrator signs off, by: administrator, each: administrator, do: sign-off }
      - { id: witness, title: Each witness signs off, by: witness, each: witness, do: sign-off }
`;

describe.runIf(tmux && thorough)('a ceremony at a terminal', () => {
  it('takes a file in by code and lets it out by code', async () => {
    const note = utf8(
      'a note of two lines that takes some codes to carry\nand this is the second\n',
    );
    const digest = `sha256:${toHex(sha256(note))}`;
    writeFileSync(join(work, 'codes.yaml'), SCRIPT);
    const env = { CONCLAVE_HOME: join(work, 'home'), HOME: work, LC_ALL: 'C.UTF-8', NO_COLOR: '1' };
    const run = ['run', 'codes.yaml', '--out-dir', 'session'];
    using screen = new Tmux([process.execPath, join(root, 'bin/conclave.js'), ...run], {
      cwd: work,
      env,
    });

    await screen.until(({ text }) => text.includes('How does it come in?'), 'the choice of a way');
    screen.press('Enter');
    await screen.until(({ text }) => /^code:/m.test(text), 'the prompt for codes');
    const cbor = encodeFilePayload({ kind: 'file', name: 'note.txt', bytes: note }, sha256);
    const encoder = new FountainEncoder(cbor, 60, sha256);
    for (let n = encoder.fragments; n > 0; n--) {
      screen.answer(encodeUrPart(FILE_UR_TYPE, encoder.part(n)).toUpperCase());
      const received = encoder.fragments - n + 1;
      const told = `${received} of ${encoder.fragments} parts; code:`;
      if (n > 1) await screen.until(({ text }) => text.includes(told), told);
    }
    await screen.until(({ text }) => text.includes('How does it go out?'), 'the way out');
    expect(screen.read().text).toContain(digest);
    screen.press('Enter');

    // Each code held still, as a scanner wants it.
    // It moves, so that it is never steady; until it is stopped.
    while (!screen.read().text.includes('q end')) await new Promise((go) => setTimeout(go, 50));
    screen.press('r');
    screen.press('Space');
    const reader = await zxing();
    const receiver = new Receiver(sha256);
    let arrived: Uint8Array | undefined;
    const frameOf = (text: string): string | undefined => /frame \d+/.exec(text)?.[0];
    let last: string | undefined;
    for (let tries = 0; arrived === undefined && tries < 40; tries++) {
      const { rows, text } = await screen.until(
        (it) => it.text.includes('paused') && frameOf(it.text) !== last,
        'the next code, standing still',
      );
      last = frameOf(text);
      const drawn = rows.filter((row) => /[█▀▄]/.test(row) && /^[ █▀▄]*$/.test(row));
      const raster = rasterOfRows(drawn, 4, false);
      const [code] = raster === undefined ? [] : await reader.read(raster);
      const step = code === undefined ? undefined : receiver.take(code.text, 'the screen');
      if (step?.status === 'arrived' && step.arrival.form === 'file') arrived = step.arrival.bytes;
      screen.press('n');
    }
    expect(arrived).toEqual(note);
    screen.press('q');
    await screen.until(({ text }) => text.includes('say the digest above?'), 'the question');
    screen.press('Enter');
    await screen.until(
      ({ text }) => text.includes('what do you say of this record?'),
      'the sign-off',
    );
    screen.press('Enter');
    await screen.until(({ text }) => text.includes('witness: what do you say'), 'the witness');
    screen.press('Enter');
    const { ended } = await screen.until((it) => it.ended !== undefined, 'the end');
    expect(ended).toBe(0);
    const journal = readFileSync(join(work, 'session/journal.jsonl'), 'utf8');
    expect(journal.split(digest).length).toBeGreaterThan(3);
    for (const { rows } of screen.screens) expect(rows.length).toBeLessThanOrEqual(24);
  });
});
