/** One failing example for each way in which a script can enrol people wrongly, made from `enrol-people` by one change. */
import { shipped } from './catalogue.js';

interface Example {
  readonly rule: string;
  readonly of: string;
  readonly changes: readonly (readonly [from: string | RegExp, to: string])[];
  readonly message: RegExp;
}

const people = shipped('enrol-people.yaml');

const example = (
  rule: string,
  message: RegExp,
  ...changes: readonly (readonly [from: string | RegExp, to: string])[]
): Example => ({ rule, of: people, changes, message });

/** A step before the one that enrols. */
const before = (step: string): readonly [string, string] => [
  '      - id: enrol\n',
  `      - id: early\n        title: Each member is early\n${step.replaceAll(/^/gm, '        ')}\n\n      - id: enrol\n`,
];
/** A quorum of those who are enrolled. */
const QUORUM = [
  ['environment:', 'quorums:\n  two: { of: member, threshold: 2, shares: 3 }\n\nenvironment:'],
  ['Three people', 'Three people, 2 of 3,'],
] as const;
const SIGN_OFF =
  '      - id: members\n        title: Each member signs off\n        by: member\n        each: member\n        do: sign-off\n\n';

/** For the test that tries them all. */
export const enrolmentExamples: readonly Example[] = [
  example(
    'identity-late',
    /^each member has an identity only after enrol$/,
    ...QUORUM,
    before('by: administrator\nneeds: two\nuses: airgap.check\neffect: none'),
  ),
  example('identity-late', /only after enrol/, before('by: member\neach: member\ndo: sign-off')),
  example(
    'identity-late',
    /only after enrol/,
    before(
      'by: member\neach: member\nuses: qr.scan\nwith: { out: "${{ each.number }}" }\neffect: repeatable',
    ),
  ),
  example(
    'identity-late',
    /only after enrol/,
    before('by: administrator\nuses: share.prove\nwith: { custodians: member }\neffect: none'),
  ),
  example('identity-enrol', /for each of a role/, [
    /by: member\n {8}each: member\n {8}uses/,
    'by: administrator\n        uses',
  ]),
  example('identity-enrol', /is its owner's/, [
    /by: member\n {8}each: member\n {8}uses/,
    'by: administrator\n        each: member\n        uses',
  ]),
  example('identity-enrol', /has the name of the person/, [
    'name: ${{ each.name }}',
    'name: somebody',
  ]),
  example('identity-enrol', /public file of their own/, [
    'member-${{ each.number }}.pub',
    'member.pub',
  ]),
  example('identity-enrol', /whoever is left out/, ['on-failure: retry', 'on-failure: deviate']),
  example('identity-enrol', /whoever is skipped/, [
    'uses: identity.new',
    'uses: identity.new\n        when: roles.member.count == 3',
  ]),
  example('identity-enrol', /vouches for others/, [
    /by: member\n {8}each: member\n {8}uses/,
    'by: witness\n        each: witness\n        uses',
  ]),
  example('identity-enrol', /"identity: required"/, [
    /(?<=member:\n {4}count: 3\n {4}identity: )required/,
    'optional',
  ]),
  example('identity-enrol', /signs the record by it/, [SIGN_OFF, '']),
  example('identity-enrol', /each member was enrolled before/, [
    '      - id: kept\n',
    '      - id: again\n        title: Again\n        by: member\n        each: member\n        uses: identity.new\n        with: { name: "${{ each.name }}" }\n        effect: repeatable\n\n      - id: kept\n',
  ]),
  example('identity-enrol', /on one way through this script no member gets an identity/, [
    '        effect: repeatable\n        retry: 2\n        on-failure: retry',
    '        effect: repeatable\n        on-failure: step kept',
  ]),
  example('identity-level', /nobody compares the identities/, [/\n {10}compared-by: witness/, '']),
  example('identity-level', /nobody is better known than whoever compared them: verified needs/, [
    /level: verified(?=\n {4}distinct-from: \[administrator, member\])/,
    'level: introduced',
  ]),
  example('identity-level', /vouches by a signature/, [
    'compared-by: witness',
    'compared-by: member',
  ]),
];
