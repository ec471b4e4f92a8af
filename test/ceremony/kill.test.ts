/**
 * The power goes at every write of quickstart, and inside every journal entry; another machine goes on from the folder.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formsIn } from '../support/canary.js';
import { spread, thorough } from '../support/require.js';
import { checkSession, problemsOf } from './evidence.js';
import { type Change, Disk, place } from './memory-host.js';
import { furnish, roomContext, runIn } from './room.js';

const ANSWERS = `answers:
  close/administrator/administrator: { choice: agree }
  close/witness/witness: { choice: agree }
`;
const OUT = '/out';
const input = { ceremony: 'quickstart', outDir: OUT, answers: '/answers.yaml' } as const;

/** The disk as a kill leaves it. */
interface Moment {
  readonly at: string;
  readonly disk: Disk;
}

const moments: Moment[] = [];
const secrets: Uint8Array[] = [];
/** Which ways of going on were taken, so that the test cannot pass without them. */
const seen = { rollback: 0, retired: 0, restore: 0, lost: 0, torn: 0, published: 0 };

beforeAll(async () => {
  const disk = new Disk();
  furnish(disk);
  place(disk, '/answers.yaml', ANSWERS);
  let before = disk.copy();
  const after = ({ number, call, path }: Change, now: Disk): void => {
    const name = `${call} ${number} (${path})`;
    if (call === 'append') moments.push({ at: `inside ${name}`, disk: torn(before, now, path) });
    before = now.copy();
    moments.push({ at: `after ${name}`, disk: before });
  };
  const context = await roomContext(disk, {
    host: { faults: { after } },
    onSecret: (bytes) => secrets.push(bytes),
  });
  const result = await runIn(context, input);
  expect(result.ok).toBe(true);
});

afterAll(() => {
  for (const secret of secrets) secret.fill(0);
});

/** The disk with only half of what was appended. */
function torn(before: Disk, now: Disk, path: string): Disk {
  const disk = now.copy();
  const old = before.files.get(path)?.length ?? 0;
  const whole = now.files.get(path) as Uint8Array;
  disk.files.set(path, whole.slice(0, old + Math.ceil((whole.length - old) / 2)));
  return disk;
}

describe('quickstart, killed', () => {
  it('at every write, goes on to a transcript that holds', { timeout: 600_000 }, async () => {
    expect(moments.length).toBeGreaterThan(60);
    const wrong: string[] = [];
    for (const moment of thorough ? moments : spread(moments, 16)) {
      const problem = await goOn(moment).catch((error: unknown) => String(error));
      if (problem !== undefined) wrong.push(`${moment.at}: ${problem}`);
    }
    expect(wrong).toEqual([]);
    // A sample may miss a way of going on.
    if (thorough) for (const times of Object.values(seen)) expect(times).toBeGreaterThan(0);
  });
});

async function goOn({ disk: killed }: Moment): Promise<string | undefined> {
  const disk = killed.copy();
  const known = [...secrets];
  const journal = disk.files.get(`${OUT}/journal.jsonl`);
  const begun = journal?.includes(0x0a) === true;
  const sealed = isSealed(disk);
  const context = await roomContext(disk, { onSecret: (bytes) => known.push(bytes) });
  const result = await runIn(context, { ...input, resume: true });
  if (!result.ok) return `not completed: ${result.reason ?? ''}`;
  const checked = await checkSession(disk, OUT, await context.catalogue());
  if (!checked.verdict.ok) return problemsOf(checked.verdict).join('; ');
  const closedBefore = isClosed(journal);
  const gaps = checked.of('session.resumed').length;
  if (begun && !closedBefore && gaps !== 1) return `${gaps} gaps are told`;
  const retired = checked.of('key.retired').length;
  seen.retired += retired;
  seen.rollback += checked.of('rollback').length;
  seen.restore += checked.of('restore').length;
  seen.lost += checked.of('wipe').filter(({ data }) => data.how !== 'wiped').length;
  seen.torn += checked.of('deviation').filter(({ data }) => data.about === 'journal').length;
  if (closedBefore) seen.published++;
  if (sealed && (retired > 0 || checked.of('rollback').length > 0))
    return 'a key that was sealed was given up';
  for (const place of [killed, disk]) {
    const dump = place.dump();
    for (const secret of known.flatMap((whole) => [whole, whole.slice(0, 32), whole.slice(32)])) {
      const forms = formsIn(dump, secret);
      if (forms.length > 0) return `a secret lies on the disk (${forms.join(', ')})`;
    }
  }
  return undefined;
}

function isClosed(journal: Uint8Array | undefined): boolean {
  if (journal === undefined) return false;
  return Buffer.from(journal).includes('"type":"session.closed"') && journal.at(-1) === 0x0a;
}

/** Whether a complete set of shares lies on the disk: its description is written last. */
function isSealed(disk: Disk): boolean {
  return disk.files.has(`${OUT}/artifacts/shares/set.json`);
}
