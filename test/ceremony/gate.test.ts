/** A real ceremony at a machine that is not as its script requires: before the first step, and in the middle. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { Probe } from '#host/host';
import { enrol, participants } from './directory.js';
import { checkSession, problemsOf } from './evidence.js';
import { Disk, place } from './memory-host.js';
import { type Player, playedTerminal, type PlayedTerminal } from './people.js';
import { furnish, roomContext, runIn } from './room.js';

const DEFINITION = `conclave: 1
id: gate
title: Ceremony of a machine that must be in order
summary: A ceremony for tests.
classification: production
roles:
  administrator: { count: 1, identity: required, distinct-from: [witness], summary: drives }
  witness: { count: 1, identity: required, distinct-from: [administrator], summary: attests }
environment: { require: [swap, clock], recheck: every-act }
acts:
  - id: convene
    title: Convene
    steps:
      - { id: definition, title: The witness reads the definition, by: witness, do: read-back, value: '\${{ session.definition-digest }}' }
      - { id: execution, title: The witness reads the execution, by: witness, do: read-back, value: '\${{ session.execution-digest }}' }
  - id: work
    title: Work
    steps:
      - { id: look, title: The administrator looks, by: administrator, do: confirm, say: All is well. }
  - id: close
    title: Close
    steps:
      - { id: administrator, title: The administrator signs off, by: administrator, each: administrator, do: sign-off }
      - { id: witness, title: The witness signs off, by: witness, each: witness, do: sign-off }
`;
const PEOPLE = [
  { name: 'Ada', role: 'administrator', identity: true },
  { name: 'Wim', role: 'witness', identity: true },
];
const input = { ceremony: '/acme', outDir: '/out' } as const;

let room: Disk;

beforeAll(async () => {
  room = new Disk();
  furnish(room);
  place(room, '/acme/definition.yaml', DEFINITION);
  place(room, '/acme/participants.yaml', participants(PEOPLE));
  const context = await roomContext(room);
  for (const { name } of PEOPLE) await enrol(room, context, name);
  place(
    room,
    '/acme/site.yaml',
    `site: 1\nidentities:\n${PEOPLE.map(({ name }) => `  ${name}: ../people/${name}.key\n`).join('')}`,
  );
});

/** A machine on which swap is on while that is so; everything else is in order. */
function machine(swapping: () => boolean = () => false): () => readonly Probe[] {
  return () => {
    const found = swapping();
    return [
      { name: 'swap', result: found ? 'finding' : 'ok', detail: found ? 'swap is on' : 'no swap' },
      { name: 'clock', result: 'ok', detail: 'it agrees' },
    ];
  };
}

const journal = (disk: Disk): string =>
  Buffer.from(disk.files.get('/out/journal.jsonl') ?? []).toString();

/** Swap is on from the second act on. */
const afterTheFirst = (disk: Disk): (() => readonly Probe[]) =>
  machine(() => journal(disk).includes('"act":"work"'));

const choosing =
  (what: string): Player =>
  ({ key, kind }) =>
    key !== 'environment/required' ? undefined : kind === 'choose' ? what : 'it cannot be put off';

async function play(
  disk: Disk,
  airGap: () => readonly Probe[],
  terminal: PlayedTerminal,
  more: { readonly resume?: boolean; readonly outDir?: string } = {},
): ReturnType<typeof runIn> {
  return await runIn(await roomContext(disk, { host: { airGap }, terminal }), {
    ...input,
    ...more,
  });
}

async function check(disk: Disk, folder: string = input.outDir): ReturnType<typeof checkSession> {
  const context = await roomContext(disk);
  return await checkSession(disk, folder, await context.catalogue());
}

const refused = { code: 'E_ENVIRONMENT_REFUSED', exitCode: 77 };

describe('a machine that is not as the script requires', () => {
  it('begins nothing where people stop, and it can be begun anew', async () => {
    const disk = room.copy();
    const terminal = playedTerminal(choosing('stop'));
    await expect(
      play(
        disk,
        machine(() => true),
        terminal,
      ),
    ).rejects.toMatchObject(refused);
    expect(terminal.shown.join('\n')).toContain('swap: swap is on');
    expect(journal(disk)).not.toContain('step.started');
    expect(disk.locks.size).toBe(0);
    const again = await play(disk, machine(), playedTerminal(), { outDir: '/anew' });
    expect(again).toMatchObject({ ok: true, environment: 'production' });
    expect(problemsOf((await check(disk, '/anew')).verdict)).toEqual([]);
  });

  it('stops an act in the middle, and goes on once it is in order', async () => {
    const disk = room.copy();
    const stopping = playedTerminal(choosing('stop'));
    await expect(play(disk, afterTheFirst(disk), stopping)).rejects.toMatchObject(refused);
    expect(journal(disk)).toContain('"step":"execution"');
    expect(journal(disk)).not.toContain('"step":"look"');
    const still = playedTerminal(choosing('stop'));
    await expect(play(disk, afterTheFirst(disk), still, { resume: true })).rejects.toMatchObject(
      refused,
    );
    const result = await play(disk, machine(), playedTerminal(), { resume: true });
    expect(result).toMatchObject({ ok: true, resumed: 2 });
    const checked = await check(disk);
    expect(problemsOf(checked.verdict)).toEqual([]);
    expect(checked.of('deviation')).toEqual([]);
    const looked = checked
      .of('environment.checked')
      .map(({ data }) => [data.act, data.airGap.find(({ name }) => name === 'swap')?.result]);
    expect(looked).toEqual([
      ['convene', 'ok'],
      ['work', 'finding'],
      ['work', 'finding'],
      ['work', 'ok'],
      ['close', 'ok'],
    ]);
  });

  it('is a deviation with a reason and initials where people go on, asked for once', async () => {
    const disk = room.copy();
    const terminal = playedTerminal(choosing('deviate'));
    expect(await play(disk, afterTheFirst(disk), terminal)).toMatchObject({ ok: true });
    const chosen = terminal.asked.filter(
      ({ key, kind }) => key === 'environment/required' && kind === 'choose',
    );
    expect(chosen).toHaveLength(1);
    const checked = await check(disk);
    expect(problemsOf(checked.verdict)).toEqual([]);
    expect(checked.of('deviation').map(({ data }) => data)).toMatchObject([
      {
        about: 'environment.swap',
        happened: 'swap is on',
        reason: 'it cannot be put off',
        by: 'Ada',
        initials: ['Wim'],
      },
    ]);
  });
});
