/** Wrong PINs and absent tokens in a ceremony, with a stand-in for the module behind the device interface. */
import { describe, expect, it } from 'vitest';
import type { Cryptoki } from '#carriage/stores/pkcs11/cryptoki';
import { createTokenSpace } from '#actions/context/token-space';
import type { CommandContext } from '#ceremony/command';
import { openHome } from '#carriage/stores/home';
import { utf8 } from '#formats/bytes';
import type { Terminal } from '#terminal/terminal';
import { smallCeremony } from './directory.js';
import { checkSession, problemsOf } from './evidence.js';
import { Disk, memoryHost, place } from './memory-host.js';
import { playedTerminal } from './people.js';
import { furnish, roomContext, runIn } from './room.js';

const PIN = 'right-pin-4812';
const WRONG = 'wrong-pin-4812';

/** A module with one empty token, and how often it was asked for its tokens. */
interface Module {
  present: boolean;
  readonly tried: string[];
  readonly asked: () => number;
  readonly api: () => Promise<Cryptoki>;
}

/** @param missed - how often the token is not listed at first */
function moduleWith(label: string, manufacturer = 'test', missed = 0): Module {
  let slots = 0;
  const version = { major: 1, minor: 0 };
  const handle = (): Buffer => Buffer.alloc(8, 1);
  const module: Module = {
    present: true,
    tried: [],
    asked: () => slots,
    api: () => Promise.resolve(api),
  };
  const calls = {
    C_GetInfo: () => ({
      cryptokiVersion: version,
      manufacturerID: manufacturer,
      flags: 0,
      libraryDescription: 'stand-in',
      libraryVersion: version,
    }),
    C_GetSlotList: () => {
      slots++;
      return module.present && slots > missed ? [handle()] : [];
    },
    C_GetTokenInfo: () => ({
      label: label.padEnd(32),
      manufacturerID: 'test',
      model: 'stand-in',
      serialNumber: '7',
      // LOGIN_REQUIRED, USER_PIN_INITIALIZED, TOKEN_INITIALIZED
      flags: 0x04 | 0x08 | 0x400,
      hardwareVersion: version,
      firmwareVersion: version,
    }),
    C_GetMechanismList: () => [],
    C_OpenSession: handle,
    C_Login: (_session: Buffer, _user: number, pin: string) => {
      module.tried.push(pin);
      if (pin !== PIN) throw new Error('CKR_PIN_INCORRECT:160');
    },
    C_FindObjects: () => [],
  };
  const quiet = (): undefined => undefined;
  const api = new Proxy(calls, {
    get: (target, name) =>
      name === 'then' ? undefined : ((target as Record<string | symbol, unknown>)[name] ?? quiet),
  }) as unknown as Cryptoki;
  return module;
}

const LOOK = (more = ''): string =>
  `- { id: look, title: Look at the token, by: administrator, uses: hsm.info, effect: none, with: { token: vault, keys: true }${more} }\n`;

/** A disk with the small ceremony and a site file that binds its token. */
function roomFor(
  step: string,
  site = 'site: 1\ntokens:\n  vault: { module: /lib/token.so, token: Vault }\n',
) {
  const disk = new Disk();
  furnish(disk);
  place(disk, '/acme/definition.yaml', utf8(smallCeremony(step)));
  if (site !== '') place(disk, '/acme/site.yaml', site);
  place(disk, '/lib/token.so', utf8('library'));
  place(disk, '/acme/answers.yaml', ANSWERS);
  return disk;
}

const ANSWERS = `answers:
  close/administrator/administrator: { choice: agree }
  close/witness/witness: { choice: agree }
  work/look: [{ passphrase-file: wrong.txt }, { passphrase-file: right.txt }]
`;

async function process(disk: Disk, module: Module, terminal?: Terminal): Promise<CommandContext> {
  const context = await roomContext(disk, terminal === undefined ? {} : { terminal });
  const host = memoryHost(disk);
  return {
    ...context,
    within: (changes) => {
      const inner = context.within(changes);
      const { ask, files, random, progress } = inner;
      const home = openHome(host.files, '/home');
      const space = createTokenSpace({
        ...{ home, disk: host.files, files, ask, random, progress },
        newCryptoki: module.api,
      });
      return { ...inner, tokens: () => Promise.resolve(space) };
    },
  };
}

