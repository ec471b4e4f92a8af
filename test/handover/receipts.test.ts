/** Receipts that destroy nothing, and challenges that were used: each with its code and exit code, through the program. */
import { readFileSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { handoverChallenge } from '#actions/handover-challenge';
import { handoverReceipt } from '#actions/handover-receipt';
import { handoverVerify } from '#actions/handover-verify';
import { identityNew } from '#actions/identity-new';
import { keyGenerate } from '#actions/key-generate';
import { keyImport } from '#actions/key-import';
import {
  type ImportedStatement,
  KEY_IMPORTED,
  readHandover,
  signHandover,
} from '#custody/authority/handover-statement';
import { inProcess } from '../cli/runners.js';
import { type Workplace, workplace } from '../support/home.js';
import { ADA, deskAt, PLAIN, refusal } from './desk.js';

let place: Workplace;
beforeEach(async () => {
  place = workplace();
  await place.run(identityNew, { name: 'ada' }, PLAIN);
});
afterEach(() => {
  place.remove();
});

const at = (name: string): string => place.at(name);
const { handOver, again, answer, verifyInput } = deskAt(() => place);
const run = inProcess('receipts');

/** Code and exit code of a command, as a script sees them. */
async function conclave(
  words: readonly string[],
  where: Workplace = place,
): Promise<[string, number]> {
  const { code, stdout } = await run([...words, '--json', '--no-input'], {
    cwd: where.folder,
    stdin: new Uint8Array(0),
    env: {},
  });
  const said = JSON.parse(stdout.toString()) as { ok?: boolean; error?: { code: string } };
  return [said.error?.code ?? 'nothing', code];
}

const destroy = (
  receipt: string,
  key = 'release',
  more: readonly string[] = [],
  where: Workplace = place,
): Promise<[string, number]> =>
  conclave(['key', 'destroy', key, '--yes', '--after-import', receipt, ...more], where);

const state = async (name = 'release', where: Workplace = place): Promise<string> =>
  (await where.context().keys.find(name)).record.state;

const saidIn = (receipt: string): ImportedStatement =>
  readHandover(KEY_IMPORTED, readFileSync(at(receipt)), receipt).said;

/** A receipt that `signer` makes without `handover verify`. */
async function receiptOf(signer: string, said: ImportedStatement, out: string): Promise<void> {
  const context = place.context({ ...PLAIN, identity: signer });
  using open = await context.identities.open();
  if (open === undefined) throw new Error('no identity');
  writeFileSync(at(out), await signHandover(KEY_IMPORTED, said, open));
}

async function verified(): Promise<void> {
  await handOver('p256');
  await answer('release');
  await place.run(handoverVerify, verifyInput(), ADA);
}

describe('key destroy --after-import', () => {
  it('takes the one receipt that holds, once', async () => {
    await verified();
    expect(await destroy('imported.dsse.json')).toEqual(['nothing', 0]);
    expect(await state()).toBe('destroyed');
    expect((await destroy('imported.dsse.json'))[1]).toBe(77);
  });

  it('refuses a receipt for another key (E_RECEIPT_KEY)', async () => {
    await verified();
    await place.run(keyGenerate, { algorithm: 'p256', name: 'other' }, PLAIN);
    expect(await destroy('imported.dsse.json', 'other')).toEqual(['E_RECEIPT_KEY', 77]);
    expect(await state('other')).toBe('active');
  });

  it('refuses a receipt whose signature is forged, missing, or of somebody else (E_RECEIPT_SIGNATURE)', async () => {
    await verified();
    const genuine = JSON.parse(readFileSync(at('imported.dsse.json'), 'utf8')) as {
      payload: string;
      signatures: { keyid: string; sig: string }[];
    };
    const [first, second] = genuine.signatures;
    if (first === undefined || second === undefined) throw new Error('two were expected');
    const zeroes = (sig: string): string =>
      Buffer.alloc(Buffer.from(sig, 'base64').length).toString('base64');
    const text = Buffer.from(genuine.payload, 'base64').toString();
    const later = text.replace(/"time":"2026/, '"time":"2027');
    expect(later).not.toBe(text);
    const forgeries = {
      'no-ed25519.json': {
        ...genuine,
        signatures: [{ ...first, sig: zeroes(first.sig) }, second],
      },
      'no-ml-dsa.json': {
        ...genuine,
        signatures: [first, { ...second, sig: zeroes(second.sig) }],
      },
      'one-only.json': { ...genuine, signatures: [first] },
      'other-words.json': { ...genuine, payload: Buffer.from(later).toString('base64') },
    };
    for (const [name, forged] of Object.entries(forgeries)) {
      writeFileSync(at(name), JSON.stringify(forged));
      expect([name, ...(await destroy(name))]).toEqual([name, 'E_RECEIPT_SIGNATURE', 77]);
    }
    const said = saidIn('imported.dsse.json');
    await place.run(identityNew, { name: 'eve', out: at('eve.key') }, PLAIN);
    // Eve signs what Ada said, and what she says herself; nobody here knows her.
    await receiptOf(at('eve.key'), said, 'as-ada.json');
    const context = place.context({ ...PLAIN, identity: at('eve.key') });
    using eve = await context.identities.open();
    const verifier = { id: eve?.identity.id ?? '', name: 'eve' };
    await receiptOf(at('eve.key'), { ...said, verifier }, 'as-eve.json');
    for (const name of ['as-ada.json', 'as-eve.json']) {
      expect([name, ...(await destroy(name))]).toEqual([name, 'E_RECEIPT_SIGNATURE', 77]);
    }
    // Ada's is good, but not when somebody else is named who must have signed.
    const pinned = ['--signer', 'eve.key.pub'];
    expect(await destroy('imported.dsse.json', 'release', pinned)).toEqual([
      'E_RECEIPT_SIGNATURE',
      77,
    ]);
    expect(await state()).toBe('active');
  });

  it('refuses a receipt that handover verify did not give here (E_RECEIPT_FOREIGN)', async () => {
    await handOver('p256');
    await answer('release');
    // Ada signs before anything was verified: her word alone is not enough.
    await place.run(handoverVerify, verifyInput('release', '', 'imported.dsse.json'), ADA);
    const said = saidIn('imported.dsse.json');
    await receiptOf('ada', { ...said, time: '2026-11-23T09:31:00Z' }, 'by-hand.json');
    expect(await destroy('by-hand.json')).toEqual(['E_RECEIPT_FOREIGN', 77]);
    await receiptOf('ada', { ...said, challenge: 'ab'.repeat(32) }, 'never-asked.json');
    expect(await destroy('never-asked.json')).toEqual(['E_RECEIPT_FOREIGN', 77]);
    // The key has a copy elsewhere, where the same receipt is a stranger's although Ada is known.
    const elsewhere = workplace();
    try {
      await elsewhere.run(keyImport, { file: at('release.pem'), name: 'release' }, PLAIN);
      const [pub = ''] = place
        .context()
        .files.list(at('home/identities'))
        .filter((name) => name.endsWith('.pub'));
      const signer = ['--signer', at(`home/identities/${pub}`)];
      const receipt = at('imported.dsse.json');
      expect(await destroy(receipt, 'release', signer, elsewhere)).toEqual([
        'E_RECEIPT_FOREIGN',
        77,
      ]);
      expect(await state('release', elsewhere)).toBe('active');
    } finally {
      elsewhere.remove();
    }
    expect(await state()).toBe('active');
  });

  it('refuses the receipt of an earlier hand-over (E_RECEIPT_OLD), and takes that of the last', async () => {
    await verified();
    await again('release', '-2');
    expect(await destroy('imported.dsse.json')).toEqual(['E_RECEIPT_OLD', 77]);
    expect(await state()).toBe('active');
    await answer('release', '-2');
    await place.run(handoverVerify, verifyInput('release', '-2'), ADA);
    expect(await destroy('imported.dsse.json')).toEqual(['E_RECEIPT_OLD', 77]);
    expect(await destroy('imported-2.dsse.json')).toEqual(['nothing', 0]);
  });

  it('takes no other statement for a receipt (65)', async () => {
    await verified();
    for (const name of ['release.dsse.json', 'signature.json', 'release.challenge.json']) {
      expect([name, (await destroy(name))[1]]).toEqual([name, 65]);
    }
    expect(await destroy('absent.json')).toEqual(['E_FILE_MISSING', 66]);
    expect(await state()).toBe('active');
  });
});

describe('a challenge', () => {
  const verify = (name = 'release', suffix = '', out = 'x.dsse.json'): Promise<[string, number]> =>
    conclave([
      ...['handover', 'verify', '--challenge', `${name}${suffix}.challenge.json`, '--key', name],
      ...['--public', 'public-key.json', '--answer', `signature${suffix}.json`],
      ...['--identity', 'ada', '--out', out, '--force'],
    ]);

  it('is good for one answer: the same again gives the same receipt, another is refused (E_CHALLENGE_USED)', async () => {
    await verified();
    // This runs months later by the program's clock: what was answered stays answered, but nothing is verified any more.
    expect(await verify()).toEqual(['E_CHALLENGE_EXPIRED', 77]);
    const again = (out: string): Promise<[string, number]> =>
      refusal(place.run(handoverVerify, verifyInput('release', '', out), ADA));
    expect(await again('second.dsse.json')).toEqual(['nothing', 0]);
    expect(readFileSync(at('second.dsse.json'))).toEqual(readFileSync(at('imported.dsse.json')));
    await answer('release');
    expect(await again('third.dsse.json')).toEqual(['E_CHALLENGE_USED', 77]);
  });

  it('takes no answer to an earlier one, of another key, or to one that it never was', async () => {
    await handOver('p256');
    await answer('release');
    await again('release', '-2');
    const with_ = (change: object): Promise<[string, number]> =>
      refusal(
        place.run(
          handoverVerify,
          { ...verifyInput('release', '-2'), answer: at('signature.json'), ...change },
          ADA,
        ),
      );
    expect(await with_({})).toEqual(['E_HANDOVER_PROOF', 1]);
    await handOver('p256', 'other');
    expect(await with_({ challenge: at('other.challenge.json') })).toEqual(['E_HANDOVER_KEY', 1]);
    const text = readFileSync(at('release-2.challenge.json'), 'utf8');
    for (const [member, changed] of [
      ['nonce', text.replace(/"nonce":"[0-9a-f]{64}"/, `"nonce":"${'0'.repeat(64)}"`)],
      ['expires', text.replace(/"expires":"2026/, '"expires":"2036')],
    ] as const) {
      expect(changed).not.toBe(text);
      writeFileSync(at('changed.json'), changed);
      expect([member, ...(await with_({ challenge: at('changed.json') }))]).toEqual([
        ...[member, 'E_CHALLENGE_FOREIGN', 77],
      ]);
    }
    expect(await state()).toBe('active');
  });

  it("of possession takes no custodian's receipt twice", async () => {
    await handOver('p256');
    await place.run(identityNew, { name: 'ben', out: at('ben.key') }, PLAIN);
    const ask = (out: string): Promise<unknown> =>
      place.run(handoverChallenge, { container: at('release.wrapped'), out: at(out) }, PLAIN);
    const ben = { ...PLAIN, identity: at('ben.key') };
    await ask('one.json');
    const receipt = { challenge: at('one.json'), in: at('release.wrapped'), out: at('r.json') };
    await place.run(handoverReceipt, receipt, ben);
    await ask('two.json');
    const verifyWith = (challenge: string, answer: string): Promise<[string, number]> =>
      refusal(
        place.run(
          handoverVerify,
          {
            challenge: at(challenge),
            answer: at(answer),
            signer: [at('ben.key')],
            out: at(`${challenge}.held`),
          },
          ADA,
        ),
      );
    expect(await verifyWith('two.json', 'r.json')).toEqual(['E_HANDOVER_PROOF', 1]);
    expect(await verifyWith('one.json', 'r.json')).toEqual(['nothing', 0]);
    // A second receipt of Ben's for the first, which was answered.
    await place.run(handoverReceipt, { ...receipt, out: at('r2.json') }, ben);
    const late = await refusal(
      place.run(
        handoverVerify,
        {
          challenge: at('one.json'),
          answer: at('r2.json'),
          signer: [at('ben.key')],
          out: at('late.json'),
        },
        ADA,
      ),
    );
    expect(late).toEqual(['E_CHALLENGE_USED', 77]);
  });
});
