/** Identities that people get on the way, as two verifiers see them: what holds, and what nobody may pass off as an enrolment. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { identityJson, newIdentity, type OpenIdentity } from '#custody/authority/identity';
import { shake256 } from '#crypto/hash';
import { utf8 } from '#formats/bytes';
import type { ActionDescription } from '#formats/action';
import type { JsonObject } from '#formats/canonical-json';
import { parseDefinition } from '#script/parse';
import { hasProgram, needs } from '../support/require.js';
import { actionCatalogue } from './catalogue.js';
import { edit, find } from './forgeries.js';
import { type Draft, type Made, makePeople, makeSession, publish } from './session.js';
import { type Case, ours, theirs } from './two-verifiers.js';

const python = needs('python3', hasProgram('python3'), 'the second verifier is written in it');

const TEXT = `conclave: 1
id: small
title: Small
summary: Two people come in.
classification: production
roles:
  administrator: { count: 1, identity: required, level: introduced, distinct-from: [witness], summary: drives }
  witness: { count: 1, identity: required, level: verified, distinct-from: [administrator], summary: attests }
  member: { count: 2, identity: required, level: introduced, summary: comes in }
environment: { require: [clock] }
acts:
  - id: enrol
    title: Enrol
    steps:
      - { id: look, title: The administrator looks, by: administrator, do: confirm, say: It is so. }
      - { id: enrol, title: Each member makes an identity, by: member, each: member, uses: identity.new, effect: repeatable, with: { name: "\${{ each.name }}", compared-by: witness } }
  - id: close
    title: Close
    steps:
      - { id: administrator, title: The administrator signs off, by: administrator, each: administrator, do: sign-off }
      - { id: members, title: Each member signs off, by: member, each: member, do: sign-off }
      - { id: witness, title: The witness signs off, by: witness, each: witness, do: sign-off }
`;

let work: string;
let catalogue: readonly ActionDescription[];
let made: Made;
/** Everybody's, the members' too. */
const identities = new Map<string, OpenIdentity>();
/** The same by a script that has the members sign off before they are enrolled; no linter lets it pass. */
let early: Made;

const compared = (by = 'witness', role = 'witness', graded = 'recorded'): JsonObject => ({
  origin: 'made',
  compared: { by, role, graded },
});
const entry = (name: string, more: JsonObject = {}, of = name): Draft => ({
  type: 'participant.enrolled',
  data: {
    name,
    role: 'member',
    identity: identityJson((identities.get(of) as OpenIdentity).identity) as JsonObject,
    level: 'verified',
    how: compared(),
    ...more,
  },
});
const making = (name: string): Draft => ({
  type: 'event',
  data: {
    ...{ act: 'enrol', step: 'enrol', for: name, event: 'identity.making' },
    data: { id: (identities.get(name) as OpenIdentity).identity.id, name },
  },
});

