/** Results as lines for a person, for commands that do not lay out their own. */

/** Members one per line, names aligned; lists and members of members indented below. */
export function presentPlain(output: object): string {
  return lines(output, '').join('\n');
}

function lines(value: object, indent: string): readonly string[] {
  const members = Object.entries(value as Record<string, unknown>).filter(
    ([, member]) => member !== undefined && member !== null,
  );
  const width = Math.max(0, ...members.map(([name]) => words(name).length));
  return members.flatMap(([name, member]) => {
    const label = `${indent}${words(name)}:`;
    if (Array.isArray(member)) return [label, ...listLines(member, `${indent}  `)];
    if (typeof member === 'object') return [label, ...lines(member as object, `${indent}  `)];
    return [`${label.padEnd(indent.length + width + 1)}  ${scalar(member)}`];
  });
}

function listLines(items: readonly unknown[], indent: string): readonly string[] {
  if (items.length === 0) return [`${indent}none`];
  return items.flatMap((item) => {
    if (typeof item !== 'object' || item === null) return [`${indent}${scalar(item)}`];
    const [first = '', ...rest] = lines(item, `${indent}  `);
    return [`${indent}- ${first.slice(indent.length + 2)}`, ...rest];
  });
}

function words(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

function scalar(value: unknown): string {
  if (value === true) return 'yes';
  if (value === false) return 'no';
  return String(value);
}
