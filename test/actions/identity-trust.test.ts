import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { statementKind } from '#actions/artifacts/statement';
import type { ActionContext, Conversation } from '#actions/context/context';
import { identityIntroduce } from '#actions/identity-introduce';
import { identityList } from '#actions/identity-list';
import { identityNew } from '#actions/identity-new';
import { identityShow } from '#actions/identity-show';
import { identityTrust } from '#actions/identity-trust';
import { type ChainEntry, encodeChainLine, nextEntry, headOf } from '#custody/audit/chain';
import { IDENTITY_TRUSTED, knownFrom } from '#custody/audit/known-identity';
import { INTRODUCED } from '#custody/authority/introduction';
import { readHandover } from '#custody/authority/handover-statement';
import { utf8 } from '#formats/bytes';
import type { Json } from '#formats/canonical-json';
import { groupsOf, spoken } from '#script/spoken';
import { fuzz } from '../support/mutations.js';
import { type RunOptions, type Workplace, workplace } from '../support/home.js';

const SEALED: RunOptions = { passphrases: ['correct horse'] };

let place: Workplace;
let ids: Record<string, string>;

/** Files of people who live elsewhere: `Bob.key` and `Bob.key.pub`, in a home of their own. */
async function person(name: string, file = name, options: RunOptions = {}): Promise<void> {
  const out = place.at(`${file}.key`);
  const { id } = await place.run(identityNew, { name, out }, { ...SEALED, ...options });
  ids[file] = id;
}

beforeEach(async () => {
  place = workplace();
  ids = {};
  await person('Ada');
  await person('Bob');
});
afterEach(() => {
  place.remove();
});

const file = (name: string): string => place.at(`${name}.key.pub`);
const trust = (name: string, input: Record<string, unknown> = {}) =>
  place.run(identityTrust, { identity: file(name), ...input });
const verify = (name: string, input: Record<string, unknown> = {}) =>
  trust(name, { fingerprint: ids[name], ...input });
const levels = async (): Promise<Record<string, string>> => {
  const { identities } = await place.run(identityList, {});
  return Object.fromEntries(identities.map(({ id, level }) => [id, level]));
};
const levelOf = async (name: string): Promise<string | undefined> =>
  (await levels())[ids[name] as string];
const log = (): readonly ChainEntry[] => {
  const bytes = place.context().audit?.read();
  return bytes === undefined
    ? []
    : Buffer.from(bytes)
        .toString()
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as ChainEntry);
};
const refused = (code: string, exitCode: number) => ({ code, exitCode });

/** A person at a terminal who gives these answers; what is said to them. */
function talking(answers: readonly string[]): { context: ActionContext; said: string[] } {
  const said: string[] = [];
  const left = [...answers];
  const conversation: Conversation = {
    say: (text) => void said.push(text),
    choose: () => Promise.reject(new Error('nothing to choose')),
    text: (question) => {
      said.push(question);
      const next = left.shift();
      return next === undefined
        ? Promise.reject(new Error('asked once too often'))
        : Promise.resolve(next);
    },
  };
  const context = place.context();
  return {
    said,
    context: { ...context, ask: { ...context.ask, converse: () => Promise.resolve(conversation) } },
  };
}