beforeAll(async () => {
  work = mkdtempSync(join(tmpdir(), 'conclave-enrolment-'));
  catalogue = await actionCatalogue();
  const { definition } = parseDefinition(utf8(TEXT), 'definition.yaml');
  const people = await makePeople(definition, 'production');
  for (const [name, open] of people.identities) identities.set(name, open);
  const participants = people.participants.map((it) => {
    if (it.role === 'member') return { ...it, identity: null, level: 'none' as const };
    return it.role === 'administrator' ? { ...it, level: 'introduced' as const } : it;
  });
  // Only those are pinned who had an identity before.
  const pinned = new Map([...identities].filter(([name]) => !name.startsWith('member')));
  const sessionOf = async (text: string): Promise<Made> => {
    const session = await makeSession(text, 'run', { ...people, participants });
    const drafts = session.drafts.flatMap((draft) => {
      const { step, for: name } = draft.data;
      if (draft.type !== 'step.started' || step !== 'enrol') return [draft];
      return [draft, making(name as string), entry(name as string)];
    });
    return { ...session, identities: pinned, drafts };
  };
  made = await sessionOf(TEXT);
  const [signs = ''] = / {6}- { id: members.*\n/.exec(TEXT) ?? [];
  early = await sessionOf(TEXT.replace(signs, '').replace(/(?= {6}- { id: enrol)/, signs));
}, 60_000);
afterAll(() => {
  rmSync(work, { recursive: true, force: true });
});

type Change = (drafts: Draft[]) => void;

/** Changes the first enrolment, or that of another member. */
const enrolment =
  (data: JsonObject, member = 'member-1'): Change =>
  (drafts) => {
    const at = drafts.findIndex(
      (it) => it.type === 'participant.enrolled' && it.data['name'] === member,
    );
    edit(drafts, at, data);
  };
const moved =
  (to: (drafts: Draft[]) => number): Change =>
  (drafts) => {
    const [one] = drafts.splice(find(drafts, 'participant.enrolled'), 1);
    drafts.splice(to(drafts), 0, one as Draft);
  };
const without = (...names: string[]): OpenIdentity[] =>
  [...identities].flatMap(([name, open]) => (names.includes(name) ? [] : [open]));

/** What holds: name, change. */
const GOOD: readonly (readonly [string, Change])[] = [
  ['as it went', () => undefined],
  [
    'one who brought an identity',
    (drafts) => {
      enrolment({ how: { ...compared(), origin: 'brought' } })(drafts);
      drafts.splice(find(drafts, 'event'), 1);
    },
  ],
  ['one who is introduced', enrolment({ level: 'introduced' })],
  [
    'one whom the administrator compared',
    enrolment({ level: 'introduced', how: compared('administrator', 'administrator') }),
  ],
  [
    'an identity that was begun and given up',
    (drafts) => {
      const event = structuredClone(making('member-1'));
      (event.data['data'] as Record<string, string>)['id'] = 'ab'.repeat(32);
      drafts.splice(find(drafts, 'event'), 0, event);
    },
  ],
];

/** What is refused: name, reason, change, and who signs if not everybody. */
const BAD: readonly (readonly [string, RegExp, Change, (() => OpenIdentity[])?])[] = [
  [
    'an enrolment twice',
    /has an identity already/,
    (drafts) => drafts.splice(find(drafts, 'participant.enrolled'), 0, entry('member-1')),
  ],
  [
    'an enrolment of somebody who had an identity before',
    /has an identity already/,
    enrolment({ name: 'administrator', role: 'administrator' }),
  ],
  [
    'an enrolment at the very end',
    /member-2 was not enrolled by it/,
    (drafts) => {
      const at = drafts.findIndex(
        (it) => it.type === 'participant.enrolled' && it.data['name'] === 'member-2',
      );
      const [one] = drafts.splice(at, 1);
      drafts.splice(drafts.length - 1, 0, one as Draft);
    },
  ],
  [
    'an enrolment before its step',
    /no step that enrols/,
    moved((it) => find(it, 'step.started', 'enrol')),
  ],
  [
    'an enrolment at the step of another',
    /was not enrolled by it/,
    moved((it) => find(it, 'step.started', 'enrol', 'member-2') + 1),
  ],
  [
    'an enrolment after its step',
    /was not enrolled by it/,
    moved((it) => find(it, 'step.finished', 'enrol') + 1),
  ],
  [
    'a step that enrolled nobody',
    /was not enrolled by it/,
    (drafts) => drafts.splice(find(drafts, 'participant.enrolled'), 1),
  ],
  ['an enrolment in another role', /does not take part as witness/, enrolment({ role: 'witness' })],
  [
    'a level above that of whoever compared',
    /administrator is introduced, and cannot make member-1 verified/,
    enrolment({ how: compared('administrator', 'administrator') }),
  ],
  [
    'a level that rests on nobody',
    /nobody compared/,
    enrolment({ how: { origin: 'made', compared: null } }),
  ],
  [
    'a level that rests on nothing',
    /nobody compared/,
    (drafts) => {
      const at = find(drafts, 'participant.enrolled');
      const { how: _, ...data } = drafts[at]?.data as Record<string, never>;
      drafts[at] = { ...(drafts[at] as Draft), data };
    },
  ],
  ['no level at all', /cannot make member-1 none|is none/, enrolment({ level: 'none' })],
  [
    'a level that is too low for the role',
    /member-1 is tofu, and the role member requires/,
    enrolment({ level: 'tofu' }),
  ],
  [
    'a comparison with oneself',
    /cannot compare their own|cannot vouch/,
    enrolment({ how: compared('member-1', 'member') }),
  ],
  [
    'a comparison by another member',
    /vouches for nobody|cannot vouch/,
    enrolment({ how: compared('member-1', 'member') }, 'member-2'),
  ],
  [
    'a comparison by a stranger',
    /does not take part as witness|cannot vouch/,
    enrolment({ how: compared('nobody') }),
  ],
  [
    'a comparison that a file answered',
    /not unattended/,
    enrolment({ how: compared('witness', 'witness', 'unattended') }),
  ],
  [
    'the identity of somebody else',
    /it is the identity of witness/,
    (drafts) =>
      enrolment({ identity: entry('member-1', {}, 'witness').data['identity'] as JsonObject })(
        drafts,
      ),
  ],
  [
    'one identity for two',
    /it is the identity of member-1/,
    (drafts) =>
      enrolment({ identity: entry('member-1').data['identity'] as JsonObject }, 'member-2')(drafts),
  ],
  [
    'a made identity that was never begun',
    /no identity with this id was made/,
    (drafts) => drafts.splice(find(drafts, 'event'), 1),
  ],
  [
    'an id that is not that of the keys',
    /id/,
    (drafts) => {
      const identity = structuredClone(entry('member-1').data['identity']) as Record<
        string,
        string
      >;
      const other = entry('member-2').data['identity'] as Record<string, string>;
      enrolment({ identity: { ...identity, ed25519: other['ed25519'] as string } })(drafts);
    },
  ],
  [
    'another key under the signature than under the enrolment',
    /signature|signed/,
    () => undefined,
    () => [...without('member-1'), identities.get('stranger') as OpenIdentity],
  ],
  [
    'a signature of the enrolled one left out',
    /no good signature/,
    () => undefined,
    () => without('member-2', 'stranger'),
  ],
];

const SIGNED_BEFORE = 'an enrolment after the signature';

describe.skipIf(!python)('two verifiers of enrolments', () => {
  const cases: Case[] = [];
  beforeAll(async () => {
    let counter = 0;
    const stranger = await newIdentity({
      name: 'member-1',
      environment: 'production',
      now: new Date('2026-11-23T09:00:00Z'),
      random: (length) => shake256(length, utf8(`stranger ${counter++}`)),
    });
    const everybody = without();
    // What the content betrays is refused before anybody looks at signatures, which take long to make.
    const one = everybody.slice(0, 1);
    const add = async (
      name: string,
      ok: boolean,
      change: Change,
      signers: OpenIdentity[],
      of = made,
    ): Promise<void> => {
      const drafts = structuredClone(of.drafts) as Draft[];
      change(drafts);
      cases.push({ name, made, bytes: await publish(of, drafts, { signers }), ok });
    };
    for (const [name, change] of GOOD) await add(name, true, change, everybody);
    identities.set('stranger', stranger);
    for (const [name, , change, who] of BAD) await add(name, false, change, who?.() ?? one);
    identities.delete('stranger');
    await add(SIGNED_BEFORE, false, () => undefined, one, early);
  }, 60_000);

  it('accept what went by the script, and refuse every forgery by the same entry', async () => {
    const answers = theirs(made, cases, work);
    const wrong: string[] = [];
    for (const [i, one] of cases.entries()) {
      const { ok, text } = await ours(one, catalogue);
      const other = answers[i];
      const reason =
        one.name === SIGNED_BEFORE
          ? /member-1 signed off before/
          : BAD.find(([name]) => name === one.name)?.[1];
      if (ok !== one.ok) wrong.push(`${one.name}: ours says ${String(ok)}: ${text}`);
      if (reason?.test(text) === false) wrong.push(`${one.name}: ours says ${text}`);
      if (other?.ok !== one.ok) wrong.push(`${one.name}: theirs says ${JSON.stringify(other)}`);
      if (other?.code === 65) wrong.push(`${one.name}: theirs cannot read it: ${other.summary}`);
      const named = [...text.matchAll(/entry (\d+)/g)].map(([, number]) => Number(number));
      const entry = other?.entry ?? null;
      if (!ok && named.length > 0 && (entry === null || !named.includes(entry)))
        wrong.push(`${one.name}: ours names ${named.join()}, theirs ${JSON.stringify(other)}`);
    }
    expect(wrong).toEqual([]);
    expect(cases.length).toBeGreaterThan(25);
  });
});
