/** Every import of the house against the allow-list, and proof that the check sees each forbidden form. */
import { describe, expect, it } from 'vitest';
import { type Finding, findCycle, findings, importsOf } from './scan.js';
import { rooms } from './rooms.js';
import { houseSources, importMap } from './sources.js';

const map = importMap();
const sources = houseSources();

function told(list: readonly Finding[]): readonly string[] {
  return list.map(({ file, line, problem }) => `${file}:${line} ${problem}`);
}

describe('imports of the house', () => {
  it('follow the allow-list of rooms', () => {
    expect(told(findings(sources, map))).toEqual([]);
  });

  it('are really seen: the scan reads many files and their imports', () => {
    const count = [...sources].flatMap(([file, text]) => importsOf(file, text)).length;
    expect(sources.size).toBeGreaterThan(15);
    expect(count).toBeGreaterThan(20);
  });

  it('have an allow-list without a circle', () => {
    const edges = new Map(
      Object.entries(rooms)
        .filter(([room]) => room !== 'cli/main')
        .map(([room, rule]) => [
          room,
          new Set(
            [...rule.rooms, ...(rule.interfaces ?? [])].filter((next) => next !== 'cli/main'),
          ),
        ]),
    );
    expect(findCycle(edges)).toBeUndefined();
  });

  it('name a source for every room in package.json', () => {
    expect([...map.values()].every((target) => /^\.\/src\/[a-z]+\/\*\.ts$/.test(target))).toBe(
      true,
    );
  });
});

