/** People who come in without an identity: made on their own media or brought, compared, recorded, and signing in the end. */
import { beforeAll, describe, expect, it } from 'vitest';
import { publicSideOf } from '#actions/context/identity-space';
import { identityTrust } from '#actions/identity-trust';
import { ceremonyNew } from '#ceremony/commands/ceremony-new';
import { ceremonyPlan } from '#ceremony/commands/ceremony-plan';
import { utf8 } from '#formats/bytes';
import { formsIn } from '../support/canary.js';
import { enrol } from './directory.js';
import { comers, COMERS, comersRoom, mediumOf } from './enrolment-room.js';
import { checkSession, problemsOf } from './evidence.js';
import { type Change, type Disk, lastEntry } from './memory-host.js';
import { type PlayedTerminal, type Player, playedTerminal } from './people.js';
import { roomContext, runIn } from './room.js';

const OUT = '/out';
let room: Disk;
beforeAll(async () => {
  ({ disk: room } = await comersRoom());
}, 60_000);

interface Played {
  readonly terminal: PlayedTerminal;
  readonly ran: ReturnType<typeof runIn>;
}

/** A run of the ceremony, answered by people who do what is asked of them unless told otherwise. */
async function play(
  disk: Disk,
  otherwise?: Player,
  input: Partial<Parameters<typeof runIn>[1]> = {},
  after?: (change: Change, now: Disk) => void,
): Promise<Played> {
  const played: PlayedTerminal = playedTerminal(comers(() => played.shown, otherwise));
  const terminal = { ...played, clear: () => void played.shown.push('(wiped)') };
  const host = after === undefined ? {} : { faults: { after } };
  const context = await roomContext(disk, { terminal, host });
  return { terminal, ran: runIn(context, { ceremony: COMERS, outDir: OUT, ...input }) };
}

const idAt = (disk: Disk, path: string): string =>
  publicSideOf((disk.files.get(path) as Uint8Array).slice(), path).id;
const check = async (disk: Disk, pins?: readonly string[]) => {
  const { catalogue } = await roomContext(disk);
  return await checkSession(disk, OUT, await catalogue(), pins);
};
/** Brings an identity that was made elsewhere. */
async function bring(disk: Disk, name: string, environment?: 'rehearsal'): Promise<void> {
  await enrol(disk, await roomContext(disk), name, environment);
  disk.files.set(mediumOf(name), disk.files.get(`/people/${name}.key`) as Uint8Array);
  disk.files.delete(`/people/${name}.key`);
}
const wrongly: Player = ({ question }) => (/^Wim: Groups/.test(question) ? 'ffff ffff' : undefined);

