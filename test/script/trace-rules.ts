/** One failing example for each rule about traces and about codes, made from the shipped ceremony by one change. */
import { shipped } from './catalogue.js';

const cold = shipped('cold-sign.yaml');
const threshold = shipped('cold-sign-threshold.yaml');

/** A step of the shipped ceremony, as a pattern. */
const step = (id: string): RegExp => new RegExp(` {6}- id: ${id}\\n(?: {8}.*\\n|\\n(?= {8}))+`);

interface Example {
  readonly rule: string;
  readonly of: string;
  readonly changes: readonly (readonly [from: string | RegExp, to: string])[];
  readonly message: RegExp;
}

const example = (rule: string, from: string | RegExp, to: string, message: RegExp): Example => ({
  rule,
  of: cold,
  changes: [[from, to]],
  message,
});

const ofKey = (rule: string, from: string | RegExp, to: string, message: RegExp): Example => ({
  ...example(rule, from, to, message),
  of: threshold,
});

/** For the test that tries them all. */
export const traceExamples: readonly Example[] = [
  example('trace-quorum', 'custodians: custodian', 'custodians: witness', /role of a quorum/),
  example('trace-quorum', '          custodians: custodian\n', '', /role of a quorum/),
  example('trace-set', step('root'), '', /^no witness reads back the root of this set/),
  example(
    'trace-set',
    'set: ${{ parameters.set }}',
    'set: ${{ parameters.request }}',
    /^no witness reads back the root of this set/,
  ),
  example(
    'trace-unapproved',
    'approve: ${{ steps.show.digest }}',
    `approve: 'sha256:${'0'.repeat(64)}'`,
    /must be the digest of a step that uses trace\.show$/,
  ),
  example(
    'trace-unapproved',
    '          approve: ${{ steps.show.digest }}\n',
    '',
    /must be the digest of a step/,
  ),
  example(
    'trace-unapproved',
    '        needs: signing\n',
    '',
    /^no quorum of custodian agrees to \$\{\{ steps\.show\.digest \}\} before prove$/,
  ),
  example(
    'trace-unapproved',
    'no other:\n          ${{ steps.show.digest }}',
    'no other.',
    /^no quorum of custodian agrees/,
  ),
  example(
    'trace-unread',
    'value: ${{ steps.show.digest }}',
    'value: ${{ session.execution-digest }}',
    /^no witness reads back \$\{\{ steps\.show\.digest \}\} before prove$/,
  ),
  example(
    'trace-unread',
    'value: ${{ steps.prove.digest }}',
    'value: ${{ steps.show.digest }}',
    /^no witness reads back \$\{\{ steps\.prove\.digest \}\}$/,
  ),
  example(
    'trace-mismatch',
    'file: ${{ steps.arrive.file }}',
    'file: ${{ parameters.set }}',
    /^prove signs what another file asks for: \$\{\{ steps\.arrive\.file \}\}$/,
  ),
  example(
    'trace-mismatch',
    'group: ${{ parameters.set }}\n        effect: none\n\n      - id: digest',
    'group: ${{ parameters.auditors }}\n        effect: none\n\n      - id: digest',
    /^prove signs with the shares of \$\{\{ parameters\.set \}\}$/,
  ),
  example(
    'code-unread',
    'value: ${{ steps.show.digest }}',
    'value: ${{ session.execution-digest }}',
    /^no witness reads back \$\{\{ steps\.arrive\.digest \}\}$/,
  ),
  example(
    'code-unread',
    step('arrived'),
    '',
    /^no witness reads back \$\{\{ steps\.signature\.sha256 \}\}$/,
  ),
  example('code-secret', 'reveal: [unknown]', 'reveal: [private-key]', /only "unknown"/),
  example('input-missing', '          out: request\n', '', /qr\.scan needs "out"/),
  example(
    'input-missing',
    '          file: ${{ steps.prove.signature }}\n',
    '',
    /qr\.show needs "file"/,
  ),
  example(
    'trace-exposed',
    'file: ${{ steps.prove.signature }}',
    'file: ${{ steps.prove.trace }}',
    /handed on sealed$/,
  ),
  example(
    'trace-mismatch',
    'sig: ${{ steps.prove.signature }}',
    'sig: ${{ parameters.request }}',
    /^of prove it must be \$\{\{ steps\.prove\.signature \}\}$/,
  ),
  example(
    'trace-mismatch',
    'trace: ${{ steps.prove.trace }}',
    'trace: ${{ parameters.request }}',
    /^of prove it must be \$\{\{ steps\.prove\.trace \}\}$/,
  ),
  example('trace-unverified', step('verify'), '', /^no later step verifies/),
  example(
    'trace-unverified',
    'title: Verify the trace here\n',
    "title: Verify the trace here\n        when: parameters.set == 'set.json'\n",
    /on every branch$/,
  ),
  example(
    'trace-unverified',
    'sig: ${{ steps.prove.signature }}\n        effect: none',
    'sig: ${{ steps.prove.signature }}\n        effect: none\n        on-failure: deviate',
    /on every branch$/,
  ),
  example('trace-unconfirmed', step('second-device'), '', /what a second device says/),
  example(
    'trace-unconfirmed',
    'has the digest\n          ${{ steps.prove.digest }}',
    'is mine.',
    /what a second device says/,
  ),
  example(
    'trace-unsealed',
    'in: ${{ steps.prove.trace }}',
    'in: ${{ parameters.set }}',
    /^no step seals/,
  ),
  example(
    'trace-exposed',
    'value: ${{ steps.wrap.out }}',
    'value: ${{ steps.prove.trace }}',
    /handed on sealed$/,
  ),
  example(
    'signature-kept',
    step('signature'),
    '',
    /^no step hands over \$\{\{ steps\.prove\.signature/,
  ),
  example(
    'signature-early',
    / {6}- id: verify\n/,
    '      - id: early\n        title: The administrator hands the courier the signature\n        by: administrator\n' +
      '        each: courier\n        do: handover\n        value: ${{ steps.prove.signature }}\n\n      - id: verify\n',
    /^the signature leaves before second-device/,
  ),
  ofKey('trace-set', step('record'), '', /^no witness reads back the record of this key/),
  ofKey(
    'trace-set',
    'value: ${{ steps.group.record }}',
    'value: ${{ steps.group.id }}',
    /^no witness reads back the record of this key/,
  ),
  ofKey(
    'trace-keys',
    '          keys: ${{ parameters.keys }}\n',
    '',
    /^key files come in a folder/,
  ),
  ofKey(
    'trace-keys',
    'keys: ${{ parameters.keys }}',
    'keys: ${{ parameters.request }}',
    /^key files come in a folder/,
  ),
  example(
    'trace-keys',
    '          custodians: custodian\n',
    '          custodians: custodian\n          keys: ${{ parameters.request }}\n',
    /^only shares of a key that threshold\.group told of/,
  ),
  ofKey('trace-twin', step('twin'), '', /^no witness reads back \$\{\{ steps\.prove\.trace-digest/),
  ofKey(
    'trace-twin',
    'when: parameters.twin\n',
    'when: not parameters.twin\n',
    /^no witness reads back \$\{\{ steps\.prove\.trace-digest/,
  ),
  ofKey(
    'drill-each',
    'uses: threshold.group\n',
    'each: administrator\n        uses: threshold.group\n',
    /threshold\.group looks at no share/,
  ),
  example(
    'drill-absence',
    'by: administrator\n        each: custodian\n        do: ask\n        choices: [here, absent]',
    'by: custodian\n        each: custodian\n        do: ask\n        choices: [here, absent]',
    /cannot say so/,
  ),
];
