/** Forgeries of a transcript, each linked and signed as well as its forger could; tests of two verifiers share them. */
import { utf8 } from '#formats/bytes';
import type { JsonObject } from '#formats/canonical-json';
import { decodeDsse } from '#formats/dsse';
import {
  type Draft,
  keyEvent,
  type Made,
  publish,
  type Publishing,
  reEnvelope,
  SHARE_SET,
} from './session.js';

/** The sessions that are forged; whoever uses the forgeries makes them first. */
export const sessions = {} as { real: Made; quick: Made; rehearsed: Made };

/** Drafts with something changed in a copy. */
export const changed = (
  drafts: readonly Draft[],
  change: (copy: Draft[]) => void,
): readonly Draft[] => {
  const copy = structuredClone(drafts) as Draft[];
  change(copy);
  return copy;
};
/** Place of the first draft of a type, at a step, for a holder. */
export const find = (
  drafts: readonly Draft[],
  type: string,
  step?: string,
  holder?: string,
): number => {
  const at = drafts.findIndex(
    (draft) =>
      draft.type === type &&
      (step === undefined || draft.data['step'] === step) &&
      (holder === undefined || draft.data['for'] === holder),
  );
  if (at < 0) throw new Error(`no ${type} ${step ?? ''}`);
  return at;
};
/** Changes members of a draft's data. */
export const edit = (drafts: Draft[], at: number, data: JsonObject): void => {
  drafts[at] = { ...(drafts[at] as Draft), data: { ...drafts[at]?.data, ...data } };
};

/** A forgery: its name, what the refusal says, and how it is made. */
export type Forgery = readonly [
  name: string,
  reason: RegExp,
  forge: (made: Made) => Promise<Uint8Array> | Uint8Array,
];

/** Drafts changed, linked anew and signed by the right people: what only the content can betray. */
export const resigned =
  (change: (copy: Draft[]) => void, publishing?: Publishing) =>
  (made: Made): Promise<Uint8Array> =>
    publish(made, changed(made.drafts, change), publishing);

export const predicateEntries = (statement: Record<string, unknown>): Record<string, unknown>[] =>
  (statement['predicate'] as { entries: Record<string, unknown>[] }).entries;
const subjects = (statement: Record<string, unknown>): { name: string; digest: object }[] =>
  statement['subject'] as { name: string; digest: object }[];

/** The statement changed after it was made, then signed by the right people. */
export const restated = (change: (statement: Record<string, unknown>) => void) => (made: Made) =>
  publish(made, made.drafts, { change });

/** A transcript of the same people and the same script, of another day. */
const otherRun = (made: Made): Promise<Uint8Array> =>
  publish(
    made,
    changed(made.drafts, (copy) => {
      edit(copy, 0, { session: 'root-key-of-another-day' });
    }),
  );