describe('the check itself', () => {
  /** A small house in which every target of the cases below exists. */
  const house = new Map([
    ['bin/conclave.js', `import '../dist/program/main.js';`],
    ['src/cli/main.ts', `import '#host/node-host'; import { x } from './output.js';`],
    ['src/cli/output.ts', `export const x = 1;`],
    ['src/host/node-host.ts', `import { randomBytes } from 'node:crypto';`],
    ['src/host/host.ts', `export interface Host {}`],
    ['src/terminal/terminal.ts', `export interface Terminal {}`],
    ['src/actions/sign.ts', `import type { D } from '#crypto/descriptor';`],
    ['src/ceremony/engine.ts', `import type { Host } from '#host/host';`],
    ['src/crypto/descriptor.ts', `export interface D {}`],
    ['src/crypto/math/gf256.ts', `import type { D } from '../descriptor.js';`],
    ['src/custody/policy/policy.ts', ``],
    ['src/custody/audit/chain.ts', `import '#crypto/descriptor';`],
    ['src/custody/chains/bitcoin.ts', ``],
    ['src/custody/authority/record.ts', `import '#custody/audit/chain';`],
    ['src/protocols/sharing/split.ts', ``],
    ['src/protocols/threshold/frost.ts', ``],
    ['src/protocols/parties/message.ts', `import '#carriage/wrapping/hpke';`],
    ['src/carriage/wrapping/hpke.ts', ``],
    ['src/carriage/stores/key-file.ts', `const lib = await import('pkcs11js');`],
    ['src/carriage/transport/frames.ts', ``],
    ['src/script/lint.ts', `import { parse } from 'yaml';`],
    ['src/formats/bytes.ts', `export const b = 1;`],
  ]);

  function caught(file: string, text: string): readonly string[] {
    const before = house.get(file) ?? '';
    return findings(new Map([...house, [file, `${before}\n${text}`]]), map).map((f) => f.problem);
  }

  it('finds nothing in a house that keeps the rules', () => {
    expect(told(findings(house, map))).toEqual([]);
  });

  const forbidden: readonly (readonly [string, string, string, RegExp])[] = [
    [
      'a static import',
      'src/crypto/descriptor.ts',
      `import { x } from '#host/node-host';`,
      /crypto must not import host/,
    ],
    [
      'a side-effect import',
      'src/crypto/descriptor.ts',
      `import '#actions/sign';`,
      /crypto must not import actions/,
    ],
    [
      'a type-only import',
      'src/actions/sign.ts',
      `import type { Terminal } from '#terminal/terminal';`,
      /actions must not import terminal/,
    ],
    [
      'an inline type import',
      'src/actions/sign.ts',
      `import { type Host } from '#host/host';`,
      /actions must not import host/,
    ],
    [
      'an import type node',
      'src/formats/bytes.ts',
      `export type X = import('#crypto/descriptor').D;`,
      /formats must not import crypto/,
    ],
    [
      'a dynamic import',
      'src/script/lint.ts',
      `export const f = () => import('#actions/sign');`,
      /script must not import actions/,
    ],
    [
      'a template literal import',
      'src/script/lint.ts',
      'export const f = () => import(`#actions/sign`);',
      /script must not import actions/,
    ],
    [
      'a computed import',
      'src/script/lint.ts',
      `export const f = (x: string) => import(x);`,
      /computed dynamic/,
    ],
    [
      'a re-export',
      'src/protocols/sharing/split.ts',
      `export { x } from '#protocols/threshold/frost';`,
      /passes protocols\/threshold on/,
    ],
    [
      'a re-export of an allowed room',
      'src/actions/sign.ts',
      `export type { D2 } from '#crypto/descriptor';`,
      /passes crypto on/,
    ],
    [
      'an import that is exported again',
      'src/actions/sign.ts',
      `import { d as e } from '#crypto/descriptor'; export { e as f };`,
      /passes crypto on/,
    ],
    ['export *', 'src/crypto/descriptor.ts', `export * from './math/gf256.js';`, /whole file/],
    [
      'export * as',
      'src/crypto/descriptor.ts',
      `export * as g from './math/gf256.js';`,
      /whole file/,
    ],
    ['a barrel', 'src/crypto/index.ts', `export const x = 1;`, /barrel/],
    [
      'a relative climb',
      'src/actions/sign.ts',
      `import '../crypto/descriptor.js';`,
      /climbs into crypto/,
    ],
    [
      'a relative climb between sub-rooms',
      'src/custody/authority/record.ts',
      `import '../audit/chain.js';`,
      /climbs into custody\/audit/,
    ],
    [
      'a dynamic relative climb',
      'src/actions/sign.ts',
      `const f = () => import('../host/node-host.js');`,
      /climbs into host/,
    ],
    [
      'a room written with # from inside',
      'src/crypto/math/gf256.ts',
      `import '#crypto/descriptor';`,
      /own room/,
    ],
    [
      'sharing to threshold',
      'src/protocols/sharing/split.ts',
      `import '#protocols/threshold/frost';`,
      /must not import protocols\/threshold/,
    ],
    [
      'policy to crypto',
      'src/custody/policy/policy.ts',
      `import '#crypto/descriptor';`,
      /custody\/policy must not import crypto/,
    ],
    [
      'policy to chains',
      'src/custody/policy/policy.ts',
      `import '#custody/chains/bitcoin';`,
      /custody\/policy must not import/,
    ],
    [
      'audit to authority',
      'src/custody/audit/chain.ts',
      `import '#custody/authority/record';`,
      /custody\/audit must not import/,
    ],
    [
      'transport to crypto',
      'src/carriage/transport/frames.ts',
      `import '#crypto/descriptor';`,
      /transport must not import crypto/,
    ],
    [
      'stores to host',
      'src/carriage/stores/key-file.ts',
      `import type { Host } from '#host/host';`,
      /stores must not import host/,
    ],
    [
      'cli to crypto',
      'src/cli/output.ts',
      `import '#crypto/descriptor';`,
      /cli must not import crypto/,
    ],
    [
      'cli to host, outside main',
      'src/cli/output.ts',
      `import '#host/node-host';`,
      /cli must not import host/,
    ],
    [
      'main to crypto',
      'src/cli/main.ts',
      `import '#crypto/descriptor';`,
      /cli\/main must not import crypto/,
    ],
    [
      'main to wrapping',
      'src/cli/main.ts',
      `import '#carriage/wrapping/hpke';`,
      /cli\/main must not import/,
    ],
    [
      'a value where only the interface may pass',
      'src/ceremony/engine.ts',
      `import { createHost } from '#host/node-host';`,
      /only types of host/,
    ],
    [
      'a dynamic value of an interface',
      'src/ceremony/engine.ts',
      `const f = () => import('#terminal/terminal');`,
      /only types of terminal/,
    ],
    [
      'bin to crypto',
      'bin/conclave.js',
      `import '../dist/crypto/descriptor.js';`,
      /bin must not import crypto/,
    ],
    [
      'noble outside crypto',
      'src/protocols/sharing/split.ts',
      `import { sha256 } from '@noble/hashes/sha2.js';`,
      /package @noble\/hashes/,
    ],
    [
      'the type of a foreign package',
      'src/actions/sign.ts',
      `import type { Command } from 'commander';`,
      /package commander/,
    ],
    [
      'a package loaded late',
      'src/actions/sign.ts',
      `const f = () => import('ora');`,
      /package ora/,
    ],
    [
      'node:crypto outside crypto and host',
      'src/actions/sign.ts',
      `import { createHash } from 'node:crypto';`,
      /node:crypto/,
    ],
    [
      'node without its prefix',
      'src/host/host.ts',
      `import { createHash } from 'crypto';`,
      /without node:/,
    ],
    [
      'files from an action',
      'src/actions/sign.ts',
      `import { readFileSync } from 'node:fs';`,
      /node:fs/,
    ],
    [
      'the network from anywhere',
      'src/host/node-host.ts',
      `import { request } from 'node:https';`,
      /node:https/,
    ],
    ['require', 'src/crypto/descriptor.ts', `const x = require('keytar');`, /by require/],
    ['import = require', 'src/crypto/descriptor.ts', `import x = require('keytar');`, /by require/],
    [
      'createRequire',
      'src/host/node-host.ts',
      `const r = createRequire(import.meta.url);`,
      /computed require/,
    ],
    [
      'a builtin by name',
      'src/actions/sign.ts',
      `const c = process.getBuiltinModule('crypto');`,
      /by builtin/,
    ],
    [
      'a reference',
      'src/actions/sign.ts',
      `/// <reference path="../crypto/descriptor.ts" />`,
      /by reference/,
    ],
    ['a dead import', 'src/actions/sign.ts', `import './nothing.js';`, /leads nowhere/],
    ['an unknown room', 'src/actions/sign.ts', `import '#utils/x';`, /leads nowhere/],
    ['a folder that is no room', 'src/utils/x.ts', `export const x = 1;`, /no room/],
    ['a file between rooms', 'src/custody/common.ts', `export const x = 1;`, /no room/],
  ];

  it.each(forbidden)('catches %s', (_name, file, text, expected) => {
    // A reference counts only at the top of a file.
    const top = text.startsWith('///');
    const problems = top
      ? findings(new Map([...house, [file, text]]), map).map((f) => f.problem)
      : caught(file, text);
    expect(problems.some((problem) => expected.test(problem))).toBe(true);
  });

  it('catches rooms that import each other, by way of a third', () => {
    const circle = findings(
      new Map([
        ['src/actions/a.ts', `import '#script/s';`],
        ['src/script/s.ts', `import '#custody/audit/c';`],
        ['src/custody/audit/c.ts', `import type { A } from '#actions/a';`],
      ]),
      map,
    );
    expect(circle.some(({ problem }) => problem.includes('import each other'))).toBe(true);
  });

  it('lets a ceremony see host and terminal as types', () => {
    const text = `import { type Terminal } from '#terminal/terminal'; export type T = import('#host/host').Host;`;
    expect(caught('src/ceremony/engine.ts', text)).toEqual([]);
  });
});
