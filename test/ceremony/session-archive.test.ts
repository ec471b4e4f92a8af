/** One file for an auditor: what enters, what stays out, and what two verifiers say of forged ones. */
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sha256 } from '#crypto/hash';
import { toHex, utf8 } from '#formats/bytes';
import { canonicalJson, type JsonObject } from '#formats/canonical-json';
import { decodeTar, encodeTar } from '#formats/ustar';
import { parseSessionArchive } from '#script/session-archive';
import { inProcess } from '../cli/runners.js';
import { fuzz } from '../support/mutations.js';
import { hasProgram, needs, root } from '../support/require.js';
import { smallCeremony } from './directory.js';

const python = needs('python3', hasProgram('python3'), 'the second verifier is written in it');
const tools = needs(
  'tar and sha256sum',
  hasProgram('tar') && hasProgram('sha256sum'),
  'an auditor reads archives by them',
);
const program = join(root, 'test/independent/verify_transcript.py');
const run = inProcess('session-archive');
const LIMITS = { maxFiles: 5000, maxBytes: 64 * 1024 * 1024 };
let work: string;

async function conclave(...words: string[]): Promise<{ code: number; out: string; err: string }> {
  const ran = await run(words, { cwd: work, stdin: new Uint8Array(0), env: {} });
  return { code: ran.code, out: ran.stdout.toString(), err: ran.stderr.toString() };
}
const path = (name: string): string => join(work, name);
const bytesOf = (name: string): Uint8Array => new Uint8Array(readFileSync(path(name)));

beforeAll(async () => {
  work = realpathSync(mkdtempSync(join(tmpdir(), 'conclave-archive-')));
  const input = ['run', 'quickstart', '--no-input', '--json', '--out-dir'];
  expect((await conclave(...input, 'q')).code).toBe(0);
  expect((await conclave(...input, 'other')).code).toBe(0);
  const { code, out } = await conclave('ceremony', 'archive', 'q', '--out', 'q.tar');
  expect([code, out.split('\n')[0]]).toEqual([0, expect.stringMatching(/^DEV: .*q\.tar: 5 files/)]);
});
afterAll(() => {
  rmSync(work, { recursive: true, force: true });
});

