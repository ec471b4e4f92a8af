/** What is attested when keys are used, where it is kept, and what `audit` makes of it. */
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { auditExport } from '#actions/audit-export';
import { auditVerify } from '#actions/audit-verify';
import { cefLine } from '#actions/audit/cef';
import { csvRow } from '#actions/audit/csv';
import { createShelf } from '#actions/context/attestation-shelf';
import { keyDestroy } from '#actions/key-destroy';
import { keyGenerate } from '#actions/key-generate';
import { keyImport } from '#actions/key-import';
import { sign } from '#actions/sign';
import { verify } from '#actions/verify';
import { openHome } from '#carriage/stores/home';
import { nextEntry } from '#custody/audit/chain';
import { newIdentity } from '#custody/authority/identity';
import { ConclaveError } from '#formats/errors';
import { createFiles } from '#host/files';
import { nodeFs } from '#host/fs-port';
import { formsIn } from '../support/canary.js';
import { type Workplace, workplace } from '../support/home.js';

let place: Workplace;
beforeEach(async () => {
  place = workplace();
  for (const name of ['Ada', 'Eve']) {
    const { random, now, identities } = place.context({ passphrases: ['ada knows'] });
    using identity = await newIdentity({ name, environment: 'production', now: now(), random });
    await identities.add(identity, {});
  }
});
afterEach(() => {
  place.remove();
});

const asAda = { identity: 'Ada', passphrases: ['ada knows'] } as const;
const shelf = (): readonly string[] =>
  existsSync(place.at('home/attestations'))
    ? readdirSync(place.at('home/attestations')).sort()
    : [];
const makeKey = (): Promise<unknown> =>
  place.run(keyGenerate, { algorithm: 'ed25519', name: 'r', store: 'file' }, asAda);

async function refusal(work: Promise<unknown>): Promise<[string, number]> {
  try {
    await work;
  } catch (error) {
    if (error instanceof ConclaveError) return [error.code, error.exitCode];
    throw error;
  }
  return ['nothing', 0];
}

describe('with an identity', () => {
  it('making, using, importing and destroying a key are attested, in order', async () => {
    await makeKey();
    writeFileSync(place.at('m'), 'message');
    await place.run(sign, { key: 'r', in: place.at('m'), out: place.at('s') }, asAda);
    await place.run(
      keyGenerate,
      { algorithm: 'ed25519', out: place.at('b.key'), store: 'file' },
      asAda,
    );
    await place.run(keyImport, { file: place.at('b.key'), name: 'b' }, asAda);
    await place.run(keyDestroy, { key: 'b', yes: true, reason: 'only a test' }, asAda);
    expect(shelf()).toHaveLength(5);
    const said = shelf().map((name) => {
      const { payload } = JSON.parse(
        readFileSync(place.at(`home/attestations/${name}`), 'utf8'),
      ) as { payload: string };
      const { predicate } = JSON.parse(Buffer.from(payload, 'base64').toString()) as {
        predicate: { operation: string; note: string };
      };
      return predicate.operation;
    });
    expect(said).toEqual(['generate', 'sign', 'generate', 'import', 'destroy']);
    const verdict = await place.run(auditVerify, {});
    expect(verdict).toMatchObject({ ok: true, attestations: 5, reason: null });
  });

  it('the copy that was asked for verifies for whoever knows the operator, and for nobody else', async () => {
    await makeKey();
    writeFileSync(place.at('m'), 'message');
    const context = place.context(asAda);
    const copy = place.at('said.json');
    const attestations = context.attestations && { ...context.attestations, copy };
    await sign.run(
      { key: 'r', in: place.at('m'), out: place.at('s'), format: 'raw' },
      { ...context, attestations },
    );
    const one = async (signer: string): Promise<boolean> => {
      const file = readdirSync(place.at('home/identities')).find(
        (name) =>
          name.endsWith('.pub') &&
          readFileSync(place.at(`home/identities/${name}`), 'utf8').includes(`"${signer}"`),
      );
      const { ok } = await place.run(verify, {
        targets: [copy],
        signer: [place.at(`home/identities/${file ?? ''}`)],
      });
      return ok;
    };
    expect(await one('Ada')).toBe(true);
    expect(await one('Eve')).toBe(false);
    const text = readFileSync(copy, 'utf8');
    const forged = JSON.parse(text) as { payload: string };
    const payload = Buffer.from(forged.payload, 'base64').toString().replace('"sign"', '"wrap"');
    rmSync(copy);
    writeFileSync(copy, text.replace(forged.payload, Buffer.from(payload).toString('base64')));
    expect(await one('Ada')).toBe(false);
  });

  it('a wrong passphrase of the identity stops the deed, not its record', async () => {
    await makeKey();
    writeFileSync(place.at('m'), 'message');
    const wrong = { ...asAda, passphrases: ['nonsense'] };
    const out = place.at('s');
    expect(await refusal(place.run(sign, { key: 'r', in: place.at('m'), out }, wrong))).toEqual([
      'E_PASSPHRASE_WRONG',
      77,
    ]);
    expect(existsSync(out)).toBe(false);
    expect(await refusal(place.run(keyDestroy, { key: 'r', yes: true }, wrong))).toEqual([
      'E_PASSPHRASE_WRONG',
      77,
    ]);
    expect((await place.context().keys.find('r')).record.state).toBe('active');
  });

  it('a copy without a signer, or a statement that nobody would keep, is refused before anything is done', async () => {
    await makeKey();
    const context = place.context({ passphrases: ['ada knows'] });
    const attestations = context.attestations && {
      ...context.attestations,
      wanted: true,
      copy: place.at('c'),
    };
    expect(
      await refusal(
        keyDestroy.run({ key: 'r', yes: true, signer: [] }, { ...context, attestations }),
      ),
    ).toEqual(['E_ATTESTATION_UNSIGNED', 2]);
    const nowhere = place.context(asAda);
    const none = nowhere.attestations && { ...nowhere.attestations, kept: false };
    expect(
      await refusal(
        keyDestroy.run({ key: 'r', yes: true, signer: [] }, { ...nowhere, attestations: none }),
      ),
    ).toEqual(['E_ATTESTATION_NOWHERE', 2]);
    expect((await place.context().keys.find('r')).record.state).toBe('active');
  });

  it('no secret gets into a statement', async () => {
    await makeKey();
    using open = await place.context(asAda).keys.open('r');
    const secret = open.secret.use((bytes) => bytes.slice());
    const all = shelf()
      .map((name) => readFileSync(place.at(`home/attestations/${name}`), 'utf8'))
      .join('');
    expect(formsIn(Buffer.from(all), secret)).toEqual([]);
    expect(all).not.toContain('ada knows');
  });
});