describe('identity trust', () => {
  it('takes a fingerprint in digits, words and letters, and only the whole of it', async () => {
    const groups = groupsOf(ids['Bob'] as string);
    for (const heard of [
      ids['Bob'] as string,
      groups.join(' ').toUpperCase(),
      groups.map((group) => spoken(group, 'words')).join(' '),
      groups.map((group) => spoken(group, 'nato')).join(' '),
    ]) {
      expect(await trust('Bob', { fingerprint: heard })).toMatchObject({ level: 'verified' });
    }
    await expect(
      trust('Ada', {
        fingerprint: groupsOf(ids['Ada'] as string)
          .slice(0, 15)
          .join(' '),
      }),
    ).rejects.toMatchObject(refused('E_FINGERPRINT_PART', 2));
    expect(await levelOf('Ada')).toBeUndefined();
  });

  it('leaves everything as it is when the fingerprint is another one, and records that', async () => {
    await trust('Bob', { tofu: true });
    await expect(trust('Bob', { fingerprint: ids['Ada'] })).rejects.toMatchObject(
      refused('E_FINGERPRINT_DIFFERS', 1),
    );
    expect(await levelOf('Bob')).toBe('tofu');
    expect(log().map(({ type }) => type)).toEqual([IDENTITY_TRUSTED, 'identity.comparison-failed']);
    await verify('Bob');
    await expect(trust('Bob', { fingerprint: ids['Ada'] })).rejects.toThrow();
    expect(await levelOf('Bob')).toBe('verified');
  });

  it('has a person type what is heard, and never shows what is expected', async () => {
    const groups = groupsOf(ids['Bob'] as string);
    const words = groups.map((group) => spoken(group, 'words'));
    const rows = [0, 4, 8, 12].map((at) => words.slice(at, at + 4).join(' '));
    const { context, said } = talking([
      rows[0] as string,
      rows[2] as string,
      rows[1] as string,
      groups.slice(8, 12).join(' '),
      'nonsense',
      rows[3] as string,
    ]);
    const input = { identity: file('Bob') };
    expect(await identityTrust.run(input, context)).toMatchObject({ level: 'verified', was: null });
    // But for the name of the folder, which is made by chance.
    const told = said.join('\n').replaceAll(place.folder, '');
    for (const word of [...groups, ...words]) expect(told).not.toContain(word);
    expect(said.filter((line) => line.includes('Have it read again'))).toHaveLength(2);
    expect(await identityTrust.run(input, talking([words.join(' ')]).context)).toMatchObject({
      was: 'verified',
    });
  });

  it('ends after three wrong answers', async () => {
    const { context } = talking(['able acid', 'y', 'yes']);
    await expect(identityTrust.run({ identity: file('Bob') }, context)).rejects.toMatchObject(
      refused('E_FINGERPRINT_DIFFERS', 1),
    );
    expect(await levels()).toEqual({});
  });

  it('needs an answer where nobody can be asked, and only one way', async () => {
    await expect(trust('Bob')).rejects.toMatchObject(refused('E_FINGERPRINT_MISSING', 2));
    await expect(verify('Bob', { tofu: true })).rejects.toMatchObject(refused('E_TRUST_WAYS', 2));
    await expect(trust('Bob', { withdraw: true })).rejects.toMatchObject(
      refused('E_TRUST_UNKNOWN', 66),
    );
    await place.run(identityNew, { name: 'Me' }, SEALED);
    await expect(place.run(identityTrust, { identity: 'Me', tofu: true })).rejects.toMatchObject(
      refused('E_TRUST_OWN', 2),
    );
  });

  it('lowers a level only when that is said', async () => {
    await verify('Bob');
    expect(await trust('Bob', { tofu: true })).toMatchObject({
      level: 'verified',
      recorded: false,
    });
    expect(await trust('Bob', { withdraw: true })).toMatchObject({
      level: 'tofu',
      was: 'verified',
    });
    expect(await levelOf('Bob')).toBe('tofu');
    // Known people need no file any more.
    const again = { identity: 'Bob', fingerprint: ids['Bob'] };
    expect(await place.run(identityTrust, again)).toMatchObject({ level: 'verified' });
    expect(await place.run(identityShow, { identity: 'Bob' })).toMatchObject({ level: 'verified' });
  });

  it('refuses another key under a known name, loudly, until people say that it changed', async () => {
    await verify('Bob');
    await person('Bob', 'Mallory');
    for (const input of [{ tofu: true }, { fingerprint: ids['Mallory'] }]) {
      await expect(trust('Mallory', input)).rejects.toMatchObject(
        refused('E_IDENTITY_CHANGED', 77),
      );
    }
    expect(await place.run(identityShow, { identity: file('Mallory') })).toMatchObject({
      level: 'changed',
    });
    expect(await levelOf('Bob')).toBe('verified');
    const replaced = await trust('Mallory', { tofu: true, changed: true });
    expect(replaced).toMatchObject({ level: 'tofu', replaces: ids['Bob'] });
    expect(identityTrust.present?.(replaced)).toMatch(/^ALARM/m);
    expect(await levels()).toEqual({
      [ids['Bob'] as string]: 'tofu',
      [ids['Mallory'] as string]: 'tofu',
    });
    await expect(verify('Bob', { changed: true })).rejects.toMatchObject(
      refused('E_IDENTITY_REPLACED', 77),
    );
  });

  it('refuses known keys under another name', async () => {
    await verify('Bob');
    const renamed = readFileSync(file('Bob'), 'utf8').replace('"name":"Bob"', '"name":"Eve"');
    writeFileSync(place.at('Eve.key.pub'), renamed);
    await expect(trust('Eve', { tofu: true })).rejects.toMatchObject(
      refused('E_IDENTITY_RENAMED', 77),
    );
  });

  it('believes no log that was touched, and no file that was exchanged', async () => {
    await trust('Bob', { tofu: true });
    await trust('Ada', { tofu: true });
    const path = place.at('home/audit.jsonl');
    const whole = readFileSync(path, 'utf8');
    writeFileSync(path, whole.replace('first-sight', 'comparison').replace('"tofu"', '"verified"'));
    await expect(levels()).rejects.toMatchObject(refused('E_TRUST_LOG', 1));
    writeFileSync(path, whole);
    const kept = (name: string): string => place.at(`home/people/identity/${ids[name] as string}`);
    writeFileSync(kept('Bob'), readFileSync(kept('Ada')));
    await expect(levels()).rejects.toMatchObject(refused('E_IDENTITY_FILE_GONE', 66));
    rmSync(kept('Bob'));
    await trust('Bob', { tofu: true });
    expect(await levelOf('Bob')).toBe('tofu');
  });
});

