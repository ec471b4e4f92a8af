/** The files of a ceremony are read strictly, and every refusal says where. */
import { describe, expect, it } from 'vitest';
import { ConclaveError, InputError } from '#formats/errors';
import { parseAnswers, parseDefinition, parseParticipants, parseSite } from '#script/parse';
import { shipped, shippedNames } from './catalogue.js';
import { mutationCount } from '../support/require.js';

const bytes = (text: string): Uint8Array => Buffer.from(text);

/** A definition with something of everything, short enough to be mutated ten thousand times. */
const base = `# small
conclave: 1
id: small
title: Small
summary: |
  A dev ceremony with a quorum,
  2 of 3.
classification: dev
unattended: true
parameters:
  mode: { type: string, summary: how, default: paper, choices: [paper, file] }
roles:
  custodian:
    count: 3
    identity: optional
    summary: holds a share
quorums:
  recovery:
    of: custodian
    threshold: 2
    shares: 3
materials:
  bag: { kind: "bag", count: 3, serial: required }
environment: { require: [swap] }
waive: []
acts:
  - id: first
    title: First
    steps:
      - id: look
        title: Look
        by: custodian
        uses: airgap.check
        effect: none
      - id: speak
        title: Speak
        by: custodian
        each: custodian
        when: parameters.mode == 'paper'
        do: confirm
        say: I am \${{ each.name }}
after:
  - { duty: tidy up, within: P7D }
`;

function refusal(read: () => unknown): InputError {
  try {
    read();
  } catch (error) {
    if (error instanceof InputError) return error;
    throw error;
  }
  throw new Error('it was accepted');
}

const definition =
  (text: string): (() => unknown) =>
  () =>
    parseDefinition(bytes(text), 'd.yaml');
const changed = (from: string | RegExp, to: string): string => {
  const text = base.replace(from, to);
  if (text === base) throw new Error(`nothing to change: ${String(from)}`);
  return text;
};