describe('people who come in', () => {
  it('make an identity or bring one, are compared, and sign in the end', async () => {
    const disk = room.copy();
    await bring(disk, 'Mo');
    const pub = disk.files.get('/people/Mo.pub') as Uint8Array;
    const paper = idAt(disk, mediumOf('Mo')).match(/.{4}/g) as string[];
    const { terminal, ran } = await play(disk, ({ key, question }) => {
      const rows = key.endsWith('/Mo') ? /Groups (\d+) to (\d+)/.exec(question) : null;
      return rows === null
        ? undefined
        : paper.slice(Number(rows[1]) - 1, Number(rows[2])).join(' ');
    });
    const result = await ran;
    expect(result.signers).toEqual(['Ada', 'Wim', 'Mia', 'Mo', 'Hal']);
    const checked = await check(disk, ['Ada', 'Wim']);
    expect(problemsOf(checked.verdict)).toEqual([]);
    const told = checked.of('participant.enrolled').map(({ data }) => data);
    const compared = { by: 'Wim', role: 'witness', graded: 'recorded' };
    expect(told.map(({ name, level, how }) => ({ name, level, how }))).toEqual([
      { name: 'Mia', level: 'introduced', how: { origin: 'made', compared } },
      { name: 'Mo', level: 'introduced', how: { origin: 'brought', compared } },
      { name: 'Hal', level: 'tofu', how: { origin: 'made', compared: null } },
    ]);
    for (const { name, identity } of told) expect(identity.id).toBe(idAt(disk, mediumOf(name)));
    expect(disk.files.get(`${OUT}/artifacts/people/2.pub`)).toEqual(pub);
    const signed = checked.verdict.claims.filter(({ claim }) => claim.endsWith('signed'));
    expect(signed.map(({ claim, grade }) => `${claim}: ${grade}`)).toEqual([
      'Ada (administrator) signed: attested',
      'Wim (witness) signed: attested',
      'Mia (member) signed: attested',
      'Mo (member) signed: attested',
      'Hal (helper) signed: recorded',
    ]);
    // Whoever vouched is not pinned: the members are as well known as Hal, and Wim himself is refused.
    const unpinned = await check(disk, ['Ada']);
    expect(problemsOf(unpinned.verdict)).toEqual([
      expect.stringMatching(/^Wim .* not one of those/),
    ]);
    expect(unpinned.verdict.claims.filter(({ grade }) => grade === 'attested')).toHaveLength(2);
    // What was on the screen when the witness sat down had no fingerprint on it.
    const wiped = terminal.shown.lastIndexOf('(wiped)', terminal.shown.indexOf('Mo takes part'));
    expect(terminal.shown.slice(wiped).join('\n').split('takes part')[0]).not.toContain(paper[0]);
    // Passphrases and private files are nowhere but with their owners.
    const session = [...disk.files].filter(([path]) => path.startsWith(OUT));
    expect(session.filter(([path]) => path.endsWith('.key'))).toEqual([]);
    const left = Buffer.concat([
      ...session.map(([, bytes]) => Buffer.from(bytes)),
      utf8(terminal.shown.join('\n')),
    ]);
    for (const name of ['Mia', 'Mo', 'Hal'])
      expect(formsIn(left, utf8(`passphrase of ${name}`))).toEqual([]);
    // The minutes have the whole of each identity.
    const minutes = Buffer.from(disk.files.get(`${OUT}/minutes.md`) ?? []).toString();
    expect(minutes).toContain(`  ${paper.slice(0, 8).join(' ')}\n  ${paper.slice(8).join(' ')}`);
  });

  it('are heard again when something else is read, and keep the identity that was made', async () => {
    const disk = room.copy();
    let times = 0;
    const { ran } = await play(disk, (asked) =>
      asked.key.endsWith('/Mia') && wrongly(asked) !== undefined && times++ < 3
        ? 'ffff'
        : undefined,
    );
    await ran;
    const checked = await check(disk);
    expect(problemsOf(checked.verdict)).toEqual([]);
    expect(checked.of('step.failed').map(({ data }) => data.error.code)).toEqual([
      'E_FINGERPRINT_DIFFERS',
    ]);
    expect(checked.of('event').filter(({ data }) => data.for === 'Mia')).toHaveLength(1);
    expect(checked.of('participant.enrolled')[0]?.data).toMatchObject({
      name: 'Mia',
      identity: { id: idAt(disk, mediumOf('Mia')) },
      how: { origin: 'made' },
    });
  });

  it('are not enrolled by another fingerprint, and the session that ends there holds', async () => {
    const disk = room.copy();
    const { ran } = await play(disk, wrongly);
    expect(await ran).toMatchObject({ outcome: 'aborted' });
    const checked = await check(disk);
    expect(problemsOf(checked.verdict)).toEqual([]);
    expect(checked.of('participant.enrolled')).toEqual([]);
    const told = checked.verdict.claims
      .map(({ claim, detail }) => `${claim}: ${detail}`)
      .join('\n');
    expect(told).toContain(
      `begun and given up: ${idAt(disk, mediumOf('Mia')).slice(0, 16)}, for Mia`,
    );
  });

  it('become no better known than whoever compares them, and nothing is made for less', async () => {
    const { disk } = await comersRoom({ Wim: 'tofu' });
    const text = Buffer.from(disk.files.get(`${COMERS}/definition.yaml`) ?? []).toString();
    // A script that the linter would not pass is stopped at the step as well.
    disk.files.set(
      `${COMERS}/definition.yaml`,
      utf8(
        text.replaceAll(
          'level: introduced, distinct-from: [administrator, member]',
          'level: tofu, distinct-from: [administrator, member]',
        ),
      ),
    );
    const { ran } = await play(disk);
    await expect(ran).rejects.toMatchObject({
      code: 'E_DEFINITION_UNSOUND',
      message: expect.stringMatching(/nobody is better known/) as string,
    });
    expect([...disk.files.keys()].filter((path) => path.startsWith('/media'))).toEqual([]);
  });

  it('keep the identity with which they are listed', async () => {
    const { disk } = await comersRoom({ Mo: 'verified' });
    const { ran } = await play(disk);
    await ran;
    const checked = await check(disk, ['Ada', 'Wim', 'Mo']);
    expect(problemsOf(checked.verdict)).toEqual([]);
    expect(checked.of('participant.enrolled').map(({ data }) => data.name)).toEqual(['Mia', 'Hal']);
    expect(disk.files.has(`${OUT}/artifacts/people/2.pub`)).toBe(true);
  });

  it('make throw-away identities in a rehearsal, and touch no medium', async () => {
    const disk = room.copy();
    const { ran } = await play(disk, undefined, { rehearse: true });
    await ran;
    const checked = await check(disk);
    expect(problemsOf(checked.verdict)).toEqual([]);
    expect(checked.verdict.summary).toMatch(/^REHEARSAL: not evidence of a ceremony/);
    expect([...disk.files.keys()].filter((path) => path.startsWith('/media'))).toEqual([]);
    for (const { data } of checked.of('participant.enrolled')) {
      expect(data).toMatchObject({ level: 'tofu', identity: { environment: 'rehearsal' } });
      expect(idAt(disk, `${OUT}/identities/${data.name}.key`)).toBe(data.identity.id);
    }
  });

  it.each([
    ['a file in the session', `${OUT}/mia.key`, /must be on your own medium/],
    [
      'a medium that is not in',
      '/media/elsewhere/mia.key',
      /no folder \/media\/elsewhere. Is the medium in\?/,
    ],
    ['a folder', '/media/Mia', /is a folder. Say which file in it: \/media\/Mia\/me\.key/],
    ['a public file that is to be', '/media/Mia/mia.pub', /name of a public file/],
    ['a public file', '/people/Wim.pub', /is the public half/],
    ['the identity of somebody else', '/people/Wim.key', /is the identity of Wim/],
    [
      'an identity of a rehearsal',
      '/media/Mo/Mo.key',
      /is an identity for rehearsal, and this session is production/,
    ],
    [
      'something else',
      `${COMERS}/definition.yaml`,
      /is there, and is no identity: .* It is not overwritten/,
    ],
    [
      'something large',
      '/media/Mia/film.mkv',
      /film\.mkv is there, and is no identity: .* It is not overwritten/,
    ],
  ])('are asked again for %s', async (_, path, said) => {
    const disk = room.copy();
    if (path === '/media/Mo/Mo.key') await bring(disk, 'Mo', 'rehearsal');
    disk.files.set('/media/Mia/film.mkv', new Uint8Array(100_000));
    const { ran } = await play(disk, ({ key, question }) =>
      key === 'enrol/enrol/Mia' && /is to be\?/.test(question) ? path : undefined,
    );
    await expect(ran).rejects.toThrow(said);
  });

  it('stand in a new list without an identity, and on paper with room for its fingerprint', async () => {
    const disk = room.copy();
    const context = await roomContext(disk);
    await ceremonyNew.run({ template: 'enrol-people', folder: '/new' }, context);
    const list = Buffer.from(disk.files.get('/new/participants.yaml') ?? []).toString();
    expect(list).toMatch(/name: member-2\n {4}role: member\n {4}identity: none/);
    expect(list).toContain('identity: people/witness.pub');
    const { plan } = await ceremonyPlan.run(
      { ceremony: COMERS, format: 'markdown', out: undefined },
      context,
    );
    expect(plan).toContain('| Mia | member | identity, from this day, introduced |');
    const [row = ''] = /^\| 2\.1a \|.*$/m.exec(plan) ?? [];
    expect(row).toMatch(/\( \) made \( \) brought,(?: _{6}){16} compared by/);
    expect(plan.split('## Sign-off')[1]).toContain('| Hal | helper |');
  });

  it('are refused with an alarm where they are known by another identity', async () => {
    const disk = room.copy();
    const context = await roomContext(disk);
    await enrol(disk, context, 'Mia');
    await identityTrust.run({ identity: '/people/Mia.pub', tofu: true }, context);
    const { ran } = await play(disk);
    expect(await ran).toMatchObject({
      outcome: 'aborted',
      reason: expect.stringMatching(/ALARM: this home knows Mia by another identity/) as string,
    });
    expect(disk.files.has(mediumOf('Mia'))).toBe(false);
  });
});

