/**
 * The canary in the cage: of the shares that sign, of their randomness, of the nonces and of whatever is drawn, nothing occurs in
 * what `trace prove` prints, writes or says when it fails.
 */
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readScalarKey, scalarContext } from '#actions/trace/scalar-key';
import { thresholdKeygen } from '#actions/threshold-keygen';
import { mod } from '#crypto/math/prime-group';
import { fromBigEndian } from '#protocols/inhead/integer';
import { signWithFixedNonces } from '#protocols/inhead/nonce-signer';
import type { SecretOpening } from '#protocols/inhead/prover';
import { decodeRequest } from '#protocols/inhead/request';
import { inProcess } from '../cli/runners.js';
import { filesBelow, formsIn } from '../support/canary.js';
import { type Workplace, workplace } from '../support/home.js';
import { thorough } from '../support/require.js';

const PASSPHRASE = 'the secret phrase of all three 7b1d';
const seen = realpathSync(mkdtempSync(join(tmpdir(), 'conclave-trace-canary-')));
const printed: Buffer[] = [];
const drawn: Uint8Array[] = [];
const run = inProcess('trace-canary', (bytes) => drawn.push(bytes));
let place: Workplace;
let openings: readonly SecretOpening[];

beforeAll(async () => {
  place = workplace();
  const options = { passphrases: [PASSPHRASE], environment: 'dev' } as const;
  const input = { simulate: true, suite: 'ed25519', threshold: 2, shares: 3 };
  await place.run(thresholdKeygen, { ...input, outDir: place.at('group') }, options);
  mkdirSync(place.at('empty'));
  writeFileSync(place.at('pass'), `${PASSPHRASE}\n`, { mode: 0o600 });
  writeFileSync(place.at('wrong'), 'not these words\n', { mode: 0o600 });
  writeFileSync(join(seen, 'message'), 'release 1.2\n');
  openings = await Promise.all(
    [1, 3].map(async (number) => {
      const { keys } = place.context(options);
      if (keys.openShare === undefined) throw new Error('no shares here');
      using held = await keys.openShare(place.at(`group/dev-party-${number}.key`));
      return held.share.opening.use((bytes) => ({ x: bytes.slice(0, 32), r: bytes.slice(32) }));
    }),
  );
});
afterAll(() => {
  rmSync(seen, { recursive: true });
  place.remove();
});

async function conclave(line: string): Promise<{ readonly code: number; readonly out: string }> {
  const ran = await run(line.split(' '), { cwd: seen, stdin: new Uint8Array(0), env: {} });
  printed.push(ran.stdout, ran.stderr);
  return { code: ran.code, out: ran.stdout.toString() };
}

/** Where secrets occur, in what was printed and in every file of the cage. */
function found(secrets: ReadonlyMap<string, Uint8Array>): readonly string[] {
  const places: [string, Buffer][] = [['what was printed', Buffer.concat(printed)]];
  for (const path of filesBelow(seen)) places.push([path, readFileSync(join(seen, path))]);
  return [...secrets].flatMap(([name, secret]) =>
    places.flatMap(([where, content]) =>
      formsIn(content, secret).map((form) => `${name} in ${where} as ${form}`),
    ),
  );
}

const reversed = (bytes: Uint8Array): Uint8Array => bytes.slice().reverse();

describe('trace prove', () => {
  it.each(thorough ? ['shares', 'quorum', 'nonces'] : ['shares'])(
    'tells no secret at level %s',
    async (level) => {
      const group = place.at('group/group.json');
      const bind = level === 'shares' ? '--bind ' : '';
      const asked = `trace request --group ${group} --in message --level ${level} ${bind}--quorum 1,3`;
      const { out } = await conclave(`${asked} --out r-${level} --json`);
      const { digest } = JSON.parse(out) as { digest: string };
      // The nonce of the request is for everybody.
      drawn.length = 0;
      const share = (number: number): string =>
        `--share ${place.at(`group/dev-party-${number}.key`)}`;
      const prove = (
        shares: string,
        pass = 'pass',
        sig = `s-${level}`,
        trace = `t-${level}`,
      ): string =>
        `trace prove --request r-${level} --group ${group} --approve ${digest} ${shares} --passphrase-file ${place.at(pass)} ` +
        `--out-sig ${sig} --out ${trace} --debug`;
      expect((await conclave(prove(`${share(1)} ${share(2)}`))).code).toBe(2);
      expect((await conclave(prove(`${share(1)} ${share(3)}`, 'wrong'))).code).toBe(77);
      expect((await conclave(prove(share(1)))).code).toBe(2);
      // The trace can be written, and the signature cannot.
      const both = `${share(1)} ${share(3)}`;
      expect((await conclave(prove(both, 'pass', 'message/s', 'half'))).code).not.toBe(0);
      expect((await conclave(prove(both))).code).toBe(0);

      const secrets = new Map<string, Uint8Array>([['passphrase', Buffer.from(PASSPHRASE)]]);
      for (const [i, { x, r }] of openings.entries()) {
        secrets.set(`x ${i}`, x).set(`x ${i}, the other way round`, reversed(x)).set(`r ${i}`, r);
      }
      for (const [i, bytes] of drawn.entries()) secrets.set(`draw ${i}`, bytes);
      expect(drawn.length).toBeGreaterThan(0);
      if (level === 'nonces') {
        const key = await readScalarKey(readFileSync(group), group);
        const bytes = readFileSync(join(seen, `r-${level}`));
        const about = scalarContext(key, decodeRequest(bytes, 'r'), bytes, [1, 3]);
        const { secrets: nonces, signature } = signWithFixedNonces(about, openings);
        // These are the very nonces: they make the very signature.
        expect(Buffer.compare(signature, readFileSync(join(seen, `s-${level}`)))).toBe(0);
        const { order } = key.group.suite.group;
        for (const [i, nonce] of nonces.entries()) {
          const scalar = mod(fromBigEndian(nonce), order).toString(16).padStart(64, '0');
          secrets.set(`N ${i}`, nonce).set(`d ${i}`, Buffer.from(scalar, 'hex'));
          secrets.set(`d ${i}, the other way round`, reversed(Buffer.from(scalar, 'hex')));
        }
      }
      expect(found(secrets)).toEqual([]);
    },
  );
});
