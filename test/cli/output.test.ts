/** What the command line says, and where. */
import { describe, expect, it } from 'vitest';
import { InternalError, UsageError } from '#formats/errors';
import { exitCodeOf, exitCodes } from '#cli/exit';
import { Output } from '#cli/output';
import { presentPlain } from '#cli/present';
import { sink } from './runners.js';

function listening(style: { json?: boolean; debug?: boolean } = {}, terminal: object = {}) {
  const [stdout, stderr] = [sink(), sink()];
  Object.assign(stdout.stream, terminal);
  Object.assign(stderr.stream, terminal);
  const output = new Output(
    { stdin: process.stdin, stdout: stdout.stream, stderr: stderr.stream },
    { json: false, debug: false, ...style },
  );
  const said = () => ({ stdout: stdout.bytes().toString(), stderr: stderr.bytes().toString() });
  return { output, said };
}

describe('errors', () => {
  const missing = new UsageError({ code: 'E_X', message: 'there is no x', hint: 'make an x' });

  it('are one sentence and what to do', () => {
    const { output, said } = listening();
    expect(output.failure(missing)).toBe(2);
    expect(said()).toEqual({ stdout: '', stderr: 'conclave: there is no x\nhint: make an x\n' });
  });

  it('are one object with --json, and nothing else', () => {
    const { output, said } = listening({ json: true });
    output.failure(missing);
    expect(JSON.parse(said().stdout)).toEqual({
      ok: false,
      error: { code: 'E_X', message: 'there is no x', hint: 'make an x' },
    });
    expect(said().stderr).toBe('');
  });

  it('of others are bugs, and do not repeat what they were given', () => {
    const foreign = new TypeError('cannot parse "the secret"');
    const { output, said } = listening();
    expect(output.failure(foreign)).toBe(70);
    expect(said().stderr).toMatch(/^conclave: unexpected fault \(TypeError\)\nhint: .*report/);
    expect(said().stderr).not.toContain('the secret');
    expect(exitCodeOf('not even an error')).toBe(70);
    expect(exitCodeOf(new InternalError({ code: 'E_X', message: 'x' }))).toBe(70);
  });

  it('show where they happened with --debug only', () => {
    const { output, said } = listening({ debug: true });
    output.failure(new Error('outer', { cause: new Error('inner') }));
    expect(said().stderr).toMatch(/Error: outer\n\s+at [^]*caused by: Error: inner/);
  });

  it('cannot drive the terminal', () => {
    const { output, said } = listening();
    output.failure(new UsageError({ code: 'E_X', message: 'no file \u001b[2Jx' }));
    expect(said().stderr).not.toContain('\u001b');
  });
});

describe('at a terminal', () => {
  const path = `/media/${'long-folder/'.repeat(9)}participants.yaml`;
  const long = new UsageError({
    code: 'E_X',
    message: `there is no quorum of custodians, and ${path} does not name enough people for another one`,
    hint: 'name them in the file, compare their fingerprints with them by telephone, and go on with --resume',
  });
  const tty = { isTTY: true, columns: 80 };

  it('errors break between words, and a path stays whole', () => {
    const { output, said } = listening({}, tty);
    output.failure(long);
    const lines = said().stderr.trimEnd().split('\n');
    expect(lines).toContain(path);
    for (const line of lines) if (line !== path) expect(line.length).toBeLessThanOrEqual(80);
    expect(lines.join(' ')).toBe(`conclave: ${long.message} hint: ${long.hint ?? ''}`);
  });

  it('results do too, and columns stay where they are', () => {
    const { output, said } = listening({}, { isTTY: true, columns: 40 });
    const text = 'MISSING  the people: still to come, identity of witness-1';
    output.result({}, () => text);
    expect(said().stdout).toBe('MISSING  the people: still to come,\nidentity of witness-1\n');
  });

  it.each([
    ['another stream', { isTTY: false, columns: 80 }, {}],
    ['a terminal of unknown width', { isTTY: true }, {}],
    ['a terminal too narrow for words', { isTTY: true, columns: 10 }, {}],
    ['--json', tty, { json: true }],
  ])('not for %s', (_what, terminal, style) => {
    const { output, said } = listening(style, terminal);
    output.failure(long);
    expect(`${said().stderr}${said().stdout}`).toContain(long.message);
  });
});

describe('results', () => {
  it('carry ok, unless they say it themselves', () => {
    const plain = listening({ json: true });
    expect(plain.output.result({ id: 'x' })).toBe(0);
    expect(plain.said().stdout).toBe('{"ok":true,"id":"x"}\n');
    const verdict = listening({ json: true });
    expect(verdict.output.result({ ok: false, reasons: [] })).toBe(1);
    expect(verdict.said().stdout).toBe('{"ok":false,"reasons":[]}\n');
  });

  it('make way for an artifact on standard output', () => {
    const { output, said } = listening();
    output.artifact(new TextEncoder().encode('artifact'));
    output.result({ location: '-' });
    expect(said()).toEqual({ stdout: 'artifact', stderr: 'location:  -\n' });
  });

  it('are listed where a command does not lay them out', () => {
    const output = {
      keyId: 'a1',
      ok: true,
      tags: [],
      parts: [{ a: 1, b: 'x' }],
      more: { c: null },
    };
    expect(presentPlain(output)).toBe(
      [
        'key id:  a1',
        'ok:      yes',
        'tags:',
        '  none',
        'parts:',
        '  - a:  1',
        '    b:  x',
        'more:',
      ].join('\n'),
    );
  });
});

describe('exit codes', () => {
  it('are listed once each, ascending', () => {
    const codes = exitCodes.map(({ code }) => code);
    expect(codes).toEqual([...new Set(codes)].sort((a, b) => a - b));
  });
});
