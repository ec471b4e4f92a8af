import { describe, expect, it } from 'vitest';
import { linter, shipped, shippedNames } from './catalogue.js';

describe('shipped ceremonies', () => {
  it.each(shippedNames)('%s has no finding', async (name) => {
    const lintText = await linter();
    expect(lintText(shipped(`${name}.yaml`))).toEqual([]);
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
        'refresh-shares',
        'root-key',
        'threshold-dkg',
        'threshold-sign',
      ]),
    );
  });
});