const events = (disk: Disk, folder: string): string =>
  Buffer.from(disk.files.get(`${folder}/journal.jsonl`) ?? []).toString();

const journalOf = (disk: Disk): string => {
  const path = [...disk.files.keys()].find((each) => each.endsWith('/journal.jsonl')) ?? '';
  return events(disk, path.replace('/journal.jsonl', ''));
};

describe('a token in a ceremony', () => {
  it('a wrong PIN asks again, counts, and loses nothing', async () => {
    const disk = roomFor(LOOK());
    const module = moduleWith('Vault');
    const terminal = playedTerminal(({ kind, attempt, question }) =>
      kind === 'secret' && question.includes('PIN') ? (attempt === 1 ? WRONG : PIN) : undefined,
    );
    const context = await process(disk, module, terminal);
    const result = await runIn(context, { ceremony: '/acme' });
    expect(result).toMatchObject({ ok: true });
    expect(module.tried).toEqual([WRONG, PIN]);
    const checked = await checkSession(disk, result.session, await context.catalogue());
    expect(problemsOf(checked.verdict)).toEqual([]);
    expect(JSON.stringify(checked.entries)).not.toContain(WRONG);
    expect(JSON.stringify(checked.entries)).not.toContain(PIN);
    const [, second] = checked.of('step.finished')[0]?.data.people ?? [];
    expect(second).toMatchObject({ name: 'administrator', graded: 'recorded' });
    expect(second?.said).toContain('attempt 2');
  });

  it('three wrong PINs are recorded, and the step is tried again when somebody says so', async () => {
    const disk = roomFor(LOOK());
    const module = moduleWith('Vault');
    let pins = 0;
    const terminal = playedTerminal(({ kind, question }) =>
      kind === 'secret' && question.includes('PIN') ? (++pins <= 3 ? 'no' : PIN) : undefined,
    );
    const context = await process(disk, module, terminal);
    const result = await runIn(context, { ceremony: '/acme' });
    expect(result).toMatchObject({ ok: true });
    expect(module.tried).toEqual(['no', 'no', 'no', PIN]);
    const checked = await checkSession(disk, result.session, await context.catalogue());
    expect(problemsOf(checked.verdict)).toEqual([]);
    const trouble = checked.of('event').filter(({ data }) => data.event === 'device.unavailable');
    expect(trouble.map(({ data }) => data.data['code'])).toEqual(['E_TOKEN_PIN_INCORRECT']);
    expect(terminal.asked.some(({ question }) => question.includes('try it again now'))).toBe(true);
  });

  it('a token that was pulled is waited for while somebody is there', async () => {
    const disk = roomFor(LOOK());
    const module = moduleWith('Vault');
    module.present = false;
    const terminal = playedTerminal(({ kind, question }) => {
      if (question.includes('try it again now')) module.present = true;
      return kind === 'secret' && question.includes('PIN') ? PIN : undefined;
    });
    const context = await process(disk, module, terminal);
    expect(await runIn(context, { ceremony: '/acme' })).toMatchObject({ ok: true });
  });

  it('is postponed where nobody can bring the token back, and goes on with --resume', async () => {
    const disk = roomFor(LOOK());
    const module = moduleWith('Vault');
    const no = playedTerminal(({ question }) =>
      question.includes('try it again now') ? false : undefined,
    );
    module.present = false;
    await expect(
      runIn(await process(disk, module, no), { ceremony: '/acme' }),
    ).rejects.toMatchObject({ code: 'E_DEVICE_POSTPONED', exitCode: 75 });
    expect(journalOf(disk)).not.toContain('step.failed');
    module.present = true;
    const pin = playedTerminal(({ kind, question }) =>
      kind === 'secret' && question.includes('PIN') ? PIN : undefined,
    );
    const context = await process(disk, module, pin);
    const result = await runIn(context, { ceremony: '/acme', resume: true });
    expect(result).toMatchObject({ ok: true });
    const checked = await checkSession(disk, result.session, await context.catalogue());
    expect(problemsOf(checked.verdict)).toEqual([]);
  });

  it.each([
    ['SoftHSM', 2, 'found'],
    ['SoftHSM', 3, 'E_TOKEN_ABSENT'],
    ['test', 1, 'E_TOKEN_ABSENT'],
  ])('of %s, missed %i times because its file was being written, is %s', async (...it) => {
    const [manufacturer, missed, ends] = it;
    const disk = roomFor(LOOK());
    const module = moduleWith('Vault', manufacturer, missed);
    const context = (await process(disk, module)).within({});
    const space = await context.tokens?.();
    const place = { uri: { token: 'Vault', modulePath: '/lib/token.so' } };
    const outcome = await space?.open(place, 'never').then(
      (opened) => {
        opened[Symbol.dispose]();
        return 'found';
      },
      (error: unknown) => (error as { code?: string }).code,
    );
    expect(outcome).toBe(ends);
    expect(module.asked()).toBe(manufacturer === 'SoftHSM' ? 3 : 1);
  });

  it('is retried as the definition says where nobody can be asked, then postponed', async () => {
    const disk = roomFor(LOOK(', retry: 2, on-failure: retry'));
    const module = moduleWith('Vault');
    module.present = false;
    const context = await process(disk, module);
    await expect(
      runIn(context, { ceremony: '/acme', answers: '/acme/answers.yaml', rehearse: false }),
    ).rejects.toMatchObject({ code: 'E_DEVICE_POSTPONED' });
    expect(journalOf(disk).match(/"step\.failed"/g)).toHaveLength(2);
    expect(module.asked()).toBe(3);
  });

  it('is gone on without where the definition says so', async () => {
    const disk = roomFor(LOOK(', on-failure: deviate'));
    const module = moduleWith('Vault');
    module.present = false;
    const terminal = playedTerminal(({ question }) =>
      question.includes('try it again now') ? false : undefined,
    );
    const context = await process(disk, module, terminal);
    const result = await runIn(context, { ceremony: '/acme' });
    expect(result).toMatchObject({ ok: true });
    const checked = await checkSession(disk, result.session, await context.catalogue());
    expect(problemsOf(checked.verdict)).toEqual([]);
    expect(checked.of('deviation')).toHaveLength(1);
  });

  it.each([
    ['no binding', 'site: 1\n', 'E_TOKEN_UNBOUND'],
    [
      'a token for rehearsals',
      'site: 1\ntokens:\n  vault: { module: /lib/token.so, token: Vault, rehearsal: true }\n',
      'E_TOKEN_REHEARSAL',
    ],
    [
      'a PIN file that is not there',
      'site: 1\ntokens:\n  vault: { module: /lib/token.so, token: Vault, pin-file: pin.txt }\n',
      'E_TOKEN_PIN_FILE',
    ],
  ])('%s postpones the ceremony', async (_what, site, code) => {
    const disk = roomFor(LOOK(), site);
    const context = await process(disk, moduleWith('Vault'), playedTerminal());
    await expect(runIn(context, { ceremony: '/acme' })).rejects.toMatchObject({
      code,
      exitCode: 75,
    });
    expect(journalOf(disk)).not.toContain('step.failed');
  });

  it('takes the PIN from the file that the site names, which no step can read', async () => {
    const site =
      'site: 1\ntokens:\n  vault: { module: ../lib/token.so, serial: "7", pin-file: pin.txt }\n';
    const disk = roomFor(LOOK(), site);
    place(disk, '/acme/pin.txt', utf8(`${PIN}\n`));
    const module = moduleWith('Vault');
    const context = await process(disk, module, playedTerminal());
    expect(await runIn(context, { ceremony: '/acme' })).toMatchObject({ ok: true });
    expect(module.tried).toEqual([PIN]);
    expect(journalOf(disk)).not.toContain(PIN);
  });

  it('a site file names a token by label or by serial number, not by both or neither', async () => {
    const { parseSite } = await import('#script/parse');
    for (const named of ['', ', token: A, serial: "7"'])
      expect(() =>
        parseSite(utf8(`site: 1\ntokens:\n  vault: { module: m${named} }\n`), 'site.yaml'),
      ).toThrow(/site\.yaml:3:\d+: a token is named by/);
  });
});
