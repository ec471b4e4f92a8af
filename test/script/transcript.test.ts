/** Transcripts, whole and tampered with. Every forgery is linked and signed as well as its forger could. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { ArtifactVerdict, VerifyOptions } from '#actions/artifacts/artifact';
import { transcriptKind } from '#actions/artifacts/transcript';
import type { ActionContext } from '#actions/context/context';
import { sha256 } from '#crypto/hash';
import { encodeIdentity, type OpenIdentity } from '#custody/authority/identity';
import { utf8 } from '#formats/bytes';
import type { ActionDescription } from '#formats/action';
import { InputError } from '#formats/errors';
import { checkTranscript } from '#script/check-transcript';
import { parseTranscript } from '#script/transcript';
import { parseStatement } from '#custody/audit/statement';
import { decodeDsse } from '#formats/dsse';
import { actionCatalogue, shipped } from './catalogue.js';
import { changed, edit, find, sessions } from './forgeries.js';
import { tamperings } from './tamperings.js';
import {
  type Draft,
  keyEvent,
  type Made,
  makePeople,
  makeSession,
  publish,
  reEnvelope,
  SHARE_SET,
} from './session.js';
import { mutationCount } from '../support/require.js';

let real: Made;
let quick: Made;
let rehearsed: Made;
let catalogue: readonly ActionDescription[];

beforeAll(async () => {
  catalogue = await actionCatalogue();
  real = await makeSession(shipped('root-key.yaml'));
  quick = await makeSession(shipped('quickstart.yaml'));
  rehearsed = await makeSession(shipped('root-key.yaml'), 'rehearsal');
  Object.assign(sessions, { real, quick, rehearsed });
});

interface Checking {
  /** Whose identities are pinned; everybody's when not given, nobody's when null. */
  readonly pinned?: readonly OpenIdentity[] | null;
  readonly allowUnpinned?: boolean;
  readonly files?: ReadonlyMap<string, Uint8Array>;
}

async function verify(
  made: Made,
  bytes: Uint8Array,
  { pinned, allowUnpinned = false, files = made.files }: Checking = {},
): Promise<ArtifactVerdict> {
  const signers = pinned === undefined ? [...made.identities.values()] : (pinned ?? []);
  const beside = new Map([...files].map(([path, content]) => [`s/${path}`, content]));
  for (const { identity } of signers) beside.set(identity.name, encodeIdentity(identity));
  const context = {
    catalogue: () => Promise.resolve(catalogue),
    identities: {
      list: () => Promise.resolve([]),
      find: (name: string) =>
        Promise.resolve(signers.find(({ identity }) => identity.name === name)?.identity),
    },
    files: {
      exists: (path: string) => beside.has(path),
      isDirectory: () => false,
      read: (path: string) => beside.get(path),
    },
  } as unknown as ActionContext;
  const options: VerifyOptions = {
    signers: signers.map(({ identity }) => identity.name),
    participants: undefined,
    allowUnpinned,
  };
  return await transcriptKind.verify(bytes, 's/transcript.json', context, options);
}

function failures({ claims }: ArtifactVerdict): string {
  return claims
    .filter(({ ok }) => !ok)
    .map(({ claim, detail }) => `${claim}: ${detail}`)
    .join('\n');
}

