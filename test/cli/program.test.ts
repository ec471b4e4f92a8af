/** Taking a command line apart, over a description made for the purpose. */
import { describe, expect, it } from 'vitest';
import { UsageError } from '#formats/errors';
import type { ActionDescription } from '#formats/action';
import { parseCommand } from '#cli/input';
import { named, splitGlobals } from '#cli/program';

const description: ActionDescription = {
  id: 'demo',
  summary: 'demonstrate',
  description: 'Demonstrates.',
  inputs: {
    files: { type: 'shares', summary: 'files', repeat: true, positional: 0, placeholder: 'FILE' },
    threshold: { type: 'integer', summary: 'how many', min: 1, max: 16, required: true },
    sealTo: { type: 'public-key', summary: 'to whom', repeat: true },
    format: { type: 'string', summary: 'form', choices: ['raw', 'der'], default: 'raw' },
    checked: { type: 'boolean', summary: 'leave unchecked', default: true },
    group: { type: 'string', summary: 'a group', repeat: true, pattern: '[0-9]+/[0-9]+' },
    person: { type: 'role', summary: 'who', only: 'ceremony' },
  },
  outputs: {},
  options: ['passphrase', 'new-passphrase', 'waive', 'force'],
  effect: 'none',
  examples: [],
};
const withoutArguments: ActionDescription = {
  ...description,
  inputs: { sealTo: { type: 'public-key', summary: 'to whom', repeat: true } },
};

const parse = (...rest: string[]) => parseCommand(description, ['demo'], rest);
const refused = (...rest: string[]): UsageError => {
  try {
    parse(...rest);
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    return error as UsageError;
  }
  throw new Error('it was accepted');
};

describe('input of a command', () => {
  it('has types, defaults and lists', () => {
    expect(parse('a', 'b', '--threshold', '2').input).toEqual({
      files: ['a', 'b'],
      threshold: 2,
      sealTo: [],
      format: 'raw',
      checked: true,
      group: [],
    });
    expect(parse('--threshold=3', '--no-checked', '--format', 'der').input).toMatchObject({
      files: [],
      threshold: 3,
      checked: false,
      format: 'der',
    });
  });

  it.each([
    [['--threshold', 'x'], 'demo: --threshold does not take "x"'],
    [['--threshold', '0'], 'demo: --threshold does not take "0"'],
    [['--threshold', '17'], 'demo: --threshold does not take "17"'],
    [['--threshold', '2', '--format', 'pem'], 'demo: --format does not take "pem"'],
    [['--threshold', '2', '--group', '2of3'], 'demo: --group does not take "2of3"'],
    [['--threshold', '2', '--waive', 'all'], 'demo: --waive does not take "all"'],
    [['--threshold', '2', '--threshold', '3'], '--threshold is given twice'],
    [['--threshold'], 'demo: --threshold needs a value'],
    [['a'], 'demo: --threshold N is missing'],
    [['--threshold', '2', '--person', 'x'], 'demo has no option --person'],
  ])('refuses %j', (rest, message) => {
    expect(refused(...rest).message).toBe(message);
  });

  it('names the nearest option', () => {
    expect(refused('--treshold', '2').hint).toBe('did you mean --threshold?');
  });

  it('takes several values behind one option where no argument can follow', () => {
    const given = parseCommand(
      withoutArguments,
      ['demo'],
      ['--seal-to', 'a', 'b', '--seal-to', 'c'],
    );
    expect(given.input['sealTo']).toEqual(['a', 'b', 'c']);
    const behind = parse(
      'x',
      '--threshold',
      '2',
      '--passphrase-file',
      'p',
      'q',
      '--seal-to',
      'a',
      '-',
    );
    expect(behind.shared.passphraseFiles).toEqual(['p', 'q']);
    expect(behind.input).toMatchObject({ files: ['x'], sealTo: ['a', '-'] });
  });

  it('takes one value each where arguments can follow', () => {
    const { input, shared } = parse(
      ...['--threshold', '2', '--passphrase-file', 'p', 'x', '--passphrase-file', 'q', 'y'],
    );
    expect(shared.passphraseFiles).toEqual(['p', 'q']);
    expect(input['files']).toEqual(['x', 'y']);
  });

  it('takes everything behind -- as arguments', () => {
    expect(parse('--threshold', '2', '--', '--format', '-x').input['files']).toEqual([
      '--format',
      '-x',
    ]);
  });

  it('knows the shared options', () => {
    const { shared } = parse(
      ...['--threshold', '2', '--no-passphrase', '--waive', 'draft', '--force'],
    );
    expect(shared).toMatchObject({ noPassphrase: true, waive: ['draft'], force: true });
    expect(parse('--threshold', '2').shared).toMatchObject({ noPassphrase: false, force: false });
  });
});

describe('words of the command line', () => {
  it('finds global options anywhere but behind --', () => {
    const { globals, words } = splitGlobals([
      '--home',
      'h',
      'show',
      '--json',
      'x',
      '--',
      '--debug',
    ]);
    expect(globals).toEqual({ json: true, debug: false, noInput: false, plain: false, home: 'h' });
    expect(words).toEqual(['show', 'x', '--', '--debug']);
  });

  it.each([
    [['shwo', 'x'], 'there is no command "shwo"', 'did you mean "conclave show"?'],
    [['verfy'], 'there is no command "verfy"', 'did you mean "conclave verify"?'],
    [['zzzzzz'], 'there is no command "zzzzzz"', 'conclave help lists the commands'],
  ])('names the nearest command to %j', (words, message, hint) => {
    expect(() => named(words)).toThrow(message);
    try {
      named(words);
    } catch (error) {
      expect((error as UsageError).hint).toBe(hint);
    }
  });

  it('sees help before and behind the words', () => {
    expect(named(['show', 'x', '--help'])).toEqual({ kind: 'help', topic: ['show'] });
    expect(named(['--help'])).toEqual({ kind: 'help', topic: [] });
    expect(named(['show', '--', '--help'])).toMatchObject({ kind: 'command' });
  });
});
