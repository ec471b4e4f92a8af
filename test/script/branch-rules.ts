/** One failing example for each rule about branches and about where failures lead, made from a sound ceremony by one change. */
import { BRANCHED } from './branched.js';
import { shipped } from './catalogue.js';

interface Example {
  readonly rule: string;
  readonly of: string;
  readonly changes: readonly (readonly [from: string | RegExp, to: string])[];
  readonly message: RegExp;
}

const example = (rule: string, from: string | RegExp, to: string, message: RegExp): Example => ({
  rule,
  of: BRANCHED,
  changes: [[from, to]],
  message,
});

/** One duty more, behind everything else. */
const owing = (duty: string, rule: string, message: RegExp): Example => ({
  rule,
  of: BRANCHED,
  changes: [[/\n$/, `\nafter:\n  - ${duty.replaceAll('$', '$$$$')}\n`]],
  message,
});

const drill = shipped('recovery-drill.yaml');

const GIVEN = "{ then: '${{ steps.typed.answer }}', else: '${{ steps.written.answer }}' }";

/** For the test that tries them all. */
export const branchExamples: readonly Example[] = [
  {
    rule: 'branch-unheard',
    of: drill,
    changes: [['          ${{ steps.count.answer }}.', '          as many.']],
    message: /^no witness confirms what was answered at "count"$/,
  },
  {
    rule: 'duty-unheard',
    of: drill,
    changes: [
      ['${{ steps.way.answer }}, by ${{ steps.day.answer }}.', 'by ${{ steps.day.answer }}.'],
    ],
    message: /^no witness confirms what was answered at "way"$/,
  },
  {
    // A witness who confirms one outcome alone has not heard the other.
    rule: 'branch-unheard',
    of: drill,
    changes: [
      [
        'on-failure: step count\n',
        "on-failure: step count\n        when: steps.count.answer == 'enough shares were good'\n",
      ],
    ],
    message: /^no witness confirms what was answered at "count"$/,
  },
  {
    rule: 'duty-unheard',
    of: drill,
    changes: [
      [
        /(- id: owed\n(?: {8}.*\n)*? {8}do: confirm\n)/,
        "$1        when: steps.way.answer == 'refresh with the shares that are good'\n",
      ],
    ],
    message: /^no witness confirms what was answered at "way"\n/,
  },
  owing(
    "{ duty: 'oil it', within: P7D, branch: outptu.then }",
    'branch-unknown',
    /did you mean "?output/,
  ),
  owing(
    "{ duty: 'oil ${{ steps.typde.answer }}', within: P7D }",
    'reference-unknown',
    /did you mean "?typed/,
  ),
  owing(
    "{ duty: 'oil ${{ steps.typed.answer }}', within: P7D, branch: output.else }",
    'reference-conditional',
    /lies on the side "then" of the branch output/,
  ),
  owing(
    "{ duty: 'oil ${{ steps.typed.answer }}', within: P7D }",
    'reference-conditional',
    /on the side/,
  ),
  owing(
    "{ duty: 'oil ${{ steps.shade.answer }}', within: P7D }",
    'reference-unknown',
    /output "answer"/,
  ),
  owing("{ duty: 'oil ${{ }}', within: P7D }", 'reference-malformed', /./),
  example('branch-unknown', 'branch: output.then', 'branch: outptu.then', /did you mean "?output/),
  example('branch-empty', 'branch: output.then', 'branch: output.else', /on the side "then"/),
  example(
    'branch-apart',
    '  - id: hand\n',
    `  - id: between
    title: Between
    steps:
      - { id: pause, title: The administrator waits, by: administrator, do: pause }
  - id: hand
`,
    /^pause stands inside the branch output/,
  ),
  example(
    'branch-unreachable',
    "when: steps.printer.answer == 'works' and parameters.place == 'cellar'",
    "when: steps.printer.answer == 'works' or parameters.place != 'roof'",
    /the side "else" is never taken/,
  ),
  {
    rule: 'branch-join',
    of: BRANCHED,
    changes: [
      [
        '      - id: twice\n',
        `      - id: look
        title: Look at the machine
        by: administrator
        uses: airgap.check
        effect: none
      - id: twice
`,
      ],
      ['steps.written.answer', 'steps.look.report'],
    ],
    message: /^it is of type report, and "then" gives of type string$/,
  },
  example(
    'reference-conditional',
    '${{ branches.output.number }}',
    '${{ steps.typed.answer }}',
    /on the side "then" of the branch output/,
  ),
  example('reference-conditional', GIVEN, GIVEN.replace('written', 'typed'), /on the side "then"/),
  example(
    'reference-unknown',
    'branches.output.number',
    'branches.output.nubmer',
    /did you mean "?number/,
  ),
  example(
    'reference-unknown',
    'branches.output.number',
    'branches.ouptut.number',
    /did you mean "?output/,
  ),
  example(
    'reference-later',
    'It can be read.',
    'It is ${{ branches.output.number }}.',
    /before it is over/,
  ),
  example('unused', 'The number is ${{ branches.output.number }}', 'It is', /never used/),
  example('condition-never', "answer == 'works'", "answer == 'wroks'", /none of works, broken/),
  example('condition-type', "answer == 'works'", 'answer == 7', /compared/),
  example('condition-malformed', "'works' and", "'works' and and", /not expected/),
  example(
    'failure-target',
    'on-failure: step printer',
    'on-failure: step pritner',
    /did you mean "?printer/,
  ),
  example(
    'failure-target',
    'on-failure: step printer',
    'on-failure: act comapre',
    /did you mean "?compare/,
  ),
  example(
    'failure-target',
    'on-failure: step printer',
    'on-failure: step compare',
    /leads to itself/,
  ),
  example(
    'failure-target',
    'on-failure: step printer',
    'on-failure: step twice',
    /lies on a branch/,
  ),
  {
    rule: 'failure-back',
    of: BRANCHED,
    changes: [
      [
        'branches:\n',
        'materials:\n  bag: { kind: a bag, count: 1, serial: required }\nbranches:\n',
      ],
      [
        '      - id: compare\n',
        `      - id: bag
        title: The administrator seals the bag
        by: administrator
        do: seal
        value: \${{ materials.bag }}
      - id: compare
`,
      ],
      ['The number is', 'In ${{ steps.bag.serial }} is'],
    ],
    message: /going back to printer would undo bag/,
  },
];
