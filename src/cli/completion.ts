/** `conclave completion`: a script for the shell, made from the pages. Static on purpose: pressing Tab starts no program. */
import { defineBuiltIn } from './built-in.js';
import { GLOBAL_OPTIONS } from './help.js';
import type { CommandPage, OptionPage } from './page.js';

/** The command `completion`. */
export const completion = defineBuiltIn({
  id: 'completion',
  summary: 'print a completion script for bash, zsh or fish',
  description:
    'Prints a script that teaches the shell the words, options and choices of every command. ' +
    'The script is complete in itself; make it anew after an update.',
  inputs: {
    shell: {
      type: 'string',
      summary: 'the shell',
      required: true,
      positional: 0,
      placeholder: 'bash|zsh|fish',
      choices: ['bash', 'zsh', 'fish'],
    },
  },
  outputs: { script: { type: 'string', summary: 'the script' } },
  effect: 'none',
  only: 'cli',
  examples: [
    {
      command: 'conclave completion bash > ~/.local/share/bash-completion/completions/conclave',
      explains: 'for bash, from the next shell on',
    },
    {
      command: 'conclave completion zsh > ~/.zsh/completions/_conclave',
      explains: 'for zsh, in a folder that is in its fpath',
    },
    {
      command: 'conclave completion fish > ~/.config/fish/completions/conclave.fish',
      explains: 'for fish',
    },
  ],
  async run({ shell }, { pages }) {
    return { script: completionScript(shell as Shell, await pages()) };
  },
  present: (output) => output.script.trimEnd(),
});

/** A shell that completion is made for. */
export type Shell = 'bash' | 'zsh' | 'fish';

/** The script for one shell. */
export function completionScript(shell: Shell, pages: readonly CommandPage[]): string {
  if (shell === 'fish') return fishScript(pages);
  return shell === 'bash' ? bashScript(pages) : zshScript(pages);
}

const globals = GLOBAL_OPTIONS.map(({ flag }) => flag.split(' ')[0] as string);

/** Option values that are files on disk. */
const FILES = new Set(['file', 'path', 'key', 'public-key', 'share-set', 'shares']);

function firstWords(pages: readonly CommandPage[]): readonly string[] {
  return [...new Set(pages.map(({ words }) => words[0] as string))].sort();
}

function verbs(pages: readonly CommandPage[], group: string): readonly CommandPage[] {
  return pages.filter(({ words }) => words.length > 1 && words[0] === group);
}

function groupsOf(pages: readonly CommandPage[]): readonly string[] {
  return firstWords(pages).filter((word) => verbs(pages, word).length > 0);
}

function withChoices(page: CommandPage): readonly OptionPage[] {
  return page.options.filter(({ choices }) => choices !== undefined);
}

/** Shared by bash and zsh: `words` of a command in, candidates out; file names are the fallback. */
function caseTable(pages: readonly CommandPage[]): readonly string[] {
  return [
    '  case "$command" in',
    `    "") candidates="${firstWords(pages).join(' ')} --version ${globals.join(' ')}" ;;`,
    ...groupsOf(pages).map((group) => {
      const names = verbs(pages, group).map(({ words }) => words[1] as string);
      return `    "${group}") candidates="${names.join(' ')}" ;;`;
    }),
    ...pages.flatMap((page) => {
      const flags = [...page.options.map(({ flag }) => flag), ...globals].join(' ');
      const choices = withChoices(page).map(
        (option) =>
          `        ${option.flag}) candidates="${(option.choices ?? []).join(' ')}"; return ;;`,
      );
      return [
        `    "${page.words.join(' ')}")`,
        ...(choices.length === 0 ? [] : ['      case "$previous" in', ...choices, '      esac']),
        `      candidates="${flags}" ;;`,
      ];
    }),
    '  esac',
  ];
}