describe('a transcript as it was made', () => {
  it('holds, with everybody pinned', async () => {
    const verdict = await verify(real, await publish(real));
    expect(failures(verdict)).toBe('');
    expect(verdict.ok).toBe(true);
    expect(verdict.summary).toMatch(
      /^Generation of a root key, session 2026-11-23T09-00-00Z, root-key, closed 2026-11-23T09:/,
    );
    const attested = verdict.claims.filter(({ grade }) => grade === 'attested');
    expect(attested.map(({ claim }) => claim)).toEqual([
      'administrator (administrator) signed',
      'witness-1 (witness) signed',
      'witness-2 (witness) signed',
      'administrator (administrator) signed off',
      'witness-1 (witness) signed off',
      'witness-2 (witness) signed off',
    ]);
  });

  it('is recognised by what it is', async () => {
    const bytes = await publish(quick);
    expect(transcriptKind.detect(bytes, 'transcript.json')).toBe(true);
    expect(transcriptKind.detect(utf8('{"payload":""}'), 'x')).toBe(false);
    const shown = await transcriptKind.show(bytes, 'transcript.json', {} as ActionContext);
    expect(shown).toMatchObject({
      ceremony: 'quickstart',
      environment: 'dev',
      outcome: 'completed',
    });
  });

  it('says first that nobody is pinned, and then holds only where that is allowed', async () => {
    const bytes = await publish(real);
    const refused = await verify(real, bytes, { pinned: null });
    expect(refused.ok).toBe(false);
    expect(refused.summary.startsWith('signers not pinned; ')).toBe(true);
    const allowed = await verify(real, bytes, { pinned: null, allowUnpinned: true });
    expect(allowed.ok).toBe(true);
    expect(allowed.claims.some(({ grade }) => grade === 'attested')).toBe(false);
  });

  it('says first that it was dev, or a rehearsal', async () => {
    expect((await verify(quick, await publish(quick))).summary).toMatch(/^DEV: nothing of this/);
    const rehearsal = await verify(rehearsed, await publish(rehearsed));
    expect(rehearsal.ok).toBe(true);
    expect(rehearsal.summary).toMatch(/^REHEARSAL: not evidence/);
    const unpinned = await verify(rehearsed, await publish(rehearsed), { pinned: null });
    expect(unpinned.summary).toMatch(/^REHEARSAL: [^;]*; signers not pinned; /);
  });

  it('holds when artifacts went away, as shares do, and says so', async () => {
    const verdict = await verify(real, await publish(real), { files: new Map() });
    expect(failures(verdict)).toBe('');
    expect(verdict.claims).toContainEqual(
      expect.objectContaining({ claim: 'artifacts/shares/share-1.share', grade: 'recorded' }),
    );
  });
});