describe('ceremony archive', () => {
  it('writes the same bytes each time, and says what is in them', async () => {
    const again = await conclave('ceremony', 'archive', 'q', '--out', 'again.tar', '--json');
    expect(JSON.parse(again.out)).toMatchObject({
      ok: true,
      environment: 'dev',
      digest: `sha256:${toHex(sha256(bytesOf('q.tar')))}`,
      files: [
        'artifacts/quickstart.pub',
        'artifacts/set.sig',
        'artifacts/shares/set.json',
        'definition.yaml',
        'transcript.json',
      ],
      withheld: [1, 2, 3].map((i) => ({
        path: `artifacts/shares/share-${i}.cbor`,
        reason: 'sealed',
      })),
      unrecorded: [],
    });
    expect(bytesOf('again.tar')).toEqual(bytesOf('q.tar'));
    const shown = await conclave('show', 'q.tar');
    expect(shown.out).toMatch(/^q\.tar: session-archive\n {2}mark: DEV: /);
    expect(shown.out).toContain('reason: sealed');
  });

  it('holds nothing of what is withheld, nor of what the record does not know', async () => {
    cpSync(path('q'), path('strays'), { recursive: true });
    writeFileSync(
      path('strays/artifacts/shares/notes.txt'),
      'the words are: correct horse battery',
    );
    const packed = await conclave('ceremony', 'archive', 'strays', '--out', 'strays.tar');
    expect(packed.out).toContain('left out: artifacts/shares/notes.txt');
    expect(bytesOf('strays.tar')).toEqual(bytesOf('q.tar'));
    const archive = Buffer.from(bytesOf('q.tar'));
    for (const i of [1, 2, 3]) {
      const share = Buffer.from(bytesOf(`q/artifacts/shares/share-${i}.cbor`));
      // The set id that a share begins with is public; its seal is what must not be here.
      expect(archive.includes(share.subarray(-64))).toBe(false);
      expect(archive.includes(share.subarray(-64).toString('base64').slice(0, 80))).toBe(false);
    }
    for (const person of ['administrator', 'custodian-1', 'witness'])
      expect(archive.includes(readFileSync(path(`q/handouts/${person}.txt`)).subarray(0, 12))).toBe(
        false,
      );
  });

  it('is verified with everything in it, by people whom the archive does not name', async () => {
    const signers = ['administrator', 'witness'].map((name) => `q/identities/${name}.key`);
    const pinned = await conclave('verify', 'q.tar', '--signer', ...signers);
    expect([pinned.code, pinned.err]).toEqual([0, '']);
    expect(pinned.out).toMatch(/^OK: q\.tar \(session-archive\): DEV: /);
    expect(pinned.out).toContain('what the session made: it is here, or withheld: 3 sealed');
    expect((await conclave('verify', 'q.tar')).code).toBe(1);
    const [wrong] = [await conclave('verify', 'q.tar', '--signer', 'other/identities/witness.key')];
    expect(wrong.code).toBe(1);
  });

  it.skipIf(!tools)('is listed, extracted and checked by the tools of any machine', () => {
    const shell = (line: string) => spawnSync('sh', ['-c', line], { cwd: work, encoding: 'utf8' });
    const listed = shell('tar -tf q.tar');
    expect([listed.status, listed.stderr]).toEqual([0, '']);
    expect(listed.stdout.split('\n')[0]).toBe('DEV-quickstart/SHA256SUMS');
    mkdirSync(path('extracted'));
    const checked = shell(
      'tar -xf q.tar -C extracted && cd extracted/DEV-quickstart && sha256sum --check --strict SHA256SUMS',
    );
    expect([checked.status, checked.stderr]).toEqual([0, '']);
    expect(checked.stdout.trim().split('\n')).toHaveLength(6);
  });

  it('a rehearsal says so in every first line', async () => {
    writeFileSync(path('small.yaml'), SMALL);
    writeFileSync(path('small-answers.yaml'), ANSWERS);
    const answers = ['--answers', 'small-answers.yaml', '--no-input', '--json'];
    const ran = await conclave('run', 'small.yaml', '--rehearse', '--out-dir', 's', ...answers);
    expect([ran.code, ran.out]).toEqual([0, expect.any(String)]);
    const packed = await conclave('ceremony', 'archive', 's', '--out', 's.tar');
    expect(packed.out).toMatch(/^REHEARSAL: not evidence of a ceremony; /);
    const checked = await conclave('verify', 's.tar', '--allow-unpinned');
    expect(checked.out).toMatch(/^OK: s\.tar \(session-archive\): REHEARSAL: not evidence/);
    expect((await conclave('show', 's.tar')).out).toMatch(/^.*\n {2}mark: REHEARSAL: /);
    const [first] = decodeTar(bytesOf('s.tar'), 's.tar', LIMITS);
    expect(first?.name).toBe('REHEARSAL-small/SHA256SUMS');
    const { manifest } = parseSessionArchive(bytesOf('s.tar'), 's.tar');
    expect(manifest).toMatchObject({ withheld: [], environment: 'rehearsal' });
  });

  it('packs nothing when the definition or a file is not what it should be', async () => {
    const secret = SMALL.replace(
      'It is so.',
      '-----BEGIN PRIVATE KEY----- is what nobody writes here.',
    );
    writeFileSync(path('told.yaml'), secret);
    const answers = ['--answers', 'small-answers.yaml', '--no-input', '--json'];
    expect(
      (await conclave('run', 'told.yaml', '--rehearse', '--out-dir', 'told', ...answers)).code,
    ).toBe(0);
    const refused = await conclave('ceremony', 'archive', 'told', '--out', 'told.tar');
    expect([refused.code, refused.err]).toEqual([
      77,
      expect.stringContaining('nothing was packed'),
    ]);

    cpSync(path('q'), path('touched'), { recursive: true });
    writeFileSync(path('touched/artifacts/set.sig'), 'another signature');
    const broken = await conclave('ceremony', 'archive', 'touched', '--out', 'touched.tar');
    expect([broken.code, broken.err]).toEqual([1, expect.stringContaining('artifacts/set.sig')]);

    mkdirSync(path('open'));
    writeFileSync(path('open/journal.jsonl'), '');
    const open = await conclave('ceremony', 'archive', 'open', '--out', 'open.tar');
    expect([open.code, open.err]).toEqual([75, expect.stringContaining('--resume')]);
    expect((await conclave('ceremony', 'archive', 'nowhere', '--out', 'x.tar')).code).toBe(66);
    expect((await conclave('ceremony', 'archive', 'q', '--out', 'q.tar')).code).toBe(73);
  });
});

