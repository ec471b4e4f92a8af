/** Threshold keys in ceremonies: rehearsed by parties at one machine, led with parties elsewhere, and killed at every write. */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { thresholdKeygen } from '#actions/threshold-keygen';
import type { PhaseResult } from '#actions/threshold/phases';
import type { Action } from '#actions/action';
import { readTranscript } from '#actions/threshold/transcript';
import { groupDigest } from '#crypto/frost/group';
import { toHex } from '#formats/bytes';
import { type Workplace, workplace } from '../support/home.js';
import { root, spread, thorough } from '../support/require.js';
import { checkSession, problemsOf } from './evidence.js';
import { type Change, Disk, place } from './memory-host.js';
import { furnish, roomContext, runIn } from './room.js';

vi.setConfig({ testTimeout: 600_000, hookTimeout: 600_000 });

// Who waits for which proof is tried here; proofs of full length are tried where they are made.
vi.mock('#protocols/inhead/hash-input', async (original) => ({
  ...(await original<object>()),
  REPETITIONS: 8,
}));

const OUT = '/out';
const DKG = {
  ceremony: 'threshold-dkg',
  outDir: OUT,
  rehearse: true,
  answers: '/shipped/answers/threshold-dkg.yaml',
} as const;
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

async function check(disk: Disk) {
  const checked = await checkSession(disk, OUT, await (await roomContext(disk)).catalogue());
  expect(problemsOf(checked.verdict)).toEqual([]);
  return checked;
}

type Checked = Awaited<ReturnType<typeof check>>;

/** What a step put out, of the first holder. */
function outputsOf(checked: Checked, step: string): Readonly<Record<string, unknown>> {
  const found = checked.of('step.finished').find(({ data }) => data.step === step);
  return found?.data.outputs ?? {};
}

/** Files of a session's artifacts by name. */
function artifacts(disk: Disk, folder: string): ReadonlyMap<string, Uint8Array> {
  const at = join(OUT, 'artifacts', folder, '/');
  return new Map(
    [...disk.files]
      .filter(([path]) => path.startsWith(at))
      .map(([path, bytes]) => [path.slice(at.length), bytes]),
  );
}

/** Private state of parties that is still there. */
const kept = (disk: Disk): readonly string[] =>
  [...disk.files.keys()].filter(
    (path) => path.startsWith(`${OUT}/parties/`) && !path.endsWith('/seat'),
  );

