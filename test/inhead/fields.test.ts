/**
 * Every field of the group record, of the request, of the signature and of what a trace publishes, changed alone: refused by ours
 * and by the verifier in plain Python. At level `shares`, bound to its request, a verdict takes milliseconds; what binds the fields
 * is the same h0 at every level.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { policyOf } from '#actions/trace/policy';
import { proveScalars } from '#actions/trace/prove-scalars';
import { scalarContext } from '#actions/trace/scalar-key';
import { WORDS } from '#actions/trace/verdict';
import { traceProve } from '#actions/trace-prove';
import { traceRequest } from '#actions/trace-request';
import { traceVerify } from '#actions/trace-verify';
import { encodeGroup, type GroupRecord } from '#crypto/frost/group';
import { suiteNames } from '#crypto/frost/suite';
import { sha256 } from '#crypto/hash';
import { concat, toHex } from '#formats/bytes';
import { type Cbor, decodeCbor, encodeCbor } from '#formats/cbor';
import { ConclaveError } from '#formats/errors';
import { scalarStatementHash } from '#protocols/inhead/scalar-statement';
import { encodeTrace, type TraceFile } from '#protocols/inhead/trace-file';
import { type Workplace, workplace } from '../support/home.js';
import { hasProgram, needs, root, thorough } from '../support/require.js';
import { type Dealt, dealtKey, requestFor } from './group.js';
import { seeded } from './support.js';

const python = needs('python3', hasProgram('python3'), 'the second verifier is written in it');

/** What a verifier gets. */
interface Files {
  readonly group: Uint8Array;
  readonly request: Uint8Array;
  readonly sig: Uint8Array;
  readonly trace: Uint8Array;
}

let place: Workplace;
beforeAll(() => {
  place = workplace();
});
afterAll(() => {
  place.remove();
});

function write(files: Files): void {
  for (const [name, bytes] of Object.entries(files)) writeFileSync(place.at(name), bytes);
}

/** Where they are then. */
const paths = () => ({
  group: place.at('group'),
  request: place.at('request'),
  sig: place.at('sig'),
  trace: place.at('trace'),
});

/** What `trace verify` says: a verdict, or a refusal of what it was given. */
async function ours(files: Files): Promise<boolean> {
  write(files);
  try {
    return (await place.run(traceVerify, paths())).ok;
  } catch (error) {
    if (error instanceof ConclaveError && [1, 65].includes(error.exitCode)) return false;
    throw error;
  }
}

/** The second verifier, asked about many at once; tables of multiples of a base are made once. */
const DRIVER = `
import json, sys
sys.path.insert(0, sys.argv[1])
import verify_trace as v
make, tables = v.BaseTable, {}
def table(curve):
    name = type(curve).__name__
    if name not in tables:
        tables[name] = make(curve)
    return tables[name]
v.BaseTable = table
said = []
for case in json.load(sys.stdin):
    try:
        v.verify(*(bytes.fromhex(case[name]) for name in ("group", "request", "sig", "trace")))
        said.append("yes")
    except v.Refused:
        said.append("no")
    except Exception as error:
        said.append(repr(error))
print(json.dumps(said))
`;

function theirs(cases: readonly Files[]): readonly string[] {
  const given = cases.map((files) =>
    Object.fromEntries(
      Object.entries(files).map(([name, bytes]) => [name, toHex(bytes as Uint8Array)]),
    ),
  );
  const folder = join(root, 'test/independent');
  const ran = spawnSync('python3', ['-B', '-c', DRIVER, folder], {
    input: JSON.stringify(given),
    encoding: 'utf8',
  });
  if (ran.status !== 0) throw new Error(ran.stderr);
  return JSON.parse(ran.stdout) as string[];
}

/** Each is refused by both; the unchanged one is taken by both. */
async function refusedByBoth(good: Files, bad: Readonly<Record<string, Files>>): Promise<void> {
  const names = Object.keys(bad);
  const all = [good, ...Object.values(bad)];
  const verdicts: Record<string, boolean> = {};
  for (const [i, files] of all.entries()) verdicts[names[i - 1] ?? 'good'] = await ours(files);
  const expected = Object.fromEntries(['good', ...names].map((name) => [name, name === 'good']));
  expect(verdicts).toEqual(expected);
  if (!python) return;
  const said = theirs(all);
  expect(Object.fromEntries(['good', ...names].map((name, i) => [name, said[i]]))).toEqual(
    Object.fromEntries(['good', ...names].map((name, i) => [name, i === 0 ? 'yes' : 'no'])),
  );
}

