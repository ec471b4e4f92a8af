/** FROST: RFC 9591's examples and those of frost-rs (signing, key generation, repair, big identifiers), and C2SP's key generation. */
export const area = 'frost';

const SUITES = {
  ed25519: 'frost-ed25519',
  ed448: 'frost-ed448',
  p256: 'frost-p256',
  ristretto255: 'frost-ristretto255',
  secp256k1: 'frost-secp256k1',
  'secp256k1-tr': 'frost-taproot',
};

async function suiteOf(path, tools) {
  const name = Object.keys(SUITES)
    .sort((a, b) => b.length - a.length)
    .find((each) => new RegExp(`(?:^|[/-])${each}(?:[/-]|$)`).test(path));
  const { loadSuite } = await tools.load('crypto/frost/suite');
  return loadSuite(SUITES[name]);
}

/** Round by round: shares from the polynomial, nonces, binding factors, signature shares, the signature and its verification. */
async function signing(path, tools) {
  const tally = tools.tally();
  const suite = await suiteOf(path, tools);
  const {
    config,
    inputs,
    round_one_outputs: one,
    round_two_outputs: two,
    final_output,
  } = tools.json(path);
  const { signingEquation, verifySignatureShare } = await tools.load('crypto/frost/equation');
  const { partFor } = await tools.load('protocols/threshold/dealing');
  const rounds = await tools.load('protocols/threshold/frost-rounds');
  const scalar = (text) => suite.decodeScalar(tools.hex(text), 'vector');
  const threshold = Number(config.MIN_PARTICIPANTS);
  const message = tools.hex(inputs.message);
  const key = suite.group.base.multiply(scalar(inputs.group_secret_key));
  const written =
    inputs.group_public_key ?? inputs.verifying_key_key ?? inputs.verifying_key ?? undefined;
  await tally.check('group key', () => tools.equal(key.toBytes(), tools.hex(written)));

  const listed = (table, member) =>
    Array.isArray(table)
      ? table.map((row) => [Number(row.identifier), row])
      : Object.entries(table[member] ?? table).map(([id, row]) => [Number(id), row]);
  const shares = new Map(
    listed(inputs.participant_shares ?? inputs.participants).map(([id, row]) => [
      id,
      scalar(row.participant_share),
    ]),
  );
  const coefficients = [inputs.group_secret_key, ...inputs.share_polynomial_coefficients].map(
    scalar,
  );
  for (const [id, share] of shares) {
    await tally.check(`share ${id}`, () => partFor({ coefficients }, id, suite) === share);
  }
  const outputs = new Map(listed(one.outputs ?? one.participants ?? one));
  const publicShares = new Map(
    [...outputs.keys()].map((id) => [id, suite.group.base.multiply(shares.get(id))]),
  );
  const signingKey = { suite, threshold, key, publicShares };
  const nonces = new Map();
  for (const [id, out] of outputs) {
    const drawn = [out.hiding_nonce_randomness, out.binding_nonce_randomness].map(tools.hex);
    const made = rounds.commit(suite, id, shares.get(id), () => drawn.shift());
    nonces.set(id, made);
    await tally.check(`nonces of ${id}`, () =>
      made.secret.use((bytes) =>
        tools.equal(bytes, tools.hex(out.hiding_nonce + out.binding_nonce)),
      ),
    );
    await tally.check(`nonce commitments of ${id}`, () =>
      tools.equal(
        Buffer.concat([made.hiding, made.binding]),
        tools.hex(out.hiding_nonce_commitment + out.binding_nonce_commitment),
      ),
    );
  }
  const commitments = rounds.readNonceCommitments(
    [...nonces].map(([number, { hiding, binding }]) => ({ number, hiding, binding })),
    suite,
  );
  const equation = signingEquation(suite, key, commitments, message);
  for (const [id, out] of outputs) {
    await tally.check(
      `binding factor of ${id}`,
      () => equation.bindingFactors.get(id) === scalar(out.binding_factor),
    );
  }
  const signatureShares = new Map();
  for (const [id, out] of listed(two.outputs ?? two.participants ?? two)) {
    const made = rounds.signShare(
      signingKey,
      id,
      shares.get(id),
      nonces.get(id).secret,
      commitments,
      message,
    );
    signatureShares.set(id, made);
    await tally.check(`signature share of ${id}`, () =>
      tools.equal(made, tools.hex(out.sig_share)),
    );
    await tally.check(`equation of ${id}`, () =>
      verifySignatureShare(suite, equation, id, publicShares.get(id), scalar(out.sig_share)),
    );
  }
  const signature = rounds.aggregate(signingKey, commitments, message, signatureShares);
  await tally.check('signature', () => tools.equal(signature, tools.hex(final_output.sig)));
  const { implementation } = await tools.algorithm(suite.algorithm);
  await tally.check('verifies as any other', () =>
    implementation.verify(signature, message, suite.publicKey(key)),
  );
  return tally.result();
}

