/** What a home knows of people, against what a participants file says of them. */
import { beforeAll, describe, expect, it } from 'vitest';
import { identityTrust } from '#actions/identity-trust';
import { ceremonyCheck } from '#ceremony/commands/ceremony-check';
import type { CommandContext } from '#ceremony/command';
import { levelProblems } from '#ceremony/known-people';
import { decodeIdentity } from '#custody/authority/identity';
import { enrol, participants, ROOT_KEY_PEOPLE, rootKeyDirectory } from './directory.js';
import { Disk, place } from './memory-host.js';
import { playedTerminal } from './people.js';
import { furnish, roomContext, runIn } from './room.js';

let disk: Disk;
let context: CommandContext;

beforeAll(async () => {
  disk = new Disk();
  furnish(disk);
  context = await roomContext(disk, { terminal: playedTerminal() });
  await rootKeyDirectory(disk, context, disk.files.get('/shipped/root-key.yaml') as Uint8Array);
});

const idOf = (name: string): string =>
  decodeIdentity(disk.files.get(`/people/${name}.pub`) as Uint8Array, name).id;
const list = (level: string): void => {
  const text = participants(ROOT_KEY_PEOPLE).replace(
    '../people/Wim.pub }',
    `../people/Wim.pub, level: ${level} }`,
  );
  place(disk, '/acme/participants.yaml', text);
};
const check = async (): Promise<string> => {
  const { findings } = await ceremonyCheck.run({ ceremony: '/acme' }, context);
  return findings.map(({ message }) => message).join('\n');
};
const trust = (name: string, how: object) =>
  identityTrust.run({ identity: `/people/${name}.pub`, ...how }, context);

describe('the level of a participant', () => {
  it('is as it is listed where nothing is known, and otherwise no better than what is known', async () => {
    list('verified');
    expect(await check()).toBe('');
    await trust('Wim', { tofu: true });
    const problem = 'Wim is listed as verified, and this home knows the identity as tofu';
    expect(await check()).toBe(problem);
    await expect(runIn(context, { ceremony: '/acme', outDir: '/out' })).rejects.toMatchObject({
      code: 'E_PARTICIPANTS_UNFIT',
      exitCode: 65,
      message: `/acme/participants.yaml: ${problem}`,
    });
    list('tofu');
    expect(await check()).toBe('');
    list('verified');
    await trust('Wim', { fingerprint: idOf('Wim') });
    expect(await check()).toBe('');
    list('introduced');
    expect(await check()).toBe('');
  });

  it('raises an alarm for another key of the same name, at whatever level', async () => {
    const before = disk.files.get('/people/Wim.pub') as Uint8Array;
    const known = idOf('Wim');
    disk.files.delete('/people/Wim.key');
    await enrol(disk, context, 'Wim');
    list('tofu');
    expect(await check()).toContain('Wim: ALARM, this home knows another identity of Wim');
    await trust('Wim', { fingerprint: idOf('Wim'), changed: true });
    expect(await check()).toBe('');
    const old = { name: 'Wim', level: 'tofu' as const, identity: decodeIdentity(before, 'Wim') };
    expect(old.identity.id).toBe(known);
    expect(levelProblems(context, [old])).toEqual([
      `Wim: this identity was replaced here by ${idOf('Wim').slice(0, 16)}`,
    ]);
  });

  it('is not asked of a log that was touched', async () => {
    const log = disk.files.get('/home/audit.jsonl') as Uint8Array;
    const text = Buffer.from(log).toString();
    disk.files.set('/home/audit.jsonl', Buffer.from(text.replace('first-sight', 'first-lookk')));
    await expect(check()).rejects.toMatchObject({ code: 'E_TRUST_LOG', exitCode: 1 });
    expect(levelProblems(context, [])).toEqual([]);
  });
});
