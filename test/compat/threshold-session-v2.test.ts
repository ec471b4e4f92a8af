/**
 * The folder of a signing session that an earlier version left in the middle: it is opened and gone on with, to the very bytes that
 * this version said. What it keeps lies nowhere in clear, and is printed nowhere.
 */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSession } from '#actions/threshold/session';
import { inProcess } from '../cli/runners.js';
import { filesBelow, formsIn } from '../support/canary.js';
import { workplace } from '../support/home.js';

const samples = fileURLToPath(new URL('v2/threshold-session', import.meta.url));
const run = inProcess('threshold-session-v2');
const printed: Buffer[] = [];
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'conclave-compat-'));
  cpSync(samples, folder, { recursive: true });
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

async function conclave(line: string): Promise<readonly [number | null, string]> {
  const args = [...line.split(' '), '--home', join(folder, 'home'), '--no-input'];
  const { code, stdout, stderr } = await run(args, {
    cwd: folder,
    stdin: new Uint8Array(0),
    env: {},
  });
  printed.push(stdout, stderr);
  return [code, stderr.toString()];
}

/** Every secret that the session keeps. */
async function secretsOf(session: string): Promise<ReadonlyMap<string, Uint8Array>> {
  const place = workplace();
  try {
    const context = place.context({ identity: join(folder, 'ann.key') });
    using open = await openSession(session, context);
    const { signing, opening, seed, share } = open.hold.state;
    const kept = { signing, opening, seed, share };
    return new Map(
      Object.entries(kept).map(([name, secret]) => [
        name,
        secret?.use((bytes) => bytes.slice()) ?? new Uint8Array(0),
      ]),
    );
  } finally {
    place.remove();
  }
}

describe('a session folder of v2', () => {
  it('goes on to the signature that its own version made, and leaves nothing', async () => {
    const secrets = await secretsOf(join(folder, 'session'));
    expect([...secrets.values()].map(({ length }) => length)).toEqual([32, 32, 32, 55]);
    const own = '--session session --identity ./ann.key';
    // What is not enough, and what is damaged, is told without a word of what is kept.
    const early = await conclave(`threshold sign finish ${own} --out early`);
    expect(early).toEqual([75, expect.stringContaining('member 2')]);
    const damaged = readFileSync(join(folder, 'nonces-from-2-to-all.msg'));
    damaged[100] = (damaged[100] as number) ^ 1;
    writeFileSync(join(folder, 'damaged.msg'), damaged);
    const [refused] = await conclave(`threshold sign round ${own} --in damaged.msg --debug`);
    expect([1, 65]).toContain(refused);

    const round = `threshold sign round ${own} --in nonces-from-2-to-all.msg --out-dir out`;
    expect((await conclave(round))[0]).toBe(0);
    const share = readdirSync(join(folder, 'out')).find((name) => name.includes('-share-from-1-'));
    expect(readFileSync(join(folder, 'out', share ?? ''))).toEqual(
      readFileSync(join(samples, 'signature-share-from-1-to-all.msg')),
    );
    for (const path of filesBelow(folder)) {
      const content = readFileSync(join(folder, path));
      for (const [name, bytes] of secrets) {
        // The share and what it is committed with are secrets of their own.
        const parts = name === 'share' ? [bytes.slice(0, 32), bytes.slice(32)] : [bytes];
        for (const part of parts) expect([path, name, formsIn(content, part)]).toEqual([path, name, []]);
      }
    }

    const finish = `threshold sign finish ${own} --in signature-share-from-2-to-all.msg --out again`;
    expect((await conclave(finish))[0]).toBe(0);
    expect(readFileSync(join(folder, 'again'))).toEqual(readFileSync(join(samples, 'signature')));
    expect(readdirSync(join(folder, 'session'))).toEqual([]);
    const talk = Buffer.concat(printed);
    expect(talk.length).toBeGreaterThan(100);
    for (const [name, bytes] of secrets) {
      const parts = name === 'share' ? [bytes.slice(0, 32), bytes.slice(32)] : [bytes];
      for (const part of parts) expect([name, formsIn(talk, part)]).toEqual([name, []]);
    }
  });

  it.each(['key', 'state'])('is refused where its %s was changed', async (name) => {
    const at = join(folder, `other-${name}`);
    cpSync(join(samples, 'session'), at, { recursive: true });
    const bytes = readFileSync(join(at, name));
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] as number) ^ 1;
    writeFileSync(join(at, name), bytes);
    const ended = await conclave(
      `threshold sign round --session other-${name} --identity ./ann.key --in nonces-from-2-to-all.msg --out-dir no`,
    );
    expect(ended).toEqual([name === 'key' ? 77 : 1, expect.stringContaining(`other-${name}`)]);
  });
});