const SMALL = smallCeremony(
  '- { id: look, title: The administrator looks, by: administrator, do: confirm, say: It is so. }\n',
);
const ANSWERS = `answers:
  work/look: { confirm: true }
  close/administrator/administrator: { choice: agree }
  close/witness/witness: { choice: agree }
`;

type Files = Map<string, Uint8Array>;
interface Listed {
  path: string;
  sha256: string;
  size: number;
  reason?: string;
}
interface Manifest {
  ceremony: string;
  session: string;
  environment: string;
  head: string;
  files: Listed[];
  withheld: Listed[];
}
const listed = (name: string, content: Uint8Array): Listed => ({
  path: name,
  sha256: toHex(sha256(content)),
  size: content.length,
});

/** An archive as a careful forger makes it: what follows from the files is made again. */
function forge(
  change: (files: Files, manifest: Manifest) => void,
  { folder = 'DEV-quickstart', sums = true, list = true } = {},
): Uint8Array {
  const files: Files = new Map(
    decodeTar(bytesOf('q.tar'), 'q.tar', LIMITS).map(({ name, bytes }) => [
      name.slice(name.indexOf('/') + 1),
      bytes,
    ]),
  );
  const manifest = JSON.parse(Buffer.from(files.get('manifest.json') ?? []).toString()) as Manifest;
  const own = new Set(['manifest.json', 'SHA256SUMS']);
  change(files, manifest);
  const order = (a: string, b: string): number => (a < b ? -1 : 1);
  const names = (): string[] => [...files.keys()].filter((name) => !own.has(name)).sort(order);
  if (list) manifest.files = names().map((name) => listed(name, files.get(name) as Uint8Array));
  files.set('manifest.json', utf8(`${canonicalJson(manifest as unknown as JsonObject)}\n`));
  if (sums) {
    const lines = [...names(), 'manifest.json'].sort(order).map((name) => {
      return `${toHex(sha256(files.get(name) as Uint8Array))}  ${name}\n`;
    });
    files.set('SHA256SUMS', utf8(lines.join('')));
  }
  return encodeTar([...files].map(([name, bytes]) => ({ name: `${folder}/${name}`, bytes })));
}