/** Proofs, parts and the group key of a key generation. */
async function keyGeneration(path, tools) {
  const tally = tools.tally();
  const suite = await suiteOf(path, tools);
  const dealing = await tools.load('protocols/threshold/dealing');
  const { config, inputs } = tools.json(path);
  const threshold = Number(config.MIN_PARTICIPANTS);
  const none = new Uint8Array(0);
  const scalar = (text) => suite.decodeScalar(tools.hex(text), 'vector');
  const parties = Object.values(inputs).filter((each) => typeof each === 'object');
  const commitments = new Map(
    parties.map((party) => [
      party.identifier,
      dealing.readCommitments(
        party.vss_commitments.map(tools.hex),
        party.identifier,
        threshold,
        suite,
      ),
    ]),
  );
  for (const party of parties) {
    const own = commitments.get(party.identifier);
    const coefficients = [scalar(party.signing_key), scalar(party.coefficient)];
    await tally.check(`commitments of ${party.identifier}`, () =>
      own.every((point, k) => point.equals(suite.group.base.multiply(coefficients[k]))),
    );
    await tally.check(`proof of ${party.identifier}`, () =>
      dealing.isConstantProven(
        suite,
        party.identifier,
        own[0],
        tools.hex(party.proof_of_knowledge),
        none,
      ),
    );
    // Signing shares are listed with their receiver, by sender.
    for (const [sender, text] of Object.entries(party.signing_shares)) {
      await tally.check(`part of ${sender} for ${party.identifier}`, () =>
        dealing.isPart(scalar(text), commitments.get(Number(sender)), party.identifier, suite),
      );
    }
  }
  const sum = dealing.sumCommitments([...commitments.values()], threshold, suite.group);
  const change = suite.evenY ? dealing.taprootChange(sum[0], suite) : undefined;
  const point = (each) => (change === undefined ? each : dealing.changePoint(each, change, suite));
  await tally.check('group key', () =>
    tools.equal(point(sum[0]).toBytes(), tools.hex(inputs.verifying_key)),
  );
  for (const party of parties) {
    const id = party.identifier;
    const own = dealing.partFor(
      { coefficients: [scalar(party.signing_key), scalar(party.coefficient)] },
      id,
      suite,
    );
    const total = Object.values(party.signing_shares).reduce(
      (share, text) => (share + scalar(text)) % suite.group.order,
      own,
    );
    const share = change === undefined ? total : dealing.changeShare(total, change, suite);
    await tally.check(`share of ${id}`, () => share === scalar(party.signing_share));
    await tally.check(`public share of ${id}`, () =>
      tools.equal(
        point(dealing.publicShareAt(sum, id, suite)).toBytes(),
        tools.hex(party.verifying_share),
      ),
    );
  }
  return tally.result();
}

/** The last summand of a helper, and the sum of sums: both are sums of scalars. */
async function repair(path, tools) {
  const tally = tools.tally();
  const suite = await suiteOf(path, tools);
  const { sumScalars } = await tools.load('protocols/threshold/repair-rounds');
  const { scalar_generation: drawn, sigma_generation: sigma } = tools.json(path);
  const sum = (table, name, count) => {
    const given = Array.from({ length: count }, (_, i) =>
      suite.decodeScalar(tools.hex(table[`${name}_${i + 1}`]), 'vector'),
    );
    const expected = suite.decodeScalar(tools.hex(table[`${name}_sum`]), 'vector');
    return sumScalars(given, suite) === expected;
  };
  await tally.check('summands', () => sum(drawn, 'random_scalar', 3));
  await tally.check('sums', () => sum(sigma, 'sigma', 4));
  return tally.result();
}

