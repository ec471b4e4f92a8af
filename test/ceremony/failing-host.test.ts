/** A disk that refuses at its writes, in process: the run ends with the disk's error, and can go on later. */
import { describe, expect, it, vi } from 'vitest';
import { OutputError } from '#formats/errors';
import { rememberedSchemes, sameNumbers, sameTimes } from '../support/remembered.js';
import { spread, thorough } from '../support/require.js';
import { checkSession, problemsOf } from './evidence.js';
import { Disk, place } from './memory-host.js';
import { furnish, roomContext, runIn } from './room.js';

vi.mock('@noble/post-quantum/ml-dsa.js', async (load) => rememberedSchemes(await load()));
vi.mock('@noble/curves/ed25519.js', async (load) => rememberedSchemes(await load()));

const rehearsal = {
  ceremony: 'root-key',
  outDir: '/out',
  rehearse: true,
  answers: '/shipped/answers/root-key.yaml',
} as const;
const quickstart = { ceremony: 'quickstart', outDir: '/out', answers: '/answers.yaml' } as const;
type Input = typeof rehearsal | typeof quickstart;
const ANSWERS = `answers:
  close/administrator/administrator: { choice: agree }
  close/witness/witness: { choice: agree }
`;

function newDisk(): Disk {
  const disk = new Disk();
  furnish(disk);
  place(disk, '/answers.yaml', ANSWERS);
  return disk;
}

/** Every run is the same until the disk fails; whoever goes on comes an hour later. */
const first = () => ({ random: sameNumbers(1), now: sameTimes('2026-11-23T09:30:00Z') });
const later = () => ({ random: sameNumbers(2), now: sameTimes('2026-11-23T10:30:00Z') });

/** How often a whole run changes the disk. */
async function writesOf(input: Input): Promise<number> {
  let writes = 0;
  const after = (): void => {
    writes++;
  };
  const context = await roomContext(newDisk(), { host: { ...first(), faults: { after } } });
  await runIn(context, input);
  return writes;
}

describe('a failing disk', () => {
  it.each([
    ['root-key', rehearsal, 6],
    ['quickstart', quickstart, 6],
  ] as const)('never loses a session of %s', { timeout: 900_000 }, async (_, input, count) => {
    const writes = await writesOf(input);
    expect(writes).toBeGreaterThan(50);
    const wrong: string[] = [];
    const places = Array.from({ length: writes }, (_, at) => at);
    for (const at of thorough ? places : spread(places, count)) {
      const problem = await failAndGoOn(input, at).catch((error: unknown) => String(error));
      if (problem !== undefined) wrong.push(`write ${at}: ${problem}`);
    }
    expect(wrong).toEqual([]);
  });
});

/** Full once at even numbers, full for good at odd ones. */
async function failAndGoOn(input: Input, at: number): Promise<string | undefined> {
  const disk = newDisk();
  const before = ({ number }: { readonly number: number }): void => {
    if (number === at || (at % 2 === 1 && number > at))
      throw new OutputError({ code: 'E_DISK_FULL', message: 'there is no room left' });
  };
  const failing = await roomContext(disk, { host: { ...first(), faults: { before } } });
  const error: unknown = await runIn(failing, input).then(
    () => undefined,
    (cause: unknown) => cause,
  );
  if (!(error instanceof OutputError) || error.code !== 'E_DISK_FULL')
    return `it ended with ${String(error)}`;
  if (disk.locks.size > 0) return 'the lock was not released';
  const context = await roomContext(disk, { host: later() });
  const result = await runIn(context, { ...input, resume: true });
  const { verdict } = await checkSession(disk, '/out', await context.catalogue());
  if (!verdict.ok) return problemsOf(verdict).join('; ');
  return result.ok ? undefined : `not completed: ${result.reason ?? ''}`;
}
