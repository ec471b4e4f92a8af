/**
 * The repair of one share of three with a proof of its new commitment, as the first program that wrote one left it: version 2 of
 * start message and group record, and the proof.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { show } from '#actions/show';
import { verify } from '#actions/verify';
import { decodeGroup, encodeGroup } from '#crypto/frost/group';
import { decodeOpening, encodeOpening } from '#protocols/inhead/opening-proof';
import { decodeStart, encodeStart } from '#protocols/threshold/start-message';
import { workplace } from '../support/home.js';
import { fuzz } from '../support/mutations.js';
import { hasProgram, needs } from '../support/require.js';

const python = needs('python3', hasProgram('python3'), 'the second verifier is written in it');
const folder = fileURLToPath(new URL('v2/threshold-proven', import.meta.url));
const at = (name: string): string => `${folder}/${name}`;
const sample = (name: string): Uint8Array => new Uint8Array(readFileSync(at(name)));

describe('a threshold session with proofs, version 2', () => {
  it.each([
    ['start.json', 'threshold-start', undefined],
    ['group.json', 'group', 'recorded'],
    ['transcript.json', 'threshold-transcript', 'recorded'],
    ['opening-of-2.proof', 'opening-proof', 'proven'],
  ])('%s is shown as %s and verifies', async (name, kind, grade) => {
    const place = workplace();
    try {
      const shown = await place.run(show, { targets: [at(name)] });
      expect(JSON.stringify(shown)).toContain(`"kind":"${kind}"`);
      const { ok, verdicts } = await place.run(verify, { targets: [at(name)] });
      expect(ok).toBe(true);
      const claim = verdicts[0]?.claims.find((each) => /opens to/.test(each.claim));
      expect(claim?.grade).toBe(grade);
      if (grade === 'recorded') expect(claim?.detail).toBe('no proof of member 1, 3');
    } finally {
      place.remove();
    }
  });

  it('is written the same', async () => {
    const { message } = await decodeStart(sample('start.json'), 'start');
    expect(Buffer.compare(encodeStart(message), sample('start.json'))).toBe(0);
    const { record } = await decodeGroup(sample('group.json'), 'group');
    expect(Buffer.compare(encodeGroup(record), sample('group.json'))).toBe(0);
    const proof = sample('opening-of-2.proof');
    expect(Buffer.compare(encodeOpening(decodeOpening(proof, 'proof')), proof)).toBe(0);
  });

  it('changed copies are refused, or are the one spelling of something else', async () => {
    // With or without the end of the last line.
    const trimmed = (bytes: Uint8Array): string =>
      Buffer.from(bytes).toString('latin1').replace(/\n$/, '');
    const spells = {
      'start.json': async (bytes: Uint8Array) => encodeStart((await decodeStart(bytes, '')).message),
      'group.json': async (bytes: Uint8Array) => encodeGroup((await decodeGroup(bytes, '')).record),
      // What follows the head is read where the proof is verified.
      'opening-of-2.proof': (bytes: Uint8Array) => encodeOpening(decodeOpening(bytes, '')),
    };
    for (const [name, spell] of Object.entries(spells)) {
      const head = sample(name).subarray(0, name.endsWith('.proof') ? 400 : undefined);
      const tally = await fuzz(head, async (bytes) => {
        if (trimmed(await spell(bytes)) !== trimmed(bytes)) throw new Error('another spelling');
      });
      expect(tally['65'], name).toBeGreaterThan(50);
    }
  });

  it.runIf(python)('holds for the verifiers in plain Python', () => {
    const says = (reader: string, ...given: string[]): string => {
      const program = fileURLToPath(new URL(`../independent/${reader}.py`, import.meta.url));
      return spawnSync('python3', ['-B', program, ...given], { encoding: 'utf8' }).stdout;
    };
    expect(says('verify_threshold', at('transcript.json'))).toMatch(
      /^ok .* 1 of 3 commitments proven/,
    );
    expect(says('verify_trace', '--opening', at('start.json'))).toMatch(/^NO/);
  });
});
