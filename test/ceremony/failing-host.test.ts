/** A disk that refuses at every write of quickstart, in process: the run ends with the disk's error, and can go on later. */
import { beforeAll, describe, expect, it } from 'vitest';
import { OutputError } from '#formats/errors';
import { spread, thorough } from '../support/require.js';
import { checkSession, problemsOf } from './evidence.js';
import { Disk, place } from './memory-host.js';
import { furnish, roomContext, runIn } from './room.js';

const ANSWERS = `answers:
  close/administrator/administrator: { choice: agree }
  close/witness/witness: { choice: agree }
`;
const input = { ceremony: 'quickstart', outDir: '/out', answers: '/answers.yaml' } as const;

function newDisk(): Disk {
  const disk = new Disk();
  furnish(disk);
  place(disk, '/answers.yaml', ANSWERS);
  return disk;
}

let writes = 0;

beforeAll(async () => {
  const after = (): void => {
    writes++;
  };
  const context = await roomContext(newDisk(), { host: { faults: { after } } });
  await runIn(context, input);
}, 120_000);

describe('a failing disk', () => {
  it('never loses the session', { timeout: 900_000 }, async () => {
    expect(writes).toBeGreaterThan(50);
    const wrong: string[] = [];
    const places = Array.from({ length: writes }, (_, at) => at);
    for (const at of thorough ? places : spread(places, 20)) {
      const problem = await failAndGoOn(at).catch((error: unknown) => String(error));
      if (problem !== undefined) wrong.push(`write ${at}: ${problem}`);
    }
    expect(wrong).toEqual([]);
  });
});

/** Full once at even numbers, full for good at odd ones. */
async function failAndGoOn(at: number): Promise<string | undefined> {
  const disk = newDisk();
  const before = ({ number }: { readonly number: number }): void => {
    if (number === at || (at % 2 === 1 && number > at))
      throw new OutputError({ code: 'E_DISK_FULL', message: 'there is no room left' });
  };
  const failing = await roomContext(disk, { host: { faults: { before } } });
  const error: unknown = await runIn(failing, input).then(
    () => undefined,
    (cause: unknown) => cause,
  );
  if (!(error instanceof OutputError) || error.code !== 'E_DISK_FULL')
    return `it ended with ${String(error)}`;
  if (disk.locks.size > 0) return 'the lock was not released';
  const context = await roomContext(disk);
  const result = await runIn(context, { ...input, resume: true });
  const { verdict } = await checkSession(disk, '/out', await context.catalogue());
  if (!verdict.ok) return problemsOf(verdict).join('; ');
  return result.ok ? undefined : `not completed: ${result.reason ?? ''}`;
}
