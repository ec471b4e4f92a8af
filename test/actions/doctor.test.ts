/** `doctor`: which algorithms it tests, and what it says of one that does not compute what it should. */
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { doctor } from '#actions/doctor';
import type { Descriptor, SignatureImplementation } from '#crypto/descriptor';
import { resolve } from '#crypto/registry';
import { type Workplace, workplace } from '../support/home.js';

vi.mock('#crypto/registry', async (load) => ({
  ...(await load<typeof import('#crypto/registry')>()),
  allDescriptors: () => Promise.resolve(tested),
}));

const quick = await resolve('ed25519');
/** Marked as the slow ones are, without their slowness. */
const slow: Descriptor = { ...quick, name: 'slow-one', slow: true };
const large: Descriptor = { ...quick, name: 'large-one', ownEntropy: true, bits: 128 };
const broken: Descriptor = {
  ...quick,
  name: 'broken-one',
  load: async () => {
    const is = (await quick.load()) as SignatureImplementation & { generate(): Uint8Array };
    return { ...is, verify: () => true };
  },
};

let place: Workplace;
let tested: readonly Descriptor[] = [];
beforeEach(() => {
  place = workplace();
  tested = [quick, slow, large];
  return () => {
    place.remove();
  };
});

const subjects = async (input: object): Promise<Record<string, string>> => {
  const { findings } = await place.run(doctor, { ...input });
  return Object.fromEntries(findings.map(({ subject, detail }) => [subject, detail]));
};

describe('doctor', () => {
  it('tests no algorithm unless it is asked to', async () => {
    const found = await place.run(doctor, {});
    expect(found.ok).toBe(true);
    expect(Object.keys(await subjects({}))).toEqual(['clock', 'random generator']);
    await expect(place.run(doctor, { slow: true })).rejects.toMatchObject({
      code: 'E_OPTION_CONFLICT',
      exitCode: 2,
    });
  });

  it('leaves out with --self what takes long, and names it', async () => {
    const found = await subjects({ self: true });
    expect(found['ed25519']).toContain('signature verifies');
    expect(found['not tested']).toBe('slow-one, large-one');
    expect(Object.keys(found)).not.toContain('slow-one');
  });

  it('tests everything with --self --slow', async () => {
    const found = await subjects({ self: true, slow: true });
    expect(found).toMatchObject({
      'slow-one': expect.stringContaining('signature verifies') as string,
      'large-one': expect.stringContaining('signature verifies') as string,
    });
    expect(Object.keys(found)).not.toContain('not tested');
  });

  it('says which algorithm is wrong, and that the machine is not good for keys', async () => {
    tested = [quick, broken];
    const health = await place.run(doctor, { self: true });
    expect(health.ok).toBe(false);
    const wrong = health.findings.filter(({ result }) => result === 'finding');
    expect(wrong.map(({ subject }) => subject)).toEqual(['broken-one']);
    const said = doctor.present?.(health) ?? '';
    expect(said).toMatch(/WRONG +broken-one .*another message does not verify/);
    expect(said).toContain('do not use this machine for keys');
    expect(said).toContain('Not everything is as it should be');
  });
});
