import { fc } from '../support/property.js';
import { describe, expect, it } from 'vitest';
import { fromUtf8, utf8 } from '#formats/bytes';
import { decodeDsse, encodeDsse, looksLikeDsse, preAuthenticationEncoding } from '#formats/dsse';
import { fuzz } from './mutate.js';

const envelope = {
  payloadType: 'application/vnd.in-toto+json',
  payload: utf8('{"a":1}'),
  signatures: [
    { keyid: 'one', sig: Uint8Array.of(1, 2, 3) },
    { keyid: 'two', sig: Uint8Array.of(4) },
  ],
};

describe('DSSE', () => {
  it('encodes before signing as the example of its specification', () => {
    const bytes = preAuthenticationEncoding('http://example.com/HelloWorld', utf8('hello world'));
    expect(fromUtf8(bytes)).toBe('DSSEv1 29 http://example.com/HelloWorld 11 hello world');
  });

  it('counts bytes, not characters', () => {
    expect(fromUtf8(preAuthenticationEncoding('\u20ac', utf8('\u20ac\u20ac')))).toBe(
      'DSSEv1 3 \u20ac 6 \u20ac\u20ac',
    );
  });

  it('gives different bytes for different envelopes', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string(), fc.string(), (t1, p1, t2, p2) => {
        fc.pre(t1 !== t2 || p1 !== p2);
        const [one, two] = [
          preAuthenticationEncoding(t1, utf8(p1)),
          preAuthenticationEncoding(t2, utf8(p2)),
        ];
        expect(Buffer.compare(one, two)).not.toBe(0);
      }),
    );
  });

  it('comes back as it was', () => {
    const text = encodeDsse(envelope);
    expect(text.endsWith('}\n')).toBe(true);
    expect(decodeDsse(utf8(text), 'x')).toEqual(envelope);
    expect(looksLikeDsse(JSON.parse(text) as never)).toBe(true);
    expect(looksLikeDsse({ payload: '' })).toBe(false);
  });

  it.each([
    ['a missing member', '{"payload":"","payloadType":"a"}'],
    ['an unknown member', '{"payload":"","payloadType":"a","signatures":[],"x":1}'],
    [
      'an unknown member of a signature',
      '{"payload":"","payloadType":"a","signatures":[{"keyid":"","sig":"","x":1}]}',
    ],
    ['a signature without key id', '{"payload":"","payloadType":"a","signatures":[{"sig":""}]}'],
    ['a repeated member', '{"payload":"","payload":"","payloadType":"a","signatures":[]}'],
    ['base64 without padding', '{"payload":"AA","payloadType":"a","signatures":[]}'],
    ['URL-safe base64', '{"payload":"__8=","payloadType":"a","signatures":[]}'],
    ['an array', '[]'],
    [
      '65 signatures',
      `{"payload":"","payloadType":"a","signatures":[${Array(65).fill('{"keyid":"","sig":""}').join(',')}]}`,
    ],
  ])('refuses %s', (_, text) => {
    expect(() => decodeDsse(utf8(text), 'x')).toThrow(
      expect.objectContaining({ exitCode: 65 }) as Error,
    );
  });

  it('survives mutations', async () => {
    await fuzz([utf8(encodeDsse(envelope))], (input) => decodeDsse(input, 'fuzzed'));
  });
});
