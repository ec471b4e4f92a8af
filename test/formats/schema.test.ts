import { describe, expect, it } from 'vitest';
import type { Json } from '#formats/canonical-json';
import * as s from '#formats/schema';

const person = s.object({
  name: s.string({ max: 5 }),
  age: s.integer({ min: 0, max: 150 }),
  role: s.oneOf('witness', 'custodian'),
  note: s.optional(s.nullable(s.string())),
  keys: s.array(s.hex(2), { min: 1, max: 2 }),
  tags: s.record(s.boolean(), { key: /^[a-z]+$/, max: 2 }),
  raw: s.base64(2),
  at: s.time(),
});

const valid: { [member: string]: Json } = {
  name: 'Ada',
  age: 36,
  role: 'witness',
  keys: ['00ff'],
  tags: { quick: true },
  raw: 'AQI=',
  at: '2026-11-23T09:30:00Z',
};

describe('schemas', () => {
  it('give typed values', () => {
    expect(person.parse(valid, 'x')).toEqual({ ...valid, raw: Uint8Array.of(1, 2) });
    expect(person.parse({ ...valid, note: null }, 'x').note).toBeNull();
  });

  it.each<[string, { [member: string]: Json }, RegExp]>([
    ['an unknown member', { extra: 1 }, /x: unknown member "extra"/],
    ['a wrong type', { name: 1 }, /x\.name: a string/],
    ['a long string', { name: 'abcdef' }, /x\.name/],
    ['a number out of range', { age: 151 }, /x\.age: an integer from 0 to 150/],
    ['a fraction', { age: 1.5 }, /x\.age/],
    ['another choice', { role: 'dealer' }, /x\.role: "witness" or "custodian"/],
    ['too few items', { keys: [] }, /x\.keys/],
    ['too many items', { keys: ['0000', '0000', '0000'] }, /x\.keys/],
    ['upper-case hexadecimal', { keys: ['00FF'] }, /x\.keys\[0\]: 2 bytes/],
    ['short hexadecimal', { keys: ['00'] }, /x\.keys\[0\]/],
    ['a bad member name', { tags: { Quick: true } }, /x\.tags\.Quick/],
    ['too many members', { tags: { a: true, b: true, c: true } }, /x\.tags/],
    ['short base64', { raw: 'AQ==' }, /x\.raw: 2 bytes/],
    ['loose base64', { raw: 'AQI' }, /x\.raw/],
    ['an array for an object', { tags: [] }, /x\.tags: an object/],
    ['null for a value', { name: null }, /x\.name/],
    ['a local time', { at: '2026-11-23T09:30:00' }, /x\.at: a UTC time/],
    ['an offset', { at: '2026-11-23T09:30:00+01:00' }, /x\.at/],
    ['a day that does not exist', { at: '2026-02-30T00:00:00Z' }, /x\.at/],
    ['an hour that does not exist', { at: '2026-02-20T24:00:00Z' }, /x\.at/],
    ['a leap second', { at: '2026-06-30T23:59:60Z' }, /x\.at/],
  ])('refuse %s and say where', (_, change, where) => {
    const parse = (): unknown => person.parse({ ...valid, ...change }, 'x');
    expect(parse).toThrow(where);
    expect(parse).toThrow(expect.objectContaining({ exitCode: 65 }) as Error);
  });

  it('take milliseconds', () => {
    expect(s.time().parse('2024-02-29T23:59:59.999Z', 'x')).toBe('2024-02-29T23:59:59.999Z');
  });

  it.each(Object.keys(valid))('refuse a missing %s', (member) => {
    const { [member]: _, ...rest } = valid;
    expect(() => person.parse(rest, 'x')).toThrow(/is missing|was expected/);
  });

  it('keep __proto__ an ordinary name', () => {
    const input = JSON.parse('{"__proto__":true}') as Json;
    const read = s.record(s.boolean()).parse(input, 'x');
    expect(Object.getPrototypeOf(read)).toBe(Object.prototype);
    expect(Object.keys(read)).toEqual(['__proto__']);
    expect(() => s.object({ a: s.optional(s.json()) }).parse(input, 'x')).toThrow(/unknown member/);
  });

  it('know the calendar as Date does', () => {
    const reads = (text: string): boolean => {
      try {
        return s.time().parse(text, 'x') === text;
      } catch {
        return false;
      }
    };
    const two = (n: number): string => String(n).padStart(2, '0');
    const exists = (text: string): boolean => {
      const date = new Date(text);
      return !Number.isNaN(date.getTime()) && date.toISOString() === text.replace('Z', '.000Z');
    };
    for (const year of ['0000', '0004', '1900', '2000', '2023', '2024', '2100', '9999'])
      for (let month = 0; month <= 13; month++)
        for (let day = 0; day <= 32; day++) {
          const text = `${year}-${two(month)}-${two(day)}T00:00:00Z`;
          expect([text, reads(text)]).toEqual([text, exists(text)]);
        }
    for (const time of ['23:59:59', '24:00:00', '00:60:00', '00:00:60', '25:00:00', '09:30:61'])
      expect(reads(`2026-01-01T${time}Z`)).toBe(exists(`2026-01-01T${time}Z`));
  });

  it('name no member that every object inherits', () => {
    expect(() => s.object({ constructor: s.string() })).toThrow(TypeError);
  });
});
