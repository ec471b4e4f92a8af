/** What changes shares, led as ceremonies: over BLS12-381 from the key to a signature by new holders; and a repair, killed. */
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { readTranscript } from '#actions/threshold/transcript';
import { changedSeats, changeSentence } from '#actions/threshold/changing';
import type { ActionContext } from '#actions/context/context';
import { decodeGroup } from '#crypto/frost/group';
import { root, spread, thorough } from '../support/require.js';
import { readFileSync } from 'node:fs';
import { checkSession, problemsOf } from './evidence.js';
import { type Change, Disk, place } from './memory-host.js';
import { furnish, roomContext, runIn } from './room.js';

vi.setConfig({ testTimeout: 600_000, hookTimeout: 600_000 });

const OUT = '/out';
const SHARED = '/shipped/answers/threshold-sign';

const rehearsal = (ceremony: string) => ({
  ceremony: `threshold-${ceremony}`,
  outDir: OUT,
  rehearse: true,
  answers: `/shipped/answers/threshold-${ceremony}.yaml`,
});

function artifacts(disk: Disk, folder: string): ReadonlyMap<string, Uint8Array> {
  const at = join(OUT, 'artifacts', folder, '/');
  return new Map(
    [...disk.files]
      .filter(([path]) => path.startsWith(at))
      .map(([path, bytes]) => [path.slice(at.length), bytes]),
  );
}

/** A room in which the shipped answers find the group and the shares that another session left. */
function roomWith(before?: Disk): Disk {
  const disk = new Disk();
  furnish(disk);
  if (before === undefined) return disk;
  place(disk, `${SHARED}/group.json`, artifacts(before, 'threshold').get('group.json') ?? '');
  for (const [name, bytes] of artifacts(before, 'shares'))
    place(disk, `${SHARED}/shares/${name}`, bytes);
  return disk;
}

async function led(ceremony: string, before?: Disk, param: readonly string[] = []): Promise<Disk> {
  const disk = roomWith(before);
  const result = await runIn(await roomContext(disk), {
    ...rehearsal(ceremony),
    param: [...param],
  });
  expect(result).toMatchObject({ ok: true, unusedAnswers: [] });
  const checked = await checkSession(disk, OUT, await (await roomContext(disk)).catalogue());
  expect(problemsOf(checked.verdict)).toEqual([]);
  // Nothing private of the session is left.
  const kept = [...disk.files.keys()].filter((path) => path.startsWith(`${OUT}/parties/`));
  expect(kept.filter((path) => !path.endsWith('/seat'))).toEqual([]);
  return disk;
}

const groupIn = async (disk: Disk) =>
  await decodeGroup(artifacts(disk, 'threshold').get('group.json') ?? new Uint8Array(0), 'group');

describe('a key over BLS12-381 in ceremonies', () => {
  it('is made, signs, and signs again when its shares have changed', async () => {
    const made = await led('dkg', undefined, ['suite=bls12-381']);
    const signed = await led('sign', made);
    const signature = (disk: Disk): string =>
      Buffer.from(disk.files.get(`${OUT}/artifacts/content.sig`) ?? '').toString('hex');
    expect(signature(signed)).toMatch(/^[0-9a-f]{192}$/);
    if (!thorough) return;
    const { record } = await groupIn(made);
    const changed = await led('enrol', made);
    const after = await groupIn(changed);
    expect(after.record).toMatchObject({
      publicKey: record.publicKey,
      epoch: 2,
      ceremony: record.ceremony,
    });
    const transcript = artifacts(changed, 'threshold').get('transcript.json');
    const { problems } = await readTranscript(transcript ?? new Uint8Array(0), 'transcript');
    expect(problems).toEqual([]);
    // The one signature that the key has for this content, by whoever holds it.
    const again = await led('sign', changed);
    expect(signature(again)).toBe(signature(signed));
  });
});