/** Encodings that must be refused, and encodings that must come back as they were. */
async function elements(path, tools) {
  const tally = tools.tally();
  const { group } = await suiteOf(path, tools);
  for (const [name, text] of Object.entries(tools.json(path).elements)) {
    await tally.refused(name, () => group.decode(tools.hex(text), name));
  }
  return tally.result();
}

async function samples(path, tools) {
  const tally = tools.tally();
  const suite = await suiteOf(path, tools);
  for (const [name, text] of Object.entries(tools.json(path))) {
    const bytes = tools.hex(text);
    if (name.startsWith('element')) {
      await tally.check(name, () => tools.equal(suite.group.decode(bytes, name).toBytes(), bytes));
    } else if (name.startsWith('scalar') || name === 'identifier') {
      await tally.check(name, () =>
        tools.equal(suite.encodeScalar(suite.decodeScalar(bytes, name)), bytes),
      );
    } else {
      // A proof of knowledge: a point and a scalar.
      const [point, scalar] = [bytes.slice(0, -suite.scalarBytes), bytes.slice(-suite.scalarBytes)];
      await tally.check(`${name}: point`, () => {
        const whole = suite.evenY && point.length === 32 ? Buffer.from([2, ...point]) : point;
        return tools.equal(suite.group.decode(new Uint8Array(whole), name).toBytes(), whole);
      });
      await tally.check(`${name}: scalar`, () => suite.decodeScalar(scalar, name) >= 0n);
    }
  }
  return tally.result();
}

/**
 * C2SP's key generation is another protocol: what it shares with ours is Feldman's sharing and the Schnorr proof. Its own
 * transport, encryption to static keys in the group, is not offered.
 */
async function cocktail(path, tools) {
  const tally = tools.tally();
  const suite = await suiteOf(path, tools);
  const dealing = await tools.load('protocols/threshold/dealing');
  const { group } = suite;
  // Scalars of Ed448 have 56 bytes there and 57 in RFC 9591.
  const scalar = (text) => {
    const bytes = new Uint8Array(suite.scalarBytes);
    bytes.set(tools.hex(text));
    return suite.decodeScalar(bytes, 'vector');
  };
  for (const [at, vector] of tools.json(path).vectors.entries()) {
    const commitments = vector.round1.map(({ participant_id: id, vss_commitment: sent }) =>
      dealing.readCommitments(sent.map(tools.hex), id, vector.t, suite),
    );
    const sum = dealing.sumCommitments(commitments, vector.t, group);
    await tally.check(`${at}: group key`, () =>
      tools.equal(sum[0].toBytes(), tools.hex(vector.group_public_key)),
    );
    for (const { participant_id: id, secret_share, verification_share } of vector.round2) {
      await tally.check(`${at}: share of ${id}`, () =>
        dealing.isPart(scalar(secret_share), sum, id, suite),
      );
      await tally.check(`${at}: public share of ${id}`, () =>
        tools.equal(dealing.publicShareAt(sum, id, suite).toBytes(), tools.hex(verification_share)),
      );
    }
    for (const [
      i,
      { participant_id: id, pop, pop_intermediate: inner },
    ] of vector.round1.entries()) {
      await tally.check(`${at}: proof of ${id}`, () => {
        const point = group.decode(tools.hex(inner.nonce_commitment), 'nonce');
        const answer = scalar(pop.slice(2 * group.pointBytes));
        const owed = point.add(commitments[i][0].multiplyUnsafe(scalar(inner.challenge)));
        return group.base.multiplyUnsafe(answer).equals(owed);
      });
    }
    tally.outside('encryption and signatures of C2SP cocktail-dkg', vector.n);
  }
  return tally.result();
}

export const files = [
  { pattern: /^zf-frost\/[^/]+\/vectors(?:-big-identifier)?\.json$/, run: signing },
  { pattern: /^cfrg-draft\/frost-[^/]+\.json$/, run: signing },
  { pattern: /^zf-frost\/[^/]+\/vectors_dkg\.json$/, run: keyGeneration },
  { pattern: /^zf-frost\/[^/]+\/repair-share\.json$/, run: repair },
  { pattern: /^zf-frost\/[^/]+\/elements\.json$/, run: elements },
  { pattern: /^zf-frost\/[^/]+\/samples\.json$/, run: samples },
  { pattern: /^cocktail-dkg\/cocktail-dkg-[^/]+\.json$/, run: cocktail },
];