describe('an enrolment, killed', () => {
  it(
    'after every write, goes on to one identity that is enrolled once',
    { timeout: 300_000 },
    async () => {
      const { disk } = await comersRoom({}, true);
      const moments: { at: string; disk: Disk }[] = [];
      let on = false;
      const { ran } = await play(disk, undefined, {}, (change, now) => {
        const last = lastEntry(change, now);
        if (last.includes('"for":"Mia"') && last.includes('step.started')) on = true;
        if (on)
          moments.push({
            at: `${change.call} ${change.path} ${/"type":"[a-z.]*"/.exec(last)?.[0] ?? ''}`,
            disk: now.copy(),
          });
        if (last.includes('"for":"Mia"') && last.includes('step.finished')) on = false;
      });
      await ran;
      const wrong: string[] = [];
      const seen = { lost: 0, found: 0, enrolled: 0 };
      for (const moment of moments) {
        const { disk: killed } = moment;
        const before = killed.files.has(mediumOf('Mia'))
          ? idAt(killed, mediumOf('Mia'))
          : undefined;
        const { terminal, ran: again } = await play(
          killed,
          ({ choices }) => (choices.includes('lost') ? 'lost' : undefined),
          { resume: true },
        );
        await again;
        const checked = await check(killed);
        wrong.push(...problemsOf(checked.verdict).map((it) => `${moment.at}: ${it}`));
        const own = checked.of('participant.enrolled').filter(({ data }) => data.name === 'Mia');
        const id = idAt(killed, mediumOf('Mia'));
        if (own.length !== 1 || own[0]?.data.identity.id !== id)
          wrong.push(`${moment.at}: ${own.length} enrolments`);
        if (before !== undefined && before !== id)
          wrong.push(`${moment.at}: a second identity was made`);
        if (own[0]?.data.how?.origin !== 'made')
          wrong.push(`${moment.at}: it is said to be brought`);
        if (terminal.asked.some(({ choices }) => choices.includes('lost'))) seen.lost++;
        if (terminal.shown.some((text) => text.includes('made before the interruption')))
          seen.found++;
        if (terminal.shown.some((text) => text.includes('Mia has an identity'))) seen.enrolled++;
      }
      expect(wrong).toEqual([]);
      expect(moments.length).toBeGreaterThan(4);
      for (const times of Object.values(seen)) expect(times).toBeGreaterThan(0);
    },
  );
});
