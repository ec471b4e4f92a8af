/** The commands around ceremonies: list, show, new, check, minutes. */
import { beforeAll, describe, expect, it } from 'vitest';
import { ceremonyCheck } from '#ceremony/commands/ceremony-check';
import { ceremonyCustody } from '#ceremony/commands/ceremony-custody';
import { ceremonyDue } from '#ceremony/commands/ceremony-due';
import { ceremonyList } from '#ceremony/commands/ceremony-list';
import { ceremonyMinutes } from '#ceremony/commands/ceremony-minutes';
import { ceremonyNew } from '#ceremony/commands/ceremony-new';
import { ceremonyPlan } from '#ceremony/commands/ceremony-plan';
import { ceremonySchema } from '#ceremony/commands/ceremony-schema';
import { ceremonyShow } from '#ceremony/commands/ceremony-show';
import { run } from '#ceremony/commands/run';
import type { CommandContext } from '#ceremony/command';
import { sha256 } from '#crypto/hash';
import { fromUtf8, toHex } from '#formats/bytes';
import { parseParticipants, parseSite } from '#script/parse';
import { enrol, participants, ROOT_KEY_PEOPLE, smallCeremony } from './directory.js';
import { Disk, place } from './memory-host.js';
import { playedTerminal } from './people.js';
import { furnish, roomContext, runIn } from './room.js';

let disk: Disk;
let context: CommandContext;

beforeAll(async () => {
  disk = new Disk();
  furnish(disk);
  context = await roomContext(disk, { terminal: playedTerminal() });
});

const text = (path: string): string => fromUtf8(disk.files.get(path) as Uint8Array);

describe('ceremony list and show', () => {
  it('tell what is shipped', async () => {
    const { ceremonies } = await ceremonyList.run({}, context);
    expect(ceremonies).toContainEqual({
      name: 'quickstart',
      title: 'Quickstart',
      classification: 'dev',
      unattended: true,
    });
    expect(ceremonies.map(({ name }) => name)).toContain('root-key');
    expect(ceremonyList.present?.({ ceremonies })).toMatch(/^quickstart {2,}dev {9}\S/m);
  });

  it('tell who takes part and what happens, with the digest that the transcript opens with', async () => {
    const shown = await ceremonyShow.run({ ceremony: 'root-key' }, context);
    const bytes = disk.files.get('/shipped/root-key.yaml') as Uint8Array;
    expect(shown.definitionDigest).toBe(`sha256:${toHex(sha256(bytes))}`);
    expect(shown.roles['custodian']).toMatchObject({ count: 5 });
    const printed = ceremonyShow.present?.(shown) ?? '';
    expect(printed).toContain('quorum recovery: 3 of 5 (custodian)');
    expect(printed).toMatch(/Split the root key .*$/m);
  });
});

describe('ceremony new', () => {
  it('writes three files that are read back, and overwrites nothing', async () => {
    const made = await ceremonyNew.run({ template: 'root-key', folder: '/acme' }, context);
    expect(made.files).toEqual([
      '/acme/definition.yaml',
      '/acme/participants.yaml',
      '/acme/site.yaml',
    ]);
    expect(text('/acme/definition.yaml')).toBe(text('/shipped/root-key.yaml'));
    const people = parseParticipants(
      disk.files.get('/acme/participants.yaml') as Uint8Array,
      'participants.yaml',
    );
    expect(people.map(({ role }) => role)).toEqual([
      'administrator',
      ...Array<string>(5).fill('custodian'),
      'witness',
      'witness',
    ]);
    expect(
      parseSite(disk.files.get('/acme/site.yaml') as Uint8Array, 'site.yaml').previous,
    ).toBeNull();
    disk.files.delete('/acme/definition.yaml');
    await expect(
      ceremonyNew.run({ template: 'quickstart', folder: '/acme' }, context),
    ).rejects.toMatchObject({ code: 'E_FILE_EXISTS', exitCode: 73 });
    expect(disk.files.has('/acme/definition.yaml')).toBe(false);
  });
});

