/**
 * A definition that is changed in one place at a time, thousands of times. Reading YAML is most of the work, so only the part
 * with the change is read anew: every other line of the file is left empty, and what was read takes its place in the rest.
 */
import { isMap, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import type { Json } from '#formats/canonical-json';
import { definitionOf, type ParsedDefinition } from '#script/parse';
import { readYaml, type Source } from '#script/yaml';

/** A section of the file or one step, in whole lines. */
interface Part {
  /** Path in the file. */
  readonly path: string;
  /** Path where the part is read alone: a step is then the one item of a list. */
  readonly alone: string;
  readonly from: number;
  readonly to: number;
}

const NAME = 'definition.yaml';

/** A sound definition, of which other ones can be made. */
export class Rereader {
  readonly #text: string;
  readonly #whole: Source;
  readonly #parts: readonly Part[];

  constructor(text: string) {
    this.#text = text;
    this.#whole = readYaml(Buffer.from(text), NAME);
    this.#parts = partsOf(text);
  }

  /**
   * The definition with what stands from one offset to another replaced by something without a line feed. It is what
   * reading the whole text would give.
   * @throws what `parseDefinition` throws
   */
  replaced(from: number, to: number, by: string): ParsedDefinition {
    const part = this.#parts.find((each) => each.from <= from && to <= each.to);
    if (part === undefined) {
      const changed = this.#text.slice(0, from) + by + this.#text.slice(to);
      return definitionOf(readYaml(Buffer.from(changed), NAME));
    }
    const above = this.#text.slice(0, part.from).replace(/[^\n]/g, '');
    const changed = this.#text.slice(part.from, from) + by + this.#text.slice(to, part.to);
    return definitionOf(graft(this.#whole, part, readYaml(Buffer.from(above + changed), NAME)));
  }
}

/** Sections, except that acts are their steps. What lies between them, as the titles of acts, is in no part. */
function partsOf(text: string): readonly Part[] {
  const lines = new LineCounter();
  const { contents } = parseDocument(text, { lineCounter: lines });
  if (!isMap(contents)) throw new Error('no definition');
  const lineStart = (offset: number): number => offset - lines.linePos(offset).col + 1;
  const startOf = (node: unknown): number => lineStart((node as Node).range?.[0] ?? 0);
  const endOf = (node: unknown): number => (node as Node).range?.[2] ?? text.length;
  return contents.items.flatMap((pair): Part[] => {
    const path = String(pair.key);
    if (path !== 'acts')
      return [{ path, alone: path, from: startOf(pair.key), to: endOf(pair.value) }];
    if (!isSeq(pair.value)) throw new Error('no acts');
    return pair.value.items.flatMap((act, a) => {
      const steps = isMap(act) ? act.get('steps') : undefined;
      if (!isSeq(steps)) throw new Error('no steps');
      return steps.items.map((step, s): Part => ({
        path: `acts[${a}].steps[${s}]`,
        alone: '[0]',
        from: startOf(step),
        to: endOf(step),
      }));
    });
  });
}

function graft(whole: Source, part: Part, read: Source): Source {
  const inside = (path: string): string | undefined =>
    path === part.path || path.startsWith(`${part.path}.`) || path.startsWith(`${part.path}[`)
      ? part.alone + path.slice(part.path.length)
      : undefined;
  const value = { ...(whole.value as Record<string, Json>) };
  const numbers = /^acts\[(\d+)\]\.steps\[(\d+)\]$/.exec(part.path);
  if (numbers === null) value[part.path] = (read.value as Record<string, Json>)[part.path] as Json;
  else {
    const [a, s] = [Number(numbers[1]), Number(numbers[2])];
    const acts = value['acts'] as readonly { readonly steps: readonly Json[] }[];
    value['acts'] = acts.map((act, i) =>
      i === a
        ? { ...act, steps: act.steps.with(s, (read.value as readonly Json[])[0] as Json) }
        : act,
    ) as Json;
  }
  return {
    name: whole.name,
    value,
    positions: {
      at(path, offset) {
        const own = inside(path);
        return own === undefined
          ? whole.positions.at(path, offset)
          : read.positions.at(own, offset);
      },
      key(path) {
        const own = inside(path);
        return own === undefined ? whole.positions.key(path) : read.positions.key(own);
      },
    },
  };
}