describe('a definition', () => {
  it.each(shippedNames)('%s is read, with defaults and places', (name) => {
    const text = shipped(`${name}.yaml`);
    const parsed = parseDefinition(bytes(text), `${name}.yaml`);
    expect(parsed.definition.id).toBe(name);
    const { line, column } = parsed.positions.at('acts[1].steps[0].with.algorithm');
    if (name === 'quickstart') {
      expect(text.split('\n')[line - 1]?.slice(column - 1)).toBe('${{ parameters.algorithm }}');
      const step = parsed.definition.acts[1]?.steps[0];
      expect(step).toMatchObject({ kind: 'action', retry: 0, onFailure: 'abort' });
      expect(step?.kind === 'action' && step.with).toHaveProperty('publicOut', 'quickstart.pub');
    }
  });

  const refused: readonly (readonly [string, string, RegExp])[] = [
    ['anchors', changed('title: Small', 'title: &a Quickstart'), /:4:\d+: anchors are not/],
    ['aliases', changed('title: Small', 'title: *a'), /:4:8: /],
    ['tags', changed('title: Small', 'title: !!str Quickstart'), /:4:\d+: tags are not/],
    ['own tags', changed('title: Small', 'title: !x Quickstart'), /:4:8: /],
    ['merge keys', changed('title: Small', '<<: {a: b}'), /:4:1: merge keys are not/],
    ['directives', `%YAML 1.2\n---\n${base}`, /:1:1: directives are not/],
    ['a second document', `${base}---\na: b\n`, /only one document|:\d+:1: /],
    ['a key twice', `${base}id: again\n`, /:\d+:1: map keys must be unique/],
    ['a key without a value', changed('title: Small', 'title:'), /:4:\d+: a value is missing/],
    ['other numbers', changed('count: 3', 'count: 0x3'), /:14:12: numbers must be plain decimal/],
    ['octal numbers', changed('count: 3', 'count: 0o3'), /numbers must be plain decimal/],
    ['fractions', changed('count: 3', 'count: 3.0'), /numbers must be plain decimal/],
    ['other truth', changed('unattended: true', 'unattended: True'), /write true or false/],
    ['tabs in text', changed('title: Small', 'title: "Sm\tall"'), /:4:\d+: .*U\+0009/],
    ['escaped controls', changed('title: Small', 'title: "Sm\\e[2J"'), /:4:8: a control/],
    ['text that turns around', changed('title: Small', 'title: "a\u202eb"'), /U\+202E/],
    ['a byte order mark', `\ufeff${base}`, /:1:1: .*U\+FEFF/],
    [
      'an unknown key',
      changed('threshold: 2', 'thresold: 2'),
      /:20:5: unknown key "thresold"; did you mean "threshold"\?/,
    ],
    [
      'an unknown key of a step',
      changed('uses: airgap.check', 'use: airgap.check'),
      /unknown key "use"; did you mean "uses"\?/,
    ],
    ['a missing key', changed('    threshold: 2\n', ''), /:18:3: the key "threshold" is missing/],
    ['another version', changed('conclave: 1', 'conclave: 2'), /:2:11: .*reads version 1/],
    [
      'a word that is none of the choices',
      changed('classification: dev', 'classification: development'),
      /:8:17: .*"production" or "dev" was expected/,
    ],
    ['a wrong type', changed('count: 3', 'count: three'), /:14:12: roles\.custodian\.count/],
    ['a name with capitals', changed('id: small', 'id: Small'), /:3:5: id: a lower-case name/],
    [
      'a role with capitals',
      changed('  custodian:\n', '  Custodian:\n'),
      /:13:3: the key "Custodian" is malformed/,
    ],
    [
      'a step that is both',
      changed('uses: airgap.check', 'uses: airgap.check\n        do: pause'),
      /both "uses" and "do"/,
    ],
    [
      'a step that is neither',
      changed('        uses: airgap.check\n', ''),
      /needs "uses" \(an action\) or "do"/,
    ],
    [
      'an action without its effect',
      changed('        uses: airgap.check\n        effect: none', '        uses: airgap.check'),
      /must declare its "effect"/,
    ],
    [
      'a title too long for a screen',
      changed('title: Small', `title: ${'x'.repeat(69)}`),
      /:4:8: title/,
    ],
    ['no map at all', '- a\n', /:1:1: the file/],
    ['nothing', '', /empty/],
    ['only a comment', '# nothing\n', /empty|missing/],
  ];

  it.each(refused)('with %s is refused', (_, text, message) => {
    const error = refusal(definition(text));
    expect(error.message).toMatch(message);
    expect(error.message).toMatch(/^d\.yaml:\d+:\d+: /);
    expect(error.exitCode).toBe(65);
  });

  it('too long, too deep or too large is refused before it is parsed', () => {
    expect(refusal(definition(' '.repeat(256 * 1024 + 1))).code).toBe('E_YAML_TOO_LARGE');
    for (const deep of [
      '['.repeat(100_000),
      '- '.repeat(100_000),
      '{a: '.repeat(50_000),
      '? '.repeat(100_000),
    ]) {
      expect(refusal(definition(deep)).code).toBe('E_YAML_MALFORMED');
    }
    const many = `a: [${'1,'.repeat(30_000)}]\n`;
    expect(refusal(definition(many)).message).toMatch(/too many parts/);
  });

  it('that is no UTF-8 is refused', () => {
    expect(refusal(() => parseDefinition(Uint8Array.of(0x61, 0xff), 'd.yaml')).code).toBe(
      'E_UTF8_MALFORMED',
    );
  });

  it('survives mutations with an input error at worst', { timeout: 300_000 }, () => {
    const seed = bytes(base);
    const pieces = [
      '&a ',
      '*a',
      '!!int ',
      '<<: ',
      '---\n',
      '%',
      '"',
      "'",
      '{',
      '[',
      '- ',
      '? ',
      ': ',
      '|',
      '\t',
      '\u0000',
      '${{',
      '}}',
      '999999999999999999',
      '\n',
      '__proto__: ',
    ].map(bytes);
    let state = 12345;
    const random = (below: number): number => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    let accepted = 0;
    for (let i = 0; i < mutationCount; i++) {
      const from = random(seed.length);
      const length = random(4) === 0 ? random(200) : random(3);
      const piece = pieces[random(pieces.length)] ?? seed;
      const inserted =
        random(3) === 0
          ? Uint8Array.of(random(256))
          : random(2) === 0
            ? piece
            : seed.subarray(from, from + length);
      const at = random(seed.length);
      const mutated = Buffer.concat([seed.subarray(0, at), inserted, seed.subarray(at + length)]);
      try {
        parseDefinition(mutated, 'd.yaml');
        accepted++;
      } catch (error) {
        expect(error).toBeInstanceOf(ConclaveError);
        expect((error as ConclaveError).exitCode).toBe(65);
      }
    }
    expect(accepted).toBeGreaterThan(0.01 * mutationCount);
  });
});

