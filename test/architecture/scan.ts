/**
 * Finds every import of a source text with the compiler's own parser, resolves it to a file of the house, and says which
 * ones break the allow-list. Works on texts in memory, so that its own test can show it each forbidden form.
 */
import { posix } from 'node:path';
import { isBuiltin } from 'node:module';
import ts from 'typescript';
import { harmlessNode, roomOf, rooms } from './rooms.js';

/** Source texts by path from the root of the checkout. */
export type Sources = ReadonlyMap<string, string>;

/** One import of one file. */
export interface Import {
  readonly file: string;
  readonly line: number;
  /** As written; `undefined` when it is computed. */
  readonly specifier: string | undefined;
  readonly form: 'import' | 'export' | 'dynamic' | 'type' | 'require' | 'reference' | 'builtin';
  /** Erased by the compiler. */
  readonly typeOnly: boolean;
  /** `export *`. */
  readonly star: boolean;
}

/** A breach of the rules. */
export interface Finding {
  readonly file: string;
  readonly line: number;
  readonly problem: string;
}

/** Every import of one text: static, type-only, dynamic, re-exported, `import("x").T`, `require`, references. */
export function importsOf(file: string, text: string): readonly Import[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.ES2023, true);
  const found: Import[] = [];
  const add = (
    node: ts.Node,
    specifier: ts.Node | string | undefined,
    form: Import['form'],
    typeOnly: boolean,
    star = false,
  ): void => {
    const literal =
      typeof specifier === 'string'
        ? specifier
        : specifier !== undefined && ts.isStringLiteralLike(specifier)
          ? specifier.text
          : undefined;
    const { line } = source.getLineAndCharacterOfPosition(node.getStart(source));
    found.push({ file, line: line + 1, specifier: literal, form, typeOnly, star });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) {
      add(node, node.moduleSpecifier, 'import', importsTypesOnly(node.importClause));
    } else if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined) {
      const { exportClause } = node;
      const named = exportClause !== undefined && ts.isNamedExports(exportClause);
      const typeOnly =
        node.isTypeOnly ||
        (named &&
          exportClause.elements.length > 0 &&
          exportClause.elements.every((element) => element.isTypeOnly));
      add(node, node.moduleSpecifier, 'export', typeOnly, !named);
    } else if (ts.isImportEqualsDeclaration(node)) {
      if (ts.isExternalModuleReference(node.moduleReference)) {
        add(node, node.moduleReference.expression, 'require', node.isTypeOnly);
      }
    } else if (ts.isImportTypeNode(node)) {
      const { argument } = node;
      add(node, ts.isLiteralTypeNode(argument) ? argument.literal : undefined, 'type', true);
    } else if (ts.isCallExpression(node)) {
      const called = node.expression;
      const name = ts.isIdentifier(called)
        ? called.text
        : ts.isPropertyAccessExpression(called)
          ? called.name.text
          : '';
      if (called.kind === ts.SyntaxKind.ImportKeyword) {
        add(node, node.arguments[0], 'dynamic', false);
      } else if (name === 'require' || name === 'createRequire') {
        add(node, node.arguments[0], 'require', false);
      } else if (name === 'getBuiltinModule' || name === 'binding') {
        add(node, node.arguments[0], 'builtin', false);
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  for (const reference of [...source.referencedFiles, ...source.typeReferenceDirectives]) {
    add(source, reference.fileName, 'reference', true);
  }
  return found;
}

function importsTypesOnly(clause: ts.ImportClause | undefined): boolean {
  if (clause === undefined) return false;
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  const bindings = clause.namedBindings;
  return (
    clause.name === undefined &&
    bindings !== undefined &&
    ts.isNamedImports(bindings) &&
    bindings.elements.length > 0 &&
    bindings.elements.every((element) => element.isTypeOnly)
  );
}

/** Where a specifier leads: a file of the house, a package, a module of Node, or nowhere. */
export type Target =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'package'; readonly name: string }
  | { readonly kind: 'node'; readonly name: string }
  | { readonly kind: 'nowhere' };

