/**
 * A step that people had to agree to, and the process that was doing it is gone: what they said is in the journal before
 * anything begins, so that what is found done counts as agreed to, and what is not is asked anew.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { smallCeremony } from './directory.js';
import { checkSession, problemsOf } from './evidence.js';
import { type Change, Disk, place } from './memory-host.js';
import { playedTerminal } from './people.js';
import { furnish, roomContext, runIn } from './room.js';

const input = { ceremony: '/agreed.yaml', outDir: '/out' } as const;
const SET = '/out/artifacts/shares/set.json';

const steps = [
  '- { id: generate, title: Generate the key, by: administrator, uses: key.generate, effect: irreversible, with: { algorithm: ed25519, name: small, public-out: small.pub } }',
  '- { id: split, title: Split it 2 of 3, by: administrator, needs: two, uses: share.split, effect: repeatable, with: { key: "${{ steps.generate.key }}", threshold: "${{ quorums.two.threshold }}", shares: "${{ quorums.two.shares }}", custodians: custodian, out-dir: shares } }',
  '- { id: prove, title: Prove every quorum, by: administrator, uses: share.prove, effect: none, with: { set: "${{ steps.split.set }}", shares: "${{ steps.split.shares }}", custodians: custodian } }',
  '- { id: wipe, title: Wipe the key, by: administrator, needs: two, uses: key.wipe, effect: irreversible, with: { key: "${{ steps.generate.key }}" } }',
  '',
].join('\n');

function room(): Disk {
  const disk = new Disk();
  furnish(disk);
  const quorum = [
    '  custodian: { count: 3, identity: required, summary: keeps a share }',
    'quorums:',
    '  two: { of: custodian, threshold: 2, shares: 3 }',
    'acts:',
  ].join('\n');
  place(disk, '/agreed.yaml', smallCeremony(steps).replace('acts:', quorum));
  return disk;
}

/** The disk at each of its changes while a step is under way: begun, agreed to, done in part, done. */
interface Moment {
  readonly at: string;
  readonly agreed: boolean;
  readonly disk: Disk;
}
const during: Record<'split' | 'wipe', Moment[]> = { split: [], wipe: [] };

beforeAll(async () => {
  const after = ({ call, number, path }: Change, now: Disk): void => {
    const lines = Buffer.from(now.files.get('/out/journal.jsonl') ?? []).toString();
    for (const step of ['split', 'wipe'] as const) {
      const [, mine] = lines.split(new RegExp(`^.*"step":"${step}".*"step\\.started".*$`, 'm'));
      if (mine === undefined || mine.includes('step.finished')) continue;
      const agreed = mine.includes('quorum.agreed');
      during[step].push({ at: `${call} ${number} (${path})`, agreed, disk: now.copy() });
    }
  };
  const context = await roomContext(room(), {
    terminal: playedTerminal(),
    host: { faults: { after } },
  });
  expect(await runIn(context, input)).toMatchObject({ ok: true });
});

/** Goes on from a moment; how often somebody was asked to agree to a step, and what counts as said there. */
async function goOn(moment: Moment, step: string): Promise<{ asked: number; people: unknown }> {
  const terminal = playedTerminal();
  const context = await roomContext(moment.disk, { terminal });
  expect(await runIn(context, { ...input, resume: true }), moment.at).toMatchObject({ ok: true });
  const checked = await checkSession(moment.disk, '/out', await context.catalogue());
  expect(problemsOf(checked.verdict), moment.at).toEqual([]);
  const finished = checked.of('step.finished').find(({ data }) => data.step === step);
  return {
    asked: terminal.asked.filter(
      ({ key, question }) => key.includes(`/${step}/`) && question.includes('do you agree'),
    ).length,
    people: finished?.data.people.filter(({ said }) => said === 'agreed').map(({ name }) => name),
  };
}

describe('a quorum agreed to a step that the end of the process cut short', () => {
  it('and its word stands when the shares are found complete', async () => {
    const complete = during.split.filter(({ disk }) => disk.files.has(SET));
    expect(complete.length).toBeGreaterThan(0);
    for (const moment of complete) {
      const { asked, people } = await goOn(moment, 'split');
      expect(asked, moment.at).toBe(0);
      expect(people).toEqual(['custodian-1', 'custodian-2']);
    }
  });

  it('and is asked anew when they are not', async () => {
    const incomplete = during.split.filter(({ disk }) => !disk.files.has(SET));
    expect(new Set(incomplete.map(({ agreed }) => agreed))).toEqual(new Set([true, false]));
    for (const moment of [incomplete[0], incomplete.at(-1)]) {
      const { asked, people } = await goOn(moment as Moment, 'split');
      expect(asked).toBe(2);
      expect(people).toEqual(['custodian-1', 'custodian-2']);
    }
  });

  it('and is asked anew before a key is wiped', async () => {
    const [first, last] = [during.wipe[0], during.wipe.at(-1)];
    expect(first?.agreed).toBe(false);
    expect(last?.agreed).toBe(true);
    for (const moment of [first, last]) {
      expect(await goOn(moment as Moment, 'wipe')).toEqual({
        asked: 2,
        people: ['custodian-1', 'custodian-2'],
      });
    }
  });
});
