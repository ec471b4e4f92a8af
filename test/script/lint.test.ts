/** One failing example for each rule of the linter, made from a shipped definition by one change. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Finding } from '#script/lint';
import { root } from '../support/require.js';
import { linter, shipped } from './catalogue.js';
import { branchExamples } from './branch-rules.js';
import { enrolmentExamples } from './enrolment-rules.js';
import { traceExamples } from './trace-rules.js';

let lintText: (text: string) => readonly Finding[];
beforeAll(async () => {
  lintText = await linter();
});

const real = shipped('root-key.yaml');
const drill = shipped('recovery-drill.yaml');
const recovery = shipped('recover.yaml');
const quick = shipped('quickstart.yaml');
const byok = shipped('byok-wrap.yaml');
const cloud = shipped('cloud-import.yaml');
const hsm = shipped('hsm-import.yaml');
const dkg = shipped('threshold-dkg.yaml');
const signing = shipped('threshold-sign.yaml');

type Change = readonly [from: string | RegExp, to: string];
interface Example {
  readonly rule: string;
  readonly of: string;
  readonly changes: readonly Change[];
  readonly message: RegExp;
}

const step = (id: string, more: string): Change => [
  /\n {2}- id: use\n {4}title: ([^\n]*)\n {4}steps:\n/,
  `\n  - id: use\n    title: $1\n    steps:\n      - id: ${id}\n        title: The administrator and the witness and each custodian\n${more
    .split('\n')
    .map((line) => `        ${line}\n`)
    .join('')}\n`,
];

const examples: readonly Example[] = [
  {
    rule: 'share-read-back',
    of: real,
    changes: [
      [
        /uses: share.read-back\n {8}with:\n {10}shares: \$\{\{ steps.split.shares.each \}\}/,
        'uses: share.read-back\n        with:\n          shares: ${{ steps.split.shares }}',
      ],
    ],
    message: /no later step reads back/,
  },
  {
    rule: 'share-read-back',
    of: byok,
    changes: [['uses: share.read-back', 'uses: share.check']],
    message: /no later step reads back \$\{\{ steps.split.shares.each \}\} from the medium/,
  },
  {
    rule: 'root-read-back',
    of: hsm,
    changes: [['value: ${{ steps.split.root }}', 'value: ${{ steps.split.set-id }}']],
    message: /no witness reads back \$\{\{ steps.split.root \}\} from what the custodians get/,
  },
  {
    rule: 'root-read-back',
    of: real,
    // The card has to be there first, from which the root is read.
    changes: [
      [/\n {6}- id: root\n[\s\S]*?\n\n(?= {6}- id: prove)/, '\n'],
      [
        /(?= {6}- id: print\n)/,
        '      - id: root\n        title: Each witness reads back the root of the set\n        by: witness\n        each: witness\n        do: read-back\n        value: ${{ steps.split.root }}\n\n',
      ],
    ],
    message: /no witness reads back/,
  },
  {
    rule: 'secret-quorum',
    of: recovery,
    changes: [[/needs: recovery\n {8}uses: key\.wipe/, 'uses: key.wipe']],
    message: /a quorum agrees before steps.combine.key is wiped/,
  },
  {
    rule: 'recovery-quorum',
    of: recovery,
    changes: [[/needs: recovery\n {8}do: confirm/, 'do: confirm']],
    message: /no quorum of each custodian agrees before/,
  },
  {
    rule: 'id-unique',
    of: quick,
    changes: [['- id: prove', '- id: split']],
    message: /two steps have the id "split"/,
  },
  {
    rule: 'id-unique',
    of: quick,
    changes: [['- id: use', '- id: generate']],
    message: /two acts have the id/,
  },
  {
    rule: 'role-unknown',
    of: quick,
    changes: [['of: custodian', 'of: custodians']],
    message: /there is no role "custodians"; did you mean "custodian"/,
  },
  {
    rule: 'role-missing',
    of: quick,
    changes: [[/administrator/g, 'manager']],
    message: /every ceremony has the role administrator/,
  },
  {
    rule: 'quorum-unknown',
    of: quick,
    changes: [['uses: key.generate', 'needs: recover\n        uses: key.generate']],
    message: /there is no quorum "recover"; did you mean "recovery"/,
  },
  {
    rule: 'distinct-self',
    of: quick,
    changes: [['distinct-from: [custodian, witness]', 'distinct-from: [administrator]']],
    message: /cannot differ from itself/,
  },
  {
    rule: 'distinct-twice',
    of: quick,
    changes: [
      ['distinct-from: [custodian, witness]', 'distinct-from: [custodian, custodian, witness]'],
    ],
    message: /named twice/,
  },
  {
    rule: 'distinct-symmetric',
    of: quick,
    changes: [['distinct-from: [custodian, witness]', 'distinct-from: [custodian]']],
    message: /does not name/,
  },
  {
    rule: 'distinct-witness',
    of: real,
    changes: [
      ['distinct-from: [custodian, witness]', 'distinct-from: [custodian]'],
      ['distinct-from: [administrator, custodian]', 'distinct-from: [custodian]'],
    ],
    message: /nobody witnesses their own work/,
  },
  {
    rule: 'quorum-shares',
    of: quick,
    changes: [['threshold: 2', 'threshold: 4']],
    message: /more than the 3 shares/,
  },
  {
    rule: 'quorum-shares',
    of: quick,
    changes: [['count: 3', 'count: 4']],
    message: /4 people hold the role/,
  },
  {
    rule: 'quorum-waiver',
    of: quick,
    changes: [
      ['threshold: 2', 'threshold: 3'],
      [/2 of 3/g, '3 of 3'],
    ],
    message: /lost with any one share/,
  },
  {
    rule: 'quorum-waiver',
    of: quick,
    changes: [
      ['threshold: 2', 'threshold: 1'],
      [/2 of 3/g, '1 of 3'],
    ],
    message: /each share alone is the secret/,
  },
  {
    rule: 'waiver-unused',
    of: quick,
    changes: [['acts:', 'waive: [n-of-n]\n\nacts:']],
    message: /nothing here needs the waiver/,
  },
  {
    rule: 'waiver-twice',
    of: quick,
    changes: [
      ['threshold: 2', 'threshold: 3'],
      [/2 of 3/g, '3 of 3'],
      ['acts:', 'waive: [n-of-n, n-of-n]\n\nacts:'],
    ],
    message: /waived twice/,
  },
  {
    rule: 'quorum-told',
    of: quick,
    changes: [['shares it 2 of 3', 'shares it 3 of 5']],
    message: /the text says "3 of 5", and no quorum is that/,
  },
  {
    rule: 'quorum-told',
    of: quick,
    changes: [[/2 of 3/g, 'well']],
    message: /no text of this ceremony tells people that the quorum recovery is 2 of 3/,
  },
  {
    rule: 'quorum-use',
    of: quick,
    changes: [['${{ quorums.recovery.threshold }}', '2']],
    message: /must be that of a quorum/,
  },
  {
    rule: 'quorum-use',
    of: quick,
    changes: [['${{ quorums.recovery.shares }}', '3']],
    message: /must be that of the same quorum/,
  },
  {
    rule: 'quorum-use',
    of: quick,
    changes: [[/ {10}custodians: custodian\n {10}out-dir/, '          out-dir']],
    message: /must name the role custodian/,
  },
  {
    rule: 'parameter-default',
    of: quick,
    changes: [['type: algorithm', 'type: integer']],
    message: /not of the type integer/,
  },
  {
    rule: 'parameter-choices',
    of: quick,
    changes: [['type: algorithm', 'type: path\n    choices: [a, b]']],
    message: /has no choices/,
  },
  {
    rule: 'parameter-type',
    of: quick,
    changes: [['type: algorithm', 'type: string']],
    message: /declare "type: algorithm"/,
  },
  {
    rule: 'algorithm-unknown',
    of: quick,
    changes: [['default: ed25519+ml-dsa-65', 'default: ed25519+ml-dsa-56']],
    message: /did you mean/,
  },
  {
    rule: 'identity-required',
    of: real,
    changes: [
      [
        'identity: required\n    distinct-from: [custodian, witness]',
        'identity: optional\n    distinct-from: [custodian, witness]',
      ],
    ],
    message: /administrator signs the transcript/,
  },
  {
    rule: 'identity-required',
    of: real,
    changes: [
      [
        'identity: required\n    distinct-from: [administrator, custodian]',
        'identity: optional\n    distinct-from: [administrator, custodian]',
      ],
    ],
    message: /at least one witness signs/,
  },
  {
    rule: 'probe-unknown',
    of: real,
    changes: [['radios, swap', 'radio, swap']],
    message: /there is no probe "radio"; did you mean "radios"/,
  },
  {
    rule: 'probe-twice',
    of: real,
    changes: [['radios, swap', 'swap, swap']],
    message: /required twice/,
  },
  {
    rule: 'probe-missing',
    of: real,
    changes: [[/environment:\n {2}require: .*\n/, '']],
    message: /requires probes of the air gap/,
  },
  {
    rule: 'retry-count',
    of: quick,
    changes: [['effect: none', 'effect: none\n        retry: 2']],
    message: /"retry:" needs/,
  },
  {
    rule: 'retry-count',
    of: quick,
    changes: [['effect: none', 'effect: none\n        on-failure: retry']],
    message: /needs "retry:" of 1/,
  },
  {
    rule: 'retry-irreversible',
    of: quick,
    changes: [
      ['effect: irreversible', 'effect: irreversible\n        on-failure: retry\n        retry: 1'],
    ],
    message: /never repeated/,
  },
  {
    rule: 'unused',
    of: quick,
    changes: [['roles:', '  spare: { type: string, summary: nothing }\n\nroles:']],
    message: /the parameter spare is never used/,
  },
  {
    rule: 'unused',
    of: quick,
    changes: [
      ['quorums:', '  guest: { count: 1, identity: optional, summary: nobody }\n\nquorums:'],
    ],
    message: /the role guest is never used/,
  },
  {
    rule: 'material-count',
    of: real,
    changes: [['count: 5\n    serial', 'count: 4\n    serial']],
    message: /5 of bag are used, not 4/,
  },
  {
    rule: 'material-serial',
    of: real,
    changes: [['serial: required', 'serial: none']],
    message: /no serial number to enter/,
  },
  {
    rule: 'classification-told',
    of: real,
    changes: [['classification: production', 'classification: dev']],
    message: /must say that this is "dev"/,
  },
  {
    rule: 'serial-untold',
    of: real,
    changes: [[', in the sealed bag ${{ steps.bag.serial }}', '']],
    message: /nobody is told/,
  },
  {
    rule: 'reference-malformed',
    of: quick,
    changes: [['${{ steps.sign.signature }}', '${{ steps.sign }}']],
    message: /not of the form steps/,
  },
  {
    rule: 'reference-unknown',
    of: quick,
    changes: [['${{ steps.sign.signature }}', '${{ steps.sing.signature }}']],
    message: /there is no step "sing"; did you mean "sign"/,
  },
  {
    rule: 'reference-unknown',
    of: quick,
    changes: [['name: quickstart\n', 'name: ${{ each.name }}\n']],
    message: /this step has no "each:"/,
  },
  {
    rule: 'reference-later',
    of: quick,
    changes: [['name: quickstart\n', 'name: ${{ steps.split.root }}\n']],
    message: /comes later, or is this one/,
  },
  {
    rule: 'reference-type',
    of: quick,
    changes: [
      ['name: quickstart\n', 'name: a ${{ steps.generate.key }}\n'],
      [
        'uses: sign\n        with:',
        'uses: sign\n        with:\n          context: a ${{ steps.generate.key }}',
      ],
    ],
    message: /cannot stand inside a text/,
  },
  {
    rule: 'reference-conditional',
    of: quick,
    changes: [['uses: sign\n', "when: parameters.algorithm == 'ed25519'\n        uses: sign\n"]],
    message: /that step may be skipped/,
  },
  {
    rule: 'reference-conditional',
    of: quick,
    changes: [['uses: sign\n', 'on-failure: deviate\n        uses: sign\n']],
    message: /that step may fail and be left out/,
  },
  {
    rule: 'condition-malformed',
    of: quick,
    changes: [['uses: sign\n', 'when: parameters.algorithm ==\n        uses: sign\n']],
    message: /ends too early/,
  },
  {
    rule: 'condition-type',
    of: quick,
    changes: [['uses: sign\n', 'when: parameters.algorithm == 3\n        uses: sign\n']],
    message: /string is compared with integer/,
  },
  {
    rule: 'condition-constant',
    of: quick,
    changes: [['uses: sign\n', 'when: 1 == 1\n        uses: sign\n']],
    message: /refers to nothing/,
  },
  {
    rule: 'condition-never',
    of: quick,
    changes: [
      ['default: ed25519+ml-dsa-65', 'default: ed25519\n    choices: [ed25519, ml-dsa-65]'],
      ['uses: sign\n', "when: parameters.algorithm == 'ml-dsa-44'\n        uses: sign\n"],
    ],
    message: /none of ed25519, ml-dsa-65/,
  },
  {
    rule: 'action-unknown',
    of: quick,
    changes: [['uses: key.wipe', 'uses: key.wip']],
    message: /did you mean "key.wipe"/,
  },
  {
    rule: 'action-unknown',
    of: quick,
    changes: [['uses: key.wipe', 'uses: key.list']],
    message: /./,
  },
  {
    rule: 'action-by',
    of: quick,
    changes: [['by: administrator\n        uses: sign', 'by: witness\n        uses: sign']],
    message: /run by the administrator/,
  },
  {
    rule: 'effect-mismatch',
    of: quick,
    changes: [['effect: irreversible', 'effect: repeatable']],
    message: /key.generate is irreversible, and the step declares repeatable/,
  },
  {
    rule: 'effect-mismatch',
    of: real,
    changes: [
      ['do: pause', 'do: pause'],
      ['do: sign-off', 'do: sign-off\n        effect: irreversible'],
    ],
    message: /can be asked again/,
  },
  {
    rule: 'input-unknown',
    of: quick,
    changes: [['out-dir: shares', 'out-dirs: shares']],
    message: /no input "out-dirs"; did you mean "out-dir"/,
  },
  {
    rule: 'input-missing',
    of: quick,
    changes: [['          out-dir: shares\n', '']],
    message: /share.split needs "out-dir"/,
  },
  {
    rule: 'input-type',
    of: quick,
    changes: [['out-dir: shares', 'out-dir: /tmp/shares']],
    message: /leaves the session folder/,
  },
  {
    rule: 'input-type',
    of: quick,
    changes: [['out-dir: shares', 'out-dir: ../shares']],
    message: /leaves the session folder/,
  },
  {
    rule: 'input-type',
    of: quick,
    changes: [
      ['algorithm: ${{ parameters.algorithm }}', 'algorithm: ed25518'],
      ['default:', 'default:'],
    ],
    message: /there is no algorithm "ed25518"/,
  },
  {
    rule: 'input-type',
    of: quick,
    changes: [['in: ${{ steps.split.set }}', 'in: other.txt']],
    message: /must refer to what an earlier step made/,
  },
  {
    rule: 'input-type',
    of: quick,
    changes: [['set: ${{ steps.split.set }}', 'set: ${{ steps.generate.id }}']],
    message: /share-set is expected/,
  },
  {
    rule: 'input-type',
    of: quick,
    changes: [['uses: sign\n        with:', 'uses: sign\n        with:\n          format: dser']],
    message: /"dser" is none of raw, der, dsse; did you mean "der"/,
  },
  {
    rule: 'drill-each',
    of: drill,
    changes: [
      [/by: custodian\n {8}each: custodian\n(?= {8}when: .*\n {8}uses)/, 'by: administrator\n'],
      [/ {8}when: .*\n(?= {8}uses)/, ''],
    ],
    message: /each holder gives theirs/,
  },
  {
    rule: 'drill-set',
    of: drill,
    changes: [['value: ${{ steps.set.root }}', 'value: ${{ session.definition-digest }}']],
    message: /no witness reads back the root/,
  },
  {
    rule: 'drill-absence',
    of: drill,
    changes: [[/(see the custodian, .*\n) {8}by: administrator/, '$1        by: custodian']],
    message: /who is absent cannot say so/,
  },
  {
    rule: 'human-value',
    of: real,
    changes: [['value: ${{ steps.generate.id }}', 'value: the ${{ steps.generate.id }}']],
    message: /must be one reference/,
  },
  {
    rule: 'human-value',
    of: real,
    changes: [['        value: ${{ materials.bag }}\n', '']],
    message: /needs a "value:"/,
  },
  {
    rule: 'human-say',
    of: real,
    changes: [[/do: confirm\n {8}say: \|\n(?: {10}.*\n)+/, 'do: confirm\n']],
    message: /says in "say:" what is affirmed/,
  },
  {
    rule: 'human-say',
    of: real,
    changes: [['do: confirm', 'do: pause']],
    message: /nothing is affirmed in a pause/,
  },
  { rule: 'human-title', of: real, changes: [['do: confirm', 'do: ask']], message: /ends in "\?"/ },
  {
    rule: 'human-choices',
    of: real,
    changes: [['do: confirm', 'do: confirm\n        choices: [yes-please, no-thanks]']],
    message: /has no choices/,
  },
  {
    rule: 'recovery-set',
    of: recovery,
    changes: [['value: ${{ steps.set.root }}', 'value: ${{ session.definition-digest }}']],
    message: /no witness reads back the root/,
  },
  {
    rule: 'recovery-quorum',
    of: recovery,
    changes: [[/(uses: share\.combine[\s\S]*?custodians: )custodian/, '$1witness']],
    message: /role of a quorum/,
  },
  {
    rule: 'human-form',
    of: real,
    changes: [['do: confirm', 'do: confirm\n        form: words']],
    message: /is not spoken/,
  },
  {
    rule: 'level-identity',
    of: real,
    changes: [['identity: optional', 'identity: optional\n    level: verified']],
    message: /is about an identity/,
  },
  {
    rule: 'timeout-short',
    of: real,
    changes: [['do: confirm', 'do: confirm\n        minutes: 20\n        timeout: 10']],
    message: /needs an excuse after 10/,
  },
  {
    rule: 'recheck-nothing',
    of: quick,
    changes: [['acts:\n', 'environment: { require: [], recheck: every-act }\n\nacts:\n']],
    message: /nothing is required/,
  },
  {
    rule: 'human-each',
    of: real,
    changes: [['each: witness\n        do: sign-off', 'do: sign-off']],
    message: /done by each holder/,
  },
  {
    rule: 'human-each',
    of: real,
    changes: [['each: custodian\n        do: handover', 'do: handover']],
    message: /goes from the role in "by:"/,
  },
  {
    rule: 'read-back-by',
    of: real,
    changes: [
      [
        'by: witness\n        each: witness\n        do: read-back',
        'by: administrator\n        each: administrator\n        do: read-back',
      ],
    ],
    message: /read back by a witness/,
  },
  {
    rule: 'handover-by',
    of: real,
    changes: [
      [
        'by: administrator\n        each: custodian\n        do: handover',
        'by: witness\n        each: custodian\n        do: handover',
      ],
    ],
    message: /made by the administrator/,
  },
  {
    rule: 'title-names-role',
    of: real,
    changes: [
      [
        'title: The administrator confirms who is present',
        'title: Somebody confirms who is present',
      ],
    ],
    message: /does not say that the administrator takes part/,
  },
  {
    rule: 'digest-read-back',
    of: real,
    changes: [
      ['value: ${{ session.execution-digest }}', 'value: ${{ session.definition-digest }}'],
    ],
    message: /session\.execution-digest/,
  },
  {
    rule: 'secret-unprotected',
    of: quick,
    changes: [['uses: share.split', 'uses: share.combine']],
    message: /never split, wrapped or sealed/,
  },
  {
    // Splitting is left out: what is wrapped opens elsewhere, and nobody here could bring the key back.
    rule: 'secret-unprotected',
    of: byok,
    changes: [[/ {2}- id: reserve\n(?: {4}.*\n|\n)+/, '']],
    message: /^wrap leaves nothing from which steps\.generate\.key could be restored here/,
  },
  {
    rule: 'secret-not-destroyed',
    of: quick,
    changes: [[/ {6}- id: wipe\n(?: {8}.*\n| {10}.*\n)+/, '']],
    message: /never wiped/,
  },
  {
    rule: 'secret-destroyed-twice',
    of: quick,
    changes: [
      step(
        'early',
        'by: administrator\nuses: key.wipe\nwith:\n  key: ${{ steps.generate.key }}\neffect: irreversible',
      ),
    ],
    message: /was wiped before/,
  },
  {
    rule: 'secret-after-wipe',
    of: quick,
    changes: [
      step(
        'early',
        'by: administrator\nuses: key.wipe\nwith:\n  key: ${{ steps.generate.key }}\neffect: irreversible',
      ),
    ],
    message: /was wiped before this step/,
  },
  {
    rule: 'secret-conditional',
    of: quick,
    changes: [
      ['uses: key.wipe', "when: parameters.algorithm == 'ed25519'\n        uses: key.wipe"],
    ],
    message: /on a branch without this step/,
  },
  {
    rule: 'secret-conditional',
    of: quick,
    changes: [['uses: key.wipe', 'on-failure: deviate\n        uses: key.wipe']],
    message: /without this step/,
  },
  {
    rule: 'secret-each',
    of: quick,
    changes: [['uses: key.wipe', 'each: custodian\n        uses: key.wipe']],
    message: /once, not once per holder/,
  },
  {
    rule: 'secret-unproven',
    of: quick,
    changes: [[/ {6}- id: prove\n(?: {8}.*\n| {10}.*\n)+/, '']],
    message: /before it is wiped, share.prove must show/,
  },
  {
    rule: 'secret-exposed',
    of: quick,
    changes: [['name: quickstart\n', 'name: quickstart\n          out: secret.key\n']],
    message: /lives in memory only/,
  },
  {
    rule: 'secret-exposed',
    of: quick,
    changes: [['out-dir: shares', 'out-dir: shares\n          unsealed: true']],
    message: /every share is sealed/,
  },
  {
    rule: 'key-read-back',
    of: real,
    changes: [['value: ${{ steps.generate.id }}', 'value: ${{ session.definition-digest }}']],
    message: /no witness reads back/,
  },
  {
    rule: 'share-handover',
    of: real,
    changes: [['value: ${{ steps.split.shares.each }}', 'value: ${{ steps.split.set }}']],
    message: /no step hands over/,
  },
  {
    rule: 'recipient-unexpected',
    of: byok,
    changes: [[/\n {10}expect-to:\n.*/, '']],
    message: /two roles must each be asked/,
  },
  {
    rule: 'recipient-unexpected',
    of: byok,
    changes: [['steps.courier-digest.answer', 'steps.administrator-digest.answer']],
    message: /two roles must each be asked/,
  },
  {
    rule: 'recipient-unexpected',
    of: byok,
    changes: [['steps.courier-digest.answer', 'steps.generate.id']],
    message: /nothing that somebody was asked for/,
  },
  {
    rule: 'token-only',
    of: quick,
    changes: [
      step(
        'inside',
        'by: administrator\nuses: hsm.generate\nwith: { token: first, algorithm: p256 }\neffect: irreversible',
      ),
    ],
    message: /never leaves its token: .*lost with the token; .*"waive: \[token-only\]"/,
  },
  {
    rule: 'waiver-unused',
    of: hsm,
    changes: [['acts:', 'waive: [token-only]\n\nacts:']],
    message: /nothing here needs the waiver token-only/,
  },
  {
    rule: 'import-unverified',
    of: hsm,
    changes: [
      [
        '          same-as: ${{ steps.generate.key }}\n          out: second',
        '          out: second',
      ],
    ],
    message: /must challenge \$\{\{ steps\.import-second\.uri \}\} in the same token/,
  },
  {
    rule: 'import-name',
    of: hsm,
    changes: [['free: ${{ parameters.name }}', 'free: ${{ parameters.algorithm }}']],
    message: /^generate names the key .*parameters\.name.*, and look-first looks whether/,
  },
  {
    rule: 'import-twice',
    of: hsm,
    changes: [
      [
        'token: second\n          out: second.token-key.json',
        'token: first\n          out: second.token-key.json',
      ],
    ],
    message: /has this key already/,
  },
  {
    rule: 'container-handover',
    of: byok,
    changes: [['value: ${{ steps.wrap.statement }}', 'value: ${{ steps.wrap.out }}']],
    message: /^no step hands over \$\{\{ steps\.wrap\.statement \}\}$/,
  },
  {
    rule: 'container-handover',
    of: cloud,
    changes: [['value: ${{ steps.challenge.out }}', 'value: ${{ steps.wrap.out }}']],
    message: /^no step hands over \$\{\{ steps\.challenge\.out \}\}$/,
  },
  {
    rule: 'container-read-back',
    of: byok,
    changes: [['value: ${{ steps.wrap.digest }}', 'value: ${{ steps.generate.id }}']],
    message: /^no witness reads back \$\{\{ steps\.wrap\.digest \}\}$/,
  },
  {
    rule: 'handover-mismatch',
    of: cloud,
    changes: [['container: ${{ steps.wrap.out }}', 'container: ${{ steps.split.set }}']],
    message: /not the "out" of a step that uses wrap/,
  },
  {
    rule: 'handover-mismatch',
    of: cloud,
    changes: [['statement: ${{ steps.wrap.statement }}', 'statement: ${{ steps.wrap.out }}']],
    message: /the statement about this container is/,
  },
  {
    rule: 'handover-mismatch',
    of: cloud,
    changes: [['challenge: ${{ steps.challenge.out }}', 'challenge: ${{ steps.wrap.out }}']],
    message: /not the "out" of a step that uses handover\.challenge/,
  },
  {
    rule: 'handover-mismatch',
    of: cloud,
    changes: [
      [
        'key: ${{ steps.generate.key }}\n          public:',
        'key: ${{ steps.generate.public }}\n          public:',
      ],
    ],
    message: /challenge was about another key/,
  },
  {
    rule: 'signature-unverified',
    of: quick,
    changes: [[/ {6}- id: verify\n(?: {8}.*\n| {10}.*\n)+/, '']],
    message: /no later step verifies/,
  },
  {
    rule: 'signature-mismatch',
    of: quick,
    changes: [
      [
        'in: ${{ steps.split.set }}\n          signature',
        'in: ${{ steps.generate.public }}\n          signature',
      ],
    ],
    message: /signed something else/,
  },
  {
    rule: 'threshold-start',
    of: dkg,
    changes: [
      [
        /uses: threshold.conclude\n {8}with:\n {10}start: .*/,
        'uses: threshold.conclude\n        with:\n          start: ${{ parameters.policy }}',
      ],
    ],
    message: /not the start message/,
  },
  {
    rule: 'threshold-incomplete',
    of: dkg,
    changes: [['round: 3\n', 'round: 4\n']],
    message: /threshold.round of round 3/,
  },
  {
    rule: 'threshold-incomplete',
    of: signing,
    changes: [[/ {6}- id: end\n(?: {8}.*\n| {10}.*\n)+/, '']],
    message: /no step is threshold.close/,
  },
  {
    rule: 'threshold-order',
    of: dkg,
    changes: [
      ['round: 3\n', 'round: 0\n'],
      ['round: 4\n', 'round: 3\n'],
      ['round: 0\n', 'round: 4\n'],
    ],
    message: /before a step that it builds on/,
  },
  {
    rule: 'threshold-party',
    of: signing,
    changes: [
      [
        /by: signer\n {8}each: signer\n( {8}uses: threshold.round)/,
        'by: witness\n        each: witness\n$1',
      ],
    ],
    message: /done by each signer/,
  },
  {
    rule: 'threshold-compared',
    of: dkg,
    changes: [['${{ steps.propose.policy }}. I know', 'well known. I know']],
    message: /no party confirms terms, quorum, policy/,
  },
  {
    rule: 'threshold-compared',
    of: signing,
    changes: [['value: ${{ steps.request.digest }}', 'value: ${{ steps.request.terms }}']],
    message: /no witness reads back/,
  },
  {
    rule: 'threshold-record',
    of: dkg,
    changes: [['record: ${{ steps.conclude.record }}', 'record: ${{ steps.conclude.id }}']],
    message: /not the record of conclude/,
  },
  {
    rule: 'threshold-lost',
    of: shipped('threshold-repair.yaml'),
    changes: [['operation: repair', 'operation: refresh']],
    message: /only a repair has a "lost" share/,
  },
  {
    rule: 'threshold-place',
    of: signing,
    changes: [['keys: ${{ parameters.keys }}', 'keys: ${{ parameters.inbox }}']],
    message: /parameters.inbox is "inbox"|parameters.inbox is "keys"/,
  },
  {
    rule: 'threshold-place',
    of: signing,
    changes: [['memory: ${{ parameters.memory }}', 'memory: stick']],
    message: /a folder "stick" would go with the session/,
  },
  {
    rule: 'input-type',
    of: signing,
    changes: [['memory: ${{ parameters.memory }}', 'memory: "pkcs11:My Token"']],
    message: /"pkcs11:My Token" is not of the expected form/,
  },
  {
    rule: 'sign-off-missing',
    of: quick,
    changes: [[/ {6}- id: witness\n(?: {8}.*\n)+/, '']],
    message: /sign-off by each witness/,
  },
  {
    rule: 'sign-off-early',
    of: quick,
    changes: [step('early', 'by: witness\neach: witness\ndo: sign-off')],
    message: /at the end, in the last act/,
  },
  {
    rule: 'sign-off-conditional',
    of: quick,
    changes: [['do: sign-off', "do: sign-off\n        when: parameters.algorithm == 'ed25519'"]],
    message: /on a condition/,
  },
  {
    rule: 'sign-off-twice',
    of: quick,
    changes: [step('early', 'by: witness\neach: witness\ndo: sign-off')],
    message: /signed off before/,
  },
  ...traceExamples,
  ...branchExamples,
  ...enrolmentExamples,
];

describe('the rule', () => {
  it.each(examples)('$rule finds $message', ({ rule, of, changes, message }) => {
    const text = changes.reduce((at, [from, to]) => at.replace(from, to), of);
    expect(text).not.toBe(of);
    const found = lintText(text).filter((finding) => finding.rule === rule);
    expect(found.map((finding) => finding.message).join('\n')).toMatch(message);
    for (const { line, column } of found) {
      expect(line).toBeGreaterThan(0);
      expect(column).toBeGreaterThan(0);
    }
  });

  it('is in the document, and every rule of the document has an example here', () => {
    const page = readFileSync(join(root, 'docs/spec/definition.md'), 'utf8');
    const rows = [...page.matchAll(/^\| `([a-z-]+)` +\|/gm)].map((match) => match[1] ?? '');
    const listed = new Set(rows.slice(rows.indexOf('id-unique')));
    const tested = new Set(examples.map(({ rule }) => rule));
    for (const rule of tested) expect(listed, rule).toContain(rule);
    // There is no draft algorithm in the registry yet.
    for (const rule of listed) if (rule !== 'algorithm-draft') expect(tested, rule).toContain(rule);
  });
});
