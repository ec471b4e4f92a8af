/** Shamir's sharing over GF(256): plain (TSS draft), in SLIP-39's layout (bc-shamir), and in two levels (SSKR). */
export const area = 'shamir';

/** All ways to choose k of the items. */
function* choices(items, k, from = 0) {
  if (k === 0) {
    yield [];
    return;
  }
  for (let i = from; i <= items.length - k; i++) {
    for (const rest of choices(items, k - 1, i + 1)) yield [items[i], ...rest];
  }
}

async function tssDraft(path, tools) {
  const tally = tools.tally();
  const { combineBytes } = await tools.load('protocols/sharing/shamir');
  const { threshold, secret, shares } = tools.json(path);
  const points = shares.map(({ index, share }) => ({ x: index, y: tools.hex(share) }));
  for (const chosen of choices(points, threshold)) {
    const id = `shares ${chosen.map(({ x }) => x).join(', ')}`;
    await tally.check(id, () => tools.equal(combineBytes(chosen), tools.hex(secret)));
  }
  return tally.result();
}

async function bcShamir(path, tools) {
  const tally = tools.tally();
  const { recoverWithDigest } = await tools.load('protocols/sharing/slip39');
  for (const { id, threshold, secret, share_index: indices, shares } of tools.json(path).vectors) {
    const points = shares.map((share, i) => ({ x: indices[i], y: tools.hex(share) }));
    await tally.check(id, () =>
      [...choices(points, threshold)].every((chosen) =>
        tools.equal(recoverWithDigest(chosen, threshold), tools.hex(secret)),
      ),
    );
  }
  return tally.result();
}

/** The header's five bytes: id(2), group threshold and count, group index and member threshold, member index. */
async function sskr(path, tools) {
  const tally = tools.tally();
  const { recoverWithDigest } = await tools.load('protocols/sharing/slip39');
  const data = tools.json(path);
  const groups = data.groups.map((shares) =>
    shares.map((text) => {
      const bytes = tools.hex(text);
      return {
        groupThreshold: (bytes[2] >> 4) + 1,
        group: bytes[3] >> 4,
        threshold: (bytes[3] & 15) + 1,
        x: bytes[4] & 15,
        y: bytes.subarray(5),
      };
    }),
  );
  await tally.check('two groups', () => {
    const { groupThreshold } = groups[0][0];
    const values = groups.map((members) => {
      const { group, threshold } = members[0];
      const results = [...choices(members, threshold)].map((chosen) =>
        recoverWithDigest(chosen, threshold),
      );
      if (!results.every((each) => tools.equal(each, results[0])))
        throw new Error('quorums differ');
      return { x: group, y: results[0] };
    });
    const secret = recoverWithDigest(values.slice(0, groupThreshold), groupThreshold);
    return tools.equal(secret, tools.hex(data.master_secret));
  });
  tally.skip('bytewords, CBOR and UR forms belong to QR transfer');
  return tally.result();
}

export const files = [
  { pattern: /^draft-mcgrew-tss-03\.json$/, run: tssDraft },
  { pattern: /^bc-shamir\.json$/, run: bcShamir },
  { pattern: /^sskr-bcr-2020-011\.json$/, run: sskr },
];