/** The answers of a shipped ceremony, with more that people bring. */
function answersOf(disk: Disk, path: string, brings: string): string {
  const text = Buffer.from(disk.files.get(path) ?? '').toString();
  const lines = text.replaceAll(/(root-key|threshold-sign)\//g, 'shipped/answers/$1/');
  return lines.includes('brings:\n')
    ? lines.replace('brings:\n', `brings:\n  ${brings}\n`)
    : lines.replace('answers:\n', `brings:\n  ${brings}\nanswers:\n`);
}

describe('a rehearsal with every party at this machine', () => {
  it('makes a key that all acknowledge, of which two sign what its policy allows', async () => {
    const disk = room();
    const content = disk.files.get('/shipped/answers/threshold-sign/content.txt') ?? '';
    const digest = createHash('sha256').update(content).digest('hex');
    const policy = `{"digest":"sha256:${digest}","kind":"allow-digest","type":"conclave/policy","version":1}\n`;
    place(disk, '/policy.json', policy);
    place(disk, '/answers.yaml', answersOf(disk, DKG.answers, 'policy: policy.json'));
    const input = {
      ...DKG,
      answers: '/answers.yaml',
      param: ['bound=true', 'suite=taproot', 'proven=true'],
    };
    expect(await runIn(await roomContext(disk), input)).toMatchObject({
      ok: true,
      unusedAnswers: [],
    });
    const checked = await check(disk);
    const said = artifacts(disk, 'threshold');
    const { group, problems, acknowledged } = await readTranscript(
      said.get('transcript.json') ?? new Uint8Array(0),
      'transcript.json',
    );
    expect({ problems, acknowledged }).toEqual({ problems: [], acknowledged: [1, 2, 3] });
    // What the record holds: the digest that all acknowledged, the key, the policy, who.
    expect(outputsOf(checked, 'conclude')).toMatchObject({
      record: `sha256:${toHex(groupDigest(group))}`,
      id: `sha256:${group.key}`,
      policy: `sha256:${createHash('sha256').update(policy).digest('hex')}`,
      acknowledged: ['1 party-1', '2 party-2', '3 party-3'],
    });
    expect(outputsOf(checked, 'conclude')['proofs']).toHaveLength(3);
    expect([...said.keys()].filter((name) => name.startsWith('opening-of-'))).toHaveLength(3);
    expect(artifacts(disk, 'shares').size).toBe(3);
    expect(kept(disk)).toEqual([]);

    const signing = room();
    const shipped = '/shipped/answers/threshold-sign';
    place(signing, '/policy.json', policy);
    place(signing, `${shipped}/group.json`, said.get('group.json') ?? '');
    for (const [name, bytes] of artifacts(disk, 'shares')) {
      place(signing, `${shipped}/shares/${name}`, bytes);
    }
    const answers = answersOf(signing, SIGN.answers, 'policy: policy.json');
    const tries = Array.from({ length: 3 }, () => '{ choice: here }').join(', ');
    place(signing, '/answers.yaml', answers);
    place(signing, '/tries.yaml', answers.replace(/(signer-1:)\n.*\n.*\n/, `$1 [${tries}]\n`));
    const bound = { ...SIGN, answers: '/answers.yaml', param: ['bound=true'] };
    const refusing = signing.copy();
    expect(await runIn(await roomContext(signing), bound)).toMatchObject({ ok: true });
    expect(outputsOf(await check(signing), 'request')).toMatchObject({ id: `sha256:${group.key}` });

    // Without the policy nobody signs.
    const refused = await runIn(await roomContext(refusing), { ...SIGN, answers: '/tries.yaml' });
    expect(refused).toMatchObject({ ok: false, outcome: 'aborted' });
    expect(refused.reason).toContain('accept');
  });
});

describe('threshold-dkg with two parties at machines of their own', () => {
  it.runIf(thorough)('waits for their files, and ends with the key that they hold', async () => {
    const disk = room();
    const homes = new Map([2, 3].map((number) => [`party-${number}`, workplace()]));
    try {
      const elsewhere = [...homes.keys()];
      const answers = answersOf(disk, DKG.answers, 'inbox: inbox')
        .replace(
          'answers:\n',
          `answers:\n${[2, 3]
            .flatMap((number) =>
              [1, 2, 3, 4].map(
                (round) => `  rounds/round-${round}/party-${number}: { choice: wait }\n`,
              ),
            )
            .join('')}`,
        )
        .replace(
          /( {2}agree\/accept\/party-[23]: )\{ choice: here \}/g,
          '$1[{ choice: elsewhere }, { choice: wait }]',
        )
        .replace(/( {2}keep\/keep\/party-[23]: ).*/g, '$1{ confirm: true }')
        .replace(/ {2}keep\/close\/party-[23]: .*\n/g, '');
      place(disk, '/answers.yaml', answers);
      const input = { ...DKG, answers: '/answers.yaml', param: ['proven=true'] };

      /** One phase of a party at its own machine, all files of the ceremony with it. */
      const phase = async (name: string, party: string): Promise<PhaseResult | undefined> => {
        const there = homes.get(party) as Workplace;
        const folder = there.at(`with-${party}`);
        rmSync(folder, { recursive: true, force: true });
        mkdirSync(folder);
        const files = [...artifacts(disk, 'threshold')].filter(([file]) =>
          name === 'start'
            ? file.endsWith('-start.json')
            : /\.msg$|-0-|-from-\d+\.proof$/.test(file),
        );
        for (const [file, bytes] of files) writeFileSync(join(folder, file), bytes);
        const identity = there.at(`${party}.key`);
        writeFileSync(identity, disk.files.get(`${OUT}/identities/${party}.key`) ?? '');
        const slip = Buffer.from(disk.files.get(`${OUT}/handouts/${party}.txt`) ?? '');
        const out = there.at(`from-${party}`);
        mkdirSync(out, { recursive: true });
        const given = { phase: name, session: there.at(`session-${party}`), in: [], outDir: out };
        const inputs = files.map(([file]) => join(folder, file));
        try {
          return await there.run(
            thresholdKeygen as unknown as Action<never, PhaseResult>,
            { ...given, in: inputs, ...(name === 'finish' ? { name: party } : {}) },
            { passphrases: [slip.toString().trim()], identity, environment: 'rehearsal' },
          );
        } catch (error) {
          if ((error as { exitCode?: number }).exitCode !== 75) throw error;
          return undefined;
        } finally {
          for (const file of readdirSync(out)) {
            if (/\.(msg|proof)$|-0-/.test(file))
              place(disk, `/inbox/${file}`, readFileSync(join(out, file)));
          }
          disk.folders.add('/inbox');
        }
      };

      let waits = 0;
      let result = await runIn(await roomContext(disk), input).catch((error: unknown) => error);
      while ((result as { exitCode?: number }).exitCode === 75 && waits++ < 12) {
        for (const party of elsewhere) await phase(waits === 1 ? 'start' : 'round', party);
        result = await runIn(await roomContext(disk), { ...input, resume: true }).catch(
          (error: unknown) => error,
        );
      }
      expect(result).toMatchObject({ ok: true });
      expect(waits).toBeGreaterThanOrEqual(4);
      const checked = await check(disk);
      expect(outputsOf(checked, 'conclude')['acknowledged']).toHaveLength(3);
      // One share was sealed here, and the others are where their parties are.
      expect([...artifacts(disk, 'shares').keys()]).toEqual(['rehearsal-share-1.key']);
      for (const party of elsewhere) {
        const finished = await phase('finish', party);
        expect(Buffer.from(readFileSync(finished?.group ?? ''))).toEqual(
          Buffer.from(artifacts(disk, 'threshold').get('group.json') ?? ''),
        );
      }
    } finally {
      for (const home of homes.values()) home.remove();
    }
  });
});

describe('threshold-sign, killed', () => {
  interface Moment {
    readonly at: string;
    readonly disk: Disk;
  }
  const moments: Moment[] = [];
  /** A second medium remembers what the parties here used their nonces for. */
  const REMEMBERED = { ...SIGN, answers: '/remembered.yaml' } as const;
  const remembered = (disk: Disk): readonly string[] =>
    [...disk.files.keys()].filter((path) => /^\/stick\/(?:session|nonce)-/.test(path));

  beforeAll(async () => {
    const disk = room();
    place(disk, REMEMBERED.answers, answersOf(disk, SIGN.answers, 'memory: stick'));
    disk.folders.add('/stick');
    const after = ({ number, call, path }: Change, now: Disk): void => {
      moments.push({ at: `after ${call} ${number} (${path})`, disk: now.copy() });
    };
    const context = await roomContext(disk, { host: { faults: { after } } });
    const input = { ...REMEMBERED, param: ['remembered=true'] };
    expect(await runIn(context, input)).toMatchObject({ ok: true, unusedAnswers: [] });
    // Both parties were known there, with one use each; in the end nothing is.
    const known = moments.map(({ disk: then }) => remembered(then).length);
    expect([Math.max(...known), remembered(disk)]).toEqual([4, []]);
  });

  it('signs nothing without the medium that remembers, nor with an empty one', async () => {
    const between = moments.find(({ disk }) =>
      [...artifacts(disk, 'threshold').keys()].some((name) => name.includes('-nonces-from-2-')),
    ) as Moment;
    expect(remembered(between.disk)).toHaveLength(2);
    for (const gone of [true, false]) {
      const disk = between.disk.copy();
      for (const path of remembered(disk)) disk.files.delete(path);
      if (gone) disk.folders.delete('/stick');
      const result = await runIn(await roomContext(disk), { ...REMEMBERED, resume: true }).catch(
        (error: unknown) => ({ ok: false, reason: String(error) }),
      );
      expect(result).toMatchObject({
        ok: false,
        reason: expect.stringContaining(gone ? 'medium/memory is not there' : 'does not know'),
      });
      const names = [...artifacts(disk, 'threshold').keys()];
      expect(names.filter((name) => name.includes('signature-share'))).toEqual([]);
    }
  });

  it('destroys the keys of a session that has signed, although the medium is gone', async () => {
    const signed = moments.find(
      ({ disk }) => disk.files.has(`${OUT}/artifacts/content.sig`) && remembered(disk).length === 4,
    ) as Moment;
    const disk = signed.disk.copy();
    expect(kept(disk)).not.toEqual([]);
    for (const path of remembered(disk)) disk.files.delete(path);
    disk.folders.delete('/stick');
    const result = await runIn(await roomContext(disk), { ...REMEMBERED, resume: true });
    expect([result.ok, kept(disk)]).toEqual([true, []]);
  });

  it('goes on from every write, and nobody ever says two things with one nonce', async () => {
    const wrong: string[] = [];
    // Where the signers act: what people confirm before and after is tried in other ceremonies.
    const acting = moments.filter(({ disk }) => artifacts(disk, 'threshold').size > 0);
    expect(acting.length).toBeGreaterThan(60);
    for (const { at, disk: killed } of spread(acting, thorough ? 12 : 3)) {
      const disk = killed.copy();
      const result = await runIn(await roomContext(disk), { ...REMEMBERED, resume: true });
      if (!result.ok) wrong.push(`${at}: ${result.reason ?? 'not completed'}`);
      const checked = await checkSession(disk, OUT, await (await roomContext(disk)).catalogue());
      if (!checked.verdict.ok) wrong.push(`${at}: ${problemsOf(checked.verdict).join('; ')}`);
      const now = artifacts(disk, 'threshold');
      for (const [name, bytes] of artifacts(killed, 'threshold')) {
        const again = now.get(name);
        const same = again === undefined || Buffer.from(again).equals(bytes);
        if (/-[12]-.*\.msg$/.test(name) && !same) wrong.push(`${at}: ${name} was said twice`);
      }
      const left = kept(disk);
      if (left.length > 0) wrong.push(`${at}: ${left.join(', ')} is left`);
    }
    expect(wrong).toEqual([]);
  });
});

describe('the steps of a threshold session', () => {
  it('are all used by what is shipped, and are no commands', async () => {
    const known = await (await roomContext(room())).catalogue();
    const led = [
      'threshold.propose',
      'threshold.request',
      'threshold.change',
      'threshold.accept',
      'threshold.round',
      'threshold.conclude',
      'threshold.combine',
      'threshold.keep',
      'threshold.close',
    ];
    const shipped = ['dkg', 'sign', 'refresh', 'reshare', 'repair', 'enrol'].map((name) =>
      readFileSync(join(root, 'ceremonies', `threshold-${name}.yaml`), 'utf8'),
    );
    const used = new Set(shipped.join('').match(/(?<=uses: )threshold\.[a-z]+/g) ?? []);
    expect([...used].sort()).toEqual([...led].sort());
    const only = known.filter(({ id }) => led.includes(id)).map((action) => action.only);
    expect(only).toEqual(led.map(() => 'ceremony'));
  });
});
