/** What a session finds to be owed: duties of the way that it went, with what was found, due, in the ledger and in the minutes. */
import { beforeAll, describe, expect, it } from 'vitest';
import { ceremonyCustody } from '#ceremony/commands/ceremony-custody';
import { ceremonyDue } from '#ceremony/commands/ceremony-due';
import { ceremonyShow } from '#ceremony/commands/ceremony-show';
import { ceremonyPlan } from '#ceremony/commands/ceremony-plan';
import { fromUtf8 } from '#formats/bytes';
import { BRANCHED } from '../script/branched.js';
import { Disk, place } from './memory-host.js';
import { type Player, playedTerminal } from './people.js';
import { furnish, roomContext, runIn } from './room.js';

const OWING = `${BRANCHED}after:
  - { duty: 'look at number \${{ branches.output.number }} in the \${{ parameters.place }}', within: P30D }
  - { duty: 'have the printer oiled, which printed \${{ steps.typed.answer }}', within: P7D, branch: output.then }
  - { duty: 'have the printer mended', within: P10D, branch: output.else }
`;
const OUT = '/out';
let room: Disk;
beforeAll(() => {
  room = new Disk();
  furnish(room);
  place(room, '/ways.yaml', OWING);
});

/** A session of it, with the day on which it was held. */
async function held(player: Player): Promise<Disk> {
  const disk = room.copy();
  const context = await roomContext(disk, { terminal: playedTerminal(player) });
  expect(await runIn(context, { ceremony: '/ways.yaml', outDir: OUT })).toMatchObject({ ok: true });
  return disk;
}

function answering(...printers: readonly string[]): Player {
  const says = [...printers];
  return ({ key, kind }) => {
    if (kind === 'choose' && key === 'convene/printer') return says.shift() ?? 'works';
    if (kind === 'text' && key === 'paper/typed') return '17';
    if (kind === 'text' && key === 'hand/written') return '71';
    return undefined;
  };
}

const dutiesOn = async (disk: Disk): Promise<readonly string[]> =>
  (await ceremonyDue.run({ ceremony: OUT }, await roomContext(disk))).duties.map(
    ({ duty, state }) => `${state}: ${duty}`,
  );

describe('what is owed', () => {
  it.each([
    ['works', ['look at number 17 in the cellar', 'have the printer oiled, which printed 17']],
    ['broken', ['look at number 71 in the cellar', 'have the printer mended']],
  ])('where the printer %s is that of the way that was gone', async (printer, duties) => {
    const disk = await held(answering(printer));
    expect(await dutiesOn(disk)).toEqual(duties.map((duty) => `due: ${duty}`));
    const ledger = await ceremonyCustody.run({ sessions: [OUT] }, await roomContext(disk));
    const owed = ledger.lines.filter(({ event }) => event === 'owed');
    expect(owed).toHaveLength(1);
    expect(owed[0]).toMatchObject({
      person: 'administrator',
      what: expect.stringMatching(new RegExp(`^${duties[1] ?? ''} \\(by 20`)),
      step: 'how the number gets on paper',
    });
    const minutes = fromUtf8(disk.files.get(`${OUT}/minutes.md`) ?? new Uint8Array());
    expect(minutes).toMatch(new RegExp(`## Due afterwards[\\s\\S]*${duties[1] ?? ''}`));
    expect(minutes).not.toContain(printer === 'works' ? 'mended' : 'oiled');
  });

  it('is done once it is on the record, and the others stay due', async () => {
    const disk = await held(answering('works'));
    const context = await roomContext(disk);
    await ceremonyDue.run({ ceremony: OUT, done: 2, note: 'two drops' }, context);
    const { duties } = await ceremonyDue.run({ ceremony: OUT }, context);
    expect(duties.map(({ state }) => state)).toEqual(['due', 'done']);
  });

  it('is owed by a session that was closed and not signed yet, which is named until it is', async () => {
    const disk = await held(answering('works'));
    const context = await roomContext(disk, { terminal: playedTerminal() });
    const signed = await ceremonyDue.run({ ceremony: OUT }, context);
    expect(signed).toMatchObject({ ok: true, unsigned: [] });
    // The process was gone between the last entry and the signatures.
    for (const name of ['transcript.json', 'minutes.md']) disk.files.delete(`${OUT}/${name}`);
    const due = await ceremonyDue.run({ ceremony: OUT }, context);
    expect(due).toMatchObject({ ok: false, overdue: 0, unsigned: [OUT] });
    expect(due.duties).toEqual(signed.duties.map((duty) => ({ ...duty, signed: false })));
    const said = ceremonyDue.present?.(due) ?? '';
    expect(said).toContain(`NOT SIGNED: ${OUT} is closed`);
    expect(said.match(/, not signed/g)).toHaveLength(2);
    await runIn(context, { ceremony: OUT, resume: true });
    expect(await ceremonyDue.run({ ceremony: OUT }, context)).toEqual(signed);
    expect(ceremonyDue.present?.(signed)).not.toMatch(/not signed/i);
  });

  it('is not what a way left behind that was taken back', async () => {
    let refused = false;
    const printers = answering('works', 'broken');
    const disk = await held((asked) => {
      if (asked.key === 'compare/compare/witness' && !refused) {
        refused = asked.kind === 'choose';
        return refused ? 'no' : false;
      }
      return printers(asked);
    });
    expect(refused).toBe(true);
    expect(await dutiesOn(disk)).toEqual([
      'due: look at number 71 in the cellar',
      'due: have the printer mended',
    ]);
  });

  it('is nothing after a rehearsal, whose minutes say so', async () => {
    const disk = room.copy();
    const context = await roomContext(disk, { terminal: playedTerminal(answering('works')) });
    await runIn(context, { ceremony: '/ways.yaml', outDir: OUT, rehearse: true });
    expect(await dutiesOn(disk)).toEqual([]);
    const minutes = fromUtf8(disk.files.get(`${OUT}/minutes.md`) ?? new Uint8Array());
    expect(minutes).toContain('A rehearsal owes nothing. A real session would owe:');
  });

  it('stands on the paper and in the description with the way that owes it', async () => {
    const context = await roomContext(room.copy());
    const shown = await ceremonyShow.run({ ceremony: '/ways.yaml' }, context);
    expect(ceremonyShow.present?.(shown)).toContain(
      'have the printer mended (within P10D, way output.else)',
    );
    const { plan } = await ceremonyPlan.run(
      { ceremony: '/ways.yaml', format: 'markdown' },
      context,
    );
    expect(plan).toContain('have the printer oiled, which printed ______ (way "then" of output)');
    expect(plan).toContain(
      "act 2, when the answer of step 1.2 is 'works' and the parameter place is 'cellar'",
    );
    expect(plan).toContain('of each branch the longer way');
  });
});
