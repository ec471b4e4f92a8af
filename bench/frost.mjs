/**
 * What threshold keys cost, as multiples of a plain signature of the same curve: a key generation of 3 of 5 by one party, a nonce
 * commitment, a signature share, one from prepared nonces, and the aggregate, each share checked. BLS12-381 has no nonces. Names tell
 * the bytes of the messages on the wire, as they are written with signature, framing and seal. There is no peer for the whole.
 */
import { randomBytes } from 'node:crypto';

export const title = 'Threshold keys: medians of interleaved runs, 3 of 5';
export const peer = 'one plain signature of the same curve';

const load = (path) => import(new URL(`../dist/${path}.js`, import.meta.url));
const random = (length) => new Uint8Array(randomBytes(length));
const MESSAGE = new Uint8Array(32).fill(7);
const ROUNDS = 7;

/** All cases. */
export async function measure() {
  const { groupSuiteNames } = await load('crypto/frost/suite');
  const rows = [];
  for (const name of groupSuiteNames) rows.push(...(await measureSuite(name)));
  return rows;
}

async function measureSuite(name) {
  const { loadSuite } = await load('crypto/frost/suite');
  const { resolve } = await load('crypto/registry');
  const dealing = await load('protocols/threshold/dealing');
  const rounds = await load('protocols/threshold/frost-rounds');
  const { noncesOf } = await load('protocols/threshold/batch');
  const { SecretBytes } = await load('formats/secret-bytes');
  const suite = await loadSuite(name);
  const plain = await (await resolve(suite.algorithm)).load();
  const secret = await plain.generate(random);

  const numbers = [1, 2, 3, 4, 5];
  const dealings = numbers.map(() => dealing.deal(undefined, 3, suite, random));
  const context = random(32);
  const proofs = dealings.map((each, i) =>
    dealing.proveConstant(suite, i + 1, each, context, random),
  );
  /** What one party computes: its own dealing and proof, four proofs and four parts checked, five public shares. */
  const keygen = () => {
    const own = dealing.deal(undefined, 3, suite, random);
    dealing.proveConstant(suite, 1, own, context, random);
    for (const i of [1, 2, 3, 4]) {
      const { commitments } = dealings[i];
      if (!dealing.isConstantProven(suite, i + 1, commitments[0], proofs[i], context))
        throw new Error('proof');
      if (!dealing.isPart(dealing.partFor(dealings[i], 1, suite), commitments, 1, suite))
        throw new Error('part');
    }
    const sum = dealing.sumCommitments(
      dealings.map((each) => each.commitments),
      3,
      suite.group,
    );
    for (const number of numbers) dealing.publicShareAt(sum, number, suite);
  };

  const group = dealing.deal(undefined, 3, suite, random);
  const quorum = [1, 3, 5];
  const shares = new Map(numbers.map((i) => [i, dealing.partFor(group, i, suite)]));
  const key = {
    suite,
    threshold: 3,
    key: group.commitments[0],
    publicShares: new Map(
      numbers.map((i) => [i, dealing.publicShareAt(group.commitments, i, suite)]),
    ),
  };
  // Party 1 signs with prepared nonces: its pair comes from a seed, the same each time.
  const seed = SecretBytes.adopt(random(32), 'seed of a prepared pair');
  const again = () => noncesOf(suite, 1, shares.get(1), seed);
  const session = () => {
    const nonces = new Map(
      quorum.map((i) => [i, i === 1 ? again() : rounds.commit(suite, i, shares.get(i), random)]),
    );
    const sent = [...nonces].map(([number, { hiding, binding }]) => ({ number, hiding, binding }));
    return { nonces, commitments: rounds.readNonceCommitments(sent, suite) };
  };
  const sign = ({ nonces, commitments }, i) =>
    rounds.signShare(key, i, shares.get(i), nonces.get(i).secret, commitments, MESSAGE);
  /** All that such a signer computes: its pair again, and the share. */
  const prepared = ({ commitments }) => sign({ nonces: new Map([[1, again()]]), commitments }, 1);

  const pairing =
    suite.scheme === 'pairing' ? await pairingShares(suite, key, shares, quorum) : undefined;

  const times = { plain: [], keygen: [], commit: [], share: [], prepared: [], aggregate: [] };
  const time = (what, work) => {
    const from = performance.now();
    const result = work();
    times[what].push(performance.now() - from);
    return result;
  };
  for (let i = 0; i < ROUNDS; i++) {
    time('plain', () => plain.sign(MESSAGE, secret));
    time('keygen', keygen);
    if (pairing !== undefined) {
      const all = new Map(
        quorum.map((i) => [i, i === 1 ? time('share', () => pairing.sign(1)) : pairing.sign(i)]),
      );
      time('aggregate', () => pairing.aggregate(all));
      continue;
    }
    time('commit', () => rounds.commit(suite, 1, shares.get(1), random));
    const made = session();
    const first = time('share', () => sign(made, 1));
    time('prepared', () => prepared(made));
    const all = new Map([
      [1, first],
      [3, sign(made, 3)],
      [5, sign(made, 5)],
    ]);
    time('aggregate', () => rounds.aggregate(key, made.commitments, MESSAGE, all));
  }
  const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];
  const one = median(times.plain);
  const row = (what, label, target) => {
    const ms = median(times[what]);
    return { name: `${name}: ${label}`, ms, ratio: ms / one, target };
  };
  const bytes = await messageBytes(suite);
  const keygenRow = row(
    'keygen',
    `key generation, one party (commitments ${bytes.commitments}, each part ${bytes.part}, echo ${bytes.echo}, confirm ${bytes.confirm}, acknowledge ${bytes.acknowledge} bytes)`,
  );
  const aggregateRow = row('aggregate', 'aggregate of 3, each checked');
  if (pairing !== undefined) {
    return [
      keygenRow,
      row('share', `signature share (${bytes['bare-share']} bytes)`),
      aggregateRow,
    ];
  }
  return [
    keygenRow,
    row('commit', `nonce commitment (${bytes.nonces} bytes)`),
    row('share', `signature share (${bytes['signature-share']} bytes)`),
    row('prepared', `from prepared nonces, both in one round (${bytes['prepared-share']} bytes)`),
    aggregateRow,
  ];
}