describe('what did not go to script, told as it was', () => {
  const gap = (lastTime: string, lost: readonly string[] = []): Draft => ({
    type: 'session.resumed',
    data: { lastTime, lost, tool: { version: '0.1.0', digest: `sha256:${'0'.repeat(64)}` } },
  });
  const time = (i: number): string =>
    new Date(Date.parse('2026-11-23T09:00:00Z') + i * 1000).toISOString().replace('.000Z', 'Z');
  const retired = (keyId: string): Draft => ({
    type: 'key.retired',
    data: { keyId, algorithm: 'ed25519', publicKey: 'AAAA', reason: 'retired before use' },
  });

  /** Killed after the split had begun: back to the generation of the key. */
  const rolledBack = (made: Made): readonly Draft[] => {
    const { drafts } = made;
    const begun = find(drafts, 'step.started', 'split');
    const first = find(drafts, 'step.started', 'generate');
    const lost = 'aa'.repeat(32);
    const before = changed(drafts.slice(0, begun + 1), (copy) => {
      const at = find(copy, 'event', 'generate');
      const where = { act: copy[at]?.data['act'] ?? '', step: 'generate' };
      edit(copy, at, keyEvent(where, 'key.added', 'dev', null, lost));
      edit(copy, find(copy, 'step.finished', 'generate'), {
        outputs: { key: 'ceremony:generate', public: 'key.pub', id: lost },
      });
    });
    const back: Draft[] = [
      gap(time(begun), ['ceremony:generate']),
      retired(lost),
      { type: 'rollback', data: { toAct: 'generate', toStep: 'generate', reason: 'lost' } },
    ];
    const again = changed(drafts.slice(first), (copy) => {
      for (const step of ['generate', 'split'])
        edit(copy, find(copy, 'step.started', step), { attempt: 2 });
    });
    return [...before, ...back, ...again];
  };

  it('a rollback with its abandoned key', async () => {
    const verdict = await verify(quick, await publish(quick, rolledBack(quick)));
    expect(failures(verdict)).toBe('');
    expect(verdict.claims.map(({ claim }) => claim).join()).toMatch(/a gap.*a key was abandoned/);
  });

  it.each([
    ['without its gap', 'session.resumed', /nothing was interrupted/],
    ['without its abandoned key', 'key.retired', /was not recorded as retired/],
    ['without the rollback itself', 'rollback', /comes next, not generate\/generate/],
  ])('but not %s', async (_, type, reason) => {
    const drafts = rolledBack(quick).filter((draft) => draft.type !== type);
    const verdict = await verify(quick, await publish(quick, drafts));
    expect(failures(verdict)).toMatch(reason);
  });

  it('but not back over sealed shares', async () => {
    const { drafts } = quick;
    const done = find(drafts, 'step.finished', 'split');
    const forged = [
      ...drafts.slice(0, done + 1),
      gap(time(done), ['ceremony:generate']),
      retired(quick.keyId),
      { type: 'rollback', data: { toAct: 'generate', toStep: 'generate', reason: 'again' } },
      ...drafts.slice(find(drafts, 'step.started', 'generate')),
    ];
    const verdict = await verify(quick, await publish(quick, forged));
    expect(failures(verdict)).toMatch(/had sealed a key: it cannot be undone/);
  });

  const restored = (
    shares: readonly number[],
    setId: string = SHARE_SET.setId,
  ): readonly Draft[] => {
    const { drafts } = quick;
    const at = find(drafts, 'step.started', 'sign');
    const restore = { setId, shares, key: quick.keyId, reference: 'ceremony:generate' };
    return [
      ...drafts.slice(0, at),
      gap(time(at - 1), ['ceremony:generate']),
      { type: 'restore', data: restore },
      ...drafts.slice(at),
    ];
  };

  it('a restore from a quorum of shares', async () => {
    expect(failures(await verify(quick, await publish(quick, restored([1, 3]))))).toBe('');
  });

  it('but not from fewer, nor from another set', async () => {
    const fewer = await verify(quick, await publish(quick, restored([2])));
    expect(failures(fewer)).toMatch(/fewer than any quorum/);
    const twice = await verify(quick, await publish(quick, restored([2, 2])));
    expect(failures(twice)).toMatch(/fewer than any quorum/);
    const other = await verify(quick, await publish(quick, restored([1, 2], '00'.repeat(32))));
    expect(failures(other)).toMatch(/not split into this set/);
  });

  it('a gap that does not tell when it began is refused', async () => {
    const at = find(quick.drafts, 'step.started', 'sign');
    const forged = [...quick.drafts.slice(0, at), gap(time(0)), ...quick.drafts.slice(at)];
    const verdict = await verify(quick, await publish(quick, forged));
    expect(failures(verdict)).toMatch(/does not tell the time of the entry before it/);
  });

  it('a disagreement shows in the first line', async () => {
    const drafts = changed(real.drafts, (copy) => {
      const at = copy.findIndex(({ data }) => data['person'] === 'witness-2');
      edit(copy, at, { agrees: false, reason: 'I was out of the room' });
    });
    const verdict = await verify(real, await publish(real, drafts));
    expect(failures(verdict)).toBe('');
    expect(verdict.summary).toMatch(/^1 of the participants DISAGREE/);
    const silent = changed(drafts, (copy) => {
      const at = copy.findIndex(({ data }) => data['person'] === 'witness-2');
      edit(copy, at, { reason: '' });
    });
    expect(failures(await verify(real, await publish(real, silent)))).toMatch(/gives no reason/);
  });

  it('an abort shows in the first line', async () => {
    const at = find(real.drafts, 'step.started', 'prove');
    const drafts: Draft[] = [
      ...real.drafts.slice(0, at + 1),
      {
        type: 'step.failed',
        data: {
          act: 'protect',
          step: 'prove',
          attempt: 1,
          error: { code: 'E_X', message: 'no' },
          then: 'abort',
        },
      },
      { type: 'session.closed', data: { outcome: 'aborted', reason: 'it failed' } },
    ];
    const verdict = await verify(real, await publish(real, drafts));
    expect(failures(verdict)).toBe('');
    expect(verdict.summary).toMatch(/^ABORTED; /);
    const hidden = changed(drafts, (copy) => {
      edit(copy, copy.length - 2, { then: 'deviate' });
    });
    expect(failures(await verify(real, await publish(real, hidden)))).toMatch(/says abort then/);
  });

  it('a clock that goes back needs a deviation', async () => {
    const drafts = changed(real.drafts, (copy) => {
      copy.forEach((draft, i) => (copy[i] = { ...draft, at: i < 20 ? i : i - 15 }));
    });
    const verdict = await verify(real, await publish(real, drafts));
    expect(failures(verdict)).toMatch(/entry 20: .*is before that of its predecessor/);
    const told = [
      ...drafts.slice(0, 20),
      {
        type: 'deviation',
        at: 5,
        data: {
          about: 'clock',
          expected: 'later',
          happened: 'earlier',
          reason: 'set back',
          by: 'administrator',
          initials: [],
          graded: 'recorded',
        },
      },
      ...drafts.slice(20),
    ];
    expect(failures(await verify(real, await publish(real, told)))).toBe('');
  });
});

