import { describe, expect, it } from 'vitest';
import { linter, shipped, shippedNames } from './catalogue.js';

describe('shipped ceremonies', () => {
  it.each(shippedNames)('%s has no finding', async (name) => {
    const lintText = await linter();
    expect(lintText(shipped(`${name}.yaml`))).toEqual([]);
  });

  it('that change the shares of a key differ in words, in what changes and in who takes part', () => {
    /** A definition without its words. */
    const shape = (operation: string): readonly string[] =>
      shipped(`threshold-${operation}.yaml`)
        .split('\n')
        .filter((line) =>
          /^ +(- id|by|each|do|uses|value|effect|retry|on-failure|[a-z-]+: \$)/.test(line),
        )
        .filter((line) => !/lost: \$/.test(line))
        .map((line) => line.replaceAll(/quorums\.[a-z]+\./g, 'quorums.'));
    const repair = shape('repair');
    expect(repair.length).toBeGreaterThan(100);
    for (const operation of ['refresh', 'reshare', 'enrol'])
      expect(shape(operation)).toEqual(repair);
  });

  it('are those of this version', () => {
    expect(shippedNames).toEqual(
      expect.arrayContaining([
        'byok-wrap',
        'cloud-import',
        'cold-sign',
        'cold-sign-threshold',
        'hsm-import',
        'quickstart',
        'recovery-drill',
        'recover',
        'destroy',
        'enrol-people',
        'refresh-shares',
        'root-key',
        'threshold-dkg',
        'threshold-sign',
        'threshold-refresh',
        'threshold-reshare',
        'threshold-repair',
        'threshold-enrol',
      ]),
    );
  });
});