/** A trace of level shares, bound to its request. */
async function made(
  suite: string,
  { own = null, asked: named }: { own?: string | null; asked?: Uint8Array } = {},
): Promise<{ dealt: Dealt; trace: TraceFile; files: Files }> {
  const dealt = await dealtKey(suite, 2, 3, suite, own);
  const asked = requestFor(dealt.key, 'shares', {
    bind: true,
    quorum: [1, 3],
    expires: 4_000_000_000,
    ...(named === undefined ? {} : { policy: named }),
  });
  const trace = await proveScalars(
    { key: dealt.key, ...asked, signers: dealt.signers([1, 3]), twin: false },
    { random: seeded('fields'), progress: () => undefined },
  );
  const files = {
    group: dealt.key.bytes,
    request: asked.requestBytes,
    sig: trace.signature,
    trace: encodeTrace(trace),
  };
  return { dealt, trace, files };
}

const flip = (bytes: Uint8Array, at = 0): Uint8Array =>
  bytes.map((byte, i) => (i === at ? byte ^ 1 : byte));

/** Requests as they are spelled, so that also one that nothing here would write can be made. */
function respelled(bytes: Uint8Array, change: (members: Map<number, Cbor>) => void): Uint8Array {
  const members = new Map(
    decodeCbor(bytes, 'request', { maxBytes: 1 << 16, maxDepth: 2 }) as Map<number, Cbor>,
  );
  change(members);
  return encodeCbor(members);
}