/**
 * Resolves as the compiler does under the source condition.
 * @param map - the package's `imports`, pattern to source pattern, e.g. `#crypto/*` to `./src/crypto/*.ts`
 */
export function resolve(
  file: string,
  specifier: string,
  sources: Sources,
  map: ReadonlyMap<string, string>,
): Target {
  if (specifier.startsWith('#')) {
    for (const [pattern, target] of map) {
      const prefix = pattern.slice(0, -1);
      if (specifier.startsWith(prefix)) {
        return existing(
          posix.normalize(target.replace('*', specifier.slice(prefix.length))),
          sources,
        );
      }
    }
    return { kind: 'nowhere' };
  }
  if (specifier.startsWith('.') || specifier.startsWith('/') || specifier.startsWith('file:')) {
    const path = posix.normalize(posix.join(posix.dirname(file), specifier));
    // The launcher loads what was built, gathered in few files; the rule is about what it was built from.
    const source = path
      .replace(/^dist\/program\/main\.js$/, 'dist/cli/main.js')
      .replace(/^dist\//, 'src/')
      .replace(/\.js$/, '.ts');
    return sources.has(path) ? { kind: 'file', path } : existing(source, sources);
  }
  if (isBuiltin(specifier)) {
    return { kind: 'node', name: specifier.replace(/^node:/, '').split('/')[0] as string };
  }
  const parts = specifier.split('/');
  return {
    kind: 'package',
    name: parts.slice(0, specifier.startsWith('@') ? 2 : 1).join('/'),
  };
}

function existing(path: string, sources: Sources): Target {
  // The command index is written by the build, and is known by its name before that.
  const known = sources.has(path) || path.endsWith('.generated.ts');
  return known ? { kind: 'file', path } : { kind: 'nowhere' };
}

/** All breaches in a set of sources. */
export function findings(sources: Sources, map: ReadonlyMap<string, string>): readonly Finding[] {
  const out: Finding[] = [];
  const edges = new Map<string, Set<string>>();
  for (const [file, text] of sources) {
    const room = roomOf(file);
    if (room === undefined) {
      out.push({ file, line: 1, problem: 'stands in no room' });
      continue;
    }
    if (posix.basename(file) === 'index.ts') {
      out.push({ file, line: 1, problem: 'is a barrel by name' });
    }
    out.push(...passedOn(file, text, sources, map));
    for (const found of importsOf(file, text)) {
      const problem = breach(room, found, sources, map);
      if (problem !== undefined) out.push({ file, line: found.line, problem });
      if (found.specifier === undefined) continue;
      const target = resolve(file, found.specifier, sources, map);
      const other = target.kind === 'file' ? roomOf(target.path) : undefined;
      if (other !== undefined && family(other) !== family(room)) {
        edges.set(family(room), (edges.get(family(room)) ?? new Set()).add(family(other)));
      }
    }
  }
  const cycle = findCycle(edges);
  if (cycle !== undefined) {
    out.push({ file: 'src', line: 1, problem: `rooms import each other: ${cycle.join(' → ')}` });
  }
  return out;
}

/** The composition root belongs to its room in all but what it may import. */
function family(room: string): string {
  return room === 'cli/main' ? 'cli' : room;
}

function breach(
  room: string,
  found: Import,
  sources: Sources,
  map: ReadonlyMap<string, string>,
): string | undefined {
  const { specifier } = found;
  if (specifier === undefined) return `a computed ${found.form} cannot be checked`;
  if (found.form === 'builtin' || found.form === 'require' || found.form === 'reference') {
    return `"${specifier}" is reached by ${found.form}: write an import`;
  }
  const rule = rooms[room];
  if (rule === undefined) return 'stands in no room';
  const target = resolve(found.file, specifier, sources, map);
  switch (target.kind) {
    case 'nowhere':
      return `"${specifier}" leads nowhere`;
    case 'node':
      if (!specifier.startsWith('node:')) return `"${specifier}" is written without node:`;
      return harmlessNode.includes(target.name) || rule.node?.includes(target.name) === true
        ? undefined
        : `${room} must not import ${specifier}`;
    case 'package': {
      const allowed = rule.packages?.some((name) =>
        name.endsWith('/') ? target.name.startsWith(name) : target.name === name,
      );
      return allowed === true ? undefined : `${room} must not import the package ${target.name}`;
    }
    case 'file':
      return breachOfRoom(room, target.path, found);
  }
}

function breachOfRoom(room: string, path: string, found: Import): string | undefined {
  const other = roomOf(path);
  const rule = rooms[room];
  if (other === undefined || rule === undefined) return `${path} stands in no room`;
  const spelled = found.specifier?.startsWith('#') === true;
  if (family(other) === family(room)) {
    if (spelled) return `"${found.specifier ?? ''}" is the own room: write it relative`;
    return found.star ? 'passes a whole file on (export *)' : undefined;
  }
  if (!spelled && room !== 'bin') {
    return `"${found.specifier ?? ''}" climbs into ${other}: write it with #`;
  }
  if (found.form === 'export') return `passes ${other} on: import it where it is used`;
  if (other === 'formats' && room !== 'bin') return undefined;
  if (rule.rooms.includes(other)) return undefined;
  if (rule.interfaces?.includes(other) === true) {
    return found.typeOnly ? undefined : `${room} may import only types of ${other}`;
  }
  return `${room} must not import ${other} ("${found.specifier ?? ''}")`;
}

/** Names imported from another room and exported again: another spelling of a re-export. */
function passedOn(
  file: string,
  text: string,
  sources: Sources,
  map: ReadonlyMap<string, string>,
): readonly Finding[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.ES2023, true);
  const foreign = new Map<string, string>();
  for (const statement of source.statements) {
    if (!ts.isImportDeclaration(statement)) continue;
    const { importClause, moduleSpecifier } = statement;
    if (importClause === undefined || !ts.isStringLiteral(moduleSpecifier)) continue;
    const target = resolve(file, moduleSpecifier.text, sources, map);
    if (target.kind !== 'file') continue;
    const other = roomOf(target.path);
    if (other === undefined || other === roomOf(file)) continue;
    const bindings = importClause.namedBindings;
    const names = [
      ...(importClause.name === undefined ? [] : [importClause.name.text]),
      ...(bindings === undefined
        ? []
        : ts.isNamespaceImport(bindings)
          ? [bindings.name.text]
          : bindings.elements.map((element) => element.name.text)),
    ];
    for (const name of names) foreign.set(name, other);
  }
  const out: Finding[] = [];
  for (const statement of source.statements) {
    if (!ts.isExportDeclaration(statement) || statement.moduleSpecifier !== undefined) continue;
    const clause = statement.exportClause;
    if (clause === undefined || !ts.isNamedExports(clause)) continue;
    for (const element of clause.elements) {
      const other = foreign.get((element.propertyName ?? element.name).text);
      if (other === undefined) continue;
      const { line } = source.getLineAndCharacterOfPosition(statement.getStart(source));
      out.push({ file, line: line + 1, problem: `passes ${other} on: import it where it is used` });
    }
  }
  return out;
}

/** Rooms of one cycle, if there is any. */
export function findCycle(
  edges: ReadonlyMap<string, ReadonlySet<string>>,
): readonly string[] | undefined {
  const done = new Set<string>();
  const walk = (room: string, path: readonly string[]): readonly string[] | undefined => {
    if (path.includes(room)) return [...path.slice(path.indexOf(room)), room];
    if (done.has(room)) return undefined;
    for (const next of edges.get(room) ?? []) {
      const cycle = walk(next, [...path, room]);
      if (cycle !== undefined) return cycle;
    }
    done.add(room);
    return undefined;
  };
  for (const room of edges.keys()) {
    const cycle = walk(room, []);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}

/** Values of all string literals of a text, with their lines; comments are not literals. */
export function literalsOf(
  file: string,
  text: string,
): readonly { readonly value: string; readonly line: number }[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.ES2023, true);
  const out: { value: string; line: number }[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node)) {
      const { line } = source.getLineAndCharacterOfPosition(node.getStart(source));
      out.push({ value: node.text, line: line + 1 });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return out;
}