/** Signing where signatures add up: a share by itself, and a quorum's shares checked and added up. */
async function pairingShares(suite, key, shares, quorum) {
  const { loadPairingShares } = await load('crypto/frost/pairing');
  const { lagrangeOf } = await load('protocols/threshold/dealing');
  const signing = await loadPairingShares(suite);
  return {
    sign: (i) => signing.sign(shares.get(i), MESSAGE),
    aggregate: (all) => {
      for (const [i, share] of all) {
        if (!signing.verify(key.publicShares.get(i), MESSAGE, share)) throw new Error('share');
      }
      return signing.combine(all, lagrangeOf(quorum, suite));
    },
  };
}

/** Bytes of each message of 3 of 5, by its type, written by one of them with bodies of the lengths that they have. */
async function messageBytes(suite) {
  const { newSessionKeys } = await load('protocols/parties/session-keys');
  const { makeRoster } = await load('protocols/parties/roster');
  const { writeMessage } = await load('protocols/parties/message');
  const { encodeCbor } = await load('formats/cbor');
  const { encodeEcho } = await load('protocols/parties/inbox');
  const keys = [];
  for (let i = 0; i < 5; i++) keys.push(await newSessionKeys(random));
  const roster = makeRoster({
    session: random(32),
    purpose: `${suite.name}/keygen`,
    terms: random(32),
    parties: keys.map(({ ed25519, xWing }, i) => ({
      number: i + 1,
      identity: random(32),
      ed25519,
      xWing,
    })),
  });
  const point = random(suite.group.pointBytes);
  const scalar = random(suite.scalarBytes);
  const proof =
    suite.scheme === 'pairing'
      ? random(suite.group.pointBytes + suite.scalarBytes)
      : random(suite.signatureBytes);
  const echo = (type, senders) =>
    encodeEcho({
      round: 1,
      type,
      heard: senders.map((sender) => ({ sender, digest: random(32) })),
    });
  const bodies = [
    [1, 'commitments', null, [[point, point, point], proof]],
    [2, 'part', 2, scalar],
    [2, 'echo', null, echo('commitments', [1, 2, 3, 4, 5])],
    [3, 'confirm', null, [random(32), random(32)]],
    [4, 'acknowledge', null, random(32)],
    [1, 'nonces', null, [point, point]],
    [2, 'signature-share', null, [scalar, echo('nonces', [1, 3, 5])]],
    [1, 'signature-share', null, random(suite.signatureBytes), 'bare-share'],
    [1, 'signature-share', null, scalar, 'prepared-share'],
  ];
  const bytes = {};
  for (const [round, type, recipient, body, name = type] of bodies) {
    const written = await writeMessage({
      roster,
      round,
      sender: 1,
      recipient,
      type,
      body: encodeCbor(body),
      seed: keys[0].signing,
      random,
    });
    bytes[name] = written.length;
  }
  for (const each of keys) each[Symbol.dispose]();
  return bytes;
}
