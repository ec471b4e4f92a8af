/**
 * What a ceremony's record costs, as a multiple of hashing and signing the same entries, or hashing them and verifying the
 * signatures. The peer does what no record can do without: it spells each entry as canonical JSON, links and hashes it, and
 * makes or verifies the same two signatures of two people over the same payload. It reads no form, keeps no state, follows no
 * plan, and believes whatever it is given. Encoder, hash and signatures are the house's own on both sides, so that a ratio
 * says what conclave adds and not whose SHA-512 is faster. Nothing is kept from one round to the next.
 */
import { createHash, randomBytes } from 'node:crypto';

export const title = 'the record of a ceremony: fastest of interleaved runs, in processor time';
export const peer = 'hashing and signing the same entries';

const TARGET = 1.3;
const ROUNDS = 9;
/** Steps of the ceremony that is verified, and holders for whom each is done: two entries every time. */
const STEPS = 78;
const HOLDERS = 64;

const load = (path) => import(new URL(`../dist/${path}.js`, import.meta.url));
const random = (length) => new Uint8Array(randomBytes(length));

/** A dev ceremony in which every holder confirms every step. */
function definitionText() {
  const role = (name, count, identity, distinct) =>
    `  ${name}: { count: ${count}, identity: ${identity}, distinct-from: [${distinct}], summary: takes part }`;
  const steps = Array.from(
    { length: STEPS },
    (_, i) =>
      `      - { id: step-${i}, title: Each custodian confirms ${i}, by: custodian, each: custodian, do: confirm, say: It is so. }`,
  );
  return [
    'conclave: 1',
    'id: long',
    'title: A long dev ceremony',
    'summary: As long as a record gets.',
    'classification: dev',
    'roles:',
    role('administrator', 1, 'required', 'witness'),
    role('custodian', HOLDERS, 'optional', ''),
    role('witness', 1, 'required', 'administrator'),
    'acts:',
    '  - id: work',
    '    title: Work',
    '    steps:',
    ...steps,
    '  - id: close',
    '    title: Close',
    '    steps:',
    '      - { id: administrator, title: The administrator signs off, by: administrator, each: administrator, do: sign-off }',
    '      - { id: witness, title: The witness signs off, by: witness, each: witness, do: sign-off }',
    '',
  ].join('\n');
}

/** Type and data of every entry of an undisturbed session. */
function drafts(definition, plan, opened) {
  const out = [['session.opened', opened]];
  let act;
  for (const instance of plan) {
    if (instance.act.id !== act) {
      act = instance.act.id;
      out.push(['act.started', { act }]);
    }
    const holder = instance.for === undefined ? {} : { for: instance.for };
    const where = { act, step: instance.step.id, ...holder };
    const who = instance.for ?? instance.by;
    out.push(['step.started', { ...where, attempt: 1 }]);
    const signs = instance.step.human === 'sign-off';
    if (signs)
      out.push([
        'signoff',
        { person: who, role: instance.step.by, agrees: true, reason: null, graded: 'recorded' },
      ]);
    const people = signs ? [] : [{ name: who, said: 'yes', graded: 'recorded' }];
    out.push(['step.finished', { ...where, by: instance.by, outputs: {}, artifacts: [], people }]);
  }
  return [...out, ['session.closed', { outcome: 'completed', reason: null }]];
}

/** A disk that forgets: what is measured is the program, not the medium. */
const nowhere = { append: () => undefined, exists: () => false };

