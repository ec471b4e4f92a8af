/**
 * Strict YAML 1.2 (core schema) to plain data with positions. What can hide or surprise is refused: anchors, aliases, tags,
 * merge keys, directives, several documents, duplicate keys, other spellings of numbers and truth, invisible characters.
 */
import {
  Composer,
  type CST,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  Parser,
} from 'yaml';
import { fromUtf8 } from '#formats/bytes';
import type { Json } from '#formats/canonical-json';
import { type ErrorCode, InputError } from '#formats/errors';
import type { Positions } from './definition.js';

const MAX_BYTES = 256 * 1024;
const MAX_DEPTH = 24;
const MAX_NODES = 20_000;

/** Controls (but not the line feed), and characters that reorder or hide text on a screen. */
const UNPRINTABLE =
  /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/;

/** A place in a file, counted from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** A parsed file: plain data and where each part of it stands. */
export interface Source {
  readonly name: string;
  readonly value: Json;
  readonly positions: SourcePositions;
}

/** Positions that also know where keys stand. */
export interface SourcePositions extends Positions {
  /** Where the key of a member stands. */
  key(path: string): Place;
}

/** Path of a member or item below a parent path. */
export function below(parent: string, segment: string | number): string {
  if (typeof segment === 'number') return `${parent}[${segment}]`;
  return parent === '' ? segment : `${parent}.${segment}`;
}

/** An error that starts with file, line and column. */
export function errorAt(
  name: string,
  place: Place,
  code: ErrorCode,
  message: string,
  hint?: string,
): InputError {
  return new InputError({
    code,
    message: `${name}:${place.line}:${place.column}: ${message}`,
    ...(hint === undefined ? {} : { hint }),
    details: { file: name, line: place.line, column: place.column },
  });
}

/**
 * Strictly parsed YAML.
 * @param name - how errors name the file, as the operator typed it
 * @throws InputError `E_YAML_TOO_LARGE`, `E_YAML_MALFORMED`, `E_UTF8_MALFORMED`
 * @see YAML 1.2.2 §10.3
 */
export function readYaml(bytes: Uint8Array, name: string): Source {
  if (bytes.length > MAX_BYTES) {
    throw new InputError({
      code: 'E_YAML_TOO_LARGE',
      message: `${name} is longer than ${MAX_BYTES} bytes`,
    });
  }
  return new Reader(fromUtf8(bytes, name), name).read();
}

interface Spot {
  readonly value: number;
  readonly key: number;
  /** Gives the offset in the file of a character of the text; absent where the two are not alike (folds, escapes). */
  readonly text?: (offset: number) => number;
}

class Reader implements SourcePositions {
  readonly #lines = new LineCounter();
  readonly #spots = new Map<string, Spot>();
  readonly #text: string;
  readonly #name: string;
  #nodes = 0;

  constructor(text: string, name: string) {
    this.#text = text;
    this.#name = name;
  }

