/**
 * What a trace must refuse and what a prover must never do, line by line, each with the test that shows it. A test that was renamed
 * or taken away leaves its line without one, and that is noticed here.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from '../support/require.js';

/** A line, and tests by file (in this folder, unless it names another) and title. */
type Line = readonly [line: string, ...tests: readonly (readonly [file: string, title: string])[]];

const REFUSED: readonly Line[] = [
  [
    'each field of G changed',
    ['fields', 'of the group record, also where the request is for the changed one'],
    ['fields', 'is another one with any field changed, for both'],
    ['command', 'is of its group record alone'],
    ['trace', 'with any field of the group record changed'],
  ],
  [
    'each field of REQ changed, another policy digest among them',
    ['fields', 'of the request'],
    ['trace', 'with any field of its request changed'],
  ],
  [
    'a message that the policy of the request, or of the key, does not allow',
    ['fields', 'and says no where a prover signed all the same, whatever else holds'],
    ['fields', 'and is neither asked for nor made against the key’s own'],
    ['trace', 'after expiry, under another policy, or for another group record'],
  ],
  [
    'each field of the signature changed',
    ['fields', 'over %s: R, s, another spelling of s, their lengths, and SIG alone'],
    ['scalar', 'is refused with any field changed'],
  ],
  [
    'another level or quorum than the request names',
    ['fields', 'of the trace: header, quorum, D, E, z, what binds it, and its length'],
    ['trace', 'with another level, quorum, suite, circuit, signature or proof than the request’s'],
    ['scalar', 'holds at 219 repetitions, and not for another request, quorum, group'],
  ],
  [
    'indices swapped, repeated, out of order, t−1 or t+1 of them',
    ['fields', 'of the trace: header, quorum, D, E, z, what binds it, and its length'],
    ['fields', 'of the request'],
    ['trace', 'by fewer shares, more, others, or shares of another key'],
    ['command', 'by other shares, or by those of another ceremony'],
  ],
  [
    'a share of another key',
    ['scalar', 'takes no share of another key, or of another number'],
    ['trace', 'by fewer shares, more, others, or shares of another key'],
  ],
  [
    'a commitment of another ceremony',
    ['binding', 'of a commitment that another ceremony published for the same share'],
    ['command', 'by other shares, or by those of another ceremony'],
  ],
  [
    'an expired request',
    ['trace', 'after its request expired, where it is said when it was signed'],
    ['trace', 'after expiry, under another policy, or for another group record'],
  ],
  [
    'each region of a proof flipped: seeds, views, auxiliary inputs, commitments, salt, challenge',
    ['proof', 'is refused in every region: seeds, views, auxiliary inputs, commitments'],
    ['proof', 'is refused with another salt, or another challenge'],
  ],
  [
    'lengths off by one, duplicate or trailing data',
    [
      'proof',
      'does not parse with a length off by one, trailing bytes or padding that is not zero',
    ],
    ['fields', 'of the trace: header, quorum, D, E, z, what binds it, and its length'],
    ['trace', 'is parsed strictly: what is read has no other spelling'],
  ],
  [
    'integers and points that are not canonical, points outside the subgroup',
    ['scalar', 'is refused with any field changed'],
    ['fields', 'over %s: R, s, another spelling of s, their lengths, and SIG alone'],
    ['binding', 'of points over %s that are not canonical, outside the group, or the identity'],
  ],
  [
    'the identity as Y, R, D, E',
    ['scalar', 'is refused as Y, and as Y_i'],
    ['scalar', 'is refused as R, where the nonces of two signers cancel'],
    ['binding', 'of points over %s that are not canonical, outside the group, or the identity'],
  ],
  [
    'the right x in the circuit and another in the group, and the other way round',
    [
      'proof',
      'are refused: right x in the circuit and another in the group, and the other way round',
    ],
  ],
  ['x + m·q with high bits', ['soundness', 'refuses x + m·q, whose high bits are not zero']],
  [
    '±2^W, which at W = B + 1 would pass upwards',
    ['soundness', 'refuses a wrap by ±2^W'],
    [
      'soundness',
      'would let +2^W through at W = B + 1, which is why it is wider; −2^W passes nowhere',
    ],
  ],
  [
    'SIG other than the signature of the trace',
    ['trace', 'with another signature file'],
    ['fields', 'over %s: R, s, another spelling of s, their lengths, and SIG alone'],
    ['command', 'SIG is no signature that the parties made themselves'],
  ],
  [
    'twins at level quorum',
    ['scalar', 'has no twins, and neither has level shares: FROST draws its nonces'],
    ['command', 'is not made as twins where FROST draws nonces'],
  ],
  [
    'a twin of other coins, another request or another quorum',
    ['binding', 'are other files, down to every seed, for another request, quorum or share'],
  ],
  ['a proof spliced from two', ['proof', 'is refused when spliced from two good ones']],
  [
    'what public data alone can forge with one nonce, and share equations with E of nothing',
    [
      'scalar',
      'refuses what public data alone can forge: equations of one nonce, and E of nothing',
    ],
  ],
];

const NEVER: readonly Line[] = [
  [
    'the file holds no hidden seed, no share, no secret that is known',
    ['proof', 'never holds the hidden seed, a share or its randomness'],
    ['trace', 'holds no share, no randomness and no key, and neither does what was printed'],
    ['canary', 'tells no secret at level %s'],
  ],
  [
    'no salt and no seed serves two statements, even where the generator is stuck',
    [
      'proof',
      'shares no salt and no seed with another statement, even where the generator is stuck',
    ],
  ],
  [
    'two quorums, levels, tweaks or messages never share a nonce',
    ['scalar', 'never shares a nonce between quorums, levels, messages or requests'],
    ['binding', 'are others under another tweak, of the same shares'],
  ],
  [
    'challenges are not biased',
    ['proof', 'draws each of the three challenges as often as the others'],
  ],
  [
    'no array is written past its end',
    ['soundness', 'accepts a second prover, written gate by gate'],
    ['binding', 'ends a circuit exactly where its arrays end, prover and verifier'],
  ],
  [
    'a cheating prover wins (2/3)^k of the time',
    [
      'soundness',
      'with another x in the group than in the circuit succeeds (2/3)^k of the time, and no more',
    ],
  ],
  [
    'secrets of a proof do not outlive it, however it ends',
    ['wiping', 'where it is given up while views are read, and the views too'],
    ['wiping', 'at its end'],
  ],
];

describe.each([
  ['what must be refused', REFUSED],
  ['what must never be', NEVER],
])('%s', (_, lines) => {
  it.each(lines)('%s', (_line, ...tests) => {
    expect(tests.length).toBeGreaterThan(0);
    for (const [file, title] of tests) {
      const source = readFileSync(join(root, 'test/inhead', `${file}.test.ts`), 'utf8');
      expect(source, `${file}: ${title}`).toContain(title);
    }
  });
});
