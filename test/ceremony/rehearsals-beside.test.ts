/** The folder of a ceremony, verified: the rehearsals in it are not the ceremony, and do not decide. */
import { describe, expect, it } from 'vitest';
import { verify } from '#actions/verify';
import { apartFromRehearsals } from '#actions/session/rehearsals';
import { smallCeremony } from './directory.js';
import { Disk, place } from './memory-host.js';
import { playedTerminal } from './people.js';
import { furnish, roomContext, runIn } from './room.js';

const STEP =
  '- { id: look, title: The administrator looks, by: administrator, do: confirm, say: All is well. }';

describe('a ceremony that was rehearsed and then held', () => {
  it('is judged by what was held; where there are rehearsals only, by them', async () => {
    const disk = new Disk();
    furnish(disk);
    place(disk, '/small.yaml', smallCeremony(STEP));
    const hold = async (name: string, rehearse: boolean): Promise<void> => {
      const context = await roomContext(disk, { terminal: playedTerminal(() => undefined) });
      const outDir = `/acme/sessions/${name}`;
      await runIn(context, { ceremony: '/small.yaml', outDir, rehearse });
    };
    const judge = async () =>
      await verify.run(
        { targets: ['/acme'], signer: [], allowUnpinned: true },
        await roomContext(disk),
      );
    await hold('1', true);
    const first = await judge();
    expect(first).toMatchObject({ leftOut: [] });
    expect(first.verdicts[0]?.summary).toMatch(/^REHEARSAL/);
    await hold('2', false);
    const both = await judge();
    expect(both).toMatchObject({ ok: true, leftOut: ['/acme/sessions/1/transcript.json'] });
    expect(both.verdicts.map(({ file }) => file)).toEqual(['/acme/sessions/2/transcript.json']);
    expect(verify.present?.(both)).toMatch(
      /\n\nleft out: \/acme\/sessions\/1\/transcript\.json: a rehearsal/,
    );
    // What cannot be read is judged, and fails there.
    place(disk, '/acme/sessions/3/transcript.json', '{}\n');
    const paths = ['1', '2', '3'].map((name) => `/acme/sessions/${name}/transcript.json`);
    const apart = await apartFromRehearsals(paths, await roomContext(disk));
    expect(apart).toEqual({ paths: paths.slice(1), leftOut: paths.slice(0, 1) });
  });
});