  read(): Source {
    const hidden = UNPRINTABLE.exec(this.#text.replaceAll('\r\n', ' \n'));
    const tokens: CST.Token[] = [];
    for (const token of new Parser(this.#lines.addNewLine).parse(this.#text)) {
      this.#assertShallow(token);
      tokens.push(token);
    }
    if (hidden !== null) {
      const code = hidden[0].charCodeAt(0).toString(16).padStart(4, '0').toUpperCase();
      throw this.#malformed(hidden.index, `the character U+${code} is not allowed`);
    }
    const composer = new Composer({
      version: '1.2',
      schema: 'core',
      strict: true,
      uniqueKeys: true,
      merge: false,
      stringKeys: false,
      keepSourceTokens: false,
      logLevel: 'silent',
    });
    const documents = [...composer.compose(tokens, true, this.#text.length)];
    const [document, second] = documents;
    if (document === undefined) throw this.#malformed(0, 'the file is empty');
    const problem = document.errors[0] ?? document.warnings[0];
    if (problem !== undefined) {
      throw this.#malformed(problem.pos[0], lowerFirst(problem.message.split('\n')[0] ?? ''));
    }
    if (second !== undefined) {
      throw this.#malformed(second.range[0], 'only one document is allowed in a file');
    }
    if (document.directives.yaml.explicit === true || /^%/m.test(this.#text)) {
      const at = this.#text.search(/^%/m);
      throw this.#malformed(Math.max(at, 0), 'directives are not allowed');
    }
    if (document.contents === null) throw this.#malformed(0, 'the file is empty');
    return {
      name: this.#name,
      value: this.#convert(document.contents, '', undefined),
      positions: this,
    };
  }

  at(path: string, offset = 0): Place {
    const spot = this.#find(path);
    return this.#place(spot.text?.(offset) ?? spot.value);
  }

  key(path: string): Place {
    return this.#place(this.#find(path).key);
  }

  /** The spot of a path, or of its nearest parent that exists. */
  #find(path: string): Spot {
    for (let at = path; ; at = at.replace(/(?:\.|^)[^.[\]]*$|\[\d+\]$/, '')) {
      const spot = this.#spots.get(at);
      if (spot !== undefined) return spot;
      if (at === '') return { value: 0, key: 0 };
    }
  }

  #place(offset: number): Place {
    const { line, col } = this.#lines.linePos(Math.min(offset, this.#text.length));
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  }

  #malformed(offset: number, problem: string): InputError {
    return errorAt(this.#name, this.#place(offset), 'E_YAML_MALFORMED', problem);
  }

  /** The composer recurses: nesting is measured on its input first, without recursion. */
  #assertShallow(root: CST.Token): void {
    const stack: { readonly token: unknown; readonly depth: number }[] = [
      { token: root, depth: 0 },
    ];
    for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
      const { token, depth } = top;
      if (typeof token !== 'object' || token === null) continue;
      // A collection sits in an item that sits in a collection: two levels of tokens per level of nesting.
      if (depth > 2 * MAX_DEPTH) {
        const { offset } = token as { offset?: number };
        throw this.#malformed(offset ?? 0, `nesting is deeper than ${MAX_DEPTH} levels`);
      }
      const children = token as { items?: unknown[]; key?: unknown; value?: unknown };
      for (const item of children.items ?? []) stack.push({ token: item, depth: depth + 1 });
      stack.push({ token: children.key, depth: depth + 1 });
      stack.push({ token: children.value, depth: depth + 1 });
    }
  }

  #convert(node: Node, path: string, keyOffset: number | undefined): Json {
    const start = node.range?.[0] ?? 0;
    if (++this.#nodes > MAX_NODES) throw this.#malformed(start, 'the file has too many parts');
    if (isAlias(node)) throw this.#malformed(start, 'aliases are not allowed');
    if (node.anchor !== undefined) throw this.#malformed(start, 'anchors are not allowed');
    if (node.tag !== undefined) throw this.#malformed(start, 'tags are not allowed');
    const text = isScalar(node) ? this.#textOffsets(node) : undefined;
    this.#spots.set(path, {
      // A collection begins where its key says so, not at its first member.
      value: isScalar(node) ? start : (keyOffset ?? start),
      key: keyOffset ?? start,
      ...(text === undefined ? {} : { text }),
    });
    if (isScalar(node)) return this.#scalar(node.value, node.source, start);
    if (isSeq(node)) {
      return node.items.map((item, i) => {
        if (item === null) throw this.#malformed(start, 'an item is empty');
        return this.#convert(item as Node, below(path, i), undefined);
      });
    }
    if (isMap(node)) {
      const out: Record<string, Json> = {};
      for (const pair of node.items) {
        const key = pair.key as Node;
        const at = key.range?.[0] ?? start;
        if (!isScalar(key) || typeof key.value !== 'string')
          throw this.#malformed(at, 'a key must be plain text');
        if (key.anchor !== undefined || key.tag !== undefined)
          throw this.#malformed(at, 'anchors and tags are not allowed');
        if (key.value === '<<') throw this.#malformed(at, 'merge keys are not allowed');
        if (key.value === '__proto__' || key.value === '')
          throw this.#malformed(at, `the key ${JSON.stringify(key.value)} is not allowed`);
        if (pair.value === null) throw this.#malformed(at, `${key.value} has no value`);
        out[key.value] = this.#convert(pair.value as Node, below(path, key.value), at);
      }
      return out;
    }
    throw this.#malformed(start, 'this is neither text nor list nor map');
  }

  #scalar(value: unknown, source: string | undefined, start: number): Json {
    if (typeof value === 'string') {
      // Escapes in double quotes can spell what the text itself may not hold.
      if (UNPRINTABLE.test(value))
        throw this.#malformed(start, 'a control or invisible character is not allowed');
      if (/\p{Surrogate}/u.test(value))
        throw this.#malformed(start, 'a lone surrogate is not allowed');
      return value;
    }
    if (typeof value === 'boolean') {
      if (source !== 'true' && source !== 'false')
        throw this.#malformed(start, 'write true or false in lower case');
      return value;
    }
    if (typeof value === 'number') {
      if (!/^(?:0|-?[1-9][0-9]*)$/.test(source ?? '') || !Number.isSafeInteger(value))
        throw this.#malformed(start, 'numbers must be plain decimal integers; quote other text');
      return value;
    }
    throw this.#malformed(start, 'a value is missing');
  }

  #textOffsets(node: Node): ((offset: number) => number) | undefined {
    const [from, to] = node.range ?? [0, 0];
    const written = this.#text.slice(from, to);
    if (written.startsWith('|')) return literalOffsets(from, written);
    if (written.includes('\n') || written.startsWith('>')) return undefined;
    const quote = /^["']/.test(written) ? 1 : 0;
    if (quote === 1 && /\\|''/.test(written)) return undefined;
    return (offset) => from + quote + offset;
  }
}

/** In a literal block every line of the text is a line of the file behind the same indentation. */
function literalOffsets(from: number, written: string): (offset: number) => number {
  const [header = '', ...lines] = written.split('\n');
  const indent = Math.min(
    ...lines.filter((line) => line.trim() !== '').map((line) => /^ */.exec(line)?.[0].length ?? 0),
  );
  return (offset) => {
    let inText = 0;
    let inFile = from + header.length + 1;
    for (const line of lines) {
      const length = Math.max(line.length - indent, 0);
      if (offset <= inText + length)
        return inFile + Math.min(indent, line.length) + offset - inText;
      inText += length + 1;
      inFile += line.length + 1;
    }
    return from;
  };
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1).replace(/\.$/, '');
}
