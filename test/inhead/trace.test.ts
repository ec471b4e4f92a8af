/** Traces over shares of bytes, by the commands that people use: what holds, and everything that must not. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync, existsSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WORDS } from '#actions/trace/verdict';
import { decodeRequest, encodeRequest, type TraceRequest } from '#protocols/inhead/request';
import { decodeTrace, encodeTrace, type TraceFile } from '#protocols/inhead/trace-file';
import { inProcess } from '../cli/runners.js';
import { fuzz } from '../support/mutations.js';

describe('a trace over shares of bytes', () => {
  const run = inProcess('trace');
  let folder: string;

  const conclave = async (line: string) => {
    const given = { cwd: folder, stdin: new Uint8Array(0), env: {} };
    const { code, stdout, stderr } = await run(line.split(' '), given);
    return { code, out: stdout.toString(), err: stderr.toString() };
  };
  const good = async (line: string): Promise<Record<string, unknown>> => {
    const { code, out, err } = await conclave(`${line} --json`);
    expect(code, `${line}: ${out}${err}`).toBe(0);
    return JSON.parse(out) as Record<string, unknown>;
  };
  const read = (name: string): Uint8Array => new Uint8Array(readFileSync(join(folder, name)));
  const write = (name: string, bytes: Uint8Array): void => {
    writeFileSync(join(folder, name), bytes);
  };
  const VERIFY = 'trace verify --request r --group s/set.json --sig sig';
  const prove = (more: string): string => `trace prove --group s/set.json ${more}`;
  let digest: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'conclave-trace-'));
    writeFileSync(join(folder, 'm'), 'release 1.2\n');
    await good('key generate --algorithm ml-dsa-44 --no-passphrase --out ./key.pem');
    await good('share split --key ./key.pem --threshold 2 --shares 3 --unsealed --out-dir s');
    const asked = await good(
      'trace request --group s/set.json --in m --quorum 1,3 --expires 24h --out r',
    );
    digest = asked['digest'] as string;
    await good(
      prove(
        `--request r --approve ${digest} --share s/share-3.cbor --share s/share-1.cbor --out-sig sig --out t`,
      ),
    );
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('holds, and says what it proves in the words of the specification', async () => {
    const verdict = await good(`${VERIFY} t`);
    expect(verdict['ok']).toBe(true);
    const claims = verdict['claims'] as { claim: string; grade: string }[];
    expect(claims.map(({ claim, grade }) => `${grade}: ${claim}`)).toEqual([
      'checked: the signature file is byte for byte the one in the trace',
      'checked: the trace is of this request’s group, level and quorum',
      'checked: the request’s policy is to sign exactly this message, and the key is bound to no other',
      'checked: the signature verifies under the group key for this request’s message',
      'checked: the prover knew the openings of the commitments of shares 1, 3, and they interpolate to the secret committed as K',
      'attested: the secret committed as K opens the key of this public key',
      'checked: the proof was made for this request (its random nonce, policy digest, level, quorum)',
    ]);
    expect(verdict['notProven']).toContain(
      'that this secret made the signature, or that signing was deterministic',
    );
    expect((await good('verify --key ./key.pem --in m --signature sig'))['ok']).toBe(true);
    expect(statSync(join(folder, 't')).mode & 0o777).toBe(0o600);
  });

  it('holds no share, no randomness and no key, and neither does what was printed', async () => {
    await good('key export ./key.pem --format raw --no-passphrase --out raw');
    // The opening of an unsealed share is the member before the last, which is a head and a checksum of six bytes.
    const opened = [1, 3].map((i) => Buffer.from(read(`s/share-${i}.cbor`)).subarray(-61, -6));
    const secrets = [
      Buffer.from(read('raw')),
      ...opened.flatMap((o) => [o.subarray(0, 32), o.subarray(32)]),
    ];
    const { out, err } = await conclave(
      prove(
        `--request r --approve ${digest} --share s/share-1.cbor --share s/share-3.cbor --out-sig sig-c --out t-c --json`,
      ),
    );
    for (const file of [read('t'), read('t-c'), read('sig'), Buffer.from(out + err)]) {
      for (const secret of secrets) {
        expect(Buffer.from(file).includes(secret)).toBe(false);
        expect(Buffer.from(file).toString('latin1')).not.toContain(secret.toString('hex'));
      }
    }
  });

  it('is shown with two derivations of its soundness', async () => {
    const { content } = (await good('trace show t')) as {
      content: Record<string, unknown>;
    };
    expect(content['soundness']).toEqual({ bits: 128.1, byCounting: 128 });
    expect((await conclave('show t r')).code).toBe(0);
    expect((await conclave('verify t r')).code).toBe(0);
    expect((await conclave('trace show m')).code).toBe(65);
  });

  it('has one signature, and as a twin one file', async () => {
    for (const name of ['a', 'b']) {
      await good(
        prove(
          `--request r --approve ${digest} --twin --share s/share-1.cbor --share s/share-3.cbor --out-sig sig-${name} --out t-${name}`,
        ),
      );
    }
    expect(Buffer.compare(read('t-a'), read('t-b'))).toBe(0);
    expect(Buffer.compare(read('sig-a'), read('sig'))).toBe(0);
    expect(Buffer.compare(read('t-a'), read('t'))).not.toBe(0);
  });

  describe('is refused', () => {
    const verdict = async (line: string) => {
      const { code, out } = await conclave(`${line} --json`);
      const parsed = JSON.parse(out) as {
        claims?: { claim: string; ok: boolean }[];
      };
      return {
        code,
        wrong: (parsed.claims ?? []).filter(({ ok }) => !ok).map(({ claim }) => claim),
      };
    };

    it('with any field of its request changed', async () => {
      const request = decodeRequest(read('r'), 'r');
      const other = (bytes: Uint8Array): Uint8Array => bytes.map((byte) => byte ^ 1);
      const changes: Partial<TraceRequest>[] = [
        { nonce: other(request.nonce) },
        { message: other(request.message) },
        { level: 'nonces' },
        { quorum: [257, 258] },
        { quorum: [257, 258, 259] },
        { quorum: [257] },
        { policy: other(request.policy) },
        { expires: (request.expires as number) + 1 },
      ];
      for (const change of changes) {
        write('r2', encodeRequest({ ...request, ...change }));
        const { code, wrong } = await verdict(`${VERIFY.replace('request r', 'request r2')} t`);
        expect(code, Object.keys(change)[0]).toBe(1);
        expect(wrong.length).toBeGreaterThan(0);
        expect(wrong.includes(WORDS.policy)).toBe('policy' in change || 'message' in change);
      }
      write('r2', encodeRequest({ ...request, group: other(request.group) }));
      expect((await conclave(`${VERIFY.replace('request r', 'request r2')} t`)).code).toBe(1);
    });

    it('with any field of the group record changed', async () => {
      const text = readFileSync(join(folder, 's/set.json'), 'utf8');
      writeFileSync(join(folder, 'set2.json'), text.replace('"production"', '"dev"'));
      const { code } = await conclave(`${VERIFY.replace('s/set.json', 'set2.json')} t`);
      expect(code).toBe(1);
      await good(
        'share refresh s/share-1.cbor s/share-2.cbor s/share-3.cbor --unsealed --out-dir s2',
      );
      expect((await conclave(`${VERIFY.replace('s/set', 's2/set')} t`)).code).toBe(1);
    });

    it('with another level, quorum, suite, circuit, signature or proof than the request’s', async () => {
      const trace = decodeTrace(read('t'), 't');
      const flipped = (bytes: Uint8Array, at: number): Uint8Array => {
        const out = bytes.slice();
        out[at] = (out[at] as number) ^ 1;
        return out;
      };
      const changes: Partial<TraceFile>[] = [
        { level: 'nonces' },
        { quorum: [257, 258] },
        { quorum: [257] },
        { quorum: [257, 258, 259] },
        { circuitId: 2 },
        { repetitions: 218 },
        { signature: flipped(trace.signature, 0) },
        { proof: flipped(trace.proof, 3) },
        { proof: flipped(trace.proof, 100) },
        { proof: trace.proof.subarray(1) },
      ];
      for (const change of changes) {
        write('t2', encodeTrace({ ...trace, ...change }));
        const { code } = await conclave(`${VERIFY} t2`);
        expect(code, JSON.stringify(Object.keys(change))).toBe(1);
      }
      for (const quorum of [[259, 257], [257, 257], []]) {
        write('t2', encodeTrace({ ...trace, quorum }));
        expect((await conclave(`${VERIFY} t2`)).code).toBe(65);
      }
      write('t2', new Uint8Array([...read('t'), 0]));
      expect((await conclave(`${VERIFY} t2`)).code).toBe(1);
    });

    it('with another signature file', async () => {
      write(
        'sig2',
        read('sig').map((byte, i) => (i === 5 ? byte ^ 1 : byte)),
      );
      const { code, wrong } = await verdict(`${VERIFY.replace('sig sig', 'sig sig2')} t`);
      expect(code).toBe(1);
      expect(wrong).toEqual(['the signature file is byte for byte the one in the trace']);
    });

    it('after its request expired, where it is said when it was signed', async () => {
      expect((await verdict(`${VERIFY} --at 2124-01-01T00:00:00Z t`)).code).toBe(1);
      expect((await verdict(`${VERIFY} --at 2024-01-01T00:00:00Z t`)).code).toBe(0);
      expect((await conclave(`${VERIFY} --at yesterday t`)).code).toBe(2);
      for (const day of ['02-30', '13-01'])
        expect((await conclave(`${VERIFY} --at 2024-${day}T00:00:00Z t`)).code, day).toBe(2);
    });

    it('with a request whose expiry no calendar has', async () => {
      const request = decodeRequest(read('r'), 'r');
      for (const [expires, code] of [
        [253_402_300_799, 0],
        [253_402_300_800, 65],
        [Number.MAX_SAFE_INTEGER, 65],
      ] as const) {
        write('r4', encodeRequest({ ...request, expires }));
        expect((await conclave('trace show r4')).code, String(expires)).toBe(code);
      }
    });
  });

  describe('is not made', () => {
    const two = '--share s/share-1.cbor --share s/share-3.cbor --out-sig no-sig --out no-t';
    const refused = async (line: string, code: number): Promise<string> => {
      const result = await conclave(prove(line));
      expect(result.code, result.err).toBe(code);
      expect(existsSync(join(folder, 'no-t')) || existsSync(join(folder, 'no-sig'))).toBe(false);
      return result.err;
    };

    it('without approval, or with that of another request', async () => {
      expect(await refused(`--request r ${two}`, 2)).toContain(`--approve ${digest}`);
      await refused(`--request r --approve sha256:${'0'.repeat(64)} ${two}`, 77);
    });

    it('by fewer shares, more, others, or shares of another key', async () => {
      const approved = `--request r --approve ${digest} --out-sig no-sig --out no-t`;
      await refused(`${approved} --share s/share-1.cbor`, 75);
      const all = [1, 2, 3].map((i) => `--share s/share-${i}.cbor`).join(' ');
      expect(await refused(`${approved} ${all}`, 2)).toContain('names 1, 3');
      await refused(`${approved} --share s/share-1.cbor --share s/share-2.cbor`, 2);
      await good('share split --key ./key.pem --threshold 2 --shares 3 --unsealed --out-dir other');
      await refused(`${approved} --share s/share-1.cbor --share other/share-3.cbor`, 1);
    });

    it('into one file: neither would be left', async () => {
      const approved = `--request r --approve ${digest} --share s/share-1.cbor --share s/share-3.cbor`;
      for (const force of ['', ' --force']) {
        const said = await refused(`${approved} --out-sig no-t --out ./no-t${force}`, 2);
        expect(said).toContain('--out-sig and --out');
      }
      const { code, out } = await conclave(prove(`${approved} --out-sig - --out no-t --json`));
      expect([code, existsSync(join(folder, 'no-t'))]).toEqual([2, false]);
      expect(JSON.parse(out)).toMatchObject({ ok: false, error: { code: 'E_OUTPUT_TWICE' } });
    });

    it('after expiry, under another policy, or for another group record', async () => {
      const request = decodeRequest(read('r'), 'r');
      for (const [change, code] of [
        [{ expires: 1 }, 77],
        [{ level: 'nonces' }, 77],
        [{ level: 'shares' }, 77],
        [{ policy: new Uint8Array(32) }, 77],
        [{ group: new Uint8Array(32) }, 1],
        [{ quorum: [257, 258, 259] }, 2],
      ] as const) {
        write('r3', encodeRequest({ ...request, ...change }));
        await refused(`--request r3 --approve ${digest} ${two}`, code);
      }
    });

    it('for a file, or a key that cannot sign without choosing', async () => {
      await good('share split --in m --threshold 2 --shares 3 --unsealed --out-dir file');
      const asked = await conclave('trace request --group file/set.json --in m --out x');
      expect([asked.code, asked.err]).toEqual([
        65,
        expect.stringContaining('a file signs nothing'),
      ]);
      await good('key generate --algorithm x25519 --no-passphrase --out ./x.pem');
      await good('share split --key ./x.pem --threshold 2 --shares 3 --unsealed --out-dir agree');
      expect((await conclave('trace request --group agree/set.json --in m --out x')).code).toBe(65);
      for (const quorum of ['3,1', '1,1', '1', '1,2,3', '1,9', 'x']) {
        const line = `trace request --group s/set.json --in m --quorum ${quorum} --out x`;
        expect((await conclave(line)).code, quorum).toBe(2);
      }
      expect(
        (await conclave('trace request --group s/set.json --in m --expires soon --out x')).code,
      ).toBe(2);
    });
  });

  it('is parsed strictly: what is read has no other spelling', async () => {
    const again = async (
      bytes: Uint8Array,
      spell: (read: Uint8Array) => Uint8Array,
    ): Promise<void> => {
      const tally = await fuzz(bytes, (mutated) => {
        if (Buffer.compare(spell(mutated), mutated) !== 0) throw new Error('another spelling');
      });
      expect(tally['65']).toBeGreaterThan(50);
    };
    await again(read('r'), (bytes) => encodeRequest(decodeRequest(bytes, 'r')));
    await again(read('t').subarray(0, 2500), (bytes) => encodeTrace(decodeTrace(bytes, 't')));
  });
});

describe('a trace of groups and of a changed set', () => {
  it('holds: Lagrange factors of both levels, and K under the first dealing’s thresholds', async () => {
    const run = inProcess('trace-groups');
    const cwd = mkdtempSync(join(tmpdir(), 'conclave-trace-'));
    const good = async (line: string): Promise<Record<string, unknown>> => {
      const given = { cwd, stdin: new Uint8Array(0), env: {} };
      const { code, stdout, stderr } = await run(`${line} --json`.split(' '), given);
      expect(code, `${line}: ${stdout.toString()}${stderr.toString()}`).toBe(0);
      return JSON.parse(stdout.toString()) as Record<string, unknown>;
    };
    try {
      writeFileSync(join(cwd, 'm'), 'm');
      await good('key generate --algorithm p256 --no-passphrase --out ./key.pem');
      await good('share split --key ./key.pem --threshold 2 --shares 3 --unsealed --out-dir s');
      await good(
        'share reshare s/share-1.cbor s/share-3.cbor --threshold 2 --group 2/3 --group 1/2 --group 2/2 --unsealed --waive threshold-1 --out-dir g',
      );
      const { digest } = await good(
        'trace request --group g/set.json --in m --quorum 1-1,1-3,2-2 --out r',
      );
      await good(
        `trace prove --request r --group g/set.json --approve ${String(digest)} --share g/share-1-1.cbor --share g/share-1-3.cbor --share g/share-2-2.cbor --out-sig sig --out t`,
      );
      await good('trace verify --request r --group g/set.json --sig sig t');
    } finally {
      rmSync(cwd, { recursive: true, force: true });
    }
  });
});
