import { describe, expect, it } from 'vitest';
import { fc } from '../support/property.js';
import { artifactPath, sessionFiles } from '#ceremony/files';
import { parametersOf } from '#ceremony/open';
import { fileName, handouts } from '#ceremony/people';
import { utf8 } from '#formats/bytes';
import { ConclaveError } from '#formats/errors';
import { parseDefinition } from '#script/parse';
import { smallCeremony } from './directory.js';
import { Disk, memoryHost, place } from './memory-host.js';

describe('the files of a step', () => {
  it('stay below the artifacts, whatever path a step names', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc
            .array(fc.constantFrom('..', '.', 'a', '', 'b c', '\\', '/', '\0'), { maxLength: 6 })
            .map((parts) => parts.join('/')),
        ),
        (path) => {
          try {
            const inside = artifactPath(path);
            expect(inside === 'artifacts' || inside.startsWith('artifacts/')).toBe(true);
            expect(inside.split('/')).not.toContain('..');
          } catch (error) {
            expect(error).toMatchObject({ code: 'E_SESSION_PATH', exitCode: 77 });
          }
        },
      ),
      { numRuns: 2000 },
    );
    for (const path of ['/etc/passwd', '../x', 'a/../../x', '-', '', '..', 'a\\..\\b'])
      expect(() => artifactPath(path)).toThrow(ConclaveError);
  });

  it('belong to the step that finished them; leftovers may be replaced', () => {
    const disk = new Disk();
    disk.folders.add('/s');
    const of = (instance: string): ReturnType<typeof sessionFiles> =>
      sessionFiles({
        files: memoryHost(disk).files,
        session: '/s',
        instance,
        owner: (path) => (path === 'artifacts/a' ? 'work/first' : undefined),
        outside: new Map([['payload', '/media/payload.bin']]),
      });
    of('work/first').write('a', utf8('1'));
    expect(() => of('work/second').write('a', utf8('2'))).toThrow('was written by the step');
    expect(() => of('work/second').assertAbsent(['b', 'a'])).toThrow('was written by the step');
    const again = of('work/first');
    again.write('a', utf8('3'));
    again.write('x/b', utf8('left'));
    of('work/second').write('x/b', utf8('other'));
    expect(again.written()).toMatchObject([
      { path: 'artifacts/a', size: 1 },
      { path: 'artifacts/x/b', size: 4 },
    ]);
    expect(() => again.read('payload')).toThrow('there is no file payload');
    place(disk, '/media/payload.bin', 'outside');
    expect(again.read('payload')).toEqual(utf8('outside'));
    expect(() => again.read('/media/payload.bin')).toThrow('may not reach');
  });
});

describe('slips of paper', () => {
  it('are written once, are private, and hold 125 bits', () => {
    const disk = new Disk();
    disk.folders.add('/s');
    const host = memoryHost(disk);
    const slips = handouts(host.files, '/s', host.random);
    expect(slips.read('Ada')).toBeUndefined();
    const first = slips.issue('Ada').use((bytes) => Buffer.from(bytes).toString());
    expect(first).toMatch(/^(?:[a-km-np-z2-9]{5}-){4}[a-km-np-z2-9]{5}$/);
    expect(slips.issue('Ada').use((bytes) => Buffer.from(bytes).toString())).toBe(first);
    expect(Buffer.from(disk.files.get('/s/handouts/Ada.txt') ?? []).toString()).toBe(`${first}\n`);
  });

  it('have different names for different people, on any file system', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', maxLength: 20 }),
        fc.string({ unit: 'grapheme', maxLength: 20 }),
        (a, b) => {
          fc.pre(a.normalize('NFC') !== b.normalize('NFC'));
          expect(fileName(a)).not.toBe(fileName(b));
          expect(fileName(a)).toMatch(/^[A-Za-z0-9._%-]*$/);
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe('parameters', () => {
  const text = smallCeremony(
    '- { id: rest, title: The administrator rests, by: administrator, do: pause }',
  );
  const { definition } = parseDefinition(
    utf8(
      text.replace(
        'roles:',
        [
          'parameters:',
          '  depth: { type: integer, summary: how deep, default: 3 }',
          '  colour: { type: string, summary: which, choices: [red, blue] }',
          '  loud: { type: boolean, summary: aloud, default: false }',
          'roles:',
        ].join('\n'),
      ),
    ),
    'definition.yaml',
  );

  it('have their types', () => {
    expect(parametersOf(definition, ['colour=red', 'depth=-4', 'loud=true'])).toEqual({
      colour: 'red',
      depth: -4,
      loud: true,
    });
    expect(parametersOf(definition, ['colour=blue'])).toMatchObject({ depth: 3, loud: false });
  });

  it.each([
    [[], 'E_PARAMETER_MISSING'],
    [['colour=green'], 'E_PARAMETER_VALUE'],
    [['colour=red', 'depth=1.5'], 'E_PARAMETER_VALUE'],
    [['colour=red', 'depth=03'], 'E_PARAMETER_VALUE'],
    [['colour=red', 'loud=yes'], 'E_PARAMETER_VALUE'],
    [['colour=red', 'colour=blue'], 'E_PARAMETER_VALUE'],
    [['colour'], 'E_PARAMETER_UNKNOWN'],
    [['colour=red', '__proto__=x'], 'E_PARAMETER_UNKNOWN'],
  ])('refuse %j', (given, code) => {
    expect(() => parametersOf(definition, given)).toThrow(
      expect.objectContaining({ code, exitCode: 2 }) as Error,
    );
  });
});
