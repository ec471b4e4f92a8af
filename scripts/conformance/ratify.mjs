/**
 * Ratify protocol fixtures, as far as canonical JSON and the hybrid signature reach: keys and ids from seeds, signed bytes,
 * deterministic signatures. Whether a chain of delegations is authorised is not decided here.
 */
export const area = 'ratify';

const POLICY = 'scopes, constraints and freshness are not judged here';

/** The canonical bytes of an object without its signature members. */
function signBytes(object, tools, { canonicalJsonBytes }) {
  const rest = Object.entries(object).filter(([name]) => !name.startsWith('signature'));
  return canonicalJsonBytes(Object.fromEntries(rest), { escapeLineSeparators: true });
}

function u64(value) {
  const out = Buffer.alloc(8);
  out.writeBigUInt64BE(BigInt(value));
  return out;
}

/** The bytes that answer a challenge: 40, 72, 80 or 112 of them. */
function challengeBytes(bundle, tools) {
  const parts = [tools.base64(bundle.challenge), u64(bundle.challenge_at)];
  if (bundle.session_context !== undefined) parts.push(tools.base64(bundle.session_context));
  if (bundle.stream_id !== undefined)
    parts.push(tools.base64(bundle.stream_id), u64(bundle.stream_seq));
  return new Uint8Array(Buffer.concat(parts));
}

async function fixture(path, tools) {
  const tally = tools.tally();
  const file = tools.json(path);
  if (hasFractions(file)) {
    tally.skip('coordinates with fractions: our canonical JSON carries integers only');
    return tally.result();
  }
  const json = await tools.load('formats/canonical-json');
  const ratify = await tools.load('crypto/encodings/ratify-json');
  const { implementation } = await tools.algorithm('ed25519+ml-dsa-65', 'ratify-v1');
  const joined = ({ ed25519, ml_dsa_65 }) =>
    new Uint8Array(Buffer.concat([tools.base64(ed25519), tools.base64(ml_dsa_65)]));
  const seeds = new Map();
  for (const entity of file.entities ?? []) {
    const seed = tools.hex(entity.ed25519_seed_hex + entity.ml_dsa_65_seed_hex);
    seeds.set(JSON.stringify(entity.public_key), seed);
    await tally.check(`${entity.role}: key and id from seeds`, () => {
      const key = implementation.publicKey(seed);
      return tools.equal(key, joined(entity.public_key)) && ratify.ratifyId(key) === entity.id;
    });
  }
  const broken = brokenParts(file);

  /** A signature over known bytes by a known key: verifies, and comes out again, unless the fixture broke it. */
  const signature = async (label, bytes, key, value) => {
    const seed = seeds.get(JSON.stringify(key));
    const isBroken = broken(label);
    await tally.check(
      `${label}: ${isBroken ? 'refused' : 'verifies'}`,
      () => implementation.verify(joined(value), bytes, joined(key)) !== isBroken,
    );
    if (isBroken || seed === undefined) return;
    await tally.check(`${label}: made again`, () =>
      tools.equal(implementation.sign(bytes, seed), joined(value)),
    );
  };
  const sameBytes = (label, bytes, expected) =>
    tally.check(`${label}: signed bytes`, () => tools.toHex(bytes) === expected);

  const { expected } = file;
  for (const [i, cert] of (file.cert_chain ?? []).entries()) {
    const bytes = signBytes(cert, tools, json);
    const label = `cert ${i}`;
    if (expected.delegation_sign_bytes_hex !== undefined)
      await sameBytes(label, bytes, expected.delegation_sign_bytes_hex[i]);
    await signature(label, bytes, cert.issuer_pub_key, cert.signature);
  }
  if (file.bundle !== undefined) {
    const { bundle } = file;
    const bytes = challengeBytes(bundle, tools);
    await sameBytes('challenge', bytes, expected.challenge_sign_bytes_hex);
    const key = bundle.agent_pub_key;
    await signature('challenge', bytes, key, bundle.challenge_sig);
  }
  if (file.key_rotation !== undefined) {
    const rotation = file.key_rotation;
    const bytes = signBytes(rotation, tools, json);
    await sameBytes('key rotation', bytes, expected.key_rotation_sign_bytes_hex);
    for (const side of ['old', 'new']) {
      const key = rotation[`${side}_pub_key`];
      await signature(`${side} signature`, bytes, key, rotation[`signature_${side}`]);
    }
  }
  if (file.witness_entry !== undefined) {
    const entry = file.witness_entry;
    const bytes = signBytes(entry, tools, json);
    await sameBytes('witness entry', bytes, expected.witness_entry_sign_bytes_hex);
    const witness = file.entities.find(({ id }) => id === entry.witness_id);
    if (witness !== undefined) {
      const key = witness.public_key;
      await signature('witness entry', bytes, key, entry.signature);
    }
  }
  tally.skip(POLICY);
  return tally.result();
}

function hasFractions(value) {
  if (typeof value === 'number') return !Number.isSafeInteger(value);
  return typeof value === 'object' && value !== null && Object.values(value).some(hasFractions);
}

/** Which signatures of a fixture are meant to fail, from what its verifier must say. */
function brokenParts({ expected, kind }) {
  const reason = expected.key_rotation_error_reason ?? expected.verify_result?.error_reason ?? '';
  if (kind === 'key_rotation') {
    // The statement was changed after both signatures were made; the verifier names the one it meets first.
    return () => /signature invalid/.test(reason);
  }
  const cert = /^bad_signature: cert (\d+)/.exec(reason)?.[1];
  const challenge = /^bad_challenge_sig/.test(reason);
  return (label) => (label === 'challenge' ? challenge : label === `cert ${cert}`);
}

export const files = [
  {
    pattern:
      /^v1\/(?!cross_sdk_vectors|\S*transaction_receipt|\S*session_token|\S*revocation)\S+\.json$/,
    run: fixture,
  },
  { pattern: /^v1\/\S+\.json$/ },
  { pattern: /^wire-negative\/\S+$/ },
];