function commandFinder(pages: readonly CommandPage[]): readonly string[] {
  return [
    '  local word command="" skip=""',
    '  for word in "$@"; do',
    '    if [ -n "$skip" ]; then skip=""; continue; fi',
    '    case "$word" in',
    '      --home) skip=1; continue ;;',
    '      -*) continue ;;',
    '    esac',
    '    case "$command" in',
    '      "") command="$word" ;;',
    `      ${groupsOf(pages).join('|')}) command="$command $word" ;;`,
    '      *) break ;;',
    '    esac',
    '  done',
  ];
}

function bashScript(pages: readonly CommandPage[]): string {
  return [
    '# bash completion for conclave; written by: conclave completion bash',
    '_conclave_candidates() {',
    '  local previous="$1"; shift',
    ...commandFinder(pages),
    ...caseTable(pages),
    '}',
    '_conclave() {',
    '  local candidates="" current="${COMP_WORDS[COMP_CWORD]}"',
    '  _conclave_candidates "${COMP_WORDS[COMP_CWORD-1]}" "${COMP_WORDS[@]:1:COMP_CWORD-1}"',
    '  COMPREPLY=($(compgen -W "$candidates" -- "$current"))',
    '}',
    'complete -o default -F _conclave conclave',
    '',
  ].join('\n');
}

function zshScript(pages: readonly CommandPage[]): string {
  return [
    '#compdef conclave',
    '# zsh completion for conclave; written by: conclave completion zsh',
    '_conclave_candidates() {',
    '  local previous="$1"; shift',
    ...commandFinder(pages),
    ...caseTable(pages),
    '}',
    '_conclave() {',
    '  local candidates=""',
    '  _conclave_candidates "${words[CURRENT-1]}" "${(@)words[2,CURRENT-1]}"',
    '  compadd -- ${=candidates}',
    '  [[ "${words[CURRENT]}" == -* || -z "$candidates" || "$candidates" == --* ]] && _files',
    '}',
    'if [ "$funcstack[1]" = "_conclave" ]; then _conclave "$@"; else compdef _conclave conclave; fi',
    '',
  ].join('\n');
}

function fishScript(pages: readonly CommandPage[]): string {
  const quote = (text: string): string =>
    `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  const groups = groupsOf(pages);
  const first = firstWords(pages).map((word) => {
    const page = pages.find(({ words }) => words.length === 1 && words[0] === word);
    const summary =
      page?.summary ??
      `${groups.includes(word) ? 'commands: ' : ''}${verbs(pages, word)
        .map(({ words }) => words[1])
        .join(', ')}`;
    return `complete -c conclave -n __fish_use_subcommand -a ${word} -d ${quote(summary)}`;
  });
  const second = groups.flatMap((group) => {
    const names = verbs(pages, group).map(({ words }) => words[1] as string);
    const unseen = `__fish_seen_subcommand_from ${group}; and not __fish_seen_subcommand_from ${names.join(' ')}`;
    return verbs(pages, group).map(
      (page) =>
        `complete -c conclave -f -n ${quote(unseen)} -a ${page.words[1] as string} -d ${quote(page.summary)}`,
    );
  });
  const options = pages.flatMap((page) => {
    const seen = page.words.map((word) => `__fish_seen_subcommand_from ${word}`).join('; and ');
    return page.options.map((option) => {
      const value =
        option.value === undefined
          ? ''
          : option.choices !== undefined
            ? ` -x -a ${quote(option.choices.join(' '))}`
            : FILES.has(option.type)
              ? ' -r -F'
              : ' -x';
      return `complete -c conclave -n ${quote(seen)} -l ${option.flag.slice(2)}${value} -d ${quote(option.summary)}`;
    });
  });
  return [
    '# fish completion for conclave; written by: conclave completion fish',
    'complete -c conclave -e',
    ...first,
    ...second,
    ...options,
    ...globals.map((flag) => `complete -c conclave -l ${flag.slice(2)}`),
    '',
  ].join('\n');
}