describe('the log and its attestations', () => {
  const files = createFiles(nodeFs, (length) => new Uint8Array(length));
  const make = (): ReturnType<typeof createShelf> =>
    createShelf({
      disk: files,
      home: openHome(files, place.at('home')),
      now: () => new Date('2026-11-23T09:31:00Z'),
      copy: undefined,
      identity: 'Ada',
    });

  it('a log that went on meanwhile is noticed, so that the statement is made again', async () => {
    await makeKey();
    const one = make();
    const head = one.head();
    expect(one.keep(new Uint8Array(3), head, {})).toMatch(/[0-9]{8}\.dsse\.json$/);
    expect(make().keep(new Uint8Array(3), head, {})).toBeUndefined();
  });

  it.each([
    ['missing', (path: string) => rmSync(path), 'is missing'],
    [
      'changed',
      (path: string) => writeFileSync(path, `${readFileSync(path, 'utf8')} `),
      'was changed',
    ],
    [
      'another one',
      (path: string) => renameSync(path.replace('00000001', '00000003'), path),
      'was changed',
    ],
  ])('one that is %s is found, with its entry', async (_, spoil, reason) => {
    await makeKey();
    writeFileSync(place.at('m'), 'message');
    await place.run(sign, { key: 'r', in: place.at('m'), out: place.at('s') }, asAda);
    expect(shelf()).toEqual(['00000001.dsse.json', '00000003.dsse.json']);
    spoil(place.at('home/attestations/00000001.dsse.json'));
    const verdict = await place.run(auditVerify, {});
    expect(verdict).toMatchObject({ ok: false, at: 1 });
    expect(verdict.reason).toContain(reason);
  });

  it('go out together and verify elsewhere', async () => {
    await makeKey();
    const out = place.at('audit.jsonl');
    const result = await place.run(auditExport, { out, attestationsDir: place.at('kept') });
    expect(result.attestations).toEqual([place.at('kept/00000001.dsse.json')]);
    const verdict = await place.run(auditVerify, { log: out, attestations: place.at('kept') });
    expect(verdict).toMatchObject({ ok: true, attestations: 1 });
    const unseen = await place.run(auditVerify, { log: out });
    expect(unseen.notes.join()).toContain('not looked at');
  });

  it('a log that does not hold is not exported', async () => {
    await makeKey();
    const log = place.at('home/audit.jsonl');
    writeFileSync(log, readFileSync(log, 'utf8').replace('ed25519', 'ed25518'));
    expect(await refusal(place.run(auditExport, { out: place.at('x') }))).toEqual([
      'E_AUDIT_BROKEN',
      1,
    ]);
    expect(existsSync(join(place.folder, 'x'))).toBe(false);
  });
});

describe('exports for other programs', () => {
  it('a spreadsheet computes nothing that a name says', () => {
    expect(csvRow(['=1+1', '@x', '-2', '+3', 'plain', 'a,"b"'])).toBe(
      `'=1+1,'@x,'-2,'+3,plain,"a,""b"""\r\n`,
    );
  });

  it('a collector sees one line with its parts, whatever is in them', () => {
    const entry = nextEntry(undefined, {
      time: '2026-11-23T09:30:00Z',
      type: 'key.destroyed',
      data: { name: 'a=b|c\nd\\e' },
    });
    const line = cefLine(entry, '1|0');
    expect(line.split('\n')).toHaveLength(2);
    expect(line).toMatch(
      /^CEF:0\|conclave\|conclave\|1\\\|0\|key\.destroyed\|key destroyed\|8\|rt=/,
    );
    expect(line).toContain(String.raw`msg={"name":"a\=b|c\\nd\\\\e"}`);
  });
});