export async function measure() {
  const [
    chain,
    statement,
    identity,
    parse,
    planning,
    transcripts,
    checking,
    journal,
    canonical,
    dsse,
    bytes,
    recorder,
    hash,
  ] = await Promise.all([
    load('custody/audit/chain'),
    load('custody/audit/statement'),
    load('custody/authority/identity'),
    load('script/parse'),
    load('script/plan'),
    load('script/transcript'),
    load('script/check-transcript'),
    load('ceremony/journal'),
    load('formats/canonical-json'),
    load('formats/dsse'),
    load('formats/bytes'),
    load('ceremony/recorder'),
    load('crypto/hash'),
  ]);
  const sha256 = (data) => new Uint8Array(createHash('sha256').update(data).digest());
  const text = definitionText();
  const definitionBytes = bytes.utf8(text);
  const { definition } = parse.parseDefinition(definitionBytes, 'definition.yaml');
  const now = new Date('2026-11-23T09:00:00Z');
  const made = (name) => identity.newIdentity({ name, environment: 'dev', now, random });
  const signers = [await made('administrator'), await made('witness')];
  const named = (name, role, own) => ({
    name,
    role,
    identity: own,
    level: own === null ? 'none' : 'tofu',
  });
  const participants = [
    named('administrator', 'administrator', identity.identityJson(signers[0].identity)),
    ...Array.from({ length: HOLDERS }, (_, i) => named(`custodian-${i + 1}`, 'custodian', null)),
    named('witness', 'witness', identity.identityJson(signers[1].identity)),
  ];
  const definitionDigest = `sha256:${bytes.toHex(sha256(definitionBytes))}`;
  const execution = { definitionDigest, parameters: {}, participants };
  const opened = {
    session: 'long-1',
    ceremony: definition.id,
    title: definition.title,
    classification: 'dev',
    mode: 'run',
    environment: 'dev',
    ...execution,
    executionDigest: planning.executionDigest(execution, sha256),
    siteDigest: null,
    previous: null,
    tool: { version: '0', digest: definitionDigest },
    airGap: [],
  };
  const all = drafts(definition, planning.plan(definition, participants), opened);
  const time = '2026-11-23T09:00:00Z';

  /** Every entry, linked and hashed, and nothing else. */
  const hashed = () => {
    let prev = chain.GENESIS;
    return all.map(([type, data], seq) => {
      const entry = { data, prev, seq, time, type };
      prev = hash.sha256OfText(canonical.canonicalJson(entry));
      return entry;
    });
  };
  const hashedAndSigned = async () => {
    const payload = canonical.canonicalJsonBytes({ definition: text, entries: hashed() });
    for (const signer of signers)
      await statement.signDetached(statement.STATEMENT_PAYLOAD_TYPE, payload, signer, { random });
  };
  const journalled = () => {
    const { journal: open } = journal.Journal.open(nowhere, 'journal.jsonl');
    const record = new recorder.Recorder(open, [], () => now);
    for (const [type, data] of all) record.write(type, data);
    return record.entries;
  };
  const closed = async () => {
    const entries = journalled();
    const built = transcripts.buildTranscriptStatement({ entries, definition: text, version: '0' });
    return dsse.encodeDsse(await statement.signStatement(built, signers, { random }));
  };
  const file = await closed();
  const identities = signers.map((it) => it.identity);

  const verified = async () => {
    const envelope = dsse.decodeDsse(bytes.utf8(file), 't', { maxBytes: 64 * 1024 * 1024 });
    const transcript = transcripts.parseTranscript(statement.parseStatement(envelope, 't'), 't');
    const { signedBy, problems } = await statement.verifyEnvelope(envelope, identities);
    const verdict = await checking.checkTranscript(transcript, {
      signatures: {
        signedBy: new Set(signedBy.map(({ id }) => id)),
        problems,
        pinned: new Set(identities.map(({ id }) => id)),
        allowUnpinned: false,
      },
      sha256,
      readArtifact: () => undefined,
      inspect: () => Promise.resolve(undefined),
      catalogue: [],
    });
    if (!verdict.ok) throw new Error(verdict.summary);
  };
  /** The same work without any rule: read the file, make each entry's canonical form, hash it, verify the signatures. */
  const rehashed = async () => {
    const envelope = JSON.parse(file);
    const payload = Buffer.from(envelope.payload, 'base64');
    const { predicate } = JSON.parse(payload.toString());
    for (const entry of predicate.entries) hash.sha256OfText(canonical.canonicalJson(entry));
    await statement.verifyEnvelope(
      dsse.decodeDsse(bytes.utf8(file), 't', { maxBytes: 64 * 1024 * 1024 }),
      identities,
    );
  };

  const count = all.length;
  return [
    row('an entry journalled and signed', count, closed, hashedAndSigned, TARGET),
    row('an entry journalled, to hashing only', count, journalled, hashed),
    row(`${count} entries verified`, 1, verified, rehashed, TARGET),
  ].reduce(async (before, next) => [...(await before), await next()], []);
}

/** A row yet to be measured: one at a time, or they would disturb each other. */
function row(name, per, work, peerWork, target) {
  return async () => {
    const [ours, theirs] = await interleaved(work, peerWork);
    return {
      name,
      ms: ours / per,
      ratio: ours / theirs,
      ...(target === undefined ? {} : { target }),
    };
  };
}

async function interleaved(ours, theirs) {
  const best = [Infinity, Infinity];
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, work] of [ours, theirs].entries()) {
      const before = process.cpuUsage();
      await work();
      const { user, system } = process.cpuUsage(before);
      best[i] = Math.min(best[i], (user + system) / 1000);
    }
  }
  return best;
}
