/** A ceremony in which a keychain or a token remembers what nonces of the parties at its machine were used for. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { ActionContext } from '#actions/context/context';
import { BOUND_PLACE } from '#actions/threshold/memory-place';
import type { ClaimPlace } from '#carriage/stores/claims';
import { createKeychainClaims } from '#carriage/stores/keychain/claims';
import type { CommandContext } from '#ceremony/command';
import { rememberedSchemes, sameNumbers, sameTimes } from '../support/remembered.js';
import { memoryBackend } from '../stores/memory-keychain.js';
import { softHsm, type SoftHsm, withSoftHsm } from '../tokens/softhsm.js';
import { checkSession, problemsOf } from './evidence.js';
import { Disk, place } from './memory-host.js';
import { furnish, roomContext, runIn } from './room.js';

// With the same numbers and times people sign the same bytes in each of these rehearsals.
vi.mock('@noble/post-quantum/ml-dsa.js', async (load) => rememberedSchemes(await load()));

const OUT = '/out';
const SIGN = {
  ceremony: 'threshold-sign',
  outDir: OUT,
  rehearse: true,
  answers: '/shipped/answers/threshold-sign.yaml',
} as const;

function room(): Disk {
  const disk = new Disk();
  furnish(disk);
  return disk;
}

/** A machine in this room; each begins with the same numbers at the same time. */
const machineIn = (disk: Disk): Promise<CommandContext> =>
  roomContext(disk, {
    host: { random: sameNumbers(1), now: sameTimes('2026-11-27T09:30:00Z') },
  });

/** Shares of the signature that were told. */
const told = (disk: Disk): readonly string[] =>
  [...disk.files.keys()].filter((path) => path.includes('-signature-share-from-'));

/** A machine with this keychain. */
async function withKeychain(
  disk: Disk,
  keychainClaims: NonNullable<ActionContext['keychainClaims']>,
): Promise<CommandContext> {
  const context = await machineIn(disk);
  return {
    ...context,
    within: (changes) => ({ ...context.within(changes), keychainClaims }),
  };
}

async function assertWhole(disk: Disk): Promise<void> {
  const known = await (await machineIn(disk)).catalogue();
  const { verdict } = await checkSession(disk, OUT, known);
  expect(problemsOf(verdict)).toEqual([]);
}

describe('threshold-sign with a keychain that remembers', () => {
  const memory = ['remembered=true', 'memory=keychain:'];

  it('asks it about each use of nonces, and leaves nothing in it', async () => {
    const keychain = createKeychainClaims(memoryBackend());
    const [claimed, removed] = [new Set<string>(), new Set<string>()];
    const watched: ClaimPlace = {
      ...keychain,
      claim: async (name, bytes) => {
        claimed.add(name);
        return await keychain.claim(name, bytes);
      },
      remove: async (name) => {
        removed.add(name);
        await keychain.remove(name);
      },
    };
    const disk = room();
    const context = await withKeychain(disk, async () => watched);
    expect(await runIn(context, { ...SIGN, param: memory })).toMatchObject({ ok: true });
    const kinds = [...claimed].map((name) => name.slice(0, name.indexOf('-'))).sort();
    expect(kinds).toEqual(['nonce', 'nonce', 'session', 'session']);
    expect([...removed].sort()).toEqual([...claimed].sort());
    for (const name of claimed) expect(await keychain.read(name)).toEqual([]);
    await assertWhole(disk);
  });

  it('signs nothing where it has forgotten', async () => {
    const keychain = createKeychainClaims(memoryBackend());
    const forgetful: ClaimPlace = { ...keychain, read: async () => [] };
    const disk = room();
    const empty = await withKeychain(disk, async () => forgetful);
    expect(await runIn(empty, { ...SIGN, param: memory })).toMatchObject({
      ok: false,
      reason: expect.stringContaining('keychain:keyring does not know this state'),
    });
    expect(told(disk)).toEqual([]);
  });
});

it('takes no other word for a place than those that there are', () => {
  const place_ = new RegExp(`^(?:${BOUND_PLACE})$`, 'u');
  const good = [
    'medium/memory',
    'keychains',
    'keychain',
    'keychain:',
    'keychain:keytar',
    'pkcs11:a-1',
  ];
  const bad = [
    '',
    'keychain:gnome',
    'pkcs11:',
    'pkcs11:My Token',
    'pkcs11:token=a;serial=b',
    'pkcs11:-a',
  ];
  expect(good.filter((named) => !place_.test(named))).toEqual([]);
  expect(bad.filter((named) => place_.test(named))).toEqual([]);
});

describe.skipIf(!withSoftHsm)('threshold-sign with a token that remembers', () => {
  let soft: SoftHsm;
  beforeAll(async () => {
    soft = softHsm();
    await soft.init('epochs');
    await soft.init('others');
  });
  afterAll(() => {
    soft[Symbol.dispose]();
  });
  const input = {
    ...SIGN,
    site: '/site.yaml',
    param: ['remembered=true', 'memory=pkcs11:watch'],
  };
  /** A machine whose site file calls this token so. */
  const machine = (disk: Disk, label: string): void => {
    place(disk, soft.library, '');
    place(disk, '/pin', readFileSync(soft.pinFile));
    const token = `{ module: ${soft.library}, token: ${label}, pin-file: /pin, rehearsal: true }`;
    place(disk, '/site.yaml', `site: 1\ntokens:\n  watch: ${token}\n`);
  };
  const claims = async (): Promise<number> => {
    using module = await soft.module();
    const token = soft.enter(module, 'epochs');
    return token.session({ write: false }, (session) => session.find([]).length);
  };

  it('enters the token that the site file names, and leaves nothing in it', async () => {
    const disk = room();
    machine(disk, 'epochs');
    const before = await claims();
    expect(await runIn(await machineIn(disk), input)).toMatchObject({ ok: true });
    expect(await claims()).toBe(before);
    // What is on the disk of the session says neither the PIN nor where it lies.
    const parties = [...disk.files.keys()].filter((path) => path.startsWith(join(OUT, 'parties')));
    expect(parties.filter((path) => !path.endsWith('/seat'))).toEqual([]);
  });

  it('waits for a site file that says which token it is', async () => {
    const disk = room();
    const unbound = await runIn(await machineIn(disk), { ...input, site: undefined }).catch(
      (error: unknown) => error,
    );
    expect(unbound).toMatchObject({ exitCode: 75 });
    expect(told(disk)).toEqual([]);
  });
});
