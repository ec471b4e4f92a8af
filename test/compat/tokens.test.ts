/** What any landed version wrote about a key in a token is read for ever, and nothing else is. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { decodeTokenKey, encodeTokenKey } from '#custody/authority/token-key';
import { inProcess } from '../cli/runners.js';
import { fuzz } from '../support/mutations.js';
import { mutationCount } from '../support/require.js';

const path = fileURLToPath(new URL('v2/tokens/sample.token-key.json', import.meta.url));
const sample = new Uint8Array(readFileSync(path));

describe('samples of v2: a key in a token', () => {
  it('is read, and written again byte for byte', async () => {
    const key = await decodeTokenKey(sample, 'sample');
    expect(key).toMatchObject({ origin: 'generated', crossing: '' });
    expect(key.record).toMatchObject({ custody: 'external', protocol: 'pkcs11', name: 'sample' });
    expect(encodeTokenKey(key)).toEqual(sample);
  });

  it('is shown and verified; what nobody signed is recorded', async () => {
    const run = inProcess('compat-tokens');
    const io = { cwd: '/', stdin: new Uint8Array(0), env: {} };
    const shown = await run(['show', path, '--json'], io);
    expect(shown.code).toBe(0);
    expect(shown.stdout.toString()).toContain('"token-key"');
    const verified = await run(['verify', path], io);
    expect(verified.code).toBe(0);
    const said = verified.stdout.toString();
    expect(said).toContain('DEV KEY: sample, p256, in the token Sample');
    expect(said.match(/\b(?:checked|recorded)(?= {2})/g)).toEqual(['checked', 'recorded', 'recorded']);
  });

  it('mutations are refused, or are whole records', async () => {
    const tally = await fuzz(sample, async (bytes) => {
      const key = await decodeTokenKey(bytes, 'mutation');
      expect(encodeTokenKey(key)).toEqual(new Uint8Array(bytes));
    });
    expect(tally['65']).toBeGreaterThan(0.8 * mutationCount);
  });
});