describe('an introduction', () => {
  const introduce = (who: string, by: string) =>
    place.run(
      identityIntroduce,
      { identity: file(who), out: place.at('said.json') },
      { ...SEALED, identity: place.at(`${by}.key`) },
    );
  const accept = (who: string) => trust(who, { introduction: place.at('said.json') });

  it('counts when the introducer compared, is verified here, and signed it', async () => {
    await expect(introduce('Bob', 'Ada')).rejects.toMatchObject(
      refused('E_INTRODUCTION_UNVERIFIED', 77),
    );
    await verify('Bob');
    await introduce('Bob', 'Ada');
    await trust('Bob', { withdraw: true });
    await expect(accept('Bob')).rejects.toMatchObject(refused('E_INTRODUCER_UNVERIFIED', 77));
    await trust('Ada', { tofu: true });
    await expect(accept('Bob')).rejects.toMatchObject(refused('E_INTRODUCER_UNVERIFIED', 77));
    await verify('Ada');
    expect(await accept('Bob')).toMatchObject({ level: 'introduced', introducer: { name: 'Ada' } });
    await expect(accept('Ada')).rejects.toMatchObject(refused('E_INTRODUCTION_OTHER', 1));

    // Whoever was introduced falls with the introducer, and does not rise with them.
    await trust('Ada', { withdraw: true });
    expect(await levelOf('Bob')).toBe('tofu');
    await verify('Ada');
    expect(await levelOf('Bob')).toBe('tofu');
  });

  it('does not count with another signature, and verify says whose word it is', async () => {
    await verify('Bob');
    await verify('Ada');
    await introduce('Bob', 'Ada');
    const bytes = new Uint8Array(readFileSync(place.at('said.json')));
    const options = { signers: [file('Ada')], participants: undefined, allowUnpinned: false };
    const verdict = (given: Uint8Array) =>
      statementKind.verify(given, 'said.json', place.context(), options as never);
    expect(await verdict(bytes)).toMatchObject({
      ok: true,
      summary: expect.stringContaining('Ada compared the identity of Bob') as unknown,
    });
    const envelope = JSON.parse(Buffer.from(bytes).toString()) as {
      signatures: { keyid: string; sig: string }[];
    };
    const first = envelope.signatures[0] as { sig: string };
    first.sig = `${first.sig.startsWith('A') ? 'B' : 'A'}${first.sig.slice(1)}`;
    const forged = utf8(JSON.stringify(envelope));
    writeFileSync(place.at('said.json'), forged);
    await trust('Bob', { withdraw: true });
    await expect(accept('Bob')).rejects.toMatchObject(refused('E_INTRODUCTION_SIGNATURE', 1));
    expect(await levelOf('Bob')).toBe('tofu');
    await fuzz(bytes, (mutation) => readHandover(INTRODUCED, mutation, 'said.json'));
  });

  it('of a production identity needs an introducer of the same kind', async () => {
    await person('Dev', 'Dev', { environment: 'dev' });
    await verify('Dev');
    await verify('Bob');
    await introduce('Bob', 'Dev');
    await trust('Bob', { withdraw: true });
    await expect(accept('Bob')).rejects.toMatchObject(refused('E_IDENTITY_ENVIRONMENT', 77));
  });
});