/** Every forgery of the session of root-key in {@link sessions}. */
export const forgeries: readonly Forgery[] = [
  [
    'an entry edited under the old signatures',
    /signature of administrator does not verify/,
    async (made) =>
      reEnvelope(await publish(made), (envelope) => ({
        ...envelope,
        payload: utf8(
          Buffer.from(envelope.payload).toString().replace('"said":"yes"', '"said":"yep"'),
        ),
      })),
  ],
  [
    'an entry edited and not linked anew',
    /entry \d+ was changed/,
    restated((statement) => {
      const at = find(sessions.real.drafts, 'step.finished', 'fingerprint');
      const entry = predicateEntries(statement)[at] as { data: Record<string, unknown> };
      entry.data['people'] = [];
    }),
  ],
  [
    'two entries exchanged',
    /the order was changed/,
    restated((statement) => {
      const entries = predicateEntries(statement);
      [entries[7], entries[8]] = [entries[8] ?? {}, entries[7] ?? {}];
    }),
  ],
  [
    'the end cut off',
    /first subject is not the hash of the last entry/,
    restated((statement) => {
      predicateEntries(statement).pop();
    }),
  ],
  ['the end cut off, with a head that fits', /was never closed/, resigned((copy) => copy.pop())],
  [
    'an entry taken out',
    /entry \d+ is missing/,
    restated((statement) => {
      predicateEntries(statement).splice(9, 1);
    }),
  ],
  [
    'a step left out',
    /protect\/prove comes next, not use\/sign|the act protect comes next|the act use/,
    resigned((copy) => {
      const at = find(copy, 'step.started', 'prove');
      copy.splice(at, 2);
    }),
  ],
  [
    'two steps in another order',
    /comes next, not/,
    resigned((copy) => {
      const sign = find(copy, 'step.started', 'sign');
      const moved = copy.splice(sign, 2);
      copy.splice(find(copy, 'step.finished', 'verify') + 1, 0, ...moved);
    }),
  ],
  [
    'a step done twice',
    /comes next, not/,
    resigned((copy) => {
      const sign = find(copy, 'step.started', 'sign');
      copy.splice(sign, 0, ...structuredClone(copy.slice(sign, sign + 2)));
    }),
  ],
  [
    'a step that the definition does not know',
    /comes next, not use\/extra/,
    resigned((copy) => {
      const at = find(copy, 'step.started', 'sign');
      copy.splice(at, 0, { type: 'step.started', data: { act: 'use', step: 'extra', attempt: 1 } });
    }),
  ],
  [
    'a step skipped that had no condition',
    /could not be skipped/,
    resigned((copy) => {
      const at = find(copy, 'step.started', 'prove');
      copy.splice(at, 2, {
        type: 'step.skipped',
        data: { act: 'protect', step: 'prove', condition: 'true' },
      });
    }),
  ],
  [
    'a holder left out',
    /comes next, not handover\/bag\/custodian-1/,
    resigned((copy) => {
      copy.splice(find(copy, 'step.started', 'handover', 'custodian-5'), 2);
    }),
  ],
  [
    'an act not entered',
    /the act use was not entered/,
    resigned((copy) => {
      const at = copy.findIndex(
        ({ type, data }) => type === 'act.started' && data['act'] === 'use',
      );
      copy.splice(at, 1);
    }),
  ],
  [
    'a wrong count of attempts',
    /it is attempt 1, not 2/,
    resigned((copy) => {
      edit(copy, find(copy, 'step.started', 'sign'), { attempt: 2 });
    }),
  ],
  [
    'somebody else acting',
    /administrator acts here, not witness-1/,
    resigned((copy) => {
      edit(copy, find(copy, 'step.finished', 'sign'), { by: 'witness-1' });
    }),
  ],
  [
    'a witness who was not heard',
    /witness-1 was not heard/,
    resigned((copy) => {
      edit(copy, find(copy, 'step.finished', 'fingerprint', 'witness-1'), { people: [] });
    }),
  ],
  [
    'another fingerprint read back',
    /read back something else/,
    resigned((copy) => {
      edit(copy, find(copy, 'step.finished', 'fingerprint', 'witness-1'), {
        people: [{ name: 'witness-1', said: '00'.repeat(32), graded: 'recorded' }],
      });
    }),
  ],
  [
    'a sign-off left out',
    /witness-2 did not sign off/,
    resigned((copy) => {
      const at = copy.findIndex(({ data }) => data['person'] === 'witness-2');
      copy.splice(at, 1);
    }),
  ],
  [
    'a sign-off in the name of another',
    /not for witness-1 to sign off here/,
    resigned((copy) => {
      const at = copy.findIndex(({ data }) => data['person'] === 'witness-2');
      edit(copy, at, { person: 'witness-1' });
    }),
  ],
  [
    'a key that was never wiped',
    /was never wiped/,
    resigned((copy) => {
      copy.splice(find(copy, 'wipe'), 1);
    }),
  ],
  [
    'a dev key in a real session',
    /its record says dev/,
    resigned((copy) => {
      const where = { act: 'generate', step: 'generate' };
      edit(copy, find(copy, 'event', 'generate'), keyEvent(where, 'key.added', 'dev', null));
      edit(
        copy,
        find(copy, 'event', 'split'),
        keyEvent({ act: 'protect', step: 'split' }, 'key.changed', 'dev', { ...SHARE_SET }),
      );
    }),
  ],
  [
    'answers of a file in the place of people',
    /the definition is not unattended/,
    resigned((copy) => {
      const at = copy.findIndex(({ data }) => data['person'] === 'witness-1');
      edit(copy, at, { graded: 'unattended' });
    }),
  ],
  [
    'the definition exchanged',
    /its digest is not the one that entry 0 opened the session with/,
    (made) =>
      publish(made, made.drafts, {
        definitionText: made.definitionText.replace('threshold: 3', 'threshold: 2'),
      }),
  ],
  [
    'a definition of another ceremony with its digest',
    /entry 0 names another ceremony/,
    async () => {
      const text = sessions.quick.definitionText;
      const drafts = changed(sessions.quick.drafts, (copy) => {
        edit(copy, 0, { ceremony: 'root-key', title: 'Generation of a root key' });
      });
      return publish({ ...sessions.real, definitionText: text }, drafts);
    },
  ],
  [
    'parameters changed after they were read back',
    /its digest does not cover/,
    resigned((copy) => {
      edit(copy, 0, { parameters: { algorithm: 'ed25519' } });
    }),
  ],
  [
    'a required probe that was not ok',
    /the required probe swap/,
    resigned((copy) => {
      const probes = copy[0]?.data['airGap'] as { name: string; result: string }[];
      edit(copy, 0, {
        airGap: probes.map((it) => (it.name === 'swap' ? { ...it, result: 'finding' } : it)),
      });
    }),
  ],
  [
    'an artifact with another hash',
    /artifacts\/file\.sig: this is not the file/,
    resigned((copy) => {
      edit(copy, find(copy, 'step.finished', 'sign'), {
        artifacts: [{ path: 'artifacts/file.sig', sha256: '11'.repeat(32), size: 30 }],
      });
    }),
  ],
  [
    'a subject taken away',
    /the subjects are not what the steps made/,
    restated((statement) => {
      subjects(statement).pop();
    }),
  ],
  [
    'a subject added',
    /the subjects are not what the steps made/,
    restated((statement) => {
      subjects(statement).push({ name: 'other.key', digest: { sha256: '22'.repeat(32) } });
    }),
  ],
  [
    'a subject with another digest',
    /the subjects are not what the steps made/,
    restated((statement) => {
      subjects(statement)[2] = {
        name: subjects(statement)[2]?.name ?? '',
        digest: { sha256: '22'.repeat(32) },
      };
    }),
  ],
  [
    'a signature dropped',
    /witness-2 \(witness\) signed: no good signature/,
    async (made) =>
      reEnvelope(await publish(made), (envelope) => ({
        ...envelope,
        signatures: envelope.signatures.slice(0, -2),
      })),
  ],
  [
    'half of a signature dropped',
    /signed with one key only/,
    async (made) =>
      reEnvelope(await publish(made), (envelope) => ({
        ...envelope,
        signatures: envelope.signatures.slice(0, -1),
      })),
  ],
  [
    'all signatures dropped',
    /there is none at all/,
    async (made) => reEnvelope(await publish(made), (it) => ({ ...it, signatures: [] })),
  ],
  [
    'a signature by a stranger added',
    /who took no part/,
    async (made) =>
      reEnvelope(await publish(made), (envelope) => ({
        ...envelope,
        signatures: [...envelope.signatures, { keyid: '33'.repeat(32), sig: new Uint8Array(64) }],
      })),
  ],
  [
    'entries of two sessions spliced',
    /session\.opened: a session is opened once|comes next/,
    resigned((copy) => {
      copy.splice(20, 0, ...structuredClone(copy.slice(0, 20)));
    }),
  ],
  [
    'the end of another run of the same ceremony by the same people',
    /entry 20\b/,
    async (made) => {
      const payload = Buffer.from(decodeDsse(await otherRun(made), 'other').payload);
      const other = JSON.parse(payload.toString()) as Record<string, unknown>;
      return await publish(made, made.drafts, {
        change: (statement) => {
          predicateEntries(statement).splice(20, Infinity, ...predicateEntries(other).slice(20));
          subjects(statement)[0] = subjects(other)[0] as { name: string; digest: object };
        },
      });
    },
  ],
  [
    'the signatures of another run',
    /signature of administrator does not verify/,
    async (made) => {
      const { signatures } = decodeDsse(await otherRun(made), 'other');
      return reEnvelope(await publish(made), (envelope) => ({ ...envelope, signatures }));
    },
  ],
  [
    'the keys of two participants exchanged in the record',
    /identity of witness-1/,
    resigned((copy) => {
      const people = structuredClone(copy[0]?.data['participants']) as {
        name: string;
        identity: { ed25519: string };
      }[];
      const [one, two] = people.filter(({ name }) => name.startsWith('witness-'));
      if (one === undefined || two === undefined) throw new Error('no witnesses');
      [one.identity.ed25519, two.identity.ed25519] = [two.identity.ed25519, one.identity.ed25519];
      edit(copy, 0, { participants: people as never });
    }),
  ],
  [
    'the clock set back without a word',
    /entry 20: .*is before that of its predecessor/,
    resigned((copy) => {
      copy.forEach((draft, i) => (copy[i] = { ...draft, at: i < 20 ? i : i - 15 }));
    }),
  ],
  [
    'something after the end',
    /after the session was closed/,
    resigned((copy) => copy.push(structuredClone(copy.at(-1) as Draft))),
  ],
];