describe('a trace is refused with one field changed', () => {
  let dealt: Dealt;
  let trace: TraceFile;
  let good: Files;
  beforeAll(async () => {
    ({ dealt, trace, files: good } = await made('frost-ed25519'));
  });

  it('of the group record, also where the request is for the changed one', async () => {
    const { record } = dealt.key.group;
    const [first, ...others] = record.members as [
      GroupRecord['members'][number],
      ...GroupRecord['members'][number][],
    ];
    const other = (text: string): string => `${text.startsWith('0') ? '1' : '0'}${text.slice(1)}`;
    const changes: Readonly<Record<string, object>> = {
      type: { type: 'conclave/other' },
      version: { version: 2 },
      suite: { suite: 'frost-ristretto255' },
      key: { key: other(record.key) },
      environment: { environment: 'rehearsal' },
      threshold: { threshold: 3 },
      ceremony: { ceremony: other(record.ceremony) },
      epoch: { epoch: 2 },
      policy: { policy: `sha256:${'0'.repeat(64)}` },
      publicKey: { publicKey: first.publicShare },
      head: { head: other(record.head) },
      members: { members: record.members.slice(0, 2) },
      ...Object.fromEntries(
        Object.entries({
          number: 4,
          identity: other(first.identity),
          publicShare: record.publicKey,
          commitment: other(first.commitment),
        }).map(([name, value]) => [
          `members.${name}`,
          { members: [{ ...first, [name]: value }, ...others].sort((a, b) => a.number - b.number) },
        ]),
      ),
      'an unknown one': { unknown: 1 },
    };
    expect(new Set(Object.keys(changes).map((name) => name.split('.')[0]))).toEqual(
      new Set([...Object.keys(record), 'an unknown one']),
    );
    const members = Object.keys(changes).filter((name) => name.startsWith('members.'));
    expect(members.sort()).toEqual(
      Object.keys(first)
        .map((name) => `members.${name}`)
        .sort(),
    );
    const bad: Record<string, Files> = {};
    const hashes = new Set<string>();
    for (const [name, change] of Object.entries(changes)) {
      const group = encodeGroup({ ...record, ...change } as GroupRecord);
      bad[name] = { ...good, group };
      const request = respelled(good.request, (members) => members.set(5, sha256(group)));
      bad[`${name}, asked for`] = { ...good, group, request };
      // And what binds everything has another value already because of the record alone.
      const asked = requestFor(dealt.key, 'shares');
      const about = scalarContext(dealt.key, asked.request, asked.requestBytes, [1, 3]);
      hashes.add(toHex(scalarStatementHash({ ...about, groupBytes: group }, trace)));
    }
    expect(hashes.size).toBe(Object.keys(changes).length);
    await refusedByBoth(good, bad);
  });

  it('of the request', async () => {
    const message = new Uint8Array([1]);
    const changes: Readonly<Record<string, readonly (readonly [number, Cbor | undefined])[]>> = {
      type: [[0, 'conclave/trace-demand']],
      version: [[1, 2]],
      nonce: [[2, new Uint8Array(32)]],
      message: [[3, message]],
      'message with its digest': [
        [3, message],
        [4, sha256(message)],
      ],
      digest: [[4, new Uint8Array(32)]],
      group: [[5, new Uint8Array(32)]],
      level: [[6, 2]],
      'level, and no binding': [
        [6, 2],
        [8, false],
      ],
      'level, and no binding, nonces': [
        [6, 3],
        [8, false],
      ],
      'level that is none': [[6, 4]],
      quorum: [[7, [1, 2]]],
      'quorum swapped': [[7, [3, 1]]],
      'quorum repeated': [[7, [1, 1]]],
      'quorum of t − 1': [[7, [1]]],
      'quorum of t + 1': [[7, [1, 2, 3]]],
      'quorum of none': [[7, []]],
      'any quorum': [[7, undefined]],
      bind: [[8, false]],
      'bind as a number': [[8, 1]],
      'another policy digest': [[9, sha256(message)]],
      expires: [[10, 4_000_000_001]],
      'expires never': [[10, undefined]],
      'an unknown one': [[11, 1]],
    };
    const bad: Record<string, Files> = {
      'trailing byte': { ...good, request: concat(good.request, new Uint8Array(1)) },
      'cut short': { ...good, request: good.request.subarray(0, -1) },
    };
    for (const [name, set] of Object.entries(changes)) {
      const request = respelled(good.request, (members) => {
        for (const [key, value] of set) {
          if (value === undefined) members.delete(key);
          else members.set(key, value);
        }
      });
      bad[name] = { ...good, request };
    }
    await refusedByBoth(good, bad);
  });

  it('of the trace: header, quorum, D, E, z, what binds it, and its length', async () => {
    const [first, second] = trace.shares as [TraceFile['shares'][0], TraceFile['shares'][0]];
    const { proof } = trace;
    const changes: Readonly<Record<string, Partial<TraceFile>>> = {
      repetitions: { repetitions: 1 },
      circuit: { circuitId: 2, repetitions: 219 },
      level: { level: 'quorum' },
      suite: { suite: new TextEncoder().encode('ristr255') },
      'another quorum': { quorum: [1, 2] },
      'quorum swapped': { quorum: [3, 1], shares: [second, first] },
      'quorum repeated': { quorum: [1, 1], shares: [first, first] },
      't − 1': { quorum: [1], shares: [first] },
      't + 1': { quorum: [1, 2, 3], shares: [first, first, second] },
      D: { shares: [{ ...first, hiding: second.hiding }, second] },
      E: { shares: [{ ...first, binding: second.binding }, second] },
      z: { shares: [{ ...first, z: flip(first.z, 31) }, second] },
      'U of the binding': { proof: concat(first.hiding, proof.subarray(32)) },
      's of the binding': { proof: flip(proof, 63) },
      'bindings swapped': { proof: concat(proof.subarray(64), proof.subarray(0, 64)) },
      'no binding': { proof: new Uint8Array(0) },
      'one binding': { proof: proof.subarray(64) },
      'a byte more': { proof: concat(proof, new Uint8Array(1)) },
      'a byte less': { proof: proof.subarray(0, -1) },
    };
    const bad: Record<string, Files> = {
      magic: { ...good, trace: flip(good.trace, 3) },
      version: { ...good, trace: flip(good.trace, 15) },
      'proof system': { ...good, trace: flip(good.trace, 16) },
    };
    for (const [name, change] of Object.entries(changes))
      bad[name] = { ...good, trace: encodeTrace({ ...trace, ...change }) };
    await refusedByBoth(good, bad);
  });
});

