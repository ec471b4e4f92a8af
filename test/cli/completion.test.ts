/** Completion scripts, tried in the shells themselves where they are installed. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { pagesFromCode } from '#cli/catalogue';
import { completionScript } from '#cli/completion';
import { hasProgram, needs } from '../support/require.js';

const folder = mkdtempSync(join(tmpdir(), 'conclave-completion-'));
const script = (shell: string): string => join(folder, shell);

beforeAll(async () => {
  const pages = await pagesFromCode();
  for (const shell of ['bash', 'zsh', 'fish'] as const) {
    writeFileSync(script(shell), completionScript(shell, pages));
  }
});

describe.skipIf(!needs('bash', hasProgram('bash'), 'completion is tried in it'))('bash', () => {
  const complete = (...words: string[]): string[] => {
    const typed = ['conclave', ...words];
    const array = typed.map((word) => `'${word}'`).join(' ');
    const program = `source ${script('bash')}; COMP_WORDS=(${array}); COMP_CWORD=${typed.length - 1}; _conclave; printf '%s\\n' "\${COMPREPLY[@]}"`;
    return execFileSync('bash', ['-c', program], { encoding: 'utf8' }).split('\n').filter(Boolean);
  };

  it('completes first words, verbs, options and choices', () => {
    expect(complete('ve')).toEqual(['verify']);
    expect(complete('help', 'x', '--js')).toEqual(['--json']);
    expect(complete('verify', '--allow')).toEqual(['--allow-unpinned']);
    expect(complete('--home', 'x', 'doc')).toEqual(['doctor']);
  });
});

describe.skipIf(!needs('zsh', hasProgram('zsh'), 'completion is tried in it'))('zsh', () => {
  it('parses the script', () => {
    execFileSync('zsh', ['-n', script('zsh')]);
  });
});

describe.skipIf(!needs('fish', hasProgram('fish'), 'completion is tried in it'))('fish', () => {
  it('completes first words and options', () => {
    const program = `source ${script('fish')}; complete -C 'conclave verify --allow'`;
    const out = execFileSync('fish', ['-c', program], { encoding: 'utf8' });
    expect(out).toContain('--allow-unpinned');
  });
});
