/**
 * The acceptance test of the linter: every reference, role, type, quorum, effect and name of every shipped definition is
 * changed, one at a time, and each change must be found, with the right line. The few that by intent are not faults are
 * listed here, each with its reason.
 */
import { LineCounter, parseDocument, visit, isScalar, type Scalar } from 'yaml';
import { beforeAll, describe, expect, it } from 'vitest';
import { InputError } from '#formats/errors';
import type { Finding } from '#script/lint';
import { type ParsedDefinition, parseDefinition } from '#script/parse';
import { spread } from '../support/require.js';
import { BRANCHED } from './branched.js';
import { parsedLinter, shipped, shippedNames } from './catalogue.js';
import { Rereader } from './reread.js';

interface Mutation {
  readonly name: string;
  /** Offsets of what is replaced. */
  readonly from: number;
  readonly to: number;
  readonly by: string;
  readonly line: number;
  readonly path: string;
  /** A name that cannot exist: it must be found at its very line. */
  readonly misspelt: boolean;
}

/** Changes that are other sound definitions, not faults: `path old -> new`. */
const BY_INTENT: readonly { readonly what: RegExp; readonly why: string }[] = [
  {
    what: /\.id (air-gap|print|print-text|read-card|read-share|new-root|prove|verify|wipe|administrator|witness|witnesses|presence|definition-digest|execution-digest|isolation|fingerprint|handover|acknowledge|consent|root|check|destroy|witnessed|connected|look-first|look-second|verify-first|verify-second|take-away|opened-bag|custody|outcome|counted|emergency|owed|next|hand-shares|pause|container-digest|carry|carry-challenge|carry-statement|carried|program|shred|remains|digest|approve|signed-digest|second-device|arrived|erase|erased|terms|compare|accept|round-[1-4]|record|same-record|keep|close|parties|end|signers|twin|enrol|kept|members) -> /,
    why: 'the name of a step that no other step refers to is free',
  },
  {
    what: /\.id (?:twice|compare|lamp|shade) -> /,
    why: 'of the example of branches, the same',
  },
  {
    what: /^after\[\d+\]\.duty steps\.(?:way|day)\.answer -> (?:session|parameters|steps|materials)\./,
    why: 'what a duty tells of what was found is for people to say',
  },
  {
    what: /^after\[\d+\]\.branch mend\.(?:then|else) -> mend\.(?:then|else)$/,
    why: 'on which way a duty is owed that tells of nothing on it, only people know',
  },
  {
    what: /parameters\.[a-z0-9-]+\.default (?:(?:old|medium)\/|set\.json|payload\.bin)/,
    why: 'where a file from outside lies is for the site to say',
  },
  {
    what: /\.uses airgap\.check -> share\.check$/,
    why: 'probes are required of the session itself; a step that checks shares and is given none asks for cards',
  },
  {
    what: /\.with\.key steps\.generate\.public -> steps\.generate\.key$/,
    why: 'a signature is verified by the public side, which file and reference name alike',
  },
  {
    what: /^parameters\.(public-key|signature|inbox|keys|memory)\.type path -> string$/,
    why: 'a place for a file may be given as text',
  },
  {
    what: /\.with\.bound parameters\.bound -> parameters\.proven$/,
    why: 'which of two switches an input takes is for people to read on paper',
  },
  {
    what: /^parameters\.name\.(default imported|type string) -> (importedx|path)$/,
    why: 'under which name a key goes into a token is for the site to say, and a place is text too',
  },
];

/** In dev ceremonies nobody relies on who signed. */
const DEV_ONLY = /^roles\.(administrator|witness)\.identity required -> optional$/;

let lintParsed: (parsed: ParsedDefinition) => readonly Finding[];
beforeAll(async () => {
  lintParsed = await parsedLinter();
});

const HUMAN = ['confirm', 'ask', 'read-back', 'handover', 'seal', 'pause', 'sign-off'];
const TYPES = ['string', 'integer', 'boolean', 'algorithm', 'path'];
const EFFECTS = ['none', 'repeatable', 'irreversible'];

