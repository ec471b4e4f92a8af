/** Seeded runs whose bytes stand in known-answers.json, for whoever writes another prover or verifier. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { interpolate, lagrangeFactors } from '#crypto/math/gf256';
import { loadGroup, mod } from '#crypto/math/prime-group';
import { sha256 } from '#crypto/hash';
import { concat, fromHex, toHex } from '#formats/bytes';
import { fromBigEndian } from '#protocols/inhead/integer';
import { decodeProof, encodeProof } from '#protocols/inhead/proof';
import { prove } from '#protocols/inhead/prover';
import { makeStatement, type StatementParts } from '#protocols/inhead/statement';
import { verifyProof } from '#protocols/inhead/verifier';
import { sizeOf } from './support.js';

interface KnownAnswer {
  readonly name: string;
  readonly circuitId: number;
  /** Null for bytes. */
  readonly curve: string | null;
  readonly h0: string;
  readonly root: string;
  readonly openings: readonly {
    readonly x: string;
    readonly r: string;
    readonly firstBlocks: readonly string[];
  }[];
  readonly secretBlock: string | null;
  readonly proofs: readonly {
    readonly repetitions: number;
    readonly bytes: number;
    readonly sha256: string;
  }[];
}

const { cases } = JSON.parse(
  readFileSync(new URL('known-answers.json', import.meta.url), 'utf8'),
) as { cases: KnownAnswer[] };

async function partsOf(known: KnownAnswer, repetitions: number) {
  const { circuitId, curve, h0, secretBlock } = known;
  const group = curve === null ? undefined : await loadGroup(curve);
  const all = known.openings.map(({ x, r, firstBlocks }) => {
    const [secret, random] = [fromHex(x), fromHex(r)];
    const blocks = firstBlocks.map((block) => fromHex(block));
    const nonce = concat(...blocks.slice(1).map((block) => sha256(block, secret, random)));
    const integers = group === undefined ? [] : nonce.length > 0 ? [secret, nonce] : [secret];
    return {
      secret: nonce.length > 0 ? { x: secret, r: random, nonce } : { x: secret, r: random },
      opening: {
        firstBlocks: blocks,
        commitment: sha256(blocks[0] as Uint8Array, secret, random),
        points: integers.map((bytes) => {
          const { base, order } = group as NonNullable<typeof group>;
          return base.multiply(mod(fromBigEndian(bytes), order));
        }),
      },
    };
  });
  const numbers = all.map((_, i) => i + 1);
  const block = fromHex(secretBlock ?? '');
  const secret = interpolate(all.map(({ secret: { x } }, i) => ({ x: i + 1, y: x })));
  const parts: StatementParts = {
    h0: fromHex(h0),
    parameters: { repetitions, circuitId },
    shape:
      group === undefined
        ? { kind: 'bytes', factors: [...lagrangeFactors(numbers)] }
        : {
            kind: 'scalar',
            size: sizeOf(group),
            openings: all.length,
            nonces: (all[0]?.opening.firstBlocks.length ?? 0) > 1,
          },
    openings: all.map(({ opening }) => opening),
    ...(group === undefined
      ? { secret: { firstBlock: block, commitment: sha256(block, secret, new Uint8Array(23)) } }
      : { group }),
  };
  return { statement: makeStatement(parts), secrets: all.map((each) => each.secret) };
}

describe.each(cases)('$name', (known) => {
  it.each(known.proofs)('gives the known proof at $repetitions repetitions', async (answer) => {
    const { statement, secrets } = await partsOf(known, answer.repetitions);
    const bytes = encodeProof(prove(statement, secrets, fromHex(known.root)));
    expect([bytes.length, toHex(sha256(bytes))]).toEqual([answer.bytes, answer.sha256]);
    const proof = decodeProof(bytes, statement.trace.circuit, answer.repetitions, 'proof');
    expect(verifyProof(statement, proof)).toEqual({ ok: true });
  });
});