describe('ceremony check', () => {
  it('finds nothing in what is shipped', async () => {
    for (const ceremony of ['quickstart', 'root-key']) {
      const result = await ceremonyCheck.run({ ceremony }, context);
      expect(result).toMatchObject({ ok: true, findings: [] });
    }
  });

  it('names file, line and column, also of people who do not fit', async () => {
    const steps = '- { id: rest, title: The administrator rests, by: nobody, do: pause }';
    place(disk, '/bad.yaml', smallCeremony(steps));
    const bad = await ceremonyCheck.run({ ceremony: '/bad.yaml' }, context);
    expect(bad.ok).toBe(false);
    expect(bad.findings[0]).toMatchObject({ file: '/bad.yaml', line: 13 });
    expect(ceremonyCheck.present?.(bad)).toMatch(/^\/bad\.yaml:13:\d+: .* \[[a-z-]+\]$/m);

    place(disk, '/beta/definition.yaml', text('/shipped/root-key.yaml'));
    place(disk, '/beta/participants.yaml', participants(ROOT_KEY_PEOPLE.slice(1)));
    const people = await ceremonyCheck.run({ ceremony: '/beta' }, context);
    const messages = people.findings.map(({ message }) => message);
    expect(messages.join('\n')).toContain('the role administrator takes 1 and 0 are listed');
    // A file that is still to come is told, and is no fault of the script; one that is no identity is.
    expect(people.awaited.join('\n')).toContain('identity of Wim');
    expect(ceremonyCheck.present?.(people)).toMatch(/^still to come, identity of Wim: /m);
    place(disk, '/gamma/definition.yaml', text('/shipped/root-key.yaml'));
    place(disk, '/gamma/participants.yaml', participants(ROOT_KEY_PEOPLE));
    const early = await ceremonyCheck.run({ ceremony: '/gamma' }, context);
    expect(early).toMatchObject({ ok: true, findings: [] });
    expect(early.awaited).toHaveLength(3);
    for (const name of ['Ada', 'Wim', 'Wren']) await enrol(disk, context, name);
    place(disk, '/beta/participants.yaml', participants(ROOT_KEY_PEOPLE));
    expect(await ceremonyCheck.run({ ceremony: '/beta' }, context)).toMatchObject({ ok: true });
  });

  it('does not take what is no definition at all', async () => {
    place(disk, '/worse.yaml', 'acts: [');
    await expect(ceremonyCheck.run({ ceremony: '/worse.yaml' }, context)).rejects.toMatchObject({
      exitCode: 65,
    });
  });
});

describe('ceremony minutes', () => {
  it('come from a folder, from a transcript, and from a session that is not closed', async () => {
    const steps = '- { id: rest, title: The administrator rests, by: administrator, do: pause }';
    place(disk, '/small.yaml', smallCeremony(steps));
    await expect(
      runIn(
        await roomContext(disk, { terminal: playedTerminal(({ key }) => key !== 'work/rest') }),
        { ceremony: '/small.yaml', outDir: '/small-out' },
      ),
    ).rejects.toMatchObject({ exitCode: 75 });
    const open = await ceremonyMinutes.run({ session: '/small-out', format: 'markdown' }, context);
    expect(open).toMatchObject({ closed: false, ceremony: 'small', out: null });
    await runIn(context, { ceremony: '/small.yaml', outDir: '/small-out', resume: true });
    const folder = await ceremonyMinutes.run(
      { session: '/small-out', format: 'markdown' },
      context,
    );
    const transcript = await ceremonyMinutes.run(
      { session: '/small-out/transcript.json', format: 'markdown', out: '/minutes.md' },
      context,
    );
    expect(folder.closed).toBe(true);
    expect(transcript.minutes).toBe(folder.minutes);
    expect(text('/minutes.md')).toBe(folder.minutes);
    expect(text('/small-out/minutes.md')).toBe(folder.minutes);
    await expect(
      ceremonyMinutes.run({ session: '/nowhere', format: 'markdown' }, context),
    ).rejects.toMatchObject({
      exitCode: 66,
    });
  });
});

describe('descriptions', () => {
  it('have the form that the command line expects', () => {
    for (const command of [
      run,
      ceremonyCheck,
      ceremonyCustody,
      ceremonyDue,
      ceremonyList,
      ceremonyMinutes,
      ceremonyNew,
      ceremonyPlan,
      ceremonySchema,
      ceremonyShow,
    ]) {
      expect(command.only).toBe('cli');
      expect(command.summary).toMatch(/^[a-z].*[^.]$/);
      expect(command.examples.length).toBeGreaterThan(0);
    }
  });
});
