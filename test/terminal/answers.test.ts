import { describe, expect, it } from 'vitest';
import { utf8 } from '#formats/bytes';
import { answersTerminal, type GivenAnswers, readPassphrase } from '#terminal/answers';
import { plainTerminal } from '#terminal/plain';

const files: Readonly<Record<string, string>> = { 'a.txt': 'eins\n', 'b.txt': 'zwei\r\n' };

function terminal(answers: GivenAnswers): ReturnType<typeof answersTerminal> {
  return answersTerminal({
    answers,
    name: 'answers.yaml',
    readFile: (path) => utf8(files[path] ?? ''),
    line: () => undefined,
  });
}

const text = async (
  secret: ReturnType<ReturnType<typeof terminal>['secret']>,
): Promise<string | undefined> =>
  (await secret)?.value.use((bytes) => Buffer.from(bytes).toString());

describe('answers from a file', () => {
  it('are graded unattended', async () => {
    const given = terminal({
      'a/b': { confirm: true },
      'a/c': { text: 'yes' },
      'a/d': { choice: 'one' },
      'a/e': { passphraseFile: 'a.txt' },
    });
    expect(given.interactive).toBe(false);
    expect(await given.confirm('?', { key: 'a/b' })).toEqual({ value: true, source: 'unattended' });
    expect(await given.text('?', { key: 'a/c' })).toEqual({ value: 'yes', source: 'unattended' });
    const choices = [{ value: 'one', label: 'One' }];
    expect(await given.choose('?', choices, { key: 'a/d' })).toMatchObject({ value: 'one' });
    expect(await text(given.secret('?', { key: 'a/e' }))).toBe('eins');
    expect(given.unused()).toEqual([]);
  });

  it('answer every time, or question by question', async () => {
    const given = terminal({
      'a/b': { confirm: true },
      'a/c': [{ choice: 'one' }, { text: 'why' }],
      'a/d': { text: 'never asked' },
    });
    for (let i = 0; i < 3; i++) expect((await given.confirm('?', { key: 'a/b' })).value).toBe(true);
    const choices = [{ value: 'one', label: 'One' }];
    await given.choose('?', choices, { key: 'a/c' });
    expect((await given.text('?', { key: 'a/c' })).value).toBe('why');
    await expect(given.text('?', { key: 'a/c' })).rejects.toMatchObject({
      code: 'E_ANSWER_MISSING',
    });
    expect(given.unused()).toEqual(['a/d']);
  });

  it('do not offer the same single secret twice, and a list to its end', async () => {
    const given = terminal({
      'a/b': { passphraseFile: 'a.txt' },
      'a/c': [{ passphraseFile: 'a.txt' }, { passphraseFile: 'b.txt' }],
    });
    expect(await text(given.secret('?', { key: 'a/b', attempt: 1 }))).toBe('eins');
    expect(await given.secret('?', { key: 'a/b', attempt: 2 })).toBeUndefined();
    expect(await text(given.secret('?', { key: 'a/b', attempt: 1 }))).toBe('eins');
    expect(await text(given.secret('?', { key: 'a/c', attempt: 1 }))).toBe('eins');
    expect(await text(given.secret('?', { key: 'a/c', attempt: 2 }))).toBe('zwei');
    expect(await given.secret('?', { key: 'a/c', attempt: 3 })).toBeUndefined();
  });

  it('that are missing or do not fit are named as written in the file', async () => {
    const given = terminal({ 'a/b': { text: 'x' }, 'a/c': { choice: 'two' } });
    await expect(given.confirm('Sure?', { key: 'a/z/Ann' })).rejects.toMatchObject({
      code: 'E_ANSWER_MISSING',
      exitCode: 2,
      message: 'answers.yaml does not answer "a/z/Ann": "Sure?"',
      details: { key: 'a/z/Ann', kind: 'confirm' },
    });
    await expect(given.confirm('?', { key: 'a/b' })).rejects.toMatchObject({
      code: 'E_ANSWER_UNFIT',
    });
    await expect(
      given.choose('?', [{ value: 'one', label: '' }], { key: 'a/c' }),
    ).rejects.toMatchObject({ code: 'E_ANSWER_UNFIT' });
    await expect(given.text('?', { key: 'a/b' }, () => 'too short')).rejects.toThrow('too short');
    await expect(given.secret('?', { key: 'a/b' })).rejects.toMatchObject({
      code: 'E_ANSWER_UNFIT',
    });
    // Names of the object's own nature are no answers.
    await expect(given.confirm('?', { key: 'constructor' })).rejects.toMatchObject({
      code: 'E_ANSWER_MISSING',
    });
  });

  it('read passphrases in NFKC, without one final line end, and wipe what they read', () => {
    const bytes = utf8('ﬁve\n\n');
    const secret = readPassphrase(bytes, 'p.txt');
    expect(secret.use((value) => Buffer.from(value).toString())).toBe('five\n');
    expect(bytes.every((byte) => byte === 0)).toBe(true);
    expect(() => readPassphrase(Uint8Array.of(0xff), 'p.txt')).toThrow('p.txt is not valid UTF-8');
  });
});

describe('where nobody can be asked', () => {
  it('every question is a usage error that says how to answer', async () => {
    const lines: string[] = [];
    const plain = plainTerminal({ line: (each) => lines.push(each) });
    const inCeremony = { key: 'act/step/Ann' };
    for (const asked of [
      plain.confirm('?', inCeremony),
      plain.text('?', inCeremony),
      plain.choose('?', [], inCeremony),
      plain.secret('?', inCeremony),
    ]) {
      await expect(asked).rejects.toMatchObject({
        code: 'E_ANSWER_MISSING',
        exitCode: 2,
        hint: expect.stringContaining(
          'answer "act/step/Ann" in a file given by --answers',
        ) as string,
      });
    }
    await expect(plain.confirm('?', { key: '' })).rejects.toMatchObject({
      hint: expect.stringContaining('option') as string,
    });
    plain.say('word '.repeat(30));
    plain.heading('Heading', 'detail');
    expect(lines.every((each) => each.length <= 80)).toBe(true);
    expect(await plain.progress('x', () => Promise.resolve(7))).toBe(7);
  });
});
