/** threshold-dkg, killed where the parties act: it goes on from the folder, and no party ever says two things in one place. */
import { basename } from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { readTranscript } from '#actions/threshold/transcript';
import { spread, thorough } from '../support/require.js';
import { checkSession, problemsOf } from './evidence.js';
import { type Change, Disk } from './memory-host.js';
import { furnish, roomContext, runIn } from './room.js';

vi.setConfig({ testTimeout: 600_000, hookTimeout: 600_000 });

const OUT = '/out';
const DKG = {
  ceremony: 'threshold-dkg',
  outDir: OUT,
  rehearse: true,
  answers: '/shipped/answers/threshold-dkg.yaml',
  param: ['suite=ristretto255'],
} as const;

/** What parties wrote for one another, by name. */
function said(disk: Disk): ReadonlyMap<string, Uint8Array> {
  const at = `${OUT}/artifacts/threshold/`;
  return new Map(
    [...disk.files]
      .filter(([path]) => path.startsWith(at))
      .map(([path, bytes]) => [basename(path), bytes]),
  );
}

const moments: { readonly at: string; readonly disk: Disk }[] = [];

beforeAll(async () => {
  const disk = new Disk();
  furnish(disk);
  const after = ({ number, call, path }: Change, now: Disk): void => {
    moments.push({ at: `after ${call} ${number} (${path})`, disk: now.copy() });
  };
  const context = await roomContext(disk, { host: { faults: { after } } });
  expect(await runIn(context, DKG)).toMatchObject({ ok: true });
});

describe('threshold-dkg, killed', () => {
  it('goes on from every write to one key that all acknowledge', async () => {
    const acting = moments.filter(({ disk }) => said(disk).size > 0);
    expect(acting.length).toBeGreaterThan(120);
    // While shares are there to be lost, and messages to be said twice.
    const speaking = acting.filter(({ disk }) => {
      const names = [...said(disk).keys()];
      return names.some((name) => /-[1-4]-/.test(name));
    });
    expect(speaking.length).toBeGreaterThan(60);
    const wrong: string[] = [];
    const chosen = thorough
      ? new Set([...spread(acting, 4), ...spread(speaking, 6)])
      : spread(speaking, 3).slice(1, 2);
    for (const { at, disk: killed } of chosen) {
      const disk = killed.copy();
      const result = await runIn(await roomContext(disk), { ...DKG, resume: true });
      if (!result.ok) wrong.push(`${at}: ${result.reason ?? 'not completed'}`);
      const checked = await checkSession(disk, OUT, await (await roomContext(disk)).catalogue());
      if (!checked.verdict.ok) wrong.push(`${at}: ${problemsOf(checked.verdict).join('; ')}`);
      const now = said(disk);
      for (const [name, bytes] of said(killed)) {
        const again = now.get(name);
        const same = again === undefined || Buffer.from(again).equals(bytes);
        if (/-[1-4]-.*\.msg$/.test(name) && !same) wrong.push(`${at}: ${name} was said twice`);
      }
      const transcript = now.get('transcript.json') ?? new Uint8Array(0);
      const read = await readTranscript(transcript, 'transcript.json');
      if (read.problems.length > 0) wrong.push(`${at}: ${read.problems.join('; ')}`);
      const shares = [...disk.files.keys()].filter((path) =>
        /artifacts\/shares\/.*\.key$/.test(path),
      );
      if (shares.length !== 3) wrong.push(`${at}: ${shares.length} shares`);
      const left = [...disk.files.keys()].filter(
        (path) => path.startsWith(`${OUT}/parties/`) && !path.endsWith('/seat'),
      );
      if (left.length > 0) wrong.push(`${at}: ${left.join(', ')} is left`);
    }
    expect(wrong).toEqual([]);
  });
});
