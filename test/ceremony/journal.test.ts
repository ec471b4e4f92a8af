import { describe, expect, it } from 'vitest';
import { Journal } from '#ceremony/journal';
import { replay } from '#ceremony/state';
import { fromUtf8 } from '#formats/bytes';
import { fuzz } from '../support/mutations.js';
import { Disk, memoryHost, place } from './memory-host.js';

const PATH = '/journal.jsonl';
const T = '2026-11-23T09:30:00Z';

function written(): Disk {
  const disk = new Disk();
  const { journal } = Journal.open(memoryHost(disk).files, PATH);
  journal.append(
    'session.opened',
    {
      session: 's',
      ceremony: 'small',
      title: 'Small',
      classification: 'dev',
      mode: 'run',
      environment: 'dev',
      definitionDigest: `sha256:${'1'.repeat(64)}`,
      executionDigest: `sha256:${'2'.repeat(64)}`,
      siteDigest: null,
      parameters: {},
      participants: [{ name: 'Ada', role: 'administrator', identity: null, level: 'none' }],
      previous: null,
      tool: { version: '0.1.0', digest: `sha256:${'3'.repeat(64)}` },
      airGap: [],
    },
    T,
  );
  journal.append('act.started', { act: 'work' }, T);
  journal.append('step.started', { act: 'work', step: 'look', attempt: 1 }, T);
  return disk;
}

const open = (disk: Disk): ReturnType<typeof Journal.open> =>
  Journal.open(memoryHost(disk).files, PATH);

describe('the journal', () => {
  it('reads back what it wrote, and goes on from its head', () => {
    const disk = written();
    const { journal, entries, torn } = open(disk);
    expect(torn).toBeUndefined();
    expect(entries.map(({ type }) => type)).toEqual([
      'session.opened',
      'act.started',
      'step.started',
    ]);
    journal.append('session.closed', { outcome: 'aborted', reason: null }, T);
    expect(open(disk).entries).toHaveLength(4);
  });

  it('drops a last line that was torn at any byte, and only that', () => {
    const whole = written().files.get(PATH) as Uint8Array;
    const lines = fromUtf8(whole).split('\n').slice(0, -1);
    const last = (lines.at(-1) ?? '').length + 1;
    for (let lost = 1; lost < last; lost++) {
      const disk = new Disk();
      place(disk, PATH, whole.slice(0, whole.length - lost));
      const { entries, torn, journal } = open(disk);
      expect(entries).toHaveLength(2);
      expect(torn).toEqual({ bytes: last - lost });
      journal.append('act.started', { act: 'again' }, T);
      expect(open(disk).entries).toHaveLength(3);
    }
  });

  it('drops a last block of zeroes, as some disks leave after a power cut', () => {
    const disk = written();
    const whole = Buffer.from(disk.files.get(PATH) ?? []);
    place(disk, PATH, Buffer.concat([whole, Buffer.alloc(100)]));
    expect(open(disk)).toMatchObject({ torn: { bytes: 100 } });
    place(disk, PATH, Buffer.concat([whole, Buffer.alloc(100), Buffer.from('\n')]));
    expect(open(disk)).toMatchObject({ torn: { bytes: 101 } });
  });

  it('refuses a line in the middle that was edited, removed or moved', () => {
    const text = fromUtf8(written().files.get(PATH) as Uint8Array);
    const [a = '', b = '', c = ''] = text.trimEnd().split('\n');
    const refused = (lines: readonly string[], code: string): void => {
      const disk = new Disk();
      place(disk, PATH, `${lines.join('\n')}\n`);
      expect(() => open(disk)).toThrow(expect.objectContaining({ code }) as Error);
    };
    refused([a, c], 'E_JOURNAL_BROKEN');
    refused([a, c, b], 'E_JOURNAL_BROKEN');
    refused([a, b.replace('work', 'cork'), c], 'E_JOURNAL_BROKEN');
    refused([a, '', c], 'E_JSON_MALFORMED');
  });

  it('writes nothing more once a write failed', () => {
    const disk = written();
    let full = true;
    const host = memoryHost(disk, {
      faults: {
        before: () => {
          if (full) throw new Error('full');
        },
      },
    });
    const { journal } = Journal.open(host.files, PATH);
    const append = (): unknown => journal.append('act.started', { act: 'again' }, T);
    expect(append).toThrow('full');
    full = false;
    expect(append).toThrow('full');
    expect(open(disk).entries).toHaveLength(3);
  });

  it('takes mutations as malformed, broken or whole, never otherwise', async () => {
    const whole = written().files.get(PATH) as Uint8Array;
    const tally = await fuzz(whole, (bytes) => {
      const disk = new Disk();
      place(disk, PATH, bytes);
      replay(open(disk).entries);
    });
    expect(Object.keys(tally).sort()).toEqual(['1', '65', 'read']);
  });
});
