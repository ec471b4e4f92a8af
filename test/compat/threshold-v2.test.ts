/** Files of threshold sessions as the first program that wrote them left them, and ten thousand changed copies of each. */
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { decodeBatch } from '#actions/threshold/batch-file';
import { decodeAcceptance, partyOf } from '#actions/threshold/certificate';
import { exposureOf } from '#actions/qr/exposure';
import { readTranscript } from '#actions/threshold/transcript';
import { show } from '#actions/show';
import { verify } from '#actions/verify';
import { decodeGroup } from '#crypto/frost/group';
import { decodeMessage } from '#protocols/parties/message';
import { decodeStart } from '#protocols/threshold/start-message';
import { workplace } from '../support/home.js';
import { fuzz } from '../support/mutations.js';

const at = (name: string): string =>
  fileURLToPath(new URL(`v2/threshold/${name}`, import.meta.url));
const sample = (name: string): Uint8Array => new Uint8Array(readFileSync(at(name)));

describe('threshold sessions, version 1 of each file', () => {
  it.each([
    ['start.json', 'threshold-start'],
    ['start-prepared.json', 'threshold-start'],
    ['acceptance.json', 'threshold-acceptance'],
    ['batch.cbor', 'threshold-batch'],
    ['broadcast.msg', 'round-message'],
    ['private.msg', 'round-message'],
    ['group.json', 'group'],
    ['transcript.json', 'threshold-transcript'],
    ['share.key', 'key-file'],
  ])('%s is shown as %s and verifies', async (name, kind) => {
    const place = workplace();
    try {
      const shown = await place.run(show, { targets: [at(name)] });
      expect(JSON.stringify(shown)).toContain(`"kind":"${kind}"`);
      const verdict = await place.run(verify, { targets: [at(name)] });
      expect(verdict.ok).toBe(true);
    } finally {
      place.remove();
    }
  });

  it.each([
    'start.json',
    'acceptance.json',
    'batch.cbor',
    'broadcast.msg',
    'private.msg',
    'group.json',
  ])(
    '%s may be shown as a code',
    async (name) => {
      const { exposure } = await exposureOf(sample(name), name);
      expect(['public', 'sealed']).toContain(exposure);
    },
  );

  it('the share still opens, and only under its passphrase', async () => {
    const place = workplace();
    const folder = mkdtempSync(join(tmpdir(), 'conclave-compat-'));
    try {
      const key = join(folder, 'share.key');
      cpSync(at('share.key'), key);
      const { keys } = place.context({ passphrases: ['secret of Ann'] });
      using kept = await keys.openShare?.(key);
      expect(kept?.share.number).toBe(1);
      const wrong = place.context({ passphrases: ['secret of Ben'] }).keys.openShare?.(key);
      await expect(wrong).rejects.toMatchObject({ exitCode: 77 });
    } finally {
      rmSync(folder, { recursive: true });
      place.remove();
    }
  });

  it('the batch of then answers to the start message of then', async () => {
    const start = await decodeStart(sample('start-prepared.json'), 'start');
    expect((await partyOf(sample('batch.cbor'), start, 'batch')).number).toBe(1);
  });

  it('a transcript with another group, or one word less, does not hold', async () => {
    const text = new TextDecoder().decode(sample('transcript.json'));
    const read = JSON.parse(text) as { messages: string[] };
    const { problems } = await readTranscript(sample('transcript.json'), 'transcript');
    expect(problems).toEqual([]);
    for (const lost of [0, read.messages.length - 1]) {
      const fewer = { ...read, messages: read.messages.filter((_, i) => i !== lost) };
      const order = Object.fromEntries(Object.entries(fewer).sort(([a], [b]) => (a < b ? -1 : 1)));
      const bytes = new TextEncoder().encode(`${JSON.stringify(order)}\n`);
      expect((await readTranscript(bytes, 'transcript')).problems.length).toBeGreaterThan(0);
    }
  });

  it.each([
    ['start.json', decodeStart],
    ['start-prepared.json', decodeStart],
    ['acceptance.json', decodeAcceptance],
    ['batch.cbor', decodeBatch],
    ['broadcast.msg', decodeMessage],
    ['private.msg', decodeMessage],
    ['group.json', decodeGroup],
  ] as const)('changed copies of %s give clear refusals', async (name, parse) => {
    const tally = await fuzz(sample(name), (bytes) => parse(bytes, name));
    expect(tally['65']).toBeGreaterThan(0);
  });
});