describe('a forgery is refused, and the reason named', () => {
  it.each(tamperings)('%s', async (_, reason, forge) => {
    const verdict = await verify(real, await forge(real));
    expect(verdict.ok).toBe(false);
    expect(failures(verdict)).toMatch(reason);
    expect(verdict.summary).toContain('does not hold');
  });

  it('another file in the place of an artifact', async () => {
    const files = new Map(real.files).set('artifacts/shares/set.json', utf8('{}'));
    const verdict = await verify(real, await publish(real), { files });
    expect(failures(verdict)).toMatch(/set\.json: this is not the file/);
  });

  it('another definition beside the transcript', async () => {
    const files = new Map(real.files).set('definition.yaml', utf8('conclave: 1\n'));
    const verdict = await verify(real, await publish(real), { files });
    expect(failures(verdict)).toMatch(/definition\.yaml beside the transcript is another one/);
  });

  it('a rehearsal passed off as real, by those who rehearsed', async () => {
    const drafts = changed(rehearsed.drafts, (copy) => {
      edit(copy, 0, { mode: 'run', environment: 'production' });
    });
    const verdict = await verify(rehearsed, await publish(rehearsed, drafts));
    expect(failures(verdict)).toMatch(/rehearsal identity in a production session/);
  });

  it('a rehearsal with only its mark changed', async () => {
    const drafts = changed(rehearsed.drafts, (copy) => {
      edit(copy, 0, { environment: 'production' });
    });
    const verdict = await verify(rehearsed, await publish(rehearsed, drafts));
    expect(failures(verdict)).toMatch(/this session was rehearsal/);
    expect(verdict.summary).toMatch(/^REHEARSAL/);
  });

  it('a whole session again, with fresh keys under the same names', async () => {
    const people = await makePeople(real.definition, 'production');
    const forged = await makeSession(real.definitionText, 'run', people);
    const bytes = await publish(forged);
    expect((await verify(forged, bytes)).ok).toBe(true);
    const verdict = await verify(real, bytes);
    expect(verdict.ok).toBe(false);
    expect(failures(verdict)).toMatch(/not one of those that are pinned/);
    expect((await verify(real, bytes, { pinned: null })).ok).toBe(false);
  });

  it('the keys of one participant exchanged in the record', async () => {
    const stranger = (await makePeople(real.definition, 'production')).identities.get('witness-1');
    const drafts = changed(real.drafts, (copy) => {
      const people = structuredClone(copy[0]?.data['participants']) as {
        name: string;
        identity: Record<string, unknown> | null;
      }[];
      const one = people.find(({ name }) => name === 'witness-1');
      const identity = one?.identity ?? undefined;
      if (identity === undefined || stranger === undefined) throw new Error('no witness');
      identity['ed25519'] = Buffer.from(stranger.identity.ed25519).toString('base64');
      edit(copy, 0, { participants: people as never });
    });
    const verdict = await verify(real, await publish(real, drafts));
    expect(verdict.ok).toBe(false);
    expect(failures(verdict)).toMatch(/identity of witness-1/);
  });

  it('only the administrator is pinned', async () => {
    const administrator = real.identities.get('administrator') as OpenIdentity;
    const verdict = await verify(real, await publish(real), { pinned: [administrator] });
    expect(failures(verdict)).toMatch(/witness-1 \(witness\) signed: .*pinned/);
  });
});