describe('a trace is of what its policies allow', () => {
  const name = (digest: Uint8Array): string => `sha256:${toHex(digest)}`;
  const message = new TextEncoder().encode('pay nobody');
  const [allows, another] = [policyOf(message), policyOf(new TextEncoder().encode('pay Eve'))];

  it('and says no where a prover signed all the same, whatever else holds', async () => {
    const bound = await made('frost-ed25519', { own: name(another) });
    const unknown = await made('frost-ed25519', { asked: sha256(message) });
    const misled = await made('frost-ed25519', { own: name(another), asked: another });
    // What holds is bound to the policy of the request, or, as everywhere else, to none.
    const { files: good } = await made('frost-ed25519', { own: name(allows) });
    const bad = {
      'the key is bound to another': bound.files,
      'the request is under one that is not known': unknown.files,
      'the request is under that of another message, and the key too': misled.files,
    };
    await refusedByBoth(good, bad);
    for (const [why, files] of Object.entries(bad)) {
      write(files);
      const { claims } = await place.run(traceVerify, paths());
      const wrong = claims.filter(({ ok }) => !ok).map(({ claim }) => claim);
      expect(wrong, why).toEqual([WORDS.policy]);
    }
  });

  it('and is neither asked for nor made against the key’s own', async () => {
    const { files } = await made('frost-ed25519', { own: name(another) });
    write(files);
    writeFileSync(place.at('message'), message);
    const { group, request } = paths();
    const out = place.at('refused');
    const refusal = { code: 'E_POLICY_REFUSED', exitCode: 77 };
    await expect(
      place.run(traceRequest, { group, in: place.at('message'), level: 'shares', out }),
    ).rejects.toMatchObject(refusal);
    const proving = { request, group, share: [place.at('message')], outSig: place.at('s'), out };
    await expect(place.run(traceProve, proving)).rejects.toMatchObject(refusal);
    expect(existsSync(out)).toBe(false);
  });
});

describe('a signature is refused with one part changed', () => {
  it.each(suiteNames.filter((name) => thorough || name === 'frost-ed25519'))(
    'over %s: R, s, another spelling of s, their lengths, and SIG alone',
    async (name) => {
      const { dealt, trace, files } = await made(name);
      const { suite } = dealt.key.group;
      const { signature } = trace;
      const at = signature.length - suite.scalarBytes;
      const [r, s] = [signature.subarray(0, at), signature.subarray(at)];
      // Whether scalars are spelled with their lowest byte first.
      const turned = suite.encodeScalar(1n)[0] === 1;
      const number = BigInt(`0x${toHex(turned ? s.slice().reverse() : s)}`) + suite.group.order;
      const spelled = Buffer.from(number.toString(16).padStart(2 * s.length, '0'), 'hex');
      const [share] = trace.shares as [TraceFile['shares'][0]];
      const changes: Record<string, Uint8Array> = {
        R: concat(flip(r, at - 1), s),
        'R of D': concat(share.hiding.subarray(share.hiding.length - at), s),
        s: concat(r, flip(s, turned ? 0 : s.length - 1)),
        's of zero': concat(r, new Uint8Array(s.length)),
        'a byte more': concat(signature, new Uint8Array(1)),
        'a byte less': signature.subarray(0, -1),
        // For secp256k1 the sum is longer than a scalar is.
        ...(spelled.length === s.length
          ? { 's + order': concat(r, turned ? spelled.reverse() : spelled) }
          : {}),
      };
      const bad: Record<string, Files> = {};
      for (const [part, sig] of Object.entries(changes)) {
        bad[part] = { ...files, sig, trace: encodeTrace({ ...trace, signature: sig }) };
        bad[`SIG alone, ${part}`] = { ...files, sig };
      }
      await refusedByBoth(files, bad);
    },
  );
});

describe('a set of shares of bytes', () => {
  it('is another one with any field changed, for both', async () => {
    const read = (name: string): Uint8Array =>
      new Uint8Array(readFileSync(join(root, 'test/compat/v2/traces', name)));
    const good = {
      group: read('set.json'),
      request: read('release.request'),
      sig: read('release.sig'),
      trace: read('release.trace'),
    };
    expect(await ours(good)).toBe(true);
    const text = Buffer.from(good.group).toString();
    const bad: Record<string, Files> = {};
    const set = (JSON.parse(text) as { set: Record<string, unknown> }).set;
    for (const [name, value] of Object.entries(set)) {
      const written = `${JSON.stringify(name)}:${JSON.stringify(value)}`;
      // One sign of the value is another one; the record stays canonical where its form allows that.
      const sign = typeof value === 'number' || value === null ? -1 : -3;
      const last = written.at(sign) ?? '';
      const changed = `${written.slice(0, sign)}${last === '1' ? '2' : '1'}${sign === -1 ? '' : written.slice(sign + 1)}`;
      expect(text.includes(written) && changed !== written, name).toBe(true);
      bad[name] = { ...good, group: Buffer.from(text.replace(written, changed)) };
    }
    expect(Object.keys(bad).length).toBeGreaterThan(12);
    for (const [name, files] of Object.entries(bad)) expect(await ours(files), name).toBe(false);
    if (!python) return;
    // The group record is judged before the proof, which is long.
    const short = Object.values(bad).map((files) => ({
      ...files,
      trace: files.trace.subarray(0, 16_384),
    }));
    expect(theirs(short)).toEqual(Object.keys(bad).map(() => 'no'));
  });
});
