/** Keys that go with the process, where going back would do more harm than the loss; and secrets that must not be written. */
import { describe, expect, it } from 'vitest';
import { Vault } from '#ceremony/vault';
import { RefusedError } from '#formats/errors';
import { smallCeremony } from './directory.js';
import { checkSession, problemsOf } from './evidence.js';
import { type Change, Disk, place } from './memory-host.js';
import { playedTerminal } from './people.js';
import { furnish, roomContext, runIn } from './room.js';

const input = { ceremony: '/keys.yaml', outDir: '/out' } as const;

const generate = (id: string): string =>
  `- { id: ${id}, title: Generate ${id}, by: administrator, uses: key.generate, effect: irreversible, with: { algorithm: ed25519, name: ${id}, public-out: ${id}.pub } }\n`;
const split = (id: string): string =>
  `- { id: split-${id}, title: Split ${id} 2 of 3, by: administrator, uses: share.split, effect: repeatable, with: { key: "\${{ steps.${id}.key }}", threshold: "\${{ quorums.two.threshold }}", shares: "\${{ quorums.two.shares }}", custodians: custodian, out-dir: ${id} } }\n` +
  `- { id: prove-${id}, title: Prove every quorum of ${id}, by: administrator, uses: share.prove, effect: none, with: { set: "\${{ steps.split-${id}.set }}", shares: "\${{ steps.split-${id}.shares }}", custodians: custodian } }\n`;
const wipe = (id: string): string =>
  `- { id: wipe-${id}, title: Wipe ${id}, by: administrator, uses: key.wipe, effect: irreversible, with: { key: "\${{ steps.${id}.key }}" } }\n`;

function diskWith(steps: string): Disk {
  const disk = new Disk();
  furnish(disk);
  const text = smallCeremony(steps).replace(
    'acts:',
    [
      '  custodian: { count: 3, identity: required, summary: keeps a share }',
      'quorums:',
      '  two: { of: custodian, threshold: 2, shares: 3 }',
      'acts:',
    ].join('\n'),
  );
  place(disk, '/keys.yaml', text);
  return disk;
}

/** Runs to the end and keeps the disk as it was right after a step finished. */
async function killedAfter(disk: Disk, step: string): Promise<Disk> {
  let killed: Disk | undefined;
  const after = (_: Change, now: Disk): void => {
    const journal = Buffer.from(now.files.get('/out/journal.jsonl') ?? []).toString();
    const last = journal.trimEnd().split('\n').at(-1) ?? '';
    if (last.includes(`"step":"${step}"`) && last.includes('"step.finished"'))
      killed ??= now.copy();
  };
  const context = await roomContext(disk, {
    terminal: playedTerminal(),
    host: { faults: { after } },
  });
  const result = await runIn(context, input);
  if (!result.ok || killed === undefined) throw new Error(`not killed: ${String(result.reason)}`);
  return killed;
}

describe('two keys', () => {
  const steps =
    generate('one') + generate('two') + split('one') + split('two') + wipe('one') + wipe('two');

  it('both go back when neither was sealed', async () => {
    const killed = await killedAfter(diskWith(steps), 'two');
    const context = await roomContext(killed, { terminal: playedTerminal() });
    expect(await runIn(context, { ...input, resume: true })).toMatchObject({ ok: true });
    const checked = await checkSession(killed, '/out', await context.catalogue());
    expect(problemsOf(checked.verdict)).toEqual([]);
    expect(checked.of('rollback').map(({ data }) => data.toStep)).toEqual(['one']);
    expect(checked.of('key.retired')).toHaveLength(2);
  });

  it('end the ceremony when one was sealed and the other is lost', async () => {
    const killed = await killedAfter(diskWith(steps), 'prove-one');
    const context = await roomContext(killed, { terminal: playedTerminal() });
    const result = await runIn(context, { ...input, resume: true });
    expect(result).toMatchObject({ ok: false, outcome: 'aborted' });
    expect(result.reason).toContain('ceremony:two was lost with the process before it was sealed');
    const checked = await checkSession(killed, '/out', await context.catalogue());
    expect(problemsOf(checked.verdict)).toEqual([]);
    // The lost one is retired; the sealed one is not: its shares are good.
    expect(checked.of('key.retired')).toHaveLength(1);
    expect(result.artifacts).toContain('artifacts/one/set.json');
  });
});

describe('a key that nothing needs any more', () => {
  it('is not restored to be wiped', async () => {
    const killed = await killedAfter(
      diskWith(generate('one') + split('one') + wipe('one')),
      'prove-one',
    );
    const context = await roomContext(killed, { terminal: playedTerminal() });
    expect(await runIn(context, { ...input, resume: true })).toMatchObject({ ok: true });
    const checked = await checkSession(killed, '/out', await context.catalogue());
    expect(problemsOf(checked.verdict)).toEqual([]);
    expect(checked.of('restore')).toEqual([]);
    expect(checked.of('wipe').map(({ data }) => data.how)).toEqual(['lost with the process']);
  });
});

describe('the vault', () => {
  it('lets no private key be written in clear', async () => {
    const disk = new Disk();
    furnish(disk);
    const context = await roomContext(disk);
    using vault = new Vault();
    const keys = vault.keySpace({
      name: 'generate',
      elsewhere: context.keys,
      known: () => undefined,
      witness: { added: () => undefined, changed: () => undefined, wiped: () => undefined },
    });
    for (const placement of [
      { out: 'a.pem', plaintext: true },
      { out: 'a.pem', format: 'pkcs8-pem' },
    ] as const) {
      await expect(keys.add({} as never, {} as never, placement)).rejects.toBeInstanceOf(
        RefusedError,
      );
    }
    await expect(keys.open('ceremony:generate')).rejects.toMatchObject({ code: 'E_KEY_NOT_FOUND' });
  });
});