describe('the commitments of a share set', () => {
  const check = async (shareSet: object): Promise<string> => {
    const bytes = await publish(quick);
    const statement = parseStatement(decodeDsse(bytes, 't'), 't');
    const ids = new Set([...quick.identities.values()].map(({ identity }) => identity.id));
    const verdict = await checkTranscript(parseTranscript(statement, 't'), {
      signatures: { signedBy: ids, problems: [], pinned: ids, allowUnpinned: false },
      sha256: (content) => sha256(content),
      readArtifact: (path) => quick.files.get(path),
      inspect: (_, path) =>
        Promise.resolve(
          path.endsWith('set.json')
            ? { kind: 'share-set', ok: true, summary: 'a set', shareSet: shareSet as never }
            : undefined,
        ),
      catalogue,
    });
    return failures(verdict);
  };

  it('are those that the key record names, under a quorum of the definition', async () => {
    expect(await check({ ...SHARE_SET, threshold: 2, shares: 3 })).toBe('');
  });

  it('are refused with another root, another set, another quorum', async () => {
    const other = '00'.repeat(32);
    expect(await check({ ...SHARE_SET, root: other, threshold: 2, shares: 3 })).toMatch(/root/);
    expect(await check({ ...SHARE_SET, setId: other, threshold: 2, shares: 3 })).toMatch(/no key/);
    expect(await check({ ...SHARE_SET, threshold: 1, shares: 3 })).toMatch(/1 of 3 is no quorum/);
  });
});

describe('a malformed transcript', () => {
  it('is an input error, whatever byte was changed', async () => {
    const bytes = await publish(quick);
    const statement = Buffer.from(decodeDsse(bytes, 't').payload).toString();
    const broken = [
      statement.replace('"type":"step.started"', '"type":"step.begun"'),
      statement.replace('"attempt":1', '"attempt":"1"'),
      statement.replace('"conclave":"0.1.0"', '"conclave":"0.1.0","more":1'),
      statement.replace('"attempt":1', '"attempt":1 '),
    ];
    for (const payload of broken) {
      expect(payload).not.toBe(statement);
      const forged = reEnvelope(bytes, (it) => ({ ...it, payload: utf8(payload) }));
      await expect(verify(quick, forged)).rejects.toThrow(InputError);
    }
  });

  it('stays one under mutations, or is told apart', { timeout: 300_000 }, async () => {
    const drafts = changed(quick.drafts, (copy) => {
      const people = copy[0]?.data['participants'] as { identity: unknown }[];
      people.forEach((it) => (it.identity = null));
    });
    const { payload, payloadType } = decodeDsse(await publish(quick, drafts), 't');
    const read = (bytes: Uint8Array): unknown =>
      parseTranscript(
        parseStatement({ payload: bytes, payloadType, signatures: [] }, 'transcript.json'),
        'transcript.json',
      );
    read(payload);
    let state = 1;
    const random = (below: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    let refused = 0;
    for (let i = 0; i < mutationCount; i++) {
      const at = random(payload.length);
      const cut = random(8);
      const piece = payload.subarray(random(payload.length)).subarray(0, random(8));
      const mutated =
        i % 2 === 0
          ? Buffer.concat([payload.subarray(0, at), piece, payload.subarray(at + cut)])
          : Buffer.from(payload);
      if (i % 2 === 1) mutated[at] = random(256);
      try {
        read(mutated);
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(0.3 * mutationCount);
  });
});