describe('a forged archive', () => {
  const SIG = 'artifacts/set.sig';
  const SHARE = 'artifacts/shares/share-1.cbor';
  const other = utf8('another one');
  const cases: readonly (readonly [string, () => Uint8Array, number, RegExp])[] = [
    ['another file', () => forge((files) => files.set(SIG, other)), 1, /set\.sig is not the file/],
    [
      'another file, not listed so',
      () => forge((files) => files.set(SIG, other), { list: false }),
      1,
      /set\.sig is not the file/,
    ],
    [
      'other sums',
      () => forge((files) => files.set('SHA256SUMS', other), { sums: false }),
      1,
      /SHA256SUMS/,
    ],
    [
      'a file left out',
      () => forge((files) => files.delete(SIG)),
      1,
      /set\.sig is neither here nor withheld/,
    ],
    [
      'a file left out, and listed',
      () => forge((files) => files.delete(SIG), { list: false }),
      1,
      /set\.sig|other files/,
    ],
    ['a file more', () => forge((files) => files.set('artifacts/x', other)), 1, /artifacts\/x/],
    [
      'a file more, not listed',
      () => forge((files) => files.set('artifacts/x', other), { list: false }),
      1,
      /artifacts\/x|other files/,
    ],
    [
      'another definition',
      () => forge((files) => files.set('definition.yaml', other)),
      1,
      /definition/,
    ],
    [
      'another transcript',
      () => forge((files) => files.set('transcript.json', bytesOf('other/transcript.json'))),
      1,
      /another .*(?:session|head)/,
    ],
    ['another head', () => forge((_, it) => (it.head = 'a'.repeat(64))), 1, /head/],
    ['another session', () => forge((_, it) => (it.session = 'x')), 1, /session/],
    [
      'a rehearsal made real',
      () => forge((_, it) => (it.environment = 'production'), { folder: 'quickstart' }),
      1,
      /environment/,
    ],
    [
      'a withheld digest changed',
      () => forge((_, it) => ((it.withheld[0] as Listed).sha256 = 'a'.repeat(64))),
      1,
      /share-1\.cbor is not the file/,
    ],
    [
      'a withheld size changed',
      () => forge((_, it) => ((it.withheld[0] as Listed).size = 1)),
      1,
      /share-1\.cbor is not the file/,
    ],
    ['nothing withheld', () => forge((_, it) => (it.withheld = [])), 1, /share-1\.cbor is neither/],
    [
      'withheld twice',
      () => forge((_, it) => it.withheld.unshift(it.withheld[0] as Listed)),
      1,
      /twice/,
    ],
    ['the mark taken off', () => forge(() => undefined, { folder: 'quickstart' }), 65, /folder/],
    [
      'no manifest member',
      () => forge((_, it) => delete (it as Partial<Manifest>).head),
      65,
      /head/,
    ],
    [
      'another reason',
      () => forge((_, it) => ((it.withheld[0] as Listed).reason = 'because')),
      65,
      /reason/,
    ],
    ['a byte behind it', () => Buffer.concat([bytesOf('q.tar'), Buffer.alloc(512)]), 65, /end/],
    ['the first half', () => bytesOf('q.tar').subarray(0, 51_200), 65, /ends|end/],
  ];

  it('as it was made, holds', async () => {
    expect(forge(() => undefined)).toEqual(bytesOf('q.tar'));
    if (!python) return;
    const { status, stdout } = spawnSync('python3', ['-B', program, path('q.tar')], {
      encoding: 'utf8',
    });
    expect([status, stdout]).toEqual([0, expect.stringMatching(/^ok .*: DEV: /)]);
  });

  it('is refused by both verifiers, for the same', async () => {
    const files = cases.map(([, make], i) => {
      writeFileSync(path(`forged-${i}.tar`), make());
      return `forged-${i}.tar`;
    });
    const wrong: string[] = [];
    for (const [i, [name, , expected, reason]] of cases.entries()) {
      const { code, out, err } = await conclave('verify', files[i] as string, '--allow-unpinned');
      const first = expected === 65 ? err : out.split('\n')[0];
      if (code !== expected || !reason.test(first ?? '')) wrong.push(`${name}: ${code} ${first}`);
    }
    expect(wrong).toEqual([]);
    if (!python) return;
    const done = spawnSync('python3', ['-B', program, '--json', ...files.map(path)], {
      encoding: 'utf8',
    });
    expect(done.stderr).toBe('');
    const theirs = JSON.parse(done.stdout) as { code: number; summary: string }[];
    for (const [i, [name, , expected]] of cases.entries())
      if (theirs[i]?.code !== expected) wrong.push(`${name}: theirs ${JSON.stringify(theirs[i])}`);
    expect(wrong).toEqual([]);
  });

  it('with a share in it is refused, though its digest is the recorded one', async () => {
    const made = forge((files, manifest) => {
      files.set(SHARE, bytesOf(`q/${SHARE}`));
      manifest.withheld = manifest.withheld.filter((it) => it.path !== SHARE);
    });
    writeFileSync(path('shared.tar'), made);
    const { code, out } = await conclave('verify', 'shared.tar', '--allow-unpinned');
    expect([code, out.split('\n')[0]]).toEqual([
      1,
      expect.stringMatching(/nothing secret: .*share-1/),
    ]);
  });

  it('parser survives mutations', async () => {
    const small = forge((files) => {
      for (const name of [SIG, 'artifacts/shares/set.json', 'transcript.json', 'definition.yaml'])
        files.set(name, other);
    });
    const tally = await fuzz(small, (bytes) => parseSessionArchive(bytes, 'fuzzed'));
    expect(tally['65']).toBeGreaterThan(900);
  });
});
