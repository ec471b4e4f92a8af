/** Who may take part, in which order the steps run, and what their references are worth. */
import { describe, expect, it } from 'vitest';
import { sha256 } from '#crypto/hash';
import type { Participant } from '#script/entries';
import { parseDefinition } from '#script/parse';
import { peopleProblems } from '#script/people';
import { executionDigest, instanceKey, plan } from '#script/plan';
import { parseReference } from '#script/expression';
import { resolverFor, type StepOutputs } from '#script/scope';
import { shipped } from './catalogue.js';

const { definition } = parseDefinition(Buffer.from(shipped('root-key.yaml')), 'root-key.yaml');

const person = (name: string, role: string, identity: string | null = null) => ({
  name,
  role,
  identity,
});
const everybody = [
  person('Ann', 'administrator', 'a'),
  ...['Bo', 'Cy', 'Di', 'Ed', 'Flo'].map((name) => person(name, 'custodian')),
  person('Gil', 'witness', 'g'),
  person('Hal', 'witness', 'h'),
];

describe('people', () => {
  it('are those that the definition asks for', () => {
    expect(peopleProblems(definition, everybody)).toEqual([]);
  });

  it.each([
    ['too few', everybody.slice(0, -1), /the role witness takes 2 and 1 are listed/],
    ['an unknown role', [...everybody, person('Ida', 'auditor')], /auditor, which the definition/],
    [
      'one person in two roles that must differ',
      [...everybody.slice(0, -1), person('Ann', 'witness', 'a')],
      /Ann is both administrator and witness/,
    ],
    [
      'one key for two people',
      [...everybody.slice(0, -1), person('Hal', 'witness', 'g')],
      /Gil and Hal have the same identity key/,
    ],
    [
      'one key for two people in two roles',
      [...everybody.slice(0, -1), person('Hal', 'witness', 'a')],
      /Ann and Hal have the same identity key/,
    ],
    [
      'no identity where one is required',
      [...everybody.slice(0, -1), person('Hal', 'witness')],
      /Hal has no identity, which the role witness requires/,
    ],
    [
      'the same line twice',
      [...everybody.slice(0, -1), person('Gil', 'witness', 'g')],
      /Gil is listed twice as witness/,
    ],
  ])('%s is told', (_, people, problem) => {
    expect(peopleProblems(definition, people).join('\n')).toMatch(problem);
  });

  it('may get their identities in the session itself', () => {
    const people = everybody.map((it) => (it.role === 'witness' ? { ...it, identity: null } : it));
    expect(peopleProblems(definition, people, new Set(['witness']))).toEqual([]);
  });
});

describe('the plan', () => {
  const participants = everybody.map((it): Participant => ({
    name: it.name,
    role: it.role,
    identity: null,
    level: 'none',
  }));
  const instances = plan(definition, participants);

  it('runs steps in order, once per holder where each says so', () => {
    const keys = instances.map(instanceKey);
    expect(keys.slice(0, 6)).toEqual([
      'convene/presence',
      'convene/definition-digest/Gil',
      'convene/definition-digest/Hal',
      'convene/execution-digest/Gil',
      'convene/execution-digest/Hal',
      'convene/program',
    ]);
    const handover = instances.filter(({ step }) => step.id === 'handover');
    expect(handover.map((it) => [it.for, it.by])).toEqual(
      ['Bo', 'Cy', 'Di', 'Ed', 'Flo'].map((name) => [name, 'Ann']),
    );
    expect(instances.find(({ step }) => step.id === 'bag')).toMatchObject({ for: 'Bo', by: 'Bo' });
  });

  it('gives each holder what is theirs, and everybody else the list', () => {
    const source = {
      definition,
      participants,
      parameters: { algorithm: 'ed25519' },
      session: { id: 's', definitionDigest: 'd', executionDigest: 'e' },
      outputs: new Map([
        ['split', new Map([['', { shares: ['1', '2', '3', '4', '5'] }]])],
        ['bag', new Map(['Bo', 'Cy', 'Di', 'Ed', 'Flo'].map((it) => [it, { serial: `B-${it}` }]))],
      ] as [string, StepOutputs][]),
    };
    const at = (key: string) => {
      const instance = instances.find((it) => instanceKey(it) === key);
      if (instance === undefined) throw new Error(key);
      const resolve = resolverFor(source, instance);
      return (text: string) => resolve(parseReference(text, 0));
    };
    const cy = at('handover/acknowledge/Cy');
    expect(cy('steps.bag.serial')).toBe('B-Cy');
    expect(cy('steps.split.shares.each')).toBe('2');
    expect(cy('each.name')).toBe('Cy');
    expect(cy('each.number')).toBe(2);
    const ann = at('isolate/isolation');
    expect(ann('steps.bag.serial')).toEqual(['B-Bo', 'B-Cy', 'B-Di', 'B-Ed', 'B-Flo']);
    expect(ann('each.name')).toBeUndefined();
    expect(ann('quorums.recovery.threshold')).toBe(3);
    expect(ann('roles.custodian.count')).toBe(5);
    expect(ann('materials.bag')).toBe('tamper-evident bag');
    expect(ann('session.definition-digest')).toBe('d');
    expect(ann('parameters.algorithm')).toBe('ed25519');
    expect(ann('parameters.constructor')).toBeUndefined();
    expect(ann('steps.none.x')).toBeUndefined();
  });

  it('and its people and values are covered by the execution digest', () => {
    const execution = { definitionDigest: 'sha256:x', parameters: { a: 1 }, participants };
    const digest = executionDigest(execution, (bytes) => sha256(bytes));
    expect(digest).toMatch(/^sha256:[0-9a-f]{64}$/);
    const others = [
      { ...execution, definitionDigest: 'sha256:y' },
      { ...execution, parameters: { a: 2 } },
      { ...execution, participants: [...participants].reverse() },
      { ...execution, participants: participants.slice(1) },
    ];
    for (const other of others)
      expect(executionDigest(other, (bytes) => sha256(bytes))).not.toBe(digest);
  });
});
