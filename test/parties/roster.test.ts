import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { encodeCbor } from '#formats/cbor';
import { toHex } from '#formats/bytes';
import { InputError } from '#formats/errors';
import {
  decodeRoster,
  encodeRoster,
  makeRoster,
  type Party,
  partyOf,
  type Roster,
  rosterDigest,
} from '#protocols/parties/roster';
import { fuzz } from '../support/mutations.js';
import { session } from './session.js';

let roster: Roster;
beforeAll(async () => {
  ({ roster } = await session('roster'));
});

describe('a roster', () => {
  it('survives writing and reading', () => {
    expect(decodeRoster(encodeRoster(roster), 'r')).toEqual(roster);
  });

  it('has the digest that the specification gives', () => {
    const expected = createHash('sha256')
      .update('conclave-roster-v1\0')
      .update(encodeRoster(roster))
      .digest('hex');
    expect(toHex(rosterDigest(roster))).toBe(expected);
  });

  it('is the same whatever the order in which parties came', () => {
    const other = makeRoster({ ...roster, parties: [...roster.parties].reverse() });
    expect(rosterDigest(other)).toEqual(rosterDigest(roster));
  });

  it('has another digest when anything in it differs', () => {
    const [first, ...rest] = roster.parties as [Party, ...Party[]];
    const variants: Roster[] = [
      { ...roster, session: new Uint8Array(32) },
      { ...roster, terms: new Uint8Array(32) },
      { ...roster, purpose: 'frost-ed25519/sign' },
      { ...roster, parties: rest },
      { ...roster, parties: [{ ...first, number: 3 }, ...rest] },
      { ...roster, parties: [{ ...first, identity: new Uint8Array(32) }, ...rest] },
      { ...roster, parties: [{ ...first, ed25519: new Uint8Array(32) }, ...rest] },
      { ...roster, parties: [{ ...first, xWing: new Uint8Array(1216) }, ...rest] },
    ];
    const digests = [roster, ...variants.map(makeRoster)].map((each) => toHex(rosterDigest(each)));
    expect(new Set(digests).size).toBe(digests.length);
  });

  it('finds parties by number', () => {
    expect(partyOf(roster, 7)?.number).toBe(7);
    expect(partyOf(roster, 3)).toBeUndefined();
  });

  it.each<[string, (r: Roster) => Roster]>([
    ['a number twice', (r) => ({ ...r, parties: [...r.parties, r.parties[0] as Party] })],
    [
      'an identity twice',
      (r) => ({
        ...r,
        parties: [
          ...r.parties,
          {
            ...(r.parties[0] as Party),
            number: 9,
            ed25519: new Uint8Array(32),
            xWing: new Uint8Array(1216),
          },
        ],
      }),
    ],
    [
      'a signing key twice',
      (r) => ({
        ...r,
        parties: [
          ...r.parties,
          {
            ...(r.parties[0] as Party),
            number: 9,
            identity: new Uint8Array(32),
            xWing: new Uint8Array(1216),
          },
        ],
      }),
    ],
    [
      'a sealing key twice',
      (r) => ({
        ...r,
        parties: [
          ...r.parties,
          {
            ...(r.parties[0] as Party),
            number: 9,
            identity: new Uint8Array(32),
            ed25519: new Uint8Array(32),
          },
        ],
      }),
    ],
    ['nobody', (r) => ({ ...r, parties: [] })],
    ['number 0', (r) => ({ ...r, parties: [{ ...(r.parties[0] as Party), number: 0 }] })],
    ['number 65536', (r) => ({ ...r, parties: [{ ...(r.parties[0] as Party), number: 65_536 }] })],
    ['a short session id', (r) => ({ ...r, session: new Uint8Array(31) })],
    ['long terms', (r) => ({ ...r, terms: new Uint8Array(33) })],
    [
      'a short key',
      (r) => ({ ...r, parties: [{ ...(r.parties[0] as Party), xWing: new Uint8Array(1215) }] }),
    ],
    ['no purpose', (r) => ({ ...r, purpose: '' })],
    ['a purpose in capitals', (r) => ({ ...r, purpose: 'FROST' })],
  ])('with %s is refused, made or read', (_what, change) => {
    expect(() => makeRoster(change(roster))).toThrow(InputError);
    expect(() => decodeRoster(encodeRoster(change(roster)), 'r')).toThrow(InputError);
  });

  it('is read in its order only, and of its version only', () => {
    const reversed = { ...roster, parties: [...roster.parties].reverse() };
    expect(() => decodeRoster(encodeRoster(reversed), 'r')).toThrow(InputError);
    expect(() => decodeRoster(encodeCbor(new Map([[0, 2]])), 'r')).toThrow(InputError);
    expect(() => decodeRoster(encodeCbor([]), 'r')).toThrow(InputError);
  });

  it('is refused in the agreed way when mutated', async () => {
    await fuzz(encodeRoster(roster), (bytes) => decodeRoster(bytes, 'r'));
  });
});
