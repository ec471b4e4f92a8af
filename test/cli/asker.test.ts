/** Where passphrases come from: files first, then people, then nobody. */
import { describe, expect, it } from 'vitest';
import { createAsker, createPassphraseFiles } from '#cli/asker';
import { SecretBytes } from '#formats/secret-bytes';
import { plainTerminal } from '#terminal/plain';
import type { Terminal } from '#terminal/terminal';

const optionNames = { opening: '--passphrase-file', sealing: '--passphrase-file' };

function asker(files: Readonly<Record<string, string>>, typed?: readonly string[]) {
  const reads: string[] = [];
  const asked: string[] = [];
  const left = [...(typed ?? [])];
  const terminal: Terminal = {
    ...plainTerminal({ line: (line) => asked.push(line) }),
    interactive: true,
    secret: (question) => {
      asked.push(question);
      const answer = left.shift() ?? '';
      const value = SecretBytes.adopt(Buffer.from(answer), 'passphrase');
      return Promise.resolve(answer === '' ? undefined : { value, source: 'person' });
    },
  };
  const it = createAsker({
    passphraseFiles: Object.keys(files),
    noPassphrase: false,
    optionNames,
    files: createPassphraseFiles((path) => {
      reads.push(path);
      return new Uint8Array(Buffer.from(files[path] ?? ''));
    }),
    terminal: typed === undefined ? undefined : () => Promise.resolve(terminal),
  });
  return { ask: it, reads, asked };
}

const textOf = (secret: SecretBytes | undefined): string | undefined =>
  secret?.use((bytes) => Buffer.from(bytes).toString());

describe('passphrase files', () => {
  it.each([
    ['one final LF', 'secret\n', 'secret'],
    ['one final CRLF', 'secret\r\n', 'secret'],
    ['only one of two', 'secret\n\n', 'secret\n'],
    ['no spaces', ' secret \t\n', ' secret \t'],
    ['nothing when there is none', 'secret', 'secret'],
    ['their spelling, for form NFKC', 'ﬁle\u0301', 'fil\u00e9'],
  ])('lose %s', async (_, content, passphrase) => {
    const { ask } = asker({ f: content });
    expect(textOf(await ask.passphrase({ opens: 'x', attempt: 0 }))).toBe(passphrase);
  });

  it('are tried in turn, each read once, for everything that is opened', async () => {
    const { ask, reads } = asker({ a: 'one', b: 'two' });
    for (const opens of ['x', 'y']) {
      expect(textOf(await ask.passphrase({ opens, attempt: 0 }))).toBe('one');
      expect(textOf(await ask.passphrase({ opens, attempt: 1 }))).toBe('two');
      expect(await ask.passphrase({ opens, attempt: 2 })).toBeUndefined();
    }
    expect(reads).toEqual(['a', 'b']);
  });

  it('must not be empty, nor anything but text, for something new', async () => {
    await expect(asker({ a: '\n' }).ask.newPassphrase({ seals: 'x' })).rejects.toMatchObject({
      code: 'E_PASSPHRASE_EMPTY',
      exitCode: 2,
    });
  });
});

describe('people', () => {
  it('have three tries', async () => {
    const { ask } = asker({}, ['one', 'two', 'three', 'four']);
    for (const attempt of [0, 1, 2]) {
      expect(await ask.passphrase({ opens: 'x', attempt })).toBeDefined();
    }
    expect(await ask.passphrase({ opens: 'x', attempt: 3 })).toBeUndefined();
  });

  it('type a new passphrase twice, and never an empty one', async () => {
    const { ask, asked } = asker({}, ['', 'one', 'other', 'right', 'right', 'right', 'right']);
    expect(textOf(await ask.newPassphrase({ seals: 'the key' }))).toBe('right');
    expect(asked.join('\n')).toMatch(/protects nothing[^]*differ/);
  });

  it('are told once that a passphrase is weak, and may insist', async () => {
    const strong = 'marble orchid tundra velvet sparrow lantern';
    const better = asker({}, ['right', 'right', strong, strong]);
    expect(textOf(await better.ask.newPassphrase({ seals: 'the key' }))).toBe(strong);
    expect(better.asked.join('\n')).toMatch(/That passphrase is weak: about \d+ bits/);
    const fine = asker({}, [strong, strong]);
    expect(textOf(await fine.ask.newPassphrase({ seals: 'the key' }))).toBe(strong);
    expect(fine.asked.join('\n')).not.toContain('weak');
    // A PIN is short by nature, and its token counts the attempts.
    const pin = await asker({}, ['1234', '1234']).ask.newPin?.({ what: 'the token' });
    expect(textOf(pin)).toBe('1234');
  });
});

describe('nobody', () => {
  it('is asked: the option is named instead', async () => {
    const { ask } = asker({});
    const refusal = { exitCode: 2, hint: 'give it by --passphrase-file' };
    await expect(ask.passphrase({ opens: 'x', attempt: 0 })).rejects.toMatchObject(refusal);
    await expect(ask.newPassphrase({ seals: 'x' })).rejects.toMatchObject(refusal);
    expect(await ask.confirm('really?')).toBeUndefined();
  });
});