describe('what a log says of people', () => {
  const chain = (...said: readonly Record<string, Json>[]): readonly ChainEntry[] => {
    const entries: ChainEntry[] = [];
    for (const data of said) {
      const last = entries.at(-1);
      const time = '2026-11-23T09:30:00Z';
      const full = { introduced: null, replaces: null, ...data };
      entries.push(
        nextEntry(last === undefined ? undefined : headOf(last), {
          time,
          type: IDENTITY_TRUSTED,
          data: full,
        }),
      );
    }
    return entries;
  };
  const bob = { id: 'b'.repeat(64), name: 'Bob', level: 'verified', how: 'comparison' };

  it('knows nobody better than it was told by both of two writers at once', () => {
    const known = knownFrom(chain(bob, { ...bob, id: 'c'.repeat(64) }));
    expect(known).toMatchObject([
      { level: 'tofu', replacedBy: 'c'.repeat(64) },
      { level: 'tofu', replacedBy: null },
    ]);
    const replaced = knownFrom(chain(bob, { ...bob, id: 'c'.repeat(64), replaces: bob.id }));
    expect(replaced.map(({ level }) => level)).toEqual(['tofu', 'verified']);
  });

  it('takes no level that does not rest on its grounds', () => {
    for (const wrong of [
      { level: 'verified', how: 'first-sight' },
      { level: 'introduced', how: 'introduction' },
      { level: 'introduced', how: 'comparison' },
      { level: 'verified', how: 'withdrawal' },
    ]) {
      expect(() => knownFrom(chain({ ...bob, ...wrong }))).toThrow(
        expect.objectContaining({ code: 'E_TRUST_UNGROUNDED' }) as Error,
      );
    }
    expect(() => knownFrom(chain({ ...bob, level: 'absolute' }))).toThrow();
    expect(() => knownFrom(chain({ ...bob, more: 1 }))).toThrow();
  });

  it('lets an introduction by a stranger count for nothing', () => {
    const introduced = { by: 'a'.repeat(64), name: 'Ada', statement: 'd'.repeat(64) };
    const entry = { ...bob, level: 'introduced', how: 'introduction', introduced };
    expect(knownFrom(chain(entry))).toMatchObject([{ level: 'tofu' }]);
    expect(encodeChainLine(chain(entry)[0] as ChainEntry).at(-1)).toBe(0x0a);
  });
});
