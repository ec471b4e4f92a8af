/** How far the commitments of a threshold key are known, as `trace verify` and `trace show` say it beside a trace. */
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { inProcess } from '../cli/runners.js';

// Asked is which grade is said; proofs of full length are tried where they are made.
vi.mock('#protocols/inhead/hash-input', async (original) => ({
  ...(await original<object>()),
  REPETITIONS: 8,
}));

it('is proven while the proof of every member lies beside the record, and recorded otherwise', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'conclave-graded-'));
  const run = inProcess('graded');
  const conclave = async (line: string): Promise<Record<string, unknown>> => {
    const given = { cwd: folder, stdin: new Uint8Array(0), env: {} };
    const { stdout, stderr } = await run([...line.split(' '), '--json'], given);
    expect(stdout.length, stderr.toString()).toBeGreaterThan(0);
    return JSON.parse(stdout.toString()) as Record<string, unknown>;
  };
  const graded = async (): Promise<readonly unknown[]> => {
    const verdict = await conclave('trace verify --request r --group g/group.json --sig sig t');
    const claims = verdict['claims'] as { claim: string; grade: string; ok: boolean }[];
    const found = claims.filter(({ claim }) => claim.includes('opens to its public share'));
    expect(found).toHaveLength(1);
    const { content } = await conclave('trace show t --group g/group.json');
    const [word] = (content as { commitments: string }).commitments.split(':');
    return [verdict['ok'], found[0]?.grade, found[0]?.ok, word];
  };
  try {
    writeFileSync(join(folder, 'm'), 'release 1.2\n');
    writeFileSync(join(folder, 'pass'), 'a passphrase for tests\n', { mode: 0o600 });
    await conclave(
      'threshold keygen --simulate --prove-openings --suite ed25519 --threshold 2 --shares 2 --passphrase-file pass --out-dir g',
    );
    const asked = await conclave(
      'trace request --group g/group.json --in m --level shares --quorum 1,2 --out r',
    );
    await conclave(
      `trace prove --request r --group g/group.json --approve ${String(asked['digest'])} --passphrase-file pass --share g/dev-party-1.key --share g/dev-party-2.key --out-sig sig --out t`,
    );
    expect(await graded()).toEqual([true, 'proven', true, 'proven']);
    copyFileSync(join(folder, 'g/opening-of-1.proof'), join(folder, 'g/opening-of-2.proof'));
    expect(await graded()).toEqual([false, 'proven', false, 'NOT proven']);
    rmSync(join(folder, 'g/opening-of-2.proof'));
    expect(await graded()).toEqual([true, 'recorded', true, 'recorded']);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