/** Every change of every kind. */
function mutationsOf(text: string): readonly Mutation[] {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const data = document.toJS() as {
    roles: Record<string, unknown>;
    quorums: Record<string, unknown>;
    acts: { steps: { uses?: string }[] }[];
  };
  const roles = Object.keys(data.roles);
  const actions = new Set(
    data.acts.flatMap(({ steps }) => steps.map(({ uses }) => uses ?? 'sign')),
  );
  const references = new Set(
    [...text.matchAll(/\$\{\{ ([a-z0-9.-]+) \}\}/g)].map((m) => m[1] ?? ''),
  );
  const out: Mutation[] = [];
  const add = (path: string, from: number, to: number, by: string, misspelt = false): void => {
    const old = text.slice(from, to);
    if (old === by) return;
    const { line } = lines.linePos(from);
    out.push({ name: `${path} ${old} -> ${by}`, from, to, by, line, path, misspelt });
  };
  const whole = (path: string, node: Scalar, values: Iterable<string>): void => {
    const [from, to] = node.range ?? [0, 0];
    for (const value of values) add(path, from, to, value);
  };
  visit(document, {
    Scalar(key, node, ancestors) {
      const path = pathOf(ancestors, node);
      const [from = 0, to = 0] = node.range ?? [];
      const source = text.slice(from, to);
      if (key === 'key') {
        if (/^(roles|quorums|parameters|materials|branches)\.[a-z-]+$/.test(path))
          add(path, from, to, `${source}-x`);
        return;
      }
      for (const match of source.matchAll(/\$\{\{ ([a-z0-9.-]+) \}\}/g)) {
        const at = from + match.index + 4;
        const reference = match[1] ?? '';
        const names = reference.split('.');
        names.forEach((_, i) =>
          add(
            path,
            at,
            at + reference.length,
            names.map((name, j) => (i === j ? `${name}x` : name)).join('.'),
            true,
          ),
        );
        for (const other of references) add(path, at, at + reference.length, other);
      }
      if (/\.(by|each|of|custodians|compared-by)$|\.distinct-from\[\d+\]$/.test(path))
        whole(path, node, [...roles, `${source}x`]);
      if (/^parameters\.[a-z-]+\.type$/.test(path)) whole(path, node, [...TYPES, 'key']);
      if (/\.uses$/.test(path)) whole(path, node, [...actions, `${source}x`]);
      if (/\.branch$/.test(path)) {
        const [name = '', side] = source.split('.');
        add(path, from, to, `${name}.${side === 'then' ? 'else' : 'then'}`);
        add(path, from, to, `${name}x.${side ?? ''}`, true);
      }
      if (/\.on-failure$/.test(path) && source.includes(' '))
        add(path, from, to, `${source}x`, true);
      if (/^branches\.[a-z-]+\.when$/.test(path)) {
        for (const match of source.matchAll(/(?:steps|parameters)\.[a-z.-]+|'[a-z]+'/g)) {
          const end = from + match.index + match[0].length;
          const place = match[0].endsWith("'") ? end - 1 : end;
          add(path, place, place, 'x', true);
        }
      }
      if (/\.do$/.test(path)) whole(path, node, [...HUMAN, `${source}x`]);
      if (/\.effect$/.test(path)) whole(path, node, EFFECTS);
      if (
        /^quorums\.[a-z-]+\.(threshold|shares)$/.test(path) ||
        /^roles\.custodian\.count$/.test(path)
      )
        for (const number of [0, 1, 2, 3, 4, 5, 6, 7]) add(path, from, to, String(number));
      if (/steps\[\d+\]\.id$/.test(path)) add(path, from, to, `${source}-x`);
      if (/^environment\.require\[/.test(path)) add(path, from, to, `${source}x`);
      if (/^parameters\.[a-z-]+\.default$/.test(path)) add(path, from, to, `${source}x`);
      if (/^classification$/.test(path)) whole(path, node, ['production', 'dev', 'rehearsal']);
      if (/^roles\.(administrator|witness)\.identity$/.test(path))
        whole(path, node, ['optional', 'none']);
    },
  });
  return out;
}

function pathOf(ancestors: readonly unknown[], node: unknown): string {
  let path = '';
  const chain = [...ancestors, node];
  for (const [i, at] of chain.entries()) {
    const next = chain[i + 1] as { key?: unknown; value?: unknown } | undefined;
    const { items } = at as { items?: readonly unknown[] };
    if (items === undefined || next === undefined) continue;
    if (next.key !== undefined && isScalar(next.key)) {
      path += `${path === '' ? '' : '.'}${String(next.key.value)}`;
    } else path += `[${items.indexOf(next)}]`;
  }
  return path;
}

interface Found {
  readonly line: number;
  readonly path: string;
  readonly message: string;
  readonly rule: string;
}

function findings(read: () => ParsedDefinition): readonly Found[] {
  try {
    return lintParsed(read());
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    const line = Number(error.details?.['line']);
    return [{ line, path: '', message: error.message, rule: 'malformed' }];
  }
}

/** The step, role, quorum, parameter or material that a path lies in. */
function owner(path: string): string {
  return /^(?:acts\[\d+\]\.steps\[\d+\]|[a-z]+\.[a-z-]+|[a-z]+)/.exec(path)?.[0] ?? path;
}

/**
 * Rules that say that something is missing. Which line should have had it they cannot know, so they point at what lacks it.
 */
const MISSING =
  /^(secret-|change-|drill-|recovery-|threshold-|container-|import-unverified|branch-empty|branch-unheard|duty-unheard|share-read-back|root-read-back|serial-untold|signature-|share-handover|digest-read-back|key-read-back|trace-un|trace-set|trace-twin|trace-keys|code-un|sign-off-missing|role-missing|probe-missing)/;

/** Whether a finding leads to the change: same line, same step or declaration, or it names what was changed. */
function leadsTo(found: Found, mutation: Mutation, old: string): boolean {
  return (
    found.line === mutation.line ||
    owner(found.path) === owner(mutation.path) ||
    MISSING.test(found.rule) ||
    found.message.includes(`"${old}"`) ||
    // What was referred to before is left over, or what is referred to no longer fits where it is used.
    (found.rule === 'unused' &&
      found.message.includes(old.replace(/^(?:parameters|materials)\./, ' '))) ||
    // Where no quorum counts the holders, what is handed to each of them does; an answer of each is no answer of one.
    (found.rule === 'material-count' && /^roles\.[a-z-]+\.count$/.test(mutation.path)) ||
    (found.rule === 'condition-type' && mutation.path.endsWith('.each')) ||
    (found.rule === 'input-type' && /^parameters\.[a-z0-9-]+\.type$/.test(mutation.path))
  );
}

/** The example of branches, with failures that lead anywhere; no shipped ceremony has all of it. */
const EXAMPLE = 'branched';

/** The same steps with the same references as `threshold-repair`, in other words: test/script/shipped.test.ts holds them to it. */
const ALIKE = ['threshold-refresh', 'threshold-reshare', 'threshold-enrol'];
const distinct = shippedNames.filter((name) => !ALIKE.includes(name));

describe.each([...distinct, EXAMPLE])('every change of %s', (name) => {
  it('is found, and the finding leads to it', { timeout: 300_000 }, () => {
    const text = name === EXAMPLE ? BRANCHED : shipped(`${name}.yaml`);
    const mutations = mutationsOf(text);
    const missed: string[] = [];
    const misplaced: string[] = [];
    // Of changes that are faults: those that are found, and those found at the very line.
    let faults = 0;
    let exact = 0;
    const definition = new Rereader(text);
    for (const mutation of mutations) {
      const { from, to, by, line, name: what, misspelt } = mutation;
      const found = findings(() => definition.replaced(from, to, by));
      const atLine = found.some((finding) => finding.line === line);
      if (BY_INTENT.some((it) => it.what.test(what))) continue;
      if (text.includes('classification: dev') && DEV_ONLY.test(what)) continue;
      faults++;
      if (atLine) exact++;
      const leads = found.some((it) => leadsTo(it, mutation, text.slice(from, to)));
      if (found.length === 0) missed.push(`${line}: ${what}`);
      else if (misspelt ? !atLine : !leads)
        misplaced.push(
          `${line}: ${what}: ${found.map((f) => `${f.line} ${f.message}`).join(' | ')}`,
        );
    }
    // What is read in part is what the whole would be read as.
    for (const { from, to, by } of spread(mutations, 15)) {
      const changed = Buffer.from(text.slice(0, from) + by + text.slice(to));
      expect(findings(() => definition.replaced(from, to, by))).toEqual(
        findings(() => parseDefinition(changed, 'definition.yaml')),
      );
    }
    expect(missed).toEqual([]);
    expect(misplaced).toEqual([]);
    expect(mutations.length).toBeGreaterThan(name === EXAMPLE ? 60 : 180);
    expect(exact / faults).toBeGreaterThan(0.8);
  });
});
