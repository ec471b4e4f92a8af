/** Files that belong together: whichever call of the disk fails, both are there or neither. */
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createFileSpace } from '#actions/context/file-space';
import { writeTogether } from '#actions/context/write-together';
import { traceProve } from '#actions/trace-prove';
import { traceRequest } from '#actions/trace-request';
import { thresholdKeygen } from '#actions/threshold-keygen';
import { createFiles } from '#host/files';
import { type FsPort, nodeFs } from '#host/fs-port';
import { failingAt, systemError } from '../support/disks.js';
import { workplace } from '../support/home.js';

/** Writes a pair on a disk; what is in the folder afterwards, and whether somebody was told that it failed. */
function pair(fs: FsPort, { force = false, before = '', older = false } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'conclave-pair-'));
  try {
    const [out, sig] = [join(folder, 'out'), join(folder, 'sig')] as const;
    if (before !== '') writeFileSync(sig, before);
    if (older) for (const path of [out, sig]) writeFileSync(path, 'older', { mode: 0o640 });
    let drawn = 7;
    const files = createFiles(fs, (length) => new Uint8Array(length).fill(drawn++));
    const space = createFileSpace({
      files,
      force,
      stdin: () => new Uint8Array(0),
      stdout: () => undefined,
    });
    let failed = false;
    try {
      writeTogether(
        [
          { path: out, bytes: Buffer.from('a trace'), secret: true },
          { path: sig, bytes: Buffer.from('a signature') },
        ],
        space,
      );
    } catch {
      failed = true;
    }
    const there = [out, sig].map((path) => existsSync(path) && readFileSync(path, 'utf8'));
    const modes = failed && older ? [out, sig].map((path) => statSync(path).mode & 0o777) : [];
    return { failed, there, modes, left: readdirSync(folder).sort() };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A memory stick. */
const withoutLinks: FsPort = {
  ...nodeFs,
  link: () => {
    throw systemError('EPERM');
  },
};

describe('two files that belong together', () => {
  const both = ['a trace', 'a signature'];

  it.each([false, true])('are both there or neither, with --force %s', (force) => {
    const all = failingAt(-1);
    expect(pair(all.fs, { force }).there).toEqual(both);
    expect(all.calls()).toBeGreaterThan(10);
    let refusals = 0;
    for (let at = 0; at < all.calls(); at++) {
      for (const partial of [false, true]) {
        const { failed, there } = pair(failingAt(at, 'EIO', { partial }).fs, { force });
        expect(there, `${all.names()[at] ?? ''} ${at}`).toEqual(failed ? [false, false] : both);
        if (failed) refusals++;
      }
    }
    expect(refusals).toBeGreaterThan(10);
  });

  it.each([
    ['with hard links', nodeFs],
    ['without', withoutLinks],
  ])('are both new or both as they were before, on a disk %s', (_, disk) => {
    const all = failingAt(-1, 'EIO', {}, disk);
    const done = pair(all.fs, { force: true, older: true });
    expect(done).toMatchObject({ failed: false, there: both, left: ['out', 'sig'] });
    let refusals = 0;
    for (let at = 0; at < all.calls(); at++) {
      for (const partial of [false, true]) {
        const { fs } = failingAt(at, 'EIO', { partial }, disk);
        const { failed, there, modes } = pair(fs, { force: true, older: true });
        const name = `${all.names()[at] ?? ''} ${at}`;
        expect(there, name).toEqual(failed ? ['older', 'older'] : both);
        if (failed && disk === nodeFs) expect(modes, name).toEqual([0o640, 0o640]);
        if (failed) refusals++;
      }
    }
    expect(refusals).toBeGreaterThan(10);
  });

  it('leave what they replaced under some name where the disk dies between them', () => {
    let renames = 0;
    const rename: FsPort['rename'] = (from, to) => {
      if (++renames > 1) throw systemError('EIO');
      nodeFs.rename(from, to);
    };
    const { failed, there, left } = pair({ ...nodeFs, rename }, { force: true, older: true });
    expect([failed, there]).toEqual([true, ['a trace', 'older']]);
    expect(left.filter((name) => name.startsWith('.out.'))).toHaveLength(1);
  });

  it('are not written where one exists, and replace it where that was asked for', () => {
    const held = pair(nodeFs, { before: 'older' });
    expect(held).toMatchObject({ failed: true, there: [false, 'older'], left: ['sig'] });
    expect(pair(nodeFs, { before: 'older', force: true }).there).toEqual(both);
  });
});

describe('trace prove', () => {
  it('leaves neither signature nor trace where one of them cannot be written', async () => {
    const place = workplace();
    try {
      const options = {
        passphrases: ['a passphrase for tests'],
        environment: 'dev',
      } as const;
      writeFileSync(place.at('m'), 'm');
      await place.run(
        thresholdKeygen,
        { simulate: true, suite: 'ed25519', threshold: 2, shares: 3, outDir: place.at('k') },
        options,
      );
      const group = place.at('k/group.json');
      const asked = { group, in: place.at('m'), level: 'shares', out: place.at('r') };
      const { digest } = await place.run(traceRequest, asked);
      const prove = (fs: FsPort, outSig = 'sig', out = 't') =>
        place.run(
          traceProve,
          {
            request: place.at('r'),
            group,
            share: [1, 2].map((number) => place.at(`k/dev-party-${number}.key`)),
            approve: digest,
            outSig: place.at(outSig),
            out: place.at(out),
          },
          { ...options, fs },
        );
      const there = (): readonly string[] =>
        ['sig', 't'].filter((name) => existsSync(place.at(name)));
      for (const failing of [1, 2]) {
        // The first name that is given is the trace's, the second the signature's.
        let names = 0;
        const link: FsPort['link'] = (from, to) => {
          if (++names === failing) throw systemError('EIO');
          nodeFs.link(from, to);
        };
        await expect(prove({ ...nodeFs, link })).rejects.toMatchObject({ exitCode: 73 });
        expect([names, there()]).toEqual([failing, []]);
      }
      await expect(prove(nodeFs, 'm/s')).rejects.toMatchObject({ exitCode: 73 });
      expect(there()).toEqual([]);
      writeFileSync(place.at('sig'), 'somebody’s');
      await expect(prove(nodeFs)).rejects.toMatchObject({ code: 'E_FILE_EXISTS' });
      expect(there()).toEqual(['sig']);
      // It comes while the proof is made: found only when it gets its name.
      rmSync(place.at('sig'));
      const link: FsPort['link'] = (from, to) => {
        if (to === place.at('sig')) writeFileSync(to, 'somebody’s');
        nodeFs.link(from, to);
      };
      await expect(prove({ ...nodeFs, link })).rejects.toMatchObject({ code: 'E_FILE_EXISTS' });
      expect(there()).toEqual(['sig']);
      expect(readFileSync(place.at('sig'), 'utf8')).toBe('somebody’s');
      rmSync(place.at('sig'));
      await prove(nodeFs);
      expect(there()).toEqual(['sig', 't']);
    } finally {
      place.remove();
    }
  });
});