describe('a participants file', () => {
  const read = (text: string): ReturnType<typeof parseParticipants> =>
    parseParticipants(bytes(`participants:\n${text}`), 'p.yaml');

  it('lists people with their identities and levels', () => {
    expect(
      read(
        '  - { name: Ada L., role: witness, identity: ada.pub, level: verified }\n  - { name: Ben, role: custodian, identity: none }\n',
      ),
    ).toEqual([
      { name: 'Ada L.', role: 'witness', identity: 'ada.pub', level: 'verified' },
      { name: 'Ben', role: 'custodian', identity: null, level: 'none' },
    ]);
    expect(read('  - { name: Ada, role: witness, identity: ada.pub }\n')[0]?.level).toBe('tofu');
  });

  it('refuses the same line twice, a level without an identity, names that break lines', () => {
    const twice = '  - { name: A, role: witness, identity: none }\n'.repeat(2);
    expect(refusal(() => read(twice)).message).toMatch(/^p\.yaml:3:\d+: A is listed twice/);
    const level = '  - { name: A, role: witness, identity: none, level: tofu }\n';
    expect(refusal(() => read(level)).message).toMatch(/no identity for a level/);
    const slash = '  - { name: a/b, role: witness, identity: none }\n';
    expect(refusal(() => read(slash)).message).toMatch(/no slash/);
  });
});

describe('a site file', () => {
  it('binds identities, paths and the ceremony before', () => {
    const head = 'ab'.repeat(32);
    const text = `site: 1\nidentities: { Ada: ada.key }\nbindings: { payload: /media/usb/x }\nprevious: { ceremony: root-key, head: ${head} }\n`;
    expect(parseSite(bytes(text), 's.yaml')).toEqual({
      identities: { Ada: 'ada.key' },
      bindings: { payload: '/media/usb/x' },
      previous: { ceremony: 'root-key', head },
      tokens: {},
    });
    expect(parseSite(bytes('site: 1\n'), 's.yaml').previous).toBeNull();
  });

  it('refuses what it does not know', () => {
    expect(refusal(() => parseSite(bytes('site: 1\npin: 1234\n'), 's.yaml')).message).toMatch(
      /^s\.yaml:2:1: unknown key "pin"/,
    );
  });
});

describe('an answers file', () => {
  it.each(shippedNames)('of %s is read', (name) => {
    expect(Object.keys(parseAnswers(bytes(shipped(`answers/${name}.yaml`)), 'a'))).not.toEqual([]);
  });

  it('holds one answer or a list by key', () => {
    const text =
      'answers:\n  a/b: { confirm: true }\n  a/c/Ada L.: [{ text: x }, { passphrase-file: f }]\n';
    expect(parseAnswers(bytes(text), 'a.yaml')).toEqual({
      'a/b': { confirm: true },
      'a/c/Ada L.': [{ text: 'x' }, { passphraseFile: 'f' }],
    });
  });

  it('refuses two answers in one, none, a passphrase in clear, and a key of another form', () => {
    const refuse = (line: string): string =>
      refusal(() => parseAnswers(bytes(`answers:\n  ${line}\n`), 'a.yaml')).message;
    expect(refuse('a/b: { confirm: true, text: x }')).toMatch(/:2:\d+: .*exactly one/);
    expect(refuse('a/b: {}')).toMatch(/exactly one/);
    expect(refuse('a/b: { passphrase: secret }')).toMatch(/unknown key "passphrase"/);
    expect(refuse('ab: { confirm: true }')).toMatch(/act\/step/);
  });
});
