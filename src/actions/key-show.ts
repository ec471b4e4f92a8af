import { recordJson } from '#custody/authority/record';
import { fromBase64 } from '#formats/bytes';
import { defineAction } from './action.js';

/** `conclave key show`. */
export const keyShow = defineAction({
  id: 'key.show',
  summary: 'show what is known of a key',
  description:
    'Shows the public record of a key: algorithm, state, purposes, history. Nothing is opened, so no passphrase is needed.',
  inputs: {
    key: { type: 'key', summary: 'the key', required: true, positional: 0 },
  },
  outputs: { record: { type: 'report', summary: 'its record' } },
  effect: 'none',
  examples: [
    { command: 'conclave key show release', explains: 'a key of the store' },
    { command: 'conclave key show ./dev-1f2e3d4c.key', explains: 'a key file' },
  ],
  async run({ key }, context) {
    const { record, descriptor, location } = await context.keys.find(key);
    return {
      location,
      category: descriptor.category,
      status: descriptor.status,
      spec: descriptor.spec,
      record: recordJson(record),
    };
  },
  present: ({ record, location, category, status, spec }) => {
    const { history, tags, publicKey, type, version, ...rest } = record as Record<string, unknown>;
    const events = history as readonly Record<string, string>[];
    const pairs: [string, string][] = [
      ...Object.entries(rest)
        .filter(([, value]) => value !== null && value !== '')
        .map(([name, value]): [string, string] => [spaced(name), textOf(value)]),
      ['public key', `${fromBase64(publicKey as string).length} bytes`],
      ...Object.entries(tags as Record<string, string>).map(([name, value]): [string, string] => [
        'tag',
        `${name}=${value}`,
      ]),
      ['security', `category ${category}, ${status} (${spec})`],
      ['rests in', location],
      ...events.map(({ event, time, reason }): [string, string] => [
        'history',
        `${time ?? ''} ${event ?? ''}${reason === undefined ? '' : `: ${reason}`}`,
      ]),
    ];
    const heading = `${textOf(type)} version ${textOf(version)}`;
    return [heading, ...pairs.map(([name, value]) => `${name.padEnd(13)} ${value}`)].join('\n');
  },
});

function spaced(member: string): string {
  return member.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.join(', ');
  return typeof value === 'string' || typeof value === 'number'
    ? String(value)
    : JSON.stringify(value);
}
