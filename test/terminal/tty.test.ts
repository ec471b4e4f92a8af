/** The real prompts over streams that a test types into. */
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { ttyTerminal } from '#terminal/tty';

interface Desk {
  readonly terminal: ReturnType<typeof ttyTerminal>;
  readonly shown: () => string;
  /** Types once the screen shows the text. */
  type(after: string, keys: string): Promise<void>;
}

function desk(env: Readonly<Record<string, string>> = { NO_COLOR: '1' }, plain = false): Desk {
  const input = new PassThrough();
  const output = Object.assign(new PassThrough(), {
    isTTY: true,
    columns: 80,
    rows: 24,
    cursorTo: () => true,
    clearLine: () => true,
    moveCursor: () => true,
  });
  // Nobody can end a process's own stderr; the prompts try.
  output.end = () => output;
  let shown = '';
  output.on('data', (chunk: Buffer) => (shown += chunk.toString()));
  let read = 0;
  return {
    terminal: ttyTerminal({ input, output, env, plain }),
    shown: () => shown,
    type: async (after, keys) => {
      for (const end = Date.now() + 40_000; !shown.includes(after, read);) {
        if (Date.now() > end) throw new Error(`"${after}" was never shown: ${shown.slice(read)}`);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      read = shown.indexOf(after, read) + after.length;
      await new Promise((resolve) => setTimeout(resolve, 20));
      input.write(keys);
    },
  };
}

describe('a plain terminal', () => {
  it('asks line by line, by number and in words, and draws nothing twice', async () => {
    const { terminal, type, shown } = desk({ TERM: 'xterm-256color' }, true);
    terminal.heading('Act 1\nStep 1', 'A long text.\n'.repeat(40));
    const sure = terminal.confirm('Sure?', { key: 'a/b' });
    await type('Type yes or no:', 'perhaps\r');
    await type('Please type yes or no.', 'yes\r');
    expect((await sure).value).toBe(true);
    const choices = [
      { value: 'a', label: 'first' },
      { value: 'b', label: 'second' },
    ];
    const choice = terminal.choose('Which?', choices, { key: 'a/d' });
    await type('Number, 1 to 2:', '3\r');
    await type('Please type a number from 1 to 2.', '2\r');
    expect((await choice).value).toBe('b');
    const check = (value: string): string | undefined => (value === 'Ann' ? undefined : 'Not her.');
    const name = terminal.text('Name?', { key: 'a/c' }, check);
    await type('Name?', 'Bob\r');
    await type('Not her.', 'Ann\r');
    expect((await name).value).toBe('Ann');
    expect(await terminal.progress('Working', () => Promise.resolve(7))).toBe(7);
    expect(shown()).toContain('1: first\n2: second\n');
    expect(shown()).not.toContain('Working');
    // No colour; the cursor goes nowhere but to the beginning of its own line.
    expect(shown()).not.toMatch(/\u001b\[\d*(?:m|A|B|H|2J)/);
  });

  it('leaves at Ctrl-C', async () => {
    const { terminal, type } = desk({ NO_COLOR: '1' }, true);
    const asked = terminal.text('Name?', { key: 'a/c' });
    const refused = expect(asked).rejects.toMatchObject({ code: 'E_INTERRUPTED', exitCode: 130 });
    await type('Name?', '\u0003');
    await refused;
  });
});

describe('a real terminal', () => {
  it('asks and tells that a person answered', async () => {
    const { terminal, type } = desk();
    const sure = terminal.confirm('Sure?', { key: 'a/b' });
    await type('Sure?', 'y\r');
    expect(await sure).toEqual({ value: true, source: 'person' });
    const unsure = terminal.confirm('Really?', { key: 'a/b' });
    await type('Really?', '\r');
    expect((await unsure).value).toBe(false);
    const name = terminal.text('Name?', { key: 'a/c' }, (value) =>
      value === 'Ann' ? undefined : 'Not her.',
    );
    await type('Name?', 'Bob\r');
    await type('Not her.', '\b\b\b Ann \r');
    expect((await name).value).toBe('Ann');
    const choice = terminal.choose(
      'Which?',
      [
        { value: 'a', label: 'first' },
        { value: 'b', label: 'second' },
      ],
      { key: 'a/d' },
    );
    await type('second', '\u001b[B\r');
    expect((await choice).value).toBe('b');
  });

  it('shows a digest in a question on one line', async () => {
    const { terminal, type, shown } = desk();
    const digest = `sha256:${'5891b5b522d5df08'.repeat(4)}`;
    const sure = terminal.confirm(`Do you mean to sign ${digest}, the digest of 6 bytes?`, {
      key: 'a/b',
    });
    await type('bytes?', 'y\r');
    expect((await sure).value).toBe(true);
    expect(shown()).toContain(`\n  ${digest},\n  the digest of 6 bytes?`);
  });

  it('never shows a secret, and takes nothing for none', async () => {
    const { terminal, type, shown } = desk();
    const secret = terminal.secret('Passphrase?', { key: '' });
    await type('Passphrase?', 'ﬁfteen men\r');
    const answer = await secret;
    expect(answer?.value.use((bytes) => Buffer.from(bytes).toString())).toBe('fifteen men');
    expect(shown()).not.toContain('fteen');
    const none = terminal.secret('Another?', { key: '' });
    await type('Another?', '\r');
    expect(await none).toBeUndefined();
  });

  it('is left as it was by Ctrl-C', async () => {
    const { terminal, type, shown } = desk();
    const asked = terminal.text('Name?', { key: 'a/c' });
    const refused = expect(asked).rejects.toMatchObject({ code: 'E_INTERRUPTED', exitCode: 130 });
    await type('Name?', 'half\u0003');
    await refused;
    expect(shown().lastIndexOf('\u001b[?25h')).toBeGreaterThan(shown().lastIndexOf('\u001b[?25l'));
  });

  it('lets a long screen be read before it asks', async () => {
    const { terminal, type, shown } = desk();
    terminal.heading('Act 1', Array.from({ length: 30 }, (_, i) => `line ${i};`).join('\n'));
    expect(shown()).toContain('line 10;');
    expect(shown()).not.toContain('line 29;');
    const sure = terminal.confirm('Sure?', { key: 'a/b' });
    await type('Press Enter', '\r');
    await type('Sure?', 'y\r');
    expect((await sure).value).toBe(true);
    expect(shown()).toContain('line 29;');
  });

  it('uses no colour where it is not wanted', () => {
    const quiet = desk();
    quiet.terminal.heading('Heading', 'detail');
    expect(quiet.shown()).not.toContain('\u001b[');
    const loud = desk({});
    loud.terminal.heading('Heading', 'detail');
    expect(loud.shown()).toContain('\u001b[1mHeading');
  });

  it('echoes lines as they are typed, and no commands to the terminal that are among them', async () => {
    const { terminal, shown, type } = desk();
    const { lines } = terminal;
    if (lines === undefined) throw new Error('no lines');
    // CSI and OSC as single characters, an escape sequence, a right-to-left override.
    void type('line 01', 'AB\u009b2J\u009d0;x\u0007C\u001b[31mD\u202e\r');
    for await (const line of lines(() => 'line 01')) {
      expect(line.startsWith('AB')).toBe(true);
      break;
    }
    expect(shown()).toContain('AB\ufffd2J\ufffd0;x');
    expect(shown()).not.toMatch(/[\u0080-\u009f\u202e]/);
    expect(shown()).not.toContain('\u001b[31m');
  });

  it('takes a long paste that comes in pieces, cut within a line', async () => {
    const { terminal, type } = desk();
    const { lines } = terminal;
    if (lines === undefined) throw new Error('no lines');
    void type('next', 'line one\rline t').then(() => type('next', 'wo\r'));
    const came: string[] = [];
    for await (const line of lines(() => 'next')) {
      came.push(line);
      if (came.length === 2) break;
    }
    expect(came).toEqual(['line one', 'line two']);
  });

  it('shows work in progress only where things may move, and gives its result', async () => {
    const { terminal, shown } = desk({});
    expect(await terminal.progress('working', () => Promise.resolve(7))).toBe(7);
    expect(shown()).toContain('working');
    const ci = desk({ CI: '1' });
    expect(await ci.terminal.progress('working', () => Promise.resolve(8))).toBe(8);
    expect(ci.shown()).toBe('');
    await expect(
      terminal.progress('failing', () => Promise.reject(new Error('no'))),
    ).rejects.toThrow('no');
  });
});
