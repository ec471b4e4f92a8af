/**
 * Level `shares`: what is checked of a trace beyond its signature.
 */
import { randomBytes } from 'node:crypto';
import { isSigned } from '../../dist/actions/trace/check-bytes.js';
import { checkScalarTrace } from '../../dist/actions/trace/check-scalars.js';
import { policyOf } from '../../dist/actions/trace/policy.js';
import { proveScalars } from '../../dist/actions/trace/prove-scalars.js';
import { readScalarKey } from '../../dist/actions/trace/scalar-key.js';
import { newOpening, shareCommitment } from '../../dist/crypto/frost/commitment.js';
import { contextOf, encodeGroup, pointText } from '../../dist/crypto/frost/group.js';
import { loadSuite } from '../../dist/crypto/frost/suite.js';
import { sha256 } from '../../dist/crypto/hash.js';
import { keyId } from '../../dist/crypto/key-id.js';
import { randomScalar } from '../../dist/crypto/math/prime-group.js';
import { dealFeldman } from '../../dist/crypto/math/vss.js';
import { resolve } from '../../dist/crypto/registry.js';
import { SecretBytes } from '../../dist/formats/secret-bytes.js';
import { encodeRequest } from '../../dist/protocols/inhead/request.js';
import { encodeTrace } from '../../dist/protocols/inhead/trace-file.js';

const random = (length) => new Uint8Array(randomBytes(length));
const hex = (data) => Buffer.from(data).toString('hex');

/** The group record of a key whose shares are dealt here, and what opens them. */
async function dealt(name, threshold) {
  const suite = await loadSuite(name);
  const { group } = suite;
  const quorum = { threshold, shares: threshold };
  const { shares, commitments } = dealFeldman(randomScalar(group, random), quorum, group, random);
  const openings = shares.map(({ value }) => newOpening(value, suite, random));
  const record = {
    type: 'conclave/group',
    version: 1,
    suite: name,
    key: keyId(await resolve(suite.algorithm), suite.publicKey(commitments[0])),
    environment: 'dev',
    threshold,
    ceremony: hex(random(32)),
    epoch: 1,
    policy: null,
    publicKey: pointText(commitments[0]),
    members: shares.map(({ index, value }) => ({
      number: index,
      identity: hex(random(32)),
      publicShare: pointText(group.base.multiply(value)),
      commitment: '0'.repeat(64),
    })),
    head: hex(random(32)),
  };
  const context = contextOf(record, suite);
  record.members.forEach((member, i) => {
    member.commitment = hex(shareCommitment(suite, context, member.number, openings[i]));
  });
  const signers = openings.map((opening, i) => ({
    name: `share ${i + 1}`,
    number: i + 1,
    opening: SecretBytes.copyOf(opening, `share ${i + 1}`),
  }));
  return { key: await readScalarKey(encodeGroup(record), 'group'), signers };
}

/** What is checked beyond the signature, to verifying that alone. */
export async function sharesRow(name, threshold, bind) {
  const { key, signers } = await dealt(name, threshold);
  const message = random(64);
  const request = {
    nonce: random(32),
    message,
    group: sha256(key.bytes),
    level: 'shares',
    quorum: signers.map(({ number }) => number),
    bind,
    policy: policyOf(message),
    expires: undefined,
  };
  const asked = { key, request, requestBytes: encodeRequest(request) };
  const machine = { random, progress: () => undefined };
  const trace = await proveScalars({ ...asked, signers, twin: false }, machine);
  const [all, alone] = [[], []];
  for (let i = 0; i < 30; i++) {
    const started = performance.now();
    const verdict = await checkScalarTrace({ ...asked, trace, what: 'trace' });
    all.push(performance.now() - started);
    if (!verdict.ok) throw new Error(`level shares of ${name} does not verify`);
    const again = performance.now();
    await isSigned(key, message, trace.signature);
    alone.push(performance.now() - again);
  }
  const [whole, plainly] = [Math.min(...all), Math.min(...alone)];
  return {
    name: `${name}, ${bind ? 'bound ' : ''}shares of ${threshold} (${encodeTrace(trace).length} bytes), beyond the signature; to that`,
    ms: whole - plainly,
    ratio: (whole - plainly) / plainly,
  };
}
