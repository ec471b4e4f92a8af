/** `show`: any artifact in plain words and plain data, without trusting it. */
import type { Json, JsonObject } from '#formats/canonical-json';
import { MissingInputError } from '#formats/errors';
import { defineAction } from './action.js';
import { recogniseKind } from './artifacts/catalogue.js';
import type { ActionContext } from './context/context.js';

/** One artifact, explained. */
export interface Shown {
  readonly file: string;
  readonly kind: string;
  readonly content: JsonObject;
}

/** The action `show`. */
export const show = defineAction({
  id: 'show',
  summary: 'explain what an artifact is and what it says',
  description:
    'Recognises any file that conclave writes by its content, reads it strictly and lists what it says. ' +
    'Nothing is proven by showing: verify does that. Nothing secret is opened or shown. ' +
    'An argument that is no file but the name or id of a key shows the record of that key.',
  inputs: {
    targets: {
      type: 'file',
      summary: 'file to explain, or a key',
      required: true,
      repeat: true,
      positional: 0,
      placeholder: 'FILE|KEY',
    },
  },
  outputs: { artifacts: { type: 'report', summary: 'each artifact, explained' } },
  effect: 'none',
  only: 'cli',
  examples: [
    { command: 'conclave show set.json', explains: 'what a set of shares is about' },
    { command: 'conclave show share-1.cbor --json', explains: 'the same for programs' },
  ],
  async run({ targets }, context): Promise<{ readonly artifacts: readonly Shown[] }> {
    const artifacts: Shown[] = [];
    for (const target of targets) artifacts.push(await explain(target, context));
    return { artifacts };
  },
  present: ({ artifacts }) =>
    artifacts
      .map(({ file, kind, content }) => [`${file}: ${kind}`, ...members(content, '  ')].join('\n'))
      .join('\n\n'),
});

async function explain(target: string, context: ActionContext): Promise<Shown> {
  if (target !== '-' && !context.files.exists(target) && !/[/.]/.test(target)) {
    const { record, location } = await context.keys.find(target);
    const content = { ...(record as unknown as JsonObject), location };
    return { file: target, kind: 'key', content: plain(content) };
  }
  if (context.files.isDirectory(target)) {
    throw new MissingInputError({
      code: 'E_FILE_IS_FOLDER',
      message: `${target} is a folder`,
      hint: `name files in it, or run conclave verify ${target}`,
    });
  }
  let bytes: Uint8Array;
  try {
    bytes = context.files.read(target);
  } catch (error) {
    const { whenLarge } = await import('./artifacts/large.js');
    const { showContainer } = await import('./artifacts/container.js');
    const content = await whenLarge(error, target, context, (source) =>
      showContainer(source, target),
    );
    return { file: target, kind: 'container', content };
  }
  const kind = await recogniseKind(bytes, target);
  return { file: target, kind: kind.kind, content: await kind.show(bytes, target, context) };
}

/** Records hold public keys as bytes; shown as base64, as in their JSON form. */
function plain(value: Readonly<Record<string, unknown>>): JsonObject {
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      member instanceof Uint8Array ? Buffer.from(member).toString('base64') : member,
    ]),
  ) as JsonObject;
}

/** Members as indented lines; long values are cut, since programs have --json, but not what somebody said. */
function members(value: JsonObject | readonly Json[], indent: string): readonly string[] {
  const entries: readonly (readonly [string, Json])[] = isList(value)
    ? value.map((item, i) => [String(i + 1), item])
    : Object.entries(value);
  return entries.flatMap(([name, member]) => {
    if (member === null) return [];
    if (typeof member !== 'object') return [`${indent}${name}: ${short(String(member))}`];
    const inner = members(member, `${indent}  `);
    return inner.length === 0 ? [`${indent}${name}: none`] : [`${indent}${name}:`, ...inner];
  });
}

function isList(value: JsonObject | readonly Json[]): value is readonly Json[] {
  return Array.isArray(value);
}

function short(text: string): string {
  // Keys and hashes have no blanks; the words of a person are read whole or not at all.
  return text.length <= 100 || text.includes(' ')
    ? text
    : `${text.slice(0, 64)}… (${text.length} characters)`;
}