describe('threshold-repair, killed', () => {
  it.runIf(thorough)('goes on from every write, and says nothing twice', async () => {
    const moments: { readonly at: string; readonly disk: Disk }[] = [];
    const disk = roomWith();
    const after = ({ number, call, path }: Change, now: Disk): void => {
      if (artifacts(now, 'threshold').size > 0)
        moments.push({ at: `after ${call} ${number} (${path})`, disk: now.copy() });
    };
    const context = await roomContext(disk, { host: { faults: { after } } });
    const input = rehearsal('repair');
    expect(await runIn(context, input)).toMatchObject({ ok: true });
    expect(moments.length).toBeGreaterThan(60);
    const wrong: string[] = [];
    for (const { at, disk: killed } of spread(moments, 4)) {
      const now = killed.copy();
      const result = await runIn(await roomContext(now), { ...input, resume: true });
      if (!result.ok) wrong.push(`${at}: ${result.reason ?? 'not completed'}`);
      const checked = await checkSession(now, OUT, await (await roomContext(now)).catalogue());
      if (!checked.verdict.ok) wrong.push(`${at}: ${problemsOf(checked.verdict).join('; ')}`);
      const said = artifacts(now, 'threshold');
      for (const [name, bytes] of artifacts(killed, 'threshold')) {
        const same = Buffer.from(said.get(name) ?? '').equals(bytes);
        if (/-[1-4]-.*\.msg$/.test(name) && !same) wrong.push(`${at}: ${name} was said twice`);
      }
    }
    expect(wrong).toEqual([]);
  });
});

describe('the seats of a change', () => {
  const file = join(root, 'ceremonies/answers/threshold-sign/group.json');
  const person = (n: number) => ({ number: n, identity: `${n}`.repeat(64), name: `person ${n}` });
  const people = [1, 2, 3, 4].map(person);
  const rehearsing = { environment: 'rehearsal' } as ActionContext;

  it('are the members’ in a rehearsal, and whoever is left over joins', async () => {
    const { record } = await decodeGroup(readFileSync(file), 'group');
    const seats = (operation: never, count: number, threshold: number, lost?: number) => {
      const { contributors, receivers } = changedSeats(
        record,
        people.slice(0, count),
        { operation, threshold, lost },
        rehearsing,
      );
      return { contributors, receivers };
    };
    expect(seats('refresh' as never, 2, 2)).toEqual({ contributors: [1, 2], receivers: [1, 2] });
    expect(seats('repair' as never, 3, 2, 2)).toEqual({ contributors: [1, 3], receivers: [2] });
    expect(seats('enrol' as never, 4, 2)).toEqual({
      contributors: [1, 2],
      receivers: [1, 2, 3, 4],
    });
    expect(seats('reshare' as never, 4, 3)).toEqual({
      contributors: [1, 2],
      receivers: [1, 2, 3, 4],
    });
    for (const [operation, count, threshold, lost] of [
      ['refresh', 1, 2],
      ['refresh', 3, 3],
      ['repair', 3, 2],
      ['repair', 3, 2, 4],
      ['repair', 2, 2, 1],
      ['enrol', 3, 2],
      ['reshare', 3, 4],
    ] as const) {
      expect(() => seats(operation as never, count, threshold, lost)).toThrow(
        expect.objectContaining({ exitCode: 2 }) as Error,
      );
    }
    // A stranger joins only where somebody can join, and never in production without being named by the change.
    const real = { ...record, environment: 'production' as const };
    const production = { environment: 'production' } as ActionContext;
    expect(() =>
      changedSeats(real, people.slice(0, 3), { operation: 'refresh', threshold: 2 }, production),
    ).toThrow(expect.objectContaining({ code: 'E_SEAT_MEMBER', exitCode: 77 }) as Error);
  });

  it('are said in words', async () => {
    const group = await decodeGroup(readFileSync(file), 'group');
    const of = `of the key ${group.record.key.slice(0, 16)}`;
    const says = (operation: string, contributors: number[], receivers: number[]): string =>
      changeSentence({
        message: { operation, threshold: 2, contributors, receivers },
        group,
      } as never);
    expect(says('refresh', [1, 3], [1, 3])).toBe(
      `refresh ${of}: new shares for members 1, 3, any 2 of 2 sign, out: 2`,
    );
    expect(says('reshare', [1, 2], [1, 2, 3])).toBe(
      `reshare ${of}: new shares for members 1, 2, 3, any 2 of 3 sign, nobody is out`,
    );
    expect(says('repair', [1, 2], [3])).toBe(`repair ${of}: share 3 again, from members 1, 2`);
    expect(says('enrol', [1, 2], [1, 2, 3, 4])).toBe(
      `enrol ${of}: member 4 joins, any 2 of 4 sign`,
    );
  });
});
