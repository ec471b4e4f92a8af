import { describe, expect, it } from 'vitest';
import { sha256 } from '#crypto/hash';
import {
  allowDigest,
  decodePolicy,
  describe as describePolicy,
  encodePolicy,
  evaluate,
  policyDigest,
} from '#custody/policy/allow-digest';
import { meetsTrust, trustLevels } from '#custody/audit/trust';
import { toHex, utf8 } from '#formats/bytes';
import { InputError, RefusedError } from '#formats/errors';
import { fuzz } from '../support/mutations.js';

const DIGEST = `sha256:${'ab'.repeat(32)}`;
const OTHER = `sha256:${'cd'.repeat(32)}`;
const policy = allowDigest(DIGEST);

describe('allow-digest', () => {
  it('is one line of canonical JSON, named by its SHA-256', () => {
    const text = `{"digest":"${DIGEST}","kind":"allow-digest","type":"conclave/policy","version":1}\n`;
    expect(new TextDecoder().decode(encodePolicy(policy))).toBe(text);
    expect(decodePolicy(utf8(text), 'p')).toEqual(policy);
    expect(policyDigest(policy, sha256)).toBe(`sha256:${toHex(sha256(utf8(text)))}`);
  });

  it('allows signing that content and nothing else', () => {
    expect(evaluate(policy, { operation: 'sign', digest: DIGEST })).toMatchObject({
      allowed: true,
    });
    for (const request of [
      { operation: 'sign', digest: OTHER },
      { operation: 'sign', digest: DIGEST.toUpperCase() },
      { operation: 'sign', digest: '' },
      { operation: 'decrypt', digest: DIGEST },
      { operation: '', digest: DIGEST },
    ]) {
      const verdict = evaluate(policy, request);
      expect(verdict.allowed).toBe(false);
      expect(verdict.reasons).not.toHaveLength(0);
    }
    expect(evaluate(policy, { operation: 'mac', digest: OTHER }).reasons).toHaveLength(2);
  });

  it('is one English sentence', () => {
    expect(describePolicy(policy)).toBe(
      `This key may sign exactly one content, the one with SHA-256 ${'ab'.repeat(32)}, and nothing else.`,
    );
  });

  it.each([
    ['another kind', `{"kind":"allow-all","type":"conclave/policy","version":1}`],
    [
      'another version',
      `{"digest":"${DIGEST}","kind":"allow-digest","type":"conclave/policy","version":2}`,
    ],
    ['no kind', `{"type":"conclave/policy","version":1}`],
    ['a kind that is no text', `{"kind":{},"type":"conclave/policy","version":1}`],
  ])('is refused with %s', (_what, text) => {
    expect(() => decodePolicy(utf8(text), 'p')).toThrow(RefusedError);
  });

  it.each([
    [
      'another member',
      `{"digest":"${DIGEST}","kind":"allow-digest","or":1,"type":"conclave/policy","version":1}`,
    ],
    ['no digest', `{"kind":"allow-digest","type":"conclave/policy","version":1}`],
    [
      'an upper-case digest',
      `{"digest":"sha256:${'AB'.repeat(32)}","kind":"allow-digest","type":"conclave/policy","version":1}`,
    ],
    ['another type', `{"digest":"${DIGEST}","kind":"allow-digest","type":"policy","version":1}`],
    [
      'spaces',
      `{"digest": "${DIGEST}","kind":"allow-digest","type":"conclave/policy","version":1}`,
    ],
  ])('is malformed with %s', (_what, text) => {
    expect(() => decodePolicy(utf8(text), 'p')).toThrow(InputError);
  });

  it('is refused in the agreed way when mutated', async () => {
    await fuzz(encodePolicy(policy), (bytes) => decodePolicy(bytes, 'p'), { codes: [65, 77] });
  });
});

it('trust levels are ordered', () => {
  expect(trustLevels).toEqual(['tofu', 'introduced', 'verified']);
  for (const [i, level] of trustLevels.entries()) {
    for (const [j, required] of trustLevels.entries()) {
      expect(meetsTrust(level, required)).toBe(i >= j);
    }
  }
});
